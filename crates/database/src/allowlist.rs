//! With which domains roles may be given and taken, and the users to whom that does not apply.

use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{AllowedDomainId, EnterpriseId, ExemptionId, Timestamp, UserId};

/// Domains that an enterprise allows at most, and users that it exempts.
pub const ALLOWLIST_MAX: u32 = 10_000;

/// In which direction a domain is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Its people may have roles on what the enterprise owns.
    Inbound,
    /// The enterprise's users may have roles on what its people own.
    Outbound,
    /// Both.
    Both,
}

impl Direction {
    const fn number(self) -> i64 {
        match self {
            Self::Inbound => 1,
            Self::Outbound => 2,
            Self::Both => 3,
        }
    }
}

/// A domain that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedDomain {
    /// Its id.
    pub id: AllowedDomainId,
    /// Who allows it.
    pub enterprise: EnterpriseId,
    /// Folded.
    pub domain: String,
    /// In which direction.
    pub direction: Direction,
    /// Since when.
    pub created_at: Timestamp,
}

/// A user who may have roles and give them whatever is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exemption {
    /// Its id.
    pub id: ExemptionId,
    /// The user's enterprise.
    pub enterprise: EnterpriseId,
    /// The user.
    pub user: UserId,
    /// Since when.
    pub created_at: Timestamp,
}

/// Stores a domain. `Duplicate` when the enterprise allows it already, in whatever direction.
pub fn insert(tx: &mut Tx<'_>, new: &AllowedDomain) -> Result<(), Error> {
    tx.put(
        "INSERT INTO allowed_domains (id, enterprise_id, domain, direction, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            new.id.into(),
            new.enterprise.into(),
            new.domain.as_str().into(),
            new.direction.number().into(),
            new.created_at.into(),
        ],
    )
}

/// Whether a (folded) domain is on an enterprise's list.
pub fn has(tx: &mut Tx<'_>, enterprise: EnterpriseId, domain: &str) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM allowed_domains WHERE enterprise_id = ?1 AND domain = ?2";
    Ok(tx.query_one(sql, &[enterprise.into(), domain.into()], |_| Ok(()))?.is_some())
}

/// The domain with that id.
pub fn by_id(tx: &mut Tx<'_>, id: AllowedDomainId) -> Result<Option<AllowedDomain>, Error> {
    let sql = "SELECT id, enterprise_id, domain, direction, created_at FROM allowed_domains WHERE id = ?1";
    tx.query_one(sql, &[id.into()], read)
}

/// Up to `limit` domains of an enterprise after that one, in the order in which they were added.
pub fn after(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    after: Option<AllowedDomainId>,
    limit: u32,
) -> Result<Vec<AllowedDomain>, Error> {
    tx.query(
        "SELECT id, enterprise_id, domain, direction, created_at FROM allowed_domains
         WHERE enterprise_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        &[enterprise.into(), after.map_or(0, AllowedDomainId::number).into(), limit.into()],
        read,
    )
}

/// How many domains an enterprise allows.
pub fn count(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM allowed_domains WHERE enterprise_id = ?1";
    Ok(tx.query_one(sql, &[enterprise.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Removes a domain. Absent already is success.
pub fn remove(tx: &mut Tx<'_>, id: AllowedDomainId) -> Result<(), Error> {
    tx.put("DELETE FROM allowed_domains WHERE id = ?1", &[id.into()])
}

/// Whether an enterprise allows a (folded) domain in that direction: it does while it has no list.
pub fn allows(tx: &mut Tx<'_>, enterprise: EnterpriseId, domain: &str, direction: Direction) -> Result<bool, Error> {
    let sql = "SELECT direction FROM allowed_domains WHERE enterprise_id = ?1 AND domain = ?2";
    let found = tx.query_one(sql, &[enterprise.into(), domain.into()], |row| row.int(0))?;
    if let Some(found) = found {
        return Ok(found & direction.number() == direction.number());
    }
    Ok(tx
        .query_one("SELECT 1 FROM allowed_domains WHERE enterprise_id = ?1 LIMIT 1", &[enterprise.into()], |_| Ok(()))?
        .is_none())
}

/// Exempts a user. `Duplicate` when they are already.
pub fn exempt(tx: &mut Tx<'_>, new: &Exemption) -> Result<(), Error> {
    tx.put(
        "INSERT INTO allowlist_exemptions (id, enterprise_id, user_id, created_at) VALUES (?1, ?2, ?3, ?4)",
        &[new.id.into(), new.enterprise.into(), new.user.into(), new.created_at.into()],
    )
}

/// The exemption with that id.
pub fn exemption(tx: &mut Tx<'_>, id: ExemptionId) -> Result<Option<Exemption>, Error> {
    let sql = "SELECT id, enterprise_id, user_id, created_at FROM allowlist_exemptions WHERE id = ?1";
    tx.query_one(sql, &[id.into()], read_exemption)
}

/// Up to `limit` exemptions of an enterprise after that one, in the order in which they were made.
pub fn exemptions_after(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    after: Option<ExemptionId>,
    limit: u32,
) -> Result<Vec<Exemption>, Error> {
    tx.query(
        "SELECT id, enterprise_id, user_id, created_at FROM allowlist_exemptions
         WHERE enterprise_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
        &[enterprise.into(), after.map_or(0, ExemptionId::number).into(), limit.into()],
        read_exemption,
    )
}

/// How many users an enterprise exempts.
pub fn count_exemptions(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM allowlist_exemptions WHERE enterprise_id = ?1";
    Ok(tx.query_one(sql, &[enterprise.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Whether the list does not apply to a user.
pub fn is_exempt(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM allowlist_exemptions WHERE user_id = ?1";
    Ok(tx.query_one(sql, &[user.into()], |_| Ok(()))?.is_some())
}

/// Ends an exemption. Absent already is success.
pub fn remove_exemption(tx: &mut Tx<'_>, id: ExemptionId) -> Result<(), Error> {
    tx.put("DELETE FROM allowlist_exemptions WHERE id = ?1", &[id.into()])
}

fn read(row: &Row<'_>) -> Result<AllowedDomain, Error> {
    Ok(AllowedDomain {
        id: AllowedDomainId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        domain: row.text(2)?,
        direction: match row.int(3)? {
            1 => Direction::Inbound,
            2 => Direction::Outbound,
            3 => Direction::Both,
            _ => return Err(Error::damaged("an allowed domain's direction")),
        },
        created_at: Timestamp::from_millis(row.int(4)?),
    })
}

fn read_exemption(row: &Row<'_>) -> Result<Exemption, Error> {
    Ok(Exemption {
        id: ExemptionId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        user: UserId::new(row.int(2)?),
        created_at: Timestamp::from_millis(row.int(3)?),
    })
}
