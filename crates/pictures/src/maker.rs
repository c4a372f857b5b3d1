//! Makes pictures, few at a time, and keeps them.

use crate::Wish;
use crate::kept::{Kept, Key};
use crate::process::{self, Program};
use bytes::Bytes;
use entente_model::ContentId;
use entente_world::World;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Processes at once.
const AT_ONCE: usize = 2;
/// Pictures under way, those that wait for their turn included.
const UNDER_WAY_MAX: usize = 64;
/// What is kept, in bytes.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a content could not be read; whoever reads has logged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content could not be read")]
pub struct SourceError;

/// What became of a wish for a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The picture.
    Made(Bytes),
    /// None can be made of this content, ever.
    None,
    /// It takes longer than the caller waits, or too many are under way: ask again.
    Later,
    /// The content could not be read, or no process could be started: ask again later.
    Failed,
}

/// What is known of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It is there.
    Made,
    /// Nothing: it was not asked for, or is not kept any more.
    Not,
    /// None can be made.
    Never,
}

/// Makes pictures. Cheap to clone.
#[derive(Clone)]
pub struct Maker(Arc<Inner>);

struct Inner {
    world: World,
    program: Program,
    turns: Semaphore,
    table: Mutex<Table>,
}

struct Table {
    kept: Kept,
    /// Each tells how it ended.
    under_way: HashMap<Key, watch::Receiver<Outcome>>,
}

impl Maker {
    /// Has that program make them.
    #[must_use]
    pub fn new(world: World, program: Program) -> Self {
        let table = Table { kept: Kept::new(KEPT_BYTES_MAX), under_way: HashMap::new() };
        Self(Arc::new(Inner { world, program, turns: Semaphore::new(AT_ONCE), table: Mutex::new(table) }))
    }

    /// Whether a picture of a content has been made lately.
    #[must_use]
    pub fn known(&self, content: ContentId, wish: Wish) -> Known {
        let mut table = self.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        match table.kept.find((content, wish)) {
            Some(Some(_)) => Known::Made,
            Some(None) => Known::Never,
            None => Known::Not,
        }
    }

    /// A picture of a content, made now unless it is there already. Waits for `patience`; what takes longer is made all the
    /// same, also when this future is dropped. `source` reads the content, when it is its turn; not every time.
    pub async fn picture<F>(&self, content: ContentId, wish: Wish, patience: Duration, source: F) -> Outcome
    where
        F: Future<Output = Result<Bytes, SourceError>> + Send + 'static,
    {
        let mut outcome = match self.begin((content, wish), source) {
            Ok(outcome) => outcome,
            Err(known) => return known,
        };
        tokio::select! {
            changed = outcome.changed() => match changed {
                Ok(()) => outcome.borrow().clone(),
                Err(_) => Outcome::Failed,
            },
            () = self.0.world.sleep(patience) => Outcome::Later,
        }
    }

    /// Joins whoever waits for the same, or begins. `Err` is what there is to say already.
    fn begin<F>(&self, key: Key, source: F) -> Result<watch::Receiver<Outcome>, Outcome>
    where
        F: Future<Output = Result<Bytes, SourceError>> + Send + 'static,
    {
        let mut table = self.0.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = table.kept.find(key) {
            return Err(known.map_or(Outcome::None, Outcome::Made));
        }
        if let Some(outcome) = table.under_way.get(&key) {
            return Ok(outcome.clone());
        }
        if table.under_way.len() >= UNDER_WAY_MAX {
            return Err(Outcome::Later);
        }
        let (tell, told) = watch::channel(Outcome::Later);
        table.under_way.insert(key, told.clone());
        let inner = self.0.clone();
        self.0.world.spawn(async move {
            let outcome = inner.make(key.1, source).await;
            let mut table = inner.table.lock().unwrap_or_else(PoisonError::into_inner);
            match &outcome {
                Outcome::Made(picture) => table.kept.keep(key, Some(picture.clone())),
                Outcome::None => table.kept.keep(key, None),
                Outcome::Later | Outcome::Failed => {}
            }
            table.under_way.remove(&key);
            drop(table);
            let _ = tell.send(outcome);
        });
        Ok(told)
    }
}

impl Inner {
    async fn make<F>(&self, wish: Wish, source: F) -> Outcome
    where
        F: Future<Output = Result<Bytes, SourceError>> + Send + 'static,
    {
        let Ok(_turn) = self.turns.acquire().await else { return Outcome::Failed };
        let Ok(source) = source.await else { return Outcome::Failed };
        match process::picture(&self.world, &self.program, wish, source).await {
            Ok(Some(picture)) => Outcome::Made(picture),
            Ok(None) => Outcome::None,
            Err(error) => {
                tracing::warn!(error = %error, "a picture could not be made");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests;
