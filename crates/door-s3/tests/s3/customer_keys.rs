//! Keys that customers bring along, in the headers of their requests.

use crate::harness::{Client, Sent, md5_hex};
use std::time::Duration;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY_MD5: &str = "tP/LI3N87DFaSk0aoqYgzg==";
const PREFIX: &str = "x-amz-server-side-encryption-customer";

fn with_key<'c>(request: Sent<'c>, prefix: &str) -> Sent<'c> {
    let request = request.header(&format!("{prefix}-algorithm"), "AES256");
    request.header(&format!("{prefix}-key"), KEY).header(&format!("{prefix}-key-md5"), KEY_MD5)
}

/// As a proxy sends it on that clients reach over TLS.
fn private(request: Sent<'_>) -> Sent<'_> {
    request.header("x-forwarded-proto", "https")
}

#[tokio::test]
async fn an_object_is_sealed_with_the_key_that_comes_along() {
    let client = Client::with_bucket().await;
    let put = private(with_key(client.ask("PUT", "/box/a"), PREFIX)).body("secret").send().await.expect(200);
    assert_eq!(put.header(&format!("{PREFIX}-algorithm")), "AES256");
    assert_eq!(put.header(&format!("{PREFIX}-key-md5")), KEY_MD5);
    assert!(put.headers.get("x-amz-server-side-encryption").is_none());
    assert_ne!(put.header("etag"), format!("\"{}\"", md5_hex(b"secret")));
    let got = private(with_key(client.ask("GET", "/box/a"), PREFIX)).send().await.expect(200);
    assert_eq!((got.text(), got.header("etag")), ("secret".to_owned(), put.header("etag")));
    client.get("/box/a").await.refused(400, "InvalidRequest");
    client.send("HEAD", "/box/a").await.expect(400);
    let copy = client.ask("PUT", "/box/b").header("x-amz-copy-source", "/box/a");
    let source = "x-amz-copy-source-server-side-encryption-customer";
    private(with_key(copy, source)).send().await.expect(200);
    let copied = client.get("/box/b").await.expect(200);
    let md5 = format!("\"{}\"", md5_hex(b"secret"));
    assert_eq!((copied.text(), copied.header("etag")), ("secret".to_owned(), md5.as_str()));
}

#[tokio::test]
async fn no_key_is_taken_in_the_open() {
    let client = Client::with_bucket().await;
    with_key(client.ask("PUT", "/box/a"), PREFIX).body("secret").send().await.refused(400, "InvalidRequest");
    client.get("/box/a").await.refused(404, "NoSuchKey");
    let escaped = KEY.replace('=', "%3D");
    let target = client.ask("GET", &format!("/box/a?{PREFIX}-key={escaped}")).presigned(Duration::from_secs(60));
    let answer = client.raw("GET", &target, &[("host".to_owned(), crate::harness::HOST.to_owned())], "".into()).await;
    answer.refused(400, "InvalidArgument");
}
