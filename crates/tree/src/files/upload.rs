use super::{Added, Target, add_file, add_version};
use crate::grant::{Grant, Upload};
use crate::guards::check_unlocked;
use crate::items::check_sequence;
use crate::items::place::{NameRule, check_name};
use crate::retention::Keeping;
use crate::storage::follow_commit;
use crate::view::{Minis, row};
use crate::{BoxError, Caller, Error, ItemView, Kind, Tree, allow};
use bytes::Bytes;
use entente_database::events::EventKind;
use entente_database::users::{self, Storage};
use entente_database::{Tx, contents};
use entente_model::{ItemId, ItemName, JobId, Manifest, Sha1, Timestamp, VersionId};
use entente_vault::{CustomerKey, Scope, Written};
use futures_util::Stream;

/// A file to be made of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// Its name.
    pub name: ItemName,
    /// When its content was made; now, if not given.
    pub content_created_at: Option<Timestamp>,
    /// When its content was last changed; now, if not given.
    pub content_modified_at: Option<Timestamp>,
    /// How many bytes the body may have.
    pub size_max: u64,
    /// What the body's SHA-1 must be, if the client said.
    pub expected_sha1: Option<Sha1>,
}

/// A version to be made of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVersion {
    /// Another name for the file.
    pub name: Option<ItemName>,
    /// When its content was last changed; now, if not given.
    pub content_modified_at: Option<Timestamp>,
    /// How many bytes the body may have.
    pub size_max: u64,
    /// What the body's SHA-1 must be, if the client said.
    pub expected_sha1: Option<Sha1>,
    /// Only if the file still has this sequence number.
    pub if_match: Option<u64>,
}

/// What is found out before the body comes: whether it is worth reading, and what the answer will need.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) scope: Scope,
    /// What the owner may still store; `None` for any number of bytes.
    left: Option<u64>,
    pub(crate) minis: Minis,
}

impl Tree {
    /// Says whether an upload would be refused as things are now, without a body.
    pub async fn check_upload(
        &self,
        caller: &Caller,
        parent: ItemId,
        name: &ItemName,
        size: Option<u64>,
        rule: NameRule,
    ) -> Result<(), Error> {
        let prepared = self.database.read(|tx| prepare_file(tx, caller, parent, name, rule))?;
        prepared.check(size.unwrap_or(0))
    }

    /// Says whether the upload of a version would be refused as things are now, without a body.
    pub async fn check_upload_version(
        &self,
        caller: &Caller,
        file: ItemId,
        name: Option<&ItemName>,
        size: Option<u64>,
        rule: NameRule,
    ) -> Result<(), Error> {
        let prepared = self.database.read(|tx| prepare_version(tx, caller, (file, name, None), rule))?;
        prepared.check(size.unwrap_or(0))
    }

    /// Stores a body as a new file, and answers when it is durable.
    ///
    /// Refusals that need no body come before it is read: `NotFound`, `Trashed` and `Forbidden` speak of the parent;
    /// `NameInUse`. Then `BodyFailed`, `TooLarge`, `DigestMismatch`, `QuotaExceeded`, `Full`, `PolicyUnmet`,
    /// `Unavailable`. Dropping the future leaves no file, or the whole file.
    pub async fn upload<S>(
        &self,
        caller: &Caller,
        parent: ItemId,
        new: NewFile,
        rule: NameRule,
        body: S,
    ) -> Result<ItemView, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let prepared = self.database.read(|tx| prepare_file(tx, caller, parent, &new.name, rule))?;
        let written = self.store(&prepared, new.size_max, new.expected_sha1, body).await?;
        let added = self.added(&written, new.content_created_at, new.content_modified_at)?;
        let target = Target { caller: caller.clone(), stamp: self.stamp(), rule, event: EventKind::Created };
        let (item, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        self.database
            .transact("upload file", move |tx| {
                let mut minis = prepared.minis.clone();
                add_file(tx, &target, (item, parent, &new.name), &added, &mut minis, |tx, owner| {
                    contents::commit_for(tx, &written, owner)?;
                    follow_commit(tx, owner, prepared.scope, (job, target.stamp.at))
                })
            })
            .await
    }

    /// Stores a body as a new version of a file, and answers when it is durable. Errors are those of [`Tree::upload`],
    /// and `PreconditionFailed`.
    pub async fn upload_version<S>(
        &self,
        caller: &Caller,
        file: ItemId,
        new: NewVersion,
        rule: NameRule,
        body: S,
    ) -> Result<ItemView, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let prepared =
            self.database.read(|tx| prepare_version(tx, caller, (file, new.name.as_ref(), new.if_match), rule))?;
        let written = self.store(&prepared, new.size_max, new.expected_sha1, body).await?;
        let added = self.added(&written, None, new.content_modified_at)?;
        let target = Target { caller: caller.clone(), stamp: self.stamp(), rule, event: EventKind::Created };
        let job = JobId::new(self.world.next_id());
        self.database
            .transact("upload version", move |tx| {
                let mut minis = prepared.minis.clone();
                add_version(tx, &target, (file, new.name.as_ref(), new.if_match), &added, &mut minis, |tx, owner| {
                    contents::commit_for(tx, &written, owner)?;
                    follow_commit(tx, owner, prepared.scope, (job, target.stamp.at))
                })
            })
            .await
    }

    pub(crate) async fn store<S>(
        &self,
        prepared: &Prepared,
        size_max: u64,
        expected: Option<Sha1>,
        body: S,
    ) -> Result<Written, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        self.store_with_key(prepared, None, (size_max, expected), body).await
    }

    /// The same, sealed with a customer's key, if there is one: then nobody can say what its SHA-1 must be.
    pub(crate) async fn store_with_key<S>(
        &self,
        prepared: &Prepared,
        customer: Option<&CustomerKey>,
        (size_max, expected): (u64, Option<Sha1>),
        body: S,
    ) -> Result<Written, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        if customer.is_some() && expected.is_some() {
            return Err(Error::Invalid("no digest is kept of what is sealed with a customer's key"));
        }
        let left = prepared.left.unwrap_or(u64::MAX);
        let written = match self.vault.write_with_key(prepared.scope, customer, size_max.min(left), body).await {
            Err(entente_vault::Error::TooLong { .. }) if left < size_max => return Err(Error::QuotaExceeded),
            outcome => outcome?,
        };
        announced(expected, written.manifest.sha1)?;
        Ok(written)
    }

    pub(crate) fn added(
        &self,
        written: &Written,
        content_created_at: Option<Timestamp>,
        content_modified_at: Option<Timestamp>,
    ) -> Result<Added, Error> {
        let Manifest { sha1, customer, .. } = written.manifest;
        if sha1.is_none() && customer.is_none() {
            return Err(Error::internal("the vault did not compute the SHA-1"));
        }
        Ok(Added {
            version: VersionId::new(self.world.next_id()),
            content: written.manifest.content,
            size: written.manifest.size,
            sha1,
            content_created_at,
            content_modified_at,
            plain: false,
            keeping: Keeping::AsBucket,
        })
    }
}

impl Prepared {
    pub(crate) fn of(tx: &mut Tx<'_>, caller: &Caller, grant: &Grant<Upload>) -> Result<Self, Error> {
        let storage = users::storage(tx, grant.owner())?;
        let Storage { enterprise, zone, policy, left } = storage.ok_or(Error::internal("an owner is not there"))?;
        let mut minis = Minis::default();
        minis.find(tx, grant.owner())?;
        minis.find(tx, caller.user)?;
        Ok(Self { scope: Scope { enterprise, zone, policy }, left, minis })
    }

    pub(crate) fn check(&self, size: u64) -> Result<(), Error> {
        if self.left.is_some_and(|left| left < size) { Err(Error::QuotaExceeded) } else { Ok(()) }
    }
}

/// Compares the digest that a client announced with that of what arrived.
pub(crate) fn announced(expected: Option<Sha1>, actual: Option<Sha1>) -> Result<(), Error> {
    match (expected, actual) {
        (Some(expected), Some(actual)) if expected != actual => Err(Error::DigestMismatch { expected, actual }),
        _ => Ok(()),
    }
}

pub(crate) fn prepare_file(
    tx: &mut Tx<'_>,
    caller: &Caller,
    parent: ItemId,
    name: &ItemName,
    rule: NameRule,
) -> Result<Prepared, Error> {
    let folder = allow::<Upload>(tx, caller, parent)?.of(Kind::Folder)?;
    check_name(tx, folder.inside(), (Kind::File, name), rule, None)?;
    Prepared::of(tx, caller, &folder)
}

fn prepare_version(
    tx: &mut Tx<'_>,
    caller: &Caller,
    (file, name, if_match): (ItemId, Option<&ItemName>, Option<u64>),
    rule: NameRule,
) -> Result<Prepared, Error> {
    let grant = allow::<Upload>(tx, caller, file)?.of(Kind::File)?;
    let item = row(tx, &grant)?;
    check_sequence(&item, if_match)?;
    check_unlocked(tx, caller, &item)?;
    if let Some(name) = name.filter(|name| **name != item.name) {
        grant.check_may_rename(caller)?;
        check_name(tx, grant.beside()?, (Kind::File, name), rule, Some(file))?;
    }
    Prepared::of(tx, caller, &grant)
}
