//! What S3 alone knows of a folder at somebody's root: that its name is taken in the whole enterprise, whether it keeps
//! versions, and settings. A folder that S3 has not been told of has no row, and is a bucket all the same.

use crate::retention::Retains;
use crate::tx::Row;
use crate::{Error, Tx, lifecycle, subscriptions};
use entente_model::{EnterpriseId, ItemId, Timestamp, UserId};

/// Whether a bucket keeps the versions of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BucketVersioning {
    /// It never has.
    #[default]
    Never,
    /// It does.
    On,
    /// It has, and does not at the moment.
    Suspended,
}

impl BucketVersioning {
    const fn number(self) -> i64 {
        match self {
            Self::Never => 0,
            Self::On => 1,
            Self::Suspended => 2,
        }
    }

    fn from_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Never),
            1 => Ok(Self::On),
            2 => Ok(Self::Suspended),
            _ => Err(Error::damaged("whether a bucket keeps versions")),
        }
    }
}

/// The row of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketRow {
    /// The folder.
    pub item: ItemId,
    /// Whose enterprise it is in.
    pub enterprise: EnterpriseId,
    /// The name that it had when the row was last written.
    pub name: String,
    /// At whose root it is.
    pub owner: UserId,
    /// Whether it keeps versions.
    pub versioning: BucketVersioning,
    /// When it was made.
    pub created_at: Timestamp,
}

macro_rules! columns {
    () => {
        "b.item_id, b.enterprise_id, b.name, b.owner_id, b.versioning, b.created_at"
    };
}

/// Inserts the row of a bucket. `Duplicate` when the name is taken in the enterprise.
pub fn insert(tx: &mut Tx<'_>, bucket: &BucketRow) -> Result<(), Error> {
    tx.put(
        "INSERT INTO buckets (item_id, enterprise_id, name, owner_id, versioning, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            bucket.item.into(),
            bucket.enterprise.into(),
            bucket.name.as_str().into(),
            bucket.owner.into(),
            bucket.versioning.number().into(),
            bucket.created_at.into(),
        ],
    )
}

/// The row of a folder, if it has one.
pub fn by_item(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<BucketRow>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM buckets b WHERE b.item_id = ?1");
    tx.query_one(sql, &[item.into()], read)
}

/// The row that has a name in the enterprise.
pub fn by_name(tx: &mut Tx<'_>, enterprise: EnterpriseId, name: &str) -> Result<Option<BucketRow>, Error> {
    let sql = concat!("SELECT ", columns!(), " FROM buckets b WHERE b.enterprise_id = ?1 AND b.name = ?2");
    tx.query_one(sql, &[enterprise.into(), name.into()], read)
}

/// What whoever comes to a bucket has to know at once: one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Traits {
    /// Whether it keeps versions.
    pub versioning: BucketVersioning,
    /// How often it has been changed who else may use it; 0 if that has never been said, and nobody may.
    pub ruled: u64,
    /// Whether its versions may be retained.
    pub retains: Retains,
    /// Whether it has rules by which keys go.
    pub expires: bool,
}

/// What there is to know of a folder as a bucket: of one without a row, what is so of every other.
pub fn traits(tx: &mut Tx<'_>, item: ItemId) -> Result<Traits, Error> {
    let sql = "SELECT versioning, ruled, retains, retains_days, retains_years, expires FROM buckets
               WHERE item_id = ?1";
    let read = |row: &Row<'_>| {
        Ok(Traits {
            versioning: BucketVersioning::from_number(row.int(0)?)?,
            ruled: row.int(1)?.unsigned_abs(),
            retains: Retains::read(row, 2)?,
            expires: row.int(5)? != 0,
        })
    };
    Ok(tx.query_one(sql, &[item.into()], read)?.unwrap_or_default())
}

/// Notes that it has been changed who else may use a bucket with a row.
pub fn rules_changed(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("UPDATE buckets SET ruled = ruled + 1 WHERE item_id = ?1", &[item.into()])
}

/// Whether a folder keeps versions as a bucket.
pub fn versioning(tx: &mut Tx<'_>, item: ItemId) -> Result<BucketVersioning, Error> {
    let sql = "SELECT versioning FROM buckets WHERE item_id = ?1";
    let found = tx.query_one(sql, &[item.into()], |row| BucketVersioning::from_number(row.int(0)?))?;
    Ok(found.unwrap_or_default())
}

/// Sets whether a bucket with a row keeps versions.
pub fn set_versioning(tx: &mut Tx<'_>, item: ItemId, versioning: BucketVersioning) -> Result<(), Error> {
    let sql = "UPDATE buckets SET versioning = ?2 WHERE item_id = ?1";
    tx.put(sql, &[item.into(), versioning.number().into()])
}

/// Sets the name under which a bucket with a row is known. `Duplicate` when it is taken in the enterprise.
pub fn rename(tx: &mut Tx<'_>, item: ItemId, name: &str) -> Result<(), Error> {
    tx.put("UPDATE buckets SET name = ?2 WHERE item_id = ?1", &[item.into(), name.into()])
}

/// Removes the row of a bucket and its settings.
pub fn remove(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM bucket_settings WHERE item_id = ?1", &[item.into()])?;
    subscriptions::remove_of_item(tx, item)?;
    lifecycle::forget_run(tx, item)?;
    tx.put("DELETE FROM buckets WHERE item_id = ?1", &[item.into()])
}

/// A setting of a bucket, if it is set.
pub fn setting(tx: &mut Tx<'_>, item: ItemId, kind: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM bucket_settings WHERE item_id = ?1 AND kind = ?2";
    tx.query_one(sql, &[item.into(), kind.into()], |row| row.text(0))
}

/// Sets a setting of a bucket.
pub fn set_setting(tx: &mut Tx<'_>, item: ItemId, kind: &str, value: &str, at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO bucket_settings (item_id, kind, value, modified_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (item_id, kind) DO UPDATE SET value = excluded.value, modified_at = excluded.modified_at",
        &[item.into(), kind.into(), value.into(), at.into()],
    )
}

/// Removes a setting of a bucket.
pub fn remove_setting(tx: &mut Tx<'_>, item: ItemId, kind: &str) -> Result<(), Error> {
    tx.put("DELETE FROM bucket_settings WHERE item_id = ?1 AND kind = ?2", &[item.into(), kind.into()])
}

fn read(row: &Row<'_>) -> Result<BucketRow, Error> {
    Ok(BucketRow {
        item: ItemId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        name: row.text(2)?,
        owner: UserId::new(row.int(3)?),
        versioning: BucketVersioning::from_number(row.int(4)?)?,
        created_at: Timestamp::from_millis(row.int(5)?),
    })
}
