//! A withdrawn key goes dark when the lease ends, also for what is under way.

use crate::kit::{Kit, SCOPE, plaintext};
use async_trait::async_trait;
use bytes::Bytes;
use entente_custodians::local::LocalCustodian;
use entente_custodians::{Custodian, Error, ErrorKind, KeyContext, SecretKey, WrappedKey};
use entente_vault::Limits;
use entente_world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

struct Withdrawable {
    inner: LocalCustodian,
    withdrawn: Arc<AtomicBool>,
}

impl Withdrawable {
    fn check(&self) -> Result<(), Error> {
        if self.withdrawn.load(Ordering::Relaxed) { Err(Error::new(ErrorKind::Refused, "withdrawn")) } else { Ok(()) }
    }
}

#[async_trait]
impl Custodian for Withdrawable {
    async fn wrap(&self, context: KeyContext, key: &SecretKey) -> Result<WrappedKey, Error> {
        self.check()?;
        self.inner.wrap(context, key).await
    }

    async fn unwrap(&self, context: KeyContext, wrapped: &WrappedKey) -> Result<SecretKey, Error> {
        self.check()?;
        self.inner.unwrap(context, wrapped).await
    }

    fn current_key(&self) -> String {
        self.inner.current_key()
    }
}

/// Leases end at once.
fn kit() -> (Kit, Arc<AtomicBool>) {
    let (world, withdrawn) = (World::real(), Arc::<AtomicBool>::default());
    let custodian = Withdrawable { inner: LocalCustodian::in_memory(world.clone()), withdrawn: Arc::clone(&withdrawn) };
    let limits = Limits { key_lease: Duration::ZERO, ..Limits::default() };
    (Kit::with(world, limits, Arc::new(custodian), |objects| Arc::new(objects)), withdrawn)
}

#[tokio::test]
async fn a_slow_read_ends() {
    let (kit, withdrawn) = kit();
    let content = kit.keep(&plaintext(3_000_000)).await;
    let manifest = kit.database.read(|tx| entente_testkit::database::contents::by_id(tx, content)).unwrap().unwrap();
    let mut reading = kit.vault.read(manifest, Vec::new(), 0..3_000_000);
    assert!(reading.next().await.unwrap().is_some());
    withdrawn.store(true, Ordering::Relaxed);
    // What was opened before may still come: a window of four frames.
    let mut after = 0;
    let error = loop {
        match reading.next().await {
            Ok(Some(_)) => after += 1,
            Ok(None) => panic!("it was read to its end"),
            Err(error) => break error,
        }
    };
    assert!(after < 4 && matches!(error, entente_vault::Error::Custodian(_)), "{after}: {error}");
    withdrawn.store(false, Ordering::Relaxed);
    assert!(reading.next().await.unwrap().is_some(), "it goes on when the key is back");
}

#[tokio::test]
async fn a_slow_write_ends() {
    let (kit, withdrawn) = kit();
    let body = futures_util::stream::iter((0..100).map(|piece| {
        withdrawn.fetch_or(piece == 20, Ordering::Relaxed);
        assert!(piece < 40, "more was taken than a few batches");
        Ok(Bytes::from(vec![7; 64 * 1024]))
    }));
    let error = kit.vault.write(SCOPE, u64::MAX, body).await.unwrap_err();
    assert!(matches!(error, entente_vault::Error::Custodian(_)), "{error}");
}
