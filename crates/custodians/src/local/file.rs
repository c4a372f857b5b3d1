//! The key file: docs/formats/local-key.md.

use super::{KEY_BYTES, id};
use crate::{Error, ErrorKind, SecretKey};
use data_encoding::BASE64;
use rustix::{
    fd::OwnedFd,
    fs::{CWD, FileType, Mode, OFlags, fstat, fsync, openat},
    io::{Errno, read, write},
};
use std::path::{Path, PathBuf};
use zeroize::{Zeroize, Zeroizing};

const FIRST_LINE: &str = "entente local key encryption key 1";
/// Far more than a key file needs; a longer file is not one.
const FILE_BYTES_MAX: usize = 1024;

fn misconfigured(path: &Path, what: &str) -> Error {
    Error::new(ErrorKind::Misconfigured, format!("the key file {} {what}", path.display()))
}

pub(super) fn create(path: &Path, key: &SecretKey) -> Result<(), Error> {
    let mut encoded = Zeroizing::new([0_u8; 44]);
    BASE64.encode_mut(key.expose(), encoded.as_mut_slice());
    let head = format!("{FIRST_LINE}\nid = {}\nkey = ", id(key));
    let mut text = Zeroizing::new(Vec::with_capacity(FILE_BYTES_MAX));
    for part in [head.as_bytes(), encoded.as_slice(), b"\n"] {
        text.extend_from_slice(part);
    }
    write_new(path, &text).map_err(|error| match error {
        Errno::EXIST => misconfigured(
            path,
            "exists already and is not overwritten, since whatever it wraps would be lost; use it, or move it away",
        ),
        other => misconfigured(path, "cannot be written; check its folder and the disk").because(other),
    })
}

/// Writes the whole file under its name, or nothing: a crash half way leaves at most a draft beside it, which the next
/// try by a process of that number removes.
fn write_new(path: &Path, text: &[u8]) -> Result<(), Errno> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".draft-{}", std::process::id()));
    let _ = rustix::fs::unlink(&draft);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(CWD, &draft, flags, Mode::RUSR | Mode::WUSR)?;
    let written = write_all(&file, text)
        .and_then(|()| fsync(&file))
        // A link and not a rename: it refuses to take the place of another key.
        .and_then(|()| rustix::fs::linkat(CWD, &draft, CWD, path, rustix::fs::AtFlags::empty()));
    let _ = rustix::fs::unlink(&draft);
    written?;
    let folder = openat(CWD, folder_of(path), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    fsync(folder)
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn write_all(file: &OwnedFd, mut rest: &[u8]) -> Result<(), Errno> {
    while !rest.is_empty() {
        let written = match write(file, rest) {
            Err(Errno::INTR) => 0,
            Ok(0) => return Err(Errno::IO),
            other => other?,
        };
        rest = rest.get(written..).unwrap_or_default();
    }
    Ok(())
}

pub(super) fn open(path: &Path) -> Result<SecretKey, Error> {
    let file =
        openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty()).map_err(|error| {
            let what = match error {
                Errno::NOENT => {
                    "is missing; restore it from its backup: without it nothing that it wrapped can be read"
                }
                Errno::ACCESS | Errno::PERM => "cannot be read by this user; give it to the user that runs the server",
                _ => "cannot be opened",
            };
            misconfigured(path, what).because(error)
        })?;
    let stat = fstat(&file).map_err(|error| misconfigured(path, "cannot be examined").because(error))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(misconfigured(path, "is not a regular file"));
    }
    let mode = Mode::from_raw_mode(stat.st_mode);
    if mode.intersects(Mode::RWXG | Mode::RWXO) {
        let found = mode.as_raw_mode() & 0o777;
        let what = format!("is open to others than its owner (mode {found:03o}); run `chmod 600` on it");
        return Err(misconfigured(path, &what));
    }
    let text = read_all(&file).map_err(|error| misconfigured(path, "cannot be read").because(error))?;
    parse(&text).map_err(|what| misconfigured(path, &format!("is malformed: {what}; restore it from its backup")))
}

/// At most `FILE_BYTES_MAX` bytes.
fn read_all(file: &OwnedFd) -> Result<Zeroizing<Vec<u8>>, Errno> {
    let mut text = Zeroizing::new(vec![0; FILE_BYTES_MAX]);
    let mut filled = 0;
    loop {
        match read(file, text.get_mut(filled..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(filled);
    Ok(text)
}

/// The key, or what is wrong with the text.
fn parse(text: &[u8]) -> Result<SecretKey, &'static str> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not text")?;
    let mut lines = text.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err("its first line is not that of a key file which this release can read");
    }
    let id_line = lines.next().and_then(|line| line.strip_prefix("id = ")).ok_or("its second line is not `id = …`")?;
    let key_line =
        lines.next().and_then(|line| line.strip_prefix("key = ")).ok_or("its third line is not `key = …`")?;
    if lines.any(|line| !line.is_empty()) {
        return Err("there is text after its third line");
    }
    let mut decoded = Zeroizing::new(BASE64.decode(key_line.as_bytes()).map_err(|_| "its key is not base64")?);
    let bytes = <[u8; KEY_BYTES]>::try_from(decoded.as_slice()).map_err(|_| "its key is not 32 bytes long")?;
    decoded.zeroize();
    let bytes = Zeroizing::new(bytes);
    let key = SecretKey::new(*bytes);
    if id(&key) != id_line {
        return Err("its key is not the one that its id tells");
    }
    Ok(key)
}
