//! `entente config`

use super::{configuration, file, format};
use crate::asking::Running;
use crate::cli::{ConfigVerb, ReloadArgs, Target};
use crate::config::{Config, Wrong};
use crate::data::DataDirectory;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::store::Store;
use entente_world::World;
use http::Method;
use serde_json::{Value, json};

pub(crate) async fn run(world: &World, verb: ConfigVerb) -> Result<Exit, Failure> {
    match verb {
        ConfigVerb::Check(target) => check(&target),
        ConfigVerb::Show(target) => show(&target),
        ConfigVerb::Reload(arguments) => reload(world, &arguments).await,
    }
}

fn check(target: &Target) -> Result<Exit, Failure> {
    let Some(file) = file(target) else {
        return Err(Failure::new(Exit::Usage, "which file? say --config FILE"));
    };
    let (exit, value, text) = match Config::read(&file, target.data.as_deref()) {
        Ok(config) => {
            let storage = &config.storage;
            let text = format!(
                "{} is right: {} backends, {} zones, {} policies",
                file.display(),
                storage.backends.len(),
                storage.zones.len(),
                storage.policies.len()
            );
            (Exit::Done, json!({ "file": file, "valid": true, "mistakes": [] }), text)
        }
        Err(Wrong::File(what)) => return Err(Failure::new(Exit::Usage, what)),
        Err(Wrong::Mistakes(file, mistakes, _)) => {
            let value = json!({ "file": file, "valid": false, "mistakes": mistakes.to_json() });
            (Exit::Usage, value, mistakes.to_text(&file))
        }
    };
    print(format(target.json), &value, || text);
    Ok(exit)
}

fn show(target: &Target) -> Result<Exit, Failure> {
    let shown = configuration(target)?.to_json();
    print(format(target.json), &shown, || lines(&shown, "").join("\n"));
    Ok(Exit::Done)
}

/// One line a value, with the names on the way to it.
fn lines(value: &Value, path: &str) -> Vec<String> {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().flat_map(|(name, value)| lines(value, &below(name))).collect(),
        Value::Array(entries) if entries.iter().any(Value::is_object) => entries
            .iter()
            .enumerate()
            .flat_map(|(index, entry)| {
                let name = entry.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                lines(entry, &below(&name))
            })
            .collect(),
        Value::Null => Vec::new(),
        value => vec![format!("{path} = {value}")],
    }
}

async fn reload(world: &World, arguments: &ReloadArgs) -> Result<Exit, Failure> {
    let ReloadArgs { target, accept_config } = arguments;
    // The file may have mistakes by now: that is for the server to say.
    let config = match file(target).map(|file| Config::read(&file, target.data.as_deref())) {
        None => Config::without_file(target.data.as_deref()),
        Some(Ok(config)) => config,
        Some(Err(Wrong::Mistakes(_, _, config))) => *config,
        Some(Err(wrong)) => return Err(wrong.into()),
    };
    let data = DataDirectory::existing(&config.data, config.database.metadata())?;
    let none = || Failure::new(Exit::DataDirectory, format!("no server runs on {}", data.path().display()));
    let server = Running::on(&data).ok_or_else(none)?;
    let store = Store::open(world, config)?;
    let path = if *accept_config { "/admin/v1/config/reload?accept_earlier=true" } else { "/admin/v1/config/reload" };
    let answer = server.ask(&store, Method::POST, path).await?;
    if !answer.status.is_success() {
        return Err(answer.failure());
    }
    print(format(target.json), &answer.body, || {
        let count = |what: &str| answer.body.get(what).and_then(Value::as_u64).unwrap_or_default();
        format!(
            "in force now: {} backends, {} zones, {} policies",
            count("backends"),
            count("zones"),
            count("policies")
        )
    });
    Ok(Exit::Done)
}
