use crate::harness::Client;
use insta::assert_json_snapshot;
use serde_json::json;

#[tokio::test]
async fn versions_are_listed_promoted_removed_and_restored() {
    let client = Client::new().await;
    let made = client.upload("0", "one.txt", b"one").await.expect(201);
    let file = made["entries"][0]["id"].as_str().unwrap().to_owned();
    let first = made["entries"][0]["file_version"]["id"].as_str().unwrap().to_owned();
    let path = format!("/files/{file}/versions");
    assert_eq!(client.get(&path).await.expect(200)["total_count"], 0);
    let attributes = br#"{"name":"two.txt"}"#;
    client
        .form(&format!("/files/{file}/content"), &[], &[("attributes", attributes), ("file", b"two")])
        .await
        .expect(200);
    assert_json_snapshot!("older versions", client.get(&path).await.tame());
    assert_json_snapshot!(
        "one version",
        client.get(&format!("{path}/{first}?fields=version_number,name,size")).await.tame()
    );

    let promoted = client.post(&format!("{path}/current"), json!({"id": first, "type": "file_version"})).await;
    assert_json_snapshot!("a promoted version", promoted.tame());
    assert_ne!(promoted.expect(201)["id"], first);
    let now = client.get(&format!("/files/{file}")).await.expect(200);
    assert_eq!((&now["name"], &now["file_version"]["id"]), (&json!("one.txt"), &promoted.value()["id"]));
    assert_eq!(client.get(&path).await.expect(200)["total_count"], 2);

    let one = format!("{path}/{first}");
    client
        .send("DELETE", &format!("/box/2.0{one}"), &[("if-match", "77")], "")
        .await
        .refused(412, "precondition_failed");
    client.delete(&one).await.expect(204);
    assert_eq!(client.get(&path).await.expect(200)["total_count"], 1);
    assert!(client.get(&one).await.expect(200)["trashed_at"].is_string());
    assert!(client.put(&one, json!({"trashed_at": null})).await.expect(200)["trashed_at"].is_null());
    assert_eq!(client.get(&path).await.expect(200)["total_count"], 2);
    client.put(&one, json!({"trashed_at": "2012-12-12T10:53:43Z"})).await.refused(400, "bad_request");
    client.post(&format!("{path}/current"), json!({"id": "12"})).await.refused(404, "not_found");
    client.get(&format!("{path}/12")).await.refused(404, "not_found");
}
