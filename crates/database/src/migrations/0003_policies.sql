-- What the configuration names gets its ids here, so that every node calls it by the same. The embedded default has the
-- number 1 everywhere.

CREATE TABLE backends (
    id         BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    -- Where it is, or was last: one that holds anything does not change its zone
    zone_id    BIGINT NOT NULL,
    -- 0 configured, 1 no longer
    state      BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX backends_by_name ON backends (name);
INSERT INTO backends (id, name, zone_id, state, created_at) VALUES (1, 'local', 1, 0, 0);

CREATE TABLE zones (
    id         BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    -- 0 configured, 1 no longer
    state      BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX zones_by_name ON zones (name);
INSERT INTO zones (id, name, state, created_at) VALUES (1, 'default', 0, 0);

CREATE TABLE storage_policies (
    id         BIGINT PRIMARY KEY,
    name       TEXT NOT NULL,
    zone_id    BIGINT NOT NULL,
    -- 1 for the one that holds where none is assigned
    is_default BIGINT NOT NULL,
    -- 0 configured, 1 no longer
    state      BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX storage_policies_by_name ON storage_policies (name);
INSERT INTO storage_policies (id, name, zone_id, is_default, state, created_at) VALUES (1, 'default', 1, 1, 0, 0);

CREATE TABLE storage_policy_assignments (
    id            BIGINT PRIMARY KEY,
    policy_id     BIGINT NOT NULL,
    enterprise_id BIGINT NOT NULL,
    -- 0 enterprise, 1 user
    target_kind   BIGINT NOT NULL,
    target_id     BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX storage_policy_assignments_by_target ON storage_policy_assignments (target_kind, target_id);
CREATE INDEX storage_policy_assignments_by_policy ON storage_policy_assignments (policy_id, id);

ALTER TABLE contents ADD COLUMN policy_id BIGINT NOT NULL DEFAULT 1;
ALTER TABLE upload_sessions ADD COLUMN policy_id BIGINT NOT NULL DEFAULT 1;

-- Whose content it is, for good; 0 for nobody in particular. Found by their owner and policy when a policy changes.
ALTER TABLE contents ADD COLUMN owner_id BIGINT NOT NULL DEFAULT 0;
CREATE TABLE owners_of_items (item_id BIGINT PRIMARY KEY, owner_id BIGINT NOT NULL);
INSERT INTO owners_of_items (item_id, owner_id)
    WITH RECURSIVE below (item_id, owner_id) AS (
        SELECT id, top_user_id FROM items WHERE top_user_id IS NOT NULL
        UNION ALL
        SELECT i.id, b.owner_id FROM below b JOIN items i ON i.parent_id = b.item_id
    ) SELECT item_id, owner_id FROM below;
CREATE TABLE owners_of_contents (content_id BIGINT PRIMARY KEY, owner_id BIGINT NOT NULL);
INSERT INTO owners_of_contents (content_id, owner_id)
    SELECT v.content_id, min(o.owner_id) FROM versions v JOIN owners_of_items o ON o.item_id = v.item_id
    GROUP BY v.content_id;
UPDATE contents SET owner_id = coalesce(
    (SELECT o.owner_id FROM owners_of_contents o WHERE o.content_id = contents.id), 0);
DROP TABLE owners_of_contents;
DROP TABLE owners_of_items;
CREATE INDEX contents_by_owner ON contents (owner_id, policy_id, id);
