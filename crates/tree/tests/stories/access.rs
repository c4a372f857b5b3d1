//! Who may do what: the whole matrix as a golden file, and every operation as somebody who may not know.

use crate::desk::{Desk, RULE, body, name, new_file, new_version, renamed, sha1};
use entente_model::{AppId, Caller, EnterpriseId, ItemId, Rights, Role, Scopes, UserId, UserRole};
use entente_tree::access::{Action, Decision, Standing, decide};
use entente_tree::{
    AssignTo, AssignmentChange, CommentOn, CommitSession, CopyTo, Error, Kind, ListQuery, Message, NewFolder, NewPart,
    NewTask, Page, Recursive, RestoreTo, TaskAction, TaskChange, TaskRule, Top, UploadInto,
};
use std::fmt::Write;

const OWNER: UserId = UserId::new(1);

fn way(steps: &[(Top, Kind)]) -> Vec<entente_database::items::Ancestor> {
    let count = i64::try_from(steps.len()).expect("few");
    (1..=count)
        .zip(steps)
        .map(|(id, (top, kind))| entente_database::items::Ancestor {
            id: ItemId::new(id),
            kind: *kind,
            parent: (id < count).then_some(ItemId::new(id + 1)),
            top: *top,
            top_user: (*top != Top::Ordinary).then_some(OWNER),
            name: name("n"),
            sequence: 0,
            height: 0,
            implied: false,
            watched: false,
            shared: false,
            cascades: false,
            guard: entente_database::guards::Guard::NONE,
        })
        .collect()
}

#[test]
fn the_matrix_is_as_written_down() {
    let caller = |user: i64, enterprise: i64, role, scopes| Caller {
        user: UserId::new(user),
        enterprise: EnterpriseId::new(enterprise),
        role,
        app: None,
        scopes,
        confined: None,
        through: None,
        link: None,
    };
    let owner = caller(1, 1, UserRole::User, Scopes::ALL);
    let read_only = Scopes::READ.with(Scopes::DOWNLOAD);
    let mut callers = vec![
        ("owner".to_owned(), owner.clone(), None),
        ("owner, by an app".to_owned(), Caller { app: Some(AppId::new(9)), ..owner.clone() }, None),
        ("owner, an admin".to_owned(), caller(1, 1, UserRole::Admin, Scopes::ALL), None),
        ("owner, to read only".to_owned(), caller(1, 1, UserRole::User, read_only), None),
        ("owner, to upload only".to_owned(), caller(1, 1, UserRole::User, Scopes::UPLOAD), None),
        ("owner, without a scope".to_owned(), caller(1, 1, UserRole::User, Scopes::NONE), None),
        ("another user".to_owned(), caller(2, 1, UserRole::User, Scopes::ALL), None),
        (
            "another service account".to_owned(),
            Caller { app: Some(AppId::new(9)), ..caller(2, 1, UserRole::User, Scopes::ALL) },
            None,
        ),
        ("a co-admin".to_owned(), caller(2, 1, UserRole::CoAdmin, Scopes::ALL), None),
        ("an admin".to_owned(), caller(2, 1, UserRole::Admin, Scopes::ALL), None),
        ("an admin elsewhere".to_owned(), caller(2, 2, UserRole::Admin, Scopes::ALL), None),
    ];
    for role in Role::ALL {
        for (where_to, beside) in [("", true), (", on it alone", false)] {
            let who = format!("{role:?}{where_to}");
            callers.push((who, caller(2, 1, UserRole::User, Scopes::ALL), Some((role, beside))));
        }
    }
    let outside = Caller { confined: Some(ItemId::new(99)), ..owner.clone() };
    let inside = Caller { confined: Some(ItemId::new(2)), ..owner.clone() };
    callers.push(("owner, confined elsewhere".to_owned(), outside, None));
    callers.push(("owner, confined to a parent".to_owned(), inside, None));
    let editor = caller(2, 1, UserRole::User, read_only);
    callers.push(("Editor, to read only".to_owned(), editor, Some((Role::Editor, true))));
    let (folder, file) = ((Top::Ordinary, Kind::Folder), (Top::Ordinary, Kind::File));
    let top = |top| (top, Kind::Folder);
    let items: [(&str, Vec<_>); 10] = [
        ("the root", way(&[top(Top::Root)])),
        ("a folder", way(&[folder, top(Top::Root)])),
        ("a file", way(&[file, folder, top(Top::Root)])),
        ("the trash", way(&[top(Top::Trash)])),
        ("a trashed folder", way(&[folder, top(Top::Trash)])),
        ("a file below a trashed folder", way(&[file, folder, top(Top::Trash)])),
        ("a folder in limbo", way(&[top(Top::Limbo)])),
        ("a file below a folder in limbo", way(&[file, top(Top::Limbo)])),
        ("a file whose way is cut", way(&[file, folder])),
        ("nothing", Vec::new()),
    ];
    let mut matrix = String::from("A allowed, D denied, T trashed, - hidden\n");
    for (item, way) in &items {
        write!(matrix, "\n{item:<32}").expect("text");
        for action in Action::ALL {
            write!(matrix, "{:<11}", format!("{action:?}")).expect("text");
        }
        matrix.push('\n');
        for (who, caller, role) in &callers {
            write!(matrix, "  {who:<30}").expect("text");
            for action in Action::ALL {
                let by_role = |(role, beside): &(Role, bool)| Standing::Collaborator {
                    rights: role.rights(),
                    beside: if *beside { role.rights() } else { Rights::NONE },
                };
                let standing = role.as_ref().map_or_else(|| Standing::without_roles(caller, way), by_role);
                let letter = match decide(caller, standing, way, action) {
                    Decision::Allowed => "A",
                    Decision::Denied => "D",
                    Decision::Trashed => "T",
                    Decision::Hidden => "-",
                };
                write!(matrix, "{letter:<11}").expect("text");
            }
            matrix.push('\n');
        }
    }
    let matrix: Vec<_> = matrix.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("permission_matrix", matrix.join("\n"));
}

/// Every operation on what exists, and on what does not: to a stranger the two are one.
#[tokio::test]
async fn to_others_everything_is_as_if_it_were_not_there() {
    let desk = Desk::new().await;
    let theirs = desk.tree.root(&desk.ben).await.expect("a root");
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"one").await;
    let version = file.version.expect("a version").id;
    desk.version(file.item.id, b"two").await;
    let gone = desk.file(folder, "gone", b"x").await.item.id;
    desk.trash(gone, Kind::File).await;
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    let into = UploadInto::NewFile { parent: folder, name: name("s") };
    let session = desk.tree.create_session(&desk.anna, into, 5, RULE).await.expect("a session").session.id;

    let comment = desk.tree.comment(&desk.anna, CommentOn::File(file.item.id), said()).await.expect("said").comment.id;
    let task = desk.tree.create_task(&desk.anna, asked_of(file.item.id)).await.expect("asked").task.id;
    let assignment = desk.tree.assign_task(&desk.anna, task, AssignTo::User(desk.anna.user)).await.expect("asked");
    let assignment = assignment.assignment.id;

    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    for stranger in [&desk.ben, &admin] {
        for (folder, file, gone, root) in [
            (folder, file.item.id, gone, desk.root),
            (ItemId::new(11), ItemId::new(12), ItemId::new(13), ItemId::new(14)),
            (trash, gone, file.item.id, trash),
        ] {
            let tree = &desk.tree;
            let hidden = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
            let page = ListQuery::by_name(Page::Offset { offset: 0, limit: 10 });
            let copy = |parent| CopyTo { parent, name: None, version: None };
            hidden(tree.item(stranger, folder, Kind::Folder).await.map(drop));
            hidden(tree.item(stranger, file, Kind::File).await.map(drop));
            hidden(tree.trashed(stranger, gone, Kind::File).await.map(drop));
            hidden(tree.list(stranger, folder, page.clone()).await.map(drop));
            hidden(tree.list(stranger, root, page).await.map(drop));
            hidden(tree.create_folder(stranger, folder, NewFolder::named(name("file")), RULE).await.map(drop));
            hidden(tree.update(stranger, file, Kind::File, renamed("x"), RULE).await.map(drop));
            hidden(tree.update(stranger, folder, Kind::Folder, crate::desk::moved(theirs), RULE).await.map(drop));
            hidden(tree.copy(stranger, file, Kind::File, copy(theirs), RULE).await.map(drop));
            hidden(tree.copy(stranger, folder, Kind::Folder, copy(theirs), RULE).await.map(drop));
            hidden(tree.trash_item(stranger, file, Kind::File, Recursive::Yes, None).await);
            hidden(tree.trash_item(stranger, folder, Kind::Folder, Recursive::No, None).await);
            hidden(tree.restore(stranger, gone, Kind::File, RestoreTo::default(), RULE).await.map(drop));
            hidden(tree.purge(stranger, gone, Kind::File).await);
            hidden(tree.check_upload(stranger, folder, &name("file"), None, RULE).await);
            hidden(tree.check_upload_version(stranger, file, None, None, RULE).await);
            hidden(tree.upload(stranger, folder, new_file("file"), RULE, body(b"")).await.map(drop));
            hidden(tree.upload_version(stranger, file, new_version(), RULE, body(b"")).await.map(drop));
            hidden(tree.open(stranger, file, None).await.map(drop));
            hidden(tree.open(stranger, file, Some(version)).await.map(drop));
            hidden(tree.versions(stranger, file, 0, 10).await.map(drop));
            hidden(tree.version(stranger, file, version).await.map(drop));
            hidden(tree.promote(stranger, file, version, RULE).await.map(drop));
            hidden(tree.remove_version(stranger, file, version).await);
            hidden(tree.restore_version(stranger, file, version).await.map(drop));
            let into = UploadInto::NewFile { parent: folder, name: name("file") };
            hidden(tree.create_session(stranger, into, 5, RULE).await.map(drop));
            let into = UploadInto::NewVersion { file, name: None };
            hidden(tree.create_session(stranger, into, 5, RULE).await.map(drop));
            hidden(tree.session(stranger, session).await.map(drop));
            hidden(tree.parts(stranger, session, 0, 10).await.map(drop));
            hidden(tree.abort_session(stranger, session).await);
            let part = NewPart { offset: 0, length: 5, sha1: sha1(b"12345") };
            hidden(tree.upload_part(stranger, session, part, body(b"12345")).await.map(drop));
            let commit = CommitSession {
                parts: Vec::new(),
                sha1: sha1(b"12345"),
                content_created_at: None,
                content_modified_at: None,
                if_match: None,
            };
            hidden(tree.commit_session(stranger, session, commit, RULE).await.map(drop));
            hidden(tree.comment(stranger, CommentOn::File(file), said()).await.map(drop));
            hidden(tree.comment(stranger, CommentOn::Comment(comment), said()).await.map(drop));
            hidden(tree.comment_by_id(stranger, comment).await.map(drop));
            hidden(tree.change_comment(stranger, comment, Some(said())).await.map(drop));
            hidden(tree.remove_comment(stranger, comment).await);
            hidden(tree.comments(stranger, file, 0, 10).await.map(drop));
            hidden(tree.create_task(stranger, asked_of(file)).await.map(drop));
            hidden(tree.task(stranger, task).await.map(drop));
            hidden(tree.tasks(stranger, file).await.map(drop));
            hidden(tree.change_task(stranger, task, TaskChange::default()).await.map(drop));
            hidden(tree.remove_task(stranger, task).await);
            hidden(tree.assign_task(stranger, task, AssignTo::User(stranger.user)).await.map(drop));
            hidden(tree.task_assignment(stranger, assignment).await.map(drop));
            hidden(tree.change_task_assignment(stranger, assignment, AssignmentChange::default()).await.map(drop));
            hidden(tree.remove_task_assignment(stranger, assignment).await);
            // Nor can anything of theirs go there.
            let own = tree.create_folder(stranger, tree.root(stranger).await.expect("a root"), own_name(), RULE).await;
            let own = match own {
                Ok(view) => view.item.id,
                Err(Error::NameInUse { winner }) => winner.item.id,
                Err(error) => panic!("{error:?}"),
            };
            hidden(tree.update(stranger, own, Kind::Folder, crate::desk::moved(folder), RULE).await.map(drop));
            hidden(tree.copy(stranger, own, Kind::Folder, copy(folder), RULE).await.map(drop));
        }
    }
    assert_eq!(desk.names(folder).await, ["file"]);
    assert_eq!(desk.content(file.item.id).await, b"two");
}

fn said() -> Message {
    Message::Plain("said".to_owned())
}

fn asked_of(file: ItemId) -> NewTask {
    NewTask { file, action: TaskAction::Review, message: String::new(), due_at: None, rule: TaskRule::Everybody }
}

fn own_name() -> NewFolder {
    NewFolder::named(name("own"))
}

#[tokio::test]
async fn a_token_to_read_reads_and_no_more() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "f", b"x").await.item.id;
    let reader = Caller { scopes: Scopes::READ, ..desk.anna.clone() };
    desk.tree.item(&reader, file, Kind::File).await.expect("seen");
    assert!(matches!(desk.tree.open(&reader, file, None).await, Err(Error::Forbidden)));
    let change = desk.tree.update(&reader, file, Kind::File, renamed("g"), RULE).await;
    assert!(matches!(change, Err(Error::Forbidden)));
    let trashed = desk.tree.trash_item(&reader, file, Kind::File, Recursive::Yes, None).await;
    assert!(matches!(trashed, Err(Error::Forbidden)));
    let upload = desk.tree.upload(&reader, desk.root, new_file("g"), RULE, body(b"")).await;
    assert!(matches!(upload, Err(Error::Forbidden)));
}

#[tokio::test]
async fn a_token_may_do_one_thing_without_another() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let limited = |scopes| Caller { scopes, ..desk.anna.clone() };
    let uploader = limited(Scopes::UPLOAD);
    let file = desk.tree.upload(&uploader, folder, new_file("f"), RULE, body(b"x")).await.expect("uploaded").item.id;
    desk.tree.upload_version(&uploader, file, new_version(), RULE, body(b"y")).await.expect("uploaded");
    assert!(matches!(desk.tree.item(&uploader, file, Kind::File).await, Err(Error::Forbidden)));
    let changer = limited(Scopes::CHANGE);
    desk.tree.update(&changer, file, Kind::File, renamed("g"), RULE).await.expect("renamed");
    let elsewhere = desk.tree.update(&changer, file, Kind::File, crate::desk::moved(desk.root), RULE).await;
    assert!(matches!(elsewhere, Err(Error::Forbidden)));
    let remover = limited(Scopes::DELETE);
    desk.tree.trash_item(&remover, file, Kind::File, Recursive::No, None).await.expect("trashed");
    desk.tree.purge(&remover, file, Kind::File).await.expect("purged");
}
