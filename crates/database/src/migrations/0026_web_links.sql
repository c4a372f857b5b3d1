-- Portable, as 0001_first.sql says.

-- Where a web link leads; empty for folders and files
ALTER TABLE items ADD COLUMN url TEXT NOT NULL DEFAULT '';
