//! `entente app`

use super::open;
use crate::cli::{AppCreateArgs, AppVerb, Target};
use crate::exit::{Exit, Failure};
use crate::output::print;
use anyhow::Context;
use entente_door_admin::shown;
use entente_identity::NewApp;
use entente_world::World;
use serde_json::{Value, json};

const APPS_MAX: u32 = 10_000;

pub(crate) async fn run(world: &World, verb: AppVerb) -> Result<Exit, Failure> {
    match verb {
        AppVerb::Create(arguments) => create(world, arguments).await,
        AppVerb::List(target) => list(world, &target).await,
    }
}

async fn create(world: &World, arguments: AppCreateArgs) -> Result<Exit, Failure> {
    let read = |path: std::path::PathBuf| std::fs::read_to_string(&path).with_context(|| path.display().to_string());
    let public_key_pem = arguments.public_key.map(read).transpose()?;
    let (store, format) = open(world, &arguments.target)?;
    let enterprise = store.enterprise.id;
    let new = NewApp { enterprise, name: arguments.name, role: arguments.role.into(), public_key_pem };
    let app = store.identity().create_app(new).await?;
    let value = json!({
        "id": app.app.to_string(),
        "client_id": app.client_id,
        "client_secret": app.client_secret.expose(),
        "public_key_id": app.public_key_label,
        "enterprise_id": enterprise.to_string(),
        "service_user_id": app.service_user.to_string(),
        "service_login": app.service_login,
    });
    print(format, &value, || {
        let key = app.public_key_label.as_ref().map_or_else(String::new, |label| format!("public key id    {label}\n"));
        format!(
            "client id        {}\nclient secret    {}   (shown this once)\n{key}enterprise id    {enterprise}\n\
             service account  {} ({})",
            app.client_id,
            app.client_secret.expose(),
            app.service_user,
            app.service_login,
        )
    });
    Ok(Exit::Done)
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let apps = store.identity().apps(None, APPS_MAX).await?;
    let value: Vec<_> = apps.iter().map(shown::app).collect();
    print(format, &Value::Array(value), || {
        apps.iter().map(|app| format!("{}  {}  {}", app.app, app.client_id, app.name)).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}
