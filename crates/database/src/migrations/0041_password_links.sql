-- Portable, as 0001_first.sql says.

-- Links by which users set a password without having one; one each, the latest.
CREATE TABLE password_links (
    user_id     BIGINT PRIMARY KEY,
    -- Of the secret in the link
    sha256      BYTEA  NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX password_links_by_secret ON password_links (sha256);
