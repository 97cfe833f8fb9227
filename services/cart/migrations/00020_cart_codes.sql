-- +goose Up
-- Promotion codes and their tombstones: [{"code", "title", "entered", "version", "added"}].
ALTER TABLE cart_backups ADD COLUMN codes JSONB NOT NULL DEFAULT '[]';
-- Whether this version of the cart has been announced as abandoned.
ALTER TABLE cart_backups ADD COLUMN abandoned BOOL NOT NULL DEFAULT false;

-- +goose Down
ALTER TABLE cart_backups DROP COLUMN abandoned;
ALTER TABLE cart_backups DROP COLUMN codes;
