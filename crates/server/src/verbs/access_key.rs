//! `entente access-key`

use super::open;
use crate::cli::{AccessKeyCreateArgs, AccessKeyListArgs, AccessKeyRevokeArgs, AccessKeyVerb};
use crate::exit::{Exit, Failure};
use crate::output::print;
use entente_door_admin::shown::moment;
use entente_identity::{AccessKeyState, NewAccessKey, Reach, StoredAccessKey};
use entente_world::World;
use serde_json::{Value, json};

pub(crate) async fn run(world: &World, verb: AccessKeyVerb) -> Result<Exit, Failure> {
    match verb {
        AccessKeyVerb::Create(arguments) => create(world, arguments).await,
        AccessKeyVerb::List(arguments) => list(world, &arguments).await,
        AccessKeyVerb::Revoke(arguments) => revoke(world, &arguments).await,
    }
}

async fn create(world: &World, arguments: AccessKeyCreateArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let user = store.identity().user_by_login(&arguments.login)?;
    let AccessKeyCreateArgs { label, read_only, buckets, .. } = arguments;
    let reach = if buckets.is_empty() { Reach::All } else { Reach::Some(buckets.clone()) };
    let new = NewAccessKey { user: user.id, label: label.clone(), read_only, reach };
    let made = store.access_keys().await?.create(new).await?;
    let value = json!({
        "access_key_id": made.id,
        "secret_access_key": made.secret.expose(),
        "label": label,
        "login": user.login,
        "user_id": user.id.to_string(),
        "read_only": read_only,
        "buckets": buckets,
    });
    print(format, &value, || {
        format!("access key id      {}\nsecret access key  {}   (shown this once)", made.id, made.secret.expose())
    });
    Ok(Exit::Done)
}

async fn list(world: &World, arguments: &AccessKeyListArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let user = arguments.login.as_ref().map(|login| identity.user_by_login(login)).transpose()?;
    let keys = identity.access_keys(user.map(|user| user.id)).await?;
    let value: Vec<Value> = keys.iter().map(shown).collect();
    print(format, &Value::Array(value), || keys.iter().map(line).collect::<Vec<_>>().join("\n"));
    Ok(Exit::Done)
}

async fn revoke(world: &World, arguments: &AccessKeyRevokeArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let revoked = store.identity().revoke_access_key(&arguments.id).await?;
    print(format, &json!({ "revoked": revoked }), || {
        if revoked { "revoked" } else { "no such access key in force; nothing to do" }.to_owned()
    });
    Ok(Exit::Done)
}

const fn state(key: &StoredAccessKey) -> &'static str {
    match key.state {
        AccessKeyState::InForce => "in force",
        AccessKeyState::Revoked => "revoked",
    }
}

fn shown(key: &StoredAccessKey) -> Value {
    json!({
        "access_key_id": key.id,
        "label": key.label,
        "user_id": key.user.to_string(),
        "read_only": key.read_only,
        "buckets": key.buckets,
        "state": state(key),
        "created_at": moment(key.created_at),
    })
}

fn line(key: &StoredAccessKey) -> String {
    let does = if key.read_only { "reads" } else { "reads and writes" };
    let buckets = if key.buckets.is_empty() { "all buckets".to_owned() } else { key.buckets.join(", ") };
    format!("{}  {:<8}  user {}  {does} {buckets}  {}", key.id, state(key), key.user, key.label)
}
