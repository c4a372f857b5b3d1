//! What a worker gives up before it reads somebody's bytes.

use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;

/// Memory that it may map, in bytes: the program itself, its allocator's reserves, and twice the largest picture.
const ADDRESS_SPACE_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Processor time, in seconds.
const CPU_SECONDS: u64 = 10;
/// Standard input, output and error, which are open already: no other file can be opened.
const OPEN_FILES: u64 = 3;

/// Limits this process for good. An error means that nothing may be read: a limit that cannot be set is no limit.
///
/// The network is cut off where the kernel lets anybody do that. Where it does not, there still is no file descriptor left
/// for a socket.
pub(crate) fn confine() -> nix::Result<()> {
    // Who asked is gone: nobody takes the picture.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    prctl::set_no_new_privs()?;
    let _ = unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET);
    for (resource, limit) in [
        (Resource::RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (Resource::RLIMIT_CPU, CPU_SECONDS),
        (Resource::RLIMIT_FSIZE, 0),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NPROC, 0),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
    ] {
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}
