-- +goose Up
-- What is on hand and what of it is promised, for each SKU in each warehouse; homed in the warehouse's region.
CREATE TABLE stock (
    crdb_region crdb_internal_region NOT NULL,
    sku         TEXT NOT NULL,
    warehouse   TEXT NOT NULL,
    on_hand     INT8 NOT NULL DEFAULT 0,
    reserved    INT8 NOT NULL DEFAULT 0,
    -- Rises with each change of the row.
    version     INT8 NOT NULL DEFAULT 0,
    -- The SKU comes before the warehouse: every hot query knows the SKUs and wants all of a region's warehouses.
    PRIMARY KEY (crdb_region, sku, warehouse),
    -- The last line of defence against overselling; the statements above it never let it speak.
    CONSTRAINT stock_is_not_oversold CHECK (0 <= reserved AND reserved <= on_hand)
);

-- Every change of on_hand, so that on_hand is always the sum of these.
CREATE TABLE movements (
    crdb_region crdb_internal_region NOT NULL,
    sku         TEXT NOT NULL,
    warehouse   TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('received', 'sold', 'returned', 'adjusted')),
    -- What caused it: a saga's id for a sale, the operator's own reference for a count.
    reference   TEXT NOT NULL,
    -- Signed: what leaves is negative. A count that found what was expected is 0, and its reference is still known.
    quantity    INT8 NOT NULL,
    at          TIMESTAMPTZ NOT NULL,
    -- The kind is part of the key, so that an operator's reference can never block the sale of a saga of that name.
    PRIMARY KEY (crdb_region, sku, warehouse, kind, reference)
);

-- +goose Down
DROP TABLE movements;
DROP TABLE stock;
