//! Accepts connections, serves requests on them, and drains them when the process stops.

mod connection;
mod deadline;
mod guarded;
mod listener;
mod progress;
mod request_body;
mod request_line;
mod response_body;
#[cfg(test)]
mod tests;

pub use listener::Listener;

use crate::{
    arrival::Scheme,
    limits::Limits,
    metrics::{ACCEPT_ERRORS, CONNECTIONS},
    tls::{self, Handshake},
};
use axum::{body::Body, response::Response};
use connection::{Ends, Site};
use entente_world::{Shutdown, World};
use futures_util::future::join_all;
use http::Request;
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::timeout,
};
use tower_service::Service;

/// The tracing target of the access log: one line at level `DEBUG` for each request answered.
pub const ACCESS_LOG: &str = "access";

/// The shortest and the longest pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE_MIN: Duration = Duration::from_millis(10);
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Whether anybody reads the access log.
pub(crate) fn access_log_wanted() -> bool {
    tracing::enabled!(target: ACCESS_LOG, tracing::Level::DEBUG)
}

/// Why nothing can be served. Not to be retried without a change.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}; is another program using it?")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// There is nothing to listen on.
    #[error("there is no address to listen on; name at least one")]
    NoListener,
}

/// What a connection is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Serve.
    Serving,
    /// Finish the request under way, and hang up.
    Draining,
    /// Hang up.
    Over,
}

/// Serves the listeners until `shutdown` is requested, then lets the requests under way finish for `limits.drain`.
///
/// * Connections are HTTP/1.1 with keep-alive, pipelining and `100 Continue`, with Nagle's algorithm off.
/// * Every request carries an [`Arrival`](crate::Arrival); every answer carries its `x-request-id`.
/// * A request without a valid host is answered 400, a head too long 431, a panic inside the service 500.
/// * A connection over the limit waits to be accepted; TLS is agreed in the connection's own task.
/// * Dropping the future hangs up on everybody.
///
/// Fails only when there is no listener.
pub async fn serve<S>(
    world: &World,
    listeners: Vec<Listener<S>>,
    mut shutdown: Shutdown,
    limits: Limits,
) -> Result<(), Error>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    if listeners.is_empty() {
        return Err(Error::NoListener);
    }
    let (phase, phases) = watch::channel(Phase::Serving);
    let free = Arc::new(Semaphore::new(limits.connections as usize));
    let accepting = listeners.into_iter().map(|listener| accept(world, listener, &free, &phases, limits));
    tokio::select! {
        // Accepting does not end by itself.
        _ = join_all(accepting) => {}
        () = shutdown.requested() => {}
    }
    // The sockets are closed by now, so that a load balancer notices.
    phase.send_replace(Phase::Draining);
    let all_free = || free.acquire_many(limits.connections);
    if timeout(limits.drain, all_free()).await.is_err() {
        let connections = (limits.connections as usize).saturating_sub(free.available_permits());
        tracing::warn!(connections, "hanging up on requests that did not end in time");
        phase.send_replace(Phase::Over);
        // The semaphore is never closed: an error cannot be.
        let _ = all_free().await;
    }
    Ok(())
}

async fn accept<S>(
    world: &World,
    listener: Listener<S>,
    free: &Arc<Semaphore>,
    phases: &watch::Receiver<Phase>,
    limits: Limits,
) where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let Listener { socket, tls, hosts, service } = listener;
    let http = connection::http(&limits);
    let site = Arc::new(Site { world: world.clone(), service, hosts, limits, http });
    let mut pause = ACCEPT_PAUSE_MIN;
    // The semaphore is never closed, so this ends only when it is dropped.
    while let Ok(permit) = Arc::clone(free).acquire_owned().await {
        match socket.accept().await {
            Ok((stream, peer)) => {
                pause = ACCEPT_PAUSE_MIN;
                let open = Open { stream, peer, permit };
                world.spawn(open.serve(tls.clone(), Arc::clone(&site), phases.clone()));
            }
            Err(error) if concerns_one_connection(&error) => {}
            Err(error) => {
                metrics::counter!(ACCEPT_ERRORS).increment(1);
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept connections; trying again soon");
                drop(permit);
                world.sleep(pause).await;
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

/// The client gave up before it was accepted.
fn concerns_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Switches off Nagle's algorithm, without which a small answer can wait 40 ms for the client's acknowledgement of the
/// one before. Returns our end of the connection; fails when the client has already gone.
fn prepare(stream: &TcpStream) -> io::Result<SocketAddr> {
    stream.set_nodelay(true)?;
    stream.local_addr()
}

/// An accepted connection.
struct Open {
    stream: TcpStream,
    peer: SocketAddr,
    /// Given back when the connection is gone.
    permit: OwnedSemaphorePermit,
}

impl Open {
    async fn serve<S>(self, tls: Option<Arc<tls::Endpoint>>, site: Arc<Site<S>>, phases: watch::Receiver<Phase>)
    where
        S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        let Self { stream, peer, permit } = self;
        let Ok(local) = prepare(&stream) else { return };
        let gauge = metrics::gauge!(CONNECTIONS);
        gauge.increment(1);
        match tls {
            None => connection::run(stream, Ends { peer, local, scheme: Scheme::Http }, site, phases).await,
            Some(tls) => match timeout(site.limits.handshake, tls.agree(stream)).await {
                Ok(Ok(Handshake::Agreed(stream))) => {
                    connection::run(stream, Ends { peer, local, scheme: Scheme::Https }, site, phases).await;
                }
                Ok(Ok(Handshake::Plain)) => tracing::debug!("a client spoke plain HTTP where TLS is expected"),
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
        gauge.decrement(1);
        drop(permit);
    }
}
