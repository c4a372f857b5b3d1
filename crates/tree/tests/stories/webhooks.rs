//! Webhooks: who may have which, and what they are told of.

use crate::desk::{Desk, moved, renamed};
use entente_database::items;
use entente_model::{AppId, Caller, ItemId, Role, Scopes, WebhookId};
use entente_tree::limits::WEBHOOK_ADDRESS_BYTES_MAX;
use entente_tree::{
    Error, Invitee, Kind, NewCollaboration, NewWebhook, Notice, NoticeItem, Trigger, Triggers, WebhookChange,
};

const ADDRESS: &str = "https://hooks.example.com/told";

fn with(app: AppId, caller: &Caller) -> Caller {
    Caller { app: Some(app), ..caller.clone() }
}

fn new(item: ItemId, kind: Kind, triggers: &[Trigger]) -> NewWebhook {
    NewWebhook { item, kind, address: ADDRESS.to_owned(), triggers: triggers.iter().copied().collect() }
}

async fn hook(desk: &Desk, caller: &Caller, item: ItemId, kind: Kind, triggers: &[Trigger]) -> WebhookId {
    desk.tree.create_webhook(caller, new(item, kind, triggers)).await.expect("a webhook").webhook.id
}

/// Which webhook is told what of which item, in words of one line.
fn line(notice: &Notice) -> String {
    let shown = if matches!(notice.item, NoticeItem::Seen(_)) { "seen" } else { "gone" };
    format!("{} {:?} {} {shown}", notice.webhook.id, notice.trigger, notice.event.item)
}

/// All that is written down from now on, in its order.
async fn told(desk: &Desk) -> Vec<String> {
    while desk.tree.place_events().await.expect("placed") {}
    while desk.tree.tell_webhooks(line).await.expect("told") {}
    desk.stage.take_webhook_bodies().await
}

async fn share(desk: &Desk, item: ItemId, role: Role) -> entente_model::CollaborationId {
    let invitee = Invitee::User(desk.ben.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited").collaboration.id
}

#[tokio::test]
async fn webhooks_are_made_listed_changed_and_removed() {
    let desk = Desk::new().await;
    let anna = with(desk.stage.app().await, &desk.anna);
    let other = with(desk.stage.app().await, &desk.anna);
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let first = hook(&desk, &anna, folder, Kind::Folder, &[Trigger::FileUploaded, Trigger::FileUploaded]).await;
    let second = hook(&desk, &anna, file, Kind::File, &[Trigger::FileRenamed]).await;
    // Of another application, or another user, there may be one of the same item.
    let others = hook(&desk, &other, folder, Kind::Folder, &[Trigger::FileUploaded]).await;
    let again = desk.tree.create_webhook(&anna, new(folder, Kind::Folder, &[Trigger::FileMoved])).await;
    assert!(matches!(again, Err(Error::AlreadyExists(_))));

    let page = desk.tree.webhooks(&anna, None, 1).await.expect("a page");
    assert_eq!((page.entries[0].id, page.next), (first, Some(first)));
    let page = desk.tree.webhooks(&anna, page.next, 10).await.expect("a page");
    assert_eq!((page.entries.len(), page.entries[0].id, page.next), (1, second, None));
    assert_eq!(desk.tree.webhooks(&other, None, 10).await.expect("a page").entries[0].id, others);

    let shown = desk.tree.webhook(&anna, first).await.expect("it");
    assert_eq!(shown.webhook.triggers.iter().collect::<Vec<_>>(), [Trigger::FileUploaded]);
    assert_eq!((shown.webhook.address.as_str(), shown.created_by.id), (ADDRESS, desk.anna.user));
    let taken = WebhookChange { item: Some((folder, Kind::Folder)), ..WebhookChange::default() };
    assert!(matches!(desk.tree.change_webhook(&anna, second, taken.clone()).await, Err(Error::AlreadyExists(_))));
    desk.tree.change_webhook(&anna, first, taken).await.expect("its own");
    let change = WebhookChange {
        address: Some("https://other.example.com/".to_owned()),
        triggers: Some([Trigger::FolderMoved].into_iter().collect()),
        ..WebhookChange::default()
    };
    let changed = desk.tree.change_webhook(&anna, first, change).await.expect("changed").webhook;
    assert_eq!((changed.address.as_str(), changed.item), ("https://other.example.com/", folder));
    assert!(changed.triggers.has(Trigger::FolderMoved) && !changed.triggers.has(Trigger::FileUploaded));

    for stranger in [&other, &with(anna.app.expect("an app"), &desk.ben)] {
        assert!(matches!(desk.tree.webhook(stranger, first).await, Err(Error::NotFound)));
        let change = desk.tree.change_webhook(stranger, first, WebhookChange::default()).await;
        assert!(matches!(change, Err(Error::NotFound)));
        assert!(matches!(desk.tree.remove_webhook(stranger, first).await, Err(Error::NotFound)));
    }
    desk.tree.remove_webhook(&anna, first).await.expect("removed");
    assert!(matches!(desk.tree.remove_webhook(&anna, first).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.webhook(&anna, first).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn only_what_may_be_seen_has_a_webhook_and_only_an_application_makes_one() {
    let desk = Desk::new().await;
    let app = desk.stage.app().await;
    let (anna, ben) = (with(app, &desk.anna), with(app, &desk.ben));
    let folder = desk.folder(desk.root, "folder").await;
    let make = async |caller: &Caller, new: NewWebhook| desk.tree.create_webhook(caller, new).await.map(drop);
    let good = || new(folder, Kind::Folder, &[Trigger::FileUploaded]);
    assert!(matches!(make(&ben, good()).await, Err(Error::NotFound)));
    assert!(matches!(make(&desk.anna, good()).await, Err(Error::Forbidden)));
    assert!(matches!(desk.tree.webhooks(&desk.anna, None, 10).await, Err(Error::Forbidden)));
    let confined = Caller { confined: Some(folder), ..anna.clone() };
    assert!(matches!(make(&confined, good()).await, Err(Error::Forbidden)));
    let blind = Caller { scopes: Scopes::UPLOAD, ..anna.clone() };
    assert!(matches!(make(&blind, good()).await, Err(Error::Forbidden)));
    assert!(matches!(make(&anna, new(folder, Kind::File, &[Trigger::FileMoved])).await, Err(Error::NotFound)));
    assert!(matches!(make(&anna, new(folder, Kind::Folder, &[])).await, Err(Error::Invalid(_))));
    assert!(matches!(make(&anna, new(desk.root, Kind::Folder, &[Trigger::FileMoved])).await, Err(Error::Invalid(_))));
    let long = NewWebhook { address: "x".repeat(WEBHOOK_ADDRESS_BYTES_MAX + 1), ..good() };
    assert!(matches!(make(&anna, long).await, Err(Error::Invalid(_))));
    // A viewer may: nothing of the item changes.
    share(&desk, folder, Role::Viewer).await;
    make(&ben, good()).await.expect("a webhook");
    desk.trash(folder, Kind::Folder).await;
    assert!(matches!(make(&anna, good()).await, Err(Error::Trashed)));
}

#[tokio::test]
async fn a_folder_s_webhook_is_told_of_what_happens_in_it_and_below() {
    let desk = Desk::new().await;
    let anna = with(desk.stage.app().await, &desk.anna);
    let folder = desk.folder(desk.root, "folder").await;
    let elsewhere = desk.folder(desk.root, "elsewhere").await;
    let before = desk.file(folder, "before", b"x").await.item.id;
    let all: Vec<Trigger> = Trigger::ALL.into_iter().collect();
    let hook = hook(&desk, &anna, folder, Kind::Folder, &all).await;
    // What happened before is not told, though nobody had looked at it.
    assert_eq!(told(&desk).await, Vec::<String>::new());

    let below = desk.folder(folder, "below").await;
    let file = desk.file(below, "file", b"x").await.item.id;
    desk.file(elsewhere, "other", b"x").await;
    desk.version(file, b"y").await;
    desk.update(file, Kind::File, renamed("new name")).await.expect("renamed");
    desk.update(before, Kind::File, moved(below)).await.expect("moved");
    desk.trash(file, Kind::File).await;
    let seen = |trigger: Trigger, item| format!("{hook} {trigger:?} {item} seen");
    assert_eq!(
        told(&desk).await,
        [
            seen(Trigger::FolderCreated, below),
            seen(Trigger::FileUploaded, file),
            seen(Trigger::FileUploaded, file),
            seen(Trigger::FileRenamed, file),
            seen(Trigger::FileMoved, before),
            seen(Trigger::FileTrashed, file),
        ]
    );
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    desk.finish_purge(file).await;
    assert_eq!(told(&desk).await, [format!("{hook} {:?} {file} gone", Trigger::FileDeleted)]);
    assert!(desk.stage.database.read(|tx| items::by_id(tx, file)).expect("read").is_none());
    // Whoever looks again finds nothing new.
    assert_eq!(told(&desk).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_item_s_webhook_ends_with_it_and_says_so() {
    let desk = Desk::new().await;
    let anna = with(desk.stage.app().await, &desk.anna);
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let triggers = [Trigger::FileTrashed, Trigger::FileDeleted, Trigger::WebhookDeleted, Trigger::FileLocked];
    let hook = hook(&desk, &anna, file, Kind::File, &triggers).await;
    desk.file(desk.root, "other", b"x").await;
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    desk.finish_purge(file).await;
    let word = |trigger: Trigger| format!("{hook} {trigger:?} {file} gone");
    let expected = [Trigger::FileTrashed, Trigger::FileDeleted, Trigger::WebhookDeleted].map(word);
    assert_eq!(told(&desk).await, expected);
    assert!(matches!(desk.tree.webhook(&anna, hook).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn who_sees_it_no_more_is_told_no_more() {
    let desk = Desk::new().await;
    let app = desk.stage.app().await;
    let ben = with(app, &desk.ben);
    let folder = desk.folder(desk.root, "folder").await;
    let role = share(&desk, folder, Role::Viewer).await;
    let hook = hook(&desk, &ben, folder, Kind::Folder, &[Trigger::FileUploaded, Trigger::CollaborationRemoved]).await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    assert_eq!(told(&desk).await, [format!("{hook} FileUploaded {file} seen")]);
    desk.tree.remove_collaboration(&desk.anna, role).await.expect("removed");
    desk.file(folder, "second", b"x").await;
    assert_eq!(told(&desk).await, Vec::<String>::new());
    // It is theirs still, and of use again when they see it again.
    share(&desk, folder, Role::Viewer).await;
    let third = desk.file(folder, "third", b"x").await.item.id;
    assert_eq!(told(&desk).await, [format!("{hook} FileUploaded {third} seen")]);
    desk.stage.deactivate(desk.ben.user).await;
    desk.file(folder, "fourth", b"x").await;
    assert_eq!(told(&desk).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_an_application_had_goes_with_it() {
    let desk = Desk::new().await;
    let id = desk.stage.app().await;
    let anna = with(id, &desk.anna);
    let folder = desk.folder(desk.root, "folder").await;
    hook(&desk, &anna, folder, Kind::Folder, &[Trigger::FileUploaded]).await;
    desk.file(folder, "file", b"x").await;
    desk.stage.identity.remove_app(desk.stage.enterprise, &id.to_string()).await.expect("removed");
    assert!(desk.tree.webhooks(&anna, None, 10).await.expect("a page").entries.is_empty());
    assert_eq!(told(&desk).await, Vec::<String>::new());
}

#[tokio::test]
async fn an_application_that_somebody_shuts_out_is_told_nothing_of_theirs() {
    let desk = Desk::new().await;
    let app = desk.stage.app().await;
    let (anna, ben) = (with(app, &desk.anna), with(app, &desk.ben));
    let folder = desk.folder(desk.root, "folder").await;
    share(&desk, folder, Role::Viewer).await;
    hook(&desk, &anna, folder, Kind::Folder, &[Trigger::FileUploaded]).await;
    let theirs = hook(&desk, &ben, folder, Kind::Folder, &[Trigger::FileUploaded]).await;
    desk.stage.identity.withdraw(desk.anna.user, app).await.expect("withdrawn");
    let file = desk.file(folder, "file", b"x").await.item.id;
    assert_eq!(told(&desk).await, [format!("{theirs} FileUploaded {file} seen")]);
    assert!(desk.tree.webhooks(&anna, None, 10).await.expect("a page").entries.is_empty());
}

#[tokio::test]
async fn of_many_who_look_at_a_time_each_thing_is_told_once() {
    let desk = Desk::new().await;
    let anna = with(desk.stage.app().await, &desk.anna);
    let folder = desk.folder(desk.root, "folder").await;
    let hook = hook(&desk, &anna, folder, Kind::Folder, &[Trigger::FileUploaded]).await;
    let mut files = Vec::new();
    for number in 0..130 {
        files.push(desk.file(folder, &format!("file {number}"), b"x").await.item.id);
    }
    while desk.tree.place_events().await.expect("placed") {}
    let looks = (0..8).map(|_| desk.tree.tell_webhooks(line));
    for look in futures_util::future::join_all(looks).await {
        look.expect("a look");
    }
    let expected: Vec<String> = files.iter().map(|file| format!("{hook} FileUploaded {file} seen")).collect();
    assert_eq!(told(&desk).await, expected);
    let triggers: Triggers = desk.tree.webhook(&anna, hook).await.expect("it").webhook.triggers;
    assert!(!triggers.is_empty());
}

#[tokio::test]
async fn what_goes_with_its_folder_has_no_webhook_any_more() {
    let desk = Desk::new().await;
    let anna = with(desk.stage.app().await, &desk.anna);
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let stays = desk.file(desk.root, "stays", b"x").await.item.id;
    let lost = hook(&desk, &anna, file, Kind::File, &[Trigger::FileDeleted]).await;
    let kept = hook(&desk, &anna, stays, Kind::File, &[Trigger::FileDeleted]).await;
    desk.trash(folder, Kind::Folder).await;
    desk.tree.purge(&desk.anna, folder, Kind::Folder).await.expect("purged");
    desk.finish_purge(folder).await;
    while desk.tree.place_events().await.expect("placed") {}
    desk.tree.remove_lost_webhooks().await.expect("looked");
    assert!(desk.tree.webhook(&anna, lost).await.is_ok(), "what has happened was not followed yet");
    told(&desk).await;
    desk.tree.remove_lost_webhooks().await.expect("removed");
    assert!(matches!(desk.tree.webhook(&anna, lost).await, Err(Error::NotFound)));
    assert!(desk.tree.webhook(&anna, kept).await.is_ok());
}
