//! The driver of `pack`: small contents that arrive together share a segment, one write and one fsync.
//!
//! While a shared segment is being written, what arrives gathers for the next one: nobody waits for company when
//! nothing is going on, and under load a segment has as many contents as arrive during one fsync.

use crate::pack::Pack;
use crate::reserve::{Reservation, Reservations};
use crate::{Error, Limits, WrittenSegment};
use bytes::Bytes;
use entente_clouds::Backend;
use entente_model::BackendId;
use entente_world::World;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Contents that may wait for a segment; more callers wait for a place.
const QUEUE_MAX: usize = 1024;
/// How often one asks again after a segment could not be reserved by whoever wrote for several.
const TRIES_MAX: u32 = 3;

pub(crate) struct Packer {
    queue: mpsc::Sender<Waiting>,
    id: BackendId,
    reservations: Arc<Reservations>,
}

/// Where a sealed chunk has been put, durably.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packed {
    pub segment: WrittenSegment,
    pub offset: u64,
}

struct Waiting {
    sealed: Bytes,
    owner: Owner,
}

/// Whose a sealed chunk is.
struct Owner {
    reply: oneshot::Sender<Result<Packed, Failure>>,
    /// Its share of the budget, given back when its bytes are gone: also if it went away in the meantime.
    _budget: Arc<OwnedSemaphorePermit>,
}

/// Why a shared segment was not written, as each of those who shared it is told.
enum Failure {
    Told(Error),
    /// The ledger reserved nothing. Whoever is told asks the ledger again, to hear its error.
    Unreserved,
}

type Batch = Pack<Owner>;

impl Packer {
    pub(crate) fn start(
        world: &World,
        id: BackendId,
        backend: Arc<dyn Backend>,
        reservations: Arc<Reservations>,
        limits: &Limits,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let most = limits.shared_writers.max(1);
        let writers = Arc::new(Semaphore::new(most as usize));
        let target = Target {
            world: world.clone(),
            id,
            backend,
            reservations: Arc::clone(&reservations),
            gather: limits.gather,
            gather_beside: limits.gather_beside,
            writers: most,
        };
        world.spawn(run(target, waiting, writers));
        Self { queue, id, reservations }
    }

    /// Writes one sealed chunk, in company if there is any; answers when it is durable.
    pub(crate) async fn write(&self, sealed: Bytes, budget: OwnedSemaphorePermit) -> Result<Packed, Error> {
        let budget = Arc::new(budget);
        for _ in 0..TRIES_MAX {
            self.reservations.stock(self.id).await?;
            let (reply, answer) = oneshot::channel();
            let waiting = Waiting { sealed: sealed.clone(), owner: Owner { reply, _budget: Arc::clone(&budget) } };
            self.queue.send(waiting).await.map_err(|_| entente_world::Interrupted)?;
            match answer.await.map_err(|_| entente_world::Interrupted)? {
                Ok(packed) => return Ok(packed),
                Err(Failure::Told(error)) => return Err(error),
                Err(Failure::Unreserved) => {}
            }
        }
        Err(Error::Internal("the ledger reserves segments, and then it does not"))
    }
}

struct Target {
    world: World,
    id: BackendId,
    backend: Arc<dyn Backend>,
    reservations: Arc<Reservations>,
    gather: Duration,
    gather_beside: Duration,
    writers: u32,
}

async fn run(target: Target, mut waiting: mpsc::Receiver<Waiting>, writers: Arc<Semaphore>) {
    let target = Arc::new(target);
    let mut left_over = None;
    loop {
        let first = match left_over.take() {
            Some(first) => first,
            None => match waiting.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        // While segments are being written, more gathers: until they are all done, or until it has taken long enough.
        tokio::select! {
            biased;
            all = writers.acquire_many(target.writers) => drop(all),
            () = target.world.sleep(target.gather_beside) => {}
        }
        let Ok(writer) = Arc::clone(&writers).acquire_owned().await else { return };
        if !target.gather.is_zero() {
            target.world.sleep(target.gather).await;
        }
        let mut batch = Batch::default();
        batch.push(first.owner, first.sealed);
        while let Ok(next) = waiting.try_recv() {
            if !batch.has_room(next.sealed.len() as u64) {
                left_over = Some(next);
                break;
            }
            batch.push(next.owner, next.sealed);
        }
        let task = Arc::clone(&target);
        target.world.spawn(async move {
            write_and_answer(&task, batch).await;
            drop(writer);
        });
    }
}

async fn write_and_answer(target: &Target, batch: Batch) {
    let size = batch.size();
    let entries = batch.into_entries();
    metrics::histogram!("entente_vault_segment_chunks")
        .record(f64::from(u32::try_from(entries.len()).unwrap_or(u32::MAX)));
    let outcome = write_segment(target, &entries).await;
    if let Err(error) = &outcome {
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(backend.id = %target.id, %error, source, "a shared segment could not be written");
    }
    for (owner, offset, _) in entries {
        let answer = match &outcome {
            Ok(reservation) => Ok(Packed { segment: WrittenSegment { segment: reservation.segment, size }, offset }),
            Err(error) => Err(same(error)),
        };
        // Whoever went away leaves a dead stretch in the segment.
        let _ = owner.reply.send(answer);
    }
}

async fn write_segment<T>(target: &Target, entries: &[(T, u64, Bytes)]) -> Result<Reservation, Error> {
    let reservation = target.reservations.take(target.id).await?;
    let mut creation = target.backend.create(reservation.name).await?;
    for (_, _, sealed) in entries {
        creation.write(sealed.clone()).await?;
    }
    creation.commit().await?;
    Ok(reservation)
}

/// The same error for each of those who shared the segment.
fn same(error: &Error) -> Failure {
    match error {
        Error::Cloud(cloud) => {
            let mut same = entente_clouds::Error::new(cloud.kind, cloud.operation);
            same.retryable = cloud.retryable;
            same.source = cloud.source.as_ref().map(|source| source.to_string().into());
            Failure::Told(Error::Cloud(same))
        }
        Error::Interrupted(interrupted) => Failure::Told(Error::Interrupted(*interrupted)),
        _ => Failure::Unreserved,
    }
}
