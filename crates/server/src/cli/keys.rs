//! The verbs that make keys and passwords for programs.

use super::Target;
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum AppPasswordVerb {
    /// Make a password of a user for one program, and print it (and nothing else; it is shown this once)
    ///
    /// The program signs in with the user's login and this password. It can do what the user can with content, and
    /// nothing else.
    #[command(after_help = "Examples:
  entente app-password create --login anna@example.org --label 'Finder on my laptop'
  entente app-password create --login anna@example.org --label gallery --read-only --json")]
    Create(AppPasswordCreateArgs),
    /// List a user's passwords, without what they are
    #[command(after_help = "Examples:\n  entente app-password list --login anna@example.org")]
    List(AppPasswordListArgs),
    /// Make a password worth nothing, from the next request on
    #[command(after_help = "Examples:\n  entente app-password revoke 4611686018427387905")]
    Revoke(AppPasswordRevokeArgs),
}

#[derive(Args)]
pub(crate) struct AppPasswordCreateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Whose password
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// What it is for: 1 to 50 characters
    #[arg(long, value_name = "LABEL", default_value = "WebDAV")]
    pub(crate) label: String,
    /// It only reads
    #[arg(long)]
    pub(crate) read_only: bool,
}

#[derive(Args)]
pub(crate) struct AppPasswordListArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Whose passwords
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
}

#[derive(Args)]
pub(crate) struct AppPasswordRevokeArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The password's id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

#[derive(Subcommand)]
pub(crate) enum SecondFactorVerb {
    /// Require a second factor of everybody of the enterprise, from their next sign-in on
    ///
    /// Who has none sets one up between their password and the page that they want. What is signed in stays so.
    #[command(after_help = "Examples:\n  entente second-factor require")]
    Require(Target),
    /// Leave it to everybody whether they have one
    #[command(after_help = "Examples:\n  entente second-factor waive")]
    Waive(Target),
    /// Show whether a second factor is required, and whether a user has one
    #[command(after_help = "Examples:\n  entente second-factor show --login anna@example.org --json")]
    Show(SecondFactorShowArgs),
    /// Take the second factor away of a user who has lost it, with their recovery codes and passkeys
    #[command(after_help = "Examples:\n  entente second-factor reset --login anna@example.org")]
    Reset(SecondFactorResetArgs),
}

#[derive(Args)]
pub(crate) struct SecondFactorShowArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: Option<String>,
}

#[derive(Args)]
pub(crate) struct SecondFactorResetArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
}

impl SecondFactorVerb {
    /// Whether the answer is for programs.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Require(target) | Self::Waive(target) => target.json,
            Self::Show(arguments) => arguments.target.json,
            Self::Reset(arguments) => arguments.target.json,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum AccessKeyVerb {
    /// Make an access key of a user, and print its id and its secret (shown this once)
    ///
    /// A user can have several. With --read-only or --bucket a key does less than its user may.
    #[command(after_help = "Examples:
  entente access-key create --login admin@entente.local
  entente access-key create --login anna@example.org --label backup --bucket backups --json
  entente access-key create --login anna@example.org --label viewer --read-only --bucket photos --bucket films")]
    Create(AccessKeyCreateArgs),
    /// List access keys, revoked ones too
    #[command(after_help = "Examples:\n  entente access-key list --login anna@example.org --json")]
    List(AccessKeyListArgs),
    /// Make an access key worth nothing, from the next request on
    #[command(after_help = "Examples:\n  entente access-key revoke ENTJ4K2M7P9QRS5TUVW2")]
    Revoke(AccessKeyRevokeArgs),
}

#[derive(Args)]
pub(crate) struct AccessKeyCreateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Whose key
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// What it is called in lists: 1 to 50 characters
    #[arg(long, value_name = "LABEL", default_value = "S3")]
    pub(crate) label: String,
    /// It only reads
    #[arg(long)]
    pub(crate) read_only: bool,
    /// It reaches only this bucket; may be given several times
    #[arg(long = "bucket", value_name = "BUCKET")]
    pub(crate) buckets: Vec<String>,
}

#[derive(Args)]
pub(crate) struct AccessKeyListArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Only those of this user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: Option<String>,
}

#[derive(Args)]
pub(crate) struct AccessKeyRevokeArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The key's id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}
