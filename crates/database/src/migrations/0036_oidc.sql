-- Portable, as 0001_first.sql says.

-- With whom the people of an enterprise may sign in instead of a password: an OpenID provider.
CREATE TABLE identity_providers (
    enterprise_id BIGINT PRIMARY KEY REFERENCES enterprises (id),
    name          TEXT   NOT NULL,
    issuer        TEXT   NOT NULL,
    client_id     TEXT   NOT NULL,
    -- The client's secret, sealed for that enterprise; docs/formats/provider-secret.md. Empty when it has none
    sealed        BYTEA  NOT NULL,
    -- 0 who is not there is refused, 1 is made
    makes_users   BIGINT NOT NULL,
    set_at        BIGINT NOT NULL
);

-- Whom a provider calls what, from their first sign-in on: by the SHA-256 of enterprise, issuer and subject.
CREATE TABLE provider_subjects (
    sha256   BYTEA  PRIMARY KEY,
    user_id  BIGINT NOT NULL REFERENCES users (id),
    -- The SHA-256 of enterprise and issuer: a user is one subject at each
    provider BYTEA  NOT NULL,
    bound_at BIGINT NOT NULL
) /* clustered */;
CREATE UNIQUE INDEX provider_subjects_by_user ON provider_subjects (user_id, provider);

-- Browsers that have been sent to a provider and are not back, by the SHA-256 of their cookies.
CREATE TABLE provider_sign_ins (
    sha256        BYTEA  PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    redirect_uri  TEXT   NOT NULL,
    place         TEXT   NOT NULL,
    expires_at    BIGINT NOT NULL
) /* clustered */;
CREATE INDEX provider_sign_ins_by_expiry ON provider_sign_ins (expires_at);
