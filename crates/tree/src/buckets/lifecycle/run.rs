//! The walk along a bucket that follows its rules: a page at a time, from a place that is kept.

use super::act::{Done, Failed, Outcome, sum};
use super::judge::{Judged, Place, judge};
use super::rules::{Lifecycle, midnight};
use super::{enqueue, lifecycle_of};
use crate::items::Manner;
use crate::limits::{BATCH_ROWS_MAX, PAGE_ITEMS_MAX};
use crate::{Caller, Error, HistoryWalk, HistoryWalked, ListMultiparts, MultipartEntry, Scopes, Top, Tree, UserRole};
use entente_database::lifecycle::{self as rows, Run};
use entente_database::{Tx, items, users};
use entente_model::{ItemId, JobId, Timestamp};

/// How far a walk has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// There is more to do.
    GoesOn,
    /// It is done, or there is nothing to be done.
    Ended,
}

/// What a step along a bucket has done.
#[derive(Debug)]
pub struct Followed {
    /// How far the walk has come.
    pub state: RunState,
    /// What could not be removed, other than what may not be. The walk goes on behind it, and comes by it again another day.
    pub failed: Vec<Failed>,
}

/// What is known of a bucket with rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleState {
    /// The bucket.
    pub bucket: ItemId,
    /// Its name.
    pub name: String,
    /// How many rules it has that are followed.
    pub rules: usize,
    /// The walk that goes on, or the last one.
    pub run: Option<Run>,
}

/// A walk that is to go on.
struct Order {
    /// In whose name: the owner's.
    caller: Caller,
    lifecycle: Lifecycle,
    place: Place,
}

impl Tree {
    /// Begins a walk along each bucket with rules that has had none since midnight (UTC), and sees to it that those which go
    /// on do. Harmless to run twice.
    pub async fn begin_lifecycles(&self) -> Result<(), Error> {
        let now = self.world.now();
        let mut after = ItemId::new(0);
        loop {
            let found = self.database.read(|tx| rows::buckets_with_rules(tx, after, BATCH_ROWS_MAX))?;
            let Some((last, _)) = found.last() else { return Ok(()) };
            after = *last;
            let found: Vec<_> = found.iter().map(|(item, _)| (*item, JobId::new(self.world.next_id()))).collect();
            let begin = move |tx: &mut Tx<'_>| {
                for (item, job) in &found {
                    let run = rows::run(tx, *item)?;
                    if run.as_ref().is_none_or(|run| run.ended_at.is_some() && run.begun_at < midnight(now)) {
                        rows::begin_run(tx, *item, now)?;
                    } else if run.is_some_and(|run| run.ended_at.is_some()) {
                        continue;
                    }
                    enqueue(tx, *job, *item, now)?;
                }
                Ok::<_, Error>(())
            };
            self.database.transact("begin lifecycles", begin).await?;
        }
    }

    /// Begins a walk along a bucket, whether it has had one today or not. What it has no rules for, it passes by.
    pub async fn begin_lifecycle(&self, bucket: ItemId) -> Result<(), Error> {
        let now = self.world.now();
        let begin = move |tx: &mut Tx<'_>| Ok::<_, Error>(rows::begin_run(tx, bucket, now)?);
        self.database.transact("begin lifecycle", begin).await
    }

    /// Goes on with the walk along a bucket, about `limits::PAGE_ITEMS_MAX` versions at a time. Where it is, is kept
    /// afterwards: cut off, it does the same again, which removes nothing that a rule does not mean. Several may go on with
    /// one walk.
    pub async fn run_lifecycle(&self, bucket: ItemId) -> Result<Followed, Error> {
        let now = self.world.now();
        let found = self.database.read(|tx| {
            let run = rows::run(tx, bucket)?.filter(|run| run.ended_at.is_none());
            run.map(|run| Ok::<_, Error>((order(tx, &run)?, run))).transpose()
        })?;
        let Some((order, run)) = found else { return Ok(Followed { state: RunState::Ended, failed: Vec::new() }) };
        let (next, Done { counts, failed }) = match order {
            None => (None, Done::default()),
            Some(Order { caller, lifecycle, place }) => {
                let (tree, about) = (self.in_manner(Manner::Expiry), (&caller, bucket, &lifecycle));
                if place.uploads_done {
                    tree.keys_step(about, now, &place).await?
                } else {
                    tree.uploads_step(about, now, &place).await?
                }
            }
        };
        let text =
            next.as_ref().map(serde_json::to_string).transpose().map_err(|error| Error::Internal(error.into()))?;
        let after = Run {
            ended_at: next.is_none().then_some(now),
            place: text.unwrap_or_default(),
            counts: sum(run.counts, counts),
            ..run.clone()
        };
        let save = move |tx: &mut Tx<'_>| Ok::<_, Error>(rows::save_run(tx, &run, &after)?);
        let is_kept = self.database.transact("keep lifecycle", save).await?;
        // Whoever was quicker has kept where it is.
        let state = if next.is_none() && is_kept { RunState::Ended } else { RunState::GoesOn };
        Ok(Followed { state, failed })
    }

    /// The buckets with rules, in order of their ids, at most `limits::PAGE_ITEMS_MAX` after one. For operators: nothing is
    /// decided here.
    pub async fn lifecycles(&self, after: Option<ItemId>) -> Result<Vec<LifecycleState>, Error> {
        let after = after.unwrap_or(ItemId::new(0));
        self.database
            .read_long(move |tx| {
                let mut found = Vec::new();
                for (bucket, name) in rows::buckets_with_rules(tx, after, PAGE_ITEMS_MAX)? {
                    let lifecycle = lifecycle_of(tx, bucket)?.unwrap_or_default();
                    let rules = lifecycle.rules.iter().filter(|rule| rule.enabled).count();
                    found.push(LifecycleState { bucket, name, rules, run: rows::run(tx, bucket)? });
                }
                Ok(found)
            })
            .await
    }

    async fn uploads_step(
        &self,
        (caller, bucket, lifecycle): (&Caller, ItemId, &Lifecycle),
        now: Timestamp,
        place: &Place,
    ) -> Result<(Option<Place>, Done), Error> {
        let mut done = Done::default();
        let begin_keys = Place { uploads_done: true, ..Place::default() };
        if !lifecycle.is_about_uploads() {
            return Ok((Some(begin_keys), done));
        }
        let after = place.after.as_ref().map(|(key, upload)| {
            // What is kept was written by this program.
            (key.clone(), upload.as_ref().and_then(|upload| upload.parse().ok()))
        });
        let list = ListMultiparts { after, limit: PAGE_ITEMS_MAX, ..ListMultiparts::default() };
        let page = match self.list_multiparts(caller, bucket, list).await {
            Err(Error::NotFound | Error::Trashed) => return Ok((None, done)),
            page => page?,
        };
        for entry in page.entries {
            let MultipartEntry::Upload(upload) = entry else { continue };
            let goes = lifecycle.upload_expiry(&upload.key, upload.created_at).is_some_and(|(at, _)| at <= now);
            if goes {
                let ended = Outcome::of(self.abort_multipart(caller, upload.id).await);
                done.note(ended, |counts| &mut counts.uploads, (bucket, None));
            }
        }
        let next = page.next.map(|(key, upload)| Place {
            after: Some((key, upload.map(|upload| upload.to_string()))),
            ..Place::default()
        });
        Ok((Some(next.unwrap_or(begin_keys)), done))
    }

    async fn keys_step(
        &self,
        (caller, bucket, lifecycle): (&Caller, ItemId, &Lifecycle),
        now: Timestamp,
        place: &Place,
    ) -> Result<(Option<Place>, Done), Error> {
        let Some(prefix) = next_prefix(lifecycle, place) else { return Ok((None, Done::default())) };
        let after = place
            .after
            .as_ref()
            .map(|(key, version)| (key.clone(), version.as_ref().and_then(|version| version.parse().ok())));
        let walk = HistoryWalk { prefix: prefix.to_owned(), after, delimiter: None, limit: PAGE_ITEMS_MAX };
        let page: HistoryWalked = match self.walk_versions(caller, bucket, walk).await {
            Err(Error::NotFound | Error::Trashed) => return Ok((None, Done::default())),
            page => page?,
        };
        let Judged { going, next, otherwise } = judge(lifecycle, now, place, &page);
        let done = self.take_away(caller, bucket, going).await;
        let is_stuck = done.counts.keys + done.counts.older + done.counts.markers == 0;
        let next = if is_stuck { otherwise } else { next };
        let behind = || Place { uploads_done: true, done: Some(prefix.to_owned()), ..Place::default() };
        Ok((Some(next.unwrap_or_else(behind)), done))
    }
}

/// With what the keys begin that a walk is at, or comes to next.
fn next_prefix<'l>(lifecycle: &'l Lifecycle, place: &Place) -> Option<&'l str> {
    let mut prefixes = lifecycle.prefixes().into_iter();
    prefixes.find(|prefix| {
        let is_done = place.done.as_deref().is_some_and(|done| *prefix <= done);
        let is_behind =
            place.after.as_ref().is_some_and(|(after, _)| *prefix < after.as_str() && !after.starts_with(prefix));
        !is_done && !is_behind
    })
}

/// What is to be done about a bucket; `None` where it has no rules, or is none (any more).
fn order(tx: &mut Tx<'_>, run: &Run) -> Result<Option<Order>, Error> {
    let bucket = run.item;
    let Some(lifecycle) = lifecycle_of(tx, bucket)? else { return Ok(None) };
    let owner = match items::ancestors(tx, bucket)?.as_slice() {
        [_, top] if top.top == Top::Root => top.top_user,
        // In the trash, or below another folder.
        _ => None,
    };
    let Some(owner) = owner.map(|owner| users::by_id(tx, owner)).transpose()?.flatten() else { return Ok(None) };
    let place = if run.place.is_empty() {
        Place::default()
    } else {
        let damaged = |error: serde_json::Error| Error::Damaged(format!("the walk along {bucket}: {error}").into());
        serde_json::from_str(&run.place).map_err(damaged)?
    };
    let caller = Caller {
        user: owner.id,
        enterprise: owner.enterprise,
        role: UserRole::User,
        app: None,
        scopes: Scopes::ALL,
        confined: None,
        through: None,
        link: None,
    };
    Ok(Some(Order { caller, lifecycle, place }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buckets::lifecycle::rules::{KeyFilter, LifecycleRule};

    #[test]
    fn prefixes_come_one_after_the_other() {
        let rule = |prefix: &str| LifecycleRule {
            enabled: true,
            lone_markers: true,
            filter: KeyFilter { prefix: prefix.to_owned(), ..KeyFilter::default() },
            ..LifecycleRule::default()
        };
        let lifecycle = Lifecycle { rules: vec![rule("b/"), rule("a/"), rule("c")] };
        let done = |done: &str| Place { done: Some(done.to_owned()), ..Place::default() };
        let after = |key: &str| Place { after: Some((key.to_owned(), None)), ..Place::default() };
        assert_eq!(next_prefix(&lifecycle, &Place::default()), Some("a/"));
        assert_eq!(next_prefix(&lifecycle, &done("a/")), Some("b/"));
        assert_eq!(next_prefix(&lifecycle, &done("c")), None);
        assert_eq!(next_prefix(&lifecycle, &after("a/x")), Some("a/"));
        assert_eq!(next_prefix(&lifecycle, &Place { done: Some("a/".to_owned()), ..after("b/x\0\0") }), Some("b/"));
        assert_eq!(next_prefix(&lifecycle, &after("b0")), Some("c"));
    }
}
