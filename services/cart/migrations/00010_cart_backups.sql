-- +goose Up
-- Carts that nobody has used for a while, so that a Redis that lost its memory can be given them back. Homed where the cart is.
CREATE TABLE cart_backups (
    crdb_region crdb_internal_region NOT NULL,
    cart_id     TEXT NOT NULL,
    version     INT8 NOT NULL,
    -- Hex SHA-256 of the cart's secret, which itself is stored nowhere.
    secret_hash TEXT NOT NULL,
    currency    TEXT NOT NULL,
    -- Lines and tombstones: [{"sku", "quantity", "version", "added"}].
    lines       JSONB NOT NULL,
    -- The orders that have been taken out of the cart, with the version at which: {"ord_…": 7}.
    orders      JSONB NOT NULL,
    -- When the cart was last used.
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, cart_id)
);

-- Serves the sweeper: the backups of a region that are past their retention, oldest first.
CREATE INDEX cart_backups_for_expiry ON cart_backups (crdb_region, updated_at);

-- +goose Down
DROP TABLE cart_backups;
