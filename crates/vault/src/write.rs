//! The driver of writing: a body in, durable segments out.
//!
//! A small body is sealed whole and shares a segment. A longer one goes into a segment per chunk, sealed batch by batch
//! as it arrives, and while one chunk's segment is made durable the next chunk arrives. A write that fails or is dropped
//! leaves reserved segments that nothing refers to: `collect` removes them.

mod incoming;

use self::incoming::Incoming;
use crate::copies::Copies;
use crate::customer::check_of;
use crate::seal::{self, Binding, FRAME_BYTES, Sealer};
use crate::{Begun, CustomerKey, Error, Scope, Vault, Written, WrittenSegment};
use aws_lc_rs::digest;
use bytes::Bytes;
use entente_custodians::SecretKey;
use entente_model::{CHUNK_SIZE_BYTES, ContentId, Manifest, Place, SegmentId, Sha1};
use futures_util::Stream;
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinHandle;

/// The error of a body, as a door sees it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Bodies up to this long share a segment with others.
const SMALL_BYTES_MAX: usize = 256 * 1024;
/// What is sealed in one go: four frames.
const BATCH_BYTES: usize = 4 * FRAME_BYTES;
/// Why a body was given up that others had to wait for.
const TOO_SLOW: &str = "it came too slowly while others waited for its memory; send it again";

/// One part of a begun content, durable but not yet committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenPart {
    /// Where it is.
    pub place: Place,
    /// Its segment.
    pub segment: WrittenSegment,
    /// Plaintext length in bytes.
    pub size: u64,
    /// SHA-1 of its plaintext.
    pub sha1: Sha1,
}

impl Vault {
    /// Writes a whole content and answers when it is durable; committing it is the caller's.
    ///
    /// At most `size_max` bytes (`TooLong` beyond). `Body` when the body fails. `Cloud` when a backend does: `Full` is
    /// not worth a retry. `Unmet` when the policy cannot be met. A backend that fails, or takes too long, is replaced by the
    /// next one that the policy means. Memory: some batches of 256 KiB to disks, whatever the body's length, and a slow body
    /// holds no budget; where the bytes are kept (see `Limits::kept_bytes`), some chunks.
    pub async fn write<S>(&self, scope: Scope, size_max: u64, body: S) -> Result<Written, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        self.write_with_key(scope, None, size_max, body).await
    }

    /// The same with a customer's key, if there is one: then it is needed for reading, and the digest of the content is not
    /// told, because it would say what cannot be read.
    pub async fn write_with_key<S>(
        &self,
        scope: Scope,
        customer: Option<&CustomerKey>,
        size_max: u64,
        body: S,
    ) -> Result<Written, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let (data_key, key) = self.inner.keys.fresh(scope).await?;
        let (data_key, check) = match customer {
            None => (data_key, None),
            Some(customer) => {
                let sealing_key = customer.sealing_key(&data_key);
                let check = check_of(&sealing_key);
                (sealing_key, Some(check))
            }
        };
        let content = ContentId::new(self.inner.world.next_id());
        let begun = Begun { content, scope, key };
        let mut body = pin!(body);
        let mut incoming = Incoming::new(body.as_mut(), size_max);
        let binding = |chunk| Binding { enterprise: scope.enterprise, content, chunk };
        let manifest = |size, sha1, places| Manifest {
            content,
            enterprise: scope.enterprise,
            zone: scope.zone,
            policy: scope.policy,
            key: begun.key.clone(),
            customer: check,
            size,
            sha1: Some(sha1).filter(|_| check.is_none()),
            places,
        };

        let (start, ended) = incoming.up_to(SMALL_BYTES_MAX).await?;
        let start_length: usize = start.iter().map(Bytes::len).sum();
        if ended && start_length == 0 {
            let empty = Sha1::from_slice(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, b"").as_ref());
            let sha1 = empty.ok_or(Error::Internal("SHA-1 is twenty bytes"))?;
            return Ok(Written { manifest: manifest(0, sha1, Vec::new()), segments: Vec::new() });
        }
        if ended {
            let (place, segment, sha1) = self.write_small(scope, &data_key, binding(0), start).await?;
            let manifest = manifest(start_length as u64, sha1, vec![place]);
            return Ok(Written { manifest, segments: vec![segment] });
        }

        let mut hash = Hash::default();
        let mut pending = VecDeque::new();
        let (mut places, mut segments) = (Vec::new(), Vec::new());
        let mut carry = Carry { pieces: start, ended };
        for chunk in 0_u32.. {
            if carry.ended && carry.pieces.is_empty() {
                break;
            }
            let sealer = self.sealer(&data_key, binding(chunk))?;
            let copies = self.begin_chunk(scope, CHUNK_SIZE_BYTES).await?;
            let mut stretch = Stretch::new(sealer, copies, hash);
            self.fill_chunk(&begun, &mut incoming, &mut carry, &mut stretch).await?;
            places.push(stretch.place(chunk));
            hash = stretch.hash;
            pending.push_back(self.commit_aside(stretch.copies));
            if pending.len() >= self.inner.limits.commits_per_write_max {
                segments.extend(joined(pending.pop_front()).await?);
            }
        }
        while !pending.is_empty() {
            segments.extend(joined(pending.pop_front()).await?);
        }
        Ok(Written { manifest: manifest(incoming.taken, hash.finish()?, places), segments })
    }

    /// Seals one part as chunk `chunk` of a begun content, and answers when it is durable.
    ///
    /// The body has at most `size_max` bytes, which is at most a chunk's; an empty one is `Body`. The caller knows how
    /// long the part must be. Sending the same part again is harmless: it gets a place and a salt of its own.
    pub async fn write_part<S>(&self, begun: &Begun, chunk: u32, size_max: u64, body: S) -> Result<WrittenPart, Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let data_key = self.inner.keys.begun_key(begun).await?;
        let binding = Binding { enterprise: begun.scope.enterprise, content: begun.content, chunk };
        let scope = begun.scope;
        let mut body = pin!(body);
        let mut incoming = Incoming::new(body.as_mut(), size_max.min(CHUNK_SIZE_BYTES));
        let (start, ended) = incoming.up_to(SMALL_BYTES_MAX).await?;
        let start_length: usize = start.iter().map(Bytes::len).sum();
        if start_length == 0 {
            return Err(Error::Body("the part is empty".into()));
        }
        if ended {
            let (place, segment, sha1) = self.write_small(scope, &data_key, binding, start).await?;
            return Ok(WrittenPart { place, segment, size: start_length as u64, sha1 });
        }
        let copies = self.begin_chunk(scope, size_max.min(CHUNK_SIZE_BYTES)).await?;
        let sealer = self.sealer(&data_key, binding)?;
        let mut stretch = Stretch::new(sealer, copies, Hash::default());
        let mut carry = Carry { pieces: start, ended };
        self.fill_chunk(begun, &mut incoming, &mut carry, &mut stretch).await?;
        let place = stretch.place(chunk);
        let segment = stretch.copies.commit().await?;
        Ok(WrittenPart { place, segment, size: incoming.taken, sha1: stretch.hash.finish()? })
    }

    async fn write_small(
        &self,
        scope: Scope,
        data_key: &SecretKey,
        binding: Binding,
        plain: Vec<Bytes>,
    ) -> Result<(Place, WrittenSegment, Sha1), Error> {
        let mut sealer = self.sealer(data_key, binding)?;
        let length: usize = plain.iter().map(Bytes::len).sum();
        let budget = self.budget(length).await?;
        let mut seal = move || {
            let mut hash = Hash::default();
            hash.update(&plain);
            let sealed = sealer.seal(&plain, true).map_err(|_| Error::Internal("a chunk could not be sealed"))?;
            Ok::<_, Error>((hash.finish()?, seal::checksum(&sealed), sealed))
        };
        // Up to a frame it takes less time than a change of threads would.
        let (sha1, checksum, sealed) =
            if length <= FRAME_BYTES { seal()? } else { self.inner.world.blocking(seal).await?? };
        let sealed_length = sealed.len() as u64;
        let packed = self.inner.packers.write(scope, sealed, budget).await?;
        let place = Place {
            chunk: binding.chunk,
            segment: packed.segment.segment,
            offset: packed.offset,
            length: sealed_length,
            checksum,
        };
        Ok((place, packed.segment, sha1))
    }

    /// Seals what is carried and what comes into one chunk's segment, until the chunk is full or the body ends.
    async fn fill_chunk<S>(
        &self,
        begun: &Begun,
        incoming: &mut Incoming<'_, S>,
        carry: &mut Carry,
        stretch: &mut Stretch,
    ) -> Result<(), Error>
    where
        S: Stream<Item = Result<Bytes, BoxError>> + Send,
    {
        let mut left = usize::try_from(CHUNK_SIZE_BYTES).map_err(|_| Error::Internal("a chunk fits in memory"))?;
        while left > 0 && !(carry.pieces.is_empty() && carry.ended) {
            let batch = std::mem::take(&mut carry.pieces);
            let length: usize = batch.iter().map(Bytes::len).sum();
            left = left.checked_sub(length).ok_or(Error::Internal("batches fill a chunk exactly"))?;
            // What follows decides whether this batch is the chunk's last, so it is awaited first.
            if !carry.ended {
                (carry.pieces, carry.ended) = tokio::select! {
                    biased;
                    more = incoming.up_to(BATCH_BYTES) => more?,
                    () = stretch.copies.overstayed() => return Err(Error::Body(TOO_SLOW.into())),
                };
            }
            let last = left == 0 || carry.pieces.is_empty();
            // A slow body must not keep a withdrawn key in use.
            self.inner.keys.still(begun.key.epoch, begun.scope.zone).await?;
            let _budget = self.budget(length).await?;
            let sealer = stretch.sealer.take().ok_or(Error::Internal("a chunk is sealed by one batch at a time"))?;
            let hash = std::mem::take(&mut stretch.hash);
            let checksum = std::mem::take(&mut stretch.checksum);
            let seal = move || seal_batch(sealer, hash, checksum, &batch, last);
            let (sealer, hash, checksum, sealed) = self.inner.world.blocking(seal).await??;
            (stretch.sealer, stretch.hash, stretch.checksum) = (Some(sealer), hash, checksum);
            stretch.sealed += sealed.len() as u64;
            stretch.copies.write(sealed).await?;
        }
        stretch.copies.is_complete();
        Ok(())
    }

    async fn begin_chunk(&self, scope: Scope, plain_max: u64) -> Result<Copies, Error> {
        Copies::begin_chunk(&self.inner.core, scope.zone, scope.policy, plain_max).await
    }

    fn sealer(&self, data_key: &SecretKey, binding: Binding) -> Result<Sealer, Error> {
        let salt = self.inner.world.random().bytes();
        Sealer::new(data_key, salt, binding).map_err(|_| Error::Internal("the cipher could not be set up"))
    }

    /// Waits for room among the bytes that are under way.
    async fn budget(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.inner.limits.budget_bytes);
        Arc::clone(&self.inner.budget).acquire_many_owned(bytes).await.map_err(|_| entente_world::Interrupted.into())
    }

    fn commit_aside(&self, copies: Copies) -> JoinHandle<Result<WrittenSegment, Error>> {
        self.inner.world.spawn(copies.commit())
    }
}

/// A chunk that is being written.
struct Stretch {
    /// `None` only while a batch is being sealed.
    sealer: Option<Sealer>,
    copies: Copies,
    hash: Hash,
    checksum: blake3::Hasher,
    sealed: u64,
}

impl Stretch {
    fn new(sealer: Sealer, copies: Copies, hash: Hash) -> Self {
        Self { sealer: Some(sealer), copies, hash, checksum: blake3::Hasher::new(), sealed: 0 }
    }

    /// Where its chunk is, once it is full: alone in its segment.
    fn place(&self, chunk: u32) -> Place {
        let (segment, checksum): (SegmentId, _) = (self.copies.segment(), seal::shortened(self.checksum.finalize()));
        Place { chunk, segment, offset: 0, length: self.sealed, checksum }
    }
}

/// What has been taken of the body and not yet been sealed: whole batches, except at the body's end.
struct Carry {
    pieces: Vec<Bytes>,
    ended: bool,
}

/// SHA-1 as it goes.
struct Hash(digest::Context);

impl Default for Hash {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY))
    }
}

impl Hash {
    fn update(&mut self, pieces: &[Bytes]) {
        for piece in pieces {
            self.0.update(piece);
        }
    }

    fn finish(self) -> Result<Sha1, Error> {
        Sha1::from_slice(self.0.finish().as_ref()).ok_or(Error::Internal("SHA-1 is twenty bytes"))
    }
}

fn seal_batch(
    mut sealer: Sealer,
    mut hash: Hash,
    mut checksum: blake3::Hasher,
    batch: &[Bytes],
    last: bool,
) -> Result<(Sealer, Hash, blake3::Hasher, Bytes), Error> {
    hash.update(batch);
    let sealed = sealer.seal(batch, last).map_err(|_| Error::Internal("a batch could not be sealed"))?;
    checksum.update(&sealed);
    Ok((sealer, hash, checksum, sealed))
}

async fn joined(pending: Option<JoinHandle<Result<WrittenSegment, Error>>>) -> Result<Option<WrittenSegment>, Error> {
    let Some(task) = pending else { return Ok(None) };
    Ok(Some(task.await.map_err(|_| entente_world::Interrupted)??))
}
