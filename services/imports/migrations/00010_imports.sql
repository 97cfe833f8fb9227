-- +goose Up
-- One row for each import, homed in the region that received its file and works on it.
CREATE TABLE imports (
    crdb_region crdb_internal_region NOT NULL,
    id          TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('receiving', 'queued', 'running', 'done', 'failed')),
    format      TEXT NOT NULL,
    currency    TEXT NOT NULL,
    warehouse   TEXT NOT NULL,
    -- How many bytes of the file have come in.
    received    INT8 NOT NULL,
    -- publish.Progress: enough to go on after a restart.
    progress    JSONB NOT NULL,
    -- What the file held, as far as it was read.
    findings    JSONB NOT NULL,
    failure     TEXT NOT NULL,
    -- Whoever works on it, and until when nobody else may.
    worker      TEXT NOT NULL,
    leased_until TIMESTAMPTZ NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, id)
);

-- Serves the worker, who looks for what is queued or was left, and the sweeper of what was never finished.
CREATE INDEX imports_for_work ON imports (crdb_region, state, leased_until);
-- Serves the list, newest first.
CREATE INDEX imports_for_list ON imports (crdb_region, created_at DESC);

-- The file in pieces of at most 1 MiB, each at its place in bytes; deleted when the import ends.
CREATE TABLE import_pieces (
    crdb_region crdb_internal_region NOT NULL,
    import_id   TEXT NOT NULL,
    place       INT8 NOT NULL,
    content     BYTEA NOT NULL,
    PRIMARY KEY (crdb_region, import_id, place)
);

-- +goose Down
DROP TABLE import_pieces;
DROP TABLE imports;
