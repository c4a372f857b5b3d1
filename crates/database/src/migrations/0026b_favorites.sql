-- Portable, as 0001_first.sql says.

-- What users want to find again. Whether they still may see it is asked when it is shown.
CREATE TABLE favorites (
    user_id  BIGINT NOT NULL,
    item_id  BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, item_id)
);
CREATE INDEX favorites_listed ON favorites (user_id, added_at, item_id);
CREATE INDEX favorites_by_item ON favorites (item_id);

-- What users last had to do with: one row for each item, of which the oldest are removed.
CREATE TABLE recents (
    user_id BIGINT NOT NULL,
    item_id BIGINT NOT NULL,
    -- 0 looked at, 1 uploaded, 2 commented on, 3 opened, 4 changed
    act     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (user_id, item_id)
);
CREATE INDEX recents_listed ON recents (user_id, at, item_id);
CREATE INDEX recents_by_item ON recents (item_id);
