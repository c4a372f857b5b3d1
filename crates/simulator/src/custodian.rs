//! A custodian that cannot be reached now and then, and from which the key can be withdrawn for a while.

use crate::steps::Steps;
use async_trait::async_trait;
use entente_custodians::{Custodian, Error, ErrorKind, KeyContext, SecretKey, WrappedKey};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Clone)]
pub(crate) struct SimulatedCustodian {
    inner: Arc<dyn Custodian>,
    steps: Steps,
    /// It cannot be reached once in so many times; 0 is never.
    errors: u32,
    /// How long its answer may be on its way, in milliseconds.
    answer_ms_max: u64,
    withdrawn: Arc<AtomicBool>,
}

impl SimulatedCustodian {
    pub(crate) fn new(inner: Arc<dyn Custodian>, steps: Steps, errors: u32, answer_ms_max: u64) -> Self {
        Self { inner, steps, errors, answer_ms_max, withdrawn: Arc::default() }
    }

    /// The custodian of another zone, from which the key is withdrawn together with this one's.
    pub(crate) fn beside(&self, inner: Arc<dyn Custodian>) -> Self {
        Self { inner, ..self.clone() }
    }

    /// From now on it refuses, or no longer.
    pub(crate) fn withdraw(&self, withdrawn: bool) {
        self.withdrawn.store(withdrawn, Ordering::Relaxed);
    }

    async fn perform<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.steps.step(operation).await;
        if self.withdrawn.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Refused, "the key is withdrawn"));
        }
        if self.steps.one_in(self.errors) {
            return Err(Error::new(ErrorKind::Unavailable, "simulated"));
        }
        let done = work.await;
        self.steps.step(operation).await;
        if self.answer_ms_max > 0 {
            self.steps.pause(self.answer_ms_max).await;
        }
        done
    }
}

#[async_trait]
impl Custodian for SimulatedCustodian {
    async fn wrap(&self, context: KeyContext, key: &SecretKey) -> Result<WrappedKey, Error> {
        self.perform("wrap", self.inner.wrap(context, key)).await
    }

    async fn unwrap(&self, context: KeyContext, wrapped: &WrappedKey) -> Result<SecretKey, Error> {
        self.perform("unwrap", self.inner.unwrap(context, wrapped)).await
    }

    fn current_key(&self) -> String {
        self.inner.current_key()
    }
}
