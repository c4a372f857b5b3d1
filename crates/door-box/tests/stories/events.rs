use crate::harness::{Answer, Client, HOUR};
use entente_model::{Scopes, UserRole};
use serde_json::{Value, json};

async fn read(client: &Client, query: &str) -> Value {
    client.get(&format!("/events?{query}")).await.expect(200)
}

fn words(page: &Value) -> Vec<&str> {
    let entries = page["entries"].as_array().expect("entries");
    assert_eq!(page["chunk_size"], entries.len());
    entries.iter().map(|one| one["event_type"].as_str().expect("a word")).collect()
}

async fn by(client: &Client, token: &str, path: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    client.send("GET", &format!("/box/2.0{path}"), &[("authorization", &authorization)], "").await
}

#[tokio::test]
async fn what_is_done_is_heard_of_from_a_position_on() {
    let client = Client::new().await;
    let now = read(&client, "stream_position=now").await;
    assert_eq!(words(&now), [""; 0]);
    let start = now["next_stream_position"].as_u64().expect("a number");
    let folder = client.folder("0", "a").await;
    let file = client.file(&folder, "f", b"x").await;
    client.put(&format!("/files/{file}"), json!({"name": "g"})).await.expect(200);
    let page = read(&client, &format!("stream_position={start}&limit=500&stream_type=changes")).await;
    assert_eq!(words(&page), ["ITEM_CREATE", "ITEM_UPLOAD", "ITEM_RENAME"]);
    let renamed = &page["entries"][2];
    assert_eq!((&renamed["source"]["id"], &renamed["source"]["name"]), (&json!(file), &json!("g")));
    assert_eq!(renamed["source"]["parent"]["id"], json!(folder));
    assert_eq!(renamed["created_by"]["login"], "ada@acme.example");
    let next = page["next_stream_position"].as_u64().expect("a number");
    assert!(next > start);
    client.delete(&format!("/files/{file}")).await.expect(204);
    client.delete(&format!("/files/{file}/trash")).await.expect(204);
    let page = read(&client, &format!("stream_position={next}")).await;
    assert_eq!(words(&page), ["ITEM_TRASH"]);
    assert_eq!(page["entries"][0]["source"]["item_status"], "deleted");
    let all = read(&client, "stream_position=0&limit=2").await;
    assert_eq!(words(&all), ["ITEM_CREATE", "ITEM_UPLOAD"]);
}

#[tokio::test]
async fn administrators_look_over_the_enterprise() {
    let client = Client::new().await;
    let folder = client.folder("0", "a").await;
    client.file(&folder, "f", b"x").await;
    client.delete(&format!("/folders/{folder}?recursive=true")).await.expect(204);
    let page = read(&client, "stream_type=admin_logs&limit=100").await;
    assert_eq!(words(&page), ["NEW_USER", "UPLOAD", "UPLOAD", "DELETE"]);
    assert_eq!(page["entries"][1]["source"]["item_type"], "folder");
    assert_eq!(page["entries"][2]["source"]["item_name"], "f");
    assert_eq!(page["entries"][2]["source"]["owned_by"]["login"], "ada@acme.example");
    let some = read(&client, "stream_type=admin_logs&event_type=DELETE,ADMIN_LOGIN").await;
    assert_eq!(words(&some), ["DELETE"]);
    let none = read(&client, "stream_type=admin_logs&event_type=ADMIN_LOGIN").await;
    assert_eq!(words(&none), [""; 0]);
    let since = "created_after=2020-01-01T00:00:00Z&created_before=2999-01-01T00:00:00Z";
    assert_eq!(words(&read(&client, &format!("stream_type=admin_logs_streaming&{since}")).await).len(), 4);
    let later = read(&client, "stream_type=admin_logs&created_after=2999-01-01T00:00:00Z").await;
    assert_eq!(words(&later), [""; 0]);
    let now = read(&client, "stream_type=admin_logs&stream_position=now").await;
    assert_eq!((words(&now), &now["next_stream_position"]), (Vec::new(), &page["next_stream_position"]));
    let user = client.stage.person("bob@acme.example", "bob", UserRole::User).await;
    let token = client.stage.token(user, Scopes::ALL, HOUR).await;
    for position in ["0", "now"] {
        let path = format!("/events?stream_type=admin_logs&stream_position={position}");
        by(&client, &token, &path).await.refused(403, "access_denied_insufficient_permissions");
    }
}

#[tokio::test]
async fn administrators_hear_what_is_said_of_items() {
    let client = Client::new().await;
    client.contracts().await;
    let file = client.file("0", "f", b"x").await;
    let path = format!("/files/{file}/metadata/enterprise/contract");
    client.post(&path, json!({"name": "one"})).await.expect(201);
    client.post(&path, json!({"name": "again"})).await.expect(409);
    client.put(&path, json!([{"op": "replace", "path": "/name", "value": "two"}])).await.expect(200);
    client.delete(&path).await.expect(204);
    let page = read(&client, "stream_type=admin_logs").await;
    let said = ["METADATA_INSTANCE_CREATE", "METADATA_INSTANCE_UPDATE", "METADATA_INSTANCE_DELETE"];
    assert_eq!(words(&page), [&["NEW_USER", "UPLOAD"], said.as_slice()].concat());
    assert_eq!(page["entries"][4]["source"]["item_id"], json!(file));
    let some = read(&client, "stream_type=admin_logs&event_type=METADATA_INSTANCE_UPDATE").await;
    assert_eq!(words(&some), ["METADATA_INSTANCE_UPDATE"]);
    assert_eq!(words(&read(&client, "").await), ["ITEM_UPLOAD", "ITEM_MODIFY", "ITEM_MODIFY", "ITEM_MODIFY"]);
}

#[tokio::test]
async fn strangers_hear_of_nothing() {
    let client = Client::new().await;
    let folder = client.folder("0", "a").await;
    client.file(&folder, "f", b"x").await;
    let colleague = client.stage.person("bob@acme.example", "bob", UserRole::User).await;
    let stranger = client.stage.outsider("eve@elsewhere.example", "eve").await;
    for user in [colleague, stranger] {
        let token = client.stage.token(user, Scopes::ALL, HOUR).await;
        assert_eq!(words(&by(&client, &token, "/events").await.expect(200)), [""; 0]);
        let small = client.stage.token(user, Scopes::UPLOAD, HOUR).await;
        by(&client, &small, "/events").await.refused(403, "access_denied_insufficient_permissions");
    }
    client.send("GET", "/box/2.0/events", &[("authorization", "Bearer nobody")], "").await.expect(401);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let client = Client::new().await;
    for query in [
        "stream_position=-1",
        "stream_position=later",
        "stream_position=99999999999999999999",
        "stream_type=everything",
        "created_after=yesterday",
        "created_before=2020",
        "event_type=%E2%80%AE",
    ] {
        client.get(&format!("/events?{query}")).await.refused(400, "bad_request");
    }
    for query in ["limit=many", "limit=-1"] {
        client.get(&format!("/events?{query}")).await.refused(400, "invalid_limit");
    }
    let beyond = read(&client, "stream_position=9223372036854775807").await;
    assert_eq!(words(&beyond), [""; 0]);
}

#[tokio::test]
async fn who_waits_is_told_at_once_that_there_is_news() {
    let client = Client::new().await;
    let start = read(&client, "stream_position=now").await["next_stream_position"].as_u64().expect("a number");
    let servers = client.send("OPTIONS", "/box/2.0/events", &[], "").await.expect(200);
    assert_eq!(servers["entries"][0]["type"], "realtime_server");
    let url = servers["entries"][0]["url"].as_str().expect("a URL");
    let path = url.strip_prefix("https://files.acme.example").expect("an absolute URL");
    let wait = format!("{path}&stream_position={start}");
    let nobody = [("authorization", "")];
    let waiting = client.send("GET", &wait, &nobody, "");
    let acting = client.folder("0", "a");
    let seen = async {
        acting.await;
        while client.stage.tree.place_events().await.expect("placed") {}
    };
    let (told, ()) = tokio::join!(waiting, seen);
    assert_eq!(told.expect(200), json!({"message": "new_change"}));
    // From that position on there is news at once, whoever asks, and for nobody else.
    assert_eq!(client.send("GET", &wait, &nobody, "").await.expect(200), json!({"message": "new_change"}));
    client.stage.tree.heads().end();
    assert_eq!(client.send("GET", path, &nobody, "").await.expect(200), json!({"message": "reconnect"}));
    for forged in ["/box/realtime", "/box/realtime?channel=", "/box/realtime?channel=1234"] {
        assert!(client.send("GET", forged, &nobody, "").await.status.is_client_error());
    }
    // A channel is no ticket for a download, nor the other way round.
    let channel = path.split('=').nth(1).expect("a channel");
    let download = client.send("GET", &format!("/box/download/{channel}"), &nobody, "").await;
    assert!(download.status.is_client_error());
    let file = client.file("0", "f", b"x").await;
    let ticket = client.get(&format!("/files/{file}/content")).await.target();
    let ticket = ticket.strip_prefix("/box/download/").expect("a ticket").to_owned();
    assert!(client.send("GET", &format!("/box/realtime?channel={ticket}"), &nobody, "").await.status.is_client_error());
}

#[tokio::test]
async fn what_happens_to_people_is_told_to_administrators() {
    let client = Client::new().await;
    let root = client.stage.person("root@acme.example", "Root", UserRole::Admin).await;
    let root = format!("Bearer {}", client.stage.token(root, Scopes::ALL, HOUR).await);
    let ask = async |method: &str, path: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        client.send(method, &format!("/box/2.0{path}"), &[("authorization", &root)], body).await
    };
    let now = ask("GET", "/events?stream_type=admin_logs_streaming&stream_position=now", Value::Null).await.expect(200);
    let since = format!("stream_position={}", now["next_stream_position"]);
    let otto = ask("POST", "/users", json!({"login": "otto@acme.example", "name": "Otto"})).await.expect(201);
    let otto = otto["id"].as_str().unwrap();
    ask("PUT", &format!("/users/{otto}"), json!({"name": "Otto B."})).await.expect(200);
    let group = ask("POST", "/groups", json!({"name": "Press"})).await.expect(201);
    let group = group["id"].as_str().unwrap();
    ask("PUT", &format!("/groups/{group}"), json!({"description": "all"})).await.expect(200);
    let member = json!({"user": {"id": otto}, "group": {"id": group}});
    let member = ask("POST", "/group_memberships", member).await.expect(201);
    let member = format!("/group_memberships/{}", member["id"].as_str().unwrap());
    ask("PUT", &member, json!({"role": "admin"})).await.expect(200);
    ask("DELETE", &member, Value::Null).await.expect(204);
    ask("DELETE", &format!("/groups/{group}"), Value::Null).await.expect(204);
    ask("DELETE", &format!("/users/{otto}"), Value::Null).await.expect(204);
    // What was refused is not told.
    ask("POST", "/groups", json!({"name": ""})).await.expect(400);
    ask("DELETE", &format!("/groups/{group}"), Value::Null).await.expect(404);

    let told = ask("GET", &format!("/events?stream_type=admin_logs_streaming&{since}"), Value::Null).await.expect(200);
    let words = [
        "NEW_USER",
        "EDIT_USER",
        "GROUP_CREATION",
        "GROUP_EDITED",
        "GROUP_ADD_USER",
        "GROUP_ADMIN_PERMISSIONS_UPDATED",
        "GROUP_REMOVE_USER",
        "GROUP_DELETION",
        "DELETE_USER",
    ];
    let entries = told["entries"].as_array().unwrap();
    let found: Vec<&str> = entries.iter().map(|one| one["event_type"].as_str().unwrap()).collect();
    assert_eq!(found, words, "{told:#}");
    assert_eq!(
        entries[1]["source"],
        json!({"type": "user", "id": otto, "name": "Otto B.", "login": "otto@acme.example"})
    );
    assert_eq!(entries[2]["source"], json!({"type": "group", "id": group, "name": "Press"}));
    assert_eq!((&entries[4]["source"]["type"], &entries[4]["source"]["id"]), (&json!("user"), &json!(otto)));
    assert_eq!(entries[4]["additional_details"], json!({"group_id": group, "group_name": "Press"}));
    assert_eq!(entries[8]["created_by"]["login"], "root@acme.example");
    let some = ask(
        "GET",
        &format!("/events?stream_type=admin_logs&event_type=GROUP_ADD_USER,DELETE_USER&{since}"),
        Value::Null,
    )
    .await;
    assert_eq!(some.expect(200)["entries"].as_array().unwrap().len(), 2);
    // Those whom it happened to, and who did it, hear nothing of it in their own stream.
    let own = ask("GET", "/events?stream_position=0", Value::Null).await.expect(200);
    assert_eq!(own["entries"], json!([]));
}

#[tokio::test]
async fn signing_in_is_told_and_so_is_failing_to() {
    let client = Client::new().await;
    let now = read(&client, "stream_type=admin_logs&stream_position=now").await;
    let identity = &client.stage.identity;
    let password = |text: &str| entente_identity::Password::new(text.to_owned());
    let (right, wrong) = (password("correct horse battery"), password("wrong horse battery"));
    identity.set_password(client.user, &right, None).await.unwrap();
    let here = "192.0.2.7".parse().unwrap();
    assert!(identity.prove_password("ada@acme.example", &wrong, here).await.is_err());
    assert!(identity.prove_password("nobody@acme.example", &wrong, here).await.is_err());
    let proven = identity.prove_password("ada@acme.example", &right, here).await.unwrap();
    identity.begin_web_session(&proven, "", here).await.unwrap();
    let since = format!("stream_type=admin_logs&stream_position={}", now["next_stream_position"]);
    let page = read(&client, &since).await;
    assert_eq!(words(&page), ["FAILED_LOGIN", "LOGIN"]);
    let ada = client.user.to_string();
    for entry in page["entries"].as_array().unwrap() {
        assert_eq!((&entry["source"]["type"], &entry["source"]["id"]), (&json!("user"), &json!(ada)));
        assert_eq!(entry["source"]["login"], "ada@acme.example");
    }
}

#[tokio::test]
async fn what_is_read_is_heard_of_once() {
    let client = Client::with_pictures("cat > /dev/null; printf made").await;
    let folder = client.folder("0", "a").await;
    let file = client.file(&folder, "image.png", b"\x89PNG\r\n\x1a\nwhatever").await;
    let open = json!({"shared_link": {"access": "open"}});
    let link = client.put(&format!("/files/{file}?fields=shared_link"), open).await.expect(200);
    let start = read(&client, "stream_position=now").await["next_stream_position"].clone();
    let content = format!("/box/2.0/files/{file}/content");
    client.download(&format!("/files/{file}/content")).await;
    // Bit by bit: the first bit counts, and looking does not.
    for range in ["bytes=0-1", "bytes=2-3", "bytes=4-"] {
        assert_eq!(client.send("GET", &content, &[("range", range)], "").await.status, 302);
    }
    let url = link["shared_link"]["download_url"].as_str().unwrap();
    let url = url.strip_prefix("https://files.acme.example").unwrap();
    assert_eq!(client.send("GET", url, &[("authorization", "")], "").await.status, 302);
    client.send("GET", &format!("/box/2.0/files/{file}/thumbnail.png"), &[], "").await;
    let path = format!("/box/2.0/files/{file}?fields=representations");
    let hints = [("x-rep-hints", "[jpg?dimensions=32x32][png?dimensions=1024x1024]")];
    let shown = client.send("GET", &path, &hints, "").await.expect(200);
    for entry in shown["representations"]["entries"].as_array().unwrap() {
        let url = entry["content"]["url_template"].as_str().unwrap().replace("{+asset_path}", "");
        let picture = client.get(url.strip_prefix("https://files.acme.example").unwrap()).await;
        assert_eq!(picture.status, 200);
    }
    client.stage.tree.notes_written().await;
    let page = read(&client, &format!("stream_position={start}")).await;
    assert_eq!(words(&page), ["ITEM_DOWNLOAD", "ITEM_DOWNLOAD", "ITEM_DOWNLOAD", "ITEM_PREVIEW"]);
    assert_eq!(page["entries"][0]["source"]["id"], json!(file));
    assert_eq!(page["entries"][0]["created_by"]["login"], "ada@acme.example");
    assert_eq!(page["entries"][2]["created_by"]["id"], "0");
    // Nothing has changed by it.
    assert_eq!(words(&read(&client, &format!("stream_position={start}&stream_type=changes")).await), [""; 0]);
    let logs = read(&client, "stream_type=admin_logs&event_type=DOWNLOAD,PREVIEW").await;
    assert_eq!(words(&logs), ["DOWNLOAD", "DOWNLOAD", "DOWNLOAD", "PREVIEW"]);
    let recent = client.get("/recent_items").await.expect(200);
    assert_eq!(recent["entries"][0]["interaction_type"], "item_preview");
}
