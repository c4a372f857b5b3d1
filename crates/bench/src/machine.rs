//! The machine that a run was made on, as far as it matters to figures.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;

/// Processor, cores, memory and kernel; what cannot be found out is left null.
pub fn describe() -> Value {
    json!({
        "processor": field("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().map(std::num::NonZero::get).ok(),
        "memory_bytes": memory_bytes(),
        "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
    })
}

/// What stands after the colon on the first line that begins with `name`.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}

fn memory_bytes() -> Option<u64> {
    let text = field("/proc/meminfo", "MemTotal")?;
    let kibibytes: u64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Seconds that all cores together were not idle since the machine was started, to the kernel's tick (10 ms).
///
/// # Errors
/// When the kernel does not tell.
pub fn busy_seconds() -> Result<f64> {
    let text = fs::read_to_string("/proc/stat")?;
    let ticks = busy_ticks(&text).context("/proc/stat is not as expected")?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// All but idle time and waiting for disks; guests are within user time (proc(5)).
fn busy_ticks(text: &str) -> Option<u64> {
    let fields = text.lines().next()?.strip_prefix("cpu ")?;
    let mut ticks = fields.split_ascii_whitespace().map(|field| field.parse::<u64>().ok());
    let (user, nice, system) = (ticks.next()??, ticks.next()??, ticks.next()??);
    let mut after_waits = ticks.skip(2);
    let (interrupts, soft) = (after_waits.next()??, after_waits.next()??);
    Some(user + nice + system + interrupts + soft)
}

#[cfg(test)]
mod tests {
    use super::{busy_seconds, busy_ticks};

    #[test]
    fn idle_time_is_not_busy() {
        assert_eq!(busy_ticks("cpu  10 2 30 4000 50 6 7 8 0 0\ncpu0 1\n"), Some(55));
        assert_eq!(busy_ticks("intr 1\n"), None);
        assert!(busy_seconds().unwrap() > 0.0);
    }
}
