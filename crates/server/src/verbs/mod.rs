//! One module a verb.

pub(crate) mod app;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod upkeep;
pub(crate) mod user;

use crate::cli::Target;
use crate::data::DataDirectory;
use crate::exit::Failure;
use crate::output::Format;
use crate::store::Store;
use entente_world::World;

/// Opens the store that a verb works on.
pub(crate) fn open(world: &World, target: &Target) -> Result<(Store, Format), Failure> {
    let format = format(target.json);
    Ok((Store::open(world, DataDirectory::existing(&target.data)?)?, format))
}

pub(crate) const fn format(json: bool) -> Format {
    if json { Format::Json } else { Format::Text }
}
