//! Scenarios for an endpoint that speaks like Box.

pub mod download;
mod fill;
mod list;
mod mixed;
mod move_folder;
pub mod multipart;
pub mod upload;

use crate::{
    Bench,
    args::{BoxTarget, CreateFolderArguments},
    body::Body,
    client::{Appetite, Connection, bare, unexpected},
    endpoint::Endpoint,
};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{fs, sync::Arc};

pub use download::download;
pub use fill::fill;
pub use list::list;
pub use mixed::mixed;
pub use move_folder::move_folder;
pub use upload::upload;

/// Where the endpoint is, and who asks.
#[derive(Clone)]
pub struct Door {
    endpoint: Arc<Endpoint>,
    base: String,
    authorization: HeaderValue,
}

/// A file as far as it matters here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct File {
    pub id: String,
    #[serde(default)]
    pub size: u64,
    #[serde(default)]
    pub sha1: String,
}

/// An answer to an upload.
#[derive(Deserialize)]
pub struct Uploaded {
    pub entries: Vec<File>,
}

impl Door {
    pub fn new(bench: &Bench, target: &BoxTarget) -> Result<Self> {
        let token = match (&target.token, &target.token_file) {
            (Some(token), _) => token.clone(),
            (None, Some(path)) => {
                fs::read_to_string(path).with_context(|| format!("cannot read the token in {}", path.display()))?
            }
            (None, None) => bail!("give a token with --token or --token-file"),
        };
        Self::at(bench, &target.url, &token)
    }

    /// The door at a base URL, for whoever has that bearer token.
    ///
    /// # Errors
    /// When it is no URL that can be reached, or the token cannot be sent.
    pub fn at(bench: &Bench, url: &str, token: &str) -> Result<Self> {
        let (endpoint, base) = Endpoint::parse_base(url, &bench.trust)?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.trim()))
            .context("the token holds characters that no header can carry")?;
        authorization.set_sensitive(true);
        Ok(Self { endpoint: Arc::new(endpoint), base, authorization })
    }

    pub fn connection(&self, bench: &Bench) -> Connection {
        Connection::new(&bench.world, &self.endpoint, Appetite::Hungry)
    }

    pub fn uri(&self, path: &str) -> Result<Uri> {
        format!("{}{path}", self.base).parse().with_context(|| format!("'{path}' is not a path"))
    }

    pub fn request(&self, method: Method, uri: &Uri) -> Request<Body> {
        let mut request = bare(method, uri);
        request.headers_mut().insert(header::AUTHORIZATION, self.authorization.clone());
        request
    }

    pub fn json_request(&self, method: Method, uri: &Uri, body: &Value) -> Request<Body> {
        let mut request = self.request(method, uri);
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Body::whole(Bytes::from(body.to_string()));
        request
    }

    /// Makes a folder and tells its id.
    pub async fn create_folder(&self, connection: &mut Connection, parent: &str, name: &str) -> Result<String> {
        let body = json!({ "name": name, "parent": { "id": parent } });
        let request = self.json_request(Method::POST, &self.uri("/2.0/folders")?, &body);
        let (status, _, answer) = connection.ask(request).await?;
        if status != StatusCode::CREATED {
            bail!("the folder could not be made: {}", unexpected(status, &answer));
        }
        let made: Value = serde_json::from_slice(&answer)?;
        let id = made.get("id").and_then(Value::as_str).context("the folder made has no id")?;
        Ok(id.to_owned())
    }

    async fn delete_folder(&self, connection: &mut Connection, id: &str) -> Result<()> {
        let uri = self.uri(&format!("/2.0/folders/{id}?recursive=true"))?;
        let (status, _, answer) = connection.ask(self.request(Method::DELETE, &uri)).await?;
        if status != StatusCode::NO_CONTENT {
            bail!("the folder could not be deleted: {}", unexpected(status, &answer));
        }
        Ok(())
    }

    /// Where a file's content can be fetched without a token: what its redirect points at.
    pub async fn resolve(&self, connection: &mut Connection, id: &str) -> Result<(Arc<Endpoint>, Uri)> {
        let uri = self.uri(&format!("/2.0/files/{id}/content"))?;
        let (status, headers, answer) = connection.ask(self.request(Method::GET, &uri)).await?;
        if status != StatusCode::FOUND {
            bail!("no redirect for file {id}: {}", unexpected(status, &answer));
        }
        let location = headers.get(header::LOCATION).context("the redirect has no Location")?;
        let (endpoint, uri) = self.endpoint.follow(location.to_str().context("the Location is not text")?)?;
        let endpoint =
            if endpoint.same_place(&self.endpoint) { Arc::clone(&self.endpoint) } else { Arc::new(endpoint) };
        Ok((endpoint, uri))
    }
}

/// Asks for JSON and insists on 200.
pub async fn ask_json<T: DeserializeOwned>(connection: &mut Connection, request: Request<Body>) -> Result<T> {
    let (status, _, answer) = connection.ask(request).await?;
    if status != StatusCode::OK {
        bail!("{}", unexpected(status, &answer));
    }
    serde_json::from_slice(&answer).context("the answer is not the JSON expected")
}

/// Makes a folder and tells its id.
///
/// # Errors
/// When the server refuses, or there is such a folder already.
pub async fn create_folder(bench: &Bench, arguments: &CreateFolderArguments) -> Result<String> {
    let door = Door::new(bench, &arguments.target)?;
    door.create_folder(&mut door.connection(bench), &arguments.parent, &arguments.name).await
}

/// Eight hex digits that tell the names of one run from those of another.
fn run_name(bench: &Bench) -> String {
    data_encoding::HEXLOWER.encode(&bench.world.random().bytes::<4>())
}
