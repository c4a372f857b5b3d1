-- Portable, as 0001_first.sql says.

-- Which fields may be said of items. The global ones have the ids 1 and 2, and no row here.
CREATE TABLE metadata_templates (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    template_key  TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    hidden        BIGINT NOT NULL,
    -- Whether copies of an item keep what is said of it
    copied        BIGINT NOT NULL,
    -- How often the fields have changed
    version       BIGINT NOT NULL,
    -- JSON, as the tree's `metadata::template` describes it
    fields        TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL,
    -- Set on one that is being removed: nobody sees it any more
    deleted_at    BIGINT
);
CREATE UNIQUE INDEX metadata_templates_by_key ON metadata_templates (enterprise_id, template_key)
    WHERE deleted_at IS NULL;
CREATE INDEX metadata_templates_listed ON metadata_templates (enterprise_id, id) WHERE deleted_at IS NULL;

-- What is said of an item by one template.
CREATE TABLE metadata_instances (
    item_id      BIGINT NOT NULL,
    template_id  BIGINT NOT NULL,
    -- How often it has changed
    version      BIGINT NOT NULL,
    -- The version of the template by which it was last checked
    type_version BIGINT NOT NULL,
    -- From which cascade it came; null if somebody said it of this item
    cascade_id   BIGINT,
    -- JSON: the numbers of fields, and their values
    content      TEXT NOT NULL,
    PRIMARY KEY (item_id, template_id)
);
CREATE INDEX metadata_instances_by_template ON metadata_instances (template_id, item_id);

-- The values of instances once more, to find items by: the beginning of a text, or a number whose order is the value's.
CREATE TABLE metadata_values (
    item_id      BIGINT NOT NULL,
    template_id  BIGINT NOT NULL,
    field        BIGINT NOT NULL,
    -- Of several values of one field, which
    place        BIGINT NOT NULL,
    text_value   TEXT,
    number_value BIGINT,
    PRIMARY KEY (item_id, template_id, field, place)
) /* clustered */;
CREATE INDEX metadata_values_by_text ON metadata_values (template_id, field, text_value, item_id)
    WHERE text_value IS NOT NULL;
CREATE INDEX metadata_values_by_number ON metadata_values (template_id, field, number_value, item_id)
    WHERE number_value IS NOT NULL;

-- What is said of a folder by a template goes to everything below it.
CREATE TABLE metadata_cascades (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL,
    folder_id     BIGINT NOT NULL,
    template_id   BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX metadata_cascades_by_folder ON metadata_cascades (folder_id, template_id);
CREATE INDEX metadata_cascades_by_template ON metadata_cascades (template_id, id);

-- 1 if there are, or were, cascades from the folder: nobody looks for any of another.
ALTER TABLE items ADD COLUMN cascades BIGINT NOT NULL DEFAULT 0;

-- A set of values in levels, each below one of the level above.
CREATE TABLE metadata_taxonomies (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    taxonomy_key  TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    -- JSON: name and description of each
    levels        TEXT NOT NULL,
    -- How many nodes it has
    nodes         BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    deleted_at    BIGINT
);
CREATE UNIQUE INDEX metadata_taxonomies_by_key ON metadata_taxonomies (enterprise_id, taxonomy_key)
    WHERE deleted_at IS NULL;
CREATE INDEX metadata_taxonomies_listed ON metadata_taxonomies (enterprise_id, id) WHERE deleted_at IS NULL;

CREATE TABLE metadata_taxonomy_nodes (
    id           BIGINT PRIMARY KEY,
    taxonomy_id  BIGINT NOT NULL,
    -- 0 on the first level
    parent_id    BIGINT NOT NULL,
    -- From 1
    level        BIGINT NOT NULL,
    -- The ids of all above it, the first level first, with spaces between
    path         TEXT NOT NULL,
    display_name TEXT NOT NULL,
    name_folded  TEXT NOT NULL
);
CREATE UNIQUE INDEX metadata_taxonomy_nodes_by_name ON metadata_taxonomy_nodes (taxonomy_id, parent_id, name_folded);
CREATE INDEX metadata_taxonomy_nodes_by_level ON metadata_taxonomy_nodes (taxonomy_id, level, id);
CREATE INDEX metadata_taxonomy_nodes_listed ON metadata_taxonomy_nodes (taxonomy_id, name_folded, id);

-- What is still to be done for many rows, a batch at a time.
CREATE TABLE metadata_work (
    -- 0 a cascade goes to what is in a folder; 1 instances of a removed template go; 2 nodes of a removed taxonomy go
    kind       BIGINT NOT NULL,
    -- The cascade, the template or the taxonomy
    subject_id BIGINT NOT NULL,
    -- 0 where there is none
    folder_id  BIGINT NOT NULL,
    -- Whether what others have said of an item gives way
    overwrites BIGINT NOT NULL,
    -- After which child it goes on: kind, folded name and id; kind -1 for the first
    after_kind BIGINT NOT NULL,
    after_name TEXT NOT NULL,
    after_id   BIGINT NOT NULL,
    PRIMARY KEY (kind, subject_id, folder_id)
) /* clustered */;
