//! Who is asked to do a task, and what they do.

use super::{Shown, check_asks, is_completed, known};
use crate::comments::{check_text, sees};
use crate::grant::{Act, Comment, Grant, See};
use crate::limits::TASK_ASSIGNMENTS_MAX;
use crate::{Caller, Error, ItemView, Tree, UserMini};
use entente_database::events::EventKind;
use entente_database::tasks::{self, Task, TaskAction, TaskAssignment, TaskState};
use entente_database::users::{self, UserStatus};
use entente_database::{ErrorKind, Tx};
use entente_model::{TaskAssignmentId, TaskId, UserId};
use std::sync::Arc;

/// Who is to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignTo {
    /// A user.
    User(UserId),
    /// The user with that login.
    Login(String),
}

/// What somebody who is asked says and has done; `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AssignmentChange {
    /// `limits::COMMENT_CHARS_MAX` characters at most.
    pub message: Option<String>,
    /// What they have done.
    pub state: Option<TaskState>,
}

/// That somebody is asked, and what is shown with it.
#[derive(Debug, Clone)]
pub struct TaskAssignmentView {
    /// Its row.
    pub assignment: TaskAssignment,
    /// The file.
    pub item: Arc<ItemView>,
    /// Who is asked.
    pub assigned_to: Arc<UserMini>,
    /// Who asked them.
    pub assigned_by: Arc<UserMini>,
}

impl Tree {
    /// Asks somebody to do a task: whoever made it, and whoever may change the file.
    ///
    /// `NotFound` as for [`Tree::task`], and for a user whom the caller may not know. `Forbidden` for anybody else, for a
    /// task that is done, and for somebody who may not see what is said of the file. `AlreadyExists` when they are asked
    /// already; `Invalid` once `limits::TASK_ASSIGNMENTS_MAX` are.
    pub async fn assign_task(&self, caller: &Caller, id: TaskId, to: AssignTo) -> Result<TaskAssignmentView, Error> {
        const TWICE: Error = Error::AlreadyExists("the task is assigned to this user already");
        let (caller, stamp) = (caller.clone(), self.stamp());
        let new = TaskAssignmentId::new(self.world.next_id());
        self.database
            .transact("assign task", move |tx| {
                let (task, grant) = known::<Comment>(tx, &caller, id)?;
                check_asks(&caller, &task, &grant)?;
                let user = asked(tx, &caller, &grant, &to)?;
                let others = tasks::assignments(tx, id, TASK_ASSIGNMENTS_MAX)?;
                if is_completed(task.rule, &others) {
                    return Err(Error::Forbidden);
                }
                if tasks::assignment_of(tx, id, user)?.is_some() {
                    return Err(TWICE);
                }
                if others.len() >= TASK_ASSIGNMENTS_MAX as usize {
                    return Err(Error::Invalid("as many are asked to do the task as can be"));
                }
                let assignment = TaskAssignment {
                    id: new,
                    task: id,
                    user,
                    message: String::new(),
                    state: TaskState::Incomplete,
                    resolved_at: None,
                    assigned_by: caller.user,
                    assigned_at: stamp.at,
                };
                match tasks::assign(tx, &assignment) {
                    Err(error) if error.kind == ErrorKind::Duplicate => return Err(TWICE),
                    outcome => outcome?,
                }
                stamp.record(tx, &caller, EventKind::TaskAssigned, task.item, None)?;
                Shown::new(tx, &grant)?.assignment(tx, assignment)
            })
            .await
    }

    /// That somebody is asked. `NotFound` if there is no such thing that the caller may know of; `Trashed` and `Forbidden`
    /// speak of the file.
    pub async fn task_assignment(&self, caller: &Caller, id: TaskAssignmentId) -> Result<TaskAssignmentView, Error> {
        self.database.read(|tx| {
            let (assignment, _, grant) = known_assignment::<See>(tx, caller, id)?;
            Shown::new(tx, &grant)?.assignment(tx, assignment)
        })
    }

    /// Says what one has done: whoever is asked. Errors as for [`Tree::task_assignment`]; `Forbidden` for anybody else;
    /// `Invalid` for a state that does not answer what the task asks for, and for a message that is too long.
    pub async fn change_task_assignment(
        &self,
        caller: &Caller,
        id: TaskAssignmentId,
        change: AssignmentChange,
    ) -> Result<TaskAssignmentView, Error> {
        change.message.as_deref().map(check_text).transpose()?;
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("change task assignment", move |tx| {
                let (before, task, grant) = known_assignment::<Comment>(tx, &caller, id)?;
                if before.user != caller.user {
                    return Err(Error::Forbidden);
                }
                let mut assignment = before.clone();
                if let Some(message) = &change.message {
                    assignment.message.clone_from(message);
                }
                if let Some(state) = change.state.filter(|state| *state != before.state) {
                    if !answers(state, task.action) {
                        return Err(Error::Invalid("this is no answer to what the task asks for"));
                    }
                    assignment.state = state;
                    assignment.resolved_at = (state != TaskState::Incomplete).then_some(stamp.at);
                }
                if assignment != before {
                    tasks::update_assignment(tx, &assignment)?;
                    stamp.record(tx, &caller, EventKind::TaskAssignmentChanged, task.item, None)?;
                }
                Shown::new(tx, &grant)?.assignment(tx, assignment)
            })
            .await
    }

    /// No longer asks somebody: whoever asked them, whoever made the task, and whoever may change the file. Errors as for
    /// [`Tree::task_assignment`]; `Forbidden` for anybody else.
    pub async fn remove_task_assignment(&self, caller: &Caller, id: TaskAssignmentId) -> Result<(), Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        self.database
            .transact("remove task assignment", move |tx| {
                let (assignment, task, grant) = known_assignment::<Comment>(tx, &caller, id)?;
                if assignment.assigned_by != caller.user {
                    check_asks(&caller, &task, &grant)?;
                }
                tasks::remove_assignment(tx, id)?;
                stamp.record(tx, &caller, EventKind::TaskAssignmentRemoved, task.item, None)
            })
            .await
    }
}

fn known_assignment<A: Act>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    id: TaskAssignmentId,
) -> Result<(TaskAssignment, Task, Grant<A>), Error> {
    let assignment = tasks::assignment_by_id(tx, id)?.ok_or(Error::NotFound)?;
    let (task, grant) = known(tx, caller, assignment.task)?;
    Ok((assignment, task, grant))
}

/// Whether a state is an answer to what a task asks for.
fn answers(state: TaskState, action: TaskAction) -> bool {
    match state {
        TaskState::Incomplete => true,
        TaskState::Completed => action == TaskAction::Complete,
        TaskState::Approved | TaskState::Rejected => action == TaskAction::Review,
    }
}

/// The user who is to be asked, if they may see the file. Others of the enterprise are known to be there; whoever is not
/// of it and does not see the file is not.
fn asked(tx: &mut Tx<'_>, caller: &Caller, grant: &Grant<Comment>, to: &AssignTo) -> Result<UserId, Error> {
    let found = match to {
        AssignTo::User(user) => users::by_id(tx, *user)?,
        AssignTo::Login(login) => users::by_login(tx, login)?,
    };
    let found = found.filter(|user| user.status != UserStatus::Inactive).ok_or(Error::NotFound)?;
    if sees(tx, found.id, found.enterprise, grant)? {
        return Ok(found.id);
    }
    if found.enterprise == caller.enterprise { Err(Error::Forbidden) } else { Err(Error::NotFound) }
}
