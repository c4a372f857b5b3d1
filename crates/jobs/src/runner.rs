//! Takes jobs that are due, runs them under leases, and ends them.

use crate::BoxError;
use crate::backoff::wait;
use crate::handler::{Handlers, Outcome, Run};
use entente_database::jobs::{self, Ahead, NewJob, Taken};
use entente_database::{Database, Error, Tx};
use entente_model::{JobId, with_causes};
use entente_world::{Shutdown, World};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Another runner was quicker to take what is due: what it left is looked for after this.
const SOMEBODY_ELSE: Duration = Duration::from_millis(50);
/// What is stamped further ahead than can be, and stays so through this many leases, is made due. Whoever is alive renews
/// its lease three times in each, whatever its clock says: so no two clocks are compared, and none need be right.
const AHEAD_LEASES: u32 = 5;
/// Such jobs of a kind that are looked at, at a time.
const AHEAD_MAX: u32 = 1_000;

/// How a runner behaves.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Jobs that run at a time.
    pub concurrency: u32,
    /// How long a job stays taken without a sign of life. It is renewed every third of this. With `poll`, the time
    /// until the jobs of a node that has died go on elsewhere.
    pub lease: Duration,
    /// How often the queue is looked at when nobody calls [`Runner::wake`].
    pub poll: Duration,
    /// How long running jobs may go on when the process stops; then they are given back.
    pub drain: Duration,
}

impl Settings {
    /// Within how long the jobs of a node that has died go on elsewhere, where a hand is free.
    #[must_use]
    pub const fn takeover(&self) -> Duration {
        self.lease.saturating_add(self.poll)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_secs(12),
            poll: Duration::from_secs(2),
            drain: Duration::from_secs(10),
        }
    }
}

/// Runs jobs. Cheap to clone; several may share a database, in one process or in many.
#[derive(Clone)]
pub struct Runner {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    database: Database,
    handlers: Handlers,
    settings: Settings,
    wake: Notify,
    free: Arc<Semaphore>,
}

impl Runner {
    /// A runner that does nothing yet.
    #[must_use]
    pub fn new(world: World, database: Database, handlers: Handlers, settings: Settings) -> Self {
        let free = Arc::new(Semaphore::new(settings.concurrency.max(1) as usize));
        Self { inner: Arc::new(Inner { world, database, handlers, settings, wake: Notify::new(), free }) }
    }

    /// Makes [`Runner::run`] look at the queue now: call it after queueing a job that is due at once.
    pub fn wake(&self) {
        self.inner.wake.notify_one();
    }

    /// Queues the scheduled jobs that are not queued yet, each due after its span at the latest.
    pub async fn schedule(&self) -> Result<(), Error> {
        let inner = &self.inner;
        let now = inner.world.now();
        let scheduled = inner.handlers.kinds.iter().filter_map(|(name, kind)| Some((*name, kind.every?)));
        let rows: Vec<_> =
            scheduled.map(|(name, every)| (name, JobId::new(inner.world.next_id()), now.after(every))).collect();
        let queue = move |tx: &mut Tx<'_>| {
            for (kind, job, run_at) in &rows {
                jobs::enqueue(tx, &NewJob { job: *job, kind, key: "", payload: "", run_at: *run_at }, now)?;
            }
            Ok(())
        };
        inner.database.transact("schedule jobs", queue).await
    }

    /// Takes and runs jobs until `shutdown` is requested, then lets those that run end, or gives them back.
    ///
    /// Errors of the database are logged, and the queue is looked at again later.
    pub async fn run(&self, mut shutdown: Shutdown) {
        let inner = &self.inner;
        let (mut ahead, mut looked_at) = (Vec::new(), inner.world.instant());
        while !shutdown.is_requested() {
            if looked_at.elapsed() >= inner.settings.lease.saturating_mul(AHEAD_LEASES) {
                looked_at = inner.world.instant();
                ahead = inner.look_ahead(ahead).await.unwrap_or_else(|error| {
                    tracing::warn!(%error, "it cannot be seen whether jobs wait for nothing; looking again later");
                    Vec::new()
                });
            }
            let wait = match inner.take_some(&shutdown).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::warn!(%error, "jobs cannot be taken; trying again soon");
                    inner.settings.poll
                }
            };
            if wait.is_zero() {
                continue;
            }
            tokio::select! {
                () = shutdown.requested() => {}
                () = inner.wake.notified() => {}
                () = inner.world.sleep(wait) => {}
            }
        }
        // Every task that runs a job holds a permit, and gives the job back by itself when it has to stop.
        let all = inner.settings.concurrency.max(1);
        let ended = inner.free.acquire_many(all);
        // The tasks need a moment beyond `drain` for their last transaction.
        if tokio::time::timeout(inner.settings.drain.saturating_mul(2), ended).await.is_err() {
            tracing::warn!("jobs did not end in time; they run again after their leases");
        }
    }

    /// Takes what is due and runs it to its end, once; answers how many jobs ran. For tests and the command line.
    pub async fn run_due(&self, shutdown: &Shutdown) -> Result<usize, Error> {
        let inner = &self.inner;
        let mut ran = 0;
        loop {
            let taken = inner.take(1).await?;
            let Some(job) = taken.into_iter().next() else { return Ok(ran) };
            inner.run_one(job, shutdown.clone()).await;
            ran += 1;
        }
    }
}

impl Inner {
    /// Takes as many jobs as there are free hands and starts them. Answers when to look again: until the next job is due,
    /// or somebody else may have queued one.
    async fn take_some(self: &Arc<Self>, shutdown: &Shutdown) -> Result<Duration, Error> {
        let poll = self.settings.poll;
        let mut stop = shutdown.clone();
        let first = tokio::select! {
            permit = Arc::clone(&self.free).acquire_owned() => permit,
            () = stop.requested() => return Ok(poll),
        };
        // The semaphore is never closed.
        let Ok(first) = first else { return Ok(poll) };
        let mut hands: Vec<OwnedSemaphorePermit> = vec![first];
        while let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() {
            hands.push(permit);
        }
        // A look that finds nothing must not cost a write.
        let now = self.world.now();
        let next = self.database.read(jobs::next_run)?;
        if next.is_none_or(|next| next > now) {
            let until = next.map(|next| u64::try_from(next.millis().saturating_sub(now.millis())).unwrap_or(0));
            return Ok(until.map_or(poll, |until_ms| poll.min(Duration::from_millis(until_ms.max(1)))));
        }
        let taken = self.take(u32::try_from(hands.len()).unwrap_or(1)).await?;
        let wait = if taken.is_empty() { poll.min(SOMEBODY_ELSE) } else { Duration::ZERO };
        for (job, hand) in taken.into_iter().zip(hands) {
            let (inner, shutdown) = (Arc::clone(self), shutdown.clone());
            self.world.spawn(async move {
                inner.run_one(job, shutdown).await;
                drop(hand);
                inner.wake.notify_one();
            });
        }
        Ok(wait)
    }

    /// Makes jobs due that are stamped further ahead than can be, and have been since they were seen `before`: a clock that
    /// was wrong has stamped them. Answers those that are stamped so and have not been seen before.
    async fn look_ahead(&self, before: Vec<Ahead>) -> Result<Vec<Ahead>, Error> {
        let now = self.world.now();
        let lease_max = now.after(self.settings.lease);
        let kinds: Vec<_> = self.handlers.kinds.iter().map(|(name, kind)| (*name, now.after(kind.ahead_max))).collect();
        let read = move |tx: &mut Tx<'_>| {
            let mut found = Vec::new();
            for (kind, due_max) in &kinds {
                found.extend(jobs::ahead(tx, kind, *due_max, lease_max, AHEAD_MAX)?);
            }
            Ok::<_, Error>(found)
        };
        let (stuck, new): (Vec<_>, Vec<_>) =
            self.database.read_long(read).await?.into_iter().partition(|job| before.contains(job));
        if !stuck.is_empty() {
            let make_due = move |tx: &mut Tx<'_>| {
                let mut made = 0;
                for job in &stuck {
                    made += usize::from(jobs::make_due(tx, job, now)?);
                }
                Ok::<_, Error>(made)
            };
            let made = self.database.transact("make jobs due", make_due).await?;
            tracing::warn!(jobs = made, "jobs were stamped by a clock that was ahead; they run now");
        }
        Ok(new)
    }

    async fn take(&self, limit: u32) -> Result<Vec<Taken>, Error> {
        let now = self.world.now();
        let until = now.after(self.settings.lease);
        self.database.transact("take jobs", move |tx| jobs::take(tx, now, until, limit)).await
    }

    async fn run_one(&self, taken: Taken, shutdown: Shutdown) {
        let started = self.world.instant();
        let kind = taken.kind.clone();
        let (end, taken) = self.work(taken, shutdown).await;
        let label = match &end {
            End::Succeeded(_) => "succeeded",
            End::Failed(_) => "failed",
            End::Stopped => "stopped",
            End::Lost => "lost",
        };
        metrics::counter!("entente_jobs_total", "kind" => kind.clone(), "end" => label).increment(1);
        metrics::histogram!("entente_job_seconds", "kind" => kind.clone()).record(started.elapsed().as_secs_f64());
        match self.end(&taken, end).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(job.id = %taken.job, job.kind = kind, "a job was withdrawn while it ran, or its lease was lost");
            }
            Err(error) => {
                tracing::warn!(job.id = %taken.job, job.kind = kind, %error, "a job could not be ended; it runs again");
            }
        }
    }

    /// Runs the handler while keeping the lease. A panic is a failure.
    async fn work(&self, mut taken: Taken, mut shutdown: Shutdown) -> (End, Taken) {
        let Some(kind) = self.handlers.kinds.get(taken.kind.as_str()) else {
            return (End::Failed("no handler for this kind in this release".into()), taken);
        };
        let run = Run {
            key: taken.key.clone(),
            payload: taken.payload.clone(),
            attempt: taken.attempts,
            shutdown: shutdown.clone(),
        };
        // A task of its own, so that a panic ends the task and not the runner.
        let mut task = Aborting(self.world.spawn((kind.handler)(run)));
        let mut stopping = shutdown.is_requested();
        let mut drained = std::pin::pin!(self.world.sleep(Duration::MAX));
        if stopping {
            drained.set(self.world.sleep(self.settings.drain));
        }
        loop {
            tokio::select! {
                ended = &mut task.0 => {
                    let end = match ended {
                        Ok(Ok(Outcome::Done)) => End::Succeeded(kind.every),
                        Ok(Ok(Outcome::Again(after))) => End::Succeeded(Some(after)),
                        Ok(Err(error)) => End::Failed(error),
                        Err(panic) => End::Failed(panic.into()),
                    };
                    return (end, taken);
                }
                () = self.world.sleep(self.settings.lease / 3) => match self.renew(&taken).await {
                    Ok(Some(renewed)) => taken = renewed,
                    Ok(None) => return (End::Lost, taken),
                    Err(error) => tracing::warn!(job.id = %taken.job, %error, "a lease could not be renewed"),
                },
                () = shutdown.requested(), if !stopping => {
                    stopping = true;
                    drained.set(self.world.sleep(self.settings.drain));
                }
                () = &mut drained, if stopping => return (End::Stopped, taken),
            }
        }
    }

    async fn renew(&self, taken: &Taken) -> Result<Option<Taken>, Error> {
        let until = self.world.now().after(self.settings.lease);
        let taken = taken.clone();
        self.database.transact("renew job", move |tx| jobs::renew(tx, &taken, until)).await
    }

    /// Records how a run ended. `false` when the lease was lost meanwhile.
    async fn end(&self, taken: &Taken, end: End) -> Result<bool, Error> {
        let now = self.world.now();
        let job = taken.clone();
        match end {
            End::Succeeded(None) => self.database.transact("complete job", move |tx| jobs::complete(tx, &job)).await,
            End::Succeeded(Some(after)) => {
                self.database.transact("run job again", move |tx| jobs::again(tx, &job, now.after(after))).await
            }
            End::Failed(error) => {
                let run_at = now.after(wait(taken.attempts, self.world.random()));
                let text = with_causes(&*error);
                tracing::warn!(
                    job.id = %taken.job, job.kind = taken.kind, attempts = taken.attempts, error = text, "a job failed"
                );
                self.database.transact("fail job", move |tx| jobs::fail(tx, &job, &text, run_at)).await
            }
            End::Stopped => self.database.transact("give job back", move |tx| jobs::give_back(tx, &job, now)).await,
            End::Lost => Ok(false),
        }
    }
}

enum End {
    /// And runs again after that, if it is to.
    Succeeded(Option<Duration>),
    Failed(BoxError),
    Stopped,
    Lost,
}

/// A task that does not outlive its owner.
struct Aborting<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Aborting<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
