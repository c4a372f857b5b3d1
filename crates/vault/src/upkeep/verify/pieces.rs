//! Contents that are made of pieces of others: each piece must be there, and they must make up the whole. The bytes are
//! looked at where they are, as those of the others.

use super::{Cost, Finding, PAGE, Verified};
use crate::{Error, Piece, Vault};
use entente_model::Manifest;

impl Vault {
    pub(super) async fn verify_pieces(&self, manifest: &Manifest, verified: &mut Verified) -> Result<(), Error> {
        let (content, mut at) = (manifest.content, 0);
        'whole: while at < manifest.size {
            let page = self.inner.ledger.pieces(content, at, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for piece in page {
                // What is empty would be looked at for ever.
                if piece.start != at || piece.length == 0 || !self.is_there(manifest, &piece).await? {
                    break 'whole;
                }
                verified.pieces += 1;
                at = at.saturating_add(piece.length);
            }
        }
        if at != manifest.size && self.still_there(content).await? {
            verified.report(Finding::Pieces { content, at }, Cost::Loss);
        }
        Ok(())
    }

    /// Whether the other content has what the piece refers to.
    async fn is_there(&self, manifest: &Manifest, piece: &Piece) -> Result<bool, Error> {
        let source = self.inner.ledger.content(piece.source).await?;
        Ok(source.is_some_and(|source| {
            let end = piece.source_start.checked_add(piece.length);
            !source.is_of_pieces()
                && source.enterprise == manifest.enterprise
                && end.is_some_and(|end| end <= source.size)
        }))
    }
}
