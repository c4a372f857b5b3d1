use super::{Followed, Prefix, State};
use crate::limits::FOLLOWED_SESSIONS_MAX;
use crate::{Caller, CommitSession, Error, ItemView, NameRule, NamedPart, NewPart, Part, Tree, UploadInto};
use aws_lc_rs::digest;
use bytes::Bytes;
use entente_model::{CHUNK_SIZE_BYTES, Checksum, ItemName, Place, SegmentId, Sha1, UploadSessionId, UserRole};
use entente_testkit::Stage;
use futures_util::{FutureExt, stream};
use std::sync::Arc;

const RULE: NameRule = NameRule::CaseInsensitive;

fn id(number: usize) -> UploadSessionId {
    UploadSessionId::new(i64::try_from(number).unwrap() + 1)
}

fn part(chunk: u32) -> Part {
    let place = Place { chunk, segment: SegmentId::new(7), offset: 0, length: 100, checksum: Checksum([3; 16]) };
    Part { id: format!("{chunk:016X}"), size: 50, sha1: Sha1([9; 20]), place }
}

fn sha1(bytes: &[u8]) -> Sha1 {
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    Sha1::from_slice(digest.as_ref()).unwrap()
}

/// As if these parts had been hashed.
fn prefix(parts: &[Part]) -> Prefix {
    let mut prefix = Prefix::default();
    for part in parts {
        prefix.add(part, prefix.sha1.clone());
    }
    prefix
}

fn resting(followed: &Followed, session: UploadSessionId) -> Option<u32> {
    match followed.kept().sessions.get(&session)?.state {
        State::Resting(ref prefix) => Some(prefix.chunks),
        State::Taken { .. } => None,
    }
}

#[test]
fn a_prefix_is_of_exactly_the_parts_that_were_hashed() {
    let parts = [part(0), part(1), part(2)];
    let two = prefix(&parts[..2]);
    assert!(two.begins(&parts) && two.begins(&parts[..2]) && Prefix::default().begins(&[]));
    assert!(!two.begins(&parts[..1]));
    let others: [fn(&mut Part); 4] = [
        |part| part.id.push('0'),
        |part| part.size += 1,
        |part| part.sha1.0[0] ^= 1,
        |part| part.place.checksum.0[0] ^= 1,
    ];
    for other in others {
        let mut parts = parts.clone();
        other(&mut parts[2]);
        assert!(two.begins(&parts));
        other(&mut parts[1]);
        assert!(!two.begins(&parts));
    }
    // The same sealed bytes, elsewhere.
    let mut moved = parts.clone();
    moved[0].place = Place { segment: SegmentId::new(8), offset: 5, ..moved[0].place };
    assert!(two.begins(&moved));
}

#[test]
fn few_sessions_are_kept_and_the_least_recently_used_goes() {
    let followed = Arc::new(Followed::default());
    assert!(followed.arrived(id(0)));
    for session in 1..FOLLOWED_SESSIONS_MAX {
        followed.arrived(id(session));
    }
    followed.arrived(id(0));
    for session in FOLLOWED_SESSIONS_MAX..FOLLOWED_SESSIONS_MAX + 10 {
        assert!(!followed.arrived(id(session)), "there are enough followers");
    }
    {
        let kept = followed.kept();
        assert_eq!((kept.sessions.len(), kept.waiting.len()), (FOLLOWED_SESSIONS_MAX, FOLLOWED_SESSIONS_MAX));
        assert!(kept.sessions.contains_key(&id(0)) && !kept.sessions.contains_key(&id(1)));
    }
    // A follower that finds nothing to do makes room for another.
    while followed.next().is_some() {}
    assert!(followed.arrived(id(0)));
}

#[test]
fn a_part_that_arrives_while_its_session_is_looked_at_is_not_overlooked() {
    let followed = Arc::new(Followed::default());
    followed.arrived(id(0));
    let turn = followed.next().unwrap();
    followed.arrived(id(0));
    assert!(followed.kept().waiting.is_empty(), "one follower for each session");
    drop(turn);
    assert!(followed.next().is_some());
    assert!(followed.next().is_none());
}

#[tokio::test]
async fn a_commit_waits_for_what_a_follower_is_at() {
    let followed = Arc::new(Followed::default());
    followed.arrived(id(0));
    let mut turn = followed.next().unwrap();
    let mut taking = Box::pin(followed.take(id(0)));
    assert!(taking.as_mut().now_or_never().is_none());
    turn.prefix = prefix(&[part(0)]);
    turn.more = true;
    drop(turn);
    let taken = taking.await;
    assert_eq!(taken.prefix.chunks, 1);
    assert!(followed.next().is_none(), "the commit goes on alone");

    // It ends early: what it did stays for the next one, unless the session is forgotten.
    drop(taken);
    assert_eq!(resting(&followed, id(0)), Some(1));
    let taken = followed.take(id(0)).await;
    assert_eq!(taken.prefix.chunks, 1);
    followed.forget(id(0));
    drop(taken);
    assert!(followed.kept().sessions.is_empty());
    assert_eq!(followed.take(id(0)).await.prefix.chunks, 0);
}

/// A session of three parts, all of which have arrived.
struct Sent {
    stage: Stage,
    tree: Tree,
    anna: Caller,
    session: UploadSessionId,
    commit: CommitSession,
}

impl Sent {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let user = stage.person("anna@example.com", "Anna", UserRole::User).await;
        let anna = stage.caller(user, UserRole::User);
        // The stage's own is of the crate as others see it.
        let tree = Tree::new(stage.world.clone(), stage.database.clone(), stage.vault.clone());
        let parent = tree.root(&anna).await.unwrap();
        let into = UploadInto::NewFile { parent, name: ItemName::new("big").unwrap() };
        let wholes = [(5, CHUNK_SIZE_BYTES), (6, CHUNK_SIZE_BYTES), (7, 1_000)];
        let wholes = wholes.map(|(byte, length)| vec![byte; usize::try_from(length).unwrap()]);
        let whole = wholes.concat();
        let size = u64::try_from(whole.len()).unwrap();
        let session = tree.create_session(&anna, into, size, RULE).await.unwrap().session.id;
        let mut parts = Vec::new();
        for number in [1_u8, 2, 0] {
            let bytes = Bytes::from(wholes[usize::from(number)].clone());
            let (offset, length) = (u64::from(number) * CHUNK_SIZE_BYTES, u64::try_from(bytes.len()).unwrap());
            let new = NewPart { offset, length, sha1: sha1(&bytes) };
            let part = tree.upload_part(&anna, session, new, stream::iter([Ok(bytes)])).await.unwrap();
            parts.push(NamedPart { id: part.id, offset, size: part.size });
        }
        while resting(&tree.followed, session) != Some(3) {
            tokio::task::yield_now().await;
        }
        let commit = CommitSession {
            parts,
            sha1: sha1(&whole),
            content_created_at: None,
            content_modified_at: None,
            if_match: None,
        };
        Self { stage, tree, anna, session, commit }
    }

    async fn commit(&self) -> Result<ItemView, Error> {
        self.tree.commit_session(&self.anna, self.session, self.commit.clone(), RULE).await
    }
}

#[tokio::test]
async fn a_commit_does_not_read_what_was_followed() {
    let sent = Sent::new().await;
    for name in sent.stage.backend.names() {
        sent.stage.backend.remove(name);
    }
    assert_eq!(sent.commit().await.unwrap().version.unwrap().sha1, Some(sent.commit.sha1));
    assert!(sent.tree.followed.kept().sessions.is_empty(), "it has ended");
}

#[tokio::test]
async fn a_digest_of_other_parts_is_not_used() {
    let sent = Sent::new().await;
    for others in [vec![part(0), part(1)], vec![part(0), part(1), part(2), part(3)]] {
        sent.tree.followed.take(sent.session).await.prefix = prefix(&others);
        let wrong = CommitSession { sha1: sha1(b""), ..sent.commit.clone() };
        let outcome = sent.tree.commit_session(&sent.anna, sent.session, wrong, RULE).await;
        assert!(matches!(outcome, Err(Error::DigestMismatch { actual, .. }) if actual == sent.commit.sha1));
    }
    assert_eq!(sent.commit().await.unwrap().version.unwrap().sha1, Some(sent.commit.sha1));
}

#[tokio::test]
async fn what_cannot_be_read_is_left_to_the_commit() {
    let sent = Sent::new().await;
    sent.tree.followed.forget(sent.session);
    let names = sent.stage.backend.names();
    let objects: Vec<_> = names.iter().map(|name| (*name, sent.stage.backend.remove(*name).unwrap())).collect();
    sent.tree.follow(sent.session);
    while resting(&sent.tree.followed, sent.session).is_none() || sent.tree.followed.kept().followers > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(resting(&sent.tree.followed, sent.session), Some(0));
    assert!(sent.commit().await.is_err());
    for (name, bytes) in objects {
        sent.stage.backend.replace(name, bytes);
    }
    assert_eq!(sent.commit().await.unwrap().version.unwrap().sha1, Some(sent.commit.sha1));
}
