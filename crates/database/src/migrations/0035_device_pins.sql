-- Portable, as 0001_first.sql says.

-- On which device an app uses an authorization, and what that calls itself; empty where no app has said so.
ALTER TABLE authorizations ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE authorizations ADD COLUMN product TEXT NOT NULL DEFAULT '';
CREATE INDEX authorizations_pinned ON authorizations (id) WHERE device <> '';
