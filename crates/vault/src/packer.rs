//! The driver of `pack`: small contents that arrive together share a segment, one write and one fsync, or one request.
//!
//! While a shared segment is being written, what arrives gathers for the next one. It also waits a little for those that are
//! likely to come, since who was answered a moment ago comes back a moment later: to a cloud because each segment is a
//! request, to a disk because each costs several calls of the system and an fsync or two. Nobody waits who has been alone.

use crate::copies::Copies;
use crate::core::{Core, SEGMENT_CHUNKS};
use crate::pack::{Gathering, Pack, When};
use crate::topology::{Pace, Topology};
use crate::{Error, Limits, Scope, WrittenSegment};
use bytes::Bytes;
use entente_model::{BackendId, PolicyId, ZoneId};
use entente_world::World;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Contents that may wait for a segment; more callers wait for a place.
const QUEUE_MAX: usize = 1024;
/// How often one asks again after a segment could not be reserved by whoever wrote for several.
const TRIES_MAX: u32 = 3;

/// One for each policy that is written to.
pub(crate) struct Packers {
    core: Arc<Core>,
    running: Mutex<BTreeMap<(ZoneId, PolicyId), Arc<Packer>>>,
}

impl Packers {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core, running: Mutex::default() }
    }

    /// Writes one sealed chunk, in the company of others of its policy if there are any; answers when it is durable.
    pub(crate) async fn write(
        &self,
        scope: Scope,
        sealed: Bytes,
        budget: OwnedSemaphorePermit,
    ) -> Result<Packed, Error> {
        let packer = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            let packer = running.entry((scope.zone, scope.policy));
            Arc::clone(packer.or_insert_with(|| Arc::new(Packer::start(&self.core, scope))))
        };
        packer.write(sealed, budget).await
    }

    /// Ends those of policies that are gone, once what waits in them is written.
    pub(crate) fn retire(&self, topology: &Topology) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|(zone, policy), _| topology.policy(*zone, *policy).is_ok());
    }
}

struct Packer {
    queue: mpsc::Sender<Waiting>,
    core: Arc<Core>,
    scope: Scope,
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
    fn start(core: &Arc<Core>, scope: Scope) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE_MAX);
        let writers = core.limits.shared_writers.max(1);
        let target = Target { core: Arc::clone(core), scope, writers };
        core.world.spawn(run(Arc::new(target), waiting));
        Self { queue, core: Arc::clone(core), scope }
    }

    async fn write(&self, sealed: Bytes, budget: OwnedSemaphorePermit) -> Result<Packed, Error> {
        let budget = Arc::new(budget);
        for _ in 0..TRIES_MAX {
            let Scope { zone, policy, .. } = self.scope;
            let plan = self.core.plan(&self.core.topology(), zone, policy)?;
            self.core.reservations.stock(policy, &plan.order).await?;
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
    core: Arc<Core>,
    /// Segments are shared by all enterprises: only the zone and the policy count.
    scope: Scope,
    writers: u32,
}

impl Target {
    /// How segments are written now: as to a cloud, if a cloud is among those that must have a copy.
    fn pace(&self) -> Pace {
        let topology = self.core.topology();
        let plan = self.core.plan(&topology, self.scope.zone, self.scope.policy);
        let first = plan.map(|plan| plan.first()).unwrap_or_default();
        let is_cloud = |id: &BackendId| topology.member(*id).is_some_and(|member| member.pace == Pace::Cloud);
        if first.iter().any(is_cloud) { Pace::Cloud } else { Pace::Disk }
    }
}

/// What is being written, as a packer keeps count of it.
struct Open {
    segments: FuturesUnordered<JoinHandle<usize>>,
    /// When the last one ended.
    ended_at: Instant,
    /// How many contents came together of late.
    company: usize,
}

impl Open {
    async fn one_ends(&mut self, world: &World, gathered: usize) {
        let ended = self.segments.next().await;
        // Their owners are about to come back, if they come again.
        let came = ended.and_then(Result::ok).unwrap_or(0) + gathered;
        self.company = came.max(self.company - self.company.div_ceil(8));
        self.ended_at = world.instant();
    }
}

async fn run(target: Arc<Target>, mut waiting: mpsc::Receiver<Waiting>) {
    let world = &target.core.world;
    let mut open = Open { segments: FuturesUnordered::new(), ended_at: world.instant(), company: 1 };
    let mut left_over = None;
    loop {
        let first = loop {
            if let Some(first) = left_over.take() {
                break first;
            }
            tokio::select! {
                biased;
                () = open.one_ends(world, 0), if !open.segments.is_empty() => {}
                next = waiting.recv() => match next {
                    Some(first) => break first,
                    None => return,
                },
            }
        };
        let mut batch = Batch::default();
        batch.push(first.owner, first.sealed);
        left_over = gather(&target, &mut open, &mut waiting, &mut batch).await;
        let task = Arc::clone(&target);
        open.segments.push(world.spawn(async move { write_and_answer(&task, batch).await }));
    }
}

/// Lets a batch gather until it is worth a write. Answers what does not go in.
async fn gather(
    target: &Target,
    open: &mut Open,
    waiting: &mut mpsc::Receiver<Waiting>,
    batch: &mut Batch,
) -> Option<Waiting> {
    let Limits { gather_beside, gather, gather_cloud, .. } = target.core.limits;
    let pace = target.pace();
    let world = &target.core.world;
    let began_at = world.instant();
    let (mut came_at, mut closed) = (began_at, false);
    let mut left_over = None;
    loop {
        while left_over.is_none()
            && let Ok(next) = waiting.try_recv()
        {
            if !batch.has_room(next.sealed.len() as u64) {
                left_over = Some(next);
                break;
            }
            batch.push(next.owner, next.sealed);
            came_at = world.instant();
        }
        let now = world.instant();
        let gathering = Gathering {
            entries: batch.len(),
            size: batch.size(),
            is_full: left_over.is_some(),
            company: open.company,
            open: open.segments.len(),
            age: now.saturating_duration_since(began_at),
            quiet: now.saturating_duration_since(came_at.max(open.ended_at)),
            alone: now.saturating_duration_since(began_at.max(open.ended_at)),
        };
        let writers = target.writers as usize;
        let when = match pace {
            Pace::Disk => gathering.when_to_disk(gather, gather_beside, writers),
            Pace::Cloud => gathering.when_to_cloud(gather_cloud, writers),
        };
        let span = match when {
            When::Now => return left_over,
            When::In(span) => span,
            When::OneEnds => Duration::MAX,
        };
        tokio::select! {
            biased;
            () = open.one_ends(world, batch.len()), if !open.segments.is_empty() => {}
            next = waiting.recv(), if !closed && left_over.is_none() => match next {
                Some(next) if !batch.has_room(next.sealed.len() as u64) => left_over = Some(next),
                Some(next) => {
                    batch.push(next.owner, next.sealed);
                    came_at = world.instant();
                }
                None => closed = true,
            },
            () = world.sleep(span) => {}
        }
    }
}

/// Answers how many contents there were.
async fn write_and_answer(target: &Target, batch: Batch) -> usize {
    let entries = batch.into_entries();
    let count = entries.len();
    metrics::histogram!(SEGMENT_CHUNKS).record(f64::from(u32::try_from(entries.len()).unwrap_or(u32::MAX)));
    let outcome = write_segment(target, &entries).await;
    if let Err(error) = &outcome {
        let source = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(policy.id = %target.scope.policy, %error, source, "a shared segment could not be written");
    }
    for (owner, offset, _) in entries {
        let answer = match &outcome {
            Ok(segment) => Ok(Packed { segment: *segment, offset }),
            Err(error) => Err(same(error)),
        };
        // Whoever went away leaves a dead stretch in the segment.
        let _ = owner.reply.send(answer);
    }
    count
}

async fn write_segment<T>(target: &Target, entries: &[(T, u64, Bytes)]) -> Result<WrittenSegment, Error> {
    let mut copies = Copies::begin(&target.core, target.scope.zone, target.scope.policy).await?;
    for (_, _, sealed) in entries {
        copies.write(sealed.clone()).await?;
    }
    copies.commit().await
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
        Error::Unmet { policy, why } => Failure::Told(Error::Unmet { policy: *policy, why }),
        _ => Failure::Unreserved,
    }
}
