//! What only its customer can open: who can read it, and what can be done with it all the same.

use crate::desk::{Desk, RULE, body};
use crate::multipart::{LEAST, LONG, arrived, complete, names};
use crate::paths::s3;
use entente_model::{ItemId, MultipartId};
use entente_tree::{
    Checksum, ChecksumKind, Content, CopyTo, CustomerKey, Error, Facts, Finish, Finished, Kind, MultipartInto,
    MultipartPart, Object, Path, Put, PutAt, Recursive,
};
use entente_vault::upkeep::Unwatched;
use entente_vault::upkeep::verify::Depth;
use futures_util::TryStreamExt;
use std::ops::Range;
use std::sync::Arc;

fn key(byte: u8) -> Arc<CustomerKey> {
    Arc::new(CustomerKey::new([byte; 32]))
}

/// What a door knows of a body, and must not be kept of what is sealed so.
fn telling(bytes: &[u8]) -> Finish {
    let md5 = Some(crate::multipart::md5(bytes));
    let checksum =
        Checksum { algorithm: "CRC32".to_owned(), value: "AAAAAA==".to_owned(), kind: ChecksumKind::FullObject };
    let facts = Facts { checksum: Some(checksum), content_type: Some("text/plain".to_owned()), ..Facts::default() };
    Box::new(move || Ok(Finished { md5, facts }))
}

async fn put(desk: &Desk, bucket: ItemId, at: &str, key: Option<Arc<CustomerKey>>, bytes: &[u8]) -> Put {
    let (names, put) = (names(at), PutAt { finish: telling(bytes), ..s3() });
    let path = Path { base: bucket, names: &names };
    desk.tree.put_at_with_key(&desk.anna, path, put, key, body(bytes)).await.expect("put")
}

async fn open(desk: &Desk, bucket: ItemId, at: &str) -> (Object, Content) {
    let names = names(at);
    desk.tree.open_at(&desk.anna, Path { base: bucket, names: &names }, None).await.expect("opened")
}

async fn read(
    desk: &Desk,
    (bucket, at): (ItemId, &str),
    key: Option<Arc<CustomerKey>>,
    range: Range<u64>,
) -> Result<Vec<u8>, Error> {
    let content = desk.tree.with_key(open(desk, bucket, at).await.1, key).await?;
    let bytes = desk.tree.read_content(content, range).map_ok(|bytes| bytes.to_vec()).try_concat().await;
    bytes.map_err(Error::of_read)
}

async fn begin(desk: &Desk, bucket: ItemId, at: &str, key: &CustomerKey) -> MultipartId {
    let names = names(at);
    let path = Path { base: bucket, names: &names };
    let into = MultipartInto::default();
    desk.tree.create_multipart_with_key(&desk.anna, path, into, Some(key)).await.expect("begun").id
}

async fn part(
    desk: &Desk,
    (upload, number): (MultipartId, u32),
    key: Option<Arc<CustomerKey>>,
    bytes: &[u8],
) -> Result<MultipartPart, Error> {
    let sent = (u64::MAX, body(bytes));
    desk.tree.put_multipart_part_with_key(&desk.anna, (upload, number), key, sent, telling(bytes)).await
}

#[tokio::test]
async fn it_is_read_with_its_key_and_nothing_is_kept_that_tells_what_it_is() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let made = put(&desk, bucket, "a/secret", Some(key(1)), b"what is secret").await;
    let facts = made.object.facts.as_ref().expect("facts");
    assert_eq!((made.object.md5, &facts.checksum, facts.content_type.as_deref()), (None, &None, Some("text/plain")));
    assert_eq!(made.object.view.version.as_ref().expect("a version").sha1, None);
    let again = put(&desk, bucket, "a/again", Some(key(1)), b"what is secret").await;
    assert_ne!(made.object.etag(), again.object.etag());
    assert_eq!(made.object.etag().len(), 32);

    let at = (bucket, "a/secret");
    assert_eq!(read(&desk, at, Some(key(1)), 0..99).await.expect("read"), b"what is secret");
    assert_eq!(read(&desk, at, Some(key(1)), 5..7).await.expect("read"), b"is");
    assert!(matches!(read(&desk, at, Some(key(2)), 0..99).await, Err(Error::WrongKey)));
    assert!(matches!(read(&desk, at, None, 0..99).await, Err(Error::KeyNeeded)));
    // Whoever has not been asked for a key meets the same.
    let content = open(&desk, bucket, "a/secret").await.1;
    let bytes = desk.tree.read_content(content.clone(), 0..99).try_collect::<Vec<_>>().await;
    assert!(matches!(bytes.map_err(Error::of_read), Err(Error::KeyNeeded)));

    put(&desk, bucket, "open", None, b"open to all").await;
    assert!(matches!(read(&desk, (bucket, "open"), Some(key(1)), 0..99).await, Err(Error::KeyUnused)));
    assert_eq!(read(&desk, (bucket, "open"), None, 0..99).await.expect("read"), b"open to all");
    assert!(desk.tree.digest_content(content.id(), LONG).await.expect("passed over"));
    assert_eq!(made.object.view.version.expect("a version").sha1, None);
}

#[tokio::test]
async fn what_needs_no_bytes_needs_no_key() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let file = put(&desk, bucket, "secret", Some(key(1)), b"what is secret").await.object.view.item.id;
    let to = CopyTo { parent: bucket, name: Some(crate::desk::name("copy")), version: None };
    let copy = desk.tree.copy(&desk.anna, file, Kind::File, to, RULE).await.expect("a copy");
    desk.update(file, Kind::File, crate::desk::renamed("renamed")).await.expect("renamed");
    assert_eq!(read(&desk, (bucket, "renamed"), Some(key(1)), 0..99).await.expect("read"), b"what is secret");
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    assert_eq!(read(&desk, (bucket, "copy"), Some(key(1)), 0..99).await.expect("read"), b"what is secret");
    assert!(matches!(read(&desk, (bucket, "copy"), None, 0..99).await, Err(Error::KeyNeeded)));
    desk.tree.trash_item(&desk.anna, copy.item.id, Kind::File, Recursive::No, None).await.expect("into the trash");
    let verified = desk.stage.vault.verify(Depth::Bytes, &mut Unwatched).await.expect("verified");
    assert!(verified.is_undamaged() && verified.customers == 1, "{verified:?}");
    desk.check_books();
}

#[tokio::test]
async fn parts_are_sealed_with_the_key_of_their_upload() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let whole: Vec<u8> = (0..LEAST + 1_000).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    let upload = begin(&desk, bucket, "large", &key(1)).await;
    assert!(matches!(part(&desk, (upload, 1), None, &whole[..LEAST]).await, Err(Error::KeyNeeded)));
    assert!(matches!(part(&desk, (upload, 1), Some(key(2)), &whole[..LEAST]).await, Err(Error::WrongKey)));
    for (number, bytes) in [(1, &whole[..LEAST]), (2, &whole[LEAST..])] {
        let part = part(&desk, (upload, number), Some(key(1)), bytes).await.expect("a part");
        assert_ne!(part.etag, crate::multipart::md5(bytes).to_string());
        assert_eq!((part.sha1, part.facts), (None, Facts::default()));
    }
    complete(&desk, upload, &arrived(&desk, upload).await).await.expect("complete");
    let at = (bucket, "large");
    assert!(read(&desk, at, Some(key(1)), 0..u64::MAX).await.expect("read") == whole);
    let across = LEAST as u64 - 10..LEAST as u64 + 10;
    assert_eq!(read(&desk, at, Some(key(1)), across).await.expect("read"), whole[LEAST - 10..LEAST + 10]);
    assert!(matches!(read(&desk, at, Some(key(2)), 0..9).await, Err(Error::WrongKey)));
    assert!(matches!(read(&desk, at, None, 0..9).await, Err(Error::KeyNeeded)));
    assert!(open(&desk, bucket, "large").await.1.is_customers());

    let plain = crate::multipart::begin(&desk, bucket, "plain").await;
    assert!(matches!(part(&desk, (plain, 1), Some(key(1)), b"x").await, Err(Error::KeyUnused)));
    desk.check_books();
}

#[tokio::test]
async fn copied_parts_are_shared_under_one_key_and_written_anew_under_another() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    put(&desk, bucket, "sealed", Some(key(1)), b"0123456789").await;
    put(&desk, bucket, "open", None, b"abcdefghij").await;
    for (source, from, to) in
        [("sealed", Some(1), Some(1)), ("sealed", Some(1), Some(2)), ("sealed", Some(1), None), ("open", None, Some(2))]
    {
        let (from, to) = (from.map(key), to.map(key));
        let upload = match &to {
            Some(to) => begin(&desk, bucket, "copy", to).await,
            None => crate::multipart::begin(&desk, bucket, "copy").await,
        };
        let (object, content) = open(&desk, bucket, source).await;
        let content = desk.tree.with_key(content, from.clone()).await.expect("the right key");
        let copied = desk
            .tree
            .copy_part_with_key(&desk.anna, (upload, 1), (&object, content), Some(2..8), to.clone())
            .await
            .expect("a part");
        // Of what is shared there is a piece; what was written anew has chunks of its own.
        let is_shared = from.is_some() && to.as_ref().is_some_and(|to| to.is_same(&key(1)));
        assert_eq!(copied.pieces > 0, is_shared);
        complete(&desk, upload, &[copied]).await.expect("complete");
        let expected: &[u8] = if source == "sealed" { b"234567" } else { b"cdefgh" };
        assert_eq!(read(&desk, (bucket, "copy"), to.clone(), 0..99).await.expect("read"), expected);
        if to.is_some() {
            assert!(matches!(read(&desk, (bucket, "copy"), None, 0..99).await, Err(Error::KeyNeeded)));
        }
    }
    desk.check_books();
}
