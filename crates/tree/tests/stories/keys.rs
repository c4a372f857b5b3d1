//! Listings of keys against a sorted list of them.

use crate::desk::Desk;
use entente_database::counts;
use entente_database::items::{self, Item};
use entente_model::ItemId;
use entente_tree::{Entry, Kind, NewFolder, Prune, RemoveAt, Walk, Want};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::collections::BTreeSet;

/// What a listing gives out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    Key(String),
    Prefix(String),
}

impl Line {
    fn text(&self) -> &str {
        match self {
            Self::Key(text) | Self::Prefix(text) => text,
        }
    }
}

/// What a listing is to give out: `folders` are those that somebody made, each with a slash at its end.
fn expected(keys: &BTreeSet<String>, folders: &BTreeSet<String>, walk: &Walk) -> Vec<Line> {
    let delimiter = walk.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let mut found = BTreeSet::new();
    let both = keys.iter().map(|key| (key, true)).chain(folders.iter().map(|folder| (folder, false)));
    for (text, is_key) in both {
        let Some(rest) = text.strip_prefix(walk.prefix.as_str()) else { continue };
        let at = delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        let line = match at {
            Some(at) => Line::Prefix(text[..walk.prefix.len() + at].to_owned()),
            None if is_key => Line::Key(text.clone()),
            None => continue,
        };
        let after = walk.after.as_deref().unwrap_or_default();
        if walk.after.is_some() && (text.as_str() <= after || line.text() == after) {
            continue;
        }
        found.insert(line);
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by(|one, other| one.text().cmp(other.text()));
    found
}

async fn page(desk: &Desk, bucket: ItemId, walk: &Walk) -> (Vec<Line>, Option<String>) {
    let walked = desk.tree.walk(&desk.anna, bucket, walk.clone()).await.expect("a page");
    let lines = walked.entries.into_iter().map(|entry| match entry {
        Entry::Key { key, object } => {
            assert_eq!(object.view.item.kind, Kind::File);
            assert_eq!(key.rsplit('/').next(), Some(object.view.item.name.as_str()));
            let above = object.view.path.iter().skip(2).map(|entry| format!("{}/", entry.name.as_str()));
            assert_eq!(above.collect::<String>() + object.view.item.name.as_str(), key);
            Line::Key(key)
        }
        Entry::Prefix(prefix) => Line::Prefix(prefix),
    });
    (lines.collect(), walked.next)
}

/// Every page of a listing.
async fn all(desk: &Desk, bucket: ItemId, mut walk: Walk) -> Vec<Line> {
    let mut found = Vec::new();
    loop {
        let (lines, next) = page(desk, bucket, &walk).await;
        assert!(lines.len() <= usize::try_from(walk.limit).expect("small"));
        let full = lines.len() == usize::try_from(walk.limit).expect("small");
        if let (Some(next), Some(last), true) = (&next, lines.last(), full) {
            assert_eq!(next, last.text(), "what was given out last is a marker");
        }
        found.extend(lines);
        match next {
            Some(next) => walk.after = Some(next),
            None => return found,
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => Just("a"), 3 => Just("b"), 6 => Just("/"), 2 => Just("!"), 2 => Just("-"), 1 => Just("0"), 1 => Just("."),
        1 => Just("é"), 1 => Just("\u{10ffff}"), 1 => Just("\u{d7ff}"), 1 => Just("A"), 1 => Just("~"),
    ];
    proptest::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

fn key() -> impl Strategy<Value = String> {
    text().prop_filter("a key has at least one byte", |key| !key.is_empty())
}

fn walk() -> impl Strategy<Value = Walk> {
    let prefix = prop_oneof![2 => Just(String::new()), 3 => text()];
    let after = prop_oneof![2 => Just(None), 3 => text().prop_map(Some)];
    let delimiter = prop_oneof![
        2 => Just(None), 6 => Just(Some("/".to_owned())), 4 => text().prop_map(Some),
    ];
    (prefix, after, delimiter, 1_u32..5).prop_map(|(prefix, after, delimiter, limit)| Walk {
        prefix,
        after,
        delimiter,
        limit,
    })
}

async fn check(
    keys: BTreeSet<String>,
    folders: BTreeSet<String>,
    removed: Vec<proptest::sample::Index>,
    walks: Vec<Walk>,
) {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    // Folders that others make at the top: below implied ones they would need a path.
    for folder in &folders {
        let name = crate::desk::name(folder.trim_end_matches('/'));
        let rule = entente_tree::NameRule::Exact;
        desk.tree.create_folder(&desk.anna, bucket, NewFolder::named(name), rule).await.expect("a folder");
    }
    for key in &keys {
        desk.put(bucket, key, b"").await;
    }
    let mut left = keys.clone();
    for (number, index) in removed.iter().enumerate() {
        if left.is_empty() {
            break;
        }
        let key = index.get(&left.iter().cloned().collect::<Vec<_>>()).clone();
        left.remove(&key);
        // Some through a door that leaves empty implied folders behind.
        let names = crate::paths::names(&key);
        let path = entente_tree::Path { base: bucket, names: &names };
        let prune = if number % 2 == 0 { Prune::Implied } else { Prune::Keep };
        let remove = RemoveAt { prune, ..crate::paths::s3_remove() };
        desk.tree.remove_at(&desk.anna, path, Want::File, remove).await.expect("removed");
    }
    for walk in walks {
        let found = all(&desk, bucket, walk.clone()).await;
        assert_eq!(found, expected(&left, &folders, &walk), "{walk:?} of {left:?} and {folders:?}");
    }
    desk.check_books();
}

proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 48,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    })]

    #[test]
    fn a_listing_is_the_sorted_list(
        keys in proptest::collection::btree_set(key(), 0..24),
        folders in proptest::collection::btree_set("[ab!-]{1,2}".prop_map(|name| format!("{name}/")), 0..3),
        removed in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
        walks in proptest::collection::vec(walk(), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(check(keys, folders, removed, walks));
    }
}

#[tokio::test]
async fn pages_of_a_folder_go_along_its_names() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "f").await;
    for number in 0..25 {
        desk.file(folder, &format!("n{number}"), b"").await;
        desk.folder(folder, &format!("d{number}")).await;
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = desk.tree.children(&desk.anna, folder, after.clone(), 7).await.expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(last.sort_name());
        found.extend(page.into_iter().map(|object| object.sort_name()));
    }
    let mut expected: Vec<_> = (0..25).flat_map(|number| [format!("n{number}"), format!("d{number}/")]).collect();
    expected.sort();
    assert_eq!(found, expected);
}

/// What makes a page of a bucket of ten million keys as quick as one of a small one. SQLite plans without looking at how
/// much there is; PostgreSQL would read a table as small as this one whole.
#[tokio::test]
async fn a_listing_is_a_walk_along_the_index() {
    if entente_testkit::is_on_server() {
        return;
    }
    let desk = Desk::new().await;
    let plan = desk.stage.database.read(entente_database::paths::explain).expect("a plan");
    insta::assert_snapshot!(plan.join("\n"), @r"
    SEARCH i USING INDEX items_by_path (parent_id=? AND sort_name=?)
    SEARCH v USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
    CORRELATED SCALAR SUBQUERY 1
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    CORRELATED SCALAR SUBQUERY 2
    SEARCH f USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH i USING INDEX items_by_path (parent_id=? AND sort_name>?)
    SEARCH v USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
    CORRELATED SCALAR SUBQUERY 1
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    CORRELATED SCALAR SUBQUERY 2
    SEARCH f USING INTEGER PRIMARY KEY (rowid=?)
    CORRELATED SCALAR SUBQUERY 3
    SEARCH x USING INDEX items_by_path (parent_id=?)
    SEARCH i USING INDEX items_trashed_by_path (trashed_from=? AND sort_name>?)
    SEARCH v USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
    CORRELATED SCALAR SUBQUERY 1
    SEARCH c USING INTEGER PRIMARY KEY (rowid=?)
    CORRELATED SCALAR SUBQUERY 2
    SEARCH f USING INTEGER PRIMARY KEY (rowid=?)
    ");
}

#[tokio::test]
async fn a_page_of_much_that_is_not_shown_is_short_and_has_a_next_one() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    desk.put(bucket, "a/b/c", b"").await;
    desk.put(bucket, "z", b"").await;
    let walk = Walk { limit: 1_000, ..Walk::default() };
    let (lines, next) = page(&desk, bucket, &walk).await;
    assert_eq!(lines, [Line::Key("a/b/c".to_owned()), Line::Key("z".to_owned())]);
    assert_eq!(next, None);
    // Where a walk that grew tired goes on: behind all that is below a folder.
    for (position, rest) in [("a/\0", vec!["z"]), ("a/b/\0", vec!["z"]), ("a/b\0", vec!["z"]), ("\0", vec![])] {
        let walk = Walk { after: Some(position.to_owned()), ..walk.clone() };
        let (lines, _) = page(&desk, bucket, &walk).await;
        assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), rest, "{position:?}");
    }
    for walk in [
        Walk { prefix: "a\0".to_owned(), ..walk.clone() },
        Walk { after: Some("a\0b".to_owned()), prefix: "b".to_owned(), ..walk.clone() },
        Walk { limit: 0, after: Some("z".to_owned()), ..walk.clone() },
    ] {
        let (lines, _) = page(&desk, bucket, &walk).await;
        assert_eq!(lines, [], "{walk:?}");
    }
}

/// A bucket below which nothing is but folders that only paths needed, so many in each of so many.
pub async fn empty_folders(desk: &Desk, bucket: ItemId, folders: i64, below: i64) {
    let (world, by) = (desk.stage.world.clone(), desk.anna.user);
    for folder in 0..folders {
        let world = world.clone();
        let made = desk.stage.database.transact("fill", move |tx| {
            let mut implied = |parent: ItemId, text: String| {
                let id = ItemId::new(world.next_id());
                let mut item = Item::new(id, Kind::Folder, crate::desk::name(&text), by, world.now());
                (item.parent, item.implied) = (Some(parent), true);
                items::insert(tx, &item)?;
                counts::gained(tx, parent, id)?;
                Ok::<_, entente_database::Error>(id)
            };
            let outer = implied(bucket, format!("folder-{folder}"))?;
            for inner in 0..below {
                implied(outer, format!("{inner}"))?;
            }
            Ok::<_, entente_database::Error>(())
        });
        made.await.expect("filled");
    }
}

#[tokio::test]
async fn what_a_walk_finds_out_about_folders_is_work_too() {
    // A server takes its time to be filled.
    let (folders, below, pages) = if entente_testkit::is_on_server() { (2, 300, 1) } else { (6, 5_000, 3) };
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    empty_folders(&desk, bucket, folders, below).await;
    desk.put(bucket, "z", b"").await;
    for delimiter in [Some("/".to_owned()), None] {
        let mut walk = Walk { limit: 1_000, delimiter, ..Walk::default() };
        let mut taken = 1;
        let lines = loop {
            let (lines, next) = page(&desk, bucket, &walk).await;
            let Some(next) = next else { break lines };
            assert_eq!(lines, []);
            assert!(walk.after.is_none_or(|after| after < next), "each page goes further");
            walk.after = Some(next);
            taken += 1;
        };
        assert_eq!(lines, [Line::Key("z".to_owned())]);
        assert!(taken >= pages, "{taken}");
    }
}

#[tokio::test]
async fn what_has_not_been_seen_may_be_the_place_to_go_on_from() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    for key in ["a!", "a/b", "a/c", "b"] {
        desk.put(bucket, key, b"").await;
    }
    for (delimiter, position, rest) in [
        (None, "a/\0\0", vec!["a/b", "a/c", "b"]),
        (None, "a/b\0\0", vec!["a/b", "a/c", "b"]),
        (None, "\0\0", vec!["a!", "a/b", "a/c", "b"]),
        (Some("/"), "a/\0\0", vec!["a/", "b"]),
        (Some("/"), "a/c\0\0", vec!["a/", "b"]),
        (Some("/"), "a/\0", vec!["b"]),
        (Some("!"), "a/\0\0", vec!["a/b", "a/c", "b"]),
    ] {
        let after = Some(position.to_owned());
        let walk = Walk { limit: 2, after, delimiter: delimiter.map(str::to_owned), ..Walk::default() };
        let lines = all(&desk, bucket, walk).await;
        assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), rest, "{position:?} {delimiter:?}");
    }
}

#[tokio::test]
async fn a_nul_is_in_no_key() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    for key in ["a/b", "x", "z"] {
        desk.put(bucket, key, b"").await;
    }
    for (after, delimiter, rest) in [
        ("x\0y/z", "/", vec!["z"]),
        ("x\0yz", "\0y", vec!["z"]),
        ("a\0/", "/", vec!["a/", "x", "z"]),
        ("a/b\0c\0d", "", vec!["x", "z"]),
    ] {
        let (after, delimiter) = (Some(after.to_owned()), Some(delimiter.to_owned()));
        let walk = Walk { limit: 10, after, delimiter, ..Walk::default() };
        let lines = all(&desk, bucket, walk.clone()).await;
        assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), rest, "{walk:?}");
    }
    let after = Some("x\0y".to_owned());
    let children = desk.tree.children(&desk.anna, bucket, after, 10).await.expect("children");
    assert_eq!(children.iter().map(entente_tree::Object::sort_name).collect::<Vec<_>>(), ["z"]);
}

#[tokio::test]
async fn a_web_link_hides_no_file() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let (world, by) = (desk.stage.world.clone(), desk.anna.user);
    let linked = desk.stage.database.transact("link", move |tx| {
        for (parent, text) in [(bucket, "a"), (bucket, "b"), (bucket, "c")] {
            let id = ItemId::new(world.next_id());
            let mut item = Item::new(id, Kind::WebLink, crate::desk::name(text), by, world.now());
            item.parent = Some(parent);
            items::insert(tx, &item)?;
            counts::gained(tx, parent, id)?;
        }
        Ok::<_, entente_database::Error>(())
    });
    linked.await.expect("linked");
    for key in ["a", "b", "c"] {
        desk.put(bucket, key, b"").await;
    }
    for limit in 1..4 {
        let lines = all(&desk, bucket, Walk { limit, ..Walk::default() }).await;
        assert_eq!(lines.iter().map(Line::text).collect::<Vec<_>>(), ["a", "b", "c"]);
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = desk.tree.children(&desk.anna, bucket, after.clone(), limit).await.expect("a page");
            let Some(last) = page.last() else { break };
            after = Some(last.sort_name());
            found.extend(page.into_iter().map(|object| object.sort_name()));
        }
        assert_eq!(found, ["a", "b", "c"]);
    }
}

/// Files without versions, put straight into the table.
async fn fill(desk: &Desk, bucket: ItemId, folders: i64, files: i64) {
    let (world, by) = (desk.stage.world.clone(), desk.anna.user);
    for folder in 0..folders {
        let world = world.clone();
        desk.stage
            .database
            .transact("fill", move |tx| {
                let (at, root) = (world.now(), ItemId::new(world.next_id()));
                let text = format!("folder-{folder:03}");
                let mut item = Item::new(root, Kind::Folder, crate::desk::name(&text), by, at);
                (item.parent, item.implied) = (Some(bucket), true);
                items::insert(tx, &item)?;
                counts::gained(tx, bucket, root)?;
                for file in 0..files {
                    let text = format!("file-{file:04}");
                    let id = ItemId::new(world.next_id());
                    let mut item = Item::new(id, Kind::File, crate::desk::name(&text), by, at);
                    item.parent = Some(root);
                    items::insert(tx, &item)?;
                    counts::gained(tx, root, id)?;
                }
                Ok::<_, entente_database::Error>(())
            })
            .await
            .expect("filled");
    }
}

#[tokio::test]
async fn a_hundred_thousand_keys_are_listed_page_by_page() {
    // A server takes its time to be filled; the walk is the same there.
    let (folders, files) = if entente_testkit::is_on_server() { (10, 500) } else { (100, 1_000) };
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    fill(&desk, bucket, folders, files).await;
    let found = all(&desk, bucket, Walk { limit: 1_000, ..Walk::default() }).await;
    let expected = (0..folders)
        .flat_map(|folder| (0..files).map(move |file| Line::Key(format!("folder-{folder:03}/file-{file:04}"))));
    assert!(found.into_iter().eq(expected));
    for (delimiter, count) in [("/", folders), ("-", 1), ("/file-", folders), ("-000/", folders)] {
        let walk = Walk { limit: 1_000, delimiter: Some(delimiter.to_owned()), ..Walk::default() };
        let (lines, next) = page(&desk, bucket, &walk).await;
        let lines: Vec<_> = lines.iter().filter(|line| matches!(line, Line::Prefix(_))).collect();
        let count = usize::try_from(count).expect("small");
        match delimiter {
            // Only the first folder has it, and then come the keys of the others.
            "-000/" => assert_eq!((lines.len(), next.is_some()), (1, true)),
            _ => assert_eq!((lines.len(), next), (count, None), "{delimiter}"),
        }
    }
    let last = format!("folder-{:03}/file-{:04}", folders - 1, files - 1);
    let walk = Walk { limit: 10, prefix: last.clone(), ..Walk::default() };
    assert_eq!(page(&desk, bucket, &walk).await, (vec![Line::Key(last.clone())], None));
    let walk = Walk { limit: 10, after: Some(last), ..Walk::default() };
    assert_eq!(page(&desk, bucket, &walk).await, (vec![], None));
}

#[tokio::test]
async fn keys_as_deep_as_they_can_be_are_kept_and_listed() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let deep = |letter: &str| format!("{}{letter}", "a/".repeat(500));
    for letter in ["x", "y"] {
        desk.put(bucket, &deep(letter), letter.as_bytes()).await;
    }
    desk.put(bucket, &"/".repeat(800), b"slashes").await;
    assert_eq!(desk.read_at(bucket, &deep("y")).await, b"y");
    let found = all(&desk, bucket, Walk { limit: 2, ..Walk::default() }).await;
    let found: Vec<_> = found.iter().map(Line::text).collect();
    assert_eq!(found, ["/".repeat(800), deep("x"), deep("y")]);
    let too_deep = "b/".repeat(1_000);
    let outcome = desk.try_put(bucket, &too_deep, b"", crate::paths::s3()).await;
    assert!(matches!(outcome, Err(entente_tree::Error::TooDeep)), "{outcome:?}");
    for key in [deep("x"), deep("y"), "/".repeat(800)] {
        desk.remove(bucket, &key).await.expect("removed");
    }
    assert!(desk.names(bucket).await.is_empty());
    desk.check_books();
}
