//! Who else may use a bucket: rules, grants, and what shall not be public.

use crate::harness::{Answer, Client, HOST, Key, md5_base64};
use axum::body::Body;
use entente_identity::Reach;
use entente_model::{UserId, UserRole};

const OPEN: &str = "<PublicAccessBlockConfiguration></PublicAccessBlockConfiguration>";

/// Somebody else of the enterprise, with a key.
async fn friend(client: &Client, name: &str) -> (UserId, Key) {
    let user = client.stage.person(&format!("{name}@acme.example"), name, UserRole::User).await;
    (user, client.another_key(user, false, Reach::All).await)
}

/// A request that nobody has signed.
async fn nobody(client: &Client, method: &str, target: &str, body: &str) -> Answer {
    let headers = [("host".to_owned(), HOST.to_owned()), ("content-length".to_owned(), body.len().to_string())];
    client.raw(method, target, &headers, Body::from(body.to_owned())).await
}

fn statement(effect: &str, principal: &str, actions: &str, resources: &str) -> String {
    format!("{{\"Effect\":\"{effect}\",\"Principal\":{principal},\"Action\":{actions},\"Resource\":{resources}}}")
}

fn policy(statements: &[String]) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", statements.join(","))
}

fn named(user: UserId) -> String {
    format!("{{\"AWS\":\"arn:aws:iam::1:user/{user}\"}}")
}

#[tokio::test]
async fn everybody_reads_what_a_policy_lets_them() {
    let client = Client::with_bucket().await;
    client.put("/box/public/a", "told").await.expect(200);
    client.put("/box/private/a", "kept").await.expect(200);
    nobody(&client, "GET", "/box/public/a", "").await.refused(403, "AccessDenied");
    let read = policy(&[statement("Allow", "\"*\"", "\"s3:GetObject\"", "\"arn:aws:s3:::box/public/*\"")]);
    client.put("/box?policy", &read).await.refused(403, "AccessDenied");
    client.put("/box?publicAccessBlock", OPEN).await.expect(200);
    client.put("/box?policy", &read).await.expect(204);
    assert_eq!(client.get("/box?policy").await.expect(200).body, read.as_bytes());
    let status = client.get("/box?policyStatus").await.expect(200);
    assert_eq!(status.element("IsPublic").map(|text| text.to_lowercase()).as_deref(), Some("true"));
    assert_eq!(nobody(&client, "GET", "/box/public/a", "").await.expect(200).body, "told");
    assert_eq!(nobody(&client, "HEAD", "/box/public/a", "").await.status, 200);
    // What is not let, what is not there, and buckets that there are not, look alike.
    for (method, target) in [
        ("GET", "/box/private/a"),
        ("GET", "/box/public/none"),
        ("GET", "/box"),
        ("GET", "/"),
        ("GET", "/other/a"),
        ("GET", "/box?policy"),
        ("PUT", "/box/public/b"),
        ("DELETE", "/box/public/a"),
        ("PUT", "/new"),
        ("POST", "/box/public/b?uploads"),
    ] {
        nobody(&client, method, target, "").await.refused(403, "AccessDenied");
    }
    assert_eq!(nobody(&client, "HEAD", "/box/private/a", "").await.status, 403);
    let (_, stranger) = friend(&client, "sue").await;
    let found = client.ask("GET", "/box/public/a").by(&stranger).send().await.expect(200);
    assert_eq!(found.body, "told");
    client.ask("GET", "/box/private/a").by(&stranger).send().await.refused(403, "AccessDenied");
    // At once, everywhere.
    let block = "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>\
                 </PublicAccessBlockConfiguration>";
    client.put("/box?publicAccessBlock", block).await.expect(200);
    nobody(&client, "GET", "/box/public/a", "").await.refused(403, "AccessDenied");
    client.ask("GET", "/box/public/a").by(&stranger).send().await.refused(404, "NoSuchBucket");
    client.get("/box/public/a").await.expect(200);
    client.delete("/box?policy").await.expect(204);
    client.get("/box?policy").await.refused(404, "NoSuchBucketPolicy");
    client.get("/box/public/a").await.expect(200);
}

#[tokio::test]
async fn a_friend_does_what_was_let_and_no_more() {
    let client = Client::with_bucket().await;
    client.put("/box/a", "x").await.expect(200);
    let (user, key) = friend(&client, "ben").await;
    let (_, stranger) = friend(&client, "sue").await;
    let by = |method: &'static str, target: &'static str| client.ask(method, target).by(&key);
    by("GET", "/box/a").send().await.refused(404, "NoSuchBucket");
    let write = policy(&[
        statement("Allow", &named(user), "[\"s3:PutObject\",\"s3:DeleteObject\"]", "\"arn:aws:s3:::box/ben/*\""),
        statement("Allow", &named(user), "\"s3:ListBucket\"", "\"arn:aws:s3:::box\"")
            .replace("\"Resource\"", "\"Condition\":{\"StringLike\":{\"s3:prefix\":\"ben/*\"}},\"Resource\""),
    ]);
    client.put("/box?policy", &write).await.expect(204);
    by("PUT", "/box/ben/b").body("mine").send().await.expect(200);
    by("PUT", "/box/b").body("mine").send().await.refused(403, "AccessDenied");
    by("GET", "/box/ben/b").send().await.refused(403, "AccessDenied");
    let listed = by("GET", "/box?list-type=2&prefix=ben/").send().await.expect(200);
    assert_eq!(listed.elements("Key"), ["ben/b"]);
    by("GET", "/box?list-type=2").send().await.refused(403, "AccessDenied");
    by("GET", "/box?list-type=2&prefix=ben/&prefix=").send().await.refused(400, "InvalidRequest");
    by("GET", "/box?policy").send().await.refused(403, "AccessDenied");
    by("PUT", "/box?policy").body(&write).send().await.refused(403, "AccessDenied");
    by("DELETE", "/box").send().await.refused(403, "AccessDenied");
    // Others see nothing of it, and the owner sees what came.
    client.ask("GET", "/box?list-type=2").by(&stranger).send().await.refused(404, "NoSuchBucket");
    assert_eq!(client.get("/box/ben/b").await.expect(200).body, "mine");
    let many = "<Delete><Object><Key>ben/b</Key></Object><Object><Key>a</Key></Object></Delete>";
    let deleted = by("POST", "/box?delete")
        .header("content-md5", &md5_base64(many.as_bytes()))
        .body(many)
        .send()
        .await
        .expect(200);
    assert_eq!((deleted.elements("Code"), deleted.elements("Deleted").len()), (vec!["AccessDenied".to_owned()], 1));
    client.get("/box/a").await.expect(200);
    client.get("/box/ben/b").await.refused(404, "NoSuchKey");
    // Parts of an upload come through the same gate.
    let begun = by("POST", "/box/ben/c?uploads").send().await.expect(200);
    let upload = begun.element("UploadId").unwrap();
    let target = format!("/box/ben/c?partNumber=1&uploadId={upload}");
    let part = client.ask("PUT", &target).by(&key).body("part").send().await.expect(200);
    client.ask("PUT", &target).by(&stranger).body("part").send().await.refused(404, "NoSuchBucket");
    let etag = part.headers["etag"].to_str().unwrap().to_owned();
    let complete = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    client.ask("POST", &format!("/box/ben/c?uploadId={upload}")).by(&key).body(complete).send().await.expect(200);
    assert_eq!(client.get("/box/ben/c").await.expect(200).body, "part");
    // A key that only reads, or that reaches other buckets, is less than its user.
    let reader = client.another_key(user, true, Reach::All).await;
    client.ask("PUT", "/box/ben/d").by(&reader).body("x").send().await.refused(403, "AccessDenied");
    let elsewhere = client.another_key(user, false, Reach::Some(vec!["other".to_owned()])).await;
    client.ask("PUT", "/box/ben/d").by(&elsewhere).body("x").send().await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn who_completes_what_others_began_does_all_that_was_ordered() {
    let client = Client::with_bucket().await;
    let (ben, key) = friend(&client, "ben").await;
    let (sue, other) = friend(&client, "sue").await;
    let all = "\"arn:aws:s3:::box/*\"";
    let write = policy(&[
        statement("Allow", &named(ben), "[\"s3:PutObject\",\"s3:PutObjectTagging\"]", all),
        statement("Allow", &named(sue), "\"s3:PutObject\"", all),
    ]);
    client.put("/box?policy", &write).await.expect(204);
    for (tags, target) in [(Some("a=b"), "/box/tagged"), (None, "/box/plain")] {
        let begin = client.ask("POST", &format!("{target}?uploads")).by(&key);
        let begin = tags.into_iter().fold(begin, |begin, tags| begin.header("x-amz-tagging", tags));
        let upload = begin.send().await.expect(200).element("UploadId").unwrap();
        let part = client.ask("PUT", &format!("{target}?partNumber=1&uploadId={upload}")).by(&key).body("part");
        let etag = part.send().await.expect(200).headers["etag"].to_str().unwrap().to_owned();
        let complete = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        );
        let end = format!("{target}?uploadId={upload}");
        let ended = client.ask("POST", &end).by(&other).body(complete.clone()).send().await;
        if tags.is_some() {
            ended.refused(403, "AccessDenied");
            client.ask("POST", &end).by(&key).body(complete).send().await.expect(200);
        } else {
            ended.expect(200);
        }
        assert_eq!(client.get(target).await.expect(200).body, "part");
    }
}

#[tokio::test]
async fn what_is_denied_is_denied_to_the_owner_too() {
    let client = Client::with_bucket().await;
    client.put("/box/keep/a", "x").await.expect(200);
    let deny = policy(&[
        statement("Deny", "\"*\"", "[\"s3:DeleteObject\",\"s3:PutObject\"]", "\"arn:aws:s3:::box/keep/*\""),
        statement("Deny", "\"*\"", "\"s3:*\"", "[\"arn:aws:s3:::box\",\"arn:aws:s3:::box/secret/*\"]"),
    ]);
    client.put("/box?policy", &deny).await.expect(204);
    client.delete("/box/keep/a").await.refused(403, "AccessDenied");
    client.put("/box/keep/a", "y").await.refused(403, "AccessDenied");
    client.put("/box/secret/a", "y").await.refused(403, "AccessDenied");
    client.get("/box?list-type=2").await.refused(403, "AccessDenied");
    assert_eq!(client.get("/box/keep/a").await.expect(200).body, "x");
    // Who may not list is not told what is not there.
    client.get("/box/none").await.refused(403, "AccessDenied");
    client.get("/box?policy").await.expect(200);
    client.delete("/box?policy").await.expect(204);
    client.delete("/box/keep/a").await.expect(204);
}

#[tokio::test]
async fn copies_cross_from_owner_to_owner() {
    let client = Client::with_bucket().await;
    client.ask("PUT", "/box/a").header("x-amz-meta-color", "blue").body("copied").send().await.expect(200);
    let (user, key) = friend(&client, "ben").await;
    client.ask("PUT", "/bens").by(&key).send().await.expect(200);
    let copy = |source: &'static str| client.ask("PUT", "/bens/b").by(&key).header("x-amz-copy-source", source);
    copy("/box/a").send().await.refused(404, "NoSuchBucket");
    let read = policy(&[statement("Allow", &named(user), "\"s3:GetObject\"", "\"arn:aws:s3:::box/a\"")]);
    client.put("/box?policy", &read).await.expect(204);
    copy("/box/a").send().await.expect(200);
    let found = client.ask("GET", "/bens/b").by(&key).send().await.expect(200);
    assert_eq!(found.body, "copied");
    assert_eq!(found.headers["x-amz-meta-color"], "blue");
    copy("/box/b").send().await.refused(403, "AccessDenied");
    let begun = client.ask("POST", "/bens/c?uploads").by(&key).send().await.expect(200);
    let target = format!("/bens/c?partNumber=1&uploadId={}", begun.element("UploadId").unwrap());
    client.ask("PUT", &target).by(&key).header("x-amz-copy-source", "/box/a").send().await.expect(200);
    client.ask("PUT", &target).by(&key).header("x-amz-copy-source", "/box/b").send().await.refused(403, "AccessDenied");
    // Reading there is not writing there.
    let back = client.ask("PUT", "/box/c").by(&key).header("x-amz-copy-source", "/bens/b").send().await;
    back.refused(403, "AccessDenied");
}

#[tokio::test]
async fn grants_count_once_the_owner_lets_them() {
    let client = Client::with_bucket().await;
    let (user, key) = friend(&client, "ben").await;
    let public = |target: &'static str| client.ask("PUT", target).header("x-amz-acl", "public-read");
    public("/box/a").body("x").send().await.refused(400, "AccessControlListNotSupported");
    let writer = "<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>";
    client.put("/box?ownershipControls", writer).await.expect(200);
    public("/box/a").body("x").send().await.refused(403, "AccessDenied");
    client.put("/box?publicAccessBlock", OPEN).await.expect(200);
    public("/box/a").body("x").send().await.expect(200);
    client.put("/box/b", "y").await.expect(200);
    assert_eq!(nobody(&client, "GET", "/box/a", "").await.expect(200).body, "x");
    nobody(&client, "GET", "/box/b", "").await.refused(403, "AccessDenied");
    let acl = client.get("/box/a?acl").await.expect(200);
    assert_eq!(acl.elements("Permission"), ["FULL_CONTROL", "READ"]);
    // A grant to somebody by name, by header and as a document.
    let grant = format!("id={user}");
    client.ask("PUT", "/box/b?acl").header("x-amz-grant-read", &grant).send().await.expect(200);
    client.ask("GET", "/box/b").by(&key).send().await.expect(200);
    client.ask("GET", "/box/b?acl").by(&key).send().await.refused(403, "AccessDenied");
    let document = format!(
        "<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:type=\"CanonicalUser\"><ID>{user}</ID></Grantee><Permission>READ_ACP</Permission></Grant>\
         </AccessControlList><Owner><ID>{}</ID></Owner></AccessControlPolicy>",
        client.user
    );
    client.put("/box/b?acl", &document).await.expect(200);
    client.ask("GET", "/box/b").by(&key).send().await.refused(403, "AccessDenied");
    client.ask("GET", "/box/b?acl").by(&key).send().await.expect(200);
    let unknown = document.replace(&format!("<ID>{user}</ID></Grantee>"), "<ID>7</ID></Grantee>");
    client.put("/box/b?acl", unknown).await.refused(400, "InvalidArgument");
    // The bucket's own: others write, and what they write is theirs to grant.
    client.ask("PUT", "/box?acl").header("x-amz-grant-write", &grant).send().await.expect(200);
    client.ask("PUT", "/box/c").by(&key).body("z").send().await.expect(200);
    let acl = client.ask("GET", "/box/c?acl").by(&key).send().await.expect(200);
    assert_eq!(acl.elements("ID"), [user.to_string(), user.to_string()]);
    assert_eq!(client.get("/box/c").await.expect(200).body, "z");
    client.ask("GET", "/box/c").by(&key).send().await.expect(200);
    client.ask("GET", "/box?list-type=2").by(&key).send().await.refused(403, "AccessDenied");
    // A copy has grants of its own.
    client.ask("PUT", "/box/d").header("x-amz-copy-source", "/box/a").send().await.expect(200);
    nobody(&client, "GET", "/box/d", "").await.refused(403, "AccessDenied");
    // What is ignored counts no more, and comes back.
    let ignore =
        "<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>";
    client.put("/box?publicAccessBlock", ignore).await.expect(200);
    nobody(&client, "GET", "/box/a", "").await.refused(403, "AccessDenied");
    client.put("/box?publicAccessBlock", OPEN).await.expect(200);
    nobody(&client, "GET", "/box/a", "").await.expect(200);
    let enforced = writer.replace("ObjectWriter", "BucketOwnerEnforced");
    client.put("/box?ownershipControls", &enforced).await.refused(400, "InvalidBucketAclWithObjectOwnership");
    client.ask("PUT", "/box?acl").header("x-amz-acl", "private").send().await.expect(200);
    client.put("/box?ownershipControls", &enforced).await.expect(200);
    nobody(&client, "GET", "/box/a", "").await.refused(403, "AccessDenied");
    client.delete("/box?ownershipControls").await.expect(204);
    client.get("/box?ownershipControls").await.refused(404, "OwnershipControlsNotFoundError");
    nobody(&client, "GET", "/box/a", "").await.expect(200);
}

#[tokio::test]
async fn nobody_may_put_into_a_public_bucket_and_is_remembered_as_nobody() {
    let client = Client::with_bucket().await;
    client.put("/box?publicAccessBlock", OPEN).await.expect(200);
    let write = policy(&[statement("Allow", "\"*\"", "\"s3:PutObject\"", "\"arn:aws:s3:::box/drop/*\"")]);
    client.put("/box?policy", &write).await.expect(204);
    nobody(&client, "PUT", "/box/drop/a", "given").await.expect(200);
    nobody(&client, "PUT", "/box/a", "given").await.refused(403, "AccessDenied");
    let form = |key: &str| {
        format!(
            "--x\r\ncontent-disposition: form-data; name=\"key\"\r\n\r\n{key}\r\n--x\r\ncontent-disposition: form-data; \
             name=\"file\"; filename=\"f\"\r\n\r\nby form\r\n--x--\r\n"
        )
    };
    for (key, status) in [("drop/b", 204), ("b", 403)] {
        let body = form(key);
        let headers = [
            ("host".to_owned(), HOST.to_owned()),
            ("content-length".to_owned(), body.len().to_string()),
            ("content-type".to_owned(), "multipart/form-data; boundary=x".to_owned()),
        ];
        let answer = client.raw("POST", "/box", &headers, Body::from(body)).await;
        assert_eq!(answer.status, status, "{key}");
    }
    assert_eq!(client.get("/box/drop/a").await.expect(200).body, "given");
    assert_eq!(client.get("/box/drop/b").await.expect(200).body, "by form");
    // Tags and grants are deeds of their own.
    let headers = [
        ("host".to_owned(), HOST.to_owned()),
        ("content-length".to_owned(), "1".to_owned()),
        ("x-amz-tagging".to_owned(), "a=b".to_owned()),
    ];
    client.raw("PUT", "/box/drop/c", &headers, Body::from("x")).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn a_policy_that_is_not_understood_is_refused() {
    let client = Client::with_bucket().await;
    let (user, _) = friend(&client, "ben").await;
    let good = policy(&[statement("Allow", &named(user), "\"s3:GetObject\"", "\"arn:aws:s3:::box/*\"")]);
    client.put("/box?policy", &good).await.expect(204);
    for odd in [
        "{".to_owned(),
        good.replace("GetObject", "Anything"),
        good.replace("Principal", "NotPrincipal"),
        good.replace("arn:aws:s3:::box", "arn:aws:s3:::other"),
        good.replace(&user.to_string(), "7"),
        good.replace("\"Effect\"", "\"Condition\":{\"StringEquals\":{\"aws:Unheard\":\"x\"}},\"Effect\""),
    ] {
        client.put("/box?policy", &odd).await.refused(400, "MalformedPolicy");
    }
    assert_eq!(client.get("/box?policy").await.expect(200).body, good.as_bytes());
    client.put("/none?policy", &good).await.refused(404, "NoSuchBucket");
}
