//! `entente backend`

use super::{configuration, format, open};
use crate::asking::Running;
use crate::cli::{BackendCheckArgs, BackendVerb, Target};
use crate::config::kind;
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::storage::{cell, table};
use entente_clouds::{Backend, conformance, registry};
use entente_world::{Shutdown, World};
use serde_json::{Value, json};
use std::time::Duration;

/// A place is looked at so often after it was put to the test, each time after this pause.
const SWEEPS_MAX: u32 = 5;
const SWEEP_PAUSE: Duration = Duration::from_secs(1);
const SWEPT_AT_ONCE: usize = 1_000;

pub(crate) async fn run(world: &World, verb: BackendVerb, shutdown: Shutdown) -> Result<Exit, Failure> {
    match verb {
        BackendVerb::List(target) => list(world, &target).await,
        BackendVerb::Check(arguments) => check(world, arguments, shutdown).await,
    }
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let backends = match Running::on(&store.data) {
        Some(server) => entries(server.get(&store, "/admin/v1/backends").await?),
        None => store.storage().await?.backends().await?,
    };
    print(format, &backends, || {
        let columns = [
            "name",
            "kind",
            "zone",
            "provider",
            "jurisdiction",
            "health.state",
            "health.latency_ms",
            "holdings.segments",
            "holdings.bytes",
            "holdings.not_durable",
        ];
        let head =
            ["NAME", "KIND", "ZONE", "PROVIDER", "JURISDICTION", "HEALTH", "MS", "SEGMENTS", "BYTES", "NOT DURABLE"];
        let mut text = table(&head, &rows(&backends, &columns));
        for backend in backends.as_array().into_iter().flatten() {
            for why in ["health.waits_for", "health.last_failure"] {
                let found = cell(backend, why);
                if cell(backend, "health.state") == "down" && found != "–" {
                    text += &format!("\n{}: {found}", cell(backend, "name"));
                    break;
                }
            }
        }
        text
    });
    Ok(Exit::Done)
}

/// The list in an answer of the operator interface.
pub(super) fn entries(mut answer: Value) -> Value {
    answer.get_mut("entries").map_or(Value::Null, Value::take)
}

/// Cells of each entry.
pub(super) fn rows(entries: &Value, columns: &[&str]) -> Vec<Vec<String>> {
    let row = |entry| columns.iter().map(|column| cell(entry, column)).collect();
    entries.as_array().into_iter().flatten().map(row).collect()
}

/// Whether a place is nobody's yet, as far as it can be seen.
async fn is_new(backend: &dyn Backend) -> bool {
    matches!(backend.marker().await, Ok(None)) && backend.list(None, 1).await.is_ok_and(|listed| listed.is_empty())
}

/// Removes what the checks have left in a place that was empty before: an upload that was broken off may end long after it,
/// and a place with objects and without a marker would be refused later.
async fn sweep(backend: &dyn Backend, world: &World) {
    for _ in 0..SWEEPS_MAX {
        world.sleep(SWEEP_PAUSE).await;
        // Whatever fails here was told by the checks.
        let left = backend.list(None, SWEPT_AT_ONCE).await.unwrap_or_default();
        if left.is_empty() {
            return;
        }
        for object in left {
            let _ = backend.delete(object.name).await;
        }
    }
}

async fn check(world: &World, arguments: BackendCheckArgs, mut shutdown: Shutdown) -> Result<Exit, Failure> {
    let config = configuration(&arguments.target)?;
    let named = config.storage.backend(&arguments.name).ok_or_else(|| {
        let names: Vec<_> = config.storage.backends.iter().map(|backend| backend.name.as_str()).collect();
        Failure::new(
            Exit::Usage,
            format!("there is no backend {:?}; configured are {}", arguments.name, names.join(", ")),
        )
    })?;
    let (place, for_opening) = (named.place.clone(), world.clone());
    let opened = world.blocking(move || registry::open(&place, for_opening)).await.map_err(anyhow::Error::from)?;
    let backend = opened.map_err(|error| Failure::new(Exit::Failed, format!("backend {:?}: {error}", named.name)))?;
    let was_empty = is_new(&*backend).await;
    let report = tokio::select! {
        report = conformance::report(&*backend, world) => report,
        // What it was about to remove is garbage by now, which `collect` finds.
        () = shutdown.requested() => return Ok(Exit::Interrupted),
    };
    if was_empty {
        sweep(&*backend, world).await;
    }
    let checks = report.checks.iter().map(|checked| {
        json!({
            "name": checked.check.name(),
            "passed": checked.failure.is_none(),
            "failure": checked.failure,
            "consequence": checked.failure.as_ref().map(|_| checked.check.consequence()),
            "duration_ms": checked.duration_ms,
        })
    });
    let value = json!({
        "name": named.name,
        "kind": kind(&named.place),
        "passed": report.passed(),
        "checks": checks.collect::<Vec<_>>(),
    });
    print(format(arguments.target.json), &value, || {
        let failed = report.failed().count();
        match failed {
            0 => format!("{report}backend {} keeps every promise", named.name),
            _ => format!("{report}backend {} fails {failed} checks", named.name),
        }
    });
    Ok(if report.passed() { Exit::Done } else { Exit::Failed })
}
