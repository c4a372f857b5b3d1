use super::BoxError;
use crate::Error;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

/// Pieces of a body shorter than this are put together, so that a body of crumbs costs no more memory than another.
const CRUMB_BYTES: usize = 4096;

/// A body, counted and cut into batches.
pub(super) struct Incoming<'b, S> {
    body: std::pin::Pin<&'b mut S>,
    /// The rest of a piece that reached over the end of a batch.
    rest: Bytes,
    pub(super) taken: u64,
    size_max: u64,
    ended: bool,
}

impl<'b, S> Incoming<'b, S>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send,
{
    pub(super) fn new(body: std::pin::Pin<&'b mut S>, size_max: u64) -> Self {
        Self { body, rest: Bytes::new(), taken: 0, size_max, ended: false }
    }

    /// Takes exactly `limit` bytes, or fewer at the body's end; says whether the body has ended.
    ///
    /// The end is looked for beyond a full batch only by the next call, except that what is at hand is looked at.
    pub(super) async fn up_to(&mut self, limit: usize) -> Result<(Vec<Bytes>, bool), Error> {
        let (mut pieces, mut length, mut crumbs) = (Vec::new(), 0, BytesMut::new());
        while length < limit {
            if self.rest.is_empty() {
                match self.body.next().await {
                    Some(piece) => self.rest = piece.map_err(Error::Body)?,
                    None => {
                        self.ended = true;
                        break;
                    }
                }
            }
            let piece = self.rest.split_to(self.rest.len().min(limit - length));
            length += piece.len();
            self.taken += piece.len() as u64;
            if self.taken > self.size_max {
                return Err(Error::TooLong { limit: self.size_max });
            }
            if piece.len() < CRUMB_BYTES {
                crumbs.extend_from_slice(&piece);
                continue;
            }
            if !crumbs.is_empty() {
                pieces.push(crumbs.split().freeze());
            }
            pieces.push(piece);
        }
        if !crumbs.is_empty() {
            pieces.push(crumbs.freeze());
        }
        Ok((pieces, self.ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BATCH: usize = 256 * 1024;

    #[tokio::test]
    async fn a_body_of_crumbs_comes_in_few_pieces() {
        let plain: Vec<u8> = (0..200_000_u32).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let (crumbs, rest) = plain.split_at(100_000);
        let pieces = crumbs.chunks(1).chain(rest.chunks(4096)).chain([[].as_slice()]);
        let pieces: Vec<Result<_, BoxError>> = pieces.map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let mut body = futures_util::stream::iter(pieces);
        let mut incoming = Incoming::new(std::pin::Pin::new(&mut body), u64::MAX);
        let (first, ended) = incoming.up_to(BATCH / 2).await.unwrap();
        assert!(!ended && first.len() < 20, "{} pieces", first.len());
        let (second, ended) = incoming.up_to(BATCH).await.unwrap();
        assert!(ended && second.len() < 40, "{} pieces", second.len());
        assert!([first, second].concat().concat() == plain);
    }
}
