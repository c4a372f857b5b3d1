//! Asks the server that runs on a data directory, through its operator interface: for the verbs that tell or change what
//! only that process knows.

use crate::data::DataDirectory;
use crate::exit::{Exit, Failure};
use crate::store::Store;
use anyhow::{Context, anyhow};
use bytes::Bytes;
use entente_identity::IssueToken;
use entente_model::Scopes;
use entente_world::World;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::time::Duration;
use tokio::net::TcpStream;

/// How long an answer may take: a reload opens every new backend.
const ANSWER_MAX: Duration = Duration::from_secs(120);
/// The largest answer.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How long the token lives that is issued for one question.
const TOKEN_LIFETIME: Duration = Duration::from_secs(180);

/// A running server.
pub(crate) struct Running {
    authority: String,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Running {
    /// The server that accepts requests on a data directory, if one does.
    pub(crate) fn on(data: &DataDirectory) -> Option<Self> {
        data.server()?;
        let ready = data.ready()?;
        let url = ready.admin_url.unwrap_or(ready.url);
        Some(Self { authority: url.strip_prefix("http://")?.trim_end_matches('/').to_owned() })
    }

    /// Asks as an administrator of the store, under a token that lives for minutes.
    pub(crate) async fn ask(&self, store: &Store, method: Method, path: &str) -> Result<Answer, Failure> {
        self.ask_with(store, method, path, Bytes::new()).await
    }

    /// Sends something, as JSON; any answer but a good one is a failure.
    pub(crate) async fn post(&self, store: &Store, path: &str, value: &Value) -> Result<Value, Failure> {
        let answer = self.ask_with(store, Method::POST, path, value.to_string().into()).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(answer.failure()) }
    }

    async fn ask_with(&self, store: &Store, method: Method, path: &str, body: Bytes) -> Result<Answer, Failure> {
        let token = token(store).await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.authority.as_str())
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_LENGTH, body.len())
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .context("the request")?;
        let answered = tokio::select! {
            answered = self.send(&store.world, request) => answered,
            () = store.world.sleep(ANSWER_MAX) => Err(anyhow!("no answer within {} s", ANSWER_MAX.as_secs())),
        };
        Ok(answered.with_context(|| format!("the server at {} cannot be asked", self.authority))?)
    }

    /// Asks for something that is there; any answer but a good one is a failure.
    pub(crate) async fn get(&self, store: &Store, path: &str) -> Result<Value, Failure> {
        let answer = self.ask(store, Method::GET, path).await?;
        if answer.status.is_success() { Ok(answer.body) } else { Err(answer.failure()) }
    }

    async fn send(&self, world: &World, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(&self.authority).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        world.spawn(async move {
            // The answer tells what went wrong, if anything did.
            let _ = connection.await;
        });
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| anyhow!(error))?.to_bytes();
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).context("the answer")? };
        Ok(Answer { status: head.status, body })
    }
}

impl Answer {
    /// What the server says is wrong.
    pub(crate) fn failure(&self) -> Failure {
        let said = self.body.pointer("/error/message").and_then(Value::as_str);
        let exit = if self.status == StatusCode::UNPROCESSABLE_ENTITY { Exit::Usage } else { Exit::Failed };
        Failure::new(exit, said.map_or_else(|| format!("the server answered {}", self.status), str::to_owned))
    }
}

/// A token of an administrator.
async fn token(store: &Store) -> Result<String, Failure> {
    let user = store.administrator().await?;
    let issue = IssueToken { user: user.id, app: None, scopes: Scopes::ALL, lifetime: TOKEN_LIFETIME };
    Ok(store.identity().issue(issue).await?.secret.expose().to_owned())
}
