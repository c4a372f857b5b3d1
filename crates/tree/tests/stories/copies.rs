use crate::desk::{Desk, RULE, name, pattern, renamed};
use entente_model::ItemId;
use entente_tree::{CopyTo, Error, ItemChange, Kind, Recursive};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

fn to(parent: ItemId) -> CopyTo {
    CopyTo { parent, name: None, version: None }
}

#[tokio::test]
async fn a_file_is_copied_without_its_bytes() {
    let desk = Desk::new().await;
    let content = pattern(300_000);
    let file = desk.file(desk.root, "f", &content).await;
    let id = file.item.id;
    let described =
        ItemChange { description: Some("about".to_owned()), tags: Some(vec!["t".to_owned()]), ..ItemChange::default() };
    desk.update(id, Kind::File, described).await.expect("described");
    let stored = desk.stage.backend.total_bytes();

    assert!(matches!(
        desk.tree.copy(&desk.anna, id, Kind::File, to(desk.root), RULE).await,
        Err(Error::NameInUse { .. })
    ));
    let folder = desk.folder(desk.root, "folder").await;
    let copy = desk.tree.copy(&desk.anna, id, Kind::File, to(folder), RULE).await.expect("copied");
    assert_eq!((copy.item.sequence, copy.item.description.as_str()), (0, "about"));
    assert_eq!(copy.item.tags, ["t"]);
    assert_eq!(copy.item.content_modified_at, file.item.content_modified_at);
    assert_eq!(desk.stage.backend.total_bytes(), stored);
    assert_eq!(desk.space_used().await, 600_000);

    // The original may change and go: the copy stays what it is.
    let first = file.version.expect("a version").id;
    desk.version(id, b"other").await;
    let old = CopyTo { name: Some(name("old")), version: Some(first), ..to(desk.root) };
    let old = desk.tree.copy(&desk.anna, id, Kind::File, old, RULE).await.expect("copied").item.id;
    desk.trash(id, Kind::File).await;
    desk.tree.purge(&desk.anna, id, Kind::File).await.expect("purged");
    assert_eq!(desk.content(copy.item.id).await, content);
    assert_eq!(desk.content(old).await, content);
    desk.check_books();
}

#[tokio::test]
async fn a_folder_is_copied_with_everything_below_it() {
    let desk = Desk::new().await;
    let source = desk.folder(desk.root, "source").await;
    for part in 0..15 {
        let inner = desk.folder(source, &format!("inner {part:02}")).await;
        for file in 0..30 {
            desk.file(inner, &format!("{file:02}"), format!("{part} {file}").as_bytes()).await;
        }
        let deep = desk.folder(inner, "deep").await;
        desk.folder(deep, "deeper").await;
    }
    for file in 0..120 {
        desk.file(source, &format!("file {file:03}"), b"same").await;
    }
    let gone = desk.file(source, "trashed", b"trashed").await.item.id;
    desk.trash(gone, Kind::File).await;
    let before = desk.totals();

    let target = desk.folder(desk.root, "target").await;
    let copy = desk.tree.copy(&desk.anna, source, Kind::Folder, to(target), RULE).await.expect("copied");
    assert_eq!((copy.item.name.as_str(), copy.item.sequence, copy.item.parent), ("source", 0, Some(target)));
    assert_eq!(copy.path.len(), 2);
    assert_eq!(desk.names(copy.item.id).await, desk.names(source).await);
    let after = desk.totals();
    assert_eq!(after.contents, before.contents);
    assert_eq!(after.versions, before.versions * 2 - 1, "all but the trashed one");
    desk.check_books();
    assert_eq!(desk.stage.database.read(entente_database::jobs::next_run).expect("jobs"), None);

    let inner =
        desk.tree.item(&desk.anna, find(&desk, copy.item.id, "inner 07").await, Kind::Folder).await.expect("there");
    assert_eq!(desk.content(find(&desk, inner.item.id, "23").await).await, b"7 23");
    // The bound on its levels came with it.
    let mut parent = desk.root;
    for level in 0..996 {
        parent = desk.folder(parent, &format!("{level}")).await;
    }
    let fits = desk.tree.copy(&desk.anna, source, Kind::Folder, to(parent), RULE).await;
    fits.expect("four levels are left");
    let below = desk.folder(parent, "below").await;
    let outcome = desk.tree.copy(&desk.anna, source, Kind::Folder, to(below), RULE).await;
    assert!(matches!(outcome, Err(Error::TooDeep)));
}

async fn find(desk: &Desk, folder: ItemId, text: &str) -> ItemId {
    let Err(Error::NameInUse { winner }) = desk.try_folder(folder, text).await else { panic!("{text} is not there") };
    winner.item.id
}

#[tokio::test]
async fn a_folder_is_not_copied_into_itself_or_over_another() {
    let desk = Desk::new().await;
    let source = desk.folder(desk.root, "source").await;
    let inner = desk.folder(source, "inner").await;
    let copy = |parent, text: Option<&str>| {
        let to = CopyTo { name: text.map(name), ..to(parent) };
        desk.tree.copy(&desk.anna, source, Kind::Folder, to, RULE)
    };
    assert!(matches!(copy(source, Some("x")).await, Err(Error::FolderIntoItself)));
    assert!(matches!(copy(inner, None).await, Err(Error::FolderIntoItself)));
    assert!(matches!(copy(desk.root, None).await, Err(Error::NameInUse { .. })));
    copy(desk.root, Some("beside")).await.expect("another name");
    assert_eq!(desk.names(desk.root).await, ["beside", "source"]);
    let root = desk.tree.copy(&desk.anna, desk.root, Kind::Folder, to(inner), RULE).await;
    assert!(matches!(root, Err(Error::Forbidden)));
}

/// Polls a future until it is done, or `enough` says so: then it is dropped, and what it had begun stays as far as it
/// went. `true` when it was done.
async fn polled_until<F: Future>(future: F, enough: impl Fn() -> bool) -> bool {
    let mut future = pin!(future);
    loop {
        if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        if enough() {
            return false;
        }
        // What it has queued runs on another thread meanwhile.
        tokio::task::yield_now().await;
    }
}

/// Removes the copy if it is there, which then is whole, and does what its job would do a day later.
async fn remove_copy(desk: &Desk, target: ItemId) {
    if !desk.names(target).await.is_empty() {
        let whole = find(desk, target, "source").await;
        for part in 0..4 {
            let inner = find(desk, whole, &format!("{part}")).await;
            assert_eq!(desk.names(inner).await.len(), 150);
        }
        desk.trash(whole, Kind::Folder).await;
        desk.tree.purge(&desk.anna, whole, Kind::Folder).await.expect("purged");
        desk.finish_purge(whole).await;
    }
    let staged = desk.stage.database.transact("take", |tx| {
        let late = entente_model::Timestamp::from_millis(i64::MAX / 2);
        entente_database::jobs::take(tx, late, late, 10)
    });
    for job in staged.await.expect("jobs") {
        desk.finish_purge(job.key.parse().expect("an id")).await;
    }
}

#[tokio::test]
async fn a_copy_that_is_cut_short_leaves_the_whole_of_it_or_nothing() {
    let desk = Desk::new().await;
    let source = desk.folder(desk.root, "source").await;
    for part in 0..4 {
        let inner = desk.folder(source, &format!("{part}")).await;
        for file in 0..150 {
            desk.file(inner, &format!("{file}"), b"x").await;
        }
    }
    let target = desk.folder(desk.root, "target").await;
    let before = desk.totals();
    let mut cut = 0;
    // Before anything is there, with the root alone, half way, and with everything but the end.
    for rows in [0, 1, 400, 605] {
        let copy = desk.tree.copy(&desk.anna, source, Kind::Folder, to(target), RULE);
        cut += u32::from(!polled_until(copy, || desk.totals().items >= before.items + rows).await);
        // What it had queued when it was dropped still runs, for as long as the engine takes.
        for _ in 0..1_000 {
            remove_copy(&desk, target).await;
            if desk.totals().items == before.items {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(desk.totals().items, before.items);
        desk.check_books();
    }
    assert!(cut >= 3);
}

#[tokio::test]
async fn a_copy_that_loses_its_name_is_given_up() {
    let desk = Desk::new().await;
    let source = desk.folder(desk.root, "source").await;
    for file in 0..600 {
        desk.file(source, &format!("{file}"), b"").await;
    }
    let target = desk.folder(desk.root, "target").await;
    let (copy, racer) = tokio::join!(
        desk.tree.copy(&desk.anna, source, Kind::Folder, to(target), RULE),
        desk.try_folder(target, "SOURCE"),
    );
    racer.expect("whoever is first");
    assert!(matches!(copy, Err(Error::NameInUse { .. })));
    let job = desk.stage.database.transact("take", |tx| {
        let soon = entente_model::Timestamp::from_millis(i64::MAX / 2);
        entente_database::jobs::take(tx, soon, soon, 10)
    });
    let jobs = job.await.expect("jobs");
    for job in jobs {
        desk.finish_purge(job.key.parse().expect("an id")).await;
    }
    desk.check_books();
    let moved = desk.update(source, Kind::Folder, renamed("still here")).await.expect("unharmed");
    desk.tree.trash_item(&desk.anna, moved.item.id, Kind::Folder, Recursive::Yes, None).await.expect("trashed");
}
