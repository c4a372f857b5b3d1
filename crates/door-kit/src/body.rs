//! Request bodies: why one ends early, and reading a small one whole.
//!
//! [`serve`](crate::serve()) gives every body an idle limit, so that none can be waited for forever. A door reads a
//! large body as a stream (`axum::body::Body::into_data_stream`) and a small one with [`read_bounded`].

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::{error::Error as StdError, io};

/// Why a request body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the door takes. Send less.
    #[error("the request body is longer than {limit_bytes} bytes")]
    TooLarge {
        /// What the door takes.
        limit_bytes: usize,
    },
    /// The client sent nothing for too long. May be retried.
    #[error("the request body stopped arriving")]
    Stalled,
    /// The client went away before the end. Nobody is there to read an answer.
    #[error("the client went away before the request body was complete")]
    Disconnected,
    /// Its transfer coding is broken.
    #[error("the request body's transfer coding is malformed")]
    Malformed,
}

impl From<axum::Error> for BodyError {
    /// What lies behind an error of a body that came through [`serve`](crate::serve()).
    fn from(error: axum::Error) -> Self {
        let mut inner = error.into_inner();
        loop {
            inner = match inner.downcast::<axum::Error>() {
                Ok(wrapped) => wrapped.into_inner(),
                Err(inner) => return inner.downcast_ref::<Self>().copied().unwrap_or_else(|| Self::behind(&*inner)),
            }
        }
    }
}

impl BodyError {
    /// The kind of an error of hyper, from the I/O error that it wraps.
    pub(crate) fn behind(error: &(dyn StdError + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return match error.kind() {
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Malformed,
                    io::ErrorKind::TimedOut => Self::Stalled,
                    _ => Self::Disconnected,
                };
            }
            cause = error.source();
        }
        Self::Disconnected
    }
}

/// Reads a whole body of at most `limit_bytes`. One that declares more is refused before anything is read.
pub async fn read_bounded(mut body: Body, limit_bytes: usize) -> Result<Bytes, BodyError> {
    let too_large = BodyError::TooLarge { limit_bytes };
    let declared = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if declared > limit_bytes {
        return Err(too_large);
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if first.len() + all.len() + data.len() > limit_bytes {
            return Err(too_large);
        }
        if first.is_empty() && all.is_empty() {
            // Most small bodies arrive in one piece, which is then not copied.
            first = data;
        } else {
            if all.is_empty() {
                all.reserve(declared.max(first.len() + data.len()));
                all.extend_from_slice(&std::mem::take(&mut first));
            }
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn pieces(pieces: &[&'static str]) -> Body {
        let pieces: Vec<Result<Bytes, io::Error>> =
            pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect();
        Body::from_stream(stream::iter(pieces))
    }

    #[tokio::test]
    async fn pieces_are_joined() {
        assert_eq!(read_bounded(pieces(&["ab", "", "cd", "e"]), 5).await.unwrap(), "abcde");
        assert_eq!(read_bounded(pieces(&["abcde"]), 5).await.unwrap(), "abcde");
        assert_eq!(read_bounded(Body::empty(), 0).await.unwrap(), "");
    }

    #[tokio::test]
    async fn the_limit_holds() {
        let too_large = Err(BodyError::TooLarge { limit_bytes: 4 });
        assert_eq!(read_bounded(pieces(&["ab", "cd", "e"]), 4).await, too_large);
        assert_eq!(read_bounded(Body::from("abcde"), 4).await, too_large);
    }

    #[tokio::test]
    async fn errors_are_recognised() {
        let read =
            |error: BodyError| read_bounded(Body::new(Body::from_stream(stream::iter([Err::<Bytes, _>(error)]))), 9);
        assert_eq!(read(BodyError::Stalled).await, Err(BodyError::Stalled));
        let broken = Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::from(io::ErrorKind::InvalidData))]));
        assert_eq!(read_bounded(broken, 9).await, Err(BodyError::Malformed));
    }
}
