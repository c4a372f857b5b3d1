//! What a store holds and does: for `entente status` and `/admin/v1/status`.

use crate::output::size;
use crate::storage::Generations;
use crate::store::Store;
use entente_database::jobs::{Counts, Failing};
use entente_database::nodes::{self, Report};
use entente_database::statistics::{COUNT_MAX, KeyUse, Statistics};
use entente_database::{Database, Error, jobs, statistics};
use entente_door_admin::shown::moment;
use entente_world::World;
use serde_json::{Value, json};

/// How many failing jobs are shown.
const FAILING_MAX: u32 = 20;

pub(crate) struct Status {
    statistics: Statistics,
    keys: Vec<KeyUse>,
    counts: Counts,
    failing: Vec<Failing>,
    nodes: Vec<Report>,
    generation: u64,
}

impl Status {
    pub(crate) async fn of(world: &World, database: &Database) -> Result<Self, Error> {
        let now = world.now();
        let read = move |tx: &mut entente_database::Tx<'_>| {
            Ok(Self {
                statistics: statistics::statistics(tx)?,
                keys: statistics::keys(tx)?,
                counts: jobs::counts(tx, now)?,
                failing: jobs::failing(tx, FAILING_MAX)?,
                nodes: nodes::all(tx)?,
                generation: Generations::newest(tx)?,
            })
        };
        database.read_long(read).await
    }

    pub(crate) fn to_json(&self) -> Value {
        let s = &self.statistics;
        let keys: Vec<_> =
            self.keys.iter().map(|key| json!({ "name": key.key_encryption_key, "epochs": key.epochs })).collect();
        let failing: Vec<_> = self
            .failing
            .iter()
            .map(|job| {
                json!({
                    "id": job.job.to_string(),
                    "kind": job.kind,
                    "attempts": job.attempts,
                    "last_error": job.last_error,
                    "next_run_at": moment(job.run_at),
                })
            })
            .collect();
        let nodes: Vec<_> = self
            .nodes
            .iter()
            .map(|node| {
                json!({
                    "name": node.name,
                    "version": node.version,
                    "configuration_generation": node.generation,
                    "started_at": moment(node.started_at),
                    "seen_at": moment(node.seen_at),
                })
            })
            .collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "schema": s.schema,
            "users": s.users,
            "folders": s.folders,
            "files": s.files,
            "versions": s.versions,
            "version_bytes": s.version_bytes,
            "counted_up_to": COUNT_MAX,
            "segments": {
                "count": s.segments,
                "bytes": s.segment_bytes,
                "live_bytes": s.live_bytes,
                "dead_bytes": s.segment_bytes.saturating_sub(s.live_bytes),
            },
            "keys": keys,
            "jobs": {
                "waiting": self.counts.waiting,
                "running": self.counts.running,
                "failing": self.counts.failing,
                "failures": failing,
            },
            "configuration_generation": self.generation,
            "nodes": nodes,
        })
    }

    /// The same for people, with what runs on the directory.
    pub(crate) fn to_text(&self, store: &Store, server: Option<u32>) -> String {
        let s = &self.statistics;
        let count = |number: u64| if number >= COUNT_MAX { format!("{COUNT_MAX} or more") } else { number.to_string() };
        let url = store
            .data
            .ready()
            .filter(|_| server.is_some())
            .map_or_else(String::new, |ready| format!(" at {}", ready.url));
        let server = server.map_or_else(|| "none runs".to_owned(), |pid| format!("process {pid}{url}"));
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| format!("{} (wraps {} epoch keys)", key.key_encryption_key, key.epochs))
            .collect();
        let mut text = format!(
            "version     entente {version}, schema {schema}\n\
             data        {data}\n\
             server      {server}\n\
             enterprise  {enterprise} ({name})\n\
             users       {users}\n\
             folders     {folders}\n\
             files       {files} with {versions} versions, {bytes}\n\
             segments    {segments}: {live} live, {dead} dead\n\
             keys        {keys}\n\
             jobs        {waiting} waiting, {running} running, {failing} failing\n",
            version = env!("CARGO_PKG_VERSION"),
            schema = s.schema,
            data = store.data.path().display(),
            enterprise = store.enterprise.id,
            name = store.enterprise.name,
            users = count(s.users),
            folders = count(s.folders),
            files = count(s.files),
            versions = count(s.versions),
            bytes = size(s.version_bytes),
            segments = count(s.segments),
            live = size(s.live_bytes),
            dead = size(s.segment_bytes.saturating_sub(s.live_bytes)),
            keys = if keys.is_empty() { "none used yet".to_owned() } else { keys.join(", ") },
            waiting = self.counts.waiting,
            running = self.counts.running,
            failing = self.counts.failing,
        );
        for node in &self.nodes {
            let behind = if node.generation < self.generation { " (others have a newer one)" } else { "" };
            text.push_str(&format!(
                "node        {}, configuration {}{behind}, seen {}\n",
                node.name,
                node.generation,
                moment(node.seen_at)
            ));
        }
        for job in &self.failing {
            text.push_str(&format!(
                "  failing   {} after {} attempts, again at {}: {}\n",
                job.kind,
                job.attempts,
                moment(job.run_at),
                job.last_error
            ));
        }
        text
    }
}
