//! Items on their way from one owner to another, and what of them is whose.

use crate::{Error, Tx};
use entente_model::{ContentId, ItemId, Md5, Sha1, UserId, VersionId};

/// An item that waits in limbo until what is below it is its new owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handover {
    /// The item.
    pub item: ItemId,
    /// Whose it was.
    pub from: UserId,
    /// Whose it is going to be.
    pub to: UserId,
    /// The folder that it goes into.
    pub parent: ItemId,
    /// Who said so.
    pub doer: UserId,
    /// Whether who had it is to be a co-owner.
    pub keeps_role: bool,
}

/// A version, and to whom its content belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// The version.
    pub version: VersionId,
    /// Its number among those of its file.
    pub number: u64,
    /// Its length in bytes.
    pub size: u64,
    /// Its content.
    pub content: ContentId,
    /// Whose content it is.
    pub owner: UserId,
    /// Versions of the same file with this content.
    pub within: u64,
    /// Whether versions of other files have this content too, or it is made of pieces of others.
    pub entangled: bool,
    /// Whether only a customer's key opens it.
    pub customers: bool,
    /// Of its bytes, if somebody has asked for that.
    pub md5: Option<Md5>,
}

/// Stores that an item is on its way. `Duplicate` when it is already.
pub fn insert(tx: &mut Tx<'_>, new: &Handover) -> Result<(), Error> {
    tx.put(
        "INSERT INTO handovers (item_id, from_id, to_id, parent_id, doer_id, keeps_role)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            new.item.into(),
            new.from.into(),
            new.to.into(),
            new.parent.into(),
            new.doer.into(),
            i64::from(new.keeps_role).into(),
        ],
    )
}

/// How an item is on its way, if it is.
pub fn of(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<Handover>, Error> {
    let sql = "SELECT item_id, from_id, to_id, parent_id, doer_id, keeps_role FROM handovers WHERE item_id = ?1";
    tx.query_one(sql, &[item.into()], |row| {
        Ok(Handover {
            item: ItemId::new(row.int(0)?),
            from: UserId::new(row.int(1)?),
            to: UserId::new(row.int(2)?),
            parent: ItemId::new(row.int(3)?),
            doer: UserId::new(row.int(4)?),
            keeps_role: row.int(5)? != 0,
        })
    })
}

/// Forgets that an item was on its way.
pub fn remove(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM handovers WHERE item_id = ?1", &[item.into()])
}

/// Up to `limit` versions of a file, removed ones too, after the one with that number, in order of numbers.
pub fn holdings(tx: &mut Tx<'_>, file: ItemId, after: u64, limit: u32) -> Result<Vec<Holding>, Error> {
    tx.query(
        "SELECT v.id, v.number, v.size, v.content_id, c.owner_id, c.references_count, c.pieces,
           CASE WHEN c.customer_check IS NULL THEN 0 ELSE 1 END, c.md5,
           (SELECT count(*) FROM versions o WHERE o.item_id = v.item_id AND o.content_id = v.content_id)
         FROM versions v JOIN contents c ON c.id = v.content_id
         WHERE v.item_id = ?1 AND v.number > ?2 ORDER BY v.number LIMIT ?3",
        &[file.into(), after.into(), limit.into()],
        |row| {
            let (references, within) = (row.size(5)?, row.size(9)?);
            Ok(Holding {
                version: VersionId::new(row.int(0)?),
                number: row.size(1)?,
                size: row.size(2)?,
                content: ContentId::new(row.int(3)?),
                owner: UserId::new(row.int(4)?),
                within,
                entangled: references != within || row.int(6)? > 0,
                customers: row.int(7)? != 0,
                md5: row.array_or_null(8)?.map(Md5),
            })
        },
    )
}

/// Whose a content is.
pub fn owner_of(tx: &mut Tx<'_>, content: ContentId) -> Result<Option<UserId>, Error> {
    tx.query_one("SELECT owner_id FROM contents WHERE id = ?1", &[content.into()], |row| Ok(UserId::new(row.int(0)?)))
}

/// Gives a content another owner.
pub fn set_owner(tx: &mut Tx<'_>, content: ContentId, owner: UserId) -> Result<(), Error> {
    tx.put("UPDATE contents SET owner_id = ?2 WHERE id = ?1", &[content.into(), owner.into()])
}

/// Gives a version another content of the same bytes, if it still has the old one; with their SHA-1, if the version has
/// none yet. `false` if not.
pub fn set_content(
    tx: &mut Tx<'_>,
    version: VersionId,
    old: ContentId,
    (new, sha1): (ContentId, Option<Sha1>),
) -> Result<bool, Error> {
    let sql = "UPDATE versions SET content_id = ?3, sha1 = CASE WHEN length(sha1) = 0 THEN ?4 ELSE sha1 END
               WHERE id = ?1 AND content_id = ?2";
    let sha1 = sha1.as_ref().map_or(&[][..], |sha1| sha1.0.as_slice());
    Ok(tx.execute(sql, &[version.into(), old.into(), new.into(), sha1.into()])? > 0)
}

/// Counts bytes towards one user that were counted towards another, whatever their limits are.
pub fn move_space(tx: &mut Tx<'_>, from: UserId, to: UserId, size: u64) -> Result<(), Error> {
    crate::users::give_space(tx, from, size)?;
    tx.put("UPDATE users SET space_used = space_used + ?2 WHERE id = ?1", &[to.into(), size.into()])
}
