//! Objects as files on a local disk: docs/formats/fs-backend.md.
//!
//! Acknowledged means that file and folder have been fsynced. An object that was not committed has no name
//! at all where the file system can do that, and otherwise one that no listing shows.

mod aligned;
mod draft;
mod errno;
mod layout;
mod listing;
mod marker;
mod open_files;
mod read;
mod write;

use crate::{Backend, Creation, Error, ErrorKind, Listed, MARKER_BYTES_MAX, ObjectName, Stat};
use aligned::AlignedBuffers;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_world::{Interrupted, World};
use errno::{error, error_of_making};
use layout::{Layout, Temporaries};
use open_files::{OpenFile, OpenFiles};
use rustix::io::Errno;
use std::{
    ops::Range,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Semaphore;
use write::FsCreation;

/// Files that are kept open for reading.
const OPEN_FILES_MAX: usize = 256;
/// Buffers of 1 MiB that are kept for the next large objects.
const IDLE_BUFFERS_MAX: usize = 8;
/// Threads that may wait for one disk at a time: a disk is busy with fewer, and others must be left for everything else.
const WAITING_MAX: usize = 24;
/// Ranges up to this size are first tried without a change of thread: when they are in the page cache,
/// copying them is cheaper than handing them over.
const INLINE_BYTES_MAX: u64 = 128 * 1024;

/// A folder on a local disk. Cheap to clone.
///
/// Deleting an object is not fsynced: after a power cut a deleted object may be there again, as garbage.
/// Some files are kept open, so an object whose file is removed or replaced behind the backend's back can
/// be read in its old form for a while; `stat` and `list` always look at the disk.
#[derive(Clone)]
pub struct FsBackend {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    layout: Layout,
    open_files: OpenFiles,
    /// Cleared when the file system turns out not to know reads that refuse to wait.
    reads_inline: AtomicBool,
    /// Cleared when the disk turns out not to take writes that go past the page cache.
    writes_directly: AtomicBool,
    buffers: AlignedBuffers,
    /// Threads that may wait for this disk.
    waiting: Arc<Semaphore>,
}

impl FsBackend {
    /// Opens the folder, and makes it and its subfolders first if they are not there.
    ///
    /// Blocks on the disk for some milliseconds, however many objects there are: for start-up and the
    /// command line. Two processes may have the same folder open. `Denied` when the folder may not be
    /// written by this user; `Full` and `Failed` as the disk says.
    pub fn open(world: World, root: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(world, root.as_ref(), Temporaries::Unnamed)
    }

    fn open_with(world: World, root: &Path, wanted: Temporaries) -> Result<Self, Error> {
        let layout = Layout::open(&world, root, wanted).map_err(|errno| error_of_making(errno, "open"))?;
        if layout.temporaries != wanted {
            tracing::info!("the file system cannot keep files without names, so temporary files are in `tmp`");
        }
        let open_files = OpenFiles::new(OPEN_FILES_MAX);
        let inner = Inner {
            world,
            layout,
            open_files,
            reads_inline: AtomicBool::new(true),
            writes_directly: AtomicBool::new(true),
            buffers: AlignedBuffers::new(IDLE_BUFFERS_MAX),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Runs `work` off the async threads.
    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&Inner) -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, Error> {
        let done = self.inner.blocking(operation, work).await?;
        done.map_err(|errno| error(errno, operation))
    }

    /// The bytes, if they can be had without waiting for the disk. `None` means only that they cannot.
    fn read_inline(&self, name: ObjectName, range: &Range<u64>) -> Result<Option<BytesMut>, Errno> {
        let inner = &*self.inner;
        let file = match inner.open_files.find(name) {
            Some(file) => file,
            None => match inner.open_if_known(name)? {
                Some(file) => file,
                None => return Ok(None),
            },
        };
        let read = read::without_waiting(&file, range);
        if matches!(read, Err(Errno::OPNOTSUPP | Errno::NOSYS)) {
            inner.reads_inline.store(false, Ordering::Relaxed);
            return Ok(None);
        }
        read
    }
}

impl Inner {
    /// Runs `work` off the async threads, on one of the few that may wait for this disk. The place is given back when the
    /// work has ended, not when its caller has gone away: a disk that hangs (a network's) holds no more threads than these.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        operation: &'static str,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let stopping = |_| Error::new(ErrorKind::Unavailable, operation);
        let place = Arc::clone(&self.waiting).acquire_owned().await.map_err(stopping)?;
        let inner = Arc::clone(self);
        let done = self.world.blocking(move || {
            let _place = place;
            work(&inner)
        });
        done.await.map_err(|cause| interrupted(cause, operation))
    }

    fn open_for_reading(&self, name: ObjectName) -> Result<Arc<OpenFile>, Errno> {
        match self.open_files.find(name) {
            Some(file) => Ok(file),
            None => self.keep_open(name, self.layout.open_object(name)?),
        }
    }

    /// The same without waiting for the disk; `None` if it would have to.
    fn open_if_known(&self, name: ObjectName) -> Result<Option<Arc<OpenFile>>, Errno> {
        match self.layout.open_object_if_known(name) {
            Ok(file) => self.keep_open(name, file).map(Some),
            Err(Errno::NOENT) => Err(Errno::NOENT),
            // The folders are not in memory, or the kernel is too old to tell.
            Err(_) => Ok(None),
        }
    }

    fn keep_open(&self, name: ObjectName, file: OpenFile) -> Result<Arc<OpenFile>, Errno> {
        let file = Arc::new(file);
        self.open_files.keep(name, &file);
        // A deletion that came between opening and keeping has not found the file to forget it; but then it
        // has taken the name off, which shows here.
        if file.is_deleted()? {
            self.open_files.forget(name);
            return Err(Errno::NOENT);
        }
        Ok(file)
    }
}

fn interrupted(cause: Interrupted, operation: &'static str) -> Error {
    Error::new(ErrorKind::Unavailable, operation).because(cause)
}

#[async_trait]
impl Backend for FsBackend {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        Ok(Box::new(FsCreation::new(Arc::clone(&self.inner), name)))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        let size = range.end.checked_sub(range.start).filter(|size| *size > 0);
        let size = size.ok_or(Error::new(ErrorKind::OutOfRange, "read"))?;
        if size <= INLINE_BYTES_MAX && self.inner.reads_inline.load(Ordering::Relaxed) {
            match self.read_inline(name, &range) {
                Ok(Some(bytes)) => return Ok(bytes),
                Ok(None) => {}
                Err(errno) => return Err(error(errno, "read")),
            }
        }
        self.blocking("read", move |inner| read::waiting(&*inner.open_for_reading(name)?, &range)).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.blocking("stat", move |inner| inner.layout.stat(name)).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.blocking("list", move |inner| listing::list(&inner.layout, after, limit)).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.blocking("delete", move |inner| {
            let removed = inner.layout.remove(name);
            inner.open_files.forget(name);
            removed
        })
        .await
    }

    async fn marker(&self) -> Result<Option<Bytes>, Error> {
        let marker = self.blocking("marker", |inner| match marker::read_marker(&inner.layout) {
            Err(Errno::TOOBIG) => Ok(Err(Error::marker_too_large("marker"))),
            read => read.map(Ok),
        });
        marker.await?
    }

    async fn mark(&self, bytes: Bytes) -> Result<(), Error> {
        if bytes.len() > MARKER_BYTES_MAX {
            return Err(Error::marker_too_large("mark"));
        }
        self.blocking("mark", move |inner| marker::write_marker(&inner.layout, &inner.world, &bytes)).await
    }

    async fn foreign(&self, limit: usize) -> Result<Vec<String>, Error> {
        self.blocking("foreign", move |inner| marker::foreign(&inner.layout, limit)).await
    }
}

#[cfg(test)]
mod tests;
