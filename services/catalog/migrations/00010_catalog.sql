-- +goose Up
-- A category's slug never changes, so it is the key: no list has to look it up first.
CREATE TABLE categories (
    slug       TEXT NOT NULL,
    id         TEXT NOT NULL,
    name       TEXT NOT NULL,
    parent     TEXT,
    position   INT8 NOT NULL,
    -- Its own slug and those of all categories above it.
    lineage    TEXT[] NOT NULL,
    version    INT8 NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (slug),
    CONSTRAINT categories_id UNIQUE (id),
    CONSTRAINT categories_parent_exists FOREIGN KEY (parent) REFERENCES categories (slug)
);
CREATE INDEX categories_children ON categories (parent);

CREATE TABLE products (
    id           TEXT NOT NULL,
    slug         TEXT NOT NULL,
    title        TEXT NOT NULL,
    description  TEXT NOT NULL,
    brand        TEXT NOT NULL,
    categories   JSONB NOT NULL,
    tags         JSONB NOT NULL,
    attributes   JSONB NOT NULL,
    options      JSONB NOT NULL,
    images       JSONB NOT NULL,
    published    BOOL NOT NULL,
    version      INT8 NOT NULL,
    -- Fingerprint of all that was written of the product, its variants and prices among it.
    content_hash BYTEA NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    updated_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT products_slug UNIQUE (slug)
);
CREATE INDEX products_list ON products (published, id);
CREATE INDEX products_list_by_brand ON products (published, brand, id);

CREATE TABLE variants (
    sku          TEXT NOT NULL,
    product_id   TEXT NOT NULL,
    position     INT8 NOT NULL,
    title        TEXT NOT NULL,
    options      JSONB NOT NULL,
    barcode      TEXT NOT NULL,
    weight_grams INT8 NOT NULL,
    image        JSONB,
    CONSTRAINT variants_sku PRIMARY KEY (sku),
    CONSTRAINT variants_product_exists FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE INDEX variants_by_product ON variants (product_id, position);

CREATE TABLE prices (
    sku        TEXT NOT NULL,
    currency   TEXT NOT NULL,
    amount     INT8 NOT NULL,
    compare_at INT8,
    PRIMARY KEY (sku, currency),
    CONSTRAINT prices_sku_exists FOREIGN KEY (sku) REFERENCES variants (sku) ON DELETE CASCADE,
    CONSTRAINT prices_not_negative CHECK (amount >= 0 AND (compare_at IS NULL OR compare_at >= 0))
);

-- A product stands under each of its categories and under every category above them, so that the list of a category, its
-- subtree included and drafts left out, is one range of the primary key in the order of paging.
CREATE TABLE product_categories (
    category   TEXT NOT NULL,
    published  BOOL NOT NULL,
    product_id TEXT NOT NULL,
    direct     BOOL NOT NULL,
    PRIMARY KEY (category, published, product_id),
    CONSTRAINT product_categories_category_exists FOREIGN KEY (category) REFERENCES categories (slug),
    CONSTRAINT product_categories_product_exists FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE INDEX product_categories_by_product ON product_categories (product_id);

-- What the inventory last said of a SKU; it may know SKUs before the catalog does. A SKU without a row is out.
CREATE TABLE bands (
    sku     TEXT NOT NULL,
    band    TEXT NOT NULL,
    version INT8 NOT NULL,
    PRIMARY KEY (sku)
);

-- +goose Down
DROP TABLE bands;
DROP TABLE product_categories;
DROP TABLE prices;
DROP TABLE variants;
DROP TABLE products;
DROP TABLE categories;
