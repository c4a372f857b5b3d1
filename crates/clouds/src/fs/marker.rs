use super::layout::Layout;
use crate::{FOREIGN_LOOKED_MAX, MARKER_BYTES_MAX, MARKER_NAME, ObjectName};
use bytes::Bytes;
use entente_world::World;
use rustix::{
    buffer::spare_capacity,
    fd::OwnedFd,
    fs::{Dir, fsync},
    io::{Errno, read, write},
};

/// What a new file system has of its own.
const OF_THE_FILE_SYSTEM: &str = "lost+found";

/// `TOOBIG` when it is larger than a marker can be.
pub(super) fn read_marker(layout: &Layout) -> Result<Option<Bytes>, Errno> {
    let file = match layout.open_marker() {
        Err(Errno::NOENT) => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::with_capacity(MARKER_BYTES_MAX.saturating_add(1));
    loop {
        match read(&file, spare_capacity(&mut bytes)) {
            Ok(0) => return Ok(Some(Bytes::from(bytes))),
            Ok(_) if bytes.len() > MARKER_BYTES_MAX => return Err(Errno::TOOBIG),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Writes it beside the objects, whole or not at all. `EXIST` when there is one.
pub(super) fn write_marker(layout: &Layout, world: &World, mut bytes: &[u8]) -> Result<(), Errno> {
    let temporary = layout.make_temporary(world, ObjectName::new([0; 16]))?;
    while !bytes.is_empty() {
        match write(&temporary.file, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => {
                layout.discard(&temporary);
                return Err(errno);
            }
        }
    }
    let published = fsync(&temporary.file).and_then(|()| layout.publish_marker(&temporary));
    layout.discard(&temporary);
    published
}

/// Names, below the root, of what is neither ours nor the marker.
pub(super) fn foreign(layout: &Layout, limit: usize) -> Result<Vec<String>, Errno> {
    let mut found = Vec::new();
    let mut looked = 0;
    let mut look = |folder: &OwnedFd, prefix: &str, is_ours: &dyn Fn(&str) -> bool| -> Result<(), Errno> {
        for entry in Dir::read_from(folder)? {
            if found.len() >= limit || looked >= FOREIGN_LOOKED_MAX {
                return Ok(());
            }
            looked = looked.saturating_add(1);
            let entry = entry?;
            let name = entry.file_name().to_string_lossy();
            if name != "." && name != ".." && !is_ours(&name) {
                found.push(format!("{prefix}{name}"));
            }
        }
        Ok(())
    };
    look(layout.root(), "", &|name| name == MARKER_NAME || name == OF_THE_FILE_SYSTEM || Layout::has_folder(name))?;
    for first_byte in 0..=u8::MAX {
        let shard = super::layout::shard(first_byte);
        let is_ours = |name: &str| name.starts_with(&shard) && name.parse::<ObjectName>().is_ok();
        look(&layout.open_shard(first_byte)?, &format!("{shard}/"), &is_ours)?;
    }
    Ok(found)
}
