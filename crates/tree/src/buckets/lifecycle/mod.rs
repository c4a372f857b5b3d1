//! What goes by itself from a bucket: the rules that say so, and the walk along the bucket that follows them.
//!
//! Rules are of the tree, whoever put a key there. What they remove goes the way of every removal: a current version into
//! the trash (a delete marker where versions are kept), an older one out of its list. So it is recoverable for a while, and
//! what may not be removed stays.

mod act;
mod judge;
mod rules;
mod run;
#[cfg(test)]
mod tests;
mod trash;

pub use act::Failed;
pub use rules::{Expiry, KeyFilter, Lifecycle, LifecycleRule, OlderVersions};
pub use run::{Followed, LifecycleState, RunState};
pub use trash::{Expired, TrashPosition};

use super::{Bucket, bucket, find, free_name, row};
use crate::grant::Change;
use crate::limits::{LIFECYCLE_BYTES_MAX, LIFECYCLE_RULES_MAX};
use crate::{Caller, Error, Object, Tree, VersionState};
use entente_database::buckets::{self, BucketVersioning};
use entente_database::jobs::{self, NewJob};
use entente_database::{Tx, lifecycle as rows};
use entente_model::{ItemId, JobId, Timestamp};
use rules::Seen;

/// The kind of the job that calls [`Tree::begin_lifecycles`] now and then.
pub const BEGIN_LIFECYCLES_JOB: &str = "begin lifecycles";
/// The kind of the jobs that call [`Tree::run_lifecycle`] until it is done. Their key is the bucket's id.
pub const LIFECYCLE_JOB: &str = "follow lifecycle";
/// The kind of the job that calls [`Tree::expire_trash`] now and then.
pub const EXPIRE_TRASH_JOB: &str = "expire trash";
/// The kind of the job that calls [`Tree::purge_overwritten`] now and then.
pub const PURGE_OVERWRITTEN_JOB: &str = "purge overwritten versions";

/// The setting that holds the rules.
const RULES_SETTING: &str = "lifecycle rules";
/// The setting that holds what they were given as.
const DOCUMENT_SETTING: &str = "lifecycle";

/// When a key goes by itself, and by which rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expires {
    /// Not before this moment.
    pub at: Timestamp,
    /// The rule's name.
    pub rule: String,
}

impl Tree {
    /// Sets by which rules keys go from the caller's bucket of that name, in place of those before, and keeps `document`,
    /// which is what they were given as. They are followed from now on, for what is there already too.
    ///
    /// `NotFound`; `Invalid` for a rule without or with another's name, for one that waits no day, and beyond
    /// `limits::LIFECYCLE_RULES_MAX` and `limits::LIFECYCLE_BYTES_MAX`; `BucketTaken` when the folder was not made through
    /// S3, and its name is taken.
    pub async fn set_lifecycle(
        &self,
        caller: &Caller,
        name: &str,
        lifecycle: &Lifecycle,
        document: String,
    ) -> Result<(), Error> {
        check(lifecycle)?;
        let text = serde_json::to_string(lifecycle).map_err(|error| Error::Internal(error.into()))?;
        if text.len().max(document.len()) > LIFECYCLE_BYTES_MAX {
            return Err(Error::Invalid("the rules of the bucket are too long"));
        }
        let (caller, name, now) = (caller.clone(), name.to_owned(), self.world.now());
        let job = JobId::new(self.world.next_id());
        self.database
            .transact("set lifecycle", move |tx| {
                super::check_still_ruled(tx, &caller)?;
                let (grant, item) = find::<Change>(tx, &caller, &name)?;
                if buckets::by_item(tx, item.id)?.is_none() {
                    free_name(tx, &caller, &name, Some(item.id))?;
                    let bucket = bucket(&item, grant.owner(), BucketVersioning::Never);
                    buckets::insert(tx, &row(&caller, &bucket))?;
                }
                buckets::set_setting(tx, item.id, RULES_SETTING, &text, now)?;
                buckets::set_setting(tx, item.id, DOCUMENT_SETTING, &document, now)?;
                rows::note_rules(tx, item.id)?;
                rows::begin_run(tx, item.id, now)?;
                enqueue(tx, job, item.id, now)
            })
            .await
    }

    /// Removes the rules of the caller's bucket of that name; to have none is success. `NotFound`.
    pub async fn remove_lifecycle(&self, caller: &Caller, name: &str) -> Result<(), Error> {
        let (caller, name) = (caller.clone(), name.to_owned());
        self.database
            .transact("remove lifecycle", move |tx| {
                super::check_still_ruled(tx, &caller)?;
                let (_, item) = find::<Change>(tx, &caller, &name)?;
                buckets::remove_setting(tx, item.id, RULES_SETTING)?;
                buckets::remove_setting(tx, item.id, DOCUMENT_SETTING)?;
                rows::note_no_rules(tx, item.id)?;
                // A job without a walk ends by itself.
                Ok(rows::forget_run(tx, item.id)?)
            })
            .await
    }

    /// What the rules of the caller's bucket of that name were given as; `None` when it has none. `NotFound`. A few lookups,
    /// inline.
    pub async fn lifecycle_document(&self, caller: &Caller, name: &str) -> Result<Option<String>, Error> {
        self.bucket_setting(caller, name, DOCUMENT_SETTING).await
    }

    /// When the object at a key of a bucket goes by itself; `None` for what is not the current version, and where no rule
    /// says so. Nothing is decided here. One lookup, inline, and none where the bucket has no rules.
    pub fn expiry(&self, bucket: &Bucket, key: &str, object: &Object) -> Result<Option<Expires>, Error> {
        if !bucket.expires || object.view.item.trashed_at.is_some() || object.state() != VersionState::Current {
            return Ok(None);
        }
        let Some(version) = &object.view.version else { return Ok(None) };
        let Some(lifecycle) = self.database.read(|tx| lifecycle_of(tx, bucket.item))? else { return Ok(None) };
        let tags = object.facts.as_ref().map_or(&[][..], |facts| &facts.tags);
        let seen = Seen { key, content: Some((version.size, tags)), at: version.created_at };
        Ok(lifecycle.expiry(&seen).map(|(at, rule)| Expires { at, rule: rule.name.clone() }))
    }

    /// When an upload to a key of a bucket is ended that was begun then and that nobody completes, if a rule says so. As
    /// [`Tree::expiry`] otherwise.
    pub fn upload_expiry(&self, bucket: &Bucket, key: &str, begun_at: Timestamp) -> Result<Option<Expires>, Error> {
        if !bucket.expires {
            return Ok(None);
        }
        let Some(lifecycle) = self.database.read(|tx| lifecycle_of(tx, bucket.item))? else { return Ok(None) };
        Ok(lifecycle.upload_expiry(key, begun_at).map(|(at, rule)| Expires { at, rule: rule.name.clone() }))
    }
}

/// The rules of a bucket, if it has any.
fn lifecycle_of(tx: &mut Tx<'_>, bucket: ItemId) -> Result<Option<Lifecycle>, Error> {
    let Some(text) = buckets::setting(tx, bucket, RULES_SETTING)? else { return Ok(None) };
    let damaged = |error: serde_json::Error| Error::Damaged(format!("the rules of bucket {bucket}: {error}").into());
    serde_json::from_str(&text).map(Some).map_err(damaged)
}

fn enqueue(tx: &mut Tx<'_>, job: JobId, bucket: ItemId, now: Timestamp) -> Result<(), Error> {
    let key = bucket.to_string();
    Ok(jobs::enqueue(tx, &NewJob { job, kind: LIFECYCLE_JOB, key: &key, payload: "", run_at: now }, now)?)
}

fn check(lifecycle: &Lifecycle) -> Result<(), Error> {
    let rules = &lifecycle.rules;
    if rules.len() > LIFECYCLE_RULES_MAX {
        return Err(Error::Invalid("a bucket has at most 1,000 rules by which keys go"));
    }
    let mut names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    names.sort_unstable();
    if names.first() == Some(&"") || names.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
        return Err(Error::Invalid("each rule of a bucket has a name of its own"));
    }
    let waits_no_day = |rule: &LifecycleRule| {
        rule.expiry == Some(Expiry::AfterDays(0))
            || rule.older.is_some_and(|older| older.after_days == 0)
            || rule.uploads_after_days == Some(0)
    };
    if rules.iter().any(waits_no_day) {
        return Err(Error::Invalid("a rule waits for a day at least"));
    }
    Ok(())
}
