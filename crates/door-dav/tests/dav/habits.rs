//! What programs do that the RFC does not ask for, and what other doors do meanwhile.

use crate::harness::Client;
use axum::body::Body;
use bytes::Bytes;
use entente_model::{ItemName, UserRole};
use entente_tree::{ItemChange, Kind, NameRule, Path, Recursive, Want};
use futures_util::stream;

/// Finder writes a file in five steps, and looks for its companions.
#[tokio::test]
async fn finder_copies_a_file() {
    let client = Client::new().await;
    for companion in ["/dav/._film.mov", "/dav/.DS_Store"] {
        client.send("PROPFIND", companion, &[("depth", "0")], "").await.expect(404);
    }
    client.send("PUT", "/dav/film.mov", &[("content-length", "0")], "").await.expect(201);
    let locked = client.lock("/dav/film.mov", "exclusive", &[("timeout", "Second-600")]).await;
    let held = format!("({})", locked.expect(200).token());
    let pieces = ["first ", "second"].map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())));
    let chunked = Body::from_stream(stream::iter(pieces));
    let headers = [("x-expected-entity-length", "12"), ("if", held.as_str())];
    client.send("PUT", "/dav/film.mov", &headers, chunked).await.expect(204);
    client.send("PUT", "/dav/._film.mov", &[], "resource fork").await.expect(201);
    client.send("UNLOCK", "/dav/film.mov", &[("lock-token", &locked.token())], "").await.expect(204);
    assert_eq!(client.get("/dav/film.mov").await.body, "first second");
    assert_eq!(client.hrefs("/dav/", "1").await, ["/dav/", "/dav/._film.mov", "/dav/film.mov"]);
}

/// Explorer asks for everything, without a body, and for the root without a slash.
#[tokio::test]
async fn explorer_looks_around() {
    let client = Client::new().await;
    client.mkcol("/dav/Folder").await;
    let found = client.find("/dav", "1", "").await;
    assert_eq!(found.iter().map(|said| said.href.as_str()).collect::<Vec<_>>(), ["/dav/", "/dav/Folder/"]);
    assert!(found[1].element("{DAV:}resourcetype").dav("collection").is_some());
    client.send("HEAD", "/dav/Folder", &[], "").await.expect(200);
}

#[tokio::test]
async fn locks_and_properties_stay_with_what_another_door_renames() {
    let client = Client::new().await;
    client.mkcol("/dav/f").await;
    client.put("/dav/f/a", "x").await;
    client.patch("/dav/f/a", "<d:set><d:prop><x xmlns='urn:x'>1</x></d:prop></d:set>").await.expect(207);
    let token = client.lock("/dav/f/a", "exclusive", &[]).await.token();
    let (caller, tree) = (client.stage.caller(client.user, UserRole::Admin), &client.stage.tree);
    let root = tree.root(&caller).await.unwrap();
    let names = [ItemName::new("f").unwrap(), ItemName::new("a").unwrap()];
    let folder = tree.at(&caller, Path { base: root, names: &names[..1] }, Want::Folder).await.unwrap().view.item.id;
    let file = tree.at(&caller, Path { base: root, names: &names }, Want::File).await.unwrap().view.item.id;
    let renamed = |text: &str| ItemChange { name: Some(ItemName::new(text).unwrap()), ..ItemChange::default() };
    tree.update(&caller, folder, Kind::Folder, renamed("g"), NameRule::CaseInsensitive).await.unwrap();
    tree.update(&caller, file, Kind::File, renamed("b"), NameRule::CaseInsensitive).await.unwrap();
    let refused = client.send("PUT", "/dav/g/b", &[], "y").await.refused(423, "lock-token-submitted");
    assert_eq!(refused.dav("href").unwrap().text(), "/dav/g/b");
    client.send("PUT", "/dav/g/b", &[("if", &format!("({token})"))], "y").await.expect(204);
    assert_eq!(client.ask("/dav/g/b", "<x xmlns='urn:x'/>").await.text("{urn:x}x"), "1");
    // What is gone for good has left nothing behind.
    tree.trash_item(&caller, file, Kind::File, Recursive::No, None).await.unwrap();
    client.get("/dav/g/b").await.expect(404);
    tree.purge(&caller, file, Kind::File).await.unwrap();
    assert!(!tree.has_locks(&caller).unwrap());
}

#[tokio::test]
async fn a_folder_that_only_keys_need_is_one_like_others_here() {
    let client = Client::new().await;
    let (caller, tree) = (client.stage.caller(client.user, UserRole::Admin), &client.stage.tree);
    let root = tree.root(&caller).await.unwrap();
    let put = |names: Vec<ItemName>| {
        let (caller, tree) = (&caller, tree);
        async move {
            let put = entente_tree::PutAt {
                size_max: 10,
                content_created_at: None,
                content_modified_at: None,
                expected_sha1: None,
                folders: entente_tree::Folders::Imply,
                rule: NameRule::Exact,
                expect: entente_tree::Expect::Anything,
                versioning: entente_tree::Versioning::Always,
                finish: Box::new(|| Ok(entente_tree::Finished::default())),
            };
            let body = stream::iter([Ok::<_, entente_tree::BoxError>(Bytes::from_static(b"key"))]);
            tree.put_at(caller, Path { base: root, names: &names }, put, body).await.unwrap();
        }
    };
    let names = |texts: &[&str]| texts.iter().map(|text| ItemName::new(*text).unwrap()).collect::<Vec<_>>();
    put(names(&["bucket", "a", "b"])).await;
    put(names(&["bucket", "a"])).await;
    put(names(&["bucket", "a", "", "c"])).await;
    // A file beside a folder of the same name, which a slash tells apart.
    assert_eq!(client.hrefs("/dav/bucket", "1").await, ["/dav/bucket/", "/dav/bucket/a", "/dav/bucket/a/"]);
    assert_eq!(client.get("/dav/bucket/a").await.body, "key");
    assert_eq!(client.hrefs("/dav/bucket/a/", "1").await, ["/dav/bucket/a/", "/dav/bucket/a/b"]);
    client.send("MKCOL", "/dav/bucket/a/", &[], "").await.expect(201);
    client.send("MKCOL", "/dav/bucket/a/", &[], "").await.expect(405);
    client.send("DELETE", "/dav/bucket/a", &[], "").await.expect(204);
    assert_eq!(client.get("/dav/bucket/a/b").await.body, "key");
}
