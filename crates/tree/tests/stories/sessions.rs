use crate::desk::{Desk, RULE, body, name, pattern, sha1};
use entente_model::{CHUNK_SIZE_BYTES, Sha1, UploadSessionId};
use entente_tree::{
    CommitSession, Error, ItemView, Kind, NamedPart, NewPart, Part, RestoreTo, SessionView, Tree, UploadInto, limits,
};

pub const PART: usize = 8 * 1024 * 1024;

pub fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("small")
}

pub async fn begin(desk: &Desk, text: &str, size: u64) -> SessionView {
    let into = UploadInto::NewFile { parent: desk.root, name: name(text) };
    desk.tree.create_session(&desk.anna, into, size, RULE).await.expect("a session")
}

pub async fn send(desk: &Desk, session: UploadSessionId, whole: &[u8], part: usize) -> Result<Part, Error> {
    let bytes = &whole[part * PART..whole.len().min((part + 1) * PART)];
    let offset = u64::try_from(part * PART).expect("small");
    let new = NewPart { offset, length: length(bytes), sha1: sha1(bytes) };
    desk.tree.upload_part(&desk.anna, session, new, body(bytes)).await
}

pub async fn commit(desk: &Desk, session: UploadSessionId, whole: &[u8]) -> Result<ItemView, Error> {
    commit_as(desk, &desk.tree, session, sha1(whole)).await
}

/// At that node, with that digest.
pub async fn commit_as(desk: &Desk, tree: &Tree, session: UploadSessionId, sha1: Sha1) -> Result<ItemView, Error> {
    let parts = tree.parts(&desk.anna, session, 0, 1_000).await?.entries;
    let commit = CommitSession {
        parts: parts.iter().rev().map(named).collect(),
        sha1,
        content_created_at: None,
        content_modified_at: None,
        if_match: None,
    };
    tree.commit_session(&desk.anna, session, commit, RULE).await
}

fn named(part: &Part) -> NamedPart {
    let offset = u64::from(part.place.chunk) * CHUNK_SIZE_BYTES;
    NamedPart { id: part.id.clone(), offset, size: part.size }
}

#[tokio::test]
async fn parts_in_any_order_become_a_file() {
    let desk = Desk::new().await;
    let whole = pattern(2 * PART + 1_000);
    let begun = begin(&desk, "big", length(&whole)).await;
    let id = begun.session.id;
    assert_eq!((begun.parts_total, begun.parts_done, begun.session.part_size), (3, 0, CHUNK_SIZE_BYTES));
    for part in [2, 0] {
        send(&desk, id, &whole, part).await.expect("stored");
    }
    assert!(matches!(commit(&desk, id, &whole).await, Err(Error::PartsMismatch)));
    let part = send(&desk, id, &whole, 1).await.expect("stored");
    assert_eq!(send(&desk, id, &whole, 1).await.expect("sent again").id, part.id);
    assert_eq!(desk.tree.session(&desk.anna, id).await.expect("there").parts_done, 3);
    let page = desk.tree.parts(&desk.anna, id, 1, 1).await.expect("a page");
    assert_eq!((page.total_count, page.entries[0].id == part.id), (3, true));
    desk.check_books();

    let made = commit(&desk, id, &whole).await.expect("committed");
    let version = made.version.clone().expect("a version");
    assert_eq!((made.item.name.as_str(), version.sha1, version.size), ("big", Some(sha1(&whole)), length(&whole)));
    assert_eq!(desk.content(made.item.id).await, whole);
    desk.check_books();

    // Whoever did not hear the answer asks again.
    assert_eq!(commit(&desk, id, &whole).await.expect("the same").item.id, made.item.id);
    assert!(matches!(send(&desk, id, &whole, 0).await, Err(Error::SessionGone)));
    desk.tree.abort_session(&desk.anna, id).await.expect("too late, and fine");
    assert_eq!(desk.content(made.item.id).await, whole);
}

#[tokio::test]
async fn a_session_may_make_a_version() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "f", b"one").await.item.id;
    let whole = pattern(PART + 5);
    let into = UploadInto::NewVersion { file, name: Some(name("g")) };
    let id = desk.tree.create_session(&desk.anna, into, length(&whole), RULE).await.expect("a session").session.id;
    for part in [0, 1] {
        send(&desk, id, &whole, part).await.expect("stored");
    }
    let made = commit(&desk, id, &whole).await.expect("committed");
    assert_eq!((made.item.id, made.item.name.as_str(), made.item.sequence), (file, "g", 1));
    assert_eq!(made.version.expect("a version").number, 2);
    assert_eq!(desk.content(file).await, whole);
}

#[tokio::test]
async fn what_is_not_in_place_is_refused() {
    let desk = Desk::new().await;
    let whole = pattern(PART + 1_000);
    let size = length(&whole);
    let id = begin(&desk, "big", size).await.session.id;
    let bytes = &whole[PART..];
    let good = NewPart { offset: CHUNK_SIZE_BYTES, length: 1_000, sha1: sha1(bytes) };
    let bad = [
        NewPart { offset: 5, ..good },
        NewPart { offset: 0, ..good },
        NewPart { length: 999, ..good },
        NewPart { length: 1_001, ..good },
        NewPart { offset: 2 * CHUNK_SIZE_BYTES, ..good },
        NewPart { offset: u64::MAX, ..good },
    ];
    for part in bad {
        let outcome = desk.tree.upload_part(&desk.anna, id, part, body(bytes)).await;
        assert!(matches!(outcome, Err(Error::PartOutOfPlace)), "{part:?}");
    }
    let outcome = desk.tree.upload_part(&desk.anna, id, good, body(&bytes[1..])).await;
    assert!(matches!(outcome, Err(Error::SizeMismatch { expected: 1_000, actual: 999 })));
    let outcome = desk.tree.upload_part(&desk.anna, id, good, body(&whole[..1_001])).await;
    assert!(matches!(outcome, Err(Error::SizeMismatch { .. })));
    let outcome = desk.tree.upload_part(&desk.anna, id, NewPart { sha1: sha1(b"x"), ..good }, body(bytes)).await;
    assert!(matches!(outcome, Err(Error::DigestMismatch { .. })));
    let stranger = desk.tree.upload_part(&desk.ben, id, good, body(bytes)).await;
    assert!(matches!(stranger, Err(Error::NotFound)));

    let into = || UploadInto::NewFile { parent: desk.root, name: name("x") };
    let none = desk.tree.create_session(&desk.anna, into(), 0, RULE).await;
    assert!(matches!(none, Err(Error::Invalid(_))));
    let huge = desk.tree.create_session(&desk.anna, into(), limits::SESSION_BYTES_MAX + 1, RULE).await;
    assert!(matches!(huge, Err(Error::TooLarge { .. })));
    desk.file(desk.root, "X", b"").await;
    let taken = desk.tree.create_session(&desk.anna, into(), 5, RULE).await;
    assert!(matches!(taken, Err(Error::NameInUse { .. })));
}

#[tokio::test]
async fn a_commit_must_name_what_arrived() {
    let desk = Desk::new().await;
    let whole = pattern(PART + 10);
    let id = begin(&desk, "big", length(&whole)).await.session.id;
    let (first, second) =
        (send(&desk, id, &whole, 0).await.expect("stored"), send(&desk, id, &whole, 1).await.expect("stored"));
    let try_parts = async |parts: Vec<NamedPart>| {
        let commit = CommitSession {
            parts,
            sha1: sha1(&whole),
            content_created_at: None,
            content_modified_at: None,
            if_match: None,
        };
        desk.tree.commit_session(&desk.anna, id, commit, RULE).await
    };
    let bad = [
        vec![],
        vec![named(&first)],
        vec![named(&first), named(&first)],
        vec![named(&first), NamedPart { id: "0".to_owned(), ..named(&second) }],
        vec![named(&first), NamedPart { size: 11, ..named(&second) }],
        vec![named(&first), named(&second), named(&second)],
    ];
    for parts in bad {
        assert!(matches!(try_parts(parts).await, Err(Error::PartsMismatch)));
    }
    let mut other = whole.clone();
    other[3] ^= 1;
    assert!(matches!(commit(&desk, id, &other).await, Err(Error::DigestMismatch { .. })));

    // What came first stays: other bytes in its place are refused.
    assert!(matches!(send(&desk, id, &other, 0).await, Err(Error::PartConflict)));
    desk.check_books();
    let made = commit(&desk, id, &whole).await.expect("committed");
    assert_eq!(desk.content(made.item.id).await, whole);
}

#[tokio::test]
async fn a_session_that_is_ended_or_expires_lets_go_of_its_parts() {
    let desk = Desk::new().await;
    let whole = pattern(PART + 10);
    let id = begin(&desk, "big", length(&whole)).await.session.id;
    send(&desk, id, &whole, 1).await.expect("stored");
    assert!(desk.totals().live_bytes > 0);
    assert!(matches!(desk.tree.abort_session(&desk.ben, id).await, Err(Error::NotFound)));
    desk.tree.abort_session(&desk.anna, id).await.expect("ended");
    assert_eq!(desk.totals().live_bytes, 0);
    assert!(matches!(desk.tree.session(&desk.anna, id).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.abort_session(&desk.anna, id).await, Err(Error::NotFound)));
    assert!(matches!(send(&desk, id, &whole, 0).await, Err(Error::NotFound)));

    let late = begin(&desk, "late", length(&whole)).await.session.id;
    send(&desk, late, &whole, 1).await.expect("stored");
    assert!(desk.tree.expire_sessions(10).await.expect("none"));
    desk.tree.session(&desk.anna, late).await.expect("there");
    desk.stage
        .database
        .transact("expire", move |tx| entente_database::uploads::expire_now(tx, late))
        .await
        .expect("expired");
    assert!(matches!(desk.tree.session(&desk.anna, late).await, Err(Error::NotFound)));
    while !desk.tree.expire_sessions(1).await.expect("a batch") {}
    assert_eq!(desk.totals().live_bytes, 0);
    desk.check_books();
}

#[tokio::test]
async fn the_name_may_be_taken_before_the_commit() {
    let desk = Desk::new().await;
    let whole = pattern(PART);
    let id = begin(&desk, "big", length(&whole)).await.session.id;
    send(&desk, id, &whole, 0).await.expect("stored");
    let winner = desk.file(desk.root, "BIG", b"").await.item.id;
    let outcome = commit(&desk, id, &whole).await;
    assert!(matches!(outcome, Err(Error::NameInUse { winner: taken }) if taken.item.id == winner));
    desk.trash(winner, Kind::File).await;
    commit(&desk, id, &whole).await.expect("the session stayed");
    desk.check_books();
}

#[tokio::test]
async fn parts_arrive_while_the_folder_is_in_the_trash_and_not_once_it_is_gone() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let whole = pattern(PART + 1_000);
    let into = UploadInto::NewFile { parent: folder, name: name("big") };
    let begun = desk.tree.create_session(&desk.anna, into.clone(), length(&whole), RULE).await.expect("a session");
    let id = begun.session.id;
    send(&desk, id, &whole, 0).await.expect("stored");
    desk.trash(folder, Kind::Folder).await;
    send(&desk, id, &whole, 1).await.expect("stored");
    assert!(matches!(commit(&desk, id, &whole).await, Err(Error::Trashed)));
    desk.tree.restore(&desk.anna, folder, Kind::Folder, RestoreTo::default(), RULE).await.expect("back");
    commit(&desk, id, &whole).await.expect("a file");

    let other = desk.tree.create_session(&desk.anna, into, length(&whole), RULE).await;
    assert!(matches!(other, Err(Error::NameInUse { .. })), "{other:?}");
    let into = UploadInto::NewFile { parent: folder, name: name("other") };
    let id = desk.tree.create_session(&desk.anna, into, length(&whole), RULE).await.expect("a session").session.id;
    desk.trash(folder, Kind::Folder).await;
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    assert!(matches!(send(&desk, id, &whole, 0).await, Err(Error::NotFound)));
    desk.tree.abort_session(&desk.anna, id).await.expect("given up");
}
