//! What does the work.

use crate::backoff::LONGEST;
use entente_world::Shutdown;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// Any error.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One run of a job.
#[derive(Clone)]
pub struct Run {
    /// Which of its kind.
    pub key: String,
    /// What the kind needs to know.
    pub payload: String,
    /// How often it has been tried since it last succeeded, this time included: from 1.
    pub attempt: u32,
    /// Says when the process stops: a long job ends early then, and its rest is done after the next start.
    pub shutdown: Shutdown,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The job is done. A scheduled one comes again in its time.
    Done,
    /// There is more to do, after this long.
    Again(Duration),
}

/// Does the work of one kind.
pub type Handler = Arc<dyn Fn(Run) -> BoxFuture<'static, Result<Outcome, BoxError>> + Send + Sync>;

/// Makes a handler of an async function.
pub fn handler<F, W>(function: F) -> Handler
where
    F: Fn(Run) -> W + Send + Sync + 'static,
    W: Future<Output = Result<Outcome, BoxError>> + Send + 'static,
{
    Arc::new(move |run| Box::pin(function(run)))
}

/// The handler of each kind, and which of them come by themselves.
#[derive(Clone, Default)]
pub struct Handlers {
    pub(crate) kinds: BTreeMap<&'static str, Kind>,
}

#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) handler: Handler,
    pub(crate) every: Option<Duration>,
    /// For no later than this a job of the kind is queued, or is to be tried again.
    pub(crate) ahead_max: Duration,
}

impl Handlers {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind whose jobs are queued by somebody, for an hour later at most.
    #[must_use]
    pub fn on(self, kind: &'static str, handler: Handler) -> Self {
        self.on_within(Duration::ZERO, kind, handler)
    }

    /// Adds a kind whose jobs are queued by somebody, for so much later at most. What is found to wait for longer than any
    /// of its kind may was queued by a clock that was wrong, and is run.
    #[must_use]
    pub fn on_within(mut self, span: Duration, kind: &'static str, handler: Handler) -> Self {
        self.kinds.insert(kind, Kind { handler, every: None, ahead_max: span.max(LONGEST) });
        self
    }

    /// Adds a kind that has one job, which comes by itself that often (from the end of one run to the start of the next).
    #[must_use]
    pub fn every(mut self, span: Duration, kind: &'static str, handler: Handler) -> Self {
        self.kinds.insert(kind, Kind { handler, every: Some(span), ahead_max: span.max(LONGEST) });
        self
    }
}
