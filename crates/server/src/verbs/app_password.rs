//! `entente app-password`

use super::open;
use crate::cli::{AppPasswordCreateArgs, AppPasswordListArgs, AppPasswordRevokeArgs, AppPasswordVerb};
use crate::exit::{Exit, Failure};
use crate::output::print;
use entente_door_admin::shown::moment;
use entente_identity::NewAppPassword;
use entente_model::{Scopes, Timestamp, TokenId};
use entente_world::World;
use serde_json::{Value, json};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

pub(crate) async fn run(world: &World, verb: AppPasswordVerb) -> Result<Exit, Failure> {
    match verb {
        AppPasswordVerb::Create(arguments) => create(world, arguments).await,
        AppPasswordVerb::List(arguments) => list(world, &arguments).await,
        AppPasswordVerb::Revoke(arguments) => revoke(world, &arguments).await,
    }
}

async fn create(world: &World, arguments: AppPasswordCreateArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let user = identity.user_by_login(&arguments.login)?;
    let reads = Scopes::READ.with(Scopes::DOWNLOAD);
    let scopes =
        if arguments.read_only { reads } else { reads.with(Scopes::UPLOAD).with(Scopes::CHANGE).with(Scopes::DELETE) };
    let made = identity.create_app_password(NewAppPassword { user: user.id, label: arguments.label, scopes }).await?;
    let value = json!({
        "id": made.id.to_string(),
        "login": user.login,
        "password": made.password.expose(),
        "scopes": scopes.to_string(),
    });
    print(format, &value, || made.password.expose().to_owned());
    Ok(Exit::Done)
}

async fn list(world: &World, arguments: &AppPasswordListArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let user = identity.user_by_login(&arguments.login)?;
    let found = identity.app_passwords(user.id).await?;
    let day =
        |day: i64| moment(Timestamp::from_millis(day.saturating_mul(DAY_MS))).chars().take(10).collect::<String>();
    let value = found.iter().map(|password| {
        json!({
            "id": password.id.to_string(),
            "label": password.label,
            "scopes": password.scopes.to_string(),
            "created_at": moment(password.created_at),
            "last_used_on": password.last_used_day.map(day),
        })
    });
    print(format, &Value::Array(value.collect()), || {
        let line = |password: &entente_identity::AppPassword| {
            let used = password.last_used_day.map_or_else(|| "never used".to_owned(), |on| format!("used {}", day(on)));
            format!("{}  {}  {used}", password.id, password.label)
        };
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

async fn revoke(world: &World, arguments: &AppPasswordRevokeArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let id: TokenId = arguments.id.parse().map_err(|error| Failure::new(Exit::Usage, error))?;
    let revoked = store.identity().revoke_app_password(id).await?;
    print(format, &json!({ "revoked": revoked }), || {
        if revoked { "revoked" } else { "no such password; nothing to do" }.to_owned()
    });
    Ok(Exit::Done)
}
