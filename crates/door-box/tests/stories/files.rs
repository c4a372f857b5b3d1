use crate::harness::Client;
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_file_is_shown_changed_and_trashed() {
    let client = Client::new().await;
    let folder = client.folder("0", "Reports").await;
    let file = client.file(&folder, "a.txt", b"hello").await;
    let path = format!("/files/{file}");
    let shown = client.get(&path).await;
    assert_json_snapshot!("a file", shown.tame());
    assert_eq!(shown.expect(200)["etag"], "0");
    assert_eq!(client.send("GET", &format!("/box/2.0{path}"), &[("if-none-match", "\"0\"")], "").await.status, 304);
    let changed = json!({
        "name": "b.txt", "parent": {"id": "0"}, "description": "moved", "tags": ["x"],
        "content_modified_at": "2012-12-12T10:53:43-08:00", "shared_link": null, "lock": null,
    });
    let changed =
        client.put(&format!("{path}?fields=name,parent,description,tags,content_modified_at,etag"), changed).await;
    assert_json_snapshot!("a changed file", changed.tame());
    let stale = client.send("PUT", &format!("/box/2.0{path}"), &[("if-match", "0")], r#"{"name":"c.txt"}"#).await;
    stale.refused(412, "precondition_failed");
    client
        .send("DELETE", &format!("/box/2.0{path}"), &[("if-match", "0")], "")
        .await
        .refused(412, "precondition_failed");
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "trashed");
    client.put(&path, json!({"name": "c"})).await.refused(404, "trashed");
}

#[tokio::test]
async fn everything_that_fields_can_name() {
    let client = Client::new().await;
    let file = client.file("0", "a.tar.gz", b"hello").await;
    let full = "version_number,comment_count,permissions,tags,lock,extension,is_package,watermark_info,\
        is_accessible_via_shared_link,allowed_invitee_roles,is_externally_owned,has_collaborations,expires_at,\
        representations,classification,uploader_display_name,disposition_at,shared_link_permission_options,\
        is_associated_with_app_item";
    assert_json_snapshot!("a full file", client.get(&format!("/files/{file}?fields={full}")).await.tame());
}

#[tokio::test]
async fn a_file_is_copied() {
    let client = Client::new().await;
    let folder = client.folder("0", "to").await;
    let file = client.file("0", "a.txt", b"hello").await;
    let to = |parent: &str, name: Option<&str>| json!({"parent": {"id": parent}, "name": name});
    let copied = client.post(&format!("/files/{file}/copy"), to(&folder, None)).await;
    assert_json_snapshot!("a copied file", copied.tame());
    let copy = copied.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(client.download(&format!("/files/{copy}/content")).await.body, "hello");
    let same = client.post(&format!("/files/{file}/copy"), to("0", None)).await;
    let winner = &same.refused(409, "item_name_in_use")["context_info"]["conflicts"]["id"];
    assert_eq!(*winner, file);
    client.post(&format!("/files/{file}/copy"), to("0", Some("b.txt"))).await.expect(201);
    client.post(&format!("/files/{file}/copy"), json!({"name": "c"})).await.refused(400, "bad_request");
    client.post("/files/12/copy", to("0", None)).await.refused(404, "not_found");
}

#[tokio::test]
async fn a_file_and_a_folder_do_not_share_a_name() {
    let client = Client::new().await;
    let file = client.file("0", "a.txt", b"hello").await;
    client.folder("0", "Reports").await;
    let renamed = client.put(&format!("/files/{file}"), json!({"name": "REPORTS"})).await;
    assert_eq!(renamed.refused(409, "item_name_in_use")["context_info"]["conflicts"]["type"], "folder");
    // Only the case of its own name changes: nobody else has it.
    assert_eq!(client.put(&format!("/files/{file}"), json!({"name": "A.TXT"})).await.expect(200)["name"], "A.TXT");
}

#[tokio::test]
async fn a_folder_is_no_file() {
    let client = Client::new().await;
    let folder = client.folder("0", "Reports").await;
    let file = client.file("0", "a.txt", b"hello").await;
    client.get(&format!("/files/{folder}")).await.refused(404, "not_found");
    client.get(&format!("/folders/{file}")).await.refused(404, "not_found");
    client.get(&format!("/folders/{file}/items")).await.refused(404, "not_found");
    client.get("/files/0").await.refused(404, "not_found");
}
