//! Request bodies that are made beforehand, or that repeat one prepared block.

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// How a body says where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Framing {
    /// `Content-Length`
    Length,
    /// `Transfer-Encoding: chunked`
    Chunked,
}

/// A head, then a block repeated up to a length, then a tail. Nothing is copied: frames are slices.
#[derive(Debug)]
pub struct Body {
    head: Bytes,
    block: Bytes,
    block_left_bytes: u64,
    tail: Bytes,
    framing: Framing,
}

impl Body {
    pub fn empty() -> Self {
        Self::whole(Bytes::new())
    }

    /// One piece.
    pub fn whole(content: Bytes) -> Self {
        Self::repeated(content, Bytes::new(), 0, Bytes::new(), Framing::Length)
    }

    /// `head`, then `size_bytes` bytes of `block` over and over, then `tail`. An empty block counts as no bytes.
    pub fn repeated(head: Bytes, block: Bytes, size_bytes: u64, tail: Bytes, framing: Framing) -> Self {
        let block_left_bytes = if block.is_empty() { 0 } else { size_bytes };
        Self { head, block, block_left_bytes, tail, framing }
    }

    fn left_bytes(&self) -> u64 {
        self.head.len() as u64 + self.block_left_bytes + self.tail.len() as u64
    }

    fn next_piece(&mut self) -> Option<Bytes> {
        if !self.head.is_empty() {
            return Some(std::mem::take(&mut self.head));
        }
        if self.block_left_bytes > 0 {
            let length =
                usize::try_from(self.block_left_bytes).map_or(self.block.len(), |left| left.min(self.block.len()));
            self.block_left_bytes -= length as u64;
            return Some(self.block.slice(..length));
        }
        (!self.tail.is_empty()).then(|| std::mem::take(&mut self.tail))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next_piece().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes() == 0
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Length => SizeHint::with_exact(self.left_bytes()),
            Framing::Chunked => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Body, Framing};
    use bytes::Bytes;
    use http_body::Body as _;

    #[test]
    fn the_block_is_repeated_and_cut_to_length() {
        let block = Bytes::from_static(b"abcd");
        let mut body = Body::repeated(Bytes::from_static(b"<"), block, 10, Bytes::from_static(b">"), Framing::Length);
        assert_eq!(body.size_hint().exact(), Some(12));
        let mut whole = Vec::new();
        while let Some(piece) = body.next_piece() {
            whole.extend_from_slice(&piece);
        }
        assert_eq!(whole, b"<abcdabcdab>");
        assert!(body.is_end_stream());
    }

    #[test]
    fn an_empty_body_and_an_empty_block_end_at_once() {
        assert!(Body::empty().is_end_stream());
        let body = Body::repeated(Bytes::new(), Bytes::new(), 10, Bytes::new(), Framing::Chunked);
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), None);
    }
}
