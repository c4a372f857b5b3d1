//! What people are asked to do with files, and who is asked.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::{ItemId, TaskAssignmentId, TaskId, Timestamp, UserId};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskAction {
    /// To look at the file, and to approve or reject it.
    Review,
    /// To do something.
    Complete,
}

impl TaskAction {
    const fn number(self) -> i64 {
        match self {
            Self::Review => 0,
            Self::Complete => 1,
        }
    }
}

/// When a task is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskRule {
    /// Once everybody who is asked has done it.
    Everybody,
    /// Once one of them has.
    Anybody,
}

/// A task as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Which file it is about.
    pub item: ItemId,
    /// What is asked for.
    pub action: TaskAction,
    /// May be empty.
    pub message: String,
    /// By when, if there is a date.
    pub due_at: Option<Timestamp>,
    /// When it is done.
    pub rule: TaskRule,
    /// Who asks.
    pub created_by: UserId,
    /// Since when.
    pub created_at: Timestamp,
}

/// What somebody who is asked has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Nothing yet.
    Incomplete,
    /// What was asked for.
    Completed,
    /// They approve of the file.
    Approved,
    /// They do not.
    Rejected,
}

impl TaskState {
    const fn number(self) -> i64 {
        match self {
            Self::Incomplete => 0,
            Self::Completed => 1,
            Self::Approved => 2,
            Self::Rejected => 3,
        }
    }

    fn from_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Incomplete),
            1 => Ok(Self::Completed),
            2 => Ok(Self::Approved),
            3 => Ok(Self::Rejected),
            _ => Err(Error::damaged("the state of a task")),
        }
    }
}

/// That somebody is asked, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskAssignment {
    /// Its id.
    pub id: TaskAssignmentId,
    /// To do what.
    pub task: TaskId,
    /// Who.
    pub user: UserId,
    /// What they say to it; may be empty.
    pub message: String,
    /// What they have done.
    pub state: TaskState,
    /// Since when it has been more than nothing.
    pub resolved_at: Option<Timestamp>,
    /// Who asked them.
    pub assigned_by: UserId,
    /// When.
    pub assigned_at: Timestamp,
}

/// Stores a task.
pub fn insert(tx: &mut Tx<'_>, new: &Task) -> Result<(), Error> {
    tx.put(
        "INSERT INTO tasks (id, item_id, action, message, due_at, any_assignee, created_by, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            new.id.into(),
            new.item.into(),
            new.action.number().into(),
            new.message.as_str().into(),
            new.due_at.into(),
            i64::from(new.rule == TaskRule::Anybody).into(),
            new.created_by.into(),
            new.created_at.into(),
        ],
    )
}

/// Writes what can change of a task: all but the file, who asks and since when.
pub fn update(tx: &mut Tx<'_>, task: &Task) -> Result<(), Error> {
    tx.put(
        "UPDATE tasks SET action = ?2, message = ?3, due_at = ?4, any_assignee = ?5 WHERE id = ?1",
        &[
            task.id.into(),
            task.action.number().into(),
            task.message.as_str().into(),
            task.due_at.into(),
            i64::from(task.rule == TaskRule::Anybody).into(),
        ],
    )
}

/// Removes a task, and whoever is asked to do it.
pub fn remove(tx: &mut Tx<'_>, id: TaskId) -> Result<(), Error> {
    tx.put("DELETE FROM task_assignments WHERE task_id = ?1", &[id.into()])?;
    tx.put("DELETE FROM tasks WHERE id = ?1", &[id.into()])
}

macro_rules! select_task {
    ($rest:literal) => {
        concat!(
            "SELECT t.id, t.item_id, t.action, t.message, t.due_at, t.any_assignee, t.created_by, t.created_at
             FROM tasks t ",
            $rest
        )
    };
}

/// The task with that id.
pub fn by_id(tx: &mut Tx<'_>, id: TaskId) -> Result<Option<Task>, Error> {
    tx.query_one(select_task!("WHERE t.id = ?1"), &[id.into()], read_task)
}

/// Up to `limit` tasks of an item, the first one first.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<Vec<Task>, Error> {
    tx.query(select_task!("WHERE t.item_id = ?1 ORDER BY t.id LIMIT ?2"), &[item.into(), limit.into()], read_task)
}

/// Removes all tasks of an item that goes.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    let of_item = [Value::from(item)];
    tx.put("DELETE FROM task_assignments WHERE task_id IN (SELECT id FROM tasks WHERE item_id = ?1)", &of_item)?;
    tx.put("DELETE FROM tasks WHERE item_id = ?1", &of_item)
}

/// Stores that somebody is asked. `Duplicate` when they are already.
pub fn assign(tx: &mut Tx<'_>, new: &TaskAssignment) -> Result<(), Error> {
    tx.put(
        "INSERT INTO task_assignments (id, task_id, user_id, message, state, resolved_at, assigned_by, assigned_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            new.id.into(),
            new.task.into(),
            new.user.into(),
            new.message.as_str().into(),
            new.state.number().into(),
            new.resolved_at.into(),
            new.assigned_by.into(),
            new.assigned_at.into(),
        ],
    )
}

/// Writes what can change of an assignment: what they have done, and what they say to it.
pub fn update_assignment(tx: &mut Tx<'_>, assignment: &TaskAssignment) -> Result<(), Error> {
    tx.put(
        "UPDATE task_assignments SET message = ?2, state = ?3, resolved_at = ?4 WHERE id = ?1",
        &[
            assignment.id.into(),
            assignment.message.as_str().into(),
            assignment.state.number().into(),
            assignment.resolved_at.into(),
        ],
    )
}

/// Removes an assignment.
pub fn remove_assignment(tx: &mut Tx<'_>, id: TaskAssignmentId) -> Result<(), Error> {
    tx.put("DELETE FROM task_assignments WHERE id = ?1", &[id.into()])
}

macro_rules! select_assignment {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.task_id, a.user_id, a.message, a.state, a.resolved_at, a.assigned_by, a.assigned_at
             FROM task_assignments a ",
            $rest
        )
    };
}

/// The assignment with that id.
pub fn assignment_by_id(tx: &mut Tx<'_>, id: TaskAssignmentId) -> Result<Option<TaskAssignment>, Error> {
    tx.query_one(select_assignment!("WHERE a.id = ?1"), &[id.into()], read_assignment)
}

/// That this user is asked to do this, if they are.
pub fn assignment_of(tx: &mut Tx<'_>, task: TaskId, user: UserId) -> Result<Option<TaskAssignment>, Error> {
    let sql = select_assignment!("WHERE a.user_id = ?2 AND a.task_id = ?1");
    tx.query_one(sql, &[task.into(), user.into()], read_assignment)
}

/// Up to `limit` of those who are asked, the first one first.
pub fn assignments(tx: &mut Tx<'_>, task: TaskId, limit: u32) -> Result<Vec<TaskAssignment>, Error> {
    let sql = select_assignment!("WHERE a.task_id = ?1 ORDER BY a.id LIMIT ?2");
    tx.query(sql, &[task.into(), limit.into()], read_assignment)
}

fn read_task(row: &Row<'_>) -> Result<Task, Error> {
    Ok(Task {
        id: TaskId::new(row.int(0)?),
        item: ItemId::new(row.int(1)?),
        action: match row.int(2)? {
            0 => TaskAction::Review,
            1 => TaskAction::Complete,
            _ => return Err(Error::damaged("what a task asks for")),
        },
        message: row.text(3)?,
        due_at: row.int_or_null(4)?.map(Timestamp::from_millis),
        rule: if row.int(5)? == 0 { TaskRule::Everybody } else { TaskRule::Anybody },
        created_by: UserId::new(row.int(6)?),
        created_at: Timestamp::from_millis(row.int(7)?),
    })
}

fn read_assignment(row: &Row<'_>) -> Result<TaskAssignment, Error> {
    Ok(TaskAssignment {
        id: TaskAssignmentId::new(row.int(0)?),
        task: TaskId::new(row.int(1)?),
        user: UserId::new(row.int(2)?),
        message: row.text(3)?,
        state: TaskState::from_number(row.int(4)?)?,
        resolved_at: row.int_or_null(5)?.map(Timestamp::from_millis),
        assigned_by: UserId::new(row.int(6)?),
        assigned_at: Timestamp::from_millis(row.int(7)?),
    })
}
