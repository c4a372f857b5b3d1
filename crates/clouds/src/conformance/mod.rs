//! What every backend must pass: our own in tests, a real cloud when an operator asks for it.
//!
//! The checks use fresh random names and remove what they made, so they may be run on a backend in use.

mod listings;
mod objects;
mod place;
mod trial;

use crate::Backend;
use entente_world::World;
use std::fmt;
use trial::Trial;

/// One promise of [`Backend`] that is put to the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Objects of several sizes, written in one piece and in many, hold what was written.
    ReadsBack,
    /// A range gives exactly its bytes, and one that the object does not hold is `OutOfRange`.
    Ranges,
    /// A name that was never used is `NotFound`.
    Absent,
    /// A second creation under a name fails, whether it was begun before or after the first was committed.
    NeverOverwrites,
    /// Of sixteen creations of one name at the same time, one succeeds and the others find the name taken.
    OneOfManyWins,
    /// A creation that is dropped, empty, small or large, leaves nothing under its name.
    DroppedCreations,
    /// A commit that is dropped on its way leaves the whole object or nothing.
    DroppedCommits,
    /// Pages of every size show the same names, in order, each once.
    Listings,
    /// So do the pages of a long listing.
    LongListings,
    /// Deleting is final, and deleting what is absent succeeds.
    Deletes,
    /// Thirty-two readers of one object each get what they asked for.
    ManyReaders,
    /// The marker is put once, and is no object.
    Marker,
    /// What is ours is not told as foreign.
    Foreign,
    /// The service's clock and ours differ by minutes at most.
    Clock,
}

impl Check {
    /// All of them, in the order in which they are made.
    pub const ALL: [Self; 14] = [
        Self::Absent,
        Self::ReadsBack,
        Self::Ranges,
        Self::NeverOverwrites,
        Self::OneOfManyWins,
        Self::DroppedCreations,
        Self::DroppedCommits,
        Self::Listings,
        Self::LongListings,
        Self::Deletes,
        Self::ManyReaders,
        Self::Marker,
        Self::Foreign,
        Self::Clock,
    ];

    /// What it is called in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadsBack => "created objects read back",
            Self::Ranges => "ranges are exact",
            Self::Absent => "absent objects are not found",
            Self::NeverOverwrites => "objects are never overwritten",
            Self::OneOfManyWins => "one of many creations wins",
            Self::DroppedCreations => "dropped creations leave nothing",
            Self::DroppedCommits => "dropped commits leave all or nothing",
            Self::Listings => "listings are ordered and paged",
            Self::LongListings => "long listings are whole",
            Self::Deletes => "deleting is final",
            Self::ManyReaders => "many may read at once",
            Self::Marker => "the marker is put once",
            Self::Foreign => "foreign objects are told from ours",
            Self::Clock => "its clock agrees with ours",
        }
    }

    /// What it means for an operator when it fails.
    #[must_use]
    pub const fn consequence(self) -> &'static str {
        match self {
            Self::ReadsBack | Self::Ranges | Self::DroppedCommits | Self::ManyReaders => {
                "content would be damaged: do not use this backend"
            }
            Self::Absent => "check the credential, the bucket's name and the permissions; until then nothing works",
            Self::NeverOverwrites | Self::OneOfManyWins => {
                "the service does not create without overwriting: two installations could be told that the bucket is \
                 theirs, and a repeated name would destroy an object; use it for trials only"
            }
            Self::DroppedCreations | Self::Foreign => "garbage may stay in the bucket",
            Self::Listings | Self::LongListings => {
                "garbage would stay, and missing objects would go unnoticed: do not use this backend"
            }
            Self::Deletes => "check that the credential may delete; a bucket with retention cannot be used",
            Self::Marker => "the bucket cannot be kept from other installations",
            Self::Clock => "ages of objects are wrong, and signatures may be refused: set the clocks",
        }
    }

    /// Puts it to the test, and removes what that made.
    pub async fn run(self, backend: &dyn Backend, world: &World) -> Outcome {
        let trial = Trial::new(self, backend, world);
        let outcome = match self {
            Self::ReadsBack => objects::read_back(&trial).await,
            Self::Ranges => objects::ranges(&trial).await,
            Self::Absent => objects::absent(&trial).await,
            Self::NeverOverwrites => objects::never_overwritten(&trial).await,
            Self::OneOfManyWins => objects::one_of_many_wins(&trial).await,
            Self::DroppedCreations => objects::dropped_creations(&trial).await,
            Self::DroppedCommits => objects::dropped_commits(&trial).await,
            Self::Listings => listings::paged(&trial).await,
            Self::LongListings => listings::long(&trial).await,
            Self::Deletes => objects::deletes(&trial).await,
            Self::ManyReaders => objects::many_readers(&trial).await,
            Self::Marker => place::marker(&trial).await,
            Self::Foreign => place::foreign(&trial).await,
            Self::Clock => place::clock(&trial).await,
        };
        trial.clean_up().await;
        outcome
    }
}

/// A promise that the backend did not keep.
#[derive(Debug, thiserror::Error)]
#[error("the check {:?} failed: {what}", .check.name())]
pub struct Failure {
    /// Which check found it.
    pub check: Check,
    /// What was expected, and what was found.
    pub what: String,
}

/// What came of a check.
pub type Outcome = Result<(), Failure>;

/// What came of a check, for a report.
#[derive(Debug)]
pub struct Checked {
    /// Which.
    pub check: Check,
    /// What was found, if it failed.
    pub failure: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// What came of all checks. Its text is for operators, one check a line.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order in which they were made.
    pub checks: Vec<Checked>,
}

impl Report {
    /// Whether all passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|checked| checked.failure.is_none())
    }

    /// The checks that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Checked> {
        self.checks.iter().filter(|checked| checked.failure.is_some())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Checked { check, failure, duration_ms } in &self.checks {
            match failure {
                None => writeln!(f, "passed  {} ({duration_ms} ms)", check.name())?,
                Some(failure) => {
                    let (name, consequence) = (check.name(), check.consequence());
                    writeln!(f, "FAILED  {name}: {failure}\n        {consequence}")?;
                }
            }
        }
        Ok(())
    }
}

/// Runs every check, and goes on after a failure. Makes and deletes some 1,500 objects, and moves some 300 MB.
///
/// Nothing but the check of absent objects is made when that fails: it tells that the backend cannot be reached or
/// refuses us, and everything else would only say so again.
pub async fn report(backend: &dyn Backend, world: &World) -> Report {
    let mut report = Report::default();
    for check in Check::ALL {
        let begun = world.instant();
        let failure = check.run(backend, world).await.err().map(|failure| failure.what);
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ends = check == Check::Absent && failure.is_some();
        report.checks.push(Checked { check, failure, duration_ms });
        if ends {
            break;
        }
    }
    report
}

/// Runs every check, and stops at the first failure.
pub async fn run(backend: &dyn Backend, world: &World) -> Outcome {
    for check in Check::ALL {
        check.run(backend, world).await?;
    }
    Ok(())
}
