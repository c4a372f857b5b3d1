//! What every backend must pass: our own in tests, a real cloud in `check-backend` for operators.
//!
//! The checks use fresh random names and remove what they made, so they may be run on a backend in use.

use crate::{Backend, Error, ErrorKind, ObjectName};
use bytes::Bytes;
use entente_world::World;
use futures_util::future::{join_all, try_join_all};
use std::ops::Range;

/// Larger than what any backend buffers, and not a multiple of anything.
const LARGE_BYTES: usize = 3 * 1024 * 1024 + 7;
const RACERS: u8 = 16;

/// A promise that the backend did not keep.
#[derive(Debug, thiserror::Error)]
#[error("the check {check:?} failed: {what}")]
pub struct Failure {
    /// Which check found it.
    pub check: &'static str,
    /// What was expected, and what was found.
    pub what: String,
}

type Outcome = Result<(), Failure>;

/// Runs every check, and stops at the first failure.
pub async fn run(backend: &dyn Backend, world: &World) -> Outcome {
    created_objects_read_back(backend, world).await?;
    ranges_are_exact(backend, world).await?;
    absent_objects_are_not_found(backend, world).await?;
    objects_are_never_overwritten(backend, world).await?;
    one_of_many_creations_wins(backend, world).await?;
    dropped_creations_leave_nothing(backend, world).await?;
    listings_are_ordered_and_paged(backend, world).await?;
    deleting_twice_is_fine(backend, world).await?;
    many_may_read_at_once(backend, world).await
}

/// Objects of several sizes, written in one piece and in many, hold what was written.
pub async fn created_objects_read_back(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "created objects read back", backend };
    for size in [1, 4096, 65_536 + 16, LARGE_BYTES] {
        let (name, bytes) = (fresh_name(world), content(world, size));
        for piece_bytes in [size, size.div_ceil(40)] {
            trial.create(name, &bytes, piece_bytes).await?;
            trial.expect_holds(name, &bytes).await?;
            trial.delete(name).await?;
        }
    }
    let name = fresh_name(world);
    trial.create(name, &Bytes::new(), 1).await?;
    let stat = trial.ok(backend.stat(name).await)?;
    trial.expect(stat.size == 0, || format!("an empty object has {} bytes", stat.size))?;
    trial.delete(name).await
}

/// A range gives exactly its bytes, and one that the object does not hold is `OutOfRange`.
pub async fn ranges_are_exact(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "ranges are exact", backend };
    let (name, bytes) = (fresh_name(world), content(world, LARGE_BYTES));
    let end = size(&bytes);
    trial.create(name, &bytes, 100_000).await?;
    let within = [0..1, 0..end, end - 1..end, 4095..4097, 65_536..131_072, 1_000_000..1_300_001, 5..end - 5];
    for range in within {
        trial.expect_reads(name, &bytes, range).await?;
    }
    let beyond = [0..end + 1, end - 1..end + 1, end..end + 1, end + 10..end + 20, 0..u64::MAX, u64::MAX - 1..u64::MAX];
    for range in beyond {
        trial.expect_error(backend.read(name, range).await, ErrorKind::OutOfRange)?;
    }
    trial.delete(name).await
}

/// A name that was never used is `NotFound`.
pub async fn absent_objects_are_not_found(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "absent objects are not found", backend };
    let name = fresh_name(world);
    trial.expect_absent(name).await
}

/// A second creation under a name fails, whether it was begun before or after the first was committed.
pub async fn objects_are_never_overwritten(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "objects are never overwritten", backend };
    for size in [100, LARGE_BYTES] {
        let (name, first, second) = (fresh_name(world), content(world, size), content(world, size));
        let mut early = trial.ok(backend.create(name).await)?;
        trial.ok(early.write(second.clone()).await)?;
        trial.create(name, &first, size).await?;
        trial.expect_error(early.commit().await, ErrorKind::AlreadyExists)?;
        trial.expect_error(create(backend, name, &second, size).await, ErrorKind::AlreadyExists)?;
        trial.expect_holds(name, &first).await?;
        trial.delete(name).await?;
    }
    Ok(())
}

/// Of sixteen creations of one name at the same time, one succeeds and the others find the name taken.
pub async fn one_of_many_creations_wins(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "one of many creations wins", backend };
    for size in [64, 300_000] {
        let name = fresh_name(world);
        let contents: Vec<Bytes> = (0..RACERS).map(|racer| Bytes::from(vec![racer; size])).collect();
        let outcomes = join_all(contents.iter().map(|bytes| create(backend, name, bytes, 50_000))).await;
        let mut winner = None;
        for (bytes, outcome) in contents.iter().zip(outcomes) {
            match outcome {
                Ok(()) if winner.is_none() => winner = Some(bytes),
                Ok(()) => return Err(trial.failure("two creations of one name succeeded".to_owned())),
                lost => trial.expect_error(lost, ErrorKind::AlreadyExists)?,
            }
        }
        let winner = winner.ok_or_else(|| trial.failure("no creation succeeded".to_owned()))?;
        trial.expect_holds(name, winner).await?;
        trial.delete(name).await?;
    }
    Ok(())
}

/// A creation that is dropped, empty, small or large, leaves nothing under its name.
pub async fn dropped_creations_leave_nothing(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "dropped creations leave nothing", backend };
    for size in [0, 10, LARGE_BYTES] {
        let name = fresh_name(world);
        let mut creation = trial.ok(backend.create(name).await)?;
        if size > 0 {
            trial.ok(creation.write(content(world, size)).await)?;
        }
        trial.expect_absent(name).await?;
        drop(creation);
        trial.expect_absent(name).await?;
        // Nor does it keep the name from being used.
        trial.create(name, &content(world, 10), 10).await?;
        trial.delete(name).await?;
    }
    Ok(())
}

/// Pages of every size show the same names, in order, each once.
pub async fn listings_are_ordered_and_paged(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "listings are ordered and paged", backend };
    // Alike but for the last byte, so that no other object of a backend in use comes between them.
    let mut alike = *fresh_name(world).as_bytes();
    let names: Vec<ObjectName> = (1..=9_u8)
        .map(|number| {
            alike[15] = number * 20;
            ObjectName::new(alike)
        })
        .collect();
    alike[15] = 0;
    let before = ObjectName::new(alike);
    for (name, size) in names.iter().rev().zip(1..) {
        trial.create(*name, &content(world, size), size).await?;
    }
    for limit in 1..=names.len() {
        let (mut seen, mut after) = (Vec::new(), before);
        while seen.len() < names.len() {
            let page = trial.ok(backend.list(Some(after), limit).await)?;
            trial.expect(page.len() <= limit, || format!("{} rows for a limit of {limit}", page.len()))?;
            let last = page.last().ok_or_else(|| trial.failure(format!("a page after {after} is empty")))?;
            after = last.name;
            seen.extend(page);
        }
        seen.truncate(names.len());
        let listed: Vec<ObjectName> = seen.iter().map(|row| row.name).collect();
        trial.expect(listed == names, || format!("pages of {limit} show {listed:?} in place of {names:?}"))?;
        for (row, size) in seen.iter().rev().zip(1..) {
            trial.expect(row.size == size, || format!("a row says {} bytes in place of {size}", row.size))?;
        }
    }
    trial.expect_listed_across_folders(world).await?;
    let none = trial.ok(backend.list(Some(ObjectName::new([0xff; 16])), 10).await)?;
    trial.expect(none.is_empty(), || "there is something after the last name".to_owned())?;
    try_join_all(names.iter().map(|name| trial.delete(*name))).await.map(drop)
}

/// Deleting is final, and deleting what is absent succeeds.
pub async fn deleting_twice_is_fine(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "deleting twice is fine", backend };
    let (name, bytes) = (fresh_name(world), content(world, 5000));
    trial.create(name, &bytes, 5000).await?;
    trial.expect_holds(name, &bytes).await?;
    trial.delete(name).await?;
    trial.expect_absent(name).await?;
    trial.delete(name).await?;
    trial.expect_absent(name).await
}

/// Thirty-two readers of one object each get what they asked for.
pub async fn many_may_read_at_once(backend: &dyn Backend, world: &World) -> Outcome {
    let trial = Trial { check: "many may read at once", backend };
    let (name, bytes) = (fresh_name(world), content(world, LARGE_BYTES));
    trial.create(name, &bytes, 1_000_000).await?;
    let ranges = (0..32_u64).map(|reader| reader * 4096..size(&bytes) - reader * 65_536 / 2);
    try_join_all(ranges.map(|range| trial.expect_reads(name, &bytes, range))).await?;
    trial.delete(name).await
}

fn fresh_name(world: &World) -> ObjectName {
    ObjectName::new(world.random().bytes())
}

fn content(world: &World, size: usize) -> Bytes {
    let mut bytes = vec![0; size];
    world.random().fill(&mut bytes);
    Bytes::from(bytes)
}

fn size(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

async fn create(backend: &dyn Backend, name: ObjectName, bytes: &Bytes, piece_bytes: usize) -> Result<(), Error> {
    let mut creation = backend.create(name).await?;
    let mut rest = bytes.clone();
    while !rest.is_empty() {
        creation.write(rest.split_to(piece_bytes.min(rest.len()))).await?;
    }
    creation.commit().await
}

/// One check on one backend.
struct Trial<'a> {
    check: &'static str,
    backend: &'a dyn Backend,
}

impl Trial<'_> {
    fn failure(&self, what: String) -> Failure {
        Failure { check: self.check, what }
    }

    fn ok<T>(&self, outcome: Result<T, Error>) -> Result<T, Failure> {
        outcome.map_err(|error| self.failure(error.to_string()))
    }

    fn expect(&self, kept: bool, what: impl FnOnce() -> String) -> Outcome {
        if kept { Ok(()) } else { Err(self.failure(what())) }
    }

    fn expect_error<T>(&self, outcome: Result<T, Error>, kind: ErrorKind) -> Outcome {
        match outcome {
            Ok(_) => Err(self.failure(format!("an operation succeeded that should be {kind:?}"))),
            Err(error) => self.expect(error.kind == kind, || format!("{error} should be {kind:?}")),
        }
    }

    async fn create(&self, name: ObjectName, bytes: &Bytes, piece_bytes: usize) -> Outcome {
        self.ok(create(self.backend, name, bytes, piece_bytes).await)
    }

    async fn delete(&self, name: ObjectName) -> Outcome {
        self.ok(self.backend.delete(name).await)
    }

    async fn expect_reads(&self, name: ObjectName, bytes: &Bytes, range: Range<u64>) -> Outcome {
        let found = self.ok(self.backend.read(name, range.clone()).await)?;
        let within = usize::try_from(range.start).unwrap_or(0)..usize::try_from(range.end).unwrap_or(0);
        let expected = bytes.get(within).unwrap_or_default();
        self.expect(found == expected, || format!("range {range:?} reads {} other bytes", found.len()))
    }

    async fn expect_holds(&self, name: ObjectName, bytes: &Bytes) -> Outcome {
        let stat = self.ok(self.backend.stat(name).await)?;
        let expected = size(bytes);
        self.expect(stat.size == expected, || format!("stat says {} bytes in place of {expected}", stat.size))?;
        self.expect_reads(name, bytes, 0..expected).await
    }

    async fn expect_absent(&self, name: ObjectName) -> Outcome {
        self.expect_error(self.backend.stat(name).await, ErrorKind::NotFound)?;
        self.expect_error(self.backend.read(name, 0..1).await, ErrorKind::NotFound)?;
        let listed = self.ok(self.backend.list(Some(just_before(name)), 1).await)?;
        let shown = listed.first().is_some_and(|row| row.name == name);
        self.expect(!shown, || format!("{name} is absent, but listed"))
    }

    /// Objects with names from all over are each where the listing should have them.
    async fn expect_listed_across_folders(&self, world: &World) -> Outcome {
        let mut names: Vec<ObjectName> = (0..8).map(|_| fresh_name(world)).collect();
        names.sort_unstable();
        for name in &names {
            self.create(*name, &content(world, 10), 10).await?;
        }
        for name in &names {
            let row = self.ok(self.backend.list(Some(just_before(*name)), 1).await)?;
            self.expect(row.first().is_some_and(|row| row.name == *name), || format!("{name} is not listed"))?;
        }
        try_join_all(names.iter().map(|name| self.delete(*name))).await.map(drop)
    }
}

/// The name that comes right before. (A random name is never the first.)
fn just_before(name: ObjectName) -> ObjectName {
    ObjectName::new(u128::from_be_bytes(*name.as_bytes()).saturating_sub(1).to_be_bytes())
}
