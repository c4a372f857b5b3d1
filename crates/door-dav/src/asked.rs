//! A request on its way to its handler, and what handlers ask of it.

use crate::door::{DavDoor, PREFIX};
use crate::error::Problem;
use crate::wire::headers::{Depth, parse_overwrite};
use crate::wire::path::{DavPath, encode};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::{Arrival, host, read_bounded};
use entente_model::{Caller, ItemId, ItemName, UserId};
use entente_tree::{Error as TreeError, Kind, Object, Overwrite, Path, Tree, Want};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What a handler answers.
pub(crate) type Outcome = Result<Response, Problem>;

/// The longest body of XML, in bytes.
const XML_BYTES_MAX: usize = 1 << 20;
/// Roots that are remembered. When there are more, all are forgotten.
const ROOTS_MAX: usize = 10_000;

const DEPTH: HeaderName = HeaderName::from_static("depth");
const DESTINATION: HeaderName = HeaderName::from_static("destination");
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");

/// The roots of callers that have been seen. A user's root is another's never, and does not change.
#[derive(Debug, Default)]
pub(crate) struct Roots(Mutex<HashMap<UserId, ItemId>>);

impl Roots {
    fn known(&self, user: UserId) -> Option<ItemId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&user).copied()
    }

    fn learn(&self, user: UserId, root: ItemId) {
        let mut roots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if roots.len() >= ROOTS_MAX {
            roots.clear();
        }
        roots.insert(user, root);
    }
}

pub(crate) struct Asked {
    pub(crate) door: DavDoor,
    pub(crate) arrival: Arrival,
    pub(crate) parts: Parts,
    pub(crate) caller: Caller,
    pub(crate) root: ItemId,
    pub(crate) path: DavPath,
    /// Never locked: it only makes the request shareable across awaits, which a body by itself is not.
    body: Mutex<Body>,
}

impl Asked {
    /// Finds out who asks, and for what.
    pub(crate) async fn new(door: DavDoor, arrival: Arrival, parts: Parts, body: Body) -> Result<Self, Problem> {
        let caller = door.auth().caller_or_basic(&parts.headers, arrival.peer.ip()).await?;
        let path = DavPath::parse(parts.uri.path(), PREFIX)?;
        let root = match door.roots().known(caller.user) {
            Some(root) => root,
            None => {
                let root = door.tree().root(&caller).await?;
                door.roots().learn(caller.user, root);
                root
            }
        };
        Ok(Self { door, arrival, parts, caller, root, path, body: Mutex::new(body) })
    }

    pub(crate) fn tree(&self) -> &Tree {
        self.door.tree()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// A header's value, if it is there once and is text.
    pub(crate) fn header(&self, name: &HeaderName) -> Option<&str> {
        self.headers().get(name).and_then(|value| value.to_str().ok())
    }

    /// Names as the tree takes them.
    pub(crate) fn at<'p>(&self, names: &'p [ItemName]) -> Path<'p> {
        Path { base: self.root, names }
    }

    /// What the request is about, if it is there.
    pub(crate) async fn target(&self) -> Result<Option<Object>, Problem> {
        self.look(&self.path).await
    }

    /// What is at a path, if anything is: behind a slash only a folder.
    pub(crate) async fn look(&self, path: &DavPath) -> Result<Option<Object>, Problem> {
        found(self.tree().at(&self.caller, self.at(&path.names), wanted(path)).await)
    }

    /// The folder that holds what is at a path; `None` above the root, and if it is not there.
    pub(crate) async fn parent(&self, path: &DavPath) -> Result<Option<Object>, Problem> {
        let Some(names) = path.parent() else { return Ok(None) };
        found(self.tree().at(&self.caller, self.at(names), Want::Folder).await)
    }

    /// The body, once; empty afterwards.
    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(self.body.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// The body, if it is as small as XML has to be.
    pub(crate) async fn small_body(&mut self) -> Result<Bytes, Problem> {
        let body = self.take_body();
        Ok(read_bounded(body, XML_BYTES_MAX).await?)
    }

    /// Refuses a request that has a body where none has a meaning: 415, as the RFC says of `MKCOL`.
    pub(crate) async fn no_body(&mut self) -> Result<(), Problem> {
        if self.small_body().await?.is_empty() { Ok(()) } else { Err(Problem::unsupported_body()) }
    }

    pub(crate) fn depth(&self) -> Result<Option<Depth>, Problem> {
        let Some(value) = self.headers().get(DEPTH) else { return Ok(None) };
        let depth = value.to_str().ok().and_then(Depth::parse);
        depth.map(Some).ok_or_else(|| Problem::bad_request("'Depth' is 0, 1 or infinity"))
    }

    pub(crate) fn overwrite(&self) -> Result<Overwrite, Problem> {
        let Some(value) = self.headers().get(OVERWRITE) else { return Ok(Overwrite::Replace) };
        match value.to_str().ok().and_then(parse_overwrite) {
            Some(true) => Ok(Overwrite::Replace),
            Some(false) => Ok(Overwrite::Refuse),
            None => Err(Problem::bad_request("'Overwrite' is T or F")),
        }
    }

    /// Where a `COPY` or `MOVE` goes. 502 for another server, as the RFC says.
    pub(crate) fn destination(&self) -> Result<DavPath, Problem> {
        let value =
            self.headers().get(&DESTINATION).ok_or_else(|| Problem::bad_request("'Destination' is required"))?;
        // Some clients do not encode what is not ASCII.
        let text = std::str::from_utf8(value.as_bytes());
        let text = text.map_err(|_| Problem::bad_request("'Destination' is not UTF-8"))?;
        let (path, authority) = DavPath::parse_destination(text, PREFIX)?;
        if authority.is_none_or(|authority| self.is_here(authority)) { Ok(path) } else { Err(Problem::elsewhere()) }
    }

    /// Whether a host, perhaps with a port, is this server's.
    pub(crate) fn is_here(&self, authority: &str) -> bool {
        let requested = host::requested(&self.parts.uri, self.headers()).ok().flatten();
        let base = self.door.options().origin.base_url(&self.arrival, &self.parts.uri, self.headers());
        let ours = base.as_str().split("://").nth(1).and_then(|rest| rest.split('/').next());
        [requested, ours].into_iter().flatten().any(|here| same_host(here, authority))
    }

    /// The path of an item in a URL: that of the request's own path, or of another.
    pub(crate) fn href(names: &[ItemName], kind: Kind) -> String {
        let mut href = PREFIX.to_owned();
        for name in names {
            href.push('/');
            encode(&mut href, name.as_str());
        }
        if kind == Kind::Folder {
            href.push('/');
        }
        href
    }
}

/// Hosts are equal without regard to case, and to a port that goes without saying.
fn same_host(one: &str, other: &str) -> bool {
    fn bare(host: &str) -> &str {
        host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).unwrap_or(host)
    }
    let other = other.rsplit('@').next().unwrap_or(other);
    bare(one).eq_ignore_ascii_case(bare(other))
}

/// What a path stands for.
pub(crate) fn wanted(path: &DavPath) -> Want {
    if path.has_slash { Want::Folder } else { Want::Either }
}

/// `None` for what is not there.
pub(crate) fn found(outcome: Result<Object, TreeError>) -> Result<Option<Object>, Problem> {
    match outcome {
        Ok(object) => Ok(Some(object)),
        Err(TreeError::NotFound | TreeError::Trashed | TreeError::FolderMissing) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
