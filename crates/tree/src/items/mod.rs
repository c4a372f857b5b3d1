//! Items: looking them up, and the operations that are alike for folders, files and web links.

pub(crate) mod change;
pub(crate) mod copy;
mod copy_between;
pub(crate) mod copy_folder;
mod folders;
mod hand_over;
mod listing;
pub(crate) mod place;
pub(crate) mod purge;
pub(crate) mod trash;
mod web_links;

pub use change::ItemChange;
pub use copy::CopyTo;
pub use folders::NewFolder;
pub use hand_over::{HAND_OVER_JOB, TRANSFER_JOB};
pub use listing::{ListQuery, Listing, Page};
pub use place::NameRule;
pub use purge::PURGE_JOB;
pub use trash::{Recursive, RestoreTo};
pub use web_links::NewWebLink;

use crate::buckets::check_still_ruled;
use crate::grant::{See, SeeTrashed};
use crate::view::{row, view_row};
use crate::{Caller, Error, ItemView, Kind, Tree, allow};
use entente_database::events::{self, EventKind, NewEvent};
use entente_database::items::Item;
use entente_database::{Tx, users};
use entente_model::{EventId, ItemId, Timestamp, UserId, VersionId};
use entente_world::World;

/// When a change happens, and the id of the event that tells of it. Made once, before the transaction that may run
/// more than once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) at: Timestamp,
    pub(crate) event: EventId,
    pub(crate) manner: Manner,
}

/// How a change comes about, where those who are told of it want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Manner {
    /// By a request that says what is to be.
    Usual,
    /// By a browser's form.
    Form,
    /// By parts that have come before.
    Parts,
    /// By reading something else that is there, and writing it again.
    Copy,
    /// By a rule of the bucket.
    Expiry,
}

impl Stamp {
    /// Of a change that comes about in that manner.
    pub(crate) fn by(self, manner: Manner) -> Self {
        Self { manner, ..self }
    }

    /// For another event of the same change.
    pub(crate) fn again(self, world: &World) -> Self {
        Self { event: EventId::new(world.next_id()), ..self }
    }

    /// Records what a caller has done.
    pub(crate) fn record(
        self,
        tx: &mut Tx<'_>,
        caller: &Caller,
        kind: EventKind,
        item: ItemId,
        version: Option<VersionId>,
    ) -> Result<(), Error> {
        // Every change comes past here in its transaction, so whoever asks through a bucket's rules is held to them.
        check_still_ruled(tx, caller)?;
        let (enterprise, user) = (caller.enterprise, caller.doer());
        events::record(tx, &NewEvent { id: self.event, enterprise, user, kind, item, version, at: self.at })?;
        Ok(())
    }

    /// Records what happens by itself because that user has once said so. Nothing of a user who is not there.
    pub(crate) fn record_for(self, tx: &mut Tx<'_>, user: UserId, kind: EventKind, item: ItemId) -> Result<(), Error> {
        let Some(by) = users::by_id(tx, user)? else { return Ok(()) };
        let new = NewEvent { id: self.event, enterprise: by.enterprise, user, kind, item, version: None, at: self.at };
        Ok(events::record(tx, &new)?)
    }
}

/// Compares what the caller saw with what there is.
pub(crate) fn check_sequence(item: &Item, if_match: Option<u64>) -> Result<(), Error> {
    if if_match.is_none_or(|sequence| sequence == item.sequence) { Ok(()) } else { Err(Error::PreconditionFailed) }
}

impl Tree {
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { at: self.world.now(), event: EventId::new(self.world.next_id()), manner: self.manner }
    }

    /// The same tree for changes that come about in another manner.
    #[must_use]
    pub fn in_manner(&self, manner: Manner) -> Self {
        Self { manner, ..self.clone() }
    }

    /// The caller's root folder.
    pub async fn root(&self, caller: &Caller) -> Result<ItemId, Error> {
        let user = caller.user;
        let tops = self.database.read(|tx| users::tops(tx, user))?;
        tops.map(|tops| tops.root).ok_or(Error::NotFound)
    }

    /// The caller's trash, as a folder. It can only be listed.
    pub async fn trash(&self, caller: &Caller) -> Result<ItemId, Error> {
        let user = caller.user;
        let tops = self.database.read(|tx| users::tops(tx, user))?;
        tops.map(|tops| tops.trash).ok_or(Error::NotFound)
    }

    /// An item outside the trash. `NotFound` if there is none of that kind that the caller may see; `Trashed` if it is
    /// in the trash, itself or because a folder above it is.
    pub async fn item(&self, caller: &Caller, item: ItemId, kind: Kind) -> Result<ItemView, Error> {
        self.database.read(|tx| {
            let grant = allow::<See>(tx, caller, item)?.of(kind)?;
            let row = row(tx, &grant)?;
            view_row(tx, &grant, row)
        })
    }

    /// An item that is in the trash itself. `NotFound` for others, also for what is below a trashed folder.
    pub async fn trashed(&self, caller: &Caller, item: ItemId, kind: Kind) -> Result<ItemView, Error> {
        self.database.read(|tx| {
            let grant = allow::<SeeTrashed>(tx, caller, item)?.of(kind)?;
            let row = row(tx, &grant)?;
            view_row(tx, &grant, row)
        })
    }
}
