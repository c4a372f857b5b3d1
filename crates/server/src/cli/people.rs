//! The verbs for users and groups.

use super::Target;
use clap::{Args, Subcommand, ValueEnum};
use entente_model::UserRole;
use entente_tree::{Seat, UserKind, UserStatus};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum UserVerb {
    /// Make a user
    #[command(after_help = "Examples:
  entente user create --login anna@example.org --name 'Anna Example'
  entente user create --login bert@example.org --name Bert --role co-admin --json
  entente user create --login carla@example.org --name Carla --seat frontline")]
    Create(UserCreateArgs),
    /// List users
    #[command(after_help = "Examples:
  entente user list
  entente user list --filter anna
  entente user list --json | jq -r '.[].login'")]
    List(UserListArgs),
    /// Show a user
    #[command(after_help = "Examples:\n  entente user show --login anna@example.org --json")]
    Show(UserNamedArgs),
    /// Change a user
    #[command(after_help = "Examples:
  entente user update --login anna@example.org --name 'Anna Beispiel' --role co-admin
  entente user update --login anna@example.org --seat frontline --space-limit 5368709120")]
    Update(Box<UserUpdateArgs>),
    /// Set the password with which a user signs in at /oauth2/sign-in
    ///
    /// Asked for on a terminal, or else the first line of standard input: so that it is in no process listing.
    #[command(after_help = "Examples:
  entente user set-password --login anna@example.org
  pass show anna | entente user set-password --login anna@example.org")]
    SetPassword(UserNamedArgs),
    /// Print a link by which a user sets a password themselves
    ///
    /// Good once and for 24 hours, instead of any before it. Whoever has it can be that user: give it to nobody else.
    #[command(after_help = "Examples:\n  entente user password-link --login anna@example.org")]
    PasswordLink(UserNamedArgs),
    /// Keep a user out: what is theirs stays, and nothing that they signed in with is worth anything
    #[command(after_help = "Examples:\n  entente user deactivate --login anna@example.org")]
    Deactivate(UserNamedArgs),
    /// Remove a user
    ///
    /// Refused while the user owns content, unless that is to be removed for good as well.
    #[command(after_help = "Examples:\n  entente user delete --login anna@example.org --force")]
    Delete(UserDeleteArgs),
    /// Make many users at once, and tell of each line what became of it
    ///
    /// The file has a line for each user: login, name, role (user, co-admin or admin; may be empty) and the names of groups
    /// with a semicolon between them (may be empty). A first line that begins with `login` is a heading. A user who is there
    /// already is put into the groups and otherwise left alone; groups are made as they are needed.
    #[command(
        after_help = "Examples:\n  entente user import people.csv\n  entente user import people.csv --json > report.json"
    )]
    Import(UserImportArgs),
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
    /// Whether the user belongs to the enterprise
    #[arg(long, value_enum, value_name = "KIND", default_value_t = Kind::Person)]
    pub(crate) kind: Kind,
    /// What was bought for the user
    #[arg(long, value_enum, value_name = "SEAT", default_value_t = SeatNamed::Full)]
    pub(crate) seat: SeatNamed,
    /// How many bytes the user may store [default: any number; 2 GiB with a frontline seat]
    #[arg(long, value_name = "BYTES")]
    pub(crate) space_limit: Option<u64>,
}

#[derive(Args)]
pub(crate) struct UserListArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Only those whose login or name begins with this
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
}

#[derive(Args)]
pub(crate) struct UserNamedArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
}

#[derive(Args)]
pub(crate) struct UserUpdateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// Another login
    #[arg(long, value_name = "LOGIN")]
    pub(crate) new_login: Option<String>,
    /// Another name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Another role
    #[arg(long, value_enum, value_name = "ROLE")]
    pub(crate) role: Option<Role>,
    /// Whether the user may come in, and change things
    #[arg(long, value_enum, value_name = "STATUS")]
    pub(crate) status: Option<Status>,
    /// Another seat
    #[arg(long, value_enum, value_name = "SEAT")]
    pub(crate) seat: Option<SeatNamed>,
    /// How many bytes the user may store, or `any`
    #[arg(long, value_name = "BYTES", value_parser = space_limit)]
    pub(crate) space_limit: Option<SpaceLimit>,
}

/// How many bytes somebody may store; `None` for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpaceLimit(pub(crate) Option<u64>);

fn space_limit(text: &str) -> Result<SpaceLimit, String> {
    if text == "any" {
        return Ok(SpaceLimit(None));
    }
    text.parse().map(|bytes| SpaceLimit(Some(bytes))).map_err(|_| "give a number of bytes, or `any`".to_owned())
}

#[derive(Args)]
pub(crate) struct UserDeleteArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// Remove for good what the user owns, too
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Args)]
pub(crate) struct UserImportArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// The file: login,name,role,groups
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Belongs to the enterprise
    Person,
    /// From outside: stores nothing, and sees only what is shared with them
    External,
}

impl From<Kind> for UserKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Person => Self::Person,
            Kind::External => Self::External,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeatNamed {
    /// Everything
    Full,
    /// To use what others share: makes no groups, shared links and subscriptions, invites nobody, and stores less
    Frontline,
}

impl From<SeatNamed> for Seat {
    fn from(seat: SeatNamed) -> Self {
        match seat {
            SeatNamed::Full => Self::Full,
            SeatNamed::Frontline => Self::Frontline,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// May come in
    Active,
    /// May not
    Inactive,
    /// May come in, and changes and removes nothing
    CannotDeleteEdit,
    /// May come in, and neither changes nor removes nor adds anything
    CannotDeleteEditUpload,
}

impl From<Status> for UserStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Inactive => Self::Inactive,
            Status::CannotDeleteEdit => Self::CannotDeleteEdit,
            Status::CannotDeleteEditUpload => Self::CannotDeleteEditUpload,
        }
    }
}

#[derive(Subcommand)]
pub(crate) enum GroupVerb {
    /// Make a group
    #[command(after_help = "Examples:\n  entente group create --name Engineering --description 'Who builds it'")]
    Create(GroupCreateArgs),
    /// List groups, or who is in one
    #[command(after_help = "Examples:\n  entente group list\n  entente group list --group Engineering --json")]
    List(GroupListArgs),
    /// Put a user into a group
    #[command(after_help = "Examples:
  entente group add --group Engineering --login anna@example.org
  entente group add --group Engineering --login bert@example.org --admin")]
    Add(GroupMemberArgs),
    /// Take a user out of a group
    #[command(after_help = "Examples:\n  entente group remove --group Engineering --login anna@example.org")]
    Remove(GroupMemberArgs),
    /// Remove a group: what was given to it ends
    #[command(after_help = "Examples:\n  entente group delete --group Engineering")]
    Delete(GroupNamedArgs),
}

#[derive(Args)]
pub(crate) struct GroupCreateArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Its name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

#[derive(Args)]
pub(crate) struct GroupListArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Only groups whose name begins with this
    #[arg(long, value_name = "TEXT", conflicts_with = "group")]
    pub(crate) filter: Option<String>,
    /// Who is in this group
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
}

#[derive(Args)]
pub(crate) struct GroupMemberArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which group
    #[arg(long, value_name = "NAME")]
    pub(crate) group: String,
    /// Which user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
    /// As one who says who else is in it
    #[arg(long)]
    pub(crate) admin: bool,
}

#[derive(Args)]
pub(crate) struct GroupNamedArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which group
    #[arg(long, value_name = "NAME")]
    pub(crate) group: String,
}

impl UserVerb {
    /// Whether its answer is for programs.
    pub(crate) const fn wants_json(&self) -> bool {
        match self {
            Self::Create(arguments) => arguments.target.json,
            Self::List(arguments) => arguments.target.json,
            Self::Show(arguments)
            | Self::SetPassword(arguments)
            | Self::PasswordLink(arguments)
            | Self::Deactivate(arguments) => arguments.target.json,
            Self::Update(arguments) => arguments.target.json,
            Self::Delete(arguments) => arguments.target.json,
            Self::Import(arguments) => arguments.target.json,
        }
    }
}

impl GroupVerb {
    /// Whether its answer is for programs.
    pub(crate) const fn wants_json(&self) -> bool {
        match self {
            Self::Create(arguments) => arguments.target.json,
            Self::List(arguments) => arguments.target.json,
            Self::Add(arguments) | Self::Remove(arguments) => arguments.target.json,
            Self::Delete(arguments) => arguments.target.json,
        }
    }
}
