//! Webhooks, on the wire, and what they are told.

use crate::harness::{Answer, Client, HOUR, tamed};
use entente_identity::IssueToken;
use entente_model::{AppId, Scopes, UserId};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

const DENIED: &str = "access_denied_insufficient_permissions";

/// Asks with a token that was issued to an application.
struct App<'c> {
    client: &'c Client,
    token: String,
}

impl<'c> App<'c> {
    async fn of(client: &'c Client, app: AppId, user: UserId, scopes: Scopes) -> Self {
        let issue = IssueToken { user, app: Some(app), scopes, lifetime: HOUR };
        let issued = client.stage.identity.issue(issue).await.unwrap();
        Self { client, token: format!("Bearer {}", issued.secret.expose()) }
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("authorization", self.token.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client.send(method, &format!("/box/2.0{path}"), &headers, body).await
    }
}

fn new(id: &str, kind: &str, triggers: &[&str]) -> Value {
    json!({
        "target": {"id": id, "type": kind},
        "address": "https://hooks.example.com/told",
        "triggers": triggers,
    })
}

#[tokio::test]
async fn webhooks() {
    let client = Client::new().await;
    let app = App::of(&client, client.stage.app().await, client.user, Scopes::ALL).await;
    let folder = client.folder("0", "folder").await;
    let file = client.file(&folder, "file.txt", b"x").await;
    let made = app.ask("POST", "/webhooks", new(&folder, "folder", &["FILE.UPLOADED", "FOLDER.TRASHED"])).await;
    assert_json_snapshot!("a webhook", made.tame());
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/webhooks/{id}");
    assert_json_snapshot!("a webhook that is shown", app.ask("GET", &path, Value::Null).await.tame());
    app.ask("POST", "/webhooks", new(&folder, "folder", &["FILE.MOVED"])).await.refused(409, "conflict");
    app.ask("POST", "/webhooks", new(&file, "file", &["FILE.MOVED"])).await.expect(201);

    assert_json_snapshot!("webhooks", app.ask("GET", "/webhooks", Value::Null).await.tame());
    let first = app.ask("GET", "/webhooks?limit=1", Value::Null).await.expect(200);
    assert_eq!((first["entries"].as_array().unwrap().len(), &first["entries"][0]["id"]), (1, &json!(id)));
    let marker = first["next_marker"].as_str().unwrap();
    let rest = app.ask("GET", &format!("/webhooks?limit=1&marker={marker}"), Value::Null).await.expect(200);
    assert_eq!((rest["entries"].as_array().unwrap().len(), &rest["next_marker"]), (1, &Value::Null));
    app.ask("GET", "/webhooks?marker=x", Value::Null).await.refused(400, "bad_request");

    let change = json!({"address": "https://other.example.com/", "triggers": ["FILE.LOCKED"]});
    let changed = app.ask("PUT", &path, change).await.expect(200);
    assert_eq!(changed["address"], "https://other.example.com/");
    assert_eq!(changed["triggers"], json!(["FILE.LOCKED"]));
    let taken = json!({"target": {"id": file, "type": "file"}});
    app.ask("PUT", &path, taken).await.refused(409, "conflict");
    app.ask("PUT", &path, json!({"triggers": []})).await.refused(400, "bad_request");
    app.ask("DELETE", &path, Value::Null).await.expect(204);
    for method in ["GET", "PUT", "DELETE"] {
        let body = if method == "PUT" { json!({}) } else { Value::Null };
        app.ask(method, &path, body).await.refused(404, "not_found");
    }
}

#[tokio::test]
async fn what_is_no_webhook_is_refused() {
    let client = Client::new().await;
    let id = client.stage.app().await;
    let app = App::of(&client, id, client.user, Scopes::ALL).await;
    let folder = client.folder("0", "folder").await;
    let good = new(&folder, "folder", &["FILE.UPLOADED"]);
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    for bad in [
        json!({}),
        with("target", json!({})),
        with("target", json!({"id": folder})),
        with("target", json!({"id": folder, "type": "web_link"})),
        with("target", json!({"id": "x", "type": "folder"})),
        with("triggers", json!([])),
        with("triggers", json!(["FILE.EATEN"])),
        with("triggers", json!("FILE.UPLOADED")),
        with("address", json!("http://hooks.example.com/")),
        with("address", json!("ftp://hooks.example.com/")),
        with("address", json!("https://")),
        with("address", json!("https://me:hush@hooks.example.com/")),
        with("address", json!("hooks")),
        with("address", json!(format!("https://hooks.example.com/{}", "a".repeat(2_000)))),
        with("target", json!({"id": "0", "type": "folder"})),
    ] {
        let answer = app.ask("POST", "/webhooks", bad.clone()).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{bad}: {}", answer.status);
    }
    let wrong = with("target", json!({"id": folder, "type": "file"}));
    app.ask("POST", "/webhooks", wrong).await.refused(404, "not_found");
    // Without an application nobody could sign what is told.
    client.post("/webhooks", good.clone()).await.refused(403, DENIED);
    client.get("/webhooks").await.refused(403, DENIED);
    let blind = App::of(&client, id, client.user, Scopes::UPLOAD).await;
    blind.ask("POST", "/webhooks", good.clone()).await.refused(403, DENIED);
    // To a stranger neither the item nor the webhook is there.
    let made = app.ask("POST", "/webhooks", good.clone()).await.expect(201);
    let other = client.stage.person("other@acme.example", "Other", entente_model::UserRole::User).await;
    let stranger = App::of(&client, id, other, Scopes::ALL).await;
    stranger.ask("POST", "/webhooks", good).await.refused(404, "not_found");
    let path = format!("/webhooks/{}", made["id"].as_str().unwrap());
    stranger.ask("GET", &path, Value::Null).await.refused(404, "not_found");
    stranger.ask("DELETE", &path, Value::Null).await.refused(404, "not_found");
    let none = stranger.ask("GET", "/webhooks", Value::Null).await.expect(200);
    assert_eq!(none["entries"], json!([]));
}

#[tokio::test]
async fn what_they_are_told() {
    let client = Client::new().await;
    let app = App::of(&client, client.stage.app().await, client.user, Scopes::ALL).await;
    let folder = client.folder("0", "folder").await;
    let triggers = ["FILE.UPLOADED", "FILE.DOWNLOADED", "FILE.PREVIEWED", "FOLDER.DOWNLOADED", "FILE.DELETED"];
    app.ask("POST", "/webhooks", new(&folder, "folder", &triggers)).await.expect(201);
    let file = client.file(&folder, "grüße.txt", b"x").await;
    client.download(&format!("/files/{file}/content")).await;
    let archive = json!({"items": [{"type": "folder", "id": folder}]});
    let archive = client.post("/zip_downloads", archive).await.expect(202)["download_url"].clone();
    let archive = archive.as_str().unwrap().trim_start_matches("https://files.acme.example").to_owned();
    assert_eq!(client.send("GET", &archive, &[("authorization", "")], "").await.status, 200);
    client.stage.tree.notes_written().await;
    client.delete(&format!("/files/{file}")).await.expect(204);
    client.delete(&format!("/files/{file}/trash")).await.expect(204);
    while client.stage.tree.place_events().await.unwrap() {}
    while client.door.tell_webhooks().await.unwrap() {}
    let bodies = client.stage.take_webhook_bodies().await;
    let told: Vec<Value> = bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let triggers: Vec<&str> = told.iter().map(|one| one["trigger"].as_str().unwrap()).collect();
    assert_eq!(triggers, ["FILE.UPLOADED", "FILE.DOWNLOADED", "FOLDER.DOWNLOADED", "FILE.DELETED"]);
    assert_eq!((&told[0]["source"]["id"], &told[2]["source"]["id"]), (&json!(file), &json!(folder)));
    assert_json_snapshot!("what a webhook is told", tamed(told[3].clone()));
}
