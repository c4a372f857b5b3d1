//! What a move would take: for a dry run. Looks at everything that would be moved, and changes nothing.

use super::order::{Wanted, redirect};
use super::redirects::apply;
use super::{Names, Refusal, Relocations};
use entente_database::relocations::{self, Moved};
use entente_database::{Error as DatabaseError, Tx};
use entente_model::{BackendId, ItemId, PolicyId, UserId};
use entente_tree::Stored;
use entente_vault::upkeep::survey::{Amount, Survey};
use entente_vault::upkeep::{Selection, Watch};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Contents looked up at a time.
const PAGE: u32 = 500;
/// Contents of a user or a folder are packed together, some of them in segments of this size.
const SEGMENT_BYTES: u64 = 8 << 20;
/// What is moved in a second when nobody says: a guess for two clouds of one continent.
const RATE_GUESSED: u64 = 50 << 20;
/// A gigabyte as clouds bill it.
const BILLED_GIGABYTE: f64 = 1e9;

/// What clouds take, in any currency. What is not given costs nothing; deleting costs nothing anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Prices {
    pub(crate) egress_per_gb: f64,
    pub(crate) per_1000_puts: f64,
    pub(crate) per_1000_gets: f64,
}

/// What a move would take.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Estimate {
    /// Read from where, written to where.
    copies: BTreeMap<(BackendId, BackendId), Amount>,
    /// Of these, those of small segments, several of which become one.
    merged: BTreeMap<(BackendId, BackendId), Amount>,
    /// To be removed at the end.
    removed: BTreeMap<BackendId, Amount>,
    /// Moved by chunks, to wherever their policy wants them.
    contents: Amount,
    /// What cannot be moved: no copy of it is good.
    unreadable: u64,
    /// What nothing refers to: it is collected, not moved.
    garbage: Amount,
    rate: u64,
    is_rate_given: bool,
    prices: Prices,
    stopped: bool,
}

/// How many requests of each kind a cloud would get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Requests {
    reads: u64,
    writes: u64,
    deletes: u64,
}

impl Relocations {
    /// Estimates an order, after the same checks as [`Relocations::order`].
    pub(crate) async fn estimate(
        &self,
        wanted: &Wanted,
        rate: Option<u64>,
        prices: Prices,
        watch: &mut dyn Watch,
    ) -> Result<Estimate, Refusal> {
        let mut estimate = Estimate {
            copies: BTreeMap::new(),
            merged: BTreeMap::new(),
            removed: BTreeMap::new(),
            contents: Amount::default(),
            unreadable: 0,
            garbage: Amount::default(),
            rate: rate.or(self.pace.bytes_per_second).or(self.measured().await?).unwrap_or(RATE_GUESSED).max(1),
            is_rate_given: rate.is_some(),
            prices,
            stopped: false,
        };
        let mut topology = (*self.vault.topology()).clone();
        for moved in self.resolve(wanted).await? {
            self.check(&moved).await?;
            match moved {
                Moved::Backend { from, to, policy } => {
                    apply(&mut topology, &[redirect(from, to, policy)]);
                    let survey = self.vault.survey_as(&topology, Selection::On(from), watch).await?;
                    estimate.take_in(survey, from);
                }
                Moved::User { user, policy } => {
                    let read = move |tx: &mut Tx<'_>| relocations::elsewhere(tx, user, policy);
                    let (objects, bytes) = self.database.read_long(read).await?;
                    estimate.contents = Amount { objects, bytes };
                }
                Moved::Folder { folder, policy } => estimate.contents = self.below(folder, policy, watch).await?,
            }
        }
        estimate.stopped |= watch.stop();
        Ok(estimate)
    }

    async fn below(
        &self,
        folder: ItemId,
        policy: PolicyId,
        watch: &mut dyn Watch,
    ) -> Result<Amount, entente_tree::Error> {
        let (mut amount, mut after) = (Amount::default(), None);
        while let Some(page) = self.tree.contents_below(folder, policy, after, PAGE).await? {
            amount.objects += page.contents.len() as u64;
            amount.bytes += page.contents.iter().map(|Stored { size, .. }| size).sum::<u64>();
            watch.progress("contents", amount.objects);
            after = page.next;
            if after.is_none() || watch.stop() {
                break;
            }
        }
        Ok(amount)
    }

    /// How fast the last relocation went that moved enough to tell.
    async fn measured(&self) -> Result<Option<u64>, DatabaseError> {
        let newest = self.list().await?;
        let of = |one: &relocations::Relocation| {
            let span = one.ended_at.unwrap_or(one.modified_at).millis().saturating_sub(one.created_at.millis());
            let span_ms = u64::try_from(span).ok().filter(|span| *span > 0)?;
            let moved = one.progress.bytes_done;
            (moved >= SEGMENT_BYTES * 8 && one.rate.is_none()).then(|| moved.saturating_mul(1_000) / span_ms)
        };
        Ok(newest.iter().find_map(of))
    }

    /// How much of what a user owns is not stored under a policy.
    pub(super) async fn owned_elsewhere(&self, user: UserId, policy: PolicyId) -> Result<(u64, u64), DatabaseError> {
        self.database.read_long(move |tx| relocations::elsewhere(tx, user, policy)).await
    }
}

impl Estimate {
    fn take_in(&mut self, survey: Survey, source: BackendId) {
        for (way, amount) in survey.copies {
            add(self.copies.entry(way).or_default(), amount);
        }
        for (way, amount) in survey.merged {
            add(self.merged.entry(way).or_default(), amount);
        }
        // Only what leaves the source is this move's; others may leave elsewhere for reasons of their own.
        if let Some(amount) = survey.leaving.get(&source) {
            add(self.removed.entry(source).or_default(), *amount);
        }
        self.unreadable += survey.unreadable.objects;
        add(&mut self.garbage, survey.dead);
        self.stopped |= survey.stopped;
    }

    fn bytes(&self) -> u64 {
        self.contents.bytes + self.copies.values().map(|amount| amount.bytes).sum::<u64>()
    }

    fn objects(&self) -> u64 {
        self.contents.objects + self.copies.values().map(|amount| amount.objects).sum::<u64>()
    }

    /// Each copy is read once; what is written is written once and read back once, small ones together. Each object that goes is deleted once.
    fn requests(&self) -> BTreeMap<BackendId, Requests> {
        let mut requests: BTreeMap<BackendId, Requests> = BTreeMap::new();
        for ((from, to), amount) in &self.copies {
            requests.entry(*from).or_default().reads += amount.objects;
            let merged = self.merged.get(&(*from, *to)).copied().unwrap_or_default();
            let written = amount.objects - merged.objects + merged.bytes.div_ceil(SEGMENT_BYTES).min(merged.objects);
            let target = requests.entry(*to).or_default();
            target.writes += written;
            target.reads += written;
        }
        for (backend, amount) in &self.removed {
            requests.entry(*backend).or_default().deletes += amount.objects;
        }
        requests
    }

    fn all_requests(&self) -> Requests {
        let mut all = Requests::default();
        for requests in self.requests().values() {
            all.reads += requests.reads;
            all.writes += requests.writes;
            all.deletes += requests.deletes;
        }
        // Contents are read one by one and written together.
        all.reads += self.contents.objects;
        all.writes += self.contents.bytes.div_ceil(SEGMENT_BYTES);
        all
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn seconds(&self) -> f64 {
        self.bytes() as f64 / self.rate as f64
    }

    /// What leaves a provider, and what requests cost. That a copy is read back is billed as egress by some; it is
    /// counted once here, where it leaves the source.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn costs(&self) -> (f64, f64) {
        let (prices, requests) = (self.prices, self.all_requests());
        let egress = self.bytes() as f64 / BILLED_GIGABYTE * prices.egress_per_gb;
        let thousands = |count: u64| count as f64 / 1_000.0;
        let asked =
            thousands(requests.writes) * prices.per_1000_puts + thousands(requests.reads) * prices.per_1000_gets;
        (egress, asked)
    }

    pub(crate) fn to_json(&self, names: &Names) -> Value {
        let shown = |requests: Requests| json!({ "reads": requests.reads, "writes": requests.writes, "deletes": requests.deletes });
        let copies: Vec<_> = self
            .copies
            .iter()
            .map(|((from, to), amount)| {
                let (from, to) = (names.of_backend(*from), names.of_backend(*to));
                json!({ "from": from, "to": to, "objects": amount.objects, "bytes": amount.bytes })
            })
            .collect();
        let removed: Vec<_> = self
            .removed
            .iter()
            .map(|(backend, amount)| {
                json!({ "backend": names.of_backend(*backend), "objects": amount.objects, "bytes": amount.bytes })
            })
            .collect();
        let by_backend: BTreeMap<_, _> =
            self.requests().into_iter().map(|(backend, asked)| (names.of_backend(backend), shown(asked))).collect();
        let (egress, requests) = self.costs();
        json!({
            "dry_run": true,
            "bytes": self.bytes(),
            "objects": self.objects(),
            "copies": copies,
            "removed": removed,
            "contents": self.contents.objects,
            "requests": shown(self.all_requests()),
            "requests_by_backend": by_backend,
            "unreadable_segments": self.unreadable,
            "garbage_objects": self.garbage.objects,
            "garbage_bytes": self.garbage.bytes,
            "rate_bytes_per_second": self.rate,
            "rate_is_given": self.is_rate_given,
            "estimated_hours": self.seconds() / 3_600.0,
            "cost_egress": egress,
            "cost_requests": requests,
            "cost": egress + requests,
            "stopped": self.stopped,
        })
    }
}

/// An estimate as shown, for people.
pub(crate) fn text(shown: &Value) -> String {
    use crate::output::size;
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let list = |field: &str| shown[field].as_array().cloned().unwrap_or_default();
    let amount = |value: &Value| format!("{} objects, {}", number(&value["objects"]), size(number(&value["bytes"])));
    let mut lines = Vec::new();
    for copy in list("copies") {
        lines.push(format!("copy      {} from {} to {}", amount(&copy), word(&copy["from"]), word(&copy["to"])));
    }
    if number(&shown["contents"]) > 0 {
        lines.push(format!("move      {} contents, {}", number(&shown["contents"]), size(number(&shown["bytes"]))));
    }
    for removed in list("removed") {
        lines.push(format!("remove    {} from {}", amount(&removed), word(&removed["backend"])));
    }
    let requests = |kind: &str| number(&shown["requests"][kind]);
    let (reads, writes, deletes) = (requests("reads"), requests("writes"), requests("deletes"));
    lines.push(format!("requests  {reads} reads, {writes} writes, {deletes} deletes"));
    let why = if shown["rate_is_given"] == true { "as you said" } else { "as was measured or guessed" };
    let hours = shown["estimated_hours"].as_f64().unwrap_or(0.0);
    lines.push(format!("time      {hours:.1} hours at {}/s, {why}", size(number(&shown["rate_bytes_per_second"]))));
    let cost = |field: &str| shown[field].as_f64().unwrap_or(0.0);
    if cost("cost") > 0.0 {
        let (all, egress, asked) = (cost("cost"), cost("cost_egress"), cost("cost_requests"));
        lines.push(format!("cost      {all:.2}: {egress:.2} for egress, {asked:.2} for requests"));
    }
    if number(&shown["unreadable_segments"]) > 0 {
        let count = number(&shown["unreadable_segments"]);
        lines.push(format!("WARNING   {count} segments have no good copy; see `entente verify`"));
    }
    if number(&shown["garbage_objects"]) > 0 {
        let (objects, bytes) = (number(&shown["garbage_objects"]), size(number(&shown["garbage_bytes"])));
        lines.push(format!("garbage   {objects} objects, {bytes}, are removed and not moved"));
    }
    if shown["stopped"] == true {
        lines.push("interrupted: this is less than all".to_owned());
    }
    lines.push("nothing was changed".to_owned());
    lines.join("\n")
}

fn add(sum: &mut Amount, more: Amount) {
    sum.objects += more.objects;
    sum.bytes += more.bytes;
}

#[cfg(test)]
mod tests {
    use super::{Amount, Estimate, Names, Prices, text};
    use entente_model::BackendId;

    #[test]
    fn an_estimate_adds_up() {
        let (from, to) = (BackendId::new(1), BackendId::new(2));
        let amount = Amount { objects: 2_000, bytes: 4_000_000_000 };
        let estimate = Estimate {
            copies: [((from, to), amount)].into(),
            merged: [((from, to), Amount { objects: 1_000, bytes: 16 << 20 })].into(),
            removed: [(from, amount)].into(),
            contents: Amount::default(),
            unreadable: 0,
            garbage: Amount::default(),
            rate: 1_000_000,
            is_rate_given: true,
            prices: Prices { egress_per_gb: 0.09, per_1000_puts: 0.005, per_1000_gets: 0.0004 },
            stopped: false,
        };
        let value = estimate.to_json(&Names::default());
        assert_eq!(value["requests"], serde_json::json!({ "reads": 3_002, "writes": 1_002, "deletes": 2_000 }));
        assert_eq!(value["requests_by_backend"]["2"]["writes"], 1_002);
        let close = |field: &str, to: f64| (value[field].as_f64().expect("a number") - to).abs() < 1e-9;
        assert!(close("estimated_hours", 4_000.0 / 3_600.0) && close("cost_egress", 0.36), "{value}");
        assert!(close("cost_requests", 0.00501 + 0.0012008) && close("cost", 0.3662108), "{value}");
        assert!(text(&value).contains("cost      0.37"), "{}", text(&value));
    }
}
