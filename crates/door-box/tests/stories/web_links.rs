use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

const URL: &str = "https://example.com/a?b=c";

async fn make(client: &Client, parent: &str, name: &str) -> String {
    let body = json!({"url": URL, "name": name, "parent": {"id": parent}});
    client.post("/web_links", body).await.expect(200)["id"].as_str().unwrap().to_owned()
}

/// Somebody of the enterprise whom nothing is shared with.
async fn other(client: &Client) -> String {
    let user = client.stage.person("otto@acme.example", "Otto", UserRole::User).await;
    format!("Bearer {}", client.stage.token(user, Scopes::ALL, HOUR).await)
}

async fn ask(client: &Client, who: &str, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.send(method, &format!("/box/2.0{path}"), &[("authorization", who)], body).await
}

fn names(listing: &Value) -> Vec<&str> {
    listing["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_web_link_is_made_shown_changed_and_listed() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    client.file(&folder, "file.txt", b"x").await;
    let body = json!({"url": URL, "name": "home", "description": "where", "parent": {"id": folder}});
    let made = client.post("/web_links", body).await.expect(200);
    assert_eq!((&made["type"], &made["url"], &made["name"]), (&json!("web_link"), &json!(URL), &json!("home")));
    assert_eq!(
        (&made["description"], &made["etag"], &made["sequence_id"]),
        (&json!("where"), &json!("0"), &json!("0"))
    );
    assert_eq!((&made["parent"]["id"], &made["item_status"]), (&json!(folder), &json!("active")));
    assert_eq!(
        (&made["shared_link"], &made["trashed_at"], &made["purged_at"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    for absent in ["size", "sha1", "file_version", "content_created_at", "item_collection", "folder_upload_email"] {
        assert_eq!(made.get(absent), None, "{absent}");
    }
    let id = made["id"].as_str().unwrap();
    let path = format!("/web_links/{id}");
    assert_eq!(client.get(&path).await.expect(200), made);
    let some = client.get(&format!("{path}?fields=url,permissions,tags")).await.expect(200);
    assert_eq!((&some["url"], some.get("name"), &some["tags"]), (&json!(URL), None, &json!([])));
    assert_eq!(some["permissions"]["can_upload"], json!(false));

    let change = json!({"url": "http://other.example", "name": "away", "description": "there", "tags": ["x"]});
    let changed = client.put(&path, change).await.expect(200);
    assert_eq!((&changed["url"], &changed["name"]), (&json!("http://other.example"), &json!("away")));
    assert_eq!((&changed["description"], &changed["etag"]), (&json!("there"), &json!("1")));
    let stale = [("if-match", "0"), ("content-type", "application/json")];
    let refused = client.send("PUT", &format!("/box/2.0{path}"), &stale, json!({"name": "late"}).to_string()).await;
    refused.refused(412, "precondition_failed");
    let listing = client.get(&format!("/folders/{folder}/items")).await.expect(200);
    assert_eq!(names(&listing), ["file.txt", "away"]);
    assert_eq!((&listing["entries"][1]["url"], listing["entries"][0].get("url")), (&changed["url"], None));
    client.put(&path, json!({"parent": {"id": "0"}})).await.expect(200);
    assert_eq!(names(&client.get("/folders/0/items").await.expect(200)), ["folder", "away"]);
    // Under no other kind.
    for kind in ["files", "folders"] {
        client.get(&format!("/{kind}/{id}")).await.refused(404, "not_found");
    }
    client.get(&format!("/web_links/{folder}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_name_is_made_of_the_url() {
    let client = Client::new().await;
    let made = client.post("/web_links", json!({"url": URL, "parent": {"id": "0"}})).await.expect(200);
    assert_eq!(made["name"], json!("example.com_a?b=c"));
    let again = client.post("/web_links", json!({"url": URL, "parent": {"id": "0"}})).await;
    let refused = again.refused(409, "item_name_in_use");
    assert_eq!(refused["context_info"]["conflicts"]["id"], made["id"]);
}

#[tokio::test]
async fn what_is_no_web_link_is_refused() {
    let client = Client::new().await;
    let link = make(&client, "0", "link").await;
    for url in ["", "example.com", "ftp://example.com/", "javascript:alert(1)", "https://", "https://a b"] {
        let body = json!({"url": url, "name": "bad", "parent": {"id": "0"}});
        client.post("/web_links", body).await.refused(400, "bad_request");
        client.put(&format!("/web_links/{link}"), json!({"url": url})).await.refused(400, "bad_request");
    }
    let long = format!("https://example.com/{}", "x".repeat(2_048));
    client.post("/web_links", json!({"url": long, "parent": {"id": "0"}})).await.refused(400, "bad_request");
    for body in [
        json!({}),
        json!({"url": URL}),
        json!({"parent": {"id": "0"}}),
        json!({"url": 5, "parent": {"id": "0"}}),
        json!({"url": URL, "name": "a/b", "parent": {"id": "0"}}),
        json!({"url": URL, "parent": {"id": "no"}}),
    ] {
        assert_eq!(client.post("/web_links", body.clone()).await.status, 400, "{body}");
    }
    let nowhere = json!({"url": URL, "parent": {"id": "77777"}});
    client.post("/web_links", nowhere).await.refused(404, "not_found");
    client.get("/web_links/77777").await.refused(404, "not_found");
    assert_eq!(client.get("/web_links/none").await.status, 405);
}

#[tokio::test]
async fn a_web_link_is_trashed_restored_and_purged() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let link = make(&client, &folder, "link").await;
    let path = format!("/web_links/{link}");
    client.get(&format!("{path}/trash")).await.refused(404, "not_found");
    client.post(&path, json!({})).await.refused(404, "not_found");
    client.delete(&format!("{path}/trash")).await.refused(404, "not_found");
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "trashed");
    let trashed = client.get(&format!("{path}/trash")).await.expect(200);
    assert_eq!((&trashed["item_status"], &trashed["url"]), (&json!("trashed"), &json!(URL)));
    assert!(trashed["trashed_at"].is_string());
    assert_eq!(names(&client.get("/folders/trash/items").await.expect(200)), ["link"]);
    make(&client, &folder, "LINK").await;
    client.post(&path, json!({})).await.refused(409, "item_name_in_use");
    let restored = client.post(&path, json!({"name": "link 2"})).await.expect(201);
    assert_eq!((&restored["name"], &restored["item_status"]), (&json!("link 2"), &json!("active")));
    assert_eq!((&restored["parent"]["id"], &restored["trashed_at"]), (&json!(folder), &Value::Null));
    client.delete(&path).await.expect(204);
    client.delete(&format!("{path}/trash")).await.expect(204);
    client.get(&format!("{path}/trash")).await.refused(404, "not_found");
}

#[tokio::test]
async fn strangers_find_nothing_and_viewers_change_nothing() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let link = make(&client, &folder, "link").await;
    let otto = other(&client).await;
    let path = format!("/web_links/{link}");
    let new = json!({"url": URL, "name": "new", "parent": {"id": folder}});
    let deeds = [
        ("GET", path.clone(), Value::Null),
        ("PUT", path.clone(), json!({"name": "mine"})),
        ("PUT", path.clone(), json!({"shared_link": {}})),
        ("DELETE", path.clone(), Value::Null),
        ("POST", "/web_links".to_owned(), new.clone()),
    ];
    for (method, at, body) in &deeds {
        ask(&client, &otto, method, at, body.clone()).await.refused(404, "not_found");
    }
    let invited = json!({
        "item": {"type": "folder", "id": folder}, "role": "viewer",
        "accessible_by": {"type": "user", "login": "otto@acme.example"},
    });
    client.post("/collaborations", invited).await.expect(201);
    ask(&client, &otto, "GET", &path, Value::Null).await.expect(200);
    for (method, at, body) in
        deeds.iter().filter(|(method, _, body)| *method != "GET" && body.get("shared_link").is_none())
    {
        let answer = ask(&client, &otto, method, at, body.clone()).await;
        answer.refused(403, "access_denied_insufficient_permissions");
    }
    client.delete(&path).await.expect(204);
    for (method, at) in [("GET", format!("{path}/trash")), ("POST", path.clone()), ("DELETE", format!("{path}/trash"))]
    {
        ask(&client, &otto, method, &at, Value::Null).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn an_uploader_does_not_learn_where_a_web_link_leads() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let link = make(&client, &folder, "link").await;
    let otto = other(&client).await;
    let invited = json!({
        "item": {"type": "folder", "id": folder}, "role": "uploader",
        "accessible_by": {"type": "user", "login": "otto@acme.example"},
    });
    client.post("/collaborations", invited).await.expect(201);
    let seen = ask(&client, &otto, "GET", &format!("/web_links/{link}"), Value::Null).await.expect(200);
    assert_eq!((&seen["name"], seen.get("url")), (&json!("link"), None));
}

#[tokio::test]
async fn a_web_link_has_a_shared_link() {
    let client = Client::new().await;
    let link = make(&client, "0", "link").await;
    let path = format!("/web_links/{link}?fields=shared_link");
    assert_eq!(client.get(&path).await.expect(200)["shared_link"], Value::Null);
    let made = client.put(&path, json!({"shared_link": {}})).await.expect(200)["shared_link"].clone();
    assert_eq!((&made["access"], &made["download_url"]), (&json!("company"), &Value::Null));
    let changed =
        client.put(&path, json!({"shared_link": {"access": "open"}})).await.expect(200)["shared_link"].clone();
    assert_eq!((&changed["access"], &changed["url"]), (&json!("open"), &made["url"]));
    let edits = json!({"shared_link": {"permissions": {"can_edit": true}}});
    assert_eq!(client.put(&path, edits).await.status, 400);
    let (otto, header) = (other(&client).await, format!("shared_link={}", made["url"].as_str().unwrap()));
    let headers = [("authorization", otto.as_str()), ("boxapi", header.as_str())];
    let found = client.send("GET", "/box/2.0/shared_items", &headers, "").await.expect(200);
    assert_eq!((&found["type"], &found["id"], &found["url"]), (&json!("web_link"), &json!(link), &json!(URL)));
    client.send("GET", &format!("/box/2.0/web_links/{link}"), &headers, "").await.expect(200);
    let gone = client.put(&path, json!({"shared_link": null})).await.expect(200);
    assert_eq!(gone["shared_link"], Value::Null);
    client.send("GET", "/box/2.0/shared_items", &headers, "").await.refused(404, "not_found");
}

#[tokio::test]
async fn events_tell_of_web_links() {
    let client = Client::new().await;
    let link = make(&client, "0", "link").await;
    client.put(&format!("/web_links/{link}"), json!({"name": "renamed"})).await.expect(200);
    client.delete(&format!("/web_links/{link}")).await.expect(204);
    let events = client.get("/events?stream_position=0").await.expect(200);
    let told: Vec<_> = events["entries"].as_array().unwrap().iter().map(|one| &one["event_type"]).collect();
    assert_eq!(told, ["ITEM_CREATE", "ITEM_RENAME", "ITEM_TRASH"]);
    for one in events["entries"].as_array().unwrap() {
        assert_eq!((&one["source"]["type"], &one["source"]["id"]), (&json!("web_link"), &json!(link)));
    }
}
