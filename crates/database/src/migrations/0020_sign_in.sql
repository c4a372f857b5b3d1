-- Portable, as 0001_first.sql says.

-- 0 keeps a secret; 1 cannot keep one, and proves with each code that it asked for it
ALTER TABLE apps ADD COLUMN kind BIGINT NOT NULL DEFAULT 0;
-- 0 enabled, 1 disabled: nothing of its own is worth anything
ALTER TABLE apps ADD COLUMN state BIGINT NOT NULL DEFAULT 0;
-- Where browsers may be sent back to, a line each
ALTER TABLE apps ADD COLUMN redirect_uris TEXT NOT NULL DEFAULT '';
-- What its credentials are worth at most
ALTER TABLE apps ADD COLUMN scopes TEXT NOT NULL DEFAULT 'read download upload change delete share administer';
-- How it may ask for tokens, as bits: 1 codes, 2 client credentials, 4 assertions, 8 exchange
ALTER TABLE apps ADD COLUMN grants BIGINT NOT NULL DEFAULT 15;
-- 1: whoever has its secret may act as any user of the enterprise
ALTER TABLE apps ADD COLUMN acts_as_users BIGINT NOT NULL DEFAULT 1;
CREATE INDEX apps_by_enterprise ON apps (enterprise_id, id);

-- The item at and below which alone it is worth anything
ALTER TABLE tokens ADD COLUMN confined_to BIGINT;
-- The authorization without which it is worth nothing
ALTER TABLE tokens ADD COLUMN authorization_id BIGINT;
-- The token it was made of, without which it is worth nothing
ALTER TABLE tokens ADD COLUMN source_sha256 BYTEA;

-- That a user let an app act for them. Code, tokens and refresh tokens that come of it are worth nothing without it.
CREATE TABLE authorizations (
    id         BIGINT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    app_id     BIGINT NOT NULL,
    scopes     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- From when on nothing of it is worth anything
    expires_at BIGINT NOT NULL
);
CREATE INDEX authorizations_by_user ON authorizations (user_id, app_id, id);
CREATE INDEX authorizations_by_expiry ON authorizations (expires_at);

-- Codes and refresh tokens, known by the SHA-256 of theirs. One that was used stays, so that a second use is noticed.
CREATE TABLE codes (
    sha256           BYTEA PRIMARY KEY,
    authorization_id BIGINT NOT NULL,
    redirect_uri     TEXT NOT NULL,
    -- The SHA-256 of what the app must show (RFC 7636, S256), if it said one
    challenge        BYTEA,
    used_at          BIGINT,
    expires_at       BIGINT NOT NULL
) /* clustered */;
CREATE INDEX codes_by_expiry ON codes (expires_at);

CREATE TABLE refresh_tokens (
    sha256           BYTEA PRIMARY KEY,
    authorization_id BIGINT NOT NULL,
    used_at          BIGINT,
    expires_at       BIGINT NOT NULL
) /* clustered */;
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

-- What a user need not be asked again.
CREATE TABLE consents (
    user_id    BIGINT NOT NULL REFERENCES users (id),
    app_id     BIGINT NOT NULL,
    scopes     TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, app_id)
) /* clustered */;

-- Argon2id, as text of its own form.
CREATE TABLE passwords (
    user_id BIGINT PRIMARY KEY REFERENCES users (id),
    hash    TEXT NOT NULL,
    set_at  BIGINT NOT NULL
);

-- Browsers in which somebody has signed in, known by the SHA-256 of their cookies.
CREATE TABLE web_sessions (
    sha256       BYTEA PRIMARY KEY,
    id           BIGINT NOT NULL,
    user_id      BIGINT NOT NULL REFERENCES users (id),
    -- What it called itself, and from where it came: for its user
    program      TEXT NOT NULL,
    address      TEXT NOT NULL,
    signed_in_at BIGINT NOT NULL,
    seen_at      BIGINT NOT NULL,
    -- When it ends, however much it is used
    expires_at   BIGINT NOT NULL
) /* clustered */;
CREATE UNIQUE INDEX web_sessions_by_user ON web_sessions (user_id, id);
CREATE INDEX web_sessions_by_expiry ON web_sessions (expires_at);

-- How often somebody failed lately to sign in, by the SHA-256 of a login or of a network.
CREATE TABLE sign_in_failures (
    sha256  BYTEA PRIMARY KEY,
    count   BIGINT NOT NULL,
    last_at BIGINT NOT NULL
) /* clustered */;
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last_at);
