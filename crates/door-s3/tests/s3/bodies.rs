//! Bodies that are not what was said of them never become objects.

use crate::harness::{Answer, Client, HOST, UNSIGNED, hmac_of, md5_base64, sha256_base64, sha256_hex, signing_key};
use axum::body::Body;
use data_encoding::HEXLOWER;

const TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";

/// Puts a body in the coding `aws-chunked`.
async fn put_coded(client: &Client, key: &str, hash: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    let mut put = client.ask("PUT", key).hash(hash).body(body).header("content-encoding", "aws-chunked");
    for (name, value) in headers {
        put = put.header(name, value);
    }
    put.send().await
}

#[tokio::test]
async fn lengths_are_kept() {
    let client = Client::with_bucket().await;
    for (said, body) in [("10", "hello"), ("3", "hello")] {
        let put = client.ask("PUT", "/box/a").hash(UNSIGNED).header("content-length", said).body(body).send().await;
        put.refused(400, "IncompleteBody");
        client.get("/box/a").await.refused(404, "NoSuchKey");
    }
    let (headers, ..) = client.ask("PUT", "/box/a").hash(UNSIGNED).signed();
    let put = client.raw("PUT", "/box/a", &headers, Body::from("hello")).await;
    put.refused(411, "MissingContentLength");
    let big = (65_u64 << 20).to_string();
    let put = client.ask("PUT", "/box/a").hash(UNSIGNED).header("content-length", &big).body("x").send().await;
    put.refused(400, "EntityTooLarge");
    let odd = client.ask("PUT", "/box/a").hash(UNSIGNED).header("content-length", "x").body("x").send().await;
    odd.refused(400, "InvalidArgument");
}

#[tokio::test]
async fn digests_are_compared() {
    let client = Client::with_bucket().await;
    let put = |name: &'static str, value: &str| client.ask("PUT", "/box/a").header(name, value).body("hello").send();
    put("content-md5", &md5_base64(b"other")).await.refused(400, "BadDigest");
    put("content-md5", "nonsense").await.refused(400, "InvalidDigest");
    put("x-amz-checksum-sha256", &sha256_base64(b"other")).await.refused(400, "BadDigest");
    put("x-amz-checksum-sha256", "nonsense").await.refused(400, "InvalidRequest");
    put("x-amz-checksum-crc32", "AAAAAA==").await.refused(400, "BadDigest");
    put("x-amz-sdk-checksum-algorithm", "CRC31").await.refused(400, "InvalidRequest");
    client.get("/box/a").await.refused(404, "NoSuchKey");
    put("content-md5", &md5_base64(b"hello")).await.expect(200);
    for (name, value) in [
        ("x-amz-checksum-crc32", "NhCmhg=="),
        ("x-amz-checksum-crc32c", "mnG7TA=="),
        ("x-amz-checksum-crc64nvme", "M3eFcAZSQlc="),
        ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("x-amz-checksum-sha256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ] {
        let stored = put(name, value).await.expect(200);
        assert_eq!((stored.header(name), stored.header("x-amz-checksum-type")), (value, "FULL_OBJECT"));
        assert_eq!(client.get("/box/a").await.expect(200).header(name), "");
        let told = client.ask("HEAD", "/box/a").header("x-amz-checksum-mode", "ENABLED").send().await.expect(200);
        assert_eq!(told.header(name), value);
    }
    let two = client.ask("PUT", "/box/a").header("x-amz-checksum-crc32", "NhCmhg==");
    let two = two.header("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=").body("hello").send().await;
    two.refused(400, "InvalidRequest");
}

#[tokio::test]
async fn trailers_are_compared() {
    let client = Client::with_bucket().await;
    let said = [("x-amz-trailer", "x-amz-checksum-crc32"), ("x-amz-decoded-content-length", "5")];
    let body = |trailer: &str| format!("3\r\nhel\r\n2\r\nlo\r\n0\r\n{trailer}\r\n").into_bytes();
    let put = put_coded(&client, "/box/a", TRAILER, &said, body("x-amz-checksum-crc32:NhCmhg==\r\n")).await;
    assert_eq!(put.expect(200).header("x-amz-checksum-crc32"), "NhCmhg==");
    let got = client.get("/box/a").await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("content-encoding")), (b"hello".as_slice(), ""));
    for (trailer, code) in [
        ("x-amz-checksum-crc32:AAAAAA==\r\n", "BadDigest"),
        ("x-amz-checksum-crc32:nonsense\r\n", "MalformedTrailerError"),
        ("nonsense\r\n", "MalformedTrailerError"),
        ("", "MalformedTrailerError"),
    ] {
        put_coded(&client, "/box/b", TRAILER, &said, body(trailer)).await.refused(400, code);
    }
    for (coded, code) in [
        ("3\r\nhel\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "IncompleteBody"),
        ("7\r\nhello!!\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "IncompleteBody"),
        ("5\r\nhello\r\n", "IncompleteBody"),
        ("5\r\nhelloo\r\n0\r\n\r\n", "InvalidRequest"),
        ("x\r\nhello\r\n0\r\n\r\n", "InvalidRequest"),
        ("hello", "IncompleteBody"),
    ] {
        put_coded(&client, "/box/b", TRAILER, &said, coded.into()).await.refused(400, code);
    }
    client.get("/box/b").await.refused(404, "NoSuchKey");
    let unsaid = put_coded(&client, "/box/b", TRAILER, &said[..1], body("")).await;
    unsaid.refused(411, "MissingContentLength");
}

#[tokio::test]
async fn signed_chunks_are_verified() {
    let client = Client::with_bucket().await;
    let chunks: [&[u8]; 3] = [&[b'a'; 65_536], &[b'b'; 1_000], b""];
    for is_spoilt in [false, true] {
        let put = client
            .ask("PUT", "/box/a")
            .hash(SIGNED)
            .header("content-encoding", "aws-chunked")
            .header("x-amz-decoded-content-length", "66536");
        let (mut headers, mut previous, moment) = put.signed();
        let key = signing_key(&client.key.secret, &moment);
        let mut body = Vec::new();
        for chunk in chunks {
            let text = format!(
                "AWS4-HMAC-SHA256-PAYLOAD\n{moment}\n{}/eu-test-1/s3/aws4_request\n{previous}\n{}\n{}",
                &moment[..8],
                sha256_hex(b""),
                sha256_hex(chunk)
            );
            previous = HEXLOWER.encode(hmac_of(&key, text.as_bytes()).as_ref());
            body.extend_from_slice(format!("{:x};chunk-signature={previous}\r\n", chunk.len()).as_bytes());
            body.extend_from_slice(chunk);
            body.extend_from_slice(b"\r\n");
        }
        if is_spoilt {
            let at = body.iter().rposition(|byte| *byte == b'b').unwrap();
            body[at - 500] = b'c';
        }
        headers.push(("content-length".to_owned(), body.len().to_string()));
        let put = client.raw("PUT", "/box/a", &headers, Body::from(body)).await;
        if is_spoilt {
            put.refused(403, "SignatureDoesNotMatch");
        } else {
            put.expect(200);
        }
        assert_eq!(client.get("/box/a").await.expect(200).body.len(), 66_536);
    }
    let unsigned = [("x-amz-decoded-content-length", "2")];
    put_coded(&client, "/box/b", SIGNED, &unsigned, b"2\r\nab\r\n0\r\n\r\n".to_vec())
        .await
        .refused(403, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn documents_have_limits() {
    let client = Client::with_bucket().await;
    let long = format!("<Delete><Object><Key>{}</Key></Object></Delete>", "k".repeat(5 << 20));
    client.post("/box?delete", long).await.refused(400, "MaxMessageLengthExceeded");
    let bomb = "<!DOCTYPE Delete [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">\
                <!ENTITY c SYSTEM \"file:///etc/passwd\">]><Delete><Object><Key>&b;&c;</Key></Object></Delete>";
    let answer = client.post("/box?delete", bomb).await;
    assert!(answer.status == 400 && !answer.text().contains("root:"), "{answer:?}");
    let deep = format!("{}{}", "<Delete>".repeat(100_000), "</Delete>".repeat(100_000));
    client.post("/box?delete", deep).await.refused(400, "MalformedXML");
    client.post("/box?delete", [0xff, 0xfe, 0x00]).await.refused(400, "MalformedXML");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing() {
    let client = Client::with_bucket().await;
    let mut put = client.ask("PUT", "/box/a").hash(UNSIGNED).header("content-length", "10");
    put = put.host(HOST);
    let (headers, ..) = put.signed();
    let pieces = vec![Ok("hello"), Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    client.raw("PUT", "/box/a", &headers, body).await.refused(400, "IncompleteBody");
    client.get("/box/a").await.refused(404, "NoSuchKey");
}
