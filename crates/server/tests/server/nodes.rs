//! Several nodes on one database: any of them serves any request.

use crate::program::{Place, Server, text};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;

/// A node's place, with the configuration that all of them share.
fn node(config: &str) -> (Place, String) {
    let place = Place::new();
    let file = place.file("entente.toml", config);
    (place, file.to_str().unwrap().to_owned())
}

fn serve((place, config): &(Place, String)) -> Server {
    place.serve_with(&["--listen", "127.0.0.1:0", "--config", config])
}

#[test]
fn nodes_share_a_database_and_their_backends() {
    let database = entente_emulators::postgres().fresh_database();
    let shared = tempfile::tempdir().unwrap();
    let (credentials, address) = database.url().split_once('@').unwrap();
    let (user, password) = credentials.rsplit_once(':').unwrap();
    let secret = shared.path().join("password");
    fs::write(&secret, password).unwrap();
    let folder = |name: &str| shared.path().join(name).display().to_string();
    let config = format!(
        r#"
        [database]
        url = "{user}@{address}"
        password_file = "{password}"
        [[custodian]]
        name = "local"
        kind = "local"
        path = "keys/local.key"
        [[backend]]
        name = "one"
        kind = "fs"
        path = "{one}"
        jurisdiction = "FR"
        [[backend]]
        name = "two"
        kind = "fs"
        path = "{two}"
        jurisdiction = "FR"
        [[zone]]
        name = "france"
        jurisdiction = "FR"
        backends = ["one", "two"]
        custodian = "local"
        [[policy]]
        name = "twice"
        zone = "france"
        primary = "one"
        replicas = ["two"]
        default = true
        "#,
        password = secret.display(),
        one = folder("one"),
        two = folder("two"),
    );
    let (first, second) = (node(&config), node(&config));
    let one = serve(&first);
    // Nodes share the key.
    fs::create_dir_all(second.0.data().join("keys")).unwrap();
    fs::copy(first.0.data().join("keys/local.key"), second.0.data().join("keys/local.key")).unwrap();
    let two = serve(&second);
    let token = first.0.token();
    let uploaded = one.upload(&token, "shared.txt", &"content ".repeat(200));
    assert_eq!(uploaded.status, 201, "{}", uploaded.body);
    let id = uploaded.json()["entries"][0]["id"].as_str().unwrap().to_owned();
    for node in [&one, &two] {
        let items = node.get("/box/2.0/folders/0/items", &token).json();
        assert_eq!(items["entries"][0]["name"], "shared.txt");
        assert_eq!(node.get(&format!("/box/2.0/files/{id}/content"), &token).status, 302);
    }
    assert_eq!(two.upload(&token, "other.txt", "content").status, 201);
    assert_eq!(second.0.json(&["verify"])["undamaged"], true);
    let ids = |node: &Server| -> Vec<Value> {
        let backends = node.get("/admin/v1/backends", &token).json();
        backends["entries"].as_array().unwrap().iter().map(|backend| backend["id"].clone()).collect()
    };
    assert_eq!(ids(&one), ids(&two), "they call backends by the same ids");
    // What a node keeps to itself is its keys, and what tells of its process.
    let mut kept: Vec<_> = fs::read_dir(first.0.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["configuration", "keys", "lock", "ready.json"]);
    assert_eq!(one.stop(Signal::KILL).0, None);
    assert_eq!(two.upload(&token, "after.txt", "content").status, 201);
    assert_eq!(two.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_node_without_the_key_of_the_others_is_refused() {
    let database = entente_emulators::postgres().fresh_database();
    let shared = tempfile::tempdir().unwrap();
    let (credentials, address) = database.url().split_once('@').unwrap();
    let (user, password) = credentials.rsplit_once(':').unwrap();
    let secret = shared.path().join("password");
    fs::write(&secret, password).unwrap();
    let config = format!("[database]\nurl = \"{user}@{address}\"\npassword_file = \"{}\"\n", secret.display());
    let (first, second) = (node(&config), node(&config));
    assert_eq!(serve(&first).stop(Signal::TERM).0, Some(0));
    let output = second.0.run(&["serve", "--listen", "127.0.0.1:0", "--config", &second.1]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    let message = text(&output.stderr);
    assert!(message.contains("keys/local.key") && !message.contains(password), "{message}");
}
