//! A server in the middle that passes HTTP requests on, each by itself: to one of several servers drawn at random, or to
//! a cloud whose listings it can make stale.

use super::{content::Choices, stale::Listings};
use anyhow::{Context, Result};
use bytes::Bytes;
use entente_world::World;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    server::conn::http1::Builder,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
    task::JoinHandle,
};

/// A listing is at most so large.
const LISTING_BYTES_MAX: usize = 64 << 20;

type Body = BoxBody<Bytes, hyper::Error>;

/// Passes requests on as long as it lives.
pub struct Middle {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    world: World,
    /// To any of these.
    servers: Vec<SocketAddr>,
    listings: Option<Arc<Listings>>,
    choices: std::sync::Mutex<Choices>,
    passed: Vec<AtomicU64>,
}

/// Connections of one client to the servers, one each at most.
type Onward = Arc<Mutex<HashMap<SocketAddr, SendRequest<Incoming>>>>;

impl Middle {
    /// Listens at that address (port 0: any) and passes each request on to one of the servers, drawn with that seed.
    pub async fn before(
        world: &World,
        at: SocketAddr,
        servers: Vec<SocketAddr>,
        (seed, listings): (u64, Option<Arc<Listings>>),
    ) -> Result<Self> {
        let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at}"))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            world: world.clone(),
            passed: servers.iter().map(|_| AtomicU64::new(0)).collect(),
            servers,
            listings,
            choices: std::sync::Mutex::new(Choices::new(seed, 0)),
        });
        let task = world.spawn(listen(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests each server got.
    pub fn passed(&self) -> Vec<u64> {
        self.shared.passed.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let world = shared.world.clone();
        world.spawn(async move {
            stream.set_nodelay(true).unwrap_or_default();
            let onward: Onward = Arc::default();
            let serve = service_fn(move |request| {
                let (shared, onward) = (Arc::clone(&shared), Arc::clone(&onward));
                async move { shared.pass(&onward, request).await }
            });
            // A client that goes away is no trouble of ours.
            Builder::new().serve_connection(TokioIo::new(stream), serve).await.unwrap_or_default();
        });
    }
}

impl Shared {
    /// An error closes the client's connection, as a broken server would.
    async fn pass(&self, onward: &Onward, request: Request<Incoming>) -> Result<Response<Body>> {
        let drawn = self.choices.lock().unwrap_or_else(PoisonError::into_inner).index(self.servers.len());
        let server = *self.servers.get(drawn).context("there is nobody to pass a request on to")?;
        if let Some(count) = self.passed.get(drawn) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let seen = self.listings.as_ref().map(|listings| (listings, listings.look_at(&request)));
        let mut onward = onward.lock().await;
        let mut kept = onward.remove(&server);
        if let Some(sender) = &mut kept
            && sender.ready().await.is_err()
        {
            kept = None;
        }
        let mut sender = match kept {
            Some(sender) => sender,
            None => self.connect(server).await?,
        };
        let answer = sender.send_request(request).await?;
        onward.insert(server, sender);
        drop(onward);
        let (mut parts, body) = answer.into_parts();
        let Some((listings, seen)) = seen else { return Ok(Response::from_parts(parts, body.boxed())) };
        if !listings.note(&seen, parts.status) {
            return Ok(Response::from_parts(parts, body.boxed()));
        }
        let listing = http_body_util::Limited::new(body, LISTING_BYTES_MAX).collect().await;
        let listing = listing.map_err(|error| anyhow::anyhow!("a listing could not be read: {error}"))?.to_bytes();
        let listing = Bytes::from(listings.as_it_was(&String::from_utf8_lossy(&listing)));
        parts.headers.remove(http::header::TRANSFER_ENCODING);
        parts.headers.insert(http::header::CONTENT_LENGTH, listing.len().into());
        let never = |never: Infallible| match never {};
        Ok(Response::from_parts(parts, Full::new(listing).map_err(never).boxed()))
    }

    async fn connect(&self, server: SocketAddr) -> Result<SendRequest<Incoming>> {
        let stream = TcpStream::connect(server).await.with_context(|| format!("cannot reach {server}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::Builder::new().handshake(TokioIo::new(stream)).await?;
        self.world.spawn(async move { connection.await.unwrap_or_default() });
        Ok(sender)
    }
}
