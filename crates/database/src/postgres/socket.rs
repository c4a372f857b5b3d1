//! A connection's bytes: TCP or a local socket, through TLS or not. Every wait has a limit.

use super::address::{Address, Host, Tls};
use super::tls;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv, sockopt};
use rustls::{ClientConnection, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// After so long without a sign from the other machine a connection is given up, though nothing says so.
const SILENCE_MAX: Duration = Duration::from_secs(15);

pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Socket {
    /// Connects, and agrees on TLS as the address asks. The limit for each wait is the address's for connecting.
    pub(super) fn connect(address: &Address, host: &Host) -> io::Result<Self> {
        let limit = address.connect_timeout;
        match host {
            Host::Unix { folder, port } => {
                let stream = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}")))?;
                let socket = Self::Unix(stream);
                socket.set_limit(limit)?;
                Ok(socket)
            }
            Host::Tcp { name, port } => {
                let stream = tcp(name, *port, limit)?;
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))?;
                match address.tls {
                    Tls::Disable => Ok(Self::Tcp(stream)),
                    Tls::Verify => tls::agree(stream, name, address),
                }
            }
        }
    }

    /// Whether nothing has come unasked: the other side has not closed, nor said why it is about to.
    pub(super) fn is_quiet(&self) -> bool {
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let mut byte = [0_u8; 1];
        let seen = match self {
            Self::Unix(stream) => recv(stream, &mut byte[..], flags),
            Self::Tcp(stream) => recv(stream, &mut byte[..], flags),
            Self::Tls(stream) => recv(&stream.sock, &mut byte[..], flags),
        };
        matches!(seen, Err(Errno::WOULDBLOCK))
    }

    /// How long one read or write may wait.
    pub(super) fn set_limit(&self, limit: Duration) -> io::Result<()> {
        match self {
            Self::Unix(stream) => {
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))
            }
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(limit))?;
                stream.set_write_timeout(Some(limit))
            }
            Self::Tls(stream) => {
                stream.sock.set_read_timeout(Some(limit))?;
                stream.sock.set_write_timeout(Some(limit))
            }
        }
    }
}

fn tcp(name: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (name, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, limit) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                sockopt::set_socket_keepalive(&stream, true)?;
                sockopt::set_tcp_keepidle(&stream, SILENCE_MAX)?;
                sockopt::set_tcp_keepintvl(&stream, SILENCE_MAX / 5)?;
                sockopt::set_tcp_user_timeout(&stream, u32::try_from(SILENCE_MAX.as_millis()).unwrap_or(u32::MAX))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            Self::Unix(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            Self::Unix(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}
