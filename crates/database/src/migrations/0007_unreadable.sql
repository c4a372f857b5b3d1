-- A relocation that finds nothing but what cannot be read looks again less and less often.
ALTER TABLE relocations ADD COLUMN unreadable BIGINT NOT NULL DEFAULT 0;
-- Passes in a row that found nothing else
ALTER TABLE relocations ADD COLUMN barren BIGINT NOT NULL DEFAULT 0;
