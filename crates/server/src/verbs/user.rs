//! `entente user`

use super::open;
use crate::cli::{Target, UserCreateArgs, UserVerb};
use crate::exit::{Exit, Failure};
use crate::output::{print, size};
use entente_door_admin::shown;
use entente_identity::{Login, User};
use entente_world::World;
use serde_json::Value;

const PAGE: u32 = 1_000;

pub(crate) async fn run(world: &World, verb: UserVerb) -> Result<Exit, Failure> {
    match verb {
        UserVerb::Create(arguments) => create(world, arguments).await,
        UserVerb::List(target) => list(world, &target).await,
    }
}

async fn create(world: &World, arguments: UserCreateArgs) -> Result<Exit, Failure> {
    let login = Login::new(arguments.login).map_err(|error| Failure::new(Exit::Usage, error))?;
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let user = identity.create_user(store.enterprise.id, login, &arguments.name, arguments.role.into()).await?;
    print(format, &shown::user(&user), || format!("made user {} ({})", user.id, user.login));
    Ok(Exit::Done)
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let identity = store.identity();
    let mut users: Vec<User> = Vec::new();
    loop {
        let offset = u32::try_from(users.len()).unwrap_or(u32::MAX);
        let page = identity.users(store.enterprise.id, offset, PAGE).await?;
        let last = page.len() < PAGE as usize;
        users.extend(page);
        if last {
            break;
        }
    }
    let value: Vec<Value> = users.iter().map(shown::user).collect();
    print(format, &Value::Array(value), || {
        let lines = users.iter().map(|user| {
            format!(
                "{:<20} {:<9} {:>10}  {}  {}",
                user.id,
                shown::role(user.role),
                size(user.space_used),
                user.login,
                user.name
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}
