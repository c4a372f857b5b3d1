//! Tasks, and who is asked to do them.

use super::company::Whole;
use super::date::{Date, DateText};
use super::id::Text;
use super::item::Item;
use super::request::{IdText, TypedReference, given};
use super::user::UserMini;
use entente_model::{TaskAssignmentId, TaskId};
use serde::{Deserialize, Serialize};

/// What a task asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// To approve or reject the file.
    Review,
    /// To do something.
    Complete,
}

/// When a task is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Once all who are asked have done it.
    AllAssignees,
    /// Once one of them has.
    AnyAssignee,
}

/// What somebody who is asked has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// What was asked for.
    Completed,
    /// Nothing yet.
    Incomplete,
    /// They approve.
    Approved,
    /// They do not.
    Rejected,
}

/// `Task`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "task")]
pub struct Task<'a> {
    /// Its id.
    pub id: Text<TaskId>,
    /// The file.
    pub item: Item<'a>,
    /// By when; `null` without a date.
    pub due_at: Option<Date<'a>>,
    /// What it asks for.
    pub action: Action,
    /// May be empty.
    pub message: &'a str,
    /// Who is asked.
    pub task_assignment_collection: Whole<Assignment<'a>>,
    /// Whether it is done.
    pub is_completed: bool,
    /// Who asks.
    pub created_by: UserMini<'a>,
    /// Since when.
    pub created_at: Date<'a>,
    /// When it is done.
    pub completion_rule: Rule,
}

/// `TaskAssignment`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "task_assignment")]
pub struct Assignment<'a> {
    /// Its id.
    pub id: Text<TaskAssignmentId>,
    /// The file.
    pub item: Item<'a>,
    /// Who is asked.
    pub assigned_to: UserMini<'a>,
    /// What they say; may be empty.
    pub message: &'a str,
    /// When they did it; `null` until then.
    pub completed_at: Option<Date<'a>>,
    /// Since when they are asked.
    pub assigned_at: Date<'a>,
    /// What they have done.
    pub resolution_state: State,
    /// Who asked them.
    pub assigned_by: UserMini<'a>,
}

/// What makes a task, or changes one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TaskAsked {
    /// About which file; only for a new one.
    pub item: Option<TypedReference>,
    /// What it asks for.
    pub action: Option<Action>,
    /// May be empty.
    pub message: Option<String>,
    /// By when; `Some(None)` for `null`.
    #[serde(deserialize_with = "given")]
    pub due_at: Option<Option<DateText>>,
    /// When it is done.
    pub completion_rule: Option<Rule>,
}

/// What asks somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct NewAssignment {
    /// To do what.
    pub task: Option<TypedReference>,
    /// Whom.
    pub assign_to: Option<AssignTo>,
}

/// Who is to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AssignTo {
    /// By their id.
    pub id: Option<IdText>,
    /// Or by their login.
    pub login: Option<String>,
}

/// What somebody who is asked says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AssignmentChange {
    /// To whoever asks.
    pub message: Option<String>,
    /// What they have done.
    pub resolution_state: Option<State>,
}
