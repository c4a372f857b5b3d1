//! Search.

use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

fn names(found: &Value) -> Vec<&str> {
    found["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

async fn search(client: &Client, query: &str) -> Value {
    client.stage.index().await;
    client.get(&format!("/search?{query}")).await.expect(200)
}

async fn as_other(client: &Client, path: &str) -> Answer {
    let user = client.stage.person("otto@acme.example", "Otto", UserRole::User).await;
    let who = format!("Bearer {}", client.stage.token(user, Scopes::ALL, HOUR).await);
    client.send("GET", &format!("/box/2.0{path}"), &[("authorization", &who)], "").await
}

#[tokio::test]
async fn words_find_items() {
    let client = Client::new().await;
    client.get("/search?query=plan").await.expect(503);
    let folder = client.folder("0", "Plans").await;
    let file = client.file(&folder, "Plan of March.txt", b"12345").await;
    client.file("0", "other.txt", b"x").await;
    let found = search(&client, "query=plan").await;
    assert_eq!((&found["total_count"], &found["offset"], &found["limit"]), (&json!(2), &json!(0), &json!(30)));
    assert_eq!(found["type"], json!("search_results_items"));
    assert_eq!(names(&found), ["Plan of March.txt", "Plans"]);
    let first = &found["entries"][0];
    assert_eq!((&first["type"], &first["id"], &first["size"]), (&json!("file"), &json!(file), &json!(5)));
    let found = search(&client, "query=plan&fields=name&type=file&limit=5000").await;
    assert_eq!((found["entries"][0].get("size"), &found["limit"]), (None, &json!(200)));
    let found = search(&client, "query=plan&include_recent_shared_links=true").await;
    assert_eq!(found["type"], json!("search_results_with_shared_links"));
    assert_eq!(found["entries"][0]["item"]["id"], json!(file));
    assert_eq!(found["entries"][0]["type"], json!("search_result"));
    for (query, count) in [
        ("query=plan&offset=1", 1),
        ("query=plan&limit=0", 0),
        ("query=%22plan+of%22", 1),
        ("query=plan&content_types=name,tags", 2),
        ("query=plan&content_types=file_content", 0),
        ("query=plan&file_extensions=txt,doc", 1),
        ("query=plan&size_range=,4", 1),
        ("query=plan&size_range=5,", 1),
        ("query=plan&created_at_range=2020-01-01T00:00:00Z,", 2),
        ("query=plan&created_at_range=,2020-01-01T00:00:00%2B02:00", 0),
        ("query=plan&updated_at_range=2020-01-01T00:00:00Z,2020-01-02T00:00:00Z", 0),
        ("query=plan&ancestor_folder_ids=0", 2),
        (&format!("query=plan&ancestor_folder_ids={folder}"), 1),
        (&format!("query=plan&owner_user_ids={}", client.user), 2),
        ("query=plan&owner_user_ids=1", 0),
        (&format!("query=plan&recent_updater_user_ids={},7", client.user), 2),
        ("query=plan&trash_content=trashed_only", 0),
        ("query=plan&trash_content=all_items&sort=modified_at&direction=asc", 2),
        ("query=plan&deleted_user_ids=1", 0),
        ("query=%22%22", 0),
    ] {
        let found = search(&client, query).await;
        assert_eq!(names(&found).len(), count, "{query}");
    }
    let answer = as_other(&client, "/search?query=plan").await.expect(200);
    assert_eq!((&answer["total_count"], &answer["entries"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn what_is_no_search_is_refused() {
    let client = Client::new().await;
    let folder = client.folder("0", "Plans").await;
    client.stage.index().await;
    for query in [
        "",
        "query=",
        "query=x&scope=all",
        "query=x&type=note",
        "query=x&sort=size",
        "query=x&direction=up",
        "query=x&trash_content=some",
        "query=x&content_types=name,smell",
        "query=x&limit=-1",
        "query=x&limit=many",
        "query=x&offset=10001",
        "query=x&created_at_range=yesterday",
        "query=x&size_range=1,2,3",
        "query=x&size_range=a,b",
        "query=x&owner_user_ids=me",
        "mdfilters=x",
        "mdfilters=[]",
        "mdfilters=[{}]",
    ] {
        client.get(&format!("/search?{query}")).await.refused(400, "bad_request");
    }
    client.get(&format!("/search?query={}", "w+".repeat(65))).await.refused(400, "bad_request");
    client.get("/search?query=x&scope=enterprise_content").await.refused(403, "access_denied_insufficient_permissions");
    client.get("/search?query=x&ancestor_folder_ids=77").await.refused(404, "not_found");
    as_other(&client, &format!("/search?query=x&ancestor_folder_ids={folder}")).await.refused(404, "not_found");
}

#[tokio::test]
async fn metadata_filters() {
    let client = Client::new().await;
    let template = client.contracts().await;
    let scope = template["scope"].as_str().unwrap();
    let (one, two) = (client.file("0", "one.txt", b"x").await, client.file("0", "two.txt", b"x").await);
    let values = [
        (&one, json!({"name": "Rent", "amount": 10, "state": "draft", "regions": ["north"]})),
        (&two, json!({"name": "Loan", "amount": 20.5, "state": "signed", "regions": ["south", "east"]})),
    ];
    for (file, values) in values {
        client.post(&format!("/files/{file}/metadata/{scope}/contract"), values).await.expect(201);
    }
    for (filters, expected) in [
        (json!({}), vec!["one.txt", "two.txt"]),
        (json!({"name": "Rent"}), vec!["one.txt"]),
        (json!({"state": "signed"}), vec!["two.txt"]),
        (json!({"amount": {"gt": 10, "lt": 20}}), vec!["one.txt"]),
        (json!({"amount": {"gt": 11}}), vec!["two.txt"]),
        (json!({"regions": ["north", "east"]}), vec!["one.txt", "two.txt"]),
        (json!({"name": "Rent", "state": "signed"}), vec![]),
    ] {
        let filter = json!([{"scope": "enterprise", "templateKey": "contract", "filters": filters}]);
        let encoded = filter.to_string().replace('"', "%22").replace('{', "%7B").replace('}', "%7D").replace(' ', "+");
        let found = search(&client, &format!("mdfilters={encoded}")).await;
        let mut found = names(&found);
        found.sort_unstable();
        assert_eq!(found, expected, "{filter}");
    }
    let encoded = |key: &str, filters: &str| {
        format!(
            "mdfilters=[%7B%22scope%22:%22enterprise%22,%22templateKey%22:%22{key}%22,%22filters%22:%7B{filters}%7D%7D]"
        )
    };
    let found = search(&client, &format!("{}&query=two", encoded("contract", ""))).await;
    assert_eq!(names(&found), ["two.txt"]);
    // What metadata says is found by its words, too.
    assert_eq!(names(&search(&client, "query=rent").await), ["one.txt"]);
    let path = |query: String| format!("/search?{query}");
    assert!(client.get(&path(encoded("contract", "%22colour%22:1"))).await.status.is_client_error());
    assert!(client.get(&path(encoded("none", ""))).await.status.is_client_error());
}
