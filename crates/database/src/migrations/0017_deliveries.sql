-- Wishes to be told of changes, and what is still to be told.

-- 1 for a folder of whose content somebody wants to be told. It is read with everything that is above an item, so that
-- nobody else pays for it.
ALTER TABLE items ADD COLUMN watched BIGINT NOT NULL DEFAULT 0;

CREATE TABLE subscriptions (
    id            BIGINT PRIMARY KEY,
    enterprise_id BIGINT NOT NULL,
    -- The folder: it is told of whatever is below it
    item_id       BIGINT NOT NULL,
    -- In whose words it is told. 1: S3's
    kind          BIGINT NOT NULL,
    -- What whoever made it calls it
    name          TEXT NOT NULL,
    -- To whom: a name in the configuration
    target        TEXT NOT NULL,
    -- Of what: the sum of 1 << number, see `deliveries.happening`
    happenings    BIGINT NOT NULL,
    -- How the paths of what is told of begin and end
    prefix        TEXT NOT NULL,
    suffix        TEXT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE INDEX subscriptions_by_item ON subscriptions (item_id, id);

-- What is told, and was told a short while ago. Of one topic (a path in its bucket) one thing is told after the other.
CREATE TABLE deliveries (
    subscription_id BIGINT NOT NULL,
    topic           BIGINT NOT NULL,
    -- Grows within the topic, in the order of what happened
    number          BIGINT NOT NULL,
    kind            BIGINT NOT NULL,
    target          TEXT NOT NULL,
    -- What happened. 0 a trial; 1 put, 2 posted by a form, 3 copied, 4 made of parts; 5 removed, 6 a delete marker;
    -- 7 tagged, 8 tags removed; 9 expired, 10 expired leaving a delete marker; 11 other rights
    happening       BIGINT NOT NULL,
    -- JSON
    payload         TEXT NOT NULL,
    -- 0 to be told, 1 waits for one before it, 2 told, 3 given up
    state           BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    -- When it is told next; while it is being told, when it may be told again; when it was told or given up
    due_at          BIGINT NOT NULL,
    last_error      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (subscription_id, topic, number)
) /* clustered */;
CREATE INDEX deliveries_due ON deliveries (target, due_at) WHERE state = 0;
CREATE INDEX deliveries_ended ON deliveries (state, due_at) WHERE state >= 2;
