//! A server on a free port, and a client that sees every byte.

use axum::Router;
use entente_door_kit::{Limits, Listener, host::HostTable, serve, serve::Error, tls::Endpoint};
use entente_world::{Shutdown, ShutdownTrigger, World};
use std::{io, net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
};

pub struct Server {
    pub address: SocketAddr,
    pub stop: ShutdownTrigger,
    pub done: JoinHandle<Result<(), Error>>,
}

impl Server {
    pub fn start(router: Router, limits: Limits) -> Self {
        Self::start_with(router, limits, None, HostTable::default())
    }

    pub fn start_with(router: Router, limits: Limits, tls: Option<Arc<Endpoint>>, hosts: HostTable) -> Self {
        let mut listener = Listener::bind("127.0.0.1:0".parse().unwrap(), router).unwrap().with_hosts(hosts);
        if let Some(tls) = tls {
            listener = listener.with_tls(tls);
        }
        let address = listener.local_address().unwrap();
        let (stop, shutdown) = Shutdown::new();
        let world = World::real();
        let done = world.clone().spawn(async move { serve(&world, vec![listener], shutdown, limits).await });
        Self { address, stop, done }
    }

    pub async fn connect(&self) -> Client<TcpStream> {
        Client { io: TcpStream::connect(self.address).await.unwrap(), received: Vec::new() }
    }
}

pub struct Client<T> {
    pub io: T,
    received: Vec<u8>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Client<T> {
    pub fn new(io: T) -> Self {
        Self { io, received: Vec::new() }
    }

    pub async fn send(&mut self, text: &str) {
        self.io.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends a GET and reads the answer.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: here.example\r\n\r\n")).await;
        self.answer().await
    }

    /// The next answer, with its body.
    pub async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        while self.received.len() < length {
            assert!(self.more().await.unwrap() > 0, "the answer is cut off");
        }
        answer.body = self.received.drain(..length).collect();
        answer
    }

    /// The next answer's head.
    pub async fn head(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert!(self.more().await.unwrap() > 0, "there is no answer");
        };
        let head = String::from_utf8(self.received.drain(..end + 4).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: Vec::new() }
    }

    /// Everything until the server hangs up.
    pub async fn rest(&mut self) -> Vec<u8> {
        // A reset hangs up, too.
        while self.more().await.unwrap_or(0) > 0 {}
        std::mem::take(&mut self.received)
    }

    async fn more(&mut self) -> io::Result<usize> {
        self.io.read_buf(&mut self.received).await
    }
}
