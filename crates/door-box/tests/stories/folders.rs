use crate::harness::Client;
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn the_root_is_all_files() {
    let client = Client::new().await;
    client.folder("0", "Reports").await;
    let root = client.get("/folders/0").await;
    assert_json_snapshot!("the root", root.tame());
    assert_eq!(root.expect(200)["name"], "All Files");
    // A root has no etag, so nothing can match it.
    assert_eq!(client.send("GET", "/box/2.0/folders/0", &[("if-none-match", "0")], "").await.status, 200);
}

#[tokio::test]
async fn a_folder_is_made_changed_and_trashed() {
    let client = Client::new().await;
    let made = client.post("/folders", json!({"name": "Reports", "parent": {"id": "0"}})).await;
    assert_json_snapshot!("a new folder", made.tame());
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    let inner = client.folder(&id, "2026").await;
    let path = format!("/folders/{inner}");

    let changed = client.put(&path, json!({"name": "2027", "description": "next year", "tags": ["b", "a"]})).await;
    assert_json_snapshot!("a changed folder", changed.tame());
    let moved = client.put(&path, json!({"parent": {"id": "0"}})).await.expect(200);
    assert_eq!(moved["parent"]["id"], "0");
    assert_eq!(moved["etag"], "2");

    let stale = client.send("PUT", &format!("/box/2.0{path}"), &[("if-match", "1")], r#"{"name":"x"}"#).await;
    stale.refused(412, "precondition_failed");
    let fresh = client.send("PUT", &format!("/box/2.0{path}"), &[("if-match", "2")], r#"{"name":"x"}"#).await;
    assert_eq!(fresh.expect(200)["etag"], "3");
    assert_eq!(client.send("GET", &format!("/box/2.0{path}"), &[("if-none-match", "3")], "").await.status, 304);
    client
        .send("DELETE", &format!("/box/2.0{path}"), &[("if-match", "1")], "")
        .await
        .refused(412, "precondition_failed");

    client.folder(&inner, "child").await;
    client.delete(&path).await.refused(400, "folder_not_empty");
    client.delete(&format!("{path}?recursive=false")).await.refused(400, "folder_not_empty");
    client.delete(&format!("{path}?recursive=True")).await.expect(204);
    client.get(&path).await.refused(404, "trashed");
}

#[tokio::test]
async fn fields_are_exactly_those_asked_for() {
    let client = Client::new().await;
    let id = client.folder("0", "Reports").await;
    let path = format!("/folders/{id}");
    assert_json_snapshot!(
        "two fields and nonsense",
        client.get(&format!("{path}?fields=name,size,nonsense")).await.tame()
    );
    assert_json_snapshot!("an empty fields parameter asks for the standard", {
        let keys: Vec<String> =
            client.get(&format!("{path}?fields=")).await.expect(200).as_object().unwrap().keys().cloned().collect();
        keys
    });
    let full = "tags,permissions,has_collaborations,sync_state,can_non_owners_invite,is_externally_owned,\
        allowed_invitee_roles,allowed_shared_link_access_levels,watermark_info,classification,\
        is_collaboration_restricted_to_enterprise,can_non_owners_view_collaborators,is_associated_with_app_item,\
        is_accessible_via_shared_link";
    assert_json_snapshot!("everything else", client.get(&format!("{path}?fields={full}")).await.tame());
}

#[tokio::test]
async fn a_listing_has_folders_first_and_pages() {
    let client = Client::new().await;
    let top = client.folder("0", "top").await;
    for name in ["b.txt", "a.txt", "C.txt"] {
        client.file(&top, name, name.as_bytes()).await;
    }
    client.folder(&top, "z").await;
    client.folder(&top, "Y").await;
    let path = format!("/folders/{top}/items");
    assert_json_snapshot!("by offset", client.get(&format!("{path}?limit=2&offset=1")).await.tame());
    let first = client.get(&format!("{path}?usemarker=true&limit=3")).await;
    let marker = first.expect(200)["next_marker"].as_str().unwrap().to_owned();
    assert!(first.value().get("total_count").is_none() && first.value().get("offset").is_none());
    let second = client.get(&format!("{path}?usemarker=true&limit=3&marker={marker}")).await;
    assert_json_snapshot!("the last page by marker", second.tame());
    let rclone = "type,id,sequence_id,etag,sha1,name,size,created_at,modified_at,content_created_at,\
        content_modified_at,item_status,shared_link,owned_by";
    let listed = client.get(&format!("{path}?fields={rclone}&limit=1000&usemarker=true")).await;
    assert_json_snapshot!("with fields", listed.tame());
    let down = client.get(&format!("{path}?sort=name&direction=DESC&fields=name")).await.expect(200);
    let names: Vec<_> =
        down["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["z", "Y", "C.txt", "b.txt", "a.txt"]);
    client.get(&format!("{path}?limit=-1")).await.refused(400, "invalid_limit");
    client.get(&format!("{path}?offset=10001")).await.refused(400, "invalid_offset");
    client.get(&format!("{path}?usemarker=true&marker=nonsense")).await.refused(400, "bad_request");
    assert_eq!(client.get(&format!("{path}?limit=100000")).await.expect(200)["limit"], 1000);
}

#[tokio::test]
async fn a_name_can_be_used_once() {
    let client = Client::new().await;
    client.folder("0", "Reports").await;
    let again = client.post("/folders", json!({"name": "REPORTS", "parent": {"id": "0"}})).await;
    again.refused(409, "item_name_in_use");
    assert_json_snapshot!("a folder's conflict is a list", again.tame());
    let file = client.upload("0", "reports", b"x").await;
    file.refused(409, "item_name_in_use");
    assert_json_snapshot!("a file's conflict is an object", file.tame());
}

#[tokio::test]
async fn a_folder_cannot_go_into_itself() {
    let client = Client::new().await;
    let outer = client.folder("0", "outer").await;
    let inner = client.folder(&outer, "inner").await;
    let into = |parent: &str| json!({"parent": {"id": parent}});
    client.put(&format!("/folders/{outer}"), into(&inner)).await.refused(400, "cyclical_folder_structure");
    client.put(&format!("/folders/{outer}"), into(&outer)).await.refused(400, "cyclical_folder_structure");
    client.post(&format!("/folders/{outer}/copy"), into(&inner)).await.refused(400, "cyclical_folder_structure");
    client.put("/folders/0", json!({"name": "Other"})).await.refused(403, "access_denied_insufficient_permissions");
    client.delete("/folders/0?recursive=true").await.refused(403, "access_denied_insufficient_permissions");
}

#[tokio::test]
async fn a_folder_is_copied_with_what_is_in_it() {
    let client = Client::new().await;
    let outer = client.folder("0", "outer").await;
    let inner = client.folder(&outer, "inner").await;
    client.file(&inner, "a.txt", b"hello").await;
    let copied = client.post(&format!("/folders/{outer}/copy"), json!({"parent": {"id": "0"}, "name": "copy"})).await;
    assert_json_snapshot!("a copied folder", copied.tame());
    let copy = copied.expect(201)["id"].as_str().unwrap().to_owned();
    let inner = client.get(&format!("/folders/{copy}/items")).await.expect(200)["entries"][0]["id"].clone();
    let files = client.get(&format!("/folders/{}/items", inner.as_str().unwrap())).await.expect(200);
    assert_eq!(files["entries"][0]["name"], "a.txt");
    let same = client.post(&format!("/folders/{outer}/copy"), json!({"parent": {"id": "0"}})).await;
    assert!(same.refused(409, "item_name_in_use")["context_info"]["conflicts"].is_array());
}

#[tokio::test]
async fn bad_bodies_are_told_what_is_wrong() {
    let client = Client::new().await;
    assert_json_snapshot!("no name", client.post("/folders", json!({"parent": {"id": "0"}})).await.tame());
    assert_json_snapshot!("no parent", client.post("/folders", json!({"name": "a"})).await.tame());
    assert_json_snapshot!("no JSON", client.send("POST", "/box/2.0/folders", &[], "{").await.tame());
    let long = "x".repeat(256);
    for (name, code) in [
        ("", "item_name_invalid"),
        ("..", "item_name_invalid"),
        ("a/b", "item_name_invalid"),
        ("a\\b", "item_name_invalid"),
        ("a\u{0}", "item_name_invalid"),
        ("a ", "item_name_invalid"),
        (long.as_str(), "item_name_too_long"),
    ] {
        client.post("/folders", json!({"name": name, "parent": {"id": "0"}})).await.refused(400, code);
    }
    client.post("/folders", json!({"name": "a", "parent": {"id": "12"}})).await.refused(404, "not_found");
    client.post("/folders", json!({"name": "a", "parent": {"id": "x"}})).await.refused(400, "bad_request");
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(2 << 20));
    client.send("POST", "/box/2.0/folders", &[], large).await.refused(413, "request_entity_too_large");
}
