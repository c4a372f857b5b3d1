//! How fast bytes get from one kind of place to another at all: the scale for relocations.
//!
//! As many bytes as are to be moved, in objects of the size that a full segment has, are fetched from one bucket and put
//! into another: so many at a time, over the HTTP library that everything else here is measured with. Nothing is read
//! back, compared or remembered.

use super::{
    content::Content,
    place::{Kind, Place, Visitor},
};
use crate::Bench;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What a full segment has, give or take what seals it.
const OBJECT_BYTES: u64 = 8 << 20;

/// Objects to be copied, and where copies go.
pub struct RawCopy {
    from: Place,
    to: Place,
    objects: Arc<Vec<(String, usize)>>,
}

/// What a copy came to.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Copied {
    pub objects: usize,
    pub bytes: u64,
    pub seconds: f64,
    pub megabytes_per_second: f64,
}

impl RawCopy {
    /// Puts that many bytes into a new place of the first kind.
    ///
    /// # Errors
    /// When there is nothing to copy, or the place refuses.
    pub async fn prepare(bench: &Bench, (from, to): (Kind, Kind), bytes: u64, folder: &Path) -> Result<Self> {
        if bytes == 0 {
            bail!("there is nothing to copy");
        }
        let mut objects = Vec::new();
        let mut left = bytes;
        while left > 0 {
            let size = left.min(OBJECT_BYTES);
            objects.push((format!("object-{:06}", objects.len()), usize::try_from(size)?));
            left -= size;
        }
        let raw = Self {
            from: Place::fresh(from, "raw-source", folder)?,
            to: Place::fresh(to, "raw-target", folder)?,
            objects: Arc::new(objects),
        };
        raw.each(bench, 4, Step::Make).await?;
        Ok(raw)
    }

    /// Copies all of them, so many at a time, and removes the copies after the clock has stopped.
    ///
    /// # Errors
    /// When either place fails.
    pub async fn run(&self, bench: &Bench, parallel: usize) -> Result<Copied> {
        let begun = bench.world.instant();
        self.each(bench, parallel, Step::Copy).await?;
        let seconds = begun.elapsed().as_secs_f64();
        self.to.clear(bench).await?;
        let bytes = self.objects.iter().map(|(_, size)| *size as u64).sum::<u64>();
        let megabytes_per_second = bytes as f64 / seconds / 1e6;
        Ok(Copied { objects: self.objects.len(), bytes, seconds, megabytes_per_second })
    }

    /// Removes everything.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn clear(&self, bench: &Bench) -> Result<()> {
        self.from.clear(bench).await
    }

    async fn each(&self, bench: &Bench, parallel: usize, step: Step) -> Result<()> {
        let next = Arc::new(AtomicUsize::new(0));
        let mut tasks = Vec::new();
        for _ in 0..parallel.max(1) {
            let (source, target) = (self.from.visitor(bench)?, self.to.visitor(bench)?);
            tasks.push(bench.world.spawn(work((source, target), Arc::clone(&self.objects), Arc::clone(&next), step)));
        }
        for task in tasks {
            task.await.context("a copier ended before its time")??;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Put objects at the source.
    Make,
    Copy,
}

async fn work(
    (mut source, mut target): (Visitor, Visitor),
    objects: Arc<Vec<(String, usize)>>,
    next: Arc<AtomicUsize>,
    step: Step,
) -> Result<()> {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some((name, size_bytes)) = objects.get(index) else { return Ok(()) };
        match step {
            Step::Make => {
                let content = Content { seed: index as u64, size_bytes: *size_bytes };
                source.put(name, content.bytes()).await?;
            }
            Step::Copy => {
                let content = source.get(name).await?;
                if content.len() != *size_bytes {
                    bail!("{name} came with {} bytes, not {size_bytes}", content.len());
                }
                target.put(name, content).await?;
            }
        }
    }
}
