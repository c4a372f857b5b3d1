//! What people hear of: their own content, what they do, and what is shared with them.

use crate::desk::Desk;
use entente_model::{ItemId, Role, UserRole};
use entente_tree::{
    Caller, EnterpriseEventQuery, Error, EventKind, EventPage, EventQuery, Invitee, Kind, NewCollaboration, Reading,
    Scopes, limits,
};

async fn settle(desk: &Desk) {
    while desk.tree.place_events().await.expect("placed") {}
}

async fn hears(desk: &Desk, caller: &Caller, after: i64) -> EventPage {
    settle(desk).await;
    let query = EventQuery { after, limit: 100, wants: |_| true };
    desk.tree.events(caller, query).await.expect("events")
}

fn told(page: &EventPage) -> Vec<(EventKind, ItemId)> {
    page.entries.iter().map(|one| (one.kind, one.event.item)).collect()
}

async fn share(desk: &Desk, item: ItemId, with: &Caller) {
    let new = NewCollaboration {
        item,
        invitee: Invitee::User(with.user),
        role: Role::Editor,
        sees_path: false,
        access_only: false,
        expires_at: None,
    };
    desk.tree.invite(&desk.anna, new).await.expect("invited");
}

#[tokio::test]
async fn an_owner_hears_of_their_content_in_order_and_goes_on_from_there() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "a").await;
    let file = desk.file(folder, "f", b"x").await.item.id;
    let page = hears(&desk, &desk.anna, 0).await;
    assert_eq!(told(&page), [(EventKind::Created, folder), (EventKind::Created, file)]);
    assert_eq!(page.entries[1].event.name.as_deref(), Some("f"));
    assert_eq!(page.entries[1].event.parent, Some(folder));
    assert_eq!(page.entries[1].event.owner, desk.anna.user);
    let nothing = hears(&desk, &desk.anna, page.next).await;
    assert_eq!((told(&nothing), nothing.next), (Vec::new(), page.next));
    desk.trash(file, Kind::File).await;
    let more = hears(&desk, &desk.anna, page.next).await;
    assert_eq!(told(&more), [(EventKind::Trashed, file)]);
    assert!(more.entries[0].item.is_some(), "it is in the trash");
    let one = EventQuery { after: 0, limit: 1, wants: |_| true };
    let first = desk.tree.events(&desk.anna, one).await.expect("events");
    assert_eq!(told(&first), [(EventKind::Created, folder)]);
    let rest = hears(&desk, &desk.anna, first.next).await;
    assert_eq!(told(&rest), [(EventKind::Created, file), (EventKind::Trashed, file)]);
}

#[tokio::test]
async fn what_is_gone_is_told_to_its_owner_alone() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "a").await;
    share(&desk, folder, &desk.ben).await;
    let file = desk.file(folder, "f", b"x").await.item.id;
    settle(&desk).await;
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    let own = told(&hears(&desk, &desk.anna, 0).await);
    assert!(own.contains(&(EventKind::Created, file)) && own.contains(&(EventKind::Purged, file)), "{own:?}");
    let others = told(&hears(&desk, &desk.ben, 0).await);
    assert!(!others.is_empty() && others.iter().all(|(_, item)| *item == folder), "{others:?}");
}

#[tokio::test]
async fn others_hear_of_what_is_shared_with_them_and_of_nothing_beside_it() {
    let desk = Desk::new().await;
    let (shared, private) = (desk.folder(desk.root, "shared").await, desk.folder(desk.root, "private").await);
    assert_eq!(told(&hears(&desk, &desk.ben, 0).await), []);
    share(&desk, shared, &desk.ben).await;
    let below = desk.file(shared, "below", b"x").await.item.id;
    desk.file(private, "beside", b"x").await;
    let page = hears(&desk, &desk.ben, 0).await;
    let created = |item| (EventKind::Created, item);
    assert_eq!(told(&page), [created(shared), (EventKind::CollaborationAdded, shared), created(below)]);
    // All was looked at, though not all was shown.
    assert_eq!(page.next, desk.tree.last_event().await.expect("a position"));
}

#[tokio::test]
async fn what_somebody_from_outside_does_belongs_to_the_owners_enterprise() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "a").await;
    let outside = desk.stage.outsider("eve@elsewhere.example", "Eve").await;
    let mut eve = desk.stage.caller(outside, UserRole::Admin);
    let of_eve = desk.stage.database.read(|tx| entente_database::users::by_id(tx, outside)).expect("a read");
    eve.enterprise = of_eve.expect("a user").enterprise;
    assert_ne!(eve.enterprise, desk.anna.enterprise);
    let new = NewCollaboration {
        item: folder,
        invitee: Invitee::Login("eve@elsewhere.example".to_owned()),
        role: Role::Editor,
        sees_path: false,
        access_only: false,
        expires_at: None,
    };
    let invited = desk.tree.invite(&desk.anna, new).await.expect("invited");
    let change = entente_tree::CollaborationChange {
        status: Some(entente_tree::CollaborationStatus::Accepted),
        ..Default::default()
    };
    desk.tree.change_collaboration(&eve, invited.collaboration.id, change).await.expect("accepted");
    settle(&desk).await;
    let anna = desk.stage.caller(desk.anna.user, UserRole::Admin);
    let all = EnterpriseEventQuery { limit: 100, ..Default::default() };
    let page = desk.tree.enterprise_events(&anna, all.clone()).await.expect("events");
    let last = page.entries.last().expect("an event");
    assert_eq!((last.kind, last.by.id, last.owner.id), (EventKind::CollaborationAccepted, outside, anna.user));
    let elsewhere = desk.tree.enterprise_events(&eve, all).await.expect("events");
    // Only that she was made.
    assert_eq!(elsewhere.entries.iter().map(|one| one.kind).collect::<Vec<_>>(), [EventKind::UserMade]);
    assert_eq!(elsewhere.next, page.next);
}

#[tokio::test]
async fn an_enterprise_is_looked_over_by_who_administers_it_alone() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "a").await;
    desk.file(folder, "f", b"x").await;
    desk.trash(folder, Kind::Folder).await;
    settle(&desk).await;
    let admin = desk.stage.caller(desk.ben.user, UserRole::Admin);
    let all = EnterpriseEventQuery { limit: 100, ..Default::default() };
    let page = desk.tree.enterprise_events(&admin, all.clone()).await.expect("events");
    // Anna and Ben, and what Anna did.
    assert_eq!(page.entries.len(), 5);
    let some = EnterpriseEventQuery { kinds: Some(vec![EventKind::Trashed]), ..all.clone() };
    let some = desk.tree.enterprise_events(&admin, some).await.expect("events");
    assert_eq!(some.entries.iter().map(|one| one.kind).collect::<Vec<_>>(), [EventKind::Trashed]);
    let at = page.entries[0].event.at;
    let later = at.after(std::time::Duration::from_secs(3_600));
    let none = EnterpriseEventQuery { from: Some(later), ..all.clone() };
    let none = desk.tree.enterprise_events(&admin, none).await.expect("events");
    assert_eq!((none.entries.len(), none.next), (0, page.next));
    let before = EnterpriseEventQuery { until: Some(at), ..all.clone() };
    assert_eq!(desk.tree.enterprise_events(&admin, before).await.expect("events").entries.len(), 0);
    let from = EnterpriseEventQuery { from: Some(at), until: Some(later), ..all.clone() };
    assert_eq!(desk.tree.enterprise_events(&admin, from).await.expect("events").entries.len(), 5);
    let confined = Caller { confined: Some(folder), ..admin.clone() };
    let without = Caller { scopes: Scopes::READ, ..admin };
    for caller in [&desk.anna, &confined, &without] {
        assert!(matches!(desk.tree.enterprise_events(caller, all.clone()).await, Err(Error::Forbidden)));
    }
}

#[tokio::test]
async fn a_credential_hears_of_no_more_than_it_sees() {
    let desk = Desk::new().await;
    let (inside, outside) = (desk.folder(desk.root, "in").await, desk.folder(desk.root, "out").await);
    let file = desk.file(inside, "f", b"x").await.item.id;
    desk.trash(outside, Kind::Folder).await;
    let confined = Caller { confined: Some(inside), ..desk.anna.clone() };
    let created = |item| (EventKind::Created, item);
    assert_eq!(told(&hears(&desk, &confined, 0).await), [created(inside), created(file)]);
    let blind = Caller { scopes: Scopes::UPLOAD, ..desk.anna.clone() };
    let query = EventQuery { after: 0, limit: 100, wants: |_| true };
    assert!(matches!(desk.tree.events(&blind, query).await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn what_happens_to_people_is_their_enterprises_and_nobodys_stream() {
    let desk = Desk::new().await;
    settle(&desk).await;
    let start = desk.tree.last_event().await.expect("a position");
    let admin = desk.stage.caller(desk.ben.user, UserRole::Admin);
    let rename = |name: &str| entente_tree::UserChange { name: Some(name.to_owned()), ..Default::default() };
    // Of two acts on one user in one batch, each is whose it is.
    desk.tree.update_user(&desk.anna, desk.anna.user, rename("Anne")).await.expect("changed");
    desk.tree.update_user(&admin, desk.anna.user, rename("Anna B.")).await.expect("changed");
    // What is so already is no change.
    desk.tree.update_user(&admin, desk.anna.user, rename("Anna B.")).await.expect("as it was");
    settle(&desk).await;
    let query = EnterpriseEventQuery { after: start, limit: 100, ..Default::default() };
    let page = desk.tree.enterprise_events(&admin, query).await.expect("events");
    let acts: Vec<_> = page.entries.iter().map(|one| (one.kind, one.by.id, one.event.name.as_deref())).collect();
    assert_eq!(
        acts,
        [
            (EventKind::UserChanged, desk.anna.user, Some("Anne")),
            (EventKind::UserChanged, desk.ben.user, Some("Anna B.")),
        ]
    );
    for caller in [&desk.anna, &desk.ben] {
        assert!(!desk.tree.has_events(caller.user, start).await.expect("an answer"));
        assert_eq!(told(&hears(&desk, caller, start).await), []);
    }
}

#[tokio::test]
async fn what_is_read_is_told_to_whose_it_is_and_to_whoever_reads() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "a").await;
    let file = desk.file(folder, "f", b"x").await.item;
    share(&desk, folder, &desk.ben).await;
    let after = hears(&desk, &desk.anna, 0).await.next;
    desk.tree.note_read(&desk.ben, file.id, file.version, Reading::Downloaded).await;
    desk.tree.note_read(&desk.ben, file.id, file.version, Reading::Previewed).await;
    desk.tree.note_read(&Caller::nobody(), file.id, None, Reading::Downloaded).await;
    desk.tree.notes_written().await;
    let read = [EventKind::Downloaded, EventKind::Previewed, EventKind::Downloaded];
    let owners = hears(&desk, &desk.anna, after).await;
    let heard: Vec<_> = owners.entries.iter().map(|one| (one.kind, one.event.item, one.event.user.number())).collect();
    let ben = desk.ben.user.number();
    assert_eq!(heard, [(read[0], file.id, ben), (read[1], file.id, ben), (read[2], file.id, 0)]);
    assert_eq!(owners.entries[0].event.version, file.version);
    assert_eq!(told(&hears(&desk, &desk.ben, after).await)[..2], [(read[0], file.id), (read[1], file.id)]);
    let stranger = desk.stage.person("otto@example.com", "Otto", UserRole::User).await;
    let stranger = desk.stage.caller(stranger, UserRole::User);
    assert_eq!(told(&hears(&desk, &stranger, after).await), []);
}

#[tokio::test]
async fn however_much_is_read_at_once_all_of_it_is_told() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "f", b"x").await.item.id;
    let after = hears(&desk, &desk.anna, 0).await.next;
    let many = limits::RECENTS_WAITING_MAX + 500;
    // Nobody writes before this waits: the runtime has one thread.
    let reads = (0..many).map(|_| desk.tree.note_read(&desk.anna, file, None, Reading::Downloaded));
    futures_util::future::join_all(reads).await;
    desk.tree.notes_written().await;
    let (mut found, mut after) = (0, after);
    loop {
        let page = hears(&desk, &desk.anna, after).await;
        if page.entries.is_empty() {
            break;
        }
        (found, after) = (found + page.entries.len(), page.next);
    }
    assert_eq!(found, many);
}
