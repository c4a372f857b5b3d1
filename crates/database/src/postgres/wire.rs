//! Messages to a server and from it, in the order in which they were asked for.

use super::socket::Socket;
use bytes::BytesMut;
use postgres_protocol::message::backend::Message;
use postgres_protocol::message::frontend;
use std::io::{self, Read, Write};
use std::time::Duration;

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;
/// No message of a server is longer: no row of ours comes near it.
const MESSAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The two directions of a connection. Does not know what was asked.
pub(super) struct Wire {
    socket: Socket,
    input: BytesMut,
    pub(super) output: BytesMut,
}

impl Wire {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, input: BytesMut::with_capacity(READ_BYTES), output: BytesMut::with_capacity(READ_BYTES) }
    }

    pub(super) fn set_limit(&self, limit: Duration) -> io::Result<()> {
        self.socket.set_limit(limit)
    }

    /// Whether nothing has come unasked.
    pub(super) fn is_quiet(&self) -> bool {
        self.input.is_empty() && self.socket.is_quiet()
    }

    /// Sends what stands in the output.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let sent = self.socket.write_all(&self.output).and_then(|()| self.socket.flush());
        self.output.clear();
        sent
    }

    /// The next message.
    pub(super) fn receive(&mut self) -> io::Result<Message> {
        loop {
            if let Some(message) = Message::parse(&mut self.input)? {
                return Ok(message);
            }
            let filled = self.input.len();
            if filled > MESSAGE_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a message of the server is too long"));
            }
            self.input.resize(filled + READ_BYTES, 0);
            let read = match self.input.get_mut(filled..) {
                Some(room) => loop {
                    match self.socket.read(room) {
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        read => break read,
                    }
                },
                None => Ok(0),
            };
            self.input.truncate(filled + read.as_ref().copied().unwrap_or(0));
            if read? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // A courtesy: the server sees the end of the connection by itself. It must not take long.
        if self.set_limit(Duration::from_millis(100)).is_ok() {
            self.output.clear();
            frontend::terminate(&mut self.output);
            let _ = self.send();
        }
    }
}
