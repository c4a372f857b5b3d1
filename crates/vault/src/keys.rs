//! Keys: the custodian's key encryption key wraps epoch keys, an epoch key wraps data keys.
//!
//! Unwrapped epoch keys are held on a lease: when it ends, the custodian is asked again, so a withdrawn key goes dark.

use crate::topology::{Topology, Zone};
use crate::{EpochRecord, Error, KeyContext, Ledger, Scope};
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap};
use entente_custodians::{Custodian, SecretKey};
use entente_model::{EnterpriseId, EpochId, Manifest, WrappedDataKey, ZoneId};
use entente_world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::Instant;

/// A wrapped data key is this long (RFC 3394: eight bytes more than the key).
const WRAPPED_BYTES: usize = 40;

pub(crate) struct Keys {
    world: World,
    ledger: Arc<dyn Ledger>,
    zones: RwLock<BTreeMap<ZoneId, Arc<KeyZone>>>,
    lease: Duration,
    leased: Mutex<Leased>,
}

struct KeyZone {
    custodian: Arc<dyn Custodian>,
    /// Held while the custodian is asked, so that a thousand requests ask once. One of each zone, so that a custodian that
    /// cannot be reached keeps nobody waiting elsewhere.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Leased {
    epochs: BTreeMap<EpochId, (Arc<SecretKey>, Instant)>,
    newest: BTreeMap<(i64, ZoneId), (EpochId, Instant)>,
}

impl Leased {
    /// Wipes what the lease has ended of.
    fn end(&mut self, now: Instant) {
        self.epochs.retain(|_, (_, until)| now < *until);
        self.newest.retain(|_, (_, until)| now < *until);
    }
}

impl Keys {
    pub(crate) fn new(world: World, ledger: Arc<dyn Ledger>, lease: Duration) -> Self {
        Self { world, ledger, zones: RwLock::default(), lease, leased: Mutex::default() }
    }

    /// Takes the custodians of another topology. Leases end when they would have.
    pub(crate) fn reconfigure(&self, topology: &Topology) {
        let zone = |zone: &Zone| {
            Arc::new(KeyZone { custodian: Arc::clone(&zone.custodian), asking: tokio::sync::Mutex::default() })
        };
        let zones = topology.zones.iter().map(|(id, found)| (*id, zone(found))).collect();
        *self.zones.write().unwrap_or_else(PoisonError::into_inner) = zones;
    }

    fn zone(&self, zone: ZoneId) -> Result<Arc<KeyZone>, Error> {
        let zones = self.zones.read().unwrap_or_else(PoisonError::into_inner);
        zones.get(&zone).cloned().ok_or(Error::Internal("the zone is not configured, or has no custodian"))
    }

    /// A fresh data key, and its wrapped form under the newest epoch key of the scope.
    pub(crate) async fn fresh(&self, scope: Scope) -> Result<(SecretKey, WrappedDataKey), Error> {
        let (epoch, epoch_key) = self.newest(scope).await?;
        let data_key = SecretKey::random(self.world.random());
        let bytes = wrap(&epoch_key, &data_key).ok_or(Error::Internal("a data key could not be wrapped"))?;
        Ok((data_key, WrappedDataKey { epoch, bytes }))
    }

    /// The data key of a content.
    pub(crate) async fn data_key(&self, manifest: &Manifest) -> Result<SecretKey, Error> {
        let zone = manifest.zone;
        let epoch_key = self.epoch(manifest.key.epoch, zone).await?;
        unwrap(&epoch_key, &manifest.key.bytes).ok_or(Error::DataKey(manifest.content))
    }

    /// The data key of a content, wrapped for another scope; as it is, if the zone is the same.
    pub(crate) async fn rewrap(&self, manifest: &Manifest, to: Scope) -> Result<WrappedDataKey, Error> {
        if manifest.zone == to.zone {
            return Ok(manifest.key.clone());
        }
        let data_key = self.data_key(manifest).await?;
        let (epoch, epoch_key) = self.newest(to).await?;
        let bytes = wrap(&epoch_key, &data_key).ok_or(Error::Internal("a data key could not be wrapped"))?;
        Ok(WrappedDataKey { epoch, bytes })
    }

    /// The data key of a content that is still arriving.
    pub(crate) async fn begun_key(&self, begun: &crate::Begun) -> Result<SecretKey, Error> {
        let epoch_key = self.epoch(begun.key.epoch, begun.scope.zone).await?;
        unwrap(&epoch_key, &begun.key.bytes).ok_or(Error::DataKey(begun.content))
    }

    /// Whether an epoch key may still be used: what takes long asks now and then, so that it ends with the lease of a key
    /// that was withdrawn.
    pub(crate) async fn still(&self, epoch: EpochId, zone: ZoneId) -> Result<(), Error> {
        self.epoch(epoch, zone).await.map(drop)
    }

    pub(crate) async fn check(&self, enterprise: EnterpriseId, zone: ZoneId) -> Result<(), Error> {
        if let Some(record) = self.ledger.newest_epoch(enterprise, zone).await? {
            self.epoch(record.context.epoch, zone).await?;
        }
        Ok(())
    }

    async fn newest(&self, scope: Scope) -> Result<(EpochId, Arc<SecretKey>), Error> {
        let slot = (scope.enterprise.number(), scope.zone);
        let known = self.leased().newest.get(&slot).copied();
        if let Some((epoch, until)) = known
            && self.world.instant() < until
        {
            return Ok((epoch, self.epoch(epoch, scope.zone).await?));
        }
        let zone = self.zone(scope.zone)?;
        let asking = zone.asking.lock().await;
        // From before it is asked, as for the key itself.
        let until = self.world.instant() + self.lease;
        let record = match self.ledger.newest_epoch(scope.enterprise, scope.zone).await? {
            Some(record) => record,
            None => self.new_epoch(scope).await?,
        };
        drop(asking);
        let epoch = record.context.epoch;
        let key = self.epoch(epoch, scope.zone).await?;
        self.leased().newest.insert(slot, (epoch, until));
        Ok((epoch, key))
    }

    async fn new_epoch(&self, scope: Scope) -> Result<EpochRecord, Error> {
        let epoch = EpochId::new(self.world.next_id());
        let context = KeyContext { enterprise: scope.enterprise, zone: scope.zone, epoch };
        let wrapped = self.zone(scope.zone)?.custodian.wrap(context, &SecretKey::random(self.world.random())).await?;
        let record = EpochRecord { context, wrapped, created_at: self.world.now() };
        self.ledger.add_epoch(record.clone()).await?;
        Ok(record)
    }

    async fn epoch(&self, epoch: EpochId, zone: ZoneId) -> Result<Arc<SecretKey>, Error> {
        if let Some(key) = self.held(epoch) {
            return Ok(key);
        }
        let from = self.zone(zone)?;
        let _asking = from.asking.lock().await;
        if let Some(key) = self.held(epoch) {
            return Ok(key);
        }
        // The lease counts from before the custodian is asked: an answer that was long on its way may be of before the
        // key was withdrawn. And what has ended goes now, since there may be nothing to take its place.
        let now = self.world.instant();
        self.leased().end(now);
        let record = self.ledger.epoch(epoch).await?.ok_or(Error::UnknownEpoch(epoch))?;
        if record.context.zone != zone {
            return Err(Error::Internal("an epoch key is of another zone than its content"));
        }
        let key = Arc::new(from.custodian.unwrap(record.context, &record.wrapped).await?);
        self.leased().epochs.insert(epoch, (Arc::clone(&key), now + self.lease));
        Ok(key)
    }

    fn held(&self, epoch: EpochId) -> Option<Arc<SecretKey>> {
        let leased = self.leased();
        let (key, until) = leased.epochs.get(&epoch)?;
        (self.world.instant() < *until).then(|| Arc::clone(key))
    }

    fn leased(&self) -> std::sync::MutexGuard<'_, Leased> {
        self.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wrap(epoch_key: &SecretKey, data_key: &SecretKey) -> Option<Vec<u8>> {
    let kek = AesKek::new(&AES_256, epoch_key.expose()).ok()?;
    let mut out = [0; WRAPPED_BYTES];
    let wrapped = kek.wrap(data_key.expose(), &mut out).ok()?;
    Some(wrapped.to_vec())
}

fn unwrap(epoch_key: &SecretKey, wrapped: &[u8]) -> Option<SecretKey> {
    if wrapped.len() != WRAPPED_BYTES {
        return None;
    }
    let kek = AesKek::new(&AES_256, epoch_key.expose()).ok()?;
    let mut out = zeroize::Zeroizing::new([0; WRAPPED_BYTES]);
    let bytes: [u8; 32] = (&*kek.unwrap(wrapped, out.as_mut_slice()).ok()?).try_into().ok()?;
    Some(SecretKey::new(bytes))
}
