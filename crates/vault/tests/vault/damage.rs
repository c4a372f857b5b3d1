//! Damaged stores: what a read says, what `verify` says, and that neither ever gives wrong bytes.

use crate::kit::{CHUNK, Kit, plaintext};
use entente_vault::Error;
use entente_vault::upkeep::verify::Finding;

#[tokio::test]
async fn a_flipped_bit_is_an_error_that_names_the_segment() {
    let kit = Kit::new();
    let content = kit.keep(&plaintext(1000)).await;
    let name = kit.objects.names()[0];
    let mut bytes = kit.objects.raw(name).unwrap().to_vec();
    bytes[500] ^= 1;
    kit.objects.replace(name, bytes.into());
    let error = kit.read(content, 0..1000).await.unwrap_err();
    assert!(matches!(error, Error::Damaged { content: c, chunk: 0, .. } if c == content), "{error}");
    let verified = kit.verify().await;
    assert!(matches!(verified.findings[..], [Finding::Unreadable { content: c, .. }] if c == content), "{verified:?}");
}

#[tokio::test]
async fn a_missing_object_is_an_error_and_is_found_from_both_sides() {
    let kit = Kit::new();
    let content = kit.keep(&plaintext(70_000)).await;
    kit.objects.remove(kit.objects.names()[0]);
    assert!(matches!(kit.read(content, 10..20).await.unwrap_err(), Error::Damaged { .. }));
    let verified = kit.verify().await;
    assert!(verified.findings.iter().any(|finding| matches!(finding, Finding::Unreadable { .. })));
    assert!(verified.findings.iter().any(|finding| matches!(finding, Finding::Missing { .. })));
    assert_eq!(verified.damaged, 2);
}

#[tokio::test]
async fn a_truncated_object_is_an_error() {
    let kit = Kit::new();
    let content = kit.keep(&plaintext(200_000)).await;
    let name = kit.objects.names()[0];
    let bytes = kit.objects.raw(name).unwrap();
    kit.objects.replace(name, bytes.slice(..150_000));
    assert_eq!(kit.read(content, 0..1000).await.unwrap(), plaintext(1000), "what is whole can still be read");
    assert!(kit.read(content, 0..200_000).await.is_err());
    let verified = kit.verify().await;
    assert!(verified.findings.iter().any(|finding| matches!(finding, Finding::WrongSize { found: 150_000, .. })));
}

#[tokio::test]
async fn a_size_that_is_not_that_of_the_chunks_is_an_error() {
    let kit = Kit::new();
    let content = kit.keep(&plaintext(200_000)).await;
    let manifest = kit.database.read(|tx| entente_testkit::database::contents::by_id(tx, content)).unwrap().unwrap();
    for size in [199_999, 200_001, 130_000, 65_536] {
        let wrong = entente_model::Manifest { size, ..manifest.clone() };
        let error = kit.vault.read(wrong, Vec::new(), 0..10).next().await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{size}: {error}");
    }
}

#[tokio::test]
async fn a_chunk_with_an_impossible_number_is_found() {
    let kit = Kit::new();
    let mut written = kit.write(&plaintext(1000)).await.unwrap();
    let content = written.manifest.content;
    written.manifest.places[0].chunk = u32::MAX;
    kit.database.transact("commit", move |tx| entente_testkit::database::contents::commit(tx, &written)).await.unwrap();
    let verified = kit.verify().await;
    assert!(matches!(verified.findings[..], [Finding::Incomplete { content: c, .. }] if c == content), "{verified:?}");
}

#[tokio::test]
async fn two_objects_that_changed_places_do_not_open() {
    let kit = Kit::new();
    let (a, b) = (kit.keep(&[1; 3000]).await, kit.keep(&[2; 3000]).await);
    let names = kit.objects.names();
    let (x, y) = (kit.objects.raw(names[0]).unwrap(), kit.objects.raw(names[1]).unwrap());
    kit.objects.replace(names[0], y);
    kit.objects.replace(names[1], x);
    assert!(kit.read(a, 0..3000).await.is_err());
    assert!(kit.read(b, 0..3000).await.is_err());
}

#[tokio::test]
async fn ranges_across_frames_and_chunks_read_back() {
    let kit = Kit::new();
    let size = 2 * CHUNK + 70_001;
    let plain = plaintext(size);
    let content = kit.keep(&plain).await;
    assert_eq!(kit.objects.names().len(), 3);
    for (from, to) in [
        (0, size),
        (0, 1),
        (65_535, 65_537),
        (CHUNK - 1, CHUNK + 1),
        (CHUNK, CHUNK + 1),
        (CHUNK + 300_000, 2 * CHUNK + 5),
        (size - 1, size),
        (5, 5),
    ] {
        let bytes = kit.read(content, from as u64..to as u64).await.unwrap();
        assert!(bytes == plain[from..to], "{from}..{to}");
    }
    assert_eq!(kit.read(content, size as u64 - 3..u64::MAX).await.unwrap(), plain[size - 3..], "a range is clipped");
    assert!(kit.read(content, u64::MAX - 1..u64::MAX).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_empty_content_has_no_object() {
    let kit = Kit::new();
    let content = kit.keep(b"").await;
    assert!(kit.objects.names().is_empty());
    assert!(kit.read(content, 0..10).await.unwrap().is_empty());
    assert!(kit.verify().await.is_clean());
}
