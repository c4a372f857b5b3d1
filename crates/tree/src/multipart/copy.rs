use super::parts::{Room, Told};
use super::{MultipartPart, check_number, find_open};
use crate::files::check_mark;
use crate::limits::{MULTIPART_PART_BYTES_MAX, PART_PIECES_MAX, PIECES_MAX};
use crate::{Caller, Content, Error, Object, Path, Tree, WantedVersion};
use aws_lc_rs::digest;
use entente_database::facts::Facts;
use entente_database::{Tx, contents, multipart, pieces};
use entente_model::{ContentId, EnterpriseId, Md5, MultipartId, Sha1};
use entente_vault::{CustomerKey, Piece};
use std::ops::Range;
use std::sync::Arc;

/// A range of a content that is to be a part.
#[derive(Clone)]
struct Source {
    content: ContentId,
    /// Of the whole content.
    size: u64,
    range: Range<u64>,
    /// A content of pieces lends those of others.
    of_pieces: bool,
    sha1: Option<Sha1>,
    md5: Option<Md5>,
}

impl Tree {
    /// Makes a part of an object, or of a range of it: by reference, so that nothing is read or copied, unless the object is
    /// another owner's or in very many pieces. Answers the object with the part.
    ///
    /// The errors of [`Tree::open_at`] for the object, and those of [`Tree::put_multipart_part`]; `Invalid` for a range that
    /// is empty (while the object is not) or goes beyond the object's end.
    pub async fn copy_multipart_part(
        &self,
        caller: &Caller,
        upload: MultipartId,
        number: u32,
        from: Path<'_>,
        version: Option<WantedVersion>,
        range: Option<Range<u64>>,
    ) -> Result<(Object, MultipartPart), Error> {
        let (object, content) = self.open_at(caller, from, version).await?;
        let part = self.copy_part(caller, (upload, number), (&object, content), range).await?;
        Ok((object, part))
    }

    /// The same of an object that was opened already: access to it was decided then.
    pub async fn copy_part(
        &self,
        caller: &Caller,
        (upload, number): (MultipartId, u32),
        (object, content): (&Object, Content),
        range: Option<Range<u64>>,
    ) -> Result<MultipartPart, Error> {
        self.copy_part_with_key(caller, (upload, number), (object, content), range, None).await
    }

    /// The same into an upload that was begun with a customer's key, or not. What another key has sealed, or none, is read and
    /// written anew: `KeyNeeded`, `WrongKey` and `KeyUnused` speak of the upload; the object has been given its key.
    pub async fn copy_part_with_key(
        &self,
        caller: &Caller,
        (upload, number): (MultipartId, u32),
        (object, content): (&Object, Content),
        range: Option<Range<u64>>,
        customer: Option<Arc<CustomerKey>>,
    ) -> Result<MultipartPart, Error> {
        check_number(number)?;
        let range = range.unwrap_or(0..content.size());
        let is_within = range.start <= range.end && range.end <= content.size();
        if !is_within || (range.is_empty() && content.size() > 0) {
            return Err(Error::Invalid("the range to be copied is not within the object"));
        }
        let length = range.end - range.start;
        if length > MULTIPART_PART_BYTES_MAX {
            return Err(Error::TooLarge { limit: MULTIPART_PART_BYTES_MAX });
        }
        let source = Source {
            content: content.id(),
            size: content.size(),
            range,
            of_pieces: content.is_of_pieces(),
            sha1: content.sha1(),
            md5: object.md5,
        };
        let is_same_key = content.is_sealed_with(customer.as_deref());
        let now = self.world.now();
        let from = object.view.owner.id;
        let (room, by_reference) = self.database.read(|tx| {
            let room = Room::find(tx, caller, (upload, number), now)?;
            check_mark(room.mark.as_ref(), customer.as_deref())?;
            let by_reference = is_same_key && from == room.owner && source.is_lendable(tx, (upload, number))?;
            Ok::<_, Error>((room, by_reference))
        })?;
        if room.left.is_some_and(|left| left < length) {
            return Err(Error::QuotaExceeded);
        }
        if by_reference {
            return self.refer(caller, (upload, number), source, room).await;
        }
        let told = Told { md5: source.whole_md5(), tag: Some(source.tag()), facts: Facts::default() };
        let told = if customer.is_some() { told.concealed(self.drawn_tag()) } else { told };
        let bytes = self.read_content(content, source.range.clone());
        let written = self.write_part(&room, customer.as_deref(), length, bytes).await?;
        if written.manifest.size != length {
            return Err(Error::internal("a content is shorter than its size"));
        }
        self.keep_part(caller, (upload, number), room, written, told).await
    }

    async fn refer(
        &self,
        caller: &Caller,
        (upload, number): (MultipartId, u32),
        source: Source,
        room: Room,
    ) -> Result<MultipartPart, Error> {
        let (caller, now, fresh) = (caller.clone(), self.world.now(), ContentId::new(self.world.next_id()));
        self.database
            .transact("copy multipart part", move |tx| {
                let grant = find_open(tx, &caller, upload, now)?.1;
                if grant.owner() != room.owner {
                    return Err(Error::SessionGone);
                }
                let length = source.range.end - source.range.start;
                Room::check(tx, room.owner, (upload, number), length)?;
                let (content, pieces) = source.lend(tx, room.scope.enterprise, fresh)?;
                let told = Told { md5: source.whole_md5(), tag: Some(source.tag()), facts: Facts::default() };
                let part = MultipartPart {
                    number,
                    content,
                    size: length,
                    pieces,
                    sha1: source.sha1.filter(|_| pieces == 0),
                    etag: told.etag(None),
                    facts: told.kept(),
                    modified_at: now,
                };
                multipart::put_part(tx, upload, &part)?;
                Ok(part)
            })
            .await
    }
}

impl Source {
    fn is_whole(&self) -> bool {
        self.range == (0..self.size)
    }

    fn whole_md5(&self) -> Option<Md5> {
        self.md5.filter(|_| self.is_whole())
    }

    /// What the part is called where nobody has read it: the same whenever the same bytes of the same content are copied.
    fn tag(&self) -> [u8; 16] {
        let mut told = digest::Context::new(&digest::SHA256);
        told.update(&self.content.number().to_be_bytes());
        told.update(&self.range.start.to_be_bytes());
        told.update(&self.range.end.to_be_bytes());
        told.finish().as_ref().first_chunk().copied().unwrap_or_default()
    }

    /// Whether the part is to refer to it: not when it would take very many pieces.
    fn is_lendable(&self, tx: &mut Tx<'_>, (upload, number): (MultipartId, u32)) -> Result<bool, Error> {
        if !self.of_pieces {
            return Ok(true);
        }
        let needed = pieces::count(tx, self.content, (self.range.start, self.range.end), PART_PIECES_MAX + 1)?;
        let others = multipart::others(tx, upload, number)?.1;
        Ok(needed <= PART_PIECES_MAX && others.saturating_add(u64::from(needed)) <= u64::from(PIECES_MAX))
    }

    /// A content with one reference for the part, and of how many pieces it is. `NotFound` when the source was purged
    /// meanwhile.
    fn lend(&self, tx: &mut Tx<'_>, enterprise: EnterpriseId, fresh: ContentId) -> Result<(ContentId, u32), Error> {
        if self.is_whole() && !self.of_pieces {
            return if contents::share(tx, self.content)? { Ok((self.content, 0)) } else { Err(Error::NotFound) };
        }
        let lent = if self.of_pieces {
            self.clipped(tx)?
        } else {
            let length = self.range.end - self.range.start;
            vec![Piece { start: 0, source: self.content, source_start: self.range.start, length }]
        };
        let count = u32::try_from(lent.len()).unwrap_or(u32::MAX);
        pieces::begin(tx, fresh, enterprise, (count, self.range.end - self.range.start))?;
        for piece in &lent {
            if !contents::share(tx, piece.source)? {
                return Err(Error::NotFound);
            }
            pieces::add(tx, fresh, piece)?;
        }
        pieces::inherit_customer(tx, fresh)?;
        Ok((fresh, count))
    }

    /// The pieces of the content that the range reaches into, as far as it does.
    fn clipped(&self, tx: &mut Tx<'_>) -> Result<Vec<Piece>, Error> {
        let mut clipped = Vec::new();
        let mut at = self.range.start;
        for piece in pieces::of(tx, self.content, at, PART_PIECES_MAX + 1)? {
            let end = piece.start.saturating_add(piece.length).min(self.range.end);
            if piece.start > at || at >= end {
                break;
            }
            clipped.push(Piece {
                start: at - self.range.start,
                source: piece.source,
                source_start: piece.source_start + (at - piece.start),
                length: end - at,
            });
            at = end;
        }
        // It is being taken apart.
        if at == self.range.end { Ok(clipped) } else { Err(Error::NotFound) }
    }
}
