//! One worker process: started, fed, read from, and killed when it takes too long.

use crate::worker::{NO_PICTURE, NO_SANDBOX};
use bytes::Bytes;
use entente_world::World;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The largest picture, or other thing that is made, in bytes.
const MADE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What is started for a picture: a program that calls [`run`](crate::worker::run) with the arguments that follow its own,
/// or [that of documents](crate::document::run).
#[derive(Debug, Clone)]
pub struct Program {
    /// Its path.
    pub path: PathBuf,
    /// Its own arguments.
    pub arguments: Vec<String>,
    /// How long it may take, from its start to its end.
    pub time: Duration,
}

/// Where a process is, for whoever may have to kill it. Nobody kills one that has been waited for: its number may be
/// another's by then.
#[derive(Default)]
enum Running {
    #[default]
    Not,
    As(Pid),
    /// It was late before it was even started.
    Never,
}

/// Why no process did its work, whatever the content.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProcessError {
    /// This system does not let it limit itself. Not to be retried.
    #[error("the system gives no sandbox to the worker")]
    NoSandbox,
    /// Anything else.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a process made of its input (one after the other), or `None` when nothing can be made of that, also because it
/// took too much.
pub(crate) async fn made(
    world: &World,
    program: &Program,
    arguments: Vec<String>,
    input: Vec<Bytes>,
) -> Result<Option<Bytes>, ProcessError> {
    let running = Arc::new(Mutex::new(Running::Not));
    let (started, own) = (running.clone(), program.clone());
    let work = world.blocking(move || work(&own, &arguments, &input, &started));
    tokio::pin!(work);
    let done = tokio::select! {
        done = &mut work => done,
        () = world.sleep(program.time) => {
            kill(&running);
            work.await
        }
    };
    done.unwrap_or_else(|_| Err(io::Error::other("the work was interrupted").into()))
}

fn kill(running: &Mutex<Running>) {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    match *running {
        // Its whole group: it leads one of its own.
        Running::As(process) => drop(killpg(process, Signal::SIGKILL)),
        Running::Not => *running = Running::Never,
        Running::Never => {}
    }
}

fn work(
    program: &Program,
    arguments: &[String],
    input: &[Bytes],
    running: &Mutex<Running>,
) -> Result<Option<Bytes>, ProcessError> {
    let (mut child, process) = start(program, arguments, running)?;
    if let Some(mut to) = child.stdin.take() {
        // It may have ended without reading; how it ended says why.
        let _ = input.iter().try_for_each(|part| to.write_all(part));
    }
    let mut made = Vec::new();
    let read = match child.stdout.take() {
        Some(output) => output.take(MADE_BYTES_MAX + 1).read_to_end(&mut made),
        None => Ok(0),
    };
    let too_long = made.len() as u64 > MADE_BYTES_MAX;
    if too_long || read.is_err() {
        kill(running);
    }
    // It has ended, and keeps its number until it is waited for.
    let _ = waitid(Id::Pid(process), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    *running.lock().unwrap_or_else(PoisonError::into_inner) = Running::Never;
    let status = child.wait()?;
    read?;
    match status.code() {
        Some(0) if !too_long && !made.is_empty() => Ok(Some(made.into())),
        Some(0) => Ok(None),
        Some(code) if code == i32::from(NO_PICTURE) => Ok(None),
        Some(code) if code == i32::from(NO_SANDBOX) => Err(ProcessError::NoSandbox),
        Some(code) => Err(io::Error::other(format!("the worker ended with {code}")).into()),
        // By a signal: it ran into a limit.
        None => Ok(None),
    }
}

fn start(program: &Program, arguments: &[String], running: &Mutex<Running>) -> io::Result<(Child, Pid)> {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*running, Running::Never) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let child = Command::new(&program.path)
        .args(&program.arguments)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let process = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    *running = Running::As(process);
    Ok((child, process))
}
