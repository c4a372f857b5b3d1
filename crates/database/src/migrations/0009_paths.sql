-- Items by their path. The order of siblings by `sort_name` is the order of S3's keys, byte by byte.

-- The name; of a folder the name and a slash
ALTER TABLE items ADD COLUMN sort_name TEXT NOT NULL DEFAULT '';
UPDATE items SET sort_name = CASE kind WHEN 0 THEN name || '/' ELSE name END;
CREATE INDEX items_by_path ON items (parent_id, sort_name, id);
-- 1 for a folder that only paths below it need: it goes with the last of them
ALTER TABLE items ADD COLUMN implied BIGINT NOT NULL DEFAULT 0;
-- How what is in the trash itself looks among the versions of its path. The sum of 1: as a delete marker; 2: which is
-- plain; 4: its versions are shown
ALTER TABLE items ADD COLUMN mark BIGINT NOT NULL DEFAULT 0;
CREATE INDEX items_trashed_by_path ON items (trashed_from, sort_name, id) WHERE mark <> 0;

-- 1 for a version that was made through S3 while its bucket kept none
ALTER TABLE versions ADD COLUMN plain BIGINT NOT NULL DEFAULT 0;
CREATE INDEX versions_plain ON versions (item_id, number) WHERE plain = 1;

-- Null unless a door had to compute it
ALTER TABLE contents ADD COLUMN md5 BYTEA;

-- What is remembered of a version besides its bytes: JSON. No row when there is nothing
CREATE TABLE version_facts (
    version_id BIGINT PRIMARY KEY,
    facts      TEXT NOT NULL
);

-- What S3 alone knows of a folder at a root. Its name here is the one that it had when the row was last written: where
-- another wants the name, the folder itself decides whether it is still taken.
CREATE TABLE buckets (
    item_id       BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL,
    name          TEXT NOT NULL,
    owner_id      BIGINT NOT NULL,
    -- 0 never, 1 on, 2 suspended
    versioning    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX buckets_by_name ON buckets (enterprise_id, name);

CREATE TABLE bucket_settings (
    item_id     BIGINT NOT NULL,
    kind        TEXT NOT NULL,
    value       TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    PRIMARY KEY (item_id, kind)
) /* clustered */;
