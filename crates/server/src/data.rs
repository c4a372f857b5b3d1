//! The data directory: what is in it, who may serve it, and how clients find out.
//!
//! | Name | Is |
//! |---|---|
//! | `metadata.sqlite` | the database |
//! | `segments/` | the local backend: sealed bytes only |
//! | `words/` | the index of words: sealed, and made anew if it is not there |
//! | `keys/local.key` | the key encryption key |
//! | `tls/` | the authority of `--tls self-signed` |
//! | `lock` | held by the server that runs; says its process id |
//! | `ready.json` | there while requests are accepted |
//! | `configuration` | says which file the last server was started with |

use crate::exit::{Exit, Failure};
use anyhow::Context;
use entente_world::World;
use rustix::fs::{FlockOperation, flock};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a lock is tried for: another verb may hold it for a moment, to see whether a server runs.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// A data directory.
#[derive(Debug, Clone)]
pub(crate) struct DataDirectory(PathBuf);

/// Where metadata is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metadata {
    /// In the data directory.
    Here,
    /// In a database on a server.
    Elsewhere,
}

/// Held while a server runs on a data directory.
pub(crate) struct Lock(File);

/// What `ready.json` says.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ready {
    /// The URL of the server on this machine.
    pub(crate) url: String,
    /// The authority that clients must trust, with `--tls self-signed`.
    pub(crate) ca_file: Option<PathBuf>,
    /// The server's process id.
    pub(crate) pid: u32,
    /// The configured public URL.
    pub(crate) public_url: Option<String>,
    /// Where the operator interface answers on this machine without TLS: for the commands beside the server.
    #[serde(default)]
    pub(crate) admin_url: Option<String>,
    /// Where S3 clients come in on this machine.
    #[serde(default)]
    pub(crate) s3_url: Option<String>,
}

impl DataDirectory {
    /// One that a server has made already.
    pub(crate) fn existing(path: &Path, metadata: Metadata) -> Result<Self, Failure> {
        let data = Self::absolute(path)?;
        if metadata == Metadata::Here && !data.database().exists() {
            let message = format!("{} is not a data directory; `entente serve --data {0}` makes one", path.display());
            return Err(Failure::new(Exit::DataDirectory, message));
        }
        Ok(data)
    }

    /// One to serve, made if it is not there, readable by this user alone.
    pub(crate) fn for_serving(path: &Path, metadata: Metadata) -> Result<Self, Failure> {
        let cannot = |error| Failure::new(Exit::DataDirectory, format!("cannot make {}: {error}", path.display()));
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(cannot)?;
        let data = Self::absolute(path)?;
        if metadata == Metadata::Here && !data.database().exists() && data.segments().exists() {
            let message = format!(
                "{} is missing while {} is there: restore the database from its backup, or give another data directory",
                data.database().display(),
                data.segments().display()
            );
            return Err(Failure::new(Exit::DataDirectory, message));
        }
        Ok(data)
    }

    /// The place of a data directory, whether it is there or not.
    pub(crate) fn at(path: &Path) -> Self {
        Self(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
    }

    fn absolute(path: &Path) -> Result<Self, Failure> {
        std::path::absolute(path)
            .map(Self)
            .map_err(|error| Failure::new(Exit::DataDirectory, format!("{}: {error}", path.display())))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.0.join("metadata.sqlite")
    }

    pub(crate) fn words(&self) -> PathBuf {
        self.0.join("words")
    }

    pub(crate) fn segments(&self) -> PathBuf {
        self.0.join("segments")
    }

    fn ready_file(&self) -> PathBuf {
        self.0.join("ready.json")
    }

    /// Takes the directory for a server. `DataDirectory`, naming the process, when another server has it.
    pub(crate) async fn lock(&self, world: &World) -> Result<Lock, Failure> {
        let mut file = self.open_lock()?;
        for attempt in 1.. {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(_) if attempt < LOCK_TRIES => world.sleep(LOCK_PAUSE).await,
                Err(_) => {
                    let by = read_pid(&mut file).map_or_else(String::new, |pid| format!(" (process {pid})"));
                    let message = format!("{} is in use by another server{by}; stop it first", self.0.display());
                    return Err(Failure::new(Exit::DataDirectory, message));
                }
            }
        }
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write(&mut file).context("cannot write the lock file")?;
        Ok(Lock(file))
    }

    /// The process id of the server that runs on the directory, if one does.
    pub(crate) fn server(&self) -> Option<u32> {
        let mut file = File::open(self.0.join("lock")).ok()?;
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => None,
            Err(_) => Some(read_pid(&mut file).unwrap_or(0)),
        }
    }

    fn open_lock(&self) -> Result<File, Failure> {
        let path = self.0.join("lock");
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        opened.map_err(|error| Failure::new(Exit::DataDirectory, format!("cannot open {}: {error}", path.display())))
    }

    /// Remembers which configuration file a server was started with, if with any: for the commands beside it.
    pub(crate) fn remember_configuration(&self, file: Option<&Path>) -> anyhow::Result<()> {
        let path = self.configuration_file();
        let done = match file {
            Some(file) => fs::write(&path, format!("{}\n", file.display())),
            None => fs::remove_file(&path).or_else(|error| match error.kind() {
                ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            }),
        };
        done.with_context(|| path.display().to_string())
    }

    /// The configuration file that the last server was started with, if with any.
    pub(crate) fn configuration(&self) -> Option<PathBuf> {
        let text = fs::read_to_string(self.configuration_file()).ok()?;
        Some(PathBuf::from(text.trim_end_matches('\n'))).filter(|path| !path.as_os_str().is_empty())
    }

    fn configuration_file(&self) -> PathBuf {
        self.0.join("configuration")
    }

    /// Says that requests are accepted from now on: whole or not at all.
    pub(crate) fn write_ready(&self, ready: &Ready) -> anyhow::Result<()> {
        let (path, temporary) = (self.ready_file(), self.0.join("ready.json.new"));
        let text = serde_json::to_string(ready)?;
        fs::write(&temporary, text + "\n").with_context(|| temporary.display().to_string())?;
        fs::rename(&temporary, &path).with_context(|| path.display().to_string())
    }

    /// What the running server says, if one runs and accepts requests.
    pub(crate) fn ready(&self) -> Option<Ready> {
        serde_json::from_str(&fs::read_to_string(self.ready_file()).ok()?).ok()
    }

    /// Says that requests are accepted no more. A file that an earlier server left behind goes too.
    pub(crate) fn remove_ready(&self) {
        match fs::remove_file(self.ready_file()) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, "ready.json could not be removed");
            }
            _ => {}
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The kernel gives the lock back with the file; a stale process id would only mislead.
        let _ = self.0.set_len(0);
    }
}

fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(20).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
