//! Drills: a real server on real (emulated) clouds, clients at work, and something that happens to it all. Unlike the
//! scenarios, a drill knows what must be true afterwards, and looks.

mod canary;
mod checks;
mod client;
mod cloud;
mod content;
mod middle;
mod nodes;
mod operator;
mod outage;
mod place;
mod program;
mod raw_copy;
mod relocate;
mod scrub;
mod search;
mod setup;
mod stages;
mod stale;
mod workload;

use crate::{
    Bench,
    quantity::{parse_seconds, parse_size},
    report::Report,
};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use place::{Kind, Place};
use std::{path::PathBuf, time::Duration};

/// What an installation's own marker object is called; it stays where nothing else does.
pub const MARKER: &str = "entente-store";

#[derive(Debug, Subcommand)]
pub enum Drill {
    /// Marked files in four zones: nothing of one zone may ever be in another
    Canary(DrillArguments),
    /// Everything moves from one cloud to another while clients work
    Relocate(RelocateCommand),
    /// One of two clouds fails again and again while clients work
    Outage(OutageCommand),
    /// Small and large files on one cloud: requests a file, and speed beside the cloud's own
    Cloud(CloudCommand),
    /// A scrub of the segments of many small files on a disk
    Scrub(ScrubCommand),
    /// Print how many objects of an installation are in a place
    Count(CountArguments),
    /// Several nodes on one database, and requests sprayed over them at random
    Nodes(NodesCommand),
}

/// What every drill needs.
#[derive(Debug, Clone, Args)]
pub struct DrillArguments {
    /// The program under test
    #[arg(long, value_name = "FILE", default_value = "target/debug/entente")]
    pub program: PathBuf,
    /// Where data is kept meanwhile
    #[arg(long, value_name = "DIR", default_value = "target/drills")]
    pub dir: PathBuf,
    /// Seed of all choices
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Leave data and logs where they are
    #[arg(long)]
    pub keep: bool,
}

#[derive(Debug, Clone, Args)]
pub struct RelocateCommand {
    #[command(flatten)]
    pub common: DrillArguments,
    #[command(flatten)]
    pub own: RelocateArguments,
}

#[derive(Debug, Clone, Args)]
pub struct RelocateArguments {
    /// Where everything is at first
    #[arg(long, value_enum, default_value = "azure")]
    pub from: Kind,
    /// Where it goes
    #[arg(long, value_enum, default_value = "gcs")]
    pub to: Kind,
    /// Files before the move
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub files: u64,
    /// Their size together
    #[arg(long, value_name = "SIZE", default_value = "40MiB", value_parser = parse_size)]
    pub bytes: u64,
    /// Clients that upload them
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub fill_clients: u64,
    /// Clients at work meanwhile
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub clients: usize,
    /// Between two requests of one client, on average
    #[arg(long, value_name = "MS", default_value_t = 50)]
    pub think_ms: u64,
    /// How long clients work before the move begins
    #[arg(long, value_name = "S", default_value = "5", value_parser = parse_seconds)]
    pub baseline: Duration,
    /// Requests at a time of the raw copy that the move is measured by; 0: there is none
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub parallel: usize,
    /// Kill the server so often while it moves
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub kills: u64,
    /// At most so long between two of these
    #[arg(long, value_name = "MS", default_value_t = 800)]
    pub kill_every_ms: u64,
    /// Bytes a second that the move may take; as fast as it goes, if not given
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub rate: Option<u64>,
    /// It must be over within this
    #[arg(long, value_name = "S", default_value = "600", value_parser = parse_seconds)]
    pub span_max: Duration,
}

#[derive(Debug, Clone, Args)]
pub struct OutageCommand {
    #[command(flatten)]
    pub common: DrillArguments,
    #[command(flatten)]
    pub own: OutageArguments,
}

#[derive(Debug, Clone, Args)]
pub struct OutageArguments {
    /// How often a cloud fails
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub episodes: u64,
    /// How long each time, on average
    #[arg(long, value_name = "S", default_value = "1", value_parser = parse_seconds)]
    pub episode: Duration,
    /// After so long the server gives a small request to a cloud up
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pub timeout_ms: u64,
    /// Clients at work meanwhile
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub clients: usize,
    /// Between two requests of one client, on average
    #[arg(long, value_name = "MS", default_value_t = 50)]
    pub think_ms: u64,
}

#[derive(Debug, Clone, Args)]
pub struct CloudCommand {
    #[command(flatten)]
    pub common: DrillArguments,
    /// Which
    #[arg(long, value_enum, default_value = "s3")]
    pub kind: Kind,
    /// Small files
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    pub files: u64,
    /// Size of each of them
    #[arg(long, value_name = "SIZE", default_value = "4KiB", value_parser = parse_size)]
    pub size: u64,
    /// Clients that upload them
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub clients: u64,
    /// Large files
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub large_files: u64,
    /// Size of each of them
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_size)]
    pub large_size: u64,
    /// Large ones at a time
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub large_clients: u64,
}

#[derive(Debug, Clone, Args)]
pub struct ScrubCommand {
    #[command(flatten)]
    pub common: DrillArguments,
    /// Small files
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    pub files: u64,
    /// Size of each of them
    #[arg(long, value_name = "SIZE", default_value = "1KiB", value_parser = parse_size)]
    pub size: u64,
    /// Clients that upload them
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub clients: u64,
}

#[derive(Debug, Clone, Args)]
pub struct CountArguments {
    /// Of which kind the place is
    #[arg(long, value_enum)]
    pub kind: Kind,
    /// Scheme, host and port; for Azure the account, too; for a disk nothing
    #[arg(long, value_name = "URL", default_value = "")]
    pub endpoint: String,
    /// Bucket, container or folder
    #[arg(long, value_name = "NAME")]
    pub bucket: String,
    /// Access key or account
    #[arg(long, value_name = "ID", default_value = "")]
    pub id: String,
    /// The environment variable with the secret key
    #[arg(long, value_name = "NAME")]
    pub secret_env: Option<String>,
    /// Region to sign for
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub region: String,
}

#[derive(Debug, Clone, Args)]
pub struct NodesCommand {
    #[command(flatten)]
    pub common: DrillArguments,
    /// How many nodes
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub nodes: usize,
    /// How long metadata operations are counted, on one node and on two, in many folders and in one
    #[arg(long, value_name = "S", default_value = "5", value_parser = parse_seconds)]
    pub seconds: Duration,
    /// Instead, spray requests until this command has ended; ENTENTE_URL, ENTENTE_DATA and ENTENTE_BIN tell it where
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// How many objects there are, but for the marker.
///
/// # Errors
/// When the place cannot be listed.
pub async fn count(bench: &Bench, arguments: &CountArguments) -> Result<String> {
    Ok(Place::known(arguments)?.objects(bench).await?.len().to_string())
}

/// Runs a drill.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn run(bench: &Bench, drill: &Drill) -> Result<Report> {
    match drill {
        Drill::Count(_) => bail!("counting is no drill"),
        Drill::Canary(arguments) => canary::canary(bench, arguments).await,
        Drill::Relocate(command) => relocate::relocate(bench, &command.common, &command.own).await,
        Drill::Outage(command) => outage::outage(bench, &command.common, &command.own).await,
        Drill::Cloud(command) => cloud::cloud(bench, command).await,
        Drill::Scrub(command) => scrub::scrub(bench, command).await,
        Drill::Nodes(command) => nodes::nodes(bench, command).await,
    }
}
