//! Contents that move to another policy or zone.

use crate::upkeep_kit::{ABROAD, AT_ONCE, ONCE, TWICE, Union, backend, damage};
use entente_clouds::ErrorKind;
use entente_clouds::guard::Fault;
use entente_model::{ContentId, EnterpriseId, ZoneId};
use entente_vault::upkeep::{Rehoused, Selection, Unwatched};
use entente_vault::{Error, Ledger, Scope};

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
    let taken = std::sync::atomic::AtomicU32::new(0);
    let objects = union.spot(2, 1).objects.clone();
    let stops = async {
        while objects.names().len() < 2 {
            tokio::task::yield_now().await;
        }
        spot.fail("create", REFUSED);
        union.spot(2, 2).fail("create", REFUSED);
        taken.store(1, std::sync::atomic::Ordering::Relaxed);
    };
    let (moved, ()) = tokio::join!(rehouse(&union, &all, ABROAD), stops);
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
