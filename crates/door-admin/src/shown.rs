//! How users, applications and moments look as JSON: here and on the command line.

use entente_identity::{App, User};
use entente_model::{Timestamp, UserRole};
use serde_json::{Value, json};

/// A user.
#[must_use]
pub fn user(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "login": user.login,
        "name": user.name,
        "role": role(user.role),
        "space_used_bytes": user.space_used,
        "created_at": moment(user.created_at),
    })
}

/// An application, without its secret.
#[must_use]
pub fn app(app: &App) -> Value {
    json!({
        "id": app.app.to_string(),
        "name": app.name,
        "client_id": app.client_id,
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
