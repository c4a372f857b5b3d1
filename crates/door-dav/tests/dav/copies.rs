//! `COPY` and `MOVE`.

use crate::harness::Client;

fn to<'h>(destination: &'h str, overwrite: &'h str) -> [(&'static str, &'h str); 2] {
    [("destination", destination), ("overwrite", overwrite)]
}

#[tokio::test]
async fn a_file_is_copied_and_moved() {
    let client = Client::new().await;
    client.put("/dav/a", "one").await;
    client.send("COPY", "/dav/a", &to("/dav/b", ""), "").await.expect(201);
    client.send("COPY", "/dav/a", &to("https://files.acme.example/dav/b", "F"), "").await.expect(412);
    client.put("/dav/a", "two").await;
    client.send("COPY", "/dav/a", &to("https://files.acme.example/dav/b", "T"), "").await.expect(204);
    assert_eq!(client.get("/dav/b").await.body, "two");
    client.send("MOVE", "/dav/a", &to("/dav/c", ""), "").await.expect(201);
    client.get("/dav/a").await.expect(404);
    client.send("MOVE", "/dav/c", &to("/dav/b", "F"), "").await.expect(412);
    client.put("/dav/c", "three").await;
    client.send("MOVE", "/dav/c", &to("/dav/b", ""), "").await.expect(204);
    assert_eq!(client.get("/dav/b").await.body, "three");
    assert_eq!(client.hrefs("/dav/", "1").await, ["/dav/", "/dav/b"]);
}

#[tokio::test]
async fn a_folder_goes_with_what_is_in_it() {
    let client = Client::new().await;
    client.mkcol("/dav/a").await;
    client.mkcol("/dav/a/in").await;
    client.put("/dav/a/in/file", "x").await;
    client.send("COPY", "/dav/a/", &to("/dav/b/", ""), "").await.expect(201);
    client.send("MOVE", "/dav/a", &to("/dav/c", ""), "").await.expect(201);
    assert_eq!(client.get("/dav/b/in/file").await.body, "x");
    assert_eq!(client.get("/dav/c/in/file").await.body, "x");
    client.get("/dav/a/").await.expect(404);
    let alone = [("destination", "/dav/d"), ("depth", "0")];
    client.send("COPY", "/dav/c", &alone, "").await.expect(201);
    assert_eq!(client.hrefs("/dav/d", "infinity").await, ["/dav/d/"]);
    client.send("COPY", "/dav/c", &alone, "").await.expect(204);
    client.send("COPY", "/dav/c", &[("destination", "/dav/e"), ("depth", "1")], "").await.expect(400);
    client.send("MOVE", "/dav/c", &[("destination", "/dav/e"), ("depth", "0")], "").await.expect(400);
    // A folder in place of another is that other no more.
    client.put("/dav/b/extra", "x").await;
    client.send("COPY", "/dav/c", &to("/dav/b", "T"), "").await.expect(204);
    client.get("/dav/b/extra").await.expect(404);
    assert_eq!(client.get("/dav/b/in/file").await.body, "x");
    client.send("MOVE", "/dav/c", &to("/dav/b", "F"), "").await.expect(412);
    client.send("MOVE", "/dav/c", &to("/dav/b", "T"), "").await.expect(204);
    assert_eq!(client.get("/dav/b/in/file").await.body, "x");
}

#[tokio::test]
async fn a_file_takes_the_place_of_a_folder_and_the_other_way_round() {
    let client = Client::new().await;
    client.mkcol("/dav/folder").await;
    client.put("/dav/folder/in", "x").await;
    client.put("/dav/file", "y").await;
    client.send("COPY", "/dav/file", &to("/dav/folder", ""), "").await.expect(204);
    assert_eq!(client.get("/dav/folder").await.body, "y");
    client.mkcol("/dav/other").await;
    client.send("MOVE", "/dav/other", &to("/dav/folder", ""), "").await.expect(204);
    assert_eq!(client.hrefs("/dav/", "1").await, ["/dav/", "/dav/file", "/dav/folder/"]);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let client = Client::new().await;
    client.mkcol("/dav/a").await;
    client.mkcol("/dav/a/b").await;
    client.put("/dav/a/file", "x").await;
    for (source, destination, status) in [
        ("/dav/a", "/dav/a", 403),
        ("/dav/a", "/dav/a/", 403),
        ("/dav/a", "/dav/a/b/c", 403),
        ("/dav/a/b", "/dav/a", 403),
        ("/dav/", "/dav/x", 403),
        ("/dav/a", "/dav/", 403),
        ("/dav/missing", "/dav/x", 404),
        ("/dav/a/file", "/dav/missing/x", 409),
        ("/dav/a/file", "/dav/a/file/x", 409),
        ("/dav/a/file", "https://elsewhere.example/dav/x", 502),
        ("/dav/a/file", "/other/x", 502),
        ("/dav/a/file", "/dav/../x", 400),
        ("/dav/a/file", "/dav/a%2Fx", 400),
    ] {
        for method in ["COPY", "MOVE"] {
            let answer = client.send(method, source, &to(destination, ""), "").await;
            assert_eq!(answer.status, status, "{method} {source} {destination}: {answer:?}");
        }
    }
    client.send("MOVE", "/dav/a/file", &[], "").await.expect(400);
    client.send("MOVE", "/dav/a/file", &to("/dav/x", "yes"), "").await.expect(400);
    client.send("COPY", "/dav/a/file", &to("/dav/x", ""), "<x/>").await.expect(415);
    assert_eq!(client.get("/dav/a/file").await.body, "x");
}

#[tokio::test]
async fn names_differ_by_their_bytes() {
    let client = Client::new().await;
    client.put("/dav/readme", "a").await;
    client.put("/dav/README", "b").await;
    assert_eq!((client.get("/dav/readme").await.body, client.get("/dav/README").await.body), ("a".into(), "b".into()));
    client.send("MOVE", "/dav/readme", &to("/dav/ReadMe", "F"), "").await.expect(201);
    assert_eq!(client.hrefs("/dav/", "1").await, ["/dav/", "/dav/README", "/dav/ReadMe"]);
}

#[tokio::test]
async fn what_is_replaced_is_unlocked_with_all_that_is_below_it() {
    let client = Client::new().await;
    client.put("/dav/file", "y").await;
    for depth in ["infinity", "0"] {
        client.mkcol("/dav/folder").await;
        client.mkcol("/dav/alone").await;
        let token = client.lock("/dav/folder", "exclusive", &[]).await.token();
        let held = format!("</dav/folder/> ({token})");
        let source = if depth == "0" { "/dav/alone" } else { "/dav/file" };
        client.send("COPY", source, &[("destination", "/dav/folder"), ("depth", depth)], "").await.expect(423);
        client
            .send("COPY", source, &[("destination", "/dav/folder"), ("depth", depth), ("if", &held)], "")
            .await
            .expect(204);
        let said = client.ask("/dav/folder", "<lockdiscovery/>").await;
        assert!(said.element("{DAV:}lockdiscovery").dav("activelock").is_none());
        client.send("DELETE", "/dav/folder", &[], "").await.expect(204);
        client.send("DELETE", "/dav/alone", &[], "").await.expect(204);
    }
}

#[tokio::test]
async fn a_destination_may_be_unencoded() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    client.send("COPY", "/dav/a", &to("/dav/\u{e4}", ""), "").await.expect(201);
    assert_eq!(client.get("/dav/%C3%A4").await.body, "x");
    let etag = client.get("/dav/%C3%A4").await.header("etag").to_owned();
    let depends = format!("</dav/\u{e4}> ([{etag}])");
    client.send("COPY", "/dav/a", &[("destination", "/dav/b"), ("if", &depends)], "").await.expect(201);
}
