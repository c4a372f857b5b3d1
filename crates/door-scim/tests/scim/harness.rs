//! A directory without a network.

use axum::Router;
use axum::body::Body;
use entente_door_kit::{Arrival, Auth, Entry, RequestId, Scheme};
use entente_door_scim::{Options, ScimDoor};
use entente_identity::IssueToken;
use entente_model::{Scopes, UserId, UserRole};
use entente_testkit::Stage;
use http::{Method, Request, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::Duration;
use tower_service::Service;

/// A store, and the door to it.
pub struct Site {
    pub stage: Stage,
    pub admin: UserId,
    pub token: String,
    router: Router,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: String,
    pub body: Value,
}

impl Answer {
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    /// An error in SCIM's form.
    pub fn refused(self, status: u16, word: &str) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(self.body["status"], status.to_string());
        assert_eq!(self.body["scimType"].as_str().unwrap_or(""), word, "{}", self.body);
    }
}

impl Site {
    pub async fn new() -> Self {
        let stage = Stage::new().await;
        let admin = stage.person("boss@acme.example", "Boss", UserRole::Admin).await;
        let auth = Auth::new(stage.world.clone(), stage.identity.clone(), stage.signer.clone());
        let router = ScimDoor::new(stage.tree.clone(), auth, Options::default()).router();
        let mut site = Self { stage, admin, token: String::new(), router };
        site.token = site.issue(admin, Scopes::ALL).await;
        site
    }

    pub async fn issue(&self, user: UserId, scopes: Scopes) -> String {
        let issue = IssueToken { user, app: None, scopes, lifetime: Duration::from_secs(600) };
        self.stage.identity.issue(issue).await.unwrap().secret.expose().to_owned()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &self.token).await
    }

    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &body.to_string(), &self.token).await
    }

    pub async fn send(&self, method: &str, path: &str, body: &str, token: &str) -> Answer {
        let request = Request::builder().method(method.parse::<Method>().unwrap()).uri(format!("/scim/v2/{path}"));
        let request = request.header(header::HOST, "files.acme.example");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let arrival = Arrival {
            request_id: RequestId::random(&self.stage.world),
            peer: "192.0.2.9:4711".parse().unwrap(),
            local: "192.0.2.1:443".parse().unwrap(),
            scheme: Scheme::Https,
            entry: Entry::Path,
        };
        let request = request.extension(arrival).body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.router.clone().call(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        if !bytes.is_empty() {
            assert_eq!(parts.headers[header::CONTENT_TYPE], "application/scim+json");
        }
        let location = parts.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap()).to_owned();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: parts.status.as_u16(), location, body }
    }

    /// A new user's id.
    pub async fn user(&self, login: &str) -> String {
        let made = self.call("POST", "Users", &json!({ "userName": login, "displayName": login })).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }
}
