//! Answers: JSON of known length, or nothing.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

/// Most answers are about as long.
const JSON_BYTES_USUAL: usize = 2 * 1024;

/// A value as JSON.
pub(crate) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let mut body = Vec::with_capacity(JSON_BYTES_USUAL);
    if let Err(error) = serde_json::to_writer(&mut body, value) {
        // Our own shapes always serialize: maps have text keys, and nothing else can fail.
        tracing::error!(%error, "an answer cannot be serialized");
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
