//! The driver of reading: ranged reads of only the frames that a range needs, opened and streamed.

use crate::chunk::{self, Piece};
use crate::seal::{Binding, ChunkKey, FRAME_BYTES, HEADER_BYTES, TAG_BYTES};
use crate::{Error, Located, Vault};
use bytes::{Bytes, BytesMut};
use entente_clouds::ErrorKind;
use entente_custodians::SecretKey;
use entente_model::{CHUNK_SIZE_BYTES, Manifest};
use futures_util::future::try_join;
use futures_util::{Stream, stream};
use std::collections::VecDeque;
use std::ops::Range;

/// Frames that are fetched, opened and held at a time: what a slow client costs.
const WINDOW_FRAMES: u64 = 4;
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
    data_key: Option<SecretKey>,
    current: Option<Current>,
    ready: VecDeque<Bytes>,
}

struct Current {
    chunk: u32,
    located: Located,
    key: ChunkKey,
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
            data_key: None,
            current: None,
            ready: VecDeque::new(),
        }
    }
}

impl Reading {
    /// The next bytes (at most 64 KiB), or `None` at the end of the range.
    ///
    /// `Damaged` when a chunk is missing or does not open: never wrong bytes. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Some(bytes) = self.ready.pop_front() {
            return Ok(Some(bytes));
        }
        let Some(piece) = chunk::first_piece(self.manifest.size, &self.rest) else { return Ok(None) };
        let frames = window(&piece);
        let mut looks = 1;
        let opened = loop {
            match self.fetch(&piece, &frames).await {
                Err(Error::Damaged { .. }) if looks < LOOKS_MAX => {
                    // The chunk may have been moved since its place was asked: look once more.
                    looks += 1;
                    self.located.clear();
                    self.current = None;
                }
                outcome => break outcome?,
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

    /// The rest of the range as a stream. After an error it ends.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold(self, |mut reading| async move { Ok(reading.next().await?.map(|bytes| (bytes, reading))) })
    }

    /// Fetches and opens frames. The first ones that are not at a chunk's beginning cost two reads, since the chunk's key
    /// follows from its header; they are on their way at the same time.
    async fn fetch(&mut self, piece: &Piece, frames: &Range<u64>) -> Result<Vec<Bytes>, Error> {
        // A slow client must not keep a withdrawn key in use.
        self.vault.inner.keys.still(self.manifest.key.epoch, self.manifest.zone).await?;
        let located = self.locate(piece.chunk).await?;
        let sealed_from = HEADER_BYTES as u64 + frames.start * SEALED_FRAME;
        let plain = (frames.end * FRAME).min(piece.length) - frames.start * FRAME;
        let sealed_to = sealed_from + plain + (frames.end - frames.start) * TAG_BYTES as u64;
        let chunk_frames = piece.length.div_ceil(FRAME);
        if located.place.length != HEADER_BYTES as u64 + piece.length + chunk_frames * TAG_BYTES as u64 {
            return Err(self.damaged(&located, None));
        }
        let known = self.current.take().filter(|current| current.chunk == piece.chunk && current.located == located);
        let (key, sealed) = match known {
            Some(current) => (current.key, self.raw(&located, sealed_from..sealed_to).await?),
            None if frames.start == 0 => {
                let mut sealed = self.raw(&located, 0..sealed_to).await?;
                let header = sealed.split_to(HEADER_BYTES.min(sealed.len()));
                (self.chunk_key(&located, &header).await?, sealed)
            }
            None => {
                let header = self.raw(&located, 0..HEADER_BYTES as u64);
                let (header, sealed) = try_join(header, self.raw(&located, sealed_from..sealed_to)).await?;
                (self.chunk_key(&located, &header).await?, sealed)
            }
        };
        let (first, count) = (frames.start, frames.end - frames.start);
        let open = move || (open_frames(&key, sealed, first, count, chunk_frames), key);
        // Up to two frames it takes less time than a change of threads would.
        let (opened, key) = if plain <= 2 * FRAME { open() } else { self.vault.inner.world.blocking(open).await? };
        let opened = opened.ok_or_else(|| self.damaged(&located, None))?;
        self.current = Some(Current { chunk: piece.chunk, located, key });
        Ok(opened)
    }

    async fn locate(&mut self, chunk: u32) -> Result<Located, Error> {
        while self.located.front().is_some_and(|located| located.place.chunk < chunk) {
            self.located.pop_front();
        }
        if self.located.front().is_none_or(|located| located.place.chunk != chunk) {
            let content = self.manifest.content;
            self.located = self.vault.inner.ledger.places(content, chunk, PLACES_WINDOW).await?.into();
        }
        let located = self.located.front().copied();
        let located = located.filter(|located| located.place.chunk == chunk);
        located.ok_or(Error::Internal("a content lacks a chunk in the ledger, or was purged while it was read"))
    }

    async fn chunk_key(&mut self, located: &Located, header: &[u8]) -> Result<ChunkKey, Error> {
        let data_key = match self.data_key.take() {
            Some(data_key) => data_key,
            None => self.vault.inner.keys.data_key(&self.manifest).await?,
        };
        let Manifest { enterprise, content, .. } = self.manifest;
        let key = ChunkKey::from_header(&data_key, header, Binding { enterprise, content, chunk: located.place.chunk });
        self.data_key = Some(data_key);
        key.map_err(|_| self.damaged(located, None))
    }

    /// Reads sealed bytes, counted from the chunk's start.
    async fn raw(&self, located: &Located, range: Range<u64>) -> Result<BytesMut, Error> {
        let range = located.place.offset + range.start..located.place.offset + range.end;
        let read = self.vault.backend(located.backend)?.read(located.name, range).await;
        read.map_err(|error| match error.kind {
            ErrorKind::NotFound | ErrorKind::OutOfRange => self.damaged(located, Some(error)),
            _ => Error::Cloud(error),
        })
    }

    fn damaged(&self, located: &Located, source: Option<entente_clouds::Error>) -> Error {
        let Located { place, .. } = located;
        Error::Damaged { segment: place.segment, content: self.manifest.content, chunk: place.chunk, source }
    }
}

/// The frames to fetch next for a piece: those it begins with, within one window.
fn window(piece: &Piece) -> Range<u64> {
    let first = piece.within.start / FRAME;
    first..piece.within.end.div_ceil(FRAME).min(first + WINDOW_FRAMES)
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
