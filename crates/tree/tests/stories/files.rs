use crate::desk::{Desk, RULE, body, name, new_file, new_version, pattern, sha1};
use bytes::Bytes;
use entente_model::{ContentId, Timestamp, VersionId};
use entente_tree::{BoxError, Error, Kind, NewFile, NewVersion, UserChange};
use futures_util::stream;

#[tokio::test]
async fn what_is_uploaded_comes_back() {
    let desk = Desk::new().await;
    for (text, length) in [("empty", 0), ("small", 4_096), ("large", 9_000_001)] {
        let content = pattern(length);
        let created = Timestamp::from_millis(1_000);
        let new = NewFile {
            content_created_at: Some(created),
            expected_sha1: Some(sha1(&content)),
            size_max: u64::try_from(length).expect("small"),
            ..new_file(text)
        };
        let made = desk.tree.upload(&desk.anna, desk.root, new, RULE, body(&content)).await.expect("uploaded");
        let version = made.version.clone().expect("a version");
        assert_eq!((version.sha1, version.number, made.item.sequence), (Some(sha1(&content)), 1, 0));
        assert_eq!(made.item.content_created_at, created);
        assert_eq!(made.item.content_modified_at, made.item.created_at);
        assert_eq!(desk.content(made.item.id).await, content);
        let seen = desk.see(made.item.id, Kind::File).await.expect("seen");
        assert_eq!((seen.item, seen.version, seen.path), (made.item, made.version, made.path));
    }
    assert_eq!(desk.space_used().await, 9_004_097);
    assert_eq!(desk.names(desk.root).await, ["empty", "large", "small"]);
}

#[tokio::test]
async fn a_range_of_a_content_is_read_without_the_rest() {
    use futures_util::TryStreamExt;
    let desk = Desk::new().await;
    let content = pattern(9_000_000);
    let file = desk.file(desk.root, "f", &content).await;
    let opened = desk.tree.open(&desk.anna, file.item.id, None).await.expect("opened");
    for range in [0..1, 8_388_000..8_389_000, 8_999_999..9_000_000, 5..5] {
        let found = desk.tree.open_content(opened.content).expect("a content");
        assert_eq!((found.id(), found.size()), (opened.content, 9_000_000));
        let read = desk.tree.read_content(found, range.clone());
        let read: Vec<u8> = read.map_ok(|bytes| bytes.to_vec()).try_concat().await.expect("read");
        let range = usize::try_from(range.start).expect("small")..usize::try_from(range.end).expect("small");
        assert_eq!(read, content[range]);
    }
    assert!(matches!(desk.tree.open_content(ContentId::new(1)), Err(Error::NotFound)));
    let other = desk.file(desk.root, "g", b"g").await.version.expect("a version").id;
    for version in [VersionId::new(1), other] {
        assert!(matches!(desk.tree.open(&desk.anna, file.item.id, Some(version)).await, Err(Error::NotFound)));
    }
}

#[tokio::test]
async fn a_body_that_is_not_as_announced_leaves_nothing() {
    let desk = Desk::new().await;
    let wrong = NewFile { expected_sha1: Some(sha1(b"other")), ..new_file("f") };
    let outcome = desk.tree.upload(&desk.anna, desk.root, wrong, RULE, body(b"this")).await;
    assert!(matches!(outcome, Err(Error::DigestMismatch { expected, actual })
        if expected == sha1(b"other") && actual == sha1(b"this")));
    let short = NewFile { size_max: 3, ..new_file("f") };
    let outcome = desk.tree.upload(&desk.anna, desk.root, short, RULE, body(b"four")).await;
    assert!(matches!(outcome, Err(Error::TooLarge { limit: 3 })));
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err::<Bytes, BoxError>("the client went away".into())]);
    let outcome = desk.tree.upload(&desk.anna, desk.root, new_file("f"), RULE, broken).await;
    assert!(matches!(outcome, Err(Error::BodyFailed(_))));
    assert!(desk.names(desk.root).await.is_empty());
    assert_eq!(desk.space_used().await, 0);
}

#[tokio::test]
async fn a_hopeless_upload_is_refused_before_its_body() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "taken", b"1").await.item.id;
    let unread =
        || stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, BoxError>>> { panic!("the body is read") });
    let outcome = desk.tree.upload(&desk.anna, desk.root, new_file("TAKEN"), RULE, unread()).await;
    assert!(matches!(outcome, Err(Error::NameInUse { winner }) if winner.item.id == file));
    let outcome = desk.tree.upload(&desk.anna, file, new_file("x"), RULE, unread()).await;
    assert!(matches!(outcome, Err(Error::NotFound)));
    let stale = NewVersion { if_match: Some(7), ..new_version() };
    let outcome = desk.tree.upload_version(&desk.anna, file, stale, RULE, unread()).await;
    assert!(matches!(outcome, Err(Error::PreconditionFailed)));
    let outcome = desk.tree.upload_version(&desk.anna, desk.root, new_version(), RULE, unread()).await;
    assert!(matches!(outcome, Err(Error::NotFound)));
    desk.trash(file, Kind::File).await;
    let outcome = desk.tree.upload_version(&desk.anna, file, new_version(), RULE, unread()).await;
    assert!(matches!(outcome, Err(Error::Trashed)));
}

#[tokio::test]
async fn the_owners_space_is_a_limit_and_every_version_counts() {
    let desk = Desk::new().await;
    let limit = UserChange { space_limit: Some(Some(10)), ..UserChange::default() };
    let admin = desk.stage.person("root@example.com", "Root", entente_model::UserRole::Admin).await;
    let admin = desk.stage.caller(admin, entente_model::UserRole::Admin);
    desk.tree.update_user(&admin, desk.anna.user, limit).await.expect("limited");

    let file = desk.file(desk.root, "f", b"12345").await.item.id;
    desk.version(file, b"1234").await;
    assert_eq!(desk.space_used().await, 9);
    assert!(matches!(desk.try_file(desk.root, "g", b"12").await, Err(Error::QuotaExceeded)));
    let check = |size| desk.tree.check_upload(&desk.anna, desk.root, NAME.get_or_init(|| name("g")), Some(size), RULE);
    assert!(check(1).await.is_ok());
    assert!(matches!(check(2).await, Err(Error::QuotaExceeded)));
    desk.trash(file, Kind::File).await;
    assert_eq!(desk.space_used().await, 9);
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    assert_eq!(desk.space_used().await, 0);
    desk.file(desk.root, "g", b"1234567890").await;
}

static NAME: std::sync::OnceLock<entente_model::ItemName> = std::sync::OnceLock::new();
