//! A client without a network that signs its requests, and a way to look at what it gets.

use aws_lc_rs::{digest, hmac};
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Auth, Entry, RequestId, Scheme};
use entente_door_s3::{Options, S3Door};
use entente_identity::{AccessKeys, NewAccessKey, Reach};
use entente_model::{Timestamp, UserId, UserRole};
use entente_testkit::Stage;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use std::time::Duration;
use tower_service::Service;

pub const HOST: &str = "s3.acme.example";
pub const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// An access key.
#[derive(Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

/// Somebody with an access key, before a router.
pub struct Client {
    pub stage: Stage,
    pub user: UserId,
    pub keys: AccessKeys,
    pub key: Key,
    router: Router,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A request in the making.
pub struct Sent<'c> {
    client: &'c Client,
    key: Key,
    method: String,
    target: String,
    host: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    hash: Option<String>,
    moment: Timestamp,
}

impl Client {
    pub async fn new() -> Self {
        let stage = Stage::new().await;
        let user = stage.person("ada@acme.example", "Ada", UserRole::User).await;
        let keys = AccessKeys::load(&stage.world, &stage.database, stage.custodian.as_ref()).await.unwrap();
        let key = make_key(&keys, user, false, Reach::All).await;
        let auth = Auth::new(stage.world.clone(), stage.identity.clone(), stage.signer.clone());
        // Who asks comes by a proxy that says whether its clients came encrypted.
        let origin = Origin { trusted_proxies: vec!["192.0.2.9".parse().unwrap()], ..Origin::default() };
        let domain = Some(HOST.to_owned());
        let options = Options { domain, object_bytes_max: 64 << 20, origin, ..Options::default() };
        let router = S3Door::new(stage.tree.clone(), auth, keys.clone(), options).router();
        Self { stage, user, keys, key, router }
    }

    /// With a bucket called `box`.
    pub async fn with_bucket() -> Self {
        let client = Self::new().await;
        client.send("PUT", "/box").await.expect(200);
        client
    }

    /// Another key of somebody.
    pub async fn another_key(&self, user: UserId, read_only: bool, reach: Reach) -> Key {
        make_key(&self.keys, user, read_only, reach).await
    }

    pub fn ask(&self, method: &str, target: &str) -> Sent<'_> {
        Sent {
            client: self,
            key: self.key.clone(),
            method: method.to_owned(),
            target: target.to_owned(),
            host: HOST.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            hash: None,
            moment: self.stage.world.now(),
        }
    }

    pub async fn send(&self, method: &str, target: &str) -> Answer {
        self.ask(method, target).send().await
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send("GET", target).await
    }

    pub async fn delete(&self, target: &str) -> Answer {
        self.send("DELETE", target).await
    }

    pub async fn put(&self, target: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask("PUT", target).body(body).send().await
    }

    pub async fn post(&self, target: &str, body: impl AsRef<[u8]>) -> Answer {
        self.ask("POST", target).body(body).send().await
    }

    /// Sends a request as it is.
    pub async fn raw(&self, method: &str, target: &str, headers: &[(String, String)], body: Body) -> Answer {
        let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(target);
        for (name, value) in headers {
            request = request.header(name.as_str(), value.as_bytes());
        }
        let arrival = Arrival {
            request_id: RequestId::random(&self.stage.world),
            peer: "192.0.2.9:4711".parse().unwrap(),
            local: "192.0.2.1:9000".parse().unwrap(),
            scheme: Scheme::Http,
            entry: Entry::Path,
        };
        let request = request.extension(arrival).body(body).unwrap();
        let response: Response = self.router.clone().call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is complete").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

async fn make_key(keys: &AccessKeys, user: UserId, read_only: bool, reach: Reach) -> Key {
    let made = keys.create(NewAccessKey { user, label: "test".to_owned(), read_only, reach }).await.unwrap();
    Key { id: made.id, secret: made.secret.expose().to_owned() }
}

impl Sent<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub fn by(mut self, key: &Key) -> Self {
        self.key = key.clone();
        self
    }

    pub fn host(mut self, host: &str) -> Self {
        host.clone_into(&mut self.host);
        self
    }

    /// What is said of the body instead of its digest.
    pub fn hash(mut self, hash: &str) -> Self {
        self.hash = Some(hash.to_owned());
        self
    }

    /// Signed so much later, or earlier if negative.
    pub fn minutes_off(mut self, minutes: i64) -> Self {
        self.moment = Timestamp::from_millis(self.moment.millis() + minutes * 60_000);
        self
    }

    /// The request's headers with its signature, and that signature.
    pub fn signed(&self) -> (Vec<(String, String)>, String, String) {
        let moment = moment(self.moment);
        let hash = self.hash.clone().unwrap_or_else(|| sha256_hex(&self.body));
        let mut headers = self.headers.clone();
        headers.push(("host".to_owned(), self.host.clone()));
        headers.push(("x-amz-date".to_owned(), moment.clone()));
        headers.push(("x-amz-content-sha256".to_owned(), hash.clone()));
        headers.sort();
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let canonical = format!("{}\n{path}\n{}\n{lines}\n{names}\n{hash}", self.method, canonical_query(query));
        let scope = format!("{}/eu-test-1/s3/aws4_request", &moment[..8]);
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let signature = HEXLOWER.encode(hmac_of(&signing_key(&self.key.secret, &moment), text.as_bytes()).as_ref());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.key.id
        );
        headers.push(("authorization".to_owned(), authorization));
        (headers, signature, moment)
    }

    pub async fn send(self) -> Answer {
        let (mut headers, ..) = self.signed();
        let is_announced = headers.iter().any(|(name, _)| name == "content-length" || name == "transfer-encoding");
        if !is_announced && (!self.body.is_empty() || matches!(self.method.as_str(), "PUT" | "POST")) {
            headers.push(("content-length".to_owned(), self.body.len().to_string()));
        }
        self.client.raw(&self.method, &self.target, &headers, Body::from(self.body)).await
    }

    /// The target, signed in its query for so long.
    pub fn presigned(&self, lifetime: Duration) -> String {
        let moment = moment(self.moment);
        let scope = format!("{}/eu-test-1/s3/aws4_request", &moment[..8]);
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let credential = format!("{}/{scope}", self.key.id).replace('/', "%2F");
        let mut query = format!(
            "{query}{}X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={moment}\
             &X-Amz-Expires={}&X-Amz-SignedHeaders=host",
            if query.is_empty() { "" } else { "&" },
            lifetime.as_secs(),
        );
        let canonical =
            format!("{}\n{path}\n{}\nhost:{}\n\nhost\n{UNSIGNED}", self.method, canonical_query(&query), self.host);
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", sha256_hex(canonical.as_bytes()));
        let signature = HEXLOWER.encode(hmac_of(&signing_key(&self.key.secret, &moment), text.as_bytes()).as_ref());
        query.push_str(&format!("&X-Amz-Signature={signature}"));
        format!("{path}?{query}")
    }
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .map(|pair| pair.replace('/', "%2F").replace('!', "%21"))
        .collect();
    pairs.sort();
    pairs.join("&")
}

pub fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap();
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

pub fn hmac_of(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}

pub fn signing_key(secret: &str, moment: &str) -> Vec<u8> {
    let mut key = format!("AWS4{secret}").into_bytes();
    for word in [&moment[..8], "eu-test-1", "s3", "aws4_request"] {
        key = hmac_of(&key, word.as_bytes()).as_ref().to_vec();
    }
    key
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

pub fn sha256_base64(bytes: &[u8]) -> String {
    BASE64.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

pub fn md5_hex(bytes: &[u8]) -> String {
    use md5::Digest;
    HEXLOWER.encode(md5::Md5::digest(bytes).as_slice())
}

pub fn md5_base64(bytes: &[u8]) -> String {
    use md5::Digest;
    BASE64.encode(md5::Md5::digest(bytes).as_slice())
}

impl Answer {
    /// Itself, if the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// An error with that status and code, which names its request.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.element("Code").as_deref(), Some(code), "{self:?}");
        assert_eq!(self.element("RequestId").as_deref(), Some(self.header("x-amz-request-id")), "{self:?}");
        assert!(self.element("Resource").is_some(), "{self:?}");
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The text of the first element of that name.
    pub fn element(&self, name: &str) -> Option<String> {
        self.elements(name).into_iter().next()
    }

    /// The texts of all elements of that name.
    pub fn elements(&self, name: &str) -> Vec<String> {
        let (text, open, close) = (self.text(), format!("<{name}>"), format!("</{name}>"));
        let rest = text.split(&open).skip(1);
        rest.filter_map(|rest| Some(rest.split_once(&close)?.0.replace("&quot;", "\"").to_owned())).collect()
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}
