//! A client without a network, and a way to look at what it gets.

use crate::contract;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use entente_door_box::{BoxDoor, Options};
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Auth, Entry, RequestId, Scheme};
use entente_model::{Scopes, Sha1, UserId, UserRole};
use entente_pictures::{Documents, Maker, Program};
use entente_testkit::Stage;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use std::time::Duration;
use tower_service::Service;

pub const HOUR: Duration = Duration::from_secs(3_600);

/// Somebody with a token, before a router.
pub struct Client {
    pub stage: Stage,
    pub user: UserId,
    pub token: String,
    pub door: BoxDoor,
    router: Router,
    entry: Entry,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    /// The enterprise's administrator.
    pub async fn new() -> Self {
        let public_url = Some("https://files.acme.example".parse().unwrap());
        Self::with(Origin { public_url, ..Origin::default() }, Entry::Path, None).await
    }

    /// The same, where a script for `sh` makes pictures and reads documents.
    pub async fn with_pictures(script: &str) -> Self {
        let public_url = Some("https://files.acme.example".parse().unwrap());
        let arguments = vec!["-c".to_owned(), script.to_owned(), "worker".to_owned()];
        let program = Program { path: "/bin/sh".into(), arguments, time: HOUR };
        Self::with(Origin { public_url, ..Origin::default() }, Entry::Path, Some(program)).await
    }

    /// The same, who came by one of Box's host names.
    pub async fn by_host_name() -> Self {
        Self::with(Origin::default(), Entry::HostName, None).await
    }

    async fn with(origin: Origin, entry: Entry, pictures: Option<Program>) -> Self {
        let stage = Stage::new().await;
        let user = stage.person("ada@acme.example", "Ada Admin", UserRole::Admin).await;
        let token = stage.token(user, Scopes::ALL, HOUR).await;
        let auth = Auth::new(stage.world.clone(), stage.identity.clone(), stage.signer.clone());
        let pictures = pictures.map(|program| {
            let documents = Documents { program: program.clone(), pdf: true, office: true };
            Maker::new(stage.world.clone(), program, Some(documents))
        });
        let options = Options { origin, pictures, ..Options::default() };
        let door = BoxDoor::new(stage.tree.clone(), auth, options);
        let router = door.router();
        Self { stage, user, token, door, router, entry }
    }

    /// Sends anything, with the token unless the headers bring their own.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let response = self.ask(method, path, headers, body.into()).await;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is complete").to_bytes();
        contract::check(method, path, parts.status.as_u16(), &body);
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Status and what arrives of a body that breaks off.
    pub async fn torn(&self, method: &str, path: &str) -> (StatusCode, Vec<u8>) {
        let response = self.ask(method, path, &[], Body::empty()).await;
        let (parts, mut body) = response.into_parts();
        let mut sent = Vec::new();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => sent.extend_from_slice(frame.data_ref().unwrap()),
                Err(_) => return (parts.status, sent),
            }
        }
        panic!("the body did not break off");
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Response {
        let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let arrival = Arrival {
            request_id: RequestId::random(&self.stage.world),
            peer: "192.0.2.9:4711".parse().unwrap(),
            local: "192.0.2.1:443".parse().unwrap(),
            scheme: Scheme::Https,
            entry: self.entry,
        };
        let request = request.extension(arrival).body(body).unwrap();
        self.router.clone().call(request).await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", &api(path), &[], "").await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", &api(path), &[], "").await
    }

    pub async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, &api(path), &[("content-type", "application/json")], body.to_string()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.json("PUT", path, body).await
    }

    /// Makes a folder; its id.
    pub async fn folder(&self, parent: &str, name: &str) -> String {
        let made = self.post("/folders", serde_json::json!({"name": name, "parent": {"id": parent}})).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// Uploads a file; its id.
    pub async fn file(&self, parent: &str, name: &str, content: &[u8]) -> String {
        let made = self.upload(parent, name, content).await;
        made.expect(201)["entries"][0]["id"].as_str().unwrap().to_owned()
    }

    pub async fn upload(&self, parent: &str, name: &str, content: &[u8]) -> Answer {
        let attributes = serde_json::json!({"name": name, "parent": {"id": parent}});
        self.form("/files/content", &[], &[("attributes", attributes.to_string().as_bytes()), ("file", content)]).await
    }

    pub async fn form(&self, path: &str, headers: &[(&str, &str)], parts: &[(&str, &[u8])]) -> Answer {
        let headers = [&[("content-type", "multipart/form-data; boundary=xyz")], headers].concat();
        self.send("POST", &format!("/box/upload/2.0{path}"), &headers, multipart(parts)).await
    }

    /// Follows a download to its end.
    pub async fn download(&self, path: &str) -> Answer {
        let redirect = self.get(path).await;
        assert_eq!(redirect.status, 302, "{redirect:?}");
        self.send("GET", &redirect.target(), &[("authorization", "")], "").await
    }
}

fn api(path: &str) -> String {
    if path.starts_with("/box") { path.to_owned() } else { format!("/box/2.0{path}") }
}

pub fn multipart(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        body.extend_from_slice(format!("--xyz\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n").as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xyz--\r\n");
    body
}

pub fn sha1(content: &[u8]) -> Sha1 {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    Sha1::from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, content).as_ref()).unwrap()
}

impl Answer {
    /// The JSON body, if the status is the expected one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.value() }
    }

    /// That, and the code of an error.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!((body["type"].as_str(), body["code"].as_str()), (Some("error"), Some(code)), "{self:?}");
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"].as_str(), self.headers.get("box-request-id").map(|id| id.to_str().unwrap()));
        body
    }

    #[track_caller]
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The path that a redirect leads to.
    #[track_caller]
    pub fn target(&self) -> String {
        let path = self.header("location").strip_prefix("https://files.acme.example");
        path.unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// Status and body as they are, save what differs from run to run: ids are numbered as they appear, dates of today
    /// and names of requests are hidden.
    pub fn tame(&self) -> Value {
        let mut body = if self.body.is_empty() { Value::Null } else { self.value() };
        tame(&mut body, &mut Vec::new());
        serde_json::json!({"status": self.status.as_u16(), "body": body})
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}

/// The same of what is no answer.
pub fn tamed(mut value: Value) -> Value {
    tame(&mut value, &mut Vec::new());
    value
}

fn tame(value: &mut Value, ids: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if name == "request_id" {
                    *member = "[request]".into();
                }
                tame(member, ids);
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| tame(entry, ids)),
        Value::String(text) => {
            if text.len() == 25 && text.starts_with("202") && text.get(10..11) == Some("T") {
                assert!(text.ends_with("+00:00"), "{text}");
                *text = "[date]".to_owned();
            } else {
                *text = tame_text(text, ids);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn tame_text(text: &str, ids: &mut Vec<String>) -> String {
    let mut tamed = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, after) = rest.split_at(start);
        let length = after.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = after.split_at(length);
        tamed.push_str(before);
        if length < 15 {
            tamed.push_str(digits);
        } else {
            let known = ids.iter().position(|id| id == digits).unwrap_or_else(|| {
                ids.push(digits.to_owned());
                ids.len() - 1
            });
            tamed.push_str(&format!("[id {known}]"));
        }
        rest = after;
    }
    tamed + rest
}
