//! What people are asked to do with files. Who may comment on a file may ask, and sees what is asked of others.

mod assign;

pub use assign::{AssignTo, AssignmentChange, TaskAssignmentView};
pub use entente_database::tasks::{Task, TaskAction, TaskAssignment, TaskRule, TaskState};

use crate::comments::{check_reads, check_text};
use crate::grant::{Act, Comment, Grant, See};
use crate::limits::{TASK_ASSIGNMENTS_MAX, TASKS_MAX};
use crate::view::{Minis, row, view_row};
use crate::{Caller, Error, ItemView, Kind, Tree, UserMini, allow};
use entente_database::events::EventKind;
use entente_database::{Tx, tasks};
use entente_model::{ItemId, Rights, TaskId, Timestamp};
use std::sync::Arc;

/// What is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// About which file.
    pub file: ItemId,
    /// What for.
    pub action: TaskAction,
    /// May be empty; `limits::COMMENT_CHARS_MAX` characters at most.
    pub message: String,
    /// By when.
    pub due_at: Option<Timestamp>,
    /// When it is done.
    pub rule: TaskRule,
}

/// What of a task is to change; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskChange {
    /// What it asks for. Not once somebody has done it.
    pub action: Option<TaskAction>,
    /// May be empty.
    pub message: Option<String>,
    /// By when; `Some(None)` for no date.
    pub due_at: Option<Option<Timestamp>>,
    /// When it is done.
    pub rule: Option<TaskRule>,
}

/// A task, and what is shown with it.
#[derive(Debug, Clone)]
pub struct TaskView {
    /// Its row.
    pub task: Task,
    /// The file.
    pub item: Arc<ItemView>,
    /// Who asks.
    pub created_by: Arc<UserMini>,
    /// Who is asked, the first one first.
    pub assignments: Vec<TaskAssignmentView>,
    /// Whether it is done.
    pub is_completed: bool,
}

impl Tree {
    /// Asks for something. Nobody is asked yet: see [`Tree::assign_task`].
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the file. `Invalid` for a message that is too long, and once the file
    /// has `limits::TASKS_MAX` tasks.
    pub async fn create_task(&self, caller: &Caller, new: NewTask) -> Result<TaskView, Error> {
        check_text(&new.message)?;
        let (caller, stamp, id) = (caller.clone(), self.stamp(), TaskId::new(self.world.next_id()));
        self.database
            .transact("create task", move |tx| {
                let grant = allow::<Comment>(tx, &caller, new.file)?.of(Kind::File)?;
                if tasks::of_item(tx, new.file, TASKS_MAX)?.len() >= TASKS_MAX as usize {
                    return Err(Error::Invalid("the file has as many tasks as it can have"));
                }
                let task = Task {
                    id,
                    item: new.file,
                    action: new.action,
                    message: new.message.clone(),
                    due_at: new.due_at,
                    rule: new.rule,
                    created_by: caller.user,
                    created_at: stamp.at,
                };
                tasks::insert(tx, &task)?;
                stamp.record(tx, &caller, EventKind::TaskMade, task.item, None)?;
                Shown::new(tx, &grant)?.task(tx, task)
            })
            .await
    }

    /// A task. `NotFound` if there is none that the caller may know of; `Trashed` and `Forbidden` speak of its file.
    pub async fn task(&self, caller: &Caller, id: TaskId) -> Result<TaskView, Error> {
        self.database.read(|tx| {
            let (task, grant) = known::<See>(tx, caller, id)?;
            Shown::new(tx, &grant)?.task(tx, task)
        })
    }

    /// All tasks of a file, the first one first. `NotFound`, `Trashed` and `Forbidden` speak of the file.
    pub async fn tasks(&self, caller: &Caller, file: ItemId) -> Result<Vec<TaskView>, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let grant = allow::<See>(tx, &caller, file)?.of(Kind::File)?;
                check_reads(&grant)?;
                let mut shown = Shown::new(tx, &grant)?;
                let found = tasks::of_item(tx, file, TASKS_MAX)?;
                found.into_iter().map(|task| shown.task(tx, task)).collect()
            })
            .await
    }

    /// Changes a task: who asks, and who may change the file. Errors as for [`Tree::task`] and [`Tree::create_task`];
    /// `Forbidden` for anybody else; `Invalid` for another action once somebody has done what it asks for.
    pub async fn change_task(&self, caller: &Caller, id: TaskId, change: TaskChange) -> Result<TaskView, Error> {
        change.message.as_deref().map(check_text).transpose()?;
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("change task", move |tx| {
                let (before, grant) = known::<Comment>(tx, &caller, id)?;
                check_asks(&caller, &before, &grant)?;
                let TaskChange { action, message, due_at, rule } = change.clone();
                let mut task = before.clone();
                task.action = action.unwrap_or(task.action);
                task.message = message.unwrap_or(task.message);
                task.due_at = due_at.unwrap_or(task.due_at);
                task.rule = rule.unwrap_or(task.rule);
                let asked = tasks::assignments(tx, id, TASK_ASSIGNMENTS_MAX)?;
                if task.action != before.action && asked.iter().any(|one| one.state != TaskState::Incomplete) {
                    return Err(Error::Invalid(
                        "somebody has done what the task asks for: it cannot ask for something else",
                    ));
                }
                if task != before {
                    tasks::update(tx, &task)?;
                    stamp.record(tx, &caller, EventKind::TaskChanged, task.item, None)?;
                }
                Shown::new(tx, &grant)?.task(tx, task)
            })
            .await
    }

    /// Takes a task back. Errors as for [`Tree::change_task`].
    pub async fn remove_task(&self, caller: &Caller, id: TaskId) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("remove task", move |tx| {
                let (task, grant) = known::<Comment>(tx, &caller, id)?;
                check_asks(&caller, &task, &grant)?;
                tasks::remove(tx, id)?;
                stamp.record(tx, &caller, EventKind::TaskRemoved, task.item, None)
            })
            .await
    }
}

/// The task with that id, if the caller may know of it and do `A` with its file.
fn known<A: Act>(tx: &mut Tx<'_>, caller: &Caller, id: TaskId) -> Result<(Task, Grant<A>), Error> {
    let task = tasks::by_id(tx, id)?.ok_or(Error::NotFound)?;
    let grant = allow::<A>(tx, caller, task.item)?;
    check_reads(&grant)?;
    Ok((task, grant))
}

/// `Forbidden` for who neither asks nor may change the file.
fn check_asks<A>(caller: &Caller, task: &Task, grant: &Grant<A>) -> Result<(), Error> {
    let may = task.created_by == caller.user || grant.rights().contains(Rights::EDIT);
    if may { Ok(()) } else { Err(Error::Forbidden) }
}

/// Whether a task is done that these are asked to do. One that nobody is asked to do is not.
fn is_completed(rule: TaskRule, asked: &[TaskAssignment]) -> bool {
    let is_done = |one: &TaskAssignment| one.state != TaskState::Incomplete;
    match rule {
        TaskRule::Everybody => !asked.is_empty() && asked.iter().all(is_done),
        TaskRule::Anybody => asked.iter().any(is_done),
    }
}

/// What all tasks of a file are shown with.
struct Shown {
    item: Arc<ItemView>,
    minis: Minis,
}

impl Shown {
    fn new<A>(tx: &mut Tx<'_>, grant: &Grant<A>) -> Result<Self, Error> {
        let row = row(tx, grant)?;
        Ok(Self { item: Arc::new(view_row(tx, grant, row)?), minis: Minis::default() })
    }

    fn task(&mut self, tx: &mut Tx<'_>, task: Task) -> Result<TaskView, Error> {
        let asked = tasks::assignments(tx, task.id, TASK_ASSIGNMENTS_MAX)?;
        Ok(TaskView {
            item: Arc::clone(&self.item),
            created_by: self.minis.find(tx, task.created_by)?,
            is_completed: is_completed(task.rule, &asked),
            assignments: asked.into_iter().map(|one| self.assignment(tx, one)).collect::<Result<_, _>>()?,
            task,
        })
    }

    fn assignment(&mut self, tx: &mut Tx<'_>, assignment: TaskAssignment) -> Result<TaskAssignmentView, Error> {
        Ok(TaskAssignmentView {
            item: Arc::clone(&self.item),
            assigned_to: self.minis.find(tx, assignment.user)?,
            assigned_by: self.minis.find(tx, assignment.assigned_by)?,
            assignment,
        })
    }
}
