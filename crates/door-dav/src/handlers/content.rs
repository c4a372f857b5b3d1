//! `GET` and `HEAD`.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::conditions::decide;
use crate::error::Problem;
use crate::to_wire::{content_type, known_checksums, quoted_etag};
use crate::wire::date::HttpDate;
use crate::wire::ranges;
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::precondition::{Decision, Intent};
use entente_door_kit::range::{self, Answer};
use entente_door_kit::stream;
use entente_tree::{BoxError, Content, Error as TreeError, Object, Reading, Tree, Want};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, iter};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::fmt::Display;
use std::ops::Range;

const OC_CHECKSUM: HeaderName = HeaderName::from_static("oc-checksum");

pub(crate) async fn show(asked: Asked) -> Outcome {
    let path = asked.at(&asked.path.names);
    if asked.path.has_slash {
        return folder(&asked).await;
    }
    match asked.tree().open_at(&asked.caller, path, None).await {
        Ok((object, content)) => file(&asked, &object, content).await,
        Err(TreeError::NotFound) => folder(&asked).await,
        Err(error) => Err(error.into()),
    }
}

/// A collection has no content of its own; there is nothing to be said of it that `PROPFIND` does not say better.
async fn folder(asked: &Asked) -> Outcome {
    let found = asked.tree().at(&asked.caller, asked.at(&asked.path.names), Want::Folder).await?;
    match decide(asked.headers(), Some(&found), Intent::Read) {
        Decision::Failed => return Err(Problem::precondition_failed()),
        Decision::NotModified => return Ok(not_modified(&found)),
        Decision::Proceed => {}
    }
    let mut response = Response::new(Body::from("This is a folder. Look into it with a WebDAV client.\n"));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::ETAG, value(quoted_etag(&found)));
    headers.insert(header::LAST_MODIFIED, value(HttpDate(found.view.item.content_modified_at)));
    Ok(response)
}

async fn file(asked: &Asked, object: &Object, content: Content) -> Outcome {
    match decide(asked.headers(), Some(object), Intent::Read) {
        Decision::Failed => return Err(Problem::precondition_failed()),
        Decision::NotModified => return Ok(not_modified(object)),
        Decision::Proceed => {}
    }
    if content.is_customers() {
        // Before a head is sent that promises bytes.
        return Err(TreeError::KeyNeeded.into());
    }
    let version = object.view.version.as_ref().ok_or_else(Problem::not_found)?;
    let (size, is_head) = (version.size, asked.parts.method == Method::HEAD);
    let etag = quoted_etag(object);
    let modified = value(HttpDate(object.view.item.content_modified_at));
    let headers = asked.headers();
    if !is_head && range::is_from_start(headers) {
        asked.tree().note_read(&asked.caller, object.view.item.id, Some(version.id), Reading::Downloaded).await;
    }
    let bare = etag.trim_matches('"');
    let range = headers
        .get(header::RANGE)
        .filter(|_| range::if_range_holds(headers.get(header::IF_RANGE), bare, Some(&modified)));
    if let Some(several) = range.and_then(|range| range.to_str().ok()).and_then(|text| ranges::several(text, size)) {
        let response = parts(asked, object, content, several)?;
        return Ok(described(response, object, etag, modified));
    }
    let (wanted, content_range) = match range::resolve(range, size) {
        Answer::Whole => (0..size, None),
        Answer::Part(part) => (part.start()..part.end(), Some(part.content_range(size))),
        Answer::Unsatisfiable => {
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "the range is not in the file");
            let mut response = problem.into_response(asked.arrival.request_id);
            response.headers_mut().insert(header::CONTENT_RANGE, range::unsatisfiable(size));
            return Ok(response);
        }
    };
    let length = wanted.end - wanted.start;
    let body = if is_head {
        // Never read, but its length is announced.
        stream::exact(futures_util::stream::pending::<Result<Bytes, BoxError>>(), length)
    } else {
        let bytes = asked.tree().read_content(content, wanted);
        stream::started(bytes, length, asked.arrival.request_id).await.map_err(TreeError::of_read)?
    };
    let mut response = Response::new(body);
    if let Some(content_range) = content_range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(header::CONTENT_RANGE, content_range);
    }
    response.headers_mut().insert(header::CONTENT_TYPE, value(content_type_in_head(object)));
    Ok(described(response, object, etag, modified))
}

/// What does not depend on the range. The content is somebody else's: no browser shall run it in our name.
fn described(mut response: Response, object: &Object, etag: String, modified: HeaderValue) -> Response {
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(header::ETAG, value(etag));
    headers.insert(header::LAST_MODIFIED, modified);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    if let Some(facts) = &object.facts {
        remembered(headers, &facts.headers);
    }
    let checksums = known_checksums(object);
    // One of them: that is what clients expect in a header.
    if let Some(first) = checksums.split(' ').next().filter(|first| !first.is_empty()) {
        headers.insert(OC_CHECKSUM, value(first));
    }
    response
}

/// What was said of the content when it was put, through whatever door, as far as it describes the bytes.
fn remembered(headers: &mut HeaderMap, facts: &[(String, String)]) {
    for (name, text) in facts {
        let name = match name.as_str() {
            "content-encoding" => header::CONTENT_ENCODING,
            "content-language" => header::CONTENT_LANGUAGE,
            "cache-control" => header::CACHE_CONTROL,
            "content-disposition" => header::CONTENT_DISPOSITION,
            _ => continue,
        };
        if let Ok(text) = HeaderValue::try_from(text.as_str()) {
            headers.insert(name, text);
        }
    }
}

fn not_modified(object: &Object) -> Response {
    let mut response = answer::empty(StatusCode::NOT_MODIFIED);
    response.headers_mut().insert(header::ETAG, value(quoted_etag(object)));
    response
}

/// Digits, letters and a few signs are always legal in a header.
pub(super) fn value(text: impl Display) -> HeaderValue {
    HeaderValue::try_from(text.to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// The media type, if a head can say it: another door may have taken any text.
fn content_type_in_head(object: &Object) -> &str {
    let said = content_type(object);
    if HeaderValue::from_str(said).is_ok() { said } else { "application/octet-stream" }
}

/// Several ranges, one after the other.
fn parts(asked: &Asked, object: &Object, content: Content, wanted: Vec<Range<u64>>) -> Result<Response, Problem> {
    let size = object.view.version.as_ref().map_or(0, |version| version.size);
    // Nothing in the content can be taken for the boundary by who reads the lengths, and an id is as good as any.
    let boundary = format!("entente-{}", asked.arrival.request_id);
    let media_type = content_type_in_head(object);
    let heads: Vec<String> = wanted.iter().map(|range| ranges::head(&boundary, media_type, range, size)).collect();
    let tail = ranges::tail(&boundary);
    let length = heads.iter().map(|head| head.len() as u64).sum::<u64>()
        + wanted.iter().map(|range| range.end - range.start).sum::<u64>()
        + tail.len() as u64;
    let (tree, request_id) = (asked.tree().clone(), asked.arrival.request_id);
    let pieces = heads.into_iter().zip(wanted).map(move |(head, range)| piece(&tree, content.clone(), head, range));
    let tail = iter([Ok(Bytes::from(tail))]);
    let body = if asked.parts.method == Method::HEAD {
        stream::exact(futures_util::stream::pending::<Result<Bytes, BoxError>>(), length)
    } else {
        stream::exact(stream::logged(iter(pieces).flatten().chain(tail), request_id), length)
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    let content_type = value(format!("multipart/byteranges; boundary={boundary}"));
    response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Ok(response)
}

fn piece(
    tree: &Tree,
    content: Content,
    head: String,
    range: Range<u64>,
) -> BoxStream<'static, Result<Bytes, BoxError>> {
    iter([Ok(Bytes::from(head))]).chain(tree.read_content(content, range)).boxed()
}
