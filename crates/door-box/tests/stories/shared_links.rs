use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserId, UserRole};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

const DENIED: &str = "access_denied_insufficient_permissions";
const WRONG: &str = "incorrect_shared_item_password";
const PASSWORD: &str = "Opal & 1+1=2%";

/// Somebody else before the same router.
struct Other<'c> {
    client: &'c Client,
    authorization: String,
}

impl<'c> Other<'c> {
    async fn new(client: &'c Client, user: UserId, scopes: Scopes) -> Self {
        Self { client, authorization: format!("Bearer {}", client.stage.token(user, scopes, HOUR).await) }
    }

    async fn colleague(client: &'c Client, word: &str) -> Self {
        let user = client.stage.person(&format!("{word}@acme.example"), word, UserRole::User).await;
        Self::new(client, user, Scopes::ALL).await
    }

    async fn stranger(client: &'c Client, word: &str) -> Self {
        let user = client.stage.outsider(&format!("{word}@elsewhere.example"), word).await;
        Self::new(client, user, Scopes::ALL).await
    }

    async fn ask(&self, method: &str, path: &str, link: &str, body: Value) -> Answer {
        let headers = [("authorization", self.authorization.as_str()), ("boxapi", link)];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client.send(method, &format!("/box/2.0{path}"), &headers, body).await
    }

    async fn get(&self, path: &str, link: &str) -> Answer {
        self.ask("GET", path, link, Value::Null).await
    }
}

/// The link of an item that was made as wanted, and the header that names it.
async fn make(client: &Client, path: &str, wanted: Value) -> (Value, String) {
    let answer = client.put(&format!("{path}?fields=shared_link"), json!({"shared_link": wanted})).await;
    let link = answer.expect(200)["shared_link"].clone();
    let header = format!("shared_link={}", link["url"].as_str().unwrap());
    (link, header)
}

fn path_of(url: &Value) -> String {
    url.as_str().unwrap().strip_prefix("https://files.acme.example").unwrap().to_owned()
}

/// What differs from run to run is hidden.
fn tame(mut link: Value) -> Value {
    let token = link["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(token.len(), 32);
    for name in ["url", "download_url"] {
        if let Some(url) = link[name].as_str() {
            link[name] = url.replace(&token, "[token]").into();
        }
    }
    link
}

#[tokio::test]
async fn a_link_is_made_shown_changed_and_taken_away() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let file = client.file(&folder, "plan.pdf", b"plan").await;
    let path = format!("/files/{file}");
    assert_eq!(client.get(&format!("{path}?fields=shared_link")).await.expect(200)["shared_link"], Value::Null);
    let (link, _) = make(&client, &path, json!({})).await;
    assert_json_snapshot!("a default link", tame(link.clone()));
    let wanted = json!({
        "access": "open", "vanity_name": "our-plans-2026", "unshared_at": "2099-01-01T00:00:00Z",
        "permissions": {"can_download": true, "can_preview": true, "can_edit": true},
    });
    let (changed, _) = make(&client, &path, wanted).await;
    assert_eq!(changed["url"], link["url"]);
    assert_json_snapshot!("a link with everything", tame(changed.clone()));
    let whole = client.get(&path).await.expect(200);
    assert_eq!(whole["shared_link"], changed);
    let listed = client.get(&format!("/folders/{folder}/items?fields=shared_link")).await.expect(200);
    assert_eq!(listed["entries"][0]["shared_link"], changed);
    // Renaming says nothing of the link.
    let renamed = client.put(&path, json!({"name": "other.txt"})).await.expect(200);
    assert_eq!(renamed["shared_link"]["url"], link["url"]);
    assert!(renamed["shared_link"]["download_url"].as_str().unwrap().ends_with(".txt"));
    let gone = client.put(&path, json!({"shared_link": null})).await.expect(200);
    assert_eq!(gone["shared_link"], Value::Null);
    let (again, _) = make(&client, &path, json!({})).await;
    assert_ne!(again["url"], link["url"]);
    let (of_folder, _) = make(&client, &format!("/folders/{folder}"), json!({"access": "collaborators"})).await;
    assert_json_snapshot!("a folder's link", tame(of_folder));
    let full = client.get(&format!("/folders/{folder}?fields=shared_link,is_accessible_via_shared_link")).await;
    assert_eq!(full.expect(200)["is_accessible_via_shared_link"], true);
}

#[tokio::test]
async fn who_comes_with_a_link_sees_its_item_and_what_is_below() {
    let client = Client::new().await;
    let above = client.folder("0", "above").await;
    let folder = client.folder(&above, "folder").await;
    let file = client.file(&folder, "file", b"content").await;
    let eve = Other::stranger(&client, "eve").await;
    let (_, link) = make(&client, &format!("/folders/{folder}"), json!({"access": "open"})).await;
    assert_eq!(
        eve.get("/shared_items", "").await.refused(400, "bad_request")["context_info"]["errors"][0]["name"],
        "boxapi"
    );
    let shown = eve.get("/shared_items", &link).await.expect(200);
    assert_eq!((&shown["type"], &shown["id"]), (&json!("folder"), &json!(folder)));
    assert_eq!(shown["path_collection"]["total_count"], 1);
    let etag = shown["etag"].as_str().unwrap();
    let headers = [("authorization", eve.authorization.as_str()), ("boxapi", &link), ("if-none-match", etag)];
    client.send("GET", "/box/2.0/shared_items", &headers, "").await.expect(304);
    let below = format!("/files/{file}");
    eve.get(&below, "").await.refused(404, "not_found");
    let seen = eve.get(&below, &link).await.expect(200);
    assert_eq!(seen["path_collection"]["entries"][1]["id"], json!(folder));
    let listed = eve.get(&format!("/folders/{folder}/items"), &link).await.expect(200);
    assert_eq!(listed["total_count"], 1);
    let found = eve.get(&format!("{below}/content"), &link).await;
    found.expect(302);
    assert_eq!(client.send("GET", &found.target(), &[], "").await.body, "content");
    eve.get(&format!("/folders/{above}"), &link).await.refused(404, "not_found");
    eve.ask("PUT", &below, &link, json!({"name": "mine"})).await.refused(403, DENIED);
    eve.ask("DELETE", &below, &link, Value::Null).await.refused(403, DENIED);
    eve.ask("PUT", &below, &link, json!({"shared_link": {}})).await.refused(403, DENIED);
    let copied = eve.ask("POST", &format!("{below}/copy"), &link, json!({"parent": {"id": "0"}})).await;
    copied.expect(201);
    // For the company it is nobody else's, and taken away it is nobody's.
    make(&client, &format!("/folders/{folder}"), json!({"access": "company"})).await;
    eve.get("/shared_items", &link).await.refused(404, "not_found");
    eve.get(&below, &link).await.refused(404, "not_found");
    let bob = Other::colleague(&client, "bob").await;
    bob.get("/shared_items", &link).await.expect(200);
    let narrow = client.stage.person("nora@acme.example", "nora", UserRole::User).await;
    let narrow = Other::new(&client, narrow, Scopes::UPLOAD).await;
    narrow.get("/shared_items", &link).await.refused(403, DENIED);
    client.put(&format!("/folders/{folder}"), json!({"shared_link": null})).await.expect(200);
    bob.get("/shared_items", &link).await.refused(404, "not_found");
    bob.get(&below, &link).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_password_is_asked_for_and_guesses_are_counted() {
    let client = Client::new().await;
    let file = client.file("0", "file", b"content").await;
    let path = format!("/files/{file}");
    let (link, header) = make(&client, &path, json!({"access": "open", "password": PASSWORD})).await;
    assert_eq!(link["is_password_enabled"], true);
    let eve = Other::stranger(&client, "eve").await;
    eve.get("/shared_items", &header).await.refused(403, WRONG);
    eve.get("/shared_items", &format!("{header}&shared_link_password=a guess")).await.refused(403, WRONG);
    let right = format!("{header}&shared_link_password={PASSWORD}");
    eve.get("/shared_items", &right).await.expect(200);
    eve.get(&path, &right).await.expect(200);
    eve.get(&path, &header).await.refused(403, WRONG);
    // Who sees the item anyway needs none; who downloads without having signed in has nowhere to say it.
    let own = [("boxapi", header.as_str())];
    client.send("GET", "/box/2.0/shared_items", &own, "").await.expect(200);
    let nobody = [("authorization", "none")];
    client.send("GET", &path_of(&link["download_url"]), &nobody, "").await.refused(403, DENIED);
    let mut guesses = 0;
    loop {
        let answer = eve.get("/shared_items", &format!("{header}&shared_link_password=guess {guesses}")).await;
        if answer.status == 429 {
            answer.refused(429, "rate_limit_exceeded");
            break;
        }
        answer.refused(403, WRONG);
        guesses += 1;
        assert!(guesses < 30);
    }
    assert!(guesses >= 3);
    make(&client, &path, json!({"password": null})).await;
    eve.get("/shared_items", &header).await.expect(200);
}

#[tokio::test]
async fn an_open_link_of_a_file_is_downloaded_by_anybody() {
    let client = Client::new().await;
    let file = client.file("0", "plan.pdf", b"content").await;
    let path = format!("/files/{file}");
    let (link, _) = make(&client, &path, json!({"access": "open"})).await;
    let url = path_of(&link["download_url"]);
    assert!(url.ends_with(".pdf"));
    let nobody = [("authorization", "none")];
    let anonymous = async |url: &str| client.send("GET", url, &nobody, "").await;
    let found = anonymous(&url).await;
    assert_eq!(found.status, 302);
    assert_eq!(client.send("GET", &found.target(), &nobody, "").await.body, "content");
    assert_eq!(anonymous(url.strip_suffix(".pdf").unwrap()).await.status, 302);
    for (wanted, status) in [
        (json!({"permissions": {"can_download": false}}), 403),
        (json!({"access": "company", "permissions": {"can_download": true}}), 404),
        (json!({"access": "collaborators"}), 404),
        (json!({"access": "open"}), 302),
    ] {
        make(&client, &path, wanted.clone()).await;
        assert_eq!(anonymous(&url).await.status, status, "{wanted}");
    }
    let folder = client.folder("0", "folder").await;
    let (of_folder, _) = make(&client, &format!("/folders/{folder}"), json!({"access": "open"})).await;
    assert_eq!(of_folder["download_url"], Value::Null);
    let token = of_folder["url"].as_str().unwrap().rsplit('/').next().unwrap();
    anonymous(&format!("/box/shared/static/{token}")).await.refused(404, "not_found");
    anonymous("/box/shared/static/nothing.pdf").await.refused(404, "not_found");
    client.delete(&path).await.expect(204);
    anonymous(&url).await.refused(404, "not_found");
}

#[tokio::test]
async fn what_is_no_link_is_refused_and_changes_nothing() {
    let client = Client::new().await;
    let file = client.file("0", "file", b"content").await;
    let other = client.file("0", "other", b"content").await;
    let (path, eve) = (format!("/files/{file}"), Other::stranger(&client, "eve").await);
    let long = "x".repeat(2_000);
    for bad in [
        json!(7),
        json!("open"),
        json!([]),
        json!({"access": "everybody"}),
        json!({"access": 1}),
        json!({"access": "company", "password": PASSWORD}),
        json!({"access": "open", "password": "short"}),
        json!({"access": "open", "password": long}),
        json!({"password": {"a": 1}}),
        json!({"vanity_name": "short"}),
        json!({"vanity_name": "\u{202e}twelve-letters"}),
        json!({"vanity_name": long}),
        json!({"unshared_at": "yesterday"}),
        json!({"unshared_at": "2001-01-01T00:00:00Z"}),
        json!({"permissions": 7}),
        json!({"permissions": [true]}),
        json!({"permissions": {"can_edit": "yes"}}),
        json!({"access": "collaborators", "permissions": {"can_edit": true}}),
        json!({"permissions": {"can_edit": true, "can_download": false}}),
    ] {
        let body = json!({"shared_link": bad, "name": "renamed"});
        client.put(&path, body).await.refused(400, "bad_request");
    }
    let whole = client.get(&path).await.expect(200);
    assert_eq!((&whole["name"], &whole["shared_link"]), (&json!("file"), &Value::Null));
    make(&client, &path, json!({"access": "open", "vanity_name": "our-plans-2026"})).await;
    let taken = json!({"shared_link": {"vanity_name": "Our-Plans-2026"}});
    client.put(&format!("/files/{other}"), taken).await.refused(409, "conflict");
    let vanity = "shared_link=https://files.acme.example/box/v/our-plans-2026";
    assert_eq!(eve.get("/shared_items", vanity).await.expect(200)["id"], json!(file));
    eve.ask("PUT", &path, "", json!({"shared_link": {}})).await.refused(404, "not_found");
    client.put("/folders/0", json!({"shared_link": {}})).await.refused(403, DENIED);
    let folder = client.folder("0", "folder").await;
    let both = json!({"shared_link": {}, "can_non_owners_invite": false});
    client.put(&format!("/folders/{folder}"), both).await.refused(400, "bad_request");
    client.put(&path, json!({"shared_link": {}})).await.expect(200);
    let stale = [("if-match", "77"), ("content-type", "application/json")];
    let gone = client.send("PUT", &format!("/box/2.0{path}"), &stale, r#"{"shared_link":null}"#).await;
    gone.refused(412, "precondition_failed");
    for odd in ["x", "shared_link=", "shared_link=https://a/b", "link=https://a/s/b", "shared_link=%ff%00/s/"] {
        eve.get("/shared_items", odd).await.refused(400, "bad_request");
    }
    for unknown in ["shared_link=https://a/s/nothing", "shared_link=https://a/v/nothing-at-all"] {
        eve.get("/shared_items", unknown).await.refused(404, "not_found");
        client.send("GET", &format!("/box/2.0{path}"), &[("boxapi", unknown)], "").await.refused(404, "not_found");
    }
}
