use super::{
    Phase,
    connection::{self, Ends, Site},
    prepare,
};
use crate::{arrival::Scheme, host::HostTable, limits::Limits};
use axum::{Router, routing::get};
use entente_world::World;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A socket that counts how often it is written to.
struct Counted {
    io: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, out)
    }
}

impl AsyncWrite for Counted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn a_small_answer_is_one_write() {
    let limits = Limits::default();
    let router = Router::new().route("/", get(|| async { vec![7_u8; 4096] }));
    let (world, hosts, http) = (World::real(), HostTable::default(), connection::http(&limits));
    let site = Arc::new(Site { world, service: router, hosts, limits, http });
    let any = "127.0.0.1:1".parse().unwrap();
    let ends = Ends { peer: any, local: any, scheme: Scheme::Http };
    let (_phase, phases) = watch::channel(Phase::Serving);
    let (mut client, io) = duplex(64 << 10);
    let writes = Arc::new(AtomicUsize::new(0));
    let serving = connection::run(Counted { io, writes: Arc::clone(&writes) }, ends, site, phases);
    let asking = async {
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let ((), answer) = tokio::join!(serving, asking);
    assert!(answer.len() > 4096 && answer.ends_with(&[7; 4096]));
    assert_eq!(writes.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn nagle_is_off() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _client = TcpStream::connect(socket.local_addr().unwrap()).await.unwrap();
    let (stream, _) = socket.accept().await.unwrap();
    assert!(!stream.nodelay().unwrap());
    assert_eq!(prepare(&stream).unwrap(), socket.local_addr().unwrap());
    assert!(stream.nodelay().unwrap());
}
