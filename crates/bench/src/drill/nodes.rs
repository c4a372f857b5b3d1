//! Several nodes on one PostgreSQL and one cloud: requests go to any of them at random, and none of them holds state.

use super::{
    NodesCommand,
    checks::Checks,
    client::{Client, Patience},
    middle::Middle,
    place::{Kind, Place},
    program::{ADMIN, Program, free_address},
    setup::{Scratch, ZonePlan, configuration},
    stages::Stages,
    workload::{Known, Role, Style, Workload, compare_all},
};
use crate::{Bench, box_door::Door, histogram::Histogram, machine::busy_seconds, report::Report};
use anyhow::{Context, Result, bail};
use http::Method;
use serde::Serialize;
use serde_json::json;
use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const PASSWORD: &str = "DRILL_DATABASE_PASSWORD";
const CLIENTS: usize = 16;

/// Operations on metadata alone.
#[derive(Debug, Clone, Copy, Serialize)]
struct Metadata {
    operations_per_second: f64,
    /// Cores of the machine that were not idle: of server, database, cloud and clients together.
    busy_cores: f64,
    p50_ms: f64,
    p99_ms: f64,
}

/// Where they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    /// Each client in a folder of its own, as people work.
    ManyFolders,
    /// All in one, whose counters every change touches.
    OneFolder,
}

impl Spread {
    fn words(self) -> &'static str {
        match self {
            Self::ManyFolders => "many folders",
            Self::OneFolder => "one folder",
        }
    }
}

/// Runs it.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn nodes(bench: &Bench, command: &NodesCommand) -> Result<Report> {
    let common = &command.common;
    println!("{} nodes on one PostgreSQL", command.nodes);
    let mut stages = Stages::new(&bench.world);
    let scratch = Scratch::new(common, "nodes")?;
    let database = entente_emulators::postgres().fresh_database();
    let (url, password) = without_password(database.url())?;
    let place = Place::fresh(Kind::S3, "everywhere", &scratch.path)?;
    let key = scratch.path.join("keys").join("local.key");
    let more = format!("[database]\nurl = \"{url}\"\npassword_env = \"{PASSWORD}\"\n");
    let config = configuration(&[ZonePlan::single("here", "FR", vec![&place])], &more, "");
    let config = config.replace("keys/local.key", &key.display().to_string());
    let front = free_address(&bench.world)?;
    let mut programs = Vec::new();
    for number in 1..=command.nodes.max(1) {
        let folder = scratch.path.join(format!("node-{number}"));
        let program = Program::new(bench, &common.program, &folder, &config, &[&place])?;
        let mut program = program.known_as(&format!("http://{front}")).told(PASSWORD, &password);
        program.start().await.with_context(|| format!("node {number}"))?;
        programs.push(program);
    }
    let addresses = programs.iter().map(Program::address).collect();
    let middle = Middle::before(&bench.world, front, addresses, (common.seed, None)).await?;
    let first = programs.first().context("there is no node")?;
    if !command.command.is_empty() {
        return outside(bench, command, (&middle, first)).await;
    }
    let token = first.token(ADMIN).await?;
    let door = Door::at(bench, &format!("{}/box", middle.url()), &token)?;
    let mut client = Client::new(bench, &door, Patience::None);

    stages.end("start");
    let mut checks = Checks::default();
    let into = client.create_folder("0", "sprayed").await?;
    let known = Arc::new(Known::default());
    let style = Style {
        roles: [Role::InParts, Role::InParts, Role::Copier, Role::Replacer]
            .into_iter()
            .chain([Role::Reader, Role::Writer].into_iter().cycle())
            .take(CLIENTS)
            .collect(),
        seed: common.seed,
        sizes: (1, 40_000),
        think: Duration::ZERO,
        patience: Patience::None,
        think_in_parts: Duration::from_millis(500),
    };
    let workload = Workload::start(bench, &door, &into, &known, style);
    bench.world.sleep(command.seconds * 2).await;
    let requests = workload.done();
    let (counts, errors) = workload.stop().await?;
    let passed = middle.passed();
    checks.none_failed(
        &format!("{requests} operations of {CLIENTS} clients sprayed as {passed:?} over the nodes"),
        &errors,
    );
    let idle = passed.iter().filter(|count| **count == 0).count();
    checks.equal("nodes that got no request", idle, 0);
    let (compared, lost) = compare_all(bench, &door, &known, CLIENTS).await?;
    checks.none_failed(&format!("{compared} files come back as they were, from any node"), &lost);

    let mut measured = Vec::new();
    stages.end("requests sprayed");
    for spread in [Spread::ManyFolders, Spread::OneFolder] {
        let both: Vec<_> = programs.iter().take(2).collect();
        let one = metadata(bench, &[first], &token, (&into, spread, command.seconds)).await?;
        let two = metadata(bench, &both, &token, (&into, spread, command.seconds)).await?;
        println!(
            "  metadata operations a second in {}: {:.0} on one node ({:.1} cores busy), {:.0} on two ({:.1})",
            spread.words(),
            one.operations_per_second,
            one.busy_cores,
            two.operations_per_second,
            two.busy_cores
        );
        measured.push((spread, one, two));
        stages.end(spread.words());
    }
    for program in &mut programs {
        program.stop().await?;
    }
    let last = programs.last().context("there is no node")?;
    let verified = last.verb(&["verify"]).await.map(drop).map_err(|error| format!("{error:#}"));
    checks.check("verify finds no damage", verified);
    println!(
        "nodes test: {} checks passed, {} failed; {} nodes, {requests} operations, {} uploads in parts, {compared} files",
        checks.passed(),
        checks.failed(),
        programs.len(),
        counts.in_parts
    );
    let mut report = Report::new("drill nodes", json!({ "nodes": command.nodes, "seed": common.seed }));
    report.put("operations", requests)?;
    report.put("sprayed", passed)?;
    for (spread, one, two) in measured {
        let ratio = two.operations_per_second / one.operations_per_second;
        let of = json!({ "one_node": one, "two_nodes": two, "two_to_one": ratio });
        report.put(&spread.words().replace(' ', "_"), of)?;
    }
    report.put("stage_seconds", stages.seconds())?;
    report.put_all(checks.verdict())?;
    Ok(report)
}

/// Lets another program be the client of all nodes.
async fn outside(bench: &Bench, command: &NodesCommand, (middle, first): (&Middle, &Program)) -> Result<Report> {
    let (word, rest) = command.command.split_first().context("there is no command")?;
    let mut started = Command::new(word);
    started.args(rest);
    started.env("ENTENTE_URL", format!("{}/box", middle.url()));
    started.env("ENTENTE_DATA", first.data()).env("ENTENTE_BIN", first.program());
    started.envs(first.environment());
    let status = bench.world.blocking(move || started.status()).await??;
    let mut checks = Checks::default();
    let wrong = if status.success() { Ok(()) } else { Err(status.to_string()) };
    checks.check(&format!("{word}, sprayed as {:?} over the nodes", middle.passed()), wrong);
    let mut report = Report::new("drill nodes", json!({ "nodes": command.nodes, "command": command.command }));
    report.put("sprayed", middle.passed())?;
    report.put_all(checks.verdict())?;
    Ok(report)
}

/// Makes, shows, renames and deletes folders on these nodes for a while.
async fn metadata(
    bench: &Bench,
    programs: &[&Program],
    token: &str,
    (parent, spread, span): (&str, Spread, Duration),
) -> Result<Metadata> {
    let stop = Arc::new(AtomicBool::new(false));
    let (begun, busy) = (bench.world.instant(), busy_seconds()?);
    let run = data_encoding::HEXLOWER.encode(&bench.world.random().bytes::<4>());
    let mut tasks = Vec::new();
    for (number, program) in programs.iter().cycle().take(CLIENTS * 2).enumerate() {
        let door = Door::at(bench, &format!("{}/box", program.url()), token)?;
        let mut client = Client::new(bench, &door, Patience::None);
        let (stop, world, parent) = (Arc::clone(&stop), bench.world.clone(), parent.to_owned());
        let name = format!("metadata-{run}-{number}");
        tasks.push(bench.world.spawn(async move {
            let mut spans = Histogram::default();
            let mut count = 0_u64;
            let parent = match spread {
                Spread::ManyFolders => client.create_folder(&parent, &name).await?,
                Spread::OneFolder => parent,
            };
            while !stop.load(Ordering::Relaxed) {
                count += 1;
                let asked = world.instant();
                let id = client.create_folder(&parent, &format!("{name}-{count}")).await?;
                spans.record(asked.elapsed());
                let path = format!("/2.0/folders/{id}");
                let renamed = json!({ "name": format!("{name}-{count}-renamed") });
                for (method, body) in [(Method::GET, None), (Method::PUT, Some(&renamed)), (Method::DELETE, None)] {
                    let asked = world.instant();
                    client.ask(method, &path, body).await?;
                    spans.record(asked.elapsed());
                }
            }
            Ok::<_, anyhow::Error>(spans)
        }));
    }
    bench.world.sleep(span).await;
    stop.store(true, Ordering::Relaxed);
    let mut all = Histogram::default();
    for task in tasks {
        all.add(&task.await.context("a client ended before its time")??);
    }
    let (latency, seconds) = (all.latency(), begun.elapsed().as_secs_f64());
    Ok(Metadata {
        operations_per_second: all.count() as f64 / seconds,
        busy_cores: (busy_seconds()? - busy) / seconds,
        p50_ms: latency.p50,
        p99_ms: latency.p99,
    })
}

/// A database's URL without the password in it, and the password.
fn without_password(url: &str) -> Result<(String, String)> {
    let split = || {
        let (scheme, rest) = url.split_once("://")?;
        let (user, place) = rest.rsplit_once('@')?;
        let (user, password) = user.split_once(':')?;
        Some((format!("{scheme}://{user}@{place}"), password.to_owned()))
    };
    match split() {
        Some(split) => Ok(split),
        None => bail!("the database's URL has no password"),
    }
}
