//! Terms of service, and who has accepted them.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, TermsId, TermsStatusId, Timestamp, UserId};

/// For whom terms are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TermsKind {
    /// The enterprise's own users.
    Managed,
    /// Whoever comes from outside.
    External,
}

impl TermsKind {
    const fn number(self) -> i64 {
        match self {
            Self::Managed => 0,
            Self::External => 1,
        }
    }
}

/// Terms as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Their id.
    pub id: TermsId,
    /// Whose.
    pub enterprise: EnterpriseId,
    /// For whom; an enterprise has at most one of each kind.
    pub kind: TermsKind,
    /// Whether they have to be accepted.
    pub enabled: bool,
    /// What they say.
    pub text: String,
    /// When they were made.
    pub created_at: Timestamp,
    /// When they last changed.
    pub modified_at: Timestamp,
}

/// What a user has said to terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TermsStatus {
    /// Its id.
    pub id: TermsStatusId,
    /// To which.
    pub terms: TermsId,
    /// Who.
    pub user: UserId,
    /// Whether they accept them.
    pub accepted: bool,
    /// When they first said something.
    pub created_at: Timestamp,
    /// When they last did.
    pub modified_at: Timestamp,
}

/// Stores terms. `Duplicate` when the enterprise has some of the kind.
pub fn insert(tx: &mut Tx<'_>, new: &Terms) -> Result<(), Error> {
    tx.put(
        "INSERT INTO terms_of_service (id, enterprise_id, kind, enabled, text, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            new.id.into(),
            new.enterprise.into(),
            new.kind.number().into(),
            i64::from(new.enabled).into(),
            new.text.as_str().into(),
            new.created_at.into(),
            new.modified_at.into(),
        ],
    )
}

/// Writes what can change of terms: whether they are enabled, and the text.
pub fn update(tx: &mut Tx<'_>, terms: &Terms) -> Result<(), Error> {
    tx.put(
        "UPDATE terms_of_service SET enabled = ?2, text = ?3, modified_at = ?4 WHERE id = ?1",
        &[terms.id.into(), i64::from(terms.enabled).into(), terms.text.as_str().into(), terms.modified_at.into()],
    )
}

/// The terms with that id.
pub fn by_id(tx: &mut Tx<'_>, id: TermsId) -> Result<Option<Terms>, Error> {
    let sql = "SELECT id, enterprise_id, kind, enabled, text, created_at, modified_at FROM terms_of_service
               WHERE id = ?1";
    tx.query_one(sql, &[id.into()], read)
}

/// All terms of an enterprise: at most one of each kind.
pub fn of(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<Vec<Terms>, Error> {
    let sql = "SELECT id, enterprise_id, kind, enabled, text, created_at, modified_at FROM terms_of_service
               WHERE enterprise_id = ?1 ORDER BY kind";
    tx.query(sql, &[enterprise.into()], read)
}

/// Stores what a user says to terms. `Duplicate` when they have said something.
pub fn answer(tx: &mut Tx<'_>, new: &TermsStatus) -> Result<(), Error> {
    tx.put(
        "INSERT INTO terms_of_service_statuses (id, terms_id, user_id, accepted, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            new.id.into(),
            new.terms.into(),
            new.user.into(),
            i64::from(new.accepted).into(),
            new.created_at.into(),
            new.modified_at.into(),
        ],
    )
}

/// Writes what a user says now.
pub fn change_answer(tx: &mut Tx<'_>, status: &TermsStatus) -> Result<(), Error> {
    tx.put(
        "UPDATE terms_of_service_statuses SET accepted = ?2, modified_at = ?3 WHERE id = ?1",
        &[status.id.into(), i64::from(status.accepted).into(), status.modified_at.into()],
    )
}

/// The status with that id.
pub fn status(tx: &mut Tx<'_>, id: TermsStatusId) -> Result<Option<TermsStatus>, Error> {
    let sql = "SELECT id, terms_id, user_id, accepted, created_at, modified_at FROM terms_of_service_statuses
               WHERE id = ?1";
    tx.query_one(sql, &[id.into()], read_status)
}

/// What a user has said to terms, if anything.
pub fn status_of(tx: &mut Tx<'_>, terms: TermsId, user: UserId) -> Result<Option<TermsStatus>, Error> {
    let sql = "SELECT id, terms_id, user_id, accepted, created_at, modified_at FROM terms_of_service_statuses
               WHERE user_id = ?2 AND terms_id = ?1";
    tx.query_one(sql, &[terms.into(), user.into()], read_status)
}

/// Up to `limit` statuses of terms, the oldest first.
pub fn statuses(tx: &mut Tx<'_>, terms: TermsId, limit: u32) -> Result<Vec<TermsStatus>, Error> {
    let sql = "SELECT id, terms_id, user_id, accepted, created_at, modified_at FROM terms_of_service_statuses
               WHERE terms_id = ?1 ORDER BY id LIMIT ?2";
    tx.query(sql, &[terms.into(), limit.into()], read_status)
}

/// Whether a user has a role on something, or is invited to it, that somebody of the enterprise has given them.
pub fn is_invited_by(tx: &mut Tx<'_>, user: UserId, enterprise: EnterpriseId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM collaborations c JOIN users u ON u.id = c.created_by
               WHERE c.user_id = ?1 AND u.enterprise_id = ?2 LIMIT 1";
    Ok(tx.query_one(sql, &[user.into(), enterprise.into()], |_| Ok(()))?.is_some())
}

fn read(row: &Row<'_>) -> Result<Terms, Error> {
    Ok(Terms {
        id: TermsId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        kind: match row.int(2)? {
            0 => TermsKind::Managed,
            1 => TermsKind::External,
            _ => return Err(Error::damaged("a kind of terms")),
        },
        enabled: row.int(3)? != 0,
        text: row.text(4)?,
        created_at: Timestamp::from_millis(row.int(5)?),
        modified_at: Timestamp::from_millis(row.int(6)?),
    })
}

fn read_status(row: &Row<'_>) -> Result<TermsStatus, Error> {
    Ok(TermsStatus {
        id: TermsStatusId::new(row.int(0)?),
        terms: TermsId::new(row.int(1)?),
        user: UserId::new(row.int(2)?),
        accepted: row.int(3)? != 0,
        created_at: Timestamp::from_millis(row.int(4)?),
        modified_at: Timestamp::from_millis(row.int(5)?),
    })
}
