//! Contents that move to another policy or zone.

use crate::upkeep_kit::{ABROAD, AT_ONCE, ONCE, TWICE, Union, backend, damage};
use entente_clouds::ErrorKind;
use entente_clouds::guard::Fault;
use entente_model::{ContentId, EnterpriseId, PolicyId, UserId, ZoneId};
use entente_testkit::database::contents;
use entente_vault::upkeep::{Rehoused, Selection, Unwatched};
use entente_vault::{Error, Ledger, Scope};

const OWNER: UserId = UserId::new(77);
const REFUSED: Fault = Fault::Error { kind: ErrorKind::Unavailable, retryable: true };

async fn rehouse(union: &Union, contents: &[ContentId], to: Scope) -> Rehoused {
    union.vault.rehouse(contents, to, &mut Unwatched).await.unwrap()
}

#[tokio::test]
async fn contents_move_to_another_zone_and_its_key() {
    let mut union = Union::new();
    let kept = union.keep_some(TWICE, 20).await;
    let large: Vec<u8> = (0..300_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
    let large_id = union.keep(TWICE, &large).await;
    let stays = union.keep_some(TWICE, 2).await;
    let mut all = kept.clone();
    all.push(large_id);
    let old = union.database.content(kept[0]).await.unwrap().unwrap();

    let moved = rehouse(&union, &all, ABROAD).await;
    assert_eq!((moved.contents, moved.chunks, moved.unfinished, moved.failed), (21, 21, 0, 0), "{moved:?}");
    let new = union.database.content(kept[0]).await.unwrap().unwrap();
    assert_eq!((new.zone, new.policy), (ABROAD.zone, ABROAD.policy));
    assert_ne!(new.key.epoch, old.key.epoch);
    let epoch = union.database.epoch(new.key.epoch).await.unwrap().unwrap();
    assert_eq!(epoch.context.zone, ABROAD.zone);
    assert_eq!(union.objects(2, 1), 1, "they share a segment");

    let again = rehouse(&union, &all, ABROAD).await;
    assert_eq!((again.already, again.contents, again.chunks), (21, 0, 0));
    union.later();
    union.converge(Selection::All).await;
    union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert_eq!((union.objects(1, 1), union.objects(2, 1), union.objects(2, 2)), (2, 1, 1));
    union.check(&kept).await;
    union.check(&stays).await;
    assert_eq!(union.read(large_id).await, large);
    assert!(union.verify().await.is_clean());
    // And home again.
    assert_eq!(rehouse(&union, &all, ONCE).await.contents, 21);
    union.check(&kept).await;
}

#[tokio::test]
async fn within_a_zone_the_key_stays() {
    let union = Union::new();
    let kept = union.keep_some(ONCE, 3).await;
    let old = union.database.content(kept[0]).await.unwrap().unwrap();
    assert_eq!(rehouse(&union, &kept, TWICE).await.contents, 3);
    let new = union.database.content(kept[0]).await.unwrap().unwrap();
    assert_eq!((new.key, new.policy), (old.key, TWICE.policy));
    union.check(&kept).await;
}

#[tokio::test]
async fn a_move_that_fails_half_way_goes_on_later() {
    let union = Union::new();
    let small = union.keep_some(ONCE, 3).await;
    let large = vec![7; 20 * 1024 * 1024];
    let large_id = union.keep(ONCE, &large).await;
    let mut all = vec![large_id];
    all.extend(&small);
    // Three chunks; the backend takes two objects, and then none.
    let spot = union.spot(2, 1);
    spot.fail_after(2, "create", REFUSED);
    union.spot(2, 2).fail("create", REFUSED);
    let moved = rehouse(&union, &all, ABROAD).await;
    assert!(moved.failed > 0 && moved.unfinished > 0, "{moved:?}");
    assert_eq!(union.database.content(large_id).await.unwrap().unwrap().zone, ONCE.zone, "not before it is whole");
    assert!(union.read(large_id).await == large, "it is read wherever its chunks are");
    spot.heal();
    union.spot(2, 2).heal();
    let moved = rehouse(&union, &all, ABROAD).await;
    assert_eq!((moved.unfinished, moved.failed), (0, 0), "{moved:?}");
    assert!(moved.chunks < 6, "what was there already is not moved again");
    assert!(union.read(large_id).await == large);
    union.check(&small).await;
}

#[tokio::test]
async fn what_is_gone_strange_or_unreadable_is_counted() {
    let union = Union::new();
    let lost = union.keep(ONCE, &[1; 3000]).await;
    damage(&union, backend(1, 1), |bytes| bytes[100] ^= 1).await;
    let gone = union.keep(ONCE, &[2; 3000]).await;
    union.release(gone).await;
    let empty = union.keep(ONCE, b"").await;
    let moved = rehouse(&union, &[lost, gone, empty], ABROAD).await;
    assert_eq!((moved.contents, moved.gone, moved.unfinished, moved.unreadable), (1, 1, 1, 1), "{moved:?}");
    let stranger = Scope { enterprise: EnterpriseId::new(2), ..ABROAD };
    assert_eq!(rehouse(&union, &[empty], stranger).await.failed, 1);
    let nowhere = Scope { zone: ZoneId::new(1), ..ABROAD };
    let refused = union.vault.rehouse(&[empty], nowhere, &mut Unwatched).await;
    assert!(matches!(refused, Err(Error::Unmet { .. })));
}

/// A content of three chunks, two of which are abroad: the third could not be read for a while.
async fn half_moved(union: &Union) -> (ContentId, Vec<u8>) {
    let plain = vec![7; 20 * 1024 * 1024];
    let content = union.keep_for(OWNER, ONCE, &plain).await;
    let name = union.database.places(content, 2, 1).await.unwrap()[0].replicas[0].name;
    let objects = &union.spot(1, 1).objects;
    let good = objects.raw(name).unwrap();
    let mut wrong = good.to_vec();
    wrong[100] ^= 1;
    objects.replace(name, wrong.into());
    let moved = rehouse(union, &[content], ABROAD).await;
    assert_eq!((moved.chunks, moved.unreadable, moved.unfinished), (2, 1, 1), "{moved:?}");
    objects.replace(name, good);
    (content, plain)
}

#[tokio::test]
async fn a_mind_that_is_changed_half_way_leaves_nothing_abroad() {
    let mut union = Union::new();
    let (content, plain) = half_moved(&union).await;
    let policies = |records: Vec<entente_vault::SegmentRecord>| {
        let mut policies: Vec<_> = records.into_iter().map(|record| record.policy).collect();
        policies.sort_unstable();
        policies.dedup();
        policies
    };
    assert_eq!(policies(union.live().await), [ONCE.policy, ABROAD.policy]);
    let back = rehouse(&union, &[content], ONCE).await;
    assert_eq!((back.contents, back.already, back.unfinished), (1, 0, 0), "{back:?}");
    assert_eq!(policies(union.live().await), [ONCE.policy]);
    assert_eq!(rehouse(&union, &[content], ONCE).await.already, 1);
    union.later();
    union.vault.collect(AT_ONCE, &mut Unwatched).await.unwrap();
    assert_eq!((union.objects(2, 1), union.objects(2, 2)), (0, 0));
    assert!(union.read(content).await == plain);
    assert!(union.verify().await.is_clean());
}

#[tokio::test]
async fn what_is_on_the_move_is_found_under_either_policy() {
    let union = Union::new();
    let (content, _) = half_moved(&union).await;
    let found = |policy: PolicyId| {
        let found = union.database.read(|tx| contents::elsewhere(tx, OWNER, policy, None, 10)).unwrap();
        found.into_iter().map(|(_, stored)| stored.content).collect::<Vec<_>>()
    };
    assert_eq!(found(ABROAD.policy), [content]);
    assert_eq!(found(ONCE.policy), [content], "its row says that it is here, and it is not wholly");
    rehouse(&union, &[content], ONCE).await;
    assert!(found(ONCE.policy).is_empty());
}
