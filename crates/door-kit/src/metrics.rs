//! Counts requests and how long they take.
//!
//! A door adds [`Measure`] to its router once, after its routes: `router.layer(Measure::door("box"))`. Every route is
//! then counted under its template, never under the path that was asked for, so that the number of series stays
//! small. Which recorder the numbers go to is the server's affair.
//!
//! | Metric | Labels | Means |
//! |---|---|---|
//! | `entente_requests_total` | door, method, route, status (`2xx` …) | requests answered |
//! | `entente_request_seconds` | door, method, route | from the head of the request to the head of the answer |
//! | `entente_connections` | – | connections open now |
//! | `entente_accept_errors_total` | – | connections that could not be accepted |

use axum::{extract::MatchedPath, response::Response};
use http::{Method, Request, StatusCode};
use metrics::{Counter, Histogram, counter, histogram};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, ready},
};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// The metric of requests answered.
pub const REQUESTS: &str = "entente_requests_total";
/// The metric of how long that took.
pub const SECONDS: &str = "entente_request_seconds";
/// The metric of open connections.
pub const CONNECTIONS: &str = "entente_connections";
/// The metric of connections that could not be accepted.
pub const ACCEPT_ERRORS: &str = "entente_accept_errors_total";

const METHODS: [&str; 16] = [
    "GET",
    "POST",
    "PUT",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "PATCH",
    "PROPFIND",
    "REPORT",
    "PROPPATCH",
    "MKCOL",
    "COPY",
    "MOVE",
    "LOCK",
    "UNLOCK",
    "other",
];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// A layer for a door's router that counts each of its routes.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    door: &'static str,
}

impl Measure {
    /// Counts under the name of this door.
    #[must_use]
    pub const fn door(door: &'static str) -> Self {
        Self { door }
    }
}

impl<S> Layer<S> for Measure {
    type Service = Measured<S>;

    fn layer(&self, inner: S) -> Measured<S> {
        Measured {
            inner,
            meters: Arc::new(Meters { door: self.door, path: OnceLock::new(), methods: Default::default() }),
        }
    }
}

/// A route that counts its requests.
#[derive(Clone)]
pub struct Measured<S> {
    inner: S,
    meters: Arc<Meters>,
}

/// The series of one route, registered when they are first needed.
struct Meters {
    door: &'static str,
    /// The template of the first request seen. axum wraps each route by itself, so it is that of all the others too.
    path: OnceLock<String>,
    methods: [OnceLock<Meter>; METHODS.len()],
}

struct Meter {
    seconds: Histogram,
    requests: [OnceLock<Counter>; STATUSES.len()],
}

impl Meters {
    fn count(&self, method: usize, status: StatusCode, started: Instant) {
        let (Some(slot), Some(name)) = (self.methods.get(method), METHODS.get(method)) else { return };
        let route = self.path.get().map_or("unmatched", String::as_str);
        let meter = slot.get_or_init(|| Meter {
            seconds: histogram!(SECONDS, "door" => self.door, "method" => *name, "route" => route.to_owned()),
            requests: Default::default(),
        });
        meter.seconds.record(started.elapsed().as_secs_f64());
        let class = usize::from(status.as_u16() / 100).saturating_sub(1).min(STATUSES.len() - 1);
        let (Some(slot), Some(class)) = (meter.requests.get(class), STATUSES.get(class)) else { return };
        let requests = slot.get_or_init(|| {
            counter!(REQUESTS, "door" => self.door, "method" => *name, "route" => route.to_owned(), "status" => *class)
        });
        requests.increment(1);
    }
}

fn method_index(method: &Method) -> usize {
    METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1)
}

impl<S, B> Service<Request<B>> for Measured<S>
where
    S: Service<Request<B>, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = MeasuredFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>();
        if let (Some(route), None) = (route, self.meters.path.get()) {
            // Lost only to another request of the same route.
            let _ = self.meters.path.set(route.as_str().to_owned());
        }
        // The answer carries its route only when the access log asks for it.
        let route = route.filter(|_| crate::serve::access_log_wanted()).cloned();
        MeasuredFuture {
            method: method_index(request.method()),
            meters: Arc::clone(&self.meters),
            started: Instant::now(),
            route,
            inner: self.inner.call(request),
        }
    }
}

pin_project_lite::pin_project! {
    /// The future of a [`Measured`] route.
    pub struct MeasuredFuture<F> {
        #[pin]
        inner: F,
        method: usize,
        meters: Arc<Meters>,
        started: Instant,
        route: Option<MatchedPath>,
    }
}

impl<F, E> Future for MeasuredFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.inner.poll(cx));
        if let Ok(response) = &mut answer {
            this.meters.count(*this.method, response.status(), *this.started);
            if let Some(route) = this.route.take() {
                response.extensions_mut().insert(route);
            }
        }
        Poll::Ready(answer)
    }
}
