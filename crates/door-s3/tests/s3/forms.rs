//! Objects that browsers send as forms.

use crate::harness::{Answer, Client, HOST, hmac_of, md5_hex, moment, signing_key};
use axum::body::Body;
use data_encoding::{BASE64, HEXLOWER};

/// A form with its policy and signature.
fn fields(client: &Client, conditions: &str, minutes: i64, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let now = client.stage.world.now();
    let date = moment(now);
    let ends = jiff::Timestamp::from_millisecond(now.millis() + minutes * 60_000).unwrap();
    let credential = format!("{}/{}/eu-test-1/s3/aws4_request", client.key.id, &date[..8]);
    let policy = format!(
        "{{\"expiration\":\"{}\",\"conditions\":[{{\"bucket\":\"box\"}},[\"starts-with\",\"$key\",\"in/\"],\
         {{\"x-amz-algorithm\":\"AWS4-HMAC-SHA256\"}},{{\"x-amz-credential\":\"{credential}\"}},\
         {{\"x-amz-date\":\"{date}\"}}{conditions}]}}",
        ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    );
    let policy = BASE64.encode(policy.as_bytes());
    let signature = HEXLOWER.encode(hmac_of(&signing_key(&client.key.secret, &date), policy.as_bytes()).as_ref());
    let mut fields: Vec<(String, String)> =
        more.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    for (name, value) in [
        ("policy", policy.as_str()),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", &credential),
        ("X-Amz-Date", &date),
        ("X-Amz-Signature", &signature),
    ] {
        fields.push((name.to_owned(), value.to_owned()));
    }
    fields
}

async fn send(client: &Client, target: &str, fields: &[(String, String)], file: &[u8], end: &str) -> Answer {
    let mut body = Vec::new();
    for (name, value) in fields {
        let part = format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let head = "--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\\\my\\\\photo.png\"\r\n\
                Content-Type: image/png\r\n\r\n";
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(file);
    body.extend_from_slice(end.as_bytes());
    let headers = [
        ("host".to_owned(), HOST.to_owned()),
        ("content-type".to_owned(), "multipart/form-data; boundary=xyz".to_owned()),
        ("content-length".to_owned(), body.len().to_string()),
    ];
    client.raw("POST", target, &headers, Body::from(body)).await
}

const END: &str = "\r\n--xyz--\r\n";

#[tokio::test]
async fn a_form_becomes_an_object() {
    let client = Client::with_bucket().await;
    let conditions = ",[\"starts-with\",\"$Content-Type\",\"image/\"],{\"success_action_status\":\"201\"},\
                      [\"starts-with\",\"$x-amz-meta-k\",\"\"],[\"content-length-range\",2,8]";
    let more = [
        ("key", "in/${filename}"),
        ("Content-Type", "image/png"),
        ("success_action_status", "201"),
        ("x-amz-meta-k", "v"),
    ];
    let form = fields(&client, conditions, 5, &more);
    let sent = send(&client, "/box", &form, b"pixels", END).await.expect(201);
    assert_eq!(sent.element("Key").as_deref(), Some("in/photo.png"));
    assert_eq!(sent.element("ETag").unwrap(), format!("\"{}\"", md5_hex(b"pixels")));
    let got = client.get("/box/in/photo.png").await.expect(200);
    assert_eq!((got.body.as_ref(), got.header("content-type")), (b"pixels".as_slice(), "image/png"));
    assert_eq!(got.header("x-amz-meta-k"), "v");
    client.delete("/box/in/photo.png").await.expect(204);

    send(&client, "/box", &form, b"p", END).await.refused(400, "EntityTooSmall");
    send(&client, "/box", &form, b"too many pixels", END).await.refused(400, "EntityTooLarge");
    send(&client, "/box", &form, b"pixels", "\r\n--xyz").await.refused(400, "IncompleteBody");
    send(&client, "/other", &form, b"pixels", END).await.refused(403, "AccessDenied");
    send(&client, "/box/in/photo.png", &form, b"pixels", END).await.refused(405, "MethodNotAllowed");
    client.get("/box/in/photo.png").await.refused(404, "NoSuchKey");
}

#[tokio::test]
async fn a_form_needs_a_policy_that_allows_it() {
    let client = Client::with_bucket().await;
    let form = |minutes, more: &[(&str, &str)]| fields(&client, "", minutes, more);
    let sent = async |form: Vec<(String, String)>| send(&client, "/box", &form, b"x", END).await;
    sent(form(5, &[("key", "in/a")])).await.expect(204);
    sent(form(-5, &[("key", "in/a")])).await.refused(403, "AccessDenied");
    sent(form(5, &[("key", "out/a")])).await.refused(403, "AccessDenied");
    sent(form(5, &[("key", "in/a"), ("x-amz-meta-k", "v")])).await.refused(403, "AccessDenied");
    sent(form(5, &[("key", "in/a"), ("x-ignore-k", "v")])).await.expect(204);
    sent(form(5, &[])).await.refused(400, "InvalidArgument");
    let mut spoilt = form(5, &[("key", "in/a")]);
    spoilt.last_mut().unwrap().1 = "0".repeat(64);
    sent(spoilt).await.refused(403, "SignatureDoesNotMatch");
    sent(vec![("key".to_owned(), "in/a".to_owned())]).await.refused(403, "AccessDenied");
    let long = "k".repeat(70_000);
    sent(form(5, &[("key", &long)])).await.refused(400, "MalformedPOSTRequest");
    let redirect = fields(
        &client,
        ",[\"starts-with\",\"$success_action_redirect\",\"\"]",
        5,
        &[("key", "in/a"), ("success_action_redirect", "https://a.example/done?x=1")],
    );
    let redirected = sent(redirect).await.expect(303);
    assert!(redirected.header("location").starts_with("https://a.example/done?x=1&bucket=box&key=in%2Fa&etag="));
}

#[tokio::test]
async fn a_form_says_each_thing_once() {
    let client = Client::with_bucket().await;
    let conditions = ",[\"starts-with\",\"$Content-Type\",\"image/\"],[\"starts-with\",\"$x-amz-meta-k\",\"\"]";
    let more = [("key", "in/a"), ("Content-Type", "image/png"), ("x-amz-meta-k", "v")];
    for (name, value) in [("content-type", "text/html"), ("X-Amz-Meta-K", "other"), ("key", "in/b")] {
        let twice = [more.as_slice(), &[(name, value)]].concat();
        let form = fields(&client, conditions, 5, &twice);
        send(&client, "/box", &form, b"x", END).await.refused(400, "InvalidArgument");
    }
    send(&client, "/box", &fields(&client, conditions, 5, &more), b"x", END).await.expect(204);
}

#[tokio::test]
async fn a_form_can_say_no_more_than_headers() {
    let client = Client::with_bucket().await;
    let conditions = ",[\"starts-with\",\"$Content-Type\",\"\"],[\"starts-with\",\"$Cache-Control\",\"\"]";
    let long = "x".repeat(2_049);
    for (kind, control) in [("a\u{1}b", "x"), (&*long, "x"), ("a/b", "x\u{7f}"), ("a/b", &*long)] {
        let more = [("key", "in/a"), ("Content-Type", kind), ("Cache-Control", control)];
        let form = fields(&client, conditions, 5, &more);
        send(&client, "/box", &form, b"x", END).await.refused(400, "InvalidArgument");
    }
    client.get("/box/in/a").await.refused(404, "NoSuchKey");
    let more = [("key", "in/a"), ("Content-Type", "a/b"), ("Cache-Control", "no-cache")];
    send(&client, "/box", &fields(&client, conditions, 5, &more), b"x", END).await.expect(204);
    let got = client.get("/box/in/a").await.expect(200);
    assert_eq!((got.header("content-type"), got.header("cache-control")), ("a/b", "no-cache"));
}

#[tokio::test]
async fn the_key_of_a_form_has_a_length() {
    let client = Client::with_bucket().await;
    // The file is called `photo.png`.
    for (length, status) in [(1_012, 204), (1_013, 400)] {
        let key = ["in/", &"k".repeat(length), "${filename}"].concat();
        let answer = send(&client, "/box", &fields(&client, "", 5, &[("key", &key)]), b"x", END).await;
        if status == 400 {
            answer.refused(400, "KeyTooLongError")
        } else {
            answer.expect(status)
        };
    }
}
