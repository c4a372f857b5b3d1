//! Looks at one replica whole: is every chunk in it what was written?

use super::trouble::{Trouble, left_alone, says_what_is};
use crate::core::Core;
use crate::{ChunkRecord, Replica, SegmentRecord, seal};
use bytes::Bytes;
use entente_clouds::{Backend, Error, ErrorKind};
use entente_world::World;
use std::sync::Arc;

/// Up to this size, checking costs less than a change of threads.
const INLINE_BYTES_MAX: u64 = 256 * 1024;

/// What a replica was found to be.
#[derive(Debug)]
pub(crate) enum Inspected {
    /// Each chunk in it is what was written.
    Good(Bytes),
    /// It is not there.
    Missing,
    /// It ends too early, or goes on too long.
    WrongSize(u64),
    /// This chunk in it is not what was written.
    WrongChunk(ChunkRecord),
    /// It is there, and its bytes cannot be read: a bad sector, for example.
    Unreadable(String),
    /// Its backend could not tell.
    Failed(String),
}

impl Inspected {
    /// Whether it is known not to be good.
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self, Self::Missing | Self::WrongSize(_) | Self::WrongChunk(_) | Self::Unreadable(_))
    }

    fn failed(error: &Error) -> Self {
        match error.kind {
            ErrorKind::NotFound => Self::Missing,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// What is known of a segment, for looking at its replicas.
#[derive(Clone)]
pub(crate) struct Subject {
    pub record: SegmentRecord,
    /// Its chunks that something refers to; what is between them is not looked at.
    pub chunks: Arc<[ChunkRecord]>,
}

/// Reads a replica whole and checks it. What seems to be wrong is read again before it is said: bits flip on their way too.
pub(crate) async fn inspect(core: &Core, trouble: &Trouble, subject: &Subject, replica: &Replica) -> Inspected {
    let first = look(core, trouble, subject, replica).await;
    if first.is_wrong() { look(core, trouble, subject, replica).await } else { first }
}

async fn look(core: &Core, trouble: &Trouble, subject: &Subject, replica: &Replica) -> Inspected {
    let size = subject.record.size;
    if trouble.is_left_alone(core, replica.backend) {
        return Inspected::Failed(left_alone(replica.backend));
    }
    let cloud = match core.cloud(replica.backend) {
        Ok(cloud) => cloud,
        Err(error) => return Inspected::Failed(error.to_string()),
    };
    let bytes = match cloud.read(replica.name, 0..size).await {
        Ok(bytes) => bytes.freeze(),
        Err(error) => return why_not_read(trouble, (&*cloud, size), replica, error).await,
    };
    trouble.ended_well(replica.backend);
    match first_wrong(&core.world, &bytes, &subject.chunks).await {
        Ok(Some(chunk)) => Inspected::WrongChunk(chunk),
        Ok(None) => Inspected::Good(bytes),
        Err(error) => Inspected::Failed(error.to_string()),
    }
}

/// What it means that a replica could not be read.
async fn why_not_read(
    trouble: &Trouble,
    (cloud, size): (&dyn Backend, u64),
    replica: &Replica,
    error: Error,
) -> Inspected {
    match error.kind {
        ErrorKind::NotFound => Inspected::Missing,
        // If the backend does not even answer how long the object is, then it is the backend that fails.
        ErrorKind::OutOfRange | ErrorKind::Failed => {
            match trouble.note(replica.backend, cloud.stat(replica.name).await) {
                Ok(stat) if stat.size == size => Inspected::Unreadable(error.to_string()),
                Ok(stat) => Inspected::WrongSize(stat.size),
                Err(error) => Inspected::failed(&error),
            }
        }
        _ => Inspected::failed(&trouble.failed(replica.backend, error)),
    }
}

/// Whether an object is as long as it must be: what was written, and nothing after it.
pub(crate) async fn inspect_size(
    core: &Core,
    trouble: &Trouble,
    record: &SegmentRecord,
    replica: &Replica,
) -> Option<Inspected> {
    let cloud = match core.cloud(replica.backend) {
        Ok(cloud) => cloud,
        Err(error) => return Some(Inspected::Failed(error.to_string())),
    };
    match trouble.note(replica.backend, cloud.stat(replica.name).await) {
        Ok(stat) if stat.size == record.size => None,
        Ok(stat) => Some(Inspected::WrongSize(stat.size)),
        Err(error) if says_what_is(error.kind) => Some(Inspected::Missing),
        Err(error) => Some(Inspected::Failed(error.to_string())),
    }
}

/// The first chunk whose bytes are not what was written.
async fn first_wrong(
    world: &World,
    bytes: &Bytes,
    chunks: &Arc<[ChunkRecord]>,
) -> Result<Option<ChunkRecord>, entente_world::Interrupted> {
    let (held, all) = (bytes.clone(), Arc::clone(chunks));
    let find = move || all.iter().find(|chunk| !is_there(&held, chunk)).cloned();
    if bytes.len() as u64 <= INLINE_BYTES_MAX { Ok(find()) } else { world.blocking(find).await }
}

fn is_there(bytes: &Bytes, chunk: &ChunkRecord) -> bool {
    let from = usize::try_from(chunk.place.offset).ok();
    let length = usize::try_from(chunk.place.length).ok();
    let range = from.zip(length).and_then(|(from, length)| Some(from..from.checked_add(length)?));
    let sealed = range.and_then(|range| bytes.get(range));
    sealed.is_some_and(|sealed| seal::checksum(sealed) == chunk.place.checksum)
}
