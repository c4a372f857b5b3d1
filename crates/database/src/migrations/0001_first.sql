-- Portable between SQLite and Postgres-wire databases: BIGINT, BYTEA and TEXT only, no defaults that compute, no
-- triggers. Times are milliseconds since 1970 in UTC. `/* clustered */` asks SQLite to keep the table in key order.

CREATE TABLE migrations (
    number BIGINT PRIMARY KEY,
    name   TEXT NOT NULL,
    run_at BIGINT NOT NULL
);

-- Values that every node needs; secret ones are wrapped by the custodian before they come here.
CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value BYTEA NOT NULL
) /* clustered */;

CREATE TABLE enterprises (
    id         BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    zone_id    BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    login         TEXT NOT NULL,
    login_folded  TEXT NOT NULL,
    name          TEXT NOT NULL,
    -- 0 user, 1 co-admin, 2 admin
    role          BIGINT NOT NULL,
    -- 0 person, 1 service account of an app
    kind          BIGINT NOT NULL,
    -- 0 active, 1 inactive
    status        BIGINT NOT NULL,
    -- -1: unlimited
    space_limit   BIGINT NOT NULL,
    space_used    BIGINT NOT NULL,
    language      TEXT NOT NULL,
    timezone      TEXT NOT NULL,
    job_title     TEXT NOT NULL,
    phone         TEXT NOT NULL,
    address       TEXT NOT NULL,
    root_id       BIGINT NOT NULL,
    trash_id      BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_by_login ON users (login_folded);
CREATE INDEX users_by_enterprise ON users (enterprise_id, id);

CREATE TABLE apps (
    id              BIGINT PRIMARY KEY,
    enterprise_id   BIGINT NOT NULL REFERENCES enterprises (id),
    name            TEXT NOT NULL,
    client_id       TEXT NOT NULL,
    secret_sha256   BYTEA NOT NULL,
    service_user_id BIGINT NOT NULL REFERENCES users (id),
    created_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX apps_by_client ON apps (client_id);

CREATE TABLE public_keys (
    id         BIGINT PRIMARY KEY,
    app_id     BIGINT NOT NULL REFERENCES apps (id),
    -- What clients send as `kid`.
    label      TEXT NOT NULL,
    pem        TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX public_keys_by_label ON public_keys (app_id, label);

-- A credential is known by the SHA-256 of its secret; the secret is nowhere.
CREATE TABLE tokens (
    sha256     BYTEA PRIMARY KEY,
    id         BIGINT NOT NULL,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    app_id     BIGINT,
    scopes     TEXT NOT NULL,
    issued_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
) /* clustered */;
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

-- Assertions that were used once already, until they expire.
CREATE TABLE assertions (
    sha256     BYTEA PRIMARY KEY,
    expires_at BIGINT NOT NULL
) /* clustered */;
CREATE INDEX assertions_by_expiry ON assertions (expires_at);

CREATE TABLE items (
    id                  BIGINT PRIMARY KEY,
    -- 0 folder, 1 file, 2 web link: also the order in which Box lists them
    kind                BIGINT NOT NULL,
    -- Null for a root, a trash and what waits in limbo to be removed
    parent_id           BIGINT,
    -- 0 ordinary, 1 root, 2 trash, 3 limbo
    top                 BIGINT NOT NULL,
    -- The user whose root or trash it is; null for ordinary items
    top_user_id         BIGINT,
    name                TEXT NOT NULL,
    name_folded         TEXT NOT NULL,
    -- Grows by one with each change; Box's etag and sequence_id
    sequence            BIGINT NOT NULL,
    -- The current version of a file
    version_id          BIGINT,
    -- An upper bound on the levels of folders below this folder
    height              BIGINT NOT NULL,
    description         TEXT NOT NULL,
    -- A line each
    tags                TEXT NOT NULL,
    created_at          BIGINT NOT NULL,
    created_by          BIGINT NOT NULL,
    modified_at         BIGINT NOT NULL,
    modified_by         BIGINT NOT NULL,
    content_created_at  BIGINT NOT NULL,
    content_modified_at BIGINT NOT NULL,
    trashed_at          BIGINT,
    trashed_by          BIGINT,
    -- The parent that it had when it was trashed
    trashed_from        BIGINT
);
CREATE INDEX items_by_name ON items (parent_id, kind, name_folded, id);

-- Children of a folder, counted in shards so that a hot folder has no hot row.
CREATE TABLE folder_counts (
    folder_id BIGINT NOT NULL,
    shard     BIGINT NOT NULL,
    children  BIGINT NOT NULL,
    PRIMARY KEY (folder_id, shard)
) /* clustered */;

CREATE TABLE versions (
    id          BIGINT PRIMARY KEY,
    item_id     BIGINT NOT NULL,
    -- From 1, in order of creation within the file
    number      BIGINT NOT NULL,
    content_id  BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    sha1        BYTEA NOT NULL,
    -- The name that the file had when this version was made
    name        TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    created_by  BIGINT NOT NULL,
    -- Set on a version that was removed from the list
    trashed_at  BIGINT,
    trashed_by  BIGINT
);
CREATE INDEX versions_by_item ON versions (item_id, number);
CREATE INDEX versions_by_trash ON versions (trashed_at) WHERE trashed_at IS NOT NULL;

-- Sealed contents: what manifests describe. `references_count` versions and sessions share one.
CREATE TABLE contents (
    id               BIGINT PRIMARY KEY,
    enterprise_id    BIGINT NOT NULL,
    zone_id          BIGINT NOT NULL,
    epoch_id         BIGINT NOT NULL,
    data_key         BYTEA NOT NULL,
    size             BIGINT NOT NULL,
    sha1             BYTEA,
    references_count BIGINT NOT NULL
);

CREATE TABLE chunks (
    content_id BIGINT NOT NULL,
    chunk      BIGINT NOT NULL,
    segment_id BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    length     BIGINT NOT NULL,
    checksum   BYTEA NOT NULL,
    PRIMARY KEY (content_id, chunk)
) /* clustered */;
CREATE INDEX chunks_by_segment ON chunks (segment_id, position);

CREATE TABLE segments (
    id         BIGINT PRIMARY KEY,
    backend_id BIGINT NOT NULL,
    name       BYTEA NOT NULL,
    -- 0 reserved, 1 live, 2 condemned
    state      BIGINT NOT NULL,
    size       BIGINT NOT NULL,
    live       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Since when nothing refers to it, as far as a collection has noticed
    dead_since BIGINT
);
CREATE UNIQUE INDEX segments_by_name ON segments (backend_id, name);

CREATE TABLE epochs (
    id                 BIGINT PRIMARY KEY,
    enterprise_id      BIGINT NOT NULL,
    zone_id            BIGINT NOT NULL,
    key_encryption_key TEXT NOT NULL,
    wrapped            BYTEA NOT NULL,
    created_at         BIGINT NOT NULL
);
CREATE INDEX epochs_by_zone ON epochs (enterprise_id, zone_id, id);

CREATE TABLE upload_sessions (
    id            BIGINT PRIMARY KEY,
    user_id       BIGINT NOT NULL,
    -- Where a new file goes; null when a new version of `item_id` is uploaded
    parent_id     BIGINT,
    item_id       BIGINT,
    -- Null when the file keeps its name
    name          TEXT,
    size          BIGINT NOT NULL,
    part_size     BIGINT NOT NULL,
    content_id    BIGINT NOT NULL,
    enterprise_id BIGINT NOT NULL,
    zone_id       BIGINT NOT NULL,
    epoch_id      BIGINT NOT NULL,
    data_key      BYTEA NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    -- The file that it became, once committed
    committed_item_id BIGINT
);
CREATE INDEX upload_sessions_by_expiry ON upload_sessions (expires_at);

CREATE TABLE upload_parts (
    session_id BIGINT NOT NULL,
    chunk      BIGINT NOT NULL,
    part_id    TEXT NOT NULL,
    size       BIGINT NOT NULL,
    sha1       BYTEA NOT NULL,
    segment_id BIGINT NOT NULL,
    position   BIGINT NOT NULL,
    length     BIGINT NOT NULL,
    checksum   BYTEA NOT NULL,
    PRIMARY KEY (session_id, chunk)
) /* clustered */;
CREATE INDEX upload_parts_by_segment ON upload_parts (segment_id, position);

CREATE TABLE events (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL,
    user_id       BIGINT NOT NULL,
    kind          BIGINT NOT NULL,
    item_id       BIGINT NOT NULL,
    version_id    BIGINT,
    at            BIGINT NOT NULL
);

CREATE TABLE jobs (
    id          BIGINT PRIMARY KEY,
    kind        TEXT NOT NULL,
    -- Two jobs of a kind with the same key are one job
    key         TEXT NOT NULL,
    payload     TEXT NOT NULL,
    run_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    last_error  TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX jobs_by_key ON jobs (kind, key);
CREATE INDEX jobs_by_time ON jobs (run_at);
