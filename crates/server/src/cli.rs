//! The command line.

use crate::exit;
use crate::span::Span;
use clap::{Args, Parser, Subcommand, ValueEnum};
use entente_model::UserRole;
use std::net::SocketAddr;
use std::path::PathBuf;

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
    /// Make and list users
    #[command(subcommand)]
    User(UserVerb),
    /// Make and list applications
    #[command(subcommand)]
    App(AppVerb),
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
}

const SERVE_EXAMPLES: &str = "Examples:
  entente serve
  entente serve --data /srv/entente --listen 0.0.0.0:8443 --tls self-signed
  entente serve --config /etc/entente.toml --public-url https://files.example.org

The file DATA/ready.json says {\"url\", \"ca_file\", \"pid\", \"public_url\"} while requests are accepted.
The key file DATA/keys/local.key opens everything that is stored: back it up, apart from the data.";

/// What every verb but `serve` needs.
#[derive(Args)]
pub(crate) struct Target {
    /// The data directory
    #[arg(long, value_name = "DIR", default_value = DATA_DEFAULT)]
    pub(crate) data: PathBuf,
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
  entente token issue --data /srv/entente --login anna@example.org --expires 12h --json")]
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
    /// How long it lives, such as 90s, 15m, 12h or 30d
    #[arg(long, value_name = "SPAN", default_value = "30d")]
    pub(crate) expires: Span,
}

#[derive(Subcommand)]
pub(crate) enum UserVerb {
    /// Make a user
    #[command(after_help = "Examples:
  entente user create --login anna@example.org --name 'Anna Example'
  entente user create --login bert@example.org --name Bert --role co-admin --json")]
    Create(UserCreateArgs),
    /// List users
    #[command(after_help = "Examples:\n  entente user list\n  entente user list --json | jq -r '.[].login'")]
    List(Target),
}

#[derive(Args)]
pub(crate) struct UserCreateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// What the user signs in with: a mail address
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// What others call the user: 1 to 50 characters
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// What the user may do within the enterprise
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = Role::User)]
    pub(crate) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Works with content
    User,
    /// Administers users too
    CoAdmin,
    /// Administers everything
    Admin,
}

impl From<Role> for UserRole {
    fn from(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::CoAdmin => Self::CoAdmin,
            Role::Admin => Self::Admin,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum AppVerb {
    /// Make an application, and print its client id and its secret (shown this once)
    ///
    /// The application asks for tokens at /box/oauth2/token, by client credentials or by assertions that it signs,
    /// for its own service account or for any user of the enterprise: whoever has its secret can act as any of them.
    #[command(after_help = "Examples:
  entente app create --name backup
  openssl rsa -in private.pem -pubout | entente app create --name sync --public-key /dev/stdin --json")]
    Create(AppCreateArgs),
    /// List applications
    #[command(after_help = "Examples:\n  entente app list --json")]
    List(Target),
}

#[derive(Args)]
pub(crate) struct AppCreateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// What people call it: 1 to 50 characters
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The public key with which its assertions are checked (PEM, RSA of at least 2048 bits)
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
    /// What its service account may do within the enterprise. As with Box, it administers users unless told otherwise
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = Role::CoAdmin)]
    pub(crate) role: Role,
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
