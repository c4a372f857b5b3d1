-- Portable, as 0001_first.sql says.

-- Keys with which users' devices sign them in.
CREATE TABLE passkeys (
    id          BIGINT PRIMARY KEY,
    user_id     BIGINT NOT NULL,
    -- What the device calls it, and the SHA-256 of that, by which it is found
    credential  BYTEA  NOT NULL,
    credential_sha256 BYTEA NOT NULL,
    -- The public key (RFC 9052, 7) and its algorithm's number
    public_key  BYTEA  NOT NULL,
    algorithm   BIGINT NOT NULL,
    -- How often it was used, of devices that count
    counter     BIGINT NOT NULL,
    -- What its user calls it
    name        TEXT   NOT NULL,
    created_at  BIGINT NOT NULL,
    used_at     BIGINT
);
CREATE UNIQUE INDEX passkeys_by_credential ON passkeys (credential_sha256);
CREATE INDEX passkeys_by_user ON passkeys (user_id, id);

-- Challenges that were answered: none is good twice. Kept until they would be too old anyway.
CREATE TABLE used_challenges (
    sha256      BYTEA  NOT NULL PRIMARY KEY,
    expires_at  BIGINT NOT NULL
) /* clustered */;
CREATE INDEX used_challenges_by_end ON used_challenges (expires_at);
