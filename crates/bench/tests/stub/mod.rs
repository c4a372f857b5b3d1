//! An endpoint in this process that answers like Box and S3, and that can be told to misbehave.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{net::TcpListener, runtime::Builder};
use tokio_rustls::TlsAcceptor;

pub const TOKEN: &str = "stub-token";

/// How the stub misbehaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manners {
    /// Refuse every upload whose turn is a multiple of this.
    pub refuse_every: Option<usize>,
    /// Answer downloads with other bytes of the same length.
    pub wrong_content: bool,
    /// Answer downloads without their last byte.
    pub short_content: bool,
    /// Close each connection after one answer.
    pub close_each: bool,
}

#[derive(Debug, Clone)]
pub struct StoredFile {
    pub name: String,
    pub parent: String,
    pub content: Bytes,
}

#[derive(Default)]
pub struct State {
    pub files: BTreeMap<u64, StoredFile>,
    pub folders: BTreeMap<u64, (String, String)>,
    pub objects: BTreeMap<String, Bytes>,
    /// Bodies of `PUT /2.0/folders/ID`, in order.
    pub changes: Vec<Value>,
    pub downloads: usize,
    uploads_tried: usize,
    ids: u64,
}

pub struct Stub {
    pub address: SocketAddr,
    pub ca_pem: Option<String>,
    state: Arc<Mutex<State>>,
}

type Answer = Response<Full<Bytes>>;

impl Stub {
    pub fn start(manners: Manners) -> Self {
        Self::serve(manners, None)
    }

    /// As [`Self::start`], with TLS under a certificate of its own.
    pub fn start_tls(manners: Manners) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let mut stub = Self::serve(manners, Some(TlsAcceptor::from(Arc::new(config))));
        stub.ca_pem = Some(made.cert.pem());
        stub
    }

    fn serve(manners: Manners, tls: Option<TlsAcceptor>) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    let (shared, tls) = (Arc::clone(&shared), tls.clone());
                    tokio::spawn(async move {
                        let service = service_fn(move |request| {
                            let shared = Arc::clone(&shared);
                            async move { Ok::<_, Infallible>(answer(&shared, manners, request).await) }
                        });
                        // A client that goes away is no failure of the stub.
                        let _ = match tls {
                            None => http1::Builder::new().serve_connection(TokioIo::new(stream), service).await,
                            Some(tls) => {
                                let Ok(stream) = tls.accept(stream).await else { return };
                                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                            }
                        };
                    });
                }
            });
        });
        Self { address, ca_pem: None, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        let scheme = if self.ca_pem.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }
}

async fn answer(state: &Mutex<State>, manners: Manners, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return said(StatusCode::BAD_REQUEST, &json!({})) };
    let body = body.to_bytes();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let mut state = state.lock().unwrap();
    let mut answer = if let Some(path) = path.strip_prefix("/box") {
        box_answer(&mut state, manners, &parts.method, path, &query, &parts.headers, &body)
    } else if let Some(path) = path.strip_prefix("/s3/") {
        s3_answer(&mut state, &parts.method, path, &parts.headers, &body)
    } else {
        said(StatusCode::NOT_FOUND, &json!({}))
    };
    if manners.close_each {
        answer.headers_mut().insert(header::CONNECTION, "close".parse().unwrap());
    }
    answer
}

fn box_answer(
    state: &mut State,
    manners: Manners,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &Bytes,
) -> Answer {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if let ["dl", id] = segments[..] {
        // The target must authorise itself.
        assert!(query == "key=1" && !headers.contains_key(header::AUTHORIZATION));
        return download(state, manners, id);
    }
    let bearer = headers.get(header::AUTHORIZATION).map(|value| value.to_str().unwrap());
    if bearer != Some(&format!("Bearer {TOKEN}")) {
        return said(StatusCode::UNAUTHORIZED, &json!({"error": "invalid_token"}));
    }
    match (method.as_str(), &segments[..]) {
        ("POST", ["upload", "2.0", "files", "content"]) => upload(state, manners, headers, body),
        ("GET", ["2.0", "files", id, "content"]) => {
            let location = format!("/box/dl/{id}?key=1");
            Response::builder()
                .status(StatusCode::FOUND)
                .header(header::LOCATION, location)
                .body(Full::default())
                .unwrap()
        }
        ("GET", ["2.0", "folders", id, "items"]) => list(state, id, query),
        ("POST", ["2.0", "folders"]) => {
            let wish: Value = serde_json::from_slice(body).unwrap();
            let id = state.next_id();
            state.folders.insert(id, (text(&wish["name"]), text(&wish["parent"]["id"])));
            said(StatusCode::CREATED, &json!({"type": "folder", "id": id.to_string()}))
        }
        ("GET" | "PUT", ["2.0", "folders", id]) => folder(state, method, id, body),
        ("DELETE", ["2.0", "folders", id]) => {
            state.folders.remove(&id.parse().unwrap());
            Response::builder().status(StatusCode::NO_CONTENT).body(Full::default()).unwrap()
        }
        _ => said(StatusCode::NOT_FOUND, &json!({"path": path})),
    }
}

fn upload(state: &mut State, manners: Manners, headers: &HeaderMap, body: &Bytes) -> Answer {
    state.uploads_tried += 1;
    if manners.refuse_every.is_some_and(|every| state.uploads_tried.is_multiple_of(every)) {
        return said(StatusCode::INSUFFICIENT_STORAGE, &json!({"message": "the stub is full"}));
    }
    let kind = headers[header::CONTENT_TYPE].to_str().unwrap();
    let boundary = format!("--{}", kind.strip_prefix("multipart/form-data; boundary=").unwrap());
    let parts = parts(body, boundary.as_bytes());
    assert_eq!(parts.len(), 2);
    assert!(parts[0].0.contains("name=\"attributes\"") && parts[1].0.contains("name=\"file\""));
    let attributes: Value = serde_json::from_slice(&parts[0].1).unwrap();
    let file = StoredFile {
        name: text(&attributes["name"]),
        parent: text(&attributes["parent"]["id"]),
        content: parts[1].1.clone(),
    };
    assert!(state.files.values().all(|other| other.name != file.name), "a name was used twice");
    let id = state.next_id();
    let answer = json!({"total_count": 1, "entries": [described(id, &file)]});
    state.files.insert(id, file);
    said(StatusCode::CREATED, &answer)
}

/// Head and content of each part of a form.
fn parts(body: &Bytes, boundary: &[u8]) -> Vec<(String, Bytes)> {
    let mut found = Vec::new();
    let mut at = find(body, boundary).unwrap() + boundary.len();
    while body[at..].starts_with(b"\r\n") {
        let head_end = at + find(&body[at..], b"\r\n\r\n").unwrap();
        let end = head_end + find(&body[head_end..], boundary).unwrap();
        let head = String::from_utf8(body[at..head_end].to_vec()).unwrap();
        found.push((head, body.slice(head_end + 4..end - 2)));
        at = end + boundary.len();
    }
    assert_eq!(&body[at..], b"--\r\n");
    found
}

fn find(body: &[u8], wanted: &[u8]) -> Option<usize> {
    body.windows(wanted.len()).position(|window| window == wanted)
}

fn download(state: &mut State, manners: Manners, id: &str) -> Answer {
    state.downloads += 1;
    let content = state.files[&id.parse().unwrap()].content.clone();
    let content = match manners {
        Manners { short_content: true, .. } => content.slice(..content.len() - 1),
        Manners { wrong_content: true, .. } => content.iter().map(|byte| byte ^ 1).collect(),
        _ => content,
    };
    Response::new(Full::new(content))
}

fn list(state: &State, folder: &str, query: &str) -> Answer {
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    assert_eq!(value("usemarker"), Some("true"));
    let limit: usize = value("limit").unwrap().parse().unwrap();
    let after: u64 = value("marker").map_or(0, |marker| marker.strip_suffix("%3D").unwrap().parse().unwrap());
    let mut items: Vec<_> =
        state.files.range(after + 1..).filter(|(_, file)| file.parent == folder).take(limit + 1).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let marker = items.last().filter(|_| more).map(|(id, _)| format!("{id}="));
    let entries: Vec<_> = items.into_iter().map(|(id, file)| described(*id, file)).collect();
    said(StatusCode::OK, &json!({"entries": entries, "limit": limit, "next_marker": marker}))
}

fn folder(state: &mut State, method: &Method, id: &str, body: &Bytes) -> Answer {
    let Some(folder) = state.folders.get_mut(&id.parse().unwrap()) else {
        return said(StatusCode::NOT_FOUND, &json!({"code": "not_found"}));
    };
    if method == Method::PUT {
        let wish: Value = serde_json::from_slice(body).unwrap();
        if wish["name"].is_string() {
            folder.0 = text(&wish["name"]);
        }
        if wish["parent"]["id"].is_string() {
            folder.1 = text(&wish["parent"]["id"]);
        }
        state.changes.push(wish);
    }
    let folder = &state.folders[&id.parse().unwrap()];
    said(StatusCode::OK, &json!({"id": id, "name": folder.0, "parent": {"id": folder.1}}))
}

fn s3_answer(state: &mut State, method: &Method, path: &str, headers: &HeaderMap, body: &Bytes) -> Answer {
    let authorization = headers[header::AUTHORIZATION].to_str().unwrap();
    assert!(authorization.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date,"));
    match (method.as_str(), path.split_once('/')) {
        ("PUT", None) => Response::new(Full::default()),
        ("GET", None) => {
            let entries: String = state
                .objects
                .iter()
                .map(|(key, content)| format!("<Contents><Key>{key}</Key><Size>{}</Size></Contents>", content.len()))
                .collect();
            Response::new(Full::from(format!("<ListBucketResult>{entries}</ListBucketResult>")))
        }
        ("PUT", Some((_, key))) => {
            let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
            let hash = data_encoding::HEXLOWER.encode(hash.as_ref());
            assert_eq!(headers["x-amz-content-sha256"].to_str().unwrap(), hash);
            assert!(state.objects.insert(key.to_owned(), body.clone()).is_none());
            Response::new(Full::default())
        }
        ("GET", Some((_, key))) => Response::new(Full::new(state.objects[key].clone())),
        _ => said(StatusCode::METHOD_NOT_ALLOWED, &json!({})),
    }
}

fn described(id: u64, file: &StoredFile) -> Value {
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &file.content);
    json!({
        "type": "file",
        "id": id.to_string(),
        "name": file.name,
        "size": file.content.len(),
        "sha1": data_encoding::HEXLOWER.encode(sha1.as_ref()),
    })
}

fn said(status: StatusCode, body: &Value) -> Answer {
    Response::builder().status(status).body(Full::from(body.to_string())).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl State {
    fn next_id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}
