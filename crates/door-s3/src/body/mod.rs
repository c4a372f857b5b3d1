//! Request bodies: taken out of their coding, and compared with everything that was said of them, while they pass
//! through once. Nothing is gathered: what does not fit makes the body fail at its end.

mod aws_chunked;
mod checked;
mod digests;

pub(crate) use aws_chunked::Decoder;
pub(crate) use checked::{CheckedBody, Said, SaidChecksum};
pub(crate) use digests::{Algorithm, Hasher, Hashers, combined, composite};

use entente_door_kit::BodyError;
use entente_model::Md5;
use std::sync::OnceLock;

/// Why a body is not what was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyProblem {
    /// It did not arrive.
    #[error(transparent)]
    Arrival(#[from] BodyError),
    /// Fewer bytes than announced.
    #[error("the body is shorter than was announced")]
    TooShort,
    /// More bytes than announced.
    #[error("the body is longer than was announced")]
    TooLong,
    /// The coding of its chunks is malformed.
    #[error("the body's chunks are malformed")]
    Chunks,
    /// A chunk or the trailers are not signed as they should be.
    #[error("a chunk's signature is wrong")]
    ChunkSignature,
    /// A trailer is missing or malformed.
    #[error("a trailer is missing or malformed")]
    Trailer,
    /// Its SHA-256 is not the signed one.
    #[error("the body's SHA-256 is not the signed one")]
    Sha256,
    /// Its MD5 is not the announced one.
    #[error("the body's MD5 is not the announced one")]
    Md5,
    /// It is not the form that was announced, or has too much in it besides the file.
    #[error("the form is malformed, or has too much in it besides the file")]
    Form,
    /// The file of a form is longer than its policy allows.
    #[error("the file is longer than the policy allows")]
    TooLarge,
    /// The file of a form is shorter than its policy allows.
    #[error("the file is shorter than the policy allows")]
    TooSmall,
    /// Its checksum is not the announced one.
    #[error("the body's checksum is not the announced one")]
    Checksum(Algorithm),
}

/// What was found of a body that has arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Digests {
    pub(crate) md5: Option<Md5>,
    /// In base64, as S3 writes it.
    pub(crate) checksum: Option<(Algorithm, String)>,
    pub(crate) size_bytes: u64,
}

/// What became of a request's body, for those who do not hold the body itself.
#[derive(Debug, Default)]
pub(crate) struct Received {
    outcome: OnceLock<Result<Digests, BodyProblem>>,
    wanted: OnceLock<Algorithm>,
}

impl Received {
    /// What was found, once the body has passed through and is as announced.
    pub(crate) fn digests(&self) -> Option<&Digests> {
        self.outcome.get().and_then(|outcome| outcome.as_ref().ok())
    }

    /// Why it failed, if it did.
    pub(crate) fn problem(&self) -> Option<BodyProblem> {
        self.outcome.get().and_then(|outcome| outcome.as_ref().err().copied())
    }

    pub(crate) fn set(&self, outcome: Result<Digests, BodyProblem>) {
        // A body ends once.
        let _ = self.outcome.set(outcome);
    }

    /// Has a checksum computed of a body of which none was announced. Only before the first byte of it is read.
    pub(crate) fn want(&self, algorithm: Algorithm) {
        // A body belongs to one upload.
        let _ = self.wanted.set(algorithm);
    }

    fn wanted(&self) -> Option<Algorithm> {
        self.wanted.get().copied()
    }
}
