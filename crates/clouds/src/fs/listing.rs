use super::layout::{Layout, shard, stat_object};
use crate::{Listed, ObjectName};
use rustix::{fd::OwnedFd, fs::Dir, io::Errno};
use std::collections::BinaryHeap;

/// Objects after `after`, in order of names. Holds no more than `limit` names, however large a folder is.
pub(super) fn list(layout: &Layout, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Errno> {
    let mut listed = Vec::new();
    let first_shard = after.map_or(0, |name| {
        let [first, ..] = *name.as_bytes();
        first
    });
    for first_byte in first_shard..=u8::MAX {
        let folder = layout.open_shard(first_byte)?;
        // Only the first folder can hold names up to `after`.
        let mut cursor = after.filter(|_| first_byte == first_shard);
        loop {
            let wanted = limit.saturating_sub(listed.len());
            if wanted == 0 {
                return Ok(listed);
            }
            let names = names_after(&folder, first_byte, cursor, wanted)?;
            for name in &names {
                listed.extend(row(&folder, *name)?);
            }
            if names.len() < wanted {
                break;
            }
            // Some of them may have gone since their folder was read, so there may be room for more.
            cursor = names.last().copied();
        }
    }
    Ok(listed)
}

/// The first `limit` names after `after` in a folder, sorted.
fn names_after(
    folder: &OwnedFd,
    first_byte: u8,
    after: Option<ObjectName>,
    limit: usize,
) -> Result<Vec<ObjectName>, Errno> {
    let prefix = shard(first_byte);
    let mut smallest = BinaryHeap::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let text = entry.file_name().to_str().ok().filter(|text| text.starts_with(&prefix));
        let Some(name) = text.and_then(|text| text.parse::<ObjectName>().ok()) else {
            continue;
        };
        if after.is_some_and(|after| name <= after) {
            continue;
        }
        if smallest.len() < limit {
            smallest.push(name);
        } else if let Some(mut greatest) = smallest.peek_mut()
            && name < *greatest
        {
            *greatest = name;
        }
    }
    Ok(smallest.into_sorted_vec())
}

/// `None` when it is not a file, or not there any more.
fn row(folder: &OwnedFd, name: ObjectName) -> Result<Option<Listed>, Errno> {
    match stat_object(folder, &name.to_string()) {
        Ok(stat) => Ok(stat.map(|stat| Listed { name, size: stat.size, created_at: Some(stat.created_at) })),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}
