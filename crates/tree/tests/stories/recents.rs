//! What users last had to do with: the latest first, no more and no longer than is said, and only what they may see.

use crate::desk::{Desk, RULE};
use entente_database::recents;
use entente_model::{Caller, CollaborationId, ItemId, Role, Timestamp};
use entente_tree::{Invitee, Kind, NewCollaboration, RecentAct, RecentPage, RecentPlace, RestoreTo, limits};
use std::time::Duration;

async fn page(desk: &Desk, who: &Caller, after: Option<RecentPlace>, limit: u32) -> RecentPage {
    desk.tree.recents(who, after, limit).await.expect("recent items")
}

async fn acts(desk: &Desk, who: &Caller) -> Vec<(ItemId, RecentAct)> {
    page(desk, who, None, 1_000).await.entries.iter().map(|one| (one.item.item.id, one.act)).collect()
}

async fn note(desk: &Desk, who: &Caller, item: ItemId, act: RecentAct) {
    desk.stage.world.sleep(Duration::from_millis(2)).await;
    desk.tree.note_recent(who, item, act);
}

/// As if it had been noted at that moment.
async fn noted(desk: &Desk, item: ItemId, at: Timestamp) {
    let recent = recents::Recent { user: desk.anna.user, item, act: RecentAct::Opened, at };
    desk.stage.database.transact("note", move |tx| recents::note(tx, &recent)).await.expect("noted");
}

async fn share(desk: &Desk, item: ItemId) -> CollaborationId {
    let invitee = Invitee::User(desk.ben.user);
    let role = Role::Viewer;
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited").collaboration.id
}

#[tokio::test]
async fn the_latest_is_first_and_each_item_is_there_once() {
    let desk = Desk::new().await;
    let (anna, ben) = (&desk.anna, &desk.ben);
    let a = desk.file(desk.root, "a", b"x").await.item.id;
    let b = desk.file(desk.root, "b", b"x").await.item.id;
    let c = desk.folder(desk.root, "c").await;
    assert!(acts(&desk, anna).await.is_empty());
    note(&desk, anna, a, RecentAct::Uploaded).await;
    note(&desk, anna, b, RecentAct::Uploaded).await;
    note(&desk, anna, c, RecentAct::Modified).await;
    note(&desk, anna, a, RecentAct::Opened).await;
    let expected = [(a, RecentAct::Opened), (c, RecentAct::Modified), (b, RecentAct::Uploaded)];
    assert_eq!(acts(&desk, anna).await, expected);
    assert!(acts(&desk, ben).await.is_empty());
    // Page by page.
    let (mut found, mut after) = (Vec::new(), None);
    for _ in 0..4 {
        let page = page(&desk, anna, after, 1).await;
        found.extend(page.entries.iter().map(|one| (one.item.item.id, one.act)));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
    // What is noted of nothing is not there.
    note(&desk, anna, ItemId::new(77), RecentAct::Opened).await;
    assert_eq!(acts(&desk, anna).await.len(), 3);
}

#[tokio::test]
async fn what_may_not_be_seen_any_more_is_left_out() {
    let desk = Desk::new().await;
    let (anna, ben) = (&desk.anna, &desk.ben);
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let role = share(&desk, folder).await;
    note(&desk, ben, file, RecentAct::Opened).await;
    note(&desk, anna, file, RecentAct::Uploaded).await;
    assert_eq!((acts(&desk, ben).await.len(), acts(&desk, anna).await.len()), (1, 1));
    desk.trash(folder, Kind::Folder).await;
    assert_eq!((acts(&desk, ben).await.len(), acts(&desk, anna).await.len()), (0, 0));
    desk.tree.restore(anna, folder, Kind::Folder, RestoreTo::default(), RULE).await.expect("restored");
    assert_eq!(acts(&desk, ben).await.len(), 1);
    desk.tree.remove_collaboration(anna, role).await.expect("removed");
    assert_eq!((acts(&desk, ben).await.len(), acts(&desk, anna).await.len()), (0, 1));
    desk.trash(folder, Kind::Folder).await;
    desk.tree.purge(anna, folder, Kind::Folder).await.expect("purged");
    desk.finish_purge(folder).await;
    let (user, since) = (ben.user, Timestamp::from_millis(0));
    let left = desk.stage.database.read(|tx| recents::page(tx, user, since, None, 9)).expect("read");
    assert!(left.is_empty());
}

#[tokio::test]
async fn what_is_old_or_too_much_goes() {
    let desk = Desk::new().await;
    let anna = &desk.anna;
    let old = desk.file(desk.root, "old", b"x").await.item.id;
    let now = desk.stage.world.now();
    noted(&desk, old, now.before(limits::RECENT_LIFETIME).before(Duration::from_secs(1))).await;
    assert!(acts(&desk, anna).await.is_empty());
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    note(&desk, anna, file, RecentAct::Opened).await;
    assert_eq!(acts(&desk, anna).await, [(file, RecentAct::Opened)]);
    let (user, since) = (anna.user, Timestamp::from_millis(0));
    let stored = desk.stage.database.read(|tx| recents::page(tx, user, since, None, 9)).expect("read");
    assert_eq!(stored.len(), 1, "the next note removes what is old");
    // Of two the later is kept, in whatever order they are written.
    noted(&desk, file, now.before(Duration::from_secs(60))).await;
    assert_ne!(page(&desk, anna, None, 1).await.entries[0].at, now.before(Duration::from_secs(60)));
    let other = desk.file(desk.root, "other", b"x").await.item.id;
    noted(&desk, other, now.before(Duration::from_secs(60))).await;
    let trimmed = desk.stage.database.transact("trim", move |tx| recents::trim(tx, user, since, 1)).await;
    trimmed.expect("trimmed");
    assert_eq!(acts(&desk, anna).await, [(file, RecentAct::Opened)]);
}
