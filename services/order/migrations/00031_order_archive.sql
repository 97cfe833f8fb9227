-- +goose Up
-- Old orders, kept as compressed files in their region's cold storage. Here stays what finds one and tells whose it is.
CREATE TABLE order_archive (
    crdb_region  crdb_internal_region NOT NULL,
    id           TEXT NOT NULL,
    number       TEXT NOT NULL,
    saga_id      TEXT NOT NULL,
    cart_id      TEXT NOT NULL,
    owner_hash   BYTEA NOT NULL,
    user_id      TEXT NOT NULL,
    status       TEXT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    -- The file, and the bytes of it that hold the order among a few others.
    file         TEXT NOT NULL,
    block_offset INT8 NOT NULL,
    block_length INT8 NOT NULL,
    PRIMARY KEY (crdb_region, id)
);

-- An order by its number, for guests.
CREATE UNIQUE INDEX order_archive_number ON order_archive (crdb_region, number);

-- The archived orders of a cart, newest first.
CREATE INDEX order_archive_of_cart ON order_archive (crdb_region, cart_id, id);

-- The archived orders of a user in a region, newest first.
CREATE INDEX order_archive_of_user ON order_archive (crdb_region, user_id, created_at, id) WHERE user_id <> '';

-- The orders of a file, for who erases one of them.
CREATE INDEX order_archive_of_file ON order_archive (crdb_region, file);

-- Files under way: written down before the first byte, deleted with the orders' move. What is left here is of a crash, and its file is
-- removed.
CREATE TABLE order_archive_files (
    crdb_region crdb_internal_region NOT NULL,
    file        TEXT NOT NULL,
    begun_at    TIMESTAMPTZ NOT NULL,
    -- Being removed: no order may be moved into it any more.
    given_up    BOOL NOT NULL,
    PRIMARY KEY (crdb_region, file)
);

-- +goose Down
DROP TABLE order_archive_files;
DROP TABLE order_archive;
