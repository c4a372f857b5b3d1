//! `entente app`

use super::open;
use crate::cli::{Answer, AppCreateArgs, AppNamedArgs, AppUpdateArgs, AppVerb, SignatureKeyArgs, Target};
use crate::exit::{Exit, Failure};
use crate::output::print;
use anyhow::Context;
use entente_door_admin::shown;
use entente_identity::{App, AppChange, AppState, NewApp, Secret};
use entente_model::AppId;
use entente_world::World;
use serde_json::{Value, json};

const PAGE: u32 = 1_000;

pub(crate) async fn run(world: &World, verb: AppVerb) -> Result<Exit, Failure> {
    match verb {
        AppVerb::Create(arguments) => create(world, *arguments).await,
        AppVerb::List(target) => list(world, &target).await,
        AppVerb::Show(arguments) => show(world, &arguments),
        AppVerb::Update(arguments) => update(world, *arguments).await,
        AppVerb::Remove(arguments) => remove(world, &arguments).await,
        AppVerb::RotateSecret(arguments) => rotate_secret(world, &arguments).await,
        AppVerb::RotateSignatureKey(arguments) => rotate_signature_key(world, &arguments).await,
    }
}

async fn create(world: &World, arguments: AppCreateArgs) -> Result<Exit, Failure> {
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).with_context(|| path.display().to_string());
    let public_key_pem = arguments.public_key.as_ref().map(read).transpose()?;
    let (store, format) = open(world, &arguments.target)?;
    let enterprise = store.enterprise.id;
    let kind = arguments.kind();
    let mut new = NewApp::new(enterprise, arguments.name, arguments.role.into());
    new.public_key_pem = public_key_pem;
    new.kind = kind;
    new.redirect_uris = arguments.redirect_uri;
    new.scopes = arguments.scopes.unwrap_or(new.scopes);
    new.grants = arguments.grants.unwrap_or(new.grants);
    new.acts_as_users = !arguments.not_as_users;
    let app = store.identity().create_app(new).await?;
    let secret = app.client_secret.as_ref().map(Secret::expose);
    let value = json!({
        "id": app.app.to_string(),
        "client_id": app.client_id,
        "client_secret": secret,
        "public_key_id": app.public_key_label,
        "enterprise_id": enterprise.to_string(),
        "service_user_id": app.service_user.to_string(),
        "service_login": app.service_login,
    });
    print(format, &value, || {
        let key = app.public_key_label.as_ref().map_or_else(String::new, |label| format!("public key id    {label}\n"));
        let secret =
            secret.map_or_else(String::new, |secret| format!("client secret    {secret}   (shown this once)\n"));
        format!(
            "client id        {}\n{secret}{key}enterprise id    {enterprise}\nservice account  {} ({})",
            app.client_id, app.service_user, app.service_login,
        )
    });
    Ok(Exit::Done)
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let mut apps: Vec<App> = Vec::new();
    loop {
        let after: Option<AppId> = apps.last().map(|app| app.app);
        let page = store.identity().apps(store.enterprise.id, after, PAGE).await?;
        let last = page.len() < PAGE as usize;
        apps.extend(page);
        if last {
            break;
        }
    }
    let value: Vec<_> = apps.iter().map(shown::app).collect();
    print(format, &Value::Array(value), || {
        apps.iter().map(|app| format!("{}  {}  {}", app.app, app.client_id, app.name)).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

fn show(world: &World, arguments: &AppNamedArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let app = store.identity().app(store.enterprise.id, &arguments.app)?;
    print(format, &shown::app(&app), || text(&app));
    Ok(Exit::Done)
}

async fn update(world: &World, arguments: AppUpdateArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let change = AppChange {
        name: arguments.name,
        state: arguments.state.map(Into::into),
        redirect_uris: arguments.redirect_uri,
        scopes: arguments.scopes,
        grants: arguments.grants,
        acts_as_users: arguments.as_users.map(|answer| answer == Answer::Yes),
    };
    let app = store.identity().change_app(store.enterprise.id, &arguments.app, change).await?;
    print(format, &shown::app(&app), || text(&app));
    Ok(Exit::Done)
}

async fn remove(world: &World, arguments: &AppNamedArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    store.identity().remove_app(store.enterprise.id, &arguments.app).await?;
    print(format, &json!({ "removed": true }), || "removed; its service account is inactive".to_owned());
    Ok(Exit::Done)
}

async fn rotate_secret(world: &World, arguments: &AppNamedArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let secret = store.identity().rotate_app_secret(store.enterprise.id, &arguments.app).await?;
    print(format, &json!({ "client_secret": secret.expose() }), || secret.expose().to_owned());
    Ok(Exit::Done)
}

async fn rotate_signature_key(world: &World, arguments: &SignatureKeyArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.named.target)?;
    let keys = store.signature_keys().await?;
    let key = keys.rotate(store.enterprise.id, &arguments.named.app, arguments.key.into()).await?;
    print(format, &json!({ "signature_key": key.expose() }), || key.expose().to_owned());
    Ok(Exit::Done)
}

fn text(app: &App) -> String {
    let state = if app.state == AppState::Enabled { "enabled" } else { "disabled" };
    let as_users = if app.acts_as_users { "yes" } else { "no" };
    format!(
        "id               {}\nname             {}\nclient id        {}\nstate            {state}\nredirect URIs    {}\n\
         scopes           {}\ngrants           {}\nacts as users    {as_users}\nservice account  {}",
        app.app,
        app.name,
        app.client_id,
        app.redirect_uris.join(" "),
        app.scopes,
        app.grants,
        app.service_user,
    )
}
