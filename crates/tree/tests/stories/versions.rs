use crate::desk::{Desk, RULE, body, name, new_version, renamed, sha1};
use entente_model::VersionId;
use entente_tree::{Error, Kind, NewVersion, VersionState};

#[tokio::test]
async fn versions_pile_up_and_the_list_has_the_older_ones() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "f", b"one").await;
    let id = file.item.id;
    let second = desk.version(id, b"two").await;
    let third = desk.version(id, b"three").await;
    assert_eq!((second.item.sequence, third.item.sequence), (1, 2));
    assert_eq!(third.version.as_ref().map(|version| version.number), Some(3));
    assert_eq!(desk.content(id).await, b"three");
    let page = desk.tree.versions(&desk.anna, id, 0, 100).await.expect("a page");
    let digests: Vec<_> = page.entries.iter().map(|entry| entry.version.sha1).collect();
    assert_eq!((digests, page.total_count), (vec![Some(sha1(b"two")), Some(sha1(b"one"))], 2));
    let page = desk.tree.versions(&desk.anna, id, 1, 1).await.expect("a page");
    assert_eq!((page.entries.len(), page.entries[0].version.sha1), (1, Some(sha1(b"one"))));
    assert_eq!(page.entries[0].created_by.name, "Anna");
    assert_eq!(desk.space_used().await, 11);
}

#[tokio::test]
async fn a_version_may_bring_a_name_and_promoting_brings_the_old_one_back() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "old name", b"one").await;
    let (id, first) = (file.item.id, file.version.expect("a version").id);
    let new = NewVersion { name: Some(name("new name")), ..new_version() };
    let second = desk.tree.upload_version(&desk.anna, id, new, RULE, body(b"two")).await.expect("uploaded");
    assert_eq!(second.item.name.as_str(), "new name");

    let promoted = desk.tree.promote(&desk.anna, id, first, RULE).await.expect("promoted");
    assert_eq!((promoted.version.number, promoted.version.sha1), (3, Some(sha1(b"one"))));
    assert_eq!(promoted.state, VersionState::Current);
    assert_ne!(promoted.version.id, first);
    let seen = desk.see(id, Kind::File).await.expect("seen");
    assert_eq!((seen.item.name.as_str(), seen.item.sequence), ("old name", 2));
    assert_eq!(desk.content(id).await, b"one");
    assert_eq!(desk.space_used().await, 9);

    // A name that is taken by now stays with who has it.
    let second = second.version.expect("a version").id;
    desk.file(desk.root, "NEW name", b"other").await;
    desk.tree.promote(&desk.anna, id, second, RULE).await.expect("promoted");
    assert_eq!(desk.see(id, Kind::File).await.expect("seen").item.name.as_str(), "old name");
    let taken = NewVersion { name: Some(name("New Name")), ..new_version() };
    let outcome = desk.tree.upload_version(&desk.anna, id, taken, RULE, body(b"three")).await;
    assert!(matches!(outcome, Err(Error::NameInUse { .. })));
}

#[tokio::test]
async fn a_removed_version_leaves_the_list_and_later_the_store() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "f", b"one").await;
    let (id, first) = (file.item.id, file.version.expect("a version").id);
    let current = desk.version(id, b"two").await.version.expect("a version").id;
    assert!(matches!(desk.tree.remove_version(&desk.anna, id, current).await, Err(Error::Forbidden)));
    assert!(matches!(desk.tree.remove_version(&desk.anna, id, VersionId::new(1)).await, Err(Error::NotFound)));

    desk.tree.remove_version(&desk.anna, id, first).await.expect("removed");
    desk.tree.remove_version(&desk.anna, id, first).await.expect("and again");
    assert_eq!(desk.tree.versions(&desk.anna, id, 0, 10).await.expect("a page").total_count, 0);
    assert!(matches!(desk.tree.open(&desk.anna, id, Some(first)).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.promote(&desk.anna, id, first, RULE).await, Err(Error::NotFound)));
    let seen = desk.tree.version(&desk.anna, id, first).await.expect("still there");
    assert_eq!((seen.state, seen.trashed_by.is_some()), (VersionState::Removed, true));

    let restored = desk.tree.restore_version(&desk.anna, id, first).await.expect("restored");
    assert_eq!(restored.state, VersionState::Older);
    assert_eq!(desk.tree.versions(&desk.anna, id, 0, 10).await.expect("a page").total_count, 1);

    desk.tree.remove_version(&desk.anna, id, first).await.expect("removed");
    let now = desk.stage.world.now();
    assert!(desk.tree.purge_versions(now.before(std::time::Duration::from_secs(9)), 10).await.expect("none yet"));
    assert_eq!(desk.space_used().await, 6);
    assert!(desk.tree.purge_versions(now.after(std::time::Duration::from_secs(9)), 10).await.expect("purged"));
    assert_eq!(desk.space_used().await, 3);
    assert!(matches!(desk.tree.version(&desk.anna, id, first).await, Err(Error::NotFound)));
    assert_eq!(desk.content(id).await, b"two");
}

#[tokio::test]
async fn a_renamed_file_keeps_its_versions() {
    let desk = Desk::new().await;
    let id = desk.file(desk.root, "f", b"one").await.item.id;
    desk.version(id, b"two").await;
    desk.update(id, Kind::File, renamed("g")).await.expect("renamed");
    let page = desk.tree.versions(&desk.anna, id, 0, 10).await.expect("a page");
    assert_eq!(page.entries[0].version.name.as_str(), "f");
}
