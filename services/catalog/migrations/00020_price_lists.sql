-- +goose Up
-- Prices that hold in place of the variants' own in a region, '' being all of them, and for a time. Read with every price.
CREATE TABLE price_lists (
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    currency   TEXT NOT NULL,
    region     TEXT NOT NULL,
    priority   INT8 NOT NULL,
    starts_at  TIMESTAMPTZ,
    ends_at    TIMESTAMPTZ,
    version    INT8 NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT price_lists_begin_before_they_end CHECK (starts_at IS NULL OR ends_at IS NULL OR starts_at < ends_at)
);

-- Serves every read of prices: the lists of a currency that may hold in a region.
CREATE INDEX price_lists_in_force ON price_lists (currency, region);

-- No key into variants: they are written anew with each change of their product, and a list's price must outlive that.
CREATE TABLE price_list_prices (
    list       TEXT NOT NULL,
    sku        TEXT NOT NULL,
    amount     INT8 NOT NULL,
    compare_at INT8,
    -- By SKU first: reads come with the SKU, and must find it whatever the planner thinks of the list.
    PRIMARY KEY (sku, list),
    CONSTRAINT price_list_prices_list_exists FOREIGN KEY (list) REFERENCES price_lists (id) ON DELETE CASCADE,
    CONSTRAINT price_list_prices_not_negative CHECK (amount >= 0 AND (compare_at IS NULL OR compare_at >= 0))
);

-- Serves admins: a list's prices by SKU, some or all.
CREATE INDEX price_list_prices_of_list ON price_list_prices (list, sku);

-- +goose Down
DROP TABLE price_list_prices;
DROP TABLE price_lists;
