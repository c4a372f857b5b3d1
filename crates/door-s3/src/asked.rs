//! A request whose sender is known.

use crate::body::{Algorithm, Received};
use entente_door_kit::Arrival;
use entente_identity::Reach;
use entente_tree::Caller;
use http::HeaderValue;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};
use std::sync::Arc;

/// Who asks, and what comes with the request besides its words. It travels as an extension of the request.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    /// The buckets that the access key reaches.
    pub(crate) reach: Reach,
    pub(crate) arrival: Arrival,
    /// Which bytes are wanted, as it was asked: what is malformed is passed over, and `s3s` would refuse it.
    pub(crate) range: Option<HeaderValue>,
    /// `Expires` as it came: what is no date, such as `0`, is remembered too, and `s3s` would refuse it.
    pub(crate) expires: Option<HeaderValue>,
    /// Which checksum of the body was announced, if any was.
    pub(crate) announced: Option<Algorithm>,
    /// What becomes of the body.
    pub(crate) received: Arc<Received>,
}

impl Asked {
    /// The one of a request that came through the front.
    pub(crate) fn of<T>(request: &S3Request<T>) -> S3Result<Arc<Self>> {
        request.extensions.get::<Arc<Self>>().cloned().ok_or_else(|| {
            // The front attaches it to whatever it lets in.
            S3Error::new(S3ErrorCode::InternalError)
        })
    }

    /// Fails when the access key does not reach the bucket.
    pub(crate) fn may_reach(&self, bucket: &str) -> S3Result<()> {
        if self.reach.includes(bucket) {
            return Ok(());
        }
        Err(S3Error::with_message(S3ErrorCode::AccessDenied, "The access key does not reach this bucket"))
    }
}
