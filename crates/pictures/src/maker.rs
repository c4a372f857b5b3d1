//! Makes pictures, few at a time, and keeps them.
//!
//! An image becomes a picture in one step. A document takes up to three, each of which is a thing by itself that is kept,
//! so that the next picture takes fewer: Office file → PDF → page → picture.

use crate::document::{Documents, OUTSIDE, Task};
use crate::kept::{Kept, Key};
use crate::process::{self, ProcessError, Program};
use crate::{Kind, What, worker};
use bytes::Bytes;
use entente_model::ContentId;
use entente_world::World;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Processes at once that make pictures of images.
const IMAGES_AT_ONCE: usize = 2;
/// Those that read documents, which take longer.
const DOCUMENTS_AT_ONCE: usize = 2;
/// Pictures under way, those that wait for their turn included.
const UNDER_WAY_MAX: usize = 64;
/// What is kept, in bytes.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Why a content could not be read; whoever reads has logged it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content could not be read")]
pub struct SourceError;

/// What became of a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The picture, or whatever was wished for.
    Made(Bytes),
    /// None can be made of this content, ever.
    None,
    /// None is made of contents of that kind here: a program that reads it is missing, or the sandbox for it.
    Unread,
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

/// A content of which something is made.
pub struct Source {
    /// Which.
    pub content: ContentId,
    /// Of what kind it is.
    pub kind: Kind,
    /// Reads all of it, when it is its turn; not every time.
    pub read: Pin<Box<dyn Future<Output = Result<Bytes, SourceError>> + Send>>,
}

/// Makes pictures. Cheap to clone.
#[derive(Clone)]
pub struct Maker(Arc<Inner>);

struct Inner {
    world: World,
    program: Program,
    documents: Option<Documents>,
    /// The system gave no sandbox: it will not the next time.
    no_sandbox: AtomicBool,
    turns: Semaphore,
    document_turns: Semaphore,
    table: Mutex<Table>,
}

struct Table {
    kept: Kept,
    /// Each tells how it ended.
    under_way: HashMap<Key, watch::Receiver<Outcome>>,
}

impl Maker {
    /// Has that program make them, of images; and those others read documents first.
    #[must_use]
    pub fn new(world: World, program: Program, documents: Option<Documents>) -> Self {
        let table = Table { kept: Kept::new(KEPT_BYTES_MAX), under_way: HashMap::new() };
        Self(Arc::new(Inner {
            world,
            program,
            documents,
            no_sandbox: AtomicBool::new(false),
            turns: Semaphore::new(IMAGES_AT_ONCE),
            document_turns: Semaphore::new(DOCUMENTS_AT_ONCE),
            table: Mutex::new(table),
        }))
    }

    /// Whether contents of that kind are read here, as far as is known.
    #[must_use]
    pub fn reads(&self, kind: Kind) -> bool {
        let documents = || self.0.documents.as_ref().is_some_and(|documents| documents.read(kind));
        !kind.is_document() || (!self.0.no_sandbox.load(Ordering::Relaxed) && documents())
    }

    /// Whether something has been made of a content lately.
    #[must_use]
    pub fn known(&self, content: ContentId, what: What) -> Known {
        match self.0.table().kept.find(&(content, what)) {
            Some(Some(_)) => Known::Made,
            Some(None) => Known::Never,
            None => Known::Not,
        }
    }

    /// Something of a content, made now unless it is there already. Waits for `patience`; what takes longer is made all the
    /// same, also when this future is dropped.
    pub async fn make(&self, source: Source, what: What, patience: Duration) -> Outcome {
        if !self.reads(source.kind) {
            return Outcome::Unread;
        }
        tokio::select! {
            outcome = self.0.clone().found(source, what) => outcome,
            () = self.0.world.sleep(patience) => Outcome::Later,
        }
    }
}

impl Inner {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept, or made by whoever began to, or now.
    async fn found(self: Arc<Self>, source: Source, what: What) -> Outcome {
        let mut outcome = match self.begin(source, what) {
            Ok(outcome) => outcome,
            Err(known) => return known,
        };
        match outcome.changed().await {
            Ok(()) => outcome.borrow().clone(),
            Err(_) => Outcome::Failed,
        }
    }

    /// Joins whoever waits for the same, or begins. `Err` is what there is to say already.
    fn begin(self: Arc<Self>, source: Source, what: What) -> Result<watch::Receiver<Outcome>, Outcome> {
        let key = (source.content, what.clone());
        let inner = self.clone();
        let mut table = self.table();
        if let Some(known) = table.kept.find(&key) {
            return Err(known.map_or(Outcome::None, Outcome::Made));
        }
        if let Some(outcome) = table.under_way.get(&key) {
            return Ok(outcome.clone());
        }
        if table.under_way.len() >= UNDER_WAY_MAX {
            return Err(Outcome::Later);
        }
        let (tell, told) = watch::channel(Outcome::Later);
        table.under_way.insert(key.clone(), told.clone());
        self.world.spawn(async move {
            let outcome = inner.clone().made(source, what).await;
            let mut table = inner.table();
            match &outcome {
                Outcome::Made(made) => table.kept.keep(key.clone(), Some(made.clone())),
                Outcome::None => table.kept.keep(key.clone(), None),
                Outcome::Unread | Outcome::Later | Outcome::Failed => {}
            }
            table.under_way.remove(&key);
            drop(table);
            let _ = tell.send(outcome);
        });
        Ok(told)
    }

    /// One step, after those that it needs.
    async fn made(self: Arc<Self>, source: Source, what: What) -> Outcome {
        let kind = source.kind;
        match (what, kind) {
            (What::Picture(wish), Kind::Image) if wish.page == 1 => {
                let arguments = worker::arguments(&wish);
                self.drawn(arguments, wish.watermark.as_deref(), source.read).await
            }
            (What::Picture(wish), Kind::Pdf | Kind::Office(_)) => {
                let page = self.clone().needed(source, What::Page(wish.page));
                let arguments = worker::arguments(&wish);
                match page.await {
                    Outcome::Made(page) => self.drawn(arguments, wish.watermark.as_deref(), async { Ok(page) }).await,
                    other => other,
                }
            }
            (What::Page(page), Kind::Pdf | Kind::Office(_)) => self.of_pdf(source, Task::Page(page)).await,
            (What::Text, Kind::Pdf | Kind::Office(_)) => self.of_pdf(source, Task::Text).await,
            (What::Pdf, Kind::Office(extension)) => self.read(Task::Pdf(extension), source.read).await,
            (What::Pdf, Kind::Pdf) => source.read.await.map_or(Outcome::Failed, Outcome::Made),
            (What::Picture(_) | What::Page(_) | What::Text | What::Pdf, Kind::Image) => Outcome::None,
        }
    }

    /// A step before another. Boxed, as it begins one like that from which it is called.
    fn needed(self: Arc<Self>, source: Source, what: What) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(self.found(source, what))
    }

    async fn of_pdf(self: Arc<Self>, source: Source, task: Task) -> Outcome {
        // One that is a PDF already is not kept a second time.
        let pdf = match source.kind {
            Kind::Pdf => return self.read(task, source.read).await,
            Kind::Image | Kind::Office(_) => self.clone().needed(source, What::Pdf).await,
        };
        match pdf {
            Outcome::Made(pdf) => self.read(task, async { Ok(pdf) }).await,
            other => other,
        }
    }

    /// A picture of an image.
    async fn drawn<F>(&self, arguments: Vec<String>, watermark: Option<&str>, image: F) -> Outcome
    where
        F: Future<Output = Result<Bytes, SourceError>> + Send,
    {
        let Ok(_turn) = self.turns.acquire().await else { return Outcome::Failed };
        let Ok(image) = image.await else { return Outcome::Failed };
        let watermark = watermark.map(|text| Bytes::copy_from_slice(text.as_bytes()));
        let input = watermark.into_iter().chain([image]).collect();
        self.ended(process::made(&self.world, &self.program, arguments, input).await)
    }

    /// Something of a document.
    async fn read<F>(&self, task: Task, document: F) -> Outcome
    where
        F: Future<Output = Result<Bytes, SourceError>> + Send,
    {
        let Some(documents) = &self.documents else { return Outcome::Unread };
        let Ok(_turn) = self.document_turns.acquire().await else { return Outcome::Failed };
        let Ok(document) = document.await else { return Outcome::Failed };
        let arguments = [OUTSIDE.to_owned()].into_iter().chain(task.arguments()).collect();
        self.ended(process::made(&self.world, &documents.program, arguments, vec![document]).await)
    }

    fn ended(&self, ended: Result<Option<Bytes>, ProcessError>) -> Outcome {
        match ended {
            Ok(Some(made)) => Outcome::Made(made),
            Ok(None) => Outcome::None,
            Err(error @ ProcessError::NoSandbox) => {
                if !self.no_sandbox.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = %error, "there are no pictures of documents");
                }
                Outcome::Unread
            }
            Err(error) => {
                tracing::warn!(error = %error, "a picture could not be made");
                Outcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests;
