//! Who may come in.

use crate::harness::Client;
use data_encoding::BASE64;
use entente_identity::NewAppPassword;
use entente_model::{Scopes, UserRole};

fn basic(login: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{login}:{password}").as_bytes()))
}

#[tokio::test]
async fn nobody_gets_in_without_a_credential() {
    let client = Client::new().await;
    for method in ["GET", "PUT", "PROPFIND", "MKCOL", "LOCK", "DELETE"] {
        let answer = client.send(method, "/dav/a", &[("authorization", "")], "").await;
        answer.expect(401);
        let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(challenges.len(), 2);
        assert_eq!(challenges[0], "Basic realm=\"Entente\", charset=\"UTF-8\"");
    }
    let options = client.send("OPTIONS", "/dav/a", &[("authorization", "")], "").await;
    options.expect(200);
    assert_eq!((options.header("dav"), options.header("ms-author-via")), ("1, 2", "DAV"));
    for method in entente_door_dav::METHODS {
        assert!(options.header("allow").contains(method), "{method}");
    }
    client.send("GET", "/dav/", &[("authorization", "Bearer nonsense")], "").await.expect(401);
    client.send("GET", "/dav/", &[("authorization", "Basic !")], "").await.expect(401);
    let unknown = client.send("REPORT", "/dav/", &[], "").await;
    assert_eq!(unknown.expect(405).header("allow"), options.header("allow"));
    client.send("POST", "/dav/", &[], "").await.expect(405);
}

#[tokio::test]
async fn app_passwords_and_tokens_are_taken_as_passwords() {
    let client = Client::new().await;
    let new = |scopes| NewAppPassword { user: client.user, label: "test".to_owned(), scopes };
    let made = client.stage.identity.create_app_password(new(Scopes::ALL)).await.unwrap();
    let password = made.password.expose().to_owned();
    let get = |header: String| {
        let client = &client;
        async move { client.send("GET", "/dav/", &[("authorization", &header)], "").await.status.as_u16() }
    };
    assert_eq!(get(basic("ada@acme.example", &password)).await, 200);
    assert_eq!(get(basic("ada@acme.example", &client.token)).await, 200);
    assert_eq!(get(basic("bob@acme.example", &password)).await, 401);
    assert_eq!(get(basic("ada@acme.example", "wrong")).await, 401);
    client.stage.identity.revoke_app_password(made.id).await.unwrap();
    assert_eq!(get(basic("ada@acme.example", &password)).await, 401);
    let reader = client.stage.identity.create_app_password(new(Scopes::READ.with(Scopes::DOWNLOAD))).await.unwrap();
    let reader = basic("ada@acme.example", reader.password.expose());
    client.put("/dav/a", "x").await;
    assert_eq!(client.send("GET", "/dav/a", &[("authorization", &reader)], "").await.body, "x");
    for (method, path) in [("PUT", "/dav/a"), ("MKCOL", "/dav/b"), ("DELETE", "/dav/a")] {
        client.send(method, path, &[("authorization", &reader)], "").await.expect(403);
    }
}

#[tokio::test]
async fn each_caller_has_a_root_of_their_own() {
    let client = Client::new().await;
    client.put("/dav/a", "x").await;
    let ben = client.stage.person("ben@acme.example", "Ben", UserRole::User).await;
    let token = client.stage.token(ben, Scopes::ALL, std::time::Duration::from_secs(60)).await;
    let header = format!("Bearer {token}");
    client.send("GET", "/dav/a", &[("authorization", &header)], "").await.expect(404);
    client.send("PUT", "/dav/a", &[("authorization", &header)], "y").await.expect(201);
    assert_eq!(client.get("/dav/a").await.body, "x");
}

#[test]
fn the_page_tells_which_methods_are_served() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/COVERAGE.md")).unwrap();
    let section = page.split("## Methods").nth(1).unwrap().split("\n## ").next().unwrap();
    let marked: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("- [x] `")).collect();
    let marked: Vec<_> = marked.iter().map(|line| line.trim_end_matches('`')).collect();
    assert_eq!(marked, entente_door_dav::METHODS);
}
