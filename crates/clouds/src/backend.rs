use crate::Error;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_model::Timestamp;
use std::{fmt, ops::Range};

/// The name of a stored object: 32 lower-case hexadecimal digits, drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName([u8; 16]);

/// The name of the marker, beside the objects: no object of ours can have it. See docs/formats/store-marker.md.
pub const MARKER_NAME: &str = "entente-store";
/// The most bytes that a marker has.
pub const MARKER_BYTES_MAX: usize = 4096;
/// The most objects that [`Backend::foreign`] looks at.
pub const FOREIGN_LOOKED_MAX: usize = 100_000;

/// The text is not 32 lower-case hexadecimal digits: not an object of ours. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an object's name is 32 lower-case hexadecimal digits")]
pub struct ObjectNameError;

impl ObjectName {
    /// The name that these random bytes spell.
    #[must_use]
    pub const fn new(random: [u8; 16]) -> Self {
        Self(random)
    }

    /// The bytes it was made of.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl std::str::FromStr for ObjectName {
    type Err = ObjectNameError;
    fn from_str(text: &str) -> Result<Self, ObjectNameError> {
        let ours = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !ours {
            return Err(ObjectNameError);
        }
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| ObjectNameError)
    }
}

/// What a backend tells of an object without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// Its length in bytes.
    pub size: u64,
    /// When it was created, by the backend's clock.
    pub created_at: Timestamp,
}

/// One row of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: ObjectName,
    /// Its length in bytes.
    pub size: u64,
    /// When it was created, by the backend's clock, if a listing tells it there; else ask `stat`.
    pub created_at: Option<Timestamp>,
}

/// One bucket, container or folder of immutable objects. `conformance` holds every implementation to this.
///
/// All methods may be called concurrently, and every future may be dropped at any await: an operation
/// dropped half way has either happened or not, and never leaves a partial object under its name.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Begins an object. Nothing is visible under `name` until [`Creation::commit`] succeeds.
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error>;

    /// Reads exactly `range`, which must be within the object and not empty.
    ///
    /// `NotFound` when there is no such object; `OutOfRange` when the object ends before the range does.
    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error>;

    /// Size and age. `NotFound` when there is no such object.
    async fn stat(&self, name: ObjectName) -> Result<Stat, Error>;

    /// Up to `limit` objects whose names come after `after`, in order of names. Fewer than `limit` means
    /// that there are no more. Foreign objects in the same place are passed over.
    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error>;

    /// Removes the object. Absent already is success.
    async fn delete(&self, name: ObjectName) -> Result<(), Error>;

    /// The marker that tells whose place this is ([`crate::claim`]), if there is one: the object [`MARKER_NAME`].
    ///
    /// `Failed` when something larger than [`MARKER_BYTES_MAX`] has its name.
    async fn marker(&self) -> Result<Option<Bytes>, Error>;

    /// Puts the marker there, durably, with at most [`MARKER_BYTES_MAX`] bytes. It is never replaced.
    ///
    /// `AlreadyExists` when there is one. A service that cannot create without overwriting may let a later mark win
    /// over an earlier one, so read it back.
    async fn mark(&self, bytes: Bytes) -> Result<(), Error>;

    /// Names of up to `limit` objects in this place that are neither ours nor the marker, in any order.
    ///
    /// Looks at no more than [`FOREIGN_LOOKED_MAX`] objects: what is hidden among more of our own may not be found.
    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error>;
}

/// An object that is being created. Dropping it leaves at most garbage that no listing shows.
#[async_trait]
pub trait Creation: Send {
    /// Appends bytes. They may be held in memory (at most 8 MiB and a little) or written at once.
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error>;

    /// Makes the object durable and visible, whole or not at all: fsync of file and folder on a disk, 2xx from a cloud.
    ///
    /// `AlreadyExists` when the name is taken: the object that has it is durable, and left as it is. After any
    /// other error the object may or may not exist; the caller gives up the name.
    async fn commit(self: Box<Self>) -> Result<(), Error>;
}
