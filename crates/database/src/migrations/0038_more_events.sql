-- Portable, as 0001_first.sql says.

-- Of what happens to users, groups and applications, item_id and name are theirs. Who else it is about, and what they are
-- called: a user's login, or the member of a group
ALTER TABLE events ADD COLUMN other_id BIGINT;
ALTER TABLE events ADD COLUMN other_name TEXT;
