//! Locks and watermarks, on the wire.

use crate::harness::{Client, HOUR};
use entente_model::{Scopes, UserRole};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

const DENIED: &str = "access_denied_insufficient_permissions";
const LOCKED: &str = "access_denied_item_locked";

#[tokio::test]
async fn folder_locks() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let other = client.folder("0", "other").await;
    let all = json!({"move": true, "delete": true});
    let new = json!({"folder": {"type": "folder", "id": folder}, "locked_operations": all});
    let made = client.post("/folder_locks", new.clone()).await;
    assert_json_snapshot!("a folder lock", made.tame());
    let id = made.expect(200)["id"].as_str().unwrap().to_owned();
    client.post("/folder_locks", new).await.refused(409, "conflict");
    assert_json_snapshot!("folder locks", client.get(&format!("/folder_locks?folder_id={folder}")).await.tame());
    let none = client.get(&format!("/folder_locks?folder_id={other}")).await.expect(200);
    assert_eq!(none["entries"], json!([]));
    client.put(&format!("/folders/{folder}"), json!({"parent": {"id": other}})).await.refused(403, LOCKED);
    client.delete(&format!("/folders/{folder}?recursive=true")).await.refused(403, LOCKED);
    for bad in [
        json!({}),
        json!({"folder": {}}),
        json!({"folder": {"type": "file", "id": folder}}),
        json!({"folder": {"type": "folder", "id": "x"}}),
        json!({"folder": {"type": "folder", "id": other}, "locked_operations": {"move": true, "delete": false}}),
        json!({"folder": {"type": "folder", "id": other}, "locked_operations": {"move": true}}),
    ] {
        client.post("/folder_locks", bad).await.refused(400, "bad_request");
    }
    client.post("/folder_locks", json!({"folder": {"type": "folder", "id": "0"}})).await.refused(403, DENIED);
    client.post("/folder_locks", json!({"folder": {"type": "folder", "id": "12"}})).await.refused(404, "not_found");
    client.get("/folder_locks").await.refused(400, "bad_request");
    client.get("/folder_locks?folder_id=x").await.refused(405, "method_not_allowed");
    client.get("/folder_locks?folder_id=12").await.refused(404, "not_found");
    let path = format!("/folder_locks/{id}");
    client.delete(&path).await.expect(204);
    client.delete(&path).await.refused(404, "not_found");
    client.delete(&format!("/folders/{folder}")).await.expect(204);
}

#[tokio::test]
async fn file_locks() {
    let client = Client::new().await;
    let file = client.file("0", "file.txt", b"x").await;
    let path = format!("/files/{file}");
    let lock = json!({"lock": {"access": "lock", "expires_at": "2031-01-02T03:04:05Z", "is_download_prevented": true}});
    let made = client.put(&format!("{path}?fields=lock,name"), lock).await;
    assert_json_snapshot!("a locked file", made.tame());
    let etag = client.get(&path).await.expect(200)["etag"].clone();
    assert_ne!(etag, "0");

    let other = client.stage.person("plain@acme.example", "Plain", UserRole::User).await;
    let token = format!("Bearer {}", client.stage.token(other, Scopes::ALL, HOUR).await);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    let given = json!({
        "item": {"type": "file", "id": file}, "role": "editor",
        "accessible_by": {"type": "user", "id": other.to_string()},
    });
    client.post("/collaborations", given).await.expect(201);
    let theirs = async |method: &str, path: &str, body: Value| {
        client.send(method, &format!("/box/2.0{path}"), &headers, body.to_string()).await
    };
    theirs("PUT", &path, json!({"description": "x"})).await.refused(403, LOCKED);
    theirs("GET", &format!("{path}/content"), json!({})).await.refused(403, LOCKED);
    theirs("PUT", &path, json!({"lock": null})).await.refused(403, LOCKED);
    assert_eq!(theirs("GET", &format!("{path}?fields=lock"), json!({})).await.expect(200)["lock"]["type"], "lock");
    for bad in [
        json!({"lock": {}}),
        json!({"lock": {"access": "open"}}),
        json!({"lock": {"access": "lock", "expires_at": "2001-01-02T03:04:05Z"}}),
        json!({"lock": {"access": "lock", "expires_at": "soon"}}),
        json!({"lock": 7}),
        json!({"lock": []}),
    ] {
        client.put(&path, bad).await.refused(400, "bad_request");
    }
    let unlocked = client.put(&format!("{path}?fields=lock"), json!({"lock": null})).await.expect(200);
    assert_eq!(unlocked["lock"], Value::Null);
    theirs("PUT", &path, json!({"description": "x", "lock": {"type": "lock"}})).await.expect(200);
    client.put(&path, json!({"lock": {"type": "unlock"}})).await.expect(200);
    client.put("/folders/0", json!({"lock": {"access": "lock"}})).await.refused(403, DENIED);
}

#[tokio::test]
async fn watermarks() {
    let client = Client::new().await;
    let folder = client.folder("0", "folder").await;
    let file = client.file(&folder, "file.txt", b"x").await;
    let default = json!({"watermark": {"imprint": "default"}});
    for (path, item) in [(format!("/files/{file}"), "file"), (format!("/folders/{folder}"), "folder")] {
        let watermark = format!("{path}/watermark");
        client.get(&watermark).await.refused(404, "not_found");
        client.delete(&watermark).await.refused(404, "not_found");
        for bad in [json!({}), json!({"watermark": {}}), json!({"watermark": {"imprint": "mine"}})] {
            client.put(&watermark, bad).await.refused(400, "bad_request");
        }
        assert_json_snapshot!(format!("a watermark of a {item}"), client.put(&watermark, default.clone()).await.tame());
        client.put(&watermark, default.clone()).await.expect(200);
        client.get(&watermark).await.expect(200);
        let info = client.get(&format!("{path}?fields=watermark_info")).await.expect(200);
        assert_eq!(info["watermark_info"]["is_watermarked"], true);
    }
    client.delete(&format!("/files/{file}/watermark")).await.expect(204);
    let info = client.get(&format!("/files/{file}?fields=watermark_info")).await.expect(200);
    assert_eq!(info["watermark_info"]["is_watermark_inherited"], true);
    client.put("/folders/0/watermark", default.clone()).await.refused(403, DENIED);
    client.put("/files/12/watermark", default).await.refused(404, "not_found");
}
