//! Metadata: how far it goes, and how it is found again.

use crate::harness::Client;
use serde_json::{Value, json};

#[tokio::test]
async fn a_cascade_reaches_everything_below() {
    let client = Client::new().await;
    client.contracts().await;
    let (top, other) = (client.folder("0", "top").await, client.folder("0", "other").await);
    let below = client.folder(&top, "below").await;
    let deep = client.file(&below, "deep.txt", b"a").await;
    let body = json!({"folder_id": top, "scope": "enterprise", "templateKey": "contract"});
    client.post("/metadata_cascade_policies", body.clone()).await.refused(404, "instance_tuple_not_found");
    let root = json!({"folder_id": "0", "scope": "enterprise", "templateKey": "contract"});
    client.post("/metadata_cascade_policies", root).await.expect(403);
    let of = |item: &str| format!("/{item}/metadata/enterprise/contract");
    client.post(&of(&format!("folders/{top}")), json!({"name": "A"})).await.expect(201);
    let policy = client.post("/metadata_cascade_policies", body.clone()).await.expect(201);
    assert_eq!(policy["parent"], json!({"type": "folder", "id": top}));
    client.post("/metadata_cascade_policies", body).await.refused(409, "tuple_already_exists");
    let id = policy["id"].as_str().unwrap();
    assert_eq!(client.get(&format!("/metadata_cascade_policies/{id}")).await.expect(200), policy);
    let listed = client.get(&format!("/metadata_cascade_policies?folder_id={top}")).await.expect(200);
    assert_eq!(listed["entries"], json!([policy]));
    client.get("/metadata_cascade_policies").await.refused(400, "bad_request");

    // What is new has it at once, what was there by the job.
    let new = client.file(&below, "new.txt", b"b").await;
    assert_eq!(client.get(&of(&format!("files/{new}"))).await.expect(200)["name"], "A");
    client.get(&of(&format!("files/{deep}"))).await.expect(404);
    while client.stage.tree.tend_metadata().await.unwrap() {}
    assert_eq!(client.get(&of(&format!("files/{deep}"))).await.expect(200)["name"], "A");
    assert_eq!(client.get(&of(&format!("folders/{below}"))).await.expect(200)["name"], "A");
    client.get(&of(&format!("folders/{other}"))).await.expect(404);

    // What somebody said there stays, until it is told to give way.
    client
        .put(&of(&format!("files/{deep}")), json!([{"op": "replace", "path": "/name", "value": "Mine"}]))
        .await
        .expect(200);
    client
        .put(&of(&format!("folders/{top}")), json!([{"op": "replace", "path": "/name", "value": "B"}]))
        .await
        .expect(200);
    while client.stage.tree.tend_metadata().await.unwrap() {}
    assert_eq!(client.get(&of(&format!("files/{new}"))).await.expect(200)["name"], "B");
    assert_eq!(client.get(&of(&format!("files/{deep}"))).await.expect(200)["name"], "Mine");
    let apply = format!("/metadata_cascade_policies/{id}/apply");
    client.post(&apply, json!({"conflict_resolution": "perhaps"})).await.expect(400);
    client.post(&apply, json!({"conflict_resolution": "overwrite"})).await.expect(202);
    while client.stage.tree.tend_metadata().await.unwrap() {}
    assert_eq!(client.get(&of(&format!("files/{deep}"))).await.expect(200)["name"], "B");

    client.delete(&format!("/metadata_cascade_policies/{id}")).await.expect(204);
    client.get(&format!("/metadata_cascade_policies/{id}")).await.refused(404, "instance_not_found");
    let late = client.file(&below, "late.txt", b"c").await;
    client.get(&of(&format!("files/{late}"))).await.expect(404);
    assert_eq!(client.get(&of(&format!("files/{new}"))).await.expect(200)["name"], "B");
}

#[tokio::test]
async fn a_field_takes_values_of_a_taxonomy() {
    let client = Client::new().await;
    let scope = client.scope().await;
    let made =
        client.post("/metadata_taxonomies", json!({"displayName": "Geo Graphy", "namespace": scope})).await.expect(201);
    assert_eq!((&made["key"], &made["levels"]), (&json!("geoGraphy"), &json!([])));
    let path = format!("/metadata_taxonomies/{scope}/geoGraphy");
    client
        .post("/metadata_taxonomies", json!({"displayName": "Geo graphy", "namespace": scope}))
        .await
        .refused(409, "tuple_already_exists");
    client.post("/metadata_taxonomies", json!({"displayName": "G", "namespace": "enterprise_1"})).await.expect(403);
    assert_eq!(client.get(&format!("/metadata_taxonomies/{scope}")).await.expect(200)["entries"], json!([made]));
    client.get("/metadata_taxonomies/enterprise_1").await.refused(404, "not_found");
    assert_eq!(client.patch(&path, json!({"displayName": "Places"})).await.expect(200)["displayName"], "Places");

    client
        .post(&format!("{path}/levels"), json!([{"displayName": "Continent"}, {"displayName": "Country"}]))
        .await
        .expect(201);
    let levels = client.post(&format!("{path}/levels:append"), json!({"displayName": "Town"})).await.expect(201);
    assert_eq!(levels["entries"][2], json!({"displayName": "Town", "level": 3}));
    let level = client.patch(&format!("{path}/levels/2"), json!({"displayName": "State", "description": "d"})).await;
    assert_eq!(level.expect(200), json!({"displayName": "State", "description": "d", "level": 2}));
    client.patch(&format!("{path}/levels/4"), json!({"displayName": "State"})).await.expect(404);
    let trimmed = client.post(&format!("{path}/levels:trim"), json!({})).await.expect(200);
    assert_eq!(trimmed["entries"].as_array().unwrap().len(), 2);

    let nodes = format!("{path}/nodes");
    let europe = client.post(&nodes, json!({"displayName": "Europe", "level": 1})).await.expect(201);
    let continent = europe["id"].as_str().unwrap();
    let france = json!({"displayName": "France", "level": 2, "parentId": continent});
    let france = client.post(&nodes, france.clone()).await.expect(201);
    assert_eq!((&france["parentId"], &france["nodePath"]), (&json!(continent), &json!([continent])));
    assert_eq!(france["ancestors"][0]["displayName"], "Europe");
    for bad in [
        json!({"displayName": "Spain", "level": 2}),
        json!({"displayName": "Spain", "level": 1, "parentId": continent}),
        json!({"displayName": "Spain", "level": 9, "parentId": continent}),
        json!({"displayName": "Spain", "level": 2, "parentId": "x"}),
        json!({"level": 1}),
    ] {
        client.post(&nodes, bad).await.refused(400, "bad_request");
    }
    client.post(&nodes, json!({"displayName": "FRANCE", "level": 2, "parentId": continent})).await.expect(409);
    let country = france["id"].as_str().unwrap();
    assert_eq!(client.get(&format!("{nodes}/{country}")).await.expect(200), france);
    let listed = client.get(&format!("{nodes}?level=2&ancestor={continent}&query=fra")).await.expect(200);
    assert_eq!(listed["entries"], json!([france]));
    let page = client.get(&format!("{nodes}?limit=1")).await.expect(200);
    assert_eq!(page["entries"], json!([europe]));
    let next =
        client.get(&format!("{nodes}?limit=1&marker={}", page["next_marker"].as_str().unwrap())).await.expect(200);
    assert_eq!(next["entries"], json!([france]));
    client.post(&format!("{path}/levels:trim"), json!({})).await.refused(400, "bad_request");
    client.delete(&format!("{nodes}/{continent}")).await.refused(400, "bad_request");

    let field = json!({"type": "taxonomy", "key": "place", "displayName": "Place", "taxonomyKey": "geoGraphy",
        "namespace": scope, "optionsRules": {"multiSelect": true, "selectableLevels": [2]}});
    let body = json!({"scope": "enterprise", "displayName": "Trip", "fields": [field]});
    let template = client.post("/metadata_templates/schema", body).await.expect(201);
    assert_eq!(template["fields"][0]["taxonomyKey"], "geoGraphy");
    let options = client.get(&format!("/metadata_templates/{scope}/trip/fields/place/options")).await.expect(200);
    assert_eq!(options["entries"], json!([france]));
    let file = client.file("0", "a.txt", b"a").await;
    let instance = format!("/files/{file}/metadata/enterprise/trip");
    client.post(&instance, json!({"place": [continent]})).await.refused(400, "schema_validation_failed");
    let said = client.post(&instance, json!({"place": [country]})).await.expect(201);
    assert_eq!(said["place"], json!([country]));

    let renamed = client.patch(&format!("{nodes}/{country}"), json!({"displayName": "Frankreich"})).await.expect(200);
    assert_eq!(renamed["displayName"], "Frankreich");
    client.delete(&format!("{nodes}/{country}")).await.expect(204);
    client.get(&format!("{nodes}/{country}")).await.refused(404, "not_found");
    // What was said stays, and keeps nobody from saying more.
    let add = json!([{"op": "addField", "data": {"type": "string", "key": "note", "displayName": "Note"}}]);
    client.put("/metadata_templates/enterprise/trip/schema", add).await.expect(200);
    let note = json!([{"op": "add", "path": "/note", "value": "n"}]);
    assert_eq!(client.put(&instance, note).await.expect(200)["place"], json!([country]));
    client.delete(&path).await.expect(204);
    client.get(&path).await.refused(404, "not_found");
    while client.stage.tree.tend_metadata().await.unwrap() {}
}

#[tokio::test]
async fn items_are_found_by_what_is_said_of_them() {
    let client = Client::new().await;
    let scope = client.contracts().await["scope"].as_str().unwrap().to_owned();
    let (folder, other) = (client.folder("0", "f").await, client.folder("0", "g").await);
    let states = ["draft", "signed"];
    let mut files = Vec::new();
    for number in 0..6_usize {
        let parent = if number < 4 { &folder } else { &other };
        let file = client.file(parent, &format!("{number}.txt"), b"a").await;
        let region = ["north", "south", "east"][number % 3];
        let values = json!({"name": format!("Contract {number}"), "amount": 10.5 * f64::from(u32::try_from(number).unwrap()), "pages": number,
            "signed": format!("2026-01-0{}T00:00:00Z", number + 1), "state": states[number % 2],
            "regions": [region]});
        client.post(&format!("/files/{file}/metadata/enterprise/contract"), values).await.expect(201);
        files.push(file);
    }
    let path = "/metadata_queries/execute_read";
    let from = format!("{scope}.contract");
    let ask = |query: &str, parameters: Value| {
        let body = json!({"from": from, "query": query, "query_params": parameters, "ancestor_folder_id": "0"});
        let (client, files) = (&client, &files);
        async move {
            let found = client.post(path, body).await.expect(200);
            let place = |entry: &Value| files.iter().position(|file| entry["id"] == *file).unwrap();
            let mut places: Vec<usize> = found["entries"].as_array().unwrap().iter().map(place).collect();
            places.sort_unstable();
            places
        }
    };
    assert_eq!(ask("amount >= :amount", json!({"amount": 31})).await, [3, 4, 5]);
    assert_eq!(ask("amount >= :amount", json!({"amount": "31.5"})).await, [3, 4, 5]);
    assert_eq!(ask("name = :name", json!({"name": "Contract 2"})).await, [2]);
    assert_eq!(ask("name LIKE '%act 1' OR pages IN (4, 5)", json!({})).await, [1, 4, 5]);
    assert_eq!(ask("name ILIKE 'CONTRACT _' AND state = :state", json!({"state": "signed"})).await, [1, 3, 5]);
    assert_eq!(ask("NOT (state = 'signed') AND signed > :day", json!({"day": "2026-01-02T00:00:00Z"})).await, [2, 4]);
    assert_eq!(ask("regions HASANY (:regions)", json!({"regions": ["north", "east"]})).await, [0, 2, 3, 5]);
    assert_eq!(ask(":region = ANY(regions)", json!({"region": "south"})).await, [1, 4]);
    assert_eq!(ask("regions = :regions", json!({"regions": ["south"]})).await, [1, 4]);
    assert_eq!(ask("pages IS NULL", json!({})).await, [0_usize; 0]);
    assert_eq!(ask("state = 'none'", json!({})).await, [0_usize; 0]);
    assert_eq!(ask("pages <> 3 AND pages <= 4", json!({})).await, [0, 1, 2, 4]);

    let body = json!({"from": from, "ancestor_folder_id": folder, "limit": 3,
        "order_by": [{"field_key": "amount", "direction": "desc"}],
        "fields": ["name", format!("metadata.{from}.amount")]});
    let page = client.post(path, body.clone()).await.expect(200);
    let names: Vec<_> = page["entries"].as_array().unwrap().iter().map(|entry| entry["name"].clone()).collect();
    assert_eq!(names, ["3.txt", "2.txt", "1.txt"]);
    let said = &page["entries"][0]["metadata"][&scope]["contract"];
    assert_eq!((&said["amount"], said.get("name")), (&json!(31.5), None));
    let mut body = body;
    body["marker"] = page["next_marker"].clone();
    let page = client.post(path, body.clone()).await.expect(200);
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    assert_eq!(page.get("next_marker"), None);

    for (bad, code) in [
        (json!({"query": "amount >="}), "invalid_query"),
        (json!({"query": "other = 1"}), "invalid_query"),
        (json!({"query": "amount = 1; DROP TABLE items"}), "invalid_query"),
        (json!({"query": "amount = :gone"}), "unexpected_json_type"),
        (json!({"query": "amount = 'x'"}), "unexpected_json_type"),
        (json!({"query": "signed > 'yesterday'"}), "unexpected_json_type"),
        (json!({"query": "state > 'draft'"}), "invalid_query"),
        (json!({"marker": "nonsense"}), "invalid_query"),
        (json!({"order_by": [{"field_key": "other"}]}), "invalid_query"),
        (json!({"from": "contract"}), "invalid_query"),
        (json!({"limit": 101}), "bad_request"),
        (json!({"limit": -1}), "bad_request"),
        (json!({"ancestor_folder_id": "x"}), "bad_request"),
    ] {
        let mut body = json!({"from": from, "ancestor_folder_id": "0"});
        for (name, value) in bad.as_object().unwrap() {
            body[name] = value.clone();
        }
        client.post(path, body).await.refused(400, code);
    }
    let unknown = json!({"from": "enterprise_1.contract", "ancestor_folder_id": "0"});
    client.post(path, unknown).await.refused(404, "instance_not_found");

    // Of a stranger nobody hears anything.
    let token = format!("Bearer {}", client.stranger().await);
    let headers = [("authorization", token.as_str())];
    let everywhere = json!({"from": from, "ancestor_folder_id": "0"}).to_string();
    let found = client.send("POST", &format!("/box/2.0{path}"), &headers, everywhere).await.expect(200);
    assert_eq!(found["entries"], json!([]));
    let there = json!({"from": from, "ancestor_folder_id": folder}).to_string();
    client.send("POST", &format!("/box/2.0{path}"), &headers, there).await.refused(404, "not_found");
}
