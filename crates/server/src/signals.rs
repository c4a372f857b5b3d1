//! SIGTERM and SIGINT ask the process to stop; a second one ends it at once.

use crate::exit::{Exit, Failure};
use anyhow::Context;
use entente_world::{ShutdownTrigger, World};
use tokio::signal::unix::{SignalKind, signal};

/// Watches for signals from now on. Call it inside a runtime.
pub(crate) fn watch(world: &World, trigger: ShutdownTrigger) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be watched")?;
    world.spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping; a second signal stops at once");
        trigger.request();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok(())
}
