//! Downloads: a redirect to a URL that carries its own authorisation, and that URL.

use super::shared_links;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::{disposition, id};
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::auth::TicketFor;
use entente_door_kit::media_type;
use entente_door_kit::precondition::{Decision, Intent, Precondition};
use entente_door_kit::range::{self, Answer};
use entente_door_kit::stream;
use entente_identity::Ticket;
use entente_model::{Caller, UserId};
use entente_tree::{BoxError, Error as TreeError, Opened, Reading, RecentAct};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::time::Duration;

/// How long a download's URL is good for its first byte; one under way goes on.
const TICKET_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// 302 to the content. Official clients insist on a redirect to an absolute URL.
pub(crate) async fn redirect(asked: Asked) -> Outcome {
    let (caller, _) = shared_links::follow(&asked, caller(&asked)?).await?;
    let file = asked.id("file_id")?;
    let version = asked.query().value("version").map(|version| id::parse(&version)).transpose()?;
    let opened = asked.tree().open(&caller, file, version).await?;
    note(&asked, &caller, &opened).await;
    to_content(&asked, opened, caller.user)
}

/// That somebody reads it. Whoever reads it bit by bit asks for each; the first one counts.
pub(super) async fn note(asked: &Asked, caller: &Caller, opened: &Opened) {
    if asked.parts.method == Method::GET && range::is_from_start(asked.headers()) {
        let (file, version) = (opened.item.id, opened.version.id);
        asked.tree().note_read(caller, file, Some(version), Reading::Downloaded).await;
        if caller.user != Caller::nobody().user {
            asked.tree().note_recent(caller, file, RecentAct::Opened);
        }
    }
}

/// To what somebody may read.
pub(super) fn to_content(asked: &Asked, opened: Opened, user: UserId) -> Outcome {
    let allowed = TicketFor { content: opened.content, version: opened.version.id, user, name: opened.name };
    let ticket = asked.door.auth().ticket(allowed, TICKET_LIFETIME);
    let location = asked.url(&["/box/download/", &ticket].concat());
    let location = HeaderValue::try_from(location).map_err(|_| Problem::not_found())?;
    let mut response = answer::empty(StatusCode::FOUND);
    response.headers_mut().insert(header::LOCATION, location);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// By the header, else by `access_token`, which a browser can be sent to.
fn caller(asked: &Asked) -> Result<Caller, Problem> {
    match asked.query().value("access_token") {
        Some(token) if !asked.headers().contains_key(header::AUTHORIZATION) => {
            let caller = asked.door.auth().identity().authenticate(&token)?;
            asked.on_behalf(caller)
        }
        _ => asked.caller(),
    }
}

/// The content that a ticket allows. An `Authorization` header is not looked at: clients send theirs along.
pub(crate) async fn content(asked: Asked) -> Outcome {
    let ticket = asked.door.auth().redeem(asked.parameter("ticket"))?;
    let content = asked.tree().open_content(ticket.content)?;
    if content.is_customers() {
        // Before a head is sent that promises bytes.
        return Err(TreeError::KeyNeeded.into());
    }
    let size = content.size();
    let (etag, quoted_etag) = etag(&ticket);
    let headers = asked.headers();
    match Precondition::of(headers).decide(Some(&etag), Intent::Read) {
        Decision::Proceed => {}
        Decision::Failed => return Err(TreeError::PreconditionFailed.into()),
        Decision::NotModified => {
            let mut response = answer::empty(StatusCode::NOT_MODIFIED);
            response.headers_mut().insert(header::ETAG, quoted_etag);
            return Ok(response);
        }
    }
    let range =
        headers.get(header::RANGE).filter(|_| range::if_range_holds(headers.get(header::IF_RANGE), &etag, None));
    let (wanted, content_range) = match range::resolve(range, size) {
        Answer::Whole => (0..size, None),
        Answer::Part(part) => (part.start()..part.end(), Some(part.content_range(size))),
        Answer::Unsatisfiable => {
            let message = "The requested range is not satisfiable";
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", message);
            let mut response = problem.into_response(asked.arrival.request_id, &asked.look());
            response.headers_mut().insert(header::CONTENT_RANGE, range::unsatisfiable(size));
            return Ok(response);
        }
    };
    let length = wanted.end - wanted.start;
    let body = if asked.parts.method == Method::HEAD {
        // Never read, but its length is announced.
        stream::exact(futures_util::stream::pending::<Result<Bytes, BoxError>>(), length)
    } else {
        let content = asked.tree().read_content(content, wanted);
        stream::started(content, length, asked.arrival.request_id).await.map_err(TreeError::of_read)?
    };
    let mut response = Response::new(body);
    describe(response.headers_mut(), &ticket, quoted_etag);
    if let Some(content_range) = content_range {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().insert(header::CONTENT_RANGE, content_range);
    }
    Ok(response)
}

/// A version never changes, so its id is as good an etag as there can be.
fn etag(ticket: &Ticket) -> (String, HeaderValue) {
    let etag = ticket.version.to_string();
    let quoted = HeaderValue::try_from(["\"", &etag, "\""].concat());
    (etag, quoted.unwrap_or(HeaderValue::from_static("\"0\"")))
}

/// What does not depend on the range. The content is somebody else's: no browser shall run it in our name.
fn describe(headers: &mut HeaderMap, ticket: &Ticket, etag: HeaderValue) {
    let name = ticket.name.as_str();
    let disposition = HeaderValue::try_from(disposition::attachment(name));
    headers.reserve(8);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type::of(name)));
    headers.insert(header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    headers.insert(header::ETAG, etag);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
}
