//! Archives: what goes into them, for whom, once, and what is left out by then.

use crate::desk::{Desk, renamed};
use entente_model::{Caller, ItemId, Role, Scopes, UserRole};
use entente_tree::{
    ArchiveCounts, ArchiveEntry, ArchiveError, ArchiveReader, ArchiveState, CollaborationView, Error, Invitee, Kind,
    MadeArchive, NewArchive, NewCollaboration, OwnedContent, limits,
};
use futures_util::TryStreamExt;

async fn make(desk: &Desk, caller: &Caller, items: &[(ItemId, Kind)]) -> Result<MadeArchive, ArchiveError> {
    desk.tree.make_archive(caller, NewArchive { name: "all".to_owned(), items: items.to_vec() }).await
}

/// Paths with contents, and what was counted.
async fn fetch(desk: &Desk, mut reader: ArchiveReader) -> (Vec<String>, ArchiveCounts) {
    let mut found = Vec::new();
    while let Some(entry) = reader.next().await.expect("an entry") {
        found.push(match entry {
            ArchiveEntry::Folder(path, _) => path,
            ArchiveEntry::File(file) => {
                let size = file.content.size();
                let read = desk.tree.read_content(file.content, 0..size).map_ok(|bytes| bytes.to_vec()).try_concat();
                let text = String::from_utf8(read.await.expect("read")).expect("text");
                reader.sent();
                format!("{}={text}", file.path)
            }
        });
    }
    let counts = reader.counts();
    reader.finish(ArchiveState::Complete).await.expect("finished");
    (found, counts)
}

async fn invite(desk: &Desk, item: ItemId, to: &Caller, role: Role) -> CollaborationView {
    let invitee = Invitee::User(to.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited")
}

#[tokio::test]
async fn an_archive_has_what_was_asked_for_once() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "報告").await;
    let inner = desk.folder(folder, "inner").await;
    desk.folder(folder, "empty").await;
    desk.file(inner, "a.txt", b"a").await;
    let gone = desk.file(folder, "b.txt", b"b").await.item.id;
    let single = desk.file(desk.root, "c.txt", b"c").await.item.id;
    let asked = [(folder, Kind::Folder), (single, Kind::File), (single, Kind::File)];
    let made = make(&desk, &desk.anna, &asked).await.expect("made");
    assert!(made.renamed.is_empty());
    assert!(matches!(desk.tree.archive_status(&desk.anna, &made.token).await, Err(Error::NotFound)));
    assert_eq!(desk.tree.archive_name(&made.token).expect("a name"), "all");
    desk.trash(gone, Kind::File).await;
    let reader = desk.tree.begin_archive(&made.token).await.expect("begun");
    let status = desk.tree.archive_status(&desk.anna, &made.token).await.expect("a status");
    assert_eq!((status.state, status.files, status.counts.files_sent), (ArchiveState::Underway, 3, 0));
    let (found, counts) = fetch(&desk, reader).await;
    assert_eq!(found, ["報告/", "報告/empty/", "報告/inner/", "報告/inner/a.txt=a", "c.txt=c"]);
    assert_eq!(counts, ArchiveCounts { files_sent: 2, files_skipped: 0, folders_skipped: 0 });
    let status = desk.tree.archive_status(&desk.anna, &made.token).await.expect("a status");
    assert_eq!((status.state, status.counts), (ArchiveState::Complete, counts));
    // Once, and nobody else hears of it.
    assert!(matches!(desk.tree.begin_archive(&made.token).await, Err(ArchiveError::Tree(Error::NotFound))));
    assert!(matches!(desk.tree.archive_status(&desk.ben, &made.token).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.begin_archive("nonsense").await, Err(ArchiveError::Tree(Error::NotFound))));
    desk.check_books();
}

#[tokio::test]
async fn what_may_not_be_had_any_more_is_left_out() {
    let desk = Desk::new().await;
    let mut folders = Vec::new();
    for word in ["kept", "taken", "trashed"] {
        let folder = desk.folder(desk.root, word).await;
        desk.file(folder, "file", word.as_bytes()).await;
        folders.push((folder, Kind::Folder));
    }
    let file = desk.file(desk.root, "alone", b"alone").await.item.id;
    let all = [folders.clone(), vec![(file, Kind::File)]].concat();
    // A stranger knows of nothing, who may only look is refused.
    assert!(matches!(make(&desk, &desk.ben, &all).await, Err(ArchiveError::Tree(Error::NotFound))));
    let mut given = Vec::new();
    for (item, _) in &all {
        given.push(invite(&desk, *item, &desk.ben, Role::Viewer).await.collaboration.id);
    }
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = desk.stage.caller(carol, UserRole::User);
    for role in [Role::Previewer, Role::Uploader] {
        let one = invite(&desk, folders[0].0, &carol, role).await.collaboration.id;
        assert!(matches!(make(&desk, &carol, &folders[..1]).await, Err(ArchiveError::Tree(Error::Forbidden))));
        desk.tree.remove_collaboration(&desk.anna, one).await.expect("removed");
    }
    let weak = Caller { scopes: Scopes::READ, ..desk.ben.clone() };
    assert!(make(&desk, &weak, &all).await.is_err());
    let made = make(&desk, &desk.ben, &all).await.expect("made");
    desk.tree.remove_collaboration(&desk.anna, given[1]).await.expect("removed");
    desk.tree.remove_collaboration(&desk.anna, given[3]).await.expect("removed");
    desk.trash(folders[2].0, Kind::Folder).await;
    let reader = desk.tree.begin_archive(&made.token).await.expect("begun");
    let (found, counts) = fetch(&desk, reader).await;
    assert_eq!(found, ["kept/", "kept/file=kept"]);
    assert_eq!(counts, ArchiveCounts { files_sent: 1, files_skipped: 1, folders_skipped: 2 });
}

#[tokio::test]
async fn access_that_is_taken_away_midway_ends_there() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    for word in ["a", "b", "c"] {
        desk.file(folder, word, word.as_bytes()).await;
    }
    let given = invite(&desk, folder, &desk.ben, Role::Viewer).await.collaboration.id;
    let made = make(&desk, &desk.ben, &[(folder, Kind::Folder)]).await.expect("made");
    let mut reader = desk.tree.begin_archive(&made.token).await.expect("begun");
    assert!(matches!(reader.next().await, Ok(Some(ArchiveEntry::Folder(_, _)))));
    assert!(matches!(reader.next().await, Ok(Some(ArchiveEntry::File(_)))));
    desk.tree.remove_collaboration(&desk.anna, given).await.expect("removed");
    assert!(reader.next().await.expect("the end").is_none());
    assert_eq!(reader.counts().files_skipped, 2);
}

#[tokio::test]
async fn what_is_called_alike_is_called_otherwise_there() {
    let desk = Desk::new().await;
    let (one, other) = (desk.folder(desk.root, "one").await, desk.folder(desk.root, "other").await);
    let mut items = Vec::new();
    for (folder, name) in [(one, "Report.pdf"), (other, "report.PDF"), (one, "single")] {
        items.push((desk.file(folder, name, name.as_bytes()).await.item.id, Kind::File));
    }
    let made = make(&desk, &desk.anna, &items).await.expect("made");
    let called: Vec<_> = made.renamed.iter().flatten().map(|one| (one.item, one.called.clone())).collect();
    let (first, second) = (items[0].0, items[1].0);
    let names = [format!("Report ({first}).pdf"), format!("report ({second}).PDF")];
    assert_eq!(called, [(first, names[0].clone()), (second, names[1].clone())]);
    assert_eq!(made.renamed.len(), 1);
    // What gets a name that is taken in the meantime does not stand in its way.
    desk.update(items[2].0, Kind::File, renamed(&names[0])).await.expect("renamed");
    let reader = desk.tree.begin_archive(&made.token).await.expect("begun");
    let (found, _) = fetch(&desk, reader).await;
    let third = format!("Report ({first}) ({}).pdf=single", items[2].0);
    assert_eq!(found, [format!("{}=Report.pdf", names[0]), format!("{}=report.PDF", names[1]), third]);
}

#[tokio::test]
async fn many_files_go_page_by_page() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "many").await;
    for number in 0..205 {
        desk.file(folder, &format!("{number:03}"), b"x").await;
    }
    let made = make(&desk, &desk.anna, &[(folder, Kind::Folder)]).await.expect("made");
    let reader = desk.tree.begin_archive(&made.token).await.expect("begun");
    let (found, counts) = fetch(&desk, reader).await;
    assert_eq!((found.len(), counts.files_sent), (206, 205));
    assert_eq!(found[205], "many/204=x");
}

#[tokio::test]
async fn what_cannot_be_an_archive_is_refused() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let invalid =
        |outcome: Result<MadeArchive, ArchiveError>| matches!(outcome, Err(ArchiveError::Tree(Error::Invalid(_))));
    let missing =
        |outcome: Result<MadeArchive, ArchiveError>| matches!(outcome, Err(ArchiveError::Tree(Error::NotFound)));
    assert!(invalid(make(&desk, &desk.anna, &[]).await));
    let root = make(&desk, &desk.anna, &[(desk.root, Kind::Folder)]).await;
    assert!(matches!(root, Err(ArchiveError::Tree(Error::Forbidden))));
    assert!(invalid(make(&desk, &desk.anna, &vec![(file, Kind::File); limits::ARCHIVE_ITEMS_MAX + 1]).await));
    assert!(missing(make(&desk, &desk.anna, &[(file, Kind::Folder)]).await));
    assert!(missing(make(&desk, &desk.anna, &[(file, Kind::WebLink)]).await));
    assert!(missing(make(&desk, &desk.anna, &[(file, Kind::File), (ItemId::new(7), Kind::File)]).await));
    for name in ["", " ", "a\nb", &"x".repeat(201)] {
        let new = NewArchive { name: name.to_owned(), items: vec![(file, Kind::File)] };
        assert!(invalid(desk.tree.make_archive(&desk.anna, new).await), "{name:?}");
    }
    // So many at a time.
    let mut underway = Vec::new();
    for _ in 0..limits::ARCHIVES_AT_ONCE_MAX {
        let made = make(&desk, &desk.anna, &[(file, Kind::File)]).await.expect("made");
        underway.push(desk.tree.begin_archive(&made.token).await.expect("begun"));
    }
    let made = make(&desk, &desk.anna, &[(file, Kind::File)]).await.expect("made");
    assert!(matches!(desk.tree.begin_archive(&made.token).await, Err(ArchiveError::TooManyAtOnce)));
    underway.pop().expect("one").finish(ArchiveState::Broken).await.expect("finished");
    drop(desk.tree.begin_archive(&made.token).await.expect("begun"));
    // Who goes away makes room, too.
    while desk.tree.archive_status(&desk.anna, &made.token).await.expect("a status").state == ArchiveState::Underway {
        tokio::task::yield_now().await;
    }
    let made = make(&desk, &desk.anna, &[(file, Kind::File)]).await.expect("made");
    desk.tree.begin_archive(&made.token).await.expect("begun");
}

#[tokio::test]
async fn an_archive_goes_with_its_user() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    invite(&desk, file, &desk.ben, Role::Viewer).await;
    let admin = desk.stage.person("ada@example.com", "Ada", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    let made = make(&desk, &desk.ben, &[(file, Kind::File)]).await.expect("made");
    desk.tree.delete_user(&admin, desk.ben.user, OwnedContent::Refuse).await.expect("removed");
    assert!(matches!(desk.tree.begin_archive(&made.token).await, Err(ArchiveError::Tree(Error::NotFound))));
    while !desk.tree.purge_user_batch(desk.ben.user).await.expect("a batch") {}
}
