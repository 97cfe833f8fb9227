-- +goose Up
-- The band before the last change, which shoppers' caches may still show: what was 'out' had no row.
ALTER TABLE bands ADD COLUMN former TEXT NOT NULL DEFAULT 'out';

-- +goose Down
ALTER TABLE bands DROP COLUMN former;
