use super::open_files::OpenFile;
use crate::{MARKER_NAME, ObjectName, Stat};
use entente_model::Timestamp;
use entente_world::World;
use rustix::{
    fd::{AsRawFd, OwnedFd},
    fs::{
        AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, ResolveFlags, flock, fstat, fstatvfs, fsync, linkat,
        mkdirat, openat, openat2, statat, unlinkat,
    },
    io::Errno,
};
use std::path::Path;

/// Where temporary files with names are kept. No object's folder is called so.
const TEMPORARY_FOLDER: &str = "tmp";
/// Left-over temporary files that one start removes; the next start removes more.
const LEFTOVERS_REMOVED_MAX: usize = 10_000;
/// What objects leave free on the disk, at most an eighth of it: a database beside them needs room even to write down
/// that something was removed, and without it a full disk could never be emptied again.
const KEPT_FREE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Two processes would have to draw the same 128 bits, or clean up in the same microsecond, this often.
const TEMPORARY_NAME_TRIES: usize = 8;

const FOLDER_MODE: Mode = Mode::RWXU;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);
const FOLDER_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
/// `NONBLOCK`, so that something odd in the place of an object cannot hold a thread up.
const READ_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

/// How an object is kept before it has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Temporaries {
    /// As a file without any name, which is gone with its process.
    Unnamed,
    /// As a file in the temporary folder, where the file system cannot do the above.
    Named,
}

/// A file that is being made.
pub(super) struct Temporary {
    pub(super) file: OwnedFd,
    /// Its name in the temporary folder, if it has one.
    name: Option<String>,
}

/// The folders of a backend: `root/xx/32 hexadecimal digits`, where `xx` are the first two of them.
pub(super) struct Layout {
    root: OwnedFd,
    temporary_folder: OwnedFd,
    pub(super) temporaries: Temporaries,
}

pub(super) fn shard(first_byte: u8) -> String {
    format!("{first_byte:02x}")
}

fn shard_of(name: ObjectName) -> String {
    let [first, ..] = *name.as_bytes();
    shard(first)
}

fn path_of(name: ObjectName) -> String {
    let [first, ..] = *name.as_bytes();
    format!("{first:02x}/{name}")
}

impl Layout {
    pub(super) fn open(world: &World, root: &Path, wanted: Temporaries) -> Result<Self, Errno> {
        make_folders_durably(root)?;
        let root = openat(CWD, root, FOLDER_FLAGS, Mode::empty())?;
        let mut made_any = make_folder(&root, TEMPORARY_FOLDER)?;
        for first_byte in 0..=u8::MAX {
            made_any |= make_folder(&root, &shard(first_byte))?;
        }
        if made_any {
            fsync(&root)?;
        }
        let temporary_folder = openat(&root, TEMPORARY_FOLDER, FOLDER_FLAGS, Mode::empty())?;
        let mut layout = Self { root, temporary_folder, temporaries: wanted };
        if wanted == Temporaries::Unnamed && layout.probe_unnamed(world).is_err() {
            layout.temporaries = Temporaries::Named;
        }
        layout.remove_leftovers()?;
        Ok(layout)
    }

    /// Whether a file without a name can be made here and given one.
    fn probe_unnamed(&self, world: &World) -> Result<(), Errno> {
        let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
        let temporary = Temporary { file: openat(&self.root, TEMPORARY_FOLDER, flags, FILE_MODE)?, name: None };
        let name = temporary_name(world);
        self.link(&temporary, &format!("{TEMPORARY_FOLDER}/{name}"))?;
        unlinkat(&self.temporary_folder, name, AtFlags::empty())
    }

    /// Removes temporary files whose process is gone: its locks went with it.
    fn remove_leftovers(&self) -> Result<(), Errno> {
        let entries = Dir::read_from(&self.temporary_folder)?.take(LEFTOVERS_REMOVED_MAX);
        for entry in entries {
            let entry = entry?;
            let Ok(file) = openat(&self.temporary_folder, entry.file_name(), READ_FLAGS, Mode::empty()) else {
                continue;
            };
            let regular = FileType::from_raw_mode(fstat(&file)?.st_mode) == FileType::RegularFile;
            if regular && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
                absent_is_fine(unlinkat(&self.temporary_folder, entry.file_name(), AtFlags::empty()))?;
            }
        }
        Ok(())
    }

    /// `NOSPC` when there is no more room than is to be kept free.
    pub(super) fn check_room(&self) -> Result<(), Errno> {
        let disk = fstatvfs(&self.root)?;
        let kept = (disk.f_blocks / 8).saturating_mul(disk.f_frsize).min(KEPT_FREE_BYTES_MAX);
        if disk.f_bavail.saturating_mul(disk.f_frsize) <= kept { Err(Errno::NOSPC) } else { Ok(()) }
    }

    pub(super) fn make_temporary(&self, world: &World, name: ObjectName) -> Result<Temporary, Errno> {
        match self.temporaries {
            Temporaries::Unnamed => {
                // In the object's own folder, so that its inode is put near its neighbours.
                let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
                let file = openat(&self.root, shard_of(name), flags, FILE_MODE)?;
                Ok(Temporary { file, name: None })
            }
            Temporaries::Named => self.make_named(world),
        }
    }

    fn make_named(&self, world: &World) -> Result<Temporary, Errno> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..TEMPORARY_NAME_TRIES {
            let name = temporary_name(world);
            let file = match openat(&self.temporary_folder, &name, flags, FILE_MODE) {
                Err(Errno::EXIST) => continue,
                opened => opened?,
            };
            // Where files cannot be locked, another process cannot lock this one to remove it either.
            let locked = flock(&file, FlockOperation::NonBlockingLockExclusive);
            // A process that starts in this moment may have taken the file for a left-over.
            if locked == Err(Errno::AGAIN) || fstat(&file)?.st_nlink == 0 {
                continue;
            }
            return Ok(Temporary { file, name: Some(name) });
        }
        Err(Errno::AGAIN)
    }

    /// Gives the file its object's name, unless the name is taken (`EXIST`), and makes that durable.
    ///
    /// A name that is found taken is made durable too: it may have been given by an earlier try of the same
    /// caller, who takes `EXIST` for success.
    pub(super) fn publish(&self, temporary: &Temporary, name: ObjectName) -> Result<(), Errno> {
        let linked = match self.link(temporary, &path_of(name)) {
            Err(errno) if errno != Errno::EXIST => return Err(errno),
            linked => linked,
        };
        fsync(openat(&self.root, shard_of(name), FOLDER_FLAGS, Mode::empty())?)?;
        linked
    }

    fn link(&self, temporary: &Temporary, to: &str) -> Result<(), Errno> {
        match &temporary.name {
            None => {
                // Naming it by descriptor alone would take a capability that a server should not have.
                let from = format!("/proc/self/fd/{}", temporary.file.as_raw_fd());
                linkat(CWD, from, &self.root, to, AtFlags::SYMLINK_FOLLOW)
            }
            Some(name) => linkat(&self.temporary_folder, name, &self.root, to, AtFlags::empty()),
        }
    }

    /// Gives the file the marker's name, unless there is a marker (`EXIST`), and makes that durable.
    pub(super) fn publish_marker(&self, temporary: &Temporary) -> Result<(), Errno> {
        let linked = self.link(temporary, MARKER_NAME);
        fsync(&self.root)?;
        linked
    }

    /// `NOENT` when there is no marker.
    pub(super) fn open_marker(&self) -> Result<OwnedFd, Errno> {
        openat(&self.root, MARKER_NAME, READ_FLAGS, Mode::empty())
    }

    /// The folder that everything is in.
    pub(super) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Whether one of the folders in the root is called so.
    pub(super) fn has_folder(name: &str) -> bool {
        name == TEMPORARY_FOLDER || (name.len() == 2 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
    }

    /// Removes what is left of a temporary file, after it was published or given up.
    pub(super) fn discard(&self, temporary: &Temporary) {
        if let Some(name) = &temporary.name {
            // If it stays, the next start removes it.
            let _ = unlinkat(&self.temporary_folder, name, AtFlags::empty());
        }
    }

    pub(super) fn open_object(&self, name: ObjectName) -> Result<OpenFile, Errno> {
        let path = path_of(name);
        // Without this flag the first read of every file would write its inode to the journal.
        match openat(&self.root, &path, READ_FLAGS | OFlags::NOATIME, Mode::empty()) {
            // Only the file's owner may do without the time of access.
            Err(Errno::PERM) => OpenFile::new(openat(&self.root, &path, READ_FLAGS, Mode::empty())?),
            opened => OpenFile::new(opened?),
        }
    }

    /// `AGAIN` if that would have to wait for the disk; other errors from kernels that cannot tell.
    pub(super) fn open_object_if_known(&self, name: ObjectName) -> Result<OpenFile, Errno> {
        let flags = READ_FLAGS | OFlags::NOATIME;
        OpenFile::new(openat2(&self.root, path_of(name), flags, Mode::empty(), ResolveFlags::CACHED)?)
    }

    pub(super) fn stat(&self, name: ObjectName) -> Result<Stat, Errno> {
        let stat = stat_object(&self.root, &path_of(name))?;
        stat.ok_or(Errno::NOENT)
    }

    /// Absent already is success.
    pub(super) fn remove(&self, name: ObjectName) -> Result<(), Errno> {
        absent_is_fine(unlinkat(&self.root, path_of(name), AtFlags::empty()))
    }

    /// One of the 256 folders, for a listing.
    pub(super) fn open_shard(&self, first_byte: u8) -> Result<OwnedFd, Errno> {
        openat(&self.root, shard(first_byte), FOLDER_FLAGS, Mode::empty())
    }
}

/// Size and age of a regular file; `None` for anything else.
pub(super) fn stat_object(folder: &OwnedFd, path: &str) -> Result<Option<Stat>, Errno> {
    let stat = statat(folder, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(None);
    }
    let millis = i128::from(stat.st_mtime) * 1000 + i128::from(stat.st_mtime_nsec) / 1_000_000;
    let created_at = Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    Ok(Some(Stat { size: u64::try_from(stat.st_size).unwrap_or(0), created_at }))
}

fn temporary_name(world: &World) -> String {
    format!("{:032x}", u128::from_be_bytes(world.random().bytes()))
}

fn absent_is_fine(removed: Result<(), Errno>) -> Result<(), Errno> {
    match removed {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

/// Whether it had to be made.
fn make_folder(parent: &OwnedFd, name: &str) -> Result<bool, Errno> {
    match mkdirat(parent, name, FOLDER_MODE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Makes the folder and those above it that are missing, each durable in the one above.
fn make_folders_durably(folder: &Path) -> Result<(), Errno> {
    match mkdirat(CWD, folder, FOLDER_MODE) {
        Err(Errno::EXIST) => return Ok(()),
        Err(Errno::NOENT) => {
            let parent = folder.parent().ok_or(Errno::NOENT)?;
            make_folders_durably(parent)?;
            mkdirat(CWD, folder, FOLDER_MODE)?;
        }
        made => made?,
    }
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fsync(openat(CWD, parent, FOLDER_FLAGS, Mode::empty())?)
}
