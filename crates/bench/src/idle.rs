//! What a server costs while nobody asks it anything.

use crate::{Bench, args::IdleArguments, process::Watch, report::Report};
use anyhow::{Result, bail};
use serde_json::json;

/// Watches the server's memory and CPU for some seconds.
///
/// # Errors
/// When no process id was given or the process is gone.
pub async fn watch(bench: &Bench, arguments: &IdleArguments) -> Result<Report> {
    if bench.server.is_empty() {
        bail!("say which process to watch with --server-pid");
    }
    let mut report = Report::new("idle", json!({ "seconds": arguments.seconds.as_secs_f64() }));
    let watch = Watch::start(&bench.world, &bench.server)?;
    bench.world.sleep(arguments.seconds).await;
    report.put("server", watch.stop(0)?.0)?;
    Ok(report)
}
