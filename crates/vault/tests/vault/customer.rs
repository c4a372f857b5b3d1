//! Contents that are sealed with a customer's key besides.

use crate::kit::{CHUNK, Kit, SCOPE, plaintext};
use crate::upkeep_kit::{ABROAD, ONCE, Union};
use bytes::Bytes;
use entente_model::{ContentId, Manifest};
use entente_testkit::database::contents;
use entente_vault::upkeep::Unwatched;
use entente_vault::upkeep::verify::Finding;
use entente_vault::{CustomerKey, Error, Ledger, Reading};
use std::sync::Arc;

fn key(byte: u8) -> Arc<CustomerKey> {
    Arc::new(CustomerKey::new([byte; 32]))
}

async fn keep(kit: &Kit, key: &CustomerKey, plain: &[u8]) -> ContentId {
    let pieces: Vec<_> = plain.chunks(100_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let body = futures_util::stream::iter(pieces);
    let written = kit.vault.write_with_key(SCOPE, Some(key), u64::MAX, body).await.unwrap();
    assert!(written.manifest.customer.is_some() && written.manifest.sha1.is_none());
    let content = written.manifest.content;
    kit.database.transact("commit", move |tx| contents::commit(tx, &written)).await.unwrap();
    content
}

fn manifest(kit: &Kit, content: ContentId) -> Manifest {
    kit.database.read(|tx| contents::by_id(tx, content)).unwrap().unwrap()
}

async fn all(mut reading: Reading) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = reading.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

#[tokio::test]
async fn only_the_right_key_opens_it() {
    let kit = Kit::new();
    for length in [10, 300_000, CHUNK + 5] {
        let plain = plaintext(length);
        let content = keep(&kit, &key(1), &plain).await;
        let read = |key| kit.vault.read(manifest(&kit, content), Vec::new(), 0..u64::MAX).with_key(key);
        assert!(all(read(Some(key(1)))).await.unwrap() == plain, "{length}");
        assert!(matches!(all(read(Some(key(2)))).await, Err(Error::WrongKey(wrong)) if wrong == content), "{length}");
        assert!(matches!(all(read(None)).await, Err(Error::KeyNeeded(needed)) if needed == content), "{length}");
        let from = length as u64 - 4;
        let end = kit.vault.read(manifest(&kit, content), Vec::new(), from..u64::MAX).with_key(Some(key(1)));
        assert_eq!(all(end).await.unwrap(), plain[length - 4..], "{length}");
    }
}

#[tokio::test]
async fn a_key_is_checked_before_anything_is_read() {
    let kit = Kit::new();
    let (sealed, open) = (keep(&kit, &key(1), b"sealed").await, kit.keep(b"open").await);
    let empty = keep(&kit, &key(1), b"").await;
    for content in [sealed, empty] {
        let manifest = manifest(&kit, content);
        assert!(kit.vault.check_customer(&manifest, Some(&key(1))).await.is_ok());
        assert!(matches!(kit.vault.check_customer(&manifest, Some(&key(2))).await, Err(Error::WrongKey(_))));
        assert!(matches!(kit.vault.check_customer(&manifest, None).await, Err(Error::KeyNeeded(_))));
    }
    let open = manifest(&kit, open);
    assert!(kit.vault.check_customer(&open, None).await.is_ok());
    assert!(matches!(kit.vault.check_customer(&open, Some(&key(1))).await, Err(Error::KeyUnused)));
}

#[tokio::test]
async fn it_is_verified_as_it_is_sealed() {
    let kit = Kit::new();
    let content = keep(&kit, &key(1), &plaintext(CHUNK + 5)).await;
    kit.keep(&plaintext(1_000)).await;
    let verified = kit.verify().await;
    assert!(verified.is_clean(), "{:?}", verified.findings);
    assert_eq!((verified.contents, verified.customers, verified.opened_bytes), (2, 1, 1_000));
    let places = kit.database.read(|tx| contents::places(tx, content, 0, 9)).unwrap();
    assert_eq!(verified.sealed_bytes, places.iter().map(|located| located.place.length).sum::<u64>());

    let name = places[1].replicas[0].name;
    let mut bytes = kit.objects.raw(name).unwrap().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    kit.objects.replace(name, bytes.into());
    let verified = kit.verify().await;
    let segment = places[1].place.segment;
    assert_eq!(verified.findings, [Finding::Unreadable { content, chunk: 1, segment }]);
}

#[tokio::test]
async fn it_moves_to_another_zone_as_it_is_sealed() {
    let union = Union::new();
    let body = futures_util::stream::iter([Ok(Bytes::from_static(b"what is secret"))]);
    let written = union.vault.write_with_key(ONCE, Some(&key(1)), u64::MAX, body).await.unwrap();
    let content = written.manifest.content;
    union.database.transact("commit", move |tx| contents::commit(tx, &written)).await.unwrap();
    let moved = union.vault.rehouse(&[content], ABROAD, &mut Unwatched).await.unwrap();
    assert_eq!((moved.contents, moved.failed), (1, 0));
    let manifest = union.database.content(content).await.unwrap().unwrap();
    assert_eq!(manifest.zone, ABROAD.zone);
    let read = |key| all(union.vault.read(manifest.clone(), Vec::new(), 0..99).with_key(Some(key)));
    assert_eq!(read(key(1)).await.unwrap(), b"what is secret");
    assert!(matches!(read(key(2)).await, Err(Error::WrongKey(_))));
}
