//! Everything moves from one cloud to another while clients work, and the server that moves it is killed again and again.

use super::{
    DrillArguments, RelocateArguments,
    checks::Checks,
    client::Patience,
    content::Choices,
    operator::{Operator, Seen},
    place::Place,
    program::Program,
    raw_copy::raw_copy,
    setup::{Scratch, ZonePlan, admin, configuration},
    workload::{Known, Role, Style, Workload, compare_all, fill},
};
use crate::{Bench, report::Report};
use anyhow::{Context, Result, bail};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long a client asks again while the server comes back.
const RECONNECT: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(2);
const BEFORE: usize = 0;
const DURING: usize = 1;
const AFTER: usize = 2;

/// Runs it.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn relocate(bench: &Bench, common: &DrillArguments, arguments: &RelocateArguments) -> Result<Report> {
    let (from, to) = (arguments.from, arguments.to);
    println!("everything moves from {} to {} under {} clients", from.word(), to.word(), arguments.clients);
    let scratch = Scratch::new(&common.dir, "relocate", common.keep)?;
    let source = Place::fresh(from, "source", &scratch.path)?;
    let target = Place::fresh(to, "target", &scratch.path)?;
    let zone = ZonePlan::single("here", "FR", vec![&source, &target]);
    let config = configuration(&[zone], "", "");
    let folder = scratch.path.join("server");
    let mut program = Program::new(bench, &common.program, &folder, &config, &[&source, &target])?;
    program.start().await?;
    let waiting = Patience::Reconnect { span: RECONNECT, used: Arc::default() };
    let mut operator = Operator::new(bench, &program, waiting).await?;
    let (door, mut client) = admin(bench, &program).await?;
    let into = client.create_folder("0", "work").await?;
    let known = Arc::new(Known::default());
    let (mean, mut checks) = (arguments.bytes / arguments.files.max(1), Checks::default());
    let sizes = (mean / 4, mean * 2 - mean / 4);
    let filled = bench.world.instant();
    fill((bench, &door, &into), &known, (arguments.files, sizes), (arguments.fill_clients, common.seed)).await?;
    let fill_seconds = filled.elapsed().as_secs_f64();
    println!("  {} files, {} bytes uploaded in {fill_seconds:.1} s", known.count(), known.bytes());
    let objects_before = source.objects(bench).await?;
    let bytes_before = objects_before.values().sum::<u64>();

    let scrap = Place::fresh(to, "scrap", &scratch.path)?;
    let raw = raw_copy(bench, &source, &scrap, arguments.parallel).await?;
    println!("  raw copy, idle:       {:.1} MB/s ({} objects)", raw.megabytes_per_second, raw.objects);

    let reconnected = Arc::new(AtomicU64::new(0));
    let patience = match arguments.kills {
        0 => Patience::None,
        _ => Patience::Reconnect { span: RECONNECT, used: Arc::clone(&reconnected) },
    };
    let style = Style {
        roles: roles(arguments.clients),
        seed: common.seed ^ 1,
        sizes,
        think: Duration::from_millis(arguments.think_ms),
        patience,
        think_in_parts: Duration::from_secs(2),
    };
    let workload = Workload::start(bench, &door, &into, &known, style);
    let phase_before = bench.world.instant();
    bench.world.sleep(arguments.baseline).await;
    let rate_before = workload.done() as f64 / phase_before.elapsed().as_secs_f64();
    let (done_before, scrap) = (workload.done(), Place::fresh(to, "scrap-2", &scratch.path)?);
    let raw_loaded = raw_copy(bench, &source, &scrap, arguments.parallel).await?;
    println!("  raw copy, with load:  {:.1} MB/s", raw_loaded.megabytes_per_second);
    drop(scrap);

    workload.enter(DURING);
    let done_at_order = workload.done();
    let ordered = bench.world.instant();
    let order = operator.relocate("source", "target", GRACE, arguments.rate).await?;
    let kills = kill_now_and_then(bench, (&mut program, &mut operator), &order, arguments, common.seed).await?;
    let course = operator.wait_for(&order, arguments.span_max).await;
    let (done_during, took) = (workload.done() - done_at_order, ordered.elapsed());
    workload.enter(AFTER);
    bench.world.sleep(arguments.baseline / 4).await;
    let (counts, errors) = workload.stop().await?;
    let course = course.context("the relocation")?;
    let copied = course.copied_after.max(Duration::from_millis(1));
    let speed = course.bytes as f64 / copied.as_secs_f64() / 1e6;
    println!(
        "  relocated {} bytes in {:.1} s ({speed:.1} MB/s), over after {:.1} s, {kills} kills",
        course.bytes,
        copied.as_secs_f64(),
        took.as_secs_f64()
    );

    checks.none_failed(&format!("all requests of {} clients were answered", arguments.clients), &errors);
    checks.equal("kills of the mover", kills, arguments.kills);
    let (compared, lost) = compare_all(bench, &door, &known, 32).await?;
    checks.none_failed(&format!("{compared} acknowledged files come back as they were"), &lost);
    program.stop().await?;
    // What a killed server had begun is garbage, wherever it lies; nobody waits for a day here.
    program.verb(&["collect", "--grace", "0s"]).await?;
    checks.equal("objects left at the source", source.objects(bench).await?.len(), 0);
    let verified = program.verb(&["verify"]).await.map(drop).map_err(|error| format!("{error:#}"));
    checks.check("verify finds no damage", verified);
    let at_target = target.objects(bench).await?.len();
    let share = objects_before.len() as f64 / arguments.files.max(1) as f64;

    let (before, during) = (counts.phase(BEFORE), counts.phase(DURING));
    let read_ratio = ratio(during.read_ms.p99, before.read_ms.p99);
    let write_ratio = ratio(during.write_ms.p99, before.write_ms.p99);
    println!(
        "relocate test {} -> {}: {} checks passed, {} failed; {compared} files, {} requests, {kills} kills; p99 of reads {:.0} \
         -> {:.0} ms, of writes {:.0} -> {:.0} ms; {speed:.1} MB/s, raw {:.1} with load, {:.1} idle",
        from.word(),
        to.word(),
        checks.passed(),
        checks.failed(),
        done_before + done_during,
        before.read_ms.p99,
        during.read_ms.p99,
        before.write_ms.p99,
        during.write_ms.p99,
        raw_loaded.megabytes_per_second,
        raw.megabytes_per_second,
    );
    let mut report = Report::new(
        "drill relocate",
        json!({
            "from": from.word(), "to": to.word(), "files": arguments.files, "bytes": arguments.bytes,
            "clients": arguments.clients, "kills": arguments.kills, "seed": common.seed,
            "think_ms": arguments.think_ms,
        }),
    );
    report.put("fill_seconds", fill_seconds)?;
    report.put("source_objects", objects_before.len())?;
    report.put("source_bytes", bytes_before)?;
    report.put("objects_per_file", share)?;
    report.put("target_objects_at_the_end", at_target)?;
    report.put("raw_idle", raw)?;
    report.put("raw_with_load", raw_loaded)?;
    report.put("relocated_bytes", course.bytes)?;
    report.put("copied_seconds", copied.as_secs_f64())?;
    report.put("ended_seconds", course.ended_after.as_secs_f64())?;
    report.put("megabytes_per_second", speed)?;
    report.put("to_raw_with_load", speed / raw_loaded.megabytes_per_second)?;
    report.put("to_raw_idle", speed / raw.megabytes_per_second)?;
    report.put("requests_per_second_before", rate_before)?;
    report.put("requests_per_second_during", done_during as f64 / took.as_secs_f64())?;
    report.put("before", before)?;
    report.put("during", during)?;
    report.put("after", counts.phase(AFTER))?;
    report.put("read_p99_ratio", read_ratio)?;
    report.put("write_p99_ratio", write_ratio)?;
    report.put("uploads_in_parts", counts.in_parts)?;
    report.put("copies", counts.copies)?;
    report.put("replaced", counts.replaced)?;
    report.put("reconnected", reconnected.load(Ordering::Relaxed))?;
    report.put("files_compared", compared)?;
    report.put_all(checks.verdict())?;
    Ok(report)
}

fn ratio(during: f64, before: f64) -> f64 {
    if before > 0.0 { during / before } else { 0.0 }
}

/// Mostly readers and writers, and one of everything else.
pub fn roles(clients: usize) -> Vec<Role> {
    let special = [Role::InParts, Role::Copier, Role::Replacer];
    let common = [Role::Reader, Role::Writer].into_iter().cycle();
    special.into_iter().chain(common).take(clients.max(special.len() + 2)).collect()
}

/// Kills and restarts the server while the order is not over, at moments that follow from the seed.
async fn kill_now_and_then(
    bench: &Bench,
    (program, operator): (&mut Program, &mut Operator),
    order: &[Seen],
    arguments: &RelocateArguments,
    seed: u64,
) -> Result<u64> {
    let mut choices = Choices::new(seed, 77);
    let mut kills = 0;
    while kills < arguments.kills {
        bench.world.sleep(Duration::from_millis(choices.between(20, arguments.kill_every_ms.max(20)))).await;
        program.kill()?;
        kills += 1;
        program.start().await.with_context(|| format!("start after kill {kills}"))?;
        let all = operator.relocations().await?;
        let open = all.iter().any(|one| order.iter().any(|ours| ours.id == one.id) && !one.is_over());
        if !open {
            bail!("the move was over after {kills} of {} kills: give it more to move", arguments.kills);
        }
    }
    Ok(kills)
}
