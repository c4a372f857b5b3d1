-- Processes that share a database server. A file has no use for these.

CREATE TABLE nodes (
    -- In every id that the process makes
    number       BIGINT PRIMARY KEY,
    -- Drawn at random when the process started
    id           BIGINT NOT NULL,
    leased_until BIGINT NOT NULL
);

-- The last batch of commands that each writer of each process has committed.
CREATE TABLE writers (
    id      BIGINT PRIMARY KEY,
    node_id BIGINT NOT NULL,
    batch   BIGINT NOT NULL
);
