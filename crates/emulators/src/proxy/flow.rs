//! One connection through the proxy: two threads, one for each direction.

use super::{Fault, Shared, State};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::{
        PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

const BUFFER_BYTES: usize = 64 << 10;
/// A throttled direction passes its bytes in so many portions a second.
const PORTIONS_PER_SECOND: u64 = 20;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Request,
    Response,
}

/// One connection.
pub struct Connection<'a> {
    shared: &'a Shared,
    client: TcpStream,
    server: TcpStream,
    /// The last that passed went to the server: what comes from there is a new response; and the other way round.
    asked: AtomicBool,
}

/// The request or response that passes in one direction.
#[derive(Default)]
struct Message {
    passed_bytes: u64,
    /// How much of the end of its head has been seen.
    head_end_seen: usize,
    /// Once the head has ended.
    body_bytes: Option<u64>,
}

/// Nothing more passes.
struct Ended;

impl<'a> Connection<'a> {
    pub fn new(shared: &'a Shared, client: TcpStream, server: TcpStream) -> Self {
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        Self { shared, client, server, asked: AtomicBool::new(false) }
    }

    /// Passes what comes until both sides have ended.
    pub fn serve(&self) {
        thread::scope(|scope| {
            scope.spawn(|| self.pass(Way::Request));
            self.pass(Way::Response);
        });
    }

    fn pass(&self, way: Way) {
        let (mut from, to) = match way {
            Way::Request => (&self.client, &self.server),
            Way::Response => (&self.server, &self.client),
        };
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut message = Message::default();
        loop {
            let size = match from.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(size) => size,
            };
            if self.turns(way) {
                message = Message::default();
                if way == Way::Response {
                    self.shared.lock().responses += 1;
                    self.delay();
                }
            }
            if self.forward(way, to, &mut buffer[..size], &mut message).is_err() {
                self.close();
                return;
            }
        }
        // The other direction may have more to say, as after a request that ends with the end of the stream.
        let _ = to.shutdown(Shutdown::Write);
    }

    /// Whether this is the first since the other side spoke.
    fn turns(&self, way: Way) -> bool {
        let asks = way == Way::Request;
        self.asked.swap(asks, Ordering::SeqCst) != asks
    }

    fn close(&self) {
        let _ = (self.client.shutdown(Shutdown::Both), self.server.shutdown(Shutdown::Both));
    }

    fn forward(&self, way: Way, mut to: &TcpStream, bytes: &mut [u8], message: &mut Message) -> Result<(), Ended> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let fault = self.fault()?;
            let allowed = match (fault, way) {
                (Fault::CutRequest { after_bytes }, Way::Request)
                | (Fault::CutResponse { after_bytes }, Way::Response) => {
                    after_bytes.saturating_sub(message.passed_bytes)
                }
                (Fault::Throttle { bytes_per_second }, _) => (bytes_per_second / PORTIONS_PER_SECOND).max(1),
                _ => u64::MAX,
            };
            let size = usize::try_from(allowed).unwrap_or(usize::MAX).min(rest.len());
            let (now, later) = std::mem::take(&mut rest).split_at_mut(size);
            if now.is_empty() {
                return Err(Ended);
            }
            let before = message.body_bytes.unwrap_or(0);
            let body_size = message.pass(now);
            if let (Fault::Corrupt { body_offset_bytes }, Way::Response) = (fault, way) {
                corrupt(&mut now[size - body_size..], before, body_offset_bytes);
            }
            to.write_all(now).map_err(|_| Ended)?;
            rest = later;
            if let Fault::Throttle { bytes_per_second } = fault {
                let nanoseconds = 1_000_000_000 * size as u64 / bytes_per_second.max(1);
                self.wait(Duration::from_nanos(nanoseconds));
            }
        }
        Ok(())
    }

    /// The fault that holds now, once it is not one that holds everything back.
    fn fault(&self) -> Result<Fault, Ended> {
        let hangs = |state: &mut State| state.fault == Fault::Hang && !state.ends;
        let waited = self.shared.changed.wait_while(self.shared.lock(), hangs);
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.refuses() { Err(Ended) } else { Ok(state.fault) }
    }

    fn delay(&self) {
        let Fault::Delay(delay) = self.shared.lock().fault else { return };
        self.wait(delay);
    }

    /// Waits so long, or until the fault changes.
    fn wait(&self, time: Duration) {
        let state = self.shared.lock();
        let changes = state.changes;
        let waited = self.shared.changed.wait_timeout_while(state, time, |state| state.changes == changes);
        drop(waited);
    }
}

impl Message {
    /// Notes that these bytes pass; returns how many of them, at their end, belong to the body.
    fn pass(&mut self, bytes: &[u8]) -> usize {
        self.passed_bytes += bytes.len() as u64;
        let mut head_size = 0;
        if self.body_bytes.is_none() {
            for byte in bytes {
                head_size += 1;
                self.head_end_seen = match (HEAD_END.get(self.head_end_seen) == Some(byte), byte) {
                    (true, _) => self.head_end_seen + 1,
                    (false, b'\r') => 1,
                    (false, _) => 0,
                };
                if self.head_end_seen == HEAD_END.len() {
                    self.body_bytes = Some(0);
                    break;
                }
            }
        }
        let body_size = bytes.len() - head_size;
        if let Some(body_bytes) = &mut self.body_bytes {
            *body_bytes += body_size as u64;
        }
        body_size
    }
}

/// Turns one bit of the body's byte at that offset, if it is among these, which begin at `start`.
fn corrupt(body: &mut [u8], start: u64, offset_bytes: u64) {
    let index = offset_bytes.checked_sub(start).and_then(|index| usize::try_from(index).ok());
    if let Some(byte) = index.and_then(|index| body.get_mut(index)) {
        *byte ^= 1;
    }
}
