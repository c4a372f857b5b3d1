use entente_model::{ContentId, EpochId, PolicyId, SegmentId};

/// What can go wrong between a stream of bytes and its segments.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body failed before its end: the client went away or was too slow. Nothing was kept.
    #[error("the body ended before it was complete")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The body is longer than allowed. Nothing was kept.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: u64,
    },
    /// A stored chunk is missing, shorter than recorded, or does not open: it was damaged on the backend.
    #[error("segment {segment} is damaged: chunk {chunk} of content {content} cannot be read; run `entente verify`")]
    Damaged {
        /// The segment.
        segment: SegmentId,
        /// The content.
        content: ContentId,
        /// The chunk.
        chunk: u32,
        /// What the backend said, if it said anything.
        #[source]
        source: Option<entente_clouds::Error>,
    },
    /// The epoch key is unknown: the ledger has been damaged or mixed up with another.
    #[error("epoch key {0} is not in the ledger")]
    UnknownEpoch(EpochId),
    /// A wrapped data key does not unwrap under its epoch key.
    #[error("the data key of content {0} does not unwrap")]
    DataKey(ContentId),
    /// The content was sealed with a customer's key as well, and none was given.
    #[error("content {0} is sealed with a key that only its customer has")]
    KeyNeeded(ContentId),
    /// The content was sealed with another key of a customer's than the one that was given.
    #[error("content {0} is sealed with another customer's key than the one given")]
    WrongKey(ContentId),
    /// A customer's key was given, and the content was sealed without one.
    #[error("a customer's key was given for what is not sealed with one")]
    KeyUnused,
    /// The custodian refuses or cannot be reached.
    #[error(transparent)]
    Custodian(#[from] entente_custodians::Error),
    /// A backend failed.
    #[error(transparent)]
    Cloud(#[from] entente_clouds::Error),
    /// The ledger failed. Shared, because all whose bytes were to share a segment hear of it.
    #[error("the ledger failed")]
    Ledger(#[source] std::sync::Arc<dyn std::error::Error + Send + Sync>),
    /// A segment was condemned before its content was committed (it took longer than the grace period). May be retried.
    #[error("segment {0} was condemned before its content was committed; send it again")]
    Condemned(SegmentId),
    /// The storage policy cannot be met now; the text says why. Nothing was written. May be retried when that has changed.
    #[error("storage policy {policy} cannot be met: {why}")]
    Unmet {
        /// The policy.
        policy: PolicyId,
        /// Why.
        why: &'static str,
    },
    /// The process is stopping. May be retried.
    #[error(transparent)]
    Interrupted(#[from] entente_world::Interrupted),
    /// A step met a state that cannot be. The text says which.
    #[error("internal error: {0}")]
    Internal(&'static str),
}

impl Error {
    /// An error of a ledger, boxed.
    #[must_use]
    pub fn ledger(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Ledger(source.into().into())
    }

    /// Whether the backend has no room left.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Cloud(error) if error.kind == entente_clouds::ErrorKind::Full)
    }
}
