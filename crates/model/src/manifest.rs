//! What the vault gives back for a stream of bytes, and needs to give the bytes back.

use crate::{ContentId, EnterpriseId, EpochId, PolicyId, SegmentId, Sha1, ZoneId};

/// The plaintext of every chunk but the last of a content is this long (8 MiB).
pub const CHUNK_SIZE_BYTES: u64 = 8 * 1024 * 1024;

/// A data key wrapped by an epoch key (AES key wrap, RFC 3394: 40 bytes for a 256-bit key).
/// Worth nothing without the epoch key, so it may be copied; it is still not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedDataKey {
    /// The epoch key that wraps it.
    pub epoch: EpochId,
    /// The wrapped bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for WrappedDataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WrappedDataKey(epoch {})", self.epoch)
    }
}

/// The first 16 bytes of the BLAKE3 hash of sealed bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checksum(pub [u8; 16]);

impl std::fmt::Debug for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checksum({:032x})", u128::from_be_bytes(self.0))
    }
}

/// Tells whether a customer's key is the one that a content was sealed with. It says nothing of the key, nor of what was
/// sealed: whoever compares it does so in constant time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CustomerCheck(pub [u8; 32]);

impl std::fmt::Debug for CustomerCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomerCheck(..)")
    }
}

/// Where one sealed chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which chunk of the content, from 0.
    pub chunk: u32,
    /// The segment that holds it.
    pub segment: SegmentId,
    /// Its first byte within the segment.
    pub offset: u64,
    /// Its sealed length in bytes, header and tags included.
    pub length: u64,
    /// Of its sealed bytes, so that upkeep can tell without a key that it holds what was written.
    pub checksum: Checksum,
}

/// Everything needed to read one content back, apart from the keys of its zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The content; bound into every frame's associated data.
    pub content: ContentId,
    /// Whose it is; bound into every frame's associated data.
    pub enterprise: EnterpriseId,
    /// Where it must stay.
    pub zone: ZoneId,
    /// How many copies of it there are, and on which backends of the zone.
    pub policy: PolicyId,
    /// The key that seals its chunks.
    pub key: WrappedDataKey,
    /// When a customer's key is needed besides, what tells it from others. Of a content of pieces, that one is needed for
    /// each of them.
    pub customer: Option<CustomerCheck>,
    /// Plaintext length in bytes.
    pub size: u64,
    /// SHA-1 of the plaintext, when it was asked for. Never of what only a customer can open.
    pub sha1: Option<Sha1>,
    /// One place a chunk, in order of chunks. Empty for an empty content.
    pub places: Vec<Place>,
}

impl Manifest {
    /// Whether the content is made of pieces of others, and has nothing sealed of its own: no chunk, no key, no zone and no
    /// policy. Those of the others say where it is.
    #[must_use]
    pub fn is_of_pieces(&self) -> bool {
        self.key.bytes.is_empty()
    }
}
