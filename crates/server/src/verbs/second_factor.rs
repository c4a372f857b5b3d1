//! `entente second-factor`

use super::open;
use crate::cli::{SecondFactorResetArgs, SecondFactorShowArgs, SecondFactorVerb, Target};
use crate::exit::{Exit, Failure};
use crate::output::print;
use entente_world::World;
use serde_json::json;

pub(crate) async fn run(world: &World, verb: SecondFactorVerb) -> Result<Exit, Failure> {
    match verb {
        SecondFactorVerb::Require(target) => require(world, &target).await,
        SecondFactorVerb::Waive(target) => waive(world, &target).await,
        SecondFactorVerb::Show(arguments) => show(world, &arguments),
        SecondFactorVerb::Reset(arguments) => reset(world, &arguments).await,
    }
}

async fn require(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    store.identity().require_second_factor(store.enterprise.id).await?;
    print(format, &json!({ "required": true }), || "required of everybody from their next sign-in on".to_owned());
    Ok(Exit::Done)
}

async fn waive(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    store.identity().waive_second_factor(store.enterprise.id).await?;
    print(format, &json!({ "required": false }), || "not required; who has one goes on being asked for it".to_owned());
    Ok(Exit::Done)
}

fn show(world: &World, arguments: &SecondFactorShowArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let is_required = identity.is_second_factor_required(store.enterprise.id)?;
    let required = if is_required { "required of everybody" } else { "not required" };
    let Some(login) = &arguments.login else {
        print(format, &json!({ "required": is_required }), || required.to_owned());
        return Ok(Exit::Done);
    };
    let user = identity.user_by_login(login)?;
    let (state, passkeys) = (identity.second_factor(user.id)?, identity.passkeys(user.id)?.len());
    let value = json!({
        "required": is_required,
        "login": user.login,
        "second_factor": state.recovery_codes.is_some(),
        "recovery_codes": state.recovery_codes,
        "passkeys": passkeys,
    });
    print(format, &value, || match state.recovery_codes {
        Some(left) => {
            format!("{required}; {} has one, and {left} recovery codes; passkeys: {passkeys}", user.login)
        }
        None => format!("{required}; {} has none; passkeys: {passkeys}", user.login),
    });
    Ok(Exit::Done)
}

async fn reset(world: &World, arguments: &SecondFactorResetArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let identity = store.identity();
    let user = identity.user_by_login(&arguments.login)?;
    let was = identity.reset_second_factor(user.id).await?;
    print(format, &json!({ "user_id": user.id.to_string(), "reset": was }), || {
        if was { "taken away; the password alone is asked for" } else { "there was none; nothing to do" }.to_owned()
    });
    Ok(Exit::Done)
}
