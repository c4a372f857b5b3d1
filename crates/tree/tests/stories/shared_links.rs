//! Shared links: for whom each is and what it gives, how they come and go, and what they keep to themselves.

use crate::desk::{Desk, RULE, body, moved, name, new_version, renamed};
use entente_model::{Caller, FollowedLink, ItemId, Role, Scopes, SharedLinkId, UserRole};
use entente_tree::{
    CopyTo, Error, FolderSettingsChange, FoundLink, Invitee, ItemChange, ItemView, Kind, LinkAccess, LinkName,
    LinkPasswordHash, LinkRules, LinkWish, ListQuery, NewCollaboration, Page, Recursive, RestoreTo, Seat, SharedLink,
    SharedLinkChange, UserChange,
};
use std::time::Duration;

const OPEN: SharedLinkChange = SharedLinkChange {
    access: Some(LinkAccess::Open),
    password: None,
    vanity: None,
    expires_at: None,
    can_download: None,
    can_edit: None,
};

fn with(access: LinkAccess) -> SharedLinkChange {
    SharedLinkChange { access: Some(access), ..OPEN }
}

async fn set(desk: &Desk, caller: &Caller, item: ItemId, kind: Kind, wish: LinkWish) -> Result<ItemView, Error> {
    desk.tree.change_shared_link(caller, (item, kind), ItemChange::default(), wish, RULE).await
}

async fn make(desk: &Desk, item: ItemId, kind: Kind, change: SharedLinkChange) -> SharedLink {
    let view = set(desk, &desk.anna, item, kind, LinkWish::Set(change)).await.expect("a link");
    view.link.expect("a link").link
}

fn named(link: &SharedLink) -> LinkName {
    LinkName::Token(link.token.clone())
}

async fn find(desk: &Desk, caller: &Caller, link: &SharedLink) -> Result<FoundLink, Error> {
    desk.tree.find_link(caller, &named(link)).await
}

/// The caller, who came with the link whether it may be followed or not.
fn through(desk: &Desk, caller: &Caller, link: &SharedLink) -> Caller {
    let at = desk.stage.world.now();
    Caller { link: Some(FollowedLink { link: link.id, at }), ..caller.clone() }
}

async fn stranger(desk: &Desk, word: &str) -> Caller {
    let user = desk.stage.outsider(&format!("{word}@elsewhere.example"), word).await;
    let token = desk.stage.token(user, Scopes::ALL, Duration::from_secs(3_600)).await;
    desk.stage.identity.authenticate(&token).expect("a caller")
}

async fn give(desk: &Desk, item: ItemId, to: &Caller, role: Role) {
    let invitee = Invitee::User(to.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited");
}

#[allow(clippy::needless_pass_by_value, reason = "outcomes are handed over as they come")]
fn outcome<T>(outcome: Result<T, Error>) -> &'static str {
    match outcome {
        Ok(_) => "yes",
        Err(Error::Forbidden) => "no",
        Err(Error::NotFound) => "-",
        Err(Error::Trashed) => "trashed",
        Err(_) => "?",
    }
}

/// find, see, list, download, version, rename, trash, link
async fn deeds(desk: &Desk, who: &Caller, link: &SharedLink, (folder, file): (ItemId, ItemId)) -> [&'static str; 8] {
    let (tree, caller) = (&desk.tree, through(desk, who, link));
    let query = ListQuery::by_name(Page::After { marker: None, limit: 10 });
    [
        outcome(find(desk, who, link).await),
        outcome(tree.item(&caller, file, Kind::File).await),
        outcome(tree.list(&caller, folder, query).await),
        outcome(tree.open(&caller, file, None).await),
        outcome(tree.upload_version(&caller, file, new_version(), RULE, body(b"z")).await),
        outcome(tree.update(&caller, file, Kind::File, renamed("other"), RULE).await),
        outcome(tree.trash_item(&caller, file, Kind::File, Recursive::No, Some(u64::MAX)).await),
        outcome(set(desk, &caller, file, Kind::File, LinkWish::Remove).await),
    ]
}

#[tokio::test]
async fn each_link_lets_in_whom_it_is_for_and_no_more() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "linked").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = desk.stage.caller(carol, UserRole::User);
    give(&desk, folder, &carol, Role::Previewer).await;
    let eve = stranger(&desk, "eve").await;
    let nothing = ["-"; 8];
    let reads = ["yes", "yes", "yes", "yes", "no", "no", "no", "no"];
    let looks = ["yes", "yes", "yes", "no", "no", "no", "no", "no"];
    for (change, colleague, collaborator, outside) in [
        (with(LinkAccess::Open), reads, reads, reads),
        (with(LinkAccess::Company), reads, reads, nothing),
        (with(LinkAccess::Collaborators), nothing, looks, nothing),
        (SharedLinkChange { can_download: Some(false), ..OPEN }, looks, looks, looks),
    ] {
        let link = make(&desk, folder, Kind::Folder, change).await;
        assert_eq!(deeds(&desk, &desk.ben, &link, (folder, file)).await, colleague, "{:?}", link.access);
        assert_eq!(deeds(&desk, &carol, &link, (folder, file)).await, collaborator, "{:?}", link.access);
        assert_eq!(deeds(&desk, &eve, &link, (folder, file)).await, outside, "{:?}", link.access);
        // Who does not come with it has nothing of it.
        assert_eq!(outcome(desk.tree.item(&desk.ben, file, Kind::File).await), "-");
        set(&desk, &desk.anna, folder, Kind::Folder, LinkWish::Remove).await.expect("removed");
        assert_eq!(deeds(&desk, &desk.ben, &link, (folder, file)).await, nothing);
    }
    desk.check_books();
}

#[tokio::test]
async fn a_link_reaches_what_is_below_it_and_shows_no_more() {
    let desk = Desk::new().await;
    let above = desk.folder(desk.root, "above").await;
    let linked = desk.folder(above, "linked").await;
    let below = desk.folder(linked, "below").await;
    let file = desk.file(below, "file", b"x").await.item.id;
    let beside = desk.file(above, "beside", b"x").await.item.id;
    let link = make(&desk, linked, Kind::Folder, OPEN).await;
    let ben = through(&desk, &desk.ben, &link);
    let view = desk.tree.item(&ben, file, Kind::File).await.expect("seen");
    let path: Vec<_> = view.path.iter().skip(1).map(|entry| entry.id).collect();
    assert_eq!(path, [linked, below]);
    for hidden in [(above, Kind::Folder), (beside, Kind::File), (desk.root, Kind::Folder)] {
        assert_eq!(outcome(desk.tree.item(&ben, hidden.0, hidden.1).await), "-");
    }
    // What may be taken along may be copied to where one may put it.
    let home = desk.tree.root(&ben).await.expect("a root");
    let to = CopyTo { parent: home, name: Some(name("mine")), version: None };
    desk.tree.copy(&ben, file, Kind::File, to, RULE).await.expect("copied");
    // A credential takes away, as ever.
    let confined = Caller { confined: Some(home), ..ben.clone() };
    assert_eq!(outcome(desk.tree.item(&confined, file, Kind::File).await), "-");
    assert_eq!(outcome(find(&desk, &Caller { link: None, ..confined }, &link).await), "-");
    let weak = Caller { scopes: Scopes::UPLOAD, ..ben.clone() };
    assert_eq!(outcome(find(&desk, &weak, &link).await), "no");
    assert_eq!(outcome(desk.tree.open(&weak, file, None).await), "no");
}

#[tokio::test]
async fn a_link_stays_with_its_item_and_rests_in_the_trash() {
    let desk = Desk::new().await;
    let (from, to) = (desk.folder(desk.root, "from").await, desk.folder(desk.root, "to").await);
    let file = desk.file(from, "file", b"x").await.item.id;
    let link = make(&desk, file, Kind::File, OPEN).await;
    let ben = through(&desk, &desk.ben, &link);
    let view = desk.update(file, Kind::File, moved(to)).await.expect("moved");
    assert_eq!(view.link.expect("a link").link, link);
    assert_eq!(outcome(desk.tree.open(&ben, file, None).await), "yes");
    // What comes into a linked folder is reached, and what leaves it is not.
    let other = desk.file(from, "other", b"x").await.item.id;
    let folder_link = make(&desk, to, Kind::Folder, OPEN).await;
    let by_folder = through(&desk, &desk.ben, &folder_link);
    assert_eq!(outcome(desk.tree.open(&by_folder, other, None).await), "-");
    desk.update(other, Kind::File, moved(to)).await.expect("moved");
    assert_eq!(outcome(desk.tree.open(&by_folder, other, None).await), "yes");
    desk.update(other, Kind::File, moved(from)).await.expect("moved");
    assert_eq!(outcome(desk.tree.open(&by_folder, other, None).await), "-");
    desk.trash(file, Kind::File).await;
    assert_eq!(outcome(desk.tree.item(&ben, file, Kind::File).await), "-");
    assert_eq!(outcome(find(&desk, &desk.ben, &link).await), "-");
    assert_eq!(outcome(find(&desk, &desk.anna, &link).await), "trashed");
    assert_eq!(outcome(desk.tree.open_by_link(&named(&link)).await), "-");
    let back = RestoreTo { parent: None, name: None };
    desk.tree.restore(&desk.anna, file, Kind::File, back, RULE).await.expect("restored");
    assert_eq!(outcome(desk.tree.open(&ben, file, None).await), "yes");
    // Purged is purged.
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    desk.finish_purge(file).await;
    assert_eq!(outcome(find(&desk, &desk.anna, &link).await), "-");
    // A copy has no link of its own.
    let copy = CopyTo { parent: desk.root, name: Some(name("copy")), version: None };
    let copy = desk.tree.copy(&desk.anna, to, Kind::Folder, copy, RULE).await.expect("copied");
    assert_eq!(copy.link, None);
    desk.check_books();
}

#[tokio::test]
async fn a_link_ends_by_the_clock_and_another_one_is_another() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let now = desk.stage.world.now();
    let end = now.after(Duration::from_secs(3_600));
    let link = make(&desk, file, Kind::File, SharedLinkChange { expires_at: Some(Some(end)), ..OPEN }).await;
    let at = |at| Caller { link: Some(FollowedLink { link: link.id, at }), ..desk.ben.clone() };
    assert_eq!(outcome(desk.tree.open(&at(now), file, None).await), "yes");
    assert_eq!(outcome(desk.tree.open(&at(end), file, None).await), "-");
    assert!(!link.has_ended(now) && link.has_ended(end));
    let past = SharedLinkChange { expires_at: Some(Some(now)), ..OPEN };
    let refused = set(&desk, &desk.anna, file, Kind::File, LinkWish::Set(past)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    set(&desk, &desk.anna, file, Kind::File, LinkWish::Remove).await.expect("removed");
    let again = make(&desk, file, Kind::File, OPEN).await;
    assert!(again.id != link.id && again.token != link.token && again.expires_at.is_none());
    assert_eq!(outcome(desk.tree.open(&at(now), file, None).await), "-");
    assert_eq!(outcome(find(&desk, &desk.ben, &link).await), "-");
}

#[tokio::test]
async fn who_may_make_and_change_a_link() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "shared").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let (kind, ben) = (Kind::File, &desk.ben);
    let wish = |change: SharedLinkChange| LinkWish::Set(change);
    assert_eq!(outcome(set(&desk, ben, file, kind, wish(OPEN)).await), "-");
    give(&desk, folder, ben, Role::Previewer).await;
    assert_eq!(outcome(set(&desk, ben, file, kind, wish(OPEN)).await), "no");
    let viewer = desk.stage.person("vera@example.com", "Vera", UserRole::User).await;
    let viewer = desk.stage.caller(viewer, UserRole::User);
    give(&desk, folder, &viewer, Role::Viewer).await;
    let edits = SharedLinkChange { can_edit: Some(true), ..OPEN };
    assert_eq!(outcome(set(&desk, &viewer, file, kind, wish(edits.clone())).await), "no");
    let weak = Caller { scopes: Scopes::READ.with(Scopes::CHANGE), ..desk.anna.clone() };
    assert_eq!(outcome(set(&desk, &weak, file, kind, wish(OPEN)).await), "no");
    // What a viewer made is the viewer's, and the owner's.
    assert_eq!(outcome(set(&desk, &viewer, file, kind, wish(OPEN)).await), "yes");
    assert_eq!(outcome(set(&desk, &viewer, file, kind, wish(with(LinkAccess::Company))).await), "yes");
    assert_eq!(outcome(set(&desk, &desk.anna, file, kind, LinkWish::Remove).await), "yes");
    make(&desk, file, kind, with(LinkAccess::Company)).await;
    assert_eq!(outcome(set(&desk, &viewer, file, kind, wish(SharedLinkChange::default())).await), "yes");
    assert_eq!(outcome(set(&desk, &viewer, file, kind, wish(OPEN)).await), "no");
    assert_eq!(outcome(set(&desk, &viewer, file, kind, LinkWish::Remove).await), "no");
    assert_eq!(outcome(set(&desk, &desk.anna, file, kind, wish(edits)).await), "yes");
    // An editable link takes new versions, and nothing else.
    let link = desk.see(file, kind).await.expect("seen").link.expect("a link").link;
    let eve = stranger(&desk, "eve").await;
    let deeds = deeds(&desk, &eve, &link, (folder, file)).await;
    assert_eq!(deeds, ["yes", "yes", "-", "yes", "yes", "no", "no", "no"]);
    assert_eq!(outcome(set(&desk, &desk.anna, desk.root, Kind::Folder, wish(OPEN)).await), "no");
    assert_eq!(outcome(set(&desk, &desk.anna, file, Kind::Folder, wish(OPEN)).await), "-");
    let admin = desk.stage.person("ada@example.com", "Ada", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    let frontline = UserChange { seat: Some(Seat::Frontline), ..UserChange::default() };
    desk.tree.update_user(&admin, viewer.user, frontline).await.expect("changed");
    let own = desk.file(folder, "own", b"x").await.item.id;
    assert_eq!(outcome(set(&desk, &viewer, own, kind, wish(OPEN)).await), "no");
}

#[tokio::test]
async fn the_enterprise_and_folders_say_how_far_links_reach() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "closed").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let kind = Kind::File;
    let link = make(&desk, file, kind, SharedLinkChange::default()).await;
    assert_eq!(link.access, LinkAccess::Company);
    let link = make(&desk, file, kind, OPEN).await;
    let eve = stranger(&desk, "eve").await;
    assert_eq!(outcome(desk.tree.open_by_link(&named(&link)).await), "yes");
    let admin = desk.stage.person("ada@example.com", "Ada", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    let rules = |usual, most| LinkRules { usual, most };
    let (company, collaborators) = (LinkAccess::Company, LinkAccess::Collaborators);
    assert!(matches!(desk.tree.set_link_rules(&desk.anna, rules(company, company)).await, Err(Error::Forbidden)));
    assert!(matches!(desk.tree.link_rules(&desk.anna).await, Err(Error::Forbidden)));
    let backwards = desk.tree.set_link_rules(&admin, rules(company, collaborators)).await;
    assert!(matches!(backwards, Err(Error::Invalid(_))));
    desk.tree.set_link_rules(&admin, rules(collaborators, company)).await.expect("set");
    assert_eq!(desk.tree.link_rules(&admin).await.expect("rules"), rules(collaborators, company));
    // At once, for those that were made before, too.
    let view = desk.see(file, kind).await.expect("seen").link.expect("a link");
    assert_eq!((view.link.access, view.effective), (LinkAccess::Open, company));
    assert_eq!(outcome(desk.tree.open_by_link(&named(&link)).await), "-");
    assert_eq!(outcome(find(&desk, &eve, &link).await), "-");
    assert_eq!(outcome(find(&desk, &desk.ben, &link).await), "yes");
    let other = desk.file(folder, "other", b"x").await.item.id;
    assert_eq!(outcome(set(&desk, &desk.anna, other, kind, LinkWish::Set(OPEN)).await), "no");
    assert_eq!(make(&desk, other, kind, SharedLinkChange::default()).await.access, collaborators);
    desk.tree.set_link_rules(&admin, rules(LinkAccess::Open, LinkAccess::Open)).await.expect("set");
    assert_eq!(outcome(desk.tree.open_by_link(&named(&link)).await), "yes");
    let closed = FolderSettingsChange { enterprise_only: Some(true), ..FolderSettingsChange::default() };
    desk.tree.update_folder(&desk.anna, folder, ItemChange::default(), closed, RULE).await.expect("closed");
    assert_eq!(outcome(set(&desk, &desk.anna, other, kind, LinkWish::Set(OPEN)).await), "no");
    let third = desk.file(folder, "third", b"x").await.item.id;
    assert_eq!(make(&desk, third, kind, SharedLinkChange::default()).await.access, company);
}

#[tokio::test]
async fn names_of_links_are_one_of_a_kind() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let other = desk.file(desk.root, "other", b"x").await.item.id;
    let vanity = |text: &str| SharedLinkChange { vanity: Some(Some(text.to_owned())), ..OPEN };
    let link = make(&desk, file, Kind::File, vanity("Our-Plans-2026")).await;
    let found = desk.tree.find_link(&desk.ben, &LinkName::Vanity("our-plans-2026".to_owned())).await;
    assert_eq!(found.expect("found").item, file);
    let taken = set(&desk, &desk.anna, other, Kind::File, LinkWish::Set(vanity("OUR-PLANS-2026"))).await;
    assert!(matches!(taken, Err(Error::AlreadyExists(_))), "{taken:?}");
    assert_eq!(desk.see(other, Kind::File).await.expect("seen").link, None);
    // Its own is no hindrance, and other spellings are.
    make(&desk, file, Kind::File, vanity("our-plans-2026")).await;
    let long = "x".repeat(65);
    for bad in ["short", "eleven-char", "with space in it", "with/slash/in/it", "ünïcödé-ñämé-x", "", long.as_str()]
    {
        let refused = set(&desk, &desk.anna, other, Kind::File, LinkWish::Set(vanity(bad))).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{bad}: {refused:?}");
    }
    set(&desk, &desk.anna, file, Kind::File, LinkWish::Remove).await.expect("removed");
    assert_ne!(make(&desk, other, Kind::File, vanity("our-plans-2026")).await.id, link.id);
    let none = SharedLinkChange { vanity: Some(None), ..OPEN };
    assert_eq!(make(&desk, other, Kind::File, none).await.vanity, None);
    for odd in [String::new(), "%".to_owned(), "x".repeat(100_000)] {
        for name in [LinkName::Token(odd.clone()), LinkName::Vanity(odd.clone())] {
            assert_eq!(outcome(desk.tree.find_link(&desk.ben, &name).await), "-");
        }
    }
}

#[tokio::test]
async fn passwords_are_for_open_links() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let kind = Kind::File;
    let hash = || Some(Some(LinkPasswordHash::new("$argon2id$…".to_owned())));
    let closed = SharedLinkChange { password: hash(), ..with(LinkAccess::Company) };
    let refused = set(&desk, &desk.anna, file, kind, LinkWish::Set(closed)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    assert_eq!(desk.see(file, kind).await.expect("seen").link, None);
    let link = make(&desk, file, kind, SharedLinkChange { password: hash(), ..OPEN }).await;
    assert!(link.has_password);
    let found = find(&desk, &desk.ben, &link).await.expect("found");
    assert!(found.has_password && !found.sees_anyway);
    assert!(find(&desk, &desk.anna, &link).await.expect("found").sees_anyway);
    assert_eq!(outcome(desk.tree.open_by_link(&named(&link)).await), "no");
    // What is not spoken of stays, and a link for fewer people has none.
    assert!(make(&desk, file, kind, SharedLinkChange { can_download: Some(false), ..OPEN }).await.has_password);
    assert!(!make(&desk, file, kind, with(LinkAccess::Company)).await.has_password);
    assert!(!make(&desk, file, kind, OPEN).await.has_password);
    make(&desk, file, kind, SharedLinkChange { password: hash(), ..OPEN }).await;
    assert!(!make(&desk, file, kind, SharedLinkChange { password: Some(None), ..OPEN }).await.has_password);
}

#[tokio::test]
async fn an_item_and_its_link_change_together_or_not_at_all() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item;
    let (id, kind) = (file.id, Kind::File);
    let tree = &desk.tree;
    let stale = ItemChange { if_match: Some(file.sequence + 7), ..ItemChange::default() };
    let refused = tree.change_shared_link(&desk.anna, (id, kind), stale, LinkWish::Set(OPEN), RULE).await;
    assert!(matches!(refused, Err(Error::PreconditionFailed)), "{refused:?}");
    let both = ItemChange { if_match: Some(file.sequence), ..renamed("renamed") };
    let bad = SharedLinkChange { vanity: Some(Some("short".to_owned())), ..OPEN };
    let refused = tree.change_shared_link(&desk.anna, (id, kind), both.clone(), LinkWish::Set(bad), RULE).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    let view = desk.see(id, kind).await.expect("seen");
    assert_eq!((view.item.name.as_str(), view.item.sequence, view.link), ("file", file.sequence, None));
    let view = tree.change_shared_link(&desk.anna, (id, kind), both, LinkWish::Set(OPEN), RULE).await;
    let view = view.expect("changed");
    assert_eq!((view.item.name.as_str(), view.item.sequence), ("renamed", file.sequence + 2));
    // The same again is no change; removing counts as one, once.
    let same = set(&desk, &desk.anna, id, kind, LinkWish::Set(OPEN)).await.expect("the same");
    assert_eq!((same.item.sequence, &same.link), (view.item.sequence, &view.link));
    let removed = set(&desk, &desk.anna, id, kind, LinkWish::Remove).await.expect("removed");
    assert_eq!((removed.item.sequence, removed.link), (view.item.sequence + 1, None));
    let removed = set(&desk, &desk.anna, id, kind, LinkWish::Remove).await.expect("nothing to remove");
    assert_eq!(removed.item.sequence, view.item.sequence + 1);
    assert_eq!(removed.item.modified_by, file.modified_by);
}

#[tokio::test]
async fn a_listing_shows_the_links_of_its_items() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let mut links = Vec::new();
    for number in 0..40 {
        let file = desk.file(folder, &format!("{number:02}"), b"x").await.item.id;
        let link = if number % 2 == 0 { Some(make(&desk, file, Kind::File, OPEN).await.id) } else { None };
        links.push(link);
    }
    let query = ListQuery::by_name(Page::After { marker: None, limit: 100 });
    let listing = desk.tree.list(&desk.anna, folder, query).await.expect("a listing");
    let shown: Vec<_> = listing.entries.iter().map(|entry| entry.link.as_ref().map(|shown| shown.link.id)).collect();
    assert_eq!(shown, links);
    let unknown = Caller {
        link: Some(FollowedLink { link: SharedLinkId::new(7), at: desk.stage.world.now() }),
        ..desk.ben.clone()
    };
    assert_eq!(outcome(desk.tree.item(&unknown, folder, Kind::Folder).await), "-");
}
