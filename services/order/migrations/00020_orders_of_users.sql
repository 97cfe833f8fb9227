-- +goose Up
-- Who bought, when that was a user; '' for a guest.
ALTER TABLE orders ADD COLUMN user_id TEXT NOT NULL DEFAULT '';

-- The orders of a user in a region, newest first.
CREATE INDEX orders_of_user ON orders (crdb_region, user_id, created_at, id) WHERE user_id <> '';

-- +goose Down
DROP INDEX orders_of_user;
ALTER TABLE orders DROP COLUMN user_id;
