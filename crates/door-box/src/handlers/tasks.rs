//! Tasks, and who is asked to do them.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{moment, referred};
use crate::to_wire::{Look, mini};
use crate::wire::company::Whole;
use crate::wire::date::Date;
use crate::wire::id::Text;
use crate::wire::item::ITEM_MINI;
use crate::wire::task::{
    Action, Assignment, AssignmentChange as ChangeAsked, NewAssignment as NewAsked, Rule, State, Task, TaskAsked,
};
use entente_model::{Caller, TaskAssignmentId, TaskId};
use entente_tree::{
    AssignTo, AssignmentChange, NewTask, TaskAction, TaskAssignmentView, TaskChange, TaskRule, TaskState, TaskView,
};
use http::StatusCode;

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: TaskAsked = asked.json().await?;
    let item = new.item.as_ref().ok_or_else(|| Problem::missing("item"))?;
    if item.kind.as_deref().is_some_and(|kind| kind != "file") {
        return Err(Problem::invalid("item.type", "'item.type' must be 'file'"));
    }
    let new = NewTask {
        file: referred("item.id", item.id.as_ref())?,
        action: new.action.map_or(TaskAction::Review, action),
        message: new.message.unwrap_or_default(),
        due_at: moment(new.due_at.flatten()),
        rule: new.completion_rule.map_or(TaskRule::Everybody, rule),
    };
    let made = asked.tree().create_task(&caller, new).await?;
    Ok(answer::json(StatusCode::CREATED, &asked.look().task(&made)))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().task(&caller, asked.id("task_id")?).await?;
    Ok(answer::json(StatusCode::OK, &asked.look().task(&found)))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let id: TaskId = asked.id("task_id")?;
    let change: TaskAsked = asked.json().await?;
    let change = TaskChange {
        action: change.action.map(action),
        message: change.message,
        due_at: change.due_at.map(moment),
        rule: change.completion_rule.map(rule),
    };
    let changed = asked.tree().change_task(&caller, id, change).await?;
    Ok(answer::json(StatusCode::OK, &asked.look().task(&changed)))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_task(&caller, asked.id("task_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn of_file(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().tasks(&caller, asked.id("file_id")?).await?;
    let look = asked.look();
    let entries: Vec<_> = found.iter().map(|view| look.task(view)).collect();
    Ok(answer::json(StatusCode::OK, &Whole { total_count: entries.len(), entries }))
}

pub(crate) async fn assign(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewAsked = asked.json().await?;
    let task = new.task.ok_or_else(|| Problem::missing("task"))?;
    let to = new.assign_to.ok_or_else(|| Problem::missing("assign_to"))?;
    let to = match (&to.id, to.login) {
        (Some(_), _) => AssignTo::User(referred("assign_to.id", to.id.as_ref())?),
        (None, Some(login)) => AssignTo::Login(login),
        (None, None) => return Err(Problem::missing("assign_to.id")),
    };
    let made = asked.tree().assign_task(&caller, referred("task.id", task.id.as_ref())?, to).await?;
    Ok(answer::json(StatusCode::CREATED, &asked.look().task_assignment(&made)))
}

pub(crate) async fn show_assignment(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().task_assignment(&caller, asked.id("task_assignment_id")?).await?;
    Ok(answer::json(StatusCode::OK, &asked.look().task_assignment(&found)))
}

pub(crate) async fn update_assignment(mut asked: Asked, caller: Caller) -> Outcome {
    let id: TaskAssignmentId = asked.id("task_assignment_id")?;
    let change: ChangeAsked = asked.json().await?;
    let state = change.resolution_state.map(|state| match state {
        State::Completed => TaskState::Completed,
        State::Incomplete => TaskState::Incomplete,
        State::Approved => TaskState::Approved,
        State::Rejected => TaskState::Rejected,
    });
    let change = AssignmentChange { message: change.message, state };
    let changed = asked.tree().change_task_assignment(&caller, id, change).await?;
    Ok(answer::json(StatusCode::OK, &asked.look().task_assignment(&changed)))
}

pub(crate) async fn delete_assignment(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_task_assignment(&caller, asked.id("task_assignment_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn assignments(asked: Asked, caller: Caller) -> Outcome {
    let task = asked.tree().task(&caller, asked.id("task_id")?).await?;
    Ok(answer::json(StatusCode::OK, &asked.look().task_assignments(&task)))
}

fn action(action: Action) -> TaskAction {
    match action {
        Action::Review => TaskAction::Review,
        Action::Complete => TaskAction::Complete,
    }
}

fn rule(rule: Rule) -> TaskRule {
    match rule {
        Rule::AllAssignees => TaskRule::Everybody,
        Rule::AnyAssignee => TaskRule::Anybody,
    }
}

impl Look<'_> {
    fn task<'a>(&'a self, view: &'a TaskView) -> Task<'a> {
        let row = &view.task;
        Task {
            id: Text(row.id),
            item: self.item_at(&view.item, &[], ITEM_MINI),
            due_at: row.due_at.map(|at| Date { at, zone: self.zone }),
            action: match row.action {
                TaskAction::Review => Action::Review,
                TaskAction::Complete => Action::Complete,
            },
            message: &row.message,
            task_assignment_collection: self.task_assignments(view),
            is_completed: view.is_completed,
            created_by: mini(&view.created_by),
            created_at: Date { at: row.created_at, zone: self.zone },
            completion_rule: match row.rule {
                TaskRule::Everybody => Rule::AllAssignees,
                TaskRule::Anybody => Rule::AnyAssignee,
            },
        }
    }

    fn task_assignments<'a>(&'a self, view: &'a TaskView) -> Whole<Assignment<'a>> {
        let entries: Vec<_> = view.assignments.iter().map(|one| self.task_assignment(one)).collect();
        Whole { total_count: entries.len(), entries }
    }

    fn task_assignment<'a>(&'a self, view: &'a TaskAssignmentView) -> Assignment<'a> {
        let row = &view.assignment;
        Assignment {
            id: Text(row.id),
            item: self.item_at(&view.item, &[], ITEM_MINI),
            assigned_to: mini(&view.assigned_to),
            message: &row.message,
            completed_at: row.resolved_at.map(|at| Date { at, zone: self.zone }),
            assigned_at: Date { at: row.assigned_at, zone: self.zone },
            resolution_state: match row.state {
                TaskState::Incomplete => State::Incomplete,
                TaskState::Completed => State::Completed,
                TaskState::Approved => State::Approved,
                TaskState::Rejected => State::Rejected,
            },
            assigned_by: mini(&view.assigned_by),
        }
    }
}
