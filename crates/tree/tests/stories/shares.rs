//! What others share, as it meets other things: uploads in pieces, locks, removal for good, and how much there may be.

use crate::desk::{Desk, RULE, body, name, pattern, sha1};
use entente_database::collaborations::{self, Collaboration, CollaborationStatus, Collaborator};
use entente_model::{Caller, CollaborationId, ItemId, Role, UserRole};
use entente_tree::{
    CollaborationView, Error, Invitee, Kind, LockDepth, Locking, NewCollaboration, NewLock, NewPart, Sharing, Touch,
    UploadInto,
};
use std::time::Duration;

async fn give(desk: &Desk, item: ItemId, to: &Caller, role: Role) -> CollaborationView {
    let invitee = Invitee::User(to.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited")
}

/// Stores roles of people who are not users yet, one for each of these items, for one address or for another each.
async fn invite_many(desk: &Desk, items: impl IntoIterator<Item = ItemId>, address: impl Fn(usize) -> String) {
    let (world, by) = (&desk.stage.world, desk.anna.user);
    let row = |(index, item)| Collaboration {
        id: CollaborationId::new(world.next_id()),
        item,
        with: Collaborator::Invited(address(index)),
        role: Role::Viewer,
        status: CollaborationStatus::Pending,
        sees_path: false,
        access_only: false,
        created_by: by,
        created_at: world.now(),
        modified_at: world.now(),
        acknowledged_at: None,
        expires_at: None,
    };
    let rows: Vec<Collaboration> = items.into_iter().enumerate().map(row).collect();
    let stored = desk
        .stage
        .database
        .transact("invite", move |tx| rows.iter().try_for_each(|row| collaborations::insert(tx, row)));
    stored.await.expect("stored");
}

fn count_on(desk: &Desk, item: ItemId) -> u64 {
    desk.stage.database.read(|tx| collaborations::count_of_item(tx, item)).expect("a count")
}

#[tokio::test]
async fn parts_come_from_who_may_still_upload() {
    let desk = Desk::new().await;
    let (tree, ben) = (&desk.tree, &desk.ben);
    let shared = desk.folder(desk.root, "shared").await;
    let file = desk.file(shared, "file", b"x").await.item.id;
    let given = give(&desk, shared, ben, Role::Editor).await.collaboration.id;
    let whole = pattern(1_000);
    let part = || NewPart { offset: 0, length: 1_000, sha1: sha1(&whole) };
    let mut sessions = Vec::new();
    for into in [UploadInto::NewFile { parent: shared, name: name("new") }, UploadInto::NewVersion { file, name: None }]
    {
        let session = tree.create_session(ben, into, 1_000, RULE).await.expect("begun").session.id;
        tree.upload_part(ben, session, part(), body(&whole)).await.expect("stored");
        sessions.push(session);
    }
    tree.remove_collaboration(&desk.anna, given).await.expect("taken back");
    for session in sessions {
        let outcome = tree.upload_part(ben, session, part(), body(&whole)).await;
        assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    }
}

#[tokio::test]
async fn collaborations_are_removed_with_their_item_in_batches() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    for (item, kind) in [(folder, Kind::Folder), (file, Kind::File)] {
        invite_many(&desk, [item].repeat(1_200), |index| format!("{index}@example.com")).await;
        desk.trash(item, kind).await;
        desk.tree.purge(&desk.anna, item, kind).await.expect("purged");
        let mut left = count_on(&desk, item);
        assert!(left >= 700, "{left} are left for later");
        for _ in 0..3 {
            assert!(!desk.tree.purge_batch(item, 10).await.expect("a batch"));
            let before = std::mem::replace(&mut left, count_on(&desk, item));
            assert!(before - left <= 10 && left < before);
        }
        desk.finish_purge(item).await;
        assert_eq!(count_on(&desk, item), 0);
    }
    assert_eq!(desk.totals().items, 4);
    desk.check_books();
}

#[tokio::test]
async fn an_address_takes_over_a_thousand_invitations() {
    let desk = Desk::new().await;
    let dora = desk.stage.person("other@example.com", "Dora", UserRole::User).await;
    invite_many(&desk, (1..=1_001).map(|n| ItemId::new(1_000_000 + n)), |_| "dora@example.com".to_owned()).await;
    let adopted = desk.stage.database.transact("adopt", move |tx| {
        collaborations::adopt(tx, "Dora@Example.com", dora)?;
        let left = collaborations::count_of_address(tx, "dora@example.com")?;
        Ok::<_, Error>((collaborations::count_of_user(tx, dora, CollaborationStatus::Pending)?, left))
    });
    assert_eq!(adopted.await.expect("adopted"), (1_000, 1));
}

#[tokio::test]
async fn of_very_many_shares_the_newest_are_listed() {
    let desk = Desk::new().await;
    let mut items = Vec::new();
    for index in 0..4 {
        items.push(desk.folder(desk.root, &format!("{index}")).await);
    }
    for index in [3, 1, 0, 2] {
        give(&desk, items[index], &desk.ben, Role::Viewer).await;
    }
    let listed = |limit| {
        let found = desk.stage.database.read(|tx| collaborations::shared_with(tx, desk.ben.user, limit));
        let mut found = found.expect("read");
        found.sort_unstable();
        found
    };
    assert_eq!(listed(2), [items[0], items[2]]);
    desk.trash(items[2], Kind::Folder).await;
    assert_eq!(listed(2), [items[0], items[1]], "what is in the trash takes no place");
    assert_eq!(listed(10), [items[0], items[1], items[3]]);
}

#[tokio::test]
async fn locks_are_seen_by_whoever_the_item_is_shared_with() {
    let desk = Desk::new().await;
    let (tree, ben) = (&desk.tree, &desk.ben);
    let carl = desk.stage.person("carl@example.com", "Carl", UserRole::User).await;
    let carl = desk.stage.caller(carl, UserRole::User);
    let above = desk.folder(desk.root, "above").await;
    let shared = desk.folder(above, "shared").await;
    let file = desk.file(shared, "file", b"x").await.item.id;
    give(&desk, shared, ben, Role::Editor).await;
    give(&desk, shared, &carl, Role::Viewer).await;
    let new = NewLock {
        sharing: Sharing::Exclusive,
        depth: LockDepth::Item,
        about: String::new(),
        timeout: Duration::from_secs(60),
    };
    let Ok(Locking::Granted(lock)) = tree.lock(&desk.anna, file, new).await else { panic!("not locked") };
    let tokens = [lock.token.clone()];
    for touch in [Touch { items: &[file], below: &[] }, Touch { items: &[], below: &[shared] }] {
        assert_eq!(tree.lock_in_the_way(ben, touch, &tokens).expect("asked").as_ref(), Some(&lock));
        assert_eq!(tree.lock_in_the_way(&desk.anna, touch, &tokens).expect("asked"), None);
    }
    assert_eq!(tree.locks_on(ben, file).expect("asked"), [lock]);
    let (way, _) = tree.way_to(ben, file).expect("a way");
    assert_eq!(way, [name("shared"), name("file")]);
    tree.release_locks(&carl, file).await.expect("nothing to say");
    assert_eq!(tree.locks_on(ben, file).expect("asked").len(), 1);
    tree.release_locks(ben, shared).await.expect("released");
    assert_eq!(tree.locks_on(ben, file).expect("asked"), []);
}

/// However much is shared with a user or with a group, a decision looks at the items of its way alone.
#[tokio::test]
async fn a_decision_looks_at_the_items_of_its_way_alone() {
    let desk = Desk::new().await;
    if entente_testkit::is_on_server() {
        let plan = desk.stage.database.read(collaborations::explain_standing_on_server).expect("a plan").join("\n");
        let indexes = ["collaborations_of_user", "collaborations_of_group", "collaborations_of_item", "Seq Scan"];
        assert!(indexes.iter().all(|index| !plan.contains(index)), "{plan}");
        assert!(plan.contains("collaborations_by_user") && plan.contains("collaborations_by_group"), "{plan}");
        return;
    }
    let plan = desk.stage.database.read(collaborations::explain_standing).expect("a plan");
    insta::assert_snapshot!(plan.join("\n"), @r"
    COMPOUND QUERY
    LEFT-MOST SUBQUERY
    SEARCH i USING INTEGER PRIMARY KEY (rowid=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH c USING INDEX collaborations_by_user (item_id=? AND user_id=?)
    CORRELATED SCALAR SUBQUERY 1
    SEARCH c USING INDEX collaborations_by_user (item_id=? AND user_id=?)
    UNION ALL
    SEARCH i USING INTEGER PRIMARY KEY (rowid=?)
    SEARCH m USING COVERING INDEX group_memberships_by_user (user_id=?)
    CORRELATED SCALAR SUBQUERY 4
    SEARCH c USING INDEX collaborations_by_group (item_id=? AND group_id=?)
    CORRELATED SCALAR SUBQUERY 3
    SEARCH g USING INTEGER PRIMARY KEY (rowid=?)
    CORRELATED SCALAR SUBQUERY 4
    SEARCH c USING INDEX collaborations_by_group (item_id=? AND group_id=?)
    CORRELATED SCALAR SUBQUERY 3
    SEARCH g USING INTEGER PRIMARY KEY (rowid=?)
    ");
}
