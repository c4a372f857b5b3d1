//! One HTTP/1.1 connection, kept open and owned by whoever asks over it. There is no pool.

use crate::{body::Body, endpoint::Endpoint};
use anyhow::{Context, Result, bail};
use aws_lc_rs::digest;
use bytes::Bytes;
use entente_world::World;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

/// Answers that are kept whole (errors, JSON) may be this large; a listing of 1,000 items with all fields is below 4 MiB.
const ANSWER_BYTES_MAX: usize = 128 << 20;
/// This much of an error's body is told.
const ERROR_CHARS_MAX: usize = 300;

/// How much may be underway on a connection unread.
#[derive(Debug, Clone, Copy)]
pub enum Appetite {
    /// As much as the kernel and hyper like.
    Hungry,
    /// As little as possible, so that a slow reader is really felt by the server.
    Small,
}

/// A connection, opened when first needed and again when the server closed it.
pub struct Connection {
    world: World,
    endpoint: Arc<Endpoint>,
    appetite: Appetite,
    sender: Option<SendRequest<Body>>,
}

impl Connection {
    pub fn new(world: &World, endpoint: &Arc<Endpoint>, appetite: Appetite) -> Self {
        Self { world: world.clone(), endpoint: Arc::clone(endpoint), appetite, sender: None }
    }

    /// Makes the connection speak to another endpoint, if it is another.
    pub fn turn_to(&mut self, endpoint: &Arc<Endpoint>) {
        if !self.endpoint.same_place(endpoint) {
            self.sender = None;
        }
        self.endpoint = Arc::clone(endpoint);
    }

    /// Opens the connection if it is not open.
    ///
    /// # Errors
    /// When the server cannot be reached, or TLS fails.
    pub async fn open(&mut self) -> Result<()> {
        if self.sender.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return Ok(());
        }
        let endpoint = &self.endpoint;
        let stream =
            self.connect().await.with_context(|| format!("cannot reach {}:{}", endpoint.host, endpoint.port))?;
        // A small request must leave at once.
        stream.set_nodelay(true)?;
        let sender = match &endpoint.tls {
            None => self.handshake(TokioIo::new(stream)).await?,
            Some((config, name)) => {
                let tls = TlsConnector::from(Arc::clone(config)).connect(name.clone(), stream).await;
                let tls = tls.with_context(|| format!("TLS with {} failed", endpoint.host))?;
                self.handshake(TokioIo::new(tls)).await?
            }
        };
        self.sender = Some(sender);
        Ok(())
    }

    /// Drops the connection, so that the next request opens a new one.
    pub fn close(&mut self) {
        self.sender = None;
    }

    async fn connect(&self) -> Result<TcpStream> {
        let mut addresses = lookup_host((self.endpoint.host.as_str(), self.endpoint.port)).await?;
        let address = addresses.next().context("the name has no address")?;
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if matches!(self.appetite, Appetite::Small) {
            socket.set_recv_buffer_size(32 << 10)?;
        }
        Ok(socket.connect(address).await?)
    }

    async fn handshake<I>(&self, io: I) -> Result<SendRequest<Body>>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let mut builder = http1::Builder::new();
        if matches!(self.appetite, Appetite::Small) {
            builder.max_buf_size(16 << 10);
        }
        let (sender, connection) = builder.handshake(io).await?;
        // Its errors reach us as those of the request that was underway.
        self.world.spawn(async move { connection.await.unwrap_or_default() });
        Ok(sender)
    }

    /// Sends one request and waits for the head of its answer. The `Host` header is added here.
    ///
    /// A connection that the server closed between two requests is opened again without anyone noticing.
    ///
    /// # Errors
    /// When the server cannot be reached or the connection breaks; whether the request was carried out is then unknown.
    pub async fn send(&mut self, mut request: Request<Body>) -> Result<Response<Incoming>> {
        request.headers_mut().insert(header::HOST, self.endpoint.authority.clone());
        let still_open = match &mut self.sender {
            Some(sender) => sender.ready().await.is_ok(),
            None => false,
        };
        if !still_open {
            self.close();
            self.open().await?;
        }
        let sender = self.sender.as_mut().context("the connection is closed")?;
        let answer = sender.send_request(request).await;
        if answer.is_err() {
            self.close();
        }
        answer.context("the connection broke before the answer came")
    }

    /// Sends one request and reads its whole answer.
    ///
    /// # Errors
    /// As [`Self::send`], and when the body is cut short or larger than 128 MiB.
    pub async fn ask(&mut self, request: Request<Body>) -> Result<(StatusCode, http::HeaderMap, Bytes)> {
        let (parts, body) = self.send(request).await?.into_parts();
        let body = http_body_util::Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("the answer could not be read: {error}"))?;
        Ok((parts.status, parts.headers, body.to_bytes()))
    }
}

/// A request without a body.
///
/// # Errors
/// When a header is not possible.
pub fn bare(method: Method, uri: &Uri) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = method;
    *request.uri_mut() = uri.clone();
    request
}

/// Reads a body to its end without keeping it, and tells its length.
///
/// # Errors
/// When it is cut short.
pub async fn drain(mut body: Incoming) -> Result<u64> {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.context("the body was cut short")?.into_data() {
            length += data.len() as u64;
        }
    }
    Ok(length)
}

/// Reads a body to its end, and tells its length and its SHA-1 in hex.
///
/// # Errors
/// When it is cut short.
pub async fn drain_hashing(mut body: Incoming) -> Result<(u64, String)> {
    let mut hash = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.context("the body was cut short")?.into_data() {
            length += data.len() as u64;
            hash.update(&data);
        }
    }
    Ok((length, data_encoding::HEXLOWER.encode(hash.finish().as_ref())))
}

/// The error for an answer that was not the one wanted: its status and the beginning of its body.
///
/// # Errors
/// Always.
pub async fn refuse<T>(answer: Response<Incoming>) -> Result<T> {
    let status = answer.status();
    let body = http_body_util::Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_or_else(|_| Bytes::new(), http_body_util::Collected::to_bytes);
    bail!("{}", unexpected(status, &body))
}

/// One line on an answer that was not the one wanted.
pub fn unexpected(status: StatusCode, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(ERROR_CHARS_MAX).collect();
    format!("{status}: {text}")
}
