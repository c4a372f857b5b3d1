-- What goes by itself: keys by the rules of their bucket, and after a while what only the trash and other doors still show.

-- 1 for a bucket with rules by which keys go. The rules are a setting of it
ALTER TABLE buckets ADD COLUMN expires BIGINT NOT NULL DEFAULT 0;
CREATE INDEX buckets_expiring ON buckets (item_id) WHERE expires <> 0;

-- The walk along a bucket by which its rules are followed: the one that goes on, or the last one.
CREATE TABLE lifecycle_runs (
    item_id         BIGINT PRIMARY KEY,
    begun_at        BIGINT NOT NULL,
    -- Null while it goes on
    ended_at        BIGINT,
    -- How far it is, JSON
    place           TEXT NOT NULL,
    -- What it has removed: keys, versions that were not current, delete markers, unfinished uploads
    removed_keys    BIGINT NOT NULL,
    removed_older   BIGINT NOT NULL,
    removed_markers BIGINT NOT NULL,
    ended_uploads   BIGINT NOT NULL,
    -- What may not be removed, and was left
    refused         BIGINT NOT NULL
);

-- When a plain version was overwritten by another: since then S3 shows it no more. Null for others
ALTER TABLE versions ADD COLUMN replaced_at BIGINT;
UPDATE versions SET replaced_at = (
    SELECT n.created_at FROM versions n
    WHERE n.item_id = versions.item_id AND n.plain = 1 AND n.number > versions.number
    ORDER BY n.number LIMIT 1)
WHERE plain = 1;
CREATE INDEX versions_replaced ON versions (replaced_at) WHERE replaced_at IS NOT NULL;

-- What is in the trash itself, and whose versions are not shown among those of its path, in the order in which it went
CREATE INDEX items_trashed ON items (trashed_at, id) WHERE trashed_at IS NOT NULL AND mark < 4 AND top = 0;
