//! One cloud at a time fails, in one way or another, again and again; clients go on and notice nothing but some latency.

use super::{
    DrillArguments, OutageArguments,
    checks::Checks,
    client::Patience,
    content::Choices,
    middle::Middle,
    operator::Operator,
    place::{Kind, Place},
    program::Program,
    setup::{Scratch, ZonePlan, admin, configuration},
    stages::Stages,
    stale::Listings,
    workload::{Known, Role, Style, Workload, compare_all, fill},
};
use crate::{Bench, report::Report};
use anyhow::{Context, Result};
use entente_emulators::Fault;
use serde::Serialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// Latencies are told apart by these.
const WELL: usize = 0;
const FAULT: usize = 1;
const OPEN: usize = 2;
const MENDING: usize = 3;
const WATCH_PAUSE: Duration = Duration::from_millis(50);
/// Listings lag for so long before somebody lists, and at most so long until then.
const STALE_FIRST: Duration = Duration::from_millis(200);
const STALE_MAX: Duration = Duration::from_secs(3);
const SLOW: Duration = Duration::from_secs(5);
const WHOLE_MAX: Duration = Duration::from_secs(60);
const WELL_AT_FIRST: Duration = Duration::from_secs(3);
const FIRST_FILES: u64 = 60;
/// As the server would be set where outages last seconds, not minutes: a request that takes long is given up sooner, and a
/// cloud that is down is tried again sooner.
const IMPATIENT: &str = "[health]\nprobe_after = \"300ms\"\nprobe_after_max = \"1s\"\n";

/// How a cloud fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Trouble {
    Refusing,
    Hanging,
    Slow,
    Corrupting,
    Stale,
}

const TROUBLES: [Trouble; 5] =
    [Trouble::Refusing, Trouble::Hanging, Trouble::Slow, Trouble::Corrupting, Trouble::Stale];

impl Trouble {
    /// The shortest episode and the longest, as shares of a mean one in percent. What shows itself only when a request has
    /// been given up needs longer than what shows at once.
    fn spans(self) -> (u64, u64) {
        match self {
            Self::Refusing | Self::Corrupting | Self::Stale => (30, 100),
            Self::Hanging | Self::Slow => (70, 230),
        }
    }
}

/// A cloud that can be made to fail.
struct Cloud {
    place: Place,
    listings: Arc<Listings>,
    _middle: Middle,
}

impl Cloud {
    async fn new(bench: &Bench, kind: Kind, name: &str, folder: &std::path::Path) -> Result<Self> {
        let mut place = Place::fresh(kind, name, folder)?;
        let listings = Arc::new(Listings::new(kind, &place.bucket_path()));
        let address = place.address().with_context(|| format!("{name} has no address"))?;
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let middle = Middle::before(&bench.world, anywhere, vec![address], (0, Some(Arc::clone(&listings)))).await?;
        place.put_behind(middle.address());
        Ok(Self { place: place.through_proxy(), listings, _middle: middle })
    }

    fn fail(&self, trouble: Trouble, choices: &mut Choices) {
        let fault = match trouble {
            Trouble::Refusing => Fault::Refuse,
            Trouble::Hanging => Fault::Hang,
            Trouble::Slow => Fault::Delay(SLOW),
            Trouble::Corrupting => Fault::Corrupt { body_offset_bytes: choices.below(3_000) },
            Trouble::Stale => {
                self.listings.stand_still();
                return;
            }
        };
        self.set(fault);
    }

    fn mend(&self) {
        self.listings.go_on();
        self.set(Fault::Pass);
    }

    fn set(&self, fault: Fault) {
        if let Some(proxy) = self.place.proxy() {
            proxy.set(fault);
        }
    }
}

/// Runs it.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn outage(bench: &Bench, common: &DrillArguments, arguments: &OutageArguments) -> Result<Report> {
    println!("{} episodes of one of two clouds failing, seed {}", arguments.episodes, common.seed);
    let mut stages = Stages::new(&bench.world);
    let scratch = Scratch::new(common, "outage")?;
    let clouds = [
        Cloud::new(bench, Kind::S3, "first", &scratch.path).await?,
        Cloud::new(bench, Kind::Azure, "second", &scratch.path).await?,
    ];
    let third = Place::fresh(Kind::Disk, "third", &scratch.path)?;
    let [first, second] = [&clouds[0].place, &clouds[1].place];
    // With one copy more than may be away, nothing that was acknowledged is ever on the failing cloud alone.
    let (copies, durable) = (3, 2);
    let places = vec![first, second, &third];
    let zone = ZonePlan { copies, durable, providers_min: 2, ..ZonePlan::single("here", "FR", places.clone()) };
    let config = configuration(&[zone], IMPATIENT, &format!("timeout = \"{}ms\"\n", arguments.timeout_ms));
    let folder = scratch.path.join("server");
    let mut program = Program::new(bench, &common.program, &folder, &config, &places)?;
    program.start().await?;
    let mut operator = Operator::new(bench, &program, Patience::None).await?;
    let (door, mut client) = admin(bench, &program).await?;
    let into = client.create_folder("0", "work").await?;
    let known = Arc::new(Known::default());
    let sizes = (100, 30_000);
    fill((bench, &door, &into), &known, (FIRST_FILES, sizes), (8, common.seed)).await?;
    operator.wait_until_whole(WHOLE_MAX).await?;
    stages.end("start");

    let style = Style {
        roles: roles(arguments.clients),
        seed: common.seed ^ 1,
        sizes,
        think: Duration::from_millis(arguments.think_ms),
        patience: Patience::None,
        think_in_parts: Duration::from_secs(15),
    };
    let workload = Workload::start(bench, &door, &into, &known, style);
    // What a read takes when all is well.
    bench.world.sleep(WELL_AT_FIRST).await;
    let mut episodes = Episodes {
        bench,
        operator: &mut operator,
        workload: &workload,
        choices: Choices::new(common.seed, 99),
        span: arguments.episode,
        counts: BTreeMap::new(),
        opened: 0,
        longest_mending: Duration::ZERO,
        not_mended: Vec::new(),
    };
    for number in 1..=arguments.episodes {
        let drawn = episodes.choices.index(clouds.len());
        let cloud = clouds.get(drawn).context("there is no cloud")?;
        episodes.one(number, cloud).await?;
    }
    let Episodes { counts: kinds, opened, longest_mending, not_mended, .. } = episodes;
    let requests = workload.done();
    let (counts, errors) = workload.stop().await?;
    stages.end("episodes");

    let mut checks = Checks::default();
    checks.none_failed(&format!("all of {requests} requests were answered"), &errors);
    let wrong = if not_mended.is_empty() { Ok(()) } else { Err(not_mended.join("; ")) };
    checks.check("everything was replicated again after each episode, without an operator", wrong);
    let whole = operator.wait_until_whole(WHOLE_MAX).await.map(drop).map_err(|error| format!("{error:#}"));
    checks.check("everything is replicated at the end", whole);
    let (compared, lost) = compare_all(bench, &door, &known, 16).await?;
    checks.none_failed(&format!("{compared} acknowledged files come back as they were"), &lost);
    program.stop().await?;
    let verified = program.verb(&["verify"]).await.map(drop).map_err(|error| format!("{error:#}"));
    checks.check("verify finds no damage", verified);
    stages.end("everything compared");

    let [well, fault, open, mending] = [WELL, FAULT, OPEN, MENDING].map(|phase| counts.phase(phase));
    let stale: u64 = clouds.iter().map(|cloud| cloud.listings.told()).sum();
    println!(
        "outage test: {} checks passed, {} failed; {} episodes ({kinds:?}), {requests} requests, {compared} files; p99 of reads \
         {:.0} ms when all is well, {:.0} ms before the breaker opens, {:.0} ms once it is open; mended within {:.1} s",
        checks.passed(),
        checks.failed(),
        arguments.episodes,
        well.read_ms.p99,
        fault.read_ms.p99,
        open.read_ms.p99,
        longest_mending.as_secs_f64(),
    );
    let mut report = Report::new(
        "drill outage",
        json!({
            "episodes": arguments.episodes, "clients": arguments.clients, "seed": common.seed,
            "copies": copies, "durable": durable, "episode_seconds": arguments.episode.as_secs_f64(),
            "timeout_ms": arguments.timeout_ms,
        }),
    );
    report.put("episodes", kinds)?;
    report.put("requests", requests)?;
    report.put("files_compared", compared)?;
    report.put("episodes_with_open_breaker", opened)?;
    report.put("stale_listings_told", stale)?;
    report.put("well", well)?;
    report.put("fault", fault)?;
    report.put("open", open)?;
    report.put("mending", mending)?;
    report.put("read_p99_added_ms", open.read_ms.p99 - well.read_ms.p99)?;
    report.put("longest_mending_seconds", longest_mending.as_secs_f64())?;
    report.put("stage_seconds", stages.seconds())?;
    report.put_all(checks.verdict())?;
    Ok(report)
}

fn roles(clients: usize) -> Vec<Role> {
    let common = [Role::Reader, Role::Reader, Role::Writer].into_iter().cycle();
    [Role::InParts, Role::Copier, Role::Replacer].into_iter().chain(common).take(clients.max(6)).collect()
}

/// Episodes, one after the other.
struct Episodes<'a> {
    bench: &'a Bench,
    operator: &'a mut Operator,
    workload: &'a Workload,
    choices: Choices,
    span: Duration,
    counts: BTreeMap<Trouble, u64>,
    opened: u64,
    longest_mending: Duration,
    not_mended: Vec<String>,
}

impl Episodes<'_> {
    async fn one(&mut self, number: u64, cloud: &Cloud) -> Result<()> {
        let trouble = TROUBLES.get(self.choices.index(TROUBLES.len())).copied().unwrap_or(Trouble::Refusing);
        *self.counts.entry(trouble).or_default() += 1;
        let errors = self.workload.errors().count;
        self.workload.enter(FAULT);
        cloud.fail(trouble, &mut self.choices);
        if trouble == Trouble::Stale {
            // There must be something to be wrong about, and somebody who looks.
            self.bench.world.sleep(STALE_FIRST).await;
            let (told, asked) = (cloud.listings.told(), self.bench.world.instant());
            self.operator.scrub(&[&cloud.place.name]).await?;
            while cloud.listings.told() == told && asked.elapsed() < STALE_MAX {
                self.bench.world.sleep(WATCH_PAUSE).await;
            }
        }
        let begun = self.bench.world.instant();
        let mut is_open = false;
        let (least, greatest) = trouble.spans();
        let share = u32::try_from(self.choices.between(least, greatest)).unwrap_or(100);
        let span = self.span * share / 100;
        while begun.elapsed() < span {
            if !is_open {
                let backends = self.operator.backends().await?;
                is_open = backends.iter().any(|backend| backend.health == "down");
                if is_open {
                    self.opened += 1;
                    self.workload.enter(OPEN);
                }
            }
            self.bench.world.sleep(WATCH_PAUSE).await;
        }
        self.workload.enter(MENDING);
        cloud.mend();
        self.workload.rest();
        let mending = self.operator.wait_until_whole(WHOLE_MAX).await;
        self.workload.resume();
        let failed = self.workload.errors().count - errors;
        let told = match &mending {
            Ok(span) => {
                self.longest_mending = self.longest_mending.max(*span);
                format!("whole again after {:.1} s", span.as_secs_f64())
            }
            Err(error) => {
                self.not_mended.push(format!("episode {number}: {error:#}"));
                format!("NOT WHOLE: {error:#}")
            }
        };
        println!("  {number:>3} {trouble:?} on {}: {failed} failed, {told}", cloud.place.name);
        self.workload.enter(WELL);
        self.bench.world.sleep(Duration::from_millis(self.choices.between(50, 200))).await;
        Ok(())
    }
}
