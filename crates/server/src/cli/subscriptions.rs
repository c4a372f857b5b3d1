//! The verbs that look at what is told to subscribers.

use super::Target;
use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(crate) enum SubscriptionsVerb {
    /// List who is told of what, and how much is still to be told to each target
    #[command(after_help = "Examples:\n  entente subscriptions list --json")]
    List(Target),
    /// List deliveries that were given up after many attempts, with what went wrong last
    #[command(after_help = "Examples:\n  entente subscriptions dead --limit 20")]
    Dead(SubscriptionsSomeArgs),
    /// Send deliveries again that were given up
    ///
    /// They are sent beside whatever has happened since then at the same paths: receivers compare the sequencers.
    #[command(after_help = "Examples:\n  entente subscriptions retry")]
    Retry(SubscriptionsSomeArgs),
}

#[derive(Args)]
pub(crate) struct SubscriptionsSomeArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    /// How many at most, those first that were given up first
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
}

impl SubscriptionsVerb {
    /// Whether its answer is for programs.
    pub(crate) const fn wants_json(&self) -> bool {
        match self {
            Self::List(target) => target.json,
            Self::Dead(some) | Self::Retry(some) => some.target.json,
        }
    }
}
