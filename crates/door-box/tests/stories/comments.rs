//! Comments and tasks, on the wire.

use crate::harness::{Client, HOUR};
use entente_model::{Scopes, UserRole};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

const DENIED: &str = "access_denied_insufficient_permissions";

fn on(kind: &str, id: &str) -> Value {
    json!({"type": kind, "id": id})
}

#[tokio::test]
async fn comments() {
    let client = Client::new().await;
    let file = client.file("0", "file.txt", b"x").await;
    let said = client.post("/comments", json!({"item": on("file", &file), "message": "one"})).await;
    assert_json_snapshot!("a comment", said.tame());
    let id = said.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/comments/{id}");
    let recent = client.get("/recent_items").await.expect(200);
    assert_eq!(recent["entries"][0]["interaction_type"], "item_comment");
    let tagged = format!("see @[{}:Ada]", client.user);
    let reply = json!({"item": on("comment", &id), "message": "", "tagged_message": tagged});
    let reply = client.post("/comments?fields=message,tagged_message,is_reply_comment,item", reply).await.expect(201);
    assert_eq!((&reply["message"], &reply["tagged_message"]), (&json!("see Ada"), &json!(tagged)));
    assert_eq!((&reply["is_reply_comment"], &reply["item"]), (&json!(true), &on("file", &file)));
    assert_json_snapshot!("comments of a file", client.get(&format!("/files/{file}/comments?limit=1")).await.tame());
    let rest = client.get(&format!("/files/{file}/comments?offset=1&fields=message")).await.expect(200);
    assert_eq!((&rest["total_count"], &rest["entries"][0]["message"]), (&json!(2), &json!("see Ada")));
    let counted = client.get(&format!("/files/{file}?fields=comment_count")).await.expect(200);
    assert_eq!(counted["comment_count"], 2);
    let changed = client.put(&path, json!({"message": "new"})).await.expect(200);
    assert_eq!(changed["message"], "new");
    assert_eq!(client.get(&path).await.expect(200), changed);

    for bad in [
        json!({}),
        json!({"message": "x"}),
        json!({"item": on("file", &file)}),
        json!({"item": {"id": file}, "message": "x"}),
        json!({"item": {"type": "file"}, "message": "x"}),
        json!({"item": on("folder", "0"), "message": "x"}),
        json!({"item": on("file", "x"), "message": "x"}),
        json!({"item": on("file", &file), "message": ""}),
        json!({"item": on("file", &file), "message": 7}),
        json!({"item": on("file", &file), "message": "x".repeat(10_001)}),
        json!({"item": on("file", &file), "tagged_message": "@[12:Nobody]"}),
        json!([]),
    ] {
        client.post("/comments", bad).await.refused(400, "bad_request");
    }
    client.post("/comments", json!({"item": on("file", "12"), "message": "x"})).await.refused(404, "not_found");
    client.post("/comments", json!({"item": on("comment", "12"), "message": "x"})).await.refused(404, "not_found");
    client.get("/comments/x").await.refused(405, "method_not_allowed");
    client.get(&format!("/files/{file}/comments?offset=10001")).await.refused(400, "invalid_offset");
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "not_found");
    client.delete(&path).await.refused(404, "not_found");
}

#[tokio::test]
async fn tasks() {
    let client = Client::new().await;
    let file = client.file("0", "file.txt", b"x").await;
    let new = json!({
        "item": on("file", &file), "action": "complete", "message": "please", "due_at": "2030-01-02T03:04:05Z",
        "completion_rule": "any_assignee",
    });
    let made = client.post("/tasks", new).await;
    assert_json_snapshot!("a task", made.tame());
    let id = made.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/tasks/{id}");
    let usual = client.post("/tasks", json!({"item": on("file", &file)})).await.expect(201);
    assert_eq!((&usual["action"], &usual["completion_rule"]), (&json!("review"), &json!("all_assignees")));
    assert_eq!((&usual["due_at"], &usual["message"]), (&Value::Null, &json!("")));
    let assign = |to: Value| client.post("/task_assignments", json!({"task": on("task", &id), "assign_to": to}));
    let asked = assign(json!({"login": "ada@acme.example"})).await;
    assert_json_snapshot!("a task assignment", asked.tame());
    let assignment = format!("/task_assignments/{}", asked.expect(201)["id"].as_str().unwrap());
    assign(json!({"id": client.user.to_string()})).await.refused(409, "conflict");
    assert_json_snapshot!("tasks of a file", client.get(&format!("/files/{file}/tasks")).await.tame());
    client.put(&assignment, json!({"resolution_state": "approved"})).await.refused(400, "bad_request");
    let done = client.put(&assignment, json!({"resolution_state": "completed", "message": "done"})).await.expect(200);
    assert_eq!((&done["resolution_state"], &done["message"]), (&json!("completed"), &json!("done")));
    assert!(done["completed_at"].is_string());
    assert_eq!(client.get(&assignment).await.expect(200), done);
    assert_eq!(client.get(&path).await.expect(200)["is_completed"], true);
    let listed = client.get(&format!("{path}/assignments")).await.expect(200);
    assert_eq!((&listed["total_count"], &listed["entries"][0]["id"]), (&json!(1), &done["id"]));
    // What is done asks for nothing else, and of nobody else.
    client.put(&path, json!({"action": "review"})).await.refused(400, "bad_request");
    let other = client.stage.person("plain@acme.example", "Plain", UserRole::User).await;
    assign(json!({"id": other.to_string()})).await.refused(403, DENIED);
    let changed = client.put(&path, json!({"message": "", "due_at": null, "completion_rule": "all_assignees"})).await;
    let changed = changed.expect(200);
    assert_eq!((&changed["message"], &changed["due_at"]), (&json!(""), &Value::Null));

    for bad in [
        json!({}),
        json!({"item": {"type": "file"}}),
        json!({"item": on("folder", "0")}),
        json!({"item": on("file", &file), "action": "sleep"}),
        json!({"item": on("file", &file), "completion_rule": 7}),
        json!({"item": on("file", &file), "due_at": "tomorrow"}),
        json!({"item": on("file", &file), "message": "x".repeat(10_001)}),
    ] {
        client.post("/tasks", bad).await.refused(400, "bad_request");
    }
    client.post("/tasks", json!({"item": on("file", "12")})).await.refused(404, "not_found");
    for bad in [json!({}), json!({"task": on("task", &id)}), json!({"task": on("task", &id), "assign_to": {}})] {
        client.post("/task_assignments", bad).await.refused(400, "bad_request");
    }
    assign(json!({"login": "nobody@acme.example"})).await.refused(404, "not_found");
    client.put(&assignment, json!({"resolution_state": "asleep"})).await.refused(400, "bad_request");

    // Nobody knows of it who does not know of the file.
    let token = format!("Bearer {}", client.stage.token(other, Scopes::ALL, HOUR).await);
    let headers = [("authorization", token.as_str())];
    for hidden in [&path, &assignment, &format!("{path}/assignments"), &format!("/files/{file}/tasks")] {
        client.send("GET", &format!("/box/2.0{hidden}"), &headers, String::new()).await.refused(404, "not_found");
    }
    for gone in [&assignment, &path] {
        client.delete(gone).await.expect(204);
        client.get(gone).await.refused(404, "not_found");
        client.delete(gone).await.refused(404, "not_found");
    }
}
