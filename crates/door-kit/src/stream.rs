//! Response bodies that are streams of known length.

use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::{
    error::Error as StdError,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Why a stream of known length is cut off. The connection is closed, so that the client sees that it is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The source failed.
    #[error("the content could not be read to its end: {0}")]
    Source(#[source] Box<dyn StdError + Send + Sync>),
    /// The source ended too early.
    #[error("the content ended {missing_bytes} bytes too early")]
    TooShort {
        /// What is missing.
        missing_bytes: u64,
    },
    /// The source went on after its end.
    #[error("the content is longer than was announced")]
    TooLong,
}

pin_project_lite::pin_project! {
    /// A stream with a promise of how long it is.
    struct Exact<S> {
        #[pin]
        stream: S,
        remaining_bytes: u64,
        failed: bool,
    }
}

/// A response body that yields `length_bytes` bytes from `stream`, announced as `Content-Length`.
///
/// When the stream fails, or ends early, or goes on too long, the connection is closed without pretending that the
/// answer is complete. Once the announced bytes are out, the stream is dropped without being polled to its end.
pub fn exact<S, E>(stream: S, length_bytes: u64) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<Box<dyn StdError + Send + Sync>> + 'static,
{
    Body::new(Exact { stream, remaining_bytes: length_bytes, failed: false })
}

impl<S, E> HttpBody for Exact<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    type Data = Bytes;
    type Error = StreamError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StreamError>>> {
        let this = self.project();
        if *this.failed || *this.remaining_bytes == 0 {
            return Poll::Ready(None);
        }
        let error = match ready!(this.stream.poll_next(cx)) {
            Some(Ok(piece)) => match this.remaining_bytes.checked_sub(piece.len() as u64) {
                Some(remaining_bytes) => {
                    *this.remaining_bytes = remaining_bytes;
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
                None => StreamError::TooLong,
            },
            Some(Err(error)) => StreamError::Source(error.into()),
            None => StreamError::TooShort { missing_bytes: *this.remaining_bytes },
        };
        *this.failed = true;
        Poll::Ready(Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.failed || self.remaining_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.remaining_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::BodyExt;
    use std::io;

    fn body(pieces: Vec<Result<&'static str, io::Error>>, length_bytes: u64) -> Body {
        exact(stream::iter(pieces.into_iter().map(|piece| piece.map(Bytes::from))), length_bytes)
    }

    #[tokio::test]
    async fn the_length_is_announced_and_kept() {
        let body = body(vec![Ok("abc"), Ok("de")], 5);
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abcde");
    }

    #[tokio::test]
    async fn a_broken_promise_is_an_error() {
        assert!(body(vec![Ok("abc")], 5).collect().await.is_err());
        assert!(body(vec![Ok("abc"), Ok("def")], 5).collect().await.is_err());
        assert!(body(vec![Ok("abc"), Err(io::ErrorKind::Other.into())], 5).collect().await.is_err());
    }

    #[tokio::test]
    async fn an_empty_content_asks_nothing_of_its_stream() {
        assert!(body(vec![Err(io::ErrorKind::Other.into())], 0).collect().await.unwrap().to_bytes().is_empty());
    }
}
