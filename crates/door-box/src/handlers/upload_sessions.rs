//! Uploads in pieces.

use super::uploads::files;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{folder, moment, name_given};
use crate::wire::collection::{Collection, Direction, Order, Page};
use crate::wire::query::From;
use crate::wire::request::{Commit, NewSession, Plan};
use crate::wire::session::{
    Part as PartShown, PlanAnswer, SESSION_SIZE_MIN_BYTES, Session as SessionShown, UploadedPart,
};
use crate::wire::{content_range, digest};
use axum::response::Response;
use bytes::Bytes;
use entente_door_kit::BodyError;
use entente_model::{CHUNK_SIZE_BYTES, Caller, ItemId, Sha1, UploadSessionId};
use entente_tree::{
    BoxError, CommitSession, Error as TreeError, NameRule, NamedPart, NewPart, Part, RecentAct, SessionView, UploadInto,
};
use futures_util::{Stream, StreamExt};
use http::{HeaderName, StatusCode, header};

const DIGEST: HeaderName = HeaderName::from_static("digest");
const ORDER: [Order; 1] = [Order { by: "offset", direction: Direction::Ascending }];

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewSession = asked.json().await?;
    let parent = new.folder_id.as_ref().ok_or_else(|| Problem::missing("folder_id").coded("missing_destination"))?;
    let parent =
        folder(&asked, &caller, parent, "folder_id").await.map_err(|error| error.coded("invalid_folder_id"))?;
    let size = size(&asked, new.file_size)?;
    let name = name_given(new.file_name.as_deref())?;
    let name = name.ok_or_else(|| Problem::missing("file_name").coded("missing_file_name"))?;
    begin(&asked, &caller, UploadInto::NewFile { parent, name }, size).await
}

pub(crate) async fn create_version(mut asked: Asked, caller: Caller) -> Outcome {
    let file: ItemId = asked.id("file_id")?;
    let new: NewSession = asked.json().await?;
    let size = size(&asked, new.file_size)?;
    let name = name_given(new.file_name.as_deref())?;
    begin(&asked, &caller, UploadInto::NewVersion { file, name }, size).await
}

async fn begin(asked: &Asked, caller: &Caller, into: UploadInto, size: u64) -> Outcome {
    let view = asked.tree().create_session(caller, into, size, NameRule::CaseInsensitive).await?;
    Ok(session(asked, StatusCode::CREATED, &view))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().session(&caller, id(&asked)?).await?;
    Ok(session(&asked, StatusCode::OK, &view))
}

pub(crate) async fn part(mut asked: Asked, caller: Caller) -> Outcome {
    let id = id(&asked)?;
    let sha1 = announced(&asked)?;
    let range = asked.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let range = range.ok_or_else(|| Problem::missing("content-range"))?;
    let range = content_range::parse(range).ok_or(TreeError::PartOutOfPlace)?;
    if let Some(size) = range.size {
        let view = asked.tree().session(&caller, id).await?;
        if size != view.session.size {
            return Err(TreeError::PartOutOfPlace.into());
        }
    }
    let new = NewPart { offset: range.offset, length: range.length, sha1 };
    let body = body(&mut asked);
    let part = asked.tree().upload_part(&caller, id, new, body).await.map_err(Problem::of_part)?;
    Ok(answer::json(StatusCode::OK, &UploadedPart { part: shown(&part) }))
}

pub(crate) async fn parts(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().page()?;
    let offset = match wanted.from {
        From::Offset(offset) => offset,
        From::Marker(_) => return Err(Problem::invalid("usemarker", "parts are paged by 'offset'")),
    };
    let from = u32::try_from(offset).unwrap_or(u32::MAX);
    let page = asked.tree().parts(&caller, id(&asked)?, from, wanted.limit).await?;
    let entries = page.entries.iter().map(shown).collect();
    let page = Page::Offset { total_count: page.total_count, offset, order: &ORDER };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: wanted.limit.into(), page }))
}

/// Which parts need not be sent: none, as contents are not compared across files.
pub(crate) async fn plan(mut asked: Asked, caller: Caller) -> Outcome {
    let view = asked.tree().session(&caller, id(&asked)?).await?;
    let plan: Plan = asked.json().await?;
    Ok(answer::json(StatusCode::OK, &PlanAnswer::all_missing(view.session.id, &plan.parts)))
}

/// Answers 201 at once, however long it takes: some clients do not understand 202.
pub(crate) async fn commit(mut asked: Asked, caller: Caller) -> Outcome {
    let id = id(&asked)?;
    let sha1 = announced(&asked)?;
    let commit: Commit = asked.json().await?;
    let parts = commit.parts.ok_or_else(|| Problem::missing("parts"))?;
    let attributes = commit.attributes.unwrap_or_default();
    let commit = CommitSession {
        parts: parts
            .into_iter()
            .map(|part| NamedPart { id: part.part_id, offset: part.offset, size: part.size })
            .collect(),
        sha1,
        content_created_at: moment(attributes.content_created_at),
        content_modified_at: moment(attributes.content_modified_at),
        if_match: asked.expected_sequence(),
    };
    let committed = asked.tree().commit_session(&caller, id, commit, NameRule::CaseInsensitive).await;
    let view = committed.map_err(Problem::of_part)?;
    asked.tree().note_recent(&caller, view.item.id, RecentAct::Uploaded);
    Ok(files(&asked, StatusCode::CREATED, &view))
}

pub(crate) async fn abort(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().abort_session(&caller, id(&asked)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// A malformed one is one of nothing: sessions at Box do not have numbers.
fn id(asked: &Asked) -> Result<UploadSessionId, Problem> {
    asked.parameter("upload_session_id").parse().map_err(|_| Problem::not_found())
}

fn size(asked: &Asked, size: Option<i64>) -> Result<u64, Problem> {
    let size = size.ok_or_else(|| Problem::missing("file_size").coded("missing_file_size"))?;
    let invalid = || Problem::invalid("file_size", "'file_size' cannot be negative").coded("invalid_file_size");
    let size = u64::try_from(size).map_err(|_| invalid())?;
    let limit = asked.door.options().file_bytes_max;
    if size < SESSION_SIZE_MIN_BYTES {
        let message = format!("File is smaller than {SESSION_SIZE_MIN_BYTES} bytes; upload it in one request");
        return Err(Problem::invalid("file_size", message).coded("file_size_too_small"));
    }
    if size > limit { Err(TreeError::TooLarge { limit }.into()) } else { Ok(size) }
}

fn announced(asked: &Asked) -> Result<Sha1, Problem> {
    let header = asked.headers().get(DIGEST).ok_or_else(|| Problem::missing("digest"))?;
    let sha1 = header.to_str().ok().and_then(digest::parse);
    sha1.ok_or_else(|| Problem::invalid("digest", "'Digest' must be 'sha=' and a SHA-1 in base64"))
}

fn body(asked: &mut Asked) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + use<> {
    let body = asked.take_body().into_data_stream();
    body.map(|piece| piece.map_err(|error| BodyError::from(error).into()))
}

fn session(asked: &Asked, status: StatusCode, view: &SessionView) -> Response {
    let session = &view.session;
    let shown = SessionShown {
        id: session.id,
        expires_at: session.expires_at,
        part_size_bytes: session.part_size,
        total_parts: view.parts_total.into(),
        parts_processed: view.parts_done,
        base_url: &asked.url("/box/upload/2.0/files/upload_sessions/"),
        zone: asked.look().zone,
    };
    answer::json(status, &shown)
}

fn shown(part: &Part) -> PartShown<'_> {
    PartShown {
        id: &part.id,
        offset: u64::from(part.place.chunk).saturating_mul(CHUNK_SIZE_BYTES),
        size_bytes: part.size,
        sha1: part.sha1,
    }
}
