//! Secrets that must be had again: sealed under a key of the database that the custodian wraps.

use crate::Error;
use crate::tickets::{KeptKey, kept_key};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use entente_custodians::Custodian;
use entente_database::Database;
use entente_world::World;
use std::sync::Arc;
use zeroize::{Zeroize, Zeroizing};

/// First byte of what is sealed.
const VERSION: u8 = 1;

/// Seals and opens secrets. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sealer {
    world: World,
    key: Arc<LessSafeKey>,
    setting: &'static str,
}

impl Sealer {
    /// Fetches the key, making and storing one at first. Every node of a database has the same.
    ///
    /// `Custodian` when the stored key does not unwrap: then the custodian's key is not the one that this database
    /// was made with.
    pub(crate) async fn load(
        world: &World,
        database: &Database,
        custodian: &dyn Custodian,
        kept: KeptKey,
    ) -> Result<Self, Error> {
        let setting = kept.setting;
        let key = kept_key(world, database, custodian, kept).await?;
        // 32 bytes are a key of this cipher.
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| Error::Setting(setting))?;
        Ok(Self { world: world.clone(), key: Arc::new(LessSafeKey::new(key)), setting })
    }

    /// The secret, sealed: a version of one byte, the nonce, what is sealed, its tag. Bound to what it is the secret of, so
    /// that one cannot be put in another's place.
    pub(crate) fn seal(&self, bound: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = self.world.random().bytes::<NONCE_LEN>();
        let mut sealed = Zeroizing::new(secret.to_vec());
        let tag = self.key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(bound),
            sealed.as_mut_slice(),
        );
        // A secret is far shorter than what the cipher can seal at once.
        let tag = tag.map_err(|_| Error::Setting(self.setting))?;
        Ok([&[VERSION], nonce.as_slice(), &sealed, tag.as_ref()].concat())
    }

    /// The secret; `None` when it was not sealed with this key for that.
    pub(crate) fn open(&self, bound: &[u8], mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        let (version, rest) = sealed.split_first_mut()?;
        let (nonce, rest) = rest.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok().filter(|_| *version == VERSION)?;
        let text = self.key.open_in_place(nonce, Aad::from(bound), rest).ok()?;
        let secret = Zeroizing::new(text.to_vec());
        text.zeroize();
        Some(secret)
    }
}
