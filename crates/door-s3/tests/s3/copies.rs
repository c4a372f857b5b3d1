//! Copies by reference.

use crate::harness::Client;

#[tokio::test]
async fn a_copy_is_as_the_original() {
    let client = Client::with_bucket().await;
    client.send("PUT", "/other").await.expect(200);
    let put = client.ask("PUT", "/box/a%20b").header("content-type", "text/plain").header("x-amz-meta-k", "v");
    let etag = put.header("x-amz-tagging", "t=1").body("hello").send().await.expect(200).header("etag").to_owned();
    let copy = client.ask("PUT", "/other/c/d").header("x-amz-copy-source", "box/a%20b").send().await.expect(200);
    assert_eq!(copy.element("ETag").unwrap(), etag);
    let got = client.get("/other/c/d").await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("content-type")), (b"hello".as_slice(), "text/plain"));
    assert_eq!((got.header("x-amz-meta-k"), got.header("x-amz-tagging-count")), ("v", "1"));
    client.delete("/box/a%20b").await.expect(204);
    assert_eq!(client.get("/other/c/d").await.expect(200).body, "hello");
}

#[tokio::test]
async fn metadata_may_be_replaced() {
    let client = Client::with_bucket().await;
    let put = client.ask("PUT", "/box/a").header("content-type", "text/plain").header("x-amz-meta-k", "v");
    put.body("x").send().await.expect(200);
    let itself = |directive: &'static str| {
        let copy = client.ask("PUT", "/box/a").header("x-amz-copy-source", "/box/a").header("x-amz-meta-n", "w");
        copy.header("x-amz-metadata-directive", directive).send()
    };
    itself("COPY").await.refused(400, "InvalidRequest");
    itself("OTHER").await.refused(400, "InvalidArgument");
    itself("REPLACE").await.expect(200);
    let got = client.get("/box/a").await.expect(200);
    assert_eq!((got.header("x-amz-meta-k"), got.header("x-amz-meta-n")), ("", "w"));
    assert_eq!((got.header("content-type"), got.body.as_ref()), ("binary/octet-stream", b"x".as_slice()));
    let tagged = client.ask("PUT", "/box/b").header("x-amz-copy-source", "/box/a");
    let tagged = tagged.header("x-amz-tagging-directive", "REPLACE").header("x-amz-tagging", "k=v").send().await;
    tagged.expect(200);
    assert_eq!(client.get("/box/b").await.header("x-amz-tagging-count"), "1");
}

#[tokio::test]
async fn copies_have_conditions() {
    let client = Client::with_bucket().await;
    let etag = client.put("/box/a", "x").await.expect(200).header("etag").to_owned();
    let copy = |name: &'static str, value: &str| {
        client.ask("PUT", "/box/b").header("x-amz-copy-source", "/box/a").header(name, value).send()
    };
    copy("x-amz-copy-source-if-match", "\"other\"").await.refused(412, "PreconditionFailed");
    copy("x-amz-copy-source-if-none-match", &etag).await.refused(412, "PreconditionFailed");
    copy("x-amz-copy-source-if-match", &etag).await.expect(200);
    copy("if-none-match", "*").await.refused(412, "PreconditionFailed");
    let from = |source: &'static str| client.ask("PUT", "/box/c").header("x-amz-copy-source", source).send();
    from("/box/none").await.refused(404, "NoSuchKey");
    from("/nothing/a").await.refused(404, "NoSuchBucket");
    let odd = from("nonsense").await;
    assert_eq!(odd.status, 400, "{odd:?}");
}
