//! What goes by itself: which buckets have rules for that, how far they have been followed, and what has been in nobody's
//! sight for long.

use crate::items::Kind;
use crate::tx::Row;
use crate::versions::{self, Version};
use crate::{Error, Tx};
use entente_model::{EnterpriseId, ItemId, Timestamp, UserId, VersionId};

/// What a walk along a bucket has removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunCounts {
    /// Files that were the current one of their key.
    pub keys: u64,
    /// Versions that were not.
    pub older: u64,
    /// Delete markers.
    pub markers: u64,
    /// Unfinished uploads.
    pub uploads: u64,
    /// What may not be removed, or could not be, and was left.
    pub refused: u64,
}

/// A walk along a bucket by which its rules are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The bucket.
    pub item: ItemId,
    /// When it began.
    pub begun_at: Timestamp,
    /// When it ended; `None` while it goes on.
    pub ended_at: Option<Timestamp>,
    /// How far it is, as whoever walks says it. Empty at the beginning.
    pub place: String,
    /// What it has removed.
    pub counts: RunCounts,
}

/// Something in the trash of which no version is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trashed {
    /// The item.
    pub item: ItemId,
    /// What it is.
    pub kind: Kind,
    /// When it was put there.
    pub at: Timestamp,
    /// In whose trash it is.
    pub owner: UserId,
    /// Of which enterprise.
    pub enterprise: EnterpriseId,
}

/// Notes that a bucket with a row has rules.
pub fn note_rules(tx: &mut Tx<'_>, bucket: ItemId) -> Result<(), Error> {
    tx.put("UPDATE buckets SET expires = 1 WHERE item_id = ?1", &[bucket.into()])
}

/// Notes that a bucket has none (any more).
pub fn note_no_rules(tx: &mut Tx<'_>, bucket: ItemId) -> Result<(), Error> {
    tx.put("UPDATE buckets SET expires = 0 WHERE item_id = ?1", &[bucket.into()])
}

/// Up to `limit` buckets with rules, in order of their ids, after one, with the names of their folders.
pub fn buckets_with_rules(tx: &mut Tx<'_>, after: ItemId, limit: u32) -> Result<Vec<(ItemId, String)>, Error> {
    tx.query(
        "SELECT b.item_id, i.name FROM buckets b JOIN items i ON i.id = b.item_id
         WHERE b.expires <> 0 AND b.item_id > ?1 ORDER BY b.item_id LIMIT ?2",
        &[after.into(), limit.into()],
        |row| Ok((ItemId::new(row.int(0)?), row.text(1)?)),
    )
}

/// The walk along a bucket that goes on, or the last one.
pub fn run(tx: &mut Tx<'_>, bucket: ItemId) -> Result<Option<Run>, Error> {
    let sql = "SELECT item_id, begun_at, ended_at, place, removed_keys, removed_older, removed_markers, ended_uploads,
                 refused
               FROM lifecycle_runs WHERE item_id = ?1";
    tx.query_one(sql, &[bucket.into()], read_run)
}

/// Begins a walk, whether one goes on or not: that one is forgotten.
pub fn begin_run(tx: &mut Tx<'_>, bucket: ItemId, at: Timestamp) -> Result<(), Error> {
    forget_run(tx, bucket)?;
    tx.put(
        "INSERT INTO lifecycle_runs (item_id, begun_at, ended_at, place, removed_keys, removed_older, removed_markers,
           ended_uploads, refused)
         VALUES (?1, ?2, NULL, '', 0, 0, 0, 0, 0)",
        &[bucket.into(), at.into()],
    )
}

/// Keeps how far a walk is that was here `before`. `false` when somebody else has gone on with it, or begun another.
pub fn save_run(tx: &mut Tx<'_>, before: &Run, run: &Run) -> Result<bool, Error> {
    let RunCounts { keys, older, markers, uploads, refused } = run.counts;
    let changed = tx.execute(
        "UPDATE lifecycle_runs SET ended_at = ?4, place = ?5, removed_keys = ?6, removed_older = ?7,
           removed_markers = ?8, ended_uploads = ?9, refused = ?10
         WHERE item_id = ?1 AND begun_at = ?2 AND place = ?3 AND ended_at IS NULL",
        &[
            run.item.into(),
            before.begun_at.into(),
            before.place.as_str().into(),
            run.ended_at.into(),
            run.place.as_str().into(),
            keys.into(),
            older.into(),
            markers.into(),
            uploads.into(),
            refused.into(),
        ],
    )?;
    Ok(changed > 0)
}

/// Forgets the walk along a bucket.
pub fn forget_run(tx: &mut Tx<'_>, bucket: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM lifecycle_runs WHERE item_id = ?1", &[bucket.into()])
}

/// Notes that a plain version has overwritten the plain one before it, if one is in the file's list: one step along an
/// index, however often the file has been overwritten.
pub fn note_replaced(tx: &mut Tx<'_>, file: ItemId, by: VersionId, at: Timestamp) -> Result<(), Error> {
    tx.put(
        "UPDATE versions SET replaced_at = ?3 WHERE id = (
           SELECT v.id FROM versions v WHERE v.item_id = ?1 AND v.plain = 1 AND v.id <> ?2 AND v.trashed_at IS NULL
           ORDER BY v.number DESC LIMIT 1)",
        &[file.into(), by.into(), at.into()],
    )
}

/// Notes that a plain version is hidden by something plain of its path since that moment, or may be: whoever removes it
/// looks again.
pub fn note_hidden(tx: &mut Tx<'_>, version: VersionId, at: Timestamp) -> Result<(), Error> {
    tx.put("UPDATE versions SET replaced_at = ?2 WHERE id = ?1 AND plain = 1", &[version.into(), at.into()])
}

/// Notes that a version is shown.
pub fn note_shown(tx: &mut Tx<'_>, version: VersionId) -> Result<(), Error> {
    tx.put("UPDATE versions SET replaced_at = NULL WHERE id = ?1", &[version.into()])
}

/// Up to `limit` versions in the lists of their files that were overwritten or hidden before `before` and that nothing retains `now`, those first that
/// have been for longest. One may be shown again, or be the current one of its file.
pub fn replaced_before(tx: &mut Tx<'_>, before: Timestamp, now: Timestamp, limit: u32) -> Result<Vec<Version>, Error> {
    let sql = concat!(
        "SELECT ",
        versions::columns!(),
        " FROM versions v WHERE v.replaced_at IS NOT NULL AND v.replaced_at < ?1 AND v.trashed_at IS NULL
           AND NOT EXISTS (SELECT 1 FROM version_retention r
             WHERE r.version_id = v.id AND (r.held = 1 OR r.until_at > ?2))
         ORDER BY v.replaced_at LIMIT ?3"
    );
    let found = tx.query(sql, &[before.into(), now.into(), limit.into()], |row| versions::read_or_null(row, 0))?;
    found.into_iter().map(|version| version.ok_or(Error::damaged("a version without an id"))).collect()
}

/// What goes with the trash: something that was put there before `?1`, and of which nothing was taken since. It is not shown
/// among the versions of its path, or as a delete marker where no versions are shown besides.
macro_rules! ends_with_trash {
    () => {
        "i.trashed_at IS NOT NULL AND i.mark < 4 AND i.top = 0 AND i.trashed_at < ?1 AND i.modified_at < ?1
           AND (i.mark = 0 OR NOT EXISTS (
             SELECT 1 FROM items o WHERE o.mark >= 4 AND o.trashed_from = i.trashed_from AND o.sort_name = i.sort_name
               AND o.id <> i.id))"
    };
}

/// Up to `limit` items that were put into the trash before `before`, and of which nothing was taken since, in the order in
/// which they went, after a moment and an id: those that are not shown among the versions of their paths, and delete markers
/// where nothing but such markers is.
pub fn trashed_before(
    tx: &mut Tx<'_>,
    before: Timestamp,
    (at, after): (Timestamp, ItemId),
    limit: u32,
) -> Result<Vec<Trashed>, Error> {
    tx.query(
        concat!(
            "SELECT i.id, i.kind, i.trashed_at, u.id, u.enterprise_id
             FROM items i JOIN items t ON t.id = i.parent_id JOIN users u ON u.id = t.top_user_id
             WHERE ",
            ends_with_trash!(),
            " AND (i.trashed_at, i.id) > (?2, ?3) AND t.top = 2 ORDER BY i.trashed_at, i.id LIMIT ?4"
        ),
        &[before.into(), at.into(), after.into(), limit.into()],
        |row| {
            Ok(Trashed {
                item: ItemId::new(row.int(0)?),
                kind: Kind::from_number(row.int(1)?)?,
                at: Timestamp::from_millis(row.int(2)?),
                owner: UserId::new(row.int(3)?),
                enterprise: EnterpriseId::new(row.int(4)?),
            })
        },
    )
}

/// Whether an item is one of those that [`trashed_before`] finds.
pub fn is_trashed_before(tx: &mut Tx<'_>, item: ItemId, before: Timestamp) -> Result<bool, Error> {
    let sql = concat!("SELECT 1 FROM items i WHERE i.id = ?2 AND ", ends_with_trash!());
    Ok(tx.query_one(sql, &[before.into(), item.into()], |_| Ok(()))?.is_some())
}

/// Shows up to `limit` items in the trash no more among the versions of paths in a folder that is removed for good: no path
/// leads there. Answers how many there were.
pub fn hide_trashed_from(tx: &mut Tx<'_>, folder: ItemId, limit: u32) -> Result<u32, Error> {
    let hidden = tx.execute(
        "UPDATE items SET mark = 0 WHERE id IN (
           SELECT id FROM items WHERE trashed_from = ?1 AND mark <> 0 LIMIT ?2)",
        &[folder.into(), limit.into()],
    )?;
    Ok(u32::try_from(hidden).unwrap_or(u32::MAX))
}

fn read_run(row: &Row<'_>) -> Result<Run, Error> {
    Ok(Run {
        item: ItemId::new(row.int(0)?),
        begun_at: Timestamp::from_millis(row.int(1)?),
        ended_at: row.int_or_null(2)?.map(Timestamp::from_millis),
        place: row.text(3)?,
        counts: RunCounts {
            keys: row.size(4)?,
            older: row.size(5)?,
            markers: row.size(6)?,
            uploads: row.size(7)?,
            refused: row.size(8)?,
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::dialect::sqlite_schema;
    use crate::migrations::MIGRATIONS;
    use rusqlite::Connection;

    #[test]
    fn what_was_overwritten_before_is_known_to_be() {
        let database = Connection::open_in_memory().expect("a database");
        let at = MIGRATIONS.iter().position(|(name, _)| *name == "lifecycle").expect("a migration");
        let (before, after) = MIGRATIONS.split_at(at);
        for (_, sql) in before {
            database.execute_batch(&sqlite_schema(sql)).expect("a schema");
        }
        // Of one file a plain version, one that is not, and two plain ones; of another a plain one.
        for (id, item, number, plain) in [(1, 1, 1, 1), (2, 1, 2, 0), (3, 1, 3, 1), (4, 1, 4, 1), (5, 2, 1, 1)] {
            let sql = "INSERT INTO versions (id, item_id, number, content_id, size, sha1, name, created_at, created_by,
                         plain)
                       VALUES (?1, ?2, ?3, 1, 1, '', '', 100 + ?1, 1, ?4)";
            database.execute(sql, (id, item, number, plain)).expect("a version");
        }
        for (_, sql) in after {
            database.execute_batch(&sqlite_schema(sql)).expect("a schema");
        }
        let sql = "SELECT id, replaced_at FROM versions WHERE replaced_at IS NOT NULL ORDER BY id";
        let mut statement = database.prepare(sql).expect("SQL");
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("versions");
        assert_eq!(found.collect::<Result<Vec<(i64, i64)>, _>>().expect("versions"), [(1, 103), (3, 104)]);
    }
}
