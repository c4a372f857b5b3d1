//! Versions that may not be removed, where in the tree there are any, and buckets that keep theirs for a while.

use crate::items::Kind;
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{ItemId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

/// Who may cut short how long a version is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RetentionMode {
    /// Those who may do just that.
    Governance,
    /// Nobody.
    Compliance,
}

/// Until when a version is retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RetentionTerm {
    /// Who may cut it short.
    pub mode: RetentionMode,
    /// The first moment at which it may be removed.
    pub until: Timestamp,
}

/// Why a version may not be removed. With neither, it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Retention {
    /// It is retained for a time, which may be over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<RetentionTerm>,
    /// It is held until somebody says otherwise.
    pub held: bool,
}

impl Retention {
    /// Whether it keeps a version from being removed.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.held || self.term.is_some_and(|term| term.until > now)
    }
}

/// How long a bucket retains what arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetentionSpan {
    /// So many times 24 hours.
    Days(u32),
    /// Until the same time of the same day so many years later.
    Years(u32),
}

/// What becomes of each version that arrives in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DefaultRetention {
    /// Who may cut it short.
    pub mode: RetentionMode,
    /// How long it is retained.
    pub span: RetentionSpan,
}

/// Whether the versions in a bucket may be retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Retains {
    /// They may not.
    #[default]
    Never,
    /// Those of which it is said.
    OnRequest,
    /// Each is, and of which it is said otherwise.
    ByDefault(DefaultRetention),
}

const GOVERNANCE: i64 = 1;
const COMPLIANCE: i64 = 2;

impl Retains {
    /// Reads three columns from `start` on.
    pub(crate) fn read(row: &Row<'_>, start: usize) -> Result<Self, Error> {
        let (kind, days, years) = (row.int(start)?, row.number(start + 1)?, row.number(start + 2)?);
        let mode = match kind {
            0 => return Ok(Self::Never),
            1 => return Ok(Self::OnRequest),
            2 => RetentionMode::Governance,
            3 => RetentionMode::Compliance,
            _ => return Err(Error::damaged("whether a bucket retains versions")),
        };
        let span = if years == 0 { RetentionSpan::Days(days) } else { RetentionSpan::Years(years) };
        Ok(Self::ByDefault(DefaultRetention { mode, span }))
    }

    fn columns(self) -> (i64, u32, u32) {
        match self {
            Self::Never => (0, 0, 0),
            Self::OnRequest => (1, 0, 0),
            Self::ByDefault(DefaultRetention { mode, span }) => {
                let kind = if mode == RetentionMode::Governance { 2 } else { 3 };
                match span {
                    RetentionSpan::Days(days) => (kind, days, 0),
                    RetentionSpan::Years(years) => (kind, 0, years),
                }
            }
        }
    }
}

/// Sets whether the versions in a bucket with a row may be retained.
pub fn set_of_bucket(tx: &mut Tx<'_>, bucket: ItemId, retains: Retains) -> Result<(), Error> {
    let (kind, days, years) = retains.columns();
    let sql = "UPDATE buckets SET retains = ?2, retains_days = ?3, retains_years = ?4 WHERE item_id = ?1";
    tx.put(sql, &[bucket.into(), kind.into(), days.into(), years.into()])
}

/// What keeps a version of a file from being removed, if anything was ever said of it.
pub fn of_version(tx: &mut Tx<'_>, version: VersionId) -> Result<Option<Retention>, Error> {
    let sql = "SELECT mode, until_at, held FROM version_retention WHERE version_id = ?1";
    tx.query_one(sql, &[version.into()], |row| read(row, 0))
}

/// Sets what keeps a version of a file from being removed.
pub fn set(tx: &mut Tx<'_>, (item, version): (ItemId, VersionId), retention: Retention) -> Result<(), Error> {
    let (mode, until) = match retention.term {
        None => (0, 0),
        Some(RetentionTerm { mode: RetentionMode::Governance, until }) => (GOVERNANCE, until.millis()),
        Some(RetentionTerm { mode: RetentionMode::Compliance, until }) => (COMPLIANCE, until.millis()),
    };
    tx.put(
        "INSERT INTO version_retention (version_id, item_id, mode, until_at, held) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (version_id) DO UPDATE SET mode = excluded.mode, until_at = excluded.until_at,
           held = excluded.held",
        &[version.into(), item.into(), mode.into(), until.into(), i64::from(retention.held).into()],
    )
}

/// Forgets what was said of a version.
pub fn forget_version(tx: &mut Tx<'_>, version: VersionId) -> Result<(), Error> {
    tx.put("DELETE FROM version_retention WHERE version_id = ?1", &[version.into()])
}

/// One of the versions of a file that may not be removed at that moment, removed from its list or not.
pub fn in_force(tx: &mut Tx<'_>, file: ItemId, now: Timestamp) -> Result<Option<Retention>, Error> {
    // Each is one look into the index. With an OR, an engine may walk along all that is over.
    let sql = "SELECT mode, until_at, held FROM version_retention WHERE item_id = ?1 AND held = 1
               UNION ALL SELECT mode, until_at, held FROM version_retention
                 WHERE item_id = ?1 AND held = 0 AND until_at > ?2 LIMIT 1";
    tx.query_one(sql, &[file.into(), now.into()], |row| read(row, 0))
}

/// Up to `limit` versions in the list of a file that were made while its bucket kept none, and may not be removed at that
/// moment.
pub fn plain_in_force(
    tx: &mut Tx<'_>,
    file: ItemId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<(VersionId, Retention)>, Error> {
    tx.query(
        "SELECT r.version_id, r.mode, r.until_at, r.held FROM version_retention r
         JOIN versions v ON v.id = r.version_id
         WHERE r.item_id = ?1 AND (r.held = 1 OR r.until_at > ?2) AND v.plain = 1 AND v.trashed_at IS NULL LIMIT ?3",
        &[file.into(), now.into(), limit.into()],
        |row| Ok((VersionId::new(row.int(0)?), read(row, 1)?)),
    )
}

/// Notes that an item has or had such versions, or is above one that does, and where it is. `true` when just that was
/// noted already.
pub fn mark(tx: &mut Tx<'_>, item: ItemId, parent: ItemId) -> Result<bool, Error> {
    let sql = "SELECT parent_id FROM retained_items WHERE item_id = ?1";
    let known = tx.query_one(sql, &[item.into()], |row| Ok(ItemId::new(row.int(0)?)))?;
    if known == Some(parent) {
        return Ok(true);
    }
    tx.put(
        "INSERT INTO retained_items (item_id, parent_id) VALUES (?1, ?2)
         ON CONFLICT (item_id) DO UPDATE SET parent_id = excluded.parent_id",
        &[item.into(), parent.into()],
    )?;
    Ok(false)
}

/// Says where an item is, if it is noted.
pub fn moved(tx: &mut Tx<'_>, item: ItemId, parent: ItemId) -> Result<(), Error> {
    tx.put("UPDATE retained_items SET parent_id = ?2 WHERE item_id = ?1", &[item.into(), parent.into()])
}

/// Whether an item is noted.
pub fn is_marked(tx: &mut Tx<'_>, item: ItemId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM retained_items WHERE item_id = ?1";
    Ok(tx.query_one(sql, &[item.into()], |_| Ok(()))?.is_some())
}

/// Forgets that an item was noted.
pub fn unmark(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM retained_items WHERE item_id = ?1", &[item.into()])
}

/// A child of a folder that is noted.
pub fn marked_child(tx: &mut Tx<'_>, folder: ItemId) -> Result<Option<(ItemId, Kind)>, Error> {
    let sql = "SELECT i.id, i.kind FROM retained_items r JOIN items i ON i.id = r.item_id
               WHERE r.parent_id = ?1 AND i.parent_id = ?1 LIMIT 1";
    tx.query_one(sql, &[folder.into()], |row| Ok((ItemId::new(row.int(0)?), Kind::from_number(row.int(1)?)?)))
}

fn read(row: &Row<'_>, start: usize) -> Result<Retention, Error> {
    let until = Timestamp::from_millis(row.int(start + 1)?);
    let mode = match row.int(start)? {
        0 => None,
        GOVERNANCE => Some(RetentionMode::Governance),
        COMPLIANCE => Some(RetentionMode::Compliance),
        _ => return Err(Error::damaged("how a version is retained")),
    };
    Ok(Retention { term: mode.map(|mode| RetentionTerm { mode, until }), held: row.int(start + 2)? != 0 })
}

#[cfg(test)]
mod tests {
    use super::{Retention, RetentionMode, RetentionTerm};
    use entente_model::Timestamp;

    #[test]
    fn a_term_ends_and_a_hold_does_not() {
        let term = RetentionTerm { mode: RetentionMode::Compliance, until: Timestamp::from_millis(10) };
        let retention = Retention { term: Some(term), held: false };
        assert!(retention.is_in_force(Timestamp::from_millis(9)));
        assert!(!retention.is_in_force(Timestamp::from_millis(10)));
        assert!(Retention { held: true, ..retention }.is_in_force(Timestamp::from_millis(10)));
        assert!(!Retention::default().is_in_force(Timestamp::from_millis(0)));
    }

    #[test]
    fn it_goes_to_text_and_back() {
        for (retention, text) in [
            (Retention::default(), r#"{"held":false}"#),
            (
                Retention {
                    term: Some(RetentionTerm { mode: RetentionMode::Governance, until: Timestamp::from_millis(7) }),
                    held: true,
                },
                r#"{"term":{"mode":"Governance","until":7},"held":true}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&retention).expect("text"), text);
            assert_eq!(serde_json::from_str::<Retention>(text).expect("retention"), retention);
        }
    }
}
