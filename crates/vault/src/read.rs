//! The driver of reading: ranged reads of only the frames that a range needs, opened and streamed.
//!
//! Each window of frames is read from the best replica; `fetch` goes on to others when that fails or takes long.

mod fetch;

use crate::chunk::{self, Piece};
use crate::seal::{ChunkKey, FRAME_BYTES, TAG_BYTES};
use crate::{CustomerKey, Error, Located, Vault};
use bytes::{Bytes, BytesMut};
use entente_custodians::SecretKey;
use entente_model::{CHUNK_SIZE_BYTES, Manifest};
use futures_util::{Stream, stream};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// Frames that are fetched, opened and held at a time: what a slow client costs.
const WINDOW_FRAMES: u64 = 4;
/// The most of them when a content is read on from a cloud, where each window is a request: a whole chunk. Services
/// keep objects in pieces of some MiB, and some fetch a whole piece for each part of it that is asked for.
const WINDOW_FRAMES_MAX: u64 = CHUNK_SIZE_BYTES / FRAME;
/// How many times as many each window has as the one before.
const WINDOW_GROWTH: u64 = 4;
/// Places asked of the ledger at a time (1 GiB of plaintext).
const PLACES_WINDOW: u32 = 128;
/// How often a chunk is looked for where the ledger says that it is, before it is called damaged.
const LOOKS_MAX: u32 = 3;

const FRAME: u64 = FRAME_BYTES as u64;
const SEALED_FRAME: u64 = (FRAME_BYTES + TAG_BYTES) as u64;

/// A range of a content, on its way out.
pub struct Reading {
    vault: Vault,
    manifest: Manifest,
    located: VecDeque<Located>,
    rest: Range<u64>,
    /// For what is sealed with a customer's key.
    customer: Option<Arc<CustomerKey>>,
    /// What seals the chunks, once it is known.
    data_key: Option<SecretKey>,
    current: Option<Current>,
    ready: VecDeque<Bytes>,
    /// Frames of the next window, if there is memory for them.
    wanted_frames: u64,
    /// Of the memory for what is ready, beyond a first window's.
    ahead: Option<OwnedSemaphorePermit>,
}

struct Current {
    chunk: u32,
    located: Located,
    key: Arc<ChunkKey>,
}

impl Vault {
    /// Begins to read a range of a content, clipped to its size. `located` may hold its first places, in order of
    /// chunks, if they are known already; the others are asked of the ledger as they are needed.
    #[must_use]
    pub fn read(&self, manifest: Manifest, located: Vec<Located>, range: Range<u64>) -> Reading {
        let rest = range.start..range.end.min(manifest.size);
        let vault = self.clone();
        Reading {
            vault,
            manifest,
            located: located.into(),
            rest,
            customer: None,
            data_key: None,
            current: None,
            ready: VecDeque::new(),
            wanted_frames: WINDOW_FRAMES,
            ahead: None,
        }
    }
}

impl Reading {
    /// Reads with a customer's key, where that is needed.
    #[must_use]
    pub fn with_key(mut self, key: Option<Arc<CustomerKey>>) -> Self {
        self.customer = key;
        self
    }

    /// The next bytes (at most 64 KiB), or `None` at the end of the range.
    ///
    /// `Damaged` when a chunk is missing from every replica, or opens from none: never wrong bytes. `Cloud` when a replica
    /// that might have it could not be asked. `KeyNeeded` and `WrongKey` before anything is read, where a customer's key is
    /// needed. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(bytes) = self.ready.pop_front() {
            return Ok(Some(bytes));
        }
        let Some(piece) = chunk::first_piece(self.manifest.size, &self.rest) else { return Ok(None) };
        let frames = self.window(&piece);
        let mut looks = 1;
        let opened = loop {
            let error = match self.fetch(&piece, &frames).await {
                Err(error @ (Error::Damaged { .. } | Error::Cloud(_))) if looks < LOOKS_MAX => error,
                outcome => break outcome?,
            };
            // The chunk may have been moved since its place was asked: look once more.
            looks += 1;
            let before = self.located.pop_front();
            self.located.clear();
            self.current = None;
            let now = self.locate(piece.chunk).await?;
            // Whoever cannot be asked now will hardly be there in a moment.
            if matches!(error, Error::Cloud(_)) && before == Some(now) {
                return Err(error);
            }
        };
        let (mut at, mut taken) = (frames.start * FRAME, 0);
        for mut bytes in opened {
            let end = at + bytes.len() as u64;
            let from = piece.within.start.clamp(at, end) - at;
            let to = piece.within.end.clamp(at, end) - at;
            at = end;
            taken += to - from;
            bytes.truncate(usize::try_from(to).unwrap_or(usize::MAX));
            self.ready.push_back(bytes.split_off(usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len())));
        }
        self.rest.start += taken;
        if taken == 0 {
            return Err(Error::Internal("a window of frames was empty"));
        }
        Ok(self.ready.pop_front())
    }

    /// Goes on with a range of another content, as [`Vault::read`] begins one: at the pace that it has come to, and with the same
    /// customer's key.
    #[must_use]
    pub fn then(self, manifest: Manifest, located: Vec<Located>, range: Range<u64>) -> Self {
        let next = self.vault.clone().read(manifest, located, range).with_key(self.customer);
        Self { wanted_frames: self.wanted_frames, ..next }
    }

    /// The rest of the range as a stream. After an error it ends.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold(self, |mut reading| async move { Ok(reading.next().await?.map(|bytes| (bytes, reading))) })
    }

    /// The frames to fetch next for a piece: those it begins with, within one window. All that was ready has been taken.
    fn window(&mut self, piece: &Piece) -> Range<u64> {
        self.ahead = None;
        let first = piece.within.start / FRAME;
        let end = piece.within.end.div_ceil(FRAME);
        let more = self.wanted_frames.min(end - first).saturating_sub(WINDOW_FRAMES);
        if let Ok(more_bytes @ 1..) = u32::try_from(more * FRAME) {
            self.ahead = Arc::clone(&self.vault.inner.core.ahead).try_acquire_many_owned(more_bytes).ok();
        }
        let frames = if self.ahead.is_some() { WINDOW_FRAMES + more } else { WINDOW_FRAMES };
        first..end.min(first + frames)
    }

    async fn locate(&mut self, chunk: u32) -> Result<Located, Error> {
        while self.located.front().is_some_and(|located| located.place.chunk < chunk) {
            self.located.pop_front();
        }
        if self.located.front().is_none_or(|located| located.place.chunk != chunk) {
            let content = self.manifest.content;
            self.located = self.vault.inner.ledger.places(content, chunk, PLACES_WINDOW).await?.into();
        }
        let located = self.located.front().cloned();
        let located = located.filter(|located| located.place.chunk == chunk);
        located.ok_or(Error::Internal("a content lacks a chunk in the ledger, or was purged while it was read"))
    }

    fn damaged(&self, located: &Located, source: Option<entente_clouds::Error>) -> Error {
        let Located { place, .. } = located;
        Error::Damaged { segment: place.segment, content: self.manifest.content, chunk: place.chunk, source }
    }
}

/// Opens `count` frames from number `first` on, of a chunk that has `of` frames. `None` when any does not open.
pub(crate) fn open_frames(key: &ChunkKey, mut sealed: BytesMut, first: u64, count: u64, of: u64) -> Option<Vec<Bytes>> {
    let mut opened = Vec::with_capacity(usize::try_from(count).ok()?);
    for frame in first..first + count {
        let length = sealed.len().min(FRAME_BYTES + TAG_BYTES);
        let bytes = sealed.split_to(length);
        opened.push(key.open(u32::try_from(frame).ok()?, frame + 1 == of, bytes).ok()?);
    }
    sealed.is_empty().then_some(opened)
}

const _: () = assert!(CHUNK_SIZE_BYTES.is_multiple_of(FRAME), "a full chunk is whole frames");
