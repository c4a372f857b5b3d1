//! Favorites and recent items.

use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

async fn other(client: &Client) -> (String, String) {
    let user = client.stage.person("otto@acme.example", "Otto", UserRole::User).await;
    (user.to_string(), format!("Bearer {}", client.stage.token(user, Scopes::ALL, HOUR).await))
}

async fn ask(client: &Client, who: &str, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    client.send(method, &format!("/box/2.0{path}"), &[("authorization", who)], body).await
}

fn ids(listing: &Value) -> Vec<&str> {
    listing["entries"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

fn recent(listing: &Value) -> Vec<(&str, &str)> {
    let entries = listing["entries"].as_array().unwrap().iter();
    entries.map(|one| (one["item"]["id"].as_str().unwrap(), one["interaction_type"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn the_one_collection_is_ones_own() {
    let client = Client::new().await;
    let (otto_id, otto) = other(&client).await;
    let listed = client.get("/collections").await.expect(200);
    let expected = json!({
        "type": "collection", "id": client.user.to_string(), "name": "Favorites", "collection_type": "favorites",
    });
    assert_eq!((&listed["entries"], &listed["total_count"]), (&json!([expected]), &json!(1)));
    assert_eq!(client.get("/collections?offset=1").await.expect(200)["entries"], json!([]));
    client.get("/collections?offset=x").await.refused(400, "invalid_offset");
    let path = format!("/collections/{}", client.user);
    assert_eq!(client.get(&path).await.expect(200), expected);
    ask(&client, &otto, "GET", &path, Value::Null).await.refused(404, "not_found");
    ask(&client, &otto, "GET", &format!("{path}/items"), Value::Null).await.refused(404, "not_found");
    client.get(&format!("/collections/{otto_id}")).await.refused(404, "not_found");
    assert_eq!(client.get("/collections/none").await.status, 405);
}

#[tokio::test]
async fn items_join_and_leave() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let file = client.file(&folder, "file.txt", b"x").await;
    let link =
        client.post("/web_links", json!({"url": "https://a.example", "parent": {"id": folder}})).await.expect(200);
    let link = link["id"].as_str().unwrap().to_owned();
    let own = client.user.to_string();
    let paths = [format!("/files/{file}"), format!("/folders/{folder}"), format!("/web_links/{link}")];
    let items = format!("/collections/{own}/items");
    for path in &paths {
        let shown = client.get(&format!("{path}?fields=collections")).await.expect(200);
        assert_eq!(shown["collections"], json!([]));
        let path = format!("{path}?fields=collections,name");
        let changed = client.put(&path, json!({"collections": [{"id": own}]})).await.expect(200);
        assert_eq!(changed["collections"][0]["collection_type"], json!("favorites"));
        assert_eq!(changed["etag"], json!("0"));
    }
    assert_eq!(client.get(&paths[0]).await.expect(200).get("collections"), None);
    let listed = client.get(&items).await.expect(200);
    assert_eq!((ids(&listed).len(), &listed["total_count"], &listed["offset"]), (3, &json!(3), &json!(0)));
    assert_eq!(ids(&client.get(&format!("{items}?offset=2&limit=2")).await.expect(200)).len(), 1);
    let fields = client.get(&format!("{items}?fields=collections,url")).await.expect(200);
    assert!(fields["entries"].as_array().unwrap().iter().all(|entry| entry["collections"][0]["id"] == json!(own)));
    let children = client.get(&format!("/folders/{folder}/items?fields=collections")).await.expect(200);
    assert_eq!(children["entries"][0]["collections"][0]["id"], json!(own));
    // With another change, and out again in both ways.
    let change = json!({"name": "renamed.txt", "collections": []});
    assert_eq!(client.put(&paths[0], change).await.expect(200)["name"], json!("renamed.txt"));
    client.put(&paths[1], json!({"collections": null})).await.expect(200);
    assert_eq!(ids(&client.get(&items).await.expect(200)), [link.as_str()]);
    client.delete(&paths[2]).await.expect(204);
    let listed = client.get(&items).await.expect(200);
    assert_eq!((ids(&listed).len(), &listed["total_count"]), (0, &json!(1)));
    client.post(&paths[2], json!({})).await.expect(201);
    assert_eq!(ids(&client.get(&items).await.expect(200)), [link.as_str()]);
}

#[tokio::test]
async fn a_viewer_has_favorites_and_a_stranger_finds_nothing() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let file = client.file(&folder, "file.txt", b"x").await;
    let (otto_id, otto) = other(&client).await;
    let (path, add) = (format!("/files/{file}"), json!({"collections": [{"id": otto_id}]}));
    ask(&client, &otto, "PUT", &path, add.clone()).await.refused(404, "not_found");
    let invited = json!({
        "item": {"type": "folder", "id": folder}, "role": "viewer",
        "accessible_by": {"type": "user", "login": "otto@acme.example"},
    });
    let role = client.post("/collaborations", invited).await.expect(201)["id"].as_str().unwrap().to_owned();
    ask(&client, &otto, "PUT", &path, add.clone()).await.expect(200);
    let both = json!({"name": "mine", "collections": []});
    ask(&client, &otto, "PUT", &path, both).await.refused(403, "access_denied_insufficient_permissions");
    let items = format!("/collections/{otto_id}/items");
    assert_eq!(ids(&ask(&client, &otto, "GET", &items, Value::Null).await.expect(200)), [file.as_str()]);
    assert_eq!(client.get(&format!("/collections/{}/items", client.user)).await.expect(200)["total_count"], json!(0));
    client.delete(&format!("/collaborations/{role}")).await.expect(204);
    assert!(ids(&ask(&client, &otto, "GET", &items, Value::Null).await.expect(200)).is_empty());
    // Into nobody else's, and into none that is not there.
    client.put(&path, add).await.refused(404, "not_found");
    client.put(&path, json!({"collections": [{"id": "x"}]})).await.refused(400, "bad_request");
    client.put(&path, json!({"collections": [{}]})).await.refused(400, "bad_request");
    client.put(&path, json!({"collections": "x"})).await.refused(400, "bad_request");
}

#[tokio::test]
async fn what_was_done_is_recent() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let first = client.file(&folder, "first.txt", b"x").await;
    let second = client.file(&folder, "second.txt", b"x").await;
    let listed = client.get("/recent_items").await.expect(200);
    let expected = [(second.as_str(), "item_upload"), (first.as_str(), "item_upload")];
    assert_eq!((recent(&listed).as_slice(), &listed["next_marker"]), (&expected[..], &Value::Null));
    let one = &listed["entries"][0];
    assert_eq!((&one["type"], &one["item"]["name"]), (&json!("recent_item"), &json!("second.txt")));
    assert!(one["interacted_at"].is_string() && one["item"]["size"] == json!(1));
    client.get(&format!("/files/{first}/content")).await.expect(302);
    assert_eq!(recent(&client.get("/recent_items").await.expect(200))[0], (first.as_str(), "item_open"));
    client.put(&format!("/files/{second}"), json!({"description": "changed"})).await.expect(200);
    let listed = client.get("/recent_items?fields=name").await.expect(200);
    assert_eq!(recent(&listed), [(second.as_str(), "item_modify"), (first.as_str(), "item_open")]);
    assert_eq!(listed["entries"][0]["item"].get("size"), None);

    let page = client.get("/recent_items?limit=1").await.expect(200);
    assert_eq!(recent(&page), [(second.as_str(), "item_modify")]);
    let next = page["next_marker"].as_str().unwrap();
    let page = client.get(&format!("/recent_items?limit=1&marker={next}")).await.expect(200);
    assert_eq!((recent(&page), &page["next_marker"]), (vec![(first.as_str(), "item_open")], &Value::Null));
    for bad in ["x", "1", "1.x", "x.1", "99999999999999999999.1"] {
        client.get(&format!("/recent_items?marker={bad}")).await.refused(400, "bad_request");
    }
    client.get("/recent_items?limit=x").await.refused(400, "invalid_limit");
    let (_, otto) = other(&client).await;
    assert!(recent(&ask(&client, &otto, "GET", "/recent_items", Value::Null).await.expect(200)).is_empty());
    client.delete(&format!("/files/{second}")).await.expect(204);
    assert_eq!(recent(&client.get("/recent_items").await.expect(200)).len(), 1);
}
