//! What a process costs: its CPU time and its resident memory, read from `/proc`.

use anyhow::{Context, Result};
use entente_world::World;
use serde::Serialize;
use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::task::JoinHandle;

/// How often resident memory is looked at while a scenario runs.
const SAMPLE_EVERY: Duration = Duration::from_millis(200);

/// One or more processes that together are the server (a master and its workers, say).
#[derive(Debug, Clone)]
pub struct Processes {
    pids: Vec<u32>,
}

/// CPU time spent so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct CpuTime {
    pub user_seconds: f64,
    pub system_seconds: f64,
}

/// What the processes used between two moments.
#[derive(Debug, Clone, Serialize)]
pub struct Use {
    pub cpu_user_seconds: f64,
    pub cpu_system_seconds: f64,
    /// Microseconds of CPU, user and system, for each operation that succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_us_per_operation: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_before_bytes: Option<u64>,
    /// The greatest during the run: the kernel's own mark where it could be reset at the start, else the greatest sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_peak_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rss_after_bytes: Option<u64>,
}

impl CpuTime {
    /// What was spent since an earlier moment.
    fn since(self, earlier: Self) -> Self {
        Self {
            user_seconds: self.user_seconds - earlier.user_seconds,
            system_seconds: self.system_seconds - earlier.system_seconds,
        }
    }

    fn per_operation_us(self, operations: u64) -> Option<f64> {
        (operations > 0).then(|| (self.user_seconds + self.system_seconds) * 1e6 / operations as f64)
    }
}

impl Processes {
    pub fn new(pids: &[u32]) -> Self {
        Self { pids: pids.to_vec() }
    }

    pub fn this() -> Self {
        Self { pids: vec![std::process::id()] }
    }

    pub fn is_empty(&self) -> bool {
        self.pids.is_empty()
    }

    /// CPU time of all of them, threads that have ended included, to the kernel's tick (10 ms).
    ///
    /// # Errors
    /// When one of them is gone.
    pub fn cpu_time(&self) -> Result<CpuTime> {
        let mut sum = CpuTime::default();
        for pid in &self.pids {
            let text = read(*pid, "stat")?;
            let ticks = stat_ticks(&text).with_context(|| format!("/proc/{pid}/stat is not as expected"))?;
            let per_second = rustix::param::clock_ticks_per_second() as f64;
            sum.user_seconds += ticks.0 as f64 / per_second;
            sum.system_seconds += ticks.1 as f64 / per_second;
        }
        Ok(sum)
    }

    /// Resident memory of all of them.
    ///
    /// # Errors
    /// When one of them is gone.
    pub fn rss_bytes(&self) -> Result<u64> {
        self.status_bytes("VmRSS:")
    }

    /// The sum of the greatest resident memory of each since it began, or since [`Self::reset_peak`].
    fn peak_bytes(&self) -> Result<u64> {
        self.status_bytes("VmHWM:")
    }

    /// Makes the kernel count the greatest resident memory afresh; false where it does not let us.
    fn reset_peak(&self) -> bool {
        self.pids.iter().all(|pid| fs::write(format!("/proc/{pid}/clear_refs"), "5").is_ok())
    }

    fn status_bytes(&self, field: &str) -> Result<u64> {
        let mut sum = 0;
        for pid in &self.pids {
            let text = read(*pid, "status")?;
            sum += status_bytes(&text, field).with_context(|| format!("/proc/{pid}/status has no {field}"))?;
        }
        Ok(sum)
    }
}

fn read(pid: u32, file: &str) -> Result<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}")).with_context(|| format!("process {pid} is gone"))
}

/// User and system ticks. The program's name, in brackets, may itself hold blanks and brackets (proc(5)).
fn stat_ticks(text: &str) -> Option<(u64, u64)> {
    let (_, after_name) = text.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn status_bytes(text: &str, field: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.starts_with(field))?;
    let kibibytes: u64 = line.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Watches processes from [`Watch::start`] to [`Watch::stop`].
pub struct Watch {
    processes: Processes,
    cpu_before: CpuTime,
    rss_before_bytes: Option<u64>,
    peak_was_reset: bool,
    samples: Arc<Mutex<Vec<Sample>>>,
    sampler: Option<JoinHandle<()>>,
}

/// Resident memory at one moment of a run.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Sample {
    pub seconds: f64,
    pub rss_bytes: u64,
}

impl Watch {
    /// Begins to watch CPU and memory.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn start(world: &World, processes: &Processes) -> Result<Self> {
        let mut watch = Self::cpu_only(processes)?;
        watch.rss_before_bytes = Some(processes.rss_bytes()?);
        watch.peak_was_reset = processes.reset_peak();
        let (processes, samples, clock) = (processes.clone(), Arc::clone(&watch.samples), world.clone());
        watch.sampler = Some(world.spawn(async move {
            let started = clock.instant();
            while let Ok(rss_bytes) = processes.rss_bytes() {
                let sample = Sample { seconds: started.elapsed().as_secs_f64(), rss_bytes };
                samples.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
                clock.sleep(SAMPLE_EVERY).await;
            }
        }));
        Ok(watch)
    }

    /// Begins to watch CPU alone.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn cpu_only(processes: &Processes) -> Result<Self> {
        Ok(Self {
            cpu_before: processes.cpu_time()?,
            processes: processes.clone(),
            rss_before_bytes: None,
            peak_was_reset: false,
            samples: Arc::default(),
            sampler: None,
        })
    }

    /// Ends watching, and tells what was used in between, for that many operations.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn stop(self, operations: u64) -> Result<(Use, Vec<Sample>)> {
        if let Some(sampler) = &self.sampler {
            sampler.abort();
        }
        let cpu = self.processes.cpu_time()?.since(self.cpu_before);
        let samples = std::mem::take(&mut *self.samples.lock().unwrap_or_else(PoisonError::into_inner));
        let mut used = Use {
            cpu_user_seconds: cpu.user_seconds,
            cpu_system_seconds: cpu.system_seconds,
            cpu_us_per_operation: cpu.per_operation_us(operations),
            rss_before_bytes: self.rss_before_bytes,
            rss_peak_bytes: None,
            rss_after_bytes: None,
        };
        if self.rss_before_bytes.is_some() {
            let sampled = samples.iter().map(|sample| sample.rss_bytes).max();
            used.rss_peak_bytes = if self.peak_was_reset { Some(self.processes.peak_bytes()?) } else { sampled };
            used.rss_after_bytes = Some(self.processes.rss_bytes()?);
        }
        Ok((used, samples))
    }
}

#[cfg(test)]
mod tests {
    use super::{Processes, stat_ticks, status_bytes};

    #[test]
    fn a_name_with_brackets_and_blanks_does_not_shift_the_fields() {
        let text = "42 (a) b (c)) S 1 42 42 0 -1 4194560 900 0 1 0 123 45 0 0 20 0 1 0 5 6 7";
        assert_eq!(stat_ticks(text), Some((123, 45)));
        assert_eq!(stat_ticks("42 (cut"), None);
    }

    #[test]
    fn memory_is_told_in_bytes() {
        let text = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(status_bytes(text, "VmRSS:"), Some(1 << 20));
        assert_eq!(status_bytes(text, "VmHWM:"), Some(2 << 20));
        assert_eq!(status_bytes(text, "VmSwap:"), None);
    }

    #[test]
    fn this_process_has_memory_and_a_missing_one_is_an_error() {
        assert!(Processes::this().rss_bytes().unwrap() > 1 << 18);
        assert!(Processes::new(&[u32::MAX]).cpu_time().is_err());
    }
}
