use crate::{Error, SecretKey};
use async_trait::async_trait;
use entente_model::{EnterpriseId, EpochId, ZoneId};

/// What a wrapped key is bound to: it unwraps only for the same enterprise, zone and epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyContext {
    /// Whose key it is.
    pub enterprise: EnterpriseId,
    /// Where it may be used.
    pub zone: ZoneId,
    /// Which key of theirs.
    pub epoch: EpochId,
}

/// An epoch key in the form that may be stored. Printing it tells nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Name and version of the key encryption key that wrapped it, as the custodian calls it.
    pub key_encryption_key: String,
    /// The wrapped bytes.
    pub bytes: Vec<u8>,
}

/// A service that holds key encryption keys. `conformance` holds every implementation to this.
#[async_trait]
pub trait Custodian: Send + Sync + 'static {
    /// Wraps a key under the custodian's current key encryption key, bound to `context`.
    async fn wrap(&self, context: KeyContext, key: &SecretKey) -> Result<WrappedKey, Error>;

    /// Unwraps a key. `Refused` when the key encryption key is withdrawn, unknown, or the context or bytes
    /// are not those that were wrapped.
    async fn unwrap(&self, context: KeyContext, wrapped: &WrappedKey) -> Result<SecretKey, Error>;

    /// The name and version of the key encryption key that `wrap` uses now.
    fn current_key(&self) -> String;
}
