//! A client of the Box door that checks every answer, and is as patient as it is told to be.

use super::content::Content;
use crate::{
    Bench,
    body::Body,
    box_door::{
        Door, File, Uploaded,
        multipart::{content_type, form_of},
    },
    client::{Connection, bare, unexpected},
};
use anyhow::{Context, Result, anyhow, bail};
use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use entente_world::World;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::timeout;

/// Nothing that these drills ask for takes longer, whatever happens to the clouds.
const ANSWER_MAX: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(50);
const DIGEST: HeaderName = HeaderName::from_static("digest");

/// What to do when a connection breaks.
#[derive(Debug, Clone)]
pub enum Patience {
    /// That is a failure.
    None,
    /// Ask again for so long, as an SDK does: the server was killed, and comes back. Counts how often it was needed.
    Reconnect { span: Duration, used: Arc<AtomicU64> },
}

/// One client, with a connection of its own.
pub struct Client {
    world: World,
    door: Door,
    connection: Connection,
    patience: Patience,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    part_size: u64,
}

/// A whole answer.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// Whether an earlier attempt may have been carried out, unheard.
    repeated: bool,
}

impl Client {
    pub fn new(bench: &Bench, door: &Door, patience: Patience) -> Self {
        Self { world: bench.world.clone(), door: door.clone(), connection: door.connection(bench), patience }
    }

    async fn send(&mut self, request: impl Fn(&Door) -> Result<Request<Body>>) -> Result<Answer> {
        let begun = self.world.instant();
        let mut repeated = false;
        loop {
            let asked = timeout(ANSWER_MAX, self.connection.ask(request(&self.door)?)).await;
            let error = match asked {
                Ok(Ok((status, headers, body))) => return Ok(Answer { status, headers, body, repeated }),
                Ok(Err(error)) => error,
                Err(_) => anyhow!("no answer within {} s", ANSWER_MAX.as_secs()),
            };
            self.connection.close();
            match &self.patience {
                Patience::Reconnect { span, used } if begun.elapsed() < *span => {
                    used.fetch_add(1, Ordering::Relaxed);
                    repeated = true;
                    self.world.sleep(PAUSE).await;
                }
                _ => return Err(error),
            }
        }
    }

    async fn json(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.send(|door| {
            let uri = door.uri(path)?;
            Ok(match body {
                Some(body) => door.json_request(method.clone(), &uri, body),
                None => door.request(method.clone(), &uri),
            })
        })
        .await
    }

    /// Any request to `/2.0` that answers JSON.
    pub async fn ask(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let answer = self.json(method, path, body).await?;
        if !answer.status.is_success() {
            bail!("{path}: {}", unexpected(answer.status, &answer.body));
        }
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("{path} did not answer JSON"))
    }

    /// Any request that answers text.
    pub async fn text(&mut self, path: &str) -> Result<String> {
        let answer = self.json(Method::GET, path, None).await?;
        if !answer.status.is_success() {
            bail!("{path}: {}", unexpected(answer.status, &answer.body));
        }
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    pub async fn create_folder(&mut self, parent: &str, name: &str) -> Result<String> {
        let body = json!({ "name": name, "parent": { "id": parent } });
        let answer = self.json(Method::POST, "/2.0/folders", Some(&body)).await?;
        made(&answer).map(|file| file.id)
    }

    /// Uploads a new file.
    pub async fn upload(&mut self, folder: &str, name: &str, content: Content) -> Result<File> {
        self.upload_bytes(folder, name, &content.bytes()).await
    }

    pub async fn upload_bytes(&mut self, folder: &str, name: &str, content: &[u8]) -> Result<File> {
        let attributes = json!({ "name": name, "parent": { "id": folder } }).to_string();
        let answer = self.send_form("/upload/2.0/files/content", &attributes, content).await?;
        let id = uploaded(&answer).with_context(|| format!("upload of {name}"))?;
        Ok(id)
    }

    /// Uploads a new version of a file.
    pub async fn upload_version(&mut self, id: &str, content: Content) -> Result<File> {
        let path = format!("/upload/2.0/files/{id}/content");
        let mut answer = self.send_form(&path, "{}", &content.bytes()).await?;
        if answer.status == StatusCode::OK {
            answer.status = StatusCode::CREATED;
        }
        uploaded(&answer).with_context(|| format!("new version of {id}"))
    }

    async fn send_form(&mut self, path: &str, attributes: &str, content: &[u8]) -> Result<Answer> {
        let form = form_of(attributes, content);
        self.send(|door| {
            let mut request = door.request(Method::POST, &door.uri(path)?);
            request.headers_mut().insert(header::CONTENT_TYPE, content_type());
            *request.body_mut() = Body::whole(form.clone());
            Ok(request)
        })
        .await
    }

    /// Downloads a file.
    pub async fn download(&mut self, id: &str) -> Result<Bytes> {
        let path = format!("/2.0/files/{id}/content");
        let answer = self.json(Method::GET, &path, None).await?;
        let location = answer.headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let (StatusCode::FOUND, Some(location)) = (answer.status, location) else {
            bail!("no redirect for file {id}: {}", unexpected(answer.status, &answer.body));
        };
        // All is served from one place here; only path and query matter.
        let uri: Uri = location.parse()?;
        let uri = Uri::from(uri.path_and_query().context("a location without a path")?.clone());
        let answer = self.send(|_| Ok(bare(Method::GET, &uri))).await?;
        if answer.status != StatusCode::OK {
            bail!("download of {id}: {}", unexpected(answer.status, &answer.body));
        }
        Ok(answer.body)
    }

    /// Downloads a file and compares it.
    pub async fn read(&mut self, id: &str, content: Content) -> Result<()> {
        let found = self.download(id).await?;
        if !content.is(&found) {
            bail!(
                "WRONG CONTENT: file {id} came back with {} bytes that are not the {} uploaded",
                found.len(),
                content.size_bytes
            );
        }
        Ok(())
    }

    pub async fn copy(&mut self, id: &str, folder: &str, name: &str) -> Result<File> {
        let body = json!({ "name": name, "parent": { "id": folder } });
        let answer = self.json(Method::POST, &format!("/2.0/files/{id}/copy"), Some(&body)).await?;
        made(&answer).with_context(|| format!("copy of {id}"))
    }

    pub async fn delete(&mut self, id: &str) -> Result<()> {
        let answer = self.json(Method::DELETE, &format!("/2.0/files/{id}"), None).await?;
        match answer.status {
            StatusCode::NO_CONTENT => Ok(()),
            StatusCode::NOT_FOUND if answer.repeated => Ok(()),
            status => bail!("deletion of {id}: {}", unexpected(status, &answer.body)),
        }
    }

    /// Uploads a new file in parts; at least 20 MB.
    pub async fn upload_in_parts(&mut self, folder: &str, name: &str, content: Content) -> Result<File> {
        let bytes = content.bytes();
        let body = json!({ "folder_id": folder, "file_name": name, "file_size": bytes.len() });
        let answer = self.json(Method::POST, "/upload/2.0/files/upload_sessions", Some(&body)).await?;
        if answer.status != StatusCode::CREATED {
            bail!("no upload session: {}", unexpected(answer.status, &answer.body));
        }
        let session: Session = serde_json::from_slice(&answer.body)?;
        let part_size = usize::try_from(session.part_size.max(1))?;
        let path = format!("/upload/2.0/files/upload_sessions/{}", session.id);
        let mut parts = Vec::new();
        for (index, part) in bytes.chunks(part_size).enumerate() {
            let begin = index * part_size;
            let range = format!("bytes {begin}-{}/{}", begin + part.len() - 1, bytes.len());
            let part = bytes.slice_ref(part);
            parts.push(self.upload_part(&path, &range, &part).await?);
        }
        self.commit(&path, &json!({ "parts": parts }), &bytes).await
    }

    async fn upload_part(&mut self, path: &str, range: &str, part: &Bytes) -> Result<Value> {
        let digest = sha1_header(part)?;
        let answer = self
            .send(|door| {
                let mut request = door.request(Method::PUT, &door.uri(path)?);
                let headers = request.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
                headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(range)?);
                headers.insert(DIGEST, digest.clone());
                *request.body_mut() = Body::whole(part.clone());
                Ok(request)
            })
            .await?;
        if answer.status != StatusCode::OK {
            bail!("part {range} of {path}: {}", unexpected(answer.status, &answer.body));
        }
        let mut answer: Value = serde_json::from_slice(&answer.body)?;
        Ok(answer.get_mut("part").map(Value::take).unwrap_or_default())
    }

    async fn commit(&mut self, path: &str, body: &Value, bytes: &[u8]) -> Result<File> {
        let digest = sha1_header(bytes)?;
        let answer = self
            .send(|door| {
                let mut request = door.json_request(Method::POST, &door.uri(&format!("{path}/commit"))?, body);
                request.headers_mut().insert(DIGEST, digest.clone());
                Ok(request)
            })
            .await?;
        uploaded(&answer).with_context(|| format!("commit of {path}"))
    }
}

/// The file that an upload made. When an earlier attempt was carried out unheard, the conflict tells of it.
fn uploaded(answer: &Answer) -> Result<File> {
    if let Some(file) = conflicting(answer) {
        return Ok(file);
    }
    if answer.status != StatusCode::CREATED {
        bail!("{}", unexpected(answer.status, &answer.body));
    }
    let uploaded: Uploaded = serde_json::from_slice(&answer.body)?;
    uploaded.entries.into_iter().next().context("an upload that made no file")
}

/// The same for what is not answered in a list.
fn made(answer: &Answer) -> Result<File> {
    if let Some(file) = conflicting(answer) {
        return Ok(file);
    }
    if answer.status != StatusCode::CREATED {
        bail!("{}", unexpected(answer.status, &answer.body));
    }
    Ok(serde_json::from_slice(&answer.body)?)
}

fn conflicting(answer: &Answer) -> Option<File> {
    if answer.status != StatusCode::CONFLICT || !answer.repeated {
        return None;
    }
    let told: Value = serde_json::from_slice(&answer.body).ok()?;
    let conflicts = told.pointer("/context_info/conflicts")?;
    // A file's conflict is an object; a folder's is a list.
    let conflict = conflicts.get(0).unwrap_or(conflicts);
    serde_json::from_value(conflict.clone()).ok()
}

fn sha1_header(bytes: &[u8]) -> Result<HeaderValue> {
    let sha1 = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    Ok(HeaderValue::from_str(&format!("sha={}", BASE64.encode(sha1.as_ref())))?)
}

/// A digest in hexadecimal, as answers tell it.
pub fn sha1_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
}
