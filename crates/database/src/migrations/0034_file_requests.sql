-- Portable, as 0001_first.sql says.

-- Pages where people without an account put files into a folder.
CREATE TABLE file_requests (
    id            BIGINT PRIMARY KEY,
    folder_id     BIGINT NOT NULL,
    -- What the URL ends with: whoever has it may send
    token         TEXT NOT NULL,
    title         TEXT NOT NULL,
    -- May be empty
    description   TEXT NOT NULL,
    -- 1 if it takes files
    active        BIGINT NOT NULL,
    -- 1 if whoever sends must say who they are, or what it is
    wants_email   BIGINT NOT NULL,
    wants_description BIGINT NOT NULL,
    expires_at    BIGINT,
    -- Counts its changes
    sequence      BIGINT NOT NULL,
    -- In whose name files come in
    created_by    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    modified_by   BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX file_requests_by_token ON file_requests (token);
CREATE INDEX file_requests_by_folder ON file_requests (folder_id, id);
CREATE INDEX file_requests_by_maker ON file_requests (created_by, id);

-- Who sent it by such a page: the address that they gave, empty if they gave none; NULL of what users upload
ALTER TABLE versions ADD COLUMN sender TEXT;
