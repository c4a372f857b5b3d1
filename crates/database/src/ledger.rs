//! [`Ledger`] on SQL: what the vault must remember.

use crate::tx::Row;
use crate::{Database, Error, Tx, contents, orphans, pieces, replicas, segments};
use async_trait::async_trait;
use entente_model::{
    BackendId, ContentId, EnterpriseId, EpochId, Manifest, Place, PolicyId, SegmentId, Timestamp, ZoneId,
};
use entente_vault::{
    ChunkRecord, Copy, EpochRecord, KeyContext, Ledger, Located, ObjectName, Piece, SegmentRecord, Stretch, WrappedKey,
    WrittenSegment,
};

type Answer<T> = Result<T, entente_vault::Error>;

#[async_trait]
impl Ledger for Database {
    async fn reserve(
        &self,
        policy: PolicyId,
        intents: &[Vec<(BackendId, ObjectName)>],
        now: Timestamp,
    ) -> Answer<Vec<SegmentId>> {
        let intents = intents.to_vec();
        let rows: Vec<_> = intents.into_iter().map(|intent| (SegmentId::new(self.world().next_id()), intent)).collect();
        self.transact("reserve segments", move |tx| segments::reserve(tx, policy, &rows, now)).await.map_err(wrap)
    }

    async fn places(&self, content: ContentId, from: u32, limit: u32) -> Answer<Vec<Located>> {
        self.read(|tx| contents::places(tx, content, from, limit)).map_err(wrap)
    }

    async fn segments_after(&self, after: Option<SegmentId>, limit: u32) -> Answer<Vec<SegmentRecord>> {
        self.read_long(move |tx| segments::after(tx, after, limit)).await.map_err(wrap)
    }

    async fn segments(&self, ids: &[SegmentId]) -> Answer<Vec<SegmentRecord>> {
        let ids = ids.to_vec();
        self.read_long(move |tx| segments::by_ids(tx, &ids)).await.map_err(wrap)
    }

    async fn unsettled(&self, after: Option<SegmentId>, limit: u32) -> Answer<Vec<SegmentRecord>> {
        self.read_long(move |tx| segments::unsettled(tx, after, limit)).await.map_err(wrap)
    }

    async fn segments_of(&self, policy: PolicyId, after: Option<SegmentId>, limit: u32) -> Answer<Vec<SegmentRecord>> {
        self.read_long(move |tx| segments::of_policy(tx, policy, after, limit)).await.map_err(wrap)
    }

    async fn segments_on(
        &self,
        backend: BackendId,
        after: Option<ObjectName>,
        limit: u32,
    ) -> Answer<Vec<SegmentRecord>> {
        self.read_long(move |tx| segments::on_backend(tx, backend, after, limit)).await.map_err(wrap)
    }

    async fn known(&self, backend: BackendId, names: &[ObjectName]) -> Answer<Vec<ObjectName>> {
        let names = names.to_vec();
        self.read_long(move |tx| replicas::known(tx, backend, &names)).await.map_err(wrap)
    }

    async fn note_orphans(
        &self,
        backend: BackendId,
        stretch: Stretch,
        names: &[ObjectName],
        now: Timestamp,
    ) -> Answer<Vec<(ObjectName, Timestamp)>> {
        // Of most stretches there is nothing to be said, and nothing to be written.
        if names.is_empty() && self.read_long(move |tx| orphans::is_empty(tx, backend, stretch)).await.map_err(wrap)? {
            return Ok(Vec::new());
        }
        let names = names.to_vec();
        self.transact("note orphans", move |tx| orphans::note(tx, backend, stretch, &names, now)).await.map_err(wrap)
    }

    async fn chunks_in(&self, segment: SegmentId, offset: u64, limit: u32) -> Answer<Vec<ChunkRecord>> {
        self.read_long(move |tx| segments::chunks_in(tx, segment, offset, limit)).await.map_err(wrap)
    }

    async fn chunks_of(&self, segments: &[SegmentId]) -> Answer<Vec<ChunkRecord>> {
        let ids = segments.to_vec();
        self.read_long(move |tx| segments::chunks_of(tx, &ids)).await.map_err(wrap)
    }

    async fn pieces(&self, content: ContentId, from: u64, limit: u32) -> Answer<Vec<Piece>> {
        self.read(|tx| pieces::of(tx, content, from, limit)).map_err(wrap)
    }

    async fn contents_after(&self, after: Option<ContentId>, limit: u32) -> Answer<Vec<Manifest>> {
        self.read_long(move |tx| contents::after(tx, after, limit)).await.map_err(wrap)
    }

    async fn content(&self, content: ContentId) -> Answer<Option<Manifest>> {
        self.read(|tx| contents::by_id(tx, content)).map_err(wrap)
    }

    async fn condemn(&self, segments: &[SegmentId], now: Timestamp, before: Timestamp) -> Answer<Vec<SegmentRecord>> {
        let ids = segments.to_vec();
        self.transact("condemn segments", move |tx| segments::condemn(tx, &ids, now, before)).await.map_err(wrap)
    }

    async fn forget(&self, segments: &[SegmentId]) -> Answer<()> {
        let ids = segments.to_vec();
        self.transact("forget segments", move |tx| segments::forget(tx, &ids)).await.map_err(wrap)
    }

    async fn intend(&self, copies: &[Copy], now: Timestamp) -> Answer<Vec<Copy>> {
        let copies = copies.to_vec();
        self.transact("intend copies", move |tx| replicas::intend(tx, &copies, now)).await.map_err(wrap)
    }

    async fn settle(&self, copies: &[Copy], now: Timestamp) -> Answer<u32> {
        let copies = copies.to_vec();
        self.transact("settle copies", move |tx| replicas::settle(tx, &copies, now)).await.map_err(wrap)
    }

    async fn doubt(&self, copy: Copy, now: Timestamp) -> Answer<()> {
        self.transact("doubt a replica", move |tx| replicas::doubt(tx, copy, now)).await.map_err(wrap)
    }

    async fn trust(&self, copies: &[Copy], now: Timestamp) -> Answer<u32> {
        let copies = copies.to_vec();
        self.transact("trust replicas", move |tx| replicas::trust(tx, &copies, now)).await.map_err(wrap)
    }

    async fn leave(
        &self,
        backend: BackendId,
        segments: &[SegmentId],
        others_min: u32,
        now: Timestamp,
    ) -> Answer<Vec<SegmentId>> {
        let ids = segments.to_vec();
        self.transact("let replicas leave", move |tx| replicas::leave(tx, backend, &ids, others_min, now))
            .await
            .map_err(wrap)
    }

    async fn condemn_replicas(
        &self,
        backend: BackendId,
        after: Option<SegmentId>,
        before: Timestamp,
        limit: u32,
    ) -> Answer<Vec<Copy>> {
        self.transact("condemn replicas", move |tx| replicas::condemn(tx, backend, after, (before, limit)))
            .await
            .map_err(wrap)
    }

    async fn forget_replicas(&self, copies: &[Copy]) -> Answer<()> {
        let copies = copies.to_vec();
        self.transact("forget replicas", move |tx| replicas::forget(tx, &copies)).await.map_err(wrap)
    }

    async fn rehome(&self, target: WrittenSegment, moves: &[(ChunkRecord, Place)]) -> Answer<u32> {
        let moves = moves.to_vec();
        self.transact("rehome chunks", move |tx| segments::rehome(tx, target, &moves)).await.map_err(wrap)
    }

    async fn move_content(&self, old: &Manifest, new: &Manifest) -> Answer<bool> {
        let (old, new) = (old.clone(), new.clone());
        self.transact("move content", move |tx| contents::move_to(tx, &old, &new)).await.map_err(wrap)
    }

    async fn newest_epoch(&self, enterprise: EnterpriseId, zone: ZoneId) -> Answer<Option<EpochRecord>> {
        self.read(|tx| newest_epoch(tx, enterprise, zone)).map_err(wrap)
    }

    async fn epoch(&self, epoch: EpochId) -> Answer<Option<EpochRecord>> {
        self.read(|tx| epoch_by_id(tx, epoch)).map_err(wrap)
    }

    async fn add_epoch(&self, record: EpochRecord) -> Answer<()> {
        self.transact("add epoch key", move |tx| add_epoch(tx, &record)).await.map_err(wrap)
    }
}

fn wrap(error: Error) -> entente_vault::Error {
    entente_vault::Error::ledger(error)
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
