use crate::harness::Client;
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn a_file_goes_to_the_trash_and_comes_back() {
    let client = Client::new().await;
    let file = client.file("0", "a.txt", b"hello").await;
    let path = format!("/files/{file}");
    client.get(&format!("{path}/trash")).await.refused(404, "not_found");
    client.post(&path, json!({})).await.refused(404, "not_found");
    client.delete(&path).await.expect(204);
    assert_json_snapshot!("a trashed file", client.get(&format!("{path}/trash")).await.tame());
    assert_json_snapshot!("the trash", client.get("/folders/trash/items?limit=10").await.tame());
    let by_marker = client.get("/folders/trash/items?usemarker=true&fields=name,item_status").await.expect(200);
    assert_eq!(by_marker["entries"][0]["item_status"], "trashed");
    client.get("/folders/trash/items?usemarker=true&sort=name").await.refused(400, "bad_request");

    client.file("0", "A.txt", b"other").await;
    let conflict = client.send("POST", &format!("/box/2.0{path}"), &[], "").await;
    assert!(conflict.refused(409, "item_name_in_use")["context_info"]["conflicts"].is_object());
    let restored = client.post(&path, json!({"name": "b.txt"})).await;
    assert_json_snapshot!("a restored file", restored.tame());
    assert_eq!(client.download(&format!("{path}/content")).await.body, "hello");
}

#[tokio::test]
async fn a_folder_goes_with_what_is_in_it() {
    let client = Client::new().await;
    let outer = client.folder("0", "outer").await;
    let inner = client.folder(&outer, "inner").await;
    let file = client.file(&inner, "a.txt", b"hello").await;
    client.delete(&format!("/folders/{outer}?recursive=true")).await.expect(204);
    client.get(&format!("/files/{file}")).await.refused(404, "trashed");
    client.get(&format!("/files/{file}/trash")).await.refused(404, "not_found");
    client.get(&format!("/folders/{outer}/items")).await.refused(404, "trashed");
    assert_json_snapshot!("a trashed folder", client.get(&format!("/folders/{outer}/trash")).await.tame());
    assert_eq!(client.get("/folders/trash/items").await.expect(200)["total_count"], 1);
    let restored = client.send("POST", &format!("/box/2.0/folders/{outer}"), &[], "").await;
    assert_json_snapshot!("a restored folder", restored.tame());
    client.get(&format!("/files/{file}")).await.expect(200);
}

#[tokio::test]
async fn a_purged_item_is_gone() {
    let client = Client::new().await;
    let folder = client.folder("0", "a").await;
    let file = client.file("0", "b", b"hello").await;
    client.delete(&format!("/files/{file}/trash")).await.refused(404, "not_found");
    client.delete(&format!("/files/{file}")).await.expect(204);
    client.delete(&format!("/folders/{folder}")).await.expect(204);
    client.delete(&format!("/files/{file}/trash")).await.expect(204);
    client.delete(&format!("/folders/{folder}/trash")).await.expect(204);
    client.get(&format!("/files/{file}/trash")).await.refused(404, "not_found");
    client.get(&format!("/folders/{folder}")).await.refused(404, "not_found");
    assert_eq!(client.get("/folders/trash/items").await.expect(200)["total_count"], 0);
}

#[tokio::test]
async fn an_item_whose_folder_is_gone_needs_another() {
    let client = Client::new().await;
    let folder = client.folder("0", "a").await;
    let file = client.file(&folder, "b", b"hello").await;
    client.delete(&format!("/files/{file}")).await.expect(204);
    client.delete(&format!("/folders/{folder}")).await.expect(204);
    client.post(&format!("/files/{file}"), json!({})).await.refused(404, "not_found");
    let restored = client.post(&format!("/files/{file}"), json!({"parent": {"id": "0"}})).await.expect(201);
    assert_eq!(restored["parent"]["id"], "0");
}
