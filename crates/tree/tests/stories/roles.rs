//! Collaborations: what each role lets people do, where what is shared stands, and how roles come and go.

use crate::desk::{Desk, RULE, body, moved, name, new_file, new_version, pattern, renamed};
use entente_database::collaborations::{self, Collaborator};
use entente_model::{Caller, ItemId, Role, Scopes, UserId, UserRole};
use entente_tree::{
    CollaborationChange, CollaborationStatus, CollaborationView, CopyTo, Error, FolderSettingsChange, Invitee,
    ItemChange, Kind, ListQuery, NewCollaboration, NewFolder, NewVersion, Page, Recursive, RestoreTo, SortBy,
    SortOrder, UploadInto,
};
use futures_util::TryStreamExt;
use std::time::Duration;

fn new(item: ItemId, invitee: Invitee, role: Role) -> NewCollaboration {
    NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None }
}

async fn give(desk: &Desk, item: ItemId, to: &Caller, role: Role) -> CollaborationView {
    let new = new(item, Invitee::User(to.user), role);
    desk.tree.invite(&desk.anna, new).await.expect("invited")
}

async fn root_names(desk: &Desk, caller: &Caller) -> Vec<String> {
    let root = desk.tree.root(caller).await.expect("a root");
    let query = ListQuery::by_name(Page::After { marker: None, limit: 100 });
    let listing = desk.tree.list(caller, root, query).await.expect("a listing");
    listing.entries.iter().map(|entry| entry.item.name.as_str().to_owned()).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "outcomes are handed over as they come")]
fn outcome<T>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Ok(_) => "yes",
        Err(Error::Forbidden) => "no",
        Err(Error::NotFound) => "-",
        Err(_) => "?",
    }
}

#[tokio::test]
async fn each_role_does_what_it_says_and_no_more() {
    let expected = [
        // see, open, upload, version, folder, rename, trash, copy within
        (Role::Uploader, ["yes", "no", "yes", "yes", "yes", "no", "no", "no"]),
        (Role::Previewer, ["yes", "no", "no", "no", "no", "no", "no", "no"]),
        (Role::Viewer, ["yes", "yes", "no", "no", "no", "no", "no", "no"]),
        (Role::PreviewerUploader, ["yes", "no", "yes", "yes", "yes", "no", "no", "no"]),
        (Role::ViewerUploader, ["yes", "yes", "yes", "yes", "yes", "no", "no", "yes"]),
        (Role::Editor, ["yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes"]),
        (Role::CoOwner, ["yes", "yes", "yes", "yes", "yes", "yes", "yes", "yes"]),
    ];
    for (role, wanted) in expected {
        let desk = Desk::new().await;
        let shared = desk.folder(desk.root, "shared").await;
        let below = desk.folder(shared, "below").await;
        let file = desk.file(below, "file", b"x").await.item.id;
        let tree = &desk.tree;
        assert_eq!(outcome(tree.item(&desk.ben, file, Kind::File).await), "-");
        give(&desk, shared, &desk.ben, role).await;
        let ben = &desk.ben;
        let seen = [
            outcome(tree.item(ben, file, Kind::File).await),
            outcome(tree.open(ben, file, None).await),
            outcome(tree.upload(ben, below, new_file("g"), RULE, body(b"y")).await),
            outcome(tree.upload_version(ben, file, new_version(), RULE, body(b"z")).await),
            outcome(tree.create_folder(ben, below, NewFolder::named(name("h")), RULE).await),
            outcome(tree.update(ben, file, Kind::File, renamed("i"), RULE).await),
            outcome(tree.trash_item(ben, file, Kind::File, Recursive::No, None).await),
            "",
        ];
        let other = desk.file(below, "other", b"x").await.item.id;
        let to = CopyTo { parent: below, name: Some(name("copy")), version: None };
        let copied = outcome(tree.copy(ben, other, Kind::File, to, RULE).await);
        let seen = [seen[0], seen[1], seen[2], seen[3], seen[4], seen[5], seen[6], copied];
        assert_eq!(seen, wanted, "{role:?}");
        // What is above and beside it stays unknown, and all of it its owner's.
        assert_eq!(outcome(tree.item(ben, desk.root, Kind::Folder).await), "-");
        assert_eq!(desk.tree.me(ben).await.expect("a user").space_used, 0);
        desk.check_books();
    }
}

#[tokio::test]
async fn roles_along_the_way_are_taken_together() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let below = desk.folder(shared, "below").await;
    let file = desk.file(below, "file", b"x").await.item.id;
    give(&desk, shared, &desk.ben, Role::Uploader).await;
    assert_eq!(outcome(desk.tree.open(&desk.ben, file, None).await), "no");
    give(&desk, file, &desk.ben, Role::Viewer).await;
    desk.tree.open(&desk.ben, file, None).await.expect("opened");
    desk.tree.upload_version(&desk.ben, file, new_version(), RULE, body(b"y")).await.expect("by the folder's role");
    let other = desk.file(below, "other", b"x").await.item.id;
    assert_eq!(outcome(desk.tree.open(&desk.ben, other, None).await), "no");
    // A credential that may only read stays one.
    let reader = Caller { scopes: Scopes::READ, ..desk.ben.clone() };
    assert_eq!(outcome(desk.tree.open(&reader, file, None).await), "no");
    // So does one that is confined to another item.
    let confined = Caller { confined: Some(other), ..desk.ben.clone() };
    assert_eq!(outcome(desk.tree.open(&confined, file, None).await), "-");
    desk.tree.item(&confined, other, Kind::File).await.expect("seen");
}

#[tokio::test]
async fn what_is_shared_stands_in_the_root_without_what_is_above_it() {
    let desk = Desk::new().await;
    let secret = desk.folder(desk.root, "secret").await;
    let shared = desk.folder(secret, "m shared").await;
    let below = desk.folder(shared, "below").await;
    let ben_root = desk.tree.root(&desk.ben).await.expect("a root");
    for own in ["a own", "z own"] {
        let new = NewFolder::named(name(own));
        desk.tree.create_folder(&desk.ben, ben_root, new, RULE).await.expect("a folder");
    }
    assert_eq!(root_names(&desk, &desk.ben).await, ["a own", "z own"]);
    give(&desk, shared, &desk.ben, Role::Editor).await;
    give(&desk, below, &desk.ben, Role::Viewer).await;
    assert_eq!(root_names(&desk, &desk.ben).await, ["a own", "m shared", "z own"]);
    let names = |view: &entente_tree::ItemView| -> Vec<String> {
        view.path.iter().skip(1).map(|entry| entry.name.as_str().to_owned()).collect()
    };
    let seen = desk.tree.item(&desk.ben, shared, Kind::Folder).await.expect("seen");
    assert_eq!((names(&seen), seen.path.len()), (vec![], 1));
    let seen = desk.tree.item(&desk.ben, below, Kind::Folder).await.expect("seen");
    assert_eq!(names(&seen), ["m shared"]);
    let made = desk.tree.create_folder(&desk.ben, below, NewFolder::named(name("c")), RULE).await.expect("made");
    assert_eq!(names(&made), ["m shared", "below"]);
    assert_eq!(made.owner.id, desk.anna.user);
    assert_eq!(made.created_by.id, desk.ben.user);
    // Its owner sees all of the way, and nobody's root gains anything.
    assert_eq!(names(&desk.see(below, Kind::Folder).await.expect("seen")), ["secret", "m shared"]);
    assert_eq!(root_names(&desk, &desk.anna).await, ["secret"]);
    desk.check_books();
}

#[tokio::test]
async fn the_path_is_shown_to_whom_it_may_be() {
    let desk = Desk::new().await;
    let above = desk.folder(desk.root, "above").await;
    let shared = desk.folder(above, "shared").await;
    let new = NewCollaboration { sees_path: true, ..new(shared, Invitee::User(desk.ben.user), Role::Viewer) };
    desk.tree.invite(&desk.anna, new).await.expect("invited");
    let seen = desk.tree.item(&desk.ben, shared, Kind::Folder).await.expect("seen");
    let names: Vec<_> = seen.path.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["All Files", "above"]);
    assert_eq!(outcome(desk.tree.item(&desk.ben, above, Kind::Folder).await), "-");
}

/// However pages are asked for, they say the same as one large page.
#[tokio::test]
async fn pages_of_a_root_with_items_of_others_fit_together() {
    let desk = Desk::new().await;
    let ben_root = desk.tree.root(&desk.ben).await.expect("a root");
    for number in 0..7 {
        let new = NewFolder::named(name(&format!("{} own", number * 3)));
        desk.tree.create_folder(&desk.ben, ben_root, new, RULE).await.expect("a folder");
        let folder = desk.folder(desk.root, &format!("{} shared", number * 2)).await;
        give(&desk, folder, &desk.ben, Role::Viewer).await;
    }
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    give(&desk, file, &desk.ben, Role::Viewer).await;
    let ids = |listing: &entente_tree::Listing| listing.entries.iter().map(|view| view.item.id).collect::<Vec<_>>();
    let list = |query: ListQuery| desk.tree.list(&desk.ben, ben_root, query);
    for order in [SortOrder::Ascending, SortOrder::Descending] {
        for by in [SortBy::Name, SortBy::Date, SortBy::Size, SortBy::Id] {
            let at = |offset, limit| ListQuery { order: (by, order), page: Page::Offset { offset, limit } };
            let whole = list(at(0, 100)).await.expect("a listing");
            assert_eq!((whole.entries.len(), whole.total_count), (15, Some(15)), "{by:?}");
            let mut paged = Vec::new();
            for offset in (0..18).step_by(4) {
                paged.extend(ids(&list(at(offset, 4)).await.expect("a page")));
            }
            assert_eq!(paged, ids(&whole), "{by:?} {order:?}");
        }
    }
    let whole = ids(&list(ListQuery::by_name(Page::After { marker: None, limit: 100 })).await.expect("a listing"));
    let (mut paged, mut marker) = (Vec::new(), None);
    loop {
        let page = list(ListQuery::by_name(Page::After { marker, limit: 4 })).await.expect("a page");
        paged.extend(ids(&page));
        marker = page.next;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(paged, whole);
    assert_eq!(whole.len(), 15);
}

#[tokio::test]
async fn who_may_invite_whom() {
    let desk = Desk::new().await;
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = desk.stage.caller(carol, UserRole::User);
    let shared = desk.folder(desk.root, "shared").await;
    let invite = |by: &Caller, to: &Caller, role| {
        let (tree, by, new) = (desk.tree.clone(), by.clone(), new(shared, Invitee::User(to.user), role));
        async move { tree.invite(&by, new).await }
    };
    assert_eq!(outcome(invite(&desk.ben, &carol, Role::Viewer).await), "-");
    let given = give(&desk, shared, &desk.ben, Role::Viewer).await.collaboration;
    assert_eq!(given.status, CollaborationStatus::Accepted);
    assert_eq!(outcome(invite(&desk.ben, &carol, Role::Viewer).await), "no");
    let change = |role| CollaborationChange { role: Some(role), ..CollaborationChange::default() };
    assert_eq!(outcome(desk.tree.change_collaboration(&desk.ben, given.id, change(Role::Editor)).await), "no");
    desk.tree.change_collaboration(&desk.anna, given.id, change(Role::Editor)).await.expect("changed");
    assert_eq!(outcome(invite(&desk.ben, &carol, Role::CoOwner).await), "no");
    let of_carol = invite(&desk.ben, &carol, Role::Editor).await.expect("invited").collaboration;
    let again = invite(&desk.anna, &carol, Role::Viewer).await;
    assert!(matches!(again, Err(Error::AlreadyCollaborator)), "{again:?}");
    let owner = invite(&desk.ben, &desk.anna, Role::Viewer).await;
    assert!(matches!(owner, Err(Error::AlreadyCollaborator)), "{owner:?}");
    // An editor takes nobody's role away but their own.
    assert_eq!(outcome(desk.tree.remove_collaboration(&carol, given.id).await), "no");
    assert_eq!(outcome(desk.tree.change_collaboration(&desk.ben, of_carol.id, change(Role::Viewer)).await), "no");
    desk.tree.remove_collaboration(&carol, of_carol.id).await.expect("left");
    assert_eq!(outcome(desk.tree.item(&carol, shared, Kind::Folder).await), "-");
    assert_eq!(outcome(desk.tree.collaboration(&carol, given.id).await), "-");
    desk.tree.remove_collaboration(&desk.anna, given.id).await.expect("removed");
    assert_eq!(outcome(desk.tree.item(&desk.ben, shared, Kind::Folder).await), "-");
    let unknown = new(shared, Invitee::User(UserId::new(77)), Role::Viewer);
    assert_eq!(outcome(desk.tree.invite(&desk.anna, unknown).await), "-");
    let root = new(desk.root, Invitee::User(desk.ben.user), Role::Viewer);
    assert_eq!(outcome(desk.tree.invite(&desk.anna, root).await), "no");
}

#[tokio::test]
async fn who_is_invited_before_they_are_a_user_has_the_role_once_they_are() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let invitation = new(shared, Invitee::Login("Dora@Example.com".to_owned()), Role::Viewer);
    let given = desk.tree.invite(&desk.anna, invitation.clone()).await.expect("invited").collaboration;
    assert_eq!(given.status, CollaborationStatus::Pending);
    let again = desk.tree.invite(&desk.anna, invitation).await;
    assert!(matches!(again, Err(Error::AlreadyCollaborator)), "{again:?}");
    let dora = desk.stage.person("dora@example.com", "Dora", UserRole::User).await;
    let dora = desk.stage.caller(dora, UserRole::User);
    assert_eq!(outcome(desk.tree.item(&dora, shared, Kind::Folder).await), "-");
    let pending = desk.tree.pending_collaborations(&dora, 0, 10).await.expect("a page");
    assert_eq!((pending.entries.len(), pending.total_count), (1, Some(1)));
    assert!(pending.entries[0].item.is_none());
    let say = |status| CollaborationChange { status: Some(status), ..CollaborationChange::default() };
    let accept = say(CollaborationStatus::Accepted);
    assert_eq!(outcome(desk.tree.change_collaboration(&desk.anna, given.id, accept.clone()).await), "no");
    assert_eq!(outcome(desk.tree.change_collaboration(&desk.ben, given.id, accept.clone()).await), "-");
    let accepted = desk.tree.change_collaboration(&dora, given.id, accept).await.expect("accepted");
    assert_eq!(accepted.collaboration.with, Collaborator::User(dora.user));
    assert!(accepted.item.is_some());
    desk.tree.item(&dora, shared, Kind::Folder).await.expect("seen");
    let late = desk.tree.change_collaboration(&dora, given.id, say(CollaborationStatus::Rejected)).await;
    assert!(matches!(late, Err(Error::Invalid(_))), "{late:?}");
    assert_eq!(root_names(&desk, &dora).await, ["shared"]);
}

#[tokio::test]
async fn a_role_ends_when_it_is_to() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let soon = desk.stage.world.now().after(Duration::from_secs(1));
    let timed = NewCollaboration { expires_at: Some(soon), ..new(shared, Invitee::User(desk.ben.user), Role::Viewer) };
    let past = NewCollaboration { expires_at: Some(desk.stage.world.now()), ..timed.clone() };
    assert!(matches!(desk.tree.invite(&desk.anna, past).await, Err(Error::Invalid(_))));
    desk.tree.invite(&desk.anna, timed).await.expect("invited");
    let ben = desk.ben.user;
    assert!(!desk.tree.expire_collaborations().await.expect("looked"));
    desk.tree.item(&desk.ben, shared, Kind::Folder).await.expect("seen");
    let set = move |tx: &mut entente_database::Tx<'_>| {
        let mut row = collaborations::of(tx, shared, &Collaborator::User(ben))?.expect("there");
        row.expires_at = Some(entente_model::Timestamp::from_millis(1));
        collaborations::update(tx, &row)
    };
    desk.stage.database.transact("let time pass", set).await.expect("set");
    assert!(!desk.tree.expire_collaborations().await.expect("looked"));
    assert_eq!(outcome(desk.tree.item(&desk.ben, shared, Kind::Folder).await), "-");
}

#[tokio::test]
async fn the_trash_is_its_owners_and_comes_back_with_its_roles() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let file = desk.file(shared, "file", b"x").await.item.id;
    give(&desk, shared, &desk.ben, Role::Editor).await;
    desk.tree.trash_item(&desk.ben, file, Kind::File, Recursive::No, None).await.expect("trashed");
    // It is no longer below what is shared.
    assert_eq!(outcome(desk.tree.trashed(&desk.ben, file, Kind::File).await), "-");
    assert_eq!(outcome(desk.tree.item(&desk.ben, file, Kind::File).await), "-");
    desk.tree.trashed(&desk.anna, file, Kind::File).await.expect("in the owner's trash");
    desk.trash(shared, Kind::Folder).await;
    let gone = desk.tree.item(&desk.ben, shared, Kind::Folder).await;
    assert!(matches!(gone, Err(Error::Trashed)), "{gone:?}");
    assert_eq!(outcome(desk.tree.purge(&desk.ben, shared, Kind::Folder).await), "-");
    assert_eq!(root_names(&desk, &desk.ben).await, Vec::<String>::new());
    desk.tree.restore(&desk.anna, shared, Kind::Folder, Default::default(), RULE).await.expect("restored");
    desk.tree.item(&desk.ben, shared, Kind::Folder).await.expect("seen again");
    // Nothing leaves its owner by a move.
    let own = desk.tree.root(&desk.ben).await.expect("a root");
    assert_eq!(outcome(desk.tree.update(&desk.ben, shared, Kind::Folder, moved(own), RULE).await), "no");
    desk.trash(shared, Kind::Folder).await;
    desk.tree.purge(&desk.anna, shared, Kind::Folder).await.expect("purged");
    desk.finish_purge(shared).await;
    let left = move |tx: &mut entente_database::Tx<'_>| collaborations::count_of_item(tx, shared);
    assert_eq!(desk.stage.database.read(left).expect("counted"), 0);
    desk.check_books();
}

#[tokio::test]
async fn a_copy_for_another_owner_is_theirs_byte_by_byte() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let content = pattern(300_000);
    let file = desk.file(shared, "file", &content).await.item.id;
    let tags = ItemChange { tags: Some(vec!["red".to_owned()]), ..ItemChange::default() };
    desk.update(file, Kind::File, tags).await.expect("tagged");
    let own = desk.tree.root(&desk.ben).await.expect("a root");
    let to = || CopyTo { parent: own, name: None, version: None };
    let copy = |by: &Caller| {
        let (tree, by) = (desk.tree.clone(), by.clone());
        async move { tree.copy(&by, file, Kind::File, to(), RULE).await }
    };
    assert_eq!(outcome(copy(&desk.ben).await), "-");
    let given = give(&desk, shared, &desk.ben, Role::Previewer).await.collaboration;
    assert_eq!(outcome(copy(&desk.ben).await), "no");
    let change = CollaborationChange { role: Some(Role::Viewer), ..CollaborationChange::default() };
    desk.tree.change_collaboration(&desk.anna, given.id, change).await.expect("changed");
    let copied = copy(&desk.ben).await.expect("copied");
    assert_eq!((copied.owner.id, copied.item.tags.as_slice()), (desk.ben.user, ["red".to_owned()].as_slice()));
    assert_eq!(desk.tree.me(&desk.ben).await.expect("a user").space_used, 300_000);
    let again = copy(&desk.ben).await;
    assert!(matches!(again, Err(Error::NameInUse { .. })), "{again:?}");
    // What becomes of the one is nothing to the other.
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    desk.finish_purge(file).await;
    let opened = desk.tree.open(&desk.ben, copied.item.id, None).await.expect("opened");
    let read = desk.tree.read_content(desk.tree.open_content(opened.content).expect("a content"), 0..300_000);
    let read: Vec<u8> = read.map_ok(|bytes| bytes.to_vec()).try_concat().await.expect("read");
    assert!(read == content, "the copy has other bytes");
    desk.check_books();
}

#[tokio::test]
async fn what_was_trashed_comes_back_to_its_owner_alone() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    give(&desk, shared, &desk.ben, Role::Editor).await;
    let own = desk.tree.root(&desk.ben).await.expect("a root");
    let parent = desk.tree.create_folder(&desk.ben, own, NewFolder::named(name("p")), RULE).await.expect("a folder");
    let parent = parent.item.id;
    let file = desk.tree.upload(&desk.ben, parent, new_file("f"), RULE, body(b"12345")).await.expect("a file").item.id;
    desk.tree.trash_item(&desk.ben, file, Kind::File, Recursive::No, None).await.expect("trashed");
    desk.tree.trash_item(&desk.ben, parent, Kind::Folder, Recursive::No, None).await.expect("trashed");
    let to = |folder| RestoreTo { name: None, parent: Some(folder) };
    let elsewhere = desk.tree.restore(&desk.ben, file, Kind::File, to(shared), RULE).await;
    assert_eq!(outcome(elsewhere), "no");
    desk.tree.restore(&desk.ben, file, Kind::File, to(own), RULE).await.expect("restored");
    desk.check_books();
}

#[tokio::test]
async fn who_only_adds_neither_renames_nor_goes_back() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let file = desk.file(shared, "file", b"one").await;
    let (id, first) = (file.item.id, file.version.expect("a version").id);
    desk.version(id, b"two").await;
    give(&desk, shared, &desk.ben, Role::ViewerUploader).await;
    let named = |text: &str| NewVersion { name: Some(name(text)), ..new_version() };
    let tree = &desk.tree;
    assert_eq!(outcome(tree.check_upload_version(&desk.ben, id, Some(&name("other")), None, RULE).await), "no");
    assert_eq!(outcome(tree.upload_version(&desk.ben, id, named("other"), RULE, body(b"x")).await), "no");
    let into = |text: &str| UploadInto::NewVersion { file: id, name: Some(name(text)) };
    assert_eq!(outcome(tree.create_session(&desk.ben, into("other"), 5, RULE).await), "no");
    assert_eq!(outcome(tree.promote(&desk.ben, id, first, RULE).await), "no");
    tree.upload_version(&desk.ben, id, named("file"), RULE, body(b"three")).await.expect("a version");
    tree.create_session(&desk.ben, into("file"), 5, RULE).await.expect("a session");
}

#[tokio::test]
async fn beside_what_is_shared_nothing_is_known() {
    let desk = Desk::new().await;
    let above = desk.folder(desk.root, "above").await;
    let file = desk.file(above, "file", b"x").await.item.id;
    desk.file(above, "secret", b"y").await;
    give(&desk, file, &desk.ben, Role::Editor).await;
    let tree = &desk.tree;
    // A name that is there and one that is not are one answer.
    for text in ["secret", "free"] {
        assert_eq!(outcome(tree.update(&desk.ben, file, Kind::File, renamed(text), RULE).await), "no", "{text}");
        let version = NewVersion { name: Some(name(text)), ..new_version() };
        assert_eq!(outcome(tree.upload_version(&desk.ben, file, version, RULE, body(b"z")).await), "no", "{text}");
    }
    // Nor does a role on an item alone take it out of where it is.
    let other = desk.folder(desk.root, "other").await;
    give(&desk, other, &desk.ben, Role::CoOwner).await;
    assert_eq!(outcome(tree.update(&desk.ben, file, Kind::File, moved(other), RULE).await), "no");
    assert_eq!(outcome(tree.trash_item(&desk.ben, file, Kind::File, Recursive::No, None).await), "no");
    let text = ItemChange { description: Some("d".to_owned()), ..ItemChange::default() };
    tree.update(&desk.ben, file, Kind::File, text, RULE).await.expect("described");
}

#[tokio::test]
async fn nobody_shows_the_way_that_they_do_not_see() {
    let desk = Desk::new().await;
    let above = desk.folder(desk.root, "merger").await;
    let shared = desk.folder(above, "shared").await;
    let given = give(&desk, shared, &desk.ben, Role::CoOwner).await.collaboration;
    let change = CollaborationChange { sees_path: Some(true), ..CollaborationChange::default() };
    assert_eq!(outcome(desk.tree.change_collaboration(&desk.ben, given.id, change.clone()).await), "no");
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let new = NewCollaboration { sees_path: true, ..new(shared, Invitee::User(carol), Role::Viewer) };
    assert_eq!(outcome(desk.tree.invite(&desk.ben, new).await), "no");
    desk.tree.change_collaboration(&desk.anna, given.id, change).await.expect("shown");
    let seen = desk.tree.item(&desk.ben, shared, Kind::Folder).await.expect("seen");
    assert_eq!(seen.path.len(), 2);
}

#[tokio::test]
async fn a_folders_settings_hold_below_it() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let below = desk.folder(shared, "below").await;
    give(&desk, shared, &desk.ben, Role::Editor).await;
    let closed = FolderSettingsChange {
        others_invite: Some(false),
        others_see_each_other: Some(false),
        enterprise_only: Some(true),
    };
    let nothing = ItemChange::default();
    desk.tree.update_folder(&desk.anna, shared, nothing, closed, RULE).await.expect("set");
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = new(below, Invitee::User(carol), Role::Viewer);
    assert_eq!(outcome(desk.tree.invite(&desk.ben, carol.clone()).await), "no");
    let outside = new(below, Invitee::Login("eve@elsewhere.example".to_owned()), Role::Viewer);
    assert_eq!(outcome(desk.tree.invite(&desk.anna, outside).await), "no");
    desk.tree.invite(&desk.anna, carol).await.expect("invited");
    let of_below = desk.tree.collaborations_of_item(&desk.ben, (below, Kind::Folder), None, 10).await.expect("a page");
    assert_eq!(of_below.entries.len(), 0);
}
