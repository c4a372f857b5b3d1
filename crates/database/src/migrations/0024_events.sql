-- Portable, as 0001_first.sql says.

-- The item as it was when it happened; null where nobody knows any more.
ALTER TABLE events ADD COLUMN item_kind BIGINT;
ALTER TABLE events ADD COLUMN name TEXT;
ALTER TABLE events ADD COLUMN parent_id BIGINT;
-- Given after the commit, together: its place among all events, and whose content the item is
ALTER TABLE events ADD COLUMN position BIGINT;
ALTER TABLE events ADD COLUMN owner_id BIGINT;

CREATE INDEX events_unplaced ON events (id) WHERE position IS NULL;
CREATE UNIQUE INDEX events_by_position ON events (position) WHERE position IS NOT NULL;
CREATE INDEX events_of_owner ON events (owner_id, position) WHERE position IS NOT NULL;
-- What a user does to what is another's: what they do to what they own is found by its owner
CREATE INDEX events_of_user ON events (user_id, position) WHERE position IS NOT NULL AND user_id <> owner_id;
CREATE INDEX events_of_enterprise ON events (enterprise_id, position) WHERE position IS NOT NULL;

-- The greatest position that was given. One row, which is made when the first is.
CREATE TABLE event_positions (
    id   BIGINT PRIMARY KEY,
    last BIGINT NOT NULL
);
