//! `OPTIONS`: what is served. Answered to anybody, since clients ask before they know that they have to sign in.

use crate::answer;
use crate::routes::allow;
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};

const DAV: HeaderName = HeaderName::from_static("dav");
/// Without it, Windows takes this for a server of FrontPage's.
const MS_AUTHOR_VIA: HeaderName = HeaderName::from_static("ms-author-via");

/// Classes, methods, and that this is no other product: also for `/`, which Windows asks before anything below it.
#[must_use]
pub fn options() -> Response {
    let mut response = answer::empty(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(DAV, HeaderValue::from_static("1, 2"));
    headers.insert(MS_AUTHOR_VIA, HeaderValue::from_static("DAV"));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ALLOW, allow());
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}
