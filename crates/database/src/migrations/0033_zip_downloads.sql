-- Portable, as 0001_first.sql says.

-- What somebody may fetch in one archive, once, and how far that has come. What no longer counts is removed when the next one
-- is made.
CREATE TABLE archives (
    -- What its URL has: whoever knows it may fetch the archive
    token         TEXT PRIMARY KEY,
    user_id       BIGINT NOT NULL REFERENCES users (id),
    app_id        BIGINT,
    scopes        TEXT NOT NULL,
    confined_to   BIGINT,
    link_id       BIGINT,
    name          TEXT NOT NULL,
    -- Ids with spaces between; one with '!' behind it gets another name there
    items         TEXT NOT NULL,
    -- 0 made, 1 on its way, 2 complete, 3 broken off
    state         BIGINT NOT NULL,
    files         BIGINT NOT NULL,
    files_sent    BIGINT NOT NULL,
    files_skipped BIGINT NOT NULL,
    folders_skipped BIGINT NOT NULL,
    -- The last sign of life
    seen_at       BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX archives_by_user ON archives (user_id, state, seen_at);
CREATE INDEX archives_by_end ON archives (expires_at);
