//! The operator's side: what the server tells of itself, and orders to it.

use super::{
    client::{Client, Patience},
    program::{ADMIN, Program},
};
use crate::{Bench, box_door::Door};
use anyhow::{Context, Result, bail};
use entente_world::World;
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const PAUSE: Duration = Duration::from_millis(100);

/// An administrator at the operator interface.
pub struct Operator {
    world: World,
    client: Client,
}

/// One relocation as it was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    pub id: String,
    pub state: String,
    pub bytes_done: u64,
    /// Segments, for a relocation of a backend.
    pub segments_done: u64,
    /// Everything that is told of it, for messages.
    told: String,
}

/// How some orders went.
#[derive(Debug, Clone, Copy)]
pub struct Course {
    /// When the last byte had been copied; from then on only old copies were removed.
    pub copied_after: Duration,
    pub ended_after: Duration,
    pub bytes: u64,
    pub segments: u64,
}

/// One backend as the server sees it.
#[derive(Debug, Clone)]
pub struct Backend {
    /// `healthy`, `slow` or `down`.
    pub health: String,
    /// Copies that are not there yet, or damaged.
    pub not_durable: u64,
    /// Everything that is told of it, for messages.
    told: String,
}

/// What a server has written.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// Objects on one backend.
    pub objects: u64,
    /// Segments that small files shared when they were uploaded.
    pub shared_segments: u64,
}

impl Seen {
    fn of(value: &Value) -> Result<Self> {
        let id = text(value, "id");
        if id.is_empty() {
            bail!("a relocation without an id: {value}");
        }
        Ok(Self {
            id,
            state: text(value, "state"),
            bytes_done: number(value, "bytes_done"),
            segments_done: number(value, "segments_done"),
            told: value.to_string(),
        })
    }

    pub fn is_over(&self) -> bool {
        self.state == "done" || self.state == "cancelled"
    }
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn number(value: &Value, field: &str) -> u64 {
    value.get(field).and_then(Value::as_u64).unwrap_or(0)
}

/// The sum of all values of a metric that have these labels.
fn sum_of(metrics: &str, name: &str, labels: &[String]) -> u64 {
    let value = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let (told, value) = rest.rsplit_once(' ')?;
        let is_it = told.is_empty() || told.starts_with('{');
        (is_it && labels.iter().all(|label| told.contains(label.as_str()))).then(|| value.parse::<f64>().ok())?
    };
    metrics.lines().filter_map(value).sum::<f64>() as u64
}

/// What is listed, however the list is wrapped.
fn entries(answer: &Value) -> Vec<&Value> {
    match answer.get("entries").unwrap_or(answer) {
        Value::Array(entries) => entries.iter().collect(),
        one => vec![one],
    }
}

impl Operator {
    /// The first administrator. Asks again for so long when the server is away.
    pub async fn new(bench: &Bench, program: &Program, patience: Patience) -> Result<Self> {
        let token = program.token(ADMIN).await?;
        let door = Door::at(bench, &program.url(), &token)?;
        Ok(Self { world: bench.world.clone(), client: Client::new(bench, &door, patience) })
    }

    async fn get(&mut self, path: &str) -> Result<Value> {
        self.client.ask(Method::GET, path, None).await
    }

    /// Orders that one backend moves to another, at so many bytes a second, and does not wait for it.
    pub async fn relocate(&mut self, from: &str, to: &str, grace: Duration, rate: Option<u64>) -> Result<Vec<Seen>> {
        let body = json!({ "from": from, "to": to, "grace_seconds": grace.as_secs(), "rate_bytes_per_second": rate });
        let ordered = self.client.ask(Method::POST, "/admin/v1/relocations", Some(&body)).await?;
        entries(&ordered).into_iter().map(Seen::of).collect()
    }

    /// The newest relocations.
    pub async fn relocations(&mut self) -> Result<Vec<Seen>> {
        let listed = self.get("/admin/v1/relocations").await?;
        entries(&listed).into_iter().map(Seen::of).collect()
    }

    /// Waits until all of these, ordered at that moment, are over.
    ///
    /// # Errors
    /// When they are not over in time.
    pub async fn wait_for(&mut self, orders: &[Seen], ordered: Instant, span: Duration) -> Result<Course> {
        let mut copied: Option<(Instant, u64)> = None;
        loop {
            let mut all = self.relocations().await?;
            all.retain(|one| orders.iter().any(|order| order.id == one.id));
            let bytes = all.iter().map(|one| one.bytes_done).sum();
            if copied.is_none_or(|(_, before)| before != bytes) {
                copied = Some((self.world.instant(), bytes));
            }
            if all.iter().all(Seen::is_over) {
                let (at, bytes) = copied.context("nothing was ordered")?;
                let segments = all.iter().map(|one| one.segments_done).sum();
                let copied_after = at.duration_since(ordered);
                return Ok(Course { copied_after, ended_after: ordered.elapsed(), bytes, segments });
            }
            if ordered.elapsed() > span {
                let told: Vec<_> = all.iter().map(|one| one.told.as_str()).collect();
                bail!("relocations are not over within {} s: {}", span.as_secs(), told.join(", "));
            }
            self.world.sleep(PAUSE).await;
        }
    }

    /// Every backend as the server sees it.
    pub async fn backends(&mut self) -> Result<Vec<Backend>> {
        let listed = self.get("/admin/v1/backends").await?;
        let none = Value::Null;
        let seen = |entry: &Value| {
            let (health, holdings) = (entry.get("health").unwrap_or(&none), entry.get("holdings").unwrap_or(&none));
            Backend {
                health: text(health, "state"),
                not_durable: number(holdings, "not_durable"),
                told: entry.to_string(),
            }
        };
        Ok(entries(&listed).into_iter().map(seen).collect())
    }

    /// What the server has written since it was started.
    pub async fn written(&mut self, backend: &str) -> Result<Written> {
        let metrics = self.client.text("/metrics").await?;
        let labels = [format!("backend=\"{backend}\""), "operation=\"commit\"".to_owned(), "outcome=\"ok\"".to_owned()];
        let objects = sum_of(&metrics, "entente_backend_operations_total", &labels);
        Ok(Written { objects, shared_segments: sum_of(&metrics, "entente_vault_segment_chunks_count", &[]) })
    }

    /// Waits until every backend is healthy and has every copy that it should have.
    ///
    /// # Errors
    /// When that is not so in time.
    pub async fn wait_until_whole(&mut self, span: Duration) -> Result<Duration> {
        let begun = self.world.instant();
        loop {
            let backends = self.backends().await?;
            // A slow one is judged by its latest answers, and there may be none for a while.
            if backends.iter().all(|backend| backend.health != "down" && backend.not_durable == 0) {
                return Ok(begun.elapsed());
            }
            if begun.elapsed() > span {
                let told: Vec<_> = backends.iter().map(|backend| backend.told.as_str()).collect();
                bail!("not everything is replicated after {} s: {}", span.as_secs(), told.join(", "));
            }
            self.world.sleep(PAUSE).await;
        }
    }

    /// What is stored under a policy.
    pub async fn segments_of_policy(&mut self, name: &str) -> Result<u64> {
        let listed = self.get("/admin/v1/policies").await?;
        let entry = entries(&listed).into_iter().find(|entry| text(entry, "name") == name);
        Ok(number(entry.with_context(|| format!("there is no policy {name}"))?, "segments"))
    }

    /// Begins to scrub these backends.
    pub async fn scrub(&mut self, backends: &[&str]) -> Result<Value> {
        self.client.ask(Method::POST, "/admin/v1/scrubs", Some(&json!({ "backends": backends }))).await
    }

    /// What scrubs found.
    pub async fn scrubs(&mut self) -> Result<Value> {
        self.get("/admin/v1/scrubs").await
    }
}

#[cfg(test)]
mod tests {
    use super::sum_of;

    #[test]
    fn metrics_are_summed_by_their_labels() {
        let metrics =
            "# HELP a x\na{b=\"1\",c=\"2\"} 3\na{b=\"1\",c=\"3\"} 4\na{b=\"2\"} 5\naa{b=\"1\"} 6\nd_count 7\n";
        assert_eq!(sum_of(metrics, "a", &["b=\"1\"".to_owned()]), 7);
        assert_eq!(sum_of(metrics, "a", &[]), 12);
        assert_eq!(sum_of(metrics, "d_count", &[]), 7);
    }
}
