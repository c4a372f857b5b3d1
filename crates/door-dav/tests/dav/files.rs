//! Files and folders: in, out, and away.

use crate::harness::Client;
use axum::body::Body;
use bytes::Bytes;
use entente_model::{ItemName, UserRole};
use entente_tree::{Facts, Path};
use futures_util::stream;

#[tokio::test]
async fn a_file_comes_back_as_it_was_put() {
    let client = Client::new().await;
    let made = client.send("PUT", "/dav/%C3%9Cbersicht.pdf", &[], "hello").await;
    made.expect(201);
    assert!(made.header("etag").starts_with('"') && !made.header("etag").starts_with("W/"));
    let got = client.get("/dav/%C3%9Cbersicht.pdf").await;
    assert_eq!((got.status.as_u16(), &got.body[..]), (200, &b"hello"[..]));
    assert_eq!(got.header("etag"), made.header("etag"));
    assert_eq!(got.header("content-type"), "application/pdf");
    assert_eq!(got.header("accept-ranges"), "bytes");
    assert_eq!(got.header("content-security-policy"), "sandbox");
    assert_eq!(got.header("oc-checksum"), "SHA1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
    let head = client.send("HEAD", "/dav/%C3%9Cbersicht.pdf", &[], "").await;
    assert_eq!(head.header("etag"), made.header("etag"));
    let again = client.send("PUT", "/dav/%C3%9Cbersicht.pdf", &[], "hello again").await;
    again.expect(204);
    assert_ne!(again.header("etag"), made.header("etag"));
    assert_eq!(client.get("/dav/%C3%9Cbersicht.pdf").await.body, "hello again");
}

#[tokio::test]
async fn a_large_and_an_empty_file_come_back() {
    let client = Client::new().await;
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    client.send("PUT", "/dav/large", &[], content.clone()).await.expect(201);
    assert!(client.get("/dav/large").await.body == content);
    client.send("PUT", "/dav/empty", &[], "").await.expect(201);
    let empty = client.get("/dav/empty").await;
    assert_eq!((empty.status.as_u16(), empty.body.len()), (200, 0));
}

#[tokio::test]
async fn ranges_are_answered_one_or_several() {
    let client = Client::new().await;
    let etag = client.put("/dav/a.txt", "0123456789").await;
    let get = |headers: Vec<(&'static str, String)>| {
        let client = &client;
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            client.send("GET", "/dav/a.txt", &headers, "").await
        }
    };
    let part = get(vec![("range", "bytes=2-4".to_owned())]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"234"[..]));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    let beyond = get(vec![("range", "bytes=10-".to_owned())]).await;
    assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, "bytes */10"));
    assert_eq!(get(vec![("range", "bytes=2-4".to_owned()), ("if-range", etag)]).await.status, 206);
    assert_eq!(get(vec![("range", "bytes=2-4".to_owned()), ("if-range", "\"x\"".to_owned())]).await.status, 200);
    let several = get(vec![("range", "bytes=0-1,-2".to_owned())]).await;
    several.expect(206);
    let boundary = several.header("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
    let expected = format!(
        "\r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\
         \r\n--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 8-9/10\r\n\r\n89\r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8_lossy(&several.body), expected);
}

#[tokio::test]
async fn folders_are_made_below_folders_that_are_there() {
    let client = Client::new().await;
    client.mkcol("/dav/a").await;
    client.mkcol("/dav/a/b/").await;
    client.send("MKCOL", "/dav/a/", &[], "").await.expect(405);
    client.send("MKCOL", "/dav/missing/b", &[], "").await.expect(409);
    client.send("MKCOL", "/dav/c", &[], "<x/>").await.expect(415);
    client.send("MKCOL", "/dav/", &[], "").await.expect(405);
    client.put("/dav/a/file", "x").await;
    client.send("MKCOL", "/dav/a/file", &[], "").await.expect(405);
    client.send("PUT", "/dav/a/b", &[], "x").await.expect(405);
    client.send("PUT", "/dav/a/b/", &[], "x").await.expect(405);
    client.send("PUT", "/dav/missing/file", &[], "x").await.expect(409);
    client.send("PUT", "/dav/a/file/below", &[], "x").await.expect(409);
    assert_eq!(client.get("/dav/a/").await.status, 200);
    assert_eq!(client.get("/dav/a/file/").await.status, 404);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_in_the_trash() {
    let client = Client::new().await;
    client.mkcol("/dav/a").await;
    client.put("/dav/a/file", "x").await;
    client.send("DELETE", "/dav/a/file", &[], "").await.expect(204);
    client.send("DELETE", "/dav/a/file", &[], "").await.expect(404);
    client.put("/dav/a/file", "y").await;
    client.send("DELETE", "/dav/a", &[("depth", "0")], "").await.expect(400);
    client.send("DELETE", "/dav/a/", &[], "").await.expect(204);
    client.get("/dav/a/file").await.expect(404);
    client.mkcol("/dav/b").await;
    client.send("DELETE", "/dav/b", &[], "").await.expect(204);
    client.send("DELETE", "/dav/", &[], "").await.expect(403);
    let caller = client.stage.caller(client.user, entente_model::UserRole::Admin);
    let query = entente_tree::ListQuery::by_name(entente_tree::Page::Offset { offset: 0, limit: 10 });
    let trash = client.stage.tree.list_trash(&caller, query).await.unwrap();
    assert_eq!(trash.entries.len(), 3);
}

#[tokio::test]
async fn times_are_what_the_client_says() {
    let client = Client::new().await;
    let times = [("x-oc-mtime", "1700000000"), ("x-oc-ctime", "1600000000.5")];
    let put = client.send("PUT", "/dav/a", &times, "x").await;
    assert_eq!((put.header("x-oc-mtime"), put.header("x-oc-ctime")), ("accepted", "accepted"));
    assert_eq!(put.header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
    assert_eq!(client.get("/dav/a").await.header("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
    let said = client.ask("/dav/a", "<creationdate/><getlastmodified/>").await;
    assert_eq!(said.text("{DAV:}creationdate"), "2020-09-13T12:26:40Z");
    assert_eq!(said.text("{DAV:}getlastmodified"), "Tue, 14 Nov 2023 22:13:20 GMT");
    client.send("PUT", "/dav/a", &[("x-oc-mtime", "yesterday")], "x").await.expect(400);
}

#[tokio::test]
async fn checksums_are_kept_or_nothing_is() {
    let client = Client::new().await;
    let good = "SHA1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d MD5:5d41402abc4b2a76b9719d911017c592 ADLER32:062c0215";
    client.send("PUT", "/dav/a", &[("oc-checksum", good)], "hello").await.expect(201);
    let said = client.ask("/dav/a", "<checksums xmlns='http://owncloud.org/ns'/>").await;
    let known = said.element("{http://owncloud.org/ns}checksums").elements().next().unwrap().text();
    assert_eq!(known, "SHA1:aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d MD5:5d41402abc4b2a76b9719d911017c592");
    for bad in [
        "SHA1:0000000000000000000000000000000000000000",
        "MD5:00000000000000000000000000000000",
        "ADLER32:00000001",
        "MD5:x",
    ] {
        client.send("PUT", "/dav/b", &[("oc-checksum", bad)], "hello").await.expect(400);
    }
    client.get("/dav/b").await.expect(404);
}

#[tokio::test]
async fn a_body_that_breaks_off_or_has_another_length_leaves_nothing() {
    let client = Client::new().await;
    let torn = || {
        let pieces = [Ok(Bytes::from_static(b"half")), Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))];
        Body::from_stream(stream::iter(pieces))
    };
    client.send("PUT", "/dav/a", &[], torn()).await.expect(400);
    client.get("/dav/a").await.expect(404);
    client.put("/dav/a", "whole").await;
    client.send("PUT", "/dav/a", &[], torn()).await.expect(400);
    assert_eq!(client.get("/dav/a").await.body, "whole");
    // macOS says in a header of its own how much will come.
    for length in ["4", "6"] {
        client.send("PUT", "/dav/b", &[("x-expected-entity-length", length)], "whole").await.expect(400);
    }
    client.get("/dav/b").await.expect(404);
    client.send("PUT", "/dav/b", &[("x-expected-entity-length", "5")], "whole").await.expect(201);
    client.send("PUT", "/dav/b", &[("content-range", "bytes 0-1/5")], "wh").await.expect(400);
    assert_eq!(client.get("/dav/b").await.body, "whole");
}

#[tokio::test]
async fn a_media_type_that_says_more_than_the_name_is_kept() {
    let client = Client::new().await;
    client.send("PUT", "/dav/a", &[("content-type", "text/x-story")], "x").await.expect(201);
    assert_eq!(client.get("/dav/a").await.header("content-type"), "text/x-story");
    client.send("PUT", "/dav/b.txt", &[("content-type", "application/octet-stream")], "x").await.expect(201);
    assert_eq!(client.get("/dav/b.txt").await.header("content-type"), "text/plain");
}

#[tokio::test]
async fn the_space_that_is_left_is_told_and_kept() {
    let client = Client::new().await;
    let said = client.ask("/dav/", "<quota-used-bytes/><quota-available-bytes/>").await;
    assert_eq!(said.text("{DAV:}quota-used-bytes"), "0");
    assert_eq!(said.status("{DAV:}quota-available-bytes"), 404);
    let caller = client.stage.caller(client.user, entente_model::UserRole::Admin);
    let change = entente_tree::UserChange { space_limit: Some(Some(10)), ..Default::default() };
    client.stage.tree.update_user(&caller, client.user, change).await.unwrap();
    client.put("/dav/a", "1234").await;
    let said = client.ask("/dav/", "<quota-used-bytes/><quota-available-bytes/>").await;
    assert_eq!(said.text("{DAV:}quota-used-bytes"), "4");
    assert_eq!(said.text("{DAV:}quota-available-bytes"), "6");
    client.send("PUT", "/dav/b", &[], "1234567").await.refused(507, "quota-not-exceeded");
}

#[tokio::test]
async fn a_media_type_that_no_head_can_say_is_not_said() {
    let client = Client::new().await;
    client.put("/dav/a", "0123456789").await;
    let caller = client.stage.caller(client.user, UserRole::Admin);
    let base = client.stage.tree.root(&caller).await.unwrap();
    let names = [ItemName::new("a").unwrap()];
    let change = |facts: &mut Facts| {
        facts.content_type = Some("text/plain\r\nX-Odd: 1".to_owned());
        Ok(())
    };
    client.stage.tree.set_facts_at(&caller, (Path { base, names: &names }, None), change).await.unwrap();
    let several = client.send("GET", "/dav/a", &[("range", "bytes=0-1,-2")], "").await;
    several.expect(206);
    let body = String::from_utf8_lossy(&several.body);
    assert!(body.contains("Content-Type: application/octet-stream\r\n") && !body.contains("X-Odd"), "{body}");
    assert_eq!(client.get("/dav/a").await.header("content-type"), "application/octet-stream");
}
