use super::Error;
use crate::{host::HostTable, tls};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::net::{TcpListener, TcpSocket};

/// How many newcomers the kernel keeps waiting.
const BACKLOG: u32 = 4096;

/// A socket that listens, and the service that answers there. Serve it with [`serve`](crate::serve()).
pub struct Listener<S> {
    pub(super) socket: TcpListener,
    pub(super) tls: Option<Arc<tls::Endpoint>>,
    pub(super) hosts: HostTable,
    pub(super) service: S,
}

impl<S> Listener<S> {
    /// Listens on an address (port 0: any free port). From now on clients can connect; they wait until
    /// [`serve`](crate::serve()) runs.
    ///
    /// `service` is an axum router or anything else that takes the same requests. Fails when the address is taken,
    /// is not ours, or needs rights that the process has not.
    pub fn bind(address: SocketAddr, service: S) -> Result<Self, Error> {
        let socket = listen(address).map_err(|source| Error::Bind { address, source })?;
        Ok(Self { socket, tls: None, hosts: HostTable::default(), service })
    }

    /// Speaks TLS on it.
    #[must_use]
    pub fn with_tls(mut self, tls: Arc<tls::Endpoint>) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Answers vendor host names on it.
    #[must_use]
    pub fn with_hosts(mut self, hosts: HostTable) -> Self {
        self.hosts = hosts;
        self
    }

    /// The address listened on, with its actual port.
    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port can be taken over at once from a process that has just stopped.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
