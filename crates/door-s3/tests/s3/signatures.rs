//! Who asks: signatures in headers and in queries, and those that are none.

use crate::harness::{Client, HOST, Key, UNSIGNED};
use axum::body::Body;
use entente_identity::Reach;
use entente_model::UserRole;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

fn plain(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn nobody_is_let_in_unsigned() {
    let client = Client::with_bucket().await;
    client.put("/box/a", "x").await.expect(200);
    let host = plain(&[("host", HOST), ("content-length", "0")]);
    for (method, target) in [("GET", "/"), ("GET", "/box"), ("GET", "/box/a"), ("PUT", "/box/a"), ("DELETE", "/box/a")]
    {
        client.raw(method, target, &host, Body::empty()).await.refused(403, "AccessDenied");
    }
    client.get("/box/a").await.expect(200);
}

#[tokio::test]
async fn a_wrong_signature_is_refused() {
    let client = Client::with_bucket().await;
    let wrong = Key { secret: "wrong".to_owned(), ..client.key.clone() };
    client.ask("GET", "/box").by(&wrong).send().await.refused(403, "SignatureDoesNotMatch");
    let unknown = Key { id: "ENTAAAAAAAAAAAAAAAAA".to_owned(), ..client.key.clone() };
    client.ask("GET", "/box").by(&unknown).send().await.refused(403, "InvalidAccessKeyId");
    let (headers, ..) = client.ask("GET", "/box").signed();
    client.raw("GET", "/box?versions", &headers, Body::empty()).await.refused(403, "SignatureDoesNotMatch");
    client.raw("HEAD", "/box", &headers, Body::empty()).await.expect(403);
    client.raw("GET", "/box", &headers, Body::empty()).await.expect(200);
    let more = [headers.clone(), plain(&[("x-amz-meta-a", "b")])].concat();
    client.raw("GET", "/box", &more, Body::empty()).await.refused(403, "AccessDenied");
    let odd = plain(&[("host", HOST), ("authorization", "AWS4-HMAC-SHA256 nonsense")]);
    client.raw("GET", "/box", &odd, Body::empty()).await.refused(400, "AuthorizationHeaderMalformed");
    let old = plain(&[("host", HOST), ("authorization", "AWS key:signature")]);
    client.raw("GET", "/box", &old, Body::empty()).await.refused(400, "InvalidRequest");
}

#[tokio::test]
async fn clocks_may_differ_a_little() {
    let client = Client::with_bucket().await;
    for minutes in [-14, 14] {
        client.ask("GET", "/box").minutes_off(minutes).send().await.expect(200);
    }
    for minutes in [-16, 16] {
        client.ask("GET", "/box").minutes_off(minutes).send().await.refused(403, "RequestTimeTooSkewed");
    }
}

#[tokio::test]
async fn a_signed_url_is_good_for_a_while() {
    let client = Client::with_bucket().await;
    client.put("/box/a%20b", "hello").await.expect(200);
    let host = plain(&[("host", HOST)]);
    let get = client.ask("GET", "/box/a%20b?response-content-type=text%2Fplain").presigned(HOUR);
    let got = client.raw("GET", &get, &host, Body::empty()).await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("content-type")), (b"hello".as_slice(), "text/plain"));
    client.raw("PUT", &get, &host, Body::empty()).await.refused(403, "SignatureDoesNotMatch");
    let other = get.replace("a%20b", "a%20c");
    client.raw("GET", &other, &host, Body::empty()).await.refused(403, "SignatureDoesNotMatch");
    let longer = get.replace("Expires=3600", "Expires=3601");
    client.raw("GET", &longer, &host, Body::empty()).await.refused(403, "SignatureDoesNotMatch");
    let late = client.ask("GET", "/box/a%20b").minutes_off(-61).presigned(HOUR);
    client.raw("GET", &late, &host, Body::empty()).await.refused(403, "AccessDenied");
    let early = client.ask("GET", "/box/a%20b").minutes_off(16).presigned(HOUR);
    client.raw("GET", &early, &host, Body::empty()).await.refused(403, "AccessDenied");
    let week = client.ask("GET", "/box/a%20b").presigned(Duration::from_secs(604_801));
    let refused = client.raw("GET", &week, &host, Body::empty()).await;
    refused.refused(400, "AuthorizationQueryParametersError");

    let put = client.ask("PUT", "/box/new").presigned(HOUR);
    let headers = plain(&[("host", HOST), ("content-length", "3")]);
    client.raw("PUT", &put, &headers, Body::from("abc")).await.expect(200);
    assert_eq!(client.get("/box/new").await.expect(200).body, "abc");
    let both = [headers, plain(&[("authorization", "AWS4-HMAC-SHA256 x")])].concat();
    client.raw("PUT", &put, &both, Body::from("abc")).await.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn a_key_may_be_less_than_its_user() {
    let client = Client::with_bucket().await;
    client.put("/box/a", "x").await.expect(200);
    client.send("PUT", "/other").await.expect(200);
    let reader = client.another_key(client.user, true, Reach::All).await;
    client.ask("GET", "/box/a").by(&reader).send().await.expect(200);
    client.ask("PUT", "/box/b").by(&reader).body("x").send().await.refused(403, "AccessDenied");
    client.ask("DELETE", "/box/a").by(&reader).send().await.refused(403, "AccessDenied");
    let scoped = client.another_key(client.user, false, Reach::Some(vec!["other".to_owned()])).await;
    client.ask("PUT", "/other/a").by(&scoped).body("x").send().await.expect(200);
    client.ask("GET", "/box/a").by(&scoped).send().await.refused(403, "AccessDenied");
    client
        .ask("PUT", "/other/b")
        .by(&scoped)
        .header("x-amz-copy-source", "/box/a")
        .send()
        .await
        .refused(403, "AccessDenied");
    let listed = client.ask("GET", "/").by(&scoped).send().await.expect(200);
    assert_eq!(listed.elements("Name"), ["other"]);
    assert!(client.stage.identity.revoke_access_key(&scoped.id).await.unwrap());
    client.ask("GET", "/").by(&scoped).send().await.refused(403, "InvalidAccessKeyId");
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let client = Client::with_bucket().await;
    client.put("/box/a", "x").await.expect(200);
    let other = client.stage.person("bob@acme.example", "Bob", UserRole::User).await;
    let key = client.another_key(other, false, Reach::All).await;
    for (method, target) in [("GET", "/box/a"), ("PUT", "/box/a"), ("DELETE", "/box/a"), ("GET", "/box?uploads")] {
        client.ask(method, target).by(&key).send().await.refused(404, "NoSuchBucket");
    }
    client.ask("PUT", "/box").by(&key).send().await.refused(409, "BucketAlreadyExists");
    assert!(client.ask("GET", "/").by(&key).send().await.expect(200).elements("Name").is_empty());
}

#[tokio::test]
async fn a_bucket_may_be_in_the_host() {
    let client = Client::with_bucket().await;
    let host = format!("box.{HOST}:9000");
    client.ask("PUT", "/a/b").host(&host).body("x").send().await.expect(200);
    assert_eq!(client.get("/box/a/b").await.expect(200).body, "x");
    let listed = client.ask("GET", "/?list-type=2").host(&host).send().await.expect(200);
    assert_eq!(listed.elements("Key"), ["a/b"]);
    client.ask("GET", "/box/a/b").host("127.0.0.1:9000").send().await.expect(200);
}

#[tokio::test]
async fn the_hash_must_be_one() {
    let client = Client::with_bucket().await;
    client.ask("PUT", "/box/a").hash("nonsense").body("x").send().await.refused(400, "InvalidArgument");
    client.ask("PUT", "/box/a").hash(UNSIGNED).body("x").send().await.expect(200);
    let other = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    client.ask("PUT", "/box/b").hash(other).body("x").send().await.refused(400, "XAmzContentSHA256Mismatch");
    client.get("/box/b").await.refused(404, "NoSuchKey");
    client.ask("GET", "/box/a").hash(other).send().await.refused(400, "XAmzContentSHA256Mismatch");
}

#[tokio::test]
async fn headers_in_a_signed_url_are_obeyed() {
    let client = Client::with_bucket().await;
    let headers = plain(&[("host", HOST), ("content-length", "3")]);
    let put = async |query: &str| {
        let url = client.ask("PUT", &format!("/box/a?{query}")).presigned(HOUR);
        client.raw("PUT", &url, &headers, Body::from("abc")).await
    };
    for (query, status, code) in [
        ("x-amz-storage-class=GLACIER", 400, "InvalidStorageClass"),
        ("x-amz-acl=public-read", 400, "AccessControlListNotSupported"),
        ("x-amz-server-side-encryption=aws%3Akms", 501, "NotImplemented"),
        ("x-amz-object-lock-mode=GOVERNANCE", 400, "InvalidArgument"),
        ("x-amz-meta-k=a%0Ab", 400, "InvalidArgument"),
        ("x-amz-meta-k=a&x-amz-meta-k=b", 400, "InvalidArgument"),
        ("X-Amz-Security-Token=abc", 400, "InvalidToken"),
        ("x-amz-security-token=abc", 400, "InvalidToken"),
    ] {
        put(query).await.refused(status, code);
    }
    client.get("/box/a").await.refused(404, "NoSuchKey");
    // What clients compute of a body that they do not have is passed over.
    put("x-amz-acl=private&x-amz-meta-k=v%20w&x-amz-tagging=t%3D1&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32")
        .await
        .expect(200);
    let got = client.get("/box/a").await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("x-amz-meta-k")), (b"abc".as_slice(), "v w"));
    assert_eq!(got.header("x-amz-tagging-count"), "1");
    let copy = client.ask("PUT", "/box/b?x-amz-copy-source=%2Fbox%2Fa").presigned(HOUR);
    client.raw("PUT", &copy, &plain(&[("host", HOST)]), Body::empty()).await.expect(200);
    assert_eq!(client.get("/box/b").await.expect(200).body, "abc");
}

#[tokio::test]
async fn a_slash_may_be_escaped() {
    let client = Client::with_bucket().await;
    let url = client.ask("PUT", "/box/a").presigned(HOUR).replace("/box/a", "/box%2Fa");
    let headers = plain(&[("host", HOST), ("content-length", "3")]);
    client.raw("PUT", &url, &headers, Body::from("abc")).await.expect(200);
    let got = client.get("/box/a").await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("etag")), (b"abc".as_slice(), "\"900150983cd24fb0d6963f7d28e17f72\""));
}
