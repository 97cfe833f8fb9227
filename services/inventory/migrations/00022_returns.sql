-- +goose Up
-- What came back of a saga's sale, homed where the saga is. A row is also what makes a repeated return change nothing.
CREATE TABLE returns (
    crdb_region  crdb_internal_region NOT NULL,
    saga_id      TEXT NOT NULL,
    return_id    TEXT NOT NULL,
    -- Tells a repeat of the same return from another return of the same id.
    request_hash TEXT NOT NULL,
    -- Where the units went: the warehouses that they were sold from.
    allocations  JSONB NOT NULL,
    at           TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, saga_id, return_id)
);

-- Serves the ledger of a SKU, newest first.
CREATE INDEX movements_for_ledger ON movements (crdb_region, sku, at);

-- +goose Down
DROP INDEX movements_for_ledger;
DROP TABLE returns;
