//! How fast two places can be copied from one to the other at all: the scale for relocations.

use super::place::{Place, Visitor};
use crate::Bench;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What a copy came to.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct RawCopy {
    pub objects: usize,
    pub bytes: u64,
    pub seconds: f64,
    pub megabytes_per_second: f64,
}

/// Fetches every object from one place and puts it into another under the same name, so many at a time.
///
/// # Errors
/// When either place fails, or there is nothing to copy.
pub async fn raw_copy(bench: &Bench, from: &Place, to: &Place, parallel: usize) -> Result<RawCopy> {
    let objects: Vec<_> = from.objects(bench).await?.into_iter().collect();
    if objects.is_empty() {
        bail!("{} has nothing to copy", from.name);
    }
    let bytes = objects.iter().map(|(_, size)| size).sum::<u64>();
    let count = objects.len();
    let (objects, next) = (Arc::new(objects), Arc::new(AtomicUsize::new(0)));
    let begun = bench.world.instant();
    let mut tasks = Vec::new();
    for _ in 0..parallel.max(1) {
        let (source, target) = (from.visitor(bench)?, to.visitor(bench)?);
        tasks.push(bench.world.spawn(copy_some(source, target, Arc::clone(&objects), Arc::clone(&next))));
    }
    for task in tasks {
        task.await.context("a copier ended before its time")??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    Ok(RawCopy { objects: count, bytes, seconds, megabytes_per_second: bytes as f64 / seconds / 1e6 })
}

async fn copy_some(
    mut source: Visitor,
    mut target: Visitor,
    objects: Arc<Vec<(String, u64)>>,
    next: Arc<AtomicUsize>,
) -> Result<()> {
    while let Some((name, size)) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
        let content = source.get(name).await?;
        if content.len() as u64 != *size {
            bail!("{name} came with {} bytes, not {size}", content.len());
        }
        target.put(name, content).await?;
    }
    Ok(())
}

/// The objects that one place has and another does not.
pub fn missing(have: &BTreeMap<String, u64>, others: &BTreeMap<String, u64>) -> usize {
    have.keys().filter(|name| !others.contains_key(*name)).count()
}
