//! Apps and passwords, from the command line and through the operator interface.

use crate::program::{Place, entente, text};
use rustix::process::Signal;
use serde_json::json;
use std::io::Write;
use std::process::{Output, Stdio};

const BACK: &str = "https://portal.example.org/back";

fn set_password(place: &Place, login: &str, password: &str) -> Output {
    let data = place.data();
    let mut child = entente(&["user", "set-password", "--login", login, "--data", data.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_password_is_read_and_never_shown() {
    let place = Place::new();
    let server = place.serve();
    let page = server.request("GET", "/oauth2/sign-in", &[], "");
    assert_eq!(page.status, 200);
    let set = set_password(&place, "admin@entente.local", "correct horse battery");
    assert!(set.status.success(), "{}", text(&set.stderr));
    assert!(!text(&set.stdout).contains("correct") && !text(&set.stderr).contains("correct"));
    for (login, password, says) in [
        ("admin@entente.local", "short", "8 to 256"),
        ("admin@entente.local", "password123", "most common"),
        ("admin@entente.local", "Admin@entente.local", "login"),
        ("nobody@example.org", "correct horse battery", "user list"),
    ] {
        let refused = set_password(&place, login, password);
        assert_eq!(refused.status.code(), Some(1), "{says}");
        assert!(text(&refused.stderr).contains(says), "{}", text(&refused.stderr));
    }
}

#[test]
fn a_link_sets_a_first_password() {
    let place = Place::new();
    let server = place.serve();
    let login = "admin@entente.local";
    let made = place.json(&["user", "password-link", "--login", login]);
    let link = made["link"].as_str().unwrap();
    let path = link.strip_prefix(server.url()).unwrap();
    let page = server.request("GET", path, &[], "");
    assert_eq!(page.status, 200);
    assert!(page.body.contains(login));
    assert!(set_password(&place, login, "correct horse battery").status.success());
    assert_eq!(server.request("GET", path, &[], "").status, 404);
    // Nobody looks on here: what is printed into a log is no secret.
    assert!(!server.stop(Signal::TERM).1.contains("new-password"));
    let data = place.data();
    let none =
        entente(&["user", "password-link", "--login", login, "--data", data.to_str().unwrap()]).output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("no server runs"), "{}", text(&none.stderr));
}

#[test]
fn an_app_is_limited_disabled_and_removed() {
    let place = Place::new();
    let server = place.serve();
    let token = place.token();
    let made = place.json(&["app", "create", "--name", "Portal", "--redirect-uri", BACK, "--not-as-users"]);
    let id = made["client_id"].as_str().unwrap();
    let form = |secret: &str| format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let ask = |secret: &str| server.request("POST", "/oauth2/token", &[], &form(secret));
    let first = made["client_secret"].as_str().unwrap();
    assert_eq!(ask(first).status, 200);
    let shown = place.json(&["app", "show", "--app", id]);
    assert_eq!((&shown["acts_as_users"], &shown["redirect_uris"]), (&json!(false), &json!([BACK])));
    let rotated = place.json(&["app", "rotate-secret", "--app", id]);
    let second = rotated["client_secret"].as_str().unwrap();
    assert_eq!((ask(first).status, ask(second).status), (400, 200));
    // Its developer tries it: for an hour, with no more than the application may.
    let issue = |more: &[&str]| {
        place.json(&[&["token", "issue", "--login", "admin@entente.local", "--app", id], more].concat())
    };
    let tried = issue(&[]);
    let expires = |issued: &serde_json::Value| issued["expires_at"].as_str().unwrap().to_owned();
    assert!(expires(&issue(&["--expires", "55m"])) < expires(&tried));
    assert!(expires(&tried) < expires(&issue(&["--expires", "65m"])));
    let tried = format!("Bearer {}", tried["token"].as_str().unwrap());
    let me = || server.request("GET", "/box/2.0/users/me", &[("authorization", &tried)], "").status;
    let folder = || {
        let headers = [("authorization", tried.as_str()), ("content-type", "application/json")];
        server.request("POST", "/box/2.0/folders", &headers, r#"{"name":"tried","parent":{"id":"0"}}"#).status
    };
    assert_eq!((me(), folder()), (200, 201));
    let changed = place.json(&["app", "update", "--app", id, "--state", "disabled", "--scopes", "read"]);
    assert_eq!((&changed["enabled"], &changed["scopes"]), (&json!(false), &json!("read")));
    assert_eq!(ask(second).status, 400);
    assert_eq!(me(), 401);

    // The same, through the operator interface.
    let path = format!("/admin/v1/apps/{id}");
    let bearer = format!("Bearer {token}");
    let change = |body: &str| {
        server.request("PATCH", &path, &[("authorization", &bearer), ("content-type", "application/json")], body)
    };
    let enabled = change(r#"{"enabled":true,"grants":"code credentials"}"#);
    assert_eq!((enabled.status, &enabled.json()["grants"]), (200, &json!("code credentials")));
    assert_eq!(ask(second).json()["scope"], "read");
    assert_eq!((me(), folder()), (200, 403));
    let body = format!(r#"{{"login":"admin@entente.local","app":"{id}"}}"#);
    assert_eq!(server.post("/admin/v1/tokens", &token, &body).status, 201);
    assert_eq!(server.post("/admin/v1/tokens", &token, &body.replace(id, "nothing")).status, 404);
    for bad in [
        r#"{"redirect_uris":["http://elsewhere.example.org/"]}"#,
        r#"{"scopes":"everything"}"#,
        r#"{"grants":"password"}"#,
        r#"{"name":""}"#,
        r#"{"kind":"public"}"#,
    ] {
        assert_eq!(change(bad).status, 400, "{bad}");
    }
    let third = server.post(&format!("{path}/secret"), &token, "").json()["client_secret"].clone();
    assert_eq!((ask(second).status, ask(third.as_str().unwrap()).status), (400, 200));
    assert_eq!(server.get("/admin/v1/apps/12", &token).status, 404);
    assert_eq!(server.request("DELETE", &path, &[("authorization", &bearer)], "").status, 204);
    assert_eq!((server.get(&path, &token).status, ask(third.as_str().unwrap()).status), (404, 400));
    assert_eq!(place.run(&["app", "remove", "--app", id]).status.code(), Some(1));
}
