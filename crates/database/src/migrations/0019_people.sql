-- Portable, as 0001_first.sql says.

-- Sets of users.
CREATE TABLE groups (
    id                  BIGINT PRIMARY KEY,
    enterprise_id       BIGINT NOT NULL REFERENCES enterprises (id),
    name                TEXT NOT NULL,
    name_folded         TEXT NOT NULL,
    description         TEXT NOT NULL,
    -- What provisioning calls it; empty if it was made by hand
    provenance          TEXT NOT NULL,
    external_id         TEXT NOT NULL,
    -- Who may invite it, and who may see its members: 0 admins only, 1 its members too, 2 every user of the enterprise
    invitability        BIGINT NOT NULL,
    member_viewability  BIGINT NOT NULL,
    created_at          BIGINT NOT NULL,
    modified_at         BIGINT NOT NULL,
    -- Set on a group that is being removed: nobody sees it any more
    deleted_at          BIGINT
);
CREATE UNIQUE INDEX groups_by_name ON groups (enterprise_id, name_folded) WHERE deleted_at IS NULL;
CREATE INDEX groups_by_external_id ON groups (enterprise_id, external_id, id) WHERE external_id <> '';

CREATE TABLE group_memberships (
    id          BIGINT PRIMARY KEY,
    group_id    BIGINT NOT NULL REFERENCES groups (id),
    user_id     BIGINT NOT NULL REFERENCES users (id),
    -- 0 member, 1 administers the group
    role        BIGINT NOT NULL,
    -- What one who administers the group may do besides, as bits; null if nobody has said
    permissions BIGINT,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX group_memberships_by_user ON group_memberships (user_id, group_id);
CREATE INDEX group_memberships_by_group ON group_memberships (group_id, id);

-- users.kind may also be 2, an app's own user without a sign-in, and 3, somebody invited from outside.
-- users.status may also be 2, without changing and removing; 3, without adding either; 4, removed: such a row stays for
-- what the user has made, and its login is free.

-- 0 full, 1 frontline
ALTER TABLE users ADD COLUMN seat BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN name_folded TEXT NOT NULL DEFAULT '';
UPDATE users SET name_folded = lower(name);
ALTER TABLE users ADD COLUMN notification_email TEXT NOT NULL DEFAULT '';
-- What an app calls its user
ALTER TABLE users ADD COLUMN external_id TEXT NOT NULL DEFAULT '';
-- A line each: name, a tab, value
ALTER TABLE users ADD COLUMN tracking_codes TEXT NOT NULL DEFAULT '';
-- What is set otherwise than it usually is, as bits
ALTER TABLE users ADD COLUMN settings BIGINT NOT NULL DEFAULT 0;
CREATE INDEX users_listed ON users (enterprise_id, id) WHERE status <> 4 AND kind <> 3;
CREATE INDEX users_by_folded_login ON users (enterprise_id, login_folded, id) WHERE status <> 4 AND kind <> 3;
CREATE INDEX users_by_folded_name ON users (enterprise_id, name_folded, id) WHERE status <> 4 AND kind <> 3;
CREATE INDEX users_by_external_id ON users (enterprise_id, external_id, id) WHERE external_id <> '';

-- Other addresses by which a user is known.
CREATE TABLE email_aliases (
    id           BIGINT PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id),
    email        TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX email_aliases_by_email ON email_aliases (email_folded);
CREATE INDEX email_aliases_by_user ON email_aliases (user_id, id);

-- Pictures of users, 1 MiB at most.
CREATE TABLE avatars (
    user_id     BIGINT PRIMARY KEY REFERENCES users (id),
    -- 0 PNG, 1 JPEG
    kind        BIGINT NOT NULL,
    image       BYTEA NOT NULL,
    modified_at BIGINT NOT NULL
);

-- Users from outside who are asked to become users of the enterprise.
CREATE TABLE invites (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL REFERENCES enterprises (id),
    user_id       BIGINT NOT NULL REFERENCES users (id),
    invited_by    BIGINT NOT NULL,
    -- 0 pending, 1 accepted
    status        BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX invites_by_user ON invites (enterprise_id, user_id);
CREATE INDEX invites_of_user ON invites (user_id);

-- For ending all credentials of a user.
CREATE INDEX tokens_by_user ON tokens (user_id);
