-- Portable, as 0001_first.sql says.

-- Wishes of applications' users to be told, at a URL of theirs, of what happens to an item, or below it.
CREATE TABLE webhooks (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL,
    app_id        BIGINT NOT NULL,
    -- Who made it: it is told of what they may see
    user_id       BIGINT NOT NULL,
    item_id       BIGINT NOT NULL,
    item_kind     BIGINT NOT NULL,
    address       TEXT   NOT NULL,
    -- Of what: the sum of 1 << number, see `webhooks::Trigger`
    triggers      BIGINT NOT NULL,
    -- It is told of events after this position
    since         BIGINT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE INDEX webhooks_by_item ON webhooks (item_id, id);
CREATE INDEX webhooks_by_owner ON webhooks (user_id, app_id, id);
CREATE INDEX webhooks_by_app ON webhooks (app_id, id);

-- The keys with which what an application is told is signed: two, so that one can be changed after the other.
CREATE TABLE signature_keys (
    app_id  BIGINT NOT NULL,
    -- 1 the primary one, 2 the secondary
    place   BIGINT NOT NULL,
    -- Sealed for that application and place; docs/formats/signature-key.md
    sealed  BYTEA  NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (app_id, place)
) /* clustered */;
