//! Requests out of arbitrary bytes, before real doors over a real tree: whatever a client sends, no door panics, and none
//! answers with an internal error.

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use entente_door_kit::{Arrival, Auth, Entry, RequestId, Scheme};
use entente_model::{Scopes, UserId, UserRole};
use entente_testkit::Stage;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt;
use std::time::Duration;
use tokio::runtime::Runtime;
use tower_service::Service;

/// A router, and what it stands on.
pub struct Door {
    pub runtime: Runtime,
    pub stage: Stage,
    pub user: UserId,
    pub token: String,
    pub router: Router,
}

impl Door {
    /// With a router over a stage with one administrator.
    pub fn new(router: impl FnOnce(&Runtime, &Stage, UserId, Auth) -> Router) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (stage, user, token) = runtime.block_on(async {
            let stage = Stage::new().await;
            let user = stage.person("ada@acme.example", "Ada", UserRole::Admin).await;
            let token = stage.token(user, Scopes::ALL, Duration::from_secs(1 << 30)).await;
            (stage, user, token)
        });
        let auth = Auth::new(stage.world.clone(), stage.identity.clone(), stage.signer.clone());
        let router = router(&runtime, &stage, user, auth);
        Self { runtime, stage, user, token, router }
    }

    /// Sends a request, and reads the whole answer.
    pub fn send(&self, parts: &Parts<'_>, more: &[(&str, String)]) {
        let Some(mut request) = parts.request() else { return };
        for (name, value) in more {
            let Ok(value) = HeaderValue::from_str(value) else { return };
            request.headers_mut().insert(HeaderName::from_bytes(name.as_bytes()).expect("a name"), value);
        }
        request.extensions_mut().insert(Arrival {
            request_id: RequestId::random(&self.stage.world),
            peer: "192.0.2.9:4711".parse().expect("an address"),
            local: "192.0.2.1:443".parse().expect("an address"),
            scheme: Scheme::Https,
            entry: Entry::Path,
        });
        let answer = self.runtime.block_on(async {
            let answer = self.router.clone().call(request).await.expect("an answer");
            let status = answer.status();
            drop(answer.into_body().collect().await);
            status
        });
        assert_ne!(answer, StatusCode::INTERNAL_SERVER_ERROR, "{} {}", parts.method, parts.target);
    }
}

/// A request as text: a line with the method and the target, headers, an empty line, and the body.
pub struct Parts<'b> {
    pub method: &'b str,
    pub target: &'b str,
    pub headers: Vec<(&'b str, &'b [u8])>,
    pub body: &'b [u8],
}

impl<'b> Parts<'b> {
    /// `None` for what no HTTP library would let through.
    pub fn read(bytes: &'b [u8]) -> Option<Self> {
        let (head, body) = match bytes.windows(2).position(|pair| pair == b"\n\n") {
            Some(at) => (&bytes[..at], &bytes[at + 2..]),
            None => (bytes, &[][..]),
        };
        let mut lines = head.split(|byte| *byte == b'\n');
        let (method, target) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
        let header = |line: &'b [u8]| {
            let at = line.iter().position(|byte| *byte == b':')?;
            Some((std::str::from_utf8(&line[..at]).ok()?, line[at + 1..].trim_ascii()))
        };
        Some(Self { method, target, headers: lines.filter_map(header).take(64).collect(), body })
    }

    fn request(&self) -> Option<Request<Body>> {
        let method: Method = self.method.parse().ok()?;
        let body = Body::from(Bytes::copy_from_slice(self.body));
        let mut request = Request::builder().method(method).uri(self.target).body(body).ok()?;
        for (name, value) in &self.headers {
            let (name, value) = (HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value).ok()?);
            request.headers_mut().append(name, value);
        }
        Some(request)
    }
}
