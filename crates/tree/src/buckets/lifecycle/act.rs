//! Taking away what goes, and what is not told of as a failure.

use super::judge::{Deed, Going};
use crate::paths::Seen;
use crate::{Caller, Error, Expect, Manner, Path, Prune, Recursive, RemoveAt, RemoveVersionAt, Tree, Want};
use entente_database::lifecycle::RunCounts;
use entente_model::{ItemId, ItemName, VersionId};
use futures_util::{StreamExt, stream};

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

/// Something that could not be removed and was left, for another time: for whoever runs a job to log.
#[derive(Debug)]
pub struct Failed {
    /// The item, or the bucket that it is in.
    pub item: ItemId,
    /// The version, if it is one of a bucket.
    pub version: Option<VersionId>,
    /// Why.
    pub error: Error,
}

/// What a walk has done.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) counts: RunCounts,
    pub(super) failed: Vec<Failed>,
}

impl Done {
    /// Counts what became of something: where it is gone, by `count`.
    pub(super) fn note(
        &mut self,
        outcome: Result<Outcome, Error>,
        count: impl FnOnce(&mut RunCounts) -> &mut u64,
        (item, version): (ItemId, Option<VersionId>),
    ) {
        match outcome {
            Ok(Outcome::Gone) => *count(&mut self.counts) += 1,
            Ok(Outcome::Changed) => {}
            Ok(Outcome::Refused) => self.counts.refused += 1,
            Err(error) => {
                self.counts.refused += 1;
                self.failed.push(Failed { item, version, error });
            }
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.failed.extend(other.failed);
        Self { counts: sum(self.counts, other.counts), ..self }
    }
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
            Err(Error::Forbidden | Error::Locked | Error::Retained { .. }) => Ok(Self::Refused),
            Err(error) => Err(error),
        }
    }
}

impl Tree {
    /// Takes away what goes from a bucket. Of one key one after the other, the oldest first. What fails is in nothing else's
    /// way, but in that of what is newer of its key.
    pub(super) async fn take_away(&self, caller: &Caller, bucket: ItemId, going: Vec<Going>) -> Done {
        let expiring = &self.in_manner(Manner::Expiry);
        let each = going.into_iter().map(|going| expiring.take_away_of_key(caller, bucket, going));
        stream::iter(each).buffer_unordered(AT_A_TIME).fold(Done::default(), async |one, other| one.and(other)).await
    }

    async fn take_away_of_key(&self, caller: &Caller, bucket: ItemId, going: Going) -> Done {
        let mut done = Done::default();
        let names = match going.key.split('/').map(ItemName::new).collect::<Result<Vec<_>, _>>() {
            Ok(names) => names,
            Err(error) => {
                // Keys are made of names, so they are names again.
                done.note(Err(error.into()), |counts| &mut counts.keys, (bucket, None));
                return done;
            }
        };
        let path = Path { base: bucket, names: &names };
        let how = RemoveVersionAt::from(Prune::Implied);
        for deed in going.deeds.into_iter().rev() {
            match deed {
                Deed::Current(version) => {
                    let expect = Expect::Version(version);
                    let remove = RemoveAt { expect, recursive: Recursive::No, prune: Prune::Implied };
                    let removed = Outcome::of(self.remove_at(caller, path, Want::File, remove).await);
                    done.note(removed, |counts| &mut counts.keys, (bucket, Some(version)));
                }
                Deed::Older(version, id) => {
                    let seen = Seen::Older(id);
                    let removed = self.remove_version_as_seen(caller, (path, version), how, seen).await;
                    done.note(Outcome::of(removed), |counts| &mut counts.older, (bucket, Some(id)));
                }
                Deed::Marker(version, item) => {
                    let seen = Seen::Marker(item);
                    let removed = self.remove_version_as_seen(caller, (path, version), how, seen).await;
                    done.note(Outcome::of(removed), |counts| &mut counts.markers, (item, None));
                }
            }
            if !done.failed.is_empty() {
                break;
            }
        }
        done
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
