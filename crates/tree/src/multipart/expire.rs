use super::find_open;
use crate::limits::BATCH_ROWS_MAX;
use crate::{Caller, Error, Tree};
use entente_database::{Tx, multipart, pieces};
use entente_model::MultipartId;

/// The kind of the job that calls [`Tree::expire_multiparts`] now and then.
pub const EXPIRE_MULTIPARTS_JOB: &str = "expire multipart uploads";
/// The kind of the job that calls [`Tree::take_apart`] now and then.
pub const TAKE_APART_JOB: &str = "take contents apart";

impl Tree {
    /// Ends an upload of parts; they are removed then or soon after. `SessionGone` as for [`Tree::multipart`], and when it is
    /// complete.
    pub async fn abort_multipart(&self, caller: &Caller, upload: MultipartId) -> Result<(), Error> {
        let (caller, now) = (caller.clone(), self.world.now());
        self.database
            .transact("abort multipart upload", move |tx| {
                find_open(tx, &caller, upload, now)?;
                if multipart::remove_some(tx, upload, BATCH_ROWS_MAX)?.is_none() {
                    multipart::end(tx, upload)?;
                }
                Ok(())
            })
            .await
    }

    /// Removes uploads that have expired or were ended, with parts of at most about `chunks` chunks at a time. `true` when
    /// none is left. Harmless to run twice.
    pub async fn expire_multiparts(&self, chunks: u32) -> Result<bool, Error> {
        let (now, chunks) = (self.world.now(), chunks.clamp(1, BATCH_ROWS_MAX));
        self.database
            .transact("expire multipart uploads", move |tx: &mut Tx<'_>| {
                let expired = multipart::expired(tx, now, chunks)?;
                let mut left = chunks;
                for upload in &expired {
                    match multipart::remove_some(tx, *upload, left)? {
                        Some(more @ 1..) => left = more,
                        Some(0) | None => return Ok(false),
                    }
                }
                Ok::<_, Error>(u32::try_from(expired.len()).is_ok_and(|expired| expired < chunks))
            })
            .await
    }

    /// Takes contents of pieces apart to which nothing refers any more, and so lets go of the contents that the pieces are
    /// of: about `chunks` chunks at a time. `true` when nothing is left to be done. Harmless to run twice.
    pub async fn take_apart(&self, chunks: u32) -> Result<bool, Error> {
        let chunks = chunks.clamp(1, BATCH_ROWS_MAX);
        let run = move |tx: &mut Tx<'_>| pieces::take_apart(tx, chunks).map_err(Error::from);
        self.database.transact("take contents apart", run).await
    }
}
