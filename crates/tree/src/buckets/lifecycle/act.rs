//! Taking away what goes, and what is not told of as a failure.

use super::judge::{Deed, Going};
use crate::paths::Seen;
use crate::{Caller, Error, Expect, Manner, Path, Prune, Recursive, RemoveAt, RemoveVersionAt, Tree, Want};
use entente_database::lifecycle::RunCounts;
use entente_model::{ItemId, ItemName};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Keys that are removed at a time: they share a commit.
const AT_A_TIME: usize = 16;

/// What became of something that was to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is gone.
    Gone,
    /// It is not what it was any more.
    Changed,
    /// It may not be removed.
    Refused,
}

impl Outcome {
    /// Fails with what is nobody's wish.
    pub(super) fn of<T>(result: Result<T, Error>) -> Result<Self, Error> {
        match result {
            Ok(_) => Ok(Self::Gone),
            Err(
                Error::NotFound
                | Error::Trashed
                | Error::Deleted
                | Error::FolderMissing
                | Error::PreconditionFailed
                | Error::SessionGone,
            ) => Ok(Self::Changed),
            Err(Error::Forbidden | Error::Retained { .. }) => Ok(Self::Refused),
            Err(error) => Err(error),
        }
    }
}

impl Tree {
    /// Takes away what goes from a bucket. Of one key one after the other, the oldest first.
    pub(super) async fn take_away(
        &self,
        caller: &Caller,
        bucket: ItemId,
        going: Vec<Going>,
    ) -> Result<RunCounts, Error> {
        let expiring = &self.in_manner(Manner::Expiry);
        let each = going.into_iter().map(|going| expiring.take_away_of_key(caller, bucket, going));
        let done: Vec<RunCounts> = stream::iter(each).buffer_unordered(AT_A_TIME).try_collect().await?;
        Ok(done.into_iter().fold(RunCounts::default(), sum))
    }

    async fn take_away_of_key(&self, caller: &Caller, bucket: ItemId, going: Going) -> Result<RunCounts, Error> {
        let mut counts = RunCounts::default();
        // Keys are made of names, so they are names again.
        let names = going.key.split('/').map(ItemName::new).collect::<Result<Vec<_>, _>>()?;
        let path = Path { base: bucket, names: &names };
        let how = RemoveVersionAt::from(Prune::Implied);
        for deed in going.deeds.into_iter().rev() {
            let (outcome, count) = match deed {
                Deed::Current(version) => {
                    let expect = Expect::Version(version);
                    let remove = RemoveAt { expect, recursive: Recursive::No, prune: Prune::Implied };
                    (Outcome::of(self.remove_at(caller, path, Want::File, remove).await)?, &mut counts.keys)
                }
                Deed::Older(version, id) => {
                    let seen = Seen::Older(id);
                    let removed = self.remove_version_as_seen(caller, (path, version), how, seen).await;
                    (Outcome::of(removed)?, &mut counts.older)
                }
                Deed::Marker(version, item) => {
                    let seen = Seen::Marker(item);
                    let removed = self.remove_version_as_seen(caller, (path, version), how, seen).await;
                    (Outcome::of(removed)?, &mut counts.markers)
                }
            };
            match outcome {
                Outcome::Gone => *count += 1,
                Outcome::Changed => {}
                Outcome::Refused => counts.refused += 1,
            }
        }
        Ok(counts)
    }
}

pub(super) fn sum(one: RunCounts, other: RunCounts) -> RunCounts {
    RunCounts {
        keys: one.keys.saturating_add(other.keys),
        older: one.older.saturating_add(other.older),
        markers: one.markers.saturating_add(other.markers),
        uploads: one.uploads.saturating_add(other.uploads),
        refused: one.refused.saturating_add(other.refused),
    }
}
