//! Many operations in one request.

use crate::harness::Site;
use serde_json::{Value, json};

fn post(bulk_id: &str, path: &str, data: &Value) -> Value {
    json!({ "method": "POST", "path": path, "bulkId": bulk_id, "data": data })
}

#[tokio::test]
async fn many_are_made_and_refer_to_each_other() {
    let site = Site::new().await;
    let user = |index: u32| post(&format!("u{index}"), "/Users", &json!({ "userName": format!("u{index}@x.y") }));
    let mut operations = (0..200).map(user).collect::<Vec<_>>();
    operations.push(post("twice", "/Users", &json!({ "userName": "u7@x.y" })));
    operations.push(post("g", "/Groups", &json!({ "displayName": "All", "members": [{ "value": "bulkId:u1" }] })));
    let add = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": "bulkId:u2" }] }] });
    operations.push(json!({ "method": "PATCH", "path": "/Groups/bulkId:g", "data": add }));
    operations.push(json!({ "method": "DELETE", "path": "/Users/bulkId:u3" }));
    operations.push(json!({ "method": "PATCH", "path": "/Groups/bulkId:later", "data": add }));
    let answer = site.call("POST", "Bulk", &json!({ "Operations": operations })).await.expect(200);
    let answers = answer["Operations"].as_array().unwrap();
    let statuses: Vec<_> = answers.iter().map(|answer| answer["status"].as_str().unwrap()).collect();
    // Two had one login: one of them was made, whichever.
    assert_eq!(statuses[..201].iter().filter(|status| **status == "201").count(), 200);
    assert_eq!(statuses[..201].iter().filter(|status| **status == "409").count(), 1);
    assert_eq!(statuses[201..], ["201", "204", "204", "400"]);
    let group = answers[201]["location"].as_str().unwrap().rsplit('/').next().unwrap();
    let group = site.get(&format!("Groups/{group}")).await.expect(200);
    assert_eq!(group["members"].as_array().unwrap().len(), 2);
    assert_eq!(site.get("Users?count=0").await.expect(200)["totalResults"], 200);
}

#[tokio::test]
async fn failures_are_counted_and_limits_kept() {
    let site = Site::new().await;
    let bad = post("a", "/Users", &json!({ "userName": "x" }));
    let good = post("b", "/Users", &json!({ "userName": "b@x.y" }));
    let body = json!({ "failOnErrors": 1, "Operations": [bad, good] });
    let answer = site.call("POST", "Bulk", &body).await.expect(200);
    assert_eq!(answer["Operations"].as_array().unwrap().len(), 1);
    assert_eq!(answer["Operations"][0]["response"]["scimType"], "invalidValue");
    assert_eq!(site.get("Users").await.expect(200)["totalResults"], 1);
    site.call("POST", "Bulk", &json!({ "Operations": vec![json!({}); 1_001] })).await.refused(413, "");
    site.call("POST", "Bulk", &json!({})).await.refused(400, "invalidSyntax");
    for bad in [
        json!({}),
        json!({ "method": "POST", "path": "/Users", "data": { "userName": "c@x.y" } }),
        json!({ "method": "POST", "path": "/Users/1", "bulkId": "x", "data": {} }),
        json!({ "method": "GET", "path": "/Users/1" }),
        json!({ "method": "PUT", "path": "/Users" }),
        json!({ "method": "POST", "path": "/Bulk", "bulkId": "x" }),
        json!("x"),
    ] {
        let answer = site.call("POST", "Bulk", &json!({ "Operations": [bad] })).await.expect(200);
        assert_eq!(answer["Operations"][0]["status"], "400", "{answer}");
    }
}
