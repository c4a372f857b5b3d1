//! Several nodes on one database: any of them serves any request.

use crate::movers::{Clients, check_all, content, fill, upload};
use crate::program::{Place, Server, files, text};
use entente_emulators::Database;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// A database and folders that nodes share.
struct Cluster {
    shared: tempfile::TempDir,
    password: String,
    url: String,
    _database: Database,
}

impl Cluster {
    fn new() -> Self {
        let database = entente_emulators::postgres().fresh_database();
        let shared = tempfile::tempdir().unwrap();
        let (credentials, address) = database.url().split_once('@').unwrap();
        let (user, password) = credentials.rsplit_once(':').unwrap();
        fs::write(shared.path().join("password"), password).unwrap();
        let (url, password) = (format!("{user}@{address}"), password.to_owned());
        Self { shared, password, url, _database: database }
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.shared.path().join(name)
    }

    /// The file of a node, with what it declares besides the database.
    fn config(&self, declared: &str) -> String {
        let password = self.folder("password");
        format!("[database]\nurl = \"{}\"\npassword_file = {password:?}\n{declared}", self.url)
    }

    /// One with two disks, on which a policy has its copies.
    fn with_disks(&self, policy: &str) -> String {
        let (one, two) = (self.folder("one"), self.folder("two"));
        self.config(&format!(
            r#"
            [[custodian]]
            name = "local"
            kind = "local"
            path = "keys/local.key"
            [[backend]]
            name = "one"
            kind = "fs"
            path = {one:?}
            jurisdiction = "FR"
            [[backend]]
            name = "two"
            kind = "fs"
            path = {two:?}
            jurisdiction = "FR"
            [[zone]]
            name = "france"
            jurisdiction = "FR"
            backends = ["one", "two"]
            custodian = "local"
            [[policy]]
            name = "twice"
            zone = "france"
            default = true
            {policy}
            "#
        ))
    }

    /// The objects on a disk.
    fn objects(&self, name: &str) -> usize {
        files(&self.folder(name)).iter().filter(|path| !path.ends_with("entente-store")).count()
    }

    /// Two nodes that share the key.
    fn two_nodes(&self, config: &str) -> [(Node, Server); 2] {
        let (first, second) = (Node::new(config), Node::new(config));
        let one = first.serve();
        fs::create_dir_all(second.place.data().join("keys")).unwrap();
        fs::copy(first.place.data().join("keys/local.key"), second.place.data().join("keys/local.key")).unwrap();
        let two = second.serve();
        [(first, one), (second, two)]
    }
}

/// A node's place, with its file.
struct Node {
    place: Place,
    config: PathBuf,
}

impl Node {
    fn new(config: &str) -> Self {
        let place = Place::new();
        let config = place.file("entente.toml", config);
        Self { place, config }
    }

    fn arguments(&self) -> [&str; 4] {
        ["--listen", "127.0.0.1:0", "--config", self.config.to_str().unwrap()]
    }

    fn serve(&self) -> Server {
        self.place.serve_with(&self.arguments())
    }

    /// What it says when it must not start.
    fn refused(&self) -> (Option<i32>, String) {
        let output = self.place.run(&[&["serve"], &self.arguments()[..]].concat());
        (output.status.code(), text(&output.stderr))
    }
}

#[test]
fn nodes_share_a_database_and_their_backends() {
    let cluster = Cluster::new();
    let [(first, one), (second, two)] =
        cluster.two_nodes(&cluster.with_disks("primary = \"one\"\nreplicas = [\"two\"]"));
    let token = first.place.token();
    let uploaded = one.upload(&token, "shared.txt", &"content ".repeat(200));
    assert_eq!(uploaded.status, 201, "{}", uploaded.body);
    let id = uploaded.json()["entries"][0]["id"].as_str().unwrap().to_owned();
    for node in [&one, &two] {
        let items = node.get("/box/2.0/folders/0/items", &token).json();
        assert_eq!(items["entries"][0]["name"], "shared.txt");
        assert_eq!(node.get(&format!("/box/2.0/files/{id}/content"), &token).status, 302);
    }
    assert_eq!(two.upload(&token, "other.txt", "content").status, 201);
    assert_eq!(second.place.json(&["verify"])["undamaged"], true);
    let ids = |node: &Server| -> Vec<Value> {
        let backends = node.get("/admin/v1/backends", &token).json();
        backends["entries"].as_array().unwrap().iter().map(|backend| backend["id"].clone()).collect()
    };
    assert_eq!(ids(&one), ids(&two), "they call backends by the same ids");
    let nodes = |node: &Server| node.get("/admin/v1/status", &token).json()["nodes"].as_array().unwrap().len();
    assert_eq!((nodes(&one), nodes(&two)), (2, 2), "each knows of the other");
    // What a node keeps to itself is its keys, what tells of its process, and, soon, a cache of words.
    let mut kept: Vec<_> = fs::read_dir(first.place.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    kept.retain(|name| name != "words");
    kept.sort();
    assert_eq!(kept, ["configuration", "keys", "lock", "ready.json"]);
    assert_eq!(one.stop(Signal::KILL).0, None);
    assert_eq!(two.upload(&token, "after.txt", "content").status, 201);
    assert_eq!(two.stop(Signal::TERM).0, Some(0));
}

#[test]
fn the_job_of_a_node_that_is_killed_goes_on_elsewhere() {
    let cluster = Cluster::new();
    let [(first, one), (_second, two)] = cluster.two_nodes(&cluster.with_disks("primary = \"one\""));
    let token = first.place.token();
    let known = fill(&one, &token, 48);
    // Only the first can take the job.
    two.signal(Signal::STOP);
    // Slow enough to be met in its middle.
    let order = ["relocate", "--detach", "--from", "one", "--to", "two", "--grace", "0s", "--rate", "100kB/s"];
    let id = first.place.json(&order)["entries"][0]["id"].as_str().unwrap().to_owned();
    while cluster.objects("two") == 0 {
        std::thread::yield_now();
    }
    assert_eq!(one.stop(Signal::KILL).0, None);
    two.signal(Signal::CONT);
    let shown = |field: &str| two.get(&format!("/admin/v1/relocations/{id}"), &token).json()[field].clone();
    assert_eq!(shown("state"), "running", "it was in its middle");
    // Only the lease stands in between: its length is a matter of the job runner's tests.
    while shown("state") != "done" {
        std::thread::yield_now();
    }
    assert_eq!((cluster.objects("one"), shown("bytes_done")), (0, shown("bytes_total")));
    check_all(&two, &token, &known);
    assert_eq!(two.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_node_with_an_older_file_does_not_undo_what_was_moved() {
    let cluster = Cluster::new();
    let old = cluster.with_disks("primary = \"one\"");
    let new = cluster.with_disks("primary = \"two\"");
    let [(first, one), (second, two)] = cluster.two_nodes(&old);
    let token = first.place.token();
    let two = Arc::new(two);
    let clients = Clients::start(&two, &token, fill(&one, &token, 8));
    let moved = first.place.run(&["relocate", "--json", "--from", "one", "--to", "two", "--grace", "0s"]);
    assert!(moved.status.success(), "{}{}", text(&moved.stdout), text(&moved.stderr));
    let known = clients.end();
    let two = Arc::into_inner(two).unwrap();
    // The file is brought to one of them.
    fs::write(&first.config, &new).unwrap();
    let reloaded = one.post("/admin/v1/config/reload", &token, "");
    assert_eq!(reloaded.status, 200, "{}", reloaded.body);
    while !two.request("GET", "/readyz", &[], "").body.contains("newer storage configuration") {
        std::thread::yield_now();
    }
    // The other goes on by the old one: for it, too, the source means the target.
    let in_force = || one.get("/admin/v1/relocations", &token).json()["entries"][0]["in_force"].clone();
    assert_eq!(in_force(), json!(true));
    upload(&two, &token, "late.txt", &content(5_000));
    assert_eq!(cluster.objects("one"), 0);
    // And when it is restarted it says what is wrong, instead of bringing everything back.
    assert_eq!(two.stop(Signal::TERM).0, Some(0));
    let (code, message) = second.refused();
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("policy \"twice\" is different there"), "{message}");
    let policies = one.get("/admin/v1/policies", &token).json();
    assert_eq!(policies["entries"][0]["primary"], "two");
    fs::write(&second.config, &new).unwrap();
    let two = second.serve();
    check_all(&two, &token, &known);
    assert_eq!(in_force(), json!(true), "a node that is stopped may have the old file for a day");
    // A file without the source is one by which nobody can go there.
    let gone = new.replace("[\"one\", \"two\"]", "[\"two\"]");
    let (before, after) = gone.split_once("[[backend]]").unwrap();
    let (_, after) = after.split_once("[[backend]]").unwrap();
    let gone = format!("{before}[[backend]]{after}");
    for (node, server) in [(&first, &one), (&second, &two)] {
        assert_eq!(in_force(), json!(true), "one of them has it yet");
        fs::write(&node.config, &gone).unwrap();
        let reloaded = server.post("/admin/v1/config/reload", &token, "");
        assert_eq!(reloaded.status, 200, "{}", reloaded.body);
    }
    while in_force() == json!(true) {
        std::thread::yield_now();
    }
    check_all(&one, &token, &known);
    assert_eq!((one.stop(Signal::TERM).0, two.stop(Signal::TERM).0), (Some(0), Some(0)));
}

#[test]
fn a_node_without_the_key_of_the_others_is_refused() {
    let cluster = Cluster::new();
    let config = cluster.config("");
    let (first, second) = (Node::new(&config), Node::new(&config));
    assert_eq!(first.serve().stop(Signal::TERM).0, Some(0));
    let (code, message) = second.refused();
    assert_eq!(code, Some(4), "{message}");
    assert!(message.contains("keys/local.key") && !message.contains(&cluster.password), "{message}");
}
