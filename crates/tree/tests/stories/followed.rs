//! The digest of a whole upload, however its parts came and whatever became of those who followed them.

use crate::desk::{Desk, RULE, pattern, renamed, sha1};
use crate::sessions::{PART, begin, commit, commit_as, length, send};
use entente_tree::{Error, Kind, Tree, limits};
use futures_util::{StreamExt, stream};

#[tokio::test(flavor = "multi_thread")]
async fn parts_come_in_any_order_and_twice_and_the_commit_right_after() {
    let desk = Desk::new().await;
    let whole = pattern(2 * PART + 1_000);
    let orders: [&[usize]; 4] = [&[0, 1, 2], &[2, 1, 0], &[1, 0, 0, 2, 1], &[0, 2, 1, 2]];
    for (number, order) in orders.iter().enumerate() {
        let id = begin(&desk, &format!("big {number}"), length(&whole)).await.session.id;
        for part in *order {
            send(&desk, id, &whole, *part).await.expect("stored");
        }
        let made = commit(&desk, id, &whole).await.expect("committed");
        assert_eq!(made.version.expect("a version").sha1, Some(sha1(&whole)));
        assert_eq!(desk.content(made.item.id).await, whole);
    }
    desk.check_books();
}

#[tokio::test]
async fn another_digest_is_refused_and_what_was_read_for_it_is_not_read_again() {
    let desk = Desk::new().await;
    let whole = pattern(PART + 10);
    let id = begin(&desk, "big", length(&whole)).await.session.id;
    for part in [0, 1] {
        send(&desk, id, &whole, part).await.expect("stored");
    }
    for _ in 0..2 {
        let outcome = commit_as(&desk, &desk.tree, id, sha1(b"another")).await;
        assert!(matches!(outcome, Err(Error::DigestMismatch { actual, .. }) if actual == sha1(&whole)));
    }

    let names = desk.stage.backend.names();
    let objects: Vec<_> = names.iter().map(|name| (*name, desk.stage.backend.remove(*name).expect("stored"))).collect();
    let elsewhere = Tree::new(desk.stage.world.clone(), desk.stage.database.clone(), desk.stage.vault.clone());
    assert!(commit_as(&desk, &elsewhere, id, sha1(&whole)).await.is_err(), "it would have to read");
    let made = commit(&desk, id, &whole).await.expect("committed");
    for (name, bytes) in objects {
        desk.stage.backend.replace(name, bytes);
    }
    assert_eq!(desk.content(made.item.id).await, whole);
}

#[tokio::test]
async fn parts_that_came_through_several_nodes_make_the_same_whole() {
    let mut desk = Desk::new().await;
    let whole = pattern(2 * PART + 5);
    let id = begin(&desk, "big", length(&whole)).await.session.id;
    let nodes =
        [0, 1, 2].map(|_| Tree::new(desk.stage.world.clone(), desk.stage.database.clone(), desk.stage.vault.clone()));
    for (part, node) in nodes.into_iter().enumerate() {
        desk.tree = node;
        send(&desk, id, &whole, part).await.expect("stored");
    }
    let outcome = commit_as(&desk, &desk.stage.tree, id, sha1(b"another")).await;
    assert!(matches!(outcome, Err(Error::DigestMismatch { actual, .. }) if actual == sha1(&whole)));
    let made = commit(&desk, id, &whole).await.expect("committed");
    assert_eq!(desk.content(made.item.id).await, whole);
    desk.check_books();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_others_push_out_half_way_is_digested_from_the_start() {
    let desk = Desk::new().await;
    let whole = pattern(PART + 10);
    let id = begin(&desk, "big", length(&whole)).await.session.id;
    send(&desk, id, &whole, 0).await.expect("stored");
    let crowd = stream::iter(0..limits::FOLLOWED_SESSIONS_MAX).map(|number| {
        let (desk, whole) = (&desk, &whole);
        async move {
            let other = begin(desk, &format!("other {number}"), length(whole)).await.session.id;
            send(desk, other, whole, 1).await.expect("stored");
        }
    });
    crowd.buffer_unordered(32).for_each(|()| async {}).await;
    send(&desk, id, &whole, 1).await.expect("stored");
    let made = commit(&desk, id, &whole).await.expect("committed");
    assert_eq!(desk.content(made.item.id).await, whole);
    desk.check_books();
}

#[tokio::test]
async fn a_session_may_be_ended_while_it_is_followed() {
    let desk = Desk::new().await;
    let whole = pattern(2 * PART);
    let id = begin(&desk, "big", length(&whole)).await.session.id;
    for part in [0, 1] {
        send(&desk, id, &whole, part).await.expect("stored");
    }
    desk.tree.abort_session(&desk.anna, id).await.expect("ended");
    assert!(matches!(commit(&desk, id, &whole).await, Err(Error::NotFound)));
    assert_eq!(desk.totals().live_bytes, 0);

    let again = begin(&desk, "big", length(&whole)).await.session.id;
    for part in [1, 0] {
        send(&desk, again, &whole, part).await.expect("stored");
    }
    let winner = desk.file(desk.root, "big", b"").await.item.id;
    assert!(matches!(commit(&desk, again, &whole).await, Err(Error::NameInUse { .. })));
    desk.tree.update(&desk.anna, winner, Kind::File, renamed("other"), RULE).await.expect("renamed");
    let made = commit(&desk, again, &whole).await.expect("committed");
    assert_eq!(desk.content(made.item.id).await, whole);
    desk.check_books();
}
