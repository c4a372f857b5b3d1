//! An HTTP server that says what a test wants it to say, and remembers what it was asked.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

/// A request, as it came.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.target.contains(part)
    }
}

/// What is answered: a status, headers and a body. Its length is told, unless a header tells another.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, headers: Vec::new(), body: body.into() }
}

impl Answer {
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

pub struct Scripted {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    pub fn new(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (noted, script) = (Arc::clone(&asked), Arc::new(script));
        thread::spawn(move || {
            for connection in listener.incoming() {
                let (noted, script) = (Arc::clone(&noted), Arc::clone(&script));
                thread::spawn(move || serve(connection.unwrap(), &noted, &*script));
            }
        });
        Self { url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut connection: TcpStream, noted: &Mutex<Vec<Asked>>, script: &dyn Fn(&Asked) -> Answer) {
    let Some(asked) = read(&mut connection) else {
        return;
    };
    noted.lock().unwrap().push(asked.clone());
    let answer = script(&asked);
    let mut head = format!("HTTP/1.1 {} Scripted\r\nconnection: close\r\n", answer.status);
    if !answer.headers.iter().any(|(name, _)| name == "content-length") {
        head += &format!("content-length: {}\r\n", answer.body.len());
    }
    for (name, value) in &answer.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let _ = connection.write_all(format!("{head}\r\n").as_bytes());
    if asked.method != "HEAD" {
        let _ = connection.write_all(&answer.body);
    }
}

fn read(connection: &mut impl Read) -> Option<Asked> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut asked = Asked { method, target, headers, body: Vec::new() };
    let size = asked.header("content-length").map_or(0, |size| size.parse().unwrap());
    asked.body = vec![0; size];
    connection.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

/// The same over any stream, for one request.
pub fn serve_one(stream: &mut (impl Read + Write), answer: &str) {
    if read(stream).is_some() {
        let _ = stream.write_all(answer.as_bytes());
        let _ = stream.flush();
    }
}
