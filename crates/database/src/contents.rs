//! Contents, their chunks, and what they hold of segments.
//!
//! `live` of a segment is always the sum of the lengths of the chunks and upload parts in it: each function here that
//! adds or removes one moves it in the same transaction.

use crate::tx::{Row, Value};
use crate::{Error, ErrorKind, Tx};
use entente_model::{
    Checksum, ContentId, EnterpriseId, EpochId, Manifest, Place, SegmentId, Sha1, WrappedDataKey, ZoneId,
};
use entente_vault::{Located, Written, WrittenSegment};
use std::collections::BTreeMap;

/// How a content that is read is bounded: places are fetched in windows of this many chunks (1 GiB of plaintext).
pub const PLACES_WINDOW: u32 = 128;

/// Commits a content with one reference: its row, its chunks, and its hold on segments.
///
/// `Condemned` when one of its segments has been given up in the meantime: nothing is kept, and the upload starts again.
pub fn commit(tx: &mut Tx<'_>, written: &Written) -> Result<(), Error> {
    let manifest = &written.manifest;
    insert(tx, manifest)?;
    let mut held = BTreeMap::new();
    for place in &manifest.places {
        insert_chunk(tx, manifest.content, place)?;
        *held.entry(place.segment).or_insert(0) += place.length;
    }
    for segment in &written.segments {
        hold(tx, *segment, held.get(&segment.segment).copied().unwrap_or(0))?;
    }
    Ok(())
}

/// Inserts the row of a content with one reference, without chunks.
pub(crate) fn insert(tx: &mut Tx<'_>, manifest: &Manifest) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO contents (id, enterprise_id, zone_id, epoch_id, data_key, size, sha1, references_count)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
        &[
            manifest.content.into(),
            manifest.enterprise.into(),
            manifest.zone.into(),
            manifest.key.epoch.into(),
            manifest.key.bytes.as_slice().into(),
            manifest.size.into(),
            manifest.sha1.as_ref().map(|sha1| sha1.0.as_slice()).into(),
        ],
    )?;
    Ok(())
}

/// Inserts one chunk of a content, without touching its segment.
pub(crate) fn insert_chunk(tx: &mut Tx<'_>, content: ContentId, place: &Place) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO chunks (content_id, chunk, segment_id, position, length, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            content.into(),
            place.chunk.into(),
            place.segment.into(),
            place.offset.into(),
            place.length.into(),
            place.checksum.0.as_slice().into(),
        ],
    )?;
    Ok(())
}

/// Makes a durable segment live and adds to what is held of it. `Condemned` when it has been given up.
pub(crate) fn hold(tx: &mut Tx<'_>, segment: WrittenSegment, length: u64) -> Result<(), Error> {
    let changed = tx.execute(
        "UPDATE segments SET state = 1, size = ?2, live = live + ?3, dead_since = NULL WHERE id = ?1 AND state <> 2",
        &[segment.segment.into(), segment.size.into(), length.into()],
    )?;
    if changed == 0 {
        let message = format!("segment {} was given up before it was committed; send it again", segment.segment);
        return Err(Error::new(ErrorKind::Condemned, message));
    }
    Ok(())
}

/// Takes back what is held of a segment.
pub(crate) fn let_go(tx: &mut Tx<'_>, segment: SegmentId, length: u64) -> Result<(), Error> {
    tx.execute("UPDATE segments SET live = live - ?2 WHERE id = ?1", &[segment.into(), length.into()])?;
    Ok(())
}

/// Adds a reference to a committed content, for a copy. `false` when it is not there (any more).
pub fn share(tx: &mut Tx<'_>, content: ContentId) -> Result<bool, Error> {
    let changed =
        tx.execute("UPDATE contents SET references_count = references_count + 1 WHERE id = ?1", &[content.into()])?;
    Ok(changed > 0)
}

/// Drops a reference; with the last one, the content and its chunks go, and its segments' live bytes fall.
pub fn release(tx: &mut Tx<'_>, content: ContentId) -> Result<(), Error> {
    tx.execute("UPDATE contents SET references_count = references_count - 1 WHERE id = ?1", &[content.into()])?;
    let left =
        tx.query_one("SELECT references_count FROM contents WHERE id = ?1", &[content.into()], |row| row.int(0))?;
    if left.is_none_or(|left| left > 0) {
        return Ok(());
    }
    let held = tx.query("SELECT segment_id, length FROM chunks WHERE content_id = ?1", &[content.into()], |row| {
        Ok((SegmentId::new(row.int(0)?), row.size(1)?))
    })?;
    for (segment, length) in held {
        let_go(tx, segment, length)?;
    }
    tx.execute("DELETE FROM chunks WHERE content_id = ?1", &[content.into()])?;
    tx.execute("DELETE FROM contents WHERE id = ?1", &[content.into()])?;
    Ok(())
}

/// The manifest of a committed content, without its places.
pub fn by_id(tx: &mut Tx<'_>, content: ContentId) -> Result<Option<Manifest>, Error> {
    tx.query_one(
        "SELECT id, enterprise_id, zone_id, epoch_id, data_key, size, sha1 FROM contents WHERE id = ?1",
        &[content.into()],
        read_manifest,
    )
}

/// Up to `limit` contents after `after`, in order of ids, without their places.
pub(crate) fn after(tx: &mut Tx<'_>, after: Option<ContentId>, limit: u32) -> Result<Vec<Manifest>, Error> {
    tx.query(
        "SELECT id, enterprise_id, zone_id, epoch_id, data_key, size, sha1 FROM contents WHERE id > ?1 ORDER BY id LIMIT ?2",
        &[Value::Int(after.map_or(0, ContentId::number)), limit.into()],
        read_manifest,
    )
}

/// Up to `limit` places of a content from chunk `from` on, with the objects that hold them.
pub fn places(tx: &mut Tx<'_>, content: ContentId, from: u32, limit: u32) -> Result<Vec<Located>, Error> {
    tx.query(
        "SELECT c.chunk, c.segment_id, c.position, c.length, s.name, s.backend_id, c.checksum
         FROM chunks c JOIN segments s ON s.id = c.segment_id
         WHERE c.content_id = ?1 AND c.chunk >= ?2 ORDER BY c.chunk LIMIT ?3",
        &[content.into(), from.into(), limit.into()],
        read_located,
    )
}

fn read_manifest(row: &Row<'_>) -> Result<Manifest, Error> {
    Ok(Manifest {
        content: ContentId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        zone: ZoneId::new(row.int(2)?),
        key: WrappedDataKey { epoch: EpochId::new(row.int(3)?), bytes: row.blob(4)? },
        size: row.size(5)?,
        sha1: row.array_or_null(6)?.map(Sha1),
        places: Vec::new(),
    })
}

/// Reads chunk, segment, position, length, name, backend and checksum.
pub(crate) fn read_located(row: &Row<'_>) -> Result<Located, Error> {
    Ok(Located {
        place: Place {
            chunk: row.number(0)?,
            segment: SegmentId::new(row.int(1)?),
            offset: row.size(2)?,
            length: row.size(3)?,
            checksum: Checksum(row.array(6)?),
        },
        name: entente_vault::ObjectName::new(row.array(4)?),
        backend: entente_model::BackendId::new(row.int(5)?),
    })
}
