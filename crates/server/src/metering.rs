//! Where the rooms' metrics go: kept in memory until Prometheus asks.

use anyhow::Context;
use entente_world::{Shutdown, World};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// From a tenth of a millisecond to half a minute.
const SECONDS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];
/// Powers of two, for counts.
const COUNTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// How often samples are folded into their buckets: between two times they take memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The recorder of the process.
#[derive(Clone)]
pub(crate) struct Meter(PrometheusHandle);

impl Meter {
    /// Makes it the recorder of the process. Once.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_commands".to_owned()), &COUNTS)?
            .build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).context("metrics are recorded already")?;
        Ok(Self(handle))
    }

    pub(crate) fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps its memory bounded until the process stops.
    pub(crate) async fn keep_up(self, world: World, mut shutdown: Shutdown) {
        while !shutdown.is_requested() {
            self.0.run_upkeep();
            tokio::select! {
                () = shutdown.requested() => {}
                () = world.sleep(UPKEEP) => {}
            }
        }
    }
}
