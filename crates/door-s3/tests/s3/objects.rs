//! Objects that are put, read and deleted.

use crate::harness::{Client, md5_base64, md5_hex};

#[tokio::test]
async fn what_was_put_is_there() {
    let client = Client::with_bucket().await;
    let put = client.put("/box/a/b.txt", "hello").await.expect(200);
    assert_eq!(put.header("etag"), format!("\"{}\"", md5_hex(b"hello")));
    assert_eq!(put.header("x-amz-server-side-encryption"), "AES256");
    let got = client.get("/box/a/b.txt").await.expect(200);
    assert_eq!(got.body, "hello");
    assert_eq!(got.header("content-length"), "5");
    assert_eq!(got.header("content-type"), "binary/octet-stream");
    assert_eq!(got.header("accept-ranges"), "bytes");
    assert_eq!(got.header("etag"), put.header("etag"));
    assert!(got.header("last-modified").ends_with("GMT") && !got.header("x-amz-request-id").is_empty());
    let head = client.send("HEAD", "/box/a/b.txt").await.expect(200);
    assert_eq!((head.header("content-length"), head.body.len()), ("5", 0));
    client.put("/box/a/b.txt", "again").await.expect(200);
    assert_eq!(client.get("/box/a/b.txt").await.expect(200).body, "again");
    client.delete("/box/a/b.txt").await.expect(204);
    client.get("/box/a/b.txt").await.refused(404, "NoSuchKey");
    client.delete("/box/a/b.txt").await.expect(204);
    let head = client.send("HEAD", "/box/a/b.txt").await.expect(404);
    assert!(head.body.is_empty());
    client.get("/nothing/a").await.refused(404, "NoSuchBucket");
    client.put("/nothing/a", "x").await.refused(404, "NoSuchBucket");
}

#[tokio::test]
async fn keys_are_exact() {
    let client = Client::with_bucket().await;
    let keys = ["a", "a/b", "a//b", "a/", "/a", "..", "../x", "%C3%BC%20%2B%26", "CASE", "case", "a%0Ab", "%25%32%46"];
    for (number, key) in keys.iter().enumerate() {
        client.put(&format!("/box/{key}"), number.to_string()).await.expect(200);
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(client.get(&format!("/box/{key}")).await.expect(200).text(), number.to_string(), "{key}");
    }
    for key in keys {
        client.delete(&format!("/box/{key}")).await.expect(204);
    }
    client.delete("/box").await.expect(204);
}

#[tokio::test]
async fn keys_have_limits() {
    let client = Client::with_bucket().await;
    let long = "k".repeat(1_024);
    client.put(&format!("/box/{long}"), "x").await.expect(200);
    client.put(&format!("/box/{long}k"), "x").await.refused(400, "KeyTooLongError");
    client.put("/box/a%00b", "x").await.refused(400, "InvalidArgument");
    client.put("/box/%C0%AF", "x").await.refused(400, "InvalidURI");
    client.put(&format!("/box/{}", "/".repeat(1_023)), "x").await.refused(400, "KeyTooLongError");
}

#[tokio::test]
async fn an_empty_object_is_one() {
    let client = Client::with_bucket().await;
    let put = client.put("/box/empty", "").await.expect(200);
    assert_eq!(put.header("etag"), "\"d41d8cd98f00b204e9800998ecf8427e\"");
    let got = client.get("/box/empty").await.expect(200);
    assert_eq!((got.body.len(), got.header("content-length")), (0, "0"));
    let ranged = client.ask("GET", "/box/empty").header("range", "bytes=0-0").send().await;
    ranged.refused(416, "InvalidRange");
}

#[tokio::test]
async fn ranges_are_cut() {
    let client = Client::with_bucket().await;
    client.put("/box/digits", "0123456789").await.expect(200);
    for (range, body, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=0-99", "0123456789", "bytes 0-9/10"),
    ] {
        let got = client.ask("GET", "/box/digits").header("range", range).send().await.expect(206);
        assert_eq!((got.text().as_str(), got.header("content-range")), (body, content_range), "{range}");
        assert_eq!(got.header("content-length"), body.len().to_string());
    }
    let head = client.ask("HEAD", "/box/digits").header("range", "bytes=2-4").send().await.expect(206);
    assert_eq!((head.header("content-length"), head.header("content-range")), ("3", "bytes 2-4/10"));
    let refused = client.ask("GET", "/box/digits").header("range", "bytes=10-").send().await;
    assert_eq!(refused.refused(416, "InvalidRange").header("content-range"), "bytes */10");
    for ignored in ["bytes=5-2", "items=0-1", "bytes=0-1,3-4"] {
        let got = client.ask("GET", "/box/digits").header("range", ignored).send().await;
        assert_eq!(got.expect(200).body.len(), 10, "{ignored}");
    }
}

#[tokio::test]
async fn reads_have_conditions() {
    let client = Client::with_bucket().await;
    let etag = client.put("/box/a", "x").await.expect(200).header("etag").to_owned();
    let with = |name: &'static str, value: &str| client.ask("GET", "/box/a").header(name, value).send();
    with("if-match", &etag).await.expect(200);
    with("if-match", "\"other\"").await.refused(412, "PreconditionFailed");
    let unchanged = with("if-none-match", &etag).await.expect(304);
    assert_eq!((unchanged.header("etag"), unchanged.body.len()), (etag.as_str(), 0));
    with("if-none-match", "\"other\"").await.expect(200);
    let stored = client.get("/box/a").await.expect(200).header("last-modified").to_owned();
    with("if-modified-since", &stored).await.expect(304);
    with("if-unmodified-since", &stored).await.expect(200);
    with("if-modified-since", "Sat, 29 Oct 1994 19:43:31 GMT").await.expect(200);
    with("if-unmodified-since", "Sat, 29 Oct 1994 19:43:31 GMT").await.refused(412, "PreconditionFailed");
}

#[tokio::test]
async fn writes_have_conditions() {
    let client = Client::with_bucket().await;
    let put = |key: &str, name: &'static str, value: &str| client.ask("PUT", key).header(name, value).body("x").send();
    let etag = put("/box/a", "if-none-match", "*").await.expect(200).header("etag").to_owned();
    put("/box/a", "if-none-match", "*").await.refused(412, "PreconditionFailed");
    put("/box/a", "if-match", "\"other\"").await.refused(412, "PreconditionFailed");
    put("/box/a", "if-match", &etag).await.expect(200);
    put("/box/b", "if-match", &etag).await.refused(404, "NoSuchKey");
    put("/box/b", "if-none-match", "\"x\"").await.refused(501, "NotImplemented");
    let delete = |value: &str| client.ask("DELETE", "/box/a").header("if-match", value).send();
    delete("\"other\"").await.refused(412, "PreconditionFailed");
    delete(&etag).await.expect(204);
}

#[tokio::test]
async fn what_a_client_says_is_given_back() {
    let client = Client::with_bucket().await;
    let said = [
        ("cache-control", "max-age=5"),
        ("content-disposition", "attachment; filename=\"a.txt\""),
        ("content-encoding", "gzip"),
        ("content-language", "de"),
        ("content-type", "text/plain; charset=utf-8"),
        ("expires", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("x-amz-meta-colour", "blue"),
        ("x-amz-meta-empty", ""),
        ("x-amz-tagging", "kind=test&more=1"),
        ("x-amz-website-redirect-location", "/elsewhere"),
    ];
    let mut put = client.ask("PUT", "/box/a").body("x");
    for (name, value) in said {
        put = put.header(name, value);
    }
    put.send().await.expect(200);
    for method in ["GET", "HEAD"] {
        let got = client.send(method, "/box/a").await.expect(200);
        for (name, value) in said.iter().filter(|(name, _)| *name != "x-amz-tagging") {
            assert_eq!(got.header(name), *value, "{method} {name}");
        }
    }
    assert_eq!(client.get("/box/a").await.header("x-amz-tagging-count"), "2");
    let changed = "/box/a?response-cache-control=no-cache&response-content-disposition=inline\
                   &response-content-encoding=none&response-content-language=fr\
                   &response-content-type=text%2Fhtml&response-expires=Thu%2C%2001%20Jan%202026%2000%3A00%3A00%20GMT";
    let got = client.get(changed).await.expect(200);
    assert_eq!(got.header("cache-control"), "no-cache");
    assert_eq!(got.header("content-type"), "text/html");
    assert_eq!(got.header("content-language"), "fr");
    assert_eq!(got.header("content-disposition"), "inline");
    assert_eq!(got.header("expires"), "Thu, 01 Jan 2026 00:00:00 GMT");
    client.put("/box/a", "y").await.expect(200);
    assert_eq!(client.get("/box/a").await.expect(200).header("x-amz-meta-colour"), "");
}

#[tokio::test]
async fn metadata_has_a_limit_and_any_letters() {
    let client = Client::with_bucket().await;
    let long = client.ask("PUT", "/box/a").header("x-amz-meta-a", &"x".repeat(2_048)).body("x").send().await;
    long.refused(400, "MetadataTooLarge");
    let put = client.ask("PUT", "/box/a").header("x-amz-meta-a", "=?UTF-8?B?w7w=?=").body("x").send().await;
    put.expect(200);
    assert_eq!(client.get("/box/a").await.expect(200).header("x-amz-meta-a"), "=?UTF-8?B?w7w=?=");
}

#[tokio::test]
async fn what_is_not_served_is_not_pretended() {
    let client = Client::with_bucket().await;
    for (name, value, status, code) in [
        ("x-amz-server-side-encryption", "aws:kms", 501, "NotImplemented"),
        ("x-amz-object-lock-mode", "GOVERNANCE", 400, "InvalidArgument"),
        ("x-amz-object-lock-legal-hold", "ON", 400, "InvalidRequest"),
        ("x-amz-acl", "public-read", 400, "AccessControlListNotSupported"),
        ("x-amz-storage-class", "GLACIER", 400, "InvalidStorageClass"),
    ] {
        let put = client.ask("PUT", "/box/a").header(name, value).body("x").send().await;
        put.refused(status, code);
    }
    client.get("/box/a").await.refused(404, "NoSuchKey");
    let rules = "<LifecycleConfiguration><Rule><Status>Enabled</Status><Filter><Prefix></Prefix></Filter>\
                 <Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>\
                 </LifecycleConfiguration>";
    client.put("/box?lifecycle", rules).await.refused(501, "NotImplemented");
    client.send("PATCH", "/box/a").await.refused(501, "NotImplemented");
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let client = Client::with_bucket().await;
    for key in ["a", "b/c", "b/d"] {
        client.put(&format!("/box/{key}"), "x").await.expect(200);
    }
    let body = "<Delete><Object><Key>a</Key></Object><Object><Key>b/c</Key></Object><Object><Key>none</Key></Object>\
                <Object><Key>b/d</Key><VersionId>nonsense</VersionId></Object></Delete>";
    let wrong = client.ask("POST", "/box?delete").header("content-md5", &md5_base64(b"other")).body(body).send().await;
    wrong.refused(400, "BadDigest");
    let right = client.ask("POST", "/box?delete").header("content-md5", &md5_base64(body.as_bytes())).body(body);
    let answer = right.send().await.expect(200);
    assert_eq!(answer.elements("Deleted").len(), 3, "{answer:?}");
    assert_eq!(answer.elements("Error").len(), 1, "{answer:?}");
    client.get("/box/a").await.refused(404, "NoSuchKey");
    client.get("/box/b/d").await.expect(200);
    let quiet = "<Delete><Quiet>true</Quiet><Object><Key>b/d</Key></Object></Delete>";
    assert!(client.post("/box?delete", quiet).await.expect(200).elements("Deleted").is_empty());
    let many: String = (0..1_001).map(|number| format!("<Object><Key>{number}</Key></Object>")).collect();
    client.post("/box?delete", format!("<Delete>{many}</Delete>")).await.refused(400, "MalformedXML");
    client.post("/box?delete", "<Delete></Delete>").await.refused(400, "MalformedXML");
    client.post("/box?delete", "<Delete><Object>").await.refused(400, "MalformedXML");
    client.delete("/box").await.expect(204);
}

#[tokio::test]
async fn tags_come_and_go() {
    let client = Client::with_bucket().await;
    client.put("/box/a", "x").await.expect(200);
    assert!(client.get("/box/a?tagging").await.expect(200).elements("Tag").is_empty());
    let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v w</Value></Tag></TagSet></Tagging>";
    client.put("/box/a?tagging", tags).await.expect(200);
    assert_eq!(client.get("/box/a?tagging").await.expect(200).element("Value").as_deref(), Some("v w"));
    client.delete("/box/a?tagging").await.expect(204);
    assert!(client.get("/box/a?tagging").await.expect(200).elements("Tag").is_empty());
    let odd = "<Tagging><TagSet><Tag><Key>aws:k</Key><Value>v</Value></Tag></TagSet></Tagging>";
    client.put("/box/a?tagging", odd).await.refused(400, "InvalidTag");
    client.get("/box/none?tagging").await.refused(404, "NoSuchKey");
    client.put("/box/none?tagging", tags).await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn expires_need_not_be_a_date() {
    let client = Client::with_bucket().await;
    for (key, expires) in [("a", "0"), ("b", "-1")] {
        client.ask("PUT", &format!("/box/{key}")).header("expires", expires).body("x").send().await.expect(200);
        assert_eq!(client.get(&format!("/box/{key}")).await.expect(200).header("expires"), expires);
    }
    let begun = client.ask("POST", "/box/c?uploads").header("expires", "0").send().await.expect(200);
    let upload = begun.element("UploadId").unwrap();
    let put = client.put(&format!("/box/c?partNumber=1&uploadId={upload}"), "x").await.expect(200);
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        put.header("etag")
    );
    client.post(&format!("/box/c?uploadId={upload}"), body).await.expect(200);
    assert_eq!(client.send("HEAD", "/box/c").await.expect(200).header("expires"), "0");
    let copy = client.ask("PUT", "/box/d").header("x-amz-copy-source", "/box/a").header("expires", "-1");
    copy.header("x-amz-metadata-directive", "REPLACE").send().await.expect(200);
    assert_eq!(client.get("/box/d").await.expect(200).header("expires"), "-1");
}

/// Puts a file as another door does, which knows its MD5.
async fn put_elsewhere(client: &Client, name: &str) {
    use entente_model::{ItemName, Md5, UserRole};
    use entente_tree::{BoxError, Expect, Facts, Finished, Folders, NameRule, Path, PutAt, Versioning};
    let caller = client.stage.caller(client.user, UserRole::User);
    let base = client.stage.tree.bucket(&caller, "box").await.unwrap().item;
    let md5 = Md5::from_hex(&md5_hex(b"x"));
    let put = PutAt {
        size_max: 1 << 20,
        content_created_at: None,
        content_modified_at: None,
        expected_sha1: None,
        folders: Folders::Refuse,
        rule: NameRule::CaseSensitive,
        expect: Expect::Anything,
        versioning: Versioning::Always,
        finish: Box::new(move || Ok(Finished { md5, facts: Facts::default() })),
    };
    let names = [ItemName::new(name).unwrap()];
    let body = futures_util::stream::iter([Ok::<_, BoxError>(bytes::Bytes::from_static(b"x"))]);
    client.stage.tree.put_at(&caller, Path { base, names: &names }, put, body).await.unwrap();
}

#[tokio::test]
async fn what_came_through_another_door_is_what_its_name_says() {
    let client = Client::with_bucket().await;
    let versioned = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    let kind = async |key: &str| client.get(key).await.expect(200).header("content-type").to_owned();
    for (number, is_versioned) in [false, true].into_iter().enumerate() {
        if is_versioned {
            client.put("/box?versioning", versioned).await.expect(200);
        }
        let (elsewhere, here) = (format!("/box/e{number}.png"), format!("/box/h{number}.png"));
        put_elsewhere(&client, &format!("e{number}.png")).await;
        assert_eq!(kind(&elsewhere).await, "image/png");
        let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
        client.put(&format!("{elsewhere}?tagging"), tags).await.expect(200);
        assert_eq!(kind(&elsewhere).await, "image/png");
        client.put(&here, "x").await.expect(200);
        assert_eq!(kind(&here).await, "binary/octet-stream");
        for (source, expected) in [(&elsewhere, "image/png"), (&here, "binary/octet-stream")] {
            let copy = client.ask("PUT", "/box/copy.txt").header("x-amz-copy-source", source);
            copy.send().await.expect(200);
            assert_eq!(kind("/box/copy.txt").await, expected);
        }
    }
    assert_eq!(client.get("/box/h1.png").await.header("x-content-type-options"), "nosniff");
    assert_eq!(client.send("HEAD", "/box/h1.png").await.header("x-content-type-options"), "nosniff");
}
