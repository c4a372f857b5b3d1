use super::{deadline::Deadline, progress::Progress, request_line::RequestLine};
use crate::limits::Limits;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// What is read at a time of what nobody wants.
const DISCARD_BYTES: usize = 16 << 10;

/// A socket on which nobody waits forever.
///
/// * While a request's head is awaited, reading ends after `keep_alive` when no byte of it has come (as if the
///   client had hung up), and fails after `head` when some have. While a request is being served, reading has no
///   limit of its own: its body has one (see [`RequestBody`](super::request_body::RequestBody)).
/// * Of the first line of each head that is awaited it is noticed whether its target has a fragment.
/// * Writing fails when the client takes nothing for `write_stall`.
/// * Shutting down first reads away what the client may still be sending, for `linger`. A socket that is closed with
///   bytes unread resets the connection, and the client would lose the answer that it has not yet looked at.
pub(crate) struct Guarded<T> {
    io: T,
    progress: Arc<Progress>,
    keep_alive: Duration,
    head: Duration,
    write_stall: Duration,
    linger: Duration,
    /// How many requests had ended when the present wait for a head began.
    ended: Option<u32>,
    /// Whether the head that is awaited has begun to arrive.
    head_begun: bool,
    /// What there is of its first line.
    line: RequestLine,
    read_since: Option<Instant>,
    read_deadline: Deadline,
    write_since: Option<Instant>,
    write_deadline: Deadline,
    closing: Closing,
}

enum Closing {
    No,
    Sent { until: Instant },
    Done,
}

impl<T> Guarded<T> {
    pub(crate) fn new(io: T, progress: Arc<Progress>, limits: &Limits) -> Self {
        Self {
            io,
            progress,
            keep_alive: limits.keep_alive,
            head: limits.head,
            write_stall: limits.write_stall,
            linger: limits.linger,
            ended: None,
            head_begun: false,
            line: RequestLine::default(),
            read_since: None,
            read_deadline: Deadline::default(),
            write_since: None,
            write_deadline: Deadline::default(),
            closing: Closing::No,
        }
    }

    /// Notices that a new wait for a head has begun. Whether a head is awaited.
    fn awaits_head(&mut self) -> bool {
        let Some(ended) = self.progress.awaited() else { return false };
        if self.ended != Some(ended) {
            self.ended = Some(ended);
            self.head_begun = false;
            self.line = RequestLine::default();
            self.read_since = None;
        }
        true
    }

    /// While a head is awaited: ready when it has been awaited for too long, which wakes the task.
    fn awaited_too_long(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let since = *self.read_since.get_or_insert_with(Instant::now);
        let limit = if self.head_begun { self.head } else { self.keep_alive };
        self.read_deadline.poll(cx, since + limit)
    }

    fn written<O>(&mut self, cx: &mut Context<'_>, outcome: Poll<io::Result<O>>) -> Poll<io::Result<O>> {
        if outcome.is_ready() {
            self.write_since = None;
            return outcome;
        }
        let since = *self.write_since.get_or_insert_with(Instant::now);
        ready!(self.write_deadline.poll(cx, since + self.write_stall));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not take what is sent")))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut this.io).poll_read(cx, buffer);
        if !this.awaits_head() {
            return outcome;
        }
        if outcome.is_ready() {
            if this.line.read(buffer.filled().get(before..).unwrap_or_default()) {
                this.progress.has_fragment();
            }
            if !this.head_begun && buffer.filled().len() > before {
                this.head_begun = true;
                this.read_since = None;
            }
            return outcome;
        }
        ready!(this.awaited_too_long(cx));
        if this.head_begun {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the request's head stopped arriving")));
        }
        // Nothing read: to hyper the client has hung up.
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.written(cx, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        self.written(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let outcome = Pin::new(&mut this.io).poll_flush(cx);
        if outcome.is_ready() && this.awaits_head() {
            // The answer is out. hyper need not look for the next request before something wakes it, so the clock
            // must be started here. Whether it has run out is seen when reading.
            let _ = this.awaited_too_long(cx);
        }
        this.written(cx, outcome)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match this.closing {
                Closing::No => {
                    let outcome = Pin::new(&mut this.io).poll_shutdown(cx);
                    ready!(this.written(cx, outcome))?;
                    // A head that began but was never served was refused: more of it may be on its way.
                    let refused = this.awaits_head() && this.head_begun;
                    this.closing = if refused || this.progress.may_be_sending() {
                        Closing::Sent { until: Instant::now() + this.linger }
                    } else {
                        Closing::Done
                    };
                }
                Closing::Sent { until } => {
                    let mut storage = [0; DISCARD_BYTES];
                    let mut discarded = ReadBuf::new(&mut storage);
                    match Pin::new(&mut this.io).poll_read(cx, &mut discarded) {
                        Poll::Ready(Ok(())) if !discarded.filled().is_empty() && Instant::now() < until => {}
                        Poll::Ready(_) => this.closing = Closing::Done,
                        Poll::Pending => {
                            ready!(this.read_deadline.poll(cx, until));
                            this.closing = Closing::Done;
                        }
                    }
                }
                Closing::Done => return Poll::Ready(Ok(())),
            }
        }
    }
}
