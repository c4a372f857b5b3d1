use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserId, UserRole};
use insta::assert_json_snapshot;
use serde_json::{Value, json};

const DENIED: &str = "access_denied_insufficient_permissions";

/// Somebody else before the same router.
struct Other<'c> {
    client: &'c Client,
    user: UserId,
    authorization: String,
}

impl<'c> Other<'c> {
    async fn new(client: &'c Client, user: UserId) -> Self {
        let authorization = format!("Bearer {}", client.stage.token(user, Scopes::ALL, HOUR).await);
        Self { client, user, authorization }
    }

    async fn colleague(client: &'c Client, word: &str) -> Self {
        let user = client.stage.person(&format!("{word}@acme.example"), word, UserRole::User).await;
        Self::new(client, user).await
    }

    async fn stranger(client: &'c Client, word: &str) -> Self {
        let user = client.stage.outsider(&format!("{word}@elsewhere.example"), word).await;
        Self::new(client, user).await
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("authorization", self.authorization.as_str()), ("content-type", "application/json")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client.send(method, &format!("/box/2.0{path}"), &headers, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, Value::Null).await
    }

    async fn upload(&self, parent: &str, name: &str) -> Answer {
        let attributes = json!({"name": name, "parent": {"id": parent}}).to_string();
        let headers = [("authorization", self.authorization.as_str())];
        self.client.form("/files/content", &headers, &[("attributes", attributes.as_bytes()), ("file", b"x")]).await
    }
}

fn of(kind: &str, item: &str, to: UserId, role: &str) -> Value {
    json!({
        "item": {"type": kind, "id": item},
        "accessible_by": {"type": "user", "id": to.to_string()},
        "role": role,
    })
}

async fn give(client: &Client, folder: &str, to: &Other<'_>, role: &str) -> String {
    let given = client.post("/collaborations", of("folder", folder, to.user, role)).await.expect(201);
    given["id"].as_str().unwrap().to_owned()
}

/// The names of what a page has.
fn names(page: &Value) -> Vec<&str> {
    page["entries"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect()
}

fn ids(page: &Value) -> Vec<&str> {
    page["entries"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_role_is_given_shown_changed_and_taken_away() {
    let client = Client::new().await;
    let bob = Other::colleague(&client, "bob").await;
    let folder = client.folder("0", "shared").await;
    let given = client.post("/collaborations", of("folder", &folder, bob.user, "viewer uploader")).await;
    assert_json_snapshot!("a collaboration", given.tame());
    let id = given.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/collaborations/{id}");
    assert_eq!(client.get(&path).await.expect(200), given.value());
    assert_eq!(bob.get(&path).await.expect(200)["role"], "viewer uploader");
    let changed = client.put(&format!("{path}?fields=role,can_view_path"), json!({"role": "editor"})).await.expect(200);
    assert_eq!(changed, json!({"type": "collaboration", "id": id, "role": "editor", "can_view_path": false}));
    let all = client.get(&format!("/folders/{folder}/collaborations")).await;
    assert_json_snapshot!("collaborations of a folder", all.tame());
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "not_found");
    client.delete(&path).await.refused(404, "not_found");
    bob.get(&format!("/folders/{folder}")).await.refused(404, "not_found");

    let file = client.file("0", "file", b"x").await;
    let given = client.post("/collaborations?notify=false", of("file", &file, bob.user, "viewer")).await.expect(201);
    assert_eq!((&given["item"]["type"], &given["item"]["id"]), (&json!("file"), &json!(file)));
    let all = bob.get(&format!("/files/{file}/collaborations?fields=role")).await.expect(200);
    assert_eq!(all["entries"], json!([{"type": "collaboration", "id": given["id"], "role": "viewer"}]));
    assert_eq!(all["next_marker"], Value::Null);
}

#[tokio::test]
async fn what_cannot_be_given() {
    let client = Client::new().await;
    let bob = Other::colleague(&client, "bob").await;
    let folder = client.folder("0", "shared").await;
    let file = client.file("0", "file", b"x").await;
    let good = of("folder", &folder, bob.user, "viewer");
    let with = |member: &str, value: Value| {
        let mut body = good.clone();
        body[member] = value;
        body
    };
    let user = bob.user.to_string();
    for bad in [
        with("item", Value::Null),
        with("item", json!({"id": folder})),
        with("item", json!({"type": "folder"})),
        with("item", json!({"type": "web_link", "id": folder})),
        with("item", json!({"type": "folder", "id": "x"})),
        with("accessible_by", Value::Null),
        with("accessible_by", json!({"id": user})),
        with("accessible_by", json!({"type": "user"})),
        with("accessible_by", json!({"type": "group", "login": "bob@acme.example"})),
        with("accessible_by", json!({"type": "app", "id": user})),
        with("accessible_by", json!({"type": "user", "id": "x"})),
        with("accessible_by", json!({"type": "user", "login": "nonsense"})),
        with("role", Value::Null),
        with("role", json!("owner")),
        with("role", json!("reader")),
        with("expires_at", json!("yesterday")),
        with("expires_at", json!("2001-01-01T00:00:00Z")),
    ] {
        client.post("/collaborations", bad).await.refused(400, "bad_request");
    }
    let seen = json!({"can_view_path": true});
    let mut on_file = of("file", &file, bob.user, "viewer");
    on_file["can_view_path"] = seen["can_view_path"].clone();
    client.post("/collaborations", on_file).await.refused(400, "bad_request");
    for absent in [
        with("item", json!({"type": "file", "id": folder})),
        with("item", json!({"type": "folder", "id": file})),
        with("item", json!({"type": "folder", "id": "12"})),
        with("item", json!({"type": "file", "id": "0"})),
        with("accessible_by", json!({"type": "user", "id": "12"})),
        with("accessible_by", json!({"type": "group", "id": "12"})),
    ] {
        client.post("/collaborations", absent).await.refused(404, "not_found");
    }
    client.post("/collaborations", with("item", json!({"type": "folder", "id": "0"}))).await.refused(403, DENIED);
    client
        .post("/collaborations", of("folder", &folder, client.user, "viewer"))
        .await
        .refused(400, "user_already_collaborator");
    let id = give(&client, &folder, &bob, "viewer").await;
    let again = client.post("/collaborations", of("folder", &folder, bob.user, "editor")).await;
    assert_eq!(again.refused(400, "user_already_collaborator")["message"], "User is already a collaborator");
    let path = format!("/collaborations/{id}");
    for bad in [
        json!({"role": "owner", "status": "accepted"}),
        json!({"role": "reader"}),
        json!({"status": "maybe"}),
        json!({"expires_at": "2001-01-01T00:00:00Z"}),
    ] {
        client.put(&path, bad).await.refused(400, "bad_request");
    }
    client.put("/collaborations/x", json!({})).await.refused(405, "method_not_allowed");
    client.get("/collaborations/12").await.refused(404, "not_found");
    client.get("/collaborations").await.refused(400, "bad_request");
    client.get("/collaborations?status=accepted").await.refused(400, "bad_request");
    client.get("/collaborations?status=pending&offset=10001").await.refused(400, "invalid_offset");
    client.get(&format!("/folders/{folder}/collaborations?marker=x")).await.refused(400, "bad_request");
    client.get(&format!("/files/{folder}/collaborations")).await.refused(404, "not_found");
    client.get(&format!("/folders/{file}/collaborations")).await.refused(404, "not_found");
    client.get("/groups/12/collaborations").await.refused(404, "not_found");
}

#[tokio::test]
async fn what_each_role_may_do() {
    let client = Client::new().await;
    // download, upload, make a folder, rename, invite, change a role, remove
    let expected = [
        ("uploader", [403, 201, 201, 403, 403, 403, 403]),
        ("previewer", [403, 403, 403, 403, 403, 403, 403]),
        ("viewer", [302, 403, 403, 403, 403, 403, 403]),
        ("previewer uploader", [403, 201, 201, 403, 403, 403, 403]),
        ("viewer uploader", [302, 201, 201, 403, 403, 403, 403]),
        ("editor", [302, 201, 201, 200, 201, 403, 204]),
        ("co-owner", [302, 201, 201, 200, 201, 200, 204]),
    ];
    let carol = Other::colleague(&client, "carol").await;
    for (role, wanted) in expected {
        let word = role.replace(' ', "-");
        let bob = Other::colleague(&client, &word).await;
        let dan = Other::colleague(&client, &format!("{word}2")).await;
        let folder = client.folder("0", role).await;
        let file = client.file(&folder, "file", b"x").await;
        give(&client, &folder, &bob, role).await;
        let others = give(&client, &folder, &dan, "viewer").await;
        let got = [
            bob.get(&format!("/files/{file}/content")).await,
            bob.upload(&folder, "new").await,
            bob.ask("POST", "/folders", json!({"name": "below", "parent": {"id": folder}})).await,
            bob.ask("PUT", &format!("/files/{file}"), json!({"name": "renamed"})).await,
            bob.ask("POST", "/collaborations", of("folder", &folder, carol.user, "viewer")).await,
            bob.ask("PUT", &format!("/collaborations/{others}"), json!({"role": "previewer"})).await,
            bob.ask("DELETE", &format!("/files/{file}"), Value::Null).await,
        ];
        assert_eq!(got.map(|answer| answer.status.as_u16()), wanted, "{role}");
        let seen = bob.get(&format!("/folders/{folder}?fields=permissions,owned_by,allowed_invitee_roles")).await;
        assert_json_snapshot!(format!("a folder with the role {role}"), seen.tame());
        // A co-owner may be made by whoever manages the folder only.
        let made = bob.ask("POST", "/collaborations", of("folder", &folder, client.user, "co-owner")).await;
        assert_eq!(made.status.as_u16(), if role == "co-owner" { 400 } else { 403 }, "{role}");
    }
}

#[tokio::test]
async fn what_is_shared_begins_at_all_files_and_stands_in_order() {
    let client = Client::new().await;
    let bob = Other::colleague(&client, "bob").await;
    let above = client.folder("0", "secret").await;
    let shared = client.folder(&above, "m shared").await;
    let below = client.folder(&shared, "below").await;
    let file = client.file("0", "f shared", b"x").await;
    for own in ["a own", "n own"] {
        bob.ask("POST", "/folders", json!({"name": own, "parent": {"id": "0"}})).await.expect(201);
    }
    bob.upload("0", "e own").await.expect(201);
    give(&client, &shared, &bob, "viewer").await;
    client.post("/collaborations", of("file", &file, bob.user, "viewer")).await.expect(201);

    let whole = bob.get("/folders/0/items?fields=name,parent,path_collection,owned_by").await.expect(200);
    assert_eq!(names(&whole), ["a own", "m shared", "n own", "e own", "f shared"]);
    assert_eq!(whole["total_count"], 5);
    for entry in whole["entries"].as_array().unwrap() {
        assert_eq!((&entry["parent"]["id"], &entry["path_collection"]["total_count"]), (&json!("0"), &json!(1)));
        let owner = if entry["name"].as_str().unwrap().ends_with("own") { bob.user } else { client.user };
        assert_eq!(entry["owned_by"]["id"], owner.to_string());
    }
    let (mut paged, mut query) = (Vec::new(), "usemarker=true&limit=2".to_owned());
    loop {
        let page = bob.get(&format!("/folders/0/items?{query}")).await.expect(200);
        paged.extend(names(&page).into_iter().map(str::to_owned));
        let Some(marker) = page["next_marker"].as_str() else { break };
        query = format!("usemarker=true&limit=2&marker={marker}");
    }
    assert_eq!(paged, names(&whole));
    let mut paged = Vec::new();
    for offset in [0, 2, 4, 6] {
        let page = bob.get(&format!("/folders/0/items?limit=2&offset={offset}")).await.expect(200);
        paged.extend(names(&page).into_iter().map(str::to_owned));
    }
    assert_eq!(paged, names(&whole));
    let root = bob.get("/folders/0?fields=item_collection,permissions").await.expect(200);
    assert_eq!(names(&root["item_collection"]), names(&whole));
    assert_eq!((&root["permissions"]["can_upload"], &root["permissions"]["can_share"]), (&json!(true), &json!(false)));

    let seen = bob.get(&format!("/folders/{below}")).await.expect(200);
    assert_eq!(names(&seen["path_collection"]), ["All Files", "m shared"]);
    assert_eq!(ids(&seen["path_collection"]), ["0", shared.as_str()]);
    assert_eq!(seen["parent"]["id"], shared);
    bob.get(&format!("/folders/{above}")).await.refused(404, "not_found");
    // Its owner sees all of the way.
    let seen = client.get(&format!("/folders/{below}?fields=path_collection")).await.expect(200);
    assert_eq!(names(&seen["path_collection"]), ["All Files", "secret", "m shared"]);
    assert_eq!(names(&client.get("/folders/0/items").await.expect(200)), ["secret", "f shared"]);
}

#[tokio::test]
async fn a_path_is_shown_to_whom_it_may_be_and_a_listing_has_several() {
    let client = Client::new().await;
    let bob = Other::colleague(&client, "bob").await;
    let above = client.folder("0", "above").await;
    let (shown, hidden) = (client.folder(&above, "b shown").await, client.folder("0", "c hidden").await);
    bob.ask("POST", "/folders", json!({"name": "a own", "parent": {"id": "0"}})).await.expect(201);
    let mut given = of("folder", &shown, bob.user, "viewer");
    given["can_view_path"] = true.into();
    client.post("/collaborations", given).await.expect(201);
    let mut given = of("folder", &hidden, bob.user, "viewer");
    given["is_access_only"] = true.into();
    assert_eq!(client.post("/collaborations", given).await.expect(201)["is_access_only"], true);
    let items = bob.get("/folders/0/items?fields=name,path_collection").await.expect(200);
    assert_eq!(names(&items), ["a own", "b shown"]);
    let paths: Vec<_> =
        items["entries"].as_array().unwrap().iter().map(|item| names(&item["path_collection"])).collect();
    assert_eq!(paths, [vec!["All Files"], vec!["All Files", "above"]]);
    bob.get(&format!("/folders/{above}")).await.refused(404, "not_found");
    bob.get(&format!("/folders/{hidden}")).await.expect(200);
}

#[tokio::test]
async fn who_comes_from_outside_is_asked_first() {
    let client = Client::new().await;
    let (eve, mallory) = (Other::stranger(&client, "eve").await, Other::stranger(&client, "mallory").await);
    let folder = client.folder("0", "shared").await;
    let given = client
        .post(
            "/collaborations",
            json!({
                "item": {"type": "folder", "id": folder},
                "accessible_by": {"type": "user", "login": "Eve@Elsewhere.example"},
                "role": "editor",
            }),
        )
        .await;
    assert_json_snapshot!("a pending collaboration", given.tame());
    let id = given.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/collaborations/{id}");
    eve.get(&format!("/folders/{folder}")).await.refused(404, "not_found");
    let pending = eve.get("/collaborations?status=pending").await;
    assert_json_snapshot!("pending collaborations", pending.tame());
    assert_eq!(mallory.get("/collaborations?status=pending").await.expect(200)["entries"], json!([]));
    assert_eq!(client.get("/collaborations?status=pending").await.expect(200)["total_count"], 0);
    // Nobody says yes for somebody else, and what one may not know of is not there.
    client.put(&path, json!({"status": "accepted"})).await.refused(403, DENIED);
    mallory.ask("PUT", &path, json!({"status": "accepted"})).await.refused(404, "not_found");
    eve.ask("PUT", &path, json!({"role": "co-owner"})).await.refused(404, "not_found");
    let accepted = eve.ask("PUT", &path, json!({"status": "accepted"})).await.expect(200);
    assert_eq!((&accepted["status"], &accepted["item"]["id"]), (&json!("accepted"), &json!(folder)));
    assert_eq!(accepted["accessible_by"]["name"], "eve");
    assert!(accepted["acknowledged_at"].is_string());
    eve.ask("PUT", &path, json!({"status": "rejected"})).await.refused(400, "bad_request");
    eve.upload(&folder, "new").await.expect(201);
    assert_eq!(eve.get("/collaborations?status=pending").await.expect(200)["total_count"], 0);
    // Whoever has a role may leave.
    eve.ask("DELETE", &path, Value::Null).await.expect(204);
    eve.get(&format!("/folders/{folder}")).await.refused(404, "not_found");

    // By an id nobody finds who is outside.
    client.post("/collaborations", of("folder", &folder, mallory.user, "viewer")).await.refused(404, "not_found");
    let mut invitation = of("folder", &folder, mallory.user, "viewer");
    invitation["accessible_by"] = json!({"type": "user", "login": "mallory@elsewhere.example"});
    let id = client.post("/collaborations", invitation).await.expect(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/collaborations/{id}");
    let rejected = mallory.ask("PUT", &path, json!({"status": "rejected"})).await.expect(200);
    assert_eq!((&rejected["status"], &rejected["item"]), (&json!("rejected"), &Value::Null));
    mallory.get(&format!("/folders/{folder}")).await.refused(404, "not_found");
    assert_eq!(client.get(&path).await.expect(200)["status"], "rejected");
}

#[tokio::test]
async fn who_is_no_user_yet_is_invited_by_address() {
    let client = Client::new().await;
    let folder = client.folder("0", "shared").await;
    let invitation = json!({
        "item": {"type": "folder", "id": folder},
        "accessible_by": {"type": "user", "login": "Nobody@Elsewhere.example"},
        "role": "viewer",
        "expires_at": "2100-01-01T00:00:00Z",
    });
    let given = client.post("/collaborations", invitation.clone()).await;
    assert_json_snapshot!("an invited address", given.tame());
    client.post("/collaborations", invitation).await.refused(400, "user_already_collaborator");
    let id = given.expect(201)["id"].as_str().unwrap().to_owned();
    // It need not end.
    let path = format!("/collaborations/{id}");
    assert_eq!(
        client.put(&path, json!({"role": "editor"})).await.expect(200)["expires_at"],
        "2100-01-01T00:00:00+00:00"
    );
    assert_eq!(client.put(&path, json!({"expires_at": null})).await.expect(200)["expires_at"], Value::Null);
    let only = json!({"is_collaboration_restricted_to_enterprise": true});
    client.put(&format!("/folders/{folder}"), only).await.expect(200);
    let other = json!({
        "item": {"type": "folder", "id": folder},
        "accessible_by": {"type": "user", "login": "other@elsewhere.example"},
        "role": "viewer",
    });
    client.post("/collaborations", other).await.refused(403, DENIED);
}

#[tokio::test]
async fn a_group_has_a_role_for_all_its_members() {
    let client = Client::new().await;
    let (bob, carol) = (Other::colleague(&client, "bob").await, Other::colleague(&client, "carol").await);
    let group = client.stage.group("Clerks", &[bob.user]).await;
    let mut given = Vec::new();
    for name in ["one", "two", "three"] {
        let folder = client.folder("0", name).await;
        let new = json!({
            "item": {"type": "folder", "id": folder},
            "accessible_by": {"type": "group", "id": group.to_string()},
            "role": "viewer",
        });
        let made = client.post("/collaborations", new.clone()).await.expect(201);
        client.post("/collaborations", new).await.refused(400, "user_already_collaborator");
        given.push(made["id"].as_str().unwrap().to_owned());
        bob.get(&format!("/folders/{folder}")).await.expect(200);
        carol.get(&format!("/folders/{folder}")).await.refused(404, "not_found");
    }
    let path = format!("/groups/{group}/collaborations");
    let page = client.get(&format!("{path}?limit=2")).await;
    assert_json_snapshot!("collaborations of a group", page.tame());
    let rest = client.get(&format!("{path}?limit=2&offset=2")).await.expect(200);
    assert_eq!([ids(&page.value()), ids(&rest)].concat(), given);
    assert_eq!((&rest["total_count"], &rest["offset"]), (&json!(3), &json!(2)));
    assert_eq!(bob.get(&path).await.expect(200)["total_count"], 3);
    carol.get(&path).await.refused(404, "not_found");
    Other::stranger(&client, "eve").await.get(&path).await.refused(404, "not_found");
    // A member takes nothing from the group.
    bob.ask("DELETE", &format!("/collaborations/{}", given[0]), Value::Null).await.refused(403, DENIED);
}

#[tokio::test]
async fn pages_of_an_items_collaborations() {
    let client = Client::new().await;
    let folder = client.folder("0", "shared").await;
    let mut given = Vec::new();
    for number in 0..5 {
        given.push(give(&client, &folder, &Other::colleague(&client, &format!("u{number}")).await, "viewer").await);
    }
    let path = format!("/folders/{folder}/collaborations");
    let (mut paged, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = client.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(page["limit"], 2);
        paged.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(marker) = page["next_marker"].as_str() else { break };
        query = format!("limit=2&marker={marker}");
    }
    assert_eq!(paged, given);
    assert_eq!(client.get(&format!("{path}?limit=5000")).await.expect(200)["limit"], 1000);
    assert_eq!(client.get("/folders/0/collaborations").await.expect(200)["entries"], json!([]));
}

#[tokio::test]
async fn a_folder_says_what_collaborators_may_do() {
    let client = Client::new().await;
    let (bob, carol) = (Other::colleague(&client, "bob").await, Other::colleague(&client, "carol").await);
    let folder = client.folder("0", "shared").await;
    let path = format!("/folders/{folder}");
    let said = "fields=has_collaborations,can_non_owners_invite,can_non_owners_view_collaborators,\
                is_collaboration_restricted_to_enterprise,is_externally_owned";
    assert_json_snapshot!("settings of a new folder", client.get(&format!("{path}?{said}")).await.tame());
    let of_bob = give(&client, &folder, &bob, "editor").await;
    let of_carol = give(&client, &folder, &carol, "co-owner").await;
    let invites = json!({"can_non_owners_invite": false});
    bob.ask("PUT", &path, invites.clone()).await.refused(403, DENIED);
    Other::stranger(&client, "eve").await.ask("PUT", &path, invites.clone()).await.refused(404, "not_found");
    // Those who do not see each other cannot invite either.
    client.put(&path, json!({"can_non_owners_view_collaborators": false})).await.refused(400, "bad_request");
    let changed = carol.ask("PUT", &path, invites).await.expect(200);
    assert_eq!(changed["etag"], "1");
    let both = json!({"can_non_owners_view_collaborators": false, "name": "renamed"});
    let changed = client.put(&format!("{path}?{said},name"), both).await;
    assert_json_snapshot!("changed settings of a folder", changed.tame());
    let (url, stale) = (format!("/box/2.0{path}"), [("if-match", "0")]);
    let stale = client.send("PUT", &url, &stale, r#"{"can_non_owners_invite":true}"#).await;
    stale.refused(412, "precondition_failed");

    let eve = Other::colleague(&client, "eve").await;
    let invitation = of("folder", &folder, eve.user, "viewer");
    bob.ask("POST", "/collaborations", invitation.clone()).await.refused(403, DENIED);
    let seen = bob.get(&format!("{path}?fields=permissions,allowed_invitee_roles")).await.expect(200);
    assert_eq!(seen["permissions"]["can_invite_collaborator"], false);
    assert_eq!(seen["allowed_invitee_roles"], json!([]));
    let items = bob.get("/folders/0/items?fields=permissions,has_collaborations").await.expect(200);
    assert_eq!(items["entries"][0]["permissions"], seen["permissions"]);
    assert_eq!(items["entries"][0]["has_collaborations"], true);
    carol.ask("POST", "/collaborations", invitation).await.expect(201);
    // Bob sees himself alone.
    assert_eq!(ids(&bob.get(&format!("{path}/collaborations")).await.expect(200)), [of_bob.as_str()]);
    assert_eq!(carol.get(&format!("{path}/collaborations")).await.expect(200)["entries"].as_array().unwrap().len(), 3);
    bob.get(&format!("/collaborations/{of_carol}")).await.refused(404, "not_found");
    bob.get(&format!("/collaborations/{of_bob}")).await.expect(200);
}

#[tokio::test]
async fn a_listing_says_of_each_item_how_it_is_shared() {
    let client = Client::new().await;
    let bob = Other::colleague(&client, "bob").await;
    let mut expected = Vec::new();
    for number in 10..30 {
        let folder = client.folder("0", &number.to_string()).await;
        if number % 3 == 0 {
            give(&client, &folder, &bob, "viewer").await;
        }
        if number % 4 == 0 {
            client.put(&format!("/folders/{folder}"), json!({"can_non_owners_invite": false})).await.expect(200);
        }
        expected.push((number % 3 == 0, number % 4 != 0));
    }
    let items = client.get("/folders/0/items?fields=has_collaborations,can_non_owners_invite").await.expect(200);
    let said = |entry: &Value| {
        (entry["has_collaborations"].as_bool().unwrap(), entry["can_non_owners_invite"].as_bool().unwrap())
    };
    let found: Vec<_> = items["entries"].as_array().unwrap().iter().map(said).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_stranger_is_told_nothing() {
    let client = Client::new().await;
    let (bob, carol) = (Other::colleague(&client, "bob").await, Other::colleague(&client, "carol").await);
    let folder = client.folder("0", "shared").await;
    let file = client.file(&folder, "file", b"x").await;
    let of_folder = give(&client, &folder, &bob, "viewer").await;
    let given = client.post("/collaborations", of("file", &file, bob.user, "viewer")).await.expect(201);
    let of_file = given["id"].as_str().unwrap();
    let group = client.stage.group("Clerks", &[bob.user]).await;
    let eve = Other::stranger(&client, "eve").await;
    // The same words as of what is not there, for each operation.
    let words = |answer: Answer| {
        let mut body = answer.refused(404, "not_found");
        body["request_id"] = Value::Null;
        body
    };
    for stranger in [&carol, &eve] {
        let mut asked = vec![
            ("GET", format!("/folders/{folder}/collaborations"), "/folders/12/collaborations".to_owned(), Value::Null),
            ("GET", format!("/files/{file}/collaborations"), "/files/12/collaborations".to_owned(), Value::Null),
            ("GET", format!("/groups/{group}/collaborations"), "/groups/12/collaborations".to_owned(), Value::Null),
        ];
        for id in [&*of_folder, of_file] {
            for (method, body) in [
                ("GET", Value::Null),
                ("PUT", json!({"role": "editor"})),
                ("PUT", json!({"status": "accepted"})),
                ("DELETE", Value::Null),
            ] {
                asked.push((method, format!("/collaborations/{id}"), "/collaborations/12".to_owned(), body));
            }
        }
        for (method, there, absent, body) in asked {
            let found = words(stranger.ask(method, &there, body.clone()).await);
            assert_eq!(found, words(stranger.ask(method, &absent, body).await), "{method} {there}");
        }
        for (kind, item) in [("folder", &folder), ("file", &file)] {
            let found = words(stranger.ask("POST", "/collaborations", of(kind, item, stranger.user, "viewer")).await);
            let absent = stranger.ask("POST", "/collaborations", of(kind, "12", stranger.user, "viewer")).await;
            assert_eq!(found, words(absent));
        }
        assert_eq!(stranger.get("/collaborations?status=pending").await.expect(200)["total_count"], 0);
        assert_eq!(stranger.get("/folders/0/items").await.expect(200)["total_count"], 0);
    }
    // Somebody with a credential that may only read changes nothing.
    let reader = format!("Bearer {}", client.stage.token(client.user, Scopes::READ, HOUR).await);
    let headers = [("authorization", reader.as_str())];
    let path = format!("/box/2.0/collaborations/{of_folder}");
    client.send("DELETE", &path, &headers, "").await.refused(403, DENIED);
    client.send("GET", &path, &headers, "").await.expect(200);
}

#[tokio::test]
async fn a_collaborator_becomes_the_owner() {
    let client = Client::new().await;
    let folder = client.folder("0", "given").await;
    let file = client.file(&folder, "file", b"12345").await;
    let bob = Other::colleague(&client, "bob").await;
    let eve = Other::stranger(&client, "eve").await;
    let id = give(&client, &folder, &bob, "viewer").await;
    let path = format!("/collaborations/{id}");
    let owner = json!({"role": "owner"});
    bob.ask("PUT", &path, owner.clone()).await.refused(403, DENIED);
    eve.ask("PUT", &path, owner.clone()).await.refused(404, "not_found");
    client.put(&path, owner.clone()).await.expect(204);
    client.put(&path, owner).await.refused(404, "not_found");
    let seen = bob.get(&format!("/files/{file}?fields=owned_by,path_collection")).await.expect(200);
    assert_eq!(seen["owned_by"]["id"], bob.user.to_string());
    assert_eq!(seen["path_collection"]["total_count"], 2);
    let mine = client.get(&format!("/folders/{folder}?fields=permissions,owned_by")).await.expect(200);
    assert_eq!((&mine["permissions"]["can_delete"], &mine["owned_by"]["id"]), (&json!(true), &seen["owned_by"]["id"]));
}

#[tokio::test]
async fn what_is_moved_to_somebody_elses_folder_is_theirs() {
    let client = Client::new().await;
    let bob = Other::colleague(&client, "bob").await;
    let made = bob.ask("POST", "/folders", json!({"name": "bob's", "parent": {"id": "0"}})).await.expect(201);
    let folder = made["id"].as_str().unwrap().to_owned();
    let file = client.file("0", "mine", b"12345").await;
    let into = json!({"parent": {"id": folder}});
    client.put(&format!("/files/{file}"), into.clone()).await.refused(404, "not_found");
    let role = |role| of("folder", &folder, client.user, role);
    let given = bob.ask("POST", "/collaborations", role("viewer")).await.expect(201);
    client.put(&format!("/files/{file}"), into.clone()).await.refused(403, DENIED);
    let path = format!("/collaborations/{}", given["id"].as_str().unwrap());
    bob.ask("PUT", &path, json!({"role": "editor"})).await.expect(200);
    let moved = client.put(&format!("/files/{file}"), into.clone()).await.expect(200);
    assert_eq!((&moved["owned_by"]["id"], &moved["parent"]["id"]), (&json!(bob.user.to_string()), &json!(folder)));
    let inner = client.folder("0", "inner").await;
    let settings = json!({"parent": {"id": folder}, "can_non_owners_invite": false});
    client.put(&format!("/folders/{inner}"), settings).await.refused(400, "bad_request");
    client.put(&format!("/folders/{inner}"), into).await.expect(200);
    assert_eq!(bob.get(&format!("/folders/{folder}/items")).await.expect(200)["total_count"], 2);
}
