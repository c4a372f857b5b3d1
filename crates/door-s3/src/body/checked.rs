//! A request's body on its way in.

use super::{Algorithm, BodyProblem, Decoder, Digests, Hasher, Hashers, Received};
use axum::body::Body;
use bytes::Bytes;
use data_encoding::BASE64;
use entente_door_kit::BodyError;
use http_body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// What was said of a body beforehand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Its length, once out of its coding.
    pub(crate) size_bytes: Option<u64>,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) checksum: Option<SaidChecksum>,
}

/// Where the value of a checksum is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SaidChecksum {
    /// Here, in base64.
    Value(Algorithm, String),
    /// In the body's trailer.
    Trailer(Algorithm),
    /// Nowhere: it is to be computed and told.
    Wanted(Algorithm),
}

impl SaidChecksum {
    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Value(algorithm, _) | Self::Trailer(algorithm) | Self::Wanted(algorithm) => *algorithm,
        }
    }
}

/// A body that fails at its end unless it is what was said of it.
pub(crate) struct CheckedBody {
    body: Body,
    decoder: Option<Decoder>,
    /// What was read of the coded body, and is not decoded yet.
    coded: Bytes,
    hashers: Hashers,
    said: Said,
    received: Arc<Received>,
    is_begun: bool,
    is_over: bool,
}

impl CheckedBody {
    pub(crate) fn new(
        body: Body,
        decoder: Option<Decoder>,
        hashers: Hashers,
        said: Said,
        received: Arc<Received>,
    ) -> Self {
        Self { body, decoder, coded: Bytes::new(), hashers, said, received, is_begun: false, is_over: false }
    }

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyProblem>>> {
        loop {
            if let Some(decoder) = &mut self.decoder
                && !self.coded.is_empty()
                && let Some(data) = decoder.next(&mut self.coded)?
            {
                return Poll::Ready(Some(Ok(data)));
            }
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                None => return Poll::Ready(None),
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(self.arrival(BodyError::from(error))))),
            };
            let Ok(data) = frame.into_data() else { continue };
            if self.decoder.is_none() {
                return Poll::Ready(Some(Ok(data)));
            }
            self.coded = data;
        }
    }

    /// A client that hangs up before the end is told by hyper as an error of its own.
    fn arrival(&self, error: BodyError) -> BodyProblem {
        match error {
            BodyError::Disconnected => BodyProblem::TooShort,
            error => BodyProblem::Arrival(error),
        }
    }

    /// Whether all that arrived is all that was said.
    fn finish(&mut self) -> Result<Digests, BodyProblem> {
        let trailers = match &mut self.decoder {
            Some(decoder) => decoder.finish()?,
            None => &[],
        };
        let hashers = std::mem::take(&mut self.hashers);
        match self.said.size_bytes {
            Some(said) if hashers.size_bytes() < said => return Err(BodyProblem::TooShort),
            Some(said) if hashers.size_bytes() > said => return Err(BodyProblem::TooLong),
            _ => {}
        }
        let found = hashers.finish(self.said.sha256.as_ref())?;
        if let (Some(said), Some(found)) = (&self.said.md5, &found.md5)
            && *said != found.0
        {
            return Err(BodyProblem::Md5);
        }
        let expected = match &self.said.checksum {
            Some(SaidChecksum::Value(_, value)) => Some(value.as_str()),
            Some(SaidChecksum::Trailer(algorithm)) => {
                let name = algorithm.header();
                let trailer = trailers.iter().find(|(trailer, _)| *trailer == name.as_str());
                let (_, value) = trailer.ok_or(BodyProblem::Trailer)?;
                if !algorithm.is_value(value) {
                    return Err(BodyProblem::Trailer);
                }
                Some(value.as_str())
            }
            Some(SaidChecksum::Wanted(_)) | None => None,
        };
        match (&found.checksum, expected) {
            (Some((algorithm, found)), Some(expected)) if !is_same(found, expected) => {
                Err(BodyProblem::Checksum(*algorithm))
            }
            _ => Ok(found),
        }
    }
}

fn is_same(found: &str, expected: &str) -> bool {
    // Base64 leaves a few spare bits, which mean nothing.
    found == expected || BASE64.decode(found.as_bytes()).ok() == BASE64.decode(expected.as_bytes()).ok()
}

impl HttpBody for CheckedBody {
    type Data = Bytes;
    type Error = BodyProblem;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyProblem>>> {
        let this = &mut *self;
        if this.is_over {
            return Poll::Ready(None);
        }
        if !this.is_begun {
            this.is_begun = true;
            if this.hashers.checksum.is_none() {
                this.hashers.checksum = this.received.wanted().map(Hasher::new);
            }
        }
        let problem = match ready!(this.poll_data(cx)) {
            Some(Ok(data)) => {
                this.hashers.update(&data);
                match this.said.size_bytes {
                    Some(said) if this.hashers.size_bytes() > said => BodyProblem::TooLong,
                    _ => return Poll::Ready(Some(Ok(Frame::data(data)))),
                }
            }
            Some(Err(problem)) => problem,
            None => {
                this.is_over = true;
                match this.finish() {
                    Ok(found) => {
                        this.received.set(Ok(found));
                        return Poll::Ready(None);
                    }
                    Err(problem) => problem,
                }
            }
        };
        this.is_over = true;
        this.received.set(Err(problem));
        Poll::Ready(Some(Err(problem)))
    }

    /// Only once it has been looked at.
    fn is_end_stream(&self) -> bool {
        self.is_over
    }

    fn size_hint(&self) -> SizeHint {
        match self.said.size_bytes.and_then(|said| said.checked_sub(self.hashers.size_bytes())) {
            Some(rest) if !self.is_over => SizeHint::with_exact(rest),
            _ => SizeHint::default(),
        }
    }
}
