-- +goose Up
-- One row for each saga that was ever charged or voided, homed where the saga is. A row that was voided before any charge is a
-- tombstone: it has no order and no amount, and refuses a late charge.
CREATE TABLE payments (
    crdb_region crdb_internal_region NOT NULL,
    saga_id     TEXT NOT NULL,
    -- Names the payment to others, and to the provider as the key that makes a charge unique.
    id          TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    amount      INT8 NOT NULL,
    currency    TEXT NOT NULL,
    -- SHA-256 over the saga and the token: tells a repeat from another request. The token itself is never stored.
    token_hash  TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'captured', 'declined', 'voided')),
    reason      TEXT NOT NULL,
    -- Set before the provider is asked to void, so that whoever finds it set goes on with that and nobody records a capture.
    voiding     BOOL NOT NULL,
    provider_id TEXT NOT NULL,
    -- The version of the payment's events.
    version     INT8 NOT NULL,
    -- When the provider is asked again, if nobody has settled the payment by then; NULL once nothing is open.
    next_ask_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, saga_id)
);

-- Serves the reconcile loop: what is open in a region and due, longest first.
CREATE INDEX payments_for_reconcile ON payments (crdb_region, next_ask_at);

-- +goose Down
DROP TABLE payments;
