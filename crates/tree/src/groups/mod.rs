//! Groups: sets of users that are given roles together.
//!
//! Who administers users makes and removes groups. Somebody who administers a group changes it and says who is in it.
//! A group is known to its members, and to every user of the enterprise where it says so; to others it is not there.

mod members;

pub use members::{GroupMembersPage, MembershipChange, NewMembership};

use crate::limits::{BATCH_ROWS_MAX, CLEAR_TURNS_MAX, GROUP_TEXT_CHARS_MAX, GROUPS_PAGE_MAX};
use crate::users::{administers, check_full_seat, is_plain};
use crate::{Caller, Error, Tree, UserKind};
use entente_database::events::EventKind;
use entente_database::groups::{self, Group, GroupAudience, GroupFilter};
use entente_database::jobs::{self, NewJob};
use entente_database::memberships::{self, MembershipRole};
use entente_database::users::{self, Seat};
use entente_database::{ErrorKind, Tx};
use entente_model::{GroupId, JobId};

/// The kind of the jobs that call [`Tree::purge_group_batch`] until it is done. Their key is the group's id.
pub const PURGE_GROUP_JOB: &str = "purge group";

/// What of a group is to be, or to change; `None` stays as it is, or is as it usually is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChange {
    /// Its name; unique within the enterprise without regard to case. A new group needs one.
    pub name: Option<String>,
    /// May be empty.
    pub description: Option<String>,
    /// From where it was brought here. May be empty.
    pub provenance: Option<String>,
    /// What it is called there. May be empty.
    pub external_id: Option<String>,
    /// Who may give it a role on an item.
    pub invitability: Option<GroupAudience>,
    /// Who may see its members.
    pub viewability: Option<GroupAudience>,
}

/// A group as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView {
    /// The group.
    pub group: Group,
    /// Whether they may give it a role on what they may share.
    pub can_invite: bool,
}

/// Which groups to list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupQuery {
    /// Only those whose name begins with this text; empty for all.
    pub prefix: String,
    /// Only those that are called so elsewhere; empty for all.
    pub external_id: String,
    /// How many groups are before the page.
    pub offset: u32,
    /// How many groups it has at most; `limits::GROUPS_PAGE_MAX` if more.
    pub limit: u32,
}

/// A page of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPage {
    /// In order of their names.
    pub entries: Vec<GroupView>,
    /// How many there are in all, counted up to `entente_database::groups::GROUPS_COUNTED_MAX`.
    pub total_count: u64,
}

/// What the caller is to a group. Each is more than the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Somebody of another enterprise, or from outside.
    Stranger,
    /// A user of the enterprise.
    Colleague,
    /// A member.
    Member,
    /// One who administers the group.
    GroupAdmin,
    /// One who administers users.
    Administrator,
}

impl Standing {
    const fn suffices(self, audience: GroupAudience) -> bool {
        match audience {
            GroupAudience::AdminsOnly => matches!(self, Self::GroupAdmin | Self::Administrator),
            GroupAudience::Members => matches!(self, Self::Member | Self::GroupAdmin | Self::Administrator),
            GroupAudience::Everybody => !matches!(self, Self::Stranger),
        }
    }

    fn sees(self, group: &Group) -> bool {
        self >= Self::Member || self.suffices(group.invitability) || self.suffices(group.viewability)
    }

    fn manages(self) -> bool {
        self >= Self::GroupAdmin
    }
}

impl Tree {
    /// Makes a group. `Forbidden` for who does not administer users, or has a frontline seat; `AlreadyExists` when there
    /// is one of that name; `Invalid`.
    pub async fn create_group(&self, caller: &Caller, new: GroupChange) -> Result<GroupView, Error> {
        let caller = caller.clone();
        let (id, stamp) = (GroupId::new(self.world.next_id()), self.stamp());
        let now = stamp.at;
        self.database
            .transact("create group", move |tx| {
                if !administers(&caller) {
                    return Err(Error::Forbidden);
                }
                check_full_seat(tx, &caller)?;
                let mut group = Group {
                    id,
                    enterprise: caller.enterprise,
                    name: String::new(),
                    description: String::new(),
                    provenance: String::new(),
                    external_id: String::new(),
                    invitability: GroupAudience::AdminsOnly,
                    viewability: GroupAudience::AdminsOnly,
                    created_at: now,
                    modified_at: now,
                };
                apply(&mut group, new.clone())?;
                check_name(tx, &group)?;
                groups::insert(tx, &group).map_err(taken)?;
                stamp.record_group(tx, &caller, EventKind::GroupMade, (&group, None))?;
                Ok(GroupView { group, can_invite: true })
            })
            .await
    }

    /// A group. `NotFound` for whom the group is not known to.
    pub async fn group(&self, caller: &Caller, group: GroupId) -> Result<GroupView, Error> {
        self.database.read(|tx| {
            let (group, standing) = known(tx, caller, group)?;
            let can_invite = may_invite(tx, caller, &group, standing)?;
            Ok(GroupView { group, can_invite })
        })
    }

    /// Changes a group. `NotFound` as for [`Tree::group`]; `Forbidden` for who administers neither users nor the group;
    /// `AlreadyExists`; `Invalid`.
    pub async fn update_group(&self, caller: &Caller, group: GroupId, change: GroupChange) -> Result<GroupView, Error> {
        let (caller, stamp) = (caller.clone(), self.stamp());
        let now = stamp.at;
        self.database
            .transact("change group", move |tx| {
                let (mut found, standing) = known(tx, &caller, group)?;
                if !standing.manages() {
                    return Err(Error::Forbidden);
                }
                let before = found.clone();
                apply(&mut found, change.clone())?;
                check_name(tx, &found)?;
                let is_other = found != before;
                found.modified_at = now;
                groups::update(tx, &found).map_err(taken)?;
                if is_other {
                    stamp.record_group(tx, &caller, EventKind::GroupChanged, (&found, None))?;
                }
                let can_invite = may_invite(tx, &caller, &found, standing)?;
                Ok(GroupView { group: found, can_invite })
            })
            .await
    }

    /// Removes a group. When this returns nobody finds it any more, and what it was given ends; its memberships are
    /// removed soon after.
    ///
    /// `NotFound` as for [`Tree::group`]; `Forbidden` for who does not administer users. `BusyRetry` when it had more
    /// collaborations than `limits::CLEAR_TURNS_MAX` batches: it is gone all the same, and the rest of them soon after.
    pub async fn delete_group(&self, caller: &Caller, group: GroupId) -> Result<(), Error> {
        let (asking, stamp, job) = (caller.clone(), self.stamp(), JobId::new(self.world.next_id()));
        let now = stamp.at;
        self.database
            .transact("remove group", move |tx| {
                let (found, standing) = known(tx, &asking, group)?;
                if standing != Standing::Administrator {
                    return Err(Error::Forbidden);
                }
                groups::condemn(tx, group, now)?;
                stamp.record_group(tx, &asking, EventKind::GroupRemoved, (&found, None))?;
                let key = group.to_string();
                let new = NewJob { job, kind: PURGE_GROUP_JOB, key: &key, payload: "", run_at: now };
                Ok(jobs::enqueue(tx, &new, now)?)
            })
            .await?;
        for _ in 0..CLEAR_TURNS_MAX {
            let forget = move |tx: &mut Tx<'_>| groups::forget_collaborations(tx, group, BATCH_ROWS_MAX);
            if self.database.transact("end collaborations of group", forget).await? < BATCH_ROWS_MAX {
                return Ok(());
            }
        }
        Err(Error::BusyRetry("the group had very many collaborations".into()))
    }

    /// Goes on removing what belonged to a removed group. `true` when nothing is left; also for a group that was not
    /// removed.
    pub async fn purge_group_batch(&self, group: GroupId) -> Result<bool, Error> {
        self.database
            .transact("purge group batch", move |tx| {
                if groups::forget_collaborations(tx, group, BATCH_ROWS_MAX)? >= BATCH_ROWS_MAX {
                    return Ok(false);
                }
                Ok(groups::forget(tx, group, BATCH_ROWS_MAX)?)
            })
            .await
    }

    /// A page of the enterprise's groups. `Forbidden` for who does not administer users.
    pub async fn list_groups(&self, caller: &Caller, query: GroupQuery) -> Result<GroupPage, Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        let caller = caller.clone();
        let GroupQuery { prefix, external_id, offset, limit } = query;
        let filter = GroupFilter { enterprise: caller.enterprise, prefix, external_id };
        self.database
            .read_long(move |tx| {
                let can_invite = users::seat(tx, caller.user)? == Some(Seat::Full);
                let found = groups::list(tx, &filter, offset, limit.min(GROUPS_PAGE_MAX))?;
                let entries = found.into_iter().map(|group| GroupView { group, can_invite }).collect();
                Ok(GroupPage { entries, total_count: groups::count(tx, &filter)? })
            })
            .await
    }
}

/// Whether the caller may give the group a role on what they may share. `NotFound` when they may not know of it.
pub(crate) fn check_may_invite(tx: &mut Tx<'_>, caller: &Caller, group: GroupId) -> Result<(), Error> {
    let (found, standing) = known(tx, caller, group)?;
    if may_invite(tx, caller, &found, standing)? { Ok(()) } else { Err(Error::Forbidden) }
}

fn may_invite(tx: &mut Tx<'_>, caller: &Caller, group: &Group, standing: Standing) -> Result<bool, Error> {
    Ok(standing.suffices(group.invitability) && users::seat(tx, caller.user)? == Some(Seat::Full))
}

/// A group that the caller may change. `NotFound` and `Forbidden` as for [`Tree::update_group`].
pub(crate) fn managed(tx: &mut Tx<'_>, caller: &Caller, group: GroupId) -> Result<Group, Error> {
    let (group, standing) = known(tx, caller, group)?;
    if standing.manages() { Ok(group) } else { Err(Error::Forbidden) }
}

/// A user is in as many groups as there may be.
pub(crate) const ALREADY_FULL: Error = Error::Invalid("the user is in as many groups as there may be");

/// A group that the caller may know of, and what they are to it.
fn known(tx: &mut Tx<'_>, caller: &Caller, group: GroupId) -> Result<(Group, Standing), Error> {
    let found = groups::by_id(tx, group)?.ok_or(Error::NotFound)?;
    let standing = standing(tx, caller, &found)?;
    if standing.sees(&found) { Ok((found, standing)) } else { Err(Error::NotFound) }
}

fn standing(tx: &mut Tx<'_>, caller: &Caller, group: &Group) -> Result<Standing, Error> {
    if group.enterprise != caller.enterprise {
        return Ok(Standing::Stranger);
    }
    if administers(caller) {
        return Ok(Standing::Administrator);
    }
    Ok(match memberships::role_of(tx, group.id, caller.user)? {
        Some(MembershipRole::Admin) => Standing::GroupAdmin,
        Some(MembershipRole::Member) => Standing::Member,
        None => match users::by_id(tx, caller.user)?.map(|user| user.kind) {
            None | Some(UserKind::External) => Standing::Stranger,
            Some(_) => Standing::Colleague,
        },
    })
}

fn apply(group: &mut Group, change: GroupChange) -> Result<(), Error> {
    check_texts(&change)?;
    let GroupChange { name, description, provenance, external_id, invitability, viewability } = change;
    if let Some(name) = name {
        group.name = name.trim().to_owned();
    }
    if group.name.is_empty() {
        return Err(Error::Invalid("a group needs a name"));
    }
    group.description = description.unwrap_or_else(|| std::mem::take(&mut group.description));
    group.provenance = provenance.unwrap_or_else(|| std::mem::take(&mut group.provenance));
    group.external_id = external_id.unwrap_or_else(|| std::mem::take(&mut group.external_id));
    group.invitability = invitability.unwrap_or(group.invitability);
    group.viewability = viewability.unwrap_or(group.viewability);
    Ok(())
}

fn check_texts(change: &GroupChange) -> Result<(), Error> {
    let GroupChange { name, description, provenance, external_id, .. } = change;
    let texts = [name, provenance, external_id].into_iter().flatten();
    if texts.clone().chain(description).any(|text| text.chars().count() > GROUP_TEXT_CHARS_MAX) {
        return Err(Error::Invalid("a text of a group is too long"));
    }
    let mut lines = description.iter().flat_map(|text| text.split(['\n', '\r']));
    if !texts.clone().all(|text| is_plain(text)) || !lines.all(is_plain) {
        return Err(Error::Invalid("a text of a group has characters that cannot be seen"));
    }
    Ok(())
}

fn check_name(tx: &mut Tx<'_>, group: &Group) -> Result<(), Error> {
    let other = groups::by_name(tx, group.enterprise, &group.name)?.filter(|other| other.id != group.id);
    if other.is_some() { Err(NAME_TAKEN) } else { Ok(()) }
}

const NAME_TAKEN: Error = Error::AlreadyExists("there is a group of this name already");

fn taken(error: entente_database::Error) -> Error {
    match error.kind {
        // Another node was quicker.
        ErrorKind::Duplicate => NAME_TAKEN,
        _ => error.into(),
    }
}
