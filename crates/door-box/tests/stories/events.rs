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
    assert_eq!(words(&page), ["UPLOAD", "UPLOAD", "DELETE"]);
    assert_eq!(page["entries"][0]["source"]["item_type"], "folder");
    assert_eq!(page["entries"][1]["source"]["item_name"], "f");
    assert_eq!(page["entries"][1]["source"]["owned_by"]["login"], "ada@acme.example");
    let some = read(&client, "stream_type=admin_logs&event_type=DELETE,ADMIN_LOGIN").await;
    assert_eq!(words(&some), ["DELETE"]);
    let none = read(&client, "stream_type=admin_logs&event_type=ADMIN_LOGIN").await;
    assert_eq!(words(&none), [""; 0]);
    let since = "created_after=2020-01-01T00:00:00Z&created_before=2999-01-01T00:00:00Z";
    assert_eq!(words(&read(&client, &format!("stream_type=admin_logs_streaming&{since}")).await).len(), 3);
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
    assert_eq!(words(&page), [&["UPLOAD"], said.as_slice()].concat());
    assert_eq!(page["entries"][3]["source"]["item_id"], json!(file));
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
