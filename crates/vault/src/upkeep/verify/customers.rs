//! Contents that only their customers can open: their data keys must unwrap, and their sealed chunks must be what was
//! written. Whether they open is for their customers to see.

use super::{Cost, Finding, Verified};
use crate::{Error, Located, Vault, seal};
use entente_model::{ContentId, Manifest};

/// How often a chunk is looked for: it may have been moved since its place was asked.
const LOOKS_MAX: u32 = 3;

impl Vault {
    /// Whether the data key of a content unwraps; reports it otherwise.
    pub(super) async fn verify_data_key(&self, manifest: &Manifest, verified: &mut Verified) -> Result<bool, Error> {
        let content = manifest.content;
        match self.inner.keys.data_key(manifest).await {
            Ok(_) => Ok(true),
            Err(Error::DataKey(_) | Error::UnknownEpoch(_)) => {
                if self.still_there(content).await? {
                    verified.report(Finding::NoKey { content }, Cost::Loss);
                }
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Compares a sealed chunk with what was written.
    pub(super) async fn verify_sealed(
        &self,
        content: ContentId,
        mut located: Located,
        verified: &mut Verified,
    ) -> Result<(), Error> {
        let chunk = located.place.chunk;
        for _ in 0..LOOKS_MAX {
            if self.is_as_written(&located).await? {
                verified.sealed_bytes += located.place.length;
                return Ok(());
            }
            let now = self.inner.ledger.places(content, chunk, 1).await?;
            match now.into_iter().find(|found| found.place.chunk == chunk) {
                Some(found) => located = found,
                None => break,
            }
        }
        if self.still_there(content).await? {
            let segment = located.place.segment;
            verified.report(Finding::Unreadable { content, chunk, segment }, Cost::Loss);
        }
        Ok(())
    }

    /// Whether any replica has the chunk as it was written.
    async fn is_as_written(&self, Located { place, replicas }: &Located) -> Result<bool, Error> {
        let range = place.offset..place.offset.saturating_add(place.length);
        for replica in replicas {
            let Ok(cloud) = self.inner.cloud(replica.backend) else { continue };
            let Ok(bytes) = cloud.read(replica.name, range.clone()).await else { continue };
            let sealed = bytes.freeze();
            let checksum = self.inner.world.blocking(move || seal::checksum(&sealed)).await?;
            if checksum == place.checksum {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
