//! Views of the tree as Box's shapes: the whole translation outwards.

use crate::wire::collaboration::{Collaboration, Grantee, Status as CollaborationStatus};
use crate::wire::comment::Comment;
use crate::wire::date::Zone;
use crate::wire::digest::Digest;
use crate::wire::fields::Fields;
use crate::wire::group::GroupMini;
use crate::wire::id::{ItemRef, ROOT_NAME};
use crate::wire::item::{Current, ITEM_MINI, Item, Kind, Status, Step, Times, WatermarkInfo};
use crate::wire::lock::FileLock;
use crate::wire::permissions::Sharing;
use crate::wire::shared_link::{Access, SharedLink, extension};
use crate::wire::storage_policy::{AssignedTo, Assignment, StoragePolicy};
use crate::wire::user::UserMini;
use crate::wire::version::Version;
use entente_model::{Rights, Timestamp};
use entente_tree::{
    Assignee, CollaborationStatus as TreeStatus, CollaborationView, Collaborator, CollaboratorView, CommentView,
    Item as TreeItem, ItemSharing as TreeSharing, ItemState, ItemView, Kind as TreeKind, LinkAccess, PathEntry,
    PolicyAssignment, StoragePolicy as TreePolicy, Top, UserMini as TreeUser, VersionView,
};
use std::time::Duration;

/// How this door shows things.
#[derive(Clone, Copy)]
pub(crate) struct Look<'d> {
    pub(crate) zone: &'d Zone,
    /// How long the trash keeps what is in it.
    pub(crate) trash: Option<Duration>,
    /// How shared links are shown; without, none is.
    pub(crate) links: Option<Links<'d>>,
}

/// What shows shared links.
#[derive(Clone, Copy)]
pub(crate) struct Links<'d> {
    /// What their URLs begin with.
    pub(crate) base: &'d str,
    /// By when they may have ended.
    pub(crate) at: Timestamp,
}

impl Look<'_> {
    /// Shows an item to `then`.
    pub(crate) fn item<R>(&self, view: &ItemView, fields: Fields, then: impl FnOnce(&Item<'_>) -> R) -> R {
        then(&self.item_at(view, &steps(&view.path, view.state), fields))
    }

    /// An item whose path has been translated already.
    pub(crate) fn item_at<'a>(&'a self, view: &'a ItemView, path: &'a [Step<'a>], fields: Fields) -> Item<'a> {
        let item = &view.item;
        let root = item.top == Top::Root;
        let times = Times {
            created_at: item.created_at,
            modified_at: item.modified_at,
            content_created_at: item.content_created_at,
            content_modified_at: item.content_modified_at,
        };
        let owner = mini(&view.owner);
        Item {
            fields,
            kind: kind(view),
            id: if root { ItemRef::Root } else { ItemRef::Item(item.id) },
            sequence: (!root).then_some(item.sequence),
            name: if root { ROOT_NAME } else { item.name.as_str() },
            url: (item.kind == TreeKind::WebLink && may_look(view.rights)).then_some(item.url.as_str()),
            description: &item.description,
            tags: &item.tags,
            path,
            times: (!root).then_some(times),
            trashed_at: item.trashed_at,
            purged_at: self.purged_at(item),
            created_by: if root { UserMini::NOBODY } else { mini(&view.created_by) },
            modified_by: if root { owner } else { mini(&view.modified_by) },
            sender: view.version.as_ref().and_then(|version| version.sender.as_deref()),
            owned_by: owner,
            status: match view.state {
                ItemState::Active => Status::Active,
                ItemState::Trashed => Status::Trashed,
            },
            folder_size_bytes: 0,
            lock: view.lock.as_ref().map(|view| FileLock {
                id: view.lock.id,
                created_by: mini(&view.created_by),
                created_at: view.lock.created_at,
                expires_at: view.lock.expires_at,
                prevents_downloads: view.lock.prevents_downloads,
            }),
            watermark: WatermarkInfo {
                is_watermarked: item.guard.watermarked || view.watermark_inherited,
                is_watermark_inherited: view.watermark_inherited,
                is_watermarked_by_access_policy: false,
            },
            comments: item.comments,
            children: None,
            rights: view.rights,
            representations: &[],
            sharing: Sharing::NONE,
            link: self.link(view),
            zone: self.zone,
        }
    }

    /// The shared link of an item, unless it has ended.
    fn link<'a>(&'a self, view: &'a ItemView) -> Option<SharedLink<'a>> {
        let (links, shown) = (self.links?, view.link.as_ref()?);
        let link = Some(&shown.link).filter(|link| !link.has_ended(links.at))?;
        let is_download = view.item.kind == TreeKind::File && link.can_download;
        Some(SharedLink {
            base: links.base,
            token: &link.token,
            vanity: link.vanity.as_deref(),
            extension: is_download.then(|| extension(view.item.name.as_str())),
            access: access(link.access),
            effective: access(shown.effective),
            unshared_at: link.expires_at,
            has_password: link.has_password,
            can_download: link.can_download,
            can_edit: link.can_edit,
            zone: self.zone,
        })
    }

    /// What S3 shows among the versions of its path is not purged by itself.
    fn purged_at(&self, item: &TreeItem) -> Option<Timestamp> {
        let trashed_at = item.trashed_at.filter(|_| !item.mark.is_shown())?;
        Some(trashed_at.after(self.trash?))
    }

    /// A collaboration. While it is pending, its item and the collaborator's name stay hidden.
    pub(crate) fn collaboration<'a>(&'a self, view: &'a CollaborationView, fields: Fields) -> Collaboration<'a> {
        let row = &view.collaboration;
        let status = match row.status {
            TreeStatus::Pending => CollaborationStatus::Pending,
            TreeStatus::Accepted => CollaborationStatus::Accepted,
            TreeStatus::Rejected => CollaborationStatus::Rejected,
        };
        let is_pending = status == CollaborationStatus::Pending;
        let with = match (&view.with, &row.with) {
            (CollaboratorView::User(user), _) if is_pending => Grantee::User(UserMini { name: "", ..mini(user) }),
            (CollaboratorView::User(user), _) => Grantee::User(mini(user)),
            (CollaboratorView::Group { name }, Collaborator::Group(id)) => Grantee::Group(GroupMini { id: *id, name }),
            (CollaboratorView::Group { name: text } | CollaboratorView::Invited { login: text }, _) => {
                Grantee::Invited(text)
            }
        };
        Collaboration {
            fields,
            id: row.id,
            item: view.item.as_ref().filter(|_| !is_pending).map(|item| self.item_at(item, &[], ITEM_MINI)),
            with,
            role: row.role,
            status,
            expires_at: row.expires_at,
            is_access_only: row.access_only,
            can_view_path: row.sees_path,
            acknowledged_at: row.acknowledged_at,
            created_by: mini(&view.created_by),
            created_at: row.created_at,
            modified_at: row.modified_at,
            terms: view.terms,
            zone: self.zone,
        }
    }

    /// A comment, with what it says to people.
    pub(crate) fn comment<'a>(&'a self, view: &'a CommentView, message: &'a str, fields: Fields) -> Comment<'a> {
        let row = &view.comment;
        Comment {
            fields,
            id: row.id,
            item: row.item,
            is_reply: row.is_reply,
            message,
            tagged_message: view.tagged_message(),
            created_by: mini(&view.created_by),
            created_at: row.created_at,
            modified_at: row.modified_at,
            zone: self.zone,
        }
    }

    pub(crate) fn version<'a>(&'a self, view: &'a VersionView, fields: Fields) -> Version<'a> {
        let version = &view.version;
        Version {
            fields,
            id: version.id,
            number: version.number,
            sha1: Digest(version.sha1),
            name: version.name.as_str(),
            size_bytes: version.size,
            created_at: version.created_at,
            modified_by: mini(&view.created_by),
            sender: version.sender.as_deref(),
            trashed_at: version.trashed_at,
            trashed_by: view.trashed_by.as_deref().map(mini),
            zone: self.zone,
        }
    }
}

pub(crate) fn access(access: LinkAccess) -> Access {
    match access {
        LinkAccess::Open => Access::Open,
        LinkAccess::Company => Access::Company,
        LinkAccess::Collaborators => Access::Collaborators,
    }
}

/// How an item is shared.
pub(crate) fn sharing(sharing: &TreeSharing) -> Sharing {
    let settings = sharing.settings;
    Sharing {
        others_invite: settings.others_invite,
        others_see_each_other: settings.others_see_each_other,
        enterprise_only: settings.enterprise_only,
        collaborated: sharing.collaborated,
        favorite_of: None,
    }
}

/// The way down to an item: "All Files" or the trash first.
pub(crate) fn steps(path: &[PathEntry], state: ItemState) -> Vec<Step<'_>> {
    let top = match state {
        ItemState::Active => Step { id: ItemRef::Root, sequence: None, name: ROOT_NAME },
        ItemState::Trashed => Step::TRASH,
    };
    let below = path.iter().skip(1).map(|entry| Step {
        id: ItemRef::Item(entry.id),
        sequence: Some(entry.sequence),
        name: entry.name.as_str(),
    });
    path.first().map(|_| top).into_iter().chain(below).collect()
}

/// Whether somebody who may know of an item may know what is in it.
fn may_look(rights: Rights) -> bool {
    rights.contains(Rights::PREVIEW) || rights.contains(Rights::DOWNLOAD)
}

fn kind(view: &ItemView) -> Kind {
    match (view.item.kind, &view.version) {
        (TreeKind::Folder, _) => Kind::Folder,
        (TreeKind::File, Some(version)) => Kind::File(Current {
            version: version.id,
            number: version.number,
            sha1: Digest(version.sha1),
            size_bytes: version.size,
        }),
        // A file always has a version; the other is a link.
        (TreeKind::File, None) | (TreeKind::WebLink, _) => Kind::WebLink,
    }
}

pub(crate) fn mini(user: &TreeUser) -> UserMini<'_> {
    UserMini { id: Some(user.id), name: &user.name, login: &user.login }
}

pub(crate) fn storage_policy(policy: &TreePolicy, fields: Fields) -> StoragePolicy<'_> {
    StoragePolicy { fields, id: policy.id, name: &policy.name }
}

pub(crate) fn assignment(assignment: &PolicyAssignment) -> Assignment {
    let assigned_to = match assignment.assignee {
        Assignee::Enterprise(enterprise) => AssignedTo::Enterprise(enterprise),
        Assignee::User(user) => AssignedTo::User(user),
    };
    Assignment { policy: assignment.policy, assigned_to }
}
