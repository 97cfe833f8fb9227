-- +goose Up
-- What becomes of an order after its sale. The name of a column's own check differs between the engines.
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_status_check;
ALTER TABLE orders DROP CONSTRAINT IF EXISTS check_status;
ALTER TABLE orders ADD CONSTRAINT orders_status_known CHECK (status IN ('pending', 'failed', 'confirmed', 'partially_fulfilled', 'fulfilled',
    'partially_returned', 'returned', 'partially_refunded', 'refunded', 'cancelled'));

-- The orders of a status, newest first: the list that support works through, and what is old enough for the archive.
CREATE INDEX orders_by_status ON orders (crdb_region, status, created_at, id);

CREATE TABLE order_cancellations (
    crdb_region crdb_internal_region NOT NULL,
    order_id    TEXT NOT NULL,
    id          TEXT NOT NULL,
    -- [{"sku": …, "quantity": …}], here and below.
    lines       JSONB NOT NULL,
    reason      TEXT NOT NULL,
    -- '' when there was nothing left to give back.
    refund_id   TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, order_id, id),
    FOREIGN KEY (crdb_region, order_id) REFERENCES orders (crdb_region, id) ON DELETE CASCADE
);

CREATE TABLE order_fulfilments (
    crdb_region crdb_internal_region NOT NULL,
    order_id    TEXT NOT NULL,
    id          TEXT NOT NULL,
    lines       JSONB NOT NULL,
    -- {"carrier": …, "number": …, "url": …} or null.
    tracking    JSONB NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, order_id, id),
    FOREIGN KEY (crdb_region, order_id) REFERENCES orders (crdb_region, id) ON DELETE CASCADE
);

CREATE TABLE order_returns (
    crdb_region crdb_internal_region NOT NULL,
    order_id    TEXT NOT NULL,
    id          TEXT NOT NULL,
    lines       JSONB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('requested', 'received', 'refused')),
    reason      TEXT NOT NULL,
    note        TEXT NOT NULL,
    restocked   BOOL NOT NULL,
    refund_id   TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, order_id, id),
    FOREIGN KEY (crdb_region, order_id) REFERENCES orders (crdb_region, id) ON DELETE CASCADE
);

-- Written before payment is asked, under the id by which payment and the provider know the refund.
CREATE TABLE order_refunds (
    crdb_region crdb_internal_region NOT NULL,
    order_id    TEXT NOT NULL,
    id          TEXT NOT NULL,
    -- In minor units of the order's currency.
    amount      INT8 NOT NULL CHECK (amount > 0),
    currency    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    reason      TEXT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, order_id, id),
    FOREIGN KEY (crdb_region, order_id) REFERENCES orders (crdb_region, id) ON DELETE CASCADE
);

-- What other services still have to do about an order. A task is written with what causes it and deleted when it is done; its id is
-- the one under which the other service does it once.
CREATE TABLE order_tasks (
    crdb_region crdb_internal_region NOT NULL,
    id          TEXT NOT NULL,
    order_id    TEXT NOT NULL,
    saga_id     TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('refund', 'restock')),
    -- What is asked: contract.RefundRequest or contract.StockReturn.
    request     JSONB NOT NULL,
    attempts    INT8 NOT NULL,
    -- When it is next tried; whoever takes it moves this on first.
    due_at      TIMESTAMPTZ NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, id),
    -- An order with something to do about it can not be deleted.
    FOREIGN KEY (crdb_region, order_id) REFERENCES orders (crdb_region, id)
);

-- Tasks that are due.
CREATE INDEX order_tasks_due ON order_tasks (crdb_region, due_at);

-- Tasks of an order.
CREATE INDEX order_tasks_of_order ON order_tasks (crdb_region, order_id);

-- The answers to what was asked under an Idempotency-Key.
CREATE TABLE order_actions (
    crdb_region     crdb_internal_region NOT NULL,
    order_id        TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash    BYTEA NOT NULL,
    -- No personal data: what was made, not the order.
    answer          BYTEA NOT NULL,
    order_version   INT8 NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, order_id, idempotency_key),
    FOREIGN KEY (crdb_region, order_id) REFERENCES orders (crdb_region, id) ON DELETE CASCADE
);

-- Answers that need not be remembered any more.
CREATE INDEX order_actions_to_forget ON order_actions (crdb_region, created_at);

-- +goose Down
DROP TABLE order_actions;
DROP TABLE order_tasks;
DROP TABLE order_refunds;
DROP TABLE order_returns;
DROP TABLE order_fulfilments;
DROP TABLE order_cancellations;
DROP INDEX orders_by_status;
ALTER TABLE orders DROP CONSTRAINT orders_status_known;
