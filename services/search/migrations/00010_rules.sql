-- +goose Up
-- What merchants say of how searches are read and what they show. Read in every region, every few seconds: GLOBAL.
CREATE TABLE search_rules (
    kind       TEXT NOT NULL CHECK (kind IN ('synonyms', 'pins')),
    name       TEXT NOT NULL,
    -- Synonyms or Pins, as rule.go has them.
    terms      JSONB NOT NULL,
    version    INT8 NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (kind, name)
);

-- +goose Down
DROP TABLE search_rules;
