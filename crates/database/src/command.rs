//! A write on its way to the writer: what to run, and whom to answer after the commit.

use crate::{Error, ErrorKind, Tx};
use tokio::sync::oneshot;

/// A queued command, whatever its answer's type.
pub(crate) trait Command: Send {
    /// Its name, for metrics and logs.
    fn name(&self) -> &'static str;
    /// Runs it; `false` asks for what it wrote to be rolled back. May be run again, which replaces its outcome.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Takes back what it answered for itself: it has failed after all. An error of its own stays.
    fn refuse(&mut self, error: Error);
    /// Tells the caller. `Err` means that the commit that held it failed.
    fn answer(self: Box<Self>, commit: Result<(), Error>);
}

pub(crate) struct Queued<F, T, E> {
    name: &'static str,
    function: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Queued<F, T, E> {
    pub(crate) fn new(name: &'static str, function: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, receiver) = oneshot::channel();
        (Self { name, function, outcome: None, reply }, receiver)
    }
}

impl<F, T, E> Command for Queued<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // Should it panic, it must not keep the outcome of an earlier run.
        self.outcome = None;
        let outcome = (self.function)(tx);
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn refuse(&mut self, error: Error) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(error.into()));
        }
    }

    fn answer(self: Box<Self>, commit: Result<(), Error>) {
        let not_run = || Err(Error::new(ErrorKind::Failed, "the command was not run").into());
        let outcome = match (commit, self.outcome) {
            // A command that failed by itself keeps its own error: nothing of it was in the commit.
            (Err(error), Some(Ok(_)) | None) => Err(error.into()),
            (_, outcome) => outcome.unwrap_or_else(not_run),
        };
        // A caller that went away does not want the answer.
        let _ = self.reply.send(outcome);
    }
}
