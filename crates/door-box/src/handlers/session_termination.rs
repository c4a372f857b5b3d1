//! Ending the sessions of users, and of the members of groups.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::id::{self, FromNumber};
use crate::wire::people_request::{GroupSessions, UserSessions};
use crate::wire::person::SessionTerminationMessage;
use crate::wire::request::IdText;
use entente_identity::{SESSIONS_ENDED_MAX, SessionsOf};
use entente_model::Caller;
use http::StatusCode;
use std::str::FromStr;

pub(crate) async fn users(mut asked: Asked, caller: Caller) -> Outcome {
    let body: UserSessions = asked.json().await?;
    let users = ids(&body.user_ids.unwrap_or_default(), "user_ids", "User id format is string")?;
    let logins = body.user_logins.unwrap_or_default();
    if users.is_empty() && logins.is_empty() {
        return Err(Problem::invalid("user_ids", "Users can not be NULL or EMPTY"));
    }
    end(&asked, &caller, SessionsOf { users, logins, groups: Vec::new() }).await
}

pub(crate) async fn groups(mut asked: Asked, caller: Caller) -> Outcome {
    let body: GroupSessions = asked.json().await?;
    let groups = ids(&body.group_ids.unwrap_or_default(), "group_ids", "group id format is string")?;
    if groups.is_empty() {
        return Err(Problem::invalid("group_ids", "Groups can not be NULL or EMPTY"));
    }
    end(&asked, &caller, SessionsOf { groups, ..SessionsOf::default() }).await
}

async fn end(asked: &Asked, caller: &Caller, of: SessionsOf) -> Outcome {
    if of.users.len() + of.logins.len() + of.groups.len() > SESSIONS_ENDED_MAX {
        return Err(Problem::bad_request("Too many are named in one request"));
    }
    asked.door.auth().identity().end_sessions(caller, of).await.map_err(Problem::of_identity)?;
    let message = "Request is successful, please check the admin events for the status of the job";
    Ok(answer::json(StatusCode::ACCEPTED, &SessionTerminationMessage { message }))
}

fn ids<I: FromStr + FromNumber>(
    texts: &[IdText],
    member: &'static str,
    message: &'static str,
) -> Result<Vec<I>, Problem> {
    texts.iter().map(|text| id::parse(&text.0).map_err(|_| Problem::invalid(member, message))).collect()
}
