//! A request whose sender is known, or known to be unknown.

use crate::body::{Algorithm, Received};
use crate::sse::SaidKeys;
use entente_door_kit::Arrival;
use entente_identity::Reach;
use entente_model::Timestamp;
use entente_tree::{Caller, Entered, Sight};
use http::HeaderValue;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};
use std::sync::Arc;

/// Who asks, and what comes with the request besides its words. It travels as an extension of the request.
#[derive(Clone)]
pub(crate) struct Asked {
    /// In whose name things are done: whoever signed the request, or, where a bucket's rules let them, the bucket's owner
    /// with few scopes. Nobody, who may do nothing, as long as a request that nobody signed has not come in anywhere.
    pub(crate) caller: Caller,
    /// Who signed it, if anybody did.
    pub(crate) signer: Option<Caller>,
    /// The bucket that it has come into, once the gate has decided.
    pub(crate) entered: Option<Entered>,
    /// The buckets that the access key reaches.
    pub(crate) reach: Reach,
    pub(crate) arrival: Arrival,
    /// When.
    pub(crate) at: Timestamp,
    /// Where the signature was, as S3 calls the place.
    pub(crate) signature_at: Option<&'static str>,
    /// Which bytes are wanted, as it was asked: what is malformed is passed over, and `s3s` would refuse it.
    pub(crate) range: Option<HeaderValue>,
    /// `Expires` as it came: what is no date, such as `0`, is remembered too, and `s3s` would refuse it.
    pub(crate) expires: Option<HeaderValue>,
    /// Which checksum of the body was announced, if any was.
    pub(crate) announced: Option<Algorithm>,
    /// The keys of customers that came with it.
    pub(crate) keys: Arc<SaidKeys>,
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

    /// The same request, in a bucket.
    pub(crate) fn inside(&self, entered: Entered) -> Self {
        Self { caller: entered.caller.clone(), entered: Some(entered), ..self.clone() }
    }

    /// What whoever asks is told: who may not list keys is not told that one is not there.
    pub(crate) fn seen(&self, error: S3Error) -> S3Error {
        let is_blind = self.entered.as_ref().is_some_and(|entered| entered.sight == Sight::Blind);
        let tells =
            matches!(error.code(), S3ErrorCode::NoSuchKey | S3ErrorCode::NoSuchVersion | S3ErrorCode::MethodNotAllowed);
        if is_blind && tells { crate::gate::denied() } else { error }
    }
}
