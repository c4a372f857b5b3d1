//! Reading the configuration file again, when an operator asks for it or on SIGHUP.

use super::Storage;
use crate::config::Config;
use entente_door_admin::OnEarlier;
use entente_world::{Shutdown, World};
use serde_json::{Value, json};
use std::path::PathBuf;
use tokio::signal::unix::Signal;

/// Reads the file that the server was started with again. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reload {
    pub(crate) world: World,
    pub(crate) storage: Storage,
    /// None: the server was started without one.
    pub(crate) file: Option<PathBuf>,
    /// The data directory, which cannot be another one now.
    pub(crate) data: PathBuf,
}

impl Reload {
    /// Puts in force what the file says now, wholly or not at all. The error is every reason why not, and has been logged.
    pub(crate) async fn run(&self, on_earlier: OnEarlier) -> Result<Value, String> {
        let done = self.try_run(on_earlier).await;
        match &done {
            Ok(shown) => tracing::info!(%shown, "the configuration was read again, and is in force"),
            Err(reasons) => {
                tracing::error!(reasons, "the configuration cannot be followed; the former one stays in force");
            }
        }
        done
    }

    async fn try_run(&self, on_earlier: OnEarlier) -> Result<Value, String> {
        let none = || "the server was started without a configuration file, so there is none to read again".to_owned();
        let (file, data) = (self.file.clone().ok_or_else(none)?, self.data.clone());
        let read = self.world.blocking(move || Config::read(&file, Some(&data))).await;
        let config = read.map_err(|error| error.to_string())?.map_err(|wrong| wrong.to_text())?;
        self.storage.reconfigure(config, on_earlier).await.map_err(|failure| failure.to_text())?;
        let in_force = self.storage.in_force();
        let storage = &in_force.config.storage;
        Ok(json!({
            "backends": storage.backends.len(),
            "zones": storage.zones.len(),
            "policies": storage.policies.len(),
        }))
    }

    /// Does so at each signal, until the process stops.
    pub(crate) async fn on(self, mut signal: Signal, mut shutdown: Shutdown) {
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                received = signal.recv() => match received {
                    // What is wrong has been logged.
                    Some(()) => drop(self.run(OnEarlier::Refuse).await),
                    None => return,
                }
            }
        }
    }
}
