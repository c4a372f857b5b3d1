use super::{
    Inner,
    draft::{Draft, Expected, PIECES_MAX},
    errno::error_of_making,
};
use crate::{Creation, Error, ErrorKind, ObjectName};
use async_trait::async_trait;
use bytes::Bytes;
use rustix::io::Errno;
use std::sync::Arc;

/// Bytes that are held before they are written to the file: enough that handing them to another thread
/// costs little in comparison, and small objects are handed over only once.
const HELD_BYTES_MAX: usize = 1024 * 1024;

/// An object that is being written to a temporary file.
pub(super) struct FsCreation {
    inner: Arc<Inner>,
    name: ObjectName,
    held: Vec<Bytes>,
    held_bytes: usize,
    state: State,
}

enum State {
    /// Nothing has been written to disk.
    New,
    /// Some of it has.
    Begun(Draft),
    /// A write failed, or was dropped half way.
    Broken,
}

impl FsCreation {
    pub(super) fn new(inner: Arc<Inner>, name: ObjectName) -> Self {
        Self { inner, name, held: Vec::new(), held_bytes: 0, state: State::New }
    }

    /// Hands the file and what is held to `work` on another thread, with the object broken until it is back.
    async fn hand_over<T: Send + 'static>(
        &mut self,
        operation: &'static str,
        expected: Expected,
        work: impl FnOnce(Draft, ObjectName) -> Result<T, Errno> + Send + 'static,
    ) -> Result<T, Error> {
        let held = std::mem::take(&mut self.held);
        self.held_bytes = 0;
        let state = std::mem::replace(&mut self.state, State::Broken);
        let (inner, name) = (Arc::clone(&self.inner), self.name);
        let done = self.inner.blocking(operation, move |_| {
            inner.layout.check_room()?;
            let mut draft = match state {
                State::New => Draft::make(inner, name, expected)?,
                State::Begun(draft) => draft,
                State::Broken => return Err(Errno::BADF),
            };
            draft.append(&held)?;
            work(draft, name)
        });
        done.await?.map_err(|errno| error_of_making(errno, operation))
    }

    fn whole(&self, operation: &'static str) -> Result<(), Error> {
        match self.state {
            State::New | State::Begun(_) => Ok(()),
            State::Broken => {
                Err(Error::new(ErrorKind::Failed, operation).because("an earlier write of this object did not finish"))
            }
        }
    }
}

#[async_trait]
impl Creation for FsCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.whole("write")?;
        self.held_bytes = self.held_bytes.saturating_add(bytes.len());
        self.held.push(bytes);
        if self.held_bytes >= HELD_BYTES_MAX || self.held.len() >= PIECES_MAX {
            let draft = self.hand_over("write", Expected::Large, |draft, _| Ok(draft)).await?;
            self.state = State::Begun(draft);
        }
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), Error> {
        self.whole("commit")?;
        self.hand_over("commit", Expected::Small, Draft::publish).await
    }
}
