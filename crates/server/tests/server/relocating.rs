//! `entente relocate` and `entente scrub`: what is stored moves while people work.

use crate::movers::{Clients, Disks, ONE_COPY, TWO_COPIES, check_all, content, download, fill, last_line, upload};
use crate::program::text;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

#[test]
fn everything_moves_while_clients_read_and_write_and_moves_back() {
    let disks = Disks::new(ONE_COPY);
    let server = Arc::new(disks.serve());
    let token = disks.place.token();
    let known = fill(&server, &token, 40);

    let held = disks.objects("alpha").len();
    let bytes: u64 = disks.objects("alpha").iter().map(|path| path.metadata().unwrap().len()).sum();
    let dry = disks.place.json(&["relocate", "--from", "alpha", "--to", "beta", "--dry-run", "--rate", "1MB/s"]);
    assert_eq!((&dry["objects"], &dry["bytes"]), (&json!(held), &json!(bytes)), "{dry}");
    // Each object is read once, and what is written of them, together where they are small, is read back.
    let requests = |kind: &str| usize::try_from(dry["requests"][kind].as_u64().unwrap()).unwrap();
    assert_eq!((requests("reads"), requests("deletes")), (held + requests("writes"), held), "{dry}");
    assert!((1..=held).contains(&requests("writes")), "{dry}");
    assert!(disks.objects("beta").is_empty(), "a dry run changes nothing");

    let clients = Clients::start(&server, &token, known);
    for (from, to) in [("alpha", "beta"), ("beta", "alpha")] {
        let ended = disks.relocate(&["--from", from, "--to", to, "--grace", "0s"]);
        assert_eq!((&ended["state"], &ended["failures"]), (&json!("done"), &json!(0)), "{ended}");
        assert_eq!(ended["bytes_done"], ended["bytes_total"], "{ended}");
        assert_eq!(disks.objects(from), Vec::<PathBuf>::new(), "{from} is empty");
        assert!(!disks.objects(to).is_empty());
    }
    let known = clients.end();
    assert!(known.len() > 40);
    check_all(&server, &token, &known);
    assert!(disks.is_undamaged());
    let listed = server.get("/admin/v1/relocations", &token).json();
    let states: Vec<_> =
        listed["entries"].as_array().unwrap().iter().map(|one| (&one["from"], &one["in_force"])).collect();
    assert_eq!(states, [(&json!("beta"), &json!(false)), (&json!("alpha"), &json!(false))], "a move back undoes");
}

#[test]
fn a_move_survives_kills_and_its_end_is_the_same() {
    let disks = Disks::new(ONE_COPY);
    let server = disks.serve();
    let token = disks.place.token();
    let mut known = fill(&server, &token, 48);
    // Large ones move one by one at this rate.
    known.extend(
        (4..8).map(|number| (upload(&server, &token, &format!("l{number}"), &content(number * 16)), number * 16)),
    );
    // Slow enough to be met in its middle.
    let id = disks.order(&["--from", "alpha", "--to", "beta", "--grace", "0s", "--rate", "100kB/s"]);
    let mut server = Some(server);
    for _ in 0..2 {
        let before = disks.objects("beta").len();
        while disks.objects("beta").len() <= before {
            std::thread::yield_now();
        }
        assert_eq!(server.take().unwrap().stop(Signal::KILL).0, None);
        server = Some(disks.serve());
    }
    let server = server.unwrap();
    let shown = disks.place.json(&["relocate", "show", &id]);
    assert_eq!(shown["state"], "running", "{shown}");
    check_all(&server, &token, &known);
    let late = upload(&server, &token, "late.txt", &content(999));
    assert_eq!(server.stop(Signal::TERM).0, Some(0));

    // Without a server the rest is done here.
    let output = disks.place.run(&["relocate", "wait", &id, "--json"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(last_line(&output.stdout)["state"], "done");
    assert!(disks.is_undamaged());
    let server = disks.serve();
    check_all(&server, &token, &known);
    assert_eq!(download(&server, &token, &late).1, content(999).into_bytes());
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    assert!(disks.place.json(&["collect", "--grace", "0s"])["stopped"] == false);
    assert_eq!(disks.objects("alpha"), Vec::<PathBuf>::new());
}

#[test]
fn a_move_can_be_paused_and_called_off() {
    let disks = Disks::new(ONE_COPY);
    let server = disks.serve();
    let token = disks.place.token();
    let mut known = fill(&server, &token, 32);
    let id = disks.order(&["--from", "alpha", "--to", "beta", "--grace", "1h", "--rate", "50kB/s"]);
    let paused = disks.place.json(&["relocate", "pause", &id]);
    assert_eq!((&paused["state"], &paused["in_force"]), (&json!("paused"), &json!(true)));
    let before = disks.objects("alpha").len();
    known.insert(upload(&server, &token, "while paused.txt", &content(500)), 500);
    assert_eq!(disks.objects("alpha").len(), before, "what is new goes to the target");

    let refused = disks.place.run(&["relocate", "--from", "beta", "--to", "alpha"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains(&id), "another is open: {}", text(&refused.stderr));
    let resumed = server.post(&format!("/admin/v1/relocations/{id}/resume"), &token, "");
    assert_eq!((resumed.status, &resumed.json()["state"]), (200, &json!("running")));
    let cancelled = disks.place.json(&["relocate", "cancel", &id]);
    assert_eq!((&cancelled["state"], &cancelled["in_force"]), (&json!("cancelling"), &json!(false)));
    known.insert(upload(&server, &token, "afterwards.txt", &content(501)), 501);
    check_all(&server, &token, &known);
    let again = server.post(&format!("/admin/v1/relocations/{id}/pause"), &token, "");
    assert_eq!((again.status, &again.json()["error"]["code"]), (409, &json!("conflict")), "{}", again.body);
    assert_eq!(server.post("/admin/v1/relocations/1/pause", &token, "").status, 404);
    assert_eq!(server.post(&format!("/admin/v1/relocations/{id}/stop"), &token, "").status, 400);
    assert!(disks.is_undamaged());
}

#[test]
fn what_makes_no_sense_is_refused() {
    let disks = Disks::new(TWO_COPIES);
    let server = disks.serve();
    let token = disks.place.token();
    let wrong: [(&[&str], i32, &str); 9] = [
        (&[], 2, "say what is to be moved"),
        (&["--from", "alpha", "--user", "admin@entente.local", "--to-policy", "de"], 2, "say one thing"),
        (&["--from", "alpha", "--to", "nowhere"], 1, "no backend \"nowhere\""),
        (&["--from", "alpha", "--to", "alpha"], 1, "give two backends"),
        (&["--from", "alpha", "--to", "gamma"], 1, "content leaves its zone only"),
        (&["--from", "alpha", "--to", "beta"], 1, "one fewer"),
        (&["--from", "beta", "--to", "alpha", "--zone", "germany"], 1, "not in zone \"germany\""),
        (&["--user", "nobody@example.org", "--to-policy", "de"], 1, "no user"),
        (&["--folder", "12345", "--to-policy", "de"], 1, "no folder"),
    ];
    for (arguments, code, says) in wrong {
        let output = disks.place.run(&[&["relocate"], arguments].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {message}");
        assert!(message.contains(says), "{arguments:?} says {message}");
    }
    for (body, status) in [("{", 400), (r#"{"from":"alpha","to":"beta","extra":1}"#, 400), (r#"{"to":"x"}"#, 400)] {
        assert_eq!(server.post("/admin/v1/relocations", &token, body).status, status, "{body}");
    }
    let anna = disks.place.json(&["user", "create", "--login", "anna@example.org", "--name", "Anna"]);
    assert!(anna["id"].is_string());
    let issued = disks.place.json(&["token", "issue", "--login", "anna@example.org"]);
    let anna = issued["token"].as_str().unwrap();
    assert_eq!(server.get("/admin/v1/relocations", anna).status, 403);
    assert_eq!(server.post("/admin/v1/scrubs", anna, "{}").status, 403);
    assert_eq!(disks.place.json(&["relocate", "list"]), json!([]), "nothing was ordered");
}

#[test]
fn a_user_and_a_folder_move_to_another_country() {
    let disks = Disks::new(ONE_COPY);
    let server = disks.serve();
    disks.place.json(&["user", "create", "--login", "anna@example.org", "--name", "Anna"]);
    let issued = disks.place.json(&["token", "issue", "--login", "anna@example.org"]);
    let anna = issued["token"].as_str().unwrap();
    let annas = fill(&server, anna, 20);
    let token = disks.place.token();
    let others = fill(&server, &token, 5);
    let trashed = upload(&server, anna, "trashed.txt", &content(77));
    let authorization = format!("Bearer {anna}");
    let path = format!("/box/2.0/files/{trashed}");
    assert_eq!(server.request("DELETE", &path, &[("authorization", &authorization)], "").status, 204);

    let dry = disks.place.json(&["relocate", "--user", "anna@example.org", "--to-policy", "de", "--dry-run"]);
    assert_eq!(dry["contents"], 21, "{dry}");
    let ended = disks.relocate(&["--user", "anna@example.org", "--to-policy", "de"]);
    assert_eq!((&ended["state"], &ended["contents_done"]), (&json!("done"), &json!(21)), "{ended}");
    assert!(!disks.objects("gamma").is_empty());
    check_all(&server, anna, &annas);
    check_all(&server, &token, &others);
    let before = disks.objects("alpha").len();
    let new = upload(&server, anna, "new.txt", &content(88));
    assert_eq!(disks.objects("alpha").len(), before, "what is new follows the user's policy");
    assert_eq!(download(&server, anna, &new).1, content(88).into_bytes());

    let made = server.post("/box/2.0/folders", &token, r#"{"name":"reports","parent":{"id":"0"}}"#).json();
    let folder = made["id"].as_str().unwrap();
    let (moved, number) = others.iter().next().unwrap();
    let (path, parent) = (format!("/box/2.0/files/{moved}"), json!({ "parent": { "id": folder } }).to_string());
    let headers = [("authorization", &*format!("Bearer {token}")), ("content-type", "application/json")];
    assert_eq!(server.request("PUT", &path, &headers, &parent).status, 200);
    let ended = disks.relocate(&["--folder", folder, "--to-policy", "de"]);
    assert_eq!((&ended["state"], &ended["contents_done"]), (&json!("done"), &json!(1)), "{ended}");
    assert_eq!(download(&server, &token, moved).1, content(*number).into_bytes());
    assert!(disks.is_undamaged());
}

#[test]
fn damage_is_found_by_a_scrub_told_and_repaired() {
    let disks = Disks::new(&TWO_COPIES.replacen("replicas", "durable = 2\nreplicas", 1));
    let server = disks.serve();
    let token = disks.place.token();
    let known = fill(&server, &token, 12);
    assert_eq!(disks.objects("alpha").len(), disks.objects("beta").len());
    let objects = disks.objects("alpha");
    std::fs::remove_file(&objects[0]).unwrap();
    let mut bytes = std::fs::read(&objects[1]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&objects[1]).unwrap();
    std::fs::write(&objects[1], bytes).unwrap();
    let stray = disks.place.data().with_file_name("alpha").join("ab").join(format!("ab{}", "0".repeat(30)));
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::write(&stray, "not ours").unwrap();

    let started = disks.place.run(&["scrub", "start", "--wait", "--json"]);
    let report: Value = serde_json::from_slice(&started.stdout).unwrap();
    let of = |report: &Value, name: &str| {
        let found = report["backends"].as_array().unwrap().iter().find(|one| one["backend"] == name);
        found.unwrap().clone()
    };
    let alpha = &of(&report, "alpha")["scrubs"][0];
    assert_eq!((&alpha["state"], &alpha["replicas_checked"]), (&json!("ended"), &json!(objects.len())), "{report}");
    assert_eq!((&alpha["replicas_missing"], &alpha["replicas_with_wrong_bytes"]), (&json!(1), &json!(1)), "{alpha}");
    assert_eq!((&alpha["unknown_objects"], &alpha["unknown_bytes"]), (&json!(1), &json!(8)), "{alpha}");
    assert_eq!(alpha["findings"].as_array().unwrap().len(), 3, "{alpha}");
    let beta = &of(&report, "beta")["scrubs"][0];
    assert_eq!((&beta["replicas_missing"], &beta["replicas_with_wrong_bytes"]), (&json!(0), &json!(0)), "{beta}");

    // The server repairs what was found, from beta.
    let unrepaired = || of(&server.get("/admin/v1/scrubs", &token).json(), "alpha")["unrepaired_replicas"].clone();
    while unrepaired() != 0 {
        std::thread::yield_now();
    }
    check_all(&server, &token, &known);
    let again = disks.place.run(&["scrub", "start", "--backend", "alpha", "--wait", "--json"]);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stdout));
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    let alpha = of(&report, "alpha");
    assert_eq!(alpha["scrubs"].as_array().unwrap().len(), 2, "{alpha}");
    assert_eq!((&alpha["scrubs"][0]["replicas_missing"], &alpha["lost_replicas"]), (&json!(0), &json!(0)), "{alpha}");
    assert!(disks.is_undamaged());
    assert_eq!(disks.place.run(&["scrub", "start", "--backend", "nowhere"]).status.code(), Some(1));
}

#[test]
fn what_cannot_be_read_is_told_and_waited_for() {
    let disks = Disks::new(ONE_COPY);
    let server = disks.serve();
    let token = disks.place.token();
    let known = fill(&server, &token, 6);
    let lost = disks.objects("alpha").remove(0);
    let elsewhere = disks.place.data().with_file_name("elsewhere");
    std::fs::rename(&lost, &elsewhere).unwrap();
    let id = disks.order(&["--from", "alpha", "--to", "beta", "--grace", "0s"]);
    let shown = || disks.place.json(&["relocate", "show", &id]);
    // All others move, and what is left of them at the source goes with a later look.
    while shown()["waiting"].is_null() || !disks.objects("alpha").is_empty() {}
    let waiting = shown();
    assert_eq!(waiting["state"], "running", "{waiting}");
    let says = waiting["waiting"].as_str().unwrap();
    assert!(says.starts_with("1 segments cannot be read: "), "{waiting}");
    let line = text(&disks.place.run(&["relocate", "list"]).stdout);
    assert!(line.contains(&format!("waiting: {says}")), "{line}");
    // A hundred looks would take hours; at one every 10 ms they are over in a second.
    assert!(waiting["passes"].as_u64().unwrap() < 100, "{waiting}");
    // Somebody brings it back, and says so.
    std::fs::rename(&elsewhere, &lost).unwrap();
    disks.place.json(&["relocate", "pause", &id]);
    disks.place.json(&["relocate", "resume", &id]);
    while shown()["state"] != "done" {}
    check_all(&server, &token, &known);
    assert_eq!(disks.objects("alpha"), Vec::<PathBuf>::new());
}

#[test]
fn one_policy_leaves_a_backend_that_others_write_to() {
    let busy = "[[policy]]\nname = \"busy\"\nzone = \"france\"\nprimary = \"alpha\"\nreplicas = [\"beta\"]\n";
    let disks = Disks::new(&format!("{ONE_COPY}{busy}"));
    let server = Arc::new(disks.serve());
    let token = disks.place.token();
    disks.place.json(&["user", "create", "--login", "anna@example.org", "--name", "Anna"]);
    disks.place.json(&["policy", "assign", "--login", "anna@example.org", "busy"]);
    let issued = disks.place.json(&["token", "issue", "--login", "anna@example.org"]);
    let anna = issued["token"].as_str().unwrap();
    let known = fill(&server, &token, 20);
    let clients = Clients::start(&server, anna, fill(&server, anna, 4));
    let ended = disks.relocate(&["--policy", "fr", "--from", "alpha", "--to", "beta", "--grace", "1s"]);
    assert_eq!((&ended["state"], &ended["policy"]), (&json!("done"), &json!("fr")), "{ended}");
    let annas = clients.end();
    check_all(&server, &token, &known);
    check_all(&server, anna, &annas);
    let policies = server.get("/admin/v1/policies", &token).json();
    let meant = |name: &str| {
        let found = policies["entries"].as_array().unwrap().iter().find(|policy| policy["name"] == name);
        found.unwrap()["meant"].clone()
    };
    assert_eq!((meant("fr"), meant("busy")), (json!(["beta"]), json!(["alpha", "beta"])));
}

#[test]
fn a_zone_and_a_policy_move_by_name() {
    let disks = Disks::new(ONE_COPY);
    let server = disks.serve();
    let token = disks.place.token();
    let known = fill(&server, &token, 8);
    let ended = disks.relocate(&["--zone", "france", "--to", "beta", "--grace", "0s"]);
    assert_eq!((&ended["from"], &ended["to"]), (&json!("alpha"), &json!("beta")));
    let ended = disks.relocate(&["--policy", "fr", "--to", "alpha", "--grace", "0s"]);
    assert_eq!((&ended["from"], &ended["to"], &ended["policy"]), (&json!("beta"), &json!("alpha"), &json!("fr")));
    assert_eq!(disks.objects("beta"), Vec::<PathBuf>::new());
    check_all(&server, &token, &known);
}
