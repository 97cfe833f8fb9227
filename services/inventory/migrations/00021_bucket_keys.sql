-- +goose Up
ALTER TABLE stock DROP CONSTRAINT stock_pkey, ADD CONSTRAINT stock_pkey PRIMARY KEY (crdb_region, sku, warehouse, bucket);

ALTER TABLE reservation_lines DROP CONSTRAINT reservation_lines_pkey,
    ADD CONSTRAINT reservation_lines_pkey PRIMARY KEY (crdb_region, saga_id, sku, warehouse, bucket);

-- +goose Down
ALTER TABLE reservation_lines DROP CONSTRAINT reservation_lines_pkey,
    ADD CONSTRAINT reservation_lines_pkey PRIMARY KEY (crdb_region, saga_id, sku, warehouse);

ALTER TABLE stock DROP CONSTRAINT stock_pkey, ADD CONSTRAINT stock_pkey PRIMARY KEY (crdb_region, sku, warehouse);
