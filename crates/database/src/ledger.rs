//! [`Ledger`] on SQL: what the vault must remember.

use crate::tx::{Row, Value};
use crate::{Database, Error, Tx, contents};
use async_trait::async_trait;
use entente_model::{
    BackendId, Checksum, ContentId, EnterpriseId, EpochId, Manifest, Place, SegmentId, Timestamp, ZoneId,
};
use entente_vault::{
    ChunkRecord, EpochRecord, KeyContext, Ledger, Located, ObjectName, SegmentRecord, SegmentState, WrappedKey,
    WrittenSegment,
};

const SEGMENT_COLUMNS: &str = "id, name, backend_id, state, size, live, created_at, dead_since";

#[async_trait]
impl Ledger for Database {
    async fn reserve(
        &self,
        backend: BackendId,
        names: &[ObjectName],
        now: Timestamp,
    ) -> Result<Vec<SegmentId>, entente_vault::Error> {
        let rows: Vec<_> = names.iter().map(|name| (SegmentId::new(self.world().next_id()), *name)).collect();
        self.transact("reserve segments", move |tx| reserve(tx, backend, &rows, now)).await.map_err(wrap)
    }

    async fn places(&self, content: ContentId, from: u32, limit: u32) -> Result<Vec<Located>, entente_vault::Error> {
        self.read(|tx| contents::places(tx, content, from, limit)).map_err(wrap)
    }

    async fn segments_after(
        &self,
        after: Option<SegmentId>,
        limit: u32,
    ) -> Result<Vec<SegmentRecord>, entente_vault::Error> {
        self.read_long(move |tx| segments_after(tx, after, limit)).await.map_err(wrap)
    }

    async fn segments_named(
        &self,
        backend: BackendId,
        names: &[ObjectName],
    ) -> Result<Vec<SegmentRecord>, entente_vault::Error> {
        let names = names.to_vec();
        self.read_long(move |tx| segments_named(tx, backend, &names)).await.map_err(wrap)
    }

    async fn chunks_in(
        &self,
        segment: SegmentId,
        offset: u64,
        limit: u32,
    ) -> Result<Vec<ChunkRecord>, entente_vault::Error> {
        self.read_long(move |tx| chunks_in(tx, segment, offset, limit)).await.map_err(wrap)
    }

    async fn contents_after(
        &self,
        after: Option<ContentId>,
        limit: u32,
    ) -> Result<Vec<Manifest>, entente_vault::Error> {
        self.read_long(move |tx| contents::after(tx, after, limit)).await.map_err(wrap)
    }

    async fn content(&self, content: ContentId) -> Result<Option<Manifest>, entente_vault::Error> {
        self.read(|tx| contents::by_id(tx, content)).map_err(wrap)
    }

    async fn condemn(
        &self,
        segments: &[SegmentId],
        now: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<SegmentId>, entente_vault::Error> {
        let segments = segments.to_vec();
        self.transact("condemn segments", move |tx| condemn(tx, &segments, now, before)).await.map_err(wrap)
    }

    async fn forget(&self, segments: &[SegmentId]) -> Result<(), entente_vault::Error> {
        let segments = segments.to_vec();
        self.transact("forget segments", move |tx| forget(tx, &segments)).await.map_err(wrap)
    }

    async fn rehome(
        &self,
        target: WrittenSegment,
        moves: &[(ChunkRecord, Place)],
    ) -> Result<u32, entente_vault::Error> {
        let moves = moves.to_vec();
        self.transact("rehome chunks", move |tx| rehome(tx, target, &moves)).await.map_err(wrap)
    }

    async fn newest_epoch(
        &self,
        enterprise: EnterpriseId,
        zone: ZoneId,
    ) -> Result<Option<EpochRecord>, entente_vault::Error> {
        self.read(|tx| newest_epoch(tx, enterprise, zone)).map_err(wrap)
    }

    async fn epoch(&self, epoch: EpochId) -> Result<Option<EpochRecord>, entente_vault::Error> {
        self.read(|tx| epoch_by_id(tx, epoch)).map_err(wrap)
    }

    async fn add_epoch(&self, record: EpochRecord) -> Result<(), entente_vault::Error> {
        self.transact("add epoch key", move |tx| add_epoch(tx, &record)).await.map_err(wrap)
    }
}

fn wrap(error: Error) -> entente_vault::Error {
    entente_vault::Error::ledger(error)
}

fn reserve(
    tx: &mut Tx<'_>,
    backend: BackendId,
    rows: &[(SegmentId, ObjectName)],
    now: Timestamp,
) -> Result<Vec<SegmentId>, Error> {
    for (segment, name) in rows {
        tx.execute(
            "INSERT INTO segments (id, backend_id, name, state, size, live, created_at, dead_since)
             VALUES (?1, ?2, ?3, 0, 0, 0, ?4, ?4)",
            &[(*segment).into(), backend.into(), name.as_bytes().as_slice().into(), now.into()],
        )?;
    }
    Ok(rows.iter().map(|(segment, _)| *segment).collect())
}

fn segments_after(tx: &mut Tx<'_>, after: Option<SegmentId>, limit: u32) -> Result<Vec<SegmentRecord>, Error> {
    const SQL: &str = "SELECT id, name, backend_id, state, size, live, created_at, dead_since FROM segments
                       WHERE id > ?1 ORDER BY id LIMIT ?2";
    debug_assert!(SQL.contains(SEGMENT_COLUMNS));
    tx.query(SQL, &[Value::Int(after.map_or(0, SegmentId::number)), limit.into()], read_segment)
}

fn segments_named(tx: &mut Tx<'_>, backend: BackendId, names: &[ObjectName]) -> Result<Vec<SegmentRecord>, Error> {
    const SQL: &str = "SELECT id, name, backend_id, state, size, live, created_at, dead_since FROM segments
                       WHERE backend_id = ?1 AND name = ?2";
    debug_assert!(SQL.contains(SEGMENT_COLUMNS));
    let mut found = Vec::new();
    for name in names {
        found.extend(tx.query_one(SQL, &[backend.into(), name.as_bytes().as_slice().into()], read_segment)?);
    }
    Ok(found)
}

/// Chunks of contents and parts of open uploads alike: both hold the segment. A part is answered as a chunk of its
/// session's content.
fn chunks_in(tx: &mut Tx<'_>, segment: SegmentId, offset: u64, limit: u32) -> Result<Vec<ChunkRecord>, Error> {
    tx.query(
        "SELECT content_id, chunk, position, length, checksum FROM chunks WHERE segment_id = ?1 AND position >= ?2
         UNION ALL
         SELECT u.content_id, p.chunk, p.position, p.length, p.checksum FROM upload_parts p
         JOIN upload_sessions u ON u.id = p.session_id WHERE p.segment_id = ?1 AND p.position >= ?2
         ORDER BY 3 LIMIT ?3",
        &[segment.into(), offset.into(), limit.into()],
        |row| {
            Ok(ChunkRecord {
                content: ContentId::new(row.int(0)?),
                place: Place {
                    chunk: row.number(1)?,
                    segment,
                    offset: row.size(2)?,
                    length: row.size(3)?,
                    checksum: Checksum(row.array(4)?),
                },
            })
        },
    )
}

fn condemn(
    tx: &mut Tx<'_>,
    segments: &[SegmentId],
    now: Timestamp,
    before: Timestamp,
) -> Result<Vec<SegmentId>, Error> {
    let mut condemned = Vec::new();
    for segment in segments {
        tx.execute(
            "UPDATE segments SET dead_since = ?2 WHERE id = ?1 AND live = 0 AND (dead_since IS NULL OR dead_since > ?2)",
            &[(*segment).into(), now.into()],
        )?;
        // `live` alone would do; the chunks and parts are asked too, because a wrong answer here loses bytes.
        let changed = tx.execute(
            "UPDATE segments SET state = 2 WHERE id = ?1 AND (state = 2 OR (live = 0 AND dead_since <= ?2
               AND NOT EXISTS (SELECT 1 FROM chunks WHERE segment_id = ?1)
               AND NOT EXISTS (SELECT 1 FROM upload_parts WHERE segment_id = ?1)))",
            &[(*segment).into(), before.into()],
        )?;
        if changed > 0 {
            condemned.push(*segment);
        }
    }
    Ok(condemned)
}

fn forget(tx: &mut Tx<'_>, segments: &[SegmentId]) -> Result<(), Error> {
    for segment in segments {
        tx.execute("DELETE FROM segments WHERE id = ?1 AND state = 2", &[(*segment).into()])?;
    }
    Ok(())
}

fn rehome(tx: &mut Tx<'_>, target: WrittenSegment, moves: &[(ChunkRecord, Place)]) -> Result<u32, Error> {
    let (mut moved, mut held) = (0, 0);
    for (chunk, new) in moves {
        let changed = tx.execute(
            "UPDATE chunks SET segment_id = ?5, position = ?6, length = ?7
             WHERE content_id = ?1 AND chunk = ?2 AND segment_id = ?3 AND position = ?4",
            &[
                chunk.content.into(),
                chunk.place.chunk.into(),
                chunk.place.segment.into(),
                chunk.place.offset.into(),
                new.segment.into(),
                new.offset.into(),
                new.length.into(),
            ],
        )?;
        if changed > 0 {
            contents::let_go(tx, chunk.place.segment, chunk.place.length)?;
            held += new.length;
            moved += 1;
        }
    }
    if moved > 0 {
        contents::hold(tx, target, held)?;
    }
    Ok(moved)
}

fn newest_epoch(tx: &mut Tx<'_>, enterprise: EnterpriseId, zone: ZoneId) -> Result<Option<EpochRecord>, Error> {
    tx.query_one(
        "SELECT id, enterprise_id, zone_id, key_encryption_key, wrapped, created_at FROM epochs
         WHERE enterprise_id = ?1 AND zone_id = ?2 ORDER BY id DESC LIMIT 1",
        &[enterprise.into(), zone.into()],
        read_epoch,
    )
}

fn epoch_by_id(tx: &mut Tx<'_>, epoch: EpochId) -> Result<Option<EpochRecord>, Error> {
    tx.query_one(
        "SELECT id, enterprise_id, zone_id, key_encryption_key, wrapped, created_at FROM epochs WHERE id = ?1",
        &[epoch.into()],
        read_epoch,
    )
}

fn add_epoch(tx: &mut Tx<'_>, record: &EpochRecord) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO epochs (id, enterprise_id, zone_id, key_encryption_key, wrapped, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            record.context.epoch.into(),
            record.context.enterprise.into(),
            record.context.zone.into(),
            record.wrapped.key_encryption_key.as_str().into(),
            record.wrapped.bytes.as_slice().into(),
            record.created_at.into(),
        ],
    )?;
    Ok(())
}

fn read_segment(row: &Row<'_>) -> Result<SegmentRecord, Error> {
    Ok(SegmentRecord {
        segment: SegmentId::new(row.int(0)?),
        name: ObjectName::new(row.array(1)?),
        backend: BackendId::new(row.int(2)?),
        state: match row.int(3)? {
            0 => SegmentState::Reserved,
            1 => SegmentState::Live,
            2 => SegmentState::Condemned,
            _ => return Err(Error::damaged("a segment's state")),
        },
        size: row.size(4)?,
        live: row.size(5)?,
        created_at: Timestamp::from_millis(row.int(6)?),
        dead_since: row.int_or_null(7)?.map(Timestamp::from_millis),
    })
}

fn read_epoch(row: &Row<'_>) -> Result<EpochRecord, Error> {
    Ok(EpochRecord {
        context: KeyContext {
            epoch: EpochId::new(row.int(0)?),
            enterprise: EnterpriseId::new(row.int(1)?),
            zone: ZoneId::new(row.int(2)?),
        },
        wrapped: WrappedKey { key_encryption_key: row.text(3)?, bytes: row.blob(4)? },
        created_at: Timestamp::from_millis(row.int(5)?),
    })
}
