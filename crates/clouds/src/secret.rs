//! Secrets, and where they are kept: never in the configuration itself.

use crate::{Error, ErrorKind};
use std::{
    io::Read,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The largest file that a secret is read from.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// Where a secret is. Holds no secret itself, so it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the environment variable of this name.
    Environment(String),
    /// In the file at this path, with or without white space around it.
    File(PathBuf),
}

/// A secret. It cannot be shown, compared or copied, and is wiped when dropped.
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// The text, for the one who signs with it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl SecretSource {
    /// Reads it. Blocks, if it is in a file. `Denied`, with a text that says where, if nothing is there.
    pub(crate) fn read(&self) -> Result<Secret, Error> {
        self.read_with(environment)
    }

    fn read_with(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Secret, Error> {
        let text = match self {
            Self::Environment(name) => variable(name)
                .map(Zeroizing::new)
                .ok_or_else(|| unusable(format!("the environment variable {name} is not set"))),
            Self::File(path) => read_file(path)
                .map_err(|error| unusable(format!("the file {} cannot be read: {}", path.display(), error.kind()))),
        }?;
        let secret = Secret(Zeroizing::new(text.trim().to_owned()));
        if secret.0.is_empty() {
            return Err(unusable(match self {
                Self::Environment(name) => format!("the environment variable {name} is empty"),
                Self::File(path) => format!("the file {} is empty", path.display()),
            }));
        }
        Ok(secret)
    }
}

#[expect(clippy::disallowed_methods, reason = "a secret is read where it is used, so that no configuration holds it")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn read_file(path: &Path) -> std::io::Result<Zeroizing<String>> {
    // Room for all of it at once, so that no grown buffer leaves a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(SECRET_BYTES_MAX).unwrap_or(0)));
    let size = std::fs::File::open(path)?.take(SECRET_BYTES_MAX).read_to_string(&mut text)?;
    if u64::try_from(size).unwrap_or(u64::MAX) >= SECRET_BYTES_MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

fn unusable(what: String) -> Error {
    Error::new(ErrorKind::Denied, "open").because(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_from_where_it_is_kept_and_trimmed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, " hush\n").unwrap();
        assert_eq!(SecretSource::File(path).read().unwrap().expose(), "hush");
        let source = SecretSource::Environment("KEY".to_owned());
        let variable = |name: &str| (name == "KEY").then(|| "hush".to_owned());
        assert_eq!(source.read_with(variable).unwrap().expose(), "hush");
    }

    #[test]
    fn what_is_missing_or_empty_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        std::fs::write(&path, "\n").unwrap();
        let missing = SecretSource::File(folder.path().join("missing"));
        for (source, words) in [
            (SecretSource::File(path), "is empty"),
            (missing, "missing cannot be read: entity not found"),
            (SecretSource::Environment("KEY".to_owned()), "variable KEY is not set"),
        ] {
            let error = source.read_with(|_| None).err().unwrap();
            assert_eq!((error.kind, error.retryable), (ErrorKind::Denied, false));
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_too_large_or_not_text_is_not_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk image");
        std::fs::write(&path, vec![b'x'; 70_000]).unwrap();
        assert!(SecretSource::File(path.clone()).read().is_err());
        std::fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(SecretSource::File(path).read().is_err());
    }
}
