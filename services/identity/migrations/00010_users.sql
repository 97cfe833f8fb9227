-- +goose Up
-- Personal data is in email, name and user_addresses.address; nowhere else in this database, and in no key.
CREATE TABLE users (
    crdb_region   crdb_internal_region NOT NULL,
    id            TEXT NOT NULL,
    -- HMAC-SHA256 of the normalised address under the directory's key, as in login_directory.
    address_hash  BYTEA NOT NULL,
    email         TEXT NOT NULL,
    name          TEXT NOT NULL,
    -- An argon2id PHC string.
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('shopper', 'support', 'merchandiser', 'admin')),
    -- Rises with each change of the row.
    version       INT8 NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    updated_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, id)
);

-- Serves logging in: the user of an address, once the directory has told the home.
CREATE UNIQUE INDEX users_by_address ON users (crdb_region, address_hash);

-- Where the user of an address is homed; read everywhere. It makes an address unique in all regions.
CREATE TABLE login_directory (
    address_hash BYTEA NOT NULL PRIMARY KEY,
    home_region  crdb_internal_region NOT NULL
);

CREATE TABLE user_addresses (
    crdb_region crdb_internal_region NOT NULL,
    user_id     TEXT NOT NULL,
    id          TEXT NOT NULL,
    address     JSONB NOT NULL,
    PRIMARY KEY (crdb_region, user_id, id),
    FOREIGN KEY (crdb_region, user_id) REFERENCES users (crdb_region, id) ON DELETE CASCADE
);

-- Those who are logged in. A session that ends is deleted.
CREATE TABLE sessions (
    crdb_region crdb_internal_region NOT NULL,
    id          TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    -- SHA-256 of the one refresh token that has not served yet. A token of this session with another hash has served already.
    token_hash  BYTEA NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    used_at     TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (crdb_region, id),
    FOREIGN KEY (crdb_region, user_id) REFERENCES users (crdb_region, id) ON DELETE CASCADE
);

-- Serves a user's export and the end of all of a user's sessions.
CREATE INDEX sessions_of_user ON sessions (crdb_region, user_id);

-- Serves the sweeper: the sessions of a region that have run out, oldest first.
CREATE INDEX sessions_for_expiry ON sessions (crdb_region, expires_at);

-- +goose Down
DROP TABLE sessions;
DROP TABLE user_addresses;
DROP TABLE login_directory;
DROP TABLE users;
