//! The verbs for applications.

use super::Target;
use super::people::Role;
use clap::{Args, Subcommand, ValueEnum};
use entente_identity::{AppKind, AppState, Grants, KeyPlace};
use entente_model::Scopes;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum AppVerb {
    /// Make an application, and print its client id and its secret (shown this once)
    ///
    /// The application asks for tokens at /oauth2/token (Box's clients at /box/oauth2/token): by codes that users bring back
    /// from /oauth2/authorize, by client credentials, or by assertions that it signs. The last two are for its own service
    /// account or, unless that is ruled out, for any user of the enterprise: whoever has its secret can act as any of them.
    #[command(after_help = "Examples:
  entente app create --name backup
  entente app create --name portal --redirect-uri https://portal.example.org/back --not-as-users
  entente app create --name desktop --public --redirect-uri http://127.0.0.1/back --scopes 'read download'
  openssl rsa -in private.pem -pubout | entente app create --name sync --public-key /dev/stdin --json")]
    Create(Box<AppCreateArgs>),
    /// List applications
    #[command(after_help = "Examples:\n  entente app list --json")]
    List(Target),
    /// Show an application
    #[command(after_help = "Examples:\n  entente app show --app 4611686018427387905 --json")]
    Show(AppNamedArgs),
    /// Change an application; tokens that it has already follow at once
    #[command(after_help = "Examples:
  entente app update --app 4611686018427387905 --state disabled
  entente app update --app 4611686018427387905 --redirect-uri https://a.example.org/back --redirect-uri https://b.example.org/back
  entente app update --app 4611686018427387905 --grants 'code exchange' --as-users no")]
    Update(Box<AppUpdateArgs>),
    /// Remove an application: nothing that it has is worth anything any more
    #[command(after_help = "Examples:\n  entente app remove --app 4611686018427387905")]
    Remove(AppNamedArgs),
    /// Give an application another secret instead of the one that it has, and print it (shown this once)
    #[command(after_help = "Examples:\n  entente app rotate-secret --app 4611686018427387905")]
    RotateSecret(AppNamedArgs),
    /// Give an application another key with which what its webhooks are told is signed, and print it (shown this once)
    ///
    /// There are two, and each delivery is signed with both: change one, let receivers know it, then change the other.
    #[command(after_help = "Examples:\n  entente app rotate-signature-key --app 4611686018427387905 --key primary")]
    RotateSignatureKey(SignatureKeyArgs),
}

impl AppVerb {
    /// Whether its answer is for programs.
    pub(crate) const fn wants_json(&self) -> bool {
        match self {
            Self::Create(arguments) => arguments.target.json,
            Self::List(target) => target.json,
            Self::Show(arguments) | Self::Remove(arguments) | Self::RotateSecret(arguments) => arguments.target.json,
            Self::Update(arguments) => arguments.target.json,
            Self::RotateSignatureKey(arguments) => arguments.named.target.json,
        }
    }
}

#[derive(Args)]
pub(crate) struct AppCreateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// What people call it: 1 to 50 characters
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The public key with which its assertions are checked (PEM, RSA of at least 2048 bits)
    #[arg(long, value_name = "FILE", conflicts_with = "public")]
    pub(crate) public_key: Option<PathBuf>,
    /// What its service account may do within the enterprise. As with Box, it administers users unless told otherwise
    #[arg(long, value_enum, value_name = "ROLE", default_value_t = Role::CoAdmin)]
    pub(crate) role: Role,
    /// It runs on machines of its users and cannot keep a secret: it gets none, and must use PKCE
    #[arg(long)]
    pub(crate) public: bool,
    /// Where browsers are sent back to; may be given up to 20 times. On this machine itself, the port does not matter
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Vec<String>,
    /// What its tokens may be used for at most, with spaces between: read download upload change delete share administer
    /// [default: all]
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scopes: Option<Scopes>,
    /// How it may ask for tokens, with spaces between: code credentials assertion exchange [default: all]
    #[arg(long, value_name = "GRANTS")]
    pub(crate) grants: Option<Grants>,
    /// It may not act as users who have not let it
    #[arg(long)]
    pub(crate) not_as_users: bool,
}

impl AppCreateArgs {
    pub(crate) const fn kind(&self) -> AppKind {
        if self.public { AppKind::Public } else { AppKind::Confidential }
    }
}

#[derive(Args)]
pub(crate) struct AppNamedArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which application: its id or its client id
    #[arg(long, value_name = "ID")]
    pub(crate) app: String,
}

#[derive(Args)]
pub(crate) struct SignatureKeyArgs {
    #[command(flatten)]
    pub(crate) named: AppNamedArgs,
    /// Which of the two
    #[arg(long, value_enum, value_name = "KEY", default_value_t = KeyNamed::Primary)]
    pub(crate) key: KeyNamed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyNamed {
    /// The one that receivers try first
    Primary,
    /// The other one
    Secondary,
}

impl From<KeyNamed> for KeyPlace {
    fn from(key: KeyNamed) -> Self {
        match key {
            KeyNamed::Primary => Self::Primary,
            KeyNamed::Secondary => Self::Secondary,
        }
    }
}

#[derive(Args)]
pub(crate) struct AppUpdateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which application: its id or its client id
    #[arg(long, value_name = "ID")]
    pub(crate) app: String,
    /// Another name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Whether it may be used
    #[arg(long, value_enum, value_name = "STATE")]
    pub(crate) state: Option<StateNamed>,
    /// Where browsers are sent back to, instead of what was there; may be given up to 20 times
    #[arg(long, value_name = "URI")]
    pub(crate) redirect_uri: Option<Vec<String>>,
    /// What its tokens may be used for at most, with spaces between
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scopes: Option<Scopes>,
    /// How it may ask for tokens, with spaces between
    #[arg(long, value_name = "GRANTS")]
    pub(crate) grants: Option<Grants>,
    /// Whether it may act as users who have not let it
    #[arg(long, value_enum, value_name = "ANSWER")]
    pub(crate) as_users: Option<Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateNamed {
    /// It may be used
    Enabled,
    /// Nothing of its own is worth anything while it is so
    Disabled,
}

impl From<StateNamed> for AppState {
    fn from(state: StateNamed) -> Self {
        match state {
            StateNamed::Enabled => Self::Enabled,
            StateNamed::Disabled => Self::Disabled,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Answer {
    /// It may
    Yes,
    /// It may not
    No,
}
