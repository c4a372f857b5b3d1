//! What goes by itself: keys by the rules of their bucket, and what has been in nobody's sight for long. Time passes by
//! another world's clock over the same store.

use crate::desk::Desk;
use crate::paths::names;
use entente_database::counts;
use entente_database::items::{self, Item, Mark};
use entente_database::lifecycle::RunCounts;
use entente_model::{ItemId, Timestamp};
use entente_tree::{
    BucketVersioning, Error, Expiry, HistoryEntry, HistoryWalk, KeyFilter, Kind, Lifecycle, LifecycleRule,
    OlderVersions, Path, RestoreTo, Retains, RetentionChange, RunState, Tree, Want,
};
use entente_world::World;
use std::time::Duration;

pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The tree, so many days later.
pub fn later(desk: &Desk, days: u32) -> Tree {
    let world = World::simulated(7, desk.stage.world.now().after(DAY * days));
    world.ids_after(desk.stage.world.next_id() + (i64::from(days) << 40));
    Tree::new(world, desk.stage.database.clone(), desk.stage.vault.clone())
}

pub async fn bucket(desk: &Desk, versioning: BucketVersioning) -> ItemId {
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    if versioning != BucketVersioning::Never {
        desk.tree.set_versioning(&desk.anna, "bucket", versioning).await.expect("set");
    }
    bucket
}

pub fn rule(name: &str, prefix: &str) -> LifecycleRule {
    let filter = KeyFilter { prefix: prefix.to_owned(), ..KeyFilter::default() };
    LifecycleRule { name: name.to_owned(), enabled: true, filter, ..LifecycleRule::default() }
}

fn after_days(name: &str, prefix: &str, days: u32) -> LifecycleRule {
    LifecycleRule { expiry: Some(Expiry::AfterDays(days)), ..rule(name, prefix) }
}

pub async fn set(desk: &Desk, rules: Vec<LifecycleRule>) {
    let lifecycle = Lifecycle { rules };
    desk.tree.set_lifecycle(&desk.anna, "bucket", &lifecycle, "as given".to_owned()).await.expect("rules");
}

/// Walks along the bucket from its beginning to its end; what that removed.
pub async fn run(tree: &Tree, bucket: ItemId) -> RunCounts {
    tree.begin_lifecycle(bucket).await.expect("begun");
    let mut slices = 0;
    while tree.run_lifecycle(bucket).await.expect("a slice").state == RunState::GoesOn {
        slices += 1;
        assert!(slices < 100, "it does not end");
    }
    let known = tree.lifecycles(None).await.expect("known").into_iter().find(|state| state.bucket == bucket);
    let run = known.and_then(|state| state.run).expect("a walk");
    assert!(run.ended_at.is_some());
    run.counts
}

async fn keys(desk: &Desk, bucket: ItemId) -> Vec<String> {
    let walk = entente_tree::Walk { limit: 1_000, ..entente_tree::Walk::default() };
    let page = desk.tree.walk(&desk.anna, bucket, walk).await.expect("a page");
    let key = |entry| match entry {
        entente_tree::Entry::Key { key, .. } => key,
        entente_tree::Entry::Prefix(prefix) => prefix,
    };
    page.entries.into_iter().map(key).collect()
}

/// The sizes of a key's versions, the newest first; `None` for a marker.
pub async fn history(desk: &Desk, bucket: ItemId, key: &str) -> Vec<Option<u64>> {
    let walk = HistoryWalk { prefix: key.to_owned(), limit: 1_000, ..HistoryWalk::default() };
    let page = desk.tree.walk_versions(&desk.anna, bucket, walk).await.expect("a page");
    let line = |entry: HistoryEntry| match entry {
        HistoryEntry::Version { object, .. } => object.view.version.map(|version| version.size),
        HistoryEntry::Marker { .. } | HistoryEntry::Prefix(_) => None,
    };
    page.entries.into_iter().map(line).collect()
}

#[tokio::test]
async fn keys_go_at_the_midnight_after_their_days_and_can_be_restored() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::Never).await;
    desk.put(bucket, "logs/1", b"1").await;
    desk.put(bucket, "logs/deep/2", b"22").await;
    desk.put(bucket, "kept", b"333").await;
    let of_box = desk.file(bucket, "logs.txt", b"4444").await.item.id;
    set(&desk, vec![after_days("logs", "logs", 3)]).await;

    assert_eq!(run(&desk.tree, bucket).await, RunCounts::default());
    assert_eq!(run(&later(&desk, 3), bucket).await, RunCounts::default());
    assert_eq!(keys(&desk, bucket).await.len(), 4);
    assert_eq!(run(&later(&desk, 4), bucket).await, RunCounts { keys: 3, ..RunCounts::default() });
    assert_eq!(keys(&desk, bucket).await, ["kept"]);
    assert_eq!(desk.names(bucket).await, ["kept"], "folders that only keys needed are gone");
    let back = desk.tree.restore(&desk.anna, of_box, Kind::File, RestoreTo::default(), crate::desk::RULE).await;
    back.expect("restored");
    assert_eq!(desk.content(of_box).await, b"4444");
    assert_eq!(run(&later(&desk, 9), bucket).await.keys, 1);
    desk.check_books();
}

#[tokio::test]
async fn a_filter_asks_for_tags_and_sizes_and_a_rule_that_is_off_for_nothing() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::Never).await;
    for (key, content) in [("a", &b"1"[..]), ("b", b"22222"), ("c", b"22222")] {
        desk.put(bucket, key, content).await;
    }
    let key = names("b");
    let path = Path { base: bucket, names: &key };
    let tag = |facts: &mut entente_tree::Facts| {
        facts.tags = vec![("kind".to_owned(), "log".to_owned())];
        Ok(())
    };
    desk.tree.set_facts_at(&desk.anna, (path, None), tag).await.expect("tagged");
    let mut off = after_days("off", "", 1);
    off.enabled = false;
    let mut tagged = after_days("tagged", "", 1);
    tagged.filter.tags = vec![("kind".to_owned(), "log".to_owned())];
    let mut small = after_days("small", "", 1);
    small.filter.below_bytes = Some(5);
    set(&desk, vec![off, tagged, small]).await;
    assert_eq!(run(&later(&desk, 2), bucket).await.keys, 2);
    assert_eq!(keys(&desk, bucket).await, ["c"]);
    let date = Expiry::From(desk.stage.world.now().after(DAY * 5));
    set(&desk, vec![LifecycleRule { expiry: Some(date), ..rule("date", "") }]).await;
    assert_eq!(run(&later(&desk, 4), bucket).await.keys, 0);
    assert_eq!(run(&later(&desk, 5), bucket).await.keys, 1);
    desk.check_books();
}

#[tokio::test]
async fn where_versions_are_kept_older_ones_go_and_markers_last() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    for content in [&b"1"[..], b"22", b"333", b"4444"] {
        desk.put(bucket, "k", content).await;
    }
    desk.put(bucket, "deleted", b"1").await;
    desk.remove(bucket, "deleted").await.expect("removed");
    let older = OlderVersions { after_days: 2, keep: 1 };
    let mut rules = vec![LifecycleRule { older: Some(older), ..rule("older", "") }, rule("markers", "")];
    rules[1].lone_markers = true;
    set(&desk, rules.clone()).await;
    assert_eq!(run(&later(&desk, 2), bucket).await, RunCounts::default());
    // The newest of those that are not current stays, and with it the marker before it.
    assert_eq!(run(&later(&desk, 3), bucket).await, RunCounts { older: 2, ..RunCounts::default() });
    assert_eq!(history(&desk, bucket, "k").await, [Some(4), Some(3)]);
    assert_eq!(history(&desk, bucket, "deleted").await, [None, Some(1)]);

    rules[0].older = Some(OlderVersions { keep: 0, ..older });
    rules.push(after_days("all", "", 5));
    set(&desk, rules).await;
    assert_eq!(run(&later(&desk, 3), bucket).await, RunCounts { older: 2, ..RunCounts::default() });
    assert_eq!(history(&desk, bucket, "k").await, [Some(4)]);
    assert_eq!(history(&desk, bucket, "deleted").await, [None]);
    assert_eq!(run(&later(&desk, 3), bucket).await, RunCounts { markers: 1, ..RunCounts::default() });
    assert_eq!(history(&desk, bucket, "deleted").await, []);
    assert_eq!(run(&later(&desk, 6), bucket).await, RunCounts { keys: 1, ..RunCounts::default() });
    assert_eq!(history(&desk, bucket, "k").await, [None, Some(4)]);
    assert!(matches!(desk.at(bucket, "k", Want::File).await, Err(Error::NotFound)));
    assert_eq!(run(&later(&desk, 20), bucket).await, RunCounts { older: 1, ..RunCounts::default() });
    assert_eq!(run(&later(&desk, 20), bucket).await, RunCounts { markers: 1, ..RunCounts::default() });
    desk.check_books();
}

#[tokio::test]
async fn pages_go_on_in_the_middle_of_a_key() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    let puts = 1_040;
    for _ in 0..puts {
        desk.put(bucket, "many", b"1").await;
    }
    for key in ["a", "z"] {
        desk.put(bucket, key, b"1").await;
        desk.remove(bucket, key).await.expect("removed");
    }
    let mut one = rule("r", "");
    (one.older, one.lone_markers) = (Some(OlderVersions { after_days: 1, keep: 3 }), true);
    set(&desk, vec![one]).await;
    let counts = run(&later(&desk, 3), bucket).await;
    assert_eq!(counts, RunCounts { older: puts - 4, ..RunCounts::default() });
    assert_eq!(history(&desk, bucket, "many").await.len(), 4);
    assert_eq!(history(&desk, bucket, "z").await, [None, Some(1)]);
    desk.check_books();
}

/// Puts delete markers into the trash, as deletions leave them whose versions are gone: one of each name, in their order.
pub async fn mark(desk: &Desk, bucket: ItemId, keys: Vec<String>) {
    let (world, by) = (desk.stage.world.clone(), desk.anna.user);
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    let made = desk.stage.database.transact("mark", move |tx| {
        for (step, key) in keys.iter().enumerate() {
            let id = ItemId::new(world.next_id());
            let mut item = Item::new(id, Kind::File, crate::desk::name(key), by, world.now());
            (item.parent, item.trashed_from, item.trashed_by) = (Some(trash), Some(bucket), Some(by));
            item.trashed_at = Some(world.now().before(DAY - Duration::from_millis(step as u64)));
            item.mark = Mark { versions: false, ..Mark::MARKER };
            items::insert(tx, &item)?;
            counts::gained(tx, trash, id)?;
        }
        Ok::<_, entente_database::Error>(())
    });
    made.await.expect("made");
}

#[tokio::test]
async fn markers_that_go_are_no_place_to_stop_and_none_is_passed_by() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    let lone = 1_050;
    mark(&desk, bucket, (0..lone).map(|number| format!("lone {number:04}")).collect()).await;
    let many = 1_100;
    mark(&desk, bucket, vec!["many".to_owned(); many]).await;
    desk.put(bucket, "zzz", b"1").await;
    let mut one = rule("r", "");
    one.lone_markers = true;
    one.older = Some(OlderVersions { after_days: 1, keep: 0 });
    set(&desk, vec![one]).await;
    let tree = later(&desk, 3);
    let markers = u64::try_from(lone + many - 1).expect("a number");
    assert_eq!(run(&tree, bucket).await, RunCounts { markers, ..RunCounts::default() });
    // The newest of many was not alone before.
    assert_eq!(run(&tree, bucket).await, RunCounts { markers: 1, ..RunCounts::default() });
    assert_eq!(history(&desk, bucket, "").await, [Some(1)]);
}

#[tokio::test]
async fn suspended_versions_go_under_the_name_that_they_share() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::Suspended).await;
    desk.put(bucket, "k", b"1").await;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::On).await.expect("set");
    desk.put(bucket, "k", b"22").await;
    desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::Suspended).await.expect("set");
    desk.put(bucket, "gone", b"1").await;
    desk.remove(bucket, "gone").await.expect("removed");
    assert_eq!(history(&desk, bucket, "gone").await, [None]);
    let mut one = rule("r", "");
    (one.older, one.lone_markers) = (Some(OlderVersions { after_days: 1, keep: 0 }), true);
    set(&desk, vec![one]).await;
    let counts = run(&later(&desk, 3), bucket).await;
    assert_eq!(counts, RunCounts { older: 1, markers: 1, ..RunCounts::default() });
    assert_eq!(history(&desk, bucket, "k").await, [Some(2)]);
    assert_eq!(history(&desk, bucket, "gone").await, []);
    desk.check_books();
}

#[tokio::test]
async fn unfinished_uploads_are_ended() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::Never).await;
    for key in ["tmp/a", "tmp/b", "kept"] {
        crate::multipart::begin(&desk, bucket, key).await;
    }
    let one = LifecycleRule { uploads_after_days: Some(1), ..rule("r", "tmp/") };
    set(&desk, vec![one]).await;
    assert_eq!(run(&later(&desk, 1), bucket).await, RunCounts::default());
    assert_eq!(run(&later(&desk, 2), bucket).await, RunCounts { uploads: 2, ..RunCounts::default() });
    assert_eq!(run(&later(&desk, 2), bucket).await, RunCounts::default());
}

#[tokio::test]
async fn what_may_not_be_removed_is_left_and_counted() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    desk.tree.set_bucket_retention(&desk.anna, "bucket", Retains::OnRequest).await.expect("set");
    let folder = desk.folder(bucket, "folder").await;
    for content in [&b"1"[..], b"22", b"333"] {
        desk.put(bucket, "folder/k", content).await;
    }
    let held = history(&desk, bucket, "folder/k").await;
    assert_eq!(held, [Some(3), Some(2), Some(1)]);
    let key = names("folder/k");
    let path = Path { base: bucket, names: &key };
    let walk = HistoryWalk { limit: 10, ..HistoryWalk::default() };
    let page = desk.tree.walk_versions(&desk.anna, bucket, walk).await.expect("a page");
    let Some(HistoryEntry::Version { version, .. }) = page.entries.get(1) else { panic!("no version") };
    let change = |change| desk.tree.set_retention_at(&desk.anna, (path, Some(*version)), change);
    change(RetentionChange::Hold).await.expect("held");
    let older = Some(OlderVersions { after_days: 1, keep: 0 });
    set(&desk, vec![LifecycleRule { older, ..rule("r", "") }]).await;
    for older in [1, 0] {
        assert_eq!(run(&later(&desk, 3), bucket).await, RunCounts { older, refused: 1, ..RunCounts::default() });
    }
    assert_eq!(history(&desk, bucket, "folder/k").await, [Some(3), Some(2)]);

    // Nor does it go with the trash, or with the folder that it is in; and it is not in the way of the rest.
    desk.trash(folder, Kind::Folder).await;
    let file = desk.file(desk.root, "after it", b"1").await.item.id;
    desk.trash(file, Kind::File).await;
    let (tree, before) = (later(&desk, 40), desk.stage.world.now().after(DAY));
    assert_eq!(tree.expire_trash(before, None, 500).await.expect("purged").next, None);
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    assert_eq!(desk.names(trash).await, ["folder"]);
    desk.tree.restore(&desk.anna, folder, Kind::Folder, RestoreTo::default(), crate::desk::RULE).await.expect("back");
    change(RetentionChange::LetGo).await.expect("let go");
    assert_eq!(run(&later(&desk, 3), bucket).await, RunCounts { older: 1, ..RunCounts::default() });
    desk.check_books();
}

#[tokio::test]
async fn a_marker_that_is_all_that_is_left_ends_with_the_trash() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    for key in ["k", "again"] {
        desk.put(bucket, key, b"1").await;
        desk.remove(bucket, key).await.expect("removed");
    }
    desk.put(bucket, "again", b"1").await;
    desk.remove(bucket, "again").await.expect("removed");
    let older = Some(OlderVersions { after_days: 1, keep: 0 });
    set(&desk, vec![LifecycleRule { older, ..rule("r", "k") }]).await;
    assert_eq!(run(&later(&desk, 3), bucket).await.older, 1);
    assert_eq!(history(&desk, bucket, "k").await, [None]);
    let (tree, now) = (later(&desk, 40), desk.stage.world.now());
    // The version went three days after its file: until that is long ago, it can be had again.
    assert_eq!(tree.expire_trash(now.after(DAY), None, 500).await.expect("looked").next, None);
    assert_eq!(history(&desk, bucket, "k").await, [None]);
    assert_eq!(tree.expire_trash(now.after(DAY * 5), None, 500).await.expect("purged").next, None);
    assert_eq!(history(&desk, bucket, "k").await, []);
    assert_eq!(history(&desk, bucket, "again").await, [None, Some(1), None, Some(1)]);
    assert_eq!(desk.space_used().await, 2);
    desk.check_books();
}

/// The tree at noon, so many days later: no midnight comes while a story is told.
fn at_noon(desk: &Desk, days: i64) -> Tree {
    let today = desk.stage.world.now().millis().div_euclid(86_400_000);
    let noon = Timestamp::from_millis((today + days) * 86_400_000 + 43_200_000);
    let world = World::simulated(7, noon);
    world.ids_after(desk.stage.world.next_id() + (days << 40));
    Tree::new(world, desk.stage.database.clone(), desk.stage.vault.clone())
}

#[tokio::test]
async fn each_bucket_with_rules_is_walked_once_a_day() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::Never).await;
    desk.put(bucket, "k", b"1").await;
    set(&desk, vec![after_days("r", "", 1)]).await;
    // A change of the rules has begun a walk.
    assert_eq!(desk.tree.run_lifecycle(bucket).await.expect("a slice").state, RunState::GoesOn);
    while desk.tree.run_lifecycle(bucket).await.expect("a slice").state == RunState::GoesOn {}
    let begun_at = || async {
        let state = desk.tree.lifecycles(None).await.expect("known").remove(0);
        state.run.map(|run| (run.begun_at, run.ended_at.is_some()))
    };
    let tomorrow = at_noon(&desk, 1);
    tomorrow.begin_lifecycles().await.expect("begun");
    let first = begun_at().await;
    assert!(first.is_some_and(|(_, ended)| !ended));
    tomorrow.begin_lifecycles().await.expect("looked");
    assert_eq!(begun_at().await, first, "it goes on");
    while tomorrow.run_lifecycle(bucket).await.expect("a slice").state == RunState::GoesOn {}
    let first = begun_at().await;
    assert!(first.is_some_and(|(_, ended)| ended));
    tomorrow.begin_lifecycles().await.expect("looked");
    assert_eq!(begun_at().await, first, "not twice a day");
    at_noon(&desk, 2).begin_lifecycles().await.expect("begun");
    let second = begun_at().await;
    assert!(second.is_some_and(|(_, ended)| !ended) && second > first);
    // Rules that are gone are followed no more, and neither are those of a bucket that is gone.
    desk.tree.remove_lifecycle(&desk.anna, "bucket").await.expect("removed");
    desk.tree.remove_lifecycle(&desk.anna, "bucket").await.expect("and again");
    assert_eq!(later(&desk, 9).run_lifecycle(bucket).await.expect("a slice").state, RunState::Ended);
    assert_eq!(desk.tree.lifecycle_document(&desk.anna, "bucket").await.expect("none"), None);
    set(&desk, vec![after_days("r", "", 1)]).await;
    desk.trash(bucket, Kind::Folder).await;
    assert_eq!(later(&desk, 9).run_lifecycle(bucket).await.expect("a slice").state, RunState::Ended);
    assert!(begun_at().await.is_some_and(|(_, ended)| ended), "nothing waits for it");
}

#[tokio::test]
async fn rules_are_the_owners_to_make_and_have_names() {
    let desk = Desk::new().await;
    bucket(&desk, BucketVersioning::Never).await;
    let lifecycle = |rules: Vec<LifecycleRule>| Lifecycle { rules };
    let good = lifecycle(vec![after_days("r", "", 1)]);
    let of_others = desk.tree.set_lifecycle(&desk.ben, "bucket", &good, String::new()).await;
    assert!(matches!(of_others, Err(Error::NotFound)));
    for bad in [
        vec![after_days("", "", 1)],
        vec![after_days("r", "", 1), after_days("r", "x", 2)],
        vec![after_days("r", "", 0)],
        (0..1_001).map(|number| after_days(&number.to_string(), "", 1)).collect(),
    ] {
        let refused = desk.tree.set_lifecycle(&desk.anna, "bucket", &lifecycle(bad), String::new()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    desk.tree.set_lifecycle(&desk.anna, "bucket", &good, "as given".to_owned()).await.expect("set");
    let told = desk.tree.lifecycle_document(&desk.anna, "bucket").await.expect("told");
    assert_eq!(told.as_deref(), Some("as given"));
}

#[tokio::test]
async fn it_is_told_when_a_key_goes() {
    let desk = Desk::new().await;
    let item = bucket(&desk, BucketVersioning::Never).await;
    let object = desk.put(item, "logs/1", b"1").await.object;
    let bucket = desk.tree.bucket(&desk.anna, "bucket").await.expect("there");
    assert_eq!(desk.tree.expiry(&bucket, "logs/1", &object).expect("none"), None);
    set(&desk, vec![after_days("late", "", 9), after_days("soon", "logs/", 1)]).await;
    let bucket = desk.tree.bucket(&desk.anna, "bucket").await.expect("there");
    assert!(bucket.expires);
    let told = desk.tree.expiry(&bucket, "logs/1", &object).expect("told").expect("it goes");
    assert_eq!(told.rule, "soon");
    let stored = object.view.version.expect("a version").created_at;
    assert!(told.at > stored.after(DAY) && told.at <= stored.after(DAY * 2));
    assert_eq!(told.at.millis() % 86_400_000, 0);
}

#[tokio::test]
async fn the_trash_and_what_was_overwritten_end() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::Never).await;
    for content in [&b"1"[..], b"22", b"333"] {
        desk.put(bucket, "k", content).await;
    }
    let file = desk.file(desk.root, "of-box", b"1").await.item.id;
    desk.version(file, b"22").await;
    desk.put(bucket, "gone", b"1").await;
    desk.remove(bucket, "gone").await.expect("removed");
    let folder = desk.folder(desk.root, "folder").await;
    desk.file(folder, "in it", b"55555").await;
    desk.trash(folder, Kind::Folder).await;
    let used = desk.space_used().await;
    let before = |tree: &Tree, days: u32| {
        let now = desk.stage.world.now();
        (tree.clone(), now.after(DAY * days))
    };
    for (days, left) in [(0, used), (1, used - 3 - 1 - 5)] {
        let (tree, before) = before(&later(&desk, days), days);
        let before = if days == 0 { Timestamp::from_millis(0) } else { before };
        assert!(tree.purge_overwritten(before, 500).await.expect("purged"));
        assert_eq!(tree.expire_trash(before, None, 500).await.expect("purged").next, None);
        assert_eq!(desk.space_used().await, left);
        desk.check_books();
    }
    assert_eq!(desk.read_at(bucket, "k").await, b"333");
    assert_eq!(desk.tree.versions(&desk.anna, file, 0, 10).await.expect("versions").total_count, 1);
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    assert_eq!(desk.names(trash).await, Vec::<String>::new());
}

#[tokio::test]
async fn the_trash_ends_page_by_page_and_markers_stay() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    desk.put(bucket, "marked", b"1").await;
    desk.remove(bucket, "marked").await.expect("removed");
    for number in 0..5 {
        let file = desk.file(desk.root, &number.to_string(), b"1").await.item.id;
        desk.trash(file, Kind::File).await;
    }
    let tree = later(&desk, 40);
    let before = desk.stage.world.now().after(DAY);
    let (mut after, mut pages) = (None, 0);
    loop {
        after = tree.expire_trash(before, after, 2).await.expect("purged").next;
        pages += 1;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    let trash = desk.tree.trash(&desk.anna).await.expect("a trash");
    assert_eq!(desk.names(trash).await, ["marked"]);
    assert_eq!(history(&desk, bucket, "marked").await, [None, Some(1)]);
    desk.check_books();
}

#[tokio::test]
async fn markers_of_a_folder_that_is_gone_end_with_the_trash() {
    let desk = Desk::new().await;
    let bucket = bucket(&desk, BucketVersioning::On).await;
    let folder = desk.folder(bucket, "folder").await;
    desk.put(bucket, "folder/k", b"1").await;
    desk.remove(bucket, "folder/k").await.expect("removed");
    desk.trash(folder, Kind::Folder).await;
    let (tree, before) = (later(&desk, 40), desk.stage.world.now().after(DAY));
    for _ in 0..2 {
        assert_eq!(tree.expire_trash(before, None, 500).await.expect("purged").next, None);
    }
    assert_eq!(desk.space_used().await, 0);
    desk.check_books();
}
