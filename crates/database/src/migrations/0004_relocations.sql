-- A move of stored bytes. While a move between backends is in force, a policy that names the one means the other.

CREATE TABLE relocations (
    id              BIGINT PRIMARY KEY,
    -- 0 segments from one backend to another, 1 what a user owns to a policy, 2 what is in a folder to a policy
    kind            BIGINT NOT NULL,
    from_backend_id BIGINT,
    to_backend_id   BIGINT,
    -- Restricts kind 0, if not null; the target of the others
    policy_id       BIGINT,
    user_id         BIGINT,
    item_id         BIGINT,
    -- 0 running, 1 paused, 2 done, 3 cancelled
    state           BIGINT NOT NULL,
    -- 1 while policies that name the source of kind 0 mean its target
    in_force        BIGINT NOT NULL,
    -- Bytes a second; 0: as fast as it goes
    rate            BIGINT NOT NULL,
    -- How long what has been moved stays at the source, in milliseconds
    grace           BIGINT NOT NULL,
    -- How far this pass is; null at its beginning
    position        BYTEA,
    -- Passes over the source that have ended, and what this one has found to do so far
    passes          BIGINT NOT NULL,
    found           BIGINT NOT NULL,
    -- Pieces are segments of kind 0, contents of the others. The totals grow with what is written meanwhile
    pieces_total    BIGINT NOT NULL,
    bytes_total     BIGINT NOT NULL,
    pieces_done     BIGINT NOT NULL,
    bytes_done      BIGINT NOT NULL,
    -- Objects removed from the source
    removed         BIGINT NOT NULL,
    failures        BIGINT NOT NULL,
    last_error      TEXT NOT NULL,
    created_at      BIGINT NOT NULL,
    modified_at     BIGINT NOT NULL,
    -- When there was nothing left to do; a cancelled one has to take back what it moved
    ended_at        BIGINT
);
CREATE INDEX relocations_by_state ON relocations (state, id);

-- One walk over a backend, listing and ledger side by side. The last ones of each backend are kept, for auditors.
CREATE TABLE scrubs (
    id            BIGINT PRIMARY KEY,
    backend_id    BIGINT NOT NULL,
    started_at    BIGINT NOT NULL,
    modified_at   BIGINT NOT NULL,
    -- Null while it goes on
    ended_at      BIGINT,
    -- The name after which it goes on
    position      BYTEA,
    -- What was compared with the ledger, and the objects that were listed
    replicas      BIGINT NOT NULL,
    chunks        BIGINT NOT NULL,
    bytes         BIGINT NOT NULL,
    objects       BIGINT NOT NULL,
    -- In the ledger, and not on the backend
    missing       BIGINT NOT NULL,
    -- On both, and not the same
    wrong_size    BIGINT NOT NULL,
    wrong_bytes   BIGINT NOT NULL,
    unreadable    BIGINT NOT NULL,
    -- On the backend, and not in the ledger
    unknown       BIGINT NOT NULL,
    unknown_bytes BIGINT NOT NULL,
    -- The first findings, as JSON
    findings      TEXT NOT NULL,
    -- What could not be looked at
    failures      BIGINT NOT NULL,
    last_error    TEXT NOT NULL
);
CREATE INDEX scrubs_by_backend ON scrubs (backend_id, id);
