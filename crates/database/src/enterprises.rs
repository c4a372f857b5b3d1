//! Enterprises: the customers whose content is kept apart.

use crate::shared_links::LinkAccess;
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, Timestamp, ZoneId};

/// An enterprise as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enterprise {
    /// Its id.
    pub id: EnterpriseId,
    /// What people call it.
    pub name: String,
    /// Where its content stays.
    pub zone: ZoneId,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Makes an enterprise. Its users come afterwards ([`crate::users::create_user`]).
pub fn create_enterprise(tx: &mut Tx<'_>, enterprise: &Enterprise) -> Result<(), Error> {
    tx.put(
        "INSERT INTO enterprises (id, name, zone_id, created_at) VALUES (?1, ?2, ?3, ?4)",
        &[enterprise.id.into(), enterprise.name.as_str().into(), enterprise.zone.into(), enterprise.created_at.into()],
    )?;
    Ok(())
}

/// The enterprise with that id.
pub fn by_id(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<Option<Enterprise>, Error> {
    let sql = "SELECT id, name, zone_id, created_at FROM enterprises WHERE id = ?1";
    tx.query_one(sql, &[enterprise.into()], read_enterprise)
}

/// The oldest enterprise: the one that an embedded store is made with. `None` in an empty database.
pub fn first(tx: &mut Tx<'_>) -> Result<Option<Enterprise>, Error> {
    tx.query_one("SELECT id, name, zone_id, created_at FROM enterprises ORDER BY id LIMIT 1", &[], read_enterprise)
}

/// Which shared links there may be of what an enterprise's users own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkRules {
    /// For whom a link is when nobody says.
    pub usual: LinkAccess,
    /// For whom a link may be at most. One that was made for more is for no more than that.
    pub most: LinkAccess,
}

/// What holds for the shared links of an enterprise.
pub fn link_rules(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<Option<LinkRules>, Error> {
    let sql = "SELECT link_usual, link_most FROM enterprises WHERE id = ?1";
    tx.query_one(sql, &[enterprise.into()], |row| {
        Ok(LinkRules { usual: LinkAccess::from_number(row.int(0)?)?, most: LinkAccess::from_number(row.int(1)?)? })
    })
}

/// Sets it.
pub fn set_link_rules(tx: &mut Tx<'_>, enterprise: EnterpriseId, rules: LinkRules) -> Result<(), Error> {
    tx.put(
        "UPDATE enterprises SET link_usual = ?2, link_most = ?3 WHERE id = ?1",
        &[enterprise.into(), rules.usual.number().into(), rules.most.number().into()],
    )
}

fn read_enterprise(row: &Row<'_>) -> Result<Enterprise, Error> {
    Ok(Enterprise {
        id: EnterpriseId::new(row.int(0)?),
        name: row.text(1)?,
        zone: ZoneId::new(row.int(2)?),
        created_at: Timestamp::from_millis(row.int(3)?),
    })
}
