//! The verbs for what goes by itself.

use super::Target;
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum LifecycleVerb {
    /// List buckets with rules by which keys go, and when they were last followed
    #[command(after_help = "Examples:\n  entente lifecycle list --json")]
    List(Target),
    /// Follow the rules of buckets now, rather than once a day
    ///
    /// Safe at any time, beside a running server too. What goes can be restored from the trash for a while, and what may
    /// not be removed stays.
    #[command(after_help = "Examples:\n  entente lifecycle run\n  entente lifecycle run --bucket logs --json")]
    Run(LifecycleRunArgs),
}

#[derive(Args)]
pub(crate) struct LifecycleRunArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Only of this bucket
    #[arg(long, value_name = "BUCKET")]
    pub(crate) bucket: Option<String>,
}

impl LifecycleVerb {
    /// Whether its answer is for programs.
    pub(crate) const fn wants_json(&self) -> bool {
        match self {
            Self::List(target) => target.json,
            Self::Run(arguments) => arguments.target.json,
        }
    }
}
