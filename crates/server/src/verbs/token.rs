//! `entente token`

use super::open;
use crate::cli::{Target, TokenIssueArgs, TokenVerb};
use crate::exit::{Exit, Failure};
use crate::output::print;
use anyhow::Context;
use entente_door_admin::shown::moment;
use entente_identity::IssueToken;
use entente_model::Scopes;
use entente_world::World;
use serde_json::json;
use std::io::Read;
use std::time::Duration;

/// How long a token lives when nobody says.
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The same of one that an application's developer tries it with: as long as at Box.
const DEVELOPERS_LIFETIME: Duration = Duration::from_secs(60 * 60);
/// Longer input is not a token.
const INPUT_BYTES_MAX: u64 = 4_096;

pub(crate) async fn run(world: &World, verb: TokenVerb) -> Result<Exit, Failure> {
    match verb {
        TokenVerb::Issue(arguments) => issue(world, arguments).await,
        TokenVerb::Revoke(target) => revoke(world, &target).await,
    }
}

async fn issue(world: &World, arguments: TokenIssueArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let user = identity.user_by_login(&arguments.login)?;
    let app = arguments.app.map(|id| identity.app(store.enterprise.id, &id)).transpose()?;
    let lifetime = if app.is_some() { DEVELOPERS_LIFETIME } else { LIFETIME };
    let issue = IssueToken {
        user: user.id,
        app: app.map(|app| app.app),
        scopes: arguments.scopes.unwrap_or(Scopes::ALL),
        lifetime: arguments.expires.map_or(lifetime, |span| span.0),
    };
    let issued = identity.issue(issue).await?;
    let value = json!({
        "token": issued.secret.expose(),
        "id": issued.token.to_string(),
        "login": user.login,
        "user_id": user.id.to_string(),
        "expires_at": moment(issued.expires_at),
    });
    print(format, &value, || issued.secret.expose().to_owned());
    Ok(Exit::Done)
}

async fn revoke(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let mut text = String::new();
    std::io::stdin().take(INPUT_BYTES_MAX).read_to_string(&mut text).context("cannot read the token")?;
    let revoked = store.identity().revoke(text.trim()).await?;
    print(format, &json!({ "revoked": revoked }), || {
        if revoked { "revoked" } else { "no such token; nothing to do" }.to_owned()
    });
    Ok(Exit::Done)
}
