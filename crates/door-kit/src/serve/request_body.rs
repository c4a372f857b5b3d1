use super::{
    deadline::Deadline,
    progress::{Progress, Unwanted},
};
use crate::body::BodyError;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::Instant;

/// A piece shorter than this is copied, so that it does not hold on to the whole buffer that it was read into.
const COPIED_BYTES_MAX: usize = 2 << 10;

/// A request's body, with a limit on how long its next piece may take to arrive.
pub(crate) struct RequestBody {
    /// Gone once it ended or failed.
    incoming: Option<Incoming>,
    /// Whether anybody asked for it, which lets a client that waits for `100 Continue` go on.
    asked: bool,
    progress: Arc<Progress>,
    idle: Duration,
    since: Option<Instant>,
    deadline: Deadline,
}

impl RequestBody {
    pub(crate) fn new(incoming: Incoming, progress: Arc<Progress>, idle: Duration) -> Self {
        progress.expect_body();
        Self { incoming: Some(incoming), asked: false, progress, idle, since: None, deadline: Deadline::default() }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        this.asked = true;
        let error = match Pin::new(incoming).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.since = None;
                return Poll::Ready(Some(Ok(frame.map_data(unpinned))));
            }
            Poll::Ready(None) => {
                this.incoming = None;
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Err(error))) => BodyError::behind(&error),
            Poll::Pending => {
                let since = *this.since.get_or_insert_with(Instant::now);
                ready!(this.deadline.poll(cx, since + this.idle));
                BodyError::Stalled
            }
        };
        this.incoming = None;
        this.progress.give_up_reading();
        Poll::Ready(Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let Some(incoming) = self.incoming.take().filter(|incoming| !incoming.is_end_stream()) {
            self.progress.leave(Unwanted { incoming, asked: self.asked });
        }
    }
}

fn unpinned(data: Bytes) -> Bytes {
    if data.len() < COPIED_BYTES_MAX { Bytes::copy_from_slice(&data) } else { data }
}
