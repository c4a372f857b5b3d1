//! How users, applications and moments look as JSON: here and on the command line.

use entente_identity::{App, AppKind, AppState, User};
use entente_model::{Timestamp, UserRole};
use entente_tree::{Group, Member, MembershipRole, Seat, UserKind, UserStatus};
use serde_json::{Value, json};

/// A user.
#[must_use]
pub fn user(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "login": user.login,
        "name": user.name,
        "role": role(user.role),
        "kind": kind(user.kind),
        "seat": seat(user.seat),
        "status": status(user.status),
        "space_limit_bytes": user.space_limit,
        "space_used_bytes": user.space_used,
        "created_at": moment(user.created_at),
    })
}

/// A group.
#[must_use]
pub fn group(group: &Group) -> Value {
    json!({
        "id": group.id.to_string(),
        "name": group.name,
        "description": group.description,
        "created_at": moment(group.created_at),
    })
}

/// A membership of a group.
#[must_use]
pub fn member(member: &Member) -> Value {
    json!({
        "id": member.membership.id.to_string(),
        "user_id": member.user.id.to_string(),
        "login": member.user.login,
        "group_id": member.group.id.to_string(),
        "group": member.group.name,
        "role": member_role(member.membership.role),
        "created_at": moment(member.membership.created_at),
    })
}

/// The name of what somebody is in a group.
#[must_use]
pub const fn member_role(role: MembershipRole) -> &'static str {
    match role {
        MembershipRole::Member => "member",
        MembershipRole::Admin => "admin",
    }
}

/// The name of what stands behind a user.
#[must_use]
pub const fn kind(kind: UserKind) -> &'static str {
    match kind {
        UserKind::Person => "person",
        UserKind::Service => "service",
        UserKind::App => "app",
        UserKind::External => "external",
    }
}

/// The name of a seat.
#[must_use]
pub const fn seat(seat: Seat) -> &'static str {
    match seat {
        Seat::Full => "full",
        Seat::Frontline => "frontline",
    }
}

/// The name of whether a user may come in.
#[must_use]
pub const fn status(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Active => "active",
        UserStatus::Inactive => "inactive",
        UserStatus::CannotDeleteEdit => "cannot-delete-edit",
        UserStatus::CannotDeleteEditUpload => "cannot-delete-edit-upload",
    }
}

/// An application, without its secret.
#[must_use]
pub fn app(app: &App) -> Value {
    json!({
        "id": app.app.to_string(),
        "name": app.name,
        "client_id": app.client_id,
        "kind": match app.kind {
            AppKind::Confidential => "confidential",
            AppKind::Public => "public",
        },
        "enabled": app.state == AppState::Enabled,
        "redirect_uris": app.redirect_uris,
        "scopes": app.scopes.to_string(),
        "grants": app.grants.to_string(),
        "acts_as_users": app.acts_as_users,
        "service_user_id": app.service_user.to_string(),
        "created_at": moment(app.created_at),
    })
}

/// A moment: RFC 3339 in universal time.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.millis()).map_or_else(|_| at.millis().to_string(), |at| at.to_string())
}

/// The name of a role.
#[must_use]
pub const fn role(role: UserRole) -> &'static str {
    match role {
        UserRole::User => "user",
        UserRole::CoAdmin => "co-admin",
        UserRole::Admin => "admin",
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn moments_are_rfc_3339() {
        let at = entente_model::Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(super::moment(at), "2023-11-14T22:13:20.123Z");
    }
}
