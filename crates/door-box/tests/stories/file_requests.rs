//! File requests, as those who make them see them, and as those who send.

use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

async fn make(client: &Client, folder: &str, more: Value) -> Value {
    let mut body = json!({"folder": {"type": "folder", "id": folder}, "title": "Papers"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post("/file_requests", body).await.expect(201)
}

/// What a browser sends: fields, then files.
async fn send(client: &Client, url: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    let field = |name: &str| format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
    for (name, value) in fields {
        body.extend_from_slice(format!("{}{value}\r\n", field(name)).as_bytes());
    }
    for (name, content) in files {
        let head = format!("--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n");
        body.extend_from_slice(format!("{head}Content-Type: text/plain\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    let headers = [("authorization", ""), ("content-type", "multipart/form-data; boundary=xyz")];
    client.send("POST", url, &headers, body).await
}

async fn page(client: &Client, url: &str) -> Answer {
    client.send("GET", url, &[("authorization", "")], "").await
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

async fn names(client: &Client, folder: &str) -> Vec<String> {
    let listing = client.get(&format!("/folders/{folder}/items")).await.expect(200);
    listing["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_file_request_is_made_shown_changed_copied_listed_and_removed() {
    let client = Client::new().await;
    let (folder, other) = (client.folder("0", "in").await, client.folder("0", "other").await);
    let made = make(&client, &folder, json!({"description": "All of them.", "is_email_required": true})).await;
    assert_eq!(
        (&made["type"], &made["title"], &made["description"], &made["status"], &made["etag"]),
        (&json!("file_request"), &json!("Papers"), &json!("All of them."), &json!("active"), &json!("0"))
    );
    assert_eq!((&made["is_email_required"], &made["is_description_required"]), (&json!(true), &json!(false)));
    assert_eq!((&made["folder"]["id"], &made["folder"]["type"]), (&json!(folder), &json!("folder")));
    assert!(made["url"].as_str().unwrap().starts_with("/f/") && made.get("expires_at").is_none());
    let path = format!("/file_requests/{}", made["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.expect(200), made);

    let wish = json!({"title": "Bring it", "description": null, "status": "inactive",
        "expires_at": "2199-01-01T00:00:00Z"});
    let changed = client.put(&path, wish).await.expect(200);
    assert_eq!(
        (&changed["title"], &changed["description"], &changed["status"], &changed["etag"]),
        (&json!("Bring it"), &Value::Null, &json!("inactive"), &json!("1"))
    );
    assert_eq!(changed["expires_at"], "2199-01-01T00:00:00+00:00");
    let stale = [("if-match", "0"), ("content-type", "application/json")];
    let late = client.send("PUT", &format!("/box/2.0{path}"), &stale, json!({"title": "late"}).to_string()).await;
    late.refused(412, "precondition_failed");

    let copied = client.post(&format!("{path}/copy"), json!({"folder": {"id": other}, "status": "active"})).await;
    let copied = copied.expect(200);
    assert_eq!(
        (&copied["title"], &copied["status"], &copied["etag"]),
        (&json!("Bring it"), &json!("active"), &json!("0"))
    );
    assert_eq!((&copied["folder"]["id"], copied["url"] == made["url"]), (&json!(other), false));

    make(&client, &folder, json!({})).await;
    let first = client.get(&format!("/folders/{folder}/file_requests?limit=1")).await.expect(200);
    assert_eq!((&first["entries"][0]["id"], first["entries"].as_array().unwrap().len()), (&made["id"], 1));
    let marker = first["next_marker"].as_str().unwrap();
    let second = client.get(&format!("/folders/{folder}/file_requests?limit=1&marker={marker}")).await.expect(200);
    assert_eq!(
        (second["entries"][0]["title"].as_str(), second.get("next_marker")),
        (Some("Papers"), Some(&Value::Null))
    );

    client.delete(&path).await.expect(204);
    client.delete(&path).await.refused(404, "not_found");
    client.get(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_boxs_form() {
    let client = Client::new().await;
    let folder = client.folder("0", "in").await;
    let made = make(&client, &folder, json!({})).await;
    let path = format!("/file_requests/{}", made["id"].as_str().unwrap());
    client.get("/file_requests/abc").await.refused(405, "method_not_allowed");
    for (wish, code) in [
        (json!({"title": ""}), "bad_request"),
        (json!({"title": 7}), "bad_request"),
        (json!({"status": "open"}), "bad_request"),
        (json!({"expires_at": "2001-01-01T00:00:00Z"}), "bad_request"),
        (json!({"expires_at": "soon"}), "bad_request"),
        (json!({"description": "d".repeat(4_001)}), "bad_request"),
    ] {
        client.put(&path, wish).await.refused(400, code);
    }
    for wish in [
        json!({}),
        json!({"folder": {}}),
        json!({"folder": {"id": "x"}}),
        json!({"folder": {"type": "file", "id": folder}}),
    ] {
        client.post("/file_requests", wish.clone()).await.refused(400, "bad_request");
        client.post(&format!("{path}/copy"), wish).await.refused(400, "bad_request");
    }
    client.post("/file_requests", json!({"folder": {"id": "0"}})).await.expect(403);
    client.post("/file_requests", json!({"folder": {"id": "999"}})).await.refused(404, "not_found");

    // A stranger learns nothing.
    let otto = client.stage.person("otto@acme.example", "Otto", UserRole::User).await;
    let otto = format!("Bearer {}", client.stage.token(otto, Scopes::ALL, HOUR).await);
    for (method, path) in [("GET", path.clone()), ("PUT", path.clone()), ("DELETE", path.clone())] {
        let answer = client.send(method, &format!("/box/2.0{path}"), &[("authorization", &otto)], "{}").await;
        answer.refused(404, "not_found");
    }
}

#[tokio::test]
async fn people_without_an_account_send_files() {
    let client = Client::new().await;
    let folder = client.folder("0", "secret name").await;
    client.file(&folder, "a.txt", b"mine").await;
    let made = make(
        &client,
        &folder,
        json!({"description": "One <per>\nperson", "is_description_required": true,
        "is_email_required": true}),
    )
    .await;
    let url = made["url"].as_str().unwrap();
    let shown = page(&client, url).await;
    assert_eq!(shown.status, 200);
    assert_eq!(shown.header("content-type"), "text/html; charset=utf-8");
    let policy = shown.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!((shown.header("x-content-type-options"), shown.header("set-cookie")), ("nosniff", ""));
    assert!(text(&shown).contains("<h1>Papers</h1>") && text(&shown).contains("One &lt;per&gt;<br>\nperson"));
    assert!(!text(&shown).contains("secret name") && !text(&shown).contains("a.txt"));
    assert_eq!(
        client.send("GET", "/f/style.css", &[("authorization", "")], "").await.header("content-type"),
        "text/css; charset=utf-8"
    );
    let german = client.send("GET", url, &[("authorization", ""), ("accept-language", "de")], "").await;
    assert!(text(&german).contains("<html lang=\"de\">") && text(&german).contains("Senden"));

    let said = [("email", "carla@example.org"), ("description", "the third one")];
    let done = send(&client, url, &said, &[("a.txt", b"theirs"), ("dir/<b>.txt", b"more")]).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(text(&done).contains("<li>a.txt</li>") && text(&done).contains("&lt;b&gt;.txt</li>"), "{done:?}");
    assert!(!text(&done).contains("a (1)"), "it tells what is in the folder");
    assert_eq!(names(&client, &folder).await, ["<b>.txt", "a (1).txt", "a.txt"]);
    let listing = client
        .get(&format!("/folders/{folder}/items?fields=uploader_display_name,description,created_by"))
        .await
        .expect(200);
    let stored = &listing["entries"][1];
    assert_eq!(
        (&stored["uploader_display_name"], &stored["description"]),
        (&json!("carla@example.org"), &json!("the third one"))
    );
    assert_eq!(stored["created_by"]["id"], json!(client.user.to_string()));
    let id = stored["id"].as_str().unwrap();
    assert_eq!(client.download(&format!("/files/{id}/content")).await.body, "theirs");

    // What is wanted and is not there.
    for (fields, wanted) in [
        (&[][..], "mail address"),
        (&[("email", "carla"), ("description", "x")][..], "mail address"),
        (&[("email", "carla@example.org")][..], "what you are sending"),
        (&[("email", "carla@example.org"), ("description", &"d".repeat(257))][..], "too long"),
    ] {
        let refused = send(&client, url, fields, &[("b.txt", b"x")]).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(text(&refused).contains(wanted), "{refused:?}");
    }
    let nothing = send(&client, url, &said, &[("", b"")]).await;
    assert_eq!(nothing.status, 400);
    // What was typed is still there.
    assert!(text(&nothing).contains("Choose a file") && text(&nothing).contains("value=\"carla@example.org\""));
    let no_form = client.send("POST", url, &[("authorization", "")], "x").await;
    assert_eq!(no_form.status, 400);
    assert_eq!(names(&client, &folder).await.len(), 3);
}

#[tokio::test]
async fn a_torn_form_keeps_the_files_that_came_whole() {
    let client = Client::new().await;
    let folder = client.folder("0", "in").await;
    let made = make(&client, &folder, json!({})).await;
    let url = made["url"].as_str().unwrap();
    let mut body = b"--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"one\"\r\n\r\n1\r\n".to_vec();
    body.extend_from_slice(b"--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"two\"\r\n\r\n2");
    let headers = [("authorization", ""), ("content-type", "multipart/form-data; boundary=xyz")];
    let answer = client.send("POST", url, &headers, body).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(text(&answer).contains("<li>one</li>") && text(&answer).contains("“two” has not arrived"), "{answer:?}");
    assert_eq!(names(&client, &folder).await, ["one"]);
}

#[tokio::test]
async fn where_nothing_is_taken_nothing_is_told() {
    let client = Client::new().await;
    let folder = client.folder("0", "in").await;
    let made = make(&client, &folder, json!({})).await;
    let (url, path) = (made["url"].as_str().unwrap(), format!("/file_requests/{}", made["id"].as_str().unwrap()));
    client.put(&path, json!({"status": "inactive"})).await.expect(200);
    let closed = page(&client, url).await;
    let unknown = page(&client, "/f/nothing").await;
    assert_eq!((closed.status, &closed.body), (unknown.status, &unknown.body));
    assert_eq!(closed.status, 404);
    assert!(!text(&closed).contains("Papers"));
    assert_eq!(send(&client, url, &[], &[("a", b"x")]).await.status, 404);
    client.put(&path, json!({"status": "active"})).await.expect(200);
    assert_eq!(page(&client, url).await.status, 200);
    client.delete(&format!("/folders/{folder}?recursive=true")).await.expect(204);
    assert_eq!(page(&client, url).await.status, 404);
    client.get(&path).await.refused(404, "trashed");
}

#[tokio::test]
async fn nobody_floods_a_folder() {
    let client = Client::new().await;
    let folder = client.folder("0", "in").await;
    let made = make(&client, &folder, json!({})).await;
    let url = made["url"].as_str().unwrap();
    for _ in 0..100 {
        assert_eq!(send(&client, url, &[], &[("", b"")]).await.status, 400);
    }
    let refused = send(&client, url, &[], &[("a", b"x")]).await;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() <= 601);
    // Who looks is not counted, and neither is another request.
    assert_eq!(page(&client, url).await.status, 200);
    let other = make(&client, &folder, json!({})).await;
    assert_eq!(send(&client, other["url"].as_str().unwrap(), &[], &[("a", b"x")]).await.status, 200);
}

#[tokio::test]
async fn administrators_are_told() {
    let client = Client::new().await;
    let folder = client.folder("0", "in").await;
    let made = make(&client, &folder, json!({})).await;
    let path = format!("/file_requests/{}", made["id"].as_str().unwrap());
    client.put(&path, json!({"title": "Others"})).await.expect(200);
    client.delete(&path).await.expect(204);
    let root = client.stage.person("root@acme.example", "Root", UserRole::Admin).await;
    let root = format!("Bearer {}", client.stage.token(root, Scopes::ALL, HOUR).await);
    let kinds = "event_type=FILE_REQUEST_CREATE,FILE_REQUEST_UPDATE,FILE_REQUEST_DELETE";
    let asked = format!("/box/2.0/events?stream_type=admin_logs_streaming&{kinds}");
    let told = client.send("GET", &asked, &[("authorization", &root)], "").await.expect(200);
    let told: Vec<_> =
        told["entries"].as_array().unwrap().iter().map(|one| (&one["event_type"], &one["source"]["item_id"])).collect();
    let folder = json!(folder);
    assert_eq!(
        told,
        [
            (&json!("FILE_REQUEST_CREATE"), &folder),
            (&json!("FILE_REQUEST_UPDATE"), &folder),
            (&json!("FILE_REQUEST_DELETE"), &folder),
        ]
    );
}
