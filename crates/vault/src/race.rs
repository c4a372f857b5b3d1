//! Several tries at one thing, begun one after the other: another one when one fails, or is late. Whoever runs the race
//! says when to begin one and when it is over; dropping it drops what still runs.

use entente_clouds::Error;
use entente_world::World;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::time::Duration;
use tokio::time::Instant;

/// How often those that are not late yet are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(crate) struct Race<'a, C, T> {
    world: World,
    patience: Duration,
    running: FuturesUnordered<BoxFuture<'a, (C, Result<T, Error>)>>,
    candidates: Vec<Candidate<C>>,
}

struct Candidate<C> {
    who: C,
    /// From when on it is not waited for alone; `None` when that has been said.
    late_at: Option<Instant>,
}

/// What has happened.
#[derive(Debug)]
pub(crate) enum Event<C, T> {
    /// One has ended.
    Done(C, Result<T, Error>),
    /// One that runs has become late: it takes too long, or has no hope.
    Late,
}

impl<'a, C, T> Race<'a, C, T>
where
    C: Copy + Eq + Send + 'a,
    T: Send + 'a,
{
    /// One that has run for longer than `patience` is late.
    pub(crate) fn new(world: World, patience: Duration) -> Self {
        Self { world, patience, running: FuturesUnordered::new(), candidates: Vec::new() }
    }

    pub(crate) fn begin(&mut self, who: C, attempt: impl Future<Output = Result<T, Error>> + Send + 'a) {
        self.running.push(Box::pin(async move { (who, attempt.await) }));
        self.candidates.push(Candidate { who, late_at: Some(self.world.instant() + self.patience) });
    }

    /// Those that run.
    pub(crate) fn running(&self) -> impl Iterator<Item = C> + '_ {
        self.candidates.iter().map(|candidate| candidate.who)
    }

    /// Those that run and are not late.
    pub(crate) fn promising(&self) -> impl Iterator<Item = C> + '_ {
        self.candidates.iter().filter(|candidate| candidate.late_at.is_some()).map(|candidate| candidate.who)
    }

    /// What happens next, or `None` when none runs. `has_no_hope` says of one that runs that it is late already.
    pub(crate) async fn event(&mut self, has_no_hope: impl Fn(C) -> bool) -> Option<Event<C, T>> {
        loop {
            let Some(late_at) = self.candidates.iter().filter_map(|candidate| candidate.late_at).min() else {
                return self.done().await;
            };
            let now = self.world.instant();
            let span = if self.candidates.iter().any(|c| c.late_at.is_some() && has_no_hope(c.who)) {
                Duration::ZERO
            } else {
                late_at.saturating_duration_since(now).min(LOOK_EVERY)
            };
            let world = self.world.clone();
            tokio::select! {
                // What has come just in time counts.
                biased;
                done = self.done() => return done,
                () = world.sleep(span) => {}
            }
            let now = self.world.instant();
            let mut late = false;
            for candidate in &mut self.candidates {
                if candidate.late_at.is_some_and(|late_at| late_at <= now || has_no_hope(candidate.who)) {
                    candidate.late_at = None;
                    late = true;
                }
            }
            if late {
                return Some(Event::Late);
            }
        }
    }

    /// Lets those that run end, for `span` at most: who was too slow is to be known for how slow it was.
    pub(crate) async fn outrun(mut self, span: Duration) {
        let world = self.world.clone();
        tokio::select! {
            () = async { while self.done().await.is_some() {} } => {}
            () = world.sleep(span) => {}
        }
    }

    async fn done(&mut self) -> Option<Event<C, T>> {
        let (who, outcome) = self.running.next().await?;
        self.candidates.retain(|candidate| candidate.who != who);
        Some(Event::Done(who, outcome))
    }
}
