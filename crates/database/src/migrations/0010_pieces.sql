-- A content may be made of pieces of others, of which it holds one reference each: parts that came one by one, of any
-- length, become one content without being read. Such a content has no chunks, and no zone, policy, key and owner of its
-- own (0, and no bytes): those of the others hold.

ALTER TABLE contents ADD COLUMN pieces BIGINT NOT NULL DEFAULT 0;
-- Contents of pieces to which nothing refers any more: they are taken apart bit by bit.
CREATE INDEX contents_released ON contents (id) WHERE references_count = 0;

CREATE TABLE pieces (
    content_id   BIGINT NOT NULL,
    -- Where in the content it begins
    start        BIGINT NOT NULL,
    -- A content with chunks, and where in that it begins
    source_id    BIGINT NOT NULL,
    source_start BIGINT NOT NULL,
    length       BIGINT NOT NULL,
    PRIMARY KEY (content_id, start)
) /* clustered */;
CREATE INDEX pieces_by_source ON pieces (source_id);

-- The SHA-1 of a version whose content is of pieces is empty until somebody has read it once.
CREATE INDEX versions_undigested ON versions (content_id) WHERE length(sha1) = 0;

-- How far that has come: it may take hours, a few seconds at a time.
CREATE TABLE digests (
    content_id BIGINT PRIMARY KEY,
    -- Bytes that were hashed: a multiple of 64
    position   BIGINT NOT NULL,
    -- What SHA-1 carries on from there: 20 bytes
    state      BYTEA NOT NULL
);

CREATE TABLE multipart_uploads (
    id           BIGINT PRIMARY KEY,
    user_id      BIGINT NOT NULL,
    -- The folder below which the object is to be, and the names on the way to it with a slash between them
    base_id      BIGINT NOT NULL,
    object_key   TEXT NOT NULL,
    -- What is to be remembered of the object, JSON
    facts        TEXT NOT NULL,
    -- 0 open, 1 complete, 2 ended
    state        BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    -- What it became, once complete
    item_id      BIGINT,
    version_id   BIGINT
);
CREATE INDEX multipart_uploads_by_key ON multipart_uploads (base_id, object_key, id) WHERE state = 0;
CREATE INDEX multipart_uploads_by_expiry ON multipart_uploads (expires_at);

CREATE TABLE multipart_parts (
    upload_id   BIGINT NOT NULL,
    number      BIGINT NOT NULL,
    -- Its bytes: it holds one reference
    content_id  BIGINT NOT NULL,
    size        BIGINT NOT NULL,
    -- Of how many pieces they are; 0: they have chunks of their own
    pieces      BIGINT NOT NULL,
    -- Null where the bytes were not read
    sha1        BYTEA,
    etag        TEXT NOT NULL,
    -- What a door wants to know of it again, JSON
    facts       TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (upload_id, number)
) /* clustered */;
