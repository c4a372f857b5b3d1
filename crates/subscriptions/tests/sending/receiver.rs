//! A receiver: answers what it is told to, and remembers what arrived.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A request that arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub head: String,
    pub body: Vec<u8>,
}

impl Arrived {
    /// The value of a header.
    pub fn header(&self, name: &str) -> &str {
        let found = self.head.lines().filter_map(|line| line.split_once(": "));
        found.filter(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }

    /// The key that it tells of.
    pub fn key(&self) -> String {
        let told: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        told["Records"][0]["s3"]["object"]["key"].as_str().unwrap_or_default().to_owned()
    }
}

pub struct Receiver {
    pub port: u16,
    arrived: mpsc::UnboundedReceiver<Arrived>,
    answers: Arc<Mutex<VecDeque<String>>>,
}

impl Receiver {
    /// One that answers 200, after the given heads have been answered, one a request.
    pub async fn open(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let answers: Arc<Mutex<VecDeque<String>>> =
            Arc::new(Mutex::new(answers.iter().map(|answer| (*answer).to_owned()).collect()));
        let (sender, arrived) = mpsc::unbounded_channel();
        let scripted = Arc::clone(&answers);
        entente_world::World::real().spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, scripted) = (sender.clone(), Arc::clone(&scripted));
                entente_world::World::real().spawn(serve(stream, sender, scripted));
            }
        });
        Self { port, arrived, answers }
    }

    /// The next request.
    pub async fn next(&mut self) -> Arrived {
        self.arrived.recv().await.unwrap()
    }

    /// Whether nothing has arrived that was not looked at.
    pub fn is_quiet(&mut self) -> bool {
        self.arrived.try_recv().is_err()
    }

    /// Whether every scripted answer was given.
    pub fn is_through(&self) -> bool {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

async fn serve(mut stream: TcpStream, sender: mpsc::UnboundedSender<Arrived>, answers: Arc<Mutex<VecDeque<String>>>) {
    let mut buffer = Vec::new();
    loop {
        let Some(arrived) = read(&mut stream, &mut buffer).await else { return };
        let answer = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let answer = answer.unwrap_or_else(|| "HTTP/1.1 200 OK\r\n".to_owned());
        // Before it is answered, so that what comes later is seen later.
        let _ = sender.send(arrived);
        if stream.write_all(format!("{answer}content-length: 0\r\n\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Arrived> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            let mut arrived = Arrived { head, body: Vec::new() };
            let length: usize = arrived.header("content-length").parse().unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                arrived.body = buffer[end + 4..end + 4 + length].to_vec();
                buffer.drain(..end + 4 + length);
                return Some(arrived);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}
