//! Who may do what, purely: a function of the caller, of what the caller is to the item, of the way from the item to its
//! top, and of the action.
//!
//! Who owns the root or the trash at the end of the way may do everything with what is below it. Collaborators may do what
//! the roles give that they have on the item or on anything above it, all taken together. Nobody else may know that it
//! exists, administrators neither. A service account is a user like others. A credential's scopes, and the item that it
//! may be confined to, only ever take away.

use entente_database::items::{Ancestor, Top};
use entente_model::{Caller, Rights, Scopes};

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
    /// Look at the content of a file, as a picture of it.
    Preview,
    /// Comment, and give tasks.
    Comment,
    /// Make a shared link.
    Share,
    /// Give others a role.
    Invite,
    /// Change the roles that others have, and what collaborators may do with a folder.
    Manage,
}

impl Action {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::See,
        Self::List,
        Self::Download,
        Self::Upload,
        Self::Change,
        Self::Delete,
        Self::SeeTrashed,
        Self::Restore,
        Self::Purge,
        Self::Preview,
        Self::Comment,
        Self::Share,
        Self::Invite,
        Self::Manage,
    ];

    /// What a credential must have for it.
    #[must_use]
    pub const fn scope(self) -> Scopes {
        match self {
            Self::See | Self::List | Self::SeeTrashed => Scopes::READ,
            Self::Download | Self::Preview => Scopes::DOWNLOAD,
            Self::Upload => Scopes::UPLOAD,
            Self::Change | Self::Comment => Scopes::CHANGE,
            Self::Delete | Self::Restore | Self::Purge => Scopes::DELETE,
            Self::Share | Self::Invite | Self::Manage => Scopes::SHARE,
        }
    }

    /// What a collaborator must have for it. The trash is its owner's alone.
    const fn right(self) -> Rights {
        match self {
            Self::See | Self::List => Rights::NAMES,
            Self::Preview => Rights::PREVIEW,
            Self::Download => Rights::DOWNLOAD,
            Self::Upload => Rights::UPLOAD,
            Self::Comment => Rights::COMMENT,
            Self::Share => Rights::SHARE,
            Self::Change | Self::Delete | Self::Invite => Rights::EDIT,
            Self::Manage | Self::SeeTrashed | Self::Restore | Self::Purge => Rights::MANAGE,
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

/// What a caller is to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Whoever owns what is at the end of its way.
    Owner,
    /// Somebody with roles on it or above it.
    Collaborator {
        /// What all of them give together.
        rights: Rights,
        /// What those give that are on its parent or above that: whoever has no role there neither removes the item from
        /// its folder, nor learns which names there are beside it.
        beside: Rights,
    },
    /// Anybody else.
    Stranger,
}

impl Standing {
    /// Of a caller whom nobody has given a role.
    #[must_use]
    pub fn without_roles(caller: &Caller, way: &[Ancestor]) -> Self {
        let owner = way.last().and_then(|top| top.top_user);
        if owner == Some(caller.user) { Self::Owner } else { Self::Stranger }
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
pub fn decide(caller: &Caller, standing: Standing, way: &[Ancestor], action: Action) -> Decision {
    if caller.confined.is_some_and(|item| way.iter().all(|step| step.id != item)) {
        return Decision::Hidden;
    }
    let verdict = match standing {
        Standing::Owner => of_owner(way, action),
        Standing::Collaborator { rights, beside } => of_collaborator((rights, beside), way, action),
        Standing::Stranger => Decision::Hidden,
    };
    if matches!(verdict, Decision::Allowed | Decision::Trashed) && !caller.scopes.contains(action.scope()) {
        return Decision::Denied;
    }
    verdict
}

fn of_owner(way: &[Ancestor], action: Action) -> Decision {
    let Some(top) = way.last() else { return Decision::Hidden };
    let below_top = way.len().saturating_sub(1);
    match top.top {
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
    }
}

fn of_collaborator((rights, beside): (Rights, Rights), way: &[Ancestor], action: Action) -> Decision {
    let Some(top) = way.last() else { return Decision::Hidden };
    // A root and a trash are nobody's but their owner's.
    if !rights.contains(Rights::NAMES) || way.len() == 1 || action.in_trash() {
        return Decision::Hidden;
    }
    let from = if action == Action::Delete { beside } else { rights };
    match top.top {
        Top::Limbo | Top::Ordinary => Decision::Hidden,
        Top::Root | Top::Trash if !from.contains(action.right()) => Decision::Denied,
        Top::Root => Decision::Allowed,
        Top::Trash => Decision::Trashed,
    }
}
