use crate::ObjectName;
use rustix::{
    fd::OwnedFd,
    fs::{FileType, fstat},
    io::Errno,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An object's file, open for reading.
pub(super) struct OpenFile {
    pub(super) file: OwnedFd,
    /// Its size, which never changes: objects are immutable.
    pub(super) size: u64,
}

impl OpenFile {
    /// `NOENT` when it is something else than a regular file, and so no object.
    pub(super) fn new(file: OwnedFd) -> Result<Self, Errno> {
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::NOENT);
        }
        Ok(Self { file, size: u64::try_from(stat.st_size).unwrap_or(0) })
    }

    /// Whether it has lost its name.
    pub(super) fn is_deleted(&self) -> Result<bool, Errno> {
        Ok(fstat(&self.file)?.st_nlink == 0)
    }
}

/// Up to a fixed number of open files, so that small reads need not open one each time.
///
/// When it is full, a file that was not read since the hand last passed it makes room (the "clock" rule).
pub(super) struct OpenFiles {
    kept_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    places: BTreeMap<ObjectName, usize>,
    ring: Vec<Slot>,
    hand: usize,
}

struct Slot {
    name: ObjectName,
    file: Arc<OpenFile>,
    used: bool,
}

impl OpenFiles {
    pub(super) fn new(kept_max: usize) -> Self {
        Self { kept_max, kept: Mutex::default() }
    }

    /// A panic under the lock cannot leave the two structures at odds for long enough to matter: a place
    /// that leads to another object's slot is found out by its name.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, name: ObjectName) -> Option<Arc<OpenFile>> {
        let mut kept = self.kept();
        let place = *kept.places.get(&name)?;
        let slot = kept.ring.get_mut(place).filter(|slot| slot.name == name)?;
        slot.used = true;
        Some(Arc::clone(&slot.file))
    }

    pub(super) fn keep(&self, name: ObjectName, file: &Arc<OpenFile>) {
        let slot = Slot { name, file: Arc::clone(file), used: false };
        let evicted = self.kept().insert(slot, self.kept_max);
        // Closed here, outside the lock.
        drop(evicted);
    }

    pub(super) fn forget(&self, name: ObjectName) {
        let forgotten = self.kept().remove(name);
        drop(forgotten);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.kept().ring.len()
    }
}

impl Kept {
    fn insert(&mut self, new: Slot, kept_max: usize) -> Option<Slot> {
        if let Some(slot) = self.places.get(&new.name).and_then(|place| self.ring.get_mut(*place)) {
            return Some(std::mem::replace(slot, new));
        }
        if self.ring.len() < kept_max {
            self.places.insert(new.name, self.ring.len());
            self.ring.push(new);
            return None;
        }
        // After one whole turn every slot is unused, so the second turn ends at once.
        loop {
            let place = self.hand.checked_rem(self.ring.len())?;
            self.hand = place + 1;
            let slot = self.ring.get_mut(place)?;
            if slot.used {
                slot.used = false;
                continue;
            }
            self.places.remove(&slot.name);
            self.places.insert(new.name, place);
            return Some(std::mem::replace(slot, new));
        }
    }

    fn remove(&mut self, name: ObjectName) -> Option<Slot> {
        let place = self.places.remove(&name)?;
        if place >= self.ring.len() {
            return None;
        }
        let removed = self.ring.swap_remove(place);
        if let Some(moved) = self.ring.get(place) {
            self.places.insert(moved.name, place);
        }
        Some(removed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u8) -> ObjectName {
        ObjectName::new([number; 16])
    }

    fn file() -> Arc<OpenFile> {
        let file = tempfile::tempfile().unwrap();
        Arc::new(OpenFile::new(file.into()).unwrap())
    }

    #[test]
    fn it_stays_within_its_bound_and_keeps_what_is_used() {
        let files = OpenFiles::new(4);
        files.keep(name(0), &file());
        for number in 1..100 {
            assert!(files.find(name(0)).is_some(), "lost before {number}");
            files.keep(name(number), &file());
            assert!(files.len() <= 4);
        }
        assert!(files.find(name(99)).is_some());
    }

    #[test]
    fn forgetting_one_leaves_the_others() {
        let files = OpenFiles::new(8);
        for number in 0..8 {
            files.keep(name(number), &file());
        }
        for forgotten in [0, 7, 3] {
            files.forget(name(forgotten));
            files.forget(name(forgotten));
        }
        for number in 0..8 {
            assert_eq!(files.find(name(number)).is_some(), ![0, 7, 3].contains(&number));
        }
    }
}
