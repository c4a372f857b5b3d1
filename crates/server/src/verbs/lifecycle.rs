//! `entente lifecycle`

use super::open;
use crate::cli::{LifecycleRunArgs, LifecycleVerb, Target};
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::store::Store;
use entente_door_admin::shown::moment;
use entente_tree::{LifecycleState, RunState, Tree};
use entente_vault::Limits;
use entente_world::{Shutdown, World};
use serde_json::{Value, json};

pub(crate) async fn run(world: &World, verb: LifecycleVerb, shutdown: Shutdown) -> Result<Exit, Failure> {
    match verb {
        LifecycleVerb::List(target) => list(world, &target).await,
        LifecycleVerb::Run(arguments) => follow(world, &arguments, shutdown).await,
    }
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let known = known(&tree(&store).await?).await?;
    print(format, &Value::Array(known.iter().map(shown).collect()), || {
        if known.is_empty() { "no bucket has rules".to_owned() } else { lines(&known) }
    });
    Ok(Exit::Done)
}

/// Without a job: whoever asks waits for it, and sees what has become of it.
async fn follow(world: &World, arguments: &LifecycleRunArgs, shutdown: Shutdown) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let tree = tree(&store).await?;
    let is_meant = |state: &LifecycleState| arguments.bucket.as_ref().is_none_or(|bucket| *bucket == state.name);
    let meant: Vec<_> = known(&tree).await?.into_iter().filter(is_meant).map(|state| state.bucket).collect();
    if let (true, Some(bucket)) = (meant.is_empty(), &arguments.bucket) {
        return Err(Failure::new(Exit::Failed, format!("{bucket}: no bucket of this name has rules")));
    }
    let mut is_stopped = false;
    'buckets: for bucket in &meant {
        tree.begin_lifecycle(*bucket).await.map_err(anyhow::Error::from)?;
        loop {
            let followed = tree.run_lifecycle(*bucket).await.map_err(anyhow::Error::from)?;
            crate::upkeep::tell(&followed.failed);
            if followed.state == RunState::Ended {
                break;
            }
            if shutdown.is_requested() {
                is_stopped = true;
                break 'buckets;
            }
        }
    }
    let followed: Vec<_> = known(&tree).await?.into_iter().filter(|state| meant.contains(&state.bucket)).collect();
    print(format, &Value::Array(followed.iter().map(shown).collect()), || {
        if followed.is_empty() { "no bucket has rules; nothing to do".to_owned() } else { lines(&followed) }
    });
    Ok(if is_stopped { Exit::Interrupted } else { Exit::Done })
}

async fn tree(store: &Store) -> Result<Tree, Failure> {
    let vault = store.vault(Limits::default()).await?.vault;
    Ok(Tree::new(store.world.clone(), store.database.clone(), vault))
}

async fn known(tree: &Tree) -> Result<Vec<LifecycleState>, Failure> {
    let mut known: Vec<LifecycleState> = Vec::new();
    loop {
        let after = known.last().map(|last| last.bucket);
        let page = tree.lifecycles(after).await.map_err(anyhow::Error::from)?;
        if page.is_empty() {
            return Ok(known);
        }
        known.extend(page);
    }
}

fn shown(state: &LifecycleState) -> Value {
    let run = state.run.as_ref();
    let counts = run.map(|run| run.counts).unwrap_or_default();
    json!({
        "bucket": state.name,
        "bucket_id": state.bucket.to_string(),
        "rules": state.rules,
        "begun_at": run.map(|run| moment(run.begun_at)),
        "ended_at": run.and_then(|run| run.ended_at).map(moment),
        "keys": counts.keys,
        "noncurrent_versions": counts.older,
        "delete_markers": counts.markers,
        "uploads": counts.uploads,
        "refused": counts.refused,
    })
}

fn lines(known: &[LifecycleState]) -> String {
    known.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(state: &LifecycleState) -> String {
    let LifecycleState { name, rules, run, .. } = state;
    let told = match run {
        None => "not followed yet".to_owned(),
        Some(run) => {
            let counts = run.counts;
            let when = match run.ended_at {
                Some(ended_at) => format!("followed {}", moment(ended_at)),
                None => format!("being followed since {}", moment(run.begun_at)),
            };
            format!(
                "{when}: {} keys, {} older versions, {} delete markers, {} uploads are gone; {} may not be removed",
                counts.keys, counts.older, counts.markers, counts.uploads, counts.refused
            )
        }
    };
    format!("{name}  {rules} rules  {told}")
}
