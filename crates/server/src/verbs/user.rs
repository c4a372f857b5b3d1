//! `entente user`

mod import;

use super::people::Office;
use super::{open, password};
use crate::cli::{UserCreateArgs, UserDeleteArgs, UserListArgs, UserNamedArgs, UserUpdateArgs, UserVerb};
use crate::exit::{Exit, Failure};
use crate::output::{print, size};
use entente_database::users::{self, UserFilter, UsersFrom};
use entente_door_admin::shown;
use entente_identity::{Login, SessionsOf, User};
use entente_tree::{NewPerson, OwnedContent, UserChange, UserStatus};
use entente_world::World;
use serde_json::{Value, json};

const PAGE: u32 = 1_000;

pub(crate) async fn run(world: &World, verb: UserVerb) -> Result<Exit, Failure> {
    match verb {
        UserVerb::Create(arguments) => create(world, arguments).await,
        UserVerb::List(arguments) => list(world, arguments).await,
        UserVerb::Show(arguments) => show(world, &arguments),
        UserVerb::Update(arguments) => update(world, *arguments).await,
        UserVerb::SetPassword(arguments) => password::set(world, &arguments).await,
        UserVerb::PasswordLink(arguments) => password::link(world, &arguments).await,
        UserVerb::Deactivate(arguments) => deactivate(world, &arguments).await,
        UserVerb::Delete(arguments) => delete(world, &arguments).await,
        UserVerb::Import(arguments) => import::run(world, &arguments).await,
    }
}

async fn create(world: &World, arguments: UserCreateArgs) -> Result<Exit, Failure> {
    Login::new(&*arguments.login).map_err(|error| Failure::new(Exit::Usage, error))?;
    let office = Office::open(world, &arguments.target).await?;
    let UserCreateArgs { login, name, role, kind, seat, space_limit, .. } = arguments;
    let rest = UserChange {
        kind: Some(kind.into()),
        seat: Some(seat.into()),
        space_limit: space_limit.map(Some),
        ..UserChange::default()
    };
    let new = NewPerson { login, name, role: role.into(), rest };
    let user = office.tree.create_user(&office.caller, new).await.map_err(anyhow::Error::from)?;
    print(office.format, &shown::user(&user), || format!("made user {} ({})", user.id, user.login));
    Ok(Exit::Done)
}

async fn list(world: &World, arguments: UserListArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let filter = UserFilter { prefix: arguments.filter.unwrap_or_default(), ..UserFilter::all(store.enterprise.id) };
    let mut found: Vec<User> = Vec::new();
    loop {
        let (filter, from) = (filter.clone(), UsersFrom::After(found.last().map(|user| user.id)));
        let page = store.database.read_long(move |tx| users::list(tx, &filter, from, PAGE)).await?;
        let last = page.len() < PAGE as usize;
        found.extend(page);
        if last {
            break;
        }
    }
    let value: Vec<Value> = found.iter().map(shown::user).collect();
    print(format, &Value::Array(value), || found.iter().map(line).collect::<Vec<_>>().join("\n"));
    Ok(Exit::Done)
}

fn line(user: &User) -> String {
    let (role, used) = (shown::role(user.role), size(user.space_used));
    let status = if user.status == UserStatus::Active { "" } else { "  (not active)" };
    format!("{:<20} {role:<9} {used:>10}  {}  {}{status}", user.id, user.login, user.name)
}

fn show(world: &World, arguments: &UserNamedArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let found = store.database.read(|tx| users::by_login(tx, &arguments.login))?;
    let missing = || format!("no user has the login {:?}; `entente user list` shows all", arguments.login);
    let user = found.ok_or_else(|| Failure::new(Exit::Failed, missing()))?;
    print(format, &shown::user(&user), || line(&user));
    Ok(Exit::Done)
}

async fn update(world: &World, arguments: UserUpdateArgs) -> Result<Exit, Failure> {
    let UserUpdateArgs { target, login, new_login, name, role, status, seat, space_limit } = arguments;
    if let Some(login) = &new_login {
        Login::new(&**login).map_err(|error| Failure::new(Exit::Usage, error))?;
    }
    let office = Office::open(world, &target).await?;
    let change = UserChange {
        name,
        login: new_login,
        role: role.map(Into::into),
        status: status.map(Into::into),
        seat: seat.map(Into::into),
        space_limit: space_limit.map(|limit| limit.0),
        ..UserChange::default()
    };
    changed(&office, office.user(&login)?, change).await
}

async fn changed(office: &Office, user: User, change: UserChange) -> Result<Exit, Failure> {
    let user = office.tree.update_user(&office.caller, user.id, change).await.map_err(anyhow::Error::from)?;
    print(office.format, &shown::user(&user), || line(&user));
    Ok(Exit::Done)
}

async fn deactivate(world: &World, arguments: &UserNamedArgs) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let user = office.user(&arguments.login)?;
    let ended = SessionsOf { users: vec![user.id], ..SessionsOf::default() };
    let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
    let exit = changed(&office, user, change).await?;
    office.store.identity().end_sessions(&office.caller, ended).await?;
    Ok(exit)
}

async fn delete(world: &World, arguments: &UserDeleteArgs) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let user = office.user(&arguments.login)?;
    let content = if arguments.force { OwnedContent::Purge } else { OwnedContent::Refuse };
    match office.tree.delete_user(&office.caller, user.id, content).await {
        Err(entente_tree::Error::OwnsContent) => {
            let message = "the user owns content; with --force it is removed for good";
            return Err(Failure::new(Exit::Failed, message));
        }
        done => done.map_err(anyhow::Error::from)?,
    }
    print(office.format, &json!({ "id": user.id.to_string(), "deleted": true }), || {
        format!("removed user {} ({}); a server removes what was theirs", user.id, user.login)
    });
    Ok(Exit::Done)
}
