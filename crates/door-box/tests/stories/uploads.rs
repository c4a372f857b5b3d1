use crate::harness::{Client, multipart, sha1};
use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use insta::assert_json_snapshot;
use serde_json::json;
use std::io;

const ATTRIBUTES: (&str, &[u8]) = ("attributes", br#"{"name":"a.txt","parent":{"id":"0"}}"#);

#[tokio::test]
async fn a_file_is_uploaded_and_gets_a_second_version() {
    let client = Client::new().await;
    let attributes = json!({
        "name": "a.txt", "parent": {"id": "0"},
        "content_created_at": "2012-12-12T10:53:43Z", "content_modified_at": "2012-12-13T10:53:43.5+01:00",
    });
    let made = client
        .form("/files/content", &[], &[("attributes", attributes.to_string().as_bytes()), ("file", b"one")])
        .await;
    assert_json_snapshot!("an uploaded file", made.tame());
    let file = made.expect(201)["entries"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/files/{file}/content");
    let second =
        client.form(&path, &[("if-match", "0")], &[("attributes", br#"{"name":"b.txt"}"#), ("file", b"two!")]).await;
    assert_json_snapshot!("a second version", second.tame());
    client
        .form(&path, &[("if-match", "0")], &[("attributes", b"{}"), ("file", b"3")])
        .await
        .refused(412, "precondition_failed");
    assert_eq!(client.download(&path).await.body, "two!");
}

#[tokio::test]
async fn every_name_for_the_file_part_is_taken() {
    let client = Client::new().await;
    for name in ["file", "contents", "content"] {
        let attributes = json!({"name": name, "parent": {"id": "0"}}).to_string();
        let parts = [("attributes", attributes.as_bytes()), ("other", b"skipped"), (name, b"x"), ("more", b"skipped")];
        client.form("/files/content?fields=name", &[], &parts).await.expect(201);
    }
}

#[tokio::test]
async fn every_prefix_for_uploads_is_served() {
    let client = Client::new().await;
    for (index, prefix) in
        ["/box/2.0", "/box/upload/2.0", "/box/upload/api/2.0", "/box/upload.box.com/api/2.0"].iter().enumerate()
    {
        let attributes = json!({"name": format!("{index}"), "parent": {"id": "0"}}).to_string();
        let body = multipart(&[("attributes", attributes.as_bytes()), ("file", b"x")]);
        let headers = [("content-type", "multipart/form-data; boundary=\"xyz\"")];
        client.send("POST", &format!("{prefix}/files/content"), &headers, body).await.expect(201);
    }
}

#[tokio::test]
async fn the_digest_is_checked() {
    let client = Client::new().await;
    let right = sha1(b"hello").to_string();
    let parts = [ATTRIBUTES, ("file", b"hello".as_slice())];
    let wrong = client.form("/files/content", &[("content-md5", &"0".repeat(40))], &parts).await;
    assert_json_snapshot!("a wrong digest", wrong.tame());
    client.form("/files/content", &[("content-md5", "nonsense")], &parts).await.refused(400, "bad_digest");
    assert_eq!(client.get("/folders/0/items").await.expect(200)["total_count"], 0);
    client.form("/files/content", &[("content-md5", &right)], &parts).await.expect(201);
}

#[tokio::test]
async fn what_is_not_a_whole_form_leaves_nothing() {
    let client = Client::new().await;
    let file = ("file", b"hello".as_slice());
    client.form("/files/content", &[], &[file, ATTRIBUTES]).await.refused(400, "metadata_after_file_contents");
    client.form("/files/content", &[], &[ATTRIBUTES]).await.refused(400, "bad_request");
    client.form("/files/content", &[], &[]).await.refused(400, "bad_request");
    client.form("/files/content", &[], &[("attributes", b"{"), file]).await.refused(400, "bad_request");
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(100_000));
    let parts = [("attributes", large.as_bytes()), file];
    client.form("/files/content", &[], &parts).await.refused(413, "request_entity_too_large");
    let form = [("content-type", "multipart/form-data; boundary=xyz")];
    let body = multipart(&[ATTRIBUTES, file]);
    let path = "/box/2.0/files/content";
    for length in 0..body.len() - 2 {
        client.send("POST", path, &form, body[..length].to_vec()).await.refused(400, "bad_request");
    }
    let torn = [Ok(Bytes::from(body[..body.len() - 9].to_vec())), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    client.send("POST", path, &form, Body::from_stream(stream::iter(torn))).await.refused(400, "bad_request");
    let torn = [Ok(Bytes::from(body.clone())), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
    client.send("POST", path, &form, Body::from_stream(stream::iter(torn))).await.refused(400, "bad_request");
    client.send("POST", path, &[("content-type", "text/plain")], body).await.refused(400, "bad_request");
    assert_eq!(client.get("/folders/0/items").await.expect(200)["total_count"], 0);
}

#[tokio::test]
async fn a_preflight_says_what_an_upload_would_meet() {
    let client = Client::new().await;
    let ask = |body: serde_json::Value, slash: &'static str| {
        let client = &client;
        async move { client.json("OPTIONS", &format!("/files/content{slash}"), body).await }
    };
    let wanted = json!({"name": "a.txt", "size": 5, "parent": {"id": "0"}});
    assert_json_snapshot!("a good preflight", ask(wanted.clone(), "").await.tame());
    ask(wanted.clone(), "/").await.expect(200);
    ask(json!({"name": "a.txt", "size": -1, "parent": {"id": "0"}}), "").await.refused(400, "bad_request");
    ask(json!({"name": "a.txt", "size": 1_u64 << 50, "parent": {"id": "0"}}), "")
        .await
        .refused(413, "file_size_limit_exceeded");
    ask(json!({"name": "a.txt", "parent": {"id": "12"}}), "").await.refused(404, "not_found");
    let file = client.file("0", "A.TXT", b"hello").await;
    let taken = ask(wanted, "/").await;
    assert_eq!(taken.refused(409, "item_name_in_use")["context_info"]["conflicts"]["id"], file);
    let version = client.json("OPTIONS", &format!("/files/{file}/content"), json!({"size": 7})).await.expect(200);
    assert_eq!(version["upload_url"], format!("https://files.acme.example/box/upload/2.0/files/{file}/content"));
}

#[tokio::test]
async fn of_many_with_one_name_one_wins() {
    let client = Client::new().await;
    let all = futures_util::future::join_all((0..16).map(|_| client.upload("0", "one.txt", b"x"))).await;
    let won: Vec<_> = all.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(won.len(), 1);
    let winner = won[0].value()["entries"][0]["id"].clone();
    for lost in all.iter().filter(|answer| answer.status != 201) {
        assert_eq!(lost.refused(409, "item_name_in_use")["context_info"]["conflicts"]["id"], winner);
    }
}

#[tokio::test]
async fn who_comes_by_a_host_name_of_boxs_stays_there() {
    let client = Client::by_host_name().await;
    let wanted = json!({"name": "a.txt", "parent": {"id": "0"}}).to_string();
    let preflight = client.send("OPTIONS", "/box/2.0/files/content", &[("host", "api.box.com")], wanted).await;
    assert_eq!(preflight.expect(200)["upload_url"], "https://upload.box.com/api/2.0/files/content");
    let file = client.file("0", "a.txt", b"hello").await;
    let path = format!("/box/2.0/files/{file}/content");
    let redirect = client.send("GET", &path, &[("host", "api.box.com:8443")], "").await;
    let location = redirect.header("location");
    assert!(location.starts_with("https://api.box.com:8443/download/"), "{location}");
}
