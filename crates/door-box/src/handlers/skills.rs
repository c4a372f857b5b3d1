//! What programs that look at files show beside them.

use super::metadata_instances::{create, delete, show, update};
use super::metadata_shapes::body;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::id;
use crate::wire::metadata::SkillBody;
use entente_model::Caller;
use entente_tree::Kind;
use entente_tree::metadata::{SkillReport, Template, TemplateName};
use http::StatusCode;

const STATUSES: [&str; 5] = ["invoked", "processing", "success", "transient_failure", "permanent_failure"];

pub(crate) async fn show_cards(asked: Asked, caller: Caller) -> Outcome {
    show(asked, caller, Kind::File, cards()).await
}

pub(crate) async fn create_cards(asked: Asked, caller: Caller) -> Outcome {
    create(asked, caller, Kind::File, cards()).await
}

pub(crate) async fn update_cards(asked: Asked, caller: Caller) -> Outcome {
    update(asked, caller, Kind::File, cards()).await
}

pub(crate) async fn delete_cards(asked: Asked, caller: Caller) -> Outcome {
    delete(asked, caller, Kind::File, cards()).await
}

pub(crate) async fn report(mut asked: Asked, caller: Caller) -> Outcome {
    let SkillBody { status, metadata, file } = body(&mut asked).await?;
    let status = status.ok_or_else(|| Problem::missing("status"))?;
    if !STATUSES.contains(&status.as_str()) {
        return Err(Problem::invalid("status", format!("'status' must be one of {}", STATUSES.join(", "))));
    }
    let file = file.and_then(|file| file.id).ok_or_else(|| Problem::missing("file.id"))?;
    let file = id::parse(&file.0).map_err(|malformed| Problem::invalid("file.id", malformed.to_string()))?;
    let cards = metadata.ok_or_else(|| Problem::missing("metadata"))?;
    asked.tree().report_skill(&caller, SkillReport { file, cards }).await?;
    Ok(answer::empty(StatusCode::OK))
}

fn cards() -> TemplateName {
    Template::skill_cards().name()
}
