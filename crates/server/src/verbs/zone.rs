//! `entente zone`

use super::backend::{entries, rows};
use super::open;
use crate::asking::Running;
use crate::cli::{Target, ZoneVerb};
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::storage::table;
use entente_world::World;

pub(crate) async fn run(world: &World, verb: ZoneVerb) -> Result<Exit, Failure> {
    match verb {
        ZoneVerb::List(target) => list(world, &target).await,
    }
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let zones = match Running::on(&store.data) {
        Some(server) => entries(server.get(&store, "/admin/v1/zones").await?),
        None => store.storage().await?.zones(),
    };
    print(format, &zones, || {
        let columns = ["name", "jurisdiction", "backends", "custodian", "policies"];
        table(&["NAME", "JURISDICTION", "BACKENDS", "CUSTODIAN", "POLICIES"], &rows(&zones, &columns))
    });
    Ok(Exit::Done)
}
