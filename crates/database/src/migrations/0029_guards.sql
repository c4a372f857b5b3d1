-- Portable, as 0001_first.sql says.

-- What stands in the way of changes, as bits: 1 the folder stays where it is, 2 somebody has locked the file, 4 it is
-- watermarked.
ALTER TABLE items ADD COLUMN guard BIGINT NOT NULL DEFAULT 0;

-- Folders that are neither moved nor removed.
CREATE TABLE folder_locks (
    id         BIGINT PRIMARY KEY,
    folder_id  BIGINT NOT NULL,
    -- Whose content the folder is
    owner_id   BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX folder_locks_of_folder ON folder_locks (folder_id);
CREATE INDEX folder_locks_of_owner ON folder_locks (owner_id, id);

-- Files that one user alone may change.
CREATE TABLE file_locks (
    item_id            BIGINT PRIMARY KEY,
    id                 BIGINT NOT NULL,
    created_by         BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    -- Null if it does not end by itself
    expires_at         BIGINT,
    -- 1 if others may not read the content either
    prevents_downloads BIGINT NOT NULL
);
CREATE INDEX file_locks_by_expiry ON file_locks (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX file_locks_of_user ON file_locks (created_by, item_id);

CREATE TABLE watermarks (
    item_id     BIGINT PRIMARY KEY,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
