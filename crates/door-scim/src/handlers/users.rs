//! People of the enterprise.

use crate::door::{Answer, Asked, Desk, Outcome};
use crate::error::Problem;
use crate::filter::{self, Condition};
use crate::patch;
use crate::wire::users::{SCHEMA, encode, patched, whole};
use crate::wire::{Page, RESULTS_MAX, chosen, list as encode_list};
use entente_model::{UserId, UserRole, fold};
use entente_tree::{
    Error, KindsWanted, NewPerson, OwnedContent, User, UserChange, UserKind, UserQuery, UserStatus, UsersFrom,
};
use http::StatusCode;
use serde_json::Value;

pub(crate) async fn list(desk: Desk, asked: Asked) -> Outcome {
    let page = Page::read(asked.parameter("startIndex"), asked.parameter("count"))?;
    let (users, total) = match asked.parameter("filter") {
        None => everybody(&desk, page).await?,
        Some(text) => found(&desk, &filter::parse(text)?, page).await?,
    };
    let shown = users.iter().map(|user| {
        let mut resource = encode(user, &desk.base);
        chosen(&mut resource, asked.parameter("attributes"), asked.parameter("excludedAttributes"));
        resource
    });
    Ok(Answer::ok(encode_list(&shown.collect::<Vec<_>>(), total, page)))
}

async fn everybody(desk: &Desk, page: Page) -> Result<(Vec<User>, u64), Problem> {
    let (kinds, from) = (KindsWanted::People, UsersFrom::Offset(page.offset()));
    let query = UserQuery { kinds, from, limit: page.count, ..UserQuery::default() };
    let found = desk.tree.list_users(&desk.caller, query).await?;
    Ok((found.entries, found.total_count.unwrap_or(0)))
}

/// Who meets all conditions. One of them must be about what people are found by.
async fn found(desk: &Desk, conditions: &[Condition], page: Page) -> Result<(Vec<User>, u64), Problem> {
    let about = |path: &str| conditions.iter().find(|condition| condition.path == path).and_then(Condition::text);
    let candidates = if let Some(id) = about("id") {
        match id.parse::<UserId>() {
            Ok(id) => person(desk, id).await.map(|user| vec![user]).or_else(nobody)?,
            Err(_) => Vec::new(),
        }
    } else if let Some(login) = about("username").or_else(|| about("emails.value")).or_else(|| about("emails")) {
        desk.tree.person_by_login(&desk.caller, login).await?.into_iter().collect()
    } else {
        let external_id = about("externalid").unwrap_or_default().to_owned();
        let prefix = if external_id.is_empty() { about("displayname").unwrap_or_default() } else { "" }.to_owned();
        if prefix.is_empty() && external_id.is_empty() {
            let detail = "users are found by id, userName, emails, externalId or displayName";
            return Err(Problem::Invalid("invalidFilter", detail.to_owned()));
        }
        let kinds = KindsWanted::People;
        let query = UserQuery { prefix, kinds, external_id, from: UsersFrom::After(None), limit: RESULTS_MAX };
        let found = desk.tree.list_users(&desk.caller, query).await?;
        if found.next.is_some() {
            return Err(Problem::Invalid("tooMany", "the filter finds too many".to_owned()));
        }
        found.entries
    };
    let mut users = Vec::new();
    for user in candidates.into_iter().filter(|user| user.kind == UserKind::Person) {
        let mut meets = true;
        for condition in conditions {
            meets &= is_met(condition, &user)?;
        }
        if meets {
            users.push(user);
        }
    }
    let total = u64::try_from(users.len()).unwrap_or(u64::MAX);
    let rest = users.into_iter().skip(page.offset() as usize).take(page.count as usize);
    Ok((rest.collect(), total))
}

fn is_met(Condition { path, value }: &Condition, user: &User) -> Result<bool, Problem> {
    let equals = |text: &str| value.as_str().is_some_and(|value| fold(value) == fold(text));
    Ok(match path.as_str() {
        "id" => value.as_str() == Some(user.id.to_string().as_str()),
        "username" | "emails" | "emails.value" => equals(&user.login),
        "displayname" | "name.formatted" => equals(&user.name),
        "externalid" => value.as_str() == Some(user.external_id.as_str()),
        "title" => equals(&user.job_title),
        "active" => value.as_bool() == Some(user.status != UserStatus::Inactive),
        _ => return Err(Problem::Invalid("invalidFilter", "users are not found by this attribute".to_owned())),
    })
}

fn nobody(problem: Problem) -> Result<Vec<User>, Problem> {
    match problem {
        Problem::NotFound | Problem::Tree(Error::NotFound) => Ok(Vec::new()),
        other => Err(other),
    }
}

/// Somebody who is a person of the enterprise: others are not there.
async fn person(desk: &Desk, id: UserId) -> Result<User, Problem> {
    let user = desk.tree.user(&desk.caller, id).await?;
    if user.kind == UserKind::Person { Ok(user) } else { Err(Problem::NotFound) }
}

pub(crate) async fn show(desk: Desk, asked: Asked) -> Outcome {
    let user = person(&desk, id(&asked.id)?).await?;
    let mut resource = encode(&user, &desk.base);
    chosen(&mut resource, asked.parameter("attributes"), asked.parameter("excludedAttributes"));
    Ok(Answer::ok(resource))
}

pub(crate) async fn create(desk: Desk, asked: Asked) -> Outcome {
    make(&desk, &asked.json().await?).await
}

pub(crate) async fn make(desk: &Desk, body: &Value) -> Outcome {
    check_schema(body, SCHEMA)?;
    let change = whole(body)?;
    let (login, name) = (change.login.clone().unwrap_or_default(), change.name.clone().unwrap_or_default());
    // What a new user has without being told is not written twice.
    let rest = UserChange {
        login: None,
        name: None,
        external_id: change.external_id.filter(|text| !text.is_empty()),
        job_title: change.job_title.filter(|text| !text.is_empty()),
        status: change.status.filter(|status| *status != UserStatus::Active),
        ..change
    };
    let user = desk.tree.create_user(&desk.caller, NewPerson { login, name, role: UserRole::User, rest }).await?;
    let body = encode(&user, &desk.base);
    let location = Some(format!("{}/Users/{}", desk.base, user.id));
    Ok(Answer { status: StatusCode::CREATED, location, body: Some(body) })
}

pub(crate) async fn replace(desk: Desk, asked: Asked) -> Outcome {
    let id = id(&asked.id)?;
    put(&desk, id, &asked.json().await?).await
}

pub(crate) async fn put(desk: &Desk, id: UserId, body: &Value) -> Outcome {
    check_schema(body, SCHEMA)?;
    let change = whole(body)?;
    change_user(desk, id, change).await
}

pub(crate) async fn patch(desk: Desk, asked: Asked) -> Outcome {
    let id = id(&asked.id)?;
    modify(&desk, id, &asked.json().await?).await
}

pub(crate) async fn modify(desk: &Desk, id: UserId, body: &Value) -> Outcome {
    change_user(desk, id, patched(&patch::parse(body)?)?).await
}

async fn change_user(desk: &Desk, id: UserId, change: UserChange) -> Outcome {
    let before = person(desk, id).await?;
    // Somebody who may not do everything is active as well, and stays what they are.
    let is_same = |status: &UserStatus| *status == UserStatus::Active && before.status != UserStatus::Inactive;
    let change = UserChange {
        status: change.status.filter(|status| !is_same(status)),
        login: change.login.filter(|login| *login != before.login),
        ..change
    };
    let user = desk.tree.update_user(&desk.caller, id, change).await?;
    Ok(Answer::ok(encode(&user, &desk.base)))
}

pub(crate) async fn delete(desk: Desk, asked: Asked) -> Outcome {
    remove(&desk, id(&asked.id)?).await
}

/// Who owns content is not removed: their directory makes them inactive, or somebody takes what they own over first.
pub(crate) async fn remove(desk: &Desk, id: UserId) -> Outcome {
    let user = person(desk, id).await?;
    desk.tree.delete_user(&desk.caller, user.id, OwnedContent::Refuse).await?;
    Ok(Answer::none())
}

/// What is no id is the id of nobody.
pub(crate) fn id(text: &str) -> Result<UserId, Problem> {
    text.parse().map_err(|_| Problem::NotFound)
}

/// A resource says what it is; one that says nothing is what its place says.
pub(crate) fn check_schema(body: &Value, schema: &str) -> Result<(), Problem> {
    match patch::member(body, "schemas") {
        None => Ok(()),
        Some(Value::Array(schemas)) if schemas.iter().any(|found| found.as_str() == Some(schema)) => Ok(()),
        Some(_) => Err(Problem::Invalid("invalidSyntax", format!("the resource is not a {schema}"))),
    }
}
