use crate::grant::Download;
use crate::guards::check_unlocked_to_read;
use crate::view::row;
use crate::{BoxError, Caller, Error, Item, Kind, Located, Tree, Version, allow};
use bytes::Bytes;
use entente_database::{Tx, contents, pieces, versions};
use entente_model::{ContentId, ItemId, ItemName, Manifest, Sha1, VersionId};
use entente_vault::{CustomerKey, Piece, Reading};
use futures_util::future::Either;
use futures_util::{Stream, TryStreamExt, stream};
use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Pieces of a content that are asked of the database at a time.
const PIECES_WINDOW: u32 = 64;

/// What a caller may download.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The file.
    pub item: Item,
    /// The version.
    pub version: Version,
    /// Its content, for [`Tree::open_content`].
    pub content: ContentId,
    /// Length in bytes.
    pub size: u64,
    /// Of its bytes, if it is known yet.
    pub sha1: Option<Sha1>,
    /// What the file is called now.
    pub name: ItemName,
}

/// A content, and what is needed to begin to read it: for [`Tree::read_content`].
#[derive(Clone)]
pub struct Content {
    pub(super) manifest: Manifest,
    /// The first places of one that has chunks.
    located: Vec<Located>,
    /// Its customer's, once it was given ([`Tree::with_key`]).
    pub(super) key: Option<Arc<CustomerKey>>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("manifest", &self.manifest).finish_non_exhaustive()
    }
}

impl Content {
    /// `None` when it is not there (any more). Two lookups.
    pub(crate) fn find(tx: &mut Tx<'_>, content: ContentId) -> Result<Option<Self>, Error> {
        let Some(manifest) = contents::by_id(tx, content)? else { return Ok(None) };
        Self::of(tx, manifest).map(Some)
    }

    /// Of a manifest that has been read already.
    pub(crate) fn of(tx: &mut Tx<'_>, manifest: Manifest) -> Result<Self, Error> {
        // Which pieces are needed depends on the range.
        let located = if manifest.is_of_pieces() {
            Vec::new()
        } else {
            contents::places(tx, manifest.content, 0, contents::PLACES_WINDOW)?
        };
        Ok(Self { manifest, located, key: None })
    }

    /// Which.
    #[must_use]
    pub fn id(&self) -> ContentId {
        self.manifest.content
    }

    /// Whether it is made of pieces of others.
    pub(crate) fn is_of_pieces(&self) -> bool {
        self.manifest.is_of_pieces()
    }

    /// Of its bytes, if it is known yet.
    pub(crate) fn sha1(&self) -> Option<Sha1> {
        self.manifest.sha1
    }

    /// Its length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.manifest.size
    }
}

impl Tree {
    /// Decides whether the caller may read a version of a file (the current one, if none is named).
    ///
    /// `NotFound` also when the file has no such version, or the version was removed.
    pub async fn open(&self, caller: &Caller, file: ItemId, version: Option<VersionId>) -> Result<Opened, Error> {
        self.database.read(|tx| {
            let grant = allow::<Download>(tx, caller, file)?.of(Kind::File)?;
            let item = row(tx, &grant)?;
            check_unlocked_to_read(tx, caller, &item)?;
            opened(tx, item, version)
        })
    }

    /// What is needed to read a content, whoever asks: access was decided by [`Tree::open`], and a signed URL says so.
    /// `NotFound` when it was purged since. A few lookups, inline.
    pub fn open_content(&self, content: ContentId) -> Result<Content, Error> {
        self.database.read(|tx| Content::find(tx, content))?.ok_or(Error::NotFound)
    }

    /// Reads a range of a content, clipped to its size. Never yields wrong bytes: the stream ends with an error instead
    /// (`Damaged`, `Unavailable`; `KeyNeeded` unless it was given one; `NotFound` when the content was purged meanwhile).
    pub fn read_content(
        &self,
        content: Content,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
        let Content { manifest, located, key } = content;
        if !manifest.is_of_pieces() {
            let bytes = self.vault.read(manifest, located, range).with_key(key).into_stream();
            return Either::Left(bytes.map_err(|error| Error::from(error).into()));
        }
        let reading = ReadingPieces {
            tree: self.clone(),
            content: manifest.content,
            rest: range.start..range.end.min(manifest.size),
            key,
            pieces: VecDeque::new(),
            reading: None,
        };
        let next = |mut reading: ReadingPieces| async move { Ok(reading.next().await?.map(|bytes| (bytes, reading))) };
        Either::Right(stream::try_unfold(reading, next).map_err(|error: Error| error.into()))
    }
}

/// A version of a file (the current one, if none is named) that somebody may read.
pub(crate) fn opened(tx: &mut Tx<'_>, item: Item, version: Option<VersionId>) -> Result<Opened, Error> {
    let version = version.or(item.version).ok_or(Error::internal("a file has no current version"))?;
    let version = versions::by_id(tx, version)?;
    let version = version.filter(|version| version.item == item.id && version.trashed_at.is_none());
    let version = version.ok_or(Error::NotFound)?;
    let Version { content, size, sha1, .. } = version;
    Ok(Opened { name: item.name.clone(), item, version, content, size, sha1 })
}

/// A range of a content of pieces, on its way out.
struct ReadingPieces {
    tree: Tree,
    content: ContentId,
    /// What no reading has been begun for.
    rest: Range<u64>,
    /// Its customer's.
    key: Option<Arc<CustomerKey>>,
    /// The next pieces, from the one on that has the first byte of `rest`.
    pieces: VecDeque<Piece>,
    /// One piece's; it stays when it has ended, since the next one goes on at its pace.
    reading: Option<Reading>,
}

impl ReadingPieces {
    /// The next bytes (at most 64 KiB), or `None` at the end of the range.
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            if let Some(reading) = &mut self.reading
                && let Some(bytes) = reading.next().await?
            {
                return Ok(Some(bytes));
            }
            if self.rest.start >= self.rest.end {
                return Ok(None);
            }
            self.begin_piece()?;
        }
    }

    /// Begins to read the piece that has the first byte of the rest.
    fn begin_piece(&mut self) -> Result<(), Error> {
        let (content, at, known) = (self.content, self.rest.start, self.pieces.pop_front());
        let (mut found, source) = self.tree.database.read(|tx| {
            let mut found = VecDeque::new();
            let piece = match known {
                Some(piece) => Some(piece),
                None => {
                    found = pieces::of(tx, content, at, PIECES_WINDOW)?.into();
                    found.pop_front()
                }
            };
            // It was purged, and is being taken apart, or was.
            let piece = piece.filter(|piece| piece.start <= at).ok_or(Error::NotFound)?;
            let source = Content::find(tx, piece.source)?.ok_or(Error::NotFound)?;
            Ok::<_, Error>((found, (piece, source)))
        })?;
        self.pieces.append(&mut found);
        let (piece, Content { manifest, located, .. }) = source;
        let within = at.saturating_sub(piece.start);
        let length = piece.length.saturating_sub(within).min(self.rest.end.saturating_sub(at));
        if length == 0 || manifest.is_of_pieces() {
            return Err(Error::internal("the pieces of a content do not make it up"));
        }
        let from = piece.source_start.saturating_add(within);
        let range = from..from.saturating_add(length);
        self.rest.start = at.saturating_add(length);
        self.reading = Some(match self.reading.take() {
            Some(before) => before.then(manifest, located, range),
            None => self.tree.vault.read(manifest, located, range).with_key(self.key.clone()),
        });
        Ok(())
    }
}
