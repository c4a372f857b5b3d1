//! One line per cloud: how a configured backend becomes an open one.

use crate::{Backend, Error, azure, fs::FsBackend, gcs, memory::MemoryBackend, s3};
use entente_world::World;
use std::{path::PathBuf, sync::Arc};

/// Which cloud a backend is in, and what its driver must know to open it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Configuration {
    /// A folder on a local disk.
    Fs {
        /// Where. It is made if it is not there.
        root: PathBuf,
    },
    /// In memory, gone with the process: for trials.
    Memory,
    /// A bucket of Amazon S3, or of a service that speaks its protocol.
    S3(s3::Settings),
    /// A container of Azure Blob Storage.
    Azure(azure::Settings),
    /// A bucket of Google Cloud Storage.
    Gcs(gcs::Settings),
}

/// Opens a backend, without guards. Blocks: for start-up and the command line. Fails as its driver's `open`.
pub fn open(configuration: &Configuration, world: World) -> Result<Arc<dyn Backend>, Error> {
    Ok(match configuration {
        Configuration::Fs { root } => Arc::new(FsBackend::open(world, root)?),
        Configuration::Memory => Arc::new(MemoryBackend::new(world)),
        Configuration::S3(settings) => s3::open(settings)?,
        Configuration::Azure(settings) => azure::open(settings)?,
        Configuration::Gcs(settings) => gcs::open(settings)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn every_line_opens_a_backend_that_conforms() {
        let root = tempfile::tempdir().unwrap();
        let world = World::real();
        for configuration in [Configuration::Fs { root: root.path().join("objects") }, Configuration::Memory] {
            let backend = open(&configuration, world.clone()).unwrap();
            conformance::run(&*backend, &world).await.unwrap();
        }
    }
}
