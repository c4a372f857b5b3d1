use super::{
    Phase,
    guarded::Guarded,
    progress::{Progress, Unwanted},
    request_body::RequestBody,
    response_body::{AccessLog, ResponseBody},
};
use crate::{
    arrival::{Arrival, Entry, Scheme},
    host::{self, BadHost, HostTable},
    limits::Limits,
    request_id::{self, RequestId},
};
use axum::{body::Body, response::Response};
use entente_world::World;
use futures_util::FutureExt;
use http::{HeaderValue, Request, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, future::poll_fn, net::SocketAddr, panic::AssertUnwindSafe, pin::pin, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::{Instant, timeout},
};
use tower_service::Service;

/// What all connections of a listener share.
pub(crate) struct Site<S> {
    pub(crate) world: World,
    pub(crate) service: S,
    pub(crate) hosts: HostTable,
    pub(crate) limits: Limits,
    pub(crate) http: http1::Builder,
}

/// The two ends of a connection, and whether it is encrypted.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) scheme: Scheme,
}

/// How we speak HTTP/1.1. hyper gathers an answer's head and body and writes them with one `writev`; its option to
/// flush pipelined answers together is left off, since it copies every body.
pub(crate) fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    // The waits for a head are limited by `Guarded`, which needs no timer per request.
    http.header_read_timeout(None)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.buffer_bytes.max(limits.head_bytes).max(8192))
        .writev(true)
        .pipeline_flush(false)
        .half_close(false)
        .keep_alive(true);
    http
}

/// Serves requests until the client or we hang up.
pub(crate) async fn run<T, S>(io: T, ends: Ends, site: Arc<Site<S>>, mut phase: watch::Receiver<Phase>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let progress = Arc::new(Progress::default());
    let io = TokioIo::new(Guarded::new(io, Arc::clone(&progress), &site.limits));
    let service = service_fn(|request| answer(request, ends, &site, &progress, progress.begin()));
    let mut connection = pin!(site.http.serve_connection(io, service));
    if *phase.borrow_and_update() == Phase::Draining {
        connection.as_mut().graceful_shutdown();
    }
    loop {
        tokio::select! {
            biased;
            outcome = connection.as_mut() => {
                if let Err(error) = outcome {
                    // Clients come and go; this is nothing to act upon.
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            change = phase.changed() => match (change, *phase.borrow_and_update()) {
                (Ok(()), Phase::Serving) => {}
                (Ok(()), Phase::Draining) => connection.as_mut().graceful_shutdown(),
                // The grace is over, or nobody waits for us any more.
                (Ok(()), Phase::Over) | (Err(_), _) => return,
            },
        }
    }
}

async fn answer<S>(
    request: Request<Incoming>,
    ends: Ends,
    site: &Site<S>,
    progress: &Arc<Progress>,
    number: u32,
) -> Result<Response<ResponseBody>, Infallible>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible> + Clone,
{
    let request_id = RequestId::random(&site.world);
    let log = super::access_log_wanted().then(|| {
        let (method, started) = (request.method().clone(), Instant::now());
        Box::new(AccessLog { method, route: None, status: StatusCode::OK, started, sent_bytes: 0 })
    });
    let waits_to_send = request.headers().contains_key(header::EXPECT);
    // RFC 9112 section 3.2: a target has no fragment. Without it the request would be about something else.
    let is_whole = !progress.take_fragment();
    let mut response = match directed(request, ends, request_id, site, progress) {
        Ok(_) if !is_whole => status(StatusCode::BAD_REQUEST),
        Ok(request) => call(site.service.clone(), request, request_id).await,
        Err(BadHost) => status(StatusCode::BAD_REQUEST),
    };
    if let Some(unwanted) = progress.answered() {
        let kept = (unwanted.asked || !waits_to_send) && is_drained(unwanted, &site.limits).await;
        if !kept {
            progress.give_up_reading();
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
    response.headers_mut().entry(request_id::HEADER).or_insert_with(|| request_id.header_value());
    let log = log.map(|mut log| {
        log.status = response.status();
        log.route = response.extensions_mut().remove();
        log
    });
    Ok(response.map(|body| ResponseBody::new(body, Arc::clone(progress), number, request_id, log)))
}

/// The request as the service sees it.
fn directed<S>(
    request: Request<Incoming>,
    ends: Ends,
    request_id: RequestId,
    site: &Site<S>,
    progress: &Arc<Progress>,
) -> Result<Request<Body>, BadHost> {
    let host = host::requested(request.uri(), request.headers())?;
    if host.is_none() && request.version() == Version::HTTP_11 {
        // RFC 9112 section 3.2.
        return Err(BadHost);
    }
    let target = host.and_then(|host| site.hosts.rewrite(host, request.uri()));
    let entry = if target.is_some() { Entry::HostName } else { Entry::Path };
    let mut request = request.map(|incoming| {
        if incoming.is_end_stream() {
            Body::empty()
        } else {
            Body::new(RequestBody::new(incoming, Arc::clone(progress), site.limits.body_idle))
        }
    });
    if let Some(target) = target {
        *request.uri_mut() = target;
    }
    let Ends { peer, local, scheme } = ends;
    request.extensions_mut().insert(Arrival { request_id, peer, local, scheme, entry });
    Ok(request)
}

/// Calls the service. Should it panic, against all rules, only this request fails.
async fn call<S>(mut service: S, request: Request<Body>, request_id: RequestId) -> Response
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let work = async move {
        let Ok(()) = poll_fn(|cx| service.poll_ready(cx)).await;
        let Ok(response) = service.call(request).await;
        response
    };
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(request.id = %request_id, "a request failed inside; please report the panic shown above");
        status(StatusCode::INTERNAL_SERVER_ERROR)
    })
}

/// Reads away a short rest of a body, so that the connection can go on. Whether that succeeded.
async fn is_drained(unwanted: Unwanted, limits: &Limits) -> bool {
    let Unwanted { mut incoming, .. } = unwanted;
    let mut left_bytes = limits.unwanted_bytes;
    if incoming.size_hint().lower() > left_bytes {
        return false;
    }
    let drain = async {
        while let Some(frame) = incoming.frame().await {
            let Ok(frame) = frame else { return false };
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            match left_bytes.checked_sub(length) {
                Some(rest) => left_bytes = rest,
                None => return false,
            }
        }
        true
    };
    // A client that sends nothing before it has its answer must not wait long for it.
    timeout(limits.unwanted, drain).await.unwrap_or(false)
}

fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
