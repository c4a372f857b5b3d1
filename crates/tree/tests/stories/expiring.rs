//! The edges of what goes by itself: what was moved or restored, what is hidden, markers by the thousand, and where a page
//! ends.

use crate::desk::{Desk, RULE, name};
use crate::lifecycle::{DAY, bucket, history, later, mark, rule, run, set};
use crate::paths::{names, s3_remove};
use entente_database::lifecycle::{self as rows, RunCounts};
use entente_model::{ItemId, Timestamp, VersionId};
use entente_tree::{
    BucketVersioning, Expect, Folders, HistoryEntry, HistoryWalk, Kind, LifecycleRule, MoveAt, NameRule, OlderVersions,
    Overwrite, Path, RestoreTo, Tree, Want, WantedVersion,
};

fn older(days: u32) -> LifecycleRule {
    LifecycleRule { older: Some(OlderVersions { after_days: days, keep: 0 }), ..rule("older", "") }
}

fn lone_markers() -> LifecycleRule {
    LifecycleRule { lone_markers: true, ..rule("markers", "") }
}

async fn suspend(desk: &Desk, versioning: BucketVersioning) {
    desk.tree.set_versioning(&desk.anna, "bucket", versioning).await.expect("set");
}

/// Removes for good what has been in nobody's sight since before so many days after the beginning.
async fn end_trash(desk: &Desk, tree: &Tree, days: u32) {
    let before = if days == 0 { Timestamp::from_millis(0) } else { desk.stage.world.now().after(DAY * days) };
    while !tree.purge_overwritten(before, 500).await.expect("purged") {}
    while !tree.purge_versions(before, 500).await.expect("purged") {}
    let mut after = None;
    loop {
        let expired = tree.expire_trash(before, after, 500).await.expect("purged");
        assert!(expired.failed.is_empty(), "{:?}", expired.failed);
        after = expired.next;
        if after.is_none() {
            return;
        }
    }
}

/// The ids of the versions of a file that are not current.
async fn older_versions(desk: &Desk, file: ItemId) -> Vec<VersionId> {
    let page = desk.tree.versions(&desk.anna, file, 0, 100).await.expect("versions");
    page.entries.into_iter().map(|entry| entry.version.id).collect()
}

#[tokio::test]
async fn what_something_old_was_moved_onto_is_not_current_since_then() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    desk.put(bucket, "old", b"1").await;
    desk.put(bucket, "k", b"22").await;
    set(&desk, vec![older(5)]).await;
    let move_at = MoveAt {
        want: Want::File,
        expect: Expect::Anything,
        folders: Folders::Imply,
        rule: NameRule::Exact,
        overwrite: Overwrite::Replace,
    };
    let (from, to) = (names("old"), names("k"));
    let (from, to) = (Path { base: bucket, names: &from }, Path { base: bucket, names: &to });
    later(&desk, 20).move_at(&desk.anna, from, to, move_at).await.expect("moved");
    assert_eq!(history(&desk, bucket, "k").await, [Some(1), None, Some(2)]);
    for days in [21, 22, 25] {
        assert_eq!(run(&later(&desk, days), bucket).await, RunCounts::default(), "{days}");
    }
    let counts = run(&later(&desk, 27), bucket).await;
    assert_eq!(counts, RunCounts { older: 1, markers: 1, ..RunCounts::default() });
    desk.check_books();
}

#[tokio::test]
async fn what_suspended_versions_hide_ends_with_the_trash() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    desk.put(bucket, "both", b"1").await;
    desk.put(bucket, "under", b"1").await;
    desk.remove(bucket, "under").await.expect("removed");
    suspend(&desk, BucketVersioning::Suspended).await;
    for key in ["plain", "both", "back"] {
        desk.put(bucket, key, b"22222").await;
        desk.remove(bucket, key).await.expect("removed");
        assert_eq!(history(&desk, bucket, key).await.first(), Some(&None), "{key}");
    }
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    end_trash(&desk, &later(&desk, 40), 0).await;
    assert_eq!(desk.space_used().await, 17, "nothing goes before its time");
    let back = desk.tree.walk_versions(&desk.anna, bucket, HistoryWalk { limit: 9, ..HistoryWalk::default() });
    let HistoryEntry::Marker { view, .. } = back.await.expect("a page").entries.remove(0) else { panic!("no marker") };
    let back = view.item.id;
    desk.tree.restore(&desk.anna, back, Kind::File, RestoreTo::default(), RULE).await.expect("restored");
    for _ in 0..2 {
        end_trash(&desk, &later(&desk, 40), 1).await;
    }
    assert_eq!(desk.content(back).await, b"22222");
    assert_eq!(desk.space_used().await, 7);
    assert_eq!(desk.names(trash).await, ["both", "under"]);
    assert_eq!(history(&desk, bucket, "both").await, [None, Some(1)]);
    assert_eq!(history(&desk, bucket, "plain").await, []);
    desk.check_books();
}

#[tokio::test]
async fn what_is_shown_again_is_not_taken_for_overwritten() {
    let desk = Desk::new().await;
    let item = bucket(&desk, BucketVersioning::Never).await;
    desk.put(item, "k", b"1").await;
    let file = desk.put(item, "k", b"22").await.object.view.item.id;
    // Removed and restored through another door, it has its time again.
    let [first] = older_versions(&desk, file).await[..] else { panic!("not one version") };
    let tree = later(&desk, 20);
    tree.remove_version(&desk.anna, file, first).await.expect("removed");
    tree.restore_version(&desk.anna, file, first).await.expect("restored");
    end_trash(&desk, &tree, 1).await;
    assert_eq!(older_versions(&desk, file).await, [first]);
    // When what overwrote it is gone, S3 shows it.
    suspend(&desk, BucketVersioning::On).await;
    desk.put(item, "k", b"333").await;
    let versions = older_versions(&desk, file).await;
    desk.tree.remove_version(&desk.anna, file, versions[0]).await.expect("removed");
    assert_eq!(history(&desk, item, "k").await, [Some(3), Some(1)]);
    end_trash(&desk, &later(&desk, 60), 50).await;
    assert_eq!(history(&desk, item, "k").await, [Some(3), Some(1)]);
    assert_eq!(desk.space_used().await, 4);
    // Overwritten once more, its time begins then.
    suspend(&desk, BucketVersioning::Suspended).await;
    desk.put(item, "k", b"55555").await;
    end_trash(&desk, &later(&desk, 60), 0).await;
    assert_eq!(desk.space_used().await, 9);
    end_trash(&desk, &later(&desk, 60), 1).await;
    assert_eq!(desk.space_used().await, 8);
    desk.check_books();
}

#[tokio::test]
async fn what_went_into_the_trash_again_waits_again() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"1").await.item.id;
    desk.trash(file, Kind::File).await;
    let now = desk.stage.world.now();
    let is_due = |before| desk.stage.database.read(|tx| rows::is_trashed_before(tx, file, before)).expect("known");
    assert!(is_due(now.after(DAY)) && !is_due(now.before(DAY)));
    let tree = later(&desk, 20);
    tree.restore(&desk.anna, file, Kind::File, RestoreTo::default(), RULE).await.expect("restored");
    assert!(!is_due(now.after(DAY)));
    tree.trash_item(&desk.anna, file, Kind::File, entente_tree::Recursive::No, None).await.expect("trashed");
    assert!(!is_due(now.after(DAY)));
    assert!(is_due(now.after(DAY * 21)));
}

#[tokio::test]
async fn lone_markers_do_not_keep_one_another() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    mark(&desk, bucket, vec!["k".to_owned(), "k".to_owned()]).await;
    end_trash(&desk, &later(&desk, 40), 1).await;
    assert_eq!(history(&desk, bucket, "k").await, []);
    desk.check_books();
}

#[tokio::test]
async fn markers_of_nothing_hide_no_version() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    desk.put(bucket, "k", b"1").await;
    let key = names("k");
    let path = Path { base: bucket, names: &key };
    let mut last = None;
    for _ in 0..1_020 {
        let removed = desk.tree.remove_or_mark_at(&desk.anna, path, s3_remove()).await.expect("removed");
        last = removed.marker;
    }
    let found = history(&desk, bucket, "k").await;
    assert_eq!((found.len(), found.last()), (102, Some(&Some(1))));
    assert_eq!(desk.tree.marker_at(&desk.anna, path).await.expect("a marker"), last);
    desk.check_books();
}

#[tokio::test]
async fn a_lone_marker_at_the_end_of_a_page_goes() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    for number in 0..999 {
        desk.put(bucket, &format!("a{number:03}"), b"1").await;
    }
    mark(&desk, bucket, vec!["b".to_owned()]).await;
    desk.put(bucket, "c", b"1").await;
    set(&desk, vec![lone_markers()]).await;
    assert_eq!(run(&later(&desk, 3), bucket).await, RunCounts { markers: 1, ..RunCounts::default() });
    desk.check_books();
}

#[tokio::test]
async fn folders_that_only_a_marker_needed_go_with_it() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    desk.put(bucket, "one/deep/k", b"1").await;
    let kept = desk.folder(bucket, "kept").await;
    for key in ["one/deep/k", "kept/k"] {
        if key == "kept/k" {
            desk.put(bucket, key, b"1").await;
        }
        desk.remove(bucket, key).await.expect("removed");
    }
    set(&desk, vec![older(1)]).await;
    assert_eq!(run(&later(&desk, 3), bucket).await.older, 2);
    assert_eq!(desk.names(bucket).await, ["kept", "one"]);
    end_trash(&desk, &later(&desk, 40), 5).await;
    assert_eq!(desk.names(bucket).await, ["kept"]);
    assert_eq!(desk.names(kept).await, Vec::<String>::new());
    assert_eq!(desk.space_used().await, 0);
    desk.check_books();
}

#[tokio::test]
async fn a_folder_with_many_markers_is_purged_bit_by_bit() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    mark(&desk, bucket, (0..30).map(|number| format!("k{number}")).collect()).await;
    desk.trash(bucket, Kind::Folder).await;
    desk.tree.purge(&desk.anna, bucket, Kind::Folder).await.expect("purged");
    while !desk.tree.purge_batch(bucket, 7).await.expect("a batch") {}
    end_trash(&desk, &later(&desk, 40), 1).await;
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    assert_eq!(desk.names(trash).await, Vec::<String>::new());
    desk.check_books();
}

#[tokio::test]
async fn markers_taken_away_leave_what_they_stood_for() {
    for versioning in [BucketVersioning::On, BucketVersioning::Suspended] {
        let desk = Desk::new().await;
        let bucket = bucket(&desk, BucketVersioning::On).await;
        desk.put(bucket, "k", b"1").await;
        suspend(&desk, versioning).await;
        desk.put(bucket, "k", b"22").await;
        let key = names("k");
        let path = Path { base: bucket, names: &key };
        let marker = desk.remove(bucket, "k").await.expect("removed").marker.expect("a marker");
        assert_eq!(marker == WantedVersion::Plain, versioning == BucketVersioning::Suspended);
        desk.tree.remove_version_at(&desk.anna, path, marker, entente_tree::Prune::Implied).await.expect("taken away");
        // What was plain went with the plain marker.
        let left = if versioning == BucketVersioning::On { &[Some(2), Some(1)][..] } else { &[Some(1)][..] };
        assert_eq!(history(&desk, bucket, "k").await, left);
        assert_eq!(desk.at(bucket, "k", Want::File).await.expect("there").view.item.name, name("k"));
        desk.check_books();
    }
}
