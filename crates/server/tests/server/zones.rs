//! Zones, backends and policies that a configuration declares: served, reloaded, and refused where something would be lost.

use crate::program::{Place, Server, entente, files, text};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// Two zones: one with two disks and two copies, one with one.
const TWO_ZONES: &str = r#"
[[custodian]]
name = "keys"
kind = "local"
path = "keys/zones.key"

[[backend]]
name = "north"
kind = "fs"
path = "../north"
provider = "one"
jurisdiction = "FR"

[[backend]]
name = "south"
kind = "fs"
path = "../south"
provider = "two"
jurisdiction = "FR"

[[backend]]
name = "east"
kind = "fs"
path = "../east"
jurisdiction = "DE"

[[zone]]
name = "france"
jurisdiction = "FR"
backends = ["north", "south"]
custodian = "keys"

[[zone]]
name = "germany"
jurisdiction = "DE"
backends = ["east"]
custodian = "keys"

[[policy]]
name = "twice"
zone = "france"
primary = "north"
replicas = ["south"]
durable = 2
providers_min = 2
default = true

[[policy]]
name = "once"
zone = "germany"
primary = "east"
"#;

struct Site {
    place: Place,
    config: PathBuf,
}

impl Site {
    fn new(config: &str) -> Self {
        let place = Place::new();
        let config = place.file("entente.toml", config);
        Self { place, config }
    }

    fn write(&self, config: &str) {
        fs::write(&self.config, config).unwrap();
    }

    fn serve(&self) -> Server {
        self.place.serve_with(&["--listen", "127.0.0.1:0", "--config", self.config.to_str().unwrap()])
    }

    /// What a server says that must not start.
    fn refused(&self) -> (Option<i32>, String) {
        let mut command = entente(&["serve", "--listen", "127.0.0.1:0", "--config"]);
        let output = command.arg(&self.config).arg("--data").arg(self.place.data()).output().unwrap();
        (output.status.code(), text(&output.stderr))
    }

    fn reload(&self) -> (Option<i32>, String) {
        let output = self.place.run(&["config", "reload"]);
        (output.status.code(), text(&output.stderr))
    }

    fn backend(&self, name: &str) -> Value {
        let list = self.place.json(&["backend", "list"]);
        list.as_array().unwrap().iter().find(|backend| backend["name"] == name).cloned().unwrap_or_default()
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.place.data().parent().unwrap().join(name)
    }

    /// Stored objects of a backend.
    fn objects(&self, name: &str) -> usize {
        files(&self.folder(name)).iter().filter(|path| !path.ends_with("entente-store")).count()
    }
}

fn upload(server: &Server, token: &str, name: &str) {
    let uploaded = server.upload(token, name, &"content ".repeat(300));
    assert_eq!(uploaded.status, 201, "{}", uploaded.body);
}

/// The file with one section's text left out.
fn without(config: &str, section: &str) -> String {
    let (before, after) = config.split_once(section).unwrap();
    let end = after.find("\n[[").map_or(after.len(), |end| end + 1);
    format!("{before}{}", &after[end..])
}

fn with_one_zone() -> String {
    let config = without(TWO_ZONES, "[[backend]]\nname = \"east\"");
    let config = without(&config, "[[zone]]\nname = \"germany\"");
    without(&config, "[[policy]]\nname = \"once\"")
}

#[test]
fn three_backends_in_two_zones_are_served() {
    let site = Site::new(TWO_ZONES);
    let server = site.serve();
    let ready = server.request("GET", "/readyz", &[], "");
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    upload(&server, &site.place.token(), "french.txt");
    site.place.json(&["user", "create", "--login", "anna@example.org", "--name", "Anna"]);
    let assigned = site.place.json(&["policy", "assign", "--login", "anna@example.org", "once"]);
    assert_eq!(assigned["policy"], "once");
    let anna = site.place.json(&["token", "issue", "--login", "anna@example.org"])["token"].clone();
    upload(&server, anna.as_str().unwrap(), "german.txt");

    assert_eq!((site.objects("north"), site.objects("south"), site.objects("east")), (1, 1, 1));
    let (north, east) = (site.backend("north"), site.backend("east"));
    assert_eq!((&north["zone"], &north["provider"], &north["kind"]), (&json!("france"), &json!("one"), &json!("fs")));
    assert_eq!(
        (&north["health"]["state"], &north["holdings"]["segments"], &east["holdings"]["segments"]),
        (&json!("healthy"), &json!(1), &json!(1))
    );
    assert!(!site.place.data().join("segments").exists(), "the embedded default is not used");
    let metrics = server.request("GET", "/metrics", &[], "").body;
    assert!(metrics.contains("entente_backend_state{backend=\"south\"} 0"), "{metrics}");

    assert_eq!(site.place.json(&["verify"])["clean"], true);
    let zones = site.place.json(&["zone", "list"]);
    assert_eq!((&zones[0]["jurisdiction"], &zones[1]["policies"]), (&json!("FR"), &json!(["once"])));
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    assert_eq!(site.place.json(&["verify"])["clean"], true, "and without a server");
    let policies = site.place.json(&["policy", "list"]);
    assert_eq!((&policies[0]["default"], &policies[1]["assignments"]), (&json!(true), &json!(1)));
    let listed = text(&site.place.run(&["backend", "list"]).stdout);
    assert!(listed.contains("JURISDICTION") && listed.contains("germany"), "{listed}");
}

#[test]
fn a_policy_that_needs_all_of_its_backends_refuses_without_one() {
    let site = Site::new(TWO_ZONES);
    // Where the folder of a backend should be is a file.
    fs::write(site.folder("south"), "in the way").unwrap();
    let server = site.serve();
    let token = site.place.token();
    let refused = server.upload(&token, "a.txt", "content");
    assert!(refused.status >= 500, "{}", refused.body);
    let ready = server.request("GET", "/readyz", &[], "");
    assert_eq!((ready.status, ready.body.contains("degraded: the backend south")), (200, true), "{}", ready.body);
    assert_eq!(site.backend("south")["health"]["state"], "down");
    // It is looked for again and again.
    fs::remove_file(site.folder("south")).unwrap();
    while site.backend("south")["health"]["state"] != "healthy" {}
    upload(&server, &token, "b.txt");
    assert_eq!(site.objects("south"), 1);
}

#[test]
fn a_reload_takes_effect_without_a_restart() {
    let site = Site::new(&with_one_zone());
    let server = site.serve();
    let token = site.place.token();
    upload(&server, &token, "a.txt");
    assert!(!site.folder("east").exists());
    site.write(TWO_ZONES);
    assert_eq!(site.reload(), (Some(0), String::new()));
    let backends = server.get("/admin/v1/backends", &token).json();
    assert_eq!(backends["entries"].as_array().unwrap().len(), 3);
    let once =
        TWO_ZONES.replace("default = true", "").replace("primary = \"east\"", "primary = \"east\"\ndefault = true");
    site.write(&once);
    let reloaded = server.post("/admin/v1/config/reload", &token, "");
    assert_eq!((reloaded.status, &reloaded.json()["policies"]), (200, &json!(2)), "{}", reloaded.body);
    upload(&server, &token, "b.txt");
    assert!(site.objects("east") >= 1, "the other policy is the default now");
    assert_eq!(site.place.json(&["verify"])["undamaged"], true);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_reload_with_mistakes_leaves_everything_as_it_was() {
    let site = Site::new(TWO_ZONES);
    let server = site.serve();
    let token = site.place.token();
    site.write(&TWO_ZONES.replace("primary = \"east\"", "primary = \"west\"").replace("durable = 2", "durable = 5"));
    let refused = server.post("/admin/v1/config/reload", &token, "");
    assert_eq!(refused.status, 422);
    let message = refused.json()["error"]["message"].as_str().unwrap().to_owned();
    for says in ["entente.toml: line", "\"west\"", "asks for 5 durable copies"] {
        assert!(message.contains(says), "{message}");
    }
    let (code, message) = site.reload();
    assert_eq!(code, Some(2));
    assert!(message.contains("there is no [[backend]] \"west\""), "{message}");
    upload(&server, &token, "a.txt");
    assert_eq!(server.get("/admin/v1/policies", &token).json()["entries"][0]["durable"], 2);
    site.write("");
    let (code, message) = site.reload();
    assert_eq!(code, Some(2), "the file no longer has what is in use");
    assert!(message.contains("policy \"twice\" is no longer configured"), "{message}");
    upload(&server, &token, "b.txt");
    let (_, log) = server.stop(Signal::TERM);
    assert!(log.contains("the former one stays in force"), "{log}");
}

#[test]
fn a_hangup_reads_the_file_again() {
    let site = Site::new(&with_one_zone());
    let server = site.serve();
    let token = site.place.token();
    site.write(TWO_ZONES);
    server.signal(Signal::HUP);
    while server.get("/admin/v1/backends", &token).json()["entries"].as_array().unwrap().len() < 3 {}
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn only_administrators_see_and_reload() {
    let site = Site::new(TWO_ZONES);
    let server = site.serve();
    site.place.json(&["user", "create", "--login", "anna@example.org", "--name", "Anna"]);
    let anna = site.place.json(&["token", "issue", "--login", "anna@example.org"])["token"].clone();
    let anna = anna.as_str().unwrap();
    for path in ["/admin/v1/backends", "/admin/v1/zones", "/admin/v1/policies"] {
        assert_eq!((server.get(path, anna).status, server.get(path, "nonsense").status), (403, 401), "{path}");
    }
    assert_eq!(server.post("/admin/v1/config/reload", anna, "").status, 403);
}

#[test]
fn two_installations_do_not_share_a_folder() {
    let site = Site::new(TWO_ZONES);
    assert_eq!(site.serve().stop(Signal::TERM).0, Some(0));
    let other = Site::new(&TWO_ZONES.replace("../north", site.folder("north").to_str().unwrap()));
    let (code, message) = other.refused();
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("backend \"north\"") && message.contains("another installation"), "{message}");
}

#[test]
fn a_folder_with_foreign_files_is_refused() {
    let site = Site::new(TWO_ZONES);
    fs::create_dir(site.folder("east")).unwrap();
    fs::write(site.folder("east").join("holiday.jpg"), "sea").unwrap();
    let (code, message) = site.refused();
    assert_eq!(code, Some(2), "{message}");
    assert!(message.contains("backend \"east\"") && message.contains("holiday.jpg"), "{message}");
    assert_eq!(fs::read(site.folder("east").join("holiday.jpg")).unwrap(), b"sea");
}

#[test]
fn a_backend_with_the_only_copy_is_not_let_go() {
    let single = TWO_ZONES.replace("replicas = [\"south\"]\ndurable = 2\nproviders_min = 2", "");
    let site = Site::new(&single);
    let server = site.serve();
    upload(&server, &site.place.token(), "a.txt");
    // Another primary, and the former gone.
    let moved = without(&single, "[[backend]]\nname = \"north\"")
        .replace("[\"north\", \"south\"]", "[\"south\"]")
        .replace("primary = \"north\"", "primary = \"south\"");
    site.write(&moved);
    let says = "backend \"north\" is no longer configured, and has the only durable copy of 1 segments of";
    let (code, message) = site.reload();
    assert!(code == Some(2) && message.contains(says), "{message}");
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    let (code, message) = site.refused();
    assert!(code == Some(2) && message.contains(says), "{message}");
    // Nothing has happened to it.
    site.write(&single);
    let server = site.serve();
    assert_eq!(site.place.json(&["verify"])["clean"], true);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_backend_whose_copies_are_elsewhere_may_go() {
    let site = Site::new(TWO_ZONES);
    let server = site.serve();
    let token = site.place.token();
    upload(&server, &token, "a.txt");
    let fewer = without(TWO_ZONES, "[[backend]]\nname = \"north\"")
        .replace("[\"north\", \"south\"]", "[\"south\"]")
        .replace("primary = \"north\"\nreplicas = [\"south\"]\ndurable = 2\nproviders_min = 2", "primary = \"south\"");
    site.write(&fewer);
    assert_eq!(site.reload(), (Some(0), String::new()));
    assert_eq!(site.backend("north"), Value::Null, "it is forgotten");
    upload(&server, &token, "b.txt");
    assert_eq!((site.objects("north"), site.objects("south")), (1, 2));
    assert_eq!(site.place.json(&["verify"])["clean"], true);
    let (_, log) = server.stop(Signal::TERM);
    assert!(log.contains("forgot the copies"), "{log}");
}

#[test]
fn an_empty_folder_in_place_of_one_with_copies_is_not_used() {
    let site = Site::new(TWO_ZONES);
    let server = site.serve();
    let token = site.place.token();
    upload(&server, &token, "a.txt");
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    // As when a disk is not mounted.
    fs::rename(site.folder("south"), site.folder("elsewhere")).unwrap();
    fs::create_dir(site.folder("south")).unwrap();
    let server = site.serve();
    let south = site.backend("south");
    assert_eq!(south["health"]["state"], "down");
    assert!(south["health"]["waits_for"].as_str().unwrap().contains("mounted"), "{south}");
    let items = server.get("/box/2.0/folders/0/items", &token).json();
    let file = items["entries"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&format!("/box/2.0/files/{file}/content"), &token).status, 302);
    fs::remove_dir_all(site.folder("south")).unwrap();
    fs::rename(site.folder("elsewhere"), site.folder("south")).unwrap();
    while site.backend("south")["health"]["state"] != "healthy" {}
    assert_eq!(site.place.json(&["verify"])["clean"], true);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn a_store_that_began_without_a_file_goes_on_with_one() {
    let place = Place::new();
    let server = place.serve();
    let token = place.token();
    upload(&server, &token, "a.txt");
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    // As it was before there were markers.
    fs::remove_file(place.data().join("segments/entente-store")).unwrap();
    let config = r#"
        [[custodian]]
        name = "local"
        kind = "local"
        path = "keys/local.key"
        [[backend]]
        name = "local"
        kind = "fs"
        path = "segments"
        jurisdiction = "FR"
        [[backend]]
        name = "second"
        kind = "fs"
        path = "../second"
        jurisdiction = "FR"
        [[zone]]
        name = "default"
        jurisdiction = "FR"
        backends = ["local", "second"]
        custodian = "local"
        [[policy]]
        name = "default"
        zone = "default"
        primary = "local"
        replicas = ["second"]
        durable = 2
        default = true
    "#;
    let site = Site { config: place.file("entente.toml", config), place };
    let server = site.serve();
    upload(&server, &token, "b.txt");
    assert_eq!(site.place.json(&["verify"])["undamaged"], true);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    // Without the file the second disk is forgotten; the first has everything.
    let refused = site.place.refused();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("backend \"second\" is not in this one"), "{}", text(&refused.stderr));
    let server = site.place.serve_with(&["--listen", "127.0.0.1:0", "--accept-config"]);
    assert_eq!(site.place.json(&["verify"])["undamaged"], true);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn an_older_file_is_refused_and_taken_on_purpose() {
    let site = Site::new(&with_one_zone());
    let server = site.serve();
    let token = site.place.token();
    site.write(TWO_ZONES);
    assert_eq!(site.reload(), (Some(0), String::new()));
    // As if a node had been forgotten.
    site.write(&with_one_zone());
    for (code, message) in [site.reload(), site.reload()] {
        assert_eq!(code, Some(2), "{message}");
        for says in ["generation 1", "generation 2", "policy \"once\" is not in this one", "--accept-config"] {
            assert!(message.contains(says), "{message}");
        }
    }
    let going_back = ["config", "reload", "--accept-config", "--config", site.config.to_str().unwrap()];
    assert_eq!(site.place.json(&going_back)["policies"], 1, "it is meant");
    site.write(TWO_ZONES);
    assert_eq!(site.place.json(&going_back)["zones"], 2, "and back again");
    site.write(&with_one_zone());
    upload(&server, &token, "a.txt");
    let status = || server.get("/admin/v1/status", &token).json();
    assert_eq!(status()["configuration_generation"], 4);
    while status()["nodes"][0]["configuration_generation"] != 4 {}
    assert_eq!((status()["nodes"].as_array().unwrap().len(), status()["nodes"][0]["seen_at"].is_string()), (1, true));
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    assert_eq!(site.place.json(&["status"])["nodes"], json!([]), "it has left");
    let (code, message) = site.refused();
    assert!(code == Some(2) && message.contains("generation 4 has been in force since"), "{message}");
    let accepted = ["--listen", "127.0.0.1:0", "--accept-config", "--config", site.config.to_str().unwrap()];
    let server = site.place.serve_with(&accepted);
    upload(&server, &token, "b.txt");
    assert_eq!(server.get("/admin/v1/status", &token).json()["configuration_generation"], 5);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    site.write(TWO_ZONES);
    assert_eq!(site.refused().0, Some(2), "the other is the older one then");
}

#[test]
fn commands_want_the_configuration_of_the_server() {
    let site = Site::new(TWO_ZONES);
    assert_eq!(site.serve().stop(Signal::TERM).0, Some(0));
    let other = site.place.file("other.toml", &with_one_zone());
    let output = site.place.run(&["verify", "--config", other.to_str().unwrap()]);
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("a backend \"east\" that the configuration does not have"), "{message}");
    assert_eq!(site.place.json(&["verify"])["clean"], true, "they find it by themselves");
}

#[test]
fn a_configuration_is_checked_and_shown() {
    let place = Place::new();
    let good = place.file("good.toml", TWO_ZONES);
    let run = |verb: &[&str], file: &PathBuf| entente(verb).arg("--config").arg(file).output().unwrap();
    let output = run(&["config", "check"], &good);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("3 backends, 2 zones, 2 policies"));
    let bad =
        place.file("bad.toml", &TWO_ZONES.replace("jurisdiction = \"DE\"", "").replace("[[policy]]", "[[polisy]]"));
    let output = run(&["config", "check", "--json"], &bad);
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["valid"], false);
    let mistakes = report["mistakes"].as_array().unwrap();
    let named = |section: &str, field: &str| {
        mistakes.iter().any(|mistake| mistake["section"] == section && mistake["field"] == field)
    };
    assert!(named("[[backend]] \"east\"", "jurisdiction") && named("", "polisy"), "{report}");
    let secret = place.file("secret.toml", "[database]\nurl = \"postgres://me:hush@db/x\"\n");
    let output = run(&["config", "check"], &secret);
    assert!(output.status.code() == Some(2) && !text(&output.stdout).contains("hush"));
    let shown: Value = serde_json::from_slice(&run(&["config", "show", "--json"], &good).stdout).unwrap();
    assert_eq!((&shown["policies"][0]["on_primary_down"], &shown["declared"]), (&json!("use_replica"), &json!(true)));
    assert!(text(&run(&["config", "show"], &good).stdout).contains("zones.france.custodian = \"keys\""));
    let output = entente(&["config", "check", "--data"]).arg(place.data()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_backend_is_put_to_the_test() {
    let site = Site::new(TWO_ZONES);
    // Before there is a store, too; and it can be used afterwards.
    let config = site.config.to_str().unwrap();
    let passed = site.place.json(&["backend", "check", "east", "--config", config]);
    assert_eq!((&passed["passed"], &passed["checks"][0]["failure"]), (&json!(true), &Value::Null), "{passed}");
    let server = site.serve();
    upload(&server, &site.place.token(), "a.txt");
    let before = site.objects("north");
    let passed = site.place.json(&["backend", "check", "north"]);
    assert_eq!((&passed["passed"], &passed["kind"]), (&json!(true), &json!("fs")));
    assert_eq!(site.objects("north"), before);
    let output = site.place.run(&["backend", "check", "west"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("configured are north, south, east"));
}
