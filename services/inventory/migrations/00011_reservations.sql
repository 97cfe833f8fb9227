-- +goose Up
-- One row for each saga that ever reserved or released, homed where the saga is. A released row is also the tombstone that
-- refuses a late reserve.
CREATE TABLE reservations (
    crdb_region  crdb_internal_region NOT NULL,
    saga_id      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('held', 'sold', 'released')),
    -- Tells a repeat of the same request from another request of the same saga; empty in a tombstone.
    request_hash TEXT NOT NULL,
    -- What was taken from where. It never changes, so that a repeat is answered from this one local row.
    allocations  JSONB NOT NULL,
    expires_at   TIMESTAMPTZ NOT NULL,
    -- The version of the saga's inventory events.
    version      INT8 NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, saga_id)
);

-- Serves the sweeper: the holds of a region that have run out, oldest first.
CREATE INDEX reservations_for_sweeper ON reservations (crdb_region, state, expires_at);

-- The allocations of live holds only, homed with the stock they bind: a row here is exactly what stock.reserved counts.
CREATE TABLE reservation_lines (
    crdb_region crdb_internal_region NOT NULL,
    saga_id     TEXT NOT NULL,
    sku         TEXT NOT NULL,
    warehouse   TEXT NOT NULL,
    quantity    INT8 NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (crdb_region, saga_id, sku, warehouse)
);

-- +goose Down
DROP TABLE reservation_lines;
DROP TABLE reservations;
