//! A key encryption key in a file: for one machine that needs nothing else, and for tests.
//!
//! Whoever reads the file can unwrap every key, so it belongs to the server's user alone and is kept apart
//! from the data and from its backups. Its layout is docs/formats/local-key.md.

use crate::{Custodian, Error, ErrorKind, KeyContext, SecretKey, WrappedKey};
use async_trait::async_trait;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest::{Context, SHA256},
};
use entente_world::World;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

mod file;

/// First byte of a wrapped key: this layout.
const VERSION: u8 = 1;
/// What a wrapped key's associated data begins with, so that no other use of the key can be mistaken for it.
const WRAP_DOMAIN: &[u8] = b"entente local custodian wrapped key 1";
/// What the digest that an id is cut from begins with.
const ID_DOMAIN: &[u8] = b"entente local key encryption key id 1";
/// Bytes of an id; it is shown as twice as many hexadecimal digits.
const ID_BYTES: usize = 4;
const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// Holds one key encryption key in memory, read from a file or made up.
pub struct LocalCustodian {
    key: SecretKey,
    name: String,
    /// Where the key came from; none if it was made up.
    path: Option<PathBuf>,
    world: World,
}

impl LocalCustodian {
    /// Makes a new key and its file, readable by the owner alone and durable before this returns.
    ///
    /// Blocks on the disk: for start-up and the command line. `Misconfigured` when the file exists (it is
    /// never overwritten: what it wraps would be lost) or cannot be written.
    pub fn create(path: &Path, world: World) -> Result<Self, Error> {
        let key = SecretKey::random(world.random());
        file::create(path, &key)?;
        Ok(Self::new(key, Some(path.to_path_buf()), world))
    }

    /// Reads the key from its file.
    ///
    /// Blocks on the disk. `Misconfigured`, naming the file and what to do, when it is missing, unreadable,
    /// malformed, or open to others than its owner.
    pub fn open(path: &Path, world: World) -> Result<Self, Error> {
        Ok(Self::new(file::open(path)?, Some(path.to_path_buf()), world))
    }

    /// Makes up a key that is gone with this value. For tests and the simulator.
    #[must_use]
    pub fn in_memory(world: World) -> Self {
        Self::new(SecretKey::random(world.random()), None, world)
    }

    fn new(key: SecretKey, path: Option<PathBuf>, world: World) -> Self {
        let name = format!("local:{}", id(&key));
        Self { key, name, path, world }
    }

    fn cipher(&self) -> Result<LessSafeKey, Error> {
        UnboundKey::new(&AES_256_GCM, self.key.expose())
            .map(LessSafeKey::new)
            // Cannot happen: the key has the cipher's length.
            .map_err(|error| Error::new(ErrorKind::Refused, "the cipher refuses the key").because(error))
    }

    /// What an operator has to look at.
    fn described(&self) -> String {
        match &self.path {
            Some(path) => format!("the key file {} holds {}", path.display(), self.name),
            None => format!("this process holds {}", self.name),
        }
    }
}

/// What a key is called: eight hexadecimal digits of a digest, which tell nothing about the key.
fn id(key: &SecretKey) -> String {
    let mut digest = Context::new(&SHA256);
    digest.update(ID_DOMAIN);
    digest.update(key.expose());
    let digest = digest.finish();
    digest.as_ref().iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// What the wrapped bytes are bound to.
fn associated_data(context: KeyContext) -> Vec<u8> {
    let ids = [context.enterprise.number(), context.zone.number(), context.epoch.number()];
    WRAP_DOMAIN.iter().copied().chain(ids.into_iter().flat_map(i64::to_be_bytes)).collect()
}

#[async_trait]
impl Custodian for LocalCustodian {
    async fn wrap(&self, context: KeyContext, key: &SecretKey) -> Result<WrappedKey, Error> {
        let nonce: [u8; NONCE_LEN] = self.world.random().bytes();
        let mut sealed = Zeroizing::new(*key.expose());
        let tag = self
            .cipher()?
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(associated_data(context)),
                sealed.as_mut_slice(),
            )
            // Cannot happen: 32 bytes are within the cipher's limits.
            .map_err(|error| Error::new(ErrorKind::Refused, "the cipher failed to wrap the key").because(error))?;
        let bytes = [&[VERSION], nonce.as_slice(), sealed.as_slice(), tag.as_ref()].concat();
        Ok(WrappedKey { key_encryption_key: self.name.clone(), bytes })
    }

    async fn unwrap(&self, context: KeyContext, wrapped: &WrappedKey) -> Result<SecretKey, Error> {
        if wrapped.key_encryption_key != self.name {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "the wrapped key needs the key encryption key {}, but {}; start with the right key file",
                    wrapped.key_encryption_key,
                    self.described()
                ),
            ));
        }
        let malformed =
            || Error::new(ErrorKind::Refused, "the wrapped key is not in a form that this release can read");
        let (version, rest) = wrapped.bytes.split_first().ok_or_else(malformed)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE_LEN>().ok_or_else(malformed)?;
        let rest: [u8; KEY_BYTES + TAG_BYTES] = rest.try_into().map_err(|_| malformed())?;
        if *version != VERSION {
            return Err(malformed());
        }
        let mut rest = Zeroizing::new(rest);
        let associated_data = Aad::from(associated_data(context));
        let opened = self
            .cipher()?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), associated_data, rest.as_mut_slice())
            .map_err(|error| {
                let message = format!(
                    "the wrapped key is damaged, or belongs to another enterprise, zone or epoch ({})",
                    self.described()
                );
                Error::new(ErrorKind::Refused, message).because(error)
            })?;
        let key = <[u8; KEY_BYTES]>::try_from(&*opened).map_err(|_| malformed())?;
        let key = Zeroizing::new(key);
        Ok(SecretKey::new(*key))
    }

    fn current_key(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests;
