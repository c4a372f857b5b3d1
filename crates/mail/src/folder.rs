//! Letters as files: for installations without a relay, and for whoever tries things out.

use crate::Error;
use entente_world::World;
use lettre::Message;
use std::io;
use std::path::{Path, PathBuf};

/// Files that are kept; the oldest go first.
const LETTERS_MAX: usize = 1_000;

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) const fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    pub(crate) async fn send(&self, message: &Message, world: &World) -> Result<(), Error> {
        let (folder, bytes) = (self.0.clone(), message.formatted());
        // Names begin with the time, so their order is that of the letters.
        let name = format!("{:020}-{:08x}.eml", world.now().millis(), world.random().below(1 << 32));
        let written = world.blocking(move || write(&folder, &name, &bytes)).await;
        let outcome = written.unwrap_or_else(|error| Err(io::Error::other(error)));
        outcome.map_err(|error| Error::Later(format!("it cannot be written into the folder: {error}")))
    }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    make_private(folder)?;
    let unfinished = folder.join([".", name].concat());
    std::fs::write(&unfinished, bytes)?;
    std::fs::rename(&unfinished, folder.join(name))?;
    let mut letters: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| is_letter(path))
        .collect();
    if letters.len() > LETTERS_MAX {
        letters.sort();
        for old in letters.iter().take(letters.len() - LETTERS_MAX) {
            // Another process may have been quicker.
            let _ = std::fs::remove_file(old);
        }
    }
    Ok(())
}

fn is_letter(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "eml")
        && path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.'))
}

/// Letters are for their receivers, and for whoever administers the machine.
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_thousand_letters_are_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("mail");
        for number in 0..LETTERS_MAX + 5 {
            write(&folder, &format!("{number:020}.eml"), b"letter").unwrap();
        }
        let mut names: Vec<_> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!((names.len(), names[0].as_str()), (LETTERS_MAX, "00000000000000000005.eml"));
    }
}
