//! A load generator for Box-like, S3 and WebDAV endpoints.
//!
//! It is made to cost little, because it usually runs on the same cores as the server it measures: one thread, one
//! connection a worker, bodies prepared beforehand, answers read without copying. It measures a closed loop, so
//! latencies are those of a server as busy as its clients can keep it. It does not know how a server works.

mod args;
mod body;
mod box_door;
mod client;
mod dav;
mod disk;
mod drill;
mod endpoint;
mod histogram;
mod http_get;
mod idle;
mod load;
mod machine;
mod process;
mod quantity;
mod report;
mod s3;
mod scim;
mod sigv4;
mod summary;

use anyhow::{Context, Result};
use args::{Arguments, BoxScenario, Common, DavScenario, HttpScenario, S3Scenario, Scenario, ScimScenario};
use clap::Parser;
use drill::Drill;
use endpoint::Trust;
use entente_world::World;
use process::Processes;
use report::Report;
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};

/// The run was made, but operations failed.
const SOME_FAILED: u8 = 3;

/// What every scenario needs.
#[derive(Clone)]
pub struct Bench {
    pub world: World,
    pub trust: Trust,
    pub server: Processes,
}

/// What a scenario hands back.
enum Answer {
    Report(Report),
    /// One line, for scripts.
    Line(String),
    /// All was said already.
    Nothing,
}

fn main() -> ExitCode {
    match start(Arguments::parse()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("entente-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { scenario, common } = arguments;
    let bench = Bench {
        world: World::real(),
        trust: Trust::load(common.ca_file.as_deref())?,
        server: Processes::new(&common.server_pid),
    };
    let answer = runtime(common.threads)?.block_on(run(&bench, scenario, &common))?;
    match answer {
        Answer::Report(report) => finish(&report, &common),
        Answer::Line(line) => {
            println!("{line}");
            Ok(ExitCode::SUCCESS)
        }
        Answer::Nothing => Ok(ExitCode::SUCCESS),
    }
}

fn runtime(threads: usize) -> Result<Runtime> {
    let mut builder = if threads > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    if threads > 1 {
        builder.worker_threads(threads);
    }
    builder.enable_all().build().context("cannot start the runtime")
}

async fn run(bench: &Bench, scenario: Scenario, common: &Common) -> Result<Answer> {
    let report = match scenario {
        Scenario::Box(BoxScenario::CreateFolder(arguments)) => {
            return box_door::create_folder(bench, &arguments).await.map(Answer::Line);
        }
        Scenario::Drill(Drill::Count(arguments)) => return drill::count(bench, &arguments).await.map(Answer::Line),
        Scenario::Summary(arguments) => {
            summary::run(&arguments, common.json.as_deref())?;
            return Ok(Answer::Nothing);
        }
        Scenario::Box(BoxScenario::Upload(arguments)) => box_door::upload(bench, &arguments).await,
        Scenario::Box(BoxScenario::Download(arguments)) => box_door::download(bench, &arguments).await,
        Scenario::Box(BoxScenario::List(arguments)) => box_door::list(bench, &arguments).await,
        Scenario::Box(BoxScenario::MoveFolder(arguments)) => box_door::move_folder(bench, &arguments).await,
        Scenario::Box(BoxScenario::Mixed(arguments)) => box_door::mixed(bench, &arguments).await,
        Scenario::Box(BoxScenario::Fill(arguments)) => box_door::fill(bench, &arguments).await,
        Scenario::S3(S3Scenario::Upload(arguments)) => s3::upload(bench, &arguments).await,
        Scenario::S3(S3Scenario::Download(arguments)) => s3::download(bench, &arguments).await,
        Scenario::S3(S3Scenario::List(arguments)) => s3::list(bench, &arguments).await,
        Scenario::Dav(DavScenario::Upload(arguments)) => dav::upload(bench, &arguments).await,
        Scenario::Dav(DavScenario::Download(arguments)) => dav::download(bench, &arguments).await,
        Scenario::Dav(DavScenario::Propfind(arguments)) => dav::propfind(bench, &arguments).await,
        Scenario::Scim(ScimScenario::Provision(arguments)) => scim::provision(bench, &arguments).await,
        Scenario::Http(HttpScenario::Get(arguments)) => http_get::get(bench, &arguments).await,
        Scenario::Disk(arguments) => disk::measure(bench, &arguments).await,
        Scenario::Idle(arguments) => idle::watch(bench, &arguments).await,
        Scenario::Drill(drill) => drill::run(bench, &drill).await,
    };
    report.map(Answer::Report)
}

/// Prints the table unless told not to, writes the JSON, and says by the exit status whether any operation failed.
fn finish(report: &Report, common: &Common) -> Result<ExitCode> {
    if !common.no_table {
        print!("{}", report.table());
    }
    if let Some(path) = &common.json {
        report.write_json(path)?;
    }
    Ok(if report.errors() > 0 { ExitCode::from(SOME_FAILED) } else { ExitCode::SUCCESS })
}
