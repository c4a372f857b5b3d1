//! `PROPFIND`.

use crate::harness::Client;
use entente_model::{ItemName, UserRole};
use entente_tree::{NameRule, NewFolder, Path};

#[tokio::test]
async fn an_item_its_children_or_everything_below() {
    let client = Client::new().await;
    client.mkcol("/dav/a").await;
    client.mkcol("/dav/a/b").await;
    client.put("/dav/a/b/deep", "x").await;
    client.put("/dav/a/%C3%A4 %26%3C.txt".replace(' ', "%20").as_str(), "x").await;
    client.put("/dav/z", "x").await;
    assert_eq!(client.hrefs("/dav/a", "0").await, ["/dav/a/"]);
    assert_eq!(client.hrefs("/dav/a/", "1").await, ["/dav/a/", "/dav/a/b/", "/dav/a/%C3%A4%20%26%3C.txt"]);
    let all = ["/dav/", "/dav/a/", "/dav/z", "/dav/a/b/", "/dav/a/%C3%A4%20%26%3C.txt", "/dav/a/b/deep"];
    assert_eq!(client.hrefs("/dav", "infinity").await, all);
    assert_eq!(client.hrefs("/dav", "").await.len(), 6, "no depth is every depth");
    assert_eq!(client.hrefs("/dav/z", "infinity").await, ["/dav/z"]);
    client.send("PROPFIND", "/dav/missing", &[("depth", "0")], "").await.expect(404);
    client.send("PROPFIND", "/dav/", &[("depth", "2")], "").await.expect(400);
}

#[tokio::test]
async fn what_is_asked_for_is_told() {
    let client = Client::new().await;
    let etag = client.put("/dav/a.txt", "12345").await;
    let asked = "<resourcetype/><getcontentlength/><getetag/><getcontenttype/><nothing/><odd xmlns='urn:x'/>";
    let file = client.ask("/dav/a.txt", asked).await;
    assert_eq!(file.text("{DAV:}getcontentlength"), "5");
    assert_eq!(file.text("{DAV:}getetag"), etag);
    assert_eq!(file.text("{DAV:}getcontenttype"), "text/plain");
    assert!(file.element("{DAV:}resourcetype").elements().next().is_none());
    assert_eq!((file.status("{DAV:}nothing"), file.status("{urn:x}odd")), (404, 404));
    let folder = client.ask("/dav/", asked).await;
    assert!(folder.element("{DAV:}resourcetype").dav("collection").is_some());
    assert_eq!(folder.status("{DAV:}getcontentlength"), 404);
    let names = client.find("/dav/a.txt", "0", "<propfind xmlns='DAV:'><propname/></propfind>").await;
    assert!(names[0].names().contains(&"{DAV:}getetag") && names[0].text("{DAV:}getetag").is_empty());
    let all = client.find("/dav/a.txt", "0", "<propfind xmlns='DAV:'><allprop/></propfind>").await;
    assert_eq!(all[0].text("{DAV:}displayname"), "a.txt");
    assert_eq!(all[0].status("{DAV:}quota-used-bytes"), 0);
    let more = "<propfind xmlns='DAV:'><allprop/><include><quota-used-bytes/></include></propfind>";
    assert_eq!(client.find("/dav/", "0", more).await[0].text("{DAV:}quota-used-bytes"), "5");
}

#[tokio::test]
async fn a_long_listing_comes_in_pieces_and_in_order() {
    let client = Client::new().await;
    client.mkcol("/dav/many").await;
    let caller = client.stage.caller(client.user, UserRole::Admin);
    let root = client.stage.tree.root(&caller).await.unwrap();
    let many = [ItemName::new("many").unwrap()];
    let path = Path { base: root, names: &many };
    let folder = client.stage.tree.at(&caller, path, entente_tree::Want::Folder).await.unwrap().view.item.id;
    for number in 0..2_300 {
        let new = NewFolder::named(ItemName::new(format!("f{number:05}")).unwrap());
        client.stage.tree.create_folder(&caller, folder, new, NameRule::CaseSensitive).await.unwrap();
    }
    let found = client.hrefs("/dav/many/", "1").await;
    assert_eq!(found.len(), 2_301);
    assert!(found[1..].is_sorted() && found[1] == "/dav/many/f00000/" && found[2_300] == "/dav/many/f02299/");
    assert_eq!(client.hrefs("/dav/many/", "infinity").await.len(), 2_301);
}

#[tokio::test]
async fn a_search_without_end_has_a_limit() {
    let client = Client::new().await;
    client.mkcol("/dav/many").await;
    // A folder, copied with what is in it, doubles what there is.
    for number in 0..10 {
        client.mkcol(&format!("/dav/many/{number}")).await;
    }
    for round in 0..10 {
        let destination = format!("/dav/many/copy{round}");
        client.send("COPY", "/dav/many", &[("destination", "/dav/staged")], "").await.expect(201);
        client.send("MOVE", "/dav/staged", &[("destination", &destination)], "").await.expect(201);
    }
    let refused = client.send("PROPFIND", "/dav/many", &[("depth", "infinity")], "").await;
    refused.refused(403, "propfind-finite-depth");
    assert_eq!(client.hrefs("/dav/many", "1").await.len(), 21);
}

#[tokio::test]
async fn names_that_no_url_can_say_are_left_out() {
    let client = Client::new().await;
    let caller = client.stage.caller(client.user, UserRole::Admin);
    let root = client.stage.tree.root(&caller).await.unwrap();
    for text in ["", ".", "..", "ok", "line\nbreak", "\u{1}"] {
        let new = NewFolder::named(ItemName::new(text).unwrap());
        client.stage.tree.create_folder(&caller, root, new, NameRule::CaseSensitive).await.unwrap();
    }
    assert_eq!(client.hrefs("/dav/", "1").await, ["/dav/", "/dav/%01/", "/dav/line%0Abreak/", "/dav/ok/"]);
    assert_eq!(client.ask("/dav/%01/", "<displayname/>").await.text("{DAV:}displayname"), "\u{fffd}");
}

#[tokio::test]
async fn a_piece_of_an_answer_is_bounded_in_bytes() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    let value = "v".repeat(200 << 10);
    for number in 0..24 {
        client.mkcol(&format!("/dav/f/{number:02}")).await;
        let set = format!("<d:set><d:prop><x xmlns='urn:x'>{value}</x></d:prop></d:set>");
        client.patch(&format!("/dav/f/{number:02}"), &set).await.expect(207);
        client.put(&format!("/dav/f/{number:02}/in"), "x").await;
    }
    for (depth, count) in [("1", 25), ("infinity", 49)] {
        let body = "<propfind xmlns='DAV:'><prop><x xmlns='urn:x'/></prop></propfind>";
        let answer = client.send("PROPFIND", "/dav/f", &[("depth", depth)], body).await;
        assert!(answer.longest_piece < 2 << 20, "{}", answer.longest_piece);
        let said = answer.said();
        let mut hrefs: Vec<_> = said.iter().map(|said| said.href.clone()).collect();
        if depth == "1" {
            assert!(hrefs.is_sorted(), "{hrefs:?}");
        }
        hrefs.sort();
        hrefs.dedup();
        assert_eq!((said.len(), hrefs.len()), (count, count));
        assert_eq!(said.iter().filter(|said| said.status("{urn:x}x") == 200).count(), 24);
    }
}
