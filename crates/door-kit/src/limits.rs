//! Every limit of the HTTP surface in one place.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

/// What a client may take of us. [`Limits::default`] suits one machine with 600 MiB for the whole program.
///
/// Memory per connection is at most about twice `buffer_bytes`, and about 30 KiB when it is idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time, over all listeners; each listener keeps one of them for its next. Beyond it nothing is
    /// accepted, and newcomers wait in the kernel's queue.
    pub connections: u32,
    /// Request line and headers together; a longer head is answered 431. Access tokens in JWT form and S3's
    /// metadata headers fit several times over.
    pub head_bytes: usize,
    /// What a connection reads or gathers for writing at a time. Large, so that big contents take few system calls.
    pub buffer_bytes: usize,
    /// A request body that is JSON, or a form, and so is held in memory whole.
    pub json_bytes: usize,
    /// One field of a multipart body other than the content itself, such as Box's `attributes`.
    pub form_field_bytes: usize,
    /// How much of a body that nobody wants is read so that the connection can be kept, before the answer is sent.
    pub unwanted_bytes: u64,
    /// For a TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// Between an answer and the next request. Longer than a usual load balancer's 60 s, so that it is the load
    /// balancer that closes first and no request meets a closing connection.
    pub keep_alive: Duration,
    /// For the next piece of a request body.
    pub body_idle: Duration,
    /// For a client to take any byte at all of what was written to it.
    pub write_stall: Duration,
    /// For requests under way when the process stops.
    pub drain: Duration,
    /// For that rest of a body to arrive. Short, for a client may send nothing more before it has its answer.
    pub unwanted: Duration,
    /// For a client to notice an answer that came before its request was fully sent.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            head_bytes: 64 << 10,
            buffer_bytes: 256 << 10,
            json_bytes: 1 << 20,
            form_field_bytes: 64 << 10,
            unwanted_bytes: 256 << 10,
            handshake: Duration::from_secs(10),
            head: Duration::from_secs(30),
            keep_alive: Duration::from_secs(120),
            body_idle: Duration::from_secs(60),
            write_stall: Duration::from_secs(180),
            drain: Duration::from_secs(30),
            unwanted: Duration::from_secs(1),
            linger: Duration::from_secs(10),
        }
    }
}

/// Raises the number of files and sockets that this process may have open to what the system allows, and returns it.
///
/// The usual 1024 is fewer than the connections of [`Limits::default`]. Call it once at the start; where the system
/// refuses, the number stays as it was.
#[must_use]
pub fn raise_open_files() -> u64 {
    let before = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: before.maximum, maximum: before.maximum };
    if setrlimit(Resource::Nofile, wanted).is_err() {
        return before.current.unwrap_or(u64::MAX);
    }
    before.maximum.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_files_only_rise() {
        let before = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(raise_open_files() >= before);
    }
}
