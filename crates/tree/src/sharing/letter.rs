//! What somebody is written who was given a role, or invited.

use super::{CollaborationStatus, Collaborator};
use crate::items::Stamp;
use crate::{Error, Kind, Top, Tree, UserKind, UserStatus};
use entente_database::jobs::{self, NewJob};
use entente_database::{Tx, collaborations, items, users};
use entente_model::{CollaborationId, JobId, Role, Timestamp, UserId};

/// The kind of the jobs that write letters of invitation. Their key is the id of a collaboration.
pub const INVITATION_LETTER_JOB: &str = "write invitation";

/// What a letter of invitation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationLetter {
    /// To which address.
    pub address: String,
    /// What whoever reads it is called; empty if nobody knows.
    pub name: String,
    /// Whether they are a user here.
    pub is_user: bool,
    /// Who gave the role.
    pub by: UserId,
    /// What they are called.
    pub by_name: String,
    /// What they sign in with.
    pub by_login: String,
    /// What the item is called.
    pub item: String,
    /// What that is.
    pub kind: Kind,
    /// Which role.
    pub role: Role,
    /// Whether the role counts already, or has to be accepted.
    pub status: CollaborationStatus,
    /// When the role was given.
    pub at: Timestamp,
}

/// Queues the letter, with the role.
pub(super) fn enqueue(tx: &mut Tx<'_>, job: JobId, id: CollaborationId, stamp: Stamp) -> Result<(), Error> {
    let key = id.to_string();
    let new = NewJob { job, kind: INVITATION_LETTER_JOB, key: &key, payload: "", run_at: stamp.at };
    Ok(jobs::enqueue(tx, &new, stamp.at)?)
}

impl Tree {
    /// What is to be written to whom was given a role; `None` when nothing is: the role is gone or was answered, the item is
    /// gone or in the trash, or it is the role of a group or of an app's account, which read no letters.
    pub fn invitation_letter(&self, id: CollaborationId) -> Result<Option<InvitationLetter>, Error> {
        self.database.read(|tx| letter(tx, id))
    }
}

fn letter(tx: &mut Tx<'_>, id: CollaborationId) -> Result<Option<InvitationLetter>, Error> {
    let found = collaborations::by_id(tx, id)?.filter(|row| row.status != CollaborationStatus::Rejected);
    let Some(row) = found else { return Ok(None) };
    let (address, name, is_user) = match &row.with {
        Collaborator::Group(_) => return Ok(None),
        Collaborator::Invited(login) => (login.clone(), String::new(), false),
        Collaborator::User(user) => {
            let Some(user) = users::by_id(tx, *user)? else { return Ok(None) };
            let reads = matches!(user.kind, UserKind::Person | UserKind::External);
            if !reads || user.status == UserStatus::Inactive {
                return Ok(None);
            }
            let other = Some(user.notification_email).filter(|other| !other.is_empty());
            (other.unwrap_or(user.login), user.name, true)
        }
    };
    let way = items::ancestors(tx, row.item)?;
    let (Some(item), Some(top)) = (way.first(), way.last()) else { return Ok(None) };
    let by = users::by_id(tx, row.created_by)?;
    let Some(by) = by.filter(|_| top.top == Top::Root) else { return Ok(None) };
    Ok(Some(InvitationLetter {
        address,
        name,
        is_user,
        by: by.id,
        by_name: by.name,
        by_login: by.login,
        item: item.name.as_str().to_owned(),
        kind: item.kind,
        role: row.role,
        status: row.status,
        at: row.created_at,
    }))
}
