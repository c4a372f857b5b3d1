//! The log, on standard error.

use crate::cli::{LogArgs, LogFormat};
use crate::exit::{Exit, Failure};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts the log. `default` is the level when nobody says.
pub(crate) fn start(arguments: &LogArgs, default: &str) -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "configuration is read here, once")]
    let environment = std::env::var("ENTENTE_LOG").ok();
    let wanted = arguments.log_level.clone().or(environment).unwrap_or_else(|| default.to_owned());
    let filter = EnvFilter::try_new(&wanted).map_err(|error| {
        Failure::new(Exit::Usage, format!("the log level {wanted:?} is none: {error}; try info or debug"))
    })?;
    // What it says of requests has keys, headers and parts of bodies in it.
    let filter = match "s3s=off".parse() {
        Ok(nothing) => filter.add_directive(nothing),
        Err(_) => filter,
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match arguments.log {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::new(Exit::Failed, format!("the log cannot be started: {error}")))
}
