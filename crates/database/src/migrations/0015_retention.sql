-- What may not be deleted: versions that are retained until some time, or held for as long as somebody says.

-- No row of a version that nothing was ever said of
CREATE TABLE version_retention (
    version_id BIGINT PRIMARY KEY,
    -- The file whose version it is
    item_id    BIGINT NOT NULL,
    -- 0 not retained; 1 governance, which may be cut short by who may that; 2 compliance, which nobody may cut short
    mode       BIGINT NOT NULL,
    -- Until when; 0 if it is not
    until_at   BIGINT NOT NULL,
    -- 1 if it is held, however long
    held       BIGINT NOT NULL
);
CREATE INDEX version_retention_by_item ON version_retention (item_id, held, until_at);

-- Files that have such versions and every folder above them, though not what stands on top; also where there is nothing
-- of the kind any more. So a folder without a row can be removed for good without looking at what is below it.
CREATE TABLE retained_items (
    item_id   BIGINT PRIMARY KEY,
    -- The folder that it is in, or was when that was last looked at
    parent_id BIGINT NOT NULL
);
CREATE INDEX retained_items_by_parent ON retained_items (parent_id);

-- Whether versions in a bucket may be retained. 0 no; 1 those of which it is said; 2 each for a while, under governance;
-- 3 the same under compliance
ALTER TABLE buckets ADD COLUMN retains BIGINT NOT NULL DEFAULT 0;
-- For how many days, or else years
ALTER TABLE buckets ADD COLUMN retains_days BIGINT NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN retains_years BIGINT NOT NULL DEFAULT 0;
