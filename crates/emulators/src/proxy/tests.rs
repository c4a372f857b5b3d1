use super::{Fault, Proxy, authority};
use std::{
    io::{ErrorKind, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(60);

/// A server that answers each request of one line with the given response, and counts them.
fn server(response: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/path", listener.local_addr().unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&served);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let counted = Arc::clone(&counted);
            thread::spawn(move || {
                while request_ends(&mut client) {
                    counted.fetch_add(1, Ordering::SeqCst);
                    if client.write_all(response).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, served)
}

fn request_ends(client: &mut TcpStream) -> bool {
    let mut byte = [0];
    loop {
        match client.read(&mut byte) {
            Ok(1) if byte == *b"\n" => return true,
            Ok(1) => {}
            _ => return false,
        }
    }
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Asks, and returns so many bytes of the response, or fewer when the connection ends.
fn ask(stream: &mut TcpStream, size: usize) -> Vec<u8> {
    let _ = stream.write_all(b"please\n");
    let mut response = Vec::new();
    let _ = stream.take(size as u64).read_to_end(&mut response);
    response
}

#[test]
fn what_passes_is_the_same_and_is_counted() {
    let (url, served) = server(b"welcome");
    let proxy = Proxy::before(&url);
    let mut stream = connect(&proxy);
    for _ in 0..3 {
        assert_eq!(ask(&mut stream, 7), b"welcome");
    }
    assert_eq!((proxy.connections(), proxy.responses(), served.load(Ordering::SeqCst)), (1, 3, 3));
}

#[test]
fn refusing_closes_what_is_open_and_ends_when_told() {
    let (url, _) = server(b"welcome");
    let proxy = Proxy::before(&url);
    let mut stream = connect(&proxy);
    assert_eq!(ask(&mut stream, 7), b"welcome");
    for _ in 0..20 {
        proxy.set(Fault::Refuse);
        assert_eq!(ask(&mut stream, 7), b"");
        let refused = TcpStream::connect(proxy.address()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        proxy.set(Fault::Refuse);
        proxy.set(Fault::Pass);
        stream = connect(&proxy);
        assert_eq!(ask(&mut stream, 7), b"welcome");
    }
}

#[test]
fn what_hangs_passes_once_the_fault_ends() {
    let (url, served) = server(b"welcome");
    let proxy = Proxy::before(&url);
    let mut open = connect(&proxy);
    assert_eq!(ask(&mut open, 7), b"welcome");
    proxy.set(Fault::Hang);
    let (told, heard) = mpsc::channel();
    for mut stream in [open, connect(&proxy)] {
        let told = told.clone();
        thread::spawn(move || told.send(ask(&mut stream, 7)));
    }
    assert!(heard.recv_timeout(Duration::from_millis(50)).is_err());
    assert_eq!(served.load(Ordering::SeqCst), 1);
    proxy.set(Fault::Pass);
    assert_eq!(heard.recv().unwrap(), b"welcome");
    assert_eq!(heard.recv().unwrap(), b"welcome");
}

#[test]
fn each_response_is_late_and_a_change_ends_the_wait() {
    let (url, served) = server(b"welcome");
    let proxy = Proxy::before(&url);
    let delay = Duration::from_millis(30);
    proxy.set(Fault::Delay(delay));
    let mut stream = connect(&proxy);
    let began = Instant::now();
    assert_eq!(ask(&mut stream, 7), b"welcome");
    assert_eq!(ask(&mut stream, 7), b"welcome");
    assert!(began.elapsed() >= 2 * delay);
    proxy.set(Fault::Delay(LONG * 60));
    let waiting = thread::spawn(move || ask(&mut stream, 7));
    while served.load(Ordering::SeqCst) < 3 {
        thread::yield_now();
    }
    proxy.set(Fault::Pass);
    assert_eq!(waiting.join().unwrap(), b"welcome");
}

#[test]
fn a_cut_response_was_served() {
    let (url, served) = server(b"welcome");
    let proxy = Proxy::before(&url);
    proxy.set(Fault::CutResponse { after_bytes: 3 });
    assert_eq!(ask(&mut connect(&proxy), 7), b"wel");
    proxy.set(Fault::CutResponse { after_bytes: 0 });
    assert_eq!(ask(&mut connect(&proxy), 7), b"");
    assert_eq!(served.load(Ordering::SeqCst), 2);
    proxy.set(Fault::CutResponse { after_bytes: 7 });
    let mut stream = connect(&proxy);
    assert_eq!((ask(&mut stream, 7), ask(&mut stream, 7)), (b"welcome".to_vec(), b"welcome".to_vec()));
}

#[test]
fn a_cut_request_was_not_served() {
    let (url, served) = server(b"welcome");
    let proxy = Proxy::before(&url);
    proxy.set(Fault::CutRequest { after_bytes: 6 });
    assert_eq!(ask(&mut connect(&proxy), 7), b"");
    assert_eq!(served.load(Ordering::SeqCst), 0);
    proxy.set(Fault::CutRequest { after_bytes: 7 });
    let mut stream = connect(&proxy);
    assert_eq!((ask(&mut stream, 7), ask(&mut stream, 7)), (b"welcome".to_vec(), b"welcome".to_vec()));
}

#[test]
fn a_throttled_connection_takes_its_time() {
    let (url, _) = server(&[7; 1000]);
    let proxy = Proxy::before(&url);
    proxy.set(Fault::Throttle { bytes_per_second: 10_000 });
    let began = Instant::now();
    assert_eq!(ask(&mut connect(&proxy), 1000), [7; 1000]);
    // The last portion is there before its time has passed.
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[test]
fn one_bit_of_the_body_is_wrong() {
    let (url, _) = server(b"HTTP/1.1 200 OK\r\n\r\nabc");
    let proxy = Proxy::before(&url);
    let mut stream = connect(&proxy);
    proxy.set(Fault::Corrupt { body_offset_bytes: 1 });
    assert_eq!(ask(&mut stream, 22), b"HTTP/1.1 200 OK\r\n\r\nacc");
    assert_eq!(ask(&mut stream, 22), b"HTTP/1.1 200 OK\r\n\r\nacc");
    proxy.set(Fault::Corrupt { body_offset_bytes: 3 });
    assert_eq!(ask(&mut stream, 22), b"HTTP/1.1 200 OK\r\n\r\nabc");
}

#[test]
fn a_proxy_that_goes_closes_what_is_open() {
    let (url, _) = server(b"welcome");
    let proxy = Proxy::before(&url);
    let mut stream = connect(&proxy);
    assert_eq!(ask(&mut stream, 7), b"welcome");
    proxy.set(Fault::Hang);
    let address = proxy.address();
    drop(proxy);
    assert_eq!(ask(&mut stream, 7), b"");
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn the_rest_of_the_url_stays() {
    let (url, _) = server(b"welcome");
    let proxy = Proxy::before(&url);
    assert_eq!(proxy.url(), format!("http://{}/path", proxy.address()));
    let part = |url: &'static str| {
        let (start, end) = authority(url);
        &url[start..end]
    };
    assert_eq!(part("postgres://user:pass@127.0.0.1:5432/name"), "127.0.0.1:5432");
    assert_eq!(part("http://127.0.0.1:80?a=b@c"), "127.0.0.1:80");
    assert_eq!(part("127.0.0.1:80"), "127.0.0.1:80");
}
