//! A client without a network, and a way to look at what it gets.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use entente_door_dav::wire::xml::{self, Element};
use entente_door_dav::{DavDoor, Options};
use entente_door_kit::{Arrival, Auth, Entry, RequestId, Scheme};
use entente_model::{Scopes, UserId, UserRole};
use entente_testkit::Stage;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use std::time::Duration;
use tower_service::Service;

/// Somebody with a token, before a router.
pub struct Client {
    pub stage: Stage,
    pub user: UserId,
    pub token: String,
    router: Router,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Bytes of the longest piece that it came in.
    pub longest_piece: usize,
}

/// What a multi-status says of one item.
pub struct Said {
    pub href: String,
    /// Status, name and element.
    properties: Vec<(u16, String, Element)>,
}

impl Client {
    pub async fn new() -> Self {
        let stage = Stage::new().await;
        let user = stage.person("ada@acme.example", "Ada Admin", UserRole::Admin).await;
        let token = stage.token(user, Scopes::ALL, Duration::from_secs(3_600)).await;
        let auth = Auth::new(stage.world.clone(), stage.identity.clone(), stage.signer.clone());
        let router = DavDoor::new(stage.tree.clone(), auth, Options::default()).router();
        Self { stage, user, token, router }
    }

    /// Sends anything, with the token unless the headers bring their own.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        request = request.header(header::HOST, "files.acme.example");
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let arrival = Arrival {
            request_id: RequestId::random(&self.stage.world),
            peer: "192.0.2.9:4711".parse().unwrap(),
            local: "192.0.2.1:443".parse().unwrap(),
            scheme: Scheme::Https,
            entry: Entry::Path,
        };
        let request = request.extension(arrival).body(body.into()).unwrap();
        let response = self.router.clone().call(request).await.unwrap();
        let (parts, mut pieces) = response.into_parts();
        let (mut body, mut longest_piece) = (Vec::new(), 0);
        while let Some(piece) = pieces.frame().await {
            let piece = piece.expect("the body is complete").into_data().unwrap_or_default();
            longest_piece = longest_piece.max(piece.len());
            body.extend_from_slice(&piece);
        }
        Answer { status: parts.status, headers: parts.headers, body: body.into(), longest_piece }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Puts a file; its entity tag.
    pub async fn put(&self, path: &str, content: &str) -> String {
        let length = content.len().to_string();
        let put = self.send("PUT", path, &[("content-length", &length)], content.to_owned()).await;
        assert!(put.status == 201 || put.status == 204, "{put:?}");
        put.header("etag").to_owned()
    }

    pub async fn mkcol(&self, path: &str) {
        let made = self.send("MKCOL", path, &[], "").await;
        assert_eq!(made.status, 201, "{made:?}");
    }

    pub async fn find(&self, path: &str, depth: &str, body: &str) -> Vec<Said> {
        self.send("PROPFIND", path, &[("depth", depth)], body.to_owned()).await.said()
    }

    /// Asks for properties, of which each is an element that stands by itself.
    pub async fn ask(&self, path: &str, properties: &str) -> Said {
        let body = format!("<propfind xmlns='DAV:'><prop>{properties}</prop></propfind>");
        self.find(path, "0", &body).await.remove(0)
    }

    pub async fn patch(&self, path: &str, updates: &str) -> Answer {
        let body = format!("<d:propertyupdate xmlns:d='DAV:'>{updates}</d:propertyupdate>");
        self.send("PROPPATCH", path, &[], body).await
    }

    pub async fn lock(&self, path: &str, scope: &str, headers: &[(&str, &str)]) -> Answer {
        let body = format!(
            "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:{scope}/></d:lockscope><d:locktype><d:write/></d:locktype>\
             <d:owner>Ada</d:owner></d:lockinfo>"
        );
        self.send("LOCK", path, headers, body).await
    }

    /// The hrefs below a path, of however many items.
    pub async fn hrefs(&self, path: &str, depth: &str) -> Vec<String> {
        let body = "<propfind xmlns='DAV:'><prop><resourcetype/></prop></propfind>";
        let answer = self.send("PROPFIND", path, &[("depth", depth)], body).await;
        let text = String::from_utf8(answer.expect(207).body.to_vec()).unwrap();
        let hrefs = text.split("<D:href>").skip(1).map(|rest| rest.split_once("</D:href>").unwrap().0.to_owned());
        hrefs.collect()
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// A status, and the precondition that its body names.
    #[track_caller]
    pub fn refused(&self, status: u16, condition: &str) -> Element {
        self.expect(status);
        let root = xml::parse(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert!(root.name.is_dav("error"), "{self:?}");
        root.dav(condition).cloned().unwrap_or_else(|| panic!("{self:?}"))
    }

    /// The token of a lock that was granted, in its angle brackets.
    #[track_caller]
    pub fn token(&self) -> String {
        let token = self.header("lock-token");
        assert!(token.starts_with("<urn:uuid:"), "{self:?}");
        token.to_owned()
    }

    #[track_caller]
    pub fn said(&self) -> Vec<Said> {
        assert_eq!(self.status, 207, "{self:?}");
        let root = xml::parse(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert!(root.name.is_dav("multistatus"));
        root.elements().map(Said::of).collect()
    }
}

impl Said {
    fn of(response: &Element) -> Self {
        let mut properties = Vec::new();
        for part in response.elements().filter(|element| element.name.is_dav("propstat")) {
            let status = part.dav("status").unwrap().text();
            let status: u16 = status.split(' ').nth(1).unwrap().parse().unwrap();
            for property in part.dav("prop").unwrap().elements() {
                properties.push((status, property.name.key(), property.clone()));
            }
        }
        Self { href: response.dav("href").unwrap().text(), properties }
    }

    /// The status that is said of a property; 0 if none is.
    pub fn status(&self, key: &str) -> u16 {
        self.properties.iter().find(|(_, name, _)| name == key).map_or(0, |(status, ..)| *status)
    }

    /// A property that is there.
    #[track_caller]
    pub fn element(&self, key: &str) -> &Element {
        let found = self.properties.iter().find(|(status, name, _)| *status == 200 && name == key);
        &found.unwrap_or_else(|| panic!("no {key}: {:?}", self.properties)).2
    }

    /// Its text.
    #[track_caller]
    pub fn text(&self, key: &str) -> String {
        self.element(key).text()
    }

    pub fn names(&self) -> Vec<&str> {
        self.properties.iter().map(|(_, name, _)| name.as_str()).collect()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = self.body.get(..2_000).unwrap_or(&self.body);
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(body))
    }
}
