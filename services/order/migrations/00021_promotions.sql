-- +goose Up
-- Without personal data, and read at every quote: GLOBAL.
CREATE TABLE promotions (
    id         TEXT NOT NULL PRIMARY KEY,
    -- '' for an automatic one.
    code       TEXT NOT NULL,
    -- The region that counts its uses: the one that made it.
    home       TEXT NOT NULL,
    starts_at  TIMESTAMPTZ,
    ends_at    TIMESTAMPTZ,
    -- All that a merchant writes of it; code and times stand above as well, for the queries.
    terms      JSONB NOT NULL,
    version    INT8 NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE UNIQUE INDEX promotions_code ON promotions (code) WHERE code <> '';

-- What a quote offers: the automatic ones that are not over, and those of its codes.
CREATE INDEX promotions_offered ON promotions (code, ends_at);

-- How often a promotion with a limit was used: by all (customer ''), and by one customer. Whoever counts up over the limit is refused
-- with everything else that the same statement writes.
CREATE TABLE promotion_uses (
    crdb_region  crdb_internal_region NOT NULL,
    promotion_id TEXT NOT NULL,
    -- A user's id, or a keyed hash of a guest's address.
    customer     TEXT NOT NULL,
    used         INT8 NOT NULL CHECK (used >= 0),
    use_limit    INT8 NOT NULL,
    PRIMARY KEY (crdb_region, promotion_id, customer),
    CONSTRAINT promotion_uses_within_limit CHECK (used <= use_limit)
);

-- Which order made which use, homed with the order: each of these rows is one unit of `used` above. Given back, it is deleted.
CREATE TABLE promotion_redemptions (
    crdb_region  crdb_internal_region NOT NULL,
    order_id     TEXT NOT NULL,
    promotion_id TEXT NOT NULL,
    customer     TEXT NOT NULL,
    -- The region of the use.
    home         TEXT NOT NULL,
    PRIMARY KEY (crdb_region, order_id, promotion_id, customer)
);

-- The uses of a promotion that is deleted.
CREATE INDEX promotion_redemptions_of ON promotion_redemptions (crdb_region, promotion_id);

-- +goose Down
DROP TABLE promotion_redemptions;
DROP TABLE promotion_uses;
DROP TABLE promotions;
