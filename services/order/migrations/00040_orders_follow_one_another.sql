-- +goose Up
-- The order whose goods had been taken out of the cart last when this one was placed; '' for none. Orders from before this column
-- follow something of their own.
ALTER TABLE orders ADD COLUMN follows TEXT NOT NULL DEFAULT gen_random_uuid()::TEXT;

-- The orders of a cart are a chain: nothing is placed while the order before it is still in the cart, so that no goods are bought
-- twice however the cart was changed meanwhile.
CREATE UNIQUE INDEX orders_follow_once ON orders (crdb_region, cart_id, follows) WHERE status <> 'failed';

-- The chain says it all, and a cart that came back from its backup may pass a version again.
DROP INDEX orders_bought_once CASCADE;

-- +goose Down
CREATE UNIQUE INDEX orders_bought_once ON orders (crdb_region, cart_id, cart_version) WHERE status <> 'failed';
DROP INDEX orders_follow_once;
ALTER TABLE orders DROP COLUMN follows;
