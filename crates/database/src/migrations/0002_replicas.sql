-- A segment has a copy on several backends, each under a name of its own that is never used again.

CREATE TABLE replicas (
    segment_id BIGINT NOT NULL,
    backend_id BIGINT NOT NULL,
    name       BYTEA NOT NULL,
    -- 0 intended, 1 durable, 2 damaged, 3 leaving, 4 condemned
    state      BIGINT NOT NULL,
    -- Since when it is in that state
    since      BIGINT NOT NULL,
    PRIMARY KEY (segment_id, backend_id)
) /* clustered */;
INSERT INTO replicas (segment_id, backend_id, name, state, since)
    SELECT id, backend_id, name, CASE WHEN state = 0 THEN 0 ELSE 1 END, created_at FROM segments;
CREATE UNIQUE INDEX replicas_by_name ON replicas (backend_id, name);
-- What replication, repair and removal have to look at.
CREATE INDEX replicas_unsettled ON replicas (state, segment_id) WHERE state <> 1;

DROP INDEX segments_by_name;
ALTER TABLE segments DROP COLUMN name;
ALTER TABLE segments DROP COLUMN backend_id;
ALTER TABLE segments ADD COLUMN policy_id BIGINT NOT NULL DEFAULT 1;
CREATE INDEX segments_by_policy ON segments (policy_id, id);
