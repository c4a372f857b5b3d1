-- Portable, as 0001_first.sql says.

-- 0 whoever wants one, 1 everybody signs in with a second factor
ALTER TABLE enterprises ADD COLUMN second_factor BIGINT NOT NULL DEFAULT 0;

-- What somebody's codes of thirty seconds are made of, besides the time.
CREATE TABLE second_factors (
    user_id    BIGINT PRIMARY KEY REFERENCES users (id),
    -- Sealed for that user; docs/formats/second-factor.md
    sealed     BYTEA NOT NULL,
    -- The thirty seconds whose code was used last: no code is good twice
    used_step  BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Codes for whoever has lost their device, by their SHA-256. One that is used goes.
CREATE TABLE recovery_codes (
    user_id BIGINT NOT NULL REFERENCES users (id),
    sha256  BYTEA NOT NULL,
    PRIMARY KEY (user_id, sha256)
) /* clustered */;

-- Browsers in which somebody has shown a password and not yet a code, by the SHA-256 of their cookies.
CREATE TABLE begun_sign_ins (
    sha256     BYTEA PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    expires_at BIGINT NOT NULL
) /* clustered */;
CREATE INDEX begun_sign_ins_by_user ON begun_sign_ins (user_id, sha256);
CREATE INDEX begun_sign_ins_by_expiry ON begun_sign_ins (expires_at);
