//! What changes between the look at something that is to go and its removal.

use super::act::Done;
use super::judge::{Deed, Going};
use crate::paths::Seen;
use crate::{
    BucketVersioning, Caller, Error, Expect, Finished, Folders, HistoryEntry, HistoryWalk, Kind, NameRule, Path, Prune,
    Put, PutAt, Recursive, RemoveAt, Removed, RestoreTo, Tree, UserRole, Versioning, Want, WantedVersion,
};
use entente_database::lifecycle::RunCounts;
use entente_model::{ItemId, ItemName, VersionId};
use entente_testkit::Stage;
use entente_world::World;
use futures_util::stream;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Desk {
    stage: Stage,
    tree: Tree,
    anna: Caller,
    bucket: ItemId,
}

impl Desk {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let tree = Tree::new(stage.world.clone(), stage.database.clone(), stage.vault.clone());
        let anna = stage.person("anna@example.com", "Anna", UserRole::User).await;
        let anna = stage.caller(anna, UserRole::User);
        let bucket = tree.create_bucket(&anna, "bucket").await.unwrap().item;
        tree.set_versioning(&anna, "bucket", BucketVersioning::On).await.unwrap();
        Self { stage, tree, anna, bucket }
    }

    async fn put(&self, key: &ItemName) -> Put {
        let put = PutAt {
            size_max: u64::MAX,
            content_created_at: None,
            content_modified_at: None,
            expected_sha1: None,
            folders: Folders::Imply,
            rule: NameRule::Exact,
            expect: Expect::Anything,
            versioning: Versioning::ByBucket,
            finish: Box::new(|| Ok(Finished::default())),
        };
        let body = stream::iter([Ok("bytes".into())]);
        self.tree.put_at(&self.anna, self.path(std::slice::from_ref(key)), put, body).await.unwrap()
    }

    async fn remove(&self, key: &ItemName) -> Removed {
        let remove = RemoveAt { expect: Expect::Anything, recursive: Recursive::No, prune: Prune::Implied };
        self.tree.remove_at(&self.anna, self.path(std::slice::from_ref(key)), Want::File, remove).await.unwrap()
    }

    /// As a rule takes something away that it has seen.
    async fn take(&self, key: &ItemName, version: WantedVersion, seen: Seen) -> Result<Removed, Error> {
        let path = self.path(std::slice::from_ref(key));
        self.tree.remove_version_as_seen(&self.anna, (path, version), Prune::Implied.into(), seen).await
    }

    fn path<'n>(&self, names: &'n [ItemName]) -> Path<'n> {
        Path { base: self.bucket, names }
    }

    /// Whether each entry of the bucket's history is a marker.
    async fn markers(&self) -> Vec<bool> {
        let walk = HistoryWalk { limit: 100, ..HistoryWalk::default() };
        let page = self.tree.walk_versions(&self.anna, self.bucket, walk).await.unwrap();
        page.entries.iter().map(|entry| matches!(entry, HistoryEntry::Marker { .. })).collect()
    }
}

fn id(put: &Put) -> VersionId {
    put.object.view.version.as_ref().unwrap().id
}

#[tokio::test]
async fn a_marker_that_has_become_the_newest_brings_nothing_back() {
    let desk = Desk::new().await;
    let key = ItemName::new("k").unwrap();
    desk.put(&key).await;
    let Removed { item, marker } = desk.remove(&key).await;
    let (seen, marker) = (Seen::Marker(item), marker.unwrap());
    let newer = desk.put(&key).await;
    // It was seen behind a version, which is gone by now.
    let version = WantedVersion::Id(id(&newer));
    desk.take(&key, version, Seen::Whatever).await.unwrap();
    assert_eq!(desk.markers().await, [true, false]);
    assert!(matches!(desk.take(&key, marker, seen).await, Err(Error::PreconditionFailed)));
    assert_eq!(desk.markers().await, [true, false]);
    // Behind a version it goes.
    desk.put(&key).await;
    desk.take(&key, marker, seen).await.unwrap();
    assert_eq!(desk.markers().await, [false, false]);
}

#[tokio::test]
async fn what_is_in_the_trash_again_does_not_end_with_what_was_there() {
    let desk = Desk::new().await;
    let key = ItemName::new("k").unwrap();
    let file = desk.put(&key).await.object.view.item.id;
    let now = desk.stage.world.now();
    let world = World::simulated(7, now.after(DAY * 20));
    world.ids_after(desk.stage.world.next_id() + (1 << 40));
    let later = Tree::new(world, desk.stage.database.clone(), desk.stage.vault.clone());
    let root = later.root(&desk.anna).await.unwrap();
    let change = crate::ItemChange { parent: Some(root), ..crate::ItemChange::default() };
    later.update(&desk.anna, file, Kind::File, change, NameRule::Exact).await.unwrap();
    desk.tree.trash_item(&desk.anna, file, Kind::File, Recursive::No, None).await.unwrap();
    later.restore(&desk.anna, file, Kind::File, RestoreTo::default(), NameRule::Exact).await.unwrap();
    later.trash_item(&desk.anna, file, Kind::File, Recursive::No, None).await.unwrap();
    let purge = |before| later.purge_trashed(&desk.anna, (file, Kind::File), Some(before));
    assert!(matches!(purge(now.after(DAY)).await, Err(Error::PreconditionFailed)));
    later.trashed(&desk.anna, file, Kind::File).await.unwrap();
    purge(now.after(DAY * 21)).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_removed_is_in_nothing_elses_way() {
    let desk = Desk::new().await;
    let key = ItemName::new("k").unwrap();
    let current = Deed::Current(id(&desk.put(&key).await));
    // No name has that.
    let going = ["a\0b", "k"].map(|key| Going { key: key.to_owned(), deeds: vec![current] });
    let Done { counts, failed } = desk.tree.take_away(&desk.anna, desk.bucket, going.into()).await;
    assert_eq!(counts, RunCounts { keys: 1, refused: 1, ..RunCounts::default() });
    assert!(matches!(failed.as_slice(), [failed] if failed.item == desk.bucket), "{failed:?}");
}
