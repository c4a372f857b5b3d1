//! Response bodies that are streams of known length, or what such a stream yields.

use crate::RequestId;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use entente_model::with_causes;
use futures_util::stream::iter;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::{
    error::Error as StdError,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

/// A content up to this long goes out in one piece with its head.
pub const WHOLE_BYTES_MAX: u64 = 64 * 1024;

/// Why a source failed.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a stream of known length is cut off. The connection is closed, so that the client sees that it is incomplete.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The source failed.
    #[error("the content could not be read to its end: {0}")]
    Source(#[source] BoxError),
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
    E: Into<BoxError> + 'static,
{
    Body::new(Exact { stream, remaining_bytes: length_bytes, failed: false })
}

/// [`whole`] as a body up to [`WHOLE_BYTES_MAX`], [`begun`] beyond: either way what is damaged at its beginning is answered
/// as an error.
pub async fn started<S>(stream: S, length_bytes: u64, request_id: RequestId) -> Result<Body, BoxError>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    if length_bytes <= WHOLE_BYTES_MAX {
        whole(stream, length_bytes).await.map(Body::from)
    } else {
        begun(stream, length_bytes, request_id).await
    }
}

/// [`exact`] for a stream whose beginning is awaited: the error with which it begins is answered, so that it can be told
/// before a head is sent. One that comes later cuts the connection off, and is logged.
pub async fn begun<S>(stream: S, length_bytes: u64, request_id: RequestId) -> Result<Body, BoxError>
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    let mut stream = Box::pin(stream);
    let first = stream.try_next().await?;
    Ok(exact(logged(iter(first.map(Ok)).chain(stream), request_id), length_bytes))
}

/// The stream, its error logged as what cut an answer off.
pub fn logged<S>(stream: S, request_id: RequestId) -> impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static
where
    S: Stream<Item = Result<Bytes, BoxError>> + Send + 'static,
{
    stream.map_err(move |error| {
        tracing::error!(request.id = %request_id, error = with_causes(&*error), "a download was cut off");
        error
    })
}

/// All of a small stream in one piece, which is the stream's own if it yields one. An error of the stream; or
/// [`StreamError`], boxed, if it yields more or fewer than `length_bytes`.
pub async fn whole<S>(stream: S, length_bytes: u64) -> Result<Bytes, BoxError>
where
    S: Stream<Item = Result<Bytes, BoxError>>,
{
    let mut stream = pin!(stream);
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(piece) = stream.try_next().await? {
        if first.is_empty() && all.is_empty() {
            first = piece;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&piece);
        }
    }
    let whole = if all.is_empty() { first } else { all.freeze() };
    match length_bytes.checked_sub(whole.len() as u64) {
        Some(0) => Ok(whole),
        Some(missing_bytes) => Err(StreamError::TooShort { missing_bytes }.into()),
        None => Err(StreamError::TooLong.into()),
    }
}

impl<S, E> HttpBody for Exact<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
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

    fn pieces(pieces: &[Result<&'static str, &'static str>]) -> impl Stream<Item = Result<Bytes, BoxError>> + use<> {
        stream::iter(pieces.iter().map(|piece| piece.map(Bytes::from).map_err(BoxError::from)).collect::<Vec<_>>())
    }

    #[tokio::test]
    async fn a_whole_has_the_promised_length() {
        assert_eq!(whole(pieces(&[Ok("abc"), Ok("de"), Ok("f")]), 6).await.unwrap(), "abcdef");
        assert_eq!(whole(pieces(&[]), 0).await.unwrap(), "");
        assert!(whole(pieces(&[Ok("abc")]), 4).await.unwrap_err().is::<StreamError>());
        assert!(whole(pieces(&[Ok("abc")]), 2).await.unwrap_err().is::<StreamError>());
        assert_eq!(whole(pieces(&[Ok("abc"), Err("torn")]), 6).await.unwrap_err().to_string(), "torn");
    }

    #[tokio::test]
    async fn what_fails_at_its_beginning_is_told() {
        let id = RequestId::random(&entente_world::World::real());
        assert_eq!(begun(pieces(&[Err("damaged"), Ok("abc")]), 3, id).await.unwrap_err().to_string(), "damaged");
        let body = begun(pieces(&[Ok("abc"), Ok("def")]), 6, id).await.unwrap();
        assert_eq!(body.collect().await.unwrap().to_bytes(), "abcdef");
        let body = begun(pieces(&[Ok("abc"), Err("torn")]), 6, id).await.unwrap();
        assert!(body.collect().await.is_err());
        assert!(begun(pieces(&[]), 0, id).await.unwrap().collect().await.unwrap().to_bytes().is_empty());
    }

    #[tokio::test]
    async fn an_empty_content_asks_nothing_of_its_stream() {
        assert!(body(vec![Err(io::ErrorKind::Other.into())], 0).collect().await.unwrap().to_bytes().is_empty());
    }
}
