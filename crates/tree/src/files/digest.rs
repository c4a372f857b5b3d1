//! The SHA-1 of contents of pieces. Nobody has read these as a whole when they are made, so a job reads each of them once,
//! some seconds at a time: how far it has come is kept, whichever node goes on.

use crate::{BoxError, Error, Tree};
use bytes::Bytes;
use entente_database::Tx;
use entente_database::digests::{self, Begun};
use entente_database::jobs::{self, NewJob};
use entente_model::{ContentId, JobId, Sha1, Timestamp};
use futures_util::TryStreamExt;
use std::pin::pin;
use std::time::Duration;

/// The kind of the jobs that call [`Tree::digest_content`]. Their key is the content's id.
pub const DIGEST_JOB: &str = "digest content";

/// What is hashed in one go: as many pieces as the vault opens at a time.
const PIECES: usize = 4;
const BLOCK_BYTES: usize = 64;
/// What SHA-1 begins with (FIPS 180-4, 5.3.1).
const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

impl Tree {
    /// Reads a content for about `span`, from where the last call stopped, to keep its SHA-1 for it and for the versions
    /// that have it. `true` when it is known, or the content is gone, or only its customer can open it. Dropping the future loses what this call read.
    ///
    /// The errors of [`Tree::read_content`].
    pub async fn digest_content(&self, content: ContentId, span: Duration) -> Result<bool, Error> {
        let found = match self.open_content(content) {
            Err(Error::NotFound) => return Ok(true),
            // Nobody can read it, and nobody is to know its digest.
            Ok(found) if found.is_customers() => return Ok(true),
            found => found?,
        };
        let sha1 = match found.sha1() {
            Some(sha1) => sha1,
            None => {
                let until = self.world.instant() + span;
                let mut hash = self.database.read(|tx| digests::begun(tx, content))?.map_or_else(Hash::new, Hash::from);
                let size = found.size();
                let mut bytes = pin!(self.read_content(found, hash.position..size));
                loop {
                    let mut pieces: Vec<Bytes> = Vec::with_capacity(PIECES);
                    while pieces.len() < PIECES
                        && let Some(piece) = bytes.try_next().await.map_err(read_error)?
                    {
                        pieces.push(piece);
                    }
                    if pieces.is_empty() {
                        break;
                    }
                    let update = move || {
                        pieces.iter().for_each(|piece| hash.update(piece));
                        hash
                    };
                    hash = self.world.blocking(update).await?;
                    // At the end there is nothing that another call could go on with.
                    if hash.length() < size && self.world.instant() >= until {
                        let begun = hash.begun();
                        self.database.transact("keep digest", move |tx| digests::keep(tx, content, &begun)).await?;
                        return Ok(false);
                    }
                }
                hash.finish()
            }
        };
        self.database.transact("complete digest", move |tx| digests::complete(tx, content, sha1)).await?;
        Ok(true)
    }
}

/// What the tree's own stream gave.
fn read_error(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::Internal(error),
    }
}

/// Asks for a content to be read whose SHA-1 nobody knows.
pub(crate) fn enqueue_digest(tx: &mut Tx<'_>, content: ContentId, job: JobId, at: Timestamp) -> Result<(), Error> {
    let key = content.to_string();
    jobs::enqueue(tx, &NewJob { job, kind: DIGEST_JOB, key: &key, payload: "", run_at: at }, at)?;
    Ok(())
}

/// SHA-1, as far as it has come: unlike that of our provider of cryptography, one that can be kept and taken up again.
struct Hash {
    state: [u32; 5],
    /// Bytes of whole blocks.
    position: u64,
    /// Bytes after these, less than a block.
    rest: Vec<u8>,
}

impl Hash {
    fn new() -> Self {
        Self { state: INITIAL, position: 0, rest: Vec::new() }
    }

    /// How far the whole blocks are.
    fn begun(&self) -> Begun {
        let mut state = [0; 20];
        for (bytes, word) in state.as_chunks_mut::<4>().0.iter_mut().zip(self.state) {
            *bytes = word.to_be_bytes();
        }
        Begun { position: self.position, state }
    }

    /// Bytes that were hashed.
    fn length(&self) -> u64 {
        self.position + self.rest.len() as u64
    }

    fn update(&mut self, mut bytes: &[u8]) {
        if !self.rest.is_empty() {
            let (fill, more) = bytes.split_at(bytes.len().min(BLOCK_BYTES - self.rest.len()));
            self.rest.extend_from_slice(fill);
            bytes = more;
            if self.rest.len() < BLOCK_BYTES {
                return;
            }
            let block = std::mem::take(&mut self.rest);
            self.blocks(block.as_chunks().0);
        }
        let (blocks, rest) = bytes.as_chunks();
        self.blocks(blocks);
        self.rest.extend_from_slice(rest);
    }

    fn blocks(&mut self, blocks: &[[u8; BLOCK_BYTES]]) {
        sha1::block_api::compress(&mut self.state, blocks);
        self.position += (blocks.len() * BLOCK_BYTES) as u64;
    }

    /// A one, zeros up to eight bytes before the end of a block, and the length in bits (FIPS 180-4, 5.1.1).
    fn finish(mut self) -> Sha1 {
        let bits = self.length().wrapping_mul(8);
        let mut end = std::mem::take(&mut self.rest);
        end.push(0x80);
        while end.len() % BLOCK_BYTES != BLOCK_BYTES - 8 {
            end.push(0);
        }
        end.extend_from_slice(&bits.to_be_bytes());
        self.blocks(end.as_chunks().0);
        Sha1(self.begun().state)
    }
}

impl From<Begun> for Hash {
    fn from(Begun { position, state }: Begun) -> Self {
        let mut words = INITIAL;
        for (word, bytes) in words.iter_mut().zip(state.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        Self { state: words, position, rest: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::{self, SHA1_FOR_LEGACY_USE_ONLY};
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn it_is_sha1_however_the_bytes_come_and_wherever_it_is_taken_up(
            pieces in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..300), any::<bool>()), 0..9),
        ) {
            let whole = pieces.iter().flat_map(|(piece, _)| piece.clone()).collect::<Vec<_>>();
            let (mut hash, mut sent) = (Hash::new(), 0);
            for (piece, stops) in &pieces {
                if *stops {
                    hash = Hash::from(hash.begun());
                    hash.update(&whole[usize::try_from(hash.position).unwrap()..sent]);
                }
                hash.update(piece);
                sent += piece.len();
            }
            let expected = digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, &whole);
            prop_assert_eq!(&hash.finish().0[..], expected.as_ref());
        }
    }
}
