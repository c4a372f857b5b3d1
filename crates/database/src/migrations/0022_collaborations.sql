-- Portable, as 0001_first.sql says.

-- Who else may do what with an item and with what is below it.
CREATE TABLE collaborations (
    id              BIGINT PRIMARY KEY,
    item_id         BIGINT NOT NULL,
    -- To whom: exactly one of these three; the mail address of somebody who is not a user (yet)
    user_id         BIGINT,
    group_id        BIGINT,
    email_folded    TEXT,
    -- 1 uploader, 2 previewer, 3 viewer, 4 previewer and uploader, 5 viewer and uploader, 6 editor, 7 co-owner
    role            BIGINT NOT NULL,
    -- 0 pending, 1 accepted, 2 rejected
    status          BIGINT NOT NULL,
    -- Whether what is above the item may be seen, by name
    sees_path       BIGINT NOT NULL,
    -- Whether the item stays out of the collaborator's root
    access_only     BIGINT NOT NULL,
    created_by      BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    modified_at     BIGINT NOT NULL,
    acknowledged_at BIGINT,
    -- From when on it means nothing
    expires_at      BIGINT
);
CREATE UNIQUE INDEX collaborations_by_user ON collaborations (item_id, user_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX collaborations_by_group ON collaborations (item_id, group_id) WHERE group_id IS NOT NULL;
CREATE UNIQUE INDEX collaborations_by_email ON collaborations (item_id, email_folded) WHERE email_folded IS NOT NULL;
CREATE INDEX collaborations_of_item ON collaborations (item_id, id);
CREATE INDEX collaborations_of_user ON collaborations (user_id, status, id) WHERE user_id IS NOT NULL;
CREATE INDEX collaborations_of_group ON collaborations (group_id, id) WHERE group_id IS NOT NULL;
CREATE INDEX collaborations_of_email ON collaborations (email_folded, id) WHERE email_folded IS NOT NULL;
CREATE INDEX collaborations_by_expiry ON collaborations (expires_at) WHERE expires_at IS NOT NULL;

-- 1 if the item has, or had, collaborations: no other is looked for any.
ALTER TABLE items ADD COLUMN shared BIGINT NOT NULL DEFAULT 0;

-- What collaborators may do with a folder apart from their roles; without a row everything usual.
CREATE TABLE folder_settings (
    item_id               BIGINT PRIMARY KEY,
    others_invite         BIGINT NOT NULL,
    others_see_each_other BIGINT NOT NULL,
    -- Whether only users of the enterprise may be invited
    enterprise_only       BIGINT NOT NULL
) /* clustered */;
