//! Groups, and who is in them.

use crate::harness::Site;
use serde_json::{Value, json};

impl Site {
    /// Who is in a group, in order of ids.
    async fn members(&self, path: &str) -> Vec<String> {
        let group = self.get(path).await.expect(200);
        let members =
            group["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap().to_owned());
        let mut members = members.collect::<Vec<_>>();
        members.sort();
        members
    }
}

#[tokio::test]
async fn a_group_is_made_changed_and_removed() {
    let site = Site::new().await;
    let (a, b, c) = (site.user("a@x.y").await, site.user("b@x.y").await, site.user("c@x.y").await);
    let new = json!({ "displayName": "Team", "externalId": "g-1", "members": [{ "value": a }, { "value": a }] });
    let made = site.call("POST", "Groups", &new).await.expect(201);
    let path = format!("Groups/{}", made["id"].as_str().unwrap());
    assert_eq!(site.get(&path).await.expect(200), made);
    site.call("POST", "Groups", &new).await.refused(409, "uniqueness");
    let patch = async |operations: Value| {
        site.call("PATCH", &path, &json!({ "Operations": operations })).await.expect(204);
        site.members(&path).await
    };
    assert_eq!(
        patch(json!([{ "op": "Add", "path": "members", "value": [{ "value": b }, { "value": a }] }])).await,
        [&*a, &*b]
    );
    let entry = format!("members[value eq \"{a}\"]");
    assert_eq!(patch(json!([{ "op": "Remove", "path": entry }])).await, [&*b]);
    assert_eq!(patch(json!([{ "op": "replace", "value": { "members": [{ "value": c }] } }])).await, [&*c]);
    assert_eq!(patch(json!([{ "op": "remove", "path": "members", "value": [{ "value": a }] }])).await, [&*c]);
    assert!(patch(json!([{ "op": "remove", "path": "members" }])).await.is_empty());
    let whole = json!({ "displayName": "Crew", "members": [{ "value": a }, { "value": c }] });
    let shown = site.call("PUT", &path, &whole).await.expect(200);
    assert_eq!(shown["displayName"], "Crew");
    assert!(shown.get("externalId").is_none());
    assert_eq!(site.members(&path).await, [&*a, &*c]);
    site.call("DELETE", &path, &Value::Null).await.expect(204);
    site.get(&path).await.refused(404, "");
}

#[tokio::test]
async fn groups_are_found_and_listed() {
    let site = Site::new().await;
    for name in ["Alpha", "Beta"] {
        site.call("POST", "Groups", &json!({ "displayName": name, "externalId": name })).await.expect(201);
    }
    for (filter, found) in [
        ("displayName%20eq%20%22alpha%22", 1),
        ("displayName%20eq%20%22al%22", 0),
        ("externalId%20eq%20%22Beta%22", 1),
        ("externalId%20eq%20%22Beta%22%20and%20displayName%20eq%20%22Alpha%22", 0),
    ] {
        assert_eq!(site.get(&format!("Groups?filter={filter}")).await.expect(200)["totalResults"], found, "{filter}");
    }
    site.get("Groups?filter=members%20eq%20%221%22").await.refused(400, "invalidFilter");
    let list = site.get("Groups?startIndex=2").await.expect(200);
    assert_eq!((list["totalResults"].as_u64(), list["Resources"][0]["displayName"].as_str()), (Some(2), Some("Beta")));
}

#[tokio::test]
async fn who_is_not_of_the_enterprise_is_in_no_group_and_nothing_is_half_done() {
    let site = Site::new().await;
    let other = site.stage.outsider("o@other.example", "Other").await.to_string();
    let a = site.user("a@x.y").await;
    for bad in [other.as_str(), "x", "12345"] {
        let new = json!({ "displayName": "Team", "members": [{ "value": a }, { "value": bad }] });
        site.call("POST", "Groups", &new).await.refused(400, "invalidValue");
    }
    assert_eq!(site.get("Groups").await.expect(200)["totalResults"], 0);
    let made =
        site.call("POST", "Groups", &json!({ "displayName": "Team", "members": [{ "value": a }] })).await.expect(201);
    let path = format!("Groups/{}", made["id"].as_str().unwrap());
    for bad in [
        json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": other }] }] }),
        json!({ "Operations": [{ "op": "replace", "path": "members", "value": [{ "value": other }] }] }),
        json!({ "Operations": [{ "op": "remove", "path": "members" }, { "op": "add", "path": "members", "value": "x" }] }),
        json!({ "Operations": [{ "op": "remove", "path": "displayName" }] }),
    ] {
        assert_eq!(site.call("PATCH", &path, &bad).await.status, 400, "{bad}");
        assert_eq!(site.members(&path).await, [&*a]);
    }
    let stranger = site.stage.outsider("p@third.example", "Third").await;
    let token = site.issue(stranger, entente_model::Scopes::ALL).await;
    site.send("GET", &path, "", &token).await.refused(403, "");
}
