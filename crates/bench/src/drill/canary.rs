//! Marked files in four zones; then every byte on every zone's backends is searched for what does not belong there.

use super::{
    DrillArguments,
    checks::Checks,
    client::{Client, Patience, sha1_hex},
    content::Choices,
    operator::Operator,
    place::{Kind, Place},
    program::Program,
    search::{Search, Sight},
    setup::{Scratch, ZonePlan, configuration, user},
};
use crate::{Bench, report::Report};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Where contents are, the kind of a second backend in the same zone, and the zone's law.
const ZONES: [(&str, Kind, Kind, &str); 4] = [
    ("north", Kind::Disk, Kind::S3, "FR"),
    ("east", Kind::S3, Kind::Azure, "DE"),
    ("south", Kind::Azure, Kind::Gcs, "CH"),
    ("west", Kind::Gcs, Kind::Disk, "CA"),
];
const SMALL_FILES: usize = 40;
/// More than one chunk.
const LARGE_BYTES: usize = 9 << 20;
const GRACE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(250);
const MOVE_MAX: Duration = Duration::from_secs(120);

/// A user, what marks everything of theirs, and what they have uploaded.
struct Owner {
    login: String,
    client: Client,
    mark: String,
    files: Vec<(String, Bytes)>,
}

/// All objects of one zone's backends.
type Found = BTreeMap<&'static str, BTreeMap<String, Bytes>>;

/// Runs it.
///
/// # Errors
/// When it could not be run. What was found wrong is in the report.
pub async fn canary(bench: &Bench, arguments: &DrillArguments) -> Result<Report> {
    let scratch = Scratch::new(arguments, "canary")?;
    let mut places = BTreeMap::new();
    for (zone, first, second, _) in ZONES {
        let both =
            [Place::fresh(first, zone, &scratch.path)?, Place::fresh(second, &format!("{zone}-spare"), &scratch.path)?];
        places.insert(zone, both);
    }
    let all: Vec<&Place> = places.values().flatten().collect();
    let plans: Vec<_> = ZONES
        .iter()
        .filter_map(|(zone, _, _, law)| Some(ZonePlan::single(zone, law, places.get(zone)?.iter().collect())))
        .collect();
    let config = configuration(&plans, "", "");
    let mut program = Program::new(bench, &arguments.program, &scratch.path.join("server"), &config, &all)?;
    program.start().await?;
    let mut operator = Operator::new(bench, &program, Patience::None).await?;
    let mut checks = Checks::default();
    let mut choices = Choices::new(arguments.seed, 0);
    let core = format!("canary {:016x}{:016x}", choices.number(), choices.number());
    let mut owners = owners(bench, &program, &core).await?;
    let mut search = Search::new(&core);

    println!("marked files in four zones");
    for owner in &mut owners {
        owner.upload_all(&mut choices, SMALL_FILES + 1).await?;
    }
    let first = collect(bench, &places).await?;
    inspect(&mut checks, "after the uploads", &first, &mut search);

    println!("every zone moves to its second backend, while its user goes on");
    let mut orders = Vec::new();
    for (zone, ..) in ZONES {
        orders.extend(operator.relocate(zone, &format!("{zone}-spare"), GRACE, None).await?);
    }
    for owner in &mut owners {
        owner.upload_all(&mut choices, SMALL_FILES).await?;
    }
    let during = collect(bench, &places).await?;
    inspect(&mut checks, "while all moves", &during, &mut search);
    operator.wait_for(&orders, bench.world.instant(), MOVE_MAX).await?;
    let moved = collect(bench, &places).await?;
    inspect(&mut checks, "after the moves", &moved, &mut search);
    for [first, _] in places.values() {
        checks.equal(&format!("objects left on {}", first.name), first.objects(bench).await?.len(), 0);
    }

    println!("one user moves to another zone");
    let [from, to] = [ZONES[0].0, ZONES[1].0];
    let before = search.look(moved.get(from).into_iter().flat_map(sealed));
    let mover = owners.first_mut().context("there are no users")?;
    assign_by_cli(&program, &mover.login, to).await?;
    mover.upload_all(&mut choices, SMALL_FILES).await?;
    settle(bench, &mut operator, from).await?;
    // What is dead is removed after a grace period, which nobody may shorten while a server runs.
    program.stop().await?;
    program.verb(&["collect", "--grace", "0s"]).await?;
    let last = collect(bench, &places).await?;
    inspect(&mut checks, "after the change of zone", &last, &mut search);
    let left: usize = places.get(from).into_iter().flatten().count();
    let objects = last.get(from).map_or(0, |objects| sealed(objects).count());
    checks.equal(&format!("objects left on the {left} backends of {from}, whose only user has left"), objects, 0);
    for zone in [ZONES[0].0, ZONES[2].0, ZONES[3].0] {
        let same = before.shared_with(&search.look(last.get(zone).into_iter().flat_map(sealed)));
        checks.equal(&format!("runs of what that user had stored that are in {zone}"), same, 0);
    }

    program.start().await?;
    let mut compared = 0_u64;
    for owner in &mut owners {
        compared += owner.compare_all(&mut checks).await;
    }
    checks.check("verify finds no damage", program_verifies(&mut program).await);
    let objects: usize = last.values().map(BTreeMap::len).sum();
    println!(
        "canary test: {} checks passed, {} failed; {compared} files compared, {objects} objects searched at the end",
        checks.passed(),
        checks.failed()
    );
    let mut report = Report::new("drill canary", json!({ "seed": arguments.seed, "zones": ZONES.len() }));
    report.put("files", compared)?;
    report.put("objects", objects)?;
    report.put_all(checks.verdict())?;
    Ok(report)
}

async fn program_verifies(program: &mut Program) -> Result<(), String> {
    program.stop().await.map_err(|error| format!("{error:#}"))?;
    program.verb(&["verify"]).await.map(drop).map_err(|error| format!("{error:#}"))
}

/// One user a zone: two are given their policies by the operator, two through the Box door.
async fn owners(bench: &Bench, program: &Program, core: &str) -> Result<Vec<Owner>> {
    let (_, mut admin) = super::setup::admin(bench, program).await?;
    let policies = admin.ask(Method::GET, "/2.0/storage_policies", None).await?;
    let mut owners = Vec::new();
    for (index, (zone, ..)) in ZONES.into_iter().enumerate() {
        let login = format!("{zone}@example.org");
        program.verb(&["user", "create", "--login", &login, "--name", zone]).await?;
        if index % 2 == 0 {
            assign_by_cli(program, &login, zone).await?;
        } else {
            let user = user_id(&mut admin, &login).await?;
            let policy = policy_id(&policies, zone)?;
            let body = json!({
                "storage_policy": { "type": "storage_policy", "id": policy },
                "assigned_to": { "type": "user", "id": user },
            });
            admin.ask(Method::POST, "/2.0/storage_policy_assignments", Some(&body)).await?;
        }
        let mark = format!("{core} of {zone}. ");
        let (_, client) = user(bench, program, &login).await?;
        owners.push(Owner { login, client, mark, files: Vec::new() });
    }
    Ok(owners)
}

async fn assign_by_cli(program: &Program, login: &str, policy: &str) -> Result<()> {
    program.verb(&["policy", "assign", "--login", login, policy]).await.map(drop)
}

async fn user_id(admin: &mut Client, login: &str) -> Result<String> {
    let found = admin.ask(Method::GET, &format!("/2.0/users?filter_term={login}"), None).await?;
    let id = found.pointer("/entries/0/id").and_then(Value::as_str);
    id.map(str::to_owned).with_context(|| format!("there is no user {login}"))
}

fn policy_id(policies: &Value, name: &str) -> Result<String> {
    let entries = policies.get("entries").and_then(Value::as_array).context("no list of storage policies")?;
    let named = |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some(name);
    let id = entries.iter().find(named).and_then(|entry| entry.get("id")).and_then(Value::as_str);
    id.map(str::to_owned).with_context(|| format!("there is no storage policy {name}"))
}

impl Owner {
    /// Small files, and after so many of them a large one, all full of the mark.
    async fn upload_all(&mut self, choices: &mut Choices, files: usize) -> Result<()> {
        for index in 0..files {
            let size = if index == SMALL_FILES { LARGE_BYTES } else { usize::try_from(choices.between(1, 60_000))? };
            let size = size.max(self.mark.len());
            let content: Vec<u8> = self.mark.bytes().cycle().take(size).collect();
            let name = format!("{}{index} {:016x}", self.mark, choices.number());
            let file = self.client.upload_bytes("0", &name, &content).await?;
            self.files.push((file.id, Bytes::from(content)));
        }
        Ok(())
    }

    async fn compare_all(&mut self, checks: &mut Checks) -> u64 {
        let (mut lost, mut first) = (0_u64, String::new());
        for (id, content) in &self.files {
            let wrong = match self.client.download(id).await {
                Ok(found) if found == *content => continue,
                Ok(found) => format!("file {id} came back with SHA-1 {}", sha1_hex(&found)),
                Err(error) => format!("{error:#}"),
            };
            lost += 1;
            first = wrong;
        }
        let found = if lost == 0 { Ok(()) } else { Err(format!("{lost} are lost or wrong; one of them: {first}")) };
        checks.check(&format!("all {} files of {} come back as they were", self.files.len(), self.login), found);
        self.files.len() as u64
    }
}

/// Everything on every backend, by zone; names begin with the backend's.
async fn collect(bench: &Bench, places: &BTreeMap<&'static str, [Place; 2]>) -> Result<Found> {
    let mut found = Found::new();
    for (zone, both) in places {
        let objects = found.entry(zone).or_default();
        for place in both {
            for (name, bytes) in place.contents(bench).await? {
                objects.insert(format!("{}/{name}", place.name), bytes);
            }
        }
    }
    Ok(found)
}

/// No plaintext anywhere, and nothing of one zone's objects in another zone.
fn inspect(checks: &mut Checks, when: &str, found: &Found, search: &mut Search) {
    let objects: usize = found.values().map(BTreeMap::len).sum();
    let bytes: usize = found.values().flat_map(BTreeMap::values).map(Bytes::len).sum();
    let plain: Vec<_> = found.values().flatten().filter(|(name, content)| search.is_plain(name, content)).collect();
    let names: Vec<_> = plain.iter().map(|(name, _)| name.as_str()).collect();
    let wrong = if names.is_empty() { Ok(()) } else { Err(names.join(", ")) };
    checks.check(&format!("{when}: no plaintext in {objects} objects, {bytes} bytes"), wrong);
    let sights: BTreeMap<_, Sight> =
        found.iter().map(|(zone, objects)| (*zone, search.look(sealed(objects)))).collect();
    for (zone, sight) in &sights {
        for (other, _) in sights.iter().filter(|(other, _)| *other != zone) {
            let same = sights.get(other).map_or(0, |other| sight.shared_with(other));
            let wrong = if same == 0 { Ok(()) } else { Err(format!("{same} runs of bytes are the same")) };
            checks.check(&format!("{when}: nothing sealed in {zone} is in {other}"), wrong);
        }
    }
}

/// All but the markers, which tell everywhere whose installation it is.
fn sealed(objects: &BTreeMap<String, Bytes>) -> impl Iterator<Item = &Bytes> {
    objects.iter().filter(|(name, _)| !name.contains(super::MARKER)).map(|(_, content)| content)
}

/// Waits until nothing of a policy's is stored any more.
async fn settle(bench: &Bench, operator: &mut Operator, policy: &str) -> Result<()> {
    let begun = bench.world.instant();
    while operator.segments_of_policy(policy).await? > 0 {
        if begun.elapsed() > MOVE_MAX {
            bail!("policy {policy} still has segments after {} s", MOVE_MAX.as_secs());
        }
        bench.world.sleep(PAUSE).await;
    }
    Ok(())
}
