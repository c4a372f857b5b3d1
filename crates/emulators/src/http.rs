//! As much of an HTTP/1.1 client as it takes to create a bucket: one request, one connection.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

const ANSWER_MAX: Duration = Duration::from_secs(60);
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// One request.
pub struct Request<'a> {
    pub method: &'a str,
    /// Path and query, escaped as they are sent.
    pub target: &'a str,
    /// Without `host`, `content-length` and `connection`.
    pub headers: &'a [(&'a str, String)],
    pub body: &'a [u8],
}

/// What came back.
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// As it was sent; a chunked body is not put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// Panics, with the server's words, unless the status is one of these.
    pub fn expect(self, statuses: &[u16], what: &str) -> Self {
        let told = String::from_utf8_lossy(&self.body);
        assert!(statuses.contains(&self.status), "{what}: status {}: {told}", self.status);
        self
    }
}

/// Host and port of a URL, and the path behind them.
pub fn parts(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find('/').unwrap_or(rest.len());
    rest.split_at(end)
}

/// Sends it to the host of that URL. Panics when there is no answer.
pub fn send(url: &str, request: &Request<'_>) -> Answer {
    let (authority, _) = parts(url);
    exchange(authority, request).unwrap_or_else(|trouble| {
        panic!("no answer from {authority} to {} {}: {trouble}", request.method, request.target)
    })
}

fn exchange(authority: &str, request: &Request<'_>) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    stream.set_nodelay(true)?;
    let mut head = format!("{} {} HTTP/1.1\r\nhost: {authority}\r\n", request.method, request.target);
    for (name, value) in request.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = write!(head, "content-length: {}\r\nconnection: close\r\n\r\n", request.body.len());
    stream.write_all(&[head.as_bytes(), request.body].concat())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| std::io::Error::other("that is not HTTP"))
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let head_end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = answer.split_at(head_end);
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let pairs = lines.filter_map(|line| line.split_once(':'));
    let headers = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    Some(Answer { status, headers, body: body.get(4..)?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::{parse, parts};

    #[test]
    fn an_answer_falls_into_status_and_body() {
        let answer = parse(b"HTTP/1.1 409 Conflict\r\na: b\r\n\r\nthere is one").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (409, b"there is one".as_slice()));
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_none());
    }

    #[test]
    fn a_url_falls_into_authority_and_path() {
        assert_eq!(parts("http://127.0.0.1:80/a/b"), ("127.0.0.1:80", "/a/b"));
        assert_eq!(parts("http://127.0.0.1:80"), ("127.0.0.1:80", ""));
    }
}
