-- Who else may use a bucket. The rules themselves are a setting of it.

-- How often they have been changed; 0 while nobody has ever made any, so that nothing has to be read to know that
ALTER TABLE buckets ADD COLUMN ruled BIGINT NOT NULL DEFAULT 0;
-- The rules have these flags in them. Until they are set again, all of them are on
DELETE FROM bucket_settings WHERE kind = 'public access block';
