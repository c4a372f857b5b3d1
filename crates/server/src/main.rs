//! The program: composes the rooms, and speaks with the operator.
//!
//! `serve` runs a server; every other verb opens the same data directory, whether a server runs on it or not. What a
//! verb prints and how it exits is a promise to scripts: see `exit` and `output`.

mod asking;
mod banner;
mod cli;
mod compose;
mod config;
mod data;
mod exit;
mod front;
mod log;
mod metering;
mod output;
mod post;
mod progress;
mod rate;
mod relocation;
mod signals;
mod span;
mod status;
mod storage;
mod store;
mod subscribers;
mod upkeep;
mod verbs;

use clap::Parser;
use cli::{
    AccessKeyVerb, AppPasswordVerb, BackendVerb, Cli, ConfigVerb, PolicyVerb, ScrubVerb, TokenVerb, Verb, ZoneVerb,
};
use entente_world::{Shutdown, World};
use exit::{Exit, Failure};
use rustix::fs::Mode;
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Threads for what blocks (fsync, mostly); more work waits.
const BLOCKING_THREADS_MAX: usize = 64;
/// How long such a thread waits for more before it goes.
const BLOCKING_THREAD_KEPT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    // Whatever is made is for this user alone.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let cli = Cli::parse();
    if let Verb::PictureWorker(arguments) = &cli.verb {
        // It gives up nearly everything, which takes a process with one thread and nothing begun.
        return entente_pictures::worker::run(&arguments.format, arguments.side_max, arguments.watermark_bytes);
    }
    if let Verb::DocumentWorker(arguments) = &cli.verb {
        return entente_pictures::document::run(&arguments.stage, &arguments.task, &arguments.argument);
    }
    let format = verbs::format(wants_json(&cli.verb));
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            failure.report(format);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let level = if matches!(cli.verb, Verb::Serve(_)) { "info" } else { "warn" };
    log::start(&cli.log, level)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_keep_alive(BLOCKING_THREAD_KEPT)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("the runtime cannot be started: {error}")))?;
    runtime.block_on(async {
        let world = World::real();
        let (trigger, shutdown) = Shutdown::new();
        signals::watch(&world, trigger)?;
        dispatch(&world, cli.verb, shutdown).await
    })
}

async fn dispatch(world: &World, verb: Verb, shutdown: Shutdown) -> Result<Exit, Failure> {
    match verb {
        // Answered in `main`.
        Verb::PictureWorker(_) | Verb::DocumentWorker(_) => Ok(Exit::Failed),
        Verb::Serve(arguments) => verbs::serve::run(world, *arguments, shutdown).await,
        Verb::Token(verb) => verbs::token::run(world, verb).await,
        Verb::User(verb) => verbs::user::run(world, verb).await,
        Verb::Group(verb) => verbs::group::run(world, verb).await,
        Verb::App(verb) => verbs::app::run(world, verb).await,
        Verb::AppPassword(verb) => verbs::app_password::run(world, verb).await,
        Verb::SecondFactor(verb) => verbs::second_factor::run(world, verb).await,
        Verb::SignInProvider(verb) => verbs::sign_in_provider::run(world, verb).await,
        Verb::AccessKey(verb) => verbs::access_key::run(world, verb).await,
        Verb::Subscriptions(verb) => verbs::subscriptions::run(world, verb).await,
        Verb::Lifecycle(verb) => verbs::lifecycle::run(world, verb, shutdown).await,
        Verb::Status(target) => verbs::status::run(world, &target).await,
        Verb::Verify(arguments) => verbs::upkeep::verify(world, arguments, shutdown).await,
        Verb::Collect(arguments) => verbs::upkeep::collect(world, arguments, shutdown).await,
        Verb::Repack(arguments) => verbs::upkeep::repack(world, arguments, shutdown).await,
        Verb::Config(verb) => verbs::config::run(world, verb).await,
        Verb::Backend(verb) => verbs::backend::run(world, verb, shutdown).await,
        Verb::Zone(verb) => verbs::zone::run(world, verb).await,
        Verb::Policy(verb) => verbs::policy::run(world, verb).await,
        Verb::Relocate(arguments) => verbs::relocate::run(world, *arguments, shutdown).await,
        Verb::Scrub(verb) => verbs::scrub::run(world, verb, shutdown).await,
        Verb::MigrateDatabase(arguments) => verbs::migrate_database::run(world, arguments, shutdown).await,
    }
}

fn wants_json(verb: &Verb) -> bool {
    match verb {
        Verb::PictureWorker(_) | Verb::DocumentWorker(_) => false,
        Verb::Serve(arguments) => arguments.json,
        Verb::Token(TokenVerb::Issue(arguments)) => arguments.target.json,
        Verb::User(verb) => verb.wants_json(),
        Verb::Group(verb) => verb.wants_json(),
        Verb::App(verb) => verb.wants_json(),
        Verb::SecondFactor(verb) => verb.json(),
        Verb::SignInProvider(verb) => verb.json(),
        Verb::AppPassword(AppPasswordVerb::Create(arguments)) => arguments.target.json,
        Verb::AppPassword(AppPasswordVerb::List(arguments)) => arguments.target.json,
        Verb::AppPassword(AppPasswordVerb::Revoke(arguments)) => arguments.target.json,
        Verb::Subscriptions(verb) => verb.wants_json(),
        Verb::Lifecycle(verb) => verb.wants_json(),
        Verb::AccessKey(AccessKeyVerb::Create(arguments)) => arguments.target.json,
        Verb::AccessKey(AccessKeyVerb::List(arguments)) => arguments.target.json,
        Verb::AccessKey(AccessKeyVerb::Revoke(arguments)) => arguments.target.json,
        Verb::Verify(arguments) => arguments.target.json,
        Verb::Collect(arguments) => arguments.target.json,
        Verb::Repack(arguments) => arguments.target.json,
        Verb::Backend(BackendVerb::Check(arguments)) => arguments.target.json,
        Verb::Policy(PolicyVerb::Assign(arguments)) => arguments.target.json,
        Verb::Relocate(arguments) => arguments.wants_json(),
        Verb::MigrateDatabase(arguments) => arguments.target.json,
        Verb::Config(ConfigVerb::Reload(arguments)) => arguments.target.json,
        Verb::Scrub(ScrubVerb::Start(arguments)) => arguments.target.json,
        Verb::Scrub(ScrubVerb::Report(target)) => target.json,
        Verb::Config(ConfigVerb::Check(target) | ConfigVerb::Show(target))
        | Verb::Backend(BackendVerb::List(target))
        | Verb::Zone(ZoneVerb::List(target))
        | Verb::Policy(PolicyVerb::List(target))
        | Verb::Token(TokenVerb::Revoke(target))
        | Verb::Status(target) => target.json,
    }
}
