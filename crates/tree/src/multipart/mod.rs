//! Uploads of parts of any length, in any order, that become an object when all are there (S3's multipart uploads).
//!
//! A part is a content of its own, written like any other and owned by the bucket's owner from the start: whatever moves
//! what an owner has moves parts too. When an upload is completed its parts become pieces of one content: nothing is read or
//! copied, and what is left of the SHA-1 to be known is read soon after by a job ([`DIGEST_JOB`](crate::DIGEST_JOB)). A part
//! that is copied from an object refers to that object's content.

mod complete;
mod copy;
mod expire;
mod list;
mod parts;

pub use complete::{CompleteMultipart, FinishMultipart, NamedMultipartPart};
pub use entente_database::multipart::{Multipart, MultipartPart};
pub use expire::{EXPIRE_MULTIPARTS_JOB, TAKE_APART_JOB};
pub use list::{ListMultiparts, MultipartEntry, MultipartPage};
pub use parts::MultipartPartPage;

use crate::buckets::check_still_ruled;
use crate::grant::{Grant, Upload};
use crate::limits::{MULTIPART_KEY_BYTES_MAX, MULTIPART_LIFETIME, MULTIPART_PARTS_MAX, MULTIPARTS_MAX};
use crate::retention::check_wish;
use crate::{Caller, Error, Kind, Path, Tree, allow};
use entente_database::facts::Facts;
use entente_database::{Tx, multipart};
use entente_model::{ItemName, MultipartId, Timestamp};
use entente_vault::CustomerKey;

/// What an upload of parts is to become, besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MultipartInto {
    /// What is to be remembered of the object. Its entity tag, parts and checksum come when it is complete.
    pub facts: Facts,
}

impl Tree {
    /// Begins an upload of parts for an object at a path: nothing is there to be seen before it is complete.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the folder that the path begins in. `Invalid` for a path without
    /// names, or one that is too long, and when there are `limits::MULTIPARTS_MAX` unfinished uploads already into folders
    /// of the same owner.
    pub async fn create_multipart(
        &self,
        caller: &Caller,
        path: Path<'_>,
        into: MultipartInto,
    ) -> Result<Multipart, Error> {
        self.create_multipart_with_key(caller, path, into, None).await
    }

    /// The same, its parts to be sealed with a customer's key, if there is one: each of them must come with that key, and no
    /// checksums are kept of them.
    pub async fn create_multipart_with_key(
        &self,
        caller: &Caller,
        path: Path<'_>,
        into: MultipartInto,
        customer: Option<&CustomerKey>,
    ) -> Result<Multipart, Error> {
        let key = path.names.iter().map(ItemName::as_str).collect::<Vec<_>>().join("/");
        if path.names.is_empty() || key.len() > MULTIPART_KEY_BYTES_MAX {
            return Err(Error::Invalid("an upload is for a path of some names and at most 1,024 bytes"));
        }
        let mut facts = into.facts;
        check_wish(&facts, self.world.now())?;
        facts.checksum = facts.checksum.filter(|_| customer.is_none());
        let now = self.world.now();
        let upload = Multipart {
            id: MultipartId::new(self.world.next_id()),
            user: caller.doer(),
            base: path.base,
            key,
            facts,
            created_at: now,
            expires_at: now.after(MULTIPART_LIFETIME),
            completed: None,
            customer: customer.map(|key| self.vault.mark(key)),
        };
        let caller = caller.clone();
        self.database
            .transact("create multipart upload", move |tx| {
                check_still_ruled(tx, &caller)?;
                let owner = allow::<Upload>(tx, &caller, upload.base)?.of(Kind::Folder)?.owner();
                if multipart::count_open(tx, owner, MULTIPARTS_MAX)? >= u64::from(MULTIPARTS_MAX) {
                    return Err(Error::Invalid("there are too many unfinished uploads: complete or end some of them"));
                }
                multipart::insert(tx, &upload, owner)?;
                Ok(upload.clone())
            })
            .await
    }

    /// An upload of parts, complete or not. `SessionGone` when there is none (any more) that the caller may go on with: it
    /// was ended, has expired, or its folder is gone or in the trash.
    pub async fn multipart(&self, caller: &Caller, upload: MultipartId) -> Result<Multipart, Error> {
        let now = self.world.now();
        self.database.read(|tx| Ok(find(tx, caller, upload, now)?.0))
    }
}

/// The upload, complete or not, and the caller's right to add to its folder.
fn find(
    tx: &mut Tx<'_>,
    caller: &Caller,
    upload: MultipartId,
    now: Timestamp,
) -> Result<(Multipart, Grant<Upload>), Error> {
    check_still_ruled(tx, caller)?;
    let found = multipart::by_id(tx, upload)?.filter(|found| found.expires_at >= now).ok_or(Error::SessionGone)?;
    match allow::<Upload>(tx, caller, found.base).and_then(|grant| grant.of(Kind::Folder)) {
        Ok(grant) => Ok((found, grant)),
        Err(Error::NotFound | Error::Trashed) => Err(Error::SessionGone),
        Err(error) => Err(error),
    }
}

/// The same of an upload that parts may still be added to.
fn find_open(
    tx: &mut Tx<'_>,
    caller: &Caller,
    upload: MultipartId,
    now: Timestamp,
) -> Result<(Multipart, Grant<Upload>), Error> {
    let found = find(tx, caller, upload, now)?;
    if found.0.completed.is_some() { Err(Error::SessionGone) } else { Ok(found) }
}

fn check_number(number: u32) -> Result<(), Error> {
    let is_good = (1..=MULTIPART_PARTS_MAX).contains(&number);
    if is_good { Ok(()) } else { Err(Error::Invalid("the parts of an upload have numbers from 1 to 10,000")) }
}
