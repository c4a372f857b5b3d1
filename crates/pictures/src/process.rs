//! One worker process: started, fed, read from, and killed when it takes too long.

use crate::Wish;
use crate::worker::NO_PICTURE;
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

/// The largest picture, in bytes.
const PICTURE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// What is started for a picture: a program that calls [`run`](crate::worker::run) with the two arguments that follow its
/// own (the format's name and the longest side).
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

/// A picture of a content, or `None` when nothing can be made of it, also because that took too much. An error says that
/// no process did its work, whatever the content.
pub(crate) async fn picture(world: &World, program: &Program, wish: Wish, source: Bytes) -> io::Result<Option<Bytes>> {
    let running = Arc::new(Mutex::new(Running::Not));
    let (started, own) = (running.clone(), program.clone());
    let work = world.blocking(move || work(&own, wish, &source, &started));
    tokio::pin!(work);
    let done = tokio::select! {
        done = &mut work => done,
        () = world.sleep(program.time) => {
            kill(&running);
            work.await
        }
    };
    done.unwrap_or_else(|_| Err(io::Error::other("the work was interrupted")))
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

fn work(program: &Program, wish: Wish, source: &[u8], running: &Mutex<Running>) -> io::Result<Option<Bytes>> {
    let (mut child, process) = start(program, wish, running)?;
    if let Some(mut input) = child.stdin.take() {
        // It may have ended without reading; how it ended says why.
        let _ = input.write_all(source);
    }
    let mut picture = Vec::new();
    let read = match child.stdout.take() {
        Some(output) => output.take(PICTURE_BYTES_MAX + 1).read_to_end(&mut picture),
        None => Ok(0),
    };
    let too_long = picture.len() as u64 > PICTURE_BYTES_MAX;
    if too_long || read.is_err() {
        kill(running);
    }
    // It has ended, and keeps its number until it is waited for.
    let _ = waitid(Id::Pid(process), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
    *running.lock().unwrap_or_else(PoisonError::into_inner) = Running::Never;
    let status = child.wait()?;
    read?;
    match status.code() {
        Some(0) if !too_long && !picture.is_empty() => Ok(Some(picture.into())),
        Some(0) => Ok(None),
        Some(code) if code == i32::from(NO_PICTURE) => Ok(None),
        Some(code) => Err(io::Error::other(format!("the worker ended with {code}"))),
        // By a signal: it ran into a limit.
        None => Ok(None),
    }
}

fn start(program: &Program, wish: Wish, running: &Mutex<Running>) -> io::Result<(Child, Pid)> {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    if matches!(*running, Running::Never) {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let child = Command::new(&program.path)
        .args(&program.arguments)
        .args([wish.format.name(), &wish.side_max.to_string()])
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
