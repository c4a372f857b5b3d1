//! Users.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::collection::{Collection, Direction, Order, Page};
use crate::wire::fields::{Field, Fields};
use crate::wire::id;
use crate::wire::query::From;
use crate::wire::request::{TrackingCode as TrackingCodeAsked, UserChange as UserAsked};
use crate::wire::user::{self, Flags, Status, USER, UserMini};
use entente_model::{Caller, UserId};
use entente_tree::{
    KindsWanted, NewPerson, OwnedContent, TrackingCode, User, UserChange, UserKind, UserQuery, UserSettings,
    UserStatus, UsersFrom,
};
use http::StatusCode;
use std::borrow::Cow;

const ORDER: [Order; 1] = [Order { by: "id", direction: Direction::Ascending }];

pub(crate) async fn me(asked: Asked, caller: Caller) -> Outcome {
    let user = asked.tree().me(&caller).await?;
    answer(&asked, &caller, StatusCode::OK, &user).await
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let user = asked.tree().user(&caller, asked.id("user_id")?).await?;
    answer(&asked, &caller, StatusCode::OK, &user).await
}

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let query = asked.query();
    let wanted = query.page()?;
    let kinds = match query.value("user_type").as_deref() {
        None | Some("all" | "") => KindsWanted::All,
        Some("managed") => KindsWanted::Managed,
        Some("external") => KindsWanted::External,
        Some(_) => {
            let message = "'user_type' must be 'all', 'managed' or 'external'";
            return Err(Problem::invalid("user_type", message));
        }
    };
    let marked = |marker: &str| {
        id::parse(marker).map_err(|_| Problem::invalid("marker", "the marker is not one that a list gave"))
    };
    let from = match &wanted.from {
        From::Offset(offset) => UsersFrom::Offset(u32::try_from(*offset).unwrap_or(u32::MAX)),
        From::Marker(marker) => UsersFrom::After(marker.as_deref().map(marked).transpose()?),
    };
    let text = |name| query.value(name).map(Cow::into_owned).unwrap_or_default();
    let (prefix, external_id, limit) = (text("filter_term"), text("external_app_user_id"), wanted.limit);
    let found = asked.tree().list_users(&caller, UserQuery { prefix, kinds, external_id, from, limit }).await?;
    let frame = Frame::of(&asked, &caller).await?;
    let shown: Vec<_> = found.entries.iter().map(|user| frame.about(user)).collect();
    let entries: Vec<_> = found.entries.iter().zip(&shown).map(|(user, about)| frame.show(user, about)).collect();
    let page = match wanted.from {
        From::Offset(offset) => Page::Offset { total_count: found.total_count.unwrap_or(0), offset, order: &ORDER },
        From::Marker(_) => Page::Marker { next: found.next.map(|next| next.to_string()) },
    };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: wanted.limit.into(), page }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: UserAsked = asked.json().await?;
    let name = new.name.clone().ok_or_else(|| Problem::missing("name"))?;
    let app = new.is_platform_access_only == Some(true);
    let login = match (&new.login, app) {
        (Some(_), true) => {
            return Err(Problem::invalid("login", "a user with 'is_platform_access_only' gets a login by itself"));
        }
        (Some(login), false) => login.clone(),
        (None, true) => String::new(),
        (None, false) => return Err(Problem::missing("login")),
    };
    if !app {
        check_login(&login)?;
    }
    let change = UserChange { kind: app.then_some(UserKind::App), ..change(new)? };
    let person = NewPerson { login, name, role: change.role.unwrap_or_default(), rest: change };
    let user = asked.tree().create_user(&caller, person).await?;
    answer(&asked, &caller, StatusCode::CREATED, &user).await
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let user: UserId = asked.id("user_id")?;
    let new: UserAsked = asked.json().await?;
    let rolls_out = new.enterprise == Some(None);
    let change = UserChange { kind: rolls_out.then_some(UserKind::External), ..change(new)? };
    if let Some(login) = &change.login {
        check_login(login)?;
    }
    let user = asked.tree().update_user(&caller, user, change).await?;
    answer(&asked, &caller, StatusCode::OK, &user).await
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    // `notify` has a mail sent, which nothing here does yet; it is taken for what it is, and nothing comes of it.
    let content = if asked.query().is_set("force") { OwnedContent::Purge } else { OwnedContent::Refuse };
    asked.tree().delete_user(&caller, asked.id("user_id")?, content).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// What a login has to look like here is identity's to say.
fn check_login(login: &str) -> Result<(), Problem> {
    entente_identity::Login::new(login).map_err(|error| Problem::invalid("login", error.to_string()))?;
    Ok(())
}

fn change(asked: UserAsked) -> Result<UserChange, Problem> {
    let role = asked.role.as_deref().map(|role| {
        user::role_named(role).ok_or_else(|| Problem::invalid("role", "'role' must be 'user' or 'coadmin'"))
    });
    let status = asked.status.as_deref().map(|status| {
        let message = "'status' must be 'active', 'inactive', 'cannot_delete_edit' or 'cannot_delete_edit_upload'";
        Status::named(status).map(stored_status).ok_or_else(|| Problem::invalid("status", message))
    });
    let notification_email = match asked.notification_email {
        None => None,
        Some(None) => Some(String::new()),
        Some(Some(given)) => {
            let email = given.email.ok_or_else(|| Problem::missing("notification_email.email"))?;
            entente_identity::Login::new(&*email)
                .map_err(|_| Problem::invalid("notification_email", "'notification_email' must be a mail address"))?;
            Some(email)
        }
    };
    let code = |code: TrackingCodeAsked| {
        let name = code.name.ok_or_else(|| Problem::missing("tracking_codes.name"))?;
        Ok(TrackingCode { name, value: code.value.unwrap_or_default() })
    };
    let tracking_codes = asked.tracking_codes.map(|codes| codes.into_iter().map(code).collect::<Result<_, Problem>>());
    let (mut set, mut unset) = (UserSettings::USUAL, UserSettings::USUAL);
    for (asked, setting) in [
        (asked.can_see_managed_users.map(|sees| !sees), UserSettings::CANNOT_SEE_USERS),
        (asked.is_sync_enabled.map(|enabled| !enabled), UserSettings::SYNC_DISABLED),
        (asked.is_external_collab_restricted, UserSettings::EXTERNAL_COLLAB_RESTRICTED),
        (asked.is_exempt_from_device_limits, UserSettings::EXEMPT_FROM_DEVICE_LIMITS),
        (asked.is_exempt_from_login_verification, UserSettings::EXEMPT_FROM_LOGIN_VERIFICATION),
        (asked.is_password_reset_required, UserSettings::PASSWORD_RESET_REQUIRED),
    ] {
        match asked {
            Some(true) => set = set.with(setting),
            Some(false) => unset = unset.with(setting),
            None => {}
        }
    }
    Ok(UserChange {
        name: asked.name,
        login: asked.login,
        role: role.transpose()?,
        status: status.transpose()?,
        // Negative at Box means any amount.
        space_limit: asked.space_amount.map(|bytes| u64::try_from(bytes).ok()),
        language: asked.language,
        timezone: asked.timezone,
        job_title: asked.job_title,
        phone: asked.phone,
        address: asked.address,
        kind: None,
        seat: None,
        notification_email,
        external_id: asked.external_app_user_id,
        tracking_codes: tracking_codes.transpose()?,
        set,
        unset,
    })
}

const fn stored_status(status: Status) -> UserStatus {
    match status {
        Status::Active => UserStatus::Active,
        Status::Inactive => UserStatus::Inactive,
        Status::CannotDeleteEdit => UserStatus::CannotDeleteEdit,
        Status::CannotDeleteEditUpload => UserStatus::CannotDeleteEditUpload,
    }
}

const fn shown_status(status: UserStatus) -> Status {
    match status {
        UserStatus::Active => Status::Active,
        UserStatus::Inactive => Status::Inactive,
        UserStatus::CannotDeleteEdit => Status::CannotDeleteEdit,
        UserStatus::CannotDeleteEditUpload => Status::CannotDeleteEditUpload,
    }
}

async fn answer(asked: &Asked, caller: &Caller, status: StatusCode, user: &User) -> Outcome {
    let frame = Frame::of(asked, caller).await?;
    Ok(answer::json(status, &frame.show(user, &frame.about(user))))
}

/// Where the picture of a user is.
pub(super) fn avatar_url(asked: &Asked, user: UserId) -> String {
    asked.url(&format!("/box/2.0/users/{user}/avatar"))
}

/// What all users in one answer have in common.
struct Frame<'a> {
    asked: &'a Asked,
    fields: Fields,
    enterprise_name: String,
    users_url: String,
    hostname: String,
}

/// What has to be made for one of them.
struct About<'u> {
    avatar_url: String,
    tracking_codes: Vec<user::TrackingCode<'u>>,
}

impl<'a> Frame<'a> {
    async fn of(asked: &'a Asked, caller: &Caller) -> Result<Self, Problem> {
        let fields = asked.fields(USER);
        let named = fields.has(Field::Enterprise);
        let enterprise_name = if named { asked.tree().enterprise_name(caller).await? } else { String::new() };
        Ok(Self { asked, fields, enterprise_name, users_url: asked.url("/box/2.0/users/"), hostname: asked.url("/") })
    }

    fn about<'u>(&self, user: &'u User) -> About<'u> {
        let codes = user.tracking_codes.iter();
        About {
            avatar_url: format!("{}{}/avatar", self.users_url, user.id),
            tracking_codes: codes.map(|code| user::TrackingCode { name: &code.name, value: &code.value }).collect(),
        }
    }

    fn show<'u>(&'u self, user: &'u User, about: &'u About<'u>) -> user::User<'u> {
        let inside = user.kind != UserKind::External;
        user::User {
            fields: self.fields,
            mini: UserMini { id: Some(user.id), name: &user.name, login: &user.login },
            created_at: user.created_at,
            modified_at: user.modified_at,
            language: &user.language,
            timezone: &user.timezone,
            space_amount_bytes: user.space_limit,
            space_used_bytes: user.space_used,
            max_upload_size_bytes: self.asked.door.options().file_bytes_max,
            status: shown_status(user.status),
            job_title: &user.job_title,
            phone: &user.phone,
            address: &user.address,
            avatar_url: &about.avatar_url,
            role: user.role,
            enterprise: inside.then_some(user::Enterprise { id: user.enterprise, name: &self.enterprise_name }),
            flags: Flags {
                can_see_managed_users: !user.settings.has(UserSettings::CANNOT_SEE_USERS),
                is_sync_enabled: !user.settings.has(UserSettings::SYNC_DISABLED),
                is_external_collab_restricted: user.settings.has(UserSettings::EXTERNAL_COLLAB_RESTRICTED),
                is_exempt_from_device_limits: user.settings.has(UserSettings::EXEMPT_FROM_DEVICE_LIMITS),
                is_exempt_from_login_verification: user.settings.has(UserSettings::EXEMPT_FROM_LOGIN_VERIFICATION),
                is_platform_access_only: matches!(user.kind, UserKind::Service | UserKind::App),
            },
            notification_email: &user.notification_email,
            external_app_user_id: &user.external_id,
            tracking_codes: &about.tracking_codes,
            hostname: &self.hostname,
            zone: self.asked.look().zone,
        }
    }
}
