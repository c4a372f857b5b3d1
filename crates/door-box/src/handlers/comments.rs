//! Comments.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::referred;
use crate::wire::collection::{Collection, Page};
use crate::wire::comment::{COMMENT, CommentAsked};
use axum::response::Response;
use entente_model::{Caller, CommentId};
use entente_tree::{CommentOn, CommentView, Message, RecentAct};
use http::StatusCode;

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: CommentAsked = asked.json().await?;
    let item = new.item.as_ref().ok_or_else(|| Problem::missing("item"))?;
    let on = match item.kind.as_deref() {
        Some("file") => CommentOn::File(referred("item.id", item.id.as_ref())?),
        Some("comment") => CommentOn::Comment(referred("item.id", item.id.as_ref())?),
        Some(_) => return Err(Problem::invalid("item.type", "'item.type' must be 'file' or 'comment'")),
        None => return Err(Problem::missing("item.type")),
    };
    let message = message(new)?.ok_or_else(|| Problem::missing("message"))?;
    let made = asked.tree().comment(&caller, on, message).await?;
    asked.tree().note_recent(&caller, made.comment.item, RecentAct::Commented);
    Ok(answer(&asked, StatusCode::CREATED, &made))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().comment_by_id(&caller, asked.id("comment_id")?).await?;
    Ok(answer(&asked, StatusCode::OK, &found))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let id: CommentId = asked.id("comment_id")?;
    let change: CommentAsked = asked.json().await?;
    let changed = asked.tree().change_comment(&caller, id, message(change)?).await?;
    Ok(answer(&asked, StatusCode::OK, &changed))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_comment(&caller, asked.id("comment_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn of_file(asked: Asked, caller: Caller) -> Outcome {
    let wanted = asked.query().offset_page()?;
    let page = asked.tree().comments(&caller, asked.id("file_id")?, wanted.offset, wanted.limit).await?;
    let (look, fields) = (asked.look(), asked.fields(COMMENT));
    let messages: Vec<String> = page.entries.iter().map(CommentView::message).collect();
    let shown = page.entries.iter().zip(&messages);
    let entries: Vec<_> = shown.map(|(view, message)| look.comment(view, message, fields)).collect();
    let place = Page::Offset { total_count: page.total_count, offset: wanted.offset.into(), order: &[] };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: wanted.limit.into(), page: place }))
}

/// What is said, if anything is: what mentions users before what does not.
fn message(asked: CommentAsked) -> Result<Option<Message>, Problem> {
    Ok(match (asked.tagged_message, asked.message) {
        (Some(tagged), _) if !tagged.is_empty() => Some(Message::Tagged(tagged)),
        (_, plain) => plain.map(Message::Plain),
    })
}

fn answer(asked: &Asked, status: StatusCode, view: &CommentView) -> Response {
    let message = view.message();
    answer::json(status, &asked.look().comment(view, &message, asked.fields(COMMENT)))
}
