use crate::desk::{Desk, RULE, moved, name, renamed};
use entente_model::ItemId;
use entente_tree::{Error, ItemState, Kind, ListQuery, Page, Recursive, RestoreTo};

async fn trashed_names(desk: &Desk) -> Vec<String> {
    let query = ListQuery::by_name(Page::Offset { offset: 0, limit: 100 });
    let listing = desk.tree.list_trash(&desk.anna, query).await.expect("a listing");
    assert_eq!(listing.total_count, Some(u64::try_from(listing.entries.len()).expect("few")));
    listing.entries.iter().map(|entry| entry.item.name.as_str().to_owned()).collect()
}

#[tokio::test]
async fn what_is_trashed_is_found_only_in_the_trash() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let inner = desk.folder(folder, "inner").await;
    let file = desk.file(inner, "file", b"x").await.item.id;
    let refused = desk.tree.trash_item(&desk.anna, folder, Kind::Folder, Recursive::No, None).await;
    assert!(matches!(refused, Err(Error::FolderNotEmpty)));
    let refused = desk.tree.trash_item(&desk.anna, folder, Kind::Folder, Recursive::Yes, Some(5)).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed)));
    desk.tree.trash_item(&desk.anna, folder, Kind::Folder, Recursive::Yes, Some(0)).await.expect("trashed");

    assert!(desk.names(desk.root).await.is_empty());
    assert_eq!(trashed_names(&desk).await, ["folder"]);
    for (id, kind) in [(folder, Kind::Folder), (inner, Kind::Folder), (file, Kind::File)] {
        assert!(matches!(desk.see(id, kind).await, Err(Error::Trashed)));
        let again = desk.tree.trash_item(&desk.anna, id, kind, Recursive::Yes, None).await;
        assert!(matches!(again, Err(Error::Trashed)));
    }
    assert!(matches!(desk.tree.open(&desk.anna, file, None).await, Err(Error::Trashed)));
    assert!(matches!(desk.try_folder(inner, "new").await, Err(Error::Trashed)));
    let live = desk.folder(desk.root, "live").await;
    assert!(matches!(desk.update(live, Kind::Folder, moved(inner)).await, Err(Error::Trashed)));

    let seen = desk.tree.trashed(&desk.anna, folder, Kind::Folder).await.expect("seen");
    assert_eq!((seen.state, seen.item.sequence, seen.item.trashed_from), (ItemState::Trashed, 1, Some(desk.root)));
    assert!(seen.item.trashed_at.is_some());
    let path: Vec<_> = seen.path.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(path, ["Trash"]);
    for (id, kind) in [(inner, Kind::Folder), (file, Kind::File), (live, Kind::Folder)] {
        assert!(matches!(desk.tree.trashed(&desk.anna, id, kind).await, Err(Error::NotFound)));
        let restored = desk.tree.restore(&desk.anna, id, kind, RestoreTo::default(), RULE).await;
        assert!(matches!(restored, Err(Error::NotFound)));
        assert!(matches!(desk.tree.purge(&desk.anna, id, kind).await, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn what_is_restored_is_where_it_was() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    desk.trash(file, Kind::File).await;
    let other = desk.file(folder, "FILE", b"y").await.item.id;
    let restored = desk.tree.restore(&desk.anna, file, Kind::File, RestoreTo::default(), RULE).await;
    assert!(matches!(restored, Err(Error::NameInUse { winner }) if winner.item.id == other));
    let to = RestoreTo { name: Some(name("file 2")), parent: Some(desk.root) };
    let restored = desk.tree.restore(&desk.anna, file, Kind::File, to, RULE).await.expect("restored");
    assert_eq!((restored.item.parent, restored.state), (Some(folder), ItemState::Active));
    assert_eq!((restored.item.trashed_at, restored.item.trashed_from), (None, None));
    assert_eq!(desk.names(folder).await, ["FILE", "file 2"]);
    assert_eq!(desk.content(file).await, b"x");
}

#[tokio::test]
async fn without_its_folder_it_needs_another() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let low = desk.folder(folder, "low").await;
    desk.trash(file, Kind::File).await;
    desk.trash(low, Kind::Folder).await;
    desk.trash(folder, Kind::Folder).await;
    let back = |id, kind, parent| desk.tree.restore(&desk.anna, id, kind, RestoreTo { name: None, parent }, RULE);
    assert!(matches!(back(file, Kind::File, None).await, Err(Error::ParentGone)));
    assert!(matches!(back(file, Kind::File, Some(folder)).await, Err(Error::Trashed)));
    assert!(matches!(back(file, Kind::File, Some(ItemId::new(1))).await, Err(Error::NotFound)));
    back(file, Kind::File, Some(desk.root)).await.expect("elsewhere");
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    assert!(matches!(back(low, Kind::Folder, None).await, Err(Error::ParentGone)));
    back(low, Kind::Folder, Some(desk.root)).await.expect("elsewhere");
    assert_eq!(desk.names(desk.root).await, ["low", "file"]);
}

#[tokio::test]
async fn the_trash_holds_many_of_one_name() {
    let desk = Desk::new().await;
    for content in [b"1", b"2", b"3"] {
        let file = desk.file(desk.root, "f", content).await.item.id;
        desk.trash(file, Kind::File).await;
    }
    assert_eq!(trashed_names(&desk).await, ["f", "f", "f"]);
    let change = desk.update(desk.file(desk.root, "f", b"4").await.item.id, Kind::File, renamed("g")).await;
    assert!(change.is_ok());
}

#[tokio::test]
async fn a_purge_releases_everything_in_batches() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    for part in 0..20 {
        let inner = desk.folder(folder, &format!("inner {part}")).await;
        let deep = desk.folder(inner, "deep").await;
        for file in 0..40 {
            desk.file(deep, &format!("{file}"), format!("{part} {file}").as_bytes()).await;
        }
    }
    let kept = desk.file(desk.root, "kept", b"kept").await.item.id;
    desk.trash(folder, Kind::Folder).await;
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    assert!(matches!(desk.see(folder, Kind::Folder).await, Err(Error::NotFound)));
    assert!(trashed_names(&desk).await.is_empty());
    assert!(desk.totals().items > 500, "what is left is for later");
    // Whoever goes on may be stopped, and begun twice.
    for _ in 0..3 {
        assert!(!desk.tree.purge_batch(folder, 10).await.expect("a batch"));
    }
    desk.finish_purge(folder).await;
    assert!(desk.tree.purge_batch(folder, 10).await.expect("nothing to do"));
    assert!(desk.tree.purge_batch(kept, 10).await.expect("not in limbo"));
    // Two roots and two trashes of two people, and the file that was kept.
    let totals = desk.totals();
    assert_eq!((totals.items, totals.versions, totals.contents, totals.chunks), (5, 1, 1, 1));
    assert_eq!(desk.space_used().await, 4);
    desk.check_books();
    assert_eq!(desk.content(kept).await, b"kept");
}
