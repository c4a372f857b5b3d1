//! Threads of the engines: each blocks on a disk or on a socket.

use crate::{Error, ErrorKind};

#[expect(
    clippy::disallowed_methods,
    reason = "it blocks on a disk or a socket for its whole life: a thread, not a task"
)]
pub(crate) fn spawn(
    name: &'static str,
    body: impl FnOnce() + Send + 'static,
) -> Result<std::thread::JoinHandle<()>, Error> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder.spawn(body).map_err(|error| Error {
        kind: ErrorKind::Failed,
        message: "a thread of the database cannot be started".to_owned(),
        source: Some(Box::new(error)),
    })
}
