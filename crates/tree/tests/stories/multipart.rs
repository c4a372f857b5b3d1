//! Uploads of parts of any length, and the contents of pieces that come of them.

use crate::desk::{Desk, RULE, body, name, sha1};
use crate::sessions::length;
use entente_database::multipart as rows;
use entente_model::{ContentId, ItemId, ItemName, Md5, MultipartId, UserRole};
use entente_tree::limits::MULTIPARTS_MAX;
use entente_tree::{
    CompleteMultipart, Content, CopyTo, Error, Expect, Facts, Finish, Finished, Kind, ListMultiparts, Multipart,
    MultipartEntry, MultipartInto, MultipartPart, NameRule, NamedMultipartPart, Path, Put, UserChange, Versioning,
};
use entente_vault::upkeep::Unwatched;
use entente_vault::upkeep::verify::{Depth, Verified};
use futures_util::TryStreamExt;
use futures_util::future::join_all;
use md5::Digest;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The least that a part has which is not the last.
pub const LEAST: usize = 5 << 20;
/// Longer than any test.
pub const LONG: Duration = Duration::from_secs(3_600);

pub fn names(key: &str) -> Vec<ItemName> {
    key.split('/').map(name).collect()
}

pub fn md5(bytes: &[u8]) -> Md5 {
    Md5(md5::Md5::digest(bytes).into())
}

fn finish(bytes: &[u8]) -> Finish {
    let md5 = Some(md5(bytes));
    Box::new(move || Ok(Finished { md5, facts: Facts::default() }))
}

pub async fn begin(desk: &Desk, bucket: ItemId, key: &str) -> MultipartId {
    let names = names(key);
    let path = Path { base: bucket, names: &names };
    desk.tree.create_multipart(&desk.anna, path, MultipartInto::default()).await.expect("begun").id
}

pub async fn put(desk: &Desk, upload: MultipartId, number: u32, bytes: &[u8]) -> Result<MultipartPart, Error> {
    desk.tree.put_multipart_part(&desk.anna, upload, number, u64::MAX, body(bytes), finish(bytes)).await
}

/// All parts that have arrived.
pub async fn arrived(desk: &Desk, upload: MultipartId) -> Vec<MultipartPart> {
    desk.tree.list_multipart_parts(&desk.anna, upload, 0, 1_000).await.expect("parts").entries
}

pub fn complete_with(parts: &[MultipartPart]) -> CompleteMultipart {
    let named =
        |part: &MultipartPart| NamedMultipartPart { number: part.number, etag: part.etag.clone(), checksum: None };
    CompleteMultipart {
        parts: parts.iter().map(named).collect(),
        expect: Expect::Anything,
        rule: NameRule::Exact,
        versioning: Versioning::ByBucket,
        finish: Box::new(|_, _| Ok(None)),
    }
}

pub async fn complete(desk: &Desk, upload: MultipartId, parts: &[MultipartPart]) -> Result<Put, Error> {
    desk.tree.complete_multipart(&desk.anna, upload, complete_with(parts)).await
}

/// Uploads these parts and completes them.
pub async fn object(desk: &Desk, bucket: ItemId, key: &str, parts: &[&[u8]]) -> Put {
    let upload = begin(desk, bucket, key).await;
    let mut there = Vec::new();
    for (number, bytes) in (1..).zip(parts) {
        there.push(put(desk, upload, number, bytes).await.expect("a part"));
    }
    complete(desk, upload, &there).await.expect("complete")
}

pub async fn range(desk: &Desk, content: Content, range: Range<u64>) -> Vec<u8> {
    desk.tree.read_content(content, range).map_ok(|bytes| bytes.to_vec()).try_concat().await.expect("read")
}

pub fn content_of(put: &Put) -> ContentId {
    put.object.view.version.as_ref().expect("a version").content
}

/// Bytes that differ from those of other seeds.
pub fn bytes(seed: usize, length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at * 31 + at / 251 + seed * 97) % 256).expect("a byte")).collect()
}

/// Does what jobs do, until nothing is left to be done.
pub async fn tidy(desk: &Desk) {
    while !desk.tree.expire_multiparts(500).await.expect("expired") {}
    while !desk.tree.take_apart(500).await.expect("taken apart") {}
}

/// Removes a file for good.
async fn purge(desk: &Desk, file: ItemId) {
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    desk.finish_purge(file).await;
}

#[tokio::test]
async fn parts_of_any_length_become_one_object() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let parts = [bytes(1, LEAST + 3), bytes(2, LEAST), bytes(3, 10)];
    let whole = parts.concat();
    let upload = begin(&desk, bucket, "a/b").await;
    let mut there = Vec::new();
    for number in [3, 1, 2] {
        let sent = &parts[number - 1];
        let number = u32::try_from(number).expect("small");
        let part = put(&desk, upload, number, sent).await.expect("a part");
        assert_eq!(
            (part.number, part.size, part.etag.as_str()),
            (number, length(sent), md5(sent).to_string().as_str())
        );
        there.push(part);
        desk.check_books();
    }
    there.sort_by_key(|part| part.number);
    assert_eq!(arrived(&desk, upload).await, there);
    assert!(desk.names(bucket).await.is_empty(), "nothing is there before it is complete");
    assert_eq!(desk.space_used().await, 0);

    let made = complete(&desk, upload, &there).await.expect("complete");
    assert!(made.created);
    let tags: Vec<u8> = parts.iter().flat_map(|part| md5(part).0).collect();
    assert_eq!(made.object.etag(), format!("{}-3", md5(&tags)));
    let version = made.object.view.version.clone().expect("a version");
    assert_eq!((version.size, version.sha1, version.number), (length(&whole), None, 1));
    assert_eq!(made.object.facts.as_ref().expect("facts").parts, [length(&parts[0]), length(&parts[1]), 10]);
    assert_eq!(desk.space_used().await, length(&whole));
    let file = made.object.view.item.id;
    assert!(desk.content(file).await == whole);
    desk.check_books();
    let totals = desk.totals();
    assert_eq!((totals.pieces, totals.parts, totals.contents, totals.versions), (3, 0, 4, 1));

    let (first, second) = (length(&parts[0]), length(&parts[0]) + length(&parts[1]));
    let end = length(&whole);
    for wanted in
        [0..1, first - 1..first + 1, first..first, first..second, second - 5..end, end - 1..end, 7..end, 0..end + 9]
    {
        let found = desk.tree.open_content(version.content).expect("a content");
        assert_eq!(found.size(), end);
        let expected =
            usize::try_from(wanted.start).expect("small")..usize::try_from(wanted.end.min(end)).expect("small");
        assert!(range(&desk, found, wanted.clone()).await == whole[expected], "{wanted:?}");
    }

    // Whoever did not hear the answer asks again.
    let again = complete(&desk, upload, &there).await.expect("the same");
    assert_eq!((again.object.view.item.id, again.object.etag()), (file, made.object.etag()));
    assert!(matches!(put(&desk, upload, 4, b"late").await, Err(Error::SessionGone)));
    assert!(matches!(desk.tree.abort_multipart(&desk.anna, upload).await, Err(Error::SessionGone)));

    // Its SHA-1 is computed later, for copies too.
    let to = CopyTo { parent: desk.root, name: None, version: None };
    let copy = desk.tree.copy(&desk.anna, file, Kind::File, to, RULE).await.expect("a copy");
    assert_eq!(copy.version.as_ref().expect("a version").sha1, None);
    let mut turns = 0;
    while !desk.tree.digest_content(version.content, Duration::ZERO).await.expect("hashed") {
        turns += 1;
    }
    assert!(turns > 2, "it goes on where it stopped");
    assert!(desk.tree.digest_content(version.content, LONG).await.expect("known"));
    for file in [file, copy.item.id] {
        let seen = desk.see(file, Kind::File).await.expect("seen");
        assert_eq!(seen.version.expect("a version").sha1, Some(sha1(&whole)));
    }
    assert!(desk.tree.digest_content(ContentId::new(5), Duration::ZERO).await.expect("it may be gone"));

    let verified = verify(&desk).await;
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!((verified.contents, verified.pieces), (4, 3));
    for file in [file, copy.item.id] {
        purge(&desk, file).await;
        desk.check_books();
    }
    assert!(matches!(desk.tree.open_content(version.content), Err(Error::NotFound)));
    assert!(verify(&desk).await.is_undamaged(), "half of it may be gone");
    tidy(&desk).await;
    desk.check_books();
    let totals = desk.totals();
    assert_eq!((totals.contents, totals.chunks, totals.pieces, totals.live_bytes), (0, 0, 0, 0));
    assert_eq!(desk.space_used().await, 0);
}

pub async fn verify(desk: &Desk) -> Verified {
    desk.stage.vault.verify(Depth::Bytes, &mut Unwatched).await.expect("verified")
}

#[tokio::test]
async fn a_part_that_is_sent_again_takes_the_place_of_the_earlier_one() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let upload = begin(&desk, bucket, "k").await;
    put(&desk, upload, 1, &bytes(1, 300_000)).await.expect("a part");
    let second = put(&desk, upload, 1, &bytes(2, LEAST)).await.expect("a part");
    let third = put(&desk, upload, 7, b"the end").await.expect("a part");
    put(&desk, upload, 9, b"not named").await.expect("a part");
    desk.check_books();
    let totals = desk.totals();
    assert_eq!((totals.parts, totals.contents), (3, 3));
    let made = complete(&desk, upload, &[second.clone(), third.clone()]).await.expect("complete");
    assert!(desk.content(made.object.view.item.id).await == [&bytes(2, LEAST)[..], b"the end"].concat());
    desk.check_books();
    assert_eq!(desk.totals().parts, 1, "what was left out goes with the upload");
    assert_eq!(desk.space_used().await, second.size + third.size);
}

#[tokio::test]
async fn what_does_not_make_up_an_object_is_refused() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let upload = begin(&desk, bucket, "k").await;
    let (one, two) =
        (put(&desk, upload, 1, b"small").await.expect("1"), put(&desk, upload, 2, b"too").await.expect("2"));
    let with = |parts: Vec<MultipartPart>| complete_with(&parts);
    let cases = [
        with(vec![]),
        with(vec![one.clone(), two.clone()]),
        with(vec![two.clone(), one.clone()]),
        with(vec![MultipartPart { number: 3, ..one.clone() }]),
        with(vec![MultipartPart { etag: two.etag.clone(), ..one.clone() }]),
        CompleteMultipart { finish: Box::new(|_, _| Err(Error::PreconditionFailed)), ..with(vec![one.clone()]) },
        CompleteMultipart { expect: Expect::Present, ..with(vec![one.clone()]) },
    ];
    let mut answers = Vec::new();
    for case in cases {
        let answer = desk.tree.complete_multipart(&desk.anna, upload, case).await.expect_err("refused");
        answers.push(format!("{answer:?}").split(['(', ' ']).next().unwrap_or_default().to_owned());
    }
    let expected = [
        "Invalid",
        "PartTooSmall",
        "PartOrder",
        "PartMissing",
        "PartMissing",
        "PreconditionFailed",
        "PreconditionFailed",
    ];
    assert_eq!(answers, expected);
    for number in [0, 10_001] {
        assert!(matches!(put(&desk, upload, number, b"x").await, Err(Error::Invalid(_))));
    }
    let refused: Finish = Box::new(|| Err(Error::PreconditionFailed));
    let again = desk.tree.put_multipart_part(&desk.anna, upload, 1, 9, body(b"other"), refused).await;
    assert!(matches!(again, Err(Error::PreconditionFailed)));
    let long = desk.tree.put_multipart_part(&desk.anna, upload, 1, 3, body(b"other"), finish(b"")).await;
    assert!(matches!(long, Err(Error::TooLarge { limit: 3 })));
    assert_eq!(arrived(&desk, upload).await, [one.clone(), two]);
    // Nobody else knows of it.
    let stranger = desk.tree.put_multipart_part(&desk.ben, upload, 1, 9, body(b"x"), finish(b"x")).await;
    assert!(matches!(stranger, Err(Error::SessionGone)));
    assert!(matches!(desk.tree.multipart(&desk.ben, upload).await, Err(Error::SessionGone)));
    let made = complete(&desk, upload, &[one]).await.expect("complete");
    let version = made.object.view.version.as_ref().expect("a version");
    assert_eq!(version.sha1, Some(sha1(b"small")), "one part is the whole, and was read");
    assert!(made.object.etag().ends_with("-1"));
    desk.check_books();

    let long = names(&"x/".repeat(513));
    for names in [&long[..], &[]] {
        let path = Path { base: bucket, names };
        let refused = desk.tree.create_multipart(&desk.anna, path, MultipartInto::default()).await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    let path = Path { base: ItemId::new(5), names: &names("k") };
    let nowhere = desk.tree.create_multipart(&desk.anna, path, MultipartInto::default()).await;
    assert!(matches!(nowhere, Err(Error::NotFound)));
}

#[tokio::test]
async fn parts_without_bytes() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let empty = object(&desk, bucket, "empty", &[b""]).await;
    assert_eq!(empty.object.view.version.as_ref().map(|version| version.size), Some(0));
    assert!(desk.content(empty.object.view.item.id).await.is_empty());
    let first = bytes(1, LEAST);
    let made = object(&desk, bucket, "first", &[&first, b""]).await;
    assert!(made.object.etag().ends_with("-2"));
    assert!(desk.content(made.object.view.item.id).await == first);
    desk.check_books();
    let totals = desk.totals();
    assert_eq!((totals.pieces, totals.parts, totals.contents), (0, 0, 2));
}

#[tokio::test]
async fn what_is_ended_leaves_nothing() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let (ended, late) = (begin(&desk, bucket, "k").await, begin(&desk, bucket, "k").await);
    for upload in [ended, late] {
        put(&desk, upload, 1, &bytes(1, 9_000_000)).await.expect("a part");
        put(&desk, upload, 2, b"x").await.expect("a part");
    }
    desk.tree.abort_multipart(&desk.anna, ended).await.expect("ended");
    for outcome in [
        desk.tree.abort_multipart(&desk.anna, ended).await,
        desk.tree.multipart(&desk.anna, ended).await.map(drop),
        put(&desk, ended, 3, b"x").await.map(drop),
        complete(&desk, ended, &[]).await.map(drop),
    ] {
        assert!(matches!(outcome, Err(Error::SessionGone | Error::Invalid(_))), "{outcome:?}");
    }
    tidy(&desk).await;
    desk.check_books();
    assert_eq!(desk.totals().parts, 2, "the other one goes on");

    // One that has expired is as good as ended.
    set_expired(&desk, late).await;
    assert!(matches!(put(&desk, late, 3, b"x").await, Err(Error::SessionGone)));
    let list = desk.tree.list_multiparts(&desk.anna, bucket, everything()).await.expect("a page");
    assert_eq!(list.entries, []);
    assert!(!desk.tree.expire_multiparts(1).await.expect("some"), "little by little");
    tidy(&desk).await;
    desk.check_books();
    let totals = desk.totals();
    assert_eq!((totals.parts, totals.contents, totals.live_bytes), (0, 0, 0));
}

async fn set_expired(desk: &Desk, upload: MultipartId) {
    let row = desk.stage.database.read(|tx| rows::by_id(tx, upload)).expect("read").expect("an upload");
    // There is no clock to turn: a row that is like it takes its place.
    let moved = desk.stage.database.transact("expire", move |tx| {
        rows::end(tx, upload)?;
        let old =
            Multipart { id: MultipartId::new(1), expires_at: entente_model::Timestamp::from_millis(1), ..row.clone() };
        rows::insert(tx, &old, row.user)
    });
    moved.await.expect("expired");
}

fn everything() -> ListMultiparts {
    ListMultiparts { limit: 1_000, ..ListMultiparts::default() }
}

#[tokio::test]
async fn parts_count_when_they_arrive_and_are_counted_when_they_are_complete() {
    let desk = Desk::new().await;
    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    let limit = length(&[0; LEAST]) + 1_000;
    let change = UserChange { space_limit: Some(Some(limit)), ..UserChange::default() };
    desk.tree.update_user(&admin, desk.anna.user, change).await.expect("limited");
    let bucket = desk.folder(desk.root, "bucket").await;
    let upload = begin(&desk, bucket, "k").await;
    let first = put(&desk, upload, 1, &bytes(1, LEAST)).await.expect("a part");
    assert!(matches!(put(&desk, upload, 2, &[0; 1_001]).await, Err(Error::QuotaExceeded)));
    put(&desk, upload, 1, &bytes(2, LEAST)).await.expect("in the place of the first");
    let second = put(&desk, upload, 2, &[0; 900]).await.expect("a part");
    assert_eq!(desk.space_used().await, 0);
    desk.file(desk.root, "meanwhile", &[0; 500]).await;
    let parts = arrived(&desk, upload).await;
    assert_eq!((parts.len(), parts[0].size, parts[1] == second), (2, first.size, true));
    assert!(matches!(complete(&desk, upload, &parts).await, Err(Error::QuotaExceeded)));
    desk.check_books();
    let third = put(&desk, upload, 2, &[0; 500]).await.expect("a part");
    complete(&desk, upload, &[parts[0].clone(), third]).await.expect("complete");
    assert_eq!(desk.space_used().await, limit);
    desk.check_books();
}

#[tokio::test]
async fn parts_of_every_open_upload_count() {
    let desk = Desk::new().await;
    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    let change = UserChange { space_limit: Some(Some(1_000)), ..UserChange::default() };
    desk.tree.update_user(&admin, desk.anna.user, change).await.expect("limited");
    let bucket = desk.folder(desk.root, "bucket").await;
    let source = desk.put(bucket, "source", &[0; 300]).await.object;
    assert_eq!(source.view.version.map(|version| version.size), Some(300));
    let (one, other) = (begin(&desk, bucket, "one").await, begin(&desk, bucket, "other").await);
    put(&desk, one, 1, &[0; 500]).await.expect("a part");
    assert!(matches!(put(&desk, other, 1, &[0; 201]).await, Err(Error::QuotaExceeded)));
    let from = names("source");
    let from = Path { base: bucket, names: &from };
    let copied = desk.tree.copy_multipart_part(&desk.anna, other, 1, from, None, None).await;
    assert!(matches!(copied, Err(Error::QuotaExceeded)));
    // Of those that arrive at once only as many are kept as there is room for.
    let at_once = join_all((1..=5).map(|number| put(&desk, other, number, &[0; 90]))).await;
    assert_eq!(at_once.iter().filter(|part| part.is_ok()).count(), 2);
    assert!(at_once.iter().all(|part| matches!(part, Ok(_) | Err(Error::QuotaExceeded))));
    desk.tree.abort_multipart(&desk.anna, one).await.expect("ended");
    desk.tree.copy_multipart_part(&desk.anna, other, 6, from, None, None).await.expect("room again");
    desk.check_books();
}

#[tokio::test]
async fn there_are_only_so_many_open_uploads() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let first = begin(&desk, bucket, "first").await;
    let row = desk.stage.database.read(|tx| rows::by_id(tx, first)).expect("read").expect("an upload");
    let filled = desk.stage.database.transact("fill", move |tx| {
        for id in 1..i64::from(MULTIPARTS_MAX) {
            rows::insert(tx, &Multipart { id: MultipartId::new(id), ..row.clone() }, row.user)?;
        }
        Ok::<_, entente_database::Error>(())
    });
    filled.await.expect("filled");
    let more = names("more");
    let path = Path { base: bucket, names: &more };
    let refused = desk.tree.create_multipart(&desk.anna, path, MultipartInto::default()).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
    desk.tree.abort_multipart(&desk.anna, first).await.expect("ended");
    begin(&desk, bucket, "more").await;
    // A NUL is in no key.
    let list = ListMultiparts { after: Some(("first\0x".to_owned(), None)), ..everything() };
    let page = desk.tree.list_multiparts(&desk.anna, bucket, list).await.expect("a page");
    assert_eq!(page.entries.len(), 1);
}

#[tokio::test]
async fn only_one_end_is_the_end() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    for round in 0..6 {
        let key = format!("k{round}");
        let upload = begin(&desk, bucket, &key).await;
        let part = put(&desk, upload, 1, &bytes(1, 300_000)).await.expect("a part");
        let last = put(&desk, upload, 2, b"x").await.expect("a part");
        let parts = [part];
        let (one, two) = (complete(&desk, upload, &parts), complete(&desk, upload, &parts));
        let abort = async {
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
            desk.tree.abort_multipart(&desk.anna, upload).await
        };
        let late = put(&desk, upload, 2, b"y");
        let (one, two, aborted, late) = tokio::join!(one, two, abort, late);
        let completed = [&one, &two].into_iter().filter(|end| end.is_ok()).count();
        assert_eq!(completed > 0, aborted.is_err(), "{one:?} {two:?} {aborted:?}");
        for error in
            [one.as_ref().err(), two.as_ref().err(), aborted.as_ref().err(), late.as_ref().err()].into_iter().flatten()
        {
            assert!(matches!(error, Error::SessionGone | Error::PartMissing { .. }), "{error}");
        }
        if let (Ok(one), Ok(two)) = (one, two) {
            assert_eq!(content_of(&one), content_of(&two));
            assert_eq!(one.object.view.item.id, two.object.view.item.id);
        }
        assert_eq!(last.number, 2);
        tidy(&desk).await;
        desk.check_books();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parts_arrive_at_once() {
    let desk = Arc::new(Desk::new().await);
    let bucket = desk.folder(desk.root, "bucket").await;
    let upload = begin(&desk, bucket, "k").await;
    // Some of them have the same number.
    let sent = (0..24_u8).map(|part| {
        let (world, desk) = (desk.stage.world.clone(), Arc::clone(&desk));
        world.spawn(async move { put(&desk, upload, u32::from(part % 6) + 1, &[part; 1_000]).await })
    });
    for sent in join_all(sent).await {
        sent.expect("ran").expect("a part");
    }
    desk.check_books();
    let parts = arrived(&desk, upload).await;
    assert_eq!(parts.iter().map(|part| part.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(desk.totals().contents, 6);
    let made = complete(&desk, upload, &parts[3..4]).await.expect("complete");
    let content = desk.content(made.object.view.item.id).await;
    assert_eq!((content.len(), md5(&content).to_string()), (1_000, parts[3].etag.clone()));
}

#[tokio::test]
async fn an_upload_ends_with_its_bucket() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let upload = begin(&desk, bucket, "k").await;
    let part = put(&desk, upload, 1, b"bytes").await.expect("a part");
    desk.trash(bucket, Kind::Folder).await;
    assert!(matches!(complete(&desk, upload, std::slice::from_ref(&part)).await, Err(Error::SessionGone)));
    assert!(matches!(put(&desk, upload, 2, b"x").await, Err(Error::SessionGone)));
    desk.tree.purge(&desk.anna, bucket, Kind::Folder).await.expect("purged");
    desk.finish_purge(bucket).await;
    assert!(matches!(complete(&desk, upload, &[part]).await, Err(Error::SessionGone)));
    desk.check_books();
    assert_eq!(desk.totals().parts, 1, "they go when the upload expires");
}

#[tokio::test]
async fn a_part_may_be_of_an_object() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let plain = bytes(1, LEAST + 700_000);
    desk.file(bucket, "plain", &plain).await;
    let first = object(&desk, bucket, "pieces", &[&bytes(2, LEAST), b"some more"]).await;
    let of_pieces = [&bytes(2, LEAST)[..], b"some more"].concat();
    let before = desk.totals();
    let upload = begin(&desk, bucket, "copy").await;
    let copy = async |number, key: &str, range: Option<Range<u64>>| {
        let names = names(key);
        let from = Path { base: bucket, names: &names };
        desk.tree.copy_multipart_part(&desk.anna, upload, number, from, None, range).await.map(|(_, part)| part)
    };
    let least = length(&bytes(0, LEAST));
    let one = copy(1, "plain", Some(700_000..700_000 + least)).await.expect("a range");
    let two = copy(2, "pieces", None).await.expect("all");
    let three = copy(3, "plain", None).await.expect("all");
    let four = copy(4, "pieces", Some(least - 2..least + 4)).await.expect("a range over two pieces");
    assert_eq!([one.size, two.size, three.size, four.size], [least, length(&of_pieces), length(&plain), 6]);
    assert_eq!(copy(4, "pieces", Some(least - 2..least + 4)).await.expect("again").etag, four.etag);
    for (key, range) in [("plain", 5..5), ("plain", 0..1 << 40), ("pieces", Range { start: 9, end: 3 })] {
        assert!(matches!(copy(5, key, Some(range)).await, Err(Error::Invalid(_))));
    }
    assert!(matches!(copy(5, "nothing", None).await, Err(Error::NotFound)));
    tidy(&desk).await;
    desk.check_books();
    assert_eq!(desk.totals().live_bytes, before.live_bytes, "no byte was written");
    let parts = arrived(&desk, upload).await;
    let made = complete(&desk, upload, &parts).await.expect("complete");
    let expected = [&plain[700_000..700_000 + LEAST], &of_pieces, &plain, &of_pieces[LEAST - 2..LEAST + 4]].concat();
    let file = made.object.view.item.id;
    assert!(desk.content(file).await == expected);
    desk.check_books();
    assert_eq!(desk.totals().live_bytes, before.live_bytes);
    assert_eq!(desk.totals().pieces, before.pieces + 1 + 2 + 1 + 2);

    // What it was made of may go.
    purge(&desk, first.object.view.item.id).await;
    tidy(&desk).await;
    assert!(desk.content(file).await == expected);
    assert!(desk.tree.digest_content(content_of(&made), LONG).await.expect("hashed"));
    assert_eq!(desk.see(file, Kind::File).await.expect("seen").version.expect("a version").sha1, Some(sha1(&expected)));
    // One part alone may be a piece.
    let upload = begin(&desk, bucket, "one").await;
    let names = names("copy");
    let from = Path { base: bucket, names: &names };
    let part = desk.tree.copy_multipart_part(&desk.anna, upload, 1, from, None, Some(10..20)).await.expect("a part").1;
    let one = complete(&desk, upload, &[part]).await.expect("complete").object.view.item.id;
    assert_eq!(desk.content(one).await, expected[10..20]);
    desk.check_books();
    assert!(verify(&desk).await.is_undamaged());
}

#[tokio::test]
async fn open_uploads_are_listed_along_their_index() {
    let desk = Desk::new().await;
    let bucket = desk.folder(desk.root, "bucket").await;
    let other = desk.folder(desk.root, "other").await;
    let keys = ["a", "a/b", "a/b", "a/c/d", "a!", "b", "b//c", "\u{e9}/x", "a/\u{10ffff}", "z"];
    let mut open = Vec::new();
    for key in keys {
        open.push((key.to_owned(), begin(&desk, bucket, key).await));
    }
    begin(&desk, other, "a/other").await;
    let (_, ended) = open.remove(5);
    desk.tree.abort_multipart(&desk.anna, ended).await.expect("ended");
    open.sort();
    for prefix in ["", "a", "a/", "b", "\u{e9}", "nothing"] {
        for delimiter in [None, Some("/"), Some("/c"), Some("\u{10ffff}")] {
            let mut expected: Vec<String> = Vec::new();
            for (key, id) in open.iter().filter(|(key, _)| key.starts_with(prefix)) {
                let cut =
                    delimiter.and_then(|delimiter| key[prefix.len()..].find(delimiter).map(|at| at + delimiter.len()));
                let shown = match cut {
                    Some(end) => format!("{}*", &key[..prefix.len() + end]),
                    None => format!("{key} {id}"),
                };
                if expected.last() != Some(&shown) {
                    expected.push(shown);
                }
            }
            for limit in [1, 2, 3, 1_000] {
                let (mut found, mut after) = (Vec::new(), None);
                loop {
                    let list = ListMultiparts {
                        prefix: prefix.to_owned(),
                        delimiter: delimiter.map(str::to_owned),
                        after,
                        limit,
                    };
                    let page = desk.tree.list_multiparts(&desk.anna, bucket, list).await.expect("a page");
                    assert!(page.entries.len() <= usize::try_from(limit).expect("small"));
                    found.extend(page.entries.into_iter().map(|entry| match entry {
                        MultipartEntry::Upload(upload) => format!("{} {}", upload.key, upload.id),
                        MultipartEntry::Prefix(prefix) => format!("{prefix}*"),
                    }));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(found, expected, "{prefix:?} {delimiter:?} {limit}");
            }
        }
    }
    let list = ListMultiparts { after: Some(("a/b".to_owned(), None)), ..everything() };
    let page = desk.tree.list_multiparts(&desk.anna, bucket, list).await.expect("a page");
    assert!(matches!(&page.entries[0], MultipartEntry::Upload(upload) if upload.key == "a/c/d"));
    let hidden = desk.tree.list_multiparts(&desk.ben, bucket, everything()).await;
    assert!(matches!(hidden, Err(Error::NotFound)));

    let upload = begin(&desk, bucket, "parts").await;
    for number in [9, 2, 10_000, 5] {
        put(&desk, upload, number, b"x").await.expect("a part");
    }
    let page = desk.tree.list_multipart_parts(&desk.anna, upload, 2, 2).await.expect("a page");
    assert_eq!((page.entries.iter().map(|part| part.number).collect::<Vec<_>>(), page.next), (vec![5, 9], Some(9)));
    let page = desk.tree.list_multipart_parts(&desk.anna, upload, 9, 2).await.expect("a page");
    assert_eq!((page.entries.len(), page.next, page.upload.key.as_str()), (1, None, "parts"));
    if !entente_testkit::is_on_server() {
        let plan = desk.stage.database.read(rows::explain_after).expect("a plan").join("; ");
        assert!(plan.contains("multipart_uploads_by_key") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}
