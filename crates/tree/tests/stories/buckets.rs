//! Buckets, and the versions and delete markers of their keys.

use crate::desk::{Desk, RULE, renamed};
use crate::paths::{names, s3_remove};
use entente_database::items::{self, Item, Mark};
use entente_database::{counts, versions};
use entente_model::{ItemId, Timestamp, VersionId};
use entente_tree::{
    BucketVersioning, Error, HistoryEntry, HistoryWalk, Kind, MarkerId, Path, Prune, RestoreTo, Want, WantedVersion,
};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::collections::BTreeMap;

async fn history(desk: &Desk, bucket: ItemId, walk: HistoryWalk) -> Vec<HistoryEntry> {
    let (mut walk, mut found) = (walk, Vec::new());
    loop {
        let page = desk.tree.walk_versions(&desk.anna, bucket, walk.clone()).await.expect("a page");
        assert!(page.entries.len() <= usize::try_from(walk.limit).expect("small"));
        found.extend(page.entries);
        match page.next {
            Some(next) => walk.after = Some(next),
            None => return found,
        }
    }
}

/// What a history says of each entry: the key, how it is called, its bytes' length (none of a marker), whether it is the
/// latest.
type Line = (String, Option<WantedVersion>, Option<u64>, bool);

fn line(entry: &HistoryEntry) -> Line {
    match entry {
        HistoryEntry::Version { key, version, object, latest } => {
            let size = object.view.version.as_ref().map(|version| version.size);
            (key.clone(), Some(*version), size, *latest)
        }
        HistoryEntry::Marker { key, version, latest, .. } => (key.clone(), Some(*version), None, *latest),
        HistoryEntry::Prefix(prefix) => (prefix.clone(), None, None, false),
    }
}

async fn lines(desk: &Desk, bucket: ItemId, limit: u32) -> Vec<Line> {
    let walk = HistoryWalk { limit, ..HistoryWalk::default() };
    history(desk, bucket, walk).await.iter().map(line).collect()
}

async fn remove_version(desk: &Desk, bucket: ItemId, key: &str, version: WantedVersion) -> Result<(), Error> {
    let names = names(key);
    let path = Path { base: bucket, names: &names };
    desk.tree.remove_version_at(&desk.anna, path, version, Prune::Implied).await.map(drop)
}

async fn version_size(desk: &Desk, bucket: ItemId, key: &str, version: WantedVersion) -> Result<u64, Error> {
    let names = names(key);
    let path = Path { base: bucket, names: &names };
    let (object, content) = desk.tree.open_at(&desk.anna, path, Some(version)).await?;
    assert_eq!(object.view.version.as_ref().map(|version| version.size), Some(content.size()));
    Ok(content.size())
}

#[tokio::test]
async fn a_bucket_is_a_folder_at_the_root() {
    let desk = Desk::new().await;
    assert!(matches!(desk.tree.create_bucket(&desk.anna, "No").await, Err(Error::Invalid(_))));
    let bucket = desk.tree.create_bucket(&desk.anna, "first-bucket").await.expect("a bucket");
    assert_eq!(desk.names(desk.root).await, ["first-bucket"]);
    assert!(matches!(desk.tree.create_bucket(&desk.anna, "first-bucket").await, Err(Error::BucketYours)));
    assert!(matches!(desk.tree.create_bucket(&desk.ben, "first-bucket").await, Err(Error::BucketTaken)));
    assert!(matches!(desk.tree.bucket(&desk.ben, "first-bucket").await, Err(Error::NotFound)));
    // Folders of other doors are buckets if they are called like one.
    desk.folder(desk.root, "a-folder").await;
    desk.folder(desk.root, "A folder").await;
    desk.file(desk.root, "a-file", b"x").await;
    let found = desk.tree.buckets(&desk.anna).await.expect("buckets");
    let found: Vec<_> = found.iter().map(|bucket| bucket.name.as_str()).collect();
    assert_eq!(found, ["a-folder", "first-bucket"]);
    assert!(desk.tree.buckets(&desk.ben).await.expect("buckets").is_empty());
    assert!(matches!(desk.tree.create_bucket(&desk.anna, "a-folder").await, Err(Error::BucketYours)));

    // The name goes where the folder goes.
    desk.update(bucket.item, Kind::Folder, renamed("second-bucket")).await.expect("renamed");
    assert!(matches!(desk.tree.bucket(&desk.anna, "first-bucket").await, Err(Error::NotFound)));
    assert_eq!(desk.tree.bucket(&desk.anna, "second-bucket").await.expect("there").item, bucket.item);
    let bens = desk.tree.create_bucket(&desk.ben, "first-bucket").await.expect("free again");
    assert!(matches!(desk.tree.create_bucket(&desk.anna, "first-bucket").await, Err(Error::BucketTaken)));
    desk.tree.delete_bucket(&desk.ben, "first-bucket").await.expect("deleted");
    desk.tree.create_bucket(&desk.anna, "first-bucket").await.expect("free again");
    desk.tree.restore(&desk.ben, bens.item, Kind::Folder, RestoreTo::default(), RULE).await.expect("restored");
    assert_eq!(desk.tree.bucket(&desk.ben, "first-bucket").await.expect("his").item, bens.item);
    desk.check_books();
}

#[tokio::test]
async fn a_bucket_is_deleted_when_nothing_is_in_it() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    let file = desk.put(bucket, "a/b/c", b"x").await.object.view.item.id;
    assert!(matches!(desk.tree.delete_bucket(&desk.anna, "bucket").await, Err(Error::FolderNotEmpty)));
    // Another door leaves the folders behind that only the key needed.
    desk.trash(file, Kind::File).await;
    desk.tree.delete_bucket(&desk.anna, "bucket").await.expect("deleted");
    desk.tree.trashed(&desk.anna, bucket, Kind::Folder).await.expect("in the trash");
    assert!(matches!(desk.tree.delete_bucket(&desk.anna, "bucket").await, Err(Error::NotFound)));
    desk.check_books();

    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.folder(bucket, "made").await;
    assert!(matches!(desk.tree.delete_bucket(&desk.anna, "bucket").await, Err(Error::FolderNotEmpty)));
}

#[tokio::test]
async fn a_bucket_of_very_many_empty_folders_is_deleted() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    crate::keys::empty_folders(&desk, bucket, 3, 400).await;
    desk.tree.delete_bucket(&desk.anna, "bucket").await.expect("deleted");
    desk.tree.trashed(&desk.anna, bucket, Kind::Folder).await.expect("in the trash");
    desk.check_books();
}

#[tokio::test]
async fn a_bucket_is_emptied_from_one_listing_versions_first() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    for key in ["k", "f/k"] {
        desk.put(bucket, key, b"1").await;
        desk.put(bucket, key, b"22").await;
        desk.remove(bucket, key).await.expect("removed");
    }
    let listed = lines(&desk, bucket, 1_000).await;
    assert_eq!(listed.len(), 6);
    let (markers, versions): (Vec<Line>, Vec<Line>) = listed.into_iter().partition(|line| line.2.is_none());
    assert_eq!((markers.len(), versions.len()), (2, 4));
    for (key, version, ..) in versions.into_iter().chain(markers) {
        let version = version.expect("no prefix");
        remove_version(&desk, bucket, &key, version).await.unwrap_or_else(|error| panic!("{key} {version}: {error}"));
    }
    assert_eq!(lines(&desk, bucket, 1_000).await, []);
    desk.tree.delete_bucket(&desk.anna, "bucket").await.expect("empty");
    desk.check_books();
}

#[tokio::test]
async fn of_very_many_markers_each_is_found_and_the_newest_first() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    let (world, by) = (desk.stage.world.clone(), desk.anna.user);
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    let made = desk.stage.database.transact("fill", move |tx| {
        let mut made = Vec::new();
        for step in 0..1_100 {
            let id = ItemId::new(world.next_id());
            let mut item = Item::new(id, Kind::File, crate::desk::name("k"), by, world.now());
            (item.parent, item.trashed_from, item.trashed_by) = (Some(trash), Some(bucket), Some(by));
            // What was made first went last.
            item.trashed_at = Some(Timestamp::from_millis(2_000 - step));
            item.mark = Mark { versions: false, ..Mark::MARKER };
            items::insert(tx, &item)?;
            counts::gained(tx, trash, id)?;
            made.push(WantedVersion::Marker(MarkerId { item: id, sequence: item.sequence }));
        }
        Ok::<_, entente_database::Error>(made)
    });
    let made = made.await.expect("filled");
    let key = names("k");
    let path = Path { base: bucket, names: &key };
    assert_eq!(desk.tree.marker_at(&desk.anna, path).await.expect("looked up"), Some(made[0]));
    let last = made[made.len() - 1];
    assert!(matches!(version_size(&desk, bucket, "k", last).await, Err(Error::Deleted)));
    assert!(matches!(remove_version(&desk, bucket, "other", last).await, Err(Error::NotFound)));
    remove_version(&desk, bucket, "k", last).await.expect("removed");
    assert!(matches!(remove_version(&desk, bucket, "k", last).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn settings_are_kept_with_the_bucket() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket");
    let setting = || desk.tree.bucket_setting(&desk.anna, "bucket", "cors");
    assert_eq!(setting().await.expect("none"), None);
    for value in ["one", "two"] {
        desk.tree.set_bucket_setting(&desk.anna, "bucket", "cors", value.to_owned()).await.expect("set");
        assert_eq!(setting().await.expect("set").as_deref(), Some(value));
    }
    let long = "x".repeat(70_000);
    let refused = desk.tree.set_bucket_setting(&desk.anna, "bucket", "cors", long).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    assert!(matches!(desk.tree.bucket_setting(&desk.ben, "bucket", "cors").await, Err(Error::NotFound)));
    desk.tree.remove_bucket_setting(&desk.anna, "bucket", "cors").await.expect("removed");
    desk.tree.remove_bucket_setting(&desk.anna, "bucket", "cors").await.expect("and again");
    assert_eq!(setting().await.expect("none"), None);

    assert_eq!(bucket.versioning, BucketVersioning::Never);
    desk.folder(desk.root, "a-folder").await;
    for (name, versioning) in [
        ("bucket", BucketVersioning::On),
        ("bucket", BucketVersioning::Suspended),
        ("a-folder", BucketVersioning::Suspended),
    ] {
        desk.tree.set_versioning(&desk.anna, name, versioning).await.expect("set");
        assert_eq!(desk.tree.bucket(&desk.anna, name).await.expect("there").versioning, versioning);
    }
    let back = desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::Never).await;
    assert!(matches!(back, Err(Error::Invalid(_))));
    assert!(matches!(desk.tree.create_bucket(&desk.ben, "a-folder").await, Err(Error::BucketTaken)));
}

#[tokio::test]
async fn a_bucket_without_versions_shows_files_as_they_are() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.put(bucket, "k", b"1").await;
    desk.put(bucket, "k", b"22").await;
    desk.put(bucket, "gone", b"1").await;
    let removed = desk.remove(bucket, "gone").await.expect("removed");
    assert_eq!(removed.marker, None);
    desk.file(bucket, "of-box", b"333").await;
    let null = Some(WantedVersion::Plain);
    let expected = [("k".to_owned(), null, Some(2), true), ("of-box".to_owned(), null, Some(3), true)];
    assert_eq!(lines(&desk, bucket, 1).await, expected);
    assert_eq!(version_size(&desk, bucket, "of-box", WantedVersion::Plain).await.expect("there"), 3);
    desk.put(bucket, "whole", b"1").await;
    desk.put(bucket, "whole", b"22").await;
    remove_version(&desk, bucket, "whole", WantedVersion::Plain).await.expect("removed");
    assert!(matches!(desk.at(bucket, "whole", Want::File).await, Err(Error::NotFound)));
    // What was deleted before versions were kept is no part of any history.
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    let found = lines(&desk, bucket, 10).await;
    assert_eq!(found.iter().map(|line| line.0.as_str()).collect::<Vec<_>>(), ["k", "of-box"]);
    assert_eq!((found[0].1, found[0].2), (null, Some(2)));
    assert!(matches!(found[1].1, Some(WantedVersion::Id(_))), "made through a door that keeps versions");
}

#[tokio::test]
async fn deleting_leaves_a_marker_and_taking_that_away_brings_the_file_back() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    let first = desk.put(bucket, "a/k", b"1").await.object.view;
    assert!(!first.version.as_ref().expect("a version").plain);
    desk.put(bucket, "a/k", b"22").await;
    let removed = desk.remove(bucket, "a/k").await.expect("removed");
    let marker = removed.marker.expect("a marker");
    assert!(matches!(marker, WantedVersion::Marker(_)));
    let key = names("a/k");
    let path = Path { base: bucket, names: &key };
    assert!(matches!(desk.tree.at(&desk.anna, path, Want::File).await, Err(Error::NotFound)));
    assert_eq!(desk.tree.marker_at(&desk.anna, path).await.expect("asked"), Some(marker));
    assert!(matches!(version_size(&desk, bucket, "a/k", marker).await, Err(Error::Deleted)));
    let version = WantedVersion::Id(first.version.expect("a version").id);
    assert_eq!(version_size(&desk, bucket, "a/k", version).await.expect("behind the marker"), 1);
    assert!(matches!(version_size(&desk, bucket, "a/other", version).await, Err(Error::NotFound)));
    // Nothing of the bucket is to be seen, and it is not empty.
    let walked = desk.tree.walk(&desk.anna, bucket, entente_tree::Walk { limit: 9, ..Default::default() }).await;
    assert!(walked.expect("a page").entries.is_empty());
    let by_folder = entente_tree::Walk { limit: 9, delimiter: Some("/".to_owned()), ..Default::default() };
    assert!(desk.tree.walk(&desk.anna, bucket, by_folder).await.expect("a page").entries.is_empty());
    assert!(matches!(desk.tree.delete_bucket(&desk.anna, "bucket").await, Err(Error::FolderNotEmpty)));

    // A file of the same path is another item, and its history goes on in the trash.
    desk.put(bucket, "a/k", b"333").await;
    let sizes: Vec<_> = lines(&desk, bucket, 1).await.into_iter().map(|line| (line.2, line.3)).collect();
    assert_eq!(sizes, [(Some(3), true), (None, false), (Some(2), false), (Some(1), false)]);
    let second = desk.remove(bucket, "a/k").await.expect("removed").marker.expect("a marker");
    let sizes: Vec<_> = lines(&desk, bucket, 2).await.into_iter().map(|line| (line.2, line.3)).collect();
    let expected = [(None, true), (Some(3), false), (None, false), (Some(2), false), (Some(1), false)];
    assert_eq!(sizes, expected);

    // The older marker goes, then the newer: what is behind the newer is there again, with all that was before.
    remove_version(&desk, bucket, "a/k", marker).await.expect("taken away");
    assert!(matches!(remove_version(&desk, bucket, "a/k", marker).await, Err(Error::NotFound)));
    assert!(matches!(desk.at(bucket, "a/k", Want::File).await, Err(Error::NotFound)));
    remove_version(&desk, bucket, "a/k", second).await.expect("taken away");
    assert_eq!(desk.read_at(bucket, "a/k").await, b"333");
    let sizes: Vec<_> = lines(&desk, bucket, 3).await.into_iter().map(|line| (line.2, line.3)).collect();
    assert_eq!(sizes, [(Some(3), true), (Some(2), false), (Some(1), false)]);

    // One by one, the newest first: the one before it is the file's then, of whatever item it is.
    for rest in [&b"22"[..], b"1"] {
        let newest = lines(&desk, bucket, 9).await.remove(0).1.expect("a version");
        remove_version(&desk, bucket, "a/k", newest).await.expect("removed");
        assert_eq!(desk.read_at(bucket, "a/k").await, rest);
        desk.check_books();
    }
    remove_version(&desk, bucket, "a/k", version).await.expect("removed");
    assert_eq!(lines(&desk, bucket, 9).await, []);
    assert!(desk.names(bucket).await.is_empty(), "the folder went with the last of it");
    desk.tree.delete_bucket(&desk.anna, "bucket").await.expect("deleted");
    desk.check_books();
}

#[tokio::test]
async fn a_version_that_was_removed_makes_room_for_its_number() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    desk.put(bucket, "k", b"1").await;
    let second = desk.put(bucket, "k", b"22").await.object.view;
    let second = second.version.expect("a version").id;
    remove_version(&desk, bucket, "k", WantedVersion::Id(second)).await.expect("removed");
    let third = desk.put(bucket, "k", b"333").await.object.view;
    assert_eq!(third.version.expect("a version").number, 3);
    let sizes: Vec<_> = lines(&desk, bucket, 1).await.into_iter().map(|line| line.2).collect();
    assert_eq!(sizes, [Some(3), Some(1)]);
    // Through Box it can be had back.
    desk.tree.restore_version(&desk.anna, third.item.id, second).await.expect("restored");
    let sizes: Vec<_> = lines(&desk, bucket, 1).await.into_iter().map(|line| line.2).collect();
    assert_eq!(sizes.len(), 3);
    desk.check_books();
}

#[tokio::test]
async fn while_suspended_there_is_one_plain_version_at_most() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.put(bucket, "k", b"plain before").await;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    desk.put(bucket, "k", b"1").await;
    let sizes = |lines: Vec<Line>| -> Vec<_> {
        lines.into_iter().map(|line| (line.1 == Some(WantedVersion::Plain), line.2)).collect()
    };
    assert_eq!(sizes(lines(&desk, bucket, 1).await), [(false, Some(1)), (true, Some(12))]);
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::Suspended).await.expect("set");
    desk.put(bucket, "k", b"22").await;
    assert_eq!(sizes(lines(&desk, bucket, 1).await), [(true, Some(2)), (false, Some(1))]);
    desk.put(bucket, "k", b"333").await;
    assert_eq!(sizes(lines(&desk, bucket, 2).await), [(true, Some(3)), (false, Some(1))]);
    assert_eq!(version_size(&desk, bucket, "k", WantedVersion::Plain).await.expect("there"), 3);
    // A marker that takes its place.
    let removed = desk.remove(bucket, "k").await.expect("removed");
    assert_eq!(removed.marker, Some(WantedVersion::Plain));
    assert_eq!(sizes(lines(&desk, bucket, 1).await), [(true, None), (false, Some(1))]);
    assert!(matches!(version_size(&desk, bucket, "k", WantedVersion::Plain).await, Err(Error::Deleted)));
    // Once that is taken away, nothing plain is left, and what is behind it is there again.
    remove_version(&desk, bucket, "k", WantedVersion::Plain).await.expect("taken away");
    assert_eq!(sizes(lines(&desk, bucket, 1).await), [(false, Some(1))]);
    assert_eq!(desk.read_at(bucket, "k").await, b"1");
    assert!(matches!(remove_version(&desk, bucket, "k", WantedVersion::Plain).await, Err(Error::NotFound)));
    desk.put(bucket, "k", b"4444").await;
    desk.put(bucket, "k", b"55555").await;
    remove_version(&desk, bucket, "k", WantedVersion::Plain).await.expect("taken away");
    assert_eq!(sizes(lines(&desk, bucket, 1).await), [(false, Some(1))]);
    desk.put(bucket, "only", b"1").await;
    desk.put(bucket, "only", b"22").await;
    remove_version(&desk, bucket, "only", WantedVersion::Plain).await.expect("taken away");
    assert!(matches!(desk.at(bucket, "only", Want::File).await, Err(Error::NotFound)));
    assert_eq!(lines(&desk, bucket, 9).await.len(), 1);
    desk.check_books();
}

#[tokio::test]
async fn what_other_doors_do_is_part_of_the_history() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    let file = desk.file(bucket, "k", b"1").await.item.id;
    desk.version(file, b"22").await;
    desk.trash(file, Kind::File).await;
    let found = lines(&desk, bucket, 1).await;
    assert_eq!(found.iter().map(|line| line.2).collect::<Vec<_>>(), [None, Some(2), Some(1)]);
    desk.tree.restore(&desk.anna, file, Kind::File, RestoreTo::default(), RULE).await.expect("restored");
    assert_eq!(lines(&desk, bucket, 9).await.len(), 2);
    let marker = desk.remove(bucket, "k").await.expect("removed").marker.expect("a marker");
    assert_ne!(Some(marker), found[0].1, "each deletion is one of its own");
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    assert_eq!(lines(&desk, bucket, 9).await, []);
    // A prefix of what is only in the trash.
    desk.put(bucket, "dir/x", b"1").await;
    desk.remove(bucket, "dir/x").await.expect("removed");
    let walk = HistoryWalk { delimiter: Some("/".to_owned()), limit: 1, ..HistoryWalk::default() };
    let found: Vec<_> = history(&desk, bucket, walk).await.iter().map(line).collect();
    assert_eq!(found, [("dir/".to_owned(), None, None, false)]);
    let walk = HistoryWalk { prefix: "dir/".to_owned(), limit: 1, ..HistoryWalk::default() };
    assert_eq!(history(&desk, bucket, walk).await.len(), 2);
}

#[tokio::test]
async fn a_page_of_many_versions_that_are_not_shown_is_bounded() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    let first = desk.put(bucket, "k", b"1").await.object.view.version.expect("a version");
    let world = desk.stage.world.clone();
    let last = desk
        .stage
        .database
        .transact("fill", move |tx| {
            let mut version = first.clone();
            for number in 2..11_000 {
                (version.id, version.number) = (VersionId::new(world.next_id()), number);
                versions::insert(tx, &version)?;
            }
            Ok::<_, entente_database::Error>(version)
        })
        .await
        .expect("filled");
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    desk.put(bucket, "z", b"1").await;
    let walk = HistoryWalk { limit: 10, ..HistoryWalk::default() };
    let page = desk.tree.walk_versions(&desk.anna, bucket, walk.clone()).await.expect("a page");
    assert_eq!(page.entries.len(), 1, "the newest plain one, and then nothing that is shown");
    assert!(page.next.is_some());
    let found = history(&desk, bucket, walk).await;
    assert_eq!(found.iter().map(|entry| line(entry).0).collect::<Vec<_>>(), ["k", "z"]);
    assert!(last.plain);
}

/// What one key went through.
#[derive(Debug, Clone, Copy)]
enum Change {
    Put { key: usize },
    Delete { key: usize },
    DeleteVersion { key: usize, index: proptest::sample::Index },
}

const KEYS: [&str; 5] = ["k", "k/", "a/b", "a/b/c", "a!"];

/// A history in its simplest form: of each key the entries, the newest first; `None` is a marker.
#[derive(Default)]
struct Model(BTreeMap<&'static str, Vec<Option<u64>>>);

impl Model {
    fn lines(&self) -> Vec<(String, Option<u64>, bool)> {
        let of_key = |(key, entries): (&&str, &Vec<Option<u64>>)| {
            let key = (*key).to_owned();
            let lines = entries.iter().enumerate().map(|(index, size)| (key.clone(), *size, index == 0));
            lines.collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_key).collect()
    }
}

async fn run(changes: Vec<Change>, limit: u32) {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    let mut model = Model::default();
    for (size, change) in (1_u64..).zip(changes) {
        match change {
            Change::Put { key } => {
                let key = KEYS[key];
                desk.put(bucket, key, &vec![7; usize::try_from(size).expect("small")]).await;
                model.0.entry(key).or_default().insert(0, Some(size));
            }
            Change::Delete { key } => {
                let key = KEYS[key];
                let entries = model.0.entry(key).or_default();
                // As S3 deletes: there is a marker afterwards, whatever was there before.
                let (names, how) = (names(key), s3_remove());
                let path = Path { base: bucket, names: &names };
                let removed = desk.tree.remove_or_mark_at(&desk.anna, path, how).await.expect("removed");
                assert!(matches!(removed.marker, Some(WantedVersion::Marker(_))));
                entries.insert(0, None);
            }
            Change::DeleteVersion { key, index } => {
                let key = KEYS[key];
                let entries = model.0.entry(key).or_default();
                if entries.is_empty() {
                    continue;
                }
                let index = index.index(entries.len());
                let found: Vec<_> =
                    lines(&desk, bucket, limit).await.into_iter().filter(|line| line.0 == key).collect();
                let version = found[index].1.expect("a version");
                remove_version(&desk, bucket, key, version).await.expect("removed");
                entries.remove(index);
            }
        }
        let found = lines(&desk, bucket, limit).await;
        let found: Vec<_> = found.into_iter().map(|(key, _, size, latest)| (key, size, latest)).collect();
        assert_eq!(found, model.lines());
        for key in KEYS {
            let expected = model.0.get(key).and_then(|entries| *entries.first()?);
            let there = desk.at(bucket, key, Want::File).await.ok().and_then(|object| object.view.version);
            assert_eq!(there.map(|version| version.size), expected, "{key}");
        }
    }
    desk.check_books();
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..KEYS.len()).prop_map(|key| Change::Put { key }),
        2 => (0..KEYS.len()).prop_map(|key| Change::Delete { key }),
        3 => (0..KEYS.len(), any::<proptest::sample::Index>())
            .prop_map(|(key, index)| Change::DeleteVersion { key, index }),
        1 => Just(Change::Put { key: 0 }),
    ]
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 24,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    })]

    #[test]
    fn a_history_is_what_was_done(changes in proptest::collection::vec(change(), 1..40), limit in 1_u32..6) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(changes, limit));
    }
}

#[tokio::test]
async fn deleting_what_is_not_there_leaves_a_marker_where_versions_are_kept() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    let (key, how) = (names("a/b/none"), s3_remove());
    let path = Path { base: bucket, names: &key };
    let before = desk.totals();
    let outcome = desk.tree.remove_or_mark_at(&desk.anna, path, how).await;
    assert!(matches!(outcome, Err(Error::NotFound)), "it has never kept versions");
    assert_eq!(desk.totals(), before);

    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::Suspended).await.expect("set");
    for _ in 0..3 {
        let removed = desk.tree.remove_or_mark_at(&desk.anna, path, how).await.expect("marked");
        assert_eq!(removed.marker, Some(WantedVersion::Plain));
        assert_eq!(lines(&desk, bucket, 9).await, [("a/b/none".to_owned(), Some(WantedVersion::Plain), None, true)]);
    }
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    let removed = desk.tree.remove_or_mark_at(&desk.anna, path, how).await.expect("marked");
    let marker = removed.marker.expect("a marker");
    assert_eq!(lines(&desk, bucket, 1).await.len(), 2);
    assert_eq!(desk.tree.marker_at(&desk.anna, path).await.expect("seen"), Some(marker));
    assert!(matches!(version_size(&desk, bucket, "a/b/none", marker).await, Err(Error::Deleted)));
    // No other door shows it, or takes it for something that can be had back.
    assert!(desk.see(removed.item, Kind::File).await.is_err());
    assert!(matches!(desk.tree.trashed(&desk.anna, removed.item, Kind::File).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.purge(&desk.anna, removed.item, Kind::File).await, Err(Error::NotFound)));
    let restored = desk.tree.restore(&desk.anna, removed.item, Kind::File, RestoreTo::default(), RULE).await;
    assert!(matches!(restored, Err(Error::NotFound)));
    assert!(matches!(desk.tree.delete_bucket(&desk.anna, "bucket").await, Err(Error::FolderNotEmpty)));

    remove_version(&desk, bucket, "a/b/none", marker).await.expect("taken away");
    assert!(matches!(remove_version(&desk, bucket, "a/b/none", marker).await, Err(Error::NotFound)));
    remove_version(&desk, bucket, "a/b/none", WantedVersion::Plain).await.expect("taken away");
    assert!(desk.names(bucket).await.is_empty(), "the folders go with the last of them");
    assert_eq!(desk.totals(), before);

    // With its folder it goes for good.
    desk.tree.remove_or_mark_at(&desk.anna, path, how).await.expect("marked");
    let folder = desk.at(bucket, "a", Want::Folder).await.expect("there").view.item.id;
    desk.trash(folder, Kind::Folder).await;
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    desk.finish_purge(folder).await;
    assert_eq!(desk.totals(), before);
    desk.check_books();
}
