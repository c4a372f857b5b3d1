-- Objects that a listing showed and this very database did not know, and since when. An older copy of it that is restored
-- knows less: what it finds unknown then begins anew. Bounded by the collection that fills it.

CREATE TABLE orphans (
    backend_id BIGINT NOT NULL,
    name       BYTEA NOT NULL,
    first_seen BIGINT NOT NULL,
    PRIMARY KEY (backend_id, name)
) /* clustered */;

-- 1 while some of its chunks may be in segments of another policy than its own: on their way there, or left there when the
-- mind was changed.
ALTER TABLE contents ADD COLUMN moving BIGINT NOT NULL DEFAULT 0;
UPDATE contents SET moving = 1 WHERE EXISTS (
    SELECT 1 FROM chunks c JOIN segments s ON s.id = c.segment_id
    WHERE c.content_id = contents.id AND s.policy_id <> contents.policy_id);
CREATE INDEX contents_moving ON contents (owner_id, policy_id, id) WHERE moving <> 0;
