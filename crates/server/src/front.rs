//! What stands before the doors.

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::options;
use http::{HeaderName, StatusCode};

const FETCH_DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// What a browser would run, or apply to a page, in the name of this server (Fetch Metadata Request Headers, 2.1).
const RUN: [&[u8]; 9] = [
    b"script",
    b"style",
    b"worker",
    b"sharedworker",
    b"serviceworker",
    b"audioworklet",
    b"paintworklet",
    b"xslt",
    b"manifest",
];

pub(crate) fn router() -> Router {
    // Windows asks the root of a host what it is before it connects to anything below.
    Router::new().route("/", options(|| async { entente_door_dav::options() }))
}

/// Lets nothing be run that people have uploaded: pages and contents have one origin, whose own scripts may do anything that
/// its users may. A layer for the doors that answer with contents.
pub(crate) async fn never_run(request: Request, next: Next) -> Response {
    let destination = request.headers().get(FETCH_DESTINATION);
    if destination.is_some_and(|destination| RUN.contains(&destination.as_bytes())) {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}
