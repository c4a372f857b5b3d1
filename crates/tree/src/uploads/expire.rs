use super::find;
use crate::limits::BATCH_ROWS_MAX;
use crate::{Caller, Error, Tree};
use entente_database::{Tx, uploads};
use entente_model::UploadSessionId;

/// The kind of the job that calls [`Tree::expire_sessions`] now and then.
pub const EXPIRE_SESSIONS_JOB: &str = "expire upload sessions";

impl Tree {
    /// Ends an upload in pieces; its parts are removed then or soon after. One that is committed stays as it is, and is
    /// forgotten when it expires.
    ///
    /// `NotFound` as for [`Tree::session`].
    pub async fn abort_session(&self, caller: &Caller, session: UploadSessionId) -> Result<(), Error> {
        let (caller, now) = (caller.clone(), self.world.now());
        self.database
            .transact("abort upload session", move |tx| {
                let found = find(tx, &caller, session, now)?;
                if found.committed.is_none() && !uploads::remove_some(tx, session, BATCH_ROWS_MAX)? {
                    uploads::expire_now(tx, session)?;
                }
                Ok::<_, Error>(())
            })
            .await?;
        self.followed.forget(session);
        Ok(())
    }

    /// Removes sessions that have expired or were ended, at most `rows` parts at a time. `true` when none is left.
    /// Harmless to run twice.
    pub async fn expire_sessions(&self, rows: u32) -> Result<bool, Error> {
        let now = self.world.now();
        let rows = rows.clamp(1, BATCH_ROWS_MAX);
        let (expired, done) = self
            .database
            .transact("expire upload sessions", move |tx| {
                let expired = uploads::expired(tx, now, rows)?;
                let done = remove(tx, &expired, rows)?;
                Ok::<_, Error>((expired, done))
            })
            .await?;
        expired.iter().for_each(|session| self.followed.forget(*session));
        Ok(done)
    }
}

/// `true` when all of them are gone and they were fewer than `rows`.
fn remove(tx: &mut Tx<'_>, expired: &[UploadSessionId], rows: u32) -> Result<bool, Error> {
    // Sessions without parts cost a row each, so they are bounded too.
    let mut left = rows;
    for session in expired {
        let parts = u32::try_from(uploads::count_parts(tx, *session)?).unwrap_or(u32::MAX);
        if !uploads::remove_some(tx, *session, left)? {
            return Ok(false);
        }
        left = left.saturating_sub(parts.saturating_add(1));
        if left == 0 {
            return Ok(false);
        }
    }
    Ok(u32::try_from(expired.len()).is_ok_and(|expired| expired < rows))
}
