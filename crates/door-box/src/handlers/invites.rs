//! Invites of users from outside.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire;
use crate::wire::id;
use crate::wire::people_request::NewInvite;
use crate::wire::person::{INVITE, Invite};
use crate::wire::user::Enterprise;
use entente_model::Caller;
use entente_tree::{InviteStatus, InviteView};
use http::StatusCode;

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NewInvite = asked.json().await?;
    let enterprise = new.enterprise.ok_or_else(|| Problem::missing("enterprise"))?;
    let enterprise = enterprise.id.ok_or_else(|| Problem::missing("enterprise.id"))?;
    let enterprise =
        id::parse(&enterprise.0).map_err(|malformed| Problem::invalid("enterprise.id", malformed.to_string()))?;
    let whom = new.actionable_by.ok_or_else(|| Problem::missing("actionable_by"))?;
    let login = whom.login.ok_or_else(|| Problem::missing("actionable_by.login"))?;
    Ok(answer(&asked, &asked.tree().invite_user(&caller, enterprise, login).await?))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    Ok(answer(&asked, &asked.tree().invite_by_id(&caller, asked.id("invite_id")?).await?))
}

fn answer(asked: &Asked, view: &InviteView) -> axum::response::Response {
    let invite = Invite {
        fields: asked.fields(INVITE),
        id: view.invite.id,
        invited_to: Enterprise { id: view.invite.enterprise, name: &view.enterprise_name },
        actionable_by: to_wire::mini(&view.user),
        invited_by: to_wire::mini(&view.invited_by),
        status: match view.invite.status {
            InviteStatus::Pending => "pending",
            InviteStatus::Accepted => "accepted",
        },
        created_at: view.invite.created_at,
        modified_at: view.invite.modified_at,
        zone: asked.look().zone,
    };
    answer::json(StatusCode::OK, &invite)
}
