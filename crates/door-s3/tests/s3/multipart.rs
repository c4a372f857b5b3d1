//! Uploads of parts.

use crate::harness::{Answer, Client, md5_hex, sha256_base64};

const MIB: usize = 1 << 20;

async fn begin(client: &Client, key: &str) -> String {
    let begun = client.post(&format!("/box/{key}?uploads"), "").await.expect(200);
    begun.element("UploadId").unwrap()
}

async fn part(client: &Client, key: &str, upload: &str, number: u32, body: &[u8]) -> Answer {
    client.put(&format!("/box/{key}?partNumber={number}&uploadId={upload}"), body).await
}

async fn complete(client: &Client, key: &str, upload: &str, parts: &[(u32, &str)]) -> Answer {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    client.post(&format!("/box/{key}?uploadId={upload}"), body).await
}

#[tokio::test]
async fn parts_become_an_object() {
    let client = Client::with_bucket().await;
    let begun = client.ask("POST", "/box/a/b?uploads").header("x-amz-meta-k", "v").header("content-type", "text/plain");
    let upload = begun.send().await.expect(200).element("UploadId").unwrap();
    let (one, two) = (vec![b'1'; 5 * MIB], b"two".to_vec());
    let first = part(&client, "a/b", &upload, 1, b"other").await.expect(200).header("etag").to_owned();
    let second = part(&client, "a/b", &upload, 2, &two).await.expect(200).header("etag").to_owned();
    let again = part(&client, "a/b", &upload, 1, &one).await.expect(200).header("etag").to_owned();
    assert_eq!(again, format!("\"{}\"", md5_hex(&one)));
    client.get("/box/a/b").await.refused(404, "NoSuchKey");
    let parts = client.get(&format!("/box/a/b?uploadId={upload}&max-parts=1")).await.expect(200);
    assert_eq!((parts.elements("PartNumber").len(), parts.element("IsTruncated").as_deref()), (1, Some("true")));
    let uploads = client.get("/box?uploads").await.expect(200);
    assert_eq!(uploads.elements("UploadId"), std::slice::from_ref(&upload));

    complete(&client, "a/b", &upload, &[(1, &first), (2, &second)]).await.refused(400, "InvalidPart");
    complete(&client, "a/b", &upload, &[(2, &second), (1, &again)]).await.refused(400, "InvalidPartOrder");
    complete(&client, "a/b", &upload, &[(1, &again), (3, &second)]).await.refused(400, "InvalidPart");
    complete(&client, "a/b", &upload, &[]).await.refused(400, "MalformedXML");
    let done = complete(&client, "a/b", &upload, &[(1, &again), (2, &second)]).await.expect(200);
    let etag = done.element("ETag").unwrap();
    assert!(etag.ends_with("-2\""), "{etag}");
    let repeated = complete(&client, "a/b", &upload, &[(1, &again), (2, &second)]).await.expect(200);
    assert_eq!(repeated.element("ETag").unwrap(), etag);

    let got = client.get("/box/a/b").await.expect(200);
    assert_eq!(got.body, [one.clone(), two].concat());
    assert_eq!((got.header("etag"), got.header("content-type")), (etag.as_str(), "text/plain"));
    assert_eq!(got.header("x-amz-meta-k"), "v");
    let range = format!("bytes={}-{}", one.len() - 1, one.len());
    assert_eq!(client.ask("GET", "/box/a/b").header("range", &range).send().await.expect(206).body, "1t");
    let last = client.get("/box/a/b?partNumber=2").await.expect(206);
    assert_eq!((last.body.as_ref(), last.header("x-amz-mp-parts-count")), (b"two".as_slice(), "2"));
    client.get("/box/a/b?partNumber=3").await.refused(416, "InvalidPartNumber");
    let attributes =
        client.ask("GET", "/box/a/b?attributes").header("x-amz-object-attributes", "ObjectParts,ObjectSize");
    let attributes = attributes.send().await.expect(200);
    assert_eq!(attributes.elements("Size"), [one.len().to_string(), "3".to_owned()]);
    let tag =
        client.ask("GET", "/box/a/b?attributes").header("x-amz-object-attributes", "ETag").send().await.expect(200);
    assert_eq!(tag.element("ETag").unwrap(), etag.trim_matches('"'));
    assert!(client.get("/box?uploads").await.expect(200).elements("UploadId").is_empty());
    part(&client, "a/b", &upload, 3, b"x").await.refused(404, "NoSuchUpload");
}

#[tokio::test]
async fn small_parts_and_odd_uploads_are_refused() {
    let client = Client::with_bucket().await;
    let upload = begin(&client, "a").await;
    let one = part(&client, "a", &upload, 1, b"1").await.expect(200).header("etag").to_owned();
    let two = part(&client, "a", &upload, 2, b"2").await.expect(200).header("etag").to_owned();
    complete(&client, "a", &upload, &[(1, &one), (2, &two)]).await.refused(400, "EntityTooSmall");
    part(&client, "a", &upload, 0, b"x").await.refused(400, "InvalidArgument");
    part(&client, "a", &upload, 10_001, b"x").await.refused(400, "InvalidArgument");
    part(&client, "b", &upload, 1, b"x").await.refused(404, "NoSuchUpload");
    part(&client, "a", "12345", 1, b"x").await.refused(404, "NoSuchUpload");
    part(&client, "a", "nonsense", 1, b"x").await.refused(404, "NoSuchUpload");
    let odd = client.ask("PUT", &format!("/box/a?partNumber=1&uploadId={upload}"));
    odd.header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==").body("x").send().await.refused(400, "BadDigest");
    client.delete(&format!("/box/a?uploadId={upload}")).await.expect(204);
    client.delete(&format!("/box/a?uploadId={upload}")).await.refused(404, "NoSuchUpload");
    client.get(&format!("/box/a?uploadId={upload}")).await.refused(404, "NoSuchUpload");
    complete(&client, "a", &upload, &[(1, &one)]).await.refused(404, "NoSuchUpload");
}

#[tokio::test]
async fn checksums_of_parts_make_one() {
    let client = Client::with_bucket().await;
    for (kind, expected) in [("FULL_OBJECT", "NhCmhg==".to_owned()), ("COMPOSITE", String::new())] {
        let begun = client.ask("POST", "/box/a?uploads");
        let begun = begun.header("x-amz-checksum-algorithm", "CRC32").header("x-amz-checksum-type", kind);
        let upload = begun.send().await.expect(200).element("UploadId").unwrap();
        let put = client.ask("PUT", &format!("/box/a?partNumber=1&uploadId={upload}"));
        let put = put.header("x-amz-checksum-crc32", "NhCmhg==").body("hello").send().await.expect(200);
        assert_eq!(put.header("x-amz-checksum-crc32"), "NhCmhg==");
        let etag = put.header("etag").to_owned();
        let body = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        );
        let target = format!("/box/a?uploadId={upload}");
        if kind == "FULL_OBJECT" {
            let wrong = client.ask("POST", &target).header("x-amz-checksum-crc32", "AAAAAA==");
            wrong.header("x-amz-checksum-type", kind).body(&body).send().await.refused(400, "BadDigest");
        }
        let done = client.post(&target, body).await.expect(200);
        let told = done.element("ChecksumCRC32").unwrap();
        assert!(if expected.is_empty() { told.ends_with("-1") } else { told == expected }, "{told}");
        let head = client.ask("HEAD", "/box/a").header("x-amz-checksum-mode", "ENABLED").send().await.expect(200);
        assert_eq!((head.header("x-amz-checksum-crc32"), head.header("x-amz-checksum-type")), (told.as_str(), kind));
    }
    let odd = client.ask("POST", "/box/a?uploads").header("x-amz-checksum-algorithm", "SHA1");
    odd.header("x-amz-checksum-type", "FULL_OBJECT").send().await.refused(400, "InvalidRequest");
}

/// Completes an upload of one part, with what is said of the whole and of the part.
async fn complete_one(client: &Client, upload: &str, etag: &str, whole: &[(&str, &str)], of_part: &str) -> Answer {
    let body = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>{of_part}</Part></CompleteMultipartUpload>"
    );
    let mut sent = client.ask("POST", &format!("/box/a?uploadId={upload}"));
    for (name, value) in whole {
        sent = sent.header(name, value);
    }
    sent.body(body).send().await
}

#[tokio::test]
async fn a_checksum_that_cannot_be_compared_is_refused() {
    let client = Client::with_bucket().await;
    let upload = begin(&client, "a").await;
    let etag = part(&client, "a", &upload, 1, b"hello").await.expect(200).header("etag").to_owned();
    let crc32 = "x-amz-checksum-crc32";
    let complete =
        async |whole: &[(&str, &str)], of_part: &str| complete_one(&client, &upload, &etag, whole, of_part).await;
    complete(&[(crc32, "AAAAAA==")], "").await.refused(400, "InvalidRequest");
    complete(&[(crc32, "NhCmhg==")], "").await.refused(400, "InvalidRequest");
    complete(&[], "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>").await.refused(400, "InvalidPart");
    client.get("/box/a").await.refused(404, "NoSuchKey");
    complete(&[], "").await.expect(200);

    let upload = begin(&client, "a").await;
    let put = client.ask("PUT", &format!("/box/a?partNumber=1&uploadId={upload}"));
    put.header(crc32, "NhCmhg==").body("hello").send().await.expect(200);
    let complete =
        async |whole: &[(&str, &str)], of_part: &str| complete_one(&client, &upload, &etag, whole, of_part).await;
    let full = ("x-amz-checksum-type", "FULL_OBJECT");
    complete(&[(crc32, "AAAAAA=="), full], "").await.refused(400, "BadDigest");
    let sha1 = ("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=");
    complete(&[sha1], "").await.refused(400, "InvalidRequest");
    complete(&[(crc32, "NhCmhg=="), sha1], "").await.refused(400, "InvalidRequest");
    complete(&[], "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>").await.refused(400, "InvalidPart");
    let done = complete(&[(crc32, "NhCmhg=="), full], "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>").await.expect(200);
    assert_eq!(done.element("ChecksumCRC32").as_deref(), Some("NhCmhg=="));
}

#[tokio::test]
async fn each_part_has_the_checksum_that_was_announced() {
    let client = Client::with_bucket().await;
    let begun = client.ask("POST", "/box/a?uploads").header("x-amz-checksum-algorithm", "CRC32");
    let begun = begun.header("x-amz-checksum-type", "FULL_OBJECT").send().await.expect(200);
    let upload = begun.element("UploadId").unwrap();
    let target = format!("/box/a?partNumber=1&uploadId={upload}");
    let other = client.ask("PUT", &target).header("x-amz-checksum-sha1", "qvTGHdzF6KLavt4PO0gs2a6pQ00=");
    let refused = other.body("hello").send().await.refused(400, "InvalidRequest");
    assert!(refused.element("Message").unwrap().starts_with("Checksum Type mismatch"), "{refused:?}");
    let put = client.put(&target, "hello").await.expect(200);
    assert_eq!(put.header("x-amz-checksum-crc32"), "NhCmhg==");
    let etag = put.header("etag").to_owned();
    let crc32 = "x-amz-checksum-crc32";
    let complete = async |whole: &[(&str, &str)]| complete_one(&client, &upload, &etag, whole, "").await;
    complete(&[("x-amz-checksum-crc32c", "NhCmhg==")]).await.refused(400, "InvalidRequest");
    complete(&[(crc32, "AAAAAA==")]).await.refused(400, "BadDigest");
    complete(&[(crc32, "NhCmhg=="), ("x-amz-checksum-type", "COMPOSITE")]).await.refused(400, "InvalidRequest");
    let done = complete(&[(crc32, "NhCmhg==")]).await.expect(200);
    assert_eq!(done.element("ChecksumCRC32").as_deref(), Some("NhCmhg=="));
}

#[tokio::test]
async fn parts_are_copied() {
    let client = Client::with_bucket().await;
    let source: Vec<u8> = (0..6 * MIB).map(|number| u8::try_from(number % 251).unwrap()).collect();
    client.put("/box/source", &source).await.expect(200);
    let upload = begin(&client, "copy").await;
    let copy = |number: u32, range: &str| {
        let target = format!("/box/copy?partNumber={number}&uploadId={upload}");
        let sent = client.ask("PUT", &target).header("x-amz-copy-source", "/box/source");
        sent.header("x-amz-copy-source-range", range).send()
    };
    let cut = 5 * MIB + 7;
    let one = copy(1, &format!("bytes=0-{}", cut - 1)).await.expect(200).element("ETag").unwrap();
    let two = copy(2, &format!("bytes={cut}-{}", source.len() - 1)).await.expect(200).element("ETag").unwrap();
    copy(3, "bytes=0-99999999").await.refused(416, "InvalidRange");
    copy(3, "nonsense").await.refused(400, "InvalidArgument");
    complete(&client, "copy", &upload, &[(1, &one), (2, &two)]).await.expect(200);
    let got = client.get("/box/copy").await.expect(200);
    assert_eq!(sha256_base64(&got.body), sha256_base64(&source));
    client.delete("/box/source").await.expect(204);
    assert_eq!(client.get("/box/copy").await.expect(200).body.len(), source.len());
}

#[tokio::test]
async fn uploads_are_listed_by_pages() {
    let client = Client::with_bucket().await;
    for key in ["a/1", "a/2", "b", "b"] {
        begin(&client, key).await;
    }
    let all = client.get("/box?uploads").await.expect(200);
    assert_eq!(all.elements("Key"), ["a/1", "a/2", "b", "b"]);
    let grouped = client.get("/box?uploads&delimiter=/").await.expect(200);
    assert_eq!(grouped.elements("Key"), ["b", "b"]);
    let first = client.get("/box?uploads&max-uploads=3").await.expect(200);
    assert_eq!((first.elements("Key").len(), first.element("IsTruncated").as_deref()), (3, Some("true")));
    let (key, upload) = (first.element("NextKeyMarker").unwrap(), first.element("NextUploadIdMarker").unwrap());
    let next = client.get(&format!("/box?uploads&key-marker={key}&upload-id-marker={upload}")).await.expect(200);
    assert_eq!(next.elements("Key"), ["b"]);
}
