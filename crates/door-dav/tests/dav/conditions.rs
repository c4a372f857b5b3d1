//! What a request makes its work depend on.

use crate::harness::Client;

#[tokio::test]
async fn a_change_needs_the_etag_it_names() {
    let client = Client::new().await;
    let first = client.put("/dav/a", "one").await;
    let put = |headers: Vec<(&'static str, String)>, content: &'static str| {
        let client = &client;
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            client.send("PUT", "/dav/a", &headers, content).await
        }
    };
    let second = put(vec![("if-match", first.clone())], "two").await;
    second.expect(204);
    put(vec![("if-match", first.clone())], "three").await.expect(412);
    put(vec![("if-match", format!("W/{}", second.header("etag")))], "three").await.expect(412);
    put(vec![("if-none-match", "*".to_owned())], "three").await.expect(412);
    put(vec![("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned())], "three").await.expect(412);
    put(vec![("if", format!("([{first}])"))], "three").await.expect(412);
    assert_eq!(client.get("/dav/a").await.body, "two");
    put(vec![("if", format!("([{first}]) (Not <DAV:no-lock> [{}])", second.header("etag")))], "three")
        .await
        .expect(204);
    client.send("PUT", "/dav/b", &[("if-none-match", "*")], "x").await.expect(201);
    client.send("PUT", "/dav/c", &[("if-match", "*")], "x").await.expect(412);
    client.send("DELETE", "/dav/b", &[("if-match", "\"x\"")], "").await.expect(412);
    client.send("MKCOL", "/dav/c", &[("if-none-match", "*")], "").await.expect(201);
    client.send("MOVE", "/dav/b", &[("destination", "/dav/d"), ("if-match", "\"x\"")], "").await.expect(412);
}

#[tokio::test]
async fn a_copy_that_is_current_is_not_sent_again() {
    let client = Client::new().await;
    let etag = client.put("/dav/a", "one").await;
    let got = client.send("GET", "/dav/a", &[("if-none-match", &etag)], "").await;
    assert_eq!((got.status.as_u16(), got.body.len(), got.header("etag")), (304, 0, etag.as_str()));
    let modified = client.get("/dav/a").await.header("last-modified").to_owned();
    assert_eq!(client.send("GET", "/dav/a", &[("if-modified-since", &modified)], "").await.status, 304);
    assert_eq!(
        client.send("HEAD", "/dav/a", &[("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")], "").await.status,
        200
    );
    assert_eq!(client.send("GET", "/dav/a", &[("if-match", "\"x\"")], "").await.status, 412);
}

#[tokio::test]
async fn another_resource_can_be_named() {
    let client = Client::new().await;
    let etag = client.put("/dav/a", "one").await;
    for (header, status) in [
        (format!("</dav/a> ([{etag}])"), 204),
        (format!("<https://files.acme.example/dav/a> ([{etag}])"), 204),
        (format!("<https://elsewhere.example/dav/a> ([{etag}])"), 412),
        (format!("</dav/b> ([{etag}])"), 412),
        ("</dav/missing> (Not [\"x\"])".to_owned(), 204),
    ] {
        client.put("/dav/b", "x").await;
        let answer = client.send("PUT", "/dav/b", &[("if", &header)], "y").await;
        assert_eq!(answer.status, status, "{header}: {answer:?}");
    }
}

#[tokio::test]
async fn each_change_makes_another_etag() {
    let client = Client::new().await;
    let mut seen = std::collections::HashSet::new();
    for number in 0..5 {
        assert!(seen.insert(client.put("/dav/a", &number.to_string()).await));
    }
    client.send("MOVE", "/dav/a", &[("destination", "/dav/b")], "").await.expect(201);
    assert!(seen.insert(client.get("/dav/b").await.header("etag").to_owned()));
}
