//! Terms of service, and what users say to them.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::{numbered, referred};
use crate::to_wire;
use crate::wire::company::{TermsAnswerAsked, TermsAsked, TermsMini, TermsOfService, TermsUserStatus, Whole};
use crate::wire::date::Date;
use crate::wire::id::Text;
use crate::wire::user::Enterprise;
use axum::response::Response;
use entente_model::{Caller, TermsId, UserId};
use entente_tree::{TermsAnswer, TermsKind, TermsStatusView, TermsText, TermsView};
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().value("tos_type").filter(|kind| !kind.is_empty()).map(|word| kind(&word)).transpose()?;
    let found = asked.tree().terms(&caller).await?;
    let wanted = found.iter().filter(|view| wanted.is_none_or(|kind| view.terms.kind == kind));
    let entries: Vec<_> = wanted.map(|view| shown(&asked, view)).collect();
    Ok(answer::json(StatusCode::OK, &Whole { total_count: entries.len(), entries }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: TermsAsked = asked.json().await?;
    let kind = new.tos_type.as_deref().map_or(Ok(TermsKind::Managed), kind)?;
    let made = asked.tree().create_terms(&caller, kind, said(new)?).await?;
    // Not 201, as Box describes it.
    Ok(answer::json(StatusCode::OK, &shown(&asked, &made)))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().terms_by_id(&caller, asked.id("terms_of_service_id")?).await?;
    Ok(answer::json(StatusCode::OK, &shown(&asked, &found)))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let change: TermsAsked = asked.json().await?;
    let id = asked.id("terms_of_service_id")?;
    let changed = asked.tree().change_terms(&caller, id, said(change)?).await?;
    Ok(answer::json(StatusCode::OK, &shown(&asked, &changed)))
}

pub(crate) async fn list_statuses(asked: Asked, caller: Caller) -> Outcome {
    let query = asked.query();
    let terms = query.value("tos_id").filter(|id| !id.is_empty()).ok_or_else(|| Problem::missing("tos_id"))?;
    let terms: TermsId = numbered("tos_id", &terms)?;
    let user = query.value("user_id").filter(|id| !id.is_empty());
    let user = user.map(|id| numbered("user_id", &id)).transpose()?;
    let found = asked.tree().terms_statuses(&caller, terms, user).await?;
    let entries: Vec<_> = found.iter().map(|view| status(&asked, view)).collect();
    Ok(answer::json(StatusCode::OK, &Whole { total_count: entries.len(), entries }))
}

pub(crate) async fn create_status(mut asked: Asked, caller: Caller) -> Outcome {
    let new: TermsAnswerAsked = asked.json().await?;
    let tos = new.tos.ok_or_else(|| Problem::missing("tos"))?;
    let user = new.user.ok_or_else(|| Problem::missing("user"))?;
    let terms: TermsId = referred("tos.id", tos.id.as_ref())?;
    let user: UserId = referred("user.id", user.id.as_ref())?;
    let made = asked.tree().answer_terms(&caller, terms, user, accepts(new.is_accepted)?).await?;
    Ok(answer(&asked, StatusCode::CREATED, &made))
}

pub(crate) async fn update_status(mut asked: Asked, caller: Caller) -> Outcome {
    let change: TermsAnswerAsked = asked.json().await?;
    let id = asked.id("terms_of_service_user_status_id")?;
    let changed = asked.tree().change_terms_answer(&caller, id, accepts(change.is_accepted)?).await?;
    Ok(answer(&asked, StatusCode::OK, &changed))
}

fn kind(word: &str) -> Result<TermsKind, Problem> {
    match word {
        "managed" => Ok(TermsKind::Managed),
        "external" => Ok(TermsKind::External),
        _ => Err(Problem::invalid("tos_type", "'tos_type' must be 'managed' or 'external'")),
    }
}

fn said(asked: TermsAsked) -> Result<TermsText, Problem> {
    let enabled = match asked.status.as_deref() {
        Some("enabled") => true,
        Some("disabled") => false,
        Some(_) => return Err(Problem::invalid("status", "'status' must be 'enabled' or 'disabled'")),
        None => return Err(Problem::missing("status")),
    };
    Ok(TermsText { enabled, text: asked.text.ok_or_else(|| Problem::missing("text"))? })
}

fn accepts(is_accepted: Option<bool>) -> Result<TermsAnswer, Problem> {
    match is_accepted {
        Some(true) => Ok(TermsAnswer::Accepted),
        Some(false) => Ok(TermsAnswer::Declined),
        None => Err(Problem::missing("is_accepted")),
    }
}

fn answer(asked: &Asked, code: StatusCode, view: &TermsStatusView) -> Response {
    answer::json(code, &status(asked, view))
}

fn shown<'a>(asked: &'a Asked, view: &'a TermsView) -> TermsOfService<'a> {
    let (row, zone) = (&view.terms, asked.look().zone);
    TermsOfService {
        id: Text(row.id),
        status: if row.enabled { "enabled" } else { "disabled" },
        enterprise: Enterprise { id: row.enterprise, name: &view.enterprise_name },
        tos_type: match row.kind {
            TermsKind::Managed => "managed",
            TermsKind::External => "external",
        },
        text: &row.text,
        created_at: Date { at: row.created_at, zone },
        modified_at: Date { at: row.modified_at, zone },
    }
}

fn status<'a>(asked: &'a Asked, view: &'a TermsStatusView) -> TermsUserStatus<'a> {
    let (row, zone) = (&view.status, asked.look().zone);
    TermsUserStatus {
        id: Text(row.id),
        tos: TermsMini { id: Text(row.terms) },
        user: to_wire::mini(&view.user),
        is_accepted: row.accepted,
        created_at: Date { at: row.created_at, zone },
        modified_at: Date { at: row.modified_at, zone },
    }
}
