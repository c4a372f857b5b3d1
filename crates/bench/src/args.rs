//! The command line.

use crate::{
    body::Framing,
    drill::Drill,
    quantity::{parse_seconds, parse_size},
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{path::PathBuf, time::Duration};

const AFTER_HELP: &str = "\
Figures go to standard output as a table, and with --json FILE to a file as JSON as well.

Exit status: 0 the run was made and every operation succeeded; 1 the run could not be made;
2 the command line is wrong; 3 the run was made, but some operations failed (the first are shown).

Example, against a server on this machine:
  entente-bench box upload --url http://127.0.0.1:8080/box --token-file token --folder 0 \\
      --size 4KiB --concurrency 32 --seconds 15 --server-pid 4711 --json upload.json";

/// Load generator for Box-like, S3 and WebDAV endpoints.
///
/// Each of `--concurrency` workers owns one HTTP/1.1 connection, kept open, with Nagle's algorithm off, and asks
/// again as soon as it was answered. Everything runs on one thread unless --threads says otherwise, so that a server
/// on the same machine keeps the rest of it.
#[derive(Debug, Parser)]
#[command(name = "entente-bench", version, after_help = AFTER_HELP)]
pub struct Arguments {
    #[command(subcommand)]
    pub scenario: Scenario,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Also write the figures to FILE, as JSON
    #[arg(long, global = true, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Leave the table out
    #[arg(long, global = true)]
    pub no_table: bool,
    /// Process ids of the server, with commas: tells its CPU time per operation and its memory (same machine only)
    #[arg(long, global = true, value_name = "PID", value_delimiter = ',')]
    pub server_pid: Vec<u32>,
    /// Certificate authorities to trust, as PEM; needed for https
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Threads of the load generator itself
    #[arg(long, global = true, value_name = "N", default_value_t = 1)]
    pub threads: usize,
}

#[derive(Debug, Subcommand)]
pub enum Scenario {
    /// Scenarios for an endpoint that speaks like Box
    #[command(subcommand)]
    Box(BoxScenario),
    /// Scenarios for an S3 endpoint (path style, signature version 4)
    #[command(subcommand)]
    S3(S3Scenario),
    /// Scenarios for a WebDAV endpoint
    #[command(subcommand)]
    Dav(DavScenario),
    /// Scenarios for a SCIM 2.0 endpoint
    #[command(subcommand)]
    Scim(ScimScenario),
    /// Fetch one plain URL again and again
    #[command(subcommand)]
    Http(HttpScenario),
    /// Measure a folder's disk: bytes with one fsync a file, and fsyncs a second
    Disk(DiskArguments),
    /// Watch an idle server: its memory and CPU over some seconds (needs --server-pid)
    Idle(IdleArguments),
    /// Start a server on emulated clouds, let clients work, let something happen, and look whether all is well
    #[command(subcommand)]
    Drill(Drill),
    /// Gather the JSON files of a folder into one report, with targets beside what was reached
    Summary(SummaryArguments),
}

#[derive(Debug, Subcommand)]
pub enum BoxScenario {
    /// Make a folder and print its id alone
    CreateFolder(CreateFolderArguments),
    /// Upload new files of one size
    Upload(BoxUploadArguments),
    /// Download files from where their redirects point
    Download(BoxDownloadArguments),
    /// List a folder: its first page again and again, then every page by marker
    List(ListArguments),
    /// Rename a folder and move it to another parent and back
    MoveFolder(MoveFolderArguments),
    /// Large uploads, many slow downloads and a few fast ones at the same time: memory and fairness
    Mixed(MixedArguments),
    /// Fill a folder with small files and tell the rate as it grows
    Fill(FillArguments),
}

#[derive(Debug, Subcommand)]
pub enum S3Scenario {
    /// Put new objects of one size (the bucket is made if it is missing)
    Upload(S3UploadArguments),
    /// Get objects
    Download(S3DownloadArguments),
    /// List a bucket: its first page again and again, then every page
    List(S3ListArguments),
}

#[derive(Debug, Subcommand)]
pub enum DavScenario {
    /// Put new files of one size (the collection is made if it is missing)
    Upload(DavUploadArguments),
    /// Get the files of a collection
    Download(DavDownloadArguments),
    /// List a collection, depth 1
    Propfind(DavPropfindArguments),
}

#[derive(Debug, Subcommand)]
pub enum ScimScenario {
    /// Make users, and then groups of ten of them each, by Bulk
    Provision(ProvisionArguments),
}

#[derive(Debug, Subcommand)]
pub enum HttpScenario {
    /// GET a URL; anything but 200 is an error
    Get(HttpGetArguments),
}

/// Who to ask, and as whom.
#[derive(Debug, Clone, Args)]
pub struct BoxTarget {
    /// Base URL, as it is given to a Box SDK (uploads go to URL/upload) or to a directory
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Bearer token (seen by everyone on this machine; better --token-file)
    #[arg(long, value_name = "TOKEN", required_unless_present = "token_file")]
    pub token: Option<String>,
    /// File that holds the bearer token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
}

/// How hard and how long.
#[derive(Debug, Clone, Args)]
pub struct Effort {
    /// Workers, each with a connection of its own
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub concurrency: usize,
    /// Stop after so many operations
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
    /// Stop after so many seconds; 10 if neither this nor --count is given, and whichever comes first if both are
    #[arg(long, value_name = "S", value_parser = parse_seconds)]
    pub seconds: Option<Duration>,
    /// Run so many seconds before the measured part
    #[arg(long, value_name = "S", value_parser = parse_seconds)]
    pub warm_up_seconds: Option<Duration>,
    /// Give up after so many errors
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub errors_max: u64,
}

#[derive(Debug, Clone, Args)]
pub struct ProvisionArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    /// How many users are made
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub users: u64,
    /// How many groups are made
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub groups: u64,
    /// Users in a request
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub batch: u64,
    /// Workers, each with a connection of its own
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub concurrency: usize,
}

#[derive(Debug, Clone, Args)]
pub struct CreateFolderArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    /// Folder in which it is made; 0 is the root
    #[arg(long, value_name = "ID", default_value = "0")]
    pub parent: String,
    /// Its name
    #[arg(long, value_name = "NAME")]
    pub name: String,
}

#[derive(Debug, Clone, Args)]
pub struct BoxUploadArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    #[command(flatten)]
    pub effort: Effort,
    /// Folder to upload into
    #[arg(long, value_name = "ID", default_value = "0")]
    pub folder: String,
    /// Size of each file
    #[arg(long, value_name = "SIZE", default_value = "4KiB", value_parser = parse_size)]
    pub size: u64,
    /// How the request says where it ends
    #[arg(long, value_enum, default_value = "length")]
    pub framing: Framing,
    /// Keep id, size and SHA-1 of every file in the JSON, for `box download --from`
    #[arg(long)]
    pub keep_ids: bool,
}

#[derive(Debug, Clone, Args)]
pub struct BoxDownloadArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    #[command(flatten)]
    pub effort: Effort,
    /// Folder whose files are downloaded
    #[arg(long, value_name = "ID", required_unless_present = "from", conflicts_with = "from")]
    pub folder: Option<String>,
    /// JSON of an upload made with --keep-ids, whose files are downloaded
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// At most so many different files, each as often as time allows
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub files: usize,
    /// Compare every byte by its SHA-1 (costs the client CPU)
    #[arg(long)]
    pub verify: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ListArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    /// Folder to list
    #[arg(long, value_name = "ID", default_value = "0")]
    pub folder: String,
    /// Items on a page
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: u64,
    /// Ask for the first page so many times
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub repeats: u64,
    /// Walk at most so many later pages
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub pages: u64,
    /// Ask for these fields rather than the standard ones
    #[arg(long, value_name = "FIELDS")]
    pub fields: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct MoveFolderArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    /// Folder to rename and move; it has its old name and parent again afterwards
    #[arg(long, value_name = "ID")]
    pub folder: String,
    /// Rename it so many times, and move it so many times
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub repeats: u64,
}

#[derive(Debug, Clone, Args)]
pub struct MixedArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    /// Folder to work in
    #[arg(long, value_name = "ID", default_value = "0")]
    pub folder: String,
    /// Concurrent uploads
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub uploads: usize,
    /// Size of each of them
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = parse_size)]
    pub upload_size: u64,
    /// How uploads say where they end
    #[arg(long, value_enum, default_value = "length")]
    pub framing: Framing,
    /// Concurrent slow downloads
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub slow_downloads: usize,
    /// Bytes a second that each of them takes
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = parse_size)]
    pub slow_rate: u64,
    /// Size of the file that they download
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = parse_size)]
    pub slow_size: u64,
    /// Concurrent fast downloads
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub probes: usize,
    /// Size of the files that they download
    #[arg(long, value_name = "SIZE", default_value = "4KiB", value_parser = parse_size)]
    pub probe_size: u64,
    /// Length of the phases before the uploads begin
    #[arg(long, value_name = "S", default_value = "5", value_parser = parse_seconds)]
    pub phase_seconds: Duration,
}

#[derive(Debug, Clone, Args)]
pub struct FillArguments {
    #[command(flatten)]
    pub target: BoxTarget,
    /// Folder to fill
    #[arg(long, value_name = "ID", default_value = "0")]
    pub folder: String,
    /// Files to make
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub files: u64,
    /// Size of each file
    #[arg(long, value_name = "SIZE", default_value = "64", value_parser = parse_size)]
    pub size: u64,
    /// Workers, each with a connection of its own
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub concurrency: usize,
    /// Tell the rate of each so many files
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub window: u64,
    /// Give up after so many errors
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub errors_max: u64,
}

/// Where the bucket is, and as whom to sign.
#[derive(Debug, Clone, Args)]
pub struct S3Target {
    /// Endpoint, without the bucket
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Bucket
    #[arg(long, value_name = "NAME", default_value = "bench")]
    pub bucket: String,
    /// Access key id
    #[arg(long, value_name = "ID")]
    pub access_key: String,
    /// Secret access key
    #[arg(long, value_name = "SECRET")]
    pub secret_key: String,
    /// Region to sign for
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub region: String,
}

/// Whether a signature covers the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Payload {
    /// The body's SHA-256 is signed, as SDKs do over http
    Signed,
    /// `UNSIGNED-PAYLOAD`, as SDKs do over https
    Unsigned,
}

#[derive(Debug, Clone, Args)]
pub struct S3UploadArguments {
    #[command(flatten)]
    pub target: S3Target,
    #[command(flatten)]
    pub effort: Effort,
    /// Size of each object
    #[arg(long, value_name = "SIZE", default_value = "4KiB", value_parser = parse_size)]
    pub size: u64,
    /// What begins every key
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
    /// What the signature covers
    #[arg(long, value_enum, default_value = "signed")]
    pub payload: Payload,
}

#[derive(Debug, Clone, Args)]
pub struct S3DownloadArguments {
    #[command(flatten)]
    pub target: S3Target,
    #[command(flatten)]
    pub effort: Effort,
    /// Only keys that begin so
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
    /// At most so many different objects, each as often as time allows
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub files: usize,
}

#[derive(Debug, Clone, Args)]
pub struct S3ListArguments {
    #[command(flatten)]
    pub target: S3Target,
    /// Only keys that begin so
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub prefix: String,
    /// Keys on a page
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub limit: u64,
    /// Ask for the first page so many times
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub repeats: u64,
    /// Walk at most so many keys
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub keys: u64,
}

/// Which collection, and as whom.
#[derive(Debug, Clone, Args)]
pub struct DavTarget {
    /// Base URL, as it is given to a WebDAV client
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// Collection below it
    #[arg(long, value_name = "PATH", default_value = "bench")]
    pub folder: String,
    /// Bearer token (seen by everyone on this machine; better --token-file)
    #[arg(long, value_name = "TOKEN", required_unless_present = "token_file")]
    pub token: Option<String>,
    /// File that holds the bearer token
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    pub token_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct DavUploadArguments {
    #[command(flatten)]
    pub target: DavTarget,
    #[command(flatten)]
    pub effort: Effort,
    /// Size of each file
    #[arg(long, value_name = "SIZE", default_value = "4KiB", value_parser = parse_size)]
    pub size: u64,
}

#[derive(Debug, Clone, Args)]
pub struct DavDownloadArguments {
    #[command(flatten)]
    pub target: DavTarget,
    #[command(flatten)]
    pub effort: Effort,
    /// At most so many different files, each as often as time allows
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub files: usize,
}

#[derive(Debug, Clone, Args)]
pub struct DavPropfindArguments {
    #[command(flatten)]
    pub target: DavTarget,
    /// Ask so many times
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub repeats: u64,
}

#[derive(Debug, Clone, Args)]
pub struct HttpGetArguments {
    /// What to fetch
    #[arg(long, value_name = "URL")]
    pub url: String,
    #[command(flatten)]
    pub effort: Effort,
}

#[derive(Debug, Clone, Args)]
pub struct DiskArguments {
    /// Folder on the disk to be measured; files made in it are removed again
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Size of each file
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_size)]
    pub size: u64,
    /// Files written at the same time
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub jobs: usize,
    /// Files written in all
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub count: u64,
    /// Length of each measurement of fsyncs (with 1 job and with 32)
    #[arg(long, value_name = "S", default_value = "3", value_parser = parse_seconds)]
    pub fsync_seconds: Duration,
}

#[derive(Debug, Clone, Args)]
pub struct IdleArguments {
    /// How long to watch
    #[arg(long, value_name = "S", default_value = "5", value_parser = parse_seconds)]
    pub seconds: Duration,
}

#[derive(Debug, Clone, Args)]
pub struct SummaryArguments {
    /// Folder with the JSON files of single runs
    #[arg(long, value_name = "DIR")]
    pub results: PathBuf,
    /// Write the table of targets here, as Markdown
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Leave out rows whose runs were not made
    #[arg(long)]
    pub measured_only: bool,
    /// Text to put above the table
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}
