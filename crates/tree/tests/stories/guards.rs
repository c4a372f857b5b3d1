//! What stands in the way of changes: locked folders, locked files, watermarks.

use crate::comments::give;
use crate::desk::{Desk, RULE, body, moved, name, new_version, renamed};
use crate::paths::{names, s3_remove};
use entente_model::{Caller, ItemId, Rights, Role, Timestamp, UserRole};
use entente_tree::{
    CopyTo, Error, FileLockWish, ItemChange, Kind, ListQuery, OwnedContent, Page, Path, Recursive, RemoveAt, RestoreTo,
    Want, WatermarkMade,
};

fn is_locked<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Locked))
}

fn is_forbidden<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Forbidden))
}

fn locked(desk: &Desk, prevents_downloads: bool, expires_at: Option<Timestamp>) -> ItemChange {
    let wish = FileLockWish { id: desk.tree.next_file_lock(), expires_at, prevents_downloads };
    ItemChange { lock: Some(Some(wish)), ..ItemChange::default() }
}

fn unlocked() -> ItemChange {
    ItemChange { lock: Some(None), ..ItemChange::default() }
}

async fn change(desk: &Desk, by: &Caller, file: ItemId, change: ItemChange) -> Result<(), Error> {
    desk.tree.update(by, file, Kind::File, change, RULE).await.map(drop)
}

#[tokio::test]
async fn a_locked_folder_stays_where_it_is() {
    let desk = Desk::new().await;
    let above = desk.folder(desk.root, "above").await;
    let folder = desk.folder(above, "folder").await;
    let below = desk.folder(folder, "below").await;
    let other = desk.folder(desk.root, "other").await;
    let lock = desk.tree.lock_folder(&desk.anna, folder).await.expect("locked").lock;
    assert!(matches!(desk.tree.lock_folder(&desk.anna, folder).await, Err(Error::AlreadyExists(_))));
    let found = desk.tree.folder_lock(&desk.anna, folder).await.expect("looked");
    assert_eq!(found.map(|view| (view.lock, view.folder.item.id)), Some((lock, folder)));
    assert!(desk.tree.folder_lock(&desk.anna, below).await.expect("looked").is_none());

    let trash = async |item| desk.tree.trash_item(&desk.anna, item, Kind::Folder, Recursive::Yes, None).await;
    assert!(is_locked(&trash(folder).await));
    assert!(is_locked(&trash(above).await));
    assert!(is_locked(&desk.update(folder, Kind::Folder, moved(other)).await));
    // By its path as well.
    let at = names("above");
    let all = RemoveAt { recursive: Recursive::Yes, ..s3_remove() };
    let removed = desk.tree.remove_at(&desk.anna, Path { base: desk.root, names: &at }, Want::Folder, all).await;
    assert!(is_locked(&removed), "{:?}", removed.err());
    // Its name, what is in it, and where the folder above it is, are something else.
    desk.update(folder, Kind::Folder, renamed("renamed")).await.expect("renamed");
    desk.update(below, Kind::Folder, moved(other)).await.expect("moved");
    desk.update(above, Kind::Folder, moved(other)).await.expect("moved");
    trash(below).await.expect("into the trash");
    // It goes to nobody else either.
    give(&desk, above, &desk.ben, Role::CoOwner).await;
    let theirs = desk.tree.root(&desk.ben).await.expect("a root");
    let taken = desk.tree.update(&desk.anna, above, Kind::Folder, moved(theirs), RULE).await;
    assert!(taken.is_err());
    desk.tree.unlock_folder(&desk.anna, lock.id).await.expect("unlocked");
    assert!(matches!(desk.tree.unlock_folder(&desk.anna, lock.id).await, Err(Error::NotFound)));
    trash(other).await.expect("into the trash");
    desk.check_books();
}

#[tokio::test]
async fn who_manages_a_folder_locks_it() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let lock = desk.tree.lock_folder(&desk.anna, folder).await.expect("locked").lock;
    assert!(matches!(desk.tree.unlock_folder(&desk.ben, lock.id).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.folder_lock(&desk.ben, folder).await, Err(Error::NotFound)));
    assert!(matches!(desk.tree.lock_folder(&desk.ben, folder).await, Err(Error::NotFound)));
    give(&desk, folder, &desk.ben, Role::Editor).await;
    assert!(is_forbidden(&desk.tree.unlock_folder(&desk.ben, lock.id).await));
    assert!(is_forbidden(&desk.tree.folder_lock(&desk.ben, folder).await));
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = desk.stage.caller(carol, UserRole::User);
    give(&desk, folder, &carol, Role::CoOwner).await;
    desk.tree.unlock_folder(&carol, lock.id).await.expect("unlocked");
    assert_eq!(desk.tree.lock_folder(&carol, folder).await.expect("locked").created_by.id, carol.user);
    assert!(is_forbidden(&desk.tree.lock_folder(&desk.anna, desk.root).await));
    let file = desk.file(folder, "file", b"x").await.item.id;
    assert!(matches!(desk.tree.lock_folder(&desk.anna, file).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_locked_file_is_changed_by_whoever_locked_it_alone() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let other = desk.folder(desk.root, "other").await;
    let file = desk.file(folder, "file", b"one").await;
    let (file, first) = (file.item.id, file.version.expect("a version").id);
    desk.version(file, b"two").await;
    for item in [folder, other] {
        give(&desk, item, &desk.ben, Role::Editor).await;
    }
    change(&desk, &desk.ben, file, locked(&desk, false, None)).await.expect("locked");
    let seen = desk.see(file, Kind::File).await.expect("seen");
    let lock = seen.lock.expect("a lock");
    assert_eq!((lock.created_by.id, lock.lock.prevents_downloads), (desk.ben.user, false));

    let (tree, anna) = (&desk.tree, &desk.anna);
    assert!(is_locked(&change(&desk, anna, file, renamed("x")).await));
    assert!(is_locked(&change(&desk, anna, file, moved(other)).await));
    assert!(is_locked(&tree.trash_item(anna, file, Kind::File, Recursive::No, None).await));
    assert!(is_locked(&tree.upload_version(anna, file, new_version(), RULE, body(b"three")).await));
    assert!(is_locked(&tree.promote(anna, file, first, RULE).await));
    assert!(is_locked(&tree.remove_version(anna, file, first).await));
    assert!(is_locked(&change(&desk, anna, file, locked(&desk, false, None)).await));
    // Through paths it is the same.
    let at = names("folder/file");
    let removed = tree.remove_at(anna, Path { base: desk.root, names: &at }, Want::File, s3_remove()).await;
    assert!(is_locked(&removed), "{:?}", removed.err());
    // To read it, and to copy it, nobody is hindered.
    assert_eq!(desk.content(file).await, b"two");
    let to = CopyTo { parent: other, name: None, version: None };
    let copy = tree.copy(anna, file, Kind::File, to, RULE).await.expect("copied");
    assert!(copy.lock.is_none() && !copy.item.guard.locked);
    change(&desk, anna, copy.item.id, renamed("mine")).await.expect("renamed");

    change(&desk, &desk.ben, file, renamed("theirs")).await.expect("renamed");
    tree.upload_version(&desk.ben, file, new_version(), RULE, body(b"three")).await.expect("a version");
    // Who owns the file has the last word.
    change(&desk, anna, file, unlocked()).await.expect("unlocked");
    change(&desk, anna, file, unlocked()).await.expect("it is so already");
    change(&desk, anna, file, locked(&desk, false, None)).await.expect("locked");
    assert!(is_locked(&change(&desk, &desk.ben, file, unlocked()).await));
    tree.trash_item(anna, file, Kind::File, Recursive::No, None).await.expect("into the trash");
    tree.purge(anna, file, Kind::File).await.expect("purged");
    let left = desk.stage.database.read(|tx| entente_database::guards::file_lock(tx, file)).expect("read");
    assert_eq!(left, None);
    desk.check_books();
}

#[tokio::test]
async fn a_lock_may_keep_readers_out_and_ends_when_it_was_to() {
    let desk = Desk::new().await;
    let file = desk.file(desk.root, "file", b"one").await.item.id;
    give(&desk, file, &desk.ben, Role::Editor).await;
    let now = desk.stage.world.now();
    let past = locked(&desk, true, Some(now));
    assert!(matches!(change(&desk, &desk.ben, file, past).await, Err(Error::Invalid(_))));
    let soon = now.after(std::time::Duration::from_secs(2));
    change(&desk, &desk.ben, file, locked(&desk, true, Some(soon))).await.expect("locked");
    assert!(is_locked(&desk.tree.open(&desk.anna, file, None).await));
    let to = CopyTo { parent: desk.root, name: Some(name("copy")), version: None };
    assert!(is_locked(&desk.tree.copy(&desk.anna, file, Kind::File, to, RULE).await));
    let whole = CopyTo { parent: desk.folder(desk.root, "copies").await, name: None, version: None };
    let around = desk.folder(desk.root, "around").await;
    change(&desk, &desk.ben, file, unlocked()).await.expect("unlocked");
    desk.update(file, Kind::File, moved(around)).await.expect("moved");
    change(&desk, &desk.ben, file, locked(&desk, true, Some(soon))).await.expect("locked");
    assert!(is_locked(&desk.tree.copy(&desk.anna, around, Kind::Folder, whole, RULE).await));
    desk.tree.open(&desk.ben, file, None).await.expect("opened");
    // Nobody but its holder locks it again before that.
    assert!(is_locked(&change(&desk, &desk.anna, file, locked(&desk, false, None)).await));
    while desk.stage.world.now() <= soon {
        desk.stage.world.sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(!desk.tree.expire_file_locks().await.expect("expired"));
    desk.tree.open(&desk.anna, file, None).await.expect("opened");
    assert!(desk.see(file, Kind::File).await.expect("seen").lock.is_none());
    let folder = desk.folder(desk.root, "folder").await;
    let change = desk.tree.update(&desk.anna, folder, Kind::Folder, locked(&desk, false, None), RULE).await;
    assert!(matches!(change, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn viewers_do_not_take_along_what_is_watermarked() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let plain = desk.file(folder, "plain", b"x").await.item.id;
    give(&desk, folder, &desk.ben, Role::Viewer).await;
    let editor = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let editor = desk.stage.caller(editor, UserRole::User);
    give(&desk, folder, &editor, Role::Editor).await;
    let tree = &desk.tree;
    assert!(is_forbidden(&tree.watermark(&desk.ben, file, Kind::File).await));
    assert!(matches!(tree.watermark_of(&desk.ben, file, Kind::File).await, Err(Error::NotFound)));
    assert!(matches!(tree.watermark(&editor, file, Kind::File).await, Ok(WatermarkMade::New(_))));
    assert!(matches!(tree.watermark(&editor, file, Kind::File).await, Ok(WatermarkMade::Again(_))));
    tree.watermark_of(&desk.ben, file, Kind::File).await.expect("a watermark");
    assert!(is_forbidden(&tree.open(&desk.ben, file, None).await));
    tree.open(&desk.ben, plain, None).await.expect("opened");
    for may in [&desk.anna, &editor] {
        tree.open(may, file, None).await.expect("opened");
    }
    // Wherever it is shown, it is shown so.
    let listed = tree.list(&desk.ben, folder, ListQuery::by_name(Page::Offset { offset: 0, limit: 10 })).await;
    let rights = |view: &entente_tree::ItemView| view.rights.contains(Rights::DOWNLOAD);
    let listed: Vec<bool> = listed.expect("a listing").entries.iter().map(rights).collect();
    assert_eq!(listed, [false, true]);
    assert!(!rights(&tree.item(&desk.ben, file, Kind::File).await.expect("seen")));

    tree.watermark(&desk.anna, folder, Kind::Folder).await.expect("watermarked");
    assert!(is_forbidden(&tree.open(&desk.ben, plain, None).await));
    let seen = tree.item(&desk.ben, plain, Kind::File).await.expect("seen");
    assert!(seen.watermark_inherited && !seen.item.guard.watermarked && !rights(&seen));
    let to = CopyTo { parent: tree.root(&desk.ben).await.expect("a root"), name: None, version: None };
    assert!(is_forbidden(&tree.copy(&desk.ben, plain, Kind::File, to, RULE).await));
    tree.remove_watermark(&desk.anna, folder, Kind::Folder).await.expect("removed");
    assert!(matches!(tree.remove_watermark(&desk.anna, folder, Kind::Folder).await, Err(Error::NotFound)));
    tree.open(&desk.ben, plain, None).await.expect("opened");
    // It goes into the trash and comes back with the file.
    desk.trash(file, Kind::File).await;
    tree.restore(&desk.anna, file, Kind::File, RestoreTo::default(), RULE).await.expect("back");
    assert!(is_forbidden(&tree.open(&desk.ben, file, None).await));
}

#[tokio::test]
async fn who_may_look_inside_may_see_pictures_but_none_without_the_watermark() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item;
    let tree = &desk.tree;
    assert!(matches!(tree.preview(&desk.ben, file.id).await, Err(Error::NotFound)));
    let mut people = Vec::new();
    for (login, role) in [("previewer", Role::Previewer), ("uploader", Role::Uploader), ("editor", Role::Editor)] {
        let person = desk.stage.person(&format!("{login}@example.com"), login, UserRole::User).await;
        let person = desk.stage.caller(person, UserRole::User);
        give(&desk, folder, &person, role).await;
        people.push(person);
    }
    let [previewer, uploader, editor] = people.as_slice() else { panic!("three people") };
    for may in [&desk.anna, previewer, editor] {
        let Ok(previewed) = tree.preview(may, file.id).await else { panic!("no preview") };
        assert_eq!((Some(previewed.opened.version.id), previewed.watermark), (file.version, None));
    }
    assert!(is_forbidden(&tree.preview(uploader, file.id).await));
    assert!(matches!(tree.preview(previewer, folder).await, Err(Error::NotFound)));

    // A lock keeps the content, not what it looks like.
    change(&desk, &desk.anna, file.id, locked(&desk, true, None)).await.expect("locked");
    assert!(tree.preview(editor, file.id).await.is_ok());
    assert!(is_locked(&tree.open(editor, file.id, None).await));

    tree.watermark(&desk.anna, folder, Kind::Folder).await.expect("watermarked");
    let named = tree.preview(previewer, file.id).await.expect("previewed").watermark;
    assert_eq!(named.as_deref(), Some("previewer@example.com"));
    assert!(is_forbidden(&tree.preview(uploader, file.id).await));
    for may in [&desk.anna, editor] {
        assert_eq!(tree.preview(may, file.id).await.expect("previewed").watermark, None);
    }
    change(&desk, &desk.anna, file.id, unlocked()).await.expect("unlocked");
    desk.trash(file.id, Kind::File).await;
    assert!(matches!(tree.preview(&desk.anna, file.id).await, Err(Error::Trashed)));
}

#[tokio::test]
async fn strangers_know_of_no_lock_and_no_watermark() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let file = desk.file(folder, "file", b"x").await.item.id;
    let lock = desk.tree.lock_folder(&desk.anna, folder).await.expect("locked").lock.id;
    let (tree, ben) = (&desk.tree, &desk.ben);
    let hidden = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::NotFound)), "{outcome:?}");
    hidden(tree.lock_folder(ben, folder).await.map(drop));
    hidden(tree.folder_lock(ben, folder).await.map(drop));
    hidden(tree.unlock_folder(ben, lock).await);
    hidden(tree.watermark(ben, file, Kind::File).await.map(drop));
    hidden(tree.watermark_of(ben, file, Kind::File).await.map(drop));
    hidden(tree.remove_watermark(ben, file, Kind::File).await);
    hidden(change(&desk, ben, file, locked(&desk, false, None)).await);
    hidden(change(&desk, ben, file, unlocked()).await);
}

#[tokio::test]
async fn who_leaves_leaves_no_lock_in_the_way() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "folder").await;
    let below = desk.folder(folder, "below").await;
    let (own, others) =
        (desk.file(desk.root, "own", b"x").await.item.id, desk.file(folder, "others", b"x").await.item.id);
    let lock = desk.tree.lock_folder(&desk.anna, below).await.expect("locked").lock.id;
    change(&desk, &desk.anna, own, locked(&desk, true, None)).await.expect("locked");
    let carol = desk.stage.person("carol@example.com", "Carol", UserRole::User).await;
    let carol = desk.stage.caller(carol, UserRole::User);
    give(&desk, folder, &carol, Role::Editor).await;
    change(&desk, &carol, others, locked(&desk, false, None)).await.expect("locked");
    let admin = desk.stage.person("admin@example.com", "Admin", UserRole::Admin).await;
    let admin = desk.stage.caller(admin, UserRole::Admin);

    // Whoever goes takes their locks along.
    desk.tree.delete_user(&admin, carol.user, OwnedContent::Purge).await.expect("removed");
    while !desk.tree.purge_user_batch(carol.user).await.expect("a batch") {}
    change(&desk, &desk.anna, others, renamed("free")).await.expect("renamed");

    // All that somebody has goes to another; what is locked in it stays so.
    let given = desk.tree.transfer_content(&admin, desk.anna.user, desk.ben.user).await.expect("transferred").item.id;
    let owner = desk.tree.item(&desk.ben, below, Kind::Folder).await.expect("seen").owner.id;
    assert_eq!(owner, desk.ben.user);
    let removed = desk.tree.trash_item(&desk.ben, given, Kind::Folder, Recursive::Yes, None).await;
    assert!(is_locked(&removed));
    desk.tree.unlock_folder(&desk.ben, lock).await.expect("unlocked");
    change(&desk, &desk.ben, own, unlocked()).await.expect("unlocked");
    desk.tree.trash_item(&desk.ben, given, Kind::Folder, Recursive::Yes, None).await.expect("into the trash");
    desk.check_books();
}
