//! What the disk does without a server: the ground that other figures stand on.

use crate::{
    Bench,
    args::DiskArguments,
    histogram::{Histogram, Latency},
    report::Report,
};
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::json;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

const BLOCK_BYTES: usize = 1 << 20;
const FSYNC_BLOCK_BYTES: usize = 4096;
/// How many write and fsync at the same time.
const FSYNC_JOBS: [usize; 2] = [1, 32];

#[derive(Serialize)]
struct Written {
    seconds: f64,
    files: u64,
    megabytes_per_second: f64,
    /// From the file's creation to the end of its fsync.
    file_ms: Latency,
}

#[derive(Serialize)]
struct Fsyncs {
    jobs: usize,
    fsyncs_per_second: f64,
    latency_ms: Latency,
}

/// Removes the folder that the measurement wrote into, however it ends.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed stays behind in a folder whose name tells where it is from.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes whole files with one fsync each, then measures fsyncs of 4 KiB appended, with 1 job and with 32.
///
/// # Errors
/// When the folder cannot be written to.
pub async fn measure(bench: &Bench, arguments: &DiskArguments) -> Result<Report> {
    let scratch = Scratch(arguments.dir.join(format!("entente-bench-{}", std::process::id())));
    fs::create_dir_all(&scratch.0).with_context(|| format!("cannot make the folder {}", scratch.0.display()))?;
    let mut report = Report::new(
        "disk",
        json!({
            "size_bytes": arguments.size,
            "jobs": arguments.jobs,
            "count": arguments.count,
        }),
    );
    report.put("write", write_files(bench, arguments, &scratch.0).await?)?;
    for jobs in FSYNC_JOBS {
        let fsyncs = fsyncs(bench, &scratch.0, jobs, arguments.fsync_seconds).await?;
        report.put(&format!("fsync_{jobs}"), fsyncs)?;
    }
    Ok(report)
}

async fn write_files(bench: &Bench, arguments: &DiskArguments, folder: &Path) -> Result<Written> {
    let mut block = vec![0; BLOCK_BYTES];
    bench.world.random().fill(&mut block);
    let (block, next) = (Arc::new(block), Arc::new(AtomicU64::new(0)));
    let (size_bytes, count) = (arguments.size, arguments.count);
    let jobs = (0..arguments.jobs).map(|_| {
        let (world, block, next, folder) =
            (bench.world.clone(), Arc::clone(&block), Arc::clone(&next), folder.to_owned());
        move || -> Result<Histogram> {
            let mut spans = Histogram::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(spans);
                }
                let began = world.instant();
                write_file(&folder.join(format!("file-{number}")), &block, size_bytes)?;
                spans.record(began.elapsed());
            }
        }
    });
    let began = bench.world.instant();
    let spans = at_once(bench, jobs).await?;
    let seconds = began.elapsed().as_secs_f64();
    for number in 0..count {
        fs::remove_file(folder.join(format!("file-{number}")))?;
    }
    Ok(Written {
        seconds,
        files: count,
        megabytes_per_second: (count * size_bytes) as f64 / seconds / 1e6,
        file_ms: spans.latency(),
    })
}

fn write_file(path: &Path, block: &[u8], size_bytes: u64) -> Result<()> {
    let mut file = File::create(path).with_context(|| format!("cannot make {}", path.display()))?;
    let mut left_bytes = size_bytes;
    while left_bytes > 0 {
        let length = usize::try_from(left_bytes).map_or(block.len(), |left| left.min(block.len()));
        file.write_all(block.get(..length).unwrap_or(block)).context("cannot write")?;
        left_bytes -= length as u64;
    }
    file.sync_all().context("cannot fsync")
}

async fn fsyncs(bench: &Bench, folder: &Path, jobs: usize, span: Duration) -> Result<Fsyncs> {
    let work = (0..jobs).map(|job| {
        let (world, path) = (bench.world.clone(), folder.join(format!("fsync-{job}")));
        move || -> Result<Histogram> {
            let mut file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
            let block = vec![7; FSYNC_BLOCK_BYTES];
            let mut spans = Histogram::default();
            let began = world.instant();
            while began.elapsed() < span {
                let one = world.instant();
                file.write_all(&block).context("cannot write")?;
                file.sync_all().context("cannot fsync")?;
                spans.record(one.elapsed());
            }
            Ok(spans)
        }
    });
    let began = bench.world.instant();
    let spans = at_once(bench, work).await?;
    Ok(Fsyncs {
        jobs,
        fsyncs_per_second: spans.count() as f64 / began.elapsed().as_secs_f64(),
        latency_ms: spans.latency(),
    })
}

/// Runs every job on a thread of its own and adds up what they counted.
async fn at_once<F>(bench: &Bench, jobs: impl Iterator<Item = F>) -> Result<Histogram>
where
    F: FnOnce() -> Result<Histogram> + Send + 'static,
{
    let tasks: Vec<_> = jobs
        .map(|job| {
            let world = bench.world.clone();
            bench.world.spawn(async move { world.blocking(job).await })
        })
        .collect();
    let mut total = Histogram::default();
    for task in tasks {
        total.add(&task.await.context("a job ended before its time")???);
    }
    Ok(total)
}
