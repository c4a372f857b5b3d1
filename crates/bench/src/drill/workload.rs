//! Clients at work: they read, write, copy, replace and upload in parts, and compare everything that they get.
//!
//! What was acknowledged is kept, and is compared once more when all is over.

use super::{
    client::{Client, Patience},
    content::{Choices, Content},
};
use crate::{
    Bench,
    box_door::Door,
    histogram::{Histogram, Latency},
    load::Errors,
};
use anyhow::{Context, Result};
use serde::Serialize;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

/// After an error a client waits this long, so that a server in trouble is not hammered.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);
/// How often one that rests looks whether it may go on.
const QUIET_PAUSE: Duration = Duration::from_millis(20);
/// The least that may be uploaded in parts.
const IN_PARTS_BYTES: usize = 20_000_000;

/// A file that was acknowledged.
#[derive(Debug, Clone)]
pub struct Record {
    pub id: String,
    pub content: Content,
}

/// Everything that was acknowledged and does not change any more.
#[derive(Default)]
pub struct Known {
    records: Mutex<Vec<Record>>,
}

impl Known {
    pub fn add(&self, record: Record) {
        self.lock().push(record);
    }

    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// One of them.
    pub fn any(&self, choices: &mut Choices) -> Option<Record> {
        let records = self.lock();
        records.get(choices.index(records.len())).cloned()
    }

    /// Keeps so many of them at most, evenly from all: for what would take too long to compare.
    pub fn keep_some(&self, most: usize) {
        let mut records = self.lock();
        let every = records.len().div_ceil(most.max(1)).max(1);
        *records = records.drain(..).step_by(every).collect();
    }

    pub fn all(&self) -> Vec<Record> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one client does, over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Reader,
    Writer,
    /// Copies files, and deletes some of its copies.
    Copier,
    /// Keeps replacing one file of its own.
    Replacer,
    /// Uploads large files in parts.
    InParts,
}

/// How it is done.
#[derive(Clone)]
pub struct Style {
    pub roles: Vec<Role>,
    pub seed: u64,
    /// Sizes of small files, the least and the greatest.
    pub sizes: (u64, u64),
    /// Between two requests of one client.
    pub think: Duration,
    pub patience: Patience,
    /// Between two uploads in parts.
    pub think_in_parts: Duration,
}

/// Which latencies belong together: those of one phase, and of small reads or small writes.
const PHASES: usize = 5;

/// Clients at work.
pub struct Workload {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<Counts>>,
}

struct Shared {
    bench: Bench,
    door: Door,
    folder: String,
    style: Style,
    known: Arc<Known>,
    phase: AtomicUsize,
    stop: AtomicBool,
    quiet: AtomicBool,
    next: AtomicU64,
    done: AtomicU64,
    in_parts: AtomicU64,
    errors: Mutex<Errors>,
}

/// What one client counted, or all of them.
#[derive(Clone, Default)]
pub struct Counts {
    pub reads: [Histogram; PHASES],
    pub writes: [Histogram; PHASES],
    pub in_parts: u64,
    pub copies: u64,
    pub replaced: u64,
    pub deleted: u64,
}

/// Latencies of one phase.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Phase {
    pub reads: u64,
    pub read_ms: Latency,
    pub writes: u64,
    pub write_ms: Latency,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.reads.iter_mut().zip(&other.reads).chain(self.writes.iter_mut().zip(&other.writes)) {
            mine.add(theirs);
        }
        self.in_parts += other.in_parts;
        self.copies += other.copies;
        self.replaced += other.replaced;
        self.deleted += other.deleted;
    }

    /// Latencies of one phase; all zero when there was none.
    pub fn phase(&self, phase: usize) -> Phase {
        let none = Histogram::default();
        let (reads, writes) = (self.reads.get(phase).unwrap_or(&none), self.writes.get(phase).unwrap_or(&none));
        Phase { reads: reads.count(), read_ms: reads.latency(), writes: writes.count(), write_ms: writes.latency() }
    }
}

impl Workload {
    /// Sets clients to work in a folder.
    pub fn start(bench: &Bench, door: &Door, folder: &str, known: &Arc<Known>, style: Style) -> Self {
        let shared = Arc::new(Shared {
            bench: bench.clone(),
            door: door.clone(),
            folder: folder.to_owned(),
            style,
            known: Arc::clone(known),
            phase: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            quiet: AtomicBool::new(false),
            next: AtomicU64::new(0),
            done: AtomicU64::new(0),
            in_parts: AtomicU64::new(0),
            errors: Mutex::default(),
        });
        let works = shared.style.roles.iter().enumerate();
        let tasks =
            works.map(|(number, role)| bench.world.spawn(work(Arc::clone(&shared), number as u64, *role))).collect();
        Self { shared, tasks }
    }

    /// Counts latencies under another phase from now on.
    pub fn enter(&self, phase: usize) {
        self.shared.phase.store(phase, Ordering::Relaxed);
    }

    /// Lets only readers go on, so that what is behind can catch up.
    pub fn rest(&self) {
        self.shared.quiet.store(true, Ordering::Relaxed);
    }

    /// Lets everybody go on.
    pub fn resume(&self) {
        self.shared.quiet.store(false, Ordering::Relaxed);
    }

    /// Requests answered well so far.
    pub fn done(&self) -> u64 {
        self.shared.done.load(Ordering::Relaxed)
    }

    /// Uploads in parts so far.
    pub fn in_parts(&self) -> u64 {
        self.shared.in_parts.load(Ordering::Relaxed)
    }

    /// Failures so far.
    pub fn errors(&self) -> Errors {
        self.shared.errors.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets everybody finish what they are at, and tells what it came to.
    pub async fn stop(self) -> Result<(Counts, Errors)> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut counts = Counts::default();
        for task in self.tasks {
            counts.add(&task.await.context("a client ended before its time")?);
        }
        let errors = self.shared.errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok((counts, errors))
    }
}

/// One client.
struct Worker {
    shared: Arc<Shared>,
    client: Client,
    choices: Choices,
    number: u64,
    counts: Counts,
    /// The file that a replacer replaces.
    own: Option<Record>,
}

async fn work(shared: Arc<Shared>, number: u64, role: Role) -> Counts {
    let world = shared.bench.world.clone();
    let client = Client::new(&shared.bench, &shared.door, shared.style.patience.clone());
    let choices = Choices::new(shared.style.seed, number);
    let mut worker = Worker { shared, client, choices, number, counts: Counts::default(), own: None };
    while !worker.shared.stop.load(Ordering::Relaxed) {
        let think = match role {
            Role::InParts => worker.shared.style.think_in_parts,
            _ => worker.shared.style.think,
        };
        if role != Role::Reader && worker.shared.quiet.load(Ordering::Relaxed) {
            world.sleep(QUIET_PAUSE).await;
            continue;
        }
        match worker.once(role).await {
            Ok(()) => {
                worker.shared.done.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let error = error.context(format!("client {number}, {role:?}"));
                worker.shared.errors.lock().unwrap_or_else(PoisonError::into_inner).add(&error);
                world.sleep(PAUSE_AFTER_ERROR).await;
            }
        }
        if !think.is_zero() && !worker.shared.stop.load(Ordering::Relaxed) {
            // Not in step with each other.
            let most = u64::try_from(think.as_micros()).unwrap_or(u64::MAX).saturating_mul(2);
            world.sleep(Duration::from_micros(worker.choices.below(most))).await;
        }
    }
    if let Some(own) = worker.own.take() {
        worker.shared.known.add(own);
    }
    worker.counts
}

impl Worker {
    async fn once(&mut self, role: Role) -> Result<()> {
        match role {
            Role::Reader => self.read().await,
            Role::Writer => self.write().await,
            Role::Copier => self.copy().await,
            Role::Replacer => self.replace().await,
            Role::InParts => self.write_in_parts().await,
        }
    }

    fn phase(&self) -> usize {
        self.shared.phase.load(Ordering::Relaxed).min(PHASES - 1)
    }

    fn name(&self, what: &str) -> String {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        format!("{what}-{}-{number:08}.bin", self.number)
    }

    fn content(&mut self) -> Content {
        let (least, greatest) = self.shared.style.sizes;
        let size = self.choices.between(least, greatest);
        Content { seed: self.choices.number(), size_bytes: usize::try_from(size).unwrap_or(0) }
    }

    async fn read(&mut self) -> Result<()> {
        let Some(record) = self.shared.known.any(&mut self.choices) else { return self.write().await };
        let (phase, asked) = (self.phase(), self.shared.bench.world.instant());
        self.client.read(&record.id, record.content).await?;
        if record.content.size_bytes < IN_PARTS_BYTES
            && let Some(reads) = self.counts.reads.get_mut(phase)
        {
            reads.record(asked.elapsed());
        }
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        let (content, name) = (self.content(), self.name("file"));
        let (phase, asked) = (self.phase(), self.shared.bench.world.instant());
        let file = self.client.upload(&self.shared.folder, &name, content).await?;
        if let Some(writes) = self.counts.writes.get_mut(phase) {
            writes.record(asked.elapsed());
        }
        self.shared.known.add(Record { id: file.id, content });
        Ok(())
    }

    async fn copy(&mut self) -> Result<()> {
        let Some(record) = self.shared.known.any(&mut self.choices) else { return self.write().await };
        let name = self.name("copy");
        let file = self.client.copy(&record.id, &self.shared.folder, &name).await?;
        self.counts.copies += 1;
        if self.choices.below(4) == 0 {
            self.client.delete(&file.id).await?;
            self.counts.deleted += 1;
            return Ok(());
        }
        self.shared.known.add(Record { id: file.id, content: record.content });
        Ok(())
    }

    async fn replace(&mut self) -> Result<()> {
        let content = self.content();
        let id = match &self.own {
            None => {
                let name = self.name("own");
                self.client.upload(&self.shared.folder, &name, content).await?.id
            }
            Some(own) => self.client.upload_version(&own.id.clone(), content).await?.id,
        };
        self.own = Some(Record { id: id.clone(), content });
        self.client.read(&id, content).await?;
        self.counts.replaced += 1;
        Ok(())
    }

    async fn write_in_parts(&mut self) -> Result<()> {
        let content = Content { seed: self.choices.number(), size_bytes: IN_PARTS_BYTES };
        let name = self.name("large");
        let file = self.client.upload_in_parts(&self.shared.folder, &name, content).await?;
        self.counts.in_parts += 1;
        self.shared.in_parts.fetch_add(1, Ordering::Relaxed);
        self.shared.known.add(Record { id: file.id, content });
        Ok(())
    }
}

/// Uploads so many files, with so many clients at once.
pub async fn fill(
    (bench, door, folder): (&Bench, &Door, &str),
    known: &Arc<Known>,
    (files, sizes): (u64, (u64, u64)),
    (clients, seed): (u64, u64),
) -> Result<()> {
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..clients)
        .map(|number| {
            let mut client = Client::new(bench, door, Patience::None);
            let (next, known, folder) = (Arc::clone(&next), Arc::clone(known), folder.to_owned());
            bench.world.spawn(async move {
                let mut choices = Choices::new(seed, number);
                loop {
                    let file = next.fetch_add(1, Ordering::Relaxed);
                    if file >= files {
                        return Ok::<_, anyhow::Error>(());
                    }
                    let size_bytes = usize::try_from(choices.between(sizes.0, sizes.1))?;
                    let content = Content { seed: choices.number(), size_bytes };
                    let made = client.upload(&folder, &format!("first-{file:08}.bin"), content).await?;
                    known.add(Record { id: made.id, content });
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.context("a client ended before its time")??;
    }
    Ok(())
}

/// Reads everything that was acknowledged, and counts what is lost or wrong.
pub async fn compare_all(bench: &Bench, door: &Door, known: &Known, clients: usize) -> Result<(u64, Errors)> {
    let records = Arc::new(known.all());
    let (next, errors) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Errors::default())));
    let tasks: Vec<_> = (0..clients.max(1))
        .map(|_| {
            let mut client = Client::new(bench, door, Patience::None);
            let (records, next, errors) = (Arc::clone(&records), Arc::clone(&next), Arc::clone(&errors));
            bench.world.spawn(async move {
                while let Some(record) = records.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = client.read(&record.id, record.content).await {
                        errors.lock().unwrap_or_else(PoisonError::into_inner).add(&error);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.context("a client ended before its time")?;
    }
    let errors = errors.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((records.len() as u64, errors))
}
