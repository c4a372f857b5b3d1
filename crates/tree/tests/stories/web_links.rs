//! Web links: items that lead elsewhere, among the others wherever these go, and hidden from paths.

use crate::desk::{Desk, RULE, moved, name, renamed};
use entente_model::{Caller, ItemId, Role, UserRole};
use entente_tree::{
    CopyTo, Error, Expect, Folders, Invitee, ItemChange, ItemState, ItemView, Kind, LinkWish, ListQuery, MoveAt,
    NameRule, NewCollaboration, NewWebLink, Overwrite, Page, Path, Recursive, RestoreTo, SharedLinkChange, Want,
};

const URL: &str = "https://example.com/a?b=c";

fn new(text: &str) -> NewWebLink {
    NewWebLink { name: name(text), url: URL.to_owned(), description: String::new() }
}

async fn try_link(desk: &Desk, who: &Caller, parent: ItemId, link: NewWebLink) -> Result<ItemView, Error> {
    desk.tree.create_web_link(who, parent, link, RULE).await
}

async fn link(desk: &Desk, parent: ItemId, text: &str) -> ItemId {
    try_link(desk, &desk.anna, parent, new(text)).await.expect("a web link").item.id
}

async fn give(desk: &Desk, item: ItemId, to: &Caller, role: Role) {
    let invitee = Invitee::User(to.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited");
}

#[tokio::test]
async fn a_web_link_is_made_found_changed_and_listed_last() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let made = try_link(&desk, &desk.anna, folder, NewWebLink { description: "where".to_owned(), ..new("a") });
    let made = made.await.expect("made");
    assert_eq!((made.item.kind, made.item.url.as_str(), made.item.description.as_str()), (Kind::WebLink, URL, "where"));
    assert_eq!((made.item.sequence, made.state, made.version.is_none()), (0, ItemState::Active, true));
    desk.file(folder, "b", b"x").await;
    desk.folder(folder, "c").await;
    assert_eq!(desk.names(folder).await, ["c", "b", "a"]);
    let id = made.item.id;
    let seen = desk.see(id, Kind::WebLink).await.expect("seen");
    assert_eq!(seen.item, made.item);
    for kind in [Kind::File, Kind::Folder] {
        assert!(matches!(desk.see(id, kind).await, Err(Error::NotFound)));
    }
    let change = ItemChange { url: Some("http://other.example".to_owned()), if_match: Some(0), ..renamed("d") };
    let changed = desk.update(id, Kind::WebLink, change.clone()).await.expect("changed");
    assert_eq!((changed.item.url.as_str(), changed.item.sequence), ("http://other.example", 1));
    assert!(matches!(desk.update(id, Kind::WebLink, change).await, Err(Error::PreconditionFailed)));
    let other = desk.folder(desk.root, "other").await;
    desk.update(id, Kind::WebLink, moved(other)).await.expect("moved");
    assert_eq!((desk.names(folder).await, desk.names(other).await), (vec!["c".into(), "b".into()], vec!["d".into()]));
    // What is no link leads nowhere.
    let url = ItemChange { url: Some(URL.to_owned()), ..ItemChange::default() };
    assert_eq!(desk.update(folder, Kind::Folder, url).await.expect("unchanged").item.sequence, 0);
    desk.check_books();
}

#[tokio::test]
async fn names_are_had_once_whatever_has_them() {
    let desk = Desk::new().await;
    let id = link(&desk, desk.root, "a").await;
    assert!(
        matches!(desk.try_file(desk.root, "A", b"x").await, Err(Error::NameInUse { winner }) if winner.item.id == id)
    );
    assert!(matches!(desk.try_folder(desk.root, "a").await, Err(Error::NameInUse { .. })));
    assert!(matches!(try_link(&desk, &desk.anna, desk.root, new("A")).await, Err(Error::NameInUse { .. })));
    let file = desk.file(desk.root, "b", b"x").await.item.id;
    assert!(matches!(try_link(&desk, &desk.anna, desk.root, new("B")).await, Err(Error::NameInUse { .. })));
    let renamed = desk.update(id, Kind::WebLink, renamed("b")).await;
    assert!(matches!(renamed, Err(Error::NameInUse { winner }) if winner.item.id == file));
}

#[tokio::test]
async fn what_is_no_url_is_refused() {
    let desk = Desk::new().await;
    let id = link(&desk, desk.root, "a").await;
    for url in ["", "javascript:alert(1)", "example.com", "https://", "https://a b"] {
        let wrong = NewWebLink { url: url.to_owned(), ..new("b") };
        assert!(matches!(try_link(&desk, &desk.anna, desk.root, wrong).await, Err(Error::Invalid(_))), "{url}");
        let change = ItemChange { url: Some(url.to_owned()), ..ItemChange::default() };
        assert!(matches!(desk.update(id, Kind::WebLink, change).await, Err(Error::Invalid(_))), "{url}");
    }
    let wrong = NewWebLink { description: "x".repeat(257), ..new("b") };
    assert!(matches!(try_link(&desk, &desk.anna, desk.root, wrong).await, Err(Error::Invalid(_))));
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    assert!(matches!(try_link(&desk, &desk.anna, file, new("b")).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn roles_hold_for_web_links() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let id = link(&desk, folder, "a").await;
    let (tree, ben) = (&desk.tree, &desk.ben);
    assert!(matches!(tree.item(ben, id, Kind::WebLink).await, Err(Error::NotFound)));
    assert!(matches!(try_link(&desk, ben, folder, new("b")).await, Err(Error::NotFound)));
    assert!(matches!(tree.update(ben, id, Kind::WebLink, renamed("b"), RULE).await, Err(Error::NotFound)));
    assert!(matches!(tree.trash_item(ben, id, Kind::WebLink, Recursive::No, None).await, Err(Error::NotFound)));
    give(&desk, folder, ben, Role::Viewer).await;
    assert_eq!(tree.item(ben, id, Kind::WebLink).await.expect("seen").item.url, URL);
    assert!(matches!(try_link(&desk, ben, folder, new("b")).await, Err(Error::Forbidden)));
    assert!(matches!(tree.update(ben, id, Kind::WebLink, renamed("b"), RULE).await, Err(Error::Forbidden)));
    assert!(matches!(tree.trash_item(ben, id, Kind::WebLink, Recursive::No, None).await, Err(Error::Forbidden)));
    // Nobody is invited to a link by itself.
    let carl = desk.stage.person("carl@example.com", "Carl", UserRole::User).await;
    let invitee = Invitee::User(carl);
    let role = Role::Viewer;
    let to_link = NewCollaboration { item: id, invitee, role, sees_path: false, access_only: false, expires_at: None };
    assert!(tree.invite(&desk.anna, to_link).await.is_err());
    let carl = desk.stage.caller(carl, UserRole::User);
    give(&desk, folder, &carl, Role::Editor).await;
    assert_eq!(try_link(&desk, &carl, folder, new("b")).await.expect("made").owner.id, desk.anna.user);
    tree.update(&carl, id, Kind::WebLink, renamed("c"), RULE).await.expect("renamed");
    tree.trash_item(&carl, id, Kind::WebLink, Recursive::No, None).await.expect("trashed");
}

#[tokio::test]
async fn a_web_link_goes_into_the_trash_and_comes_back() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let id = link(&desk, folder, "a").await;
    let (tree, anna) = (&desk.tree, &desk.anna);
    assert!(matches!(tree.trashed(anna, id, Kind::WebLink).await, Err(Error::NotFound)));
    desk.trash(id, Kind::WebLink).await;
    assert!(matches!(desk.see(id, Kind::WebLink).await, Err(Error::Trashed)));
    let seen = tree.trashed(anna, id, Kind::WebLink).await.expect("in the trash");
    assert_eq!((seen.item.url.as_str(), seen.state), (URL, ItemState::Trashed));
    assert!(matches!(tree.trashed(&desk.ben, id, Kind::WebLink).await, Err(Error::NotFound)));
    assert!(matches!(tree.purge(&desk.ben, id, Kind::WebLink).await, Err(Error::NotFound)));
    let page = tree.list_trash(anna, ListQuery::by_name(Page::After { marker: None, limit: 9 })).await.expect("listed");
    assert_eq!(page.entries.iter().map(|entry| entry.item.id).collect::<Vec<_>>(), [id]);
    let other = link(&desk, folder, "A").await;
    let restored = tree.restore(anna, id, Kind::WebLink, RestoreTo::default(), RULE).await;
    assert!(matches!(restored, Err(Error::NameInUse { winner }) if winner.item.id == other));
    let to = RestoreTo { name: Some(name("b")), parent: None };
    let restored = tree.restore(anna, id, Kind::WebLink, to, RULE).await.expect("restored");
    assert_eq!((restored.item.parent, restored.item.url.as_str()), (Some(folder), URL));
    desk.trash(id, Kind::WebLink).await;
    tree.purge(anna, id, Kind::WebLink).await.expect("purged");
    assert!(matches!(tree.trashed(anna, id, Kind::WebLink).await, Err(Error::NotFound)));
    desk.check_books();
}

#[tokio::test]
async fn folders_take_their_web_links_along() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let inner = desk.folder(folder, "inner").await;
    link(&desk, folder, "a").await;
    link(&desk, inner, "b").await;
    desk.file(inner, "c", b"x").await;
    let (tree, anna) = (&desk.tree, &desk.anna);
    let to = CopyTo { parent: desk.root, name: Some(name("copy")), version: None };
    let copy = tree.copy(anna, folder, Kind::Folder, to, RULE).await.expect("copied").item.id;
    assert_eq!(desk.names(copy).await, ["inner", "a"]);
    let query = ListQuery::by_name(Page::After { marker: None, limit: 9 });
    let listed = tree.list(anna, copy, query).await.expect("listed").entries;
    assert_eq!(listed.last().expect("a link").item.url, URL);
    assert!(matches!(tree.trash_item(anna, copy, Kind::Folder, Recursive::No, None).await, Err(Error::FolderNotEmpty)));
    desk.check_books();
    for top in [folder, copy] {
        desk.trash(top, Kind::Folder).await;
        tree.purge(anna, top, Kind::Folder).await.expect("purged");
        desk.finish_purge(top).await;
    }
    desk.check_books();
    let totals = desk.totals();
    assert_eq!((totals.children, totals.versions), (0, 0));
}

#[tokio::test]
async fn a_web_link_goes_to_another_owner() {
    let desk = Desk::new().await;
    let (tree, ben) = (&desk.tree, &desk.ben);
    let root = tree.root(ben).await.expect("a root");
    let theirs = tree.create_folder(ben, root, entente_tree::NewFolder::named(name("theirs")), RULE).await;
    let theirs = theirs.expect("a folder").item.id;
    let invitee = Invitee::User(desk.anna.user);
    let role = Role::Editor;
    let new = NewCollaboration { item: theirs, invitee, role, sees_path: false, access_only: false, expires_at: None };
    tree.invite(ben, new).await.expect("invited");
    let folder = desk.folder(desk.root, "folder").await;
    let (alone, within) = (link(&desk, desk.root, "alone").await, link(&desk, folder, "within").await);
    desk.file(folder, "file", b"x").await;
    let view = desk.update(alone, Kind::WebLink, moved(theirs)).await.expect("moved");
    assert_eq!((view.owner.id, view.item.url.as_str()), (ben.user, URL));
    desk.update(folder, Kind::Folder, moved(theirs)).await.expect("moved");
    let view = tree.item(ben, within, Kind::WebLink).await.expect("seen");
    assert_eq!((view.owner.id, view.item.url.as_str()), (ben.user, URL));
    desk.check_books();
}

#[tokio::test]
async fn a_web_link_has_a_shared_link() {
    let desk = Desk::new().await;
    let id = link(&desk, desk.root, "a").await;
    let (tree, ben) = (&desk.tree, &desk.ben);
    let wish = LinkWish::Set(SharedLinkChange::default());
    let view = tree.change_shared_link(&desk.anna, (id, Kind::WebLink), ItemChange::default(), wish, RULE).await;
    let shared = view.expect("a link").link.expect("a link").link;
    let found = tree.find_link(ben, &entente_tree::LinkName::Token(shared.token.clone())).await.expect("found");
    assert_eq!((found.item, found.kind), (id, Kind::WebLink));
    let with = Caller { link: Some(found.followed), ..ben.clone() };
    assert_eq!(tree.item(&with, id, Kind::WebLink).await.expect("seen").item.url, URL);
    let edits = LinkWish::Set(SharedLinkChange { can_edit: Some(true), ..SharedLinkChange::default() });
    let refused = tree.change_shared_link(&desk.anna, (id, Kind::WebLink), ItemChange::default(), edits, RULE).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn paths_do_not_see_web_links_and_leave_them_alone() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let id = link(&desk, folder, "a").await;
    desk.file(folder, "b", b"x").await;
    let (tree, anna) = (&desk.tree, &desk.anna);
    let (a, b) = ([name("a")], [name("b")]);
    let at = |names| Path { base: folder, names };
    assert!(matches!(tree.at(anna, at(&a), Want::Either).await, Err(Error::NotFound)));
    let children = tree.children(anna, folder, None, 9).await.expect("listed");
    assert_eq!(children.iter().map(entente_tree::Object::sort_name).collect::<Vec<_>>(), ["b"]);
    let (expect, folders, overwrite) = (Expect::Present, Folders::Refuse, Overwrite::Replace);
    let how = MoveAt { want: Want::File, expect, folders, rule: NameRule::CaseSensitive, overwrite };
    let refused = tree.move_at(anna, at(&b), at(&a), how).await;
    assert!(matches!(refused, Err(Error::NameInUse { winner }) if winner.item.id == id));
    assert_eq!(desk.names(folder).await, ["b", "a"]);
}
