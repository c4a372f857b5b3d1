//! `entente sign-in-provider`

use super::open;
use crate::cli::{SignInProviderSetArgs, SignInProviderUserArgs, SignInProviderVerb, Target};
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::store::read_secret;
use entente_clouds::SecretSource;
use entente_identity::{NewProvider, ProviderError, Secret};
use entente_world::World;
use serde_json::json;

pub(crate) async fn run(world: &World, verb: SignInProviderVerb) -> Result<Exit, Failure> {
    match verb {
        SignInProviderVerb::Set(arguments) => set(world, *arguments).await,
        SignInProviderVerb::Show(target) => show(world, &target),
        SignInProviderVerb::Remove(target) => remove(world, &target).await,
        SignInProviderVerb::Unbind(arguments) => unbind(world, &arguments).await,
    }
}

async fn set(world: &World, arguments: SignInProviderSetArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let secret = match arguments.client_secret_file {
        Some(file) => Some(read_secret(&SecretSource::File(file), "the client secret")?),
        None => None,
    };
    let providers = store.sign_in_providers().await?;
    let enterprise = store.enterprise.id;
    let new = NewProvider {
        enterprise,
        name: arguments.name,
        issuer: arguments.issuer,
        client_id: arguments.client_id,
        client_secret: secret.map(|secret| Secret::given(secret.as_str().to_owned())),
        makes_users: arguments.make_users,
    };
    providers.set(new).await.map_err(failure)?;
    let reached = providers.check(enterprise).await;
    let trouble = reached.err().map(|error| error.to_string());
    let value = json!({ "set": true, "answers": trouble.is_none(), "trouble": trouble });
    print(format, &value, || match &trouble {
        None => "set; the provider answers, and /oauth2/sign-in leads to it".to_owned(),
        Some(trouble) => format!("set; but {trouble}"),
    });
    Ok(Exit::Done)
}

fn show(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let Some(provider) = store.identity().provider(store.enterprise.id)? else {
        print(format, &json!({ "provider": null }), || "none; people sign in with passwords".to_owned());
        return Ok(Exit::Done);
    };
    let value = json!({ "provider": {
        "name": provider.name,
        "issuer": provider.issuer,
        "client_id": provider.client_id,
        "client_secret": provider.has_secret,
        "makes_users": provider.makes_users,
    }});
    print(format, &value, || {
        let others = if provider.makes_users { "made" } else { "refused" };
        format!("{} ({}), client {}; who is not there is {others}", provider.name, provider.issuer, provider.client_id)
    });
    Ok(Exit::Done)
}

async fn remove(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let was = store.identity().remove_provider(store.enterprise.id).await?;
    print(format, &json!({ "removed": was }), || {
        if was { "removed; people sign in with passwords" } else { "there was none; nothing to do" }.to_owned()
    });
    Ok(Exit::Done)
}

async fn unbind(world: &World, arguments: &SignInProviderUserArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let user = store.identity().user_by_login(&arguments.login)?;
    let was = store.identity().unbind_provider(user.id).await?;
    print(format, &json!({ "user_id": user.id.to_string(), "unbound": was }), || {
        if was { "forgotten; the mail address counts at the next sign-in" } else { "nothing was known; nothing to do" }
            .to_owned()
    });
    Ok(Exit::Done)
}

fn failure(error: ProviderError) -> Failure {
    match error {
        ProviderError::Setting(what) => Failure::new(Exit::Usage, what),
        other => anyhow::Error::from(other).into(),
    }
}
