use crate::desk::{Desk, moved, name, renamed};
use entente_model::{ItemId, Timestamp};
use entente_tree::{Error, ItemChange, ItemState, Kind, Recursive};

#[tokio::test]
async fn a_folder_is_made_seen_and_found_by_its_path() {
    let desk = Desk::new().await;
    let outer = desk.folder(desk.root, "Outer").await;
    let inner = desk.try_folder(outer, "Inner").await.expect("made");
    assert_eq!((inner.item.sequence, inner.item.parent, inner.state), (0, Some(outer), ItemState::Active));
    assert_eq!(inner.owner.login, "anna@example.com");
    let path: Vec<_> = inner.path.iter().map(|entry| (entry.id, entry.name.as_str())).collect();
    assert_eq!(path, [(desk.root, "All Files"), (outer, "Outer")]);

    let seen = desk.see(inner.item.id, Kind::Folder).await.expect("seen");
    assert_eq!(seen.item, inner.item);
    assert_eq!(seen.path, inner.path);
    assert!(matches!(desk.see(inner.item.id, Kind::File).await, Err(Error::NotFound)));
    assert!(matches!(desk.see(ItemId::new(1), Kind::Folder).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_root_can_be_seen_and_filled_and_nothing_else() {
    let desk = Desk::new().await;
    let root = desk.see(desk.root, Kind::Folder).await.expect("seen");
    assert!(root.path.is_empty() && root.item.parent.is_none());
    assert!(matches!(desk.update(desk.root, Kind::Folder, renamed("Mine")).await, Err(Error::Forbidden)));
    let trashed = desk.tree.trash_item(&desk.anna, desk.root, Kind::Folder, Recursive::Yes, None).await;
    assert!(matches!(trashed, Err(Error::Forbidden)));
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    assert!(matches!(desk.see(trash, Kind::Folder).await, Err(Error::NotFound)));
    assert!(matches!(desk.try_folder(trash, "In the trash").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn names_differ_without_regard_to_case_and_across_kinds() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "Été").await;
    let Err(Error::NameInUse { winner }) = desk.try_folder(desk.root, "E\u{301}TE\u{301}").await else {
        panic!("the name is taken")
    };
    assert_eq!((winner.item.id, winner.item.name.as_str()), (folder, "Été"));
    let file = desk.file(desk.root, "Report.txt", b"1").await;
    let Err(Error::NameInUse { winner }) = desk.try_folder(desk.root, "REPORT.TXT").await else {
        panic!("the name is taken")
    };
    assert_eq!(winner.version.as_ref().map(|version| version.sha1), file.version.as_ref().map(|version| version.sha1));
    assert_eq!(winner.path.len(), 1);
    desk.folder(folder, "Report.txt").await;
}

#[tokio::test]
async fn a_change_is_all_or_nothing_and_counts_once() {
    let desk = Desk::new().await;
    let (one, two) = (desk.folder(desk.root, "one").await, desk.folder(desk.root, "two").await);
    let change = ItemChange {
        name: Some(name("uno")),
        parent: Some(two),
        description: Some("first".to_owned()),
        tags: Some(vec!["a b".to_owned(), "c".to_owned()]),
        content_modified_at: Some(Timestamp::from_millis(5)),
        ..ItemChange::default()
    };
    let changed = desk.update(one, Kind::Folder, change.clone()).await.expect("changed");
    assert_eq!((changed.item.sequence, changed.item.parent), (1, Some(two)));
    assert_eq!(changed.item.tags, ["a b", "c"]);
    assert_eq!(desk.names(desk.root).await, ["two"]);
    assert_eq!(desk.names(two).await, ["uno"]);

    let again = desk.update(one, Kind::Folder, change).await.expect("nothing to change");
    assert_eq!(again.item.sequence, 1);
    let stale = ItemChange { if_match: Some(0), ..renamed("eins") };
    assert!(matches!(desk.update(one, Kind::Folder, stale).await, Err(Error::PreconditionFailed)));
    let fresh = ItemChange { if_match: Some(1), ..renamed("UNO") };
    assert_eq!(desk.update(one, Kind::Folder, fresh).await.expect("only its case").item.name.as_str(), "UNO");

    desk.folder(desk.root, "uno").await;
    let both = ItemChange { parent: Some(desk.root), description: Some("second".to_owned()), ..ItemChange::default() };
    assert!(matches!(desk.update(one, Kind::Folder, both).await, Err(Error::NameInUse { .. })));
    let seen = desk.see(one, Kind::Folder).await.expect("seen");
    assert_eq!((seen.item.description.as_str(), seen.item.sequence), ("first", 2));
}

#[tokio::test]
async fn what_does_not_fit_is_refused() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "f").await;
    let described = |text: String| ItemChange { description: Some(text), ..ItemChange::default() };
    let tagged = |tags: Vec<String>| ItemChange { tags: Some(tags), ..ItemChange::default() };
    desk.update(folder, Kind::Folder, described("é".repeat(256))).await.expect("as long as it may be");
    let bad = [
        described("x".repeat(257)),
        tagged(vec!["t".to_owned(); 2]),
        tagged(vec![String::new()]),
        tagged(vec!["a\nb".to_owned()]),
        tagged((0..101).map(|n| n.to_string()).collect()),
    ];
    for change in bad {
        assert!(matches!(desk.update(folder, Kind::Folder, change).await, Err(Error::Invalid(_))));
    }
}

#[tokio::test]
async fn a_folder_cannot_go_into_itself() {
    let desk = Desk::new().await;
    let top = desk.folder(desk.root, "top").await;
    let middle = desk.folder(top, "middle").await;
    let low = desk.folder(middle, "low").await;
    for target in [top, middle, low] {
        assert!(matches!(desk.update(top, Kind::Folder, moved(target)).await, Err(Error::FolderIntoItself)));
    }
    let file = desk.file(desk.root, "f", b"").await.item.id;
    assert!(matches!(desk.update(top, Kind::Folder, moved(file)).await, Err(Error::NotFound)));
    desk.update(low, Kind::Folder, moved(desk.root)).await.expect("upwards is fine");
    desk.update(top, Kind::Folder, moved(low)).await.expect("and now below it");
    let seen = desk.see(middle, Kind::Folder).await.expect("seen");
    let path: Vec<_> = seen.path.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(path, ["All Files", "low", "top"]);
}

#[tokio::test]
async fn folders_are_nested_a_thousand_deep_and_no_deeper() {
    let desk = Desk::new().await;
    let (mut parent, mut way) = (desk.root, Vec::new());
    for level in 0..1_000 {
        parent = desk.folder(parent, &format!("{level}")).await;
        way.push(parent);
    }
    assert!(matches!(desk.try_folder(parent, "one more").await, Err(Error::TooDeep)));
    let file = desk.file(parent, "a file fits", b"x").await;
    assert_eq!(file.path.len(), 1_001);

    // What is moved brings its levels with it.
    let pair = desk.folder(desk.root, "pair").await;
    desk.folder(pair, "below").await;
    assert!(matches!(desk.update(pair, Kind::Folder, moved(way[998])).await, Err(Error::TooDeep)));
    desk.update(pair, Kind::Folder, moved(way[997])).await.expect("fits exactly");
    let lone = desk.folder(desk.root, "lone").await;
    desk.update(way[0], Kind::Folder, moved(lone)).await.expect_err("a thousand levels and one");
    desk.trash(way[0], Kind::Folder).await;
    assert!(matches!(desk.see(file.item.id, Kind::File).await, Err(Error::Trashed)));
}
