//! Requests and their answers, on pooled HTTP/1.1 connections.

use super::{
    Creates, Service,
    connection::Connection,
    wire::{self, Refusal, WireError},
};
use crate::Error;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future, stream};
use http::{Method, Request, Response, header};
use opendal::{Buffer, ErrorKind as OpendalKind, HttpBody, HttpTransport};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// What is read of the body of a refusal.
const REFUSAL_BYTES_MAX: usize = 16 * 1024;
/// A page of a listing has 5,000 rows at most, of some 500 bytes.
const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Services that tell a machine its own credentials: never asked through a proxy.
const LOCAL_HOSTS: [&str; 5] =
    ["169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "metadata.google.internal"];

/// How a service words its refusals: its code, from the headers and the beginning of the body.
pub(crate) type ReadCode = fn(&http::HeaderMap, &[u8]) -> Option<String>;

pub(crate) struct Transport {
    clients: Clients,
    /// The host that has the objects: what it refuses is told as [`WireError`]. Others give credentials, and whoever
    /// asks them knows their answers.
    object_host: String,
    service: &'static Service,
}

pub(crate) struct Clients {
    pub(crate) usual: reqwest::Client,
    /// Without any proxy.
    pub(crate) direct: reqwest::Client,
}

impl Transport {
    /// `endpoint` is the service's URL, with or without a bucket's name before its host.
    pub(crate) fn new(connection: &Connection, endpoint: &http::Uri, service: &'static Service) -> Result<Self, Error> {
        let object_host = endpoint.host().unwrap_or_default().to_owned();
        Ok(Self { clients: connection.clients()?, object_host, service })
    }

    fn client(&self, host: &str) -> &reqwest::Client {
        if LOCAL_HOSTS.contains(&host) { &self.clients.direct } else { &self.clients.usual }
    }

    fn has_objects(&self, host: &str) -> bool {
        let bucket = host.strip_suffix(self.object_host.as_str());
        bucket.is_some_and(|bucket| bucket.is_empty() || bucket.ends_with('.'))
    }

    async fn page(&self, response: reqwest::Response) -> Result<Bytes, WireError> {
        let mut page = Vec::new();
        let mut rest = response.bytes_stream();
        while let Some(piece) = rest.next().await {
            page.extend_from_slice(&piece.map_err(|error| unreachable(&error))?);
            if page.len() > PAGE_BYTES_MAX {
                return Err(WireError::OtherPage);
            }
        }
        match memchr::memmem::find(&page, self.service.pages.hold.as_bytes()) {
            Some(_) => Ok(Bytes::from(page)),
            None => Err(WireError::OtherPage),
        }
    }

    async fn refusal(&self, response: reqwest::Response) -> WireError {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        let mut rest = response.bytes_stream();
        while let Some(Ok(piece)) = rest.next().await {
            let room = REFUSAL_BYTES_MAX.saturating_sub(body.len()).min(piece.len());
            body.extend_from_slice(piece.get(..room).unwrap_or_default());
            if body.len() >= REFUSAL_BYTES_MAX {
                break;
            }
        }
        let code = (self.service.read_code)(&headers, &body).and_then(|text| wire::code(&text));
        WireError::Refused(Refusal { status, code })
    }
}

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let (parts, body) = request.into_parts();
        let host = parts.uri.host().unwrap_or_default().to_owned();
        let mut url = reqwest::Url::parse(&parts.uri.to_string()).map_err(|_| failed(WireError::Unsendable))?;
        if let Creates::ByQuery(condition) = self.service.creates
            && parts.method == Method::POST
            && self.has_objects(&host)
        {
            // Nothing is signed but the caller's identity, in a header.
            let query = format!("{}&{condition}", url.query().unwrap_or_default());
            url.set_query(Some(&query));
        }
        let is_head = parts.method == Method::HEAD;
        let is_page =
            parts.method == Method::GET && (self.service.pages.are_asked_by)(&parts.uri) && self.has_objects(&host);
        let asked = parts.headers.get(header::RANGE).and_then(|range| wire::asked_range(range.to_str().ok()?));
        let mut outgoing = self.client(&host).request(parts.method, url).headers(parts.headers);
        if !body.is_empty() {
            outgoing = outgoing.body(reqwest::Body::wrap(OutgoingBody(body)));
        }
        let mut response = outgoing.send().await.map_err(|error| failed(unreachable(&error)))?;
        if self.has_objects(&host) {
            if !response.status().is_success() {
                return Err(failed(self.refusal(response).await));
            }
            if let Some(asked) = asked {
                check_range(&response, asked).map_err(failed)?;
            }
        }
        // An answer to HEAD tells a length, but has no body.
        let size = if is_head { None } else { length(response.headers()) };
        let mut answer = Response::new(());
        *answer.status_mut() = response.status();
        std::mem::swap(answer.headers_mut(), response.headers_mut());
        if is_page {
            let page = self.page(response).await.map_err(failed)?;
            let size = u64::try_from(page.len()).ok();
            return Ok(answer.map(|()| HttpBody::new(stream::iter([Ok(Buffer::from(page))]), size)));
        }
        let pieces = response.bytes_stream().try_filter(|piece| future::ready(!piece.is_empty()));
        let pieces = pieces.map_ok(Buffer::from).map_err(|error| failed(unreachable(&error)));
        Ok(answer.map(|()| HttpBody::new(pieces, size)))
    }
}

fn length(headers: &http::HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A service that knows no ranges, or gives another one, would have us take one part of an object for another.
fn check_range(response: &reqwest::Response, asked: std::ops::Range<u64>) -> Result<(), WireError> {
    let size = length(response.headers());
    let given = match response.headers().get(header::CONTENT_RANGE) {
        // There is no way to write down the range of nothing.
        _ if size == Some(0) => return Err(WireError::Short),
        Some(range) => range.to_str().ok().and_then(wire::given_range),
        None => size.map(|size| 0..size),
    };
    let given = given.filter(|given| given.start == asked.start && given.end <= asked.end);
    match given {
        None => Err(WireError::OtherRange),
        Some(given) if given.end < asked.end => Err(WireError::Short),
        Some(_) => Ok(()),
    }
}

fn failed(error: WireError) -> opendal::Error {
    // The kind tells nothing: who looks at this error looks for its source. This one records no backtrace.
    opendal::Error::new(OpendalKind::Unsupported, "the request failed").set_source(error)
}

fn unreachable(error: &reqwest::Error) -> WireError {
    if error.is_builder() {
        return WireError::Unsendable;
    }
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    WireError::Unreachable(match innermost(error) {
        Some(cause) => format!("{what}: {cause}"),
        None => what.to_owned(),
    })
}

/// The text of the first cause, which is the system's or that of TLS: those say nothing of our request.
fn innermost(error: &reqwest::Error) -> Option<String> {
    let mut cause = std::error::Error::source(error)?;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Some(cause.to_string().chars().take(200).collect())
}

/// Sends the pieces as they are, without putting them together.
struct OutgoingBody(Buffer);

impl http_body::Body for OutgoingBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(Iterator::next(&mut self.0).map(|piece| Ok(http_body::Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(u64::try_from(self.0.len()).unwrap_or(u64::MAX))
    }
}
