//! Memory for what is kept of large contents until it is durable, so that another backend can take it.
//!
//! A chunk gets the share for all of its bytes before the first is taken: if chunks took theirs bit by bit, all of it could
//! be shared out among chunks none of which can be completed. So a share is held for as long as its body takes to send a
//! chunk, and some dozens of slow clients could hold all of it. Therefore a body has as long as it likes while nobody
//! waits, and a limited time otherwise. Small contents have a budget of their own, and never wait for these.

use crate::Error;
use crate::seal::{FRAME_BYTES, HEADER_BYTES, TAG_BYTES};
use entente_model::CHUNK_SIZE_BYTES;
use entente_world::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How often one who takes long looks whether anybody waits.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) struct Kept {
    world: World,
    shares: Arc<Semaphore>,
    whole: u32,
    waiting: Arc<AtomicUsize>,
    patience: Duration,
}

/// The memory that one chunk may take.
pub(crate) struct Share {
    permit: OwnedSemaphorePermit,
    world: World,
    waiting: Arc<AtomicUsize>,
    until: Instant,
}

/// Counts one who waits, however the waiting ends.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Kept {
    pub(crate) fn new(world: World, bytes: u32, patience: Duration) -> Self {
        let whole = u32::try_from(sealed_length(CHUNK_SIZE_BYTES)).unwrap_or(u32::MAX).max(bytes);
        let shares = Arc::new(Semaphore::new(whole as usize));
        Self { world, shares, whole, waiting: Arc::default(), patience }
    }

    /// Waits for room for a chunk of at most so many bytes of plaintext.
    pub(crate) async fn share(&self, plain_max: u64) -> Result<Share, Error> {
        let bytes = u32::try_from(sealed_length(plain_max)).unwrap_or(u32::MAX).min(self.whole);
        let permit = match Arc::clone(&self.shares).try_acquire_many_owned(bytes) {
            Ok(permit) => permit,
            Err(_) => {
                let _waits = Waits::new(&self.waiting);
                Arc::clone(&self.shares).acquire_many_owned(bytes).await.map_err(|_| entente_world::Interrupted)?
            }
        };
        let until = self.world.instant() + self.patience;
        Ok(Share { permit, world: self.world.clone(), waiting: Arc::clone(&self.waiting), until })
    }
}

impl Share {
    /// Gives back what was not needed.
    pub(crate) fn shrink(&mut self, bytes: u64) {
        let over = self.permit.num_permits().saturating_sub(usize::try_from(bytes).unwrap_or(usize::MAX));
        drop(self.permit.split(over));
    }

    /// Ends when it has been held for long and others wait for theirs.
    pub(crate) async fn overstayed(&self) {
        self.world.sleep(self.until.saturating_duration_since(self.world.instant())).await;
        while self.waiting.load(Ordering::Relaxed) == 0 {
            self.world.sleep(LOOK_EVERY).await;
        }
    }
}

/// The length of a sealed chunk.
fn sealed_length(plain: u64) -> u64 {
    HEADER_BYTES as u64 + plain + plain.div_ceil(FRAME_BYTES as u64) * TAG_BYTES as u64
}
