//! People from outside, who are to lose their roles.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::referred;
use crate::wire::company::{ExternalUser, ExternalUsersAsked, ExternalUsersGone};
use crate::wire::id::Text;
use entente_model::{Caller, UserId};
use http::StatusCode;

/// Which of Box's versions this is of.
const VERSION: &str = "2025.0";

pub(crate) async fn remove(mut asked: Asked, caller: Caller) -> Outcome {
    asked.check_version(VERSION)?;
    let body: ExternalUsersAsked = asked.json().await?;
    let users = body.external_users.ok_or_else(|| Problem::missing("external_users"))?;
    if users.is_empty() {
        return Err(Problem::missing("external_users"));
    }
    let named = users.iter().map(|user| referred("external_users.id", user.id.as_ref()));
    let users = named.collect::<Result<Vec<UserId>, Problem>>()?;
    let going = asked.tree().remove_outsiders(&caller, users.clone()).await?;
    if !going.contains(&true) {
        return Err(Problem::not_found());
    }
    let entry = |(user, going): (UserId, bool)| ExternalUser {
        user_id: Text(user),
        status: if going { StatusCode::ACCEPTED } else { StatusCode::NOT_FOUND }.as_u16(),
        detail: (!going).then_some("External user not found"),
    };
    let entries = users.into_iter().zip(going).map(entry).collect();
    Ok(answer::json(StatusCode::MULTI_STATUS, &ExternalUsersGone { entries }))
}
