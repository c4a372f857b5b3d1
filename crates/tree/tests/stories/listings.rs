use crate::desk::{Desk, renamed};
use entente_model::{ItemId, Timestamp};
use entente_tree::{ItemChange, Kind, ListQuery, Listing, Marker, Page, SortBy, SortOrder};

async fn list(desk: &Desk, folder: ItemId, query: ListQuery) -> Listing {
    desk.tree.list(&desk.anna, folder, query).await.expect("a listing")
}

fn names(listing: &Listing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.item.name.as_str()).collect()
}

#[tokio::test]
async fn folders_come_first_then_names_without_regard_to_case() {
    let desk = Desk::new().await;
    for text in ["b", "A", "Ä", "ß", "z"] {
        desk.file(desk.root, text, text.as_bytes()).await;
    }
    for text in ["y", "X"] {
        desk.folder(desk.root, text).await;
    }
    let all = list(&desk, desk.root, ListQuery::by_name(Page::Offset { offset: 0, limit: 100 })).await;
    assert_eq!(names(&all), ["X", "y", "A", "b", "z", "ß", "Ä"]);
    assert_eq!((all.total_count, all.next), (Some(7), None));
    let entry = &all.entries[3];
    assert_eq!(entry.version.as_ref().map(|version| version.size), Some(1));
    assert_eq!((entry.path.len(), entry.owner.name.as_str()), (1, "Anna"));
}

#[tokio::test]
async fn pages_by_marker_and_by_offset_see_everything_once() {
    let desk = Desk::new().await;
    let folder = desk.folder(desk.root, "f").await;
    for number in 0..57 {
        if number % 3 == 0 {
            desk.folder(folder, &format!("{number}")).await;
        } else {
            desk.file(folder, &format!("{number}"), b"").await;
        }
    }
    let whole = desk.names(folder).await;
    assert_eq!(whole.len(), 57);
    for limit in [1, 10, 19, 56, 57, 58] {
        let (mut seen, mut marker) = (Vec::new(), None);
        loop {
            let page = list(&desk, folder, ListQuery::by_name(Page::After { marker, limit })).await;
            seen.extend(names(&page).into_iter().map(str::to_owned));
            // As it goes out to a client and comes back.
            marker = page.next.map(|next| Marker::from_text(&next.to_text()).expect("ours"));
            if marker.is_none() {
                break;
            }
            assert_eq!(page.entries.len(), usize::try_from(limit).expect("small"));
        }
        assert_eq!(seen, whole);
        let mut seen = Vec::new();
        for offset in (0..60).step_by(usize::try_from(limit).expect("small")) {
            let page = list(&desk, folder, ListQuery::by_name(Page::Offset { offset, limit })).await;
            assert_eq!(page.total_count, Some(57));
            seen.extend(names(&page).into_iter().map(str::to_owned));
        }
        assert_eq!(seen, whole);
    }
    let past = list(&desk, folder, ListQuery::by_name(Page::Offset { offset: 10_001, limit: 5 })).await;
    assert!(past.entries.is_empty());
}

#[tokio::test]
async fn a_marker_stays_good_when_its_item_goes() {
    let desk = Desk::new().await;
    for text in ["a", "b", "c", "d"] {
        desk.file(desk.root, text, b"").await;
    }
    let page = list(&desk, desk.root, ListQuery::by_name(Page::After { marker: None, limit: 2 })).await;
    let last = page.entries[1].item.id;
    desk.update(last, Kind::File, renamed("zz")).await.expect("renamed");
    desk.file(desk.root, "bb", b"").await;
    let next = list(&desk, desk.root, ListQuery::by_name(Page::After { marker: page.next, limit: 10 })).await;
    assert_eq!(names(&next), ["bb", "c", "d", "zz"]);
}

#[tokio::test]
async fn other_orders_sort_within_kinds() {
    let desk = Desk::new().await;
    for (text, size, modified) in [("b", 3, 10), ("c", 1, 30), ("a", 2, 20)] {
        let id = desk.file(desk.root, text, &vec![0; size]).await.item.id;
        let change =
            ItemChange { content_modified_at: Some(Timestamp::from_millis(modified)), ..ItemChange::default() };
        desk.update(id, Kind::File, change).await.expect("changed");
    }
    desk.folder(desk.root, "z").await;
    let cases = [
        (SortBy::Name, SortOrder::Ascending, ["z", "a", "b", "c"]),
        (SortBy::Name, SortOrder::Descending, ["z", "c", "b", "a"]),
        (SortBy::Id, SortOrder::Ascending, ["z", "b", "c", "a"]),
        (SortBy::Id, SortOrder::Descending, ["z", "a", "c", "b"]),
        (SortBy::Size, SortOrder::Ascending, ["z", "c", "a", "b"]),
        (SortBy::Size, SortOrder::Descending, ["z", "b", "a", "c"]),
        (SortBy::Date, SortOrder::Ascending, ["z", "b", "a", "c"]),
        (SortBy::Date, SortOrder::Descending, ["z", "c", "a", "b"]),
    ];
    for (by, order, expected) in cases {
        let query = ListQuery { order: (by, order), page: Page::Offset { offset: 0, limit: 10 } };
        assert_eq!(names(&list(&desk, desk.root, query).await), expected, "{by:?} {order:?}");
        let query = ListQuery { order: (by, order), page: Page::Offset { offset: 1, limit: 2 } };
        assert_eq!(names(&list(&desk, desk.root, query).await), expected[1..3], "{by:?} {order:?}");
    }
}

/// What makes a page of a folder of a million items as quick as one of a small folder. SQLite plans without looking at
/// how much there is; PostgreSQL would read a table as small as this one whole.
#[tokio::test]
async fn a_page_is_a_walk_along_the_index() {
    if entente_testkit::is_on_server() {
        return;
    }
    let desk = Desk::new().await;
    let plan = desk.stage.database.read(entente_database::items::explain_page).expect("a plan");
    insta::assert_snapshot!(plan.join("\n"), @r"
    SEARCH i USING INDEX items_by_name (parent_id=? AND kind=? AND name_folded=? AND id>?)
    SEARCH v USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
    SEARCH i USING INDEX items_by_name (parent_id=? AND (kind,name_folded)>(?,?))
    SEARCH v USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN
    ");
}
