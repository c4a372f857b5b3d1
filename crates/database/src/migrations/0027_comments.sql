-- Portable, as 0001_first.sql says.

-- What people say of files.
CREATE TABLE comments (
    id          BIGINT PRIMARY KEY,
    item_id     BIGINT NOT NULL,
    -- 1 if it answers another
    is_reply    BIGINT NOT NULL,
    -- 1 if @[ID:NAME] in the message names a user
    is_tagged   BIGINT NOT NULL,
    message     TEXT NOT NULL,
    created_by  BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    modified_at BIGINT NOT NULL
);
CREATE INDEX comments_of_item ON comments (item_id, id);

-- How many comments an item has.
ALTER TABLE items ADD COLUMN comments BIGINT NOT NULL DEFAULT 0;

-- What people are asked to do with files.
CREATE TABLE tasks (
    id           BIGINT PRIMARY KEY,
    item_id      BIGINT NOT NULL,
    -- 0 to look at it and approve or reject it, 1 to do something
    action       BIGINT NOT NULL,
    message      TEXT NOT NULL,
    due_at       BIGINT,
    -- 1 if it is done once one of those asked has done it
    any_assignee BIGINT NOT NULL,
    created_by   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX tasks_of_item ON tasks (item_id, id);

-- Who is asked.
CREATE TABLE task_assignments (
    id          BIGINT PRIMARY KEY,
    task_id     BIGINT NOT NULL,
    user_id     BIGINT NOT NULL,
    -- What they say to it
    message     TEXT NOT NULL,
    -- 0 incomplete, 1 completed, 2 approved, 3 rejected
    state       BIGINT NOT NULL,
    resolved_at BIGINT,
    assigned_by BIGINT NOT NULL,
    assigned_at BIGINT NOT NULL
);
CREATE INDEX task_assignments_of_task ON task_assignments (task_id, id);
CREATE UNIQUE INDEX task_assignments_by_user ON task_assignments (user_id, task_id);
