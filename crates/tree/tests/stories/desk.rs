//! What the stories share: a store, two people, and short ways to say things.

use aws_lc_rs::digest;
use bytes::Bytes;
use entente_database::totals::{Totals, totals};
use entente_model::{Caller, ItemId, ItemName, Sha1, UserRole};
use entente_testkit::Stage;
use entente_tree::{
    BoxError, Error, ItemChange, ItemView, Kind, ListQuery, NameRule, NewFile, NewFolder, NewVersion, Page, Recursive,
    Tree,
};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};

pub const RULE: NameRule = NameRule::CaseInsensitive;

pub struct Desk {
    pub stage: Stage,
    pub tree: Tree,
    /// Whose tree the stories are about.
    pub anna: Caller,
    /// Somebody else of the enterprise.
    pub ben: Caller,
    /// Anna's root.
    pub root: ItemId,
}

impl Desk {
    pub async fn new() -> Self {
        let stage = Stage::new().await;
        let anna = stage.person("anna@example.com", "Anna", UserRole::User).await;
        let ben = stage.person("ben@example.com", "Ben", UserRole::User).await;
        let (anna, ben) = (stage.caller(anna, UserRole::User), stage.caller(ben, UserRole::User));
        let tree = stage.tree.clone();
        let root = tree.root(&anna).await.expect("a root");
        Self { stage, tree, anna, ben, root }
    }

    pub async fn folder(&self, parent: ItemId, text: &str) -> ItemId {
        self.try_folder(parent, text).await.expect("a folder").item.id
    }

    pub async fn try_folder(&self, parent: ItemId, text: &str) -> Result<ItemView, Error> {
        self.tree.create_folder(&self.anna, parent, NewFolder::named(name(text)), RULE).await
    }

    pub async fn file(&self, parent: ItemId, text: &str, content: &[u8]) -> ItemView {
        self.try_file(parent, text, content).await.expect("a file")
    }

    pub async fn try_file(&self, parent: ItemId, text: &str, content: &[u8]) -> Result<ItemView, Error> {
        self.tree.upload(&self.anna, parent, new_file(text), RULE, body(content)).await
    }

    pub async fn version(&self, file: ItemId, content: &[u8]) -> ItemView {
        self.tree.upload_version(&self.anna, file, new_version(), RULE, body(content)).await.expect("a version")
    }

    pub async fn update(&self, id: ItemId, kind: Kind, change: ItemChange) -> Result<ItemView, Error> {
        self.tree.update(&self.anna, id, kind, change, RULE).await
    }

    pub async fn see(&self, id: ItemId, kind: Kind) -> Result<ItemView, Error> {
        self.tree.item(&self.anna, id, kind).await
    }

    pub async fn trash(&self, id: ItemId, kind: Kind) {
        self.tree.trash_item(&self.anna, id, kind, Recursive::Yes, None).await.expect("into the trash");
    }

    /// The names in a folder, in order.
    pub async fn names(&self, folder: ItemId) -> Vec<String> {
        let query = ListQuery::by_name(Page::After { marker: None, limit: 1_000 });
        let listing = self.tree.list(&self.anna, folder, query).await.expect("a listing");
        listing.entries.iter().map(|entry| entry.item.name.as_str().to_owned()).collect()
    }

    pub async fn content(&self, file: ItemId) -> Vec<u8> {
        let opened = self.tree.open(&self.anna, file, None).await.expect("opened");
        let content = self.tree.open_content(opened.content).expect("a content");
        let stream = self.tree.read_content(content, 0..opened.size);
        stream.map_ok(|bytes| bytes.to_vec()).try_concat().await.expect("read")
    }

    pub async fn space_used(&self) -> u64 {
        self.tree.me(&self.anna).await.expect("a user").space_used
    }

    /// What the tables hold.
    pub fn totals(&self) -> Totals {
        self.stage.database.read(totals).expect("totals")
    }

    /// What is counted twice must be counted the same.
    pub fn check_books(&self) {
        let totals = self.totals();
        assert_eq!(totals.live_bytes, totals.held_bytes);
        assert_eq!(totals.counted_children, totals.children);
        assert_eq!(totals.space_used_bytes, totals.version_bytes);
        assert_eq!(totals.references, totals.versions + totals.pieces + totals.parts);
    }

    /// Goes on with every purge until nothing is left of it.
    pub async fn finish_purge(&self, item: ItemId) {
        while !self.tree.purge_batch(item, 500).await.expect("a batch") {}
    }
}

pub fn name(text: &str) -> ItemName {
    ItemName::new(text).expect("a name")
}

pub fn new_file(text: &str) -> NewFile {
    NewFile {
        name: name(text),
        content_created_at: None,
        content_modified_at: None,
        size_max: u64::MAX,
        expected_sha1: None,
    }
}

pub fn new_version() -> NewVersion {
    NewVersion { name: None, content_modified_at: None, size_max: u64::MAX, expected_sha1: None, if_match: None }
}

pub fn renamed(text: &str) -> ItemChange {
    ItemChange { name: Some(name(text)), ..ItemChange::default() }
}

pub fn moved(parent: ItemId) -> ItemChange {
    ItemChange { parent: Some(parent), ..ItemChange::default() }
}

/// A body that arrives in pieces.
pub fn body(content: &[u8]) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
    let pieces: Vec<Bytes> = content.chunks(100_000).map(Bytes::copy_from_slice).collect();
    stream::iter(pieces).map(Ok)
}

pub fn sha1(content: &[u8]) -> Sha1 {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, content);
    Sha1::from_slice(digest.as_ref()).expect("twenty bytes")
}

/// Bytes that differ from place to place.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251) % 256).expect("a byte")).collect()
}
