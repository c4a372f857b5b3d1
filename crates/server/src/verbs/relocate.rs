//! `entente relocate`

use super::open;
use super::work::{Desk, Foreground};
use crate::cli::{RelocateArgs, RelocateVerb, RelocationArgs, Target};
use crate::exit::{Exit, Failure};
use crate::output::{Format, print};
use crate::progress::Bar;
use crate::relocation::{self, Names};
use crate::store::Store;
use entente_database::relocations::{self, State};
use entente_door_admin::{Movements, RelocationOrder, Steer};
use entente_model::RelocationId;
use entente_world::{Shutdown, World};
use serde_json::{Value, json};
use std::time::Duration;

/// How often whoever watches is told something new.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// The same for a machine that reads lines.
const TELL_EVERY: Duration = Duration::from_secs(1);
const ORDER_PATH: &str = "/admin/v1/relocations";

pub(crate) async fn run(world: &World, arguments: RelocateArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    match arguments.verb {
        None => order(world, &arguments, shutdown).await,
        Some(RelocateVerb::List(target)) => list(world, &target).await,
        Some(RelocateVerb::Show(one)) => show(world, &one).await,
        Some(RelocateVerb::Wait(one)) => wait(world, &one, shutdown).await,
        Some(RelocateVerb::Pause(one)) => steer(world, &one, Steer::Pause).await,
        Some(RelocateVerb::Resume(one)) => steer(world, &one, Steer::Resume).await,
        Some(RelocateVerb::Cancel(one)) => steer(world, &one, Steer::Cancel).await,
    }
}

async fn order(world: &World, arguments: &RelocateArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let order = RelocationOrder {
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        zone: arguments.zone.clone(),
        policy: arguments.policy.clone(),
        user: arguments.user.clone(),
        folder: arguments.folder.clone(),
        to_policy: arguments.to_policy.clone(),
        rate_bytes_per_second: arguments.rate.map(|rate| rate.0),
        grace_seconds: arguments.grace.map(|grace| grace.0.as_millis().div_ceil(1_000)).map(whole),
        dry_run: arguments.dry_run,
        price_egress_per_gb: arguments.price_egress_per_gb,
        price_per_1000_puts: arguments.price_per_1000_puts,
        price_per_1000_gets: arguments.price_per_1000_gets,
    };
    // What makes no sense is told before anything is opened.
    relocation::Wanted::of(&order).map_err(|refusal| Failure::new(Exit::Usage, refusal))?;
    let (store, format) = open(world, &arguments.target)?;
    let desk = Desk::at(&store).await?;
    let ordered = desk.order(&store, order).await?;
    if arguments.dry_run {
        print(format, &ordered, || relocation::estimate_text(&ordered));
        return Ok(Exit::Done);
    }
    let entries = ordered["entries"].as_array().cloned().unwrap_or_default();
    if arguments.detach {
        print(format, &ordered, || told(&entries, "ordered"));
        return Ok(Exit::Done);
    }
    if format == Format::Text {
        print(format, &ordered, || told(&entries, "ordered"));
    }
    follow(&store, desk, &ids(&entries)?, format, shutdown).await
}

fn told(entries: &[Value], done: &str) -> String {
    let tell = |one: &Value| {
        let id = one["id"].as_str().unwrap_or("?");
        format!("{done} relocation {id}: {}", relocation::what(one))
    };
    entries.iter().map(tell).collect::<Vec<_>>().join("\n")
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let names = Names::read(&store.database)?;
    let newest = store.database.read_long(|tx| relocations::before(tx, None, relocation::LISTED_MAX)).await?;
    let shown: Vec<_> = newest.iter().map(|one| relocation::shown(one, &names)).collect();
    print(format, &Value::Array(shown.clone()), || match shown.as_slice() {
        [] => "no relocation was ever ordered".to_owned(),
        shown => shown.iter().map(relocation::line).collect::<Vec<_>>().join("\n"),
    });
    Ok(Exit::Done)
}

async fn show(world: &World, one: &RelocationArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &one.target)?;
    let shown = find(&store, id(&one.id)?)?;
    print(format, &shown, || serde_json::to_string_pretty(&shown).unwrap_or_default());
    Ok(Exit::Done)
}

async fn wait(world: &World, one: &RelocationArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let (store, format) = open(world, &one.target)?;
    let id = id(&one.id)?;
    find(&store, id)?;
    follow(&store, Desk::at(&store).await?, &[id], format, shutdown).await
}

async fn steer(world: &World, one: &RelocationArgs, steer: Steer) -> Result<Exit, Failure> {
    let (store, format) = open(world, &one.target)?;
    let steered = Desk::at(&store).await?.steer(&store, id(&one.id)?, steer).await?;
    print(format, &steered, || relocation::line(&steered));
    Ok(Exit::Done)
}

/// Watches relocations until none of them goes on; does their work if no server does.
async fn follow(
    store: &Store,
    desk: Desk,
    ids: &[RelocationId],
    format: Format,
    mut shutdown: Shutdown,
) -> Result<Exit, Failure> {
    let work = Foreground::begin(store, desk);
    let mut bar = Bar::new();
    let mut told_at = None;
    let watched = loop {
        let now = ids.iter().map(|id| find(store, *id)).collect::<Result<Vec<_>, _>>()?;
        let going_on: Vec<_> = now.iter().filter(|one| goes_on(one)).collect();
        let is_due = told_at.is_none_or(|at| store.world.instant().duration_since(at) >= TELL_EVERY);
        if format == Format::Json && (is_due || going_on.is_empty()) {
            told_at = Some(store.world.instant());
            now.iter().for_each(tell);
        }
        let Some(first) = going_on.first() else { break Some(now) };
        bar.draw(&relocation::what(first), first["share_done"].as_f64().unwrap_or(0.0), &relocation::progress(first));
        tokio::select! {
            () = shutdown.requested() => break None,
            () = store.world.sleep(LOOK_EVERY) => {}
        }
    };
    drop(bar);
    let is_here = work.is_here();
    work.end().await;
    let Some(ended) = watched else {
        if format == Format::Text {
            eprintln!("entente: {}", left(ids, is_here));
        }
        return Ok(Exit::Interrupted);
    };
    if format == Format::Text {
        ended.iter().for_each(|one| print(format, one, || relocation::line(one)));
    }
    let is_done = |one: &Value| one["state"] == "done";
    Ok(if ended.iter().all(is_done) { Exit::Done } else { Exit::Failed })
}

/// What becomes of what nobody watches any more.
fn left(ids: &[RelocationId], is_here: bool) -> String {
    let id = ids.first().map(ToString::to_string).unwrap_or_default();
    if is_here {
        format!("interrupted; what was moved stays moved. The next server goes on, or `entente relocate wait {id}`")
    } else {
        format!("the relocation goes on; `entente relocate wait {id}` watches it again, `cancel` calls it off")
    }
}

/// One object a line.
fn tell(one: &Value) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{one}").and_then(|()| out.flush());
}

fn goes_on(one: &Value) -> bool {
    matches!(one["state"].as_str(), Some("running" | "cancelling"))
}

fn find(store: &Store, id: RelocationId) -> Result<Value, Failure> {
    let names = Names::read(&store.database)?;
    let found = store.database.read(|tx| relocations::by_id(tx, id))?;
    let found = found.ok_or_else(|| Failure::new(Exit::Failed, relocation::Refusal::NoRelocation(id)))?;
    debug_assert!(found.state != State::Done || found.ended_at.is_some());
    Ok(relocation::shown(&found, &names))
}

fn ids(entries: &[Value]) -> Result<Vec<RelocationId>, Failure> {
    entries.iter().map(|one| id(one["id"].as_str().unwrap_or_default())).collect()
}

fn id(text: &str) -> Result<RelocationId, Failure> {
    text.parse().map_err(|error| Failure::new(Exit::Usage, format!("{text:?}: {error}")))
}

fn whole(seconds: u128) -> u64 {
    u64::try_from(seconds).unwrap_or(u64::MAX)
}

impl Desk {
    async fn order(&self, store: &Store, order: RelocationOrder) -> Result<Value, Failure> {
        match self {
            Self::Server(server) => server.post(store, ORDER_PATH, &json!(order)).await,
            Self::Here(movements) => movements.order(order).await.map_err(super::work::refused),
        }
    }

    async fn steer(&self, store: &Store, id: RelocationId, steer: Steer) -> Result<Value, Failure> {
        match self {
            Self::Server(server) => {
                server.post(store, &format!("{ORDER_PATH}/{id}/{}", steer.as_str()), &Value::Null).await
            }
            Self::Here(movements) => movements.steer(id, steer).await.map_err(super::work::refused),
        }
    }
}
