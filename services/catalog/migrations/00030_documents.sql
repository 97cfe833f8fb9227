-- +goose Up
-- Serves the comparison of an index with the catalog, a bucket of products at a time.
CREATE INDEX products_by_bucket ON products (right(id, 1), published);

-- +goose Down
DROP INDEX products_by_bucket;
