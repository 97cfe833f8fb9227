-- +goose Up
CREATE TABLE orders (
    crdb_region      crdb_internal_region NOT NULL,
    id               TEXT NOT NULL,
    number           TEXT NOT NULL,
    saga_id          TEXT NOT NULL,
    cart_id          TEXT NOT NULL,
    cart_version     INT8 NOT NULL,
    -- SHA-256 of the secret of the cart that bought; whoever presents that cart may read the order.
    owner_hash       BYTEA NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('pending', 'confirmed', 'failed')),
    reason           TEXT NOT NULL,
    version          INT8 NOT NULL,
    quote            JSONB NOT NULL,
    payment_id       TEXT NOT NULL,
    -- Personal data is in these two, and in answer_body, which repeats them; nowhere else in this database.
    email            TEXT NOT NULL,
    shipping_address JSONB NOT NULL,
    -- The final answer of the checkout, byte for byte; 0 until the saga's end is decided.
    answer_status    INT8 NOT NULL,
    answer_body      BYTEA NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, id)
);

CREATE UNIQUE INDEX orders_number ON orders (crdb_region, number);

-- A version of a cart is bought once, under however many keys. Also: the order that a cart's version became.
CREATE UNIQUE INDEX orders_bought_once ON orders (crdb_region, cart_id, cart_version) WHERE status <> 'failed';

-- The orders of a cart, newest first.
CREATE INDEX orders_of_cart ON orders (crdb_region, cart_id, id);

CREATE TABLE sagas (
    crdb_region     crdb_internal_region NOT NULL,
    id              TEXT NOT NULL,
    cart_id         TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    request_hash    BYTEA NOT NULL,
    order_id        TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('running', 'confirmed', 'failed')),
    direction       TEXT NOT NULL CHECK (direction IN ('forward', 'compensate')),
    step            TEXT NOT NULL,
    -- Each claim raises it, and every write of a saga tests it: who has lost the lease changes nothing.
    epoch           INT8 NOT NULL,
    lease_holder    TEXT NOT NULL,
    lease_until     TIMESTAMPTZ NOT NULL,
    deadline        TIMESTAMPTZ NOT NULL,
    -- The provider's token, kept only while another process may have to go on with the charge; wiped at the end.
    payment_token   TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ,
    PRIMARY KEY (crdb_region, id),
    FOREIGN KEY (crdb_region, order_id) REFERENCES orders (crdb_region, id),
    CHECK (state = 'running' OR payment_token = '')
);

-- The saga of a key: what a repeated checkout finds.
CREATE UNIQUE INDEX sagas_key ON sagas (crdb_region, cart_id, idempotency_key);

-- One live saga for a cart.
CREATE UNIQUE INDEX sagas_running_of_cart ON sagas (crdb_region, cart_id) WHERE state = 'running';

-- Sagas whose holder has stopped.
CREATE INDEX sagas_to_take_over ON sagas (crdb_region, lease_until) WHERE state = 'running';

-- Keys that need not be remembered any more.
CREATE INDEX sagas_to_forget ON sagas (crdb_region, finished_at) WHERE state <> 'running';

-- What happened, in order; it outlives the saga as the history of its order.
CREATE TABLE saga_steps (
    crdb_region crdb_internal_region NOT NULL,
    saga_id     TEXT NOT NULL,
    epoch       INT8 NOT NULL,
    seq         INT8 NOT NULL,
    step        TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    at          TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, saga_id, epoch, seq)
);

-- +goose Down
DROP TABLE saga_steps;
DROP TABLE sagas;
DROP TABLE orders;
