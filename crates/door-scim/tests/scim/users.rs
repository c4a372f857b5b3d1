//! People of the enterprise.

use crate::harness::Site;
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[tokio::test]
async fn a_user_is_made_changed_and_removed() {
    let site = Site::new().await;
    let new = json!({
        "schemas": [SCHEMA], "userName": "Anna@acme.example", "externalId": "e-1", "active": true,
        "name": { "givenName": "Anna", "familyName": "Lang" }, "emails": [{ "value": "x@y.z" }], "nickName": "A",
    });
    let made = site.call("POST", "Users", &new).await;
    let location = made.location.clone();
    let made = made.expect(201);
    let id = made["id"].as_str().unwrap();
    let path = format!("Users/{id}");
    assert_eq!(location, format!("https://files.acme.example/scim/v2/{path}"));
    assert_eq!((made["displayName"].as_str(), made["active"].as_bool()), (Some("Anna Lang"), Some(true)));
    assert_eq!(made["meta"]["location"], location);
    assert_eq!(site.get(&path).await.expect(200), made);
    site.call("POST", "Users", &new).await.refused(409, "uniqueness");
    // As Entra sends it, and Okta.
    let off = json!({ "Operations": [{ "op": "Replace", "path": "active", "value": "False" }] });
    assert_eq!(site.call("PATCH", &path, &off).await.expect(200)["active"], false);
    let token = site.issue_for(id).await;
    assert!(token.is_none(), "no credential of theirs is worth anything");
    let on = json!({ "Operations": [{ "op": "replace", "value": { "active": true, "title": "Dr" } }] });
    let shown = site.call("PATCH", &path, &on).await.expect(200);
    assert_eq!((shown["active"].as_bool(), shown["title"].as_str()), (Some(true), Some("Dr")));
    let whole = json!({ "schemas": [SCHEMA], "userName": "anna.l@acme.example", "displayName": "Anna L" });
    let shown = site.call("PUT", &path, &whole).await.expect(200);
    assert_eq!(
        (shown["userName"].as_str(), shown["displayName"].as_str()),
        (Some("anna.l@acme.example"), Some("Anna L"))
    );
    assert!(shown.get("title").is_none() && shown.get("externalId").is_none(), "what is not given is not there");
    site.call("DELETE", &path, &Value::Null).await.expect(204);
    site.get(&path).await.refused(404, "");
    site.call("DELETE", &path, &Value::Null).await.refused(404, "");
}

impl Site {
    async fn issue_for(&self, id: &str) -> Option<String> {
        let user = id.parse().unwrap();
        let issue = entente_identity::IssueToken {
            user,
            app: None,
            scopes: Scopes::ALL,
            lifetime: std::time::Duration::from_secs(60),
        };
        self.stage.identity.issue(issue).await.ok().map(|issued| issued.secret.expose().to_owned())
    }
}

#[tokio::test]
async fn users_are_found_and_listed() {
    let site = Site::new().await;
    for index in 0..5 {
        let new = json!({ "userName": format!("u{index}@acme.example"), "externalId": format!("e{index}") });
        site.call("POST", "Users", &new).await.expect(201);
    }
    site.stage.outsider("u9@other.example", "Other").await;
    let found = async |filter: &str| {
        let encoded = filter.replace(' ', "%20").replace('"', "%22").replace('+', "%2B");
        let found = site.get(&format!("Users?filter={encoded}")).await.expect(200);
        assert_eq!(found["totalResults"], found["Resources"].as_array().unwrap().len());
        let names =
            found["Resources"].as_array().unwrap().iter().map(|user| user["userName"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(found("userName eq \"U1@ACME.example\"").await, ["u1@acme.example"]);
    assert_eq!(found("externalId eq \"e2\"").await, ["u2@acme.example"]);
    assert_eq!(found("emails eq \"u3@acme.example\" and active eq true").await, ["u3@acme.example"]);
    for none in [
        "userName eq \"u\"",
        "externalId eq \"e\"",
        "userName eq \"u9@other.example\"",
        "userName eq \"u1@acme.example\" and active eq false",
        "id eq \"x\"",
        "id eq \"12345\"",
    ] {
        assert!(found(none).await.is_empty(), "{none}");
    }
    for bad in ["userName co \"u\"", "active eq true", "userName eq \"u1@acme.example\" and shoeSize eq 4", "x"] {
        let bad = bad.replace(' ', "%20").replace('"', "%22");
        site.get(&format!("Users?filter={bad}")).await.refused(400, "invalidFilter");
    }
    let page = site.get("Users?startIndex=2&count=2").await.expect(200);
    assert_eq!((page["totalResults"].as_u64(), page["itemsPerPage"].as_u64()), (Some(6), Some(2)));
    assert_eq!(page["Resources"][0]["userName"], "u0@acme.example");
    let none = site.get("Users?startIndex=-3&count=0").await.expect(200);
    assert_eq!((none["startIndex"].as_u64(), none["itemsPerPage"].as_u64()), (Some(1), Some(0)));
    site.get("Users?count=many").await.refused(400, "invalidValue");
    let few = site.get("Users?count=1&attributes=userName").await.expect(200);
    assert_eq!(few["Resources"][0].as_object().unwrap().len(), 3);
}

#[tokio::test]
async fn bad_requests_are_refused_and_change_nothing() {
    let site = Site::new().await;
    for (body, word) in [
        ("", "invalidSyntax"),
        ("{", "invalidSyntax"),
        ("[]", "invalidSyntax"),
        ("{}", "invalidValue"),
        ("{\"userName\":7}", "invalidValue"),
        ("{\"userName\":\"no mail address\"}", "invalidValue"),
        ("{\"userName\":\"a\u{202e}@acme.example\"}", "invalidValue"),
        ("{\"userName\":\"a@acme.example\",\"active\":\"maybe\"}", "invalidValue"),
        ("{\"userName\":\"a@acme.example\",\"displayName\":\"a\\u0000b\"}", "invalidValue"),
        ("{\"userName\":\"a@acme.example\",\"schemas\":[\"urn:x\"]}", "invalidSyntax"),
    ] {
        site.send("POST", "Users", body, &site.token).await.refused(400, word);
    }
    let long = json!({ "userName": "a@acme.example", "displayName": "x".repeat(100_000) });
    site.call("POST", "Users", &long).await.refused(400, "invalidValue");
    site.send("POST", "Users", &" ".repeat(2 << 20), &site.token).await.refused(413, "");
    assert_eq!(site.get("Users").await.expect(200)["totalResults"], 1);
    let id = site.user("b@acme.example").await;
    for bad in [
        json!({}),
        json!({ "Operations": [{ "op": "remove", "path": "userName" }] }),
        json!({ "Operations": [{ "op": "replace", "path": "title", "value": "x" }, { "op": "replace", "path": "active", "value": 7 }] }),
    ] {
        assert_eq!(site.call("PATCH", &format!("Users/{id}"), &bad).await.status, 400);
    }
    assert!(site.get(&format!("Users/{id}")).await.expect(200).get("title").is_none());
    for nowhere in ["Users/x", "Users/0", "Users/99999999999999999999", "Nothing", "Users/1/2"] {
        site.get(nowhere).await.refused(404, "");
    }
}

#[tokio::test]
async fn only_who_administers_users_is_let_in_and_only_to_their_own() {
    let site = Site::new().await;
    let plain = site.stage.person("plain@acme.example", "Plain", UserRole::User).await;
    let weak = site.issue(site.admin, Scopes::READ).await;
    let low = site.issue(plain, Scopes::ALL).await;
    for path in ["Users", "Groups", "Users/1", "Schemas"] {
        for token in [&weak, &low] {
            site.send("GET", path, "", token).await.refused(403, "");
        }
        site.send("GET", path, "", "nonsense").await.refused(401, "");
    }
    for (method, path) in [
        ("POST", "Users"),
        ("POST", "Groups"),
        ("POST", "Bulk"),
        ("PUT", "Users/1"),
        ("PATCH", "Users/1"),
        ("DELETE", "Users/1"),
    ] {
        site.send(method, path, "{}", &weak).await.refused(403, "");
    }
    let other = site.stage.outsider("o@other.example", "Other").await;
    let path = format!("Users/{other}");
    site.get(&path).await.refused(404, "");
    site.call("DELETE", &path, &Value::Null).await.refused(404, "");
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    site.call("PATCH", &path, &off).await.refused(404, "");
    // Nobody locks themselves out.
    site.call("PATCH", &format!("Users/{}", site.admin), &off).await.refused(403, "");
}

#[tokio::test]
async fn what_is_served_is_described() {
    let site = Site::new().await;
    assert_eq!(site.get("ServiceProviderConfig").await.expect(200)["bulk"]["maxOperations"], 1_000);
    for (path, ids) in
        [("ResourceTypes", ["User", "Group"]), ("Schemas", [SCHEMA, "urn:ietf:params:scim:schemas:core:2.0:Group"])]
    {
        let list = site.get(path).await.expect(200);
        assert_eq!(list["totalResults"], 2);
        for id in ids {
            assert_eq!(site.get(&format!("{path}/{id}")).await.expect(200)["id"], id);
        }
        site.get(&format!("{path}/x")).await.refused(404, "");
        site.get(&format!("{path}?filter=x")).await.refused(403, "");
    }
}
