//! Drives workers against a server in a closed loop: each asks again as soon as it was answered.

use crate::{
    Bench,
    args::Effort,
    histogram::{Histogram, Latency},
    process::{Processes, Use, Watch},
};
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// This many errors are told in full.
const ERRORS_TOLD_MAX: usize = 5;
/// After an error a worker waits this long, so that a server in trouble is not hammered.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(20);

/// How long a run lasts when neither a count nor a span was given.
const SPAN_UNLESS_TOLD: Duration = Duration::from_secs(10);

/// Does one kind of operation over one connection of its own.
pub trait Worker: Send + 'static {
    /// Opens the connection, so that opening it is not measured.
    fn open(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// Does the operation of that number (each number is given out once), and tells how many bytes of content it moved.
    fn operate(&mut self, number: u64) -> impl Future<Output = Result<u64>> + Send;
}

/// When to stop: whichever comes first.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    pub count: Option<u64>,
    pub span: Option<Duration>,
    /// So many errors end the run early.
    pub errors_max: u64,
    /// Tell the rate of each so many operations.
    pub window: Option<u64>,
    /// Set by others to end the run.
    pub stop: Arc<AtomicBool>,
}

/// Errors of a run.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Errors {
    pub count: u64,
    pub first: Vec<String>,
}

/// The rate over one window of operations.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Window {
    /// Operations done when it ended.
    pub operations_total: u64,
    pub seconds: f64,
    pub operations_per_second: f64,
}

/// What a run came to.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub seconds: f64,
    pub operations: u64,
    pub content_bytes: u64,
    pub operations_per_second: f64,
    /// Millions of bytes of content a second.
    pub megabytes_per_second: f64,
    pub latency_ms: Latency,
    pub errors: Errors,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Use>,
    pub client: Use,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
}

/// What the workers of one run share.
struct Shared {
    plan: Plan,
    started: Instant,
    next: AtomicU64,
    done: AtomicU64,
    marks: Mutex<Vec<Duration>>,
    errors: Mutex<Errors>,
}

/// What one worker counted.
#[derive(Default)]
struct Tally {
    latencies: Histogram,
    content_bytes: u64,
}

impl Errors {
    /// Counts an error, and keeps it if it is one of the first.
    pub fn add(&mut self, error: &anyhow::Error) {
        self.count += 1;
        if self.first.len() < ERRORS_TOLD_MAX {
            self.first.push(format!("{error:#}"));
        }
    }
}

impl Plan {
    fn of(effort: &Effort) -> Self {
        let unlimited = effort.count.is_none() && effort.seconds.is_none();
        Self {
            count: effort.count,
            span: if unlimited { Some(SPAN_UNLESS_TOLD) } else { effort.seconds },
            errors_max: effort.errors_max,
            ..Self::default()
        }
    }
}

impl Shared {
    /// The next operation's number, or none when the run is over.
    fn take(&self) -> Option<u64> {
        if self.plan.stop.load(Ordering::Relaxed) {
            return None;
        }
        if self.plan.span.is_some_and(|span| self.started.elapsed() >= span) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.plan.count.is_none_or(|count| number < count).then_some(number)
    }

    fn succeeded(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if self.plan.window.is_some_and(|window| done.is_multiple_of(window)) {
            self.marks.lock().unwrap_or_else(PoisonError::into_inner).push(self.started.elapsed());
        }
    }

    fn failed(&self, error: &anyhow::Error) {
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.add(error);
        if errors.count >= self.plan.errors_max {
            self.plan.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// Runs as the command line says: first the warm-up, if there is one, then the part that is measured.
///
/// # Errors
/// As [`run`].
pub async fn measure<W: Worker>(bench: &Bench, effort: &Effort, mut workers: Vec<W>) -> Result<(Outcome, Vec<W>)> {
    if let Some(span) = effort.warm_up_seconds {
        let plan = Plan { span: Some(span), errors_max: effort.errors_max, ..Plan::default() };
        workers = run(bench, plan, workers).await?.1;
    }
    run(bench, Plan::of(effort), workers).await
}

/// Runs the plan with these workers, one task each, and hands them back.
///
/// An operation underway when the time is up is finished and counted, and the time it takes counts too.
///
/// # Errors
/// When a worker cannot open its connection at the start, or a watched process is gone. A failing operation is
/// counted, not returned.
pub async fn run<W: Worker>(bench: &Bench, plan: Plan, mut workers: Vec<W>) -> Result<(Outcome, Vec<W>)> {
    if workers.is_empty() {
        bail!("there must be at least one worker");
    }
    for worker in &mut workers {
        worker.open().await?;
    }
    let server = if bench.server.is_empty() { None } else { Some(Watch::start(&bench.world, &bench.server)?) };
    let client = Watch::cpu_only(&Processes::this())?;
    let shared = Arc::new(Shared {
        plan,
        started: bench.world.instant(),
        next: AtomicU64::new(0),
        done: AtomicU64::new(0),
        marks: Mutex::default(),
        errors: Mutex::default(),
    });
    let tasks: Vec<_> = workers
        .into_iter()
        .map(|worker| bench.world.spawn(work(bench.world.clone(), Arc::clone(&shared), worker)))
        .collect();
    let (mut total, mut workers) = (Tally::default(), Vec::new());
    for task in tasks {
        let (tally, worker) = task.await.context("a worker ended before its time")?;
        total.latencies.add(&tally.latencies);
        total.content_bytes += tally.content_bytes;
        workers.push(worker);
    }
    let seconds = shared.started.elapsed().as_secs_f64();
    let operations = total.latencies.count();
    let server = server.map(|watch| watch.stop(operations)).transpose()?;
    let outcome = Outcome {
        seconds,
        operations,
        content_bytes: total.content_bytes,
        operations_per_second: operations as f64 / seconds,
        megabytes_per_second: total.content_bytes as f64 / seconds / 1e6,
        latency_ms: total.latencies.latency(),
        errors: shared.errors.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        server: server.map(|(used, _)| used),
        client: client.stop(operations)?.0,
        windows: windows(&shared),
    };
    Ok((outcome, workers))
}

async fn work<W: Worker>(world: entente_world::World, shared: Arc<Shared>, mut worker: W) -> (Tally, W) {
    let mut tally = Tally::default();
    while let Some(number) = shared.take() {
        let asked = world.instant();
        match worker.operate(number).await {
            Ok(content_bytes) => {
                tally.latencies.record(asked.elapsed());
                tally.content_bytes += content_bytes;
                shared.succeeded();
            }
            Err(error) => {
                shared.failed(&error);
                world.sleep(PAUSE_AFTER_ERROR).await;
            }
        }
    }
    (tally, worker)
}

fn windows(shared: &Shared) -> Vec<Window> {
    let Some(size) = shared.plan.window else { return Vec::new() };
    let marks = shared.marks.lock().unwrap_or_else(PoisonError::into_inner);
    let begins = std::iter::once(Duration::ZERO).chain(marks.iter().copied());
    let spans = begins.zip(marks.iter()).map(|(begin, end)| end.saturating_sub(begin).as_secs_f64());
    spans
        .zip(1_u64..)
        .map(|(seconds, number)| Window {
            operations_total: number * size,
            seconds,
            operations_per_second: size as f64 / seconds,
        })
        .collect()
}
