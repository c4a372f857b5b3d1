use crate::metadata::MetadataError;
use crate::{BoxError, ItemView};
use entente_database::ErrorKind;
use entente_model::{NameError, Sha1, Timestamp};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Everything that the tree answers instead of what it was asked for. There is no catch-all on purpose: every door
/// says for each of these what its vendor's clients see. Unless a variant says otherwise, nothing was changed, and the
/// same call would fail again.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing, or the caller may not know of it. The two are one answer.
    #[error("there is no such item, or the caller may not see it")]
    NotFound,
    /// The item is in the trash, itself or because a folder above it is. Restore it first.
    #[error("the item is in the trash")]
    Trashed,
    /// The item's old parent is gone or in the trash. Restore it into another folder.
    #[error("the folder that the item was in is gone; name another")]
    ParentGone,
    /// A folder on the way to the path is not there. Make it first.
    #[error("a folder on the way is not there")]
    FolderMissing,
    /// It is a delete marker: what was at the path was deleted, and is behind it.
    #[error("this version is a delete marker")]
    Deleted,
    /// Somebody else of the enterprise has a bucket of this name. Choose another.
    #[error("somebody else has a bucket of this name")]
    BucketTaken,
    /// The caller has a bucket of this name already.
    #[error("the caller has a bucket of this name already")]
    BucketYours,
    /// Another item of the folder has this name.
    #[error("another item of the folder has this name")]
    NameInUse {
        /// It.
        winner: Box<ItemView>,
    },
    /// The text cannot be a name.
    #[error(transparent)]
    NameInvalid(#[from] NameError),
    /// A value is malformed or beyond a limit. The text says which.
    #[error("{0}")]
    Invalid(&'static str),
    /// The folder has children, and they were not to be removed with it.
    #[error("the folder is not empty")]
    FolderNotEmpty,
    /// A folder cannot be moved or copied into itself or a folder below it.
    #[error("a folder cannot go into itself")]
    FolderIntoItself,
    /// Folders would be nested deeper than `limits::DEPTH_MAX`. For a move this is judged by an upper bound on the
    /// levels below the folder, which does not shrink when folders below it are removed.
    #[error("folders would be nested too deep")]
    TooDeep,
    /// The item has changed since the caller saw it. Look again, then decide again.
    #[error("the item has changed")]
    PreconditionFailed,
    /// The bytes that arrived are not the bytes that were announced. Send them again.
    #[error("the content's SHA-1 is {actual}, and {expected} was announced")]
    DigestMismatch {
        /// What was announced.
        expected: Sha1,
        /// What arrived.
        actual: Sha1,
    },
    /// More or fewer bytes arrived than were announced. Send them again.
    #[error("{actual} bytes arrived, and {expected} were announced")]
    SizeMismatch {
        /// What was announced.
        expected: u64,
        /// What arrived.
        actual: u64,
    },
    /// The content is longer than allowed.
    #[error("the content is longer than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The owner's limit on stored bytes would be passed. Purging items frees space.
    #[error("the owner's space is used up")]
    QuotaExceeded,
    /// A version is retained or held, in the item itself or somewhere below it: it cannot be removed, nor be retained for
    /// a shorter time. Try again when that is over, or once nobody holds it.
    #[error("a version is retained or held, and cannot be removed")]
    Retained {
        /// Until when; `None` for as long as somebody holds it.
        until: Option<Timestamp>,
    },
    /// Somebody else has locked the file, or the folder or one below it is locked. Unlock it, or wait until they do.
    #[error("it is locked")]
    Locked,
    /// The caller may know of the item, and may not do this.
    #[error("the caller may not do this")]
    Forbidden,
    /// Whoever is invited has a role on the item already, or owns it.
    #[error("they have a role on the item already")]
    AlreadyCollaborator,
    /// The user has to accept terms of service first.
    #[error("the terms of service have to be accepted first")]
    TermsRequired,
    /// Metadata cannot be read or changed as asked. The cause says why.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// What is stored was sealed with a key that only its customer has, and none was given. Names, folders, copies and the
    /// trash need none.
    #[error("it is sealed with a key that only its customer has; give that key")]
    KeyNeeded,
    /// What is stored was sealed with another key of a customer's than the one that was given.
    #[error("it is sealed with another customer's key than the one given")]
    WrongKey,
    /// A customer's key was given, and what is stored was sealed without one.
    #[error("a customer's key was given for what is not sealed with one")]
    KeyUnused,
    /// The upload session has become a file already, or was ended.
    #[error("the upload session has ended")]
    SessionGone,
    /// A part begins or ends where no part of this session can.
    #[error("the part is out of place: it begins at a multiple of the part size and is as long, except the last")]
    PartOutOfPlace,
    /// Another part with other bytes has arrived in this place. Send the one that arrived, or begin another session.
    #[error("a part with other bytes is in this place already")]
    PartConflict,
    /// The parts named are not those that arrived, or do not make up the whole. More parts may arrive.
    #[error("the parts that were named do not make up the file")]
    PartsMismatch,
    /// A part of an upload that is not its last one is too short to be one. Send it again with more bytes.
    #[error("a part that is not the last has at least 5 MiB")]
    PartTooSmall,
    /// The parts were not named in ascending order, or one of them twice.
    #[error("the parts are to be named in ascending order")]
    PartOrder,
    /// A part that was named has not arrived, or other bytes have arrived in its place. Send it, or name what arrived.
    #[error("part {number} was named, and has not arrived as it was named")]
    PartMissing {
        /// Which.
        number: u32,
    },
    /// Another user has this login.
    #[error("another user has this login")]
    LoginInUse,
    /// What was to be made is there already. The text says what.
    #[error("{0}")]
    AlreadyExists(&'static str),
    /// The user owns content. Remove it first, or say that it is to go with them.
    #[error("the user owns content")]
    OwnsContent,
    /// The user or the enterprise has a storage policy assigned already. Change that assignment.
    #[error("a storage policy is assigned already; change that assignment")]
    PolicyAssigned,
    /// The body ended early: the client went away or was too slow. Send it again.
    #[error("the body ended before it was complete")]
    BodyFailed(#[source] Cause),
    /// Something was in the way for a moment. Send the same request again.
    #[error("something was in the way; try again")]
    BusyRetry(#[source] Cause),
    /// A disk or a backend has no room left. An operator has to make some.
    #[error("there is no room left to store this")]
    Full(#[source] Cause),
    /// What the owner's storage policy asks for cannot be had now: too few of its backends can be written to, or it is
    /// not configured any more. Nothing was stored. May be tried again later.
    #[error("the storage policy cannot be met")]
    PolicyUnmet(#[source] Cause),
    /// A backend or a custodian cannot be reached or refuses. May be tried again later.
    #[error("a backend or a custodian is not available")]
    Unavailable(#[source] Cause),
    /// What is stored is damaged. The cause says what, and how to look further.
    #[error("what is stored is damaged")]
    Damaged(#[source] Cause),
    /// A state that cannot be, or a failure that nobody can do anything about now. The cause is for the log.
    #[error("an internal error")]
    Internal(#[source] Cause),
}

impl Error {
    /// Why reading a content failed: what its stream yields is this error, boxed; anything else is `Internal`.
    #[must_use]
    pub fn of_read(source: BoxError) -> Self {
        source.downcast::<Self>().map_or_else(Self::Internal, |error| *error)
    }

    pub(crate) fn internal(what: &'static str) -> Self {
        Self::Internal(what.into())
    }
}

impl From<entente_database::Error> for Error {
    fn from(error: entente_database::Error) -> Self {
        match error.kind {
            // Ids meet only when two processes drew the same ten bits; the next try draws fresh ones.
            ErrorKind::Duplicate | ErrorKind::Condemned | ErrorKind::Busy | ErrorKind::Stopping => {
                Self::BusyRetry(error.into())
            }
            ErrorKind::Full => Self::Full(error.into()),
            ErrorKind::Damaged => Self::Damaged(error.into()),
            // Perhaps done, perhaps not: nothing that a client may take for either.
            ErrorKind::Schema | ErrorKind::Failed | ErrorKind::Unknown => Self::Internal(error.into()),
        }
    }
}

impl From<entente_vault::Error> for Error {
    fn from(error: entente_vault::Error) -> Self {
        use entente_vault::Error as Vault;
        match error {
            Vault::Body(source) => Self::BodyFailed(source),
            Vault::TooLong { limit } => Self::TooLarge { limit },
            Vault::Condemned(_) | Vault::Interrupted(_) => Self::BusyRetry(error.into()),
            Vault::Damaged { .. } | Vault::UnknownEpoch(_) | Vault::DataKey(_) => Self::Damaged(error.into()),
            Vault::Unmet { .. } => Self::PolicyUnmet(error.into()),
            Vault::KeyNeeded(_) => Self::KeyNeeded,
            Vault::WrongKey(_) => Self::WrongKey,
            Vault::KeyUnused => Self::KeyUnused,
            Vault::Custodian(_) => Self::Unavailable(error.into()),
            Vault::Cloud(_) if error.is_full() => Self::Full(error.into()),
            Vault::Cloud(_) => Self::Unavailable(error.into()),
            Vault::Ledger(ref source) => match source.downcast_ref::<entente_database::Error>() {
                Some(database) => Self::from(database.copy()),
                None => Self::Internal(error.into()),
            },
            Vault::Internal(_) => Self::Internal(error.into()),
        }
    }
}

impl From<entente_world::Interrupted> for Error {
    fn from(error: entente_world::Interrupted) -> Self {
        Self::BusyRetry(error.into())
    }
}
