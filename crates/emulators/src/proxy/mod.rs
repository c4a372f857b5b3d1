//! A TCP proxy before one server that fails on command: what a program sees of a cloud's outage.
//!
//! It knows as much of HTTP/1.1 and PostgreSQL as that they take turns: what comes back after something was sent is a
//! response. Faults may change at any moment, and hold for the connections that are open, too.

mod flow;
#[cfg(test)]
mod tests;

use flow::Connection;
use std::{
    collections::HashMap,
    io::ErrorKind,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Below the ports that the system gives to outgoing connections, so that a refusing proxy can come back on its own.
const PORTS: std::ops::Range<u16> = 20_000..32_000;
const PORTS_TRIED_MAX: usize = 1000;
const REBIND_MAX: Duration = Duration::from_secs(10);
const REBIND_PAUSE: Duration = Duration::from_millis(5);

/// How it fails. Bytes of a request or response count from its first, headers included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It does not: everything passes.
    Pass,
    /// Open connections are closed, and new ones refused.
    Refuse,
    /// Connections are accepted, and nothing passes, in neither direction. What was held back passes when this ends.
    Hang,
    /// Each response begins so much later.
    Delay(Duration),
    /// Each request is cut after so many bytes: the connection is closed in both directions.
    CutRequest { after_bytes: u64 },
    /// Each response is cut after so many bytes. With 0 the request has been served and nobody hears of it.
    CutResponse { after_bytes: u64 },
    /// Each connection passes so many bytes a second in each direction; at least 1.
    Throttle { bytes_per_second: u64 },
    /// One bit is wrong in the byte at that offset of each HTTP response's body that is long enough.
    Corrupt { body_offset_bytes: u64 },
}

/// The proxy. When it goes, its port refuses and its connections are closed.
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl Proxy {
    /// A proxy before the server of that URL, letting everything pass. Panics when no port is free.
    ///
    /// `http://host:port/path` and `postgres://user:password@host:port/database` will do; the host is an address.
    pub fn before(url: &str) -> Self {
        let (start, end) = authority(url);
        let server =
            url[start..end].parse().unwrap_or_else(|_| panic!("not an address and port: {}", &url[start..end]));
        let (listener, address) = listen();
        let shared = Arc::new(Shared { address, server, state: Mutex::new(State::default()), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        let listener = thread::spawn(move || accepting.listen(listener));
        let url = format!("{}{address}{}", &url[..start], &url[end..]);
        Self { url, shared, listener: Some(listener) }
    }

    /// The URL with the proxy's address in place of the server's.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The proxy's address.
    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Fails in that way from now on. When this returns, new connections are refused, or no longer are.
    pub fn set(&self, fault: Fault) {
        let mut state = self.shared.lock();
        state.fault = fault;
        state.changes += 1;
        if fault == Fault::Refuse {
            state.close_all();
        }
        let (listens, changes) = (fault != Fault::Refuse, state.changes);
        drop(state);
        self.shared.changed.notify_all();
        if !listens {
            self.shared.wake();
        }
        // Unless somebody wants something else in the meantime.
        let wait = |state: &mut State| state.listens != listens && state.changes == changes;
        drop(self.shared.changed.wait_while(self.shared.lock(), wait));
    }

    /// How it fails at the moment.
    pub fn fault(&self) -> Fault {
        self.shared.lock().fault
    }

    /// How many connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.shared.lock().accepted
    }

    /// How many responses have come from the server, whether they were passed on or not.
    pub fn responses(&self) -> u64 {
        self.shared.lock().responses
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ends = true;
        state.changes += 1;
        state.close_all();
        drop(state);
        self.shared.changed.notify_all();
        self.shared.wake();
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

struct Shared {
    address: SocketAddr,
    server: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    fault: Fault,
    /// Grows with each change, so that whoever waits under the old fault notices.
    changes: u64,
    listens: bool,
    ends: bool,
    accepted: u64,
    responses: u64,
    open: HashMap<u64, Vec<TcpStream>>,
}

impl Default for State {
    fn default() -> Self {
        let open = HashMap::new();
        Self { fault: Fault::Pass, changes: 0, listens: true, ends: false, accepted: 0, responses: 0, open }
    }
}

impl State {
    fn close_all(&mut self) {
        for stream in self.open.drain().flat_map(|(_, streams)| streams) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn refuses(&self) -> bool {
        self.ends || self.fault == Fault::Refuse
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the listener look at the state.
    fn wake(&self) {
        drop(TcpStream::connect(self.address));
    }

    fn listen(self: &Arc<Self>, first: TcpListener) {
        let mut listener = Some(first);
        while let Some(listening) = listener.take() {
            self.accept(&listening);
            drop(listening);
            listener = self.listen_again();
        }
    }

    /// Accepts until connections are to be refused.
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let mut state = self.lock();
            if state.refuses() {
                return;
            }
            let Ok(client) = client else { continue };
            state.accepted += 1;
            let number = state.accepted;
            drop(state);
            let shared = Arc::clone(self);
            thread::spawn(move || shared.connect(number, client));
        }
    }

    /// Waits until connections are welcome again; none if they never will be.
    fn listen_again(&self) -> Option<TcpListener> {
        let mut state = self.lock();
        state.listens = false;
        self.changed.notify_all();
        let wait = |state: &mut State| state.fault == Fault::Refuse && !state.ends;
        let mut state = self.changed.wait_while(state, wait).unwrap_or_else(PoisonError::into_inner);
        if state.ends {
            return None;
        }
        let listener = rebind(self.address);
        state.listens = true;
        self.changed.notify_all();
        Some(listener)
    }

    /// Serves one connection until both sides have ended it.
    fn connect(self: Arc<Self>, number: u64, client: TcpStream) {
        let Ok(server) = TcpStream::connect(self.server) else { return };
        let copies = [&client, &server].map(TcpStream::try_clone);
        let [Ok(client_copy), Ok(server_copy)] = copies else { return };
        let mut state = self.lock();
        if state.refuses() {
            return;
        }
        state.open.insert(number, vec![client_copy, server_copy]);
        drop(state);
        Connection::new(&self, client, server).serve();
        self.lock().open.remove(&number);
    }
}

/// Where host and port stand in a URL.
fn authority(url: &str) -> (usize, usize) {
    let scheme_end = url.find("://").map_or(0, |at| at + 3);
    let end = url[scheme_end..].find(['/', '?']).map_or(url.len(), |at| scheme_end + at);
    let start = url[scheme_end..end].rfind('@').map_or(scheme_end, |at| scheme_end + at + 1);
    (start, end)
}

fn listen() -> (TcpListener, SocketAddr) {
    for _ in 0..PORTS_TRIED_MAX {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(PORTS)));
        if let Ok(listener) = TcpListener::bind(address) {
            return (listener, address);
        }
    }
    panic!("no port is free for a proxy");
}

fn rebind(address: SocketAddr) -> TcpListener {
    let began = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Ok(listener) => return listener,
            Err(trouble) if trouble.kind() == ErrorKind::AddrInUse && began.elapsed() < REBIND_MAX => {
                thread::sleep(REBIND_PAUSE);
            }
            Err(trouble) => panic!("the proxy cannot come back on {address}: {trouble}"),
        }
    }
}
