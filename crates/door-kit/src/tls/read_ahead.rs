use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is asked of the socket at a time, once it has proved to have much to give.
const AHEAD_BYTES: usize = 64 << 10;

/// Reads from a socket in large pieces for a reader that asks for small ones.
///
/// rustls asks for 4 KiB at a time, and a large upload would be read in as many system calls. The buffer is made when
/// a small read was filled to the brim and let go when the socket has nothing more, so that idle connections and
/// small requests never have one.
pub(crate) struct ReadAhead<T> {
    io: T,
    buffer: Vec<u8>,
    /// The part of the buffer that was read but not yet handed on.
    start: usize,
    end: usize,
}

impl<T> ReadAhead<T> {
    pub(crate) fn new(io: T) -> Self {
        Self { io, buffer: Vec::new(), start: 0, end: 0 }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ReadAhead<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.start == this.end {
            if this.buffer.is_empty() {
                let outcome = Pin::new(&mut this.io).poll_read(cx, out);
                if out.remaining() == 0 && out.capacity() < AHEAD_BYTES {
                    this.buffer = vec![0; AHEAD_BYTES];
                }
                return outcome;
            }
            let mut ahead = ReadBuf::new(&mut this.buffer);
            let outcome = Pin::new(&mut this.io).poll_read(cx, &mut ahead);
            (this.start, this.end) = (0, ahead.filled().len());
            if this.end == 0 {
                this.buffer = Vec::new();
            }
            ready!(outcome)?;
        }
        let ahead = this.buffer.get(this.start..this.end).unwrap_or_default();
        let length = ahead.len().min(out.remaining());
        out.put_slice(ahead.get(..length).unwrap_or_default());
        this.start += length;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for ReadAhead<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test]
    async fn every_byte_comes_through_in_order() {
        let sent: Vec<u8> = (0..500_000_u32).map(|number| (number % 251) as u8).collect();
        let (mut writer, reader) = duplex(100_000);
        let mut reader = ReadAhead::new(reader);
        let write = async {
            writer.write_all(&sent).await.unwrap();
            drop(writer);
        };
        let read = async {
            let mut received = Vec::new();
            let mut piece = [0; 4096];
            loop {
                match reader.read(&mut piece).await.unwrap() {
                    0 => break received,
                    length => received.extend_from_slice(&piece[..length]),
                }
            }
        };
        let ((), received) = tokio::join!(write, read);
        assert!(received == sent);
        assert!(reader.buffer.is_empty());
    }
}
