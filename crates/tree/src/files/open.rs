use crate::grant::Download;
use crate::view::row;
use crate::{BoxError, Caller, Error, Item, Kind, Located, Tree, Version, allow};
use bytes::Bytes;
use entente_database::{contents, versions};
use entente_model::{ContentId, ItemId, ItemName, Manifest, Sha1, VersionId};
use futures_util::Stream;
use std::ops::Range;

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
    /// Of its bytes.
    pub sha1: Sha1,
    /// What the file is called now.
    pub name: ItemName,
}

impl Tree {
    /// Decides whether the caller may read a version of a file (the current one, if none is named).
    ///
    /// `NotFound` also when the file has no such version, or the version was removed.
    pub async fn open(&self, caller: &Caller, file: ItemId, version: Option<VersionId>) -> Result<Opened, Error> {
        self.database.read(|tx| {
            let grant = allow::<Download>(tx, caller, file)?.of(Kind::File)?;
            let item = row(tx, &grant)?;
            let version = version.or(item.version).ok_or(Error::internal("a file has no current version"))?;
            let version = versions::by_id(tx, version)?;
            let version = version.filter(|version| version.item == file && version.trashed_at.is_none());
            let version = version.ok_or(Error::NotFound)?;
            let Version { content, size, sha1, .. } = version;
            Ok(Opened { name: item.name.clone(), item, version, content, size, sha1 })
        })
    }

    /// What is needed to read a content, whoever asks: access was decided by [`Tree::open`], and a signed URL says so.
    /// `NotFound` when it was purged since. A few lookups, inline.
    pub fn open_content(&self, content: ContentId) -> Result<(Manifest, Vec<Located>), Error> {
        self.database.read(|tx| {
            let manifest = contents::by_id(tx, content)?.ok_or(Error::NotFound)?;
            let located = contents::places(tx, content, 0, contents::PLACES_WINDOW)?;
            Ok((manifest, located))
        })
    }

    /// Reads a range of a content, clipped to its size, as [`Tree::open_content`] found it. Never yields wrong bytes:
    /// the stream ends with an error instead (`Damaged`, `Unavailable`).
    pub fn read(
        &self,
        manifest: Manifest,
        located: Vec<Located>,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static {
        use futures_util::TryStreamExt;
        self.vault.read(manifest, located, range).into_stream().map_err(|error| Error::from(error).into())
    }
}
