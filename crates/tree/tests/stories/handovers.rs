//! Moves between owners: whose the content is, who may, and what is left when they end half way.

use crate::desk::{Desk, RULE, body, moved, name, new_file, pattern};
use entente_database::users::{self, UserChange};
use entente_database::{handovers, jobs};
use entente_model::{Caller, CollaborationId, ItemId, Role, UserId, UserRole};
use entente_tree::{
    CopyTo, Error, HAND_OVER_JOB, Invitee, ItemChange, Kind, ListQuery, NewCollaboration, NewFolder, OwnedContent,
    Page, Recursive, TRANSFER_JOB,
};
use futures_util::TryStreamExt;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

/// Ben's folder, in which Anna has a role.
async fn shared_by_ben(desk: &Desk, role: Role) -> ItemId {
    let root = desk.tree.root(&desk.ben).await.expect("a root");
    let made = desk.tree.create_folder(&desk.ben, root, NewFolder::named(name("ben's")), RULE).await;
    let folder = made.expect("a folder").item.id;
    give(desk, &desk.ben, folder, &desk.anna, role).await;
    folder
}

async fn give(desk: &Desk, by: &Caller, item: ItemId, to: &Caller, role: Role) -> CollaborationId {
    let invitee = Invitee::User(to.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(by, new).await.expect("invited").collaboration.id
}

async fn used(desk: &Desk, caller: &Caller) -> u64 {
    desk.tree.me(caller).await.expect("a user").space_used
}

async fn names_of(desk: &Desk, caller: &Caller, folder: ItemId) -> Vec<String> {
    let query = ListQuery::by_name(Page::After { marker: None, limit: 1_000 });
    let listing = desk.tree.list(caller, folder, query).await.expect("a listing");
    listing.entries.iter().map(|entry| entry.item.name.as_str().to_owned()).collect()
}

async fn read(desk: &Desk, caller: &Caller, file: ItemId) -> Vec<u8> {
    let opened = desk.tree.open(caller, file, None).await.expect("opened");
    let content = desk.tree.open_content(opened.content).expect("a content");
    desk.tree.read_content(content, 0..opened.size).map_ok(|bytes| bytes.to_vec()).try_concat().await.expect("read")
}

/// Whose the contents of all versions of a file are.
fn owners(desk: &Desk, file: ItemId) -> Vec<UserId> {
    let held = desk.stage.database.read(|tx| handovers::holdings(tx, file, 0, 1_000)).expect("holdings");
    held.iter().map(|holding| holding.owner).collect()
}

fn is_queued(desk: &Desk, kind: &str, key: &str) -> bool {
    desk.stage.database.read(|tx| jobs::is_queued(tx, kind, key)).expect("jobs")
}

async fn limit(desk: &Desk, user: UserId, bytes: u64) {
    let (change, now) =
        (UserChange { space_limit: Some(Some(bytes)), ..UserChange::default() }, desk.stage.world.now());
    let changed = desk.stage.database.transact("limit", move |tx| users::update(tx, user, &change, now)).await;
    changed.expect("limited");
}

#[tokio::test]
async fn a_file_becomes_its_folders_owners() {
    let desk = Desk::new().await;
    let folder = shared_by_ben(&desk, Role::Editor).await;
    let file = desk.file(desk.root, "file", &pattern(5_000)).await.item.id;
    desk.version(file, &pattern(3_000)).await;
    let stored = desk.stage.backend.total_bytes();
    let view = desk.update(file, Kind::File, moved(folder)).await.expect("moved");
    assert_eq!((view.owner.id, view.item.parent), (desk.ben.user, Some(folder)));
    assert_eq!((used(&desk, &desk.anna).await, used(&desk, &desk.ben).await), (0, 8_000));
    assert_eq!(owners(&desk, file), [desk.ben.user; 2]);
    assert_eq!(desk.stage.backend.total_bytes(), stored, "no byte has moved");
    assert_eq!(desk.content(file).await, pattern(3_000));
    assert_eq!(names_of(&desk, &desk.anna, desk.root).await, ["ben's"]);
    desk.check_books();
    // It goes with its folder's roles.
    assert!(desk.tree.open(&desk.ben, file, None).await.is_ok());
}

#[tokio::test]
async fn what_is_shared_with_other_files_is_copied() {
    let desk = Desk::new().await;
    let folder = shared_by_ben(&desk, Role::Editor).await;
    let file = desk.file(desk.root, "file", &pattern(5_000)).await.item.id;
    let to = CopyTo { parent: desk.root, name: Some(name("copy")), version: None };
    let copy = desk.tree.copy(&desk.anna, file, Kind::File, to, RULE).await.expect("copied").item.id;
    let view = desk.update(copy, Kind::File, moved(folder)).await.expect("moved");
    assert_eq!((view.owner.id, view.item.name.as_str()), (desk.ben.user, "copy"));
    assert_eq!((owners(&desk, file), owners(&desk, copy)), (vec![desk.anna.user], vec![desk.ben.user]));
    assert_eq!((used(&desk, &desk.anna).await, used(&desk, &desk.ben).await), (5_000, 5_000));
    desk.check_books();
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    assert_eq!(read(&desk, &desk.ben, copy).await, pattern(5_000));
    assert!(!is_queued(&desk, HAND_OVER_JOB, &copy.to_string()));

    // Versions that share a content among themselves need no copy.
    let own = desk.file(desk.root, "own", b"first").await;
    let first = own.version.expect("a version").id;
    desk.version(own.item.id, b"second").await;
    desk.tree.promote(&desk.anna, own.item.id, first, RULE).await.expect("promoted");
    let contents = desk.totals().contents;
    desk.update(own.item.id, Kind::File, moved(folder)).await.expect("moved");
    assert_eq!((desk.totals().contents, owners(&desk, own.item.id)), (contents, vec![desk.ben.user; 3]));
    assert_eq!(used(&desk, &desk.anna).await, 0);
    desk.check_books();
}

#[tokio::test]
async fn who_may_not_take_it_away_or_put_it_there_does_not() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let folder = shared_by_ben(&desk, Role::Viewer).await;
    let outcome = desk.update(file, Kind::File, moved(folder)).await;
    assert!(matches!(outcome, Err(Error::Forbidden)), "{outcome:?}");
    let ben_root = desk.tree.root(&desk.ben).await.expect("a root");
    let outcome = desk.update(file, Kind::File, moved(ben_root)).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");

    // Out of somebody else's folder: who may delete there. Not what was shared itself.
    let mine = desk.folder(desk.root, "mine").await;
    let inner = desk.file(mine, "inner", b"y").await.item.id;
    give(&desk, &desk.anna, mine, &desk.ben, Role::ViewerUploader).await;
    let outcome = desk.tree.update(&desk.ben, inner, Kind::File, moved(ben_root), RULE).await;
    assert!(matches!(outcome, Err(Error::Forbidden)), "{outcome:?}");
    let outcome = desk.tree.update(&desk.ben, mine, Kind::Folder, moved(ben_root), RULE).await;
    assert!(matches!(outcome, Err(Error::Forbidden)), "{outcome:?}");
    give(&desk, &desk.anna, file, &desk.ben, Role::Editor).await;
    let outcome = desk.tree.update(&desk.ben, file, Kind::File, moved(ben_root), RULE).await;
    assert!(matches!(outcome, Err(Error::Forbidden)), "{outcome:?}");
    assert_eq!((used(&desk, &desk.anna).await, used(&desk, &desk.ben).await), (2, 0));

    // Between enterprises nothing goes.
    let stranger = desk.stage.outsider("zoe@example.org", "Zoe").await;
    let stranger = desk.stage.caller(stranger, UserRole::User);
    let outcome = desk.tree.update(&stranger, file, Kind::File, moved(ben_root), RULE).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    desk.check_books();
}

#[tokio::test]
async fn names_sequences_and_space_are_looked_at_first() {
    let desk = Desk::new().await;
    let folder = shared_by_ben(&desk, Role::Editor).await;
    desk.file(folder, "file", b"in the way").await;
    let file = desk.file(desk.root, "file", &pattern(400)).await.item.id;
    let outcome = desk.update(file, Kind::File, moved(folder)).await;
    assert!(matches!(outcome, Err(Error::NameInUse { .. })), "{outcome:?}");
    let change = ItemChange { name: Some(name("other")), if_match: Some(7), ..moved(folder) };
    let outcome = desk.update(file, Kind::File, change.clone()).await;
    assert!(matches!(outcome, Err(Error::PreconditionFailed)), "{outcome:?}");
    limit(&desk, desk.ben.user, 409).await;
    let change = ItemChange { if_match: None, ..change };
    let outcome = desk.update(file, Kind::File, change.clone()).await;
    assert!(matches!(outcome, Err(Error::QuotaExceeded)), "{outcome:?}");
    assert_eq!(desk.names(desk.root).await, ["ben's", "file"]);
    limit(&desk, desk.ben.user, 410).await;
    let view = desk.update(file, Kind::File, change).await.expect("moved");
    assert_eq!((view.item.name.as_str(), view.owner.id), ("other", desk.ben.user));
    desk.check_books();
}

/// A folder with more below it than one transaction takes, some of which is shared with what stays.
async fn much(desk: &Desk) -> ItemId {
    let much = desk.folder(desk.root, "much").await;
    let stays = desk.file(desk.root, "stays", &pattern(700)).await.item.id;
    for part in 0..3 {
        let inner = desk.folder(much, &format!("{part}")).await;
        for file in 0..220 {
            desk.file(inner, &format!("{file}"), b"12345").await;
        }
        let to = CopyTo { parent: inner, name: Some(name("shared")), version: None };
        desk.tree.copy(&desk.anna, stays, Kind::File, to, RULE).await.expect("copied");
    }
    much
}

/// What `much` has below it, in bytes.
const MUCH: u64 = 3 * (220 * 5 + 700);

async fn check_much(desk: &Desk, caller: &Caller, much: ItemId) {
    assert_eq!(desk.tree.item(caller, much, Kind::Folder).await.expect("there").owner.id, caller.user);
    assert_eq!(used(desk, caller).await, MUCH);
    let parts = names_of(desk, caller, much).await;
    assert_eq!(parts, ["0", "1", "2"]);
    desk.check_books();
}

#[tokio::test]
async fn much_goes_in_stages() {
    let desk = Desk::new().await;
    let folder = shared_by_ben(&desk, Role::Editor).await;
    let much = much(&desk).await;
    limit(&desk, desk.ben.user, MUCH - 1).await;
    let outcome = desk.update(much, Kind::Folder, moved(folder)).await;
    assert!(matches!(outcome, Err(Error::QuotaExceeded)), "{outcome:?}");
    limit(&desk, desk.ben.user, MUCH).await;
    let view = desk.update(much, Kind::Folder, moved(folder)).await.expect("moved");
    assert_eq!((view.owner.id, view.item.parent), (desk.ben.user, Some(folder)));
    check_much(&desk, &desk.ben, much).await;
    assert_eq!(used(&desk, &desk.anna).await, 700);
    assert!(!is_queued(&desk, HAND_OVER_JOB, &much.to_string()));
    // Nothing that is done twice does harm.
    desk.tree.finish_handover(much).await.expect("nothing to do");
    check_much(&desk, &desk.ben, much).await;
}

/// Polls a future until it is done, or `enough` says so: then it is dropped.
async fn polled_until<F: Future>(future: F, enough: impl Fn() -> bool) -> bool {
    let mut future = pin!(future);
    loop {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        if enough() {
            return false;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_move_that_is_cut_off_is_finished_by_a_job() {
    let mut cut = 0;
    for bytes in [0, 1, 2_000, MUCH - 700] {
        let desk = Desk::new().await;
        let folder = shared_by_ben(&desk, Role::Editor).await;
        let much = much(&desk).await;
        let on_its_way = || desk.stage.database.read(|tx| handovers::of(tx, much)).expect("a read").is_some();
        let charged = || {
            let user = desk.ben.user;
            desk.stage.database.read(|tx| users::by_id(tx, user)).expect("a read").expect("ben").space_used
        };
        let update = desk.update(much, Kind::Folder, moved(folder));
        cut += u32::from(!polled_until(update, || on_its_way() && charged() >= bytes).await);
        // What it had queued when it was dropped may still run, beside the job.
        if on_its_way() {
            assert!(matches!(desk.see(much, Kind::Folder).await, Err(Error::NotFound)));
            assert!(is_queued(&desk, HAND_OVER_JOB, &much.to_string()));
        }
        let (one, other) = tokio::join!(desk.tree.finish_handover(much), desk.tree.finish_handover(much));
        one.and(other).expect("finished");
        check_much(&desk, &desk.ben, much).await;
        assert_eq!(used(&desk, &desk.anna).await, 700);
    }
    assert!(cut >= 3, "{cut}");
}

#[tokio::test]
async fn what_cannot_go_where_it_was_to_goes_elsewhere() {
    // Its folder is gone; its name is taken; its new owner is gone.
    for case in 0..3 {
        let desk = Desk::new().await;
        let folder = shared_by_ben(&desk, Role::Editor).await;
        let ben_root = desk.tree.root(&desk.ben).await.expect("a root");
        let much = much(&desk).await;
        let on_its_way = || desk.stage.database.read(|tx| handovers::of(tx, much)).expect("a read").is_some();
        if polled_until(desk.update(much, Kind::Folder, moved(folder)), on_its_way).await {
            panic!("it was not cut off");
        }
        match case {
            0 => {
                let trashed = desk.tree.trash_item(&desk.ben, folder, Kind::Folder, Recursive::Yes, None);
                trashed.await.expect("trashed");
            }
            1 => {
                let made = desk.tree.create_folder(&desk.ben, folder, NewFolder::named(name("Much")), RULE);
                made.await.expect("made");
            }
            _ => {
                let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
                let admin = desk.stage.caller(admin, UserRole::Admin);
                desk.tree.delete_user(&admin, desk.ben.user, OwnedContent::Purge).await.expect("removed");
            }
        }
        desk.tree.finish_handover(much).await.expect("finished");
        let owner = if case == 2 { &desk.anna } else { &desk.ben };
        let view = desk.tree.item(owner, much, Kind::Folder).await.expect("there");
        let expected = [(ben_root, "much"), (folder, "much (1)"), (desk.root, "much")][case];
        assert_eq!((view.item.parent, view.item.name.as_str()), (Some(expected.0), expected.1), "{case}");
        let kept = if case == 2 { MUCH + 700 } else { MUCH };
        assert_eq!(used(&desk, owner).await, kept, "{case}");
        desk.check_books();
    }
}

#[tokio::test]
async fn versions_that_are_removed_on_the_way_are_counted_once() {
    let desk = Desk::new().await;
    let folder = shared_by_ben(&desk, Role::Editor).await;
    let much = much(&desk).await;
    let inner = desk.folder(much, "versions").await;
    for file in 0..40 {
        let file = desk.file(inner, &format!("{file}"), b"old").await;
        let old = file.version.expect("a version").id;
        desk.version(file.item.id, b"newer").await;
        desk.tree.remove_version(&desk.anna, file.item.id, old).await.expect("removed");
    }
    let charged = || {
        let user = desk.ben.user;
        desk.stage.database.read(|tx| users::by_id(tx, user)).expect("a read").expect("ben").space_used
    };
    let done = polled_until(desk.update(much, Kind::Folder, moved(folder)), || charged() > 0).await;
    assert!(!done, "it was not cut off");
    let late = entente_model::Timestamp::from_millis(i64::MAX / 2);
    while !desk.tree.purge_versions(late, 7).await.expect("purged") {
        desk.check_books();
    }
    desk.tree.finish_handover(much).await.expect("finished");
    assert_eq!((used(&desk, &desk.anna).await, used(&desk, &desk.ben).await), (700, MUCH + 40 * 5));
    desk.check_books();
}

#[tokio::test]
async fn everything_of_a_users_goes_to_another() {
    let desk = Desk::new().await;
    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    let much = much(&desk).await;
    for number in 0..60 {
        desk.folder(desk.root, &format!("folder {number}")).await;
    }
    let deep = desk.folder(much, "deep").await;
    let shared = give(&desk, &desk.anna, deep, &desk.ben, Role::Viewer).await;
    let (anna, ben) = (desk.anna.user, desk.ben.user);
    for (caller, from, to) in [(&desk.anna, anna, ben), (&desk.ben, anna, ben)] {
        let outcome = desk.tree.transfer_content(caller, from, to).await;
        assert!(matches!(outcome, Err(Error::Forbidden | Error::NotFound)), "{outcome:?}");
    }
    let outcome = desk.tree.transfer_content(&admin, anna, anna).await;
    assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    let stranger = desk.stage.outsider("zoe@example.org", "Zoe").await;
    for (from, to) in [(anna, stranger), (stranger, ben), (anna, UserId::new(77))] {
        let outcome = desk.tree.transfer_content(&admin, from, to).await;
        assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    }

    let view = desk.tree.transfer_content(&admin, anna, ben).await.expect("transferred");
    assert_eq!(view.item.name.as_str(), "anna@example.com - Anna's Files and Folders");
    assert!(names_of(&desk, &desk.anna, desk.root).await.is_empty());
    assert_eq!(names_of(&desk, &desk.ben, view.item.id).await.len(), 62);
    assert_eq!((used(&desk, &desk.anna).await, used(&desk, &desk.ben).await), (0, MUCH + 700));
    assert!(!is_queued(&desk, TRANSFER_JOB, &anna.to_string()));
    // A role below stays; nothing of it is Anna's any more.
    assert!(desk.tree.collaboration(&desk.ben, shared).await.is_ok());
    assert!(matches!(desk.see(much, Kind::Folder).await, Err(Error::NotFound)));
    desk.check_books();

    // Again, with nothing left: another folder beside it.
    let again = desk.tree.transfer_content(&admin, anna, ben).await.expect("transferred");
    assert_eq!(again.item.name.as_str(), "anna@example.com - Anna's Files and Folders (2)");
}

#[tokio::test]
async fn a_transfer_that_is_cut_off_goes_on() {
    let desk = Desk::new().await;
    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    for number in 0..60 {
        desk.file(desk.root, &format!("{number}"), b"12345").await;
    }
    let (anna, ben) = (desk.anna.user, desk.ben.user);
    let charged = || desk.stage.database.read(|tx| users::by_id(tx, ben)).expect("a read").expect("ben").space_used;
    let done = polled_until(desk.tree.transfer_content(&admin, anna, ben), || charged() >= 20).await;
    assert!(!done, "it was not cut off");
    assert!(is_queued(&desk, TRANSFER_JOB, &anna.to_string()));
    let ben_root = desk.tree.root(&desk.ben).await.expect("a root");
    let children = desk.stage.database.read(|tx| entente_database::items::some_children(tx, ben_root, 2));
    let folder = children.expect("children")[0].0;
    while !desk.tree.transfer_rest(anna, folder).await.expect("goes on") {}
    assert_eq!(names_of(&desk, &desk.ben, folder).await.len(), 60);
    assert_eq!((used(&desk, &desk.anna).await, used(&desk, &desk.ben).await), (0, 300));
    assert!(!is_queued(&desk, TRANSFER_JOB, &anna.to_string()));
    desk.check_books();
}

#[tokio::test]
async fn an_item_is_given_to_who_has_a_role_on_it() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"12345").await.item.id;
    let given = give(&desk, &desk.anna, folder, &desk.ben, Role::Viewer).await;
    let inner = give(&desk, &desk.anna, file, &desk.ben, Role::Editor).await;
    let outcome = desk.tree.give_item(&desk.ben, given).await;
    assert!(matches!(outcome, Err(Error::Forbidden)), "{outcome:?}");
    let outcome = desk.tree.give_item(&desk.anna, inner).await;
    assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    let stranger = desk.stage.outsider("zoe@example.org", "Zoe").await;
    let stranger = desk.stage.caller(stranger, UserRole::User);
    let outcome = desk.tree.give_item(&stranger, given).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");

    let ben_root = desk.tree.root(&desk.ben).await.expect("a root");
    let uploaded = desk.tree.upload(&desk.ben, ben_root, new_file("Folder"), RULE, body(b"")).await;
    let in_the_way = uploaded.expect("uploaded").item.id;
    let outcome = desk.tree.give_item(&desk.anna, given).await;
    assert!(matches!(outcome, Err(Error::NameInUse { .. })), "{outcome:?}");
    let change = ItemChange { name: Some(name("aside")), ..ItemChange::default() };
    desk.tree.update(&desk.ben, in_the_way, Kind::File, change, RULE).await.expect("renamed");
    let view = desk.tree.give_item(&desk.anna, given).await.expect("given");
    assert_eq!((view.owner.id, view.item.parent), (desk.ben.user, Some(ben_root)));
    assert_eq!((used(&desk, &desk.anna).await, used(&desk, &desk.ben).await), (0, 5));
    // Who gave it away manages it still, and finds it in their root.
    assert_eq!(desk.names(desk.root).await, ["folder"]);
    let roles = desk.tree.collaborations_of_item(&desk.anna, (folder, Kind::Folder), None, 10).await.expect("roles");
    let roles: Vec<Role> = roles.entries.iter().map(|one| one.collaboration.role).collect();
    assert_eq!(roles, [Role::CoOwner]);
    desk.check_books();
}
