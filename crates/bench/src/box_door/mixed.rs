//! Large uploads, many slow downloads and a few fast ones at the same time.

use super::{
    Door, File,
    download::{Check, Found, downloaders, resolve_all},
    upload::{Keep, Upload},
};
use crate::{
    Bench,
    args::MixedArguments,
    body::Framing,
    client::{Appetite, Connection, bare, refuse},
    load::{self, Outcome, Plan, Worker, run},
    process::{Processes, Sample, Watch},
    report::Report,
};
use anyhow::{Context, Result, bail};
use entente_world::World;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use serde::Serialize;
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Builder, task::JoinHandle, time::Instant};

/// So many small files are fetched by the probes.
const PROBE_FILES: u64 = 64;
const ERRORS_MAX: u64 = 1000;

/// What the slow downloads came to.
#[derive(Serialize)]
struct Slow {
    downloads: usize,
    seconds: f64,
    content_bytes: u64,
    /// Bytes a second that one download got; near the rate asked for if nothing held it up.
    bytes_per_second_mean: f64,
    bytes_per_second_min: f64,
    /// Downloads that came to their end, after which the same client began another.
    ended: u64,
    errors: load::Errors,
}

/// Fast downloads of small files.
struct Probes {
    bench: Bench,
    door: Door,
    found: Arc<Vec<Found>>,
    concurrency: usize,
}

/// Slow downloads underway.
struct SlowOnes {
    began: Instant,
    clients: Vec<(Arc<AtomicU64>, JoinHandle<()>)>,
    shared: Arc<SlowShared>,
}

#[derive(Default)]
struct SlowShared {
    ended: AtomicU64,
    errors: Mutex<load::Errors>,
}

/// One client that takes its time.
struct SlowClient {
    world: World,
    connection: Connection,
    found: Arc<Vec<Found>>,
    rate: u64,
    bytes: Arc<AtomicU64>,
}

/// Three phases with the same fast downloads in each: alone, beside the slow downloads, and beside slow downloads and
/// large uploads. The server's memory is watched from before the slow downloads to the end of the uploads.
///
/// # Errors
/// When the server cannot be reached, or the files to download cannot be uploaded first.
pub async fn mixed(bench: &Bench, arguments: &MixedArguments) -> Result<Report> {
    let door = Door::new(bench, &arguments.target)?;
    let mut report = Report::new(
        "box mixed",
        json!({
            "url": arguments.target.url,
            "uploads": arguments.uploads,
            "upload_size_bytes": arguments.upload_size,
            "slow_downloads": arguments.slow_downloads,
            "slow_rate_bytes_per_second": arguments.slow_rate,
            "slow_size_bytes": arguments.slow_size,
            "probes": arguments.probes,
            "probe_size_bytes": arguments.probe_size,
        }),
    );
    let probed = Arc::new(prepare(bench, &door, arguments, arguments.probe_size, PROBE_FILES).await?);
    let slow = Arc::new(prepare(bench, &door, arguments, arguments.slow_size, 1).await?);
    // Phases tell times and errors; the server is watched once, over all of them.
    let quiet = Bench { server: Processes::new(&[]), ..bench.clone() };
    let probes = Probes { bench: quiet, door: door.clone(), found: probed, concurrency: arguments.probes.max(1) };

    let plan = || Plan { span: Some(arguments.phase_seconds), errors_max: ERRORS_MAX, ..Plan::default() };
    report.put("probe_alone", probes.run(plan()).await?)?;

    let watch = if bench.server.is_empty() { None } else { Some(Watch::start(&bench.world, &bench.server)?) };
    let slow_ones = SlowOnes::start(bench, &door, &slow, arguments);
    report.put("probe_beside_slow", probes.run(plan()).await?)?;

    let (uploads, probe) = beside_uploads(&door, arguments, &probes).await?;
    report.put("probe_beside_slow_and_uploads", probe)?;
    report.put("uploads", uploads)?;
    report.put("slow", slow_ones.stop())?;
    if let Some(watch) = watch {
        let (used, memory): (_, Vec<Sample>) = watch.stop(0)?;
        report.put("server", used)?;
        report.put("server_memory", memory)?;
    }
    Ok(report)
}

/// Uploads files to be downloaded, and finds where they are.
async fn prepare(
    bench: &Bench,
    door: &Door,
    arguments: &MixedArguments,
    size_bytes: u64,
    count: u64,
) -> Result<Vec<Found>> {
    let upload = Upload::new(bench, door, &arguments.folder, size_bytes, Framing::Length)?;
    let mut files: Vec<File> = Vec::new();
    for mut worker in upload.workers(bench, 1, Keep::Ids) {
        for number in 0..count {
            worker.operate(number).await.context("the files to download could not be uploaded")?;
        }
        files.append(&mut worker.files);
    }
    // A server may leave the size out of its answer to an upload; we know it.
    for file in &mut files {
        file.size = size_bytes;
    }
    resolve_all(door, &mut door.connection(bench), files).await
}

/// Uploads every large file, with the probes going on until the last of them is through.
async fn beside_uploads(door: &Door, arguments: &MixedArguments, probes: &Probes) -> Result<(Outcome, Outcome)> {
    let bench = &probes.bench;
    let upload = Upload::new(bench, door, &arguments.folder, arguments.upload_size, arguments.framing)?;
    let workers = upload.workers(bench, arguments.uploads.max(1), Keep::Nothing);
    let plan = Plan { count: Some(arguments.uploads.max(1) as u64), errors_max: ERRORS_MAX, ..Plan::default() };
    let stop = Arc::new(AtomicBool::new(false));
    let probe_plan = Plan { errors_max: ERRORS_MAX, stop: Arc::clone(&stop), ..Plan::default() };
    let uploading = async {
        let outcome = run(bench, plan, workers).await;
        stop.store(true, Ordering::Relaxed);
        outcome
    };
    let (uploads, probe) = tokio::join!(uploading, probes.run(probe_plan));
    Ok((uploads?.0, probe?))
}

impl Probes {
    /// Runs them on a thread of their own, so that they do not wait for the rest of this program.
    async fn run(&self, plan: Plan) -> Result<Outcome> {
        let (bench, found) = (self.bench.clone(), Arc::clone(&self.found));
        let (door, concurrency) = (self.door.clone(), self.concurrency);
        let probing = move || -> Result<Outcome> {
            let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
            let workers = downloaders(&bench, &door, &found, concurrency, Check::Length);
            Ok(runtime.block_on(run(&bench, plan, workers))?.0)
        };
        self.bench.world.blocking(probing).await?
    }
}

impl SlowOnes {
    fn start(bench: &Bench, door: &Door, found: &Arc<Vec<Found>>, arguments: &MixedArguments) -> Self {
        let shared: Arc<SlowShared> = Arc::default();
        let clients = (0..arguments.slow_downloads).map(|_| {
            let mut client = SlowClient {
                world: bench.world.clone(),
                connection: Connection::new(&bench.world, &door.endpoint, Appetite::Small),
                found: Arc::clone(found),
                rate: arguments.slow_rate.max(1),
                bytes: Arc::default(),
            };
            let (bytes, shared) = (Arc::clone(&client.bytes), Arc::clone(&shared));
            let task = bench.world.spawn(async move {
                loop {
                    match client.download().await {
                        Ok(()) => shared.ended.fetch_add(1, Ordering::Relaxed),
                        // One that broke stays away: a server in trouble should show as few errors, not as many.
                        Err(error) => {
                            return shared.errors.lock().unwrap_or_else(PoisonError::into_inner).add(&error);
                        }
                    };
                }
            });
            (bytes, task)
        });
        Self { began: bench.world.instant(), clients: clients.collect(), shared }
    }

    /// Lets go of every download, as a client does that disappears.
    fn stop(self) -> Slow {
        let seconds = self.began.elapsed().as_secs_f64();
        let bytes: Vec<u64> = self
            .clients
            .iter()
            .map(|(bytes, task)| {
                task.abort();
                bytes.load(Ordering::Relaxed)
            })
            .collect();
        let total: u64 = bytes.iter().sum();
        let downloads = bytes.len();
        Slow {
            downloads,
            seconds,
            content_bytes: total,
            bytes_per_second_mean: total as f64 / seconds / downloads.max(1) as f64,
            bytes_per_second_min: bytes.iter().min().map_or(0.0, |least| *least as f64 / seconds),
            ended: self.shared.ended.load(Ordering::Relaxed),
            errors: self.shared.errors.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl SlowClient {
    /// Reads the file once, at the rate of this client.
    async fn download(&mut self) -> Result<()> {
        let found = self.found.first().context("there is no file to download slowly")?;
        self.connection.turn_to(&found.endpoint);
        let answer = self.connection.send(bare(Method::GET, &found.uri)).await?;
        if answer.status() != StatusCode::OK {
            return refuse(answer).await;
        }
        let mut body = answer.into_body();
        let began = self.world.instant();
        let mut read_bytes = 0;
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.context("the body was cut short")?.into_data() {
                read_bytes += data.len() as u64;
                self.bytes.fetch_add(data.len() as u64, Ordering::Relaxed);
            }
            let due = Duration::from_secs_f64(read_bytes as f64 / self.rate as f64);
            self.world.sleep(due.saturating_sub(began.elapsed())).await;
        }
        if read_bytes != found.file.size {
            bail!("file {} came with {read_bytes} bytes, not {}", found.file.id, found.file.size);
        }
        Ok(())
    }
}
