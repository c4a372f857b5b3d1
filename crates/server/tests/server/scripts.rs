//! What scripts rely on: JSON, exit statuses, standard output that has nothing else on it.

use crate::program::{Place, Server, entente, text};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::Write;
use std::process::Stdio;

const PUBLIC_KEY: &str = include_str!("../../../identity/tests/fixtures/test-only-public.pem");

#[test]
fn every_verb_prints_json_beside_a_server_and_without_one() {
    let place = Place::new();
    let server = place.serve();
    verbs(&place, "one");
    assert_eq!(place.json(&["status"])["server"]["url"], server.ready["url"]);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    verbs(&place, "two");
    assert_eq!(place.json(&["status"])["server"], json!({ "running": false, "pid": null, "url": null }));
}

fn verbs(place: &Place, suffix: &str) {
    let login = format!("{suffix}@example.org");
    let user = place.json(&["user", "create", "--login", &login, "--name", "Somebody", "--role", "co-admin"]);
    assert_eq!((&user["login"], &user["role"]), (&json!(login), &json!("co-admin")));
    let users = place.json(&["user", "list"]);
    assert!(users.as_array().unwrap().iter().any(|other| other["id"] == user["id"]));
    let token = place.json(&["token", "issue", "--login", &login, "--expires", "12h"]);
    assert!(token["expires_at"].as_str().unwrap().ends_with('Z') && token["user_id"] == user["id"]);
    let key = place.file("public.pem", PUBLIC_KEY);
    let app = place.json(&["app", "create", "--name", suffix, "--public-key", key.to_str().unwrap()]);
    for field in ["client_id", "client_secret", "public_key_id", "enterprise_id", "service_login"] {
        assert!(app[field].is_string(), "{field}: {app}");
    }
    assert!(place.json(&["app", "list"]).as_array().unwrap().iter().any(|other| other["name"] == suffix));
    let status = place.json(&["status"]);
    assert!(status["users"].as_u64().unwrap() >= 3 && status["schema"].as_u64().unwrap() >= 1, "{status}");
    assert_eq!(place.json(&["verify"])["clean"], true);
    assert_eq!(place.json(&["verify", "--quick"])["clean"], true);
    assert_eq!(place.json(&["collect", "--grace", "0s"])["stopped"], false);
    assert_eq!(place.json(&["repack", "--age", "0s"])["stopped"], false);
}

#[test]
fn collecting_beside_a_server_is_patient() {
    let place = Place::new();
    let server = place.serve();
    assert_eq!(place.json(&["collect", "--grace", "0s"])["grace_seconds"], 3_600);
    assert_eq!(place.json(&["collect", "--grace", "2h"])["grace_seconds"], 7_200);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    assert_eq!(place.json(&["collect", "--grace", "0s"])["grace_seconds"], 0);
}

#[test]
fn what_is_purged_is_collected() {
    let place = Place::new();
    let server = place.serve();
    let token = place.token();
    let file = server.upload(&token, "gone.txt", &"gone ".repeat(1_000)).json()["entries"][0]["id"].clone();
    let file = file.as_str().unwrap();
    let authorization = format!("Bearer {token}");
    for path in [format!("/box/2.0/files/{file}"), format!("/box/2.0/files/{file}/trash")] {
        assert_eq!(server.request("DELETE", &path, &[("authorization", &authorization)], "").status, 204, "{path}");
    }
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    let collected = place.json(&["collect", "--grace", "0s"]);
    assert!(collected["segments"].as_u64().unwrap() >= 1, "{collected}");
    let verified = place.json(&["verify"]);
    assert_eq!((&verified["clean"], &verified["objects"], &verified["contents"]), (&json!(true), &json!(0), &json!(0)));
}

#[test]
fn an_app_gets_tokens_from_the_token_endpoint() {
    let place = Place::new();
    let server = place.serve();
    let app = place.json(&["app", "create", "--name", "sync"]);
    let (id, secret) = (app["client_id"].as_str().unwrap(), app["client_secret"].as_str().unwrap());
    let enterprise = app["enterprise_id"].as_str().unwrap();
    let form = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}&box_subject_type=enterprise&box_subject_id={enterprise}"
    );
    let answer = token_request(&server, &form);
    assert_eq!(answer.0, 200, "{}", answer.1);
    let me = server.get("/box/2.0/users/me", answer.1["access_token"].as_str().unwrap());
    assert_eq!(me.json()["login"], app["service_login"]);
    let answer = token_request(&server, &form.replace(secret, "wrong"));
    assert_eq!((answer.0, &answer.1["error"]), (400, &json!("invalid_client")));
}

fn token_request(server: &Server, form: &str) -> (u16, Value) {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = server.request("POST", "/box/oauth2/token", &headers, form);
    (answer.status, answer.json())
}

#[test]
fn a_token_is_revoked_from_standard_input() {
    let place = Place::new();
    let server = place.serve();
    let token = place.token();
    let revoke = |token: &str| {
        let mut command = entente(&["token", "revoke", "--json", "--data"]);
        let mut child = command.arg(place.data()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(format!("{token}\n").as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["revoked"] == true
    };
    assert_eq!(server.get("/box/2.0/users/me", &token).status, 200);
    assert!(revoke(&token));
    assert_eq!(server.get("/box/2.0/users/me", &token).status, 401);
    assert!(!revoke(&token) && !revoke("nonsense"));
}

#[test]
fn mistakes_are_told_by_status_and_sentence() {
    let place = Place::new();
    let _server = place.serve();
    let wrong: [(&[&str], i32, &str); 10] = [
        (&["token", "issue", "--login", "nobody@example.org"], 1, "user list"),
        (&["token", "issue", "--login", "admin@entente.local", "--expires", "soon"], 2, "30d"),
        (&["user", "create", "--login", "no address", "--name", "X"], 2, "mail address"),
        (&["user", "create", "--login", "Admin@entente.local", "--name", "X"], 1, "another user has this login"),
        (&["user", "create", "--login", "a@example.org", "--name", ""], 1, "a user needs a name"),
        (&["app", "create", "--name", "x", "--public-key", "/nowhere.pem"], 1, "/nowhere.pem"),
        (&["collect", "--grace", "5 weeks"], 2, "--grace"),
        (&["repack", "--live-share", "2"], 2, "0 to 1"),
        (&["status", "--frobnicate"], 2, "--frobnicate"),
        (&["status", "--log-level", "=="], 2, "log level"),
    ];
    for (verb, code, says) in wrong {
        let output = place.run(verb);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{verb:?}: {message}");
        assert!(message.contains(says), "{verb:?} says {message}");
        assert!(output.stdout.is_empty(), "{verb:?}");
    }
    let private = place.file("private.pem", "-----BEGIN PRIVATE KEY-----\n");
    let output = place.run(&["app", "create", "--json", "--name", "x", "--public-key", private.to_str().unwrap()]);
    let error: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["status"], 1);
    assert!(error["error"].as_str().unwrap().contains("private key"), "{error}");
}

#[test]
fn mistakes_in_serving_are_told_too() {
    let place = Place::new();
    let config = place.file("entente.toml", "listen = \"127.0.0.1:0\"\nlimitz = 5\n");
    let config = config.to_str().unwrap();
    let certificate = place.file("cert.pem", "nothing");
    let certificate = certificate.to_str().unwrap();
    let wrong: [(&[&str], i32, &str); 6] = [
        (&["serve", "--config", config], 2, "line 2"),
        (&["serve", "--config", "/nowhere.toml"], 2, "/nowhere.toml"),
        (&["serve", "--public-url", "files.example.org"], 2, "--public-url"),
        (&["serve", "--tls-cert", certificate], 2, "--tls-key"),
        (&["serve", "--tls-cert", certificate, "--tls-key", certificate], 2, "certificate"),
        (&["serve", "--listen", "203.0.113.1:1"], 1, "cannot listen on 203.0.113.1:1"),
    ];
    for (verb, code, says) in wrong {
        let output = place.run(verb);
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{verb:?}: {message}");
        assert!(message.contains(says), "{verb:?} says {message}");
    }
}

#[test]
fn the_log_can_be_json_and_is_on_standard_error_alone() {
    let place = Place::new();
    let server = place.serve_with(&["--listen", "127.0.0.1:0", "--log", "json", "--log-level", "info,access=debug"]);
    let token = place.token();
    assert_eq!(server.upload(&token, "a very private name.txt", "x").status, 201);
    let (code, log) = server.stop(Signal::TERM);
    assert_eq!(code, Some(0));
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["target"] == "access"), "{log}");
    assert!(!log.contains("private name") && !log.contains(&token), "{log}");
}
