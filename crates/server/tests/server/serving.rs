//! `entente serve`: from the first start to the last signal.

use crate::program::{Place, text};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_first_start_makes_a_store_that_serves() {
    let place = Place::new();
    let server = place.serve();
    let ready: Value = serde_json::from_slice(&std::fs::read(place.data().join("ready.json")).unwrap()).unwrap();
    assert_eq!(ready, server.ready);
    assert_eq!((&ready["ca_file"], &ready["public_url"]), (&Value::Null, &Value::Null));
    for (path, says) in [("/healthz", "ok"), ("/readyz", "ready"), ("/metrics", "entente_"), ("/", "Entente")] {
        let answer = server.request("GET", path, &[], "");
        assert!(answer.status == 200 && answer.body.contains(says), "{path}: {} {}", answer.status, answer.body);
    }
    // Windows asks so before it connects to anything below, and without a credential.
    assert_eq!(server.request("OPTIONS", "/", &[], "").status, 200);
    let mode = |path| std::fs::metadata(place.data().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(""), mode("keys"), mode("keys/local.key"), mode("metadata.sqlite")), (0o700, 0o700, 0o600, 0o600));

    let token = place.token();
    assert!(token.len() > 20 && !token.contains(char::is_whitespace), "nothing but the token is printed");
    let me = server.get("/box/2.0/users/me", &token);
    assert_eq!((me.status, &me.json()["login"]), (200, &json!("admin@entente.local")));
    let (code, log) = server.stop(Signal::TERM);
    assert_eq!(code, Some(0), "{log}");
    assert!(!place.data().join("ready.json").exists());
    assert!(!log.contains(&token), "no token is logged");

    let server = place.serve();
    assert_eq!(server.get("/box/2.0/users/me", &token).status, 200, "what was issued stays");
    assert_eq!(server.stop(Signal::INT).0, Some(0));
}

#[test]
fn what_was_uploaded_is_there_after_a_kill() {
    let place = Place::new();
    let server = place.serve();
    let token = place.token();
    let uploaded = server.upload(&token, "kept.txt", "to be kept");
    assert_eq!(uploaded.status, 201, "{}", uploaded.body);
    assert_eq!(server.stop(Signal::KILL).0, None);
    assert!(place.data().join("ready.json").exists(), "a killed server cannot tidy up");
    assert_eq!(place.json(&["status"])["server"]["running"], json!(false));

    let server = place.serve();
    let items = server.get("/box/2.0/folders/0/items", &token).json();
    assert_eq!(items["entries"][0]["name"], "kept.txt");
    let verified = place.json(&["verify"]);
    assert_eq!((&verified["undamaged"], &verified["opened_bytes"]), (&json!(true), &json!(10)));
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
}

#[test]
fn one_server_at_a_time() {
    let place = Place::new();
    let server = place.serve();
    let second = place.refused();
    assert_eq!(second.status.code(), Some(3));
    let message = text(&second.stderr);
    assert!(message.contains(&format!("process {}", server.ready["pid"])), "{message}");
    assert_eq!(server.request("GET", "/healthz", &[], "").status, 200, "the first goes on");
    assert!(place.data().join("ready.json").exists());
}

#[test]
fn administrators_use_the_operator_interface_and_nobody_else_does() {
    let place = Place::new();
    let server = place.serve();
    let token = place.token();
    assert_eq!(server.get("/admin/v1/status", &token).json()["users"], 1);
    let made = server.post("/admin/v1/users", &token, r#"{"login":"anna@example.org","name":"Anna"}"#);
    assert_eq!((made.status, &made.json()["role"]), (201, &json!("user")));
    let again = server.post("/admin/v1/users", &token, r#"{"login":"Anna@example.org","name":"Anna"}"#);
    assert_eq!((again.status, &again.json()["error"]["code"]), (409, &json!("login_taken")));
    assert_eq!(server.get("/admin/v1/users", &token).json()["entries"].as_array().unwrap().len(), 2);
    let issued = server.post("/admin/v1/tokens", &token, r#"{"login":"anna@example.org"}"#);
    assert_eq!(issued.status, 201);
    let anna = issued.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(server.get("/box/2.0/users/me", &anna).json()["name"], "Anna");
    for path in ["/admin/v1/status", "/admin/v1/users", "/admin/v1/apps"] {
        assert_eq!(server.get(path, &anna).status, 403, "{path}");
        assert_eq!(server.get(path, "nonsense").status, 401, "{path}");
        assert_eq!(server.request("GET", path, &[], "").status, 401, "{path}");
    }
    let revoke = json!({ "token": anna }).to_string();
    assert_eq!(server.post("/admin/v1/tokens/revoke", &token, &revoke).status, 204);
    assert_eq!(server.get("/box/2.0/users/me", &anna).status, 401);
    let app = server.post("/admin/v1/apps", &token, r#"{"name":"sync"}"#);
    assert_eq!((app.status, &app.json()["public_key_id"]), (201, &Value::Null));
    assert_eq!(server.get("/admin/v1/apps", &token).json()["entries"][0]["name"], "sync");
    for bad in ["", "{", r#"{"login":"no address","name":"X"}"#, r#"{"login":"a@b","name":"X","extra":1}"#] {
        assert_eq!(server.post("/admin/v1/users", &token, bad).status, 400, "{bad}");
    }
}

#[test]
fn a_configuration_file_is_followed_and_the_command_line_counts_more() {
    let place = Place::new();
    let text = "listen = \"127.0.0.1:1\"\npublic_url = \"https://files.example.org/\"\n[limits]\nconnections = 50\n";
    let config = place.file("entente.toml", text);
    let server = place.serve_with(&["--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(server.ready["public_url"], "https://files.example.org");
    assert_eq!(server.request("GET", "/healthz", &[], "").status, 200);
}

#[test]
fn tls_of_our_own_names_its_authority() {
    let place = Place::new();
    let server = place.serve_with(&["--listen", "127.0.0.1:0", "--tls", "self-signed"]);
    assert!(server.url().starts_with("https://127.0.0.1:"));
    let authority = std::fs::read_to_string(server.ready["ca_file"].as_str().unwrap()).unwrap();
    assert!(authority.contains("BEGIN CERTIFICATE"));
}
