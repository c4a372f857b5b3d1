-- What clients of WebDAV leave beside items (locks, and properties that they alone understand), and passwords that are
-- given to one program each.

CREATE TABLE locks (
    -- A random UUID: whoever names it may change what is locked
    token      TEXT PRIMARY KEY,
    item_id    BIGINT NOT NULL,
    -- Whose root the item is below
    owner_id   BIGINT NOT NULL,
    -- Who holds it
    user_id    BIGINT NOT NULL,
    -- 0 exclusive, 1 shared
    shared     BIGINT NOT NULL,
    -- 0 the item alone, 1 everything below it too
    deep       BIGINT NOT NULL,
    -- What the client says of its holder: a fragment of XML, or nothing
    about      TEXT NOT NULL,
    -- What was asked for last
    timeout_ms BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- From this moment on the row means nothing
    expires_at BIGINT NOT NULL
) /* clustered */;
CREATE INDEX locks_by_item ON locks (item_id);
CREATE INDEX locks_by_owner ON locks (owner_id, expires_at);

CREATE TABLE properties (
    item_id BIGINT NOT NULL,
    -- The namespace in braces, then the local name
    name    TEXT NOT NULL,
    -- The whole element, with every namespace that it needs
    value   TEXT NOT NULL,
    PRIMARY KEY (item_id, name)
) /* clustered */;

-- Known by the SHA-256 of the password; the password is nowhere.
CREATE TABLE app_passwords (
    sha256        BYTEA PRIMARY KEY,
    id            BIGINT NOT NULL,
    user_id       BIGINT NOT NULL REFERENCES users (id),
    label         TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    -- Days since 1970; null until it is used
    last_used_day BIGINT
) /* clustered */;
CREATE UNIQUE INDEX app_passwords_by_id ON app_passwords (id);
CREATE INDEX app_passwords_by_user ON app_passwords (user_id, id);
