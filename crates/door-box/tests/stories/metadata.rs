//! Metadata: templates, instances, classifications, cards.

use crate::harness::Client;
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

const CLASSIFICATIONS: &str = "securityClassification-6VMVochwUWo";

impl Client {
    pub async fn patch(&self, path: &str, body: Value) -> crate::harness::Answer {
        self.json("PATCH", path, body).await
    }

    /// The administrator's enterprise, as a scope.
    pub async fn scope(&self) -> String {
        let made =
            self.post("/metadata_templates/schema", json!({"scope": "enterprise", "displayName": "Scope"})).await;
        made.expect(201)["scope"].as_str().unwrap().to_owned()
    }

    /// A template with a field of each kind.
    pub async fn contracts(&self) -> Value {
        let field = |kind: &str, key: &str| json!({"type": kind, "key": key, "displayName": key});
        let options = |kind: &str, key: &str, options: &[&str]| {
            let options: Vec<_> = options.iter().map(|key| json!({"key": key})).collect();
            json!({"type": kind, "key": key, "displayName": key, "options": options})
        };
        let made = self.post(
            "/metadata_templates/schema",
            json!({"scope": "enterprise", "templateKey": "contract", "displayName": "Contract", "fields": [
                field("string", "name"), field("float", "amount"), field("date", "signed"),
                field("integer", "pages"), options("enum", "state", &["draft", "signed"]),
                options("multiSelect", "regions", &["north", "south", "east"]),
            ]}),
        );
        made.await.expect(201)
    }

    pub async fn stranger(&self) -> String {
        let other = self.stage.person("eve@acme.example", "Eve", UserRole::User).await;
        self.stage.token(other, Scopes::ALL, std::time::Duration::from_secs(3_600)).await.to_string()
    }
}

#[tokio::test]
async fn a_template_is_made_found_changed_and_removed() {
    let client = Client::new().await;
    let made = client.contracts().await;
    assert_eq!((&made["type"], &made["templateKey"]), (&json!("metadata_template"), &json!("contract")));
    assert_eq!(made["fields"][4]["options"][1]["key"], "signed");
    let id = made["id"].as_str().unwrap();
    assert_eq!(client.get("/metadata_templates/enterprise/contract/schema").await.expect(200), made);
    assert_eq!(client.get(&format!("/metadata_templates/{id}")).await.expect(200), made);
    assert_eq!(client.get("/metadata_templates/enterprise").await.expect(200)["entries"], json!([made]));
    let global = client.get("/metadata_templates/global?limit=1").await.expect(200);
    assert_eq!(global["entries"][0]["templateKey"], "properties");
    let next = global["next_marker"].as_str().unwrap();
    let rest = client.get(&format!("/metadata_templates/global?marker={next}")).await.expect(200);
    assert_eq!((&rest["entries"][0]["templateKey"], &rest["next_marker"]), (&json!("boxSkillsCards"), &Value::Null));

    let path = "/metadata_templates/enterprise/contract/schema";
    let edits = json!([
        {"op": "editTemplate", "data": {"displayName": "Contracts"}},
        {"op": "addField", "data": {"type": "string", "key": "note", "displayName": "Note"}},
        {"op": "addEnumOption", "fieldKey": "state", "data": {"key": "void"}},
        {"op": "editEnumOption", "fieldKey": "state", "enumOptionKey": "void", "data": {"key": "lapsed"}},
        {"op": "reorderEnumOptions", "fieldKey": "state", "enumOptionKeys": ["lapsed", "signed", "draft"]},
        {"op": "removeMultiSelectOption", "fieldKey": "regions", "multiSelectOptionKey": "east"},
        {"op": "editField", "fieldKey": "note", "data": {"key": "remark", "description": "For us"}},
        {"op": "removeField", "fieldKey": "pages"},
    ]);
    let changed = client.put(path, edits).await.expect(200);
    assert_eq!(changed["displayName"], "Contracts");
    let keys: Vec<_> =
        changed["fields"].as_array().unwrap().iter().map(|field| field["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["name", "amount", "signed", "state", "regions", "remark"]);
    assert_eq!(changed["fields"][3]["options"][0]["key"], "lapsed");

    let edits = json!([{"op": "removeField", "fieldKey": "remark"}, {"op": "removeField", "fieldKey": "none"}]);
    let refused = client.put(path, edits).await.refused(400, "bad_request");
    assert!(refused["message"].as_str().unwrap().contains("operation 1"), "{refused}");
    assert_eq!(client.get(path).await.expect(200), changed);
    for bad in
        [json!([{"op": "explode"}]), json!({"op": "addField"}), json!([{}]), json!([{"op": "addField", "data": 1}])]
    {
        client.put(path, bad).await.expect(400);
    }
    client.delete(path).await.expect(204);
    client.get(path).await.refused(404, "instance_tuple_not_found");
    assert_eq!(client.get("/metadata_templates/enterprise").await.expect(200)["entries"], json!([]));
}

#[tokio::test]
async fn templates_are_checked() {
    let client = Client::new().await;
    let path = "/metadata_templates/schema";
    let field = |field: Value| json!({"scope": "enterprise", "displayName": "T", "fields": [field]});
    for bad in [
        json!({}),
        json!({"scope": "enterprise"}),
        json!({"scope": "user", "displayName": "T"}),
        json!({"scope": "enterprise", "displayName": ""}),
        json!({"scope": "enterprise", "displayName": "T", "templateKey": "9 a"}),
        field(json!({"type": "blob", "key": "a", "displayName": "A"})),
        field(json!({"type": "string", "key": "a"})),
        field(json!({"type": "string", "key": "$a", "displayName": "A"})),
        field(json!({"type": "string", "key": "a", "displayName": "A", "options": [{"key": "x"}]})),
        field(json!({"type": "enum", "key": "a", "displayName": "A", "options": [{"key": "x"}, {"key": "x"}]})),
        field(json!({"type": "taxonomy", "key": "a", "displayName": "A", "taxonomyKey": "none"})),
        json!([]),
    ] {
        client.post(path, bad.clone()).await.refused(400, "bad_request");
    }
    let twice = r#"{"scope": "enterprise", "displayName": "A", "displayName": "B"}"#;
    client.send("POST", "/box/2.0/metadata_templates/schema", &[], twice).await.refused(400, "bad_request");
    let deep = format!(r#"{{"scope": {}1{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    client.send("POST", "/box/2.0/metadata_templates/schema", &[], deep).await.refused(400, "bad_request");
    let foreign = json!({"scope": "enterprise_1", "displayName": "T"});
    client.post(path, foreign).await.refused(403, "access_denied_insufficient_permissions");
    client.post(path, json!({"scope": "global", "displayName": "T"})).await.expect(403);
    client.contracts().await;
    let again = json!({"scope": "enterprise", "templateKey": "contract", "displayName": "Other"});
    client.post(path, again).await.refused(409, "tuple_already_exists");
    client.get("/metadata_templates/enterprise_1/contract/schema").await.refused(404, "instance_tuple_not_found");
    client.get("/metadata_templates/global/contract/schema").await.refused(404, "instance_tuple_not_found");
    client.get("/metadata_templates/other/contract/schema").await.refused(400, "bad_request");
    client.get("/metadata_templates/enterprise/a%00b/schema").await.expect(404);

    let token = format!("Bearer {}", client.stranger().await);
    let plain = [("authorization", token.as_str())];
    let body = json!({"scope": "enterprise", "displayName": "T"}).to_string();
    client.send("POST", "/box/2.0/metadata_templates/schema", &plain, body).await.expect(403);
    client.send("GET", "/box/2.0/metadata_templates/enterprise/contract/schema", &plain, "").await.expect(200);
    let path = "/box/2.0/metadata_templates/enterprise/contract/schema";
    client.send("PUT", path, &plain, "[]").await.expect(403);
    client.send("DELETE", path, &plain, "").await.expect(403);
}

#[tokio::test]
async fn metadata_is_said_of_files_and_folders() {
    let client = Client::new().await;
    client.contracts().await;
    let (file, folder) = (client.file("0", "a.txt", b"a").await, client.folder("0", "f").await);
    for (kind, item) in [("file", file), ("folder", folder)] {
        let path = format!("/{kind}s/{item}/metadata/enterprise/contract");
        client.get(&path).await.refused(404, "instance_not_found");
        let values = json!({"name": "Box", "amount": 1.5, "signed": "2026-01-02T03:04:05Z", "pages": 7, "state": "draft",
            "regions": ["south", "north"]});
        let made = client.post(&path, values.clone()).await.expect(201);
        for (key, value) in values.as_object().unwrap() {
            assert_eq!(&made[key], value, "{key}");
        }
        assert_eq!((&made["$version"], &made["$canEdit"]), (&json!(0), &json!(true)));
        assert_eq!(made["$parent"], format!("{kind}_{item}"));
        assert_eq!(client.get(&path).await.expect(200), made);
        let all = client.get(&format!("/{kind}s/{item}/metadata")).await.expect(200);
        assert_eq!(all["entries"], json!([made]));
        client.post(&path, values).await.refused(409, "tuple_already_exists");
        let id = made["$id"].as_str().unwrap();
        let found = client.get(&format!("/metadata_templates?metadata_instance_id={id}")).await.expect(200);
        assert_eq!(found["entries"][0]["templateKey"], "contract");

        let patch = json!([
            {"op": "test", "path": "/name", "value": "Box"},
            {"op": "replace", "path": "/name", "value": "Other"},
            {"op": "remove", "path": "/pages"},
            {"op": "add", "path": "/regions/-", "value": "east"},
        ]);
        let changed = client.put(&path, patch).await.expect(200);
        assert_eq!((&changed["name"], &changed["$version"]), (&json!("Other"), &json!(1)));
        assert_eq!((&changed["regions"], changed.get("pages")), (&json!(["south", "north", "east"]), None));
        let failing = json!([
            {"op": "replace", "path": "/name", "value": "Third"},
            {"op": "test", "path": "/state", "value": "signed"},
        ]);
        let refused = client.put(&path, failing).await.refused(400, "bad_request");
        assert!(refused["message"].as_str().unwrap().contains("operation 1"), "{refused}");
        let wrong = json!([{"op": "replace", "path": "/state", "value": "perhaps"}]);
        client.put(&path, wrong).await.refused(400, "schema_validation_failed");
        for bad in
            [json!({}), json!([1]), json!([{"op": "add"}]), json!([{"op": "add", "path": "/$version", "value": 1}])]
        {
            client.put(&path, bad).await.expect(400);
        }
        assert_eq!(client.get(&path).await.expect(200), changed);
        client.delete(&path).await.expect(204);
        client.get(&path).await.refused(404, "instance_not_found");
        client.delete(&path).await.refused(404, "instance_not_found");
    }
}

#[tokio::test]
async fn values_fit_their_template() {
    let client = Client::new().await;
    client.contracts().await;
    let file = client.file("0", "a.txt", b"a").await;
    let path = format!("/files/{file}/metadata/enterprise/contract");
    for bad in [
        json!({"other": 1}),
        json!({"name": 1}),
        json!({"name": null}),
        json!({"name": "x".repeat(10_001)}),
        json!({"name": "a\u{0}b"}),
        json!({"amount": "1"}),
        json!({"pages": 1.5}),
        json!({"signed": "yesterday"}),
        json!({"signed": 5}),
        json!({"state": "other"}),
        json!({"state": ["draft"]}),
        json!({"regions": "north"}),
        json!({"regions": ["north", "north"]}),
        json!({"regions": ["west"]}),
        json!({"$id": "x"}),
    ] {
        client.post(&path, bad.clone()).await.refused(400, "schema_validation_failed");
    }
    client.post(&path, json!([])).await.refused(400, "bad_request");
    let twice = r#"{"name": "a", "name": "b"}"#;
    client.send("POST", &format!("/box/2.0{path}"), &[], twice).await.refused(400, "bad_request");
    client
        .post(&format!("/files/{file}/metadata/enterprise/none"), json!({}))
        .await
        .refused(404, "instance_tuple_not_found");
    client.post(&format!("/files/{file}/metadata/enterprise_1/contract"), json!({})).await.expect(404);
    client.post(&format!("/files/{file}/metadata/user/contract"), json!({})).await.refused(400, "bad_request");

    let free = format!("/files/{file}/metadata/global/properties");
    let made = client.post(&free, json!({"any key": "any text", "a/b": "~"})).await.expect(201);
    assert_eq!((&made["any key"], &made["$scope"]), (&json!("any text"), &json!("global")));
    let changed = client.put(&free, json!([{"op": "move", "from": "/a~1b", "path": "/c"}])).await.expect(200);
    assert_eq!((&changed["c"], changed.get("a/b")), (&json!("~"), None));
    client.put(&free, json!([{"op": "add", "path": "/n", "value": 1}])).await.refused(400, "schema_validation_failed");
    client.put(&free, json!([{"op": "add", "path": "/~2", "value": "x"}])).await.refused(400, "bad_request");
    let large: serde_json::Map<_, _> = (0..10).map(|number| (number.to_string(), json!("x".repeat(9_000)))).collect();
    client.delete(&free).await.expect(204);
    client.post(&free, Value::Object(large)).await.refused(400, "schema_validation_failed");
}

#[tokio::test]
async fn changes_of_a_template_reach_what_was_said_by_it() {
    let client = Client::new().await;
    client.contracts().await;
    let file = client.file("0", "a.txt", b"a").await;
    let (path, schema) =
        (format!("/files/{file}/metadata/enterprise/contract"), "/metadata_templates/enterprise/contract/schema");
    let values = json!({"name": "Box", "pages": 3, "state": "draft", "regions": ["north", "south"]});
    client.post(&path, values).await.expect(201);
    let edits = json!([
        {"op": "editField", "fieldKey": "name", "data": {"key": "title"}},
        {"op": "removeField", "fieldKey": "pages"},
        {"op": "editEnumOption", "fieldKey": "state", "enumOptionKey": "draft", "data": {"key": "begun"}},
        {"op": "removeMultiSelectOption", "fieldKey": "regions", "multiSelectOptionKey": "north"},
    ]);
    client.put(schema, edits).await.expect(200);
    let found = client.get(&path).await.expect(200);
    assert_eq!(
        (&found["title"], &found["state"], &found["regions"]),
        (&json!("Box"), &json!("begun"), &json!(["south"]))
    );
    assert_eq!((found.get("name"), found.get("pages")), (None, None));
    // A new field of the old key is another field.
    let add = json!([{"op": "addField", "data": {"type": "integer", "key": "pages", "displayName": "Pages"}}]);
    client.put(schema, add).await.expect(200);
    assert_eq!(client.get(&path).await.expect(200).get("pages"), None);

    client.delete(schema).await.expect(204);
    client.get(&path).await.refused(404, "instance_not_found");
    assert_eq!(client.get(&format!("/files/{file}/metadata")).await.expect(200)["entries"], json!([]));
    while client.stage.tree.tend_metadata().await.unwrap() {}
    client.contracts().await;
    client.get(&path).await.refused(404, "instance_not_found");
}

#[tokio::test]
async fn a_stranger_learns_nothing() {
    let client = Client::new().await;
    client.contracts().await;
    let (file, folder) = (client.file("0", "a.txt", b"a").await, client.folder("0", "f").await);
    let token = format!("Bearer {}", client.stranger().await);
    let headers = [("authorization", token.as_str())];
    let mut policies = Vec::new();
    let id = {
        let path = format!("/folders/{folder}/metadata/enterprise/contract");
        let made = client.post(&path, json!({"name": "x"})).await.expect(201);
        client.post(&format!("/files/{file}/metadata/enterprise/contract"), json!({"name": "x"})).await.expect(201);
        let body = json!({"folder_id": folder, "scope": "enterprise", "templateKey": "contract"});
        policies
            .push(client.post("/metadata_cascade_policies", body).await.expect(201)["id"].as_str().unwrap().to_owned());
        made["$id"].as_str().unwrap().to_owned()
    };
    let patch = json!([{"op": "replace", "path": "/name", "value": "y"}]).to_string();
    let absent = "987654321987654321";
    for (there, gone) in [
        (format!("files/{file}"), format!("files/{absent}")),
        (format!("folders/{folder}"), format!("folders/{absent}")),
    ] {
        for (method, rest, body) in [
            ("GET", "metadata", ""),
            ("GET", "metadata/enterprise/contract", ""),
            ("POST", "metadata/enterprise/contract", "{}"),
            ("POST", "metadata/global/properties", "{}"),
            ("PUT", "metadata/enterprise/contract", &patch),
            ("DELETE", "metadata/enterprise/contract", ""),
            ("GET", "metadata/enterprise/securityClassification-6VMVochwUWo", ""),
            ("POST", "metadata/enterprise/securityClassification-6VMVochwUWo", "{}"),
            ("PUT", "metadata/enterprise/securityClassification-6VMVochwUWo", "[]"),
            ("DELETE", "metadata/enterprise/securityClassification-6VMVochwUWo", ""),
            ("GET", "metadata/global/boxSkillsCards", ""),
            ("POST", "metadata/global/boxSkillsCards", r#"{"cards": []}"#),
            ("PUT", "metadata/global/boxSkillsCards", "[]"),
            ("DELETE", "metadata/global/boxSkillsCards", ""),
        ] {
            let one = client.send(method, &format!("/box/2.0/{there}/{rest}"), &headers, body.to_owned()).await;
            let other = client.send(method, &format!("/box/2.0/{gone}/{rest}"), &headers, body.to_owned()).await;
            one.refused(404, "not_found");
            assert_eq!(one.tame(), other.tame(), "{method} {there} {rest}");
        }
    }
    let policy = &policies[0];
    let of = |method: &'static str, path: String, body: &'static str| {
        let (client, headers) = (&client, &headers);
        async move { client.send(method, &format!("/box/2.0{path}"), headers, body).await }
    };
    of("GET", format!("/metadata_templates?metadata_instance_id={id}"), "").await.expect(404);
    of("GET", format!("/metadata_cascade_policies/{policy}"), "").await.refused(404, "instance_not_found");
    of("DELETE", format!("/metadata_cascade_policies/{policy}"), "").await.refused(404, "instance_not_found");
    let apply = r#"{"conflict_resolution": "overwrite"}"#;
    of("POST", format!("/metadata_cascade_policies/{policy}/apply"), apply).await.refused(404, "instance_not_found");
    of("GET", format!("/metadata_cascade_policies?folder_id={folder}"), "").await.refused(404, "not_found");
    client.get(&format!("/metadata_cascade_policies/{policy}")).await.expect(200);
}

#[tokio::test]
async fn classifications_are_a_template_of_their_own() {
    let client = Client::new().await;
    let schema = format!("/metadata_templates/enterprise/{CLASSIFICATIONS}/schema");
    client.get(&schema).await.refused(404, "instance_tuple_not_found");
    let option = |key: &str, color: i64| json!({"key": key, "staticConfig": {"classification": {"classificationDefinition": "About", "colorID": color}}});
    let body = |options: Value| {
        json!({"scope": "enterprise", "templateKey": CLASSIFICATIONS, "displayName": "Classification", "hidden": false,
            "copyInstanceOnItemCopy": true, "fields": [{"type": "enum", "key": "Box__Security__Classification__Key",
            "displayName": "Classification", "hidden": false, "options": options}]})
    };
    let bad = body(json!([option("Top", 99)]));
    client.post("/metadata_templates/schema", bad).await.refused(400, "bad_request");
    let made = client.post("/metadata_templates/schema", body(json!([option("Top", 1)]))).await.expect(201);
    assert_eq!(made["fields"][0]["options"][0]["staticConfig"]["classification"]["colorID"], 1);
    let field = "Box__Security__Classification__Key";
    let add = json!([{"op": "addEnumOption", "fieldKey": field, "data": option("Public", 2)}]);
    client.put(&schema, add).await.expect(200);
    let edit =
        json!([{"op": "editEnumOption", "fieldKey": field, "enumOptionKey": "Public", "data": option("Open", 3)}]);
    let changed = client.put(&schema, edit).await.expect(200);
    assert_eq!(changed["fields"][0]["options"][1]["key"], "Open");
    let other = json!([{"op": "addField", "data": {"type": "string", "key": "x", "displayName": "X"}}]);
    client.put(&schema, other).await.refused(400, "bad_request");
    assert_eq!(client.get(&schema).await.expect(200), changed);

    let (file, folder) = (client.file("0", "a.txt", b"a").await, client.folder("0", "f").await);
    for item in [format!("files/{file}"), format!("folders/{folder}")] {
        let path = format!("/{item}/metadata/enterprise/{CLASSIFICATIONS}");
        client.get(&path).await.refused(404, "instance_not_found");
        client.post(&path, json!({field: "None"})).await.refused(400, "schema_validation_failed");
        assert_eq!(client.post(&path, json!({field: "Top"})).await.expect(201)[field], "Top");
        let patch = json!([{"op": "replace", "path": format!("/{field}"), "value": "Open"}]);
        assert_eq!(client.put(&path, patch).await.expect(200)[field], "Open");
        assert_eq!(client.get(&path).await.expect(200)[field], "Open");
        client.delete(&path).await.expect(204);
    }
}

#[tokio::test]
async fn cards_are_shown_beside_files() {
    let client = Client::new().await;
    let file = client.file("0", "a.txt", b"a").await;
    let path = format!("/files/{file}/metadata/global/boxSkillsCards");
    let card = |text: &str| {
        json!({"type": "skill_card", "skill_card_type": "keyword", "skill": {"type": "service", "id": "s"},
            "invocation": {"type": "skill_invocation", "id": "i"}, "entries": [{"text": text}]})
    };
    client.get(&path).await.refused(404, "instance_not_found");
    client.post(&path, json!({"cards": [{"type": "other"}]})).await.refused(400, "schema_validation_failed");
    let made = client.post(&path, json!({"cards": [card("a")]})).await.expect(201);
    assert_eq!(made["cards"][0]["entries"][0]["text"], "a");
    let patch = json!([{"op": "replace", "path": "/cards/0", "value": card("b")}]);
    assert_eq!(client.put(&path, patch).await.expect(200)["cards"][0]["entries"][0]["text"], "b");
    client.delete(&path).await.expect(204);
    let folder = client.folder("0", "f").await;
    let of_folder = format!("/folders/{folder}/metadata/global/boxSkillsCards");
    client.post(&of_folder, json!({"cards": []})).await.expect(404);

    let report = |status: &str| json!({"status": status, "metadata": {"cards": [card("c")]}, "file": {"type": "file", "id": file}});
    client.put("/skill_invocations/7", report("perhaps")).await.refused(400, "bad_request");
    for _ in 0..2 {
        client.put("/skill_invocations/7", report("success")).await.expect(200);
    }
    assert_eq!(client.get(&path).await.expect(200)["cards"][0]["entries"][0]["text"], "c");
    let absent = json!({"status": "success", "metadata": {"cards": []}, "file": {"id": "987654321"}});
    client.put("/skill_invocations/7", absent).await.refused(404, "not_found");
}
