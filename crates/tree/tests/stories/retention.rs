//! What may not be removed, through whatever door, until its time is over. Time passes by another world's clock over the
//! same store.

use crate::desk::{Desk, RULE, body, moved, name, new_version};
use crate::paths::{names, s3};
use entente_database::retention as rows;
use entente_model::{ItemId, Timestamp, VersionId};
use entente_tree::{
    BucketVersioning, Bypass, CompleteMultipart, CopyTo, DefaultRetention, Error, Expect, Facts, Finished, Kind,
    MultipartInto, NameRule, NamedMultipartPart, Path, Prune, PutAt, Recursive, RemoveVersionAt, RestoreTo, Retains,
    Retention, RetentionChange, RetentionMode, RetentionSpan, RetentionTerm, Tree, Versioning, WantedVersion,
};
use entente_world::World;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::collections::BTreeMap;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The tree, so many days later.
fn later(desk: &Desk, days: u32) -> Tree {
    let world = World::simulated(7, desk.stage.world.now().after(DAY * days));
    world.ids_after(desk.stage.world.next_id() + (i64::from(days) << 40));
    Tree::new(world, desk.stage.database.clone(), desk.stage.vault.clone())
}

async fn retaining(desk: &Desk, retains: Retains) -> ItemId {
    let bucket = desk.tree.create_retaining_bucket(&desk.anna, "bucket").await.expect("a bucket");
    assert_eq!((bucket.versioning, bucket.retains), (BucketVersioning::On, Retains::OnRequest));
    desk.tree.set_bucket_retention(&desk.anna, "bucket", retains).await.expect("set");
    let found = desk.tree.bucket(&desk.anna, "bucket").await.expect("a bucket");
    assert_eq!(found.retains, retains);
    bucket.item
}

const fn by_default(mode: RetentionMode, days: u32) -> Retains {
    Retains::ByDefault(DefaultRetention { mode, span: RetentionSpan::Days(days) })
}

fn term(desk: &Desk, mode: RetentionMode, days: u32) -> RetentionTerm {
    RetentionTerm { mode, until: desk.stage.world.now().after(DAY * days) }
}

fn until(term: RetentionTerm) -> RetentionChange {
    RetentionChange::Term { term: Some(term), bypass: Bypass::No }
}

async fn change(
    desk: &Desk,
    bucket: ItemId,
    (key, version): (&str, Option<WantedVersion>),
    change: RetentionChange,
) -> Result<(), Error> {
    let names = names(key);
    let path = Path { base: bucket, names: &names };
    desk.tree.set_retention_at(&desk.anna, (path, version), change).await.map(drop)
}

async fn retention(desk: &Desk, bucket: ItemId, key: &str) -> Option<Retention> {
    let names = names(key);
    let path = Path { base: bucket, names: &names };
    desk.tree.retention_at(&desk.anna, path, None).await.expect("a version").1
}

async fn remove_version(
    (tree, desk): (&Tree, &Desk),
    bucket: ItemId,
    (key, version): (&str, VersionId),
    bypass: Bypass,
) -> Result<(), Error> {
    let names = names(key);
    let path = Path { base: bucket, names: &names };
    let how = RemoveVersionAt { prune: Prune::Implied, bypass };
    tree.remove_version_at(&desk.anna, path, WantedVersion::Id(version), how).await.map(drop)
}

fn is_retained(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(Error::Retained { .. }))
}

/// Puts a key, and answers its file and version.
async fn put(desk: &Desk, bucket: ItemId, key: &str, content: &[u8]) -> (ItemId, VersionId) {
    let put = desk.put(bucket, key, content).await;
    (put.object.view.item.id, put.object.view.version.expect("a version").id)
}

#[tokio::test]
async fn a_retained_version_stays_in_its_list_and_in_the_store() {
    let desk = Desk::new().await;
    let bucket = retaining(&desk, Retains::OnRequest).await;
    let (file, first) = put(&desk, bucket, "a/k", b"one").await;
    let compliance = term(&desk, RetentionMode::Compliance, 10);
    change(&desk, bucket, ("a/k", None), until(compliance)).await.expect("retained");
    assert_eq!(retention(&desk, bucket, "a/k").await, Some(Retention { term: Some(compliance), held: false }));

    // As the current version, as an older one, and behind a delete marker.
    for step in 0..3 {
        for bypass in [Bypass::No, Bypass::Governance] {
            let refused = remove_version((&desk.tree, &desk), bucket, ("a/k", first), bypass).await;
            assert!(is_retained(&refused), "{step}: {refused:?}");
        }
        match step {
            0 => {
                put(&desk, bucket, "a/k", b"two").await;
                assert_eq!(retention(&desk, bucket, "a/k").await, None, "each version has its own");
                assert!(is_retained(&desk.tree.remove_version(&desk.anna, file, first).await));
            }
            1 => drop(desk.remove(bucket, "a/k").await.expect("into the trash")),
            _ => assert!(is_retained(&desk.tree.purge(&desk.anna, file, Kind::File).await)),
        }
    }
    assert!(is_retained(&later(&desk, 9).purge(&desk.anna, file, Kind::File).await));
    desk.check_books();
    later(&desk, 11).purge(&desk.anna, file, Kind::File).await.expect("its time is over");
    desk.finish_purge(file).await;
    assert_eq!(desk.totals().versions, 0);
    desk.check_books();
}

#[tokio::test]
async fn governance_gives_way_to_who_may_and_a_hold_to_nobody() {
    let desk = Desk::new().await;
    let bucket = retaining(&desk, Retains::OnRequest).await;
    let (file, first) = put(&desk, bucket, "k", b"one").await;
    put(&desk, bucket, "k", b"two").await;
    let version = Some(WantedVersion::Id(first));
    let governance = term(&desk, RetentionMode::Governance, 10);
    change(&desk, bucket, ("k", version), until(governance)).await.expect("retained");
    let shorter = until(term(&desk, RetentionMode::Governance, 5));
    assert!(is_retained(&change(&desk, bucket, ("k", version), shorter).await));
    let RetentionChange::Term { term: wanted, .. } = shorter else { unreachable!("a term") };
    let bypassing = RetentionChange::Term { term: wanted, bypass: Bypass::Governance };
    change(&desk, bucket, ("k", version), bypassing).await.expect("shorter");

    change(&desk, bucket, ("k", version), RetentionChange::Hold).await.expect("held");
    for bypass in [Bypass::No, Bypass::Governance] {
        let refused = remove_version((&desk.tree, &desk), bucket, ("k", first), bypass).await;
        assert!(matches!(refused, Err(Error::Retained { until: None })));
    }
    let refused = remove_version((&later(&desk, 400), &desk), bucket, ("k", first), Bypass::No).await;
    assert!(is_retained(&refused), "a hold does not end by itself");
    change(&desk, bucket, ("k", version), RetentionChange::LetGo).await.expect("let go");
    assert!(is_retained(&remove_version((&desk.tree, &desk), bucket, ("k", first), Bypass::No).await));
    remove_version((&desk.tree, &desk), bucket, ("k", first), Bypass::Governance).await.expect("removed");

    // Box brings it back as something that nothing retains.
    desk.tree.restore_version(&desk.anna, file, first).await.expect("restored");
    desk.tree.remove_version(&desk.anna, file, first).await.expect("removed");
    let before = desk.stage.world.now().after(DAY * 30);
    assert!(later(&desk, 31).purge_versions(before, 100).await.expect("purged"));
    assert_eq!(desk.totals().versions, 1);
    desk.check_books();
}

#[tokio::test]
async fn a_folder_with_something_retained_below_it_is_not_purged_at_all() {
    let desk = Desk::new().await;
    let bucket = retaining(&desk, Retains::OnRequest).await;
    for key in ["f/a/1", "f/a/2", "f/b/3", "f/4"] {
        put(&desk, bucket, key, key.as_bytes()).await;
    }
    let folder = desk.at(bucket, "f", entente_tree::Want::Folder).await.expect("there").view.item.id;
    change(&desk, bucket, ("f/b/3", None), RetentionChange::Hold).await.expect("held");
    desk.tree.trash_item(&desk.anna, folder, Kind::Folder, Recursive::Yes, None).await.expect("trashed");
    let before = desk.totals();
    assert!(is_retained(&desk.tree.purge(&desk.anna, folder, Kind::Folder).await));
    assert_eq!(desk.totals(), before);
    desk.tree.restore(&desk.anna, folder, Kind::Folder, RestoreTo::default(), RULE).await.expect("restored");
    assert_eq!(desk.read_at(bucket, "f/a/1").await, b"f/a/1");
    change(&desk, bucket, ("f/b/3", None), RetentionChange::LetGo).await.expect("let go");
    desk.tree.trash_item(&desk.anna, folder, Kind::Folder, Recursive::Yes, None).await.expect("trashed");
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    desk.finish_purge(folder).await;
    assert_eq!(desk.totals().versions, 0);
    desk.check_books();
}

#[tokio::test]
async fn a_bucket_retains_what_comes_through_any_door() {
    let desk = Desk::new().await;
    let outside = desk.file(desk.root, "outside", b"outside").await.item.id;
    let tree_outside = desk.folder(desk.root, "tree").await;
    let inner = desk.folder(tree_outside, "inner").await;
    desk.file(inner, "leaf", b"leaf").await;
    let bucket = retaining(&desk, by_default(RetentionMode::Compliance, 10)).await;
    let earliest = desk.stage.world.now().after(DAY * 10);

    put(&desk, bucket, "s3", b"s3").await;
    desk.file(bucket, "box", b"box").await;
    let versioned = desk.file(bucket, "versioned", b"one").await;
    desk.tree
        .upload_version(&desk.anna, versioned.item.id, new_version(), RULE, body(b"two"))
        .await
        .expect("a version");
    let dav = PutAt { versioning: Versioning::Always, rule: NameRule::CaseSensitive, ..s3() };
    desk.try_put(bucket, "dav", b"dav", dav).await.expect("put");
    let to = |text: &str| CopyTo { parent: bucket, name: Some(name(text)), version: None };
    desk.tree.copy(&desk.anna, outside, Kind::File, to("copy"), RULE).await.expect("copied");
    desk.tree.copy(&desk.anna, tree_outside, Kind::Folder, to("tree"), RULE).await.expect("copied");
    let first = versioned.version.expect("a version").id;
    let promoted = desk.tree.promote(&desk.anna, versioned.item.id, first, RULE).await.expect("promoted");
    for key in ["s3", "box", "versioned", "dav", "copy", "tree/inner/leaf"] {
        let found = retention(&desk, bucket, key).await.and_then(|found| found.term);
        let found = found.unwrap_or_else(|| panic!("{key} is not retained"));
        assert!(found.mode == RetentionMode::Compliance && found.until >= earliest, "{key}");
    }
    assert!(is_retained(&desk.tree.remove_version(&desk.anna, versioned.item.id, first).await));
    assert_eq!(promoted.version.number, 3);
    let copied = desk.at(bucket, "tree", entente_tree::Want::Folder).await.expect("there").view.item.id;
    desk.trash(copied, Kind::Folder).await;
    assert!(is_retained(&desk.tree.purge(&desk.anna, copied, Kind::Folder).await));
    // Outside nothing is.
    desk.trash(outside, Kind::File).await;
    desk.tree.purge(&desk.anna, outside, Kind::File).await.expect("purged");
    desk.trash(tree_outside, Kind::Folder).await;
    desk.tree.purge(&desk.anna, tree_outside, Kind::Folder).await.expect("purged");

    // What has been retained stays so when the default goes.
    desk.tree.set_bucket_retention(&desk.anna, "bucket", Retains::OnRequest).await.expect("set");
    put(&desk, bucket, "free", b"free").await;
    assert_eq!(retention(&desk, bucket, "free").await, None);
    assert!(retention(&desk, bucket, "s3").await.is_some());
    desk.check_books();
}

#[tokio::test]
async fn what_is_wished_goes_before_the_default_also_of_parts() {
    let desk = Desk::new().await;
    let bucket = retaining(&desk, by_default(RetentionMode::Governance, 10)).await;
    let wish = Retention { term: Some(term(&desk, RetentionMode::Compliance, 3)), held: true };
    let with = |retention| {
        let finish = Box::new(move || {
            let facts = Facts { retention: Some(retention), ..Facts::default() };
            Ok(Finished { facts, ..Finished::default() })
        });
        PutAt { finish, ..s3() }
    };
    let put = desk.try_put(bucket, "k", b"x", with(wish)).await.expect("put");
    assert_eq!(put.object.facts, None, "it is kept apart");
    assert_eq!(retention(&desk, bucket, "k").await, Some(wish));
    let over = RetentionTerm { mode: RetentionMode::Compliance, until: Timestamp::from_millis(1) };
    let over = Retention { term: Some(over), held: false };
    let refused = desk.try_put(bucket, "late", b"x", with(over)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let plain = desk.folder(desk.root, "plain").await;
    let refused = desk.try_put(plain, "k", b"x", with(wish)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    assert!(desk.names(plain).await.is_empty());

    let names = names("parts");
    let path = Path { base: bucket, names: &names };
    let facts = |retention| MultipartInto { facts: Facts { retention: Some(retention), ..Facts::default() } };
    let refused = desk.tree.create_multipart(&desk.anna, path, facts(over)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let upload = desk.tree.create_multipart(&desk.anna, path, facts(wish)).await.expect("an upload");
    let finish = Box::new(|| Ok(Finished { md5: Some(entente_model::Md5([1; 16])), ..Finished::default() }));
    let part =
        desk.tree.put_multipart_part(&desk.anna, upload.id, 1, 100, body(b"part"), finish).await.expect("a part");
    let complete = CompleteMultipart {
        parts: vec![NamedMultipartPart { number: 1, etag: part.etag, checksum: None }],
        expect: Expect::Anything,
        rule: NameRule::Exact,
        versioning: Versioning::ByBucket,
        finish: Box::new(|_, _| Ok(None)),
    };
    desk.tree.complete_multipart(&desk.anna, upload.id, complete).await.expect("complete");
    assert_eq!(retention(&desk, bucket, "parts").await, Some(wish));
}

#[tokio::test]
async fn a_bucket_that_retains_goes_on_keeping_versions() {
    let desk = Desk::new().await;
    let bucket = retaining(&desk, Retains::OnRequest).await;
    let suspend = desk.tree.set_versioning(&desk.anna, "bucket", BucketVersioning::Suspended).await;
    assert!(matches!(suspend, Err(Error::Invalid(_))));
    let never = desk.tree.set_bucket_retention(&desk.anna, "bucket", Retains::Never).await;
    assert!(matches!(never, Err(Error::Invalid(_))));
    for span in
        [RetentionSpan::Days(0), RetentionSpan::Days(36_501), RetentionSpan::Years(0), RetentionSpan::Years(101)]
    {
        let default = DefaultRetention { mode: RetentionMode::Governance, span };
        let refused = desk.tree.set_bucket_retention(&desk.anna, "bucket", Retains::ByDefault(default)).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let refused = desk.tree.set_bucket_retention(&desk.ben, "bucket", Retains::OnRequest).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    desk.tree.create_bucket(&desk.anna, "plain").await.expect("a bucket");
    let refused = desk.tree.set_bucket_retention(&desk.anna, "plain", Retains::OnRequest).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let plain = desk.tree.bucket(&desk.anna, "plain").await.expect("a bucket").item;
    put(&desk, plain, "k", b"x").await;
    let refused = change(&desk, plain, ("k", None), RetentionChange::Hold).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    // What was there before counts as well, also what bears no id.
    desk.tree.set_versioning(&desk.anna, "plain", BucketVersioning::On).await.expect("set");
    desk.tree.set_bucket_retention(&desk.anna, "plain", Retains::OnRequest).await.expect("set");
    change(&desk, plain, ("k", Some(WantedVersion::Plain)), RetentionChange::Hold).await.expect("held");
    let names = names("k");
    let path = Path { base: plain, names: &names };
    for _ in 0..2 {
        let how = RemoveVersionAt { prune: Prune::Implied, bypass: Bypass::Governance };
        let removed = desk.tree.remove_version_at(&desk.anna, path, WantedVersion::Plain, how).await.map(drop);
        assert!(is_retained(&removed), "{removed:?}");
        desk.put(plain, "k", b"y").await;
    }
    // A bucket with anything in it stays; one that is empty goes.
    assert!(matches!(desk.tree.delete_bucket(&desk.anna, "plain").await, Err(Error::FolderNotEmpty)));
    assert!(desk.names(bucket).await.is_empty());
    desk.tree.delete_bucket(&desk.anna, "bucket").await.expect("empty");
}

#[tokio::test]
async fn the_look_at_what_was_retained_goes_on_where_it_was() {
    let desk = Desk::new().await;
    let bucket = retaining(&desk, by_default(RetentionMode::Compliance, 1)).await;
    for number in 0..520 {
        put(&desk, bucket, &format!("f/{}/{number}", number % 7), b"x").await;
    }
    // Deeper than one look takes notes away.
    put(&desk, bucket, &format!("f/{}k", "/".repeat(700)), b"x").await;
    let folder = desk.at(bucket, "f", entente_tree::Want::Folder).await.expect("there").view.item.id;
    desk.trash(folder, Kind::Folder).await;
    assert!(is_retained(&desk.tree.purge(&desk.anna, folder, Kind::Folder).await));
    later(&desk, 2).purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    desk.finish_purge(folder).await;
    assert_eq!(desk.totals().versions, 0);
    desk.check_books();
}

#[tokio::test]
async fn nobody_else_learns_or_changes_anything() {
    let desk = Desk::new().await;
    let bucket = retaining(&desk, Retains::OnRequest).await;
    put(&desk, bucket, "k", b"x").await;
    let names = names("k");
    let path = Path { base: bucket, names: &names };
    assert!(matches!(desk.tree.retention_at(&desk.ben, path, None).await, Err(Error::NotFound)));
    let refused = desk.tree.set_retention_at(&desk.ben, (path, None), RetentionChange::Hold).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    let scopes = entente_tree::Scopes::READ.with(entente_tree::Scopes::DOWNLOAD);
    let reader = entente_tree::Caller { scopes, ..desk.anna.clone() };
    let refused = desk.tree.set_retention_at(&reader, (path, None), RetentionChange::Hold).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
}

/// One step of somebody who moves things about. Numbers choose among what there is.
#[derive(Debug, Clone)]
enum Act {
    Folder(usize),
    File(usize),
    Move(usize, usize),
    Trash(usize),
    Restore(usize, usize),
    Purge(usize),
    Hold(usize),
    LetGo(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let pick = any::<usize>;
    let act = prop_oneof![
        2 => pick().prop_map(Act::Folder),
        3 => pick().prop_map(Act::File),
        4 => (pick(), pick()).prop_map(|(what, to)| Act::Move(what, to)),
        4 => pick().prop_map(Act::Trash),
        3 => (pick(), pick()).prop_map(|(what, to)| Act::Restore(what, to)),
        4 => pick().prop_map(Act::Purge),
        3 => pick().prop_map(Act::Hold),
        2 => pick().prop_map(Act::LetGo),
        1 => Just(Act::File(0)),
    ];
    proptest::collection::vec(act, 1..60)
}

/// What there is, as a simple map has it.
#[derive(Debug, Clone)]
struct Known {
    kind: Kind,
    parent: Option<ItemId>,
    trashed: bool,
    held: bool,
}

#[derive(Default)]
struct Model(BTreeMap<ItemId, Known>);

impl Model {
    fn is_within(&self, item: ItemId, above: ItemId) -> bool {
        let mut at = Some(item);
        while let Some(here) = at {
            if here == above {
                return true;
            }
            at = self.0.get(&here).filter(|known| !known.trashed).and_then(|known| known.parent);
        }
        false
    }

    fn is_live(&self, item: ItemId) -> bool {
        let mut at = Some(item);
        while let Some(known) = at.and_then(|here| self.0.get(&here)) {
            if known.trashed {
                return false;
            }
            at = known.parent;
        }
        true
    }

    fn pick(&self, number: usize, wanted: impl Fn(ItemId, &Known) -> bool) -> Option<ItemId> {
        let found: Vec<_> = self.0.iter().filter(|(id, known)| wanted(**id, known)).map(|(id, _)| *id).collect();
        found.get(number.checked_rem(found.len())?).copied()
    }

    fn below(&self, item: ItemId) -> Vec<ItemId> {
        self.0.keys().copied().filter(|other| self.is_within(*other, item)).collect()
    }
}

struct Mover {
    desk: Desk,
    bucket: ItemId,
    model: Model,
    names: usize,
}

impl Mover {
    fn live_folder(&self, number: usize) -> ItemId {
        let found = self.model.pick(number, |id, known| known.kind == Kind::Folder && self.model.is_live(id));
        found.filter(|_| !number.is_multiple_of(4)).unwrap_or(self.bucket)
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("n{}", self.names)
    }

    fn learn(&mut self, item: ItemId, kind: Kind, parent: ItemId) {
        self.model.0.insert(item, Known { kind, parent: Some(parent), trashed: false, held: false });
    }

    /// The keys of the bucket do not tell where a file in the trash is, so what is held is changed by its row, in the way
    /// of the tree; a live one through the tree.
    async fn hold(&mut self, number: usize, held: bool) {
        let is_it = |id, known: &Known| known.kind == Kind::File && known.held != held && self.model.is_live(id);
        let Some(item) = self.model.pick(number, is_it) else { return };
        let mut way = Vec::new();
        let mut at = item;
        while at != self.bucket {
            let view = self.desk.see(at, self.model.0[&at].kind).await.expect("seen");
            way.push(view.item.name.clone());
            at = view.item.parent.expect("a parent");
        }
        way.reverse();
        let path = Path { base: self.bucket, names: &way };
        let change = if held { RetentionChange::Hold } else { RetentionChange::LetGo };
        self.desk.tree.set_retention_at(&self.desk.anna, (path, None), change).await.expect("changed");
        self.model.0.get_mut(&item).expect("known").held = held;
    }

    async fn act(&mut self, act: &Act) {
        match *act {
            Act::Folder(number) => {
                let (parent, name) = (self.live_folder(number), self.name());
                let folder = self.desk.folder(parent, &name).await;
                self.learn(folder, Kind::Folder, parent);
            }
            Act::File(number) => {
                let (parent, name) = (self.live_folder(number), self.name());
                let file = self.desk.file(parent, &name, b"x").await.item.id;
                self.learn(file, Kind::File, parent);
            }
            Act::Move(what, to) => {
                let Some(item) = self.model.pick(what, |id, _| self.model.is_live(id)) else { return };
                let folder = self.live_folder(to);
                if self.model.is_within(folder, item) {
                    return;
                }
                self.desk.update(item, self.model.0[&item].kind, moved(folder)).await.expect("moved");
                self.model.0.get_mut(&item).expect("known").parent = Some(folder);
            }
            Act::Trash(number) => {
                let Some(item) = self.model.pick(number, |id, _| self.model.is_live(id)) else { return };
                self.desk.trash(item, self.model.0[&item].kind).await;
                self.model.0.get_mut(&item).expect("known").trashed = true;
            }
            Act::Restore(what, to) => {
                let Some(item) = self.model.pick(what, |_, known| known.trashed) else { return };
                let known = self.model.0[&item].clone();
                let old = known.parent.filter(|parent| *parent == self.bucket || self.model.0.contains_key(parent));
                let old = old.filter(|parent| self.model.is_live(*parent));
                let folder = old.unwrap_or_else(|| self.live_folder(to));
                let to = RestoreTo { name: None, parent: Some(folder) };
                self.desk.tree.restore(&self.desk.anna, item, known.kind, to, RULE).await.expect("restored");
                let known = self.model.0.get_mut(&item).expect("known");
                (known.trashed, known.parent) = (false, Some(folder));
            }
            Act::Purge(number) => {
                let Some(item) = self.model.pick(number, |_, known| known.trashed) else { return };
                let below = self.model.below(item);
                let any_held = below.iter().any(|item| self.model.0[item].held);
                let purged = self.desk.tree.purge(&self.desk.anna, item, self.model.0[&item].kind).await;
                assert_eq!(is_retained(&purged), any_held, "{purged:?}");
                if !any_held {
                    purged.expect("purged");
                    self.desk.finish_purge(item).await;
                    for item in below {
                        self.model.0.remove(&item);
                    }
                }
            }
            Act::Hold(number) => self.hold(number, true).await,
            Act::LetGo(number) => self.hold(number, false).await,
        }
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 12, ..Default::default() })]

    /// Wherever what is held has been moved, trashed and restored, nothing that it is in is purged, and everything else is.
    #[test]
    fn nothing_held_is_ever_purged(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let desk = Desk::new().await;
            let bucket = retaining(&desk, Retains::OnRequest).await;
            let mut mover = Mover { desk, bucket, model: Model::default(), names: 0 };
            for act in &acts {
                mover.act(act).await;
            }
            // Everything ends in the trash; what is held stays, and the rest goes.
            let live: Vec<_> = mover.model.0.iter().filter(|(id, known)| known.parent == Some(bucket) && mover.model.is_live(**id)).map(|(id, known)| (*id, known.kind)).collect();
            for (item, kind) in live {
                mover.desk.trash(item, kind).await;
                mover.model.0.get_mut(&item).expect("known").trashed = true;
            }
            for number in 0..mover.model.0.len() {
                mover.act(&Act::Purge(number)).await;
            }
            let held = mover.model.0.values().filter(|known| known.held).count();
            let marks = mover.model.0.iter().filter(|(_, known)| known.held).map(|(id, _)| *id).collect::<Vec<_>>();
            mover.desk.stage.database.read(|tx| {
                for item in &marks {
                    assert!(rows::is_marked(tx, *item)?);
                }
                Ok::<_, entente_database::Error>(())
            }).expect("read");
            assert!(mover.desk.totals().versions >= u64::try_from(held).expect("few"));
            mover.desk.check_books();
        });
    }
}
