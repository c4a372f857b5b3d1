use super::{Multipart, MultipartPart, check_number, find, find_open};
use crate::files::check_mark;
use crate::limits::{MULTIPART_PART_BYTES_MAX, PAGE_ITEMS_MAX};
use crate::storage::follow_commit;
use crate::{BoxError, Caller, Error, Finish, Finished, Tree};
use bytes::Bytes;
use entente_database::facts::Facts;
use entente_database::users::{self, Storage};
use entente_database::{Tx, contents, multipart};
use entente_model::{JobId, Md5, MultipartId, Sha1, Timestamp, UserId};
use entente_vault::{CustomerKey, CustomerMark, Scope, Written};
use futures_util::Stream;
use std::sync::Arc;

/// A page of the parts that have arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartPartPage {
    /// The upload.
    pub upload: Multipart,
    /// In order of their numbers.
    pub entries: Vec<MultipartPart>,
    /// After which number the next page begins; `None` at the end.
    pub next: Option<u32>,
}

/// Where a part's bytes go, and how many there may be.
pub(super) struct Room {
    pub(super) scope: Scope,
    /// Whose they are.
    pub(super) owner: UserId,
    /// What the owner may still store besides the other parts; `None` for any number of bytes.
    pub(super) left: Option<u64>,
    /// Of the customer's key that parts are to be sealed with, if there is one.
    pub(super) mark: Option<CustomerMark>,
}

impl Room {
    pub(super) fn find(
        tx: &mut Tx<'_>,
        caller: &Caller,
        (upload, number): (MultipartId, u32),
        now: Timestamp,
    ) -> Result<Self, Error> {
        let (Multipart { customer: mark, .. }, grant) = find_open(tx, caller, upload, now)?;
        let owner = grant.owner();
        let storage = users::storage(tx, owner)?.ok_or(Error::internal("an owner is not there"))?;
        let Storage { enterprise, zone, policy, left } = storage;
        // Parts are counted when they are complete: until then they count here, and only for who has a limit.
        let left = match left {
            Some(left) => Some(left.saturating_sub(multipart::held(tx, owner, (upload, number))?)),
            None => None,
        };
        Ok(Self { scope: Scope { enterprise, zone, policy }, owner, left, mark })
    }

    /// The same in the transaction that keeps a part of that many bytes: others may have arrived since. `QuotaExceeded`.
    pub(super) fn check(
        tx: &mut Tx<'_>,
        owner: UserId,
        (upload, number): (MultipartId, u32),
        size: u64,
    ) -> Result<(), Error> {
        let storage = users::storage(tx, owner)?.ok_or(Error::internal("an owner is not there"))?;
        let Some(left) = storage.left else { return Ok(()) };
        let held = multipart::held(tx, owner, (upload, number))?;
        if held.saturating_add(size) <= left { Ok(()) } else { Err(Error::QuotaExceeded) }
    }
}

impl Tree {
    /// Stores a part, and answers when it is durable. A part that is sent again takes the place of the earlier one with its
    /// number. `finish` is called once the body is stored, and says what the part is called: without an MD5, it gets another
    /// tag.
    ///
    /// `Invalid` for a number that no part can have; `SessionGone` as for [`Tree::multipart`], and when the upload is
    /// complete. `TooLarge` beyond `size_max` or 5 GiB; `QuotaExceeded`, counting the parts that are there. Then the errors
    /// of [`Tree::upload`], and what `finish` says: the part is as it was before.
    pub async fn put_multipart_part<S>(
        &self,
        caller: &Caller,
        upload: MultipartId,
        number: u32,
        size_max: u64,
        body: S,
        finish: Finish,
    ) -> Result<MultipartPart, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        self.put_multipart_part_with_key(caller, (upload, number), None, (size_max, body), finish).await
    }

    /// The same, sealed with the customer's key that the upload was begun with: `KeyNeeded`, `WrongKey`, `KeyUnused`. Its tag
    /// is drawn, and its checksum is not kept.
    pub async fn put_multipart_part_with_key<S>(
        &self,
        caller: &Caller,
        (upload, number): (MultipartId, u32),
        customer: Option<Arc<CustomerKey>>,
        (size_max, body): (u64, S),
        finish: Finish,
    ) -> Result<MultipartPart, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        check_number(number)?;
        let now = self.world.now();
        let room = self.database.read(|tx| Room::find(tx, caller, (upload, number), now))?;
        let written = self.write_part(&room, customer.as_deref(), size_max, body).await?;
        let Finished { md5, facts } = finish()?;
        let told = Told { md5, tag: None, facts };
        let told = if customer.is_some() { told.concealed(self.drawn_tag()) } else { told };
        self.keep_part(caller, (upload, number), room, written, told).await
    }

    /// A page of the parts that have arrived, after a number (0 for the first page): at most `limit`, and
    /// `limits::PAGE_ITEMS_MAX`. Of a complete upload, what is left over. `SessionGone` as for [`Tree::multipart`].
    pub async fn list_multipart_parts(
        &self,
        caller: &Caller,
        upload: MultipartId,
        after: u32,
        limit: u32,
    ) -> Result<MultipartPartPage, Error> {
        let (now, limit) = (self.world.now(), limit.min(PAGE_ITEMS_MAX));
        self.database.read(|tx| {
            let found = find(tx, caller, upload, now)?.0;
            let mut entries = multipart::parts(tx, upload, after, limit.saturating_add(1))?;
            let more = entries.len() > usize::try_from(limit).unwrap_or(usize::MAX);
            entries.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            let next = if more { Some(entries.last().map_or(after, |last| last.number)) } else { None };
            Ok(MultipartPartPage { upload: found, entries, next })
        })
    }

    pub(super) async fn write_part<S>(
        &self,
        room: &Room,
        customer: Option<&CustomerKey>,
        size_max: u64,
        body: S,
    ) -> Result<Written, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        check_mark(room.mark.as_ref(), customer)?;
        let (size_max, left) = (size_max.min(MULTIPART_PART_BYTES_MAX), room.left.unwrap_or(u64::MAX));
        match self.vault.write_with_key(room.scope, customer, size_max.min(left), body).await {
            Err(entente_vault::Error::TooLong { .. }) if left < size_max => Err(Error::QuotaExceeded),
            outcome => Ok(outcome?),
        }
    }

    /// Commits what was written as a part.
    pub(super) async fn keep_part(
        &self,
        caller: &Caller,
        (upload, number): (MultipartId, u32),
        room: Room,
        written: Written,
        told: Told,
    ) -> Result<MultipartPart, Error> {
        let now = self.world.now();
        let sha1 = written.manifest.sha1;
        let part = MultipartPart {
            number,
            content: written.manifest.content,
            size: written.manifest.size,
            pieces: 0,
            sha1,
            etag: told.etag(sha1.as_ref()),
            facts: told.kept(),
            modified_at: now,
        };
        let (caller, job) = (caller.clone(), JobId::new(self.world.next_id()));
        self.database
            .transact("put multipart part", move |tx| {
                let owner = find_open(tx, &caller, upload, now)?.1.owner();
                if owner != room.owner {
                    return Err(Error::SessionGone);
                }
                Room::check(tx, owner, (upload, number), part.size)?;
                contents::commit_with_md5(tx, &written, owner, told.md5)?;
                // The policy may have changed since the body began.
                follow_commit(tx, owner, room.scope, (job, now))?;
                multipart::put_part(tx, upload, &part)?;
                Ok(part.clone())
            })
            .await
    }
}

/// What is known of a part besides its bytes.
pub(super) struct Told {
    pub(super) md5: Option<Md5>,
    /// In place of the MD5.
    pub(super) tag: Option<[u8; 16]>,
    pub(super) facts: Facts,
}

impl Told {
    /// 32 hexadecimal digits, whatever is known.
    pub(super) fn etag(&self, sha1: Option<&Sha1>) -> String {
        let from_sha1 = || sha1.and_then(|sha1| sha1.0.first_chunk::<16>().copied());
        let bytes = self.md5.as_ref().map(|md5| md5.0).or(self.tag).or_else(from_sha1);
        Md5(bytes.unwrap_or_default()).to_string()
    }

    /// Without what says what is in the part.
    pub(super) fn concealed(self, tag: [u8; 16]) -> Self {
        Self { md5: None, tag: Some(tag), facts: Facts::default() }
    }

    /// Of a part only its checksum is asked for again.
    pub(super) fn kept(&self) -> Facts {
        Facts { checksum: self.facts.checksum.clone(), ..Facts::default() }
    }
}
