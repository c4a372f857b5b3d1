//! Everything moves from one cloud to another while clients work, and the server that moves it is killed again and again.

use super::{
    DrillArguments, RelocateArguments,
    checks::Checks,
    client::Patience,
    content::Choices,
    operator::{Course, Operator, Seen, Written},
    place::Place,
    program::Program,
    raw_copy::{Copied, RawCopy},
    setup::{Scratch, ZonePlan, admin, configuration},
    stages::Stages,
    workload::{Counts, Known, Role, Style, Workload, compare_all, fill},
};
use crate::{Bench, load::Errors, report::Report};
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
/// Latencies are told apart by these. What comes before the baseline opens connections, and is not told.
const BASELINE: usize = 1;
const BESIDE_RAW_COPY: usize = 2;
const DURING: usize = 3;
const AFTER: usize = 4;
/// An upload in parts takes so many.
const SEGMENTS_IN_PARTS: u64 = 3;
const WARM_UP: Duration = Duration::from_secs(1);

/// What was measured while clients were at work.
struct Found {
    raw: Option<Raw>,
    files_at_order: usize,
    /// By the mover; none when the server that counts was killed.
    objects_written: Option<u64>,
    rate_before: f64,
    rate_during: f64,
    requests: u64,
    kills: u64,
    course: Course,
    counts: Counts,
    errors: Errors,
}

/// The raw copy without and with the clients of the move beside it.
struct Raw {
    idle: Copied,
    with_load: Copied,
}

/// Runs it.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn relocate(bench: &Bench, common: &DrillArguments, arguments: &RelocateArguments) -> Result<Report> {
    let (from, to) = (arguments.from, arguments.to);
    println!("everything moves from {} to {} under {} clients", from.word(), to.word(), arguments.clients);
    let mut stages = Stages::new(&bench.world);
    let scratch = Scratch::new(common, "relocate")?;
    let source = Place::fresh(from, "source", &scratch.path)?;
    let target = Place::fresh(to, "target", &scratch.path)?;
    let zone = ZonePlan::single("here", "FR", vec![&source, &target]);
    let config = configuration(&[zone], "", "");
    let folder = scratch.path.join("server");
    let mut program = Program::new(bench, &common.program, &folder, &config, &[&source, &target])?;
    program.start().await?;
    let (door, mut client) = admin(bench, &program).await?;
    let into = client.create_folder("0", "work").await?;
    let known = Arc::new(Known::default());
    let mean = arguments.bytes / arguments.files.max(1);
    let sizes = (mean / 4, mean * 2 - mean / 4);
    stages.end("start");
    fill((bench, &door, &into), &known, (arguments.files, sizes), (arguments.fill_clients, common.seed)).await?;
    stages.end("files uploaded");
    let objects = source.objects(bench).await?;
    let bytes = objects.values().sum::<u64>();

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
    let raw = match arguments.parallel {
        0 => None,
        _ => Some(RawCopy::prepare(bench, (from, to), bytes, &scratch.path).await?),
    };
    let idle = match &raw {
        None => None,
        Some(raw) => Some(raw.run(bench, arguments.parallel).await?),
    };
    if raw.is_some() {
        stages.end("raw copy with nothing beside it");
    }
    let workload = Workload::start(bench, &door, &into, &known, style);
    let work = Work { bench, arguments, seed: common.seed, raw: raw.as_ref().zip(idle) };
    let found = work.run(&mut program, (workload, &known), &mut stages).await?;

    let mut checks = Checks::default();
    checks.none_failed(&format!("all requests of {} clients were answered", arguments.clients), &found.errors);
    checks.equal("kills of the mover", found.kills, arguments.kills);
    let (compared, lost) = compare_all(bench, &door, &known, 32).await?;
    checks.none_failed(&format!("{compared} acknowledged files come back as they were"), &lost);
    stages.end("everything compared");
    program.stop().await?;
    // What a killed server had begun is garbage, wherever it lies; nobody waits for a day here.
    program.verb(&["collect", "--grace", "0s"]).await?;
    checks.equal("objects left at the source", source.objects(bench).await?.len(), 0);
    let verified = program.verb(&["verify"]).await.map(drop).map_err(|error| format!("{error:#}"));
    checks.check("verify finds no damage", verified);
    stages.end("verify");
    let objects_at_target = target.objects(bench).await?.len();
    target.clear(bench).await?;
    if let Some(raw) = raw {
        raw.clear(bench).await?;
    }
    stages.end("cleared");

    tell(arguments, &found, &checks, compared);
    let parameters = json!({
        "from": from.word(), "to": to.word(), "files": arguments.files, "bytes": arguments.bytes,
        "clients": arguments.clients, "kills": arguments.kills, "seed": common.seed,
        "think_ms": arguments.think_ms, "parallel": arguments.parallel,
    });
    let mut report = Report::new("drill relocate", parameters);
    put(&mut report, &found)?;
    report.put("source_objects_after_the_fill", objects.len())?;
    report.put("source_bytes_after_the_fill", bytes)?;
    report.put("objects_a_file_at_the_end", objects_at_target as f64 / (compared as f64).max(1.0))?;
    report.put("target_objects_at_the_end", objects_at_target)?;
    report.put("reconnected", reconnected.load(Ordering::Relaxed))?;
    report.put("files_compared", compared)?;
    report.put("stage_seconds", stages.seconds())?;
    report.put_all(checks.verdict())?;
    Ok(report)
}

/// Mostly readers and writers, and one of everything else.
pub fn roles(clients: usize) -> Vec<Role> {
    let special = [Role::InParts, Role::Copier, Role::Replacer];
    let common = [Role::Reader, Role::Writer].into_iter().cycle();
    special.into_iter().chain(common).take(clients.max(special.len() + 2)).collect()
}

/// What is done while clients are at work.
struct Work<'a> {
    bench: &'a Bench,
    arguments: &'a RelocateArguments,
    seed: u64,
    raw: Option<(&'a RawCopy, Copied)>,
}

impl Work<'_> {
    async fn run(
        &self,
        program: &mut Program,
        (workload, known): (Workload, &Known),
        stages: &mut Stages,
    ) -> Result<Found> {
        let (bench, arguments) = (self.bench, self.arguments);
        let waiting = Patience::Reconnect { span: RECONNECT, used: Arc::default() };
        let mut operator = Operator::new(bench, program, waiting).await?;
        bench.world.sleep(WARM_UP).await;
        workload.enter(BASELINE);
        let (done, begun) = (workload.done(), bench.world.instant());
        bench.world.sleep(arguments.baseline).await;
        let rate_before = rate(workload.done() - done, begun.elapsed());
        stages.end("clients at work on the source");
        let raw = match self.raw {
            None => None,
            Some((copy, idle)) => {
                workload.enter(BESIDE_RAW_COPY);
                let with_load = copy.run(bench, arguments.parallel).await?;
                stages.end("raw copy beside the clients");
                Some(Raw { idle, with_load })
            }
        };

        workload.enter(DURING);
        let (done, files_at_order, ordered) = (workload.done(), known.count(), bench.world.instant());
        let (written, in_parts) = (operator.written("target").await?, workload.in_parts());
        let order = operator.relocate("source", "target", GRACE, arguments.rate).await?;
        let kills = self.kill_now_and_then((program, &mut operator), &order).await?;
        let course = operator.wait_for(&order, ordered, arguments.span_max).await.context("the relocation")?;
        let in_parts = workload.in_parts() - in_parts;
        let objects_written = match kills {
            0 => Some(by_mover((written, operator.written("target").await?), in_parts)),
            _ => None,
        };
        let rate_during = rate(workload.done() - done, ordered.elapsed());
        stages.end("the relocation");
        workload.enter(AFTER);
        bench.world.sleep(arguments.baseline).await;
        stages.end("clients at work on the target");
        let requests = workload.done();
        let (counts, errors) = workload.stop().await?;
        Ok(Found {
            raw,
            files_at_order,
            objects_written,
            rate_before,
            rate_during,
            requests,
            kills,
            course,
            counts,
            errors,
        })
    }

    /// Kills and restarts the server while the order is not over, at moments that follow from the seed.
    async fn kill_now_and_then(
        &self,
        (program, operator): (&mut Program, &mut Operator),
        order: &[Seen],
    ) -> Result<u64> {
        let (wanted, every_ms) = (self.arguments.kills, self.arguments.kill_every_ms);
        let mut choices = Choices::new(self.seed, 77);
        let mut kills = 0;
        while kills < wanted {
            self.bench.world.sleep(Duration::from_millis(choices.between(20, every_ms.max(20)))).await;
            program.kill()?;
            kills += 1;
            program.start().await.with_context(|| format!("start after kill {kills}"))?;
            let all = operator.relocations().await?;
            let open = all.iter().any(|one| order.iter().any(|ours| ours.id == one.id) && !one.is_over());
            if !open {
                bail!("the move was over after {kills} of {wanted} kills: give it more to move, or a lower --rate");
            }
        }
        Ok(kills)
    }
}

/// Objects at the target that no upload made: all, but for segments that small files shared when they were uploaded, and
/// those of large ones.
fn by_mover((before, after): (Written, Written), in_parts: u64) -> u64 {
    let by_uploads = after.shared_segments - before.shared_segments + in_parts * SEGMENTS_IN_PARTS;
    (after.objects - before.objects).saturating_sub(by_uploads)
}

fn rate(done: u64, span: Duration) -> f64 {
    done as f64 / span.as_secs_f64()
}

fn ratio(during: f64, before: f64) -> f64 {
    if before > 0.0 { during / before } else { 0.0 }
}

impl Found {
    /// Bytes moved until the last one had been copied and read back, over the time since the order.
    fn megabytes_per_second(&self) -> f64 {
        self.course.bytes as f64 / self.course.copied_after.max(Duration::from_millis(1)).as_secs_f64() / 1e6
    }
}

fn tell(arguments: &RelocateArguments, found: &Found, checks: &Checks, compared: u64) {
    let [before, during, after] = [BASELINE, DURING, AFTER].map(|phase| found.counts.phase(phase));
    let raw = found.raw.as_ref().map_or_else(String::new, |raw| {
        format!(
            "; a raw copy {:.1} with the clients beside it, {:.1} without",
            raw.with_load.megabytes_per_second, raw.idle.megabytes_per_second
        )
    });
    println!(
        "relocate test {} -> {}: {} checks passed, {} failed; {compared} files, {} requests, {} kills\n  \
         {} bytes copied {:.1} s after the order, all over after {:.1} s: {:.1} MB/s{raw}\n  \
         p99 of reads {:.0} ms on the source, {:.0} ms during the move, {:.0} ms on the target; of writes {:.0}, {:.0}, \
         {:.0} ms",
        arguments.from.word(),
        arguments.to.word(),
        checks.passed(),
        checks.failed(),
        found.requests,
        found.kills,
        found.course.bytes,
        found.course.copied_after.as_secs_f64(),
        found.course.ended_after.as_secs_f64(),
        found.megabytes_per_second(),
        before.read_ms.p99,
        during.read_ms.p99,
        after.read_ms.p99,
        before.write_ms.p99,
        during.write_ms.p99,
        after.write_ms.p99,
    );
}

fn put(report: &mut Report, found: &Found) -> Result<()> {
    let [before, during, after] = [BASELINE, DURING, AFTER].map(|phase| found.counts.phase(phase));
    let speed = found.megabytes_per_second();
    if let Some(raw) = &found.raw {
        report.put("raw_idle", raw.idle)?;
        report.put("raw_with_load", raw.with_load)?;
        report.put("to_raw_with_load", speed / raw.with_load.megabytes_per_second)?;
        report.put("to_raw_idle", speed / raw.idle.megabytes_per_second)?;
        report.put("beside_raw_copy", found.counts.phase(BESIDE_RAW_COPY))?;
    }
    report.put("files_at_the_order", found.files_at_order)?;
    report.put("segments_moved", found.course.segments)?;
    if let Some(objects) = found.objects_written {
        report.put("objects_written", objects)?;
        report.put("objects_written_per_file", objects as f64 / (found.files_at_order as f64).max(1.0))?;
    }
    report.put("relocated_bytes", found.course.bytes)?;
    report.put("copied_seconds", found.course.copied_after.as_secs_f64())?;
    report.put("ended_seconds", found.course.ended_after.as_secs_f64())?;
    report.put("megabytes_per_second", speed)?;
    report.put("requests_per_second_before", found.rate_before)?;
    report.put("requests_per_second_during", found.rate_during)?;
    report.put("on_the_source", before)?;
    report.put("during", during)?;
    report.put("on_the_target", after)?;
    report.put("read_p99_to_source", ratio(during.read_ms.p99, before.read_ms.p99))?;
    report.put("read_p99_to_target", ratio(during.read_ms.p99, after.read_ms.p99))?;
    report.put("write_p99_to_source", ratio(during.write_ms.p99, before.write_ms.p99))?;
    report.put("write_p99_to_target", ratio(during.write_ms.p99, after.write_ms.p99))?;
    report.put("uploads_in_parts", found.counts.in_parts)?;
    report.put("copies", found.counts.copies)?;
    report.put("replaced", found.counts.replaced)
}
