-- What each process says of itself now and then: which nodes there are, and by which storage configuration they go.

CREATE TABLE node_reports (
    -- Drawn when the process started
    id         BIGINT PRIMARY KEY,
    -- How the node is reached
    name       TEXT NOT NULL,
    version    TEXT NOT NULL,
    -- Of the storage configuration that it has in force
    generation BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);
