//! The machine that a run was made on, as far as it matters to figures.

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
