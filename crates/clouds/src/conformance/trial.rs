use super::{Check, Failure, Outcome};
use crate::{Backend, Error, ErrorKind, ObjectName};
use bytes::Bytes;
use entente_world::World;
use futures_util::{StreamExt, stream};
use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Requests that a check makes at once, where it makes many.
const AT_ONCE: usize = 32;

/// One check on one backend.
pub(super) struct Trial<'a> {
    check: Check,
    pub(super) backend: &'a dyn Backend,
    pub(super) world: &'a World,
    /// Names that may have an object.
    used: Mutex<BTreeSet<ObjectName>>,
}

pub(super) fn size(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// The name that comes right before. (A random name is never the first.)
pub(super) fn just_before(name: ObjectName) -> ObjectName {
    ObjectName::new(u128::from_be_bytes(*name.as_bytes()).saturating_sub(1).to_be_bytes())
}

impl<'a> Trial<'a> {
    pub(super) fn new(check: Check, backend: &'a dyn Backend, world: &'a World) -> Self {
        Self { check, backend, world, used: Mutex::default() }
    }

    pub(super) fn fresh_name(&self) -> ObjectName {
        ObjectName::new(self.world.random().bytes())
    }

    pub(super) fn content(&self, size: usize) -> Bytes {
        let mut bytes = vec![0; size];
        self.world.random().fill(&mut bytes);
        Bytes::from(bytes)
    }

    pub(super) fn failure(&self, what: String) -> Failure {
        Failure { check: self.check, what }
    }

    pub(super) fn ok<T>(&self, outcome: Result<T, Error>) -> Result<T, Failure> {
        outcome.map_err(|error| self.failure(error.to_string()))
    }

    pub(super) fn expect(&self, kept: bool, what: impl FnOnce() -> String) -> Outcome {
        if kept { Ok(()) } else { Err(self.failure(what())) }
    }

    pub(super) fn expect_error<T>(&self, outcome: Result<T, Error>, kind: ErrorKind) -> Outcome {
        match outcome {
            Ok(_) => Err(self.failure(format!("an operation succeeded that should be {kind:?}"))),
            Err(error) => self.expect(error.kind == kind, || format!("{error} should be {kind:?}")),
        }
    }

    /// To be told before a name is used.
    pub(super) fn note(&self, name: ObjectName) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
    }

    pub(super) async fn try_create(&self, name: ObjectName, bytes: &Bytes, piece_bytes: usize) -> Result<(), Error> {
        self.note(name);
        let mut creation = self.backend.create(name).await?;
        let mut rest = bytes.clone();
        while !rest.is_empty() {
            creation.write(rest.split_to(piece_bytes.min(rest.len()))).await?;
        }
        creation.commit().await
    }

    pub(super) async fn create(&self, name: ObjectName, bytes: &Bytes, piece_bytes: usize) -> Outcome {
        self.ok(self.try_create(name, bytes, piece_bytes).await)
    }

    /// Creates many, each with its content.
    pub(super) async fn create_all(&self, objects: &[(ObjectName, Bytes)]) -> Outcome {
        let creations = stream::iter(objects).map(|(name, bytes)| self.create(*name, bytes, bytes.len().max(1)));
        creations.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect()
    }

    pub(super) async fn delete(&self, name: ObjectName) -> Outcome {
        self.ok(self.backend.delete(name).await)
    }

    /// Deletes what may be left. That it cannot be is no failure of this check.
    pub(super) async fn clean_up(&self) {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        stream::iter(used)
            .for_each_concurrent(AT_ONCE, async |name| {
                let _ = self.backend.delete(name).await;
            })
            .await;
    }

    pub(super) async fn expect_reads(&self, name: ObjectName, bytes: &Bytes, range: Range<u64>) -> Outcome {
        let found = self.ok(self.backend.read(name, range.clone()).await)?;
        let within = usize::try_from(range.start).unwrap_or(0)..usize::try_from(range.end).unwrap_or(0);
        let expected = bytes.get(within).unwrap_or_default();
        self.expect(found == expected, || format!("range {range:?} reads {} other bytes", found.len()))
    }

    pub(super) async fn expect_holds(&self, name: ObjectName, bytes: &Bytes) -> Outcome {
        let stat = self.ok(self.backend.stat(name).await)?;
        let expected = size(bytes);
        self.expect(stat.size == expected, || format!("stat says {} bytes in place of {expected}", stat.size))?;
        if expected == 0 { Ok(()) } else { self.expect_reads(name, bytes, 0..expected).await }
    }

    pub(super) async fn expect_absent(&self, name: ObjectName) -> Outcome {
        self.expect_error(self.backend.stat(name).await, ErrorKind::NotFound)?;
        self.expect_error(self.backend.read(name, 0..1).await, ErrorKind::NotFound)?;
        let listed = self.ok(self.backend.list(Some(just_before(name)), 1).await)?;
        let shown = listed.first().is_some_and(|row| row.name == name);
        self.expect(!shown, || format!("{name} is absent, but listed"))
    }
}
