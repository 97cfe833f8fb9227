-- +goose Up
-- What was given back of a captured payment, or is about to be: never more than was captured.
ALTER TABLE payments ADD COLUMN refunded INT8 NOT NULL DEFAULT 0;

-- One row for each refund that was asked for, beside its payment. Its amount is part of the payment's refunded from the start, until
-- it is known to have failed.
CREATE TABLE refunds (
    crdb_region crdb_internal_region NOT NULL,
    saga_id     TEXT NOT NULL,
    -- Names the refund to others, and with the saga to the provider as the key that makes it unique.
    id          TEXT NOT NULL,
    amount      INT8 NOT NULL CHECK (amount > 0),
    currency    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    reason      TEXT NOT NULL,
    -- The provider's names: of the refund, once it has answered, and of the charge.
    provider_id TEXT NOT NULL,
    intent_id   TEXT NOT NULL,
    -- When the provider is asked again, if the refund is not settled by then; NULL once nothing is open.
    next_ask_at TIMESTAMPTZ,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, saga_id, id),
    FOREIGN KEY (crdb_region, saga_id) REFERENCES payments (crdb_region, saga_id)
);

-- Serves the reconcile loop: what is open in a region and due, longest first.
CREATE INDEX refunds_for_reconcile ON refunds (crdb_region, next_ask_at);

-- The provider keeps its own books now.
DROP TABLE sandbox_charges;

-- +goose Down
CREATE TABLE sandbox_charges (
    crdb_region crdb_internal_region NOT NULL,
    key         TEXT NOT NULL,
    id          TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('captured', 'declined', 'voided')),
    reason      TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    amount      INT8 NOT NULL,
    currency    TEXT NOT NULL,
    captured    INT8 NOT NULL,
    refunded    INT8 NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, key),
    CHECK (0 <= refunded AND refunded <= captured AND captured <= amount)
);
DROP TABLE refunds;
ALTER TABLE payments DROP COLUMN refunded;
