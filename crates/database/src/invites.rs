//! Users from outside who were asked to become users of the enterprise.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, InviteId, Timestamp, UserId};

/// What has become of an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InviteStatus {
    /// Nothing yet.
    Pending,
    /// The user belongs to the enterprise.
    Accepted,
}

/// An invite as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invite {
    /// Its id.
    pub id: InviteId,
    /// Where to.
    pub enterprise: EnterpriseId,
    /// Who was asked.
    pub user: UserId,
    /// Who has asked.
    pub invited_by: UserId,
    /// What has become of it.
    pub status: InviteStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

const SELECT_BY_ID: &str =
    "SELECT id, enterprise_id, user_id, invited_by, status, created_at, modified_at FROM invites WHERE id = ?1";
const SELECT_BY_USER: &str =
    "SELECT id, enterprise_id, user_id, invited_by, status, created_at, modified_at FROM invites
     WHERE enterprise_id = ?1 AND user_id = ?2";

/// Stores an invite. `Duplicate` when the user has one to that enterprise.
pub fn insert(tx: &mut Tx<'_>, new: &Invite) -> Result<(), Error> {
    tx.put(
        "INSERT INTO invites (id, enterprise_id, user_id, invited_by, status, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.into(),
            new.enterprise.into(),
            new.user.into(),
            new.invited_by.into(),
            status_number(new.status).into(),
            new.created_at.into(),
            new.modified_at.into(),
        ],
    )
}

/// The invite with that id.
pub fn by_id(tx: &mut Tx<'_>, id: InviteId) -> Result<Option<Invite>, Error> {
    tx.query_one(SELECT_BY_ID, &[id.into()], read)
}

/// The invite of a user to an enterprise.
pub fn of(tx: &mut Tx<'_>, enterprise: EnterpriseId, user: UserId) -> Result<Option<Invite>, Error> {
    tx.query_one(SELECT_BY_USER, &[enterprise.into(), user.into()], read)
}

/// Notes what has become of an invite.
pub fn set_status(tx: &mut Tx<'_>, id: InviteId, status: InviteStatus, at: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE invites SET status = ?2, modified_at = ?3 WHERE id = ?1";
    tx.put(sql, &[id.into(), status_number(status).into(), at.into()])
}

fn read(row: &Row<'_>) -> Result<Invite, Error> {
    Ok(Invite {
        id: InviteId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        user: UserId::new(row.int(2)?),
        invited_by: UserId::new(row.int(3)?),
        status: match row.int(4)? {
            0 => InviteStatus::Pending,
            1 => InviteStatus::Accepted,
            _ => return Err(Error::damaged("an invite's status")),
        },
        created_at: Timestamp::from_millis(row.int(5)?),
        modified_at: Timestamp::from_millis(row.int(6)?),
    })
}

const fn status_number(status: InviteStatus) -> i64 {
    match status {
        InviteStatus::Pending => 0,
        InviteStatus::Accepted => 1,
    }
}
