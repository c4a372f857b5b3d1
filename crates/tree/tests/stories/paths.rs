//! Items by their path: what WebDAV and S3 do with them.

use crate::desk::{Desk, RULE, body, name};
use entente_model::{ItemId, ItemName, Md5, VersionId};
use entente_tree::{
    BucketVersioning, Caller, CopyAt, CopyTreeAt, Error, Expect, Facts, Finished, Folders, HistoryWalk, ItemChange,
    Kind, MoveAt, NameRule, Object, Overwrite, Path, Prune, Put, PutAt, Recursive, RemoveAt, Removed, RestoreTo,
    Scopes, Versioning, Walk, Want, WantedVersion,
};
use futures_util::future::join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

/// The names of a key.
pub fn names(key: &str) -> Vec<ItemName> {
    key.split('/').map(name).collect()
}

/// As S3 puts.
pub fn s3() -> PutAt {
    PutAt {
        size_max: u64::MAX,
        content_created_at: None,
        content_modified_at: None,
        expected_sha1: None,
        folders: Folders::Imply,
        rule: NameRule::Exact,
        expect: Expect::Anything,
        versioning: Versioning::ByBucket,
        finish: Box::new(|| Ok(Finished::default())),
    }
}

/// As WebDAV puts.
fn dav() -> PutAt {
    PutAt { folders: Folders::Refuse, rule: NameRule::CaseSensitive, versioning: Versioning::Always, ..s3() }
}

/// As S3 removes.
pub fn s3_remove() -> RemoveAt {
    RemoveAt { expect: Expect::Anything, recursive: Recursive::No, prune: Prune::Implied }
}

fn copy_at() -> CopyAt {
    CopyAt {
        folders: Folders::Imply,
        rule: NameRule::Exact,
        expect: Expect::Anything,
        overwrite: Overwrite::Refuse,
        expect_from: Expect::Anything,
        versioning: Versioning::ByBucket,
        facts: None,
    }
}

fn copy_tree() -> CopyTreeAt {
    CopyTreeAt { rule: NameRule::CaseSensitive, overwrite: Overwrite::Replace }
}

fn move_at() -> MoveAt {
    MoveAt {
        want: Want::Either,
        expect: Expect::Anything,
        folders: Folders::Refuse,
        rule: NameRule::CaseSensitive,
        overwrite: Overwrite::Replace,
    }
}

impl Desk {
    pub async fn try_put(&self, base: ItemId, key: &str, content: &[u8], put: PutAt) -> Result<Put, Error> {
        let names = names(key);
        self.tree.put_at(&self.anna, Path { base, names: &names }, put, body(content)).await
    }

    pub async fn put(&self, base: ItemId, key: &str, content: &[u8]) -> Put {
        self.try_put(base, key, content, s3()).await.expect("put")
    }

    pub async fn at(&self, base: ItemId, key: &str, want: Want) -> Result<Object, Error> {
        let names = names(key);
        self.tree.at(&self.anna, Path { base, names: &names }, want).await
    }

    pub async fn remove(&self, base: ItemId, key: &str) -> Result<Removed, Error> {
        let names = names(key);
        self.tree.remove_at(&self.anna, Path { base, names: &names }, Want::File, s3_remove()).await
    }

    pub async fn read_at(&self, base: ItemId, key: &str) -> Vec<u8> {
        let names = names(key);
        let (object, content) =
            self.tree.open_at(&self.anna, Path { base, names: &names }, None).await.expect("opened");
        let size = object.view.version.expect("a version").size;
        let stream = self.tree.read_content(content, 0..size);
        stream.map_ok(|bytes| bytes.to_vec()).try_concat().await.expect("read")
    }
}

#[tokio::test]
async fn a_put_makes_the_folders_of_its_path_and_the_next_one_a_version() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let first = desk.put(bucket, "a/b/c", b"one").await;
    assert!(first.created);
    assert!(first.object.plain());
    let path: Vec<_> = first.object.view.path.iter().map(|entry| entry.name.as_str().to_owned()).collect();
    assert_eq!(path[1..], ["bucket", "a", "b"]);
    let second = desk.put(bucket, "a/b/c", b"other").await;
    assert!(!second.created);
    assert_eq!(second.object.view.item.id, first.object.view.item.id);
    assert_eq!(second.object.view.version.as_ref().map(|version| version.number), Some(2));
    assert_eq!(desk.read_at(bucket, "a/b/c").await, b"other");
    // Through Box it is there with all its versions.
    assert_eq!(desk.names(bucket).await, ["a"]);
    let page = desk.tree.versions(&desk.anna, first.object.view.item.id, 0, 10).await.expect("a page");
    assert_eq!(page.total_count, 1);
    desk.check_books();
}

#[tokio::test]
async fn names_are_compared_by_bytes_and_kinds_apart() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let keys = ["a", "A", "a/b", "a//b", "a/", "/", "a/b/c", "ä", "a\u{308}", "a/b/"];
    for key in keys {
        assert!(desk.put(bucket, key, key.as_bytes()).await.created, "{key}");
    }
    for key in keys {
        assert_eq!(desk.read_at(bucket, key).await, key.as_bytes(), "{key}");
    }
    let file = desk.at(bucket, "a", Want::Either).await.expect("there");
    assert_eq!(file.view.item.kind, Kind::File);
    let folder = desk.at(bucket, "a", Want::Folder).await.expect("there");
    assert!(folder.view.item.implied);
    assert!(matches!(desk.at(bucket, "b", Want::Either).await, Err(Error::NotFound)));
    assert!(matches!(desk.at(bucket, "a/x/y", Want::Either).await, Err(Error::NotFound)));
    // Who compares both kinds has neither.
    assert!(matches!(desk.try_put(bucket, "a/b/c/d", b"", dav()).await, Err(Error::FolderMissing)));
    let taken = desk.folder(bucket, "dir").await;
    match desk.try_put(bucket, "dir", b"", dav()).await {
        Err(Error::NameInUse { winner }) => assert_eq!(winner.item.id, taken),
        outcome => panic!("{outcome:?}"),
    }
    assert!(desk.try_put(bucket, "DIR", b"", dav()).await.expect("other bytes").created);
    desk.check_books();
}

#[tokio::test]
async fn what_must_be_there_is_asked_before_the_body_and_after() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let expecting = |expect| PutAt { expect, ..s3() };
    let refused = desk.try_put(bucket, "k", b"x", expecting(Expect::Present)).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed)));
    let put = desk.try_put(bucket, "k", b"one", expecting(Expect::Absent)).await.expect("absent");
    assert!(matches!(desk.try_put(bucket, "k", b"x", expecting(Expect::Absent)).await, Err(Error::PreconditionFailed)));
    let version = put.object.view.version.expect("a version").id;
    let other = Expect::Version(VersionId::new(version.number() + 1));
    assert!(matches!(desk.try_put(bucket, "k", b"x", expecting(other)).await, Err(Error::PreconditionFailed)));
    desk.try_put(bucket, "k", b"two", expecting(Expect::Version(version))).await.expect("the same");
    assert!(matches!(
        desk.try_put(bucket, "k", b"x", expecting(Expect::Version(version))).await,
        Err(Error::PreconditionFailed)
    ));
    let item = desk.at(bucket, "k", Want::File).await.expect("there").view.item;
    let state = Expect::State { item: item.id, sequence: item.sequence };
    desk.try_put(bucket, "k", b"three", expecting(state)).await.expect("the same");
    assert!(matches!(desk.try_put(bucket, "k", b"x", expecting(state)).await, Err(Error::PreconditionFailed)));

    // The body of the first is under way while the second is put.
    let names = names("slow");
    let (sender, receiver) = tokio::sync::oneshot::channel::<()>();
    let late = stream::once(async move {
        receiver.await.expect("sent");
        Ok(bytes::Bytes::from_static(b"late"))
    });
    let slow = async {
        let path = Path { base: bucket, names: &names };
        desk.tree.put_at(&desk.anna, path, expecting(Expect::Absent), late.boxed()).await
    };
    let quick = async {
        desk.put(bucket, "slow", b"quick").await;
        sender.send(()).expect("waited for");
    };
    let (slow, ()) = tokio::join!(slow, quick);
    assert!(matches!(slow, Err(Error::PreconditionFailed)));
    assert_eq!(desk.read_at(bucket, "slow").await, b"quick");
    desk.check_books();
}

#[tokio::test]
async fn a_body_that_fails_at_its_end_leaves_nothing() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let cut = body(b"half").chain(stream::once(async { Err("cut".into()) }));
    let names = names("a/b");
    let path = Path { base: bucket, names: &names };
    let refused = desk.tree.put_at(&desk.anna, path, s3(), cut).await;
    assert!(matches!(refused, Err(Error::BodyFailed(_))));
    let finish = Box::new(|| Err(Error::Invalid("the checksum of the body is another")));
    let refused = desk.try_put(bucket, "a/b", b"whole", PutAt { finish, ..s3() }).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    assert!(desk.names(bucket).await.is_empty(), "no folder either");
    desk.check_books();
}

#[tokio::test]
async fn facts_and_digests_stay_with_their_version_and_go_with_copies() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let facts = Facts { content_type: Some("text/plain".to_owned()), ..Facts::default() };
    let (md5, kept) = (Md5([7; 16]), facts.clone());
    let finish = Box::new(move || Ok(Finished { md5: Some(md5), facts: kept }));
    desk.try_put(bucket, "k", b"one", PutAt { finish, ..s3() }).await.expect("put");
    let seen = desk.at(bucket, "k", Want::File).await.expect("there");
    assert_eq!((seen.md5, seen.facts.as_ref()), (Some(md5), Some(&facts)));
    assert_eq!(seen.etag(), md5.to_string());

    let (from, to) = (names("k"), names("deep/copy"));
    let (from, to) = (Path { base: bucket, names: &from }, Path { base: bucket, names: &to });
    let copy = desk.tree.copy_at(&desk.anna, (from, None), to, copy_at()).await.expect("copied");
    assert_eq!((copy.created, copy.object.facts.as_ref(), copy.object.md5), (true, Some(&facts), Some(md5)));
    let other = Facts { metadata: vec![("a".to_owned(), "b".to_owned())], ..Facts::default() };
    let replaced = CopyAt { facts: Some(other.clone()), ..copy_at() };
    let itself = desk.tree.copy_at(&desk.anna, (from, None), from, replaced).await.expect("onto itself");
    assert_eq!((itself.created, itself.object.facts.as_ref()), (false, Some(&other)));
    assert_eq!(desk.read_at(bucket, "k").await, b"one");

    let change = |facts: &mut Facts| {
        facts.tags = vec![("t".to_owned(), "u".to_owned())];
        Ok(())
    };
    let tagged = desk.tree.set_facts_at(&desk.anna, (from, None), change).await.expect("tagged");
    let tags = desk.at(bucket, "k", Want::File).await.expect("there").facts.expect("facts");
    assert_eq!(tagged.facts.as_ref(), Some(&tags));
    assert_eq!((tags.tags.len(), tags.metadata), (1, other.metadata));
    // A later version has its own, here none.
    desk.put(bucket, "k", b"two").await;
    let seen = desk.at(bucket, "k", Want::File).await.expect("there");
    assert_eq!((seen.facts.clone(), seen.md5), (None, None));
    assert!(seen.etag().ends_with("-1"), "{}", seen.etag());
    // A copy through Box takes them along.
    let to = entente_tree::CopyTo { parent: bucket, name: Some(name("box")), version: None };
    let copied = desk.at(bucket, "deep/copy", Want::File).await.expect("there").view.item.id;
    desk.tree.copy(&desk.anna, copied, Kind::File, to, RULE).await.expect("copied");
    assert_eq!(desk.at(bucket, "box", Want::File).await.expect("there").facts, Some(facts.clone()));
    let folder = desk.at(bucket, "deep", Want::Folder).await.expect("there").view.item.id;
    let to = entente_tree::CopyTo { parent: bucket, name: Some(name("again")), version: None };
    desk.tree.copy(&desk.anna, folder, Kind::Folder, to, RULE).await.expect("copied");
    assert_eq!(desk.at(bucket, "again/copy", Want::File).await.expect("there").facts, Some(facts));
    desk.check_books();
}

#[tokio::test]
async fn implied_folders_go_with_their_last_child_and_others_stay() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    desk.put(bucket, "a/b/c/d", b"x").await;
    desk.put(bucket, "a/e", b"x").await;
    desk.remove(bucket, "a/b/c/d").await.expect("removed");
    assert!(matches!(desk.at(bucket, "a/b", Want::Folder).await, Err(Error::NotFound)));
    desk.at(bucket, "a", Want::Folder).await.expect("still needed");
    assert!(matches!(desk.remove(bucket, "a/b/c/d").await, Err(Error::NotFound)));
    // Somebody has changed it: it is a folder like others.
    let folder = desk.at(bucket, "a", Want::Folder).await.expect("there").view.item.id;
    let described = ItemChange { description: Some("mine".to_owned()), ..ItemChange::default() };
    desk.update(folder, Kind::Folder, described).await.expect("described");
    desk.remove(bucket, "a/e").await.expect("removed");
    assert!(!desk.at(bucket, "a", Want::Folder).await.expect("stays").view.item.implied);

    // The same by making it on purpose.
    desk.put(bucket, "f/g/h", b"x").await;
    let made = names("f");
    let path = Path { base: bucket, names: &made };
    let rule = NameRule::CaseSensitive;
    desk.tree.make_folder_at(&desk.anna, path, rule, Folders::Refuse).await.expect("made explicit");
    assert!(matches!(
        desk.tree.make_folder_at(&desk.anna, path, rule, Folders::Refuse).await,
        Err(Error::NameInUse { .. })
    ));
    desk.remove(bucket, "f/g/h").await.expect("removed");
    desk.at(bucket, "f", Want::Folder).await.expect("stays");
    assert!(matches!(desk.at(bucket, "f/g", Want::Folder).await, Err(Error::NotFound)));
    let missing = names("n/m");
    let path = Path { base: bucket, names: &missing };
    assert!(matches!(
        desk.tree.make_folder_at(&desk.anna, path, rule, Folders::Refuse).await,
        Err(Error::FolderMissing)
    ));
    desk.check_books();
}

#[tokio::test]
async fn what_was_removed_comes_back_from_the_trash() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let kept = desk.put(bucket, "kept", b"x").await.object.view.item.id;
    let deep = desk.put(bucket, "a/b", b"y").await.object.view.item.id;
    desk.remove(bucket, "kept").await.expect("removed");
    desk.remove(bucket, "a/b").await.expect("removed");
    desk.tree.restore(&desk.anna, kept, Kind::File, RestoreTo::default(), RULE).await.expect("restored");
    assert_eq!(desk.read_at(bucket, "kept").await, b"x");
    // Its folder is gone for good.
    let outcome = desk.tree.restore(&desk.anna, deep, Kind::File, RestoreTo::default(), RULE).await;
    assert!(matches!(outcome, Err(Error::ParentGone)));
    let to = RestoreTo { parent: Some(bucket), ..RestoreTo::default() };
    desk.tree.restore(&desk.anna, deep, Kind::File, to, RULE).await.expect("restored");
    assert_eq!(desk.read_at(bucket, "b").await, b"y");
    desk.check_books();
}

#[tokio::test]
async fn folders_are_removed_whole_or_not() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "f").await;
    desk.file(folder, "x", b"x").await;
    let path = names("f");
    let path = Path { base: desk.root, names: &path };
    let remove = RemoveAt { prune: Prune::Keep, ..s3_remove() };
    assert!(matches!(desk.tree.remove_at(&desk.anna, path, Want::Either, remove).await, Err(Error::FolderNotEmpty)));
    let stale = RemoveAt { expect: Expect::State { item: folder, sequence: 7 }, ..remove };
    assert!(matches!(desk.tree.remove_at(&desk.anna, path, Want::Either, stale).await, Err(Error::PreconditionFailed)));
    let remove = RemoveAt { recursive: Recursive::Yes, ..remove };
    desk.tree.remove_at(&desk.anna, path, Want::Either, remove).await.expect("removed");
    assert!(desk.names(desk.root).await.is_empty());
    let root = Path { base: desk.root, names: &[] };
    assert!(matches!(desk.tree.remove_at(&desk.anna, root, Want::Either, remove).await, Err(Error::Forbidden)));
    desk.check_books();
}

#[tokio::test]
async fn a_move_takes_the_place_of_what_was_there() {
    let desk = Desk::new().await;
    let here = desk.folder(desk.root, "here").await;
    let there = desk.folder(desk.root, "there").await;
    desk.file(here, "x", b"mine").await;
    let old = desk.file(there, "x", b"old").await.item.id;
    let at = |key: &str| names(key);
    let (from, to) = (at("here/x"), at("there/x"));
    let (from, to) = (Path { base: desk.root, names: &from }, Path { base: desk.root, names: &to });
    let keep = MoveAt { overwrite: Overwrite::Refuse, ..move_at() };
    assert!(matches!(desk.tree.move_at(&desk.anna, from, to, keep).await, Err(Error::NameInUse { .. })));
    let moved = desk.tree.move_at(&desk.anna, from, to, move_at()).await.expect("moved");
    assert!(!moved.created);
    assert_eq!(desk.read_at(there, "x").await, b"mine");
    desk.tree.trashed(&desk.anna, old, Kind::File).await.expect("in the trash");
    assert!(matches!(desk.tree.move_at(&desk.anna, from, to, move_at()).await, Err(Error::NotFound)));

    let (whole, inside, nowhere, renamed) = (at("there"), at("there/sub/x"), at("no/x"), at("renamed"));
    let whole = Path { base: desk.root, names: &whole };
    let inside = Path { base: desk.root, names: &inside };
    let nowhere = Path { base: desk.root, names: &nowhere };
    let renamed = Path { base: desk.root, names: &renamed };
    desk.folder(there, "sub").await;
    for (to, way) in [(inside, "into itself"), (whole, "where it is")] {
        let outcome = desk.tree.move_at(&desk.anna, whole, to, move_at()).await;
        assert!(matches!(outcome, Err(Error::FolderIntoItself)), "{way}: {outcome:?}");
    }
    let outcome = desk.tree.move_at(&desk.anna, inside, whole, move_at()).await;
    assert!(matches!(outcome, Err(Error::NotFound)));
    desk.file(desk.at(desk.root, "there/sub", Want::Folder).await.expect("there").view.item.id, "x", b"low").await;
    let outcome = desk.tree.move_at(&desk.anna, inside, whole, move_at()).await;
    assert!(matches!(outcome, Err(Error::FolderIntoItself)), "over a folder that it is in");
    assert!(matches!(desk.tree.move_at(&desk.anna, whole, nowhere, move_at()).await, Err(Error::FolderMissing)));
    assert!(desk.tree.move_at(&desk.anna, whole, renamed, move_at()).await.expect("moved").created);
    assert_eq!(desk.read_at(desk.root, "renamed/sub/x").await, b"low");
    desk.check_books();
}

#[tokio::test]
async fn a_folders_copy_takes_the_place_of_what_was_there() {
    let desk = Desk::new().await;
    let from = desk.folder(desk.root, "from").await;
    desk.file(from, "x", b"x").await;
    let old = desk.file(desk.root, "to", b"old").await.item.id;
    let (source, target, inside) = (names("from"), names("to"), names("from/sub"));
    let source = Path { base: desk.root, names: &source };
    let target = Path { base: desk.root, names: &target };
    let inside = Path { base: desk.root, names: &inside };
    let copy = CopyTreeAt { rule: NameRule::CaseSensitive, overwrite: Overwrite::Refuse };
    assert!(matches!(desk.tree.copy_tree_at(&desk.anna, source, target, copy).await, Err(Error::NameInUse { .. })));
    let copy = CopyTreeAt { overwrite: Overwrite::Replace, ..copy };
    let put = desk.tree.copy_tree_at(&desk.anna, source, target, copy).await.expect("copied");
    assert!(!put.created);
    assert_eq!(desk.read_at(desk.root, "to/x").await, b"x");
    desk.tree.trashed(&desk.anna, old, Kind::File).await.expect("in the trash");
    let again = desk.tree.copy_tree_at(&desk.anna, source, target, copy).await.expect("copied");
    assert!(!again.created);
    assert!(matches!(desk.tree.copy_tree_at(&desk.anna, source, inside, copy).await, Err(Error::FolderIntoItself)));
    let outcome = desk.tree.copy_tree_at(&desk.anna, source, source, copy).await;
    assert!(matches!(outcome, Err(Error::FolderIntoItself)), "{outcome:?}");
    assert_eq!(desk.read_at(desk.root, "from/x").await, b"x");
    let job = desk.tree.purge_batch(desk.root, 1).await.expect("nothing to do");
    assert!(job);
}

#[tokio::test]
async fn others_know_of_nothing() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    desk.put(bucket, "a/b", b"x").await;
    for key in ["a/b", "a", "none", "none/at/all"] {
        let names = names(key);
        let path = Path { base: bucket, names: &names };
        assert!(matches!(desk.tree.at(&desk.ben, path, Want::Either).await, Err(Error::NotFound)));
        assert!(matches!(desk.tree.open_at(&desk.ben, path, None).await, Err(Error::NotFound)));
        assert!(matches!(desk.tree.put_at(&desk.ben, path, s3(), body(b"x")).await, Err(Error::NotFound)));
        let removed = desk.tree.remove_at(&desk.ben, path, Want::File, s3_remove()).await;
        assert!(matches!(removed, Err(Error::NotFound)));
    }
    desk.trash(bucket, Kind::Folder).await;
    assert!(matches!(desk.at(bucket, "a/b", Want::File).await, Err(Error::Trashed)));
    assert!(matches!(desk.at(bucket, "none", Want::File).await, Err(Error::Trashed)));
}

#[tokio::test]
async fn a_credential_does_no_more_with_paths_than_it_may() {
    let desk = Desk::new().await;
    let bucket = desk.tree.create_bucket(&desk.anna, "bucket").await.expect("a bucket").item;
    desk.put(bucket, "a/k", b"x").await;
    let key = names("a/k");
    let (path, other) = (Path { base: bucket, names: &key }, names("a/other"));
    let other = Path { base: bucket, names: &other };
    let may = |scopes| Caller { scopes, ..desk.anna.clone() };
    let forbidden = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::Forbidden)), "{outcome:?}");
    let tree = &desk.tree;

    let reader = may(Scopes::READ);
    tree.at(&reader, path, Want::File).await.expect("seen");
    tree.walk(&reader, bucket, Walk { limit: 1, ..Walk::default() }).await.expect("listed");
    tree.bucket(&reader, "bucket").await.expect("seen");
    forbidden(tree.open_at(&reader, path, None).await.map(drop));
    forbidden(tree.put_at(&reader, other, s3(), body(b"x")).await.map(drop));
    forbidden(tree.make_folder_at(&reader, other, NameRule::Exact, Folders::Imply).await.map(drop));
    forbidden(tree.copy_at(&reader, (path, None), other, copy_at()).await.map(drop));
    forbidden(tree.copy_tree_at(&reader, Path { names: &key[..1], ..path }, other, copy_tree()).await.map(drop));
    forbidden(tree.move_at(&reader, path, other, move_at()).await.map(drop));
    forbidden(tree.set_facts_at(&reader, (path, None), |_| Ok(())).await.map(drop));
    forbidden(tree.remove_at(&reader, path, Want::File, s3_remove()).await.map(drop));
    forbidden(tree.remove_version_at(&reader, path, WantedVersion::Plain, Prune::Keep).await.map(drop));
    forbidden(tree.create_bucket(&reader, "another").await.map(drop));
    forbidden(tree.delete_bucket(&reader, "bucket").await);
    forbidden(tree.set_versioning(&reader, "bucket", BucketVersioning::On).await.map(drop));
    forbidden(tree.set_bucket_setting(&reader, "bucket", "cors", String::new()).await);
    forbidden(tree.remove_bucket_setting(&reader, "bucket", "cors").await);

    let nobody = may(Scopes::DELETE);
    forbidden(tree.at(&nobody, path, Want::File).await.map(drop));
    forbidden(tree.walk(&nobody, bucket, Walk::default()).await.map(drop));
    forbidden(tree.walk_versions(&nobody, bucket, HistoryWalk::default()).await.map(drop));
    forbidden(tree.children(&nobody, bucket, None, 1).await.map(drop));
    forbidden(tree.buckets(&nobody).await.map(drop));
    forbidden(tree.bucket_setting(&nobody, "bucket", "cors").await.map(drop));
    forbidden(tree.marker_at(&nobody, other).await.map(drop));
    // What is replaced is deleted.
    desk.put(bucket, "a/other", b"y").await;
    let mover = may(Scopes::CHANGE.with(Scopes::UPLOAD).with(Scopes::READ));
    forbidden(tree.move_at(&mover, path, other, move_at()).await.map(drop));
    assert_eq!(desk.read_at(bucket, "a/other").await, b"y");
    desk.check_books();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn puts_of_one_new_path_at_once_all_succeed() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    for round in 0..8 {
        let key = format!("{round}/deep/er/key");
        let attempts = (0..12_u8).map(|number| {
            let (tree, anna, key) = (desk.tree.clone(), desk.anna.clone(), key.clone());
            desk.stage.world.spawn(async move {
                // Some imply the same folders for another key.
                let key = if number % 4 == 3 { format!("{key} {number}") } else { key };
                let names = names(&key);
                tree.put_at(&anna, Path { base: bucket, names: &names }, s3(), body(&[number])).await
            })
        });
        let puts: Vec<Put> = join_all(attempts).await.into_iter().map(|put| put.expect("ran").expect("put")).collect();
        assert_eq!(puts.iter().filter(|put| put.created).count(), 4);
        let mut ids: Vec<_> = puts.iter().map(|put| put.object.view.item.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4);
    }
    assert_eq!(desk.names(bucket).await.len(), 8);
    desk.check_books();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_goes_takes_nothing_along() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    for round in 0..20 {
        let (one, two) = (format!("{round}/f/one"), format!("{round}/f/two"));
        desk.put(bucket, &one, b"x").await;
        let (removed, put) = tokio::join!(desk.remove(bucket, &one), desk.try_put(bucket, &two, b"y", s3()));
        removed.expect("removed");
        put.expect("put");
        assert_eq!(desk.read_at(bucket, &two).await, b"y");
    }
    desk.check_books();
}

#[tokio::test]
async fn what_is_in_the_way_of_a_copy_goes_with_it_or_stays() {
    let desk = Desk::new().await;
    desk.put(desk.root, "file", b"one").await;
    desk.put(desk.root, "folder/in", b"two").await;
    let (from, to) = (names("file"), names("folder"));
    let (from, to) = (Path { base: desk.root, names: &from }, Path { base: desk.root, names: &to });
    let copy = |overwrite, expect| CopyAt { rule: NameRule::CaseSensitive, overwrite, expect, ..copy_at() };
    let try_copy = |copy| desk.tree.copy_at(&desk.anna, (from, None), to, copy);
    let refused = try_copy(copy(Overwrite::Refuse, Expect::Anything)).await;
    assert!(matches!(refused, Err(Error::NameInUse { .. })), "{refused:?}");
    let expect = Expect::State { item: ItemId::new(1), sequence: 1 };
    let refused = try_copy(copy(Overwrite::Replace, expect)).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed)), "{refused:?}");
    assert_eq!(desk.read_at(desk.root, "folder/in").await, b"two");
    let made = try_copy(copy(Overwrite::Replace, Expect::Anything)).await.expect("copied");
    assert!(made.created);
    assert_eq!(desk.read_at(desk.root, "folder").await, b"one");
    let again = try_copy(copy(Overwrite::Replace, Expect::Anything)).await.expect("a version");
    assert_eq!((again.created, again.object.view.item.id), (false, made.object.view.item.id));
    desk.check_books();
}
