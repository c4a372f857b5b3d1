use super::{find, find_open, parts_total};
use crate::files::announced;
use crate::grant::Upload;
use crate::limits::PAGE_ITEMS_MAX;
use crate::{BoxError, Caller, Error, Part, Session, Tree, UploadTarget, allow};
use bytes::Bytes;
use entente_database::{Tx, uploads};
use entente_model::{Sha1, Timestamp, UploadSessionId};
use entente_vault::{Begun, Scope, WrittenPart};
use futures_util::Stream;

/// A part that is about to arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPart {
    /// Where it begins in the whole.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u64,
    /// What its SHA-1 must be.
    pub sha1: Sha1,
}

/// A page of parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartPage {
    /// In order of their offsets.
    pub entries: Vec<Part>,
    /// How many have arrived in all.
    pub total_count: u64,
}

impl Tree {
    /// Stores a part, and answers when it is durable. A part that is sent again is the same part.
    ///
    /// `PartOutOfPlace`; `PartConflict` for other bytes in the place of a part that has arrived; `SizeMismatch`,
    /// `DigestMismatch`, `BodyFailed`: send it again. `NotFound` as for [`Tree::session`], and while the caller may not
    /// upload to where the session is to end, were that not in the trash; `SessionGone` when it was committed.
    pub async fn upload_part<S>(
        &self,
        caller: &Caller,
        session: UploadSessionId,
        new: NewPart,
        body: S,
    ) -> Result<Part, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let now = self.world.now();
        let found = self.database.read(|tx| find_for_parts(tx, caller, session, now))?;
        let chunk = chunk_at(&found, new)?;
        let scope = Scope { enterprise: found.enterprise, zone: found.zone, policy: found.policy };
        let begun = Begun { content: found.content, scope, key: found.key.clone() };
        let written = match self.vault.write_part(&begun, chunk, new.length, body).await {
            Err(entente_vault::Error::TooLong { .. }) => {
                return Err(Error::SizeMismatch { expected: new.length, actual: new.length.saturating_add(1) });
            }
            outcome => outcome?,
        };
        let WrittenPart { place, segment, size, sha1 } = written;
        if size != new.length {
            return Err(Error::SizeMismatch { expected: new.length, actual: size });
        }
        announced(Some(new.sha1), Some(sha1))?;
        let id = format!("{:016X}", self.world.random().number());
        let part = Part { id, size, sha1, place };
        let (caller, now) = (caller.clone(), self.world.now());
        let part = self
            .database
            .transact("upload part", move |tx| {
                find_for_parts(tx, &caller, session, now)?;
                match uploads::part(tx, session, chunk)? {
                    // What was just written again is held by nothing, and collected.
                    Some(same) if (same.size, same.sha1) == (part.size, part.sha1) => Ok(same),
                    Some(_) => Err(Error::PartConflict),
                    None => {
                        uploads::put_part(tx, session, &part, segment)?;
                        Ok(part.clone())
                    }
                }
            })
            .await?;
        self.follow(session);
        Ok(part)
    }

    /// A page of the parts that have arrived. None any more once the session is committed.
    pub async fn parts(
        &self,
        caller: &Caller,
        session: UploadSessionId,
        offset: u32,
        limit: u32,
    ) -> Result<PartPage, Error> {
        let now = self.world.now();
        self.database.read(|tx| {
            let session = find(tx, caller, session, now)?;
            let entries = uploads::parts(tx, session.id, offset, limit.min(PAGE_ITEMS_MAX))?;
            Ok(PartPage { entries, total_count: uploads::count_parts(tx, session.id)? })
        })
    }
}

/// The caller's session, if parts of it may still arrive and the caller may still do what it is for.
fn find_for_parts(
    tx: &mut Tx<'_>,
    caller: &Caller,
    session: UploadSessionId,
    now: Timestamp,
) -> Result<Session, Error> {
    let session = find_open(tx, caller, session, now)?;
    let (UploadTarget::File(target) | UploadTarget::Version(target)) = session.target;
    match allow::<Upload>(tx, caller, target) {
        // What is in the trash may come back before the upload is whole.
        Ok(_) | Err(Error::Trashed) => Ok(session),
        Err(Error::Forbidden) => Err(Error::NotFound),
        Err(error) => Err(error),
    }
}

/// Which chunk a part is. `PartOutOfPlace` unless it is a whole one, or the last.
fn chunk_at(session: &Session, new: NewPart) -> Result<u32, Error> {
    let chunk = new.offset.checked_div(session.part_size).ok_or(Error::PartOutOfPlace)?;
    let left = session.size.checked_sub(new.offset).ok_or(Error::PartOutOfPlace)?;
    let in_place = chunk.checked_mul(session.part_size) == Some(new.offset)
        && left > 0
        && new.length == left.min(session.part_size);
    match u32::try_from(chunk) {
        Ok(chunk) if in_place && chunk < parts_total(session)? => Ok(chunk),
        _ => Err(Error::PartOutOfPlace),
    }
}
