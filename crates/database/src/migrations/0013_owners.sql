-- What went from one path, in the order in which it went
DROP INDEX items_trashed_by_path;
CREATE INDEX items_trashed_by_path ON items (trashed_from, sort_name, trashed_at, id) WHERE mark <> 0;

-- In whose folder an upload is: what has arrived of it counts towards that user's space. So far everybody uploads into
-- folders of their own.
ALTER TABLE multipart_uploads ADD COLUMN owner_id BIGINT NOT NULL DEFAULT 0;
UPDATE multipart_uploads SET owner_id = user_id;
CREATE INDEX multipart_uploads_by_owner ON multipart_uploads (owner_id) WHERE state = 0;
