//! Who may do what, purely: a function of the caller, the way from the item to its top, and the action.
//!
//! There is one rule yet: who owns the root or the trash at the end of the way may do everything with what is below
//! it, as far as the credential's scopes go; nobody else may know that it exists, administrators neither. A service
//! account is a user like others. Collaborations will add roles along the way, and rules here.

use entente_database::items::{Ancestor, Top};
use entente_model::{Caller, Scopes};

/// What a caller wants to do with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Know of it, and of its name, times and versions.
    See,
    /// List the children of a folder.
    List,
    /// Read the content of a file.
    Download,
    /// Add an item to a folder, or a version to a file.
    Upload,
    /// Rename, move, describe.
    Change,
    /// Put into the trash; remove a version.
    Delete,
    /// Know of it while it is in the trash.
    SeeTrashed,
    /// Take out of the trash.
    Restore,
    /// Remove for good from the trash.
    Purge,
}

impl Action {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::See,
        Self::List,
        Self::Download,
        Self::Upload,
        Self::Change,
        Self::Delete,
        Self::SeeTrashed,
        Self::Restore,
        Self::Purge,
    ];

    /// What a credential must have for it.
    #[must_use]
    pub const fn scope(self) -> Scopes {
        match self {
            Self::See | Self::List | Self::SeeTrashed => Scopes::READ,
            Self::Download => Scopes::DOWNLOAD,
            Self::Upload => Scopes::UPLOAD,
            Self::Change => Scopes::CHANGE,
            Self::Delete | Self::Restore | Self::Purge => Scopes::DELETE,
        }
    }

    /// Whether it is done with what is in the trash, rather than with what is not.
    const fn in_trash(self) -> bool {
        matches!(self, Self::SeeTrashed | Self::Restore | Self::Purge)
    }

    /// Whether it can be done with a root folder.
    const fn with_root(self) -> bool {
        matches!(self, Self::See | Self::List | Self::Upload)
    }
}

/// What is to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Yes.
    Allowed,
    /// No; the caller may know that the item exists.
    Denied,
    /// No, and it is not to be told from an item that does not exist.
    Hidden,
    /// It would be allowed, were the item not in the trash; the caller may know that.
    Trashed,
}

/// Decides. `way` leads from the item to its top, the item first.
#[must_use]
pub fn decide(caller: &Caller, way: &[Ancestor], action: Action) -> Decision {
    let Some(top) = way.last() else { return Decision::Hidden };
    if top.top_user != Some(caller.user) {
        return Decision::Hidden;
    }
    let below_top = way.len().saturating_sub(1);
    let verdict = match top.top {
        // A way that does not reach a top has been cut somewhere: nobody's.
        Top::Limbo | Top::Ordinary => Decision::Hidden,
        Top::Root if action.in_trash() => Decision::Hidden,
        Top::Root if below_top == 0 && !action.with_root() => Decision::Denied,
        Top::Root => Decision::Allowed,
        // The trash itself is no item to anybody; its owner lists it.
        Top::Trash if below_top == 0 && action == Action::List => Decision::Allowed,
        Top::Trash if below_top == 0 => Decision::Hidden,
        // What lies below a trashed folder comes and goes with that folder.
        Top::Trash if action.in_trash() && below_top > 1 => Decision::Hidden,
        Top::Trash if action.in_trash() => Decision::Allowed,
        Top::Trash => Decision::Trashed,
    };
    if matches!(verdict, Decision::Allowed | Decision::Trashed) && !caller.scopes.contains(action.scope()) {
        return Decision::Denied;
    }
    verdict
}
