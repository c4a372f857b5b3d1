use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::time::{Instant, Sleep, sleep_until};

/// A timer for waits that nearly always end in time.
///
/// The timer is made at the first wait and then left running: a later wait moves it only when it goes off too early,
/// so that a wait usually costs no more than a look at it.
#[derive(Default)]
pub(crate) struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Ready once `due` has passed. Otherwise the task is woken then (and perhaps sometimes before).
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if sleep.deadline() > due {
            sleep.as_mut().reset(due);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= due {
                return Poll::Ready(());
            }
            // It was set for an earlier wait that has ended.
            sleep.as_mut().reset(due);
        }
    }
}
