//! Fetching a window of frames from whichever replica has it.
//!
//! The best replica is asked first; the next one as well when that fails, when what it has does not open, or when it takes
//! long. A replica that is proven missing or wrong is put in doubt, if there is a good one to repair it from. When no replica
//! has the whole window, it is put together frame by frame from what each of them has.

use super::{Current, FRAME, Reading, SEALED_FRAME, WINDOW_FRAMES, WINDOW_FRAMES_MAX, WINDOW_GROWTH, open_frames};
use crate::chunk::Piece;
use crate::copies::told_first;
use crate::core::{READS_FALLEN_THROUGH, READS_HEDGED};
use crate::race::{Event, Race};
use crate::seal::{Binding, ChunkKey, HEADER_BYTES, TAG_BYTES};
use crate::topology::Pace;
use crate::{Copy, Error, Located, Replica, Vault};
use bytes::{Bytes, BytesMut};
use entente_clouds::{Backend, ErrorKind};
use entente_custodians::SecretKey;
use entente_model::BackendId;
use futures_util::future::try_join;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// A window gets so much more time for each of these many bytes.
const HEDGE_STEP: (Duration, u64) = (Duration::from_millis(100), 1024 * 1024);
/// How long one that another has outrun is listened to; the guards of a backend give it up before.
const OUTRUN_FOR: Duration = Duration::from_secs(30);

type CloudResult<T> = Result<T, entente_clouds::Error>;

/// What is wanted of one chunk.
struct Wanted {
    /// Where its sealed bytes begin in the segment.
    offset: u64,
    /// The key that its header gives, when it is known already.
    key: Option<Arc<ChunkKey>>,
    binding: Binding,
    /// Which frames.
    frames: Range<u64>,
    /// Their plaintext bytes.
    plain: u64,
    /// How many frames the chunk has.
    frames_in_chunk: u64,
}

/// What a replica gave.
struct Given {
    /// `None` when the key was known.
    header: Option<BytesMut>,
    sealed: BytesMut,
}

/// A replica that can be asked.
#[derive(Clone)]
struct Source {
    replica: Replica,
    cloud: Arc<dyn Backend>,
    pace: Pace,
}

/// Replicas that have failed a reader, and how.
#[derive(Default)]
struct Failures {
    /// They are known to be missing or wrong.
    proven: Vec<BackendId>,
    /// Bytes came from one of them at least, or fewer than there should be.
    some_bytes: bool,
    /// What was not proof, the one that may be better later before others.
    unproven: Option<entente_clouds::Error>,
    /// What a backend said that was proof.
    proof: Option<entente_clouds::Error>,
}

impl Reading {
    /// Fetches and opens frames. The first ones that are not at a chunk's beginning cost two reads, since the chunk's key
    /// follows from its header; they are on their way at the same time.
    pub(super) async fn fetch(&mut self, piece: &Piece, frames: &Range<u64>) -> Result<Vec<Bytes>, Error> {
        // A slow client must not keep a withdrawn key in use.
        self.vault.inner.keys.still(self.manifest.key.epoch, self.manifest.zone).await?;
        let located = self.locate(piece.chunk).await?;
        let frames_in_chunk = piece.length.div_ceil(FRAME);
        if located.place.length != HEADER_BYTES as u64 + piece.length + frames_in_chunk * TAG_BYTES as u64 {
            return Err(self.damaged(&located, None));
        }
        let data_key = match self.data_key.take() {
            Some(data_key) => data_key,
            None => self.vault.sealing_key(&self.manifest, self.customer.as_deref()).await?,
        };
        let data_key = self.data_key.insert(data_key);
        let known = self.current.take().filter(|current| current.chunk == piece.chunk && current.located == located);
        let wanted = Wanted {
            offset: located.place.offset,
            key: known.map(|current| current.key),
            binding: Binding {
                enterprise: self.manifest.enterprise,
                content: self.manifest.content,
                chunk: piece.chunk,
            },
            frames: frames.clone(),
            plain: (frames.end * FRAME).min(piece.length) - frames.start * FRAME,
            frames_in_chunk,
        };
        let sources = sources(&self.vault, self.manifest.policy, &located)?;
        let mut failures = Failures::default();
        let fetched = raced(&self.vault, &wanted, data_key, &located, &sources, &mut failures).await?;
        let fetched = match fetched {
            None if failures.some_bytes && sources.len() > 1 => wanted.pieced_together(data_key, &sources).await,
            fetched => fetched,
        };
        let Some((opened, key)) = fetched else {
            return Err(match failures.unproven {
                Some(error) => Error::Cloud(error),
                None => self.damaged(&located, failures.proof),
            });
        };
        self.current = Some(Current { chunk: piece.chunk, located, key });
        self.wanted_frames = match sources.first().map(|source| source.pace) {
            Some(Pace::Cloud) => WINDOW_FRAMES_MAX.min(WINDOW_GROWTH * (frames.end - frames.start)),
            _ => WINDOW_FRAMES,
        };
        Ok(opened)
    }
}

/// The replicas to ask, best first.
fn sources(vault: &Vault, policy: entente_model::PolicyId, located: &Located) -> Result<Vec<Source>, Error> {
    let topology = vault.inner.topology();
    let sources = topology.sources_for(policy, &located.replicas, |backend| topology.state(backend));
    let source = |replica: Replica| {
        let member = topology.member(replica.backend)?;
        Some(Source { replica, cloud: Arc::clone(&member.cloud), pace: member.pace })
    };
    let sources: Vec<_> = sources.into_iter().filter_map(source).collect();
    if sources.is_empty() && located.replicas.iter().any(|replica| topology.member(replica.backend).is_none()) {
        return Err(Error::Internal("a segment is on a backend that is not configured"));
    }
    Ok(sources)
}

/// Asks one replica after the other, and several at once when they take long. `None` when none has it.
async fn raced(
    vault: &Vault,
    wanted: &Wanted,
    data_key: &SecretKey,
    located: &Located,
    sources: &[Source],
    failures: &mut Failures,
) -> Result<Option<(Vec<Bytes>, Arc<ChunkKey>)>, Error> {
    let core = &vault.inner.core;
    if let [only] = sources {
        // With nobody else to ask there is no point in looking at the clock.
        let given = wanted.request().ask(only).await;
        return taken(vault, wanted, data_key, located, (only.replica.backend, given), failures).await;
    }
    let (step, step_bytes) = HEDGE_STEP;
    let steps = u32::try_from(wanted.plain / step_bytes).unwrap_or(u32::MAX);
    let mut race = Race::new(core.world.clone(), core.limits.hedge_after.saturating_add(step.saturating_mul(steps)));
    let mut left = sources.iter();
    if let Some(first) = left.next() {
        race.begin(first.replica.backend, wanted.request().ask_alone(first.clone(), None));
    }
    while let Some(event) = race.event(|backend| core.is_down(backend)).await {
        match event {
            Event::Done(backend, given) => {
                let taken = taken(vault, wanted, data_key, located, (backend, given), failures).await?;
                if taken.is_some() {
                    outrun(vault, race);
                    return Ok(taken);
                }
                if race.promising().next().is_none()
                    && let Some(next) = left.next()
                {
                    metrics::counter!(READS_FALLEN_THROUGH).increment(1);
                    race.begin(next.replica.backend, wanted.request().ask_alone(next.clone(), None));
                }
            }
            Event::Late => {
                if let Some(next) = left.as_slice().first()
                    && let Ok(hedge) = Arc::clone(&core.hedges).try_acquire_owned()
                {
                    left.next();
                    metrics::counter!(READS_HEDGED).increment(1);
                    race.begin(next.replica.backend, wanted.request().ask_alone(next.clone(), Some(hedge)));
                }
            }
        }
    }
    Ok(None)
}

/// Opens what a replica gave. `None` when it gave nothing that opens, which is noted.
async fn taken(
    vault: &Vault,
    wanted: &Wanted,
    data_key: &SecretKey,
    located: &Located,
    (backend, given): (BackendId, CloudResult<Given>),
    failures: &mut Failures,
) -> Result<Option<(Vec<Bytes>, Arc<ChunkKey>)>, Error> {
    match given {
        Ok(given) => {
            let opened = wanted.open(vault, data_key, given).await?;
            if opened.is_none() {
                failures.prove(vault, located, backend, None);
            }
            return Ok(opened);
        }
        Err(error) if is_proof(error.kind) => failures.prove(vault, located, backend, Some(error)),
        Err(error) => failures.unproven = Some(told_first(failures.unproven.take(), error)),
    }
    Ok(None)
}

/// Listens on to those that were late, so that their guards learn how late: whoever is dropped early is never seen to hang.
fn outrun(vault: &Vault, race: Race<'static, BackendId, Given>) {
    let core = &vault.inner.core;
    if race.running().next().is_some()
        && let Ok(place) = Arc::clone(&core.outrun).try_acquire_owned()
    {
        core.world.spawn(async move {
            race.outrun(OUTRUN_FOR).await;
            drop(place);
        });
    }
}

/// Whether an error says that the replica is not what it should be, and not just that it could not be asked.
fn is_proof(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::OutOfRange)
}

impl Failures {
    /// Notes that a replica is missing or wrong, and puts it in doubt if there is a good one to repair it from. (If not, a
    /// doubt would help nobody, and what reads as wrong once may read as right again.)
    fn prove(&mut self, vault: &Vault, located: &Located, backend: BackendId, error: Option<entente_clouds::Error>) {
        self.some_bytes |= error.as_ref().is_none_or(|error| error.kind == ErrorKind::OutOfRange);
        self.proof = error.or(self.proof.take());
        self.proven.push(backend);
        let is_good = |replica: &&Replica| replica.is_good() && !self.proven.contains(&replica.backend);
        let wrong = located.replicas.iter().find(|replica| replica.backend == backend && replica.is_good());
        if let Some(wrong) = wrong
            && located.replicas.iter().any(|replica| is_good(&replica))
        {
            vault.inner.doubts.put(Copy { segment: located.place.segment, backend, name: wrong.name });
        }
    }
}

/// Ranges of an object.
struct Request {
    header: Option<Range<u64>>,
    sealed: Range<u64>,
}

impl Request {
    /// The same as a task of its own; `hedge` is held until it ends.
    async fn ask_alone(self, source: Source, hedge: Option<OwnedSemaphorePermit>) -> CloudResult<Given> {
        let given = self.ask(&source).await;
        drop(hedge);
        given
    }

    async fn ask(self, source: &Source) -> CloudResult<Given> {
        let read = |range| source.cloud.read(source.replica.name, range);
        match self.header {
            None => Ok(Given { header: None, sealed: read(self.sealed).await? }),
            Some(header) if header.end == self.sealed.start => {
                let mut sealed = read(header.start..self.sealed.end).await?;
                let header = sealed.split_to(HEADER_BYTES.min(sealed.len()));
                Ok(Given { header: Some(header), sealed })
            }
            Some(header) => {
                let (header, sealed) = try_join(read(header), read(self.sealed)).await?;
                Ok(Given { header: Some(header), sealed })
            }
        }
    }
}

impl Wanted {
    fn request(&self) -> Request {
        let from = self.offset + HEADER_BYTES as u64 + self.frames.start * SEALED_FRAME;
        let length = self.plain + (self.frames.end - self.frames.start) * TAG_BYTES as u64;
        let header = self.key.is_none().then(|| self.header());
        Request { header, sealed: from..from + length }
    }

    fn header(&self) -> Range<u64> {
        self.offset..self.offset + HEADER_BYTES as u64
    }

    /// Opens what a replica gave. `None` when it does not open.
    async fn open(
        &self,
        vault: &Vault,
        data_key: &SecretKey,
        Given { header, sealed }: Given,
    ) -> Result<Option<(Vec<Bytes>, Arc<ChunkKey>)>, Error> {
        let key = match (&self.key, header) {
            (Some(key), _) => Arc::clone(key),
            (None, Some(header)) => match ChunkKey::from_header(data_key, &header, self.binding) {
                Ok(key) => Arc::new(key),
                Err(_) => return Ok(None),
            },
            (None, None) => return Err(Error::Internal("a header is asked for when the key is not known")),
        };
        let (first, count, of) = (self.frames.start, self.frames.end - self.frames.start, self.frames_in_chunk);
        let open = move || open_frames(&key, sealed, first, count, of).map(|opened| (opened, key));
        // Up to two frames it takes less time than a change of threads would.
        Ok(if self.plain <= 2 * FRAME { open() } else { vault.inner.world.blocking(open).await? })
    }

    /// The window frame by frame, each from whichever replica has it, under whichever replica's header. For chunks of which
    /// every replica has lost something: slow, and rare.
    async fn pieced_together(&self, data_key: &SecretKey, sources: &[Source]) -> Option<(Vec<Bytes>, Arc<ChunkKey>)> {
        let mut keys: Vec<_> = self.key.iter().cloned().collect();
        let mut headers: Vec<BytesMut> = Vec::new();
        for source in sources {
            if let Ok(header) = source.cloud.read(source.replica.name, self.header()).await
                && !headers.contains(&header)
            {
                keys.extend(ChunkKey::from_header(data_key, &header, self.binding).map(Arc::new));
                headers.push(header);
            }
        }
        let mut opened: Vec<Bytes> = Vec::new();
        let mut used = None;
        for frame in self.frames.clone() {
            let only = Wanted {
                key: keys.first().cloned(),
                frames: frame..frame + 1,
                plain: (self.plain - (frame - self.frames.start) * FRAME).min(FRAME),
                ..*self
            };
            let (bytes, key) = only.one_frame(&keys, sources).await?;
            opened.push(bytes);
            // The one that opens is the one: the others are of damaged headers.
            keys = vec![Arc::clone(&key)];
            used = Some(key);
        }
        Some((opened, used?))
    }

    async fn one_frame(&self, keys: &[Arc<ChunkKey>], sources: &[Source]) -> Option<(Bytes, Arc<ChunkKey>)> {
        let range = self.request().sealed;
        for source in sources {
            let Ok(sealed) = source.cloud.read(source.replica.name, range.clone()).await else { continue };
            for key in keys {
                let opened = open_frames(key, sealed.clone(), self.frames.start, 1, self.frames_in_chunk);
                if let Some(bytes) = opened.and_then(|mut opened| opened.pop()) {
                    return Some((bytes, Arc::clone(key)));
                }
            }
        }
        None
    }
}
