-- +goose Up
-- The sandbox provider's ledger: what a real provider would keep on its side. Only the sandbox reads or writes it.
CREATE TABLE sandbox_charges (
    crdb_region crdb_internal_region NOT NULL,
    key         TEXT NOT NULL,
    id          TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('captured', 'declined', 'voided')),
    reason      TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    amount      INT8 NOT NULL,
    currency    TEXT NOT NULL,
    -- What was taken and what was given back, in minor units: an audit adds these up.
    captured    INT8 NOT NULL,
    refunded    INT8 NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, key),
    CHECK (0 <= refunded AND refunded <= captured AND captured <= amount)
);

-- +goose Down
DROP TABLE sandbox_charges;
