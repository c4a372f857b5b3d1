//! Where the index keeps its files: sealed, in a folder of this machine.

use bytes::{Bytes, BytesMut};
use entente_vault::{
    CACHE_FRAME_BYTES, CACHE_HEADER_BYTES, CACHE_TAG_BYTES, CacheFrame, CacheKey, CacheOpener, CacheSealer,
};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::HasLen;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite, WatchCallback,
    WatchHandle, WritePtr,
};

/// Opened frames that an open file keeps.
const OPENED_FRAMES: usize = 2;
const SEALED_FRAME_BYTES: usize = CACHE_FRAME_BYTES + CACHE_TAG_BYTES;

/// A folder of sealed files.
#[derive(Clone)]
pub(crate) struct Sealed {
    folder: PathBuf,
    key: Arc<CacheKey>,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Sealed {
    pub(crate) fn new(folder: PathBuf, key: Arc<CacheKey>) -> Self {
        Self { folder, key }
    }

    fn at(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    fn writer(&self, path: &Path, file: File) -> io::Result<SealedWriter> {
        let sealer = self.key.seal(&name(path)).map_err(io::Error::other)?;
        Ok(SealedWriter { file, sealer, waiting: BytesMut::new() })
    }

    fn reader(&self, path: &Path) -> Result<SealedFile, OpenReadError> {
        let full = self.at(path);
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.to_owned()),
            _ => OpenReadError::wrap_io_error(error, path.to_owned()),
        };
        let mut file = File::open(full).map_err(failed)?;
        let sealed = file.metadata().map_err(failed)?.len();
        let sealed = usize::try_from(sealed).map_err(|error| failed(io::Error::other(error)))?;
        if sealed == 0 {
            return Ok(SealedFile { file, opener: None, length: 0, opened: Mutex::default() });
        }
        let mut header = [0; CACHE_HEADER_BYTES];
        file.read_exact(&mut header).map_err(failed)?;
        let body = sealed - CACHE_HEADER_BYTES;
        let length = body.saturating_sub(body.div_ceil(SEALED_FRAME_BYTES) * CACHE_TAG_BYTES);
        let opener = self.key.open(&name(path), &header).map_err(|error| failed(io::Error::other(error)))?;
        Ok(SealedFile { file, opener: Some(opener), length, opened: Mutex::default() })
    }
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A file that is being written.
struct SealedWriter {
    file: File,
    sealer: CacheSealer,
    /// Fewer bytes than make a frame, or a frame that may be the last.
    waiting: BytesMut,
}

impl SealedWriter {
    fn end(&mut self) -> io::Result<()> {
        if !self.waiting.is_empty() {
            let last = self.waiting.split().freeze();
            let sealed = self.sealer.next(last, CacheFrame::Last).map_err(io::Error::other)?;
            self.file.write_all(&sealed)?;
        }
        self.file.sync_data()
    }
}

impl Write for SealedWriter {
    fn write(&mut self, plain: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(plain);
        // One byte at least stays for the last frame.
        let whole = self.waiting.len().saturating_sub(1) / CACHE_FRAME_BYTES * CACHE_FRAME_BYTES;
        if whole > 0 {
            let frames = self.waiting.split_to(whole).freeze();
            let sealed = self.sealer.next(frames, CacheFrame::Inner).map_err(io::Error::other)?;
            self.file.write_all(&sealed)?;
        }
        Ok(plain.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for SealedWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.end()
    }
}

/// A file that is being read.
struct SealedFile {
    file: File,
    /// None of an empty file.
    opener: Option<CacheOpener>,
    /// Of the plaintext, in bytes.
    length: usize,
    /// The frames that were opened last, the latest first. Segments are merged in small reads, one after the other: each
    /// would open its frame again.
    opened: Mutex<[Option<(usize, OwnedBytes)>; OPENED_FRAMES]>,
}

impl std::fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedFile").field("length", &self.length).finish_non_exhaustive()
    }
}

impl HasLen for SealedFile {
    fn len(&self) -> usize {
        self.length
    }
}

impl SealedFile {
    /// Kept, or opened now.
    fn frame(&self, opener: &CacheOpener, number: usize) -> io::Result<OwnedBytes> {
        let kept = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frame)) = kept().iter().flatten().find(|(kept, _)| *kept == number) {
            return Ok(frame.clone());
        }
        // Not while the lock is held: others read other frames meanwhile.
        let frame = OwnedBytes::new(self.open_frame(opener, number)?.to_vec());
        let mut kept = kept();
        kept.rotate_right(1);
        if let Some(first) = kept.first_mut() {
            *first = Some((number, frame.clone()));
        }
        Ok(frame)
    }

    fn open_frame(&self, opener: &CacheOpener, number: usize) -> io::Result<Bytes> {
        let begin = number * CACHE_FRAME_BYTES;
        let plain = self.length.saturating_sub(begin).min(CACHE_FRAME_BYTES);
        let is_last = begin + plain >= self.length;
        let mut sealed = BytesMut::zeroed(plain + CACHE_TAG_BYTES);
        let at = CACHE_HEADER_BYTES + number * SEALED_FRAME_BYTES;
        self.file.read_exact_at(&mut sealed, at as u64)?;
        let number = u32::try_from(number).map_err(io::Error::other)?;
        opener
            .frame(number, if is_last { CacheFrame::Last } else { CacheFrame::Inner }, sealed)
            .map_err(io::Error::other)
    }

    fn read(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        if range.start > range.end || range.end > self.length {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "beyond the end of a sealed file"));
        }
        let Some(opener) = self.opener.as_ref().filter(|_| !range.is_empty()) else { return Ok(OwnedBytes::empty()) };
        let (first, last) = (range.start / CACHE_FRAME_BYTES, (range.end - 1) / CACHE_FRAME_BYTES);
        let within = |number: usize| {
            let begin = number * CACHE_FRAME_BYTES;
            range.start.saturating_sub(begin)..(range.end - begin).min(CACHE_FRAME_BYTES)
        };
        if first == last {
            return Ok(self.frame(opener, first)?.slice(within(first)));
        }
        let mut out = Vec::with_capacity(range.len());
        for number in first..=last {
            out.extend_from_slice(&self.frame(opener, number)?.slice(within(number)));
        }
        Ok(OwnedBytes::new(out))
    }
}

impl FileHandle for SealedFile {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        self.read(range)
    }
}

impl Directory for Sealed {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        Ok(Arc::new(self.reader(path)?))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        fs::remove_file(self.at(path)).map_err(|error| match error.kind() {
            ErrorKind::NotFound => DeleteError::FileDoesNotExist(path.to_owned()),
            _ => DeleteError::IoError { io_error: Arc::new(error), filepath: path.to_owned() },
        })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        let found = self.at(path).try_exists();
        found.map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
            _ => OpenWriteError::wrap_io_error(error, path.to_owned()),
        };
        let file = OpenOptions::new().write(true).create_new(true).open(self.at(path)).map_err(failed)?;
        let writer = self.writer(path, file).map_err(failed)?;
        Ok(io::BufWriter::new(Box::new(writer)))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let found = self.reader(path)?;
        let read = found.read(0..found.length).map_err(|error| OpenReadError::wrap_io_error(error, path.to_owned()))?;
        Ok(read.to_vec())
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let (full, beside) = (self.at(path), self.at(&path.with_extension("new")));
        let mut writer = self.writer(path, File::create(&beside)?)?;
        writer.write_all(data)?;
        writer.end()?;
        fs::rename(beside, full)?;
        self.sync_directory()
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }

    /// The folder is one process's alone, as its whole data directory is.
    fn acquire_lock(&self, _: &Lock) -> Result<DirectoryLock, LockError> {
        Ok(DirectoryLock::from(Box::new(())))
    }

    /// Readers are told by whoever commits.
    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
