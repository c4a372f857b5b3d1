//! Versions of files.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::collection::{Collection, Direction, Order, Page};
use crate::wire::id;
use crate::wire::query::From;
use crate::wire::request::{Promotion, VersionChange};
use crate::wire::version::VERSION;
use axum::response::Response;
use entente_model::Caller;
use entente_tree::{Kind, NameRule, RecentAct, VersionView};
use http::StatusCode;

const ORDER: [Order; 1] = [Order { by: "created_at", direction: Direction::Descending }];

/// Only the older versions, the newest of them first: the current one is part of the file.
pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let file = asked.id("file_id")?;
    let wanted = asked.query().page()?;
    let offset = match wanted.from {
        From::Offset(offset) => offset,
        From::Marker(_) => return Err(Problem::invalid("usemarker", "versions are paged by 'offset'")),
    };
    let page = asked.tree().versions(&caller, file, u32::try_from(offset).unwrap_or(u32::MAX), wanted.limit).await?;
    let (look, fields) = (asked.look(), asked.fields(VERSION));
    let entries = page.entries.iter().map(|version| look.version(version, fields)).collect();
    let page = Page::Offset { total_count: page.total_count, offset, order: &ORDER };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: wanted.limit.into(), page }))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let (file, version) = (asked.id("file_id")?, asked.id("file_version_id")?);
    let view = asked.tree().version(&caller, file, version).await?;
    Ok(answer(&asked, StatusCode::OK, &view))
}

pub(crate) async fn promote(mut asked: Asked, caller: Caller) -> Outcome {
    let file = asked.id("file_id")?;
    let promotion: Promotion = asked.json().await?;
    let version = promotion.id.ok_or_else(|| Problem::missing("id"))?;
    let version = id::parse(&version.0).map_err(|malformed| Problem::invalid("id", malformed.to_string()))?;
    let view = asked.tree().promote(&caller, file, version, NameRule::CaseInsensitive).await?;
    asked.tree().note_recent(&caller, file, RecentAct::Modified);
    Ok(answer(&asked, StatusCode::CREATED, &view))
}

/// `{"trashed_at": null}` puts a removed version back; nothing else can be changed.
pub(crate) async fn restore(mut asked: Asked, caller: Caller) -> Outcome {
    let (file, version) = (asked.id("file_id")?, asked.id("file_version_id")?);
    let change: VersionChange = asked.json().await?;
    let view = match change.trashed_at {
        Some(None) => asked.tree().restore_version(&caller, file, version).await?,
        Some(Some(_)) => return Err(Problem::invalid("trashed_at", "'trashed_at' can only be null")),
        None => asked.tree().version(&caller, file, version).await?,
    };
    Ok(answer(&asked, StatusCode::OK, &view))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    let (file, version) = (asked.id("file_id")?, asked.id("file_version_id")?);
    if let Some(expected) = asked.expected_sequence() {
        // A version never changes: what the client saw can only be the file's own state.
        let view = asked.tree().item(&caller, file, Kind::File).await?;
        if view.item.sequence != expected {
            return Err(entente_tree::Error::PreconditionFailed.into());
        }
    }
    asked.tree().remove_version(&caller, file, version).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

fn answer(asked: &Asked, status: StatusCode, view: &VersionView) -> Response {
    answer::json(status, &asked.look().version(view, asked.fields(VERSION)))
}
