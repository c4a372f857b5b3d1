//! `entente scrub`

use super::open;
use super::work::{Desk, Foreground, refused};
use crate::asking::Running;
use crate::cli::{ScrubStartArgs, ScrubVerb, Target};
use crate::exit::{Exit, Failure};
use crate::output::{print, size};
use crate::store::Store;
use entente_database::scrubs;
use entente_door_admin::Movements;
use entente_model::BackendId;
use entente_world::{Shutdown, World};
use serde_json::{Value, json};
use std::time::Duration;

/// How often is looked whether it has ended.
const LOOK_EVERY: Duration = Duration::from_millis(300);
const PATH: &str = "/admin/v1/scrubs";

pub(crate) async fn run(world: &World, verb: ScrubVerb, shutdown: Shutdown) -> Result<Exit, Failure> {
    match verb {
        ScrubVerb::Start(arguments) => start(world, arguments, shutdown).await,
        ScrubVerb::Report(target) => report(world, &target).await,
    }
}

async fn start(world: &World, arguments: ScrubStartArgs, mut shutdown: Shutdown) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let desk = Desk::at(&store).await?;
    let started = match &desk {
        Desk::Server(server) => server.post(&store, PATH, &json!({ "backends": arguments.backends })).await?,
        Desk::Here(movements) => movements.start_scrubs(arguments.backends).await.map_err(refused)?,
    };
    let entries = started["entries"].as_array().cloned().unwrap_or_default();
    let work = Foreground::begin(&store, desk);
    if !arguments.wait && !work.is_here() {
        print(format, &started, || {
            let name = |one: &Value| one["backend"].as_str().unwrap_or("?").to_owned();
            format!("scrubbing {}", entries.iter().map(name).collect::<Vec<_>>().join(", "))
        });
        return Ok(Exit::Done);
    }
    let mut is_interrupted = false;
    while !is_interrupted
        && entries.iter().map(|one| goes_on(&store, one)).collect::<Result<Vec<_>, _>>()?.contains(&true)
    {
        tokio::select! {
            () = shutdown.requested() => is_interrupted = true,
            () = world.sleep(LOOK_EVERY) => {}
        }
    }
    work.end().await;
    if is_interrupted {
        return Ok(Exit::Interrupted);
    }
    report(world, &arguments.target).await
}

fn goes_on(store: &Store, started: &Value) -> Result<bool, Failure> {
    let id = started["backend_id"].as_str().unwrap_or_default().parse::<BackendId>();
    let id = id.map_err(|error| Failure::new(Exit::Failed, error))?;
    Ok(store.database.read(|tx| scrubs::going_on(tx, id))?.is_some())
}

async fn report(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let report = match Running::on(&store.data) {
        Some(server) => server.get(&store, PATH).await?,
        None => match Desk::at(&store).await? {
            Desk::Here(movements) => movements.scrub_report().await.map_err(refused)?,
            Desk::Server(server) => server.get(&store, PATH).await?,
        },
    };
    print(format, &report, || text(&report));
    Ok(if is_clean(&report) { Exit::Done } else { Exit::Failed })
}

/// Whether each backend was compared once, and nothing waits for repair.
fn is_clean(report: &Value) -> bool {
    let clean = |one: &Value| !one["last_whole_scrub_ended_at"].is_null() && one["unrepaired_replicas"] == 0;
    report["backends"].as_array().is_some_and(|backends| backends.iter().all(clean))
}

fn text(report: &Value) -> String {
    let lines = report["backends"].as_array().into_iter().flatten().map(|one| {
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let name = one["backend"].as_str().unwrap_or("?");
        let last = one["scrubs"].as_array().into_iter().flatten().find(|scrub| scrub["state"] == "ended");
        let Some(last) = last else { return format!("{name}: never compared to its end yet") };
        let wrong = number(&last["replicas_of_wrong_size"])
            + number(&last["replicas_with_wrong_bytes"])
            + number(&last["replicas_unreadable"]);
        format!(
            "{name}: compared until {}: {} replicas, {} read; {} missing, {wrong} wrong, {} unknown objects; \
             now {} wait for repair, {} are lost",
            last["ended_at"].as_str().unwrap_or("?"),
            number(&last["replicas_checked"]),
            size(number(&last["bytes_read"])),
            number(&last["replicas_missing"]),
            number(&last["unknown_objects"]),
            number(&one["unrepaired_replicas"]),
            number(&one["lost_replicas"]),
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
