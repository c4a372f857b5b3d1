//! One module a verb.

pub(crate) mod access_key;
pub(crate) mod app;
pub(crate) mod app_password;
pub(crate) mod backend;
pub(crate) mod config;
pub(crate) mod group;
pub(crate) mod lifecycle;
pub(crate) mod migrate_database;
pub(crate) mod password;
pub(crate) mod people;
pub(crate) mod policy;
pub(crate) mod relocate;
pub(crate) mod scrub;
pub(crate) mod second_factor;
pub(crate) mod serve;
pub(crate) mod sign_in_provider;
pub(crate) mod status;
pub(crate) mod subscriptions;
pub(crate) mod token;
pub(crate) mod upkeep;
pub(crate) mod user;
pub(crate) mod work;
pub(crate) mod zone;

use crate::cli::Target;
use crate::config::Config;
use crate::data::DataDirectory;
use crate::exit::Failure;
use crate::output::Format;
use crate::store::Store;
use entente_world::World;
use std::path::PathBuf;

/// Opens the store that a verb works on.
pub(crate) fn open(world: &World, target: &Target) -> Result<(Store, Format), Failure> {
    Ok((Store::open(world, configuration(target)?)?, format(target.json)))
}

/// The configuration that a verb goes by: the one that is named, else that of the data directory's server.
pub(crate) fn configuration(target: &Target) -> Result<Config, Failure> {
    let data = target.data.as_deref();
    Ok(match file(target) {
        Some(file) => Config::read(&file, data)?,
        None => Config::without_file(data),
    })
}

/// The file of that configuration, if there is one.
pub(crate) fn file(target: &Target) -> Option<PathBuf> {
    let remembered = || DataDirectory::at(&Config::without_file(target.data.as_deref()).data).configuration();
    target.config.clone().or_else(remembered)
}

pub(crate) const fn format(json: bool) -> Format {
    if json { Format::Json } else { Format::Text }
}
