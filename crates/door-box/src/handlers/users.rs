//! Users.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::collection::{Collection, Direction, Order, Page};
use crate::wire::fields::{Field, Fields};
use crate::wire::query::From;
use crate::wire::request::UserChange as UserAsked;
use crate::wire::user::{self, Status, USER, UserMini};
use entente_model::{Caller, UserId};
use entente_tree::{NewPerson, User, UserChange, UserKind, UserQuery, UserStatus};
use http::StatusCode;

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
    // The kinds of users that there are here are all managed ones.
    let external = query.value("user_type").is_some_and(|kind| kind == "external");
    let offset = match &wanted.from {
        From::Offset(offset) => *offset,
        // A marker is an offset in disguise: users are only ever added at the end.
        From::Marker(None) => 0,
        From::Marker(Some(marker)) => {
            marker.parse().map_err(|_| Problem::invalid("marker", "the marker is not one that a list gave"))?
        }
    };
    let page = UserQuery {
        prefix: query.value("filter_term").map(std::borrow::Cow::into_owned).unwrap_or_default(),
        offset: if external { u32::MAX } else { u32::try_from(offset).unwrap_or(u32::MAX) },
        limit: wanted.limit,
    };
    let page = asked.tree().list_users(&caller, page).await?;
    let total_count = if external { 0 } else { page.total_count };
    let frame = Frame::of(&asked, &caller).await?;
    let urls: Vec<String> = page.entries.iter().map(|user| frame.avatar_url(user.id)).collect();
    let entries: Vec<_> = page.entries.iter().zip(&urls).map(|(user, url)| frame.show(user, url)).collect();
    let after = offset.saturating_add(entries.len() as u64);
    let page = match wanted.from {
        From::Offset(offset) => Page::Offset { total_count, offset, order: &ORDER },
        From::Marker(_) => {
            Page::Marker { next: (after < total_count && !entries.is_empty()).then(|| after.to_string()) }
        }
    };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: wanted.limit.into(), page }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: UserAsked = asked.json().await?;
    if new.is_platform_access_only == Some(true) {
        let message = "App users are not served; give the user a 'login'";
        return Err(Problem::invalid("is_platform_access_only", message));
    }
    let login = new.login.clone().ok_or_else(|| Problem::missing("login"))?;
    entente_identity::Login::new(&*login).map_err(|error| Problem::invalid("login", error.to_string()))?;
    let name = new.name.clone().ok_or_else(|| Problem::missing("name"))?;
    let change = change(new)?;
    let person = NewPerson { login, name, role: change.role.unwrap_or_default(), rest: change };
    let user = asked.tree().create_user(&caller, person).await?;
    answer(&asked, &caller, StatusCode::CREATED, &user).await
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let user: UserId = asked.id("user_id")?;
    let change = change(asked.json().await?)?;
    if let Some(login) = &change.login {
        entente_identity::Login::new(&**login).map_err(|error| Problem::invalid("login", error.to_string()))?;
    }
    let user = asked.tree().update_user(&caller, user, change).await?;
    answer(&asked, &caller, StatusCode::OK, &user).await
}

fn change(asked: UserAsked) -> Result<UserChange, Problem> {
    let role = asked.role.as_deref().map(|role| {
        user::role_named(role).ok_or_else(|| Problem::invalid("role", "'role' must be 'user' or 'coadmin'"))
    });
    let status = asked.status.as_deref().map(|status| match status {
        "active" => Ok(UserStatus::Active),
        "inactive" => Ok(UserStatus::Inactive),
        _ => Err(Problem::invalid("status", "'status' must be 'active' or 'inactive'")),
    });
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
    })
}

async fn answer(asked: &Asked, caller: &Caller, status: StatusCode, user: &User) -> Outcome {
    let frame = Frame::of(asked, caller).await?;
    Ok(answer::json(status, &frame.show(user, &frame.avatar_url(user.id))))
}

/// What all users in one answer have in common.
struct Frame<'a> {
    asked: &'a Asked,
    fields: Fields,
    enterprise_name: String,
    users_url: String,
}

impl<'a> Frame<'a> {
    async fn of(asked: &'a Asked, caller: &Caller) -> Result<Self, Problem> {
        let fields = asked.fields(USER);
        let named = fields.has(Field::Enterprise);
        let enterprise_name = if named { asked.tree().enterprise_name(caller).await? } else { String::new() };
        Ok(Self { asked, fields, enterprise_name, users_url: asked.url("/box/2.0/users/") })
    }

    /// Where a picture of the user would be.
    fn avatar_url(&self, user: UserId) -> String {
        format!("{}{user}/avatar", self.users_url)
    }

    fn show<'u>(&'u self, user: &'u User, avatar_url: &'u str) -> user::User<'u> {
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
            status: match user.status {
                UserStatus::Active => Status::Active,
                UserStatus::Inactive => Status::Inactive,
            },
            job_title: &user.job_title,
            phone: &user.phone,
            address: &user.address,
            avatar_url,
            role: user.role,
            enterprise: user.enterprise,
            enterprise_name: &self.enterprise_name,
            is_platform_access_only: user.kind == UserKind::Service,
            zone: self.asked.door.look().zone,
        }
    }
}
