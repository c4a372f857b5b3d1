//! Answers: XML of known length, or nothing.

use crate::asked::Outcome;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

/// How every document begins.
pub(crate) const XML_HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";
pub(crate) const XML_TYPE: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The same, from a handler.
pub(crate) fn done(status: StatusCode) -> Outcome {
    Ok(empty(status))
}

/// A document.
pub(crate) fn xml(status: StatusCode, document: String) -> Response {
    let mut response = Response::new(Body::from(document));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, XML_TYPE);
    response
}
