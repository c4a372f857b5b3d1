-- Portable, as 0001_first.sql says.

-- URLs that give access to items, at most one to an item.
CREATE TABLE shared_links (
    id           BIGINT PRIMARY KEY,
    item_id      BIGINT NOT NULL,
    -- What the URL ends with. Kept as it is, since the URL is shown again to all who see the item
    token        TEXT NOT NULL,
    -- A name instead of that, as typed and folded; NULL without
    vanity       TEXT,
    vanity_folded TEXT,
    -- 0 collaborators, 1 the owner's enterprise, 2 whoever has the URL
    access       BIGINT NOT NULL,
    -- Argon2id; NULL without
    password     TEXT,
    expires_at   BIGINT,
    can_download BIGINT NOT NULL,
    can_edit     BIGINT NOT NULL,
    created_by   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    modified_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX shared_links_by_item ON shared_links (item_id);
CREATE UNIQUE INDEX shared_links_by_token ON shared_links (token);
CREATE UNIQUE INDEX shared_links_by_vanity ON shared_links (vanity_folded);

-- 1 if the item has, or had, a link: so that all others cost no lookup
ALTER TABLE items ADD COLUMN linked BIGINT NOT NULL DEFAULT 0;

-- For whom links are when nobody says, and at most: as shared_links.access
ALTER TABLE enterprises ADD COLUMN link_usual BIGINT NOT NULL DEFAULT 1;
ALTER TABLE enterprises ADD COLUMN link_most BIGINT NOT NULL DEFAULT 2;
