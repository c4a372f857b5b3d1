//! The verbs that say with whom people sign in instead of a password.

use super::Target;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum SignInProviderVerb {
    /// Set the OpenID provider of the enterprise, whatever it was
    ///
    /// Register this server there first, with the redirect URI `PUBLIC_URL/oauth2/provider-back`.
    #[command(after_help = "Examples:
  entente sign-in-provider set --name Acme --issuer https://id.example.org --client-id entente --client-secret-file id.secret
  entente sign-in-provider set --name Acme --issuer https://id.example.org --client-id entente --make-users")]
    Set(Box<SignInProviderSetArgs>),
    /// Show the provider of the enterprise
    #[command(after_help = "Examples:\n  entente sign-in-provider show --json")]
    Show(Target),
    /// Take the provider away: people sign in with passwords
    #[command(after_help = "Examples:\n  entente sign-in-provider remove")]
    Remove(Target),
    /// Forget what the provider calls a user, who is then found by their mail address again
    #[command(after_help = "Examples:\n  entente sign-in-provider unbind --login anna@example.org")]
    Unbind(SignInProviderUserArgs),
}

#[derive(Args)]
pub(crate) struct SignInProviderSetArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// What people call the provider: 1 to 50 characters
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The URL by which the provider calls itself, letter for letter
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: String,
    /// What the provider calls this server
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: String,
    /// The file with the secret that both share [default: none; PKCE alone]
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Make whoever the provider vouches for and is not there; else they are refused
    #[arg(long)]
    pub(crate) make_users: bool,
}

#[derive(Args)]
pub(crate) struct SignInProviderUserArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Which user
    #[arg(long, value_name = "LOGIN")]
    pub(crate) login: String,
}

impl SignInProviderVerb {
    /// Whether the answer is for programs.
    pub(crate) fn json(&self) -> bool {
        match self {
            Self::Show(target) | Self::Remove(target) => target.json,
            Self::Set(arguments) => arguments.target.json,
            Self::Unbind(arguments) => arguments.target.json,
        }
    }
}
