-- +goose Up
-- The band that was last announced for each SKU over all regions. GLOBAL, because it belongs to no region, is read by each, and
-- changes seldom; no checkout waits for a write of it.
CREATE TABLE bands (
    sku     TEXT NOT NULL PRIMARY KEY,
    -- Empty until the first announcement.
    band    TEXT NOT NULL,
    -- Rises by one with each announcement.
    version INT8 NOT NULL
);

-- +goose Down
DROP TABLE bands;
