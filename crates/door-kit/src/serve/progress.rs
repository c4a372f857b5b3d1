use hyper::body::Incoming;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU32, Ordering},
};

/// Where a connection stands, as far as its socket, its request and its answer must know it of each other.
///
/// All three run in the connection's own task; the atomics only satisfy the compiler.
#[derive(Default)]
pub(crate) struct Progress {
    /// Heads that were read so far.
    begun: AtomicU32,
    /// The last request whose answer has ended. Equal to `begun`: a head is awaited.
    ended: AtomicU32,
    /// Some of a request was left unread, so the connection cannot go on.
    unread: AtomicBool,
    /// What the service left of the request's body, until the answer is there.
    leftover: Mutex<Leftover>,
    /// The request line that was read last has a fragment.
    fragment: AtomicBool,
}

/// What a service left of a request's body.
#[derive(Default)]
enum Leftover {
    /// There is no request, or its answer has been given.
    #[default]
    Nobody,
    /// The body is still being read.
    Awaited,
    /// The service let go of it before its end.
    Unwanted(Unwanted),
}

/// The rest of a body that the service did not want.
pub(crate) struct Unwanted {
    pub(crate) incoming: Incoming,
    /// Whether any of it was asked for.
    pub(crate) asked: bool,
}

impl Progress {
    /// A head was read. Returns the number of the request.
    pub(crate) fn begin(&self) -> u32 {
        self.begun.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The answer to that request was handed over to the socket, or given up.
    pub(crate) fn end(&self, request: u32) {
        self.ended.store(request, Ordering::Relaxed);
    }

    /// `Some` while a head is awaited: how many requests have ended.
    pub(crate) fn awaited(&self) -> Option<u32> {
        let ended = self.ended.load(Ordering::Relaxed);
        (self.begun.load(Ordering::Relaxed) == ended).then_some(ended)
    }

    /// From here on a body that is let go is kept for [`Progress::answered`].
    pub(crate) fn expect_body(&self) {
        *self.lock() = Leftover::Awaited;
    }

    /// The service lets go of a body before its end.
    pub(crate) fn leave(&self, body: Unwanted) {
        let mut leftover = self.lock();
        if matches!(*leftover, Leftover::Awaited) {
            *leftover = Leftover::Unwanted(body);
        } else {
            self.unread.store(true, Ordering::Relaxed);
        }
    }

    /// The answer is there. Returns the body, if the service did not want all of it.
    pub(crate) fn answered(&self) -> Option<Unwanted> {
        match std::mem::take(&mut *self.lock()) {
            Leftover::Unwanted(body) => Some(body),
            Leftover::Nobody | Leftover::Awaited => None,
        }
    }

    /// Some of a request will stay unread.
    pub(crate) fn give_up_reading(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// The request line that is being read has a fragment (`#`).
    pub(crate) fn has_fragment(&self) {
        self.fragment.store(true, Ordering::Relaxed);
    }

    /// Whether the request line had one, which hyper does not tell.
    pub(crate) fn take_fragment(&self) -> bool {
        self.fragment.swap(false, Ordering::Relaxed)
    }

    /// Whether the client may still be sending what nobody reads.
    pub(crate) fn may_be_sending(&self) -> bool {
        self.unread.load(Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Leftover> {
        self.leftover.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
