-- Portable, as 0001_first.sql says.

-- Items that are on their way from one owner to another, in limbo, until all that is below them is the new owner's.
CREATE TABLE handovers (
    item_id    BIGINT PRIMARY KEY,
    -- Whose it was, and whose it is going to be
    from_id    BIGINT NOT NULL,
    to_id      BIGINT NOT NULL,
    -- The folder that it goes into
    parent_id  BIGINT NOT NULL,
    -- Who said so
    doer_id    BIGINT NOT NULL,
    -- 1 if who had it is to be a co-owner
    keeps_role BIGINT NOT NULL
);
