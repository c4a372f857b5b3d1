//! Other addresses of users.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::people_request::NewAlias;
use crate::wire::person::{EmailAlias, EmailAliases};
use entente_model::{Caller, UserId};
use http::StatusCode;

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let aliases = asked.tree().aliases(&caller, asked.id("user_id")?).await?;
    let entries: Vec<_> = aliases.iter().map(|alias| EmailAlias { id: alias.id, email: &alias.email }).collect();
    Ok(answer::json(StatusCode::OK, &EmailAliases { total_count: entries.len(), entries }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let user: UserId = asked.id("user_id")?;
    let new: NewAlias = asked.json().await?;
    let email = new.email.ok_or_else(|| Problem::missing("email"))?;
    entente_identity::Login::new(&*email).map_err(|_| Problem::invalid("email", "'email' must be a mail address"))?;
    let alias = asked.tree().add_alias(&caller, user, email).await?;
    Ok(answer::json(StatusCode::CREATED, &EmailAlias { id: alias.id, email: &alias.email }))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_alias(&caller, asked.id("user_id")?, asked.id("email_alias_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}
