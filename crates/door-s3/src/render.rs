//! Answers as they leave: the names of requests in them, and errors in full.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::Arrival;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use http_body::Body as _;
use s3s::{HttpResponse, S3Error};

const X_AMZ_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const X_AMZ_ID_2: HeaderName = HeaderName::from_static("x-amz-id-2");
/// Where an error's document ends.
const END: &[u8] = b"</Error>";

/// What an answer has to say of its request.
pub(crate) struct Context {
    pub(crate) arrival: Arrival,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
}

/// An answer or an error, with all that belongs to either.
pub(crate) fn response(outcome: Result<HttpResponse, S3Error>, context: &Context) -> Response {
    let response = match outcome {
        Ok(response) => response,
        Err(error) => match error.to_http_response() {
            Ok(response) => response,
            Err(_) => return empty(StatusCode::INTERNAL_SERVER_ERROR),
        },
    };
    let (mut parts, body) = response.into_parts();
    parts.extensions.clear();
    let id = context.arrival.request_id.header_value();
    parts.headers.insert(X_AMZ_REQUEST_ID, id.clone());
    parts.headers.insert(X_AMZ_ID_2, id);
    if context.method == Method::HEAD
        && parts.status == StatusCode::OK
        && parts.headers.contains_key(header::CONTENT_RANGE)
    {
        // `s3s` says so of a GET alone.
        parts.status = StatusCode::PARTIAL_CONTENT;
    }
    let is_error = parts.status.is_client_error() || parts.status.is_server_error();
    let body = match body.bytes() {
        _ if parts.status == StatusCode::NOT_MODIFIED => {
            parts.headers.remove(header::CONTENT_TYPE);
            Body::empty()
        }
        // Whoever asked with HEAD gets no document.
        Some(_) if is_error && context.method == Method::HEAD => {
            parts.headers.remove(header::CONTENT_TYPE);
            Body::empty()
        }
        Some(document) if is_error => {
            parts.headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/xml"));
            Body::from(completed(&document, context))
        }
        Some(document) => Body::from(without_quotes(document, context)),
        None if body.is_end_stream() => Body::empty(),
        None => Body::new(body),
    };
    Response::from_parts(parts, body)
}

/// `GetObjectAttributes` alone names the entity tag without quotes.
fn without_quotes(document: Bytes, context: &Context) -> Bytes {
    let is_asked = |query: &str| query.split('&').any(|pair| pair.split('=').next() == Some("attributes"));
    if context.method != Method::GET || !context.uri.query().is_some_and(is_asked) {
        return document;
    }
    let bare = |quote: &'static str| {
        let (open, close) = (["<ETag>", quote].concat(), [quote, "</ETag>"].concat());
        let start = memchr::memmem::find(&document, open.as_bytes())?;
        let (before, rest) = document.split_at_checked(start)?;
        let rest = rest.get(open.len()..)?;
        let end = memchr::memmem::find(rest, close.as_bytes())?;
        let (tag, after) = rest.split_at_checked(end)?;
        Some(Bytes::from([before, b"<ETag>", tag, b"</ETag>", after.get(close.len()..)?].concat()))
    };
    bare("\"").or_else(|| bare("&quot;")).unwrap_or(document)
}

/// An error's document, with the names of what it is about.
fn completed(document: &Bytes, context: &Context) -> Vec<u8> {
    let Some(before) = document.strip_suffix(END) else { return document.to_vec() };
    let mut text = String::with_capacity(160);
    if memchr::memmem::find(before, b"<Message>").is_none() {
        // Clients show it to people.
        text.push_str("<Message>The request was refused.</Message>");
    }
    text.push_str("<Resource>");
    push_escaped(context.uri.path(), &mut text);
    let id = context.arrival.request_id.to_string();
    for word in ["</Resource><RequestId>", &id, "</RequestId><HostId>", &id, "</HostId>"] {
        text.push_str(word);
    }
    [before, text.as_bytes(), END].concat()
}

fn push_escaped(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            other => out.push(other),
        }
    }
}

/// An answer of nothing but a status.
pub(crate) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
