//! Search: words find what the caller may see, and nothing else, not even in a count.

use crate::desk::{Desk, RULE};
use entente_model::{Caller, CollaborationId, ItemId, ItemName, Role, UserRole};
use entente_tree::{
    CommentOn, CopyTo, Error, Invitee, ItemChange, Kind, Message, NewCollaboration, Recursive, Search, SearchOrder,
    SearchPlace, SearchTrash, Within,
};

fn of(text: &str) -> Search {
    Search { text: text.to_owned(), limit: 100, ..Search::default() }
}

/// What is found, by name, in the order of names; the count must be that of it.
async fn names(desk: &Desk, who: &Caller, search: Search) -> Vec<String> {
    desk.stage.index().await;
    let page = desk.tree.search(who, search).await.expect("searched");
    assert_eq!(page.total, page.entries.len() as u64);
    let mut names: Vec<_> = page.entries.iter().map(|view| view.item.name.as_str().to_owned()).collect();
    names.sort();
    names
}

async fn share(desk: &Desk, item: ItemId, role: Role) -> CollaborationId {
    let invitee = Invitee::User(desk.ben.user);
    let new = NewCollaboration { item, invitee, role, sees_path: false, access_only: false, expires_at: None };
    desk.tree.invite(&desk.anna, new).await.expect("invited").collaboration.id
}

#[tokio::test]
async fn words_of_names_find_what_one_may_see() {
    let desk = Desk::new().await;
    let (anna, ben) = (&desk.anna, &desk.ben);
    let closed = desk.tree.search(anna, of("x")).await;
    assert!(matches!(closed, Err(Error::Unavailable(_))));
    let folder = desk.folder(desk.root, "Quarterly Reports").await;
    desk.file(folder, "Report_2024-final.pdf", b"x").await;
    desk.file(desk.root, "Übersicht Straße.txt", b"x").await;
    desk.file(desk.root, "四半期会議録.docx", b"x").await;
    assert_eq!(names(&desk, anna, of("report")).await, ["Quarterly Reports", "Report_2024-final.pdf"]);
    for text in ["REPORT final", "final report", "\"report 2024\"", "epor 2024", "2024", "report NOT quarterly", "fin"]
    {
        assert_eq!(names(&desk, anna, of(text)).await, ["Report_2024-final.pdf"], "{text}");
    }
    for text in ["ubersicht", "STRASSE", "strasse OR nothing"] {
        assert_eq!(names(&desk, anna, of(text)).await, ["Übersicht Straße.txt"], "{text}");
    }
    for text in ["四半期", "会議", "会議録", "録", "docx"] {
        assert_eq!(names(&desk, anna, of(text)).await, ["四半期会議録.docx"], "{text}");
    }
    for text in ["議会", "\"final report\"", "\"repor\"", "report nothing", "--", "(\"", "NOT"] {
        assert!(names(&desk, anna, of(text)).await.is_empty(), "{text}");
    }
    // A stranger, and somebody with whom a folder is shared.
    assert!(names(&desk, ben, of("report")).await.is_empty());
    let role = share(&desk, folder, Role::Viewer).await;
    assert_eq!(names(&desk, ben, of("report")).await, ["Quarterly Reports", "Report_2024-final.pdf"]);
    assert!(names(&desk, ben, of("strasse")).await.is_empty());
    desk.tree.remove_collaboration(anna, role).await.expect("removed");
    assert!(names(&desk, ben, of("report")).await.is_empty());
}

#[tokio::test]
async fn the_index_follows_what_happens() {
    let desk = Desk::new().await;
    let anna = &desk.anna;
    let folder = desk.folder(desk.root, "alpha").await;
    let file = desk.file(folder, "beta", b"x").await.item.id;
    assert_eq!(names(&desk, anna, of("beta")).await, ["beta"]);
    let change = ItemChange {
        name: Some(ItemName::new("gamma").unwrap()),
        description: Some("a very long delta".to_owned()),
        tags: Some(vec!["epsilon zeta".to_owned()]),
        ..ItemChange::default()
    };
    desk.update(file, Kind::File, change).await.expect("updated");
    assert!(names(&desk, anna, of("beta")).await.is_empty());
    for text in ["gamma", "delt", "zeta", "\"epsilon zeta\" gamma"] {
        assert_eq!(names(&desk, anna, of(text)).await, ["gamma"], "{text}");
    }
    let only = |places: &[SearchPlace]| Search { places: places.to_vec(), ..of("delta") };
    assert_eq!(names(&desk, anna, only(&[SearchPlace::Description])).await, ["gamma"]);
    assert!(names(&desk, anna, only(&[SearchPlace::Name, SearchPlace::Tags, SearchPlace::Content])).await.is_empty());
    // What comes with a folder has no events of its own.
    let to = CopyTo { parent: desk.root, name: Some(ItemName::new("alpha too").unwrap()), version: None };
    let copy = desk.tree.copy(anna, folder, Kind::Folder, to, RULE).await.expect("copied");
    assert_eq!(names(&desk, anna, of("gamma")).await, ["gamma", "gamma"]);
    desk.trash(copy.item.id, Kind::Folder).await;
    assert_eq!(names(&desk, anna, of("gamma")).await, ["gamma"]);
    // What lies below a trashed folder comes and goes with that folder.
    let within = |trash| Search { trash, ..of("alpha") };
    assert_eq!(names(&desk, anna, within(SearchTrash::Only)).await, ["alpha too"]);
    assert_eq!(names(&desk, anna, within(SearchTrash::With)).await.len(), 2);
    let by = |user| Search { trashers: vec![user], ..within(SearchTrash::Only) };
    assert_eq!(names(&desk, anna, by(anna.user)).await.len(), 1);
    assert!(names(&desk, anna, by(desk.ben.user)).await.is_empty());
    let late = Within { from: Some(desk.stage.world.now()), upto: None };
    assert!(names(&desk, anna, Search { trashed: late, ..within(SearchTrash::Only) }).await.is_empty());
    desk.tree.trash_item(anna, file, Kind::File, Recursive::Yes, None).await.expect("trashed");
    assert!(names(&desk, anna, of("gamma")).await.is_empty());
}

#[tokio::test]
async fn what_narrows_down() {
    let desk = Desk::new().await;
    let (anna, ben) = (&desk.anna, &desk.ben);
    let folder = desk.folder(desk.root, "word").await;
    let inner = desk.folder(folder, "inner").await;
    let small = desk.file(folder, "word.TXT", b"1").await;
    desk.file(inner, "word two.pdf", b"12345").await;
    let all = ["word", "word two.pdf", "word.TXT"];
    assert_eq!(names(&desk, anna, of("word")).await, all);
    let kind = |kind| Search { kind: Some(kind), ..of("word") };
    assert_eq!(names(&desk, anna, kind(Kind::Folder)).await, ["word"]);
    assert_eq!(names(&desk, anna, kind(Kind::File)).await, ["word two.pdf", "word.TXT"]);
    let extension = Search { extensions: vec!["txt".to_owned(), "doc".to_owned()], ..of("word") };
    assert_eq!(names(&desk, anna, extension).await, ["word.TXT"]);
    let size = |from, upto| Search { size: Within { from, upto }, ..of("word") };
    assert_eq!(names(&desk, anna, size(Some(2), None)).await, ["word two.pdf"]);
    assert_eq!(names(&desk, anna, size(Some(1), Some(1))).await, ["word.TXT"]);
    let at = small.item.created_at;
    let created = |from, upto| Search { created: Within { from, upto }, ..of("word") };
    assert_eq!(names(&desk, anna, created(Some(at), Some(at))).await, ["word.TXT"]);
    let modified = Search { modified: Within { from: Some(desk.stage.world.now()), upto: None }, ..of("word") };
    assert!(names(&desk, anna, modified).await.is_empty());
    let below = |folder| Search { ancestors: vec![folder], ..of("word") };
    assert_eq!(names(&desk, anna, below(inner)).await, ["word two.pdf"]);
    assert_eq!(names(&desk, anna, below(folder)).await, ["word two.pdf", "word.TXT"]);
    assert!(matches!(desk.tree.search(ben, below(folder)).await, Err(Error::NotFound)));
    share(&desk, folder, Role::Editor).await;
    let owner = |owner| Search { owners: vec![owner], ..of("word") };
    assert_eq!(names(&desk, ben, owner(anna.user)).await, all);
    assert!(names(&desk, ben, owner(ben.user)).await.is_empty());
    let updater = |user| Search { updaters: vec![user], ..of("word") };
    assert!(names(&desk, anna, updater(ben.user)).await.is_empty());
    let change = ItemChange { description: Some("new".to_owned()), ..ItemChange::default() };
    desk.tree.update(ben, small.item.id, Kind::File, change, RULE).await.expect("updated");
    assert_eq!(names(&desk, anna, updater(ben.user)).await, ["word.TXT"]);
    let by_date = |order| Search { order, limit: 1, kind: Some(Kind::File), ..of("word") };
    let last = desk.tree.search(anna, by_date(SearchOrder::LatestFirst)).await.unwrap();
    assert_eq!((last.entries[0].item.name.as_str(), last.total), ("word.TXT", 2));
    let first = desk.tree.search(anna, by_date(SearchOrder::EarliestFirst)).await.unwrap();
    assert_eq!(first.entries[0].item.name.as_str(), "word two.pdf");
    let long = Search { extensions: vec!["x".to_owned(); 1_001], ..of("word") };
    assert!(matches!(desk.tree.search(anna, long).await, Err(Error::Invalid(_))));
    assert!(matches!(desk.tree.search(anna, of(&"w ".repeat(65))).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn page_by_page_everything_comes_once() {
    let desk = Desk::new().await;
    for number in 0..25 {
        desk.file(desk.root, &format!("thing {number}"), b"x").await;
        let theirs = desk.tree.root(&desk.ben).await.unwrap();
        let new = crate::desk::new_file(&format!("thing {number}"));
        desk.tree.upload(&desk.ben, theirs, new, RULE, crate::desk::body(b"x")).await.unwrap();
    }
    desk.stage.index().await;
    let mut found = std::collections::BTreeSet::new();
    for offset in [0, 10, 20, 30] {
        let search = Search { offset, limit: 10, ..of("thing") };
        let page = desk.tree.search(&desk.anna, search).await.unwrap();
        assert_eq!(page.total, 25);
        assert_eq!(page.entries.len(), [10, 10, 5, 0][offset as usize / 10]);
        found.extend(page.entries.iter().map(|view| view.item.id));
    }
    assert_eq!(found.len(), 25);
}

#[tokio::test]
async fn comments_find_what_they_are_on_for_those_who_read_them() {
    let desk = Desk::new().await;
    let (anna, ben) = (&desk.anna, &desk.ben);
    let file = desk.file(desk.root, "plain", b"x").await.item.id;
    let message = Message::Plain("quite confidential".to_owned());
    desk.tree.comment(anna, CommentOn::File(file), message).await.expect("commented");
    assert_eq!(names(&desk, anna, of("confidential")).await, ["plain"]);
    // Who may only see that the file is there does not learn what is said of it.
    let role = share(&desk, file, Role::Uploader).await;
    assert!(names(&desk, ben, of("confidential")).await.is_empty());
    assert!(names(&desk, ben, Search { places: vec![SearchPlace::Comments], ..of("confidential") }).await.is_empty());
    assert_eq!(names(&desk, ben, of("plain NOT confidential")).await, ["plain"]);
    desk.tree.remove_collaboration(anna, role).await.expect("removed");
    share(&desk, file, Role::Viewer).await;
    assert_eq!(names(&desk, ben, of("confidential")).await, ["plain"]);
}

#[tokio::test]
async fn nothing_on_the_disk_can_be_read_and_what_is_of_no_use_is_made_anew() {
    let desk = Desk::new().await;
    let name = "Unmistakable";
    desk.file(desk.root, name, b"x").await;
    assert_eq!(names(&desk, &desk.anna, of("unmistakable")).await, [name]);
    let folder = desk.stage.words().join("words").join("files");
    let mut files = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        files += 1;
        for word in ["nmistakable", "NMISTAKABLE", "segments", "terms"] {
            assert!(!bytes.windows(word.len()).any(|some| some == word.as_bytes()), "{word} in {}", path.display());
        }
    }
    assert!(files > 3, "{files} files");
    // Another process finds it as it was; one that finds it damaged makes it anew.
    let again = |desk: &Desk| {
        entente_tree::Tree::new(desk.stage.world.clone(), desk.stage.database.clone(), desk.stage.vault.clone())
    };
    for damage in [false, true] {
        if damage {
            std::fs::write(folder.join("meta.json"), b"nonsense").unwrap();
        }
        let tree = again(&desk);
        let words = desk.stage.words().join("words");
        while tree.index_words(&words).await.expect("indexed").may_go_on() {}
        let page = tree.search(&desk.anna, of("unmistakable")).await.expect("searched");
        assert_eq!(page.total, 1);
    }
}

#[tokio::test]
async fn somebody_of_another_enterprise_finds_what_is_shared_alone() {
    let desk = Desk::new().await;
    let user = desk.stage.outsider("olga@elsewhere.example", "Olga").await;
    let mut olga = desk.stage.caller(user, UserRole::User);
    olga.enterprise = entente_model::EnterpriseId::new(77);
    let file = desk.file(desk.root, "shared plan", b"x").await.item.id;
    desk.file(desk.root, "own plan", b"x").await;
    assert!(names(&desk, &olga, of("plan")).await.is_empty());
    let new = NewCollaboration {
        item: file,
        invitee: Invitee::Login("olga@elsewhere.example".to_owned()),
        role: Role::Viewer,
        sees_path: false,
        access_only: false,
        expires_at: None,
    };
    let view = desk.tree.invite(&desk.anna, new).await.expect("invited").collaboration;
    let accept = entente_tree::CollaborationChange {
        status: Some(entente_tree::CollaborationStatus::Accepted),
        ..entente_tree::CollaborationChange::default()
    };
    if view.status != entente_tree::CollaborationStatus::Accepted {
        desk.tree.change_collaboration(&olga, view.id, accept).await.expect("accepted");
    }
    assert_eq!(names(&desk, &olga, of("plan")).await, ["shared plan"]);
}
