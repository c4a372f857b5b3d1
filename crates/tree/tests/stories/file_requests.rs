//! File requests: who makes and sees them, and what becomes of what is sent.

use crate::desk::{Desk, body, moved, name, renamed};
use entente_model::{Caller, ItemId, Role, Scopes, UserRole};
use entente_tree::limits::FILE_REQUESTS_OF_FOLDER_MAX;
use entente_tree::{
    Error, FileRequestChange, FileRequestView, Invitee, Kind, NewCollaboration, NewFileRequest, OpenFileRequest,
    OwnedContent, Submission,
};
use futures_util::stream;
use std::time::Duration;

fn new(folder: ItemId) -> NewFileRequest {
    NewFileRequest { folder, title: Some("Papers".to_owned()), change: FileRequestChange::default() }
}

fn sent(text: &str) -> Submission {
    Submission { name: name(text), sender: String::new(), description: String::new(), size_max: u64::MAX }
}

async fn make(desk: &Desk, caller: &Caller, folder: ItemId) -> FileRequestView {
    desk.tree.create_file_request(caller, new(folder)).await.expect("a request")
}

async fn share(desk: &Desk, item: ItemId, role: Role) -> entente_model::CollaborationId {
    let invitee = Invitee::User(desk.ben.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited").collaboration.id
}

async fn is_open(desk: &Desk, made: &FileRequestView) -> bool {
    match desk.tree.open_file_request(&made.request.token).await {
        Ok(_) => true,
        Err(Error::NotFound) => false,
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_request_is_made_changed_copied_listed_and_removed() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    let other = desk.folder(desk.root, "other").await;
    let untitled = NewFileRequest { title: None, ..new(folder) };
    let made = desk.tree.create_file_request(&desk.anna, untitled).await.expect("a request");
    assert_eq!((made.request.title.as_str(), made.open, made.request.sequence), ("in", true, 0));
    assert_eq!((made.folder.item.id, made.created_by.id), (folder, desk.anna.user));
    let id = made.request.id;

    let change = FileRequestChange {
        title: Some("Bring it".to_owned()),
        description: Some("What you have.".to_owned()),
        wants_email: Some(true),
        ..FileRequestChange::default()
    };
    let changed = desk.tree.change_file_request(&desk.anna, id, change.clone(), Some(0)).await.expect("changed");
    assert_eq!((changed.request.title.as_str(), changed.request.sequence), ("Bring it", 1));
    assert_eq!(changed.request.token, made.request.token);
    // What is so already is no change.
    let again = desk.tree.change_file_request(&desk.anna, id, change.clone(), Some(1)).await.expect("as it was");
    assert_eq!(again.request.sequence, 1);
    let stale = desk.tree.change_file_request(&desk.anna, id, change, Some(0)).await;
    assert!(matches!(stale, Err(Error::PreconditionFailed)));

    let copied =
        desk.tree.copy_file_request(&desk.anna, id, other, FileRequestChange::default()).await.expect("a copy");
    assert_eq!((copied.request.title.as_str(), copied.request.wants_email), ("Bring it", true));
    assert_eq!((copied.request.folder, copied.request.sequence), (other, 0));
    assert_ne!((copied.request.id, &copied.request.token), (id, &made.request.token));

    let second = make(&desk, &desk.anna, folder).await.request.id;
    let page = desk.tree.file_requests(&desk.anna, folder, None, 1).await.expect("a page");
    assert_eq!((page.entries[0].request.id, page.next), (id, Some(id)));
    let page = desk.tree.file_requests(&desk.anna, folder, page.next, 1).await.expect("a page");
    assert_eq!((page.entries[0].request.id, page.next), (second, None));

    desk.tree.remove_file_request(&desk.anna, id).await.expect("removed");
    assert!(matches!(desk.tree.file_request(&desk.anna, id).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.remove_file_request(&desk.anna, id).await, Err(Error::NotFound)));
    assert!(!is_open(&desk, &made).await && is_open(&desk, &copied).await);
}

#[tokio::test]
async fn it_is_for_those_who_may_change_the_folder() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    let made = make(&desk, &desk.anna, folder).await;
    let id = made.request.id;
    let of_ben = async |wanted: fn(&Error) -> bool| {
        let (tree, ben) = (&desk.tree, &desk.ben);
        let change = FileRequestChange { active: Some(false), ..FileRequestChange::default() };
        let refusals = [
            tree.create_file_request(ben, new(folder)).await.err(),
            tree.file_request(ben, id).await.err(),
            tree.file_requests(ben, folder, None, 10).await.err(),
            tree.change_file_request(ben, id, change, None).await.err(),
            tree.copy_file_request(ben, id, folder, FileRequestChange::default()).await.err(),
            tree.remove_file_request(ben, id).await.err(),
        ];
        for (index, refusal) in refusals.into_iter().enumerate() {
            assert!(refusal.as_ref().is_some_and(wanted), "{index}: {refusal:?}");
        }
    };
    of_ben(|error| matches!(error, Error::NotFound)).await;
    for role in [Role::Viewer, Role::Uploader, Role::PreviewerUploader] {
        let role = share(&desk, folder, role).await;
        of_ben(|error| matches!(error, Error::Forbidden)).await;
        desk.tree.remove_collaboration(&desk.anna, role).await.expect("taken away");
    }
    share(&desk, folder, Role::Editor).await;
    assert_eq!(desk.tree.file_request(&desk.ben, id).await.expect("seen").request.token, made.request.token);
    let reading = Caller { scopes: Scopes::READ, ..desk.ben.clone() };
    assert!(matches!(desk.tree.remove_file_request(&reading, id).await, Err(Error::Forbidden)));
    desk.tree.remove_file_request(&desk.ben, id).await.expect("removed");

    assert!(matches!(desk.tree.create_file_request(&desk.anna, new(desk.root)).await, Err(Error::Forbidden)));
    let file = desk.file(folder, "file", b"x").await.item.id;
    assert!(matches!(desk.tree.create_file_request(&desk.anna, new(file)).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn what_is_sent_arrives_and_replaces_nothing() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    desk.file(folder, "Report.pdf", b"mine").await;
    let token = make(&desk, &desk.anna, folder).await.request.token;
    let told = desk.tree.open_file_request(&token).await.expect("open");
    let (title, description) = ("Papers".to_owned(), String::new());
    assert_eq!(told, OpenFileRequest { title, description, wants_email: false, wants_description: false });

    let first = Submission {
        sender: "carla@example.org".to_owned(),
        description: "the third one".to_owned(),
        ..sent("report.pdf")
    };
    let stored = desk.tree.submit_file(&token, first, body(b"theirs")).await.expect("stored").item;
    assert_eq!((stored.name.as_str(), stored.description.as_str()), ("report (1).pdf", "the third one"));
    desk.tree.submit_file(&token, sent("report.pdf"), body(b"theirs too")).await.expect("stored");
    assert_eq!(desk.names(folder).await, ["report (1).pdf", "report (2).pdf", "Report.pdf"]);
    assert_eq!(desk.content(stored.id).await, b"theirs");
    let shown = desk.see(stored.id, Kind::File).await.expect("there");
    assert_eq!((shown.created_by.id, shown.item.description.as_str()), (desk.anna.user, "the third one"));
    assert_eq!(shown.version.expect("a version").sender.as_deref(), Some("carla@example.org"));
    let mine = desk.file(folder, "own", b"x").await;
    assert_eq!(mine.version.expect("a version").sender, None);

    // A copy is the copier's, and so is a new version.
    let version = desk.version(stored.id, b"by anna").await.version.expect("a version");
    assert_eq!(version.sender, None);
    desk.check_books();
}

#[tokio::test]
async fn what_does_not_arrive_whole_leaves_nothing() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    let token = make(&desk, &desk.anna, folder).await.request.token;
    let torn = stream::iter([Ok(bytes::Bytes::from_static(b"half")), Err("gone".into())]);
    assert!(matches!(desk.tree.submit_file(&token, sent("a"), torn).await, Err(Error::BodyFailed(_))));
    let large = Submission { size_max: 3, ..sent("a") };
    assert!(matches!(desk.tree.submit_file(&token, large, body(b"four")).await, Err(Error::TooLarge { .. })));
    // Switched off while it is on its way.
    let id = desk.tree.file_requests(&desk.anna, folder, None, 1).await.expect("a page").entries[0].request.id;
    let (tree, anna) = (desk.tree.clone(), desk.anna.clone());
    let closing = stream::once(async move {
        let change = FileRequestChange { active: Some(false), ..FileRequestChange::default() };
        tree.change_file_request(&anna, id, change, None).await.expect("changed");
        Ok(bytes::Bytes::from_static(b"late"))
    });
    assert!(matches!(desk.tree.submit_file(&token, sent("a"), closing).await, Err(Error::NotFound)));
    assert!(desk.names(folder).await.is_empty());
    desk.check_books();
}

#[tokio::test]
async fn it_asks_for_what_it_wants() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    let change =
        FileRequestChange { wants_email: Some(true), wants_description: Some(true), ..FileRequestChange::default() };
    let made = desk.tree.create_file_request(&desk.anna, NewFileRequest { change, ..new(folder) }).await.expect("made");
    let token = &made.request.token;
    let (sender, description) = ("carla@example.org".to_owned(), "it".to_owned());
    for bad in [
        sent("a"),
        Submission { sender: sender.clone(), ..sent("a") },
        Submission { sender: sender.clone(), description: "  ".to_owned(), ..sent("a") },
        Submission { description: description.clone(), ..sent("a") },
        Submission { sender: "c".repeat(255), description: description.clone(), ..sent("a") },
        Submission { sender: "a@b\nc".to_owned(), description: description.clone(), ..sent("a") },
        Submission { sender: sender.clone(), description: "d".repeat(257), ..sent("a") },
    ] {
        let refused = desk.tree.submit_file(token, bad.clone(), body(b"x")).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{bad:?}: {refused:?}");
    }
    desk.tree.submit_file(token, Submission { sender, description, ..sent("a") }, body(b"x")).await.expect("stored");
}

#[tokio::test]
async fn it_is_worth_what_its_maker_is_worth() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    let role = share(&desk, folder, Role::Editor).await;
    let made = make(&desk, &desk.ben, folder).await;
    desk.tree.submit_file(&made.request.token, sent("a"), body(b"x")).await.expect("stored");
    desk.tree.remove_collaboration(&desk.anna, role).await.expect("taken away");
    assert!(!is_open(&desk, &made).await);
    let refused = desk.tree.submit_file(&made.request.token, sent("b"), body(b"x")).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    // Whoever may change the folder still sees it, and may remove it.
    assert_eq!(desk.tree.file_request(&desk.anna, made.request.id).await.expect("seen").created_by.id, desk.ben.user);
    share(&desk, folder, Role::Editor).await;
    assert!(is_open(&desk, &made).await);
    desk.stage.deactivate(desk.ben.user).await;
    assert!(!is_open(&desk, &made).await);
}

#[tokio::test]
async fn it_goes_with_its_maker() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    share(&desk, folder, Role::Editor).await;
    let made = make(&desk, &desk.ben, folder).await;
    let admin = desk.stage.person("root@example.com", "Root", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    desk.tree.delete_user(&admin, desk.ben.user, OwnedContent::Purge).await.expect("removed");
    assert!(!is_open(&desk, &made).await);
    while !desk.tree.purge_user_batch(desk.ben.user).await.expect("a batch") {}
    assert!(matches!(desk.tree.file_request(&desk.anna, made.request.id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn it_follows_its_folder() {
    let desk = Desk::new().await;
    let (folder, there) = (desk.folder(desk.root, "in").await, desk.folder(desk.root, "there").await);
    let made = make(&desk, &desk.anna, folder).await;
    desk.update(folder, Kind::Folder, renamed("inbox")).await.expect("renamed");
    desk.update(folder, Kind::Folder, moved(there)).await.expect("moved");
    assert!(is_open(&desk, &made).await);
    let copy = desk.tree.copy(
        &desk.anna,
        folder,
        Kind::Folder,
        entente_tree::CopyTo { parent: desk.root, name: None, version: None },
        crate::desk::RULE,
    );
    let copy = copy.await.expect("copied").item.id;
    let page = desk.tree.file_requests(&desk.anna, copy, None, 10).await.expect("a page");
    assert!(page.entries.is_empty());

    desk.trash(folder, Kind::Folder).await;
    assert!(!is_open(&desk, &made).await);
    assert!(matches!(desk.tree.file_request(&desk.anna, made.request.id).await, Err(Error::Trashed)));
    let to = entente_tree::RestoreTo { name: None, parent: None };
    desk.tree.restore(&desk.anna, folder, Kind::Folder, to, crate::desk::RULE).await.expect("restored");
    assert!(is_open(&desk, &made).await);

    desk.trash(folder, Kind::Folder).await;
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    desk.finish_purge(folder).await;
    assert!(matches!(desk.tree.file_request(&desk.anna, made.request.id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn it_ends_and_has_limits() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "in").await;
    let now = desk.stage.world.now();
    let past = FileRequestChange { expires_at: Some(Some(now)), ..FileRequestChange::default() };
    let soon = now.after(Duration::from_millis(300));
    let ends = FileRequestChange { expires_at: Some(Some(soon)), ..FileRequestChange::default() };
    let tree = &desk.tree;
    let refused = tree.create_file_request(&desk.anna, NewFileRequest { change: past.clone(), ..new(folder) }).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let made =
        tree.create_file_request(&desk.anna, NewFileRequest { change: ends, ..new(folder) }).await.expect("made");
    assert!(matches!(tree.change_file_request(&desk.anna, made.request.id, past, None).await, Err(Error::Invalid(_))));
    while desk.stage.world.now() < soon {
        desk.stage.world.sleep(Duration::from_millis(20)).await;
    }
    assert!(!is_open(&desk, &made).await);
    let shown = tree.file_request(&desk.anna, made.request.id).await.expect("seen");
    assert!(!shown.open && shown.request.active);
    // A copy of what has ended begins again, without an end.
    let copy = tree.copy_file_request(&desk.anna, made.request.id, folder, FileRequestChange::default()).await;
    let copy = copy.expect("a copy");
    assert!(copy.open && copy.request.expires_at.is_none());

    for title in [String::new(), "  ".to_owned(), "a\tb".to_owned(), "t".repeat(257)] {
        let refused = tree.create_file_request(&desk.anna, NewFileRequest { title: Some(title), ..new(folder) }).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let long = FileRequestChange { description: Some("d".repeat(4_001)), ..FileRequestChange::default() };
    assert!(matches!(tree.change_file_request(&desk.anna, copy.request.id, long, None).await, Err(Error::Invalid(_))));
    for _ in 2..FILE_REQUESTS_OF_FOLDER_MAX {
        make(&desk, &desk.anna, folder).await;
    }
    assert!(matches!(tree.create_file_request(&desk.anna, new(folder)).await, Err(Error::Invalid(_))));
}
