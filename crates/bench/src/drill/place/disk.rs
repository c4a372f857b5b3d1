//! A folder.

use crate::Bench;
use anyhow::{Context, Result};
use bytes::Bytes;
use entente_world::World;
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// Deeper than this nobody has put anything.
const DEPTH_MAX: usize = 8;

pub struct Disk {
    world: World,
    root: PathBuf,
}

impl Disk {
    pub fn new(bench: &Bench, root: &Path) -> Self {
        Self { world: bench.world.clone(), root: root.to_owned() }
    }

    /// Every file with its size; names are paths below the root.
    pub async fn list(&self) -> Result<BTreeMap<String, u64>> {
        let root = self.root.clone();
        self.world
            .blocking(move || {
                let mut found = BTreeMap::new();
                walk(&root, &root, DEPTH_MAX, &mut found)?;
                Ok(found)
            })
            .await?
    }

    pub async fn get(&self, name: &str) -> Result<Bytes> {
        let path = self.root.join(name);
        self.world.blocking(move || Ok(Bytes::from(fs::read(path)?))).await?
    }

    /// Durably, as a store would: the file and then its folder are synced.
    pub async fn put(&self, name: &str, content: Bytes) -> Result<()> {
        let path = self.root.join(name);
        self.world
            .blocking(move || {
                let folder = path.parent().context("a file has a folder")?;
                fs::create_dir_all(folder)?;
                let mut file = File::create_new(&path)?;
                file.write_all(&content)?;
                file.sync_all()?;
                File::open(folder)?.sync_all()?;
                Ok(())
            })
            .await?
    }

    pub async fn delete(&self, name: &str) -> Result<()> {
        let path = self.root.join(name);
        self.world.blocking(move || Ok(fs::remove_file(path)?)).await?
    }
}

fn walk(root: &Path, folder: &Path, depth: usize, found: &mut BTreeMap<String, u64>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = match entry.metadata() {
            // It was removed in this moment.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if metadata.is_dir() && depth > 0 {
            walk(root, &entry.path(), depth - 1, found)?;
        } else if metadata.is_file() {
            let name = entry.path().strip_prefix(root)?.to_string_lossy().into_owned();
            found.insert(name, metadata.len());
        }
    }
    Ok(())
}
