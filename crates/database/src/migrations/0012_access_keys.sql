-- Keys with which the requests of S3 clients are signed. The secret has to be known to check a signature, so it is kept,
-- sealed under a key that the custodian wraps.

CREATE TABLE access_keys (
    -- What clients send with each request
    id            TEXT PRIMARY KEY,
    user_id       BIGINT NOT NULL REFERENCES users (id),
    sealed_secret BYTEA NOT NULL,
    label         TEXT NOT NULL,
    -- 1: only reading
    read_only     BIGINT NOT NULL,
    -- The names of the buckets that it reaches, a line each; empty: all
    buckets       TEXT NOT NULL,
    -- 0: in force; 1: revoked
    state         BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE INDEX access_keys_by_user ON access_keys (user_id, created_at, id);
