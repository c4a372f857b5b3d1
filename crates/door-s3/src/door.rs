//! The door itself: what it was given, and the router that it becomes.

use crate::front;
use crate::handlers::{Operations, Shared};
use crate::host::Domain;
use crate::sign::unescaped;
use crate::sse::Privacy;
use axum::Router;
use axum::extract::{Request, State};
use entente_door_kit::origin::Origin;
use entente_door_kit::{Arrival, Auth};
use entente_identity::AccessKeys;
use entente_tree::Tree;
use http::request::Parts;
use http::{HeaderMap, Uri, header};
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use std::borrow::Cow;
use std::sync::Arc;

/// What S3 takes in one request: 5 GiB.
const OBJECT_BYTES_MAX: u64 = 5 << 30;

/// What an operator may set.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name below which each bucket has a host name of its own, such as `s3.example.com`. Without one buckets stand
    /// in paths alone.
    pub domain: Option<String>,
    /// The largest object, or part of one, in one request.
    pub object_bytes_max: u64,
    /// Where clients reach us: it says which requests come encrypted, though perhaps not as far as here.
    pub origin: Origin,
    /// The names of those who may be told of changes below a bucket.
    pub targets: Vec<String>,
}

impl Default for Options {
    /// Buckets in paths, objects of up to 5 GiB at a time, no proxy.
    fn default() -> Self {
        Self { domain: None, object_bytes_max: OBJECT_BYTES_MAX, origin: Origin::default(), targets: Vec::new() }
    }
}

/// The S3 door. Cheap to clone.
#[derive(Clone)]
pub struct S3Door(Arc<Inner>);

struct Inner {
    tree: Tree,
    auth: Auth,
    access_keys: AccessKeys,
    operations: Arc<Operations>,
    domain: Option<Domain>,
    origin: Origin,
    service: S3Service,
}

impl S3Door {
    /// A door to the tree.
    #[must_use]
    pub fn new(tree: Tree, auth: Auth, access_keys: AccessKeys, options: Options) -> Self {
        let Options { domain, object_bytes_max, origin, targets } = options;
        let domain = domain.map(|name| Domain::new(&name));
        let operations = Arc::new(Operations { tree: tree.clone(), object_bytes_max, targets, origin: origin.clone() });
        let mut config = S3Config::default();
        config.xml_max_body_size = usize::try_from(front::DOCUMENT_BYTES_MAX).unwrap_or(usize::MAX);
        let mut builder = S3ServiceBuilder::new(Shared(Arc::clone(&operations)));
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
        if let Some(domain) = &domain {
            builder.set_host(domain.clone());
        }
        let service = builder.build();
        Self(Arc::new(Inner { tree, auth, access_keys, operations, domain, origin, service }))
    }

    /// Serves a whole listener, whose host names and paths are all S3's.
    ///
    /// Requests must carry an [`Arrival`], as `entente_door_kit::serve` attaches it. No other
    /// layer may limit or read bodies, or answer `OPTIONS`.
    pub fn router(&self) -> Router {
        async fn run(State(door): State<S3Door>, request: Request) -> axum::response::Response {
            front::answer(door, request).await
        }
        Router::new().fallback(run).with_state(self.clone())
    }

    pub(crate) fn tree(&self) -> &Tree {
        &self.0.tree
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.auth
    }

    pub(crate) fn access_keys(&self) -> &AccessKeys {
        &self.0.access_keys
    }

    pub(crate) fn operations(&self) -> &Operations {
        &self.0.operations
    }

    pub(crate) fn service(&self) -> &S3Service {
        &self.0.service
    }

    /// Whether nobody on the way could read a request.
    pub(crate) fn privacy(&self, uri: &Uri, headers: &HeaderMap, arrival: &Arrival) -> Privacy {
        Privacy::of(&self.0.origin, uri, headers, arrival)
    }

    /// The bucket of a request, wherever it stands; not checked.
    pub(crate) fn bucket_of(&self, parts: &Parts) -> Option<String> {
        if let Some(bucket) = self.bucket_of_host(parts) {
            return Some(bucket.to_ascii_lowercase());
        }
        let path = path_of(parts);
        let bucket = path.split('/').next().unwrap_or_default();
        (!bucket.is_empty()).then(|| bucket.to_owned())
    }

    /// Whether the request is about a key rather than a bucket.
    pub(crate) fn names_key(&self, parts: &Parts) -> bool {
        let path = path_of(parts);
        let key = match self.bucket_of_host(parts) {
            Some(_) => &path,
            None => path.split_once('/').map_or("", |(_, key)| key),
        };
        !key.is_empty()
    }

    fn bucket_of_host<'p>(&self, parts: &'p Parts) -> Option<&'p str> {
        let host = parts.headers.get(header::HOST)?.to_str().ok()?;
        self.0.domain.as_ref()?.bucket(host)
    }
}

/// What stands behind the first slash, unescaped before it is cut anywhere, as `s3s` does. Empty if it is no text.
fn path_of(parts: &Parts) -> Cow<'_, str> {
    let path = parts.uri.path().strip_prefix('/').unwrap_or_default();
    match unescaped(path) {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).unwrap_or_default(),
        Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).unwrap_or_default(),
    }
}
