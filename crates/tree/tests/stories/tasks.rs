//! Tasks: who asks whom, what they answer, and when a task is done.

use crate::comments::give;
use crate::desk::Desk;
use entente_model::{Caller, ItemId, Role, TaskId, Timestamp, UserId, UserRole};
use entente_tree::{
    AssignTo, AssignmentChange, Error, Kind, NewTask, OwnedContent, TaskAction, TaskAssignmentView, TaskChange,
    TaskRule, TaskState,
};

fn new(file: ItemId, action: TaskAction, rule: TaskRule) -> NewTask {
    NewTask { file, action, message: "please".to_owned(), due_at: None, rule }
}

async fn assign(desk: &Desk, task: TaskId, to: &Caller) -> TaskAssignmentView {
    desk.tree.assign_task(&desk.anna, task, AssignTo::User(to.user)).await.expect("assigned")
}

fn said(state: TaskState) -> AssignmentChange {
    AssignmentChange { message: None, state: Some(state) }
}

#[tokio::test]
async fn a_task_is_made_changed_and_taken_back() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let made =
        desk.tree.create_task(&desk.anna, new(file, TaskAction::Review, TaskRule::Everybody)).await.expect("made");
    let id = made.task.id;
    assert_eq!((made.item.item.id, made.is_completed, made.assignments.len()), (file, false, 0));
    let due = Some(Timestamp::from_millis(1_700_000_000_000));
    let change = TaskChange {
        action: Some(TaskAction::Complete),
        message: Some(String::new()),
        due_at: Some(due),
        rule: Some(TaskRule::Anybody),
    };
    let changed = desk.tree.change_task(&desk.anna, id, change).await.expect("changed").task;
    assert_eq!((changed.action, changed.message.as_str(), changed.due_at), (TaskAction::Complete, "", due));
    let without = TaskChange { due_at: Some(None), ..TaskChange::default() };
    assert_eq!(desk.tree.change_task(&desk.anna, id, without).await.expect("changed").task.due_at, None);
    let other =
        desk.tree.create_task(&desk.anna, new(file, TaskAction::Review, TaskRule::Anybody)).await.expect("made");
    let all: Vec<TaskId> =
        desk.tree.tasks(&desk.anna, file).await.expect("tasks").iter().map(|one| one.task.id).collect();
    assert_eq!(all, [id, other.task.id]);
    assign(&desk, id, &desk.anna).await;
    desk.tree.remove_task(&desk.anna, id).await.expect("removed");
    assert!(matches!(desk.tree.task(&desk.anna, id).await, Err(Error::NotFound)));
    let left = desk.stage.database.read(|tx| entente_database::tasks::assignments(tx, id, 10)).expect("read");
    assert_eq!(left, []);
    let long = NewTask { message: "x".repeat(10_001), ..new(file, TaskAction::Review, TaskRule::Anybody) };
    assert!(matches!(desk.tree.create_task(&desk.anna, long).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_task_is_done_once_enough_have_done_it() {
    for (rule, after_one) in [(TaskRule::Everybody, false), (TaskRule::Anybody, true)] {
        let desk = Desk::new().await;
        let file = desk.file(desk.root, "file", b"x").await.item.id;
        give(&desk, file, &desk.ben, Role::Viewer).await;
        let task = desk.tree.create_task(&desk.anna, new(file, TaskAction::Review, rule)).await.expect("made").task.id;
        let (annas, bens) = (assign(&desk, task, &desk.anna).await, assign(&desk, task, &desk.ben).await);
        let is_done = async || desk.tree.task(&desk.ben, task).await.expect("a task").is_completed;
        assert!(!is_done().await);
        let done = desk.tree.change_task_assignment(&desk.ben, bens.assignment.id, said(TaskState::Rejected)).await;
        assert!(done.expect("said").assignment.resolved_at.is_some());
        assert_eq!(is_done().await, after_one);
        // What is done is not given to others.
        let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
        give(&desk, file, &desk.stage.caller(carol, UserRole::User), Role::Viewer).await;
        let late = desk.tree.assign_task(&desk.anna, task, AssignTo::User(carol)).await;
        assert_eq!(matches!(late, Err(Error::Forbidden)), after_one);
        if let Ok(late) = late {
            desk.tree.remove_task_assignment(&desk.anna, late.assignment.id).await.expect("removed");
        }
        desk.tree
            .change_task_assignment(&desk.anna, annas.assignment.id, said(TaskState::Approved))
            .await
            .expect("said");
        assert!(is_done().await);
        // Nobody is asked for something else than they have done.
        let other = TaskChange { action: Some(TaskAction::Complete), ..TaskChange::default() };
        assert!(matches!(desk.tree.change_task(&desk.anna, task, other).await, Err(Error::Invalid(_))));
        let again = desk.tree.change_task_assignment(&desk.ben, bens.assignment.id, said(TaskState::Incomplete)).await;
        assert_eq!(again.expect("said").assignment.resolved_at, None);
    }
}

#[tokio::test]
async fn only_who_is_asked_answers_and_only_what_is_asked() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    give(&desk, file, &desk.ben, Role::Viewer).await;
    for (action, right, wrong) in [
        (TaskAction::Review, [TaskState::Approved, TaskState::Rejected], TaskState::Completed),
        (TaskAction::Complete, [TaskState::Completed, TaskState::Incomplete], TaskState::Approved),
    ] {
        let task =
            desk.tree.create_task(&desk.anna, new(file, action, TaskRule::Everybody)).await.expect("made").task.id;
        let bens = assign(&desk, task, &desk.ben).await.assignment.id;
        let mine = desk.tree.change_task_assignment(&desk.anna, bens, said(right[0])).await;
        assert!(matches!(mine, Err(Error::Forbidden)));
        for state in right {
            let change = AssignmentChange { message: Some("so be it".to_owned()), state: Some(state) };
            let said = desk.tree.change_task_assignment(&desk.ben, bens, change).await.expect("said").assignment;
            assert_eq!((said.state, said.message.as_str()), (state, "so be it"));
        }
        let outcome = desk.tree.change_task_assignment(&desk.ben, bens, said(wrong)).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))));
    }
}

#[tokio::test]
async fn only_who_sees_the_file_is_asked() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let task =
        desk.tree.create_task(&desk.anna, new(file, TaskAction::Review, TaskRule::Everybody)).await.expect("made");
    let task = task.task.id;
    let ask = async |to| desk.tree.assign_task(&desk.anna, task, to).await;
    assert!(matches!(ask(AssignTo::User(desk.ben.user)).await, Err(Error::Forbidden)));
    let stranger = desk.stage.outsider("dora@elsewhere.example", "Elsewhere").await;
    for nobody in [
        AssignTo::User(stranger),
        AssignTo::User(UserId::new(12)),
        AssignTo::Login("dora@elsewhere.example".to_owned()),
        AssignTo::Login("nobody@example.com".to_owned()),
        AssignTo::Login(String::new()),
    ] {
        assert!(matches!(ask(nobody).await, Err(Error::NotFound)));
    }
    give(&desk, file, &desk.ben, Role::Uploader).await;
    assert!(matches!(ask(AssignTo::User(desk.ben.user)).await, Err(Error::Forbidden)));
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = desk.stage.caller(carol, UserRole::User);
    give(&desk, file, &carol, Role::Viewer).await;
    let made = ask(AssignTo::Login("CAROL@example.com".to_owned())).await.expect("asked");
    assert_eq!(made.assigned_to.id, carol.user);
    assert!(matches!(ask(AssignTo::User(carol.user)).await, Err(Error::AlreadyExists(_))));
    // Who is asked neither asks others nor takes the task back.
    let others = desk.tree.assign_task(&carol, task, AssignTo::User(desk.anna.user)).await;
    assert!(matches!(others, Err(Error::Forbidden)));
    assert!(matches!(desk.tree.remove_task(&carol, task).await, Err(Error::Forbidden)));
    assert!(matches!(desk.tree.change_task(&carol, task, TaskChange::default()).await, Err(Error::Forbidden)));
    let id = made.assignment.id;
    assert!(matches!(desk.tree.remove_task_assignment(&carol, id).await, Err(Error::Forbidden)));
    assert_eq!(desk.tree.task_assignment(&carol, id).await.expect("seen").assignment.user, carol.user);
    // Once they do not see the file, they are asked nothing.
    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    desk.tree.delete_user(&admin, carol.user, OwnedContent::Purge).await.expect("removed");
    while !desk.tree.purge_user_batch(carol.user).await.expect("a batch") {}
    assert_eq!(desk.tree.task(&desk.anna, task).await.expect("a task").assignments.len(), 0);
}

#[tokio::test]
async fn a_file_has_so_many_tasks_and_they_go_with_it() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let mut last = None;
    for _ in 0..100 {
        let made = desk.tree.create_task(&desk.anna, new(file, TaskAction::Review, TaskRule::Anybody)).await;
        last = Some(made.expect("made").task.id);
    }
    let more = desk.tree.create_task(&desk.anna, new(file, TaskAction::Review, TaskRule::Anybody)).await;
    assert!(matches!(more, Err(Error::Invalid(_))));
    let task = last.expect("a task");
    assign(&desk, task, &desk.anna).await;
    desk.trash(file, Kind::File).await;
    assert!(matches!(desk.tree.task(&desk.anna, task).await, Err(Error::Trashed)));
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    assert!(matches!(desk.tree.task(&desk.anna, task).await, Err(Error::NotFound)));
    let left = desk.stage.database.read(|tx| entente_database::tasks::assignments(tx, task, 10)).expect("read");
    assert_eq!(left, []);
}
