-- +goose Up
-- The units of a SKU in great demand are kept in several rows of a warehouse, so that processes that sell it do not wait for one
-- another. Bucket 0 is always there. A column and the key that needs it are two steps, because CockroachDB does not
-- take a column into a key in the transaction that makes it.
ALTER TABLE stock ADD COLUMN bucket INT8 NOT NULL DEFAULT 0;
ALTER TABLE reservation_lines ADD COLUMN bucket INT8 NOT NULL DEFAULT 0;

-- Why an operator moved stock, in the operator's words; empty for sales.
ALTER TABLE movements ADD COLUMN reason TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE movements DROP COLUMN reason;
ALTER TABLE reservation_lines DROP COLUMN bucket;
ALTER TABLE stock DROP COLUMN bucket;
