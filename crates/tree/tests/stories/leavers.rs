//! Users who are removed, and what becomes of theirs.

use crate::desk::Desk;
use entente_model::{Caller, Role, Scopes, UserRole};
use entente_tree::{
    Error, GroupChange, Invitee, Kind, MembershipRole, NewCollaboration, NewMembership, NewPerson, OwnedContent,
    PURGE_USER_JOB, UserChange, UserQuery,
};
use std::time::Duration;

async fn boss(desk: &Desk) -> Caller {
    desk.stage.caller(desk.stage.person("boss@example.com", "Boss", UserRole::Admin).await, UserRole::Admin)
}

/// Goes on with the removal of a user until nothing is left, and with what that leaves in limbo.
async fn finish(desk: &Desk, user: entente_model::UserId) {
    while !desk.tree.purge_user_batch(user).await.expect("a batch") {}
    let now = desk.stage.world.now();
    let taken = desk
        .stage
        .database
        .transact("take", move |tx| entente_database::jobs::take(tx, now, now.after(Duration::from_secs(60)), 1_000));
    for job in taken.await.expect("jobs").into_iter().filter(|job| job.kind == entente_tree::PURGE_JOB) {
        desk.finish_purge(job.key.parse().expect("an item")).await;
    }
}

#[tokio::test]
async fn a_user_goes_at_once_and_what_was_theirs_soon_after() {
    let desk = Desk::new().await;
    let admin = boss(&desk).await;
    let (tree, anna) = (&desk.tree, desk.anna.user);
    let token = desk.stage.token(anna, Scopes::ALL, Duration::from_secs(60)).await;
    let folder = desk.folder(desk.root, "folder").await;
    desk.file(folder, "file", b"hello").await;
    let gone = desk.file(desk.root, "gone", b"hello").await.item.id;
    desk.trash(gone, Kind::File).await;
    let shared = NewCollaboration {
        item: folder,
        invitee: Invitee::User(desk.ben.user),
        role: Role::Viewer,
        sees_path: false,
        access_only: false,
        expires_at: None,
    };
    tree.invite(&desk.anna, shared).await.expect("invited");
    let theirs = desk.stage.token(desk.ben.user, Scopes::ALL, Duration::from_secs(60)).await;

    let refused = tree.delete_user(&admin, anna, OwnedContent::Refuse).await;
    assert!(matches!(refused, Err(Error::OwnsContent)), "{refused:?}");
    tree.delete_user(&admin, anna, OwnedContent::Purge).await.expect("removed");
    assert!(desk.stage.identity.authenticate(&token).is_err());
    desk.stage.identity.authenticate(&theirs).expect("others are not concerned");
    assert!(matches!(tree.user(&admin, anna).await, Err(Error::NotFound)));
    assert!(matches!(tree.delete_user(&admin, anna, OwnedContent::Purge).await, Err(Error::NotFound)));
    let found = UserQuery { prefix: "anna".to_owned(), limit: 10, ..UserQuery::default() };
    assert!(tree.list_users(&admin, found).await.expect("a page").entries.is_empty());
    let queued =
        desk.stage.database.read(|tx| entente_database::jobs::is_queued(tx, PURGE_USER_JOB, &anna.to_string()));
    assert!(queued.expect("read"));
    let again = NewPerson {
        login: "anna@example.com".to_owned(),
        name: "Another".to_owned(),
        role: UserRole::User,
        rest: UserChange::default(),
    };
    tree.create_user(&admin, again).await.expect("the login is free");

    finish(&desk, anna).await;
    assert!(matches!(tree.item(&desk.ben, folder, Kind::Folder).await, Err(Error::NotFound)));
    desk.check_books();
    let totals = desk.totals();
    assert_eq!((totals.versions, totals.space_used_bytes), (0, 0));
    assert!(tree.purge_user_batch(anna).await.expect("harmless"));
}

#[tokio::test]
async fn who_may_remove_whom() {
    let desk = Desk::new().await;
    let admin = boss(&desk).await;
    let co_admin = desk.stage.person("co@example.com", "Co", UserRole::CoAdmin).await;
    let co_admin = desk.stage.caller(co_admin, UserRole::CoAdmin);
    let tree = &desk.tree;
    let outcome = tree.delete_user(&desk.anna, desk.ben.user, OwnedContent::Purge).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "a stranger");
    let outcome = tree.delete_user(&desk.anna, desk.anna.user, OwnedContent::Purge).await;
    assert!(matches!(outcome, Err(Error::Forbidden)), "oneself");
    assert!(matches!(tree.delete_user(&admin, admin.user, OwnedContent::Purge).await, Err(Error::Forbidden)));
    let outcome = tree.delete_user(&co_admin, admin.user, OwnedContent::Purge).await;
    assert!(matches!(outcome, Err(Error::Forbidden)), "above");
    tree.delete_user(&co_admin, desk.ben.user, OwnedContent::Refuse).await.expect("owns nothing");
    assert!(tree.purge_user_batch(desk.anna.user).await.expect("harmless"));
    assert_eq!(tree.me(&desk.anna).await.expect("still here").login, "anna@example.com");
}

#[tokio::test]
async fn a_removed_user_leaves_groups_and_their_name_stays() {
    let desk = Desk::new().await;
    let admin = boss(&desk).await;
    let tree = &desk.tree;
    let group = GroupChange { name: Some("All".to_owned()), ..GroupChange::default() };
    let group = tree.create_group(&admin, group).await.expect("made").group.id;
    for user in [desk.anna.user, desk.ben.user] {
        let new = NewMembership { group, user, role: MembershipRole::Member, permissions: None };
        tree.add_member(&admin, new).await.expect("added");
    }
    let folder = desk.folder(desk.root, "folder").await;
    let shared = NewCollaboration {
        item: folder,
        invitee: Invitee::User(desk.ben.user),
        role: Role::Editor,
        sees_path: false,
        access_only: false,
        expires_at: None,
    };
    tree.invite(&desk.anna, shared).await.expect("invited");
    let new = entente_tree::NewFolder::named(crate::desk::name("by Ben"));
    let made = tree.create_folder(&desk.ben, folder, new, crate::desk::RULE).await.expect("made").item.id;
    tree.delete_user(&admin, desk.ben.user, OwnedContent::Refuse).await.expect("removed");
    finish(&desk, desk.ben.user).await;
    let members = tree.members_of_group(&admin, group, 0, 10).await.expect("a page");
    assert_eq!(members.entries.iter().map(|member| member.user.id).collect::<Vec<_>>(), [desk.anna.user]);
    assert_eq!(members.total_count, 1);
    let view = desk.see(made, Kind::Folder).await.expect("still there");
    assert_eq!((view.created_by.name.as_str(), view.created_by.login.as_str()), ("Ben", ""));
}

#[tokio::test]
async fn very_much_goes_in_batches() {
    let desk = Desk::new().await;
    let admin = boss(&desk).await;
    for number in 0..120 {
        desk.folder(desk.root, &format!("{number}")).await;
    }
    desk.tree.delete_user(&admin, desk.anna.user, OwnedContent::Purge).await.expect("removed");
    let mut batches = 0;
    while !desk.tree.purge_user_batch(desk.anna.user).await.expect("a batch") {
        batches += 1;
    }
    assert_eq!(batches, 3);
    finish(&desk, desk.anna.user).await;
    desk.check_books();
    // Ben's root and trash, and the administrator's.
    assert_eq!(desk.totals().items, 4);
}

#[tokio::test]
async fn what_a_removed_user_shared_is_shared_no_more() {
    let desk = Desk::new().await;
    let admin = boss(&desk).await;
    let (tree, ben) = (&desk.tree, &desk.ben);
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"hello").await.item.id;
    let shared = NewCollaboration {
        item: folder,
        invitee: Invitee::User(ben.user),
        role: Role::Editor,
        sees_path: true,
        access_only: false,
        expires_at: None,
    };
    tree.invite(&desk.anna, shared).await.expect("invited");
    tree.open(ben, file, None).await.expect("theirs to read");

    tree.delete_user(&admin, desk.anna.user, OwnedContent::Purge).await.expect("removed");
    assert!(matches!(tree.item(ben, folder, Kind::Folder).await, Err(Error::NotFound)));
    assert!(matches!(tree.open(ben, file, None).await, Err(Error::NotFound)));
    let (new, body) = (crate::desk::new_file("new"), crate::desk::body(b"new"));
    let outcome = tree.upload(ben, folder, new, crate::desk::RULE, body).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    let new = entente_tree::NewFolder::named(crate::desk::name("new"));
    let outcome = tree.create_folder(ben, folder, new, crate::desk::RULE).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    for caller in [&desk.anna, ben] {
        assert!(matches!(tree.item(caller, desk.root, Kind::Folder).await, Err(Error::NotFound)));
    }

    finish(&desk, desk.anna.user).await;
    desk.check_books();
    // What is left is the others' roots and trashes.
    let totals = desk.totals();
    assert_eq!((totals.items, totals.versions, totals.space_used_bytes), (4, 0, 0));
}
