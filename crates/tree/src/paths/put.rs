//! A body becomes what is at a path.

use super::{Expect, Folders, Landing, Path, Put, Versioning, land};
use crate::files::{Prepared, Target};
use crate::items::Manner;
use crate::items::place::NameRule;
use crate::retention::check_wish;
use crate::storage::follow_commit;
use crate::{BoxError, Caller, Error, Tree};
use bytes::Bytes;
use entente_database::contents;
use entente_database::events::EventKind;
use entente_database::facts::Facts;
use entente_model::{ItemId, JobId, Md5, Sha1, Timestamp};
use entente_vault::CustomerKey;
use futures_util::Stream;
use std::sync::Arc;

/// What is known of a body once all of it has been stored.
#[derive(Debug, Clone, Default)]
pub struct Finished {
    /// Of its bytes, if it was computed.
    pub md5: Option<Md5>,
    /// What is to be remembered with it.
    pub facts: Facts,
}

/// Called once, when the body is durable and before anybody can see it. An error leaves nothing.
pub type Finish = Box<dyn FnOnce() -> Result<Finished, Error> + Send>;

/// How a body is put at a path.
pub struct PutAt {
    /// How many bytes the body may have.
    pub size_max: u64,
    /// When its content was made; now, if not given, or as it was.
    pub content_created_at: Option<Timestamp>,
    /// When its content was last changed; now, if not given.
    pub content_modified_at: Option<Timestamp>,
    /// What the body's SHA-1 must be, if the client said.
    pub expected_sha1: Option<Sha1>,
    /// What becomes of folders on the way that are not there.
    pub folders: Folders,
    /// Which names may stand side by side.
    pub rule: NameRule,
    /// What must be there.
    pub expect: Expect,
    /// Whether what is overwritten is to be told apart.
    pub versioning: Versioning,
    /// What is known of the body only at its end.
    pub finish: Finish,
}

impl Tree {
    /// Stores a body as the file at a path, or as the next version of the file there, and answers when it is durable.
    ///
    /// Refusals that need no body come before it is read: `NotFound`, `Trashed` and `Forbidden` speak of the folder that
    /// the path begins in; `FolderMissing`, `NameInUse`, `PreconditionFailed`, `TooDeep`. Then `BodyFailed`, `TooLarge`,
    /// `DigestMismatch`, `QuotaExceeded`, `Full`, `PolicyUnmet`, `Unavailable`, and what `finish` answers. A body that
    /// ends with an error leaves nothing. Of many that are put at one path at once, each becomes a version, in some order.
    /// Dropping the future leaves nothing, or the whole file.
    pub async fn put_at<S>(&self, caller: &Caller, path: Path<'_>, put: PutAt, body: S) -> Result<Put, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        self.put_at_with_key(caller, path, put, None, body).await
    }

    /// The same, sealed with a customer's key, if there is one: then only whoever brings it along can read the file, its
    /// entity tag is drawn, and neither digests nor checksums are kept.
    pub async fn put_at_with_key<S>(
        &self,
        caller: &Caller,
        path: Path<'_>,
        put: PutAt,
        customer: Option<Arc<CustomerKey>>,
        body: S,
    ) -> Result<Put, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let PutAt { size_max, content_created_at, content_modified_at, expected_sha1, .. } = put;
        let PutAt { folders, rule, expect, versioning, finish, .. } = put;
        let mut landing = Landing::new(path, (folders, rule), (expect, versioning));
        let (prepared, hint) = self.database.read(|tx| {
            let (folder, hint) = landing.scout(tx, caller)?;
            Ok::<_, Error>((Prepared::of(tx, caller, &folder)?, hint))
        })?;
        landing.seen(hint);
        let written = self.store_with_key(&prepared, customer.as_deref(), (size_max, expected_sha1), body).await?;
        let finished = finish()?;
        let Finished { md5, facts } = if customer.is_some() { self.conceal(finished) } else { finished };
        check_wish(&facts, self.world.now())?;
        let added = self.added(&written, content_created_at, content_modified_at)?;
        let event = if self.manner == Manner::Copy { EventKind::Copied } else { EventKind::Created };
        let target = Target { caller: caller.clone(), stamp: self.stamp(), rule, event };
        let (item, job) = (ItemId::new(self.world.next_id()), JobId::new(self.world.next_id()));
        let world = self.world.clone();
        self.database
            .transact("put at path", move |tx| {
                let mut minis = prepared.minis.clone();
                land(tx, (&world, &target), &landing, (item, &added), (md5, &facts), &mut minis, |tx, owner| {
                    contents::commit_with_md5(tx, &written, owner, md5)?;
                    follow_commit(tx, owner, prepared.scope, (job, target.stamp.at))
                })
            })
            .await
    }
}
