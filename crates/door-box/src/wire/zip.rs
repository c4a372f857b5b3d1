//! A zip archive that is made while it goes out: entries and bytes in, the archive's bytes out. Nothing is compressed, as
//! most of what is large has been already; sizes and checksums stand behind each content, as they are known only then.

use bytes::Bytes;
use entente_model::Timestamp;
use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use zip::write::{FullFileOptions, SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Contents from here on get sizes of 64 bits, which some old programs do not know.
const LARGE_BYTES: u64 = 0xf000_0000;
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

/// Why an archive cannot be gone on with.
pub use zip::result::ZipError;

/// An archive in the making. Whoever writes to it takes what has been made after each step.
pub struct Zip {
    writer: ZipWriter<StreamWriter<Made>>,
    made: Made,
}

/// What has been made and not been taken.
#[derive(Debug, Clone, Default)]
struct Made(Arc<Mutex<Vec<u8>>>);

impl Write for Made {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Made {
    fn take(&self) -> Bytes {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Default for Zip {
    fn default() -> Self {
        let made = Made::default();
        Self { writer: ZipWriter::new_stream(made.clone()), made }
    }
}

impl Zip {
    /// Adds an empty folder; its path ends with a slash.
    pub fn folder(&mut self, path: &str, modified_at: Timestamp) -> Result<(), ZipError> {
        self.writer.add_directory(path, options(modified_at)?.unix_permissions(FOLDER_MODE))
    }

    /// Begins a file, whose content is written next.
    pub fn file(&mut self, path: &str, modified_at: Timestamp, size_bytes: u64) -> Result<(), ZipError> {
        let options = options(modified_at)?.unix_permissions(FILE_MODE).large_file(size_bytes >= LARGE_BYTES);
        self.writer.start_file(path, options)
    }

    /// Some of the content of the file that was begun last.
    pub fn write(&mut self, content: &[u8]) -> io::Result<()> {
        self.writer.write_all(content)
    }

    /// What has been made since it was last taken.
    pub fn take(&self) -> Bytes {
        self.made.take()
    }

    /// The list of all entries, with which an archive ends, and what was not taken.
    pub fn finish(self) -> Result<Bytes, ZipError> {
        self.writer.finish()?;
        Ok(self.made.take())
    }
}

fn options(modified_at: Timestamp) -> Result<FullFileOptions<'static, 'static>, ZipError> {
    let seconds = modified_at.millis().div_euclid(1_000);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(date(seconds).unwrap_or_default());
    // The date above is of some time zone that nobody names; this one is not.
    options.with_extended_timestamp(
        u32::try_from(seconds).ok().filter(|seconds| i32::try_from(*seconds).is_ok()),
        None,
        None,
    )
}

/// `None` for what the format has no room for.
fn date(seconds: i64) -> Option<DateTime> {
    let moment = jiff::Timestamp::from_second(seconds).ok()?;
    let civil = jiff::tz::Offset::UTC.to_datetime(moment);
    let part = |value: i8| u8::try_from(value).ok();
    let (month, day) = (part(civil.month())?, part(civil.day())?);
    let (hour, minute, second) = (part(civil.hour())?, part(civil.minute())?, part(civil.second())?);
    DateTime::from_date_and_time(u16::try_from(civil.year()).ok()?, month, day, hour, minute, second).ok()
}

#[cfg(test)]
mod tests {
    use super::Zip;
    use entente_model::Timestamp;
    use std::io::{Cursor, Read};

    const AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn what_goes_in_comes_out() {
        let mut archive = Zip::default();
        let mut bytes = Vec::new();
        archive.folder("報告/", AT).expect("a folder");
        archive.file("報告/a.txt", AT, 5).expect("a file");
        archive.write(b"hel").expect("written");
        bytes.extend(archive.take());
        assert!(bytes.ends_with(b"hel"), "nothing is kept back");
        archive.write(b"lo").expect("written");
        archive.file("empty", AT, 0).expect("a file");
        // As if it were large.
        archive.file("large", AT, u64::MAX).expect("a file");
        archive.write(b"large").expect("written");
        bytes.extend(archive.finish().expect("the end"));
        let mut read = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        let names: Vec<_> = read.file_names().map(|name| name.expect("a name").into_owned()).collect();
        assert_eq!(names, ["報告/", "報告/a.txt", "empty", "large"]);
        let mut text = String::new();
        read.by_name("報告/a.txt").expect("a file").read_to_string(&mut text).expect("read");
        assert_eq!(text, "hello");
        text.clear();
        read.by_name("large").expect("a file").read_to_string(&mut text).expect("read");
        assert_eq!(text, "large");
    }

    #[test]
    fn a_moment_that_the_format_does_not_know_is_no_failure() {
        for millis in [i64::MIN, -1, 0, 4_102_444_800_000, i64::MAX] {
            Zip::default().file("a", Timestamp::from_millis(millis), 0).expect("a file");
        }
    }
}
