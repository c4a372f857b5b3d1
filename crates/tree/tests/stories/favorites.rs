//! Favorites: each user's own, of what they may see.

use crate::desk::{Desk, RULE, name};
use entente_database::{favorites, recents};
use entente_model::{Caller, ItemId, Role, Scopes, Timestamp, UserRole};
use entente_tree::{
    CopyTo, Error, Favorite, FavoritePage, Invitee, ItemView, Kind, NewCollaboration, NewWebLink, OwnedContent,
    RecentAct, RestoreTo,
};

async fn favor(desk: &Desk, who: &Caller, item: ItemId, kind: Kind) -> Result<ItemView, Error> {
    desk.tree.set_favorite(who, (item, kind), Favorite::Yes, None).await
}

async fn page(desk: &Desk, who: &Caller, offset: u32, limit: u32) -> FavoritePage {
    desk.tree.favorites(who, offset, limit).await.expect("favorites")
}

async fn ids(desk: &Desk, who: &Caller) -> Vec<ItemId> {
    page(desk, who, 0, 100).await.entries.iter().map(|view| view.item.id).collect()
}

async fn share(desk: &Desk, item: ItemId) -> entente_model::CollaborationId {
    let invitee = Invitee::User(desk.ben.user);
    let role = Role::Viewer;
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited").collaboration.id
}

#[tokio::test]
async fn favorites_come_and_go_and_the_last_one_is_first() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let new = NewWebLink { name: name("link"), url: "https://a".to_owned(), description: String::new() };
    let link = desk.tree.create_web_link(&desk.anna, folder, new, RULE).await.expect("made").item.id;
    let anna = &desk.anna;
    assert!(ids(&desk, anna).await.is_empty());
    for (item, kind) in [(file, Kind::File), (folder, Kind::Folder), (link, Kind::WebLink), (file, Kind::File)] {
        desk.stage.world.sleep(std::time::Duration::from_millis(2)).await;
        assert_eq!(favor(&desk, anna, item, kind).await.expect("a favorite").item.sequence, 0);
    }
    assert_eq!(ids(&desk, anna).await, [link, folder, file]);
    let second = page(&desk, anna, 1, 1).await;
    assert_eq!((second.entries[0].item.id, second.total_count), (folder, 3));
    assert!(page(&desk, anna, 3, 10).await.entries.is_empty());
    assert!(page(&desk, anna, 20_000, 10).await.entries.is_empty());
    let mut among = desk.tree.favorites_among(anna, &[desk.root, file, link]).await.expect("among");
    among.sort_unstable();
    assert_eq!(among, [file, link]);
    assert!(desk.tree.favorites_among(&desk.ben, &[file, link]).await.expect("among").is_empty());
    for _ in 0..2 {
        desk.tree.set_favorite(anna, (folder, Kind::Folder), Favorite::No, None).await.expect("none");
    }
    assert_eq!(ids(&desk, anna).await, [link, file]);
    let copy = CopyTo { parent: desk.root, name: None, version: None };
    desk.tree.copy(anna, file, Kind::File, copy, RULE).await.expect("copied");
    assert_eq!(ids(&desk, anna).await, [link, file]);
}

#[tokio::test]
async fn only_what_may_be_seen_is_a_favorite() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let (anna, ben) = (&desk.anna, &desk.ben);
    assert!(matches!(favor(&desk, ben, file, Kind::File).await, Err(Error::NotFound)));
    assert!(matches!(favor(&desk, anna, file, Kind::Folder).await, Err(Error::NotFound)));
    assert!(matches!(favor(&desk, anna, desk.root, Kind::Folder).await, Err(Error::Forbidden)));
    let reader = Caller { scopes: Scopes::READ, ..anna.clone() };
    assert!(matches!(favor(&desk, &reader, file, Kind::File).await, Err(Error::Forbidden)));
    let stale = desk.tree.set_favorite(anna, (file, Kind::File), Favorite::Yes, Some(7)).await;
    assert!(matches!(stale, Err(Error::PreconditionFailed)));
    // A viewer may, since nothing of the item changes; and finds nothing once the role is gone.
    let role = share(&desk, folder).await;
    favor(&desk, ben, file, Kind::File).await.expect("a favorite");
    assert_eq!((ids(&desk, ben).await, ids(&desk, anna).await), (vec![file], vec![]));
    desk.tree.remove_collaboration(anna, role).await.expect("removed");
    let page = page(&desk, ben, 0, 10).await;
    assert_eq!((page.entries.len(), page.total_count), (0, 1));
}

#[tokio::test]
async fn what_is_in_the_trash_is_left_out_until_it_is_back() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let anna = &desk.anna;
    favor(&desk, anna, file, Kind::File).await.expect("a favorite");
    favor(&desk, anna, folder, Kind::Folder).await.expect("a favorite");
    desk.trash(folder, Kind::Folder).await;
    assert!(ids(&desk, anna).await.is_empty());
    assert!(matches!(favor(&desk, anna, file, Kind::File).await, Err(Error::Trashed)));
    desk.tree.restore(anna, folder, Kind::Folder, RestoreTo::default(), RULE).await.expect("restored");
    assert_eq!(ids(&desk, anna).await.len(), 2);
    desk.trash(folder, Kind::Folder).await;
    desk.tree.purge(anna, folder, Kind::Folder).await.expect("purged");
    desk.finish_purge(folder).await;
    assert_eq!(page(&desk, anna, 0, 10).await.total_count, 0);
}

#[tokio::test]
async fn whoever_goes_leaves_no_lists() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let boss = desk.stage.person("boss@example.com", "Boss", UserRole::Admin).await;
    let boss = desk.stage.caller(boss, UserRole::Admin);
    share(&desk, folder).await;
    let (tree, ben) = (&desk.tree, &desk.ben);
    favor(&desk, ben, folder, Kind::Folder).await.expect("a favorite");
    tree.note_recent(ben, folder, RecentAct::Opened);
    assert_eq!(tree.recents(ben, None, 9).await.expect("recent items").entries.len(), 1);
    tree.delete_user(&boss, ben.user, OwnedContent::Refuse).await.expect("removed");
    while !tree.purge_user_batch(ben.user).await.expect("a batch") {}
    let (user, since) = (ben.user, Timestamp::from_millis(0));
    let left = desk.stage.database.read(|tx| {
        Ok::<_, entente_database::Error>((favorites::count(tx, user)?, recents::page(tx, user, since, None, 9)?))
    });
    assert_eq!(left.expect("read"), (0, Vec::new()));
}
