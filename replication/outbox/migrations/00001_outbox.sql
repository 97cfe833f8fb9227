-- +goose Up
CREATE TABLE outbox (
    crdb_region crdb_internal_region NOT NULL,
    shard       INT8 NOT NULL,
    aggregate   TEXT NOT NULL,
    version     INT8 NOT NULL,
    topic       TEXT NOT NULL,
    event       JSONB NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL DEFAULT now(),
    -- In this order the relay reads: every aggregate's events by version, so that a limit never splits their order.
    PRIMARY KEY (crdb_region, shard, aggregate, version)
);

CREATE TABLE outbox_leases (
    crdb_region crdb_internal_region NOT NULL,
    shard       INT8 NOT NULL,
    holder      TEXT NOT NULL,
    epoch       INT8 NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, shard)
);

-- +goose Down
DROP TABLE outbox_leases;
DROP TABLE outbox;
