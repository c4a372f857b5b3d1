//! The command line.

mod apps;
mod keys;
mod lifecycle;
mod people;
mod providers;
mod subscriptions;

use crate::exit;
use crate::rate::Rate;
use crate::span::Span;
pub(crate) use apps::{Answer, AppCreateArgs, AppNamedArgs, AppUpdateArgs, AppVerb, SignatureKeyArgs};
use clap::{Args, Parser, Subcommand, ValueEnum};
use entente_model::Scopes;
pub(crate) use keys::{
    AccessKeyCreateArgs, AccessKeyListArgs, AccessKeyRevokeArgs, AccessKeyVerb, AppPasswordCreateArgs,
    AppPasswordListArgs, AppPasswordRevokeArgs, AppPasswordVerb, SecondFactorResetArgs, SecondFactorShowArgs,
    SecondFactorVerb,
};
pub(crate) use lifecycle::{LifecycleRunArgs, LifecycleVerb};
pub(crate) use people::{
    GroupCreateArgs, GroupListArgs, GroupMemberArgs, GroupNamedArgs, GroupVerb, UserCreateArgs, UserDeleteArgs,
    UserImportArgs, UserListArgs, UserNamedArgs, UserUpdateArgs, UserVerb,
};
pub(crate) use providers::{SignInProviderSetArgs, SignInProviderUserArgs, SignInProviderVerb};
use std::net::SocketAddr;
use std::path::PathBuf;
pub(crate) use subscriptions::{SubscriptionsSomeArgs, SubscriptionsVerb};

/// Where data is when nobody says.
pub(crate) const DATA_DEFAULT: &str = "entente-data";
/// Where clients come in when nobody says.
pub(crate) const LISTEN_DEFAULT: &str = "127.0.0.1:8080";

/// Entente: an enterprise content platform of your own.
///
/// `entente serve` needs nothing else: with no configuration it makes a data directory, an enterprise and an
/// administrator, and says how to log in. Every other verb works on the same data directory, whether a server runs on
/// it or not.
#[derive(Parser)]
#[command(name = "entente", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const LOG_HEADING: &str = "Log";

#[derive(Args)]
pub(crate) struct LogArgs {
    /// How the log on standard error looks: text, or json with one object a line
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    #[arg(help_heading = LOG_HEADING, hide_possible_values = true)]
    pub(crate) log: LogFormat,
    /// What is logged: error, warn, info, debug, trace, or a filter such as `info,access=debug` (which logs each
    /// request). The environment variable ENTENTE_LOG says the same
    #[arg(long, global = true, value_name = "LEVEL", help_heading = LOG_HEADING)]
    pub(crate) log_level: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One object a line
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Serve clients until told to stop (SIGTERM or Ctrl-C)
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArgs>),
    /// Issue and revoke bearer tokens
    #[command(subcommand)]
    Token(TokenVerb),
    /// Make, list, change and remove users
    #[command(subcommand)]
    User(UserVerb),
    /// Make and remove groups, and say who is in them
    #[command(subcommand)]
    Group(GroupVerb),
    /// Make, list and change applications
    #[command(subcommand)]
    App(AppVerb),
    /// Make, list and revoke passwords for programs that know only a login and a password, such as WebDAV clients
    #[command(subcommand)]
    AppPassword(AppPasswordVerb),
    /// Require a code besides the password, and help who has lost their device
    #[command(subcommand)]
    SecondFactor(SecondFactorVerb),
    /// Say with which OpenID provider people sign in instead of a password
    #[command(subcommand)]
    SignInProvider(SignInProviderVerb),
    /// Make, list and revoke access keys for S3 clients
    #[command(subcommand)]
    AccessKey(AccessKeyVerb),
    /// See who is told of changes, and what could not be told
    #[command(subcommand)]
    Subscriptions(SubscriptionsVerb),
    /// Follow the rules by which keys of buckets go, and see what they did
    #[command(subcommand)]
    Lifecycle(LifecycleVerb),
    /// Show what the data directory holds and whether a server runs on it
    #[command(after_help = "Examples:\n  entente status\n  entente status --data /srv/entente --json")]
    Status(Target),
    /// Check every stored byte against what should be there
    ///
    /// Reads every chunk of every file, opens it with its key, and compares backends and database in both directions.
    /// Changes nothing, and may be interrupted. Exit status 0: nothing is damaged (garbage that `entente collect`
    /// removes is reported, and is no damage); 1: damage was found.
    #[command(
        after_help = "Examples:\n  entente verify\n  entente verify --quick\n  entente verify --json > report.json"
    )]
    Verify(VerifyArgs),
    /// Remove stored bytes to which nothing refers any more
    ///
    /// Safe at any time, beside a running server too. A server does this by itself now and then.
    #[command(after_help = "Examples:\n  entente collect\n  entente collect --grace 2h --json")]
    Collect(CollectArgs),
    /// Move what is live out of segments that are mostly dead, so that `collect` can free them
    ///
    /// Safe at any time, beside a running server too. A server does this by itself now and then.
    #[command(
        after_help = "Examples:\n  entente repack && entente collect\n  entente repack --live-share 0.5 --age 0s"
    )]
    Repack(RepackArgs),
    /// Check, show and reload the configuration
    #[command(subcommand)]
    Config(ConfigVerb),
    /// List backends with their health and holdings, and put one to the test
    #[command(subcommand)]
    Backend(BackendVerb),
    /// List zones
    #[command(subcommand)]
    Zone(ZoneVerb),
    /// List storage policies, and assign them
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Move what is stored: from one backend to another, or of a user or a folder to another policy
    ///
    /// Everybody goes on reading and writing meanwhile. From the order on, new content goes to the target; what is at the
    /// source is copied, read back and compared before the source's copy goes. It can be interrupted anywhere. A running
    /// server does the work, and Ctrl-C only ends the watching; without one it is done here, and Ctrl-C leaves the rest
    /// for the next server. To undo a move, move back.
    #[command(after_help = RELOCATE_EXAMPLES, args_conflicts_with_subcommands = true)]
    Relocate(Box<RelocateArgs>),
    /// Compare backends with the ledger, and show what was found
    #[command(subcommand)]
    Scrub(ScrubVerb),
    /// Move the metadata of a store from the data directory to a database server
    ///
    /// The server must be stopped for as long as it takes: a minute or so for a million files. Everything is read back and
    /// compared. Until all of that is done the store is as it was; from then on the file in the data directory is marked,
    /// and no server opens it any more. May be broken off, and run again.
    #[command(after_help = MIGRATE_DATABASE_EXAMPLES)]
    MigrateDatabase(MigrateDatabaseArgs),
    /// Make one picture of what comes on standard input. The server starts this by itself
    #[command(hide = true)]
    PictureWorker(PictureWorkerArgs),
    /// Make a PDF, a page or the text of a document that comes on standard input. The server starts this by itself
    #[command(hide = true)]
    DocumentWorker(DocumentWorkerArgs),
}

const RELOCATE_EXAMPLES: &str = "Examples:
  entente relocate --from azure-fr --to gcs-fr --dry-run --price-egress-per-gb 0.087
  entente relocate --from azure-fr --to gcs-fr --rate 50MB/s
  entente relocate --zone france --to gcs-fr
  entente relocate --user anna@example.org --to-policy germany-once
  entente relocate list
  entente relocate pause 4611686018427387905";

const SERVE_EXAMPLES: &str = "Examples:
  entente serve
  entente serve --data /srv/entente --listen 0.0.0.0:8443 --tls self-signed
  entente serve --config /etc/entente.toml --public-url https://files.example.org

The file DATA/ready.json says {\"url\", \"ca_file\", \"pid\", \"public_url\", \"admin_url\", \"s3_url\"} while requests are accepted.
SIGHUP reads the configuration file again: backends, zones and policies change without a restart.
The key file DATA/keys/local.key opens everything that is stored: back it up, apart from the data.";

const MIGRATE_DATABASE_EXAMPLES: &str = "Examples:
  entente migrate-database --from sqlite --to postgres --config /etc/entente.toml
  entente migrate-database --from sqlite --to postgres --url postgres://entente@db.example.org/entente

The database on the server is made beforehand, and empty (CREATE DATABASE entente OWNER entente). Afterwards `url` under
[database] names it, for every node.";

#[derive(Args)]
pub(crate) struct PictureWorkerArgs {
    /// png or jpg
    pub(crate) format: String,
    /// The longest side, in pixels
    pub(crate) side_max: u16,
    /// How long the text of the watermark is, in bytes, which comes before the image
    #[arg(default_value_t = 0)]
    pub(crate) watermark_bytes: u16,
}

#[derive(Args)]
pub(crate) struct DocumentWorkerArgs {
    /// outside or inside the sandbox
    pub(crate) stage: String,
    /// pdf, page or text
    pub(crate) task: String,
    /// The extension of an Office file, or the number of a page
    #[arg(default_value = "")]
    pub(crate) argument: String,
}

#[derive(Args)]
pub(crate) struct MigrateDatabaseArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// What the metadata is in: sqlite
    #[arg(long, value_enum, value_name = "ENGINE", hide_possible_values = true)]
    pub(crate) from: EngineFrom,
    /// What it is to be in: postgres
    #[arg(long, value_enum, value_name = "ENGINE", hide_possible_values = true)]
    pub(crate) to: EngineTo,
    /// Where it goes [default: the `url` under `[database]` of the configuration file, which also says its password]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineFrom {
    /// A file in the data directory
    Sqlite,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineTo {
    /// A server that speaks as PostgreSQL does
    Postgres,
}

/// What every verb but `serve` needs.
#[derive(Args)]
pub(crate) struct Target {
    /// The data directory [default: the configuration's, or entente-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file [default: the one that the server of the data directory was started with, if with any]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct ServeArgs {
    /// The data directory; made if it is not there [default: entente-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// The address to listen on; port 0 takes any free port [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// The address to listen on for S3 clients; port 0 takes any free port [default: 127.0.0.1, the port after that of
    /// --listen]
    #[arg(long, value_name = "ADDR")]
    pub(crate) s3_listen: Option<SocketAddr>,
    /// `self-signed`: serve under a certificate of an authority of our own, kept in DATA/tls
    #[arg(long, value_enum, value_name = "KIND", hide_possible_values = true, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) tls: Option<TlsKind>,
    /// Serve under this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The URL by which clients reach this server, when it is not the one that they connect to
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<String>,
    /// The configuration file; options of the command line count more
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Go back to a storage configuration that was in force before, on all nodes. Without this, an earlier one is refused:
    /// most likely it was forgotten to give this node the newer file
    #[arg(long)]
    pub(crate) accept_config: bool,
    /// Print JSON: what ready.json says, once requests are accepted
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TlsKind {
    /// An authority of our own
    SelfSigned,
}

#[derive(Subcommand)]
pub(crate) enum TokenVerb {
    /// Issue a bearer token for a user, and print it (and nothing else)
    #[command(after_help = "Examples:
  TOKEN=$(entente token issue --login admin@entente.local)
  entente token issue --data /srv/entente --login anna@example.org --expires 12h --json
  entente token issue --login anna@example.org --app 4611686018427387905")]
    Issue(TokenIssueArgs),
    /// Make a token worth nothing. Reads the token from standard input, so that it is in no process listing
    #[command(after_help = "Examples:\n  echo \"$TOKEN\" | entente token revoke")]
    Revoke(Target),
}

#[derive(Args)]
pub(crate) struct TokenIssueArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Whose token
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// Through which application the user asks: its id or its client id. A developer's token, to try what the application
    /// will do
    #[arg(long, value_name = "ID")]
    pub(crate) app: Option<String>,
    /// How long it lives, such as 90s, 15m, 12h or 30d [default: 30d, and 60m of an application]
    #[arg(long, value_name = "SPAN")]
    pub(crate) expires: Option<Span>,
    /// What it may be used for, with spaces between: read download upload change delete share administer [default: all]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scopes: Option<Scopes>,
}

#[derive(Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Compare what is recorded and the sizes of stored objects only, without reading them
    #[arg(long)]
    pub(crate) quick: bool,
}

#[derive(Args)]
pub(crate) struct CollectArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// How old garbage must be. While a server runs, an hour at least, for the sake of uploads under way
    #[arg(long, value_name = "SPAN", default_value = "24h")]
    pub(crate) grace: Span,
}

#[derive(Args)]
pub(crate) struct RepackArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Repack segments of which at most this share is live, from 0 to 1 [default: a third]
    #[arg(long, value_name = "SHARE")]
    pub(crate) live_share: Option<f64>,
    /// Repack segments at least this old
    #[arg(long, value_name = "SPAN", default_value = "1h")]
    pub(crate) age: Span,
}

#[derive(Args)]
pub(crate) struct ReloadArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Go back to a storage configuration that was in force before, on all nodes
    #[arg(long)]
    pub(crate) accept_config: bool,
}

#[derive(Subcommand)]
pub(crate) enum ConfigVerb {
    /// Say everything that is wrong with a configuration file, by line and field
    ///
    /// Looks at the file alone: neither at backends nor at what is stored. Exit status 0: nothing is wrong; 2: something is.
    #[command(after_help = "Examples:\n  entente config check --config /etc/entente.toml")]
    Check(Target),
    /// Show what is configured, with what holds where the file says nothing. Shows no secret
    #[command(after_help = "Examples:\n  entente config show --config /etc/entente.toml")]
    Show(Target),
    /// Let the running server read its configuration file again
    ///
    /// What the file says of backends, zones, custodians and policies is in force when this ends, without a restart; or
    /// nothing has changed, and the reason is told. Everything else of the file holds from the next start on.
    #[command(after_help = "Examples:\n  entente config reload --data /srv/entente")]
    Reload(ReloadArgs),
}

#[derive(Subcommand)]
pub(crate) enum BackendVerb {
    /// List backends: what they are, how they are, and what they hold
    #[command(after_help = "Examples:\n  entente backend list\n  entente backend list --json | jq '.[].health.state'")]
    List(Target),
    /// Put a backend to the test: does it keep every promise that content relies on?
    ///
    /// Makes some 1,500 small objects under fresh names, moves some 300 MB, and removes them again, so it may be run on a
    /// backend in use. Exit status 0: it passed; 1: it did not.
    #[command(after_help = "Examples:\n  entente backend check azure-fr")]
    Check(BackendCheckArgs),
}

#[derive(Args)]
pub(crate) struct BackendCheckArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Its name in the configuration
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
}

#[derive(Subcommand)]
pub(crate) enum ZoneVerb {
    /// List zones: their jurisdictions, backends, custodians and policies
    #[command(after_help = "Examples:\n  entente zone list --json")]
    List(Target),
}

#[derive(Subcommand)]
pub(crate) enum PolicyVerb {
    /// List storage policies, and what is stored under them
    #[command(after_help = "Examples:\n  entente policy list --json")]
    List(Target),
    /// Give a user, or everybody without a policy of their own, a storage policy
    ///
    /// New content follows it at once. What is stored already is moved by a running server afterwards.
    #[command(after_help = "Examples:
  entente policy assign --login anna@example.org france-twice
  entente policy assign --enterprise Entente germany-once")]
    Assign(PolicyAssignArgs),
}

#[derive(Args)]
#[group(id = "assignee", required = true, multiple = false, args = ["login", "enterprise"])]
pub(crate) struct PolicyAssignArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// To this user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: Option<String>,
    /// To this enterprise
    #[arg(long, value_name = "NAME")]
    pub(crate) enterprise: Option<String>,
    /// The policy's name in the configuration
    #[arg(value_name = "POLICY")]
    pub(crate) policy: String,
}

#[derive(Args)]
pub(crate) struct RelocateArgs {
    #[command(subcommand)]
    pub(crate) verb: Option<RelocateVerb>,
    #[command(flatten)]
    pub(crate) target: Target,
    /// The backend to be emptied. With --zone or --policy it may be left out: then it is where their first copies are
    #[arg(long, value_name = "BACKEND")]
    pub(crate) from: Option<String>,
    /// The backend that takes its place
    #[arg(long, value_name = "BACKEND")]
    pub(crate) to: Option<String>,
    /// Only what is in this zone
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// Only what is stored under this policy
    #[arg(long, value_name = "POLICY")]
    pub(crate) policy: Option<String>,
    /// What this user owns, older versions and trash too; the user has the policy from then on
    #[arg(long, value_name = "LOGIN")]
    pub(crate) user: Option<String>,
    /// What is in this folder now
    #[arg(long, value_name = "ID")]
    pub(crate) folder: Option<String>,
    /// The policy to which a user or a folder is moved
    #[arg(long, value_name = "POLICY")]
    pub(crate) to_policy: Option<String>,
    /// How much may be moved in a second, such as 50MB/s or 8MiB/s [default: as much as it can]
    #[arg(long, value_name = "RATE")]
    pub(crate) rate: Option<Rate>,
    /// How long what has been moved stays at the source, and uploads under way are waited for [default: 10m]
    #[arg(long, value_name = "SPAN")]
    pub(crate) grace: Option<Span>,
    /// Say what it would take, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Order it, and do not wait for its end
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) detach: bool,
    /// For --dry-run: what a gigabyte costs that leaves the source
    #[arg(long, value_name = "PRICE", default_value_t = 0.0)]
    pub(crate) price_egress_per_gb: f64,
    /// For --dry-run: what a thousand writes cost
    #[arg(long, value_name = "PRICE", default_value_t = 0.0)]
    pub(crate) price_per_1000_puts: f64,
    /// For --dry-run: what a thousand reads cost
    #[arg(long, value_name = "PRICE", default_value_t = 0.0)]
    pub(crate) price_per_1000_gets: f64,
}

impl RelocateArgs {
    pub(crate) fn wants_json(&self) -> bool {
        match &self.verb {
            None => self.target.json,
            Some(RelocateVerb::List(target)) => target.json,
            Some(
                RelocateVerb::Show(one)
                | RelocateVerb::Wait(one)
                | RelocateVerb::Pause(one)
                | RelocateVerb::Resume(one)
                | RelocateVerb::Cancel(one),
            ) => one.target.json,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum RelocateVerb {
    /// List relocations, the newest first
    List(Target),
    /// Show how far a relocation is
    Show(RelocationArgs),
    /// Watch a relocation until its end; without a server, do its work
    Wait(RelocationArgs),
    /// Let a relocation stand still. New content goes to its target all the same
    Pause(RelocationArgs),
    /// Let a paused relocation go on
    Resume(RelocationArgs),
    /// Call a relocation off: policies mean its source again, and what it has moved comes back
    Cancel(RelocationArgs),
}

#[derive(Args)]
pub(crate) struct RelocationArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Its id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Subcommand)]
pub(crate) enum ScrubVerb {
    /// Compare a backend, or all, with the ledger: in both directions, and byte for byte. A server does this by itself
    ///
    /// Damage is repaired from another copy, if there is one, by the server. Without a server it is done here.
    #[command(after_help = "Examples:\n  entente scrub start\n  entente scrub start --backend azure-fr --wait")]
    Start(ScrubStartArgs),
    /// Say of each backend when it was compared, what was found, and what is not repaired yet: for auditors
    ///
    /// Exit status 0: every backend was compared once, and nothing is damaged; 1: something is, or was not compared yet.
    #[command(after_help = "Examples:\n  entente scrub report --json > report.json")]
    Report(Target),
}

#[derive(Args)]
pub(crate) struct ScrubStartArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Only this backend; may be given several times
    #[arg(long = "backend", value_name = "BACKEND")]
    pub(crate) backends: Vec<String>,
    /// Wait for its end
    #[arg(long)]
    pub(crate) wait: bool,
}
