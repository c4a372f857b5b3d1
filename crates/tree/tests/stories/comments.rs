//! Comments: who says what, who reads it, and what becomes of it.

use crate::desk::{Desk, moved};
use entente_model::{Caller, CommentId, ItemId, Role, Scopes, UserId, UserRole};
use entente_tree::{
    CommentOn, CommentView, CopyTo, Error, Invitee, Kind, Message, NameRule, NewCollaboration, OwnedContent, RestoreTo,
};

fn plain(text: &str) -> Message {
    Message::Plain(text.to_owned())
}

async fn say(desk: &Desk, by: &Caller, file: ItemId, text: &str) -> Result<CommentView, Error> {
    desk.tree.comment(by, CommentOn::File(file), plain(text)).await
}

pub async fn give(desk: &Desk, item: ItemId, to: &Caller, role: Role) {
    let invitee = Invitee::User(to.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited");
}

async fn texts(desk: &Desk, file: ItemId) -> Vec<String> {
    let page = desk.tree.comments(&desk.anna, file, 0, 1_000).await.expect("comments");
    assert_eq!(page.total_count, page.entries.len() as u64);
    page.entries.iter().map(CommentView::message).collect()
}

#[tokio::test]
async fn what_is_said_is_read_changed_and_removed() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item;
    let first = say(&desk, &desk.anna, file.id, "one").await.expect("said").comment;
    assert_eq!((first.item, first.is_reply, first.is_tagged), (file.id, false, false));
    let reply = desk.tree.comment(&desk.anna, CommentOn::Comment(first.id), plain("two")).await.expect("said").comment;
    assert_eq!((reply.item, reply.is_reply), (file.id, true));
    assert_eq!(texts(&desk, file.id).await, ["one", "two"]);
    let page = desk.tree.comments(&desk.anna, file.id, 1, 1).await.expect("a page");
    assert_eq!((page.entries[0].comment.id, page.total_count), (reply.id, 2));
    assert_eq!(desk.tree.comment_by_id(&desk.anna, reply.id).await.expect("read").comment, reply);
    let changed = desk.tree.change_comment(&desk.anna, first.id, Some(plain("new"))).await.expect("changed").comment;
    assert_eq!((changed.message.as_str(), changed.created_at), ("new", first.created_at));
    let same = desk.tree.change_comment(&desk.anna, first.id, None).await.expect("nothing").comment;
    assert_eq!(same, changed);
    // The file itself has not changed, and tells how many there are.
    let seen = desk.see(file.id, Kind::File).await.expect("seen").item;
    assert_eq!((seen.sequence, seen.comments), (file.sequence, 2));
    desk.tree.remove_comment(&desk.anna, first.id).await.expect("removed");
    assert!(matches!(desk.tree.remove_comment(&desk.anna, first.id).await, Err(Error::NotFound)));
    let answer = desk.tree.comment(&desk.anna, CommentOn::Comment(first.id), plain("late")).await;
    assert!(matches!(answer, Err(Error::NotFound)));
    assert_eq!(texts(&desk, file.id).await, ["two"]);
    assert_eq!(desk.see(file.id, Kind::File).await.expect("seen").item.comments, 1);
}

#[tokio::test]
async fn who_may_look_at_a_file_reads_and_says() {
    for (role, may) in [
        (Role::Uploader, false),
        (Role::Previewer, true),
        (Role::Viewer, true),
        (Role::PreviewerUploader, true),
        (Role::Editor, true),
    ] {
        let desk = Desk::new().await;
        let file = desk.file(desk.root, "file", b"x").await.item.id;
        let annas = say(&desk, &desk.anna, file, "anna's").await.expect("said").comment.id;
        assert!(matches!(desk.tree.comment_by_id(&desk.ben, annas).await, Err(Error::NotFound)), "{role:?}");
        give(&desk, file, &desk.ben, role).await;
        let forbidden = |outcome: Result<(), Error>| matches!(outcome, Err(Error::Forbidden));
        assert_eq!(say(&desk, &desk.ben, file, "ben's").await.is_ok(), may, "{role:?}");
        assert_eq!(desk.tree.comments(&desk.ben, file, 0, 10).await.is_ok(), may, "{role:?}");
        assert_eq!(desk.tree.comment_by_id(&desk.ben, annas).await.is_ok(), may, "{role:?}");
        // What somebody else has said is theirs.
        assert!(forbidden(desk.tree.change_comment(&desk.ben, annas, Some(plain("x"))).await.map(drop)));
        assert!(forbidden(desk.tree.remove_comment(&desk.ben, annas).await));
    }
}

#[tokio::test]
async fn who_manages_a_file_removes_what_others_say() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    give(&desk, file, &desk.ben, Role::Viewer).await;
    let bens = say(&desk, &desk.ben, file, "ben's").await.expect("said").comment.id;
    assert!(matches!(desk.tree.change_comment(&desk.anna, bens, Some(plain("x"))).await, Err(Error::Forbidden)));
    let reader = Caller { scopes: Scopes::READ, ..desk.ben.clone() };
    desk.tree.comment_by_id(&reader, bens).await.expect("read");
    assert!(matches!(desk.tree.remove_comment(&reader, bens).await, Err(Error::Forbidden)));
    assert!(matches!(say(&desk, &reader, file, "x").await, Err(Error::Forbidden)));
    desk.tree.remove_comment(&desk.anna, bens).await.expect("removed");
}

#[tokio::test]
async fn users_are_mentioned_whom_one_may_know() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let stranger = desk.stage.outsider("dora@elsewhere.example", "Elsewhere").await;
    let tagged = |user: UserId| Message::Tagged(format!("see @[{user}:Them], please"));
    let said = desk.tree.comment(&desk.anna, CommentOn::File(file), tagged(desk.ben.user)).await.expect("said");
    assert_eq!(said.message(), "see Them, please");
    assert_eq!(said.tagged_message(), format!("see @[{}:Them], please", desk.ben.user));
    for nobody in [stranger, UserId::new(12)] {
        let outcome = desk.tree.comment(&desk.anna, CommentOn::File(file), tagged(nobody)).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
        let outcome = desk.tree.change_comment(&desk.anna, said.comment.id, Some(tagged(nobody))).await;
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    }
    // Without being a mention it is a text like others.
    let Message::Tagged(text) = tagged(stranger) else { unreachable!() };
    assert_eq!(say(&desk, &desk.anna, file, &text).await.expect("said").message(), text);
    let many: String = (1..=101).map(|number| format!("@[{number}:x]")).collect();
    let outcome = desk.tree.comment(&desk.anna, CommentOn::File(file), Message::Tagged(many)).await;
    assert!(matches!(outcome, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn a_message_is_neither_empty_nor_endless() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let longest = "ü".repeat(10_000);
    for bad in [String::new(), " \n".to_owned(), format!("{longest}x"), "a\0b".to_owned()] {
        assert!(matches!(say(&desk, &desk.anna, file, &bad).await, Err(Error::Invalid(_))));
    }
    say(&desk, &desk.anna, file, &longest).await.expect("said");
    // Only files have comments.
    let folder = desk.folder(desk.root, "folder").await;
    assert!(matches!(say(&desk, &desk.anna, folder, "x").await, Err(Error::NotFound)));
    let nothing = desk.tree.comment(&desk.anna, CommentOn::Comment(CommentId::new(7)), plain("x")).await;
    assert!(matches!(nothing, Err(Error::NotFound)));
}

#[tokio::test]
async fn comments_go_with_their_file_and_not_with_copies() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(desk.root, "file", b"x").await.item.id;
    let said = say(&desk, &desk.anna, file, "one").await.expect("said").comment.id;
    desk.update(file, Kind::File, moved(folder)).await.expect("moved");
    assert_eq!(texts(&desk, file).await, ["one"]);
    let to = CopyTo { parent: desk.root, name: None, version: None };
    let copy = desk.tree.copy(&desk.anna, file, Kind::File, to, NameRule::CaseInsensitive).await.expect("copied");
    assert_eq!(copy.item.comments, 0);
    assert_eq!(texts(&desk, copy.item.id).await, [""; 0]);
    let below = CopyTo { parent: desk.root, name: Some(crate::desk::name("other")), version: None };
    let copy =
        desk.tree.copy(&desk.anna, folder, Kind::Folder, below, NameRule::CaseInsensitive).await.expect("copied");
    let listed = entente_tree::ListQuery::by_name(entente_tree::Page::Offset { offset: 0, limit: 10 });
    let inside = desk.tree.list(&desk.anna, copy.item.id, listed).await.expect("a listing");
    assert!(inside.entries.iter().all(|one| one.item.comments == 0));

    desk.trash(file, Kind::File).await;
    assert!(matches!(desk.tree.comment_by_id(&desk.anna, said).await, Err(Error::Trashed)));
    assert!(matches!(say(&desk, &desk.anna, file, "x").await, Err(Error::Trashed)));
    desk.tree
        .restore(&desk.anna, file, Kind::File, RestoreTo::default(), NameRule::CaseInsensitive)
        .await
        .expect("back");
    assert_eq!(texts(&desk, file).await, ["one"]);
    desk.trash(file, Kind::File).await;
    desk.tree.purge(&desk.anna, file, Kind::File).await.expect("purged");
    assert!(matches!(desk.tree.comment_by_id(&desk.anna, said).await, Err(Error::NotFound)));
    let left = desk.stage.database.read(|tx| entente_database::comments::of_item(tx, file, 0, 10)).expect("read");
    assert_eq!(left, []);
    desk.check_books();
}

#[tokio::test]
async fn what_somebody_has_said_outlives_them_and_another_owner() {
    let desk = Desk::new().await;
    let shared = desk.folder(desk.root, "shared").await;
    let file = desk.file(shared, "file", b"x").await.item.id;
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = desk.stage.caller(carol, UserRole::User);
    give(&desk, shared, &carol, Role::Viewer).await;
    say(&desk, &carol, file, "carol's").await.expect("said");
    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);
    desk.tree.delete_user(&admin, carol.user, OwnedContent::Purge).await.expect("removed");
    let page = desk.tree.comments(&desk.anna, file, 0, 10).await.expect("comments");
    assert_eq!(page.entries[0].created_by.name, "Carol");
    // The file goes to Ben, with what is said of it.
    give(&desk, shared, &desk.ben, Role::Editor).await;
    let theirs = desk.tree.root(&desk.ben).await.expect("a root");
    desk.tree.update(&desk.ben, file, Kind::File, moved(theirs), NameRule::CaseInsensitive).await.expect("moved");
    let page = desk.tree.comments(&desk.ben, file, 0, 10).await.expect("comments");
    assert_eq!((page.total_count, page.entries[0].message().as_str()), (1, "carol's"));
}
