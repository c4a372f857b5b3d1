//! A scrub of the segments of many small files on a disk, and what it says of damage.

use super::{
    ScrubCommand,
    checks::Checks,
    client::Patience,
    operator::Operator,
    place::{Kind, Place},
    program::Program,
    setup::{Scratch, ZonePlan, admin, configuration},
    stages::Stages,
    workload::{Known, compare_all, fill},
};
use crate::{Bench, report::Report};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

const SCRUB_MAX: Duration = Duration::from_secs(600);
const WHOLE_MAX: Duration = Duration::from_secs(60);
/// So many files are read back at the end; verify looks at all.
const COMPARED_MAX: usize = 50_000;
const PAUSE: Duration = Duration::from_millis(50);
/// As fast as the disk reads.
const MORE: &str = "[upkeep]\nscrub_bytes_per_second = 1000000000000\n";

/// Runs it.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn scrub(bench: &Bench, command: &ScrubCommand) -> Result<Report> {
    println!("a scrub of {} files of {} bytes on two disks", command.files, command.size);
    let mut stages = Stages::new(&bench.world);
    let scratch = Scratch::new(&command.common, "scrub")?;
    let (one, two) = (Place::fresh(Kind::Disk, "one", &scratch.path)?, Place::fresh(Kind::Disk, "two", &scratch.path)?);
    let zone = ZonePlan { copies: 2, durable: 2, ..ZonePlan::single("here", "FR", vec![&one, &two]) };
    let config = configuration(&[zone], MORE, "");
    let folder = scratch.path.join("server");
    let mut program = Program::new(bench, &command.common.program, &folder, &config, &[&one, &two])?;
    program.start().await?;
    let mut operator = Operator::new(bench, &program, Patience::None).await?;
    let (door, mut client) = admin(bench, &program).await?;
    let into = client.create_folder("0", "scrubbed").await?;
    let known = Arc::new(Known::default());
    let sizes = (command.size, command.size);
    fill((bench, &door, &into), &known, (command.files, sizes), (command.clients, command.common.seed)).await?;
    operator.wait_until_whole(WHOLE_MAX).await?;
    stages.end("files uploaded");

    let mut checks = Checks::default();
    let (clean, seconds) = pass(bench, &mut operator, &one.name).await?;
    println!("  compared in {seconds:.1} s: {clean}");
    checks.equal("damage found where there is none", damage(&clean), 0);
    let segments = one.objects(bench).await?.len();
    stages.end("scrub");
    checks.equal("replicas that were compared", number(&clean, "replicas_checked"), segments as u64);

    // One object goes, and one byte of another turns: both have a good copy on the other disk.
    let objects = one.objects(bench).await?;
    let root = scratch.path.join("one");
    let mut names = objects.keys();
    let (gone, turned) = (names.next().context("no object")?, names.next().context("a single object")?);
    std::fs::remove_file(root.join(gone))?;
    let mut bytes = std::fs::read(root.join(turned))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    // Objects are written once: what changes them is not their owner.
    std::fs::remove_file(root.join(turned))?;
    std::fs::write(root.join(turned), bytes)?;
    let (found, _) = pass(bench, &mut operator, &one.name).await?;
    checks.equal("damage found of two that were done", damage(&found), 2);
    let whole = operator.wait_until_whole(WHOLE_MAX).await.map(drop).map_err(|error| format!("{error:#}"));
    checks.check("both are repaired", whole);
    stages.end("scrub of two that are damaged, and repair");
    known.keep_some(COMPARED_MAX);
    let (compared, lost) = compare_all(bench, &door, &known, 16).await?;
    checks.none_failed(&format!("{compared} files come back as they were"), &lost);
    program.stop().await?;
    let verified = program.verb(&["verify", "--quick"]).await.map(drop).map_err(|error| format!("{error:#}"));
    checks.check("verify finds no damage", verified);
    stages.end("files compared, and verify");
    println!(
        "scrub test: {} checks passed, {} failed; {} files in {segments} segments compared in {seconds:.1} s",
        checks.passed(),
        checks.failed(),
        command.files
    );
    let mut report = Report::new("drill scrub", json!({ "files": command.files, "size_bytes": command.size }));
    report.put("segments", segments)?;
    report.put("seconds", seconds)?;
    report.put("files_compared", compared)?;
    report.put("stage_seconds", stages.seconds())?;
    report.put_all(checks.verdict())?;
    Ok(report)
}

/// One pass over a backend: what it found, and how long it took.
async fn pass(bench: &Bench, operator: &mut Operator, backend: &str) -> Result<(Value, f64)> {
    let begun = bench.world.instant();
    operator.scrub(&[backend]).await?;
    loop {
        let report = operator.scrubs().await?;
        let of = report.get("backends").and_then(Value::as_array).into_iter().flatten();
        let of = of.filter(|one| one.get("backend").and_then(Value::as_str) == Some(backend));
        let newest = of.filter_map(|one| one.get("scrubs")?.get(0).cloned()).next();
        if let Some(newest) = newest.filter(|scrub| scrub.get("state").and_then(Value::as_str) == Some("ended")) {
            return Ok((newest, begun.elapsed().as_secs_f64()));
        }
        if begun.elapsed() > SCRUB_MAX {
            bail!("the scrub did not end: {report}");
        }
        bench.world.sleep(PAUSE).await;
    }
}

fn number(found: &Value, field: &str) -> u64 {
    found.get(field).and_then(Value::as_u64).unwrap_or(0)
}

fn damage(found: &Value) -> u64 {
    ["replicas_missing", "replicas_of_wrong_size", "replicas_with_wrong_bytes", "replicas_unreadable"]
        .into_iter()
        .map(|field| number(found, field))
        .sum()
}
