//! A room without doors for programs that need files: LibreOffice and poppler.
//!
//! What is inside sees the programs and fonts of the system, which it cannot write, and a folder in memory. It sees no
//! other file, no process, no network and nobody's name for itself. Linux gives all that to a process without privileges
//! that makes namespaces of its own (`user_namespaces(7)`, `mount_namespaces(7)`, `pid_namespaces(7)`), where the system
//! has not forbidden it.
//!
//! Two processes: one outside, which makes the namespaces and waits, and one inside, which is the first process of its own
//! and furnishes the room. When either dies, everything inside does.

use crate::worker::{BROKEN, NO_PICTURE, NO_SANDBOX};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{chdir, getegid, geteuid, pivot_root};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, ExitCode};

/// Where the room is built, before it is the root of its processes.
const ROOM: &str = "/tmp";
/// Where programs write, inside. In memory, as the whole room is.
pub(crate) const WORK: &str = "/work";
/// All that the room holds, in bytes.
const ROOM_OPTIONS: &str = "size=256m,nr_inodes=16384,mode=755";
/// What the programs need of the system, each as far as it is there.
const SHOWN: [&str; 12] = [
    "/usr/bin",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share",
    "/bin",
    "/lib",
    "/lib64",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/libreoffice",
    "/var/cache/fontconfig",
    "/var/lib/libreoffice",
];
const DEVICES: [&str; 4] = ["/dev/null", "/dev/random", "/dev/urandom", "/dev/zero"];
/// Who everybody inside is.
const NOBODY: u32 = 1_000;

/// Of each process, in bytes.
const ADDRESS_SPACE_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// Of each process, in seconds.
const CPU_SECONDS: u64 = 60;
/// The largest file.
const FILE_BYTES: u64 = 128 * 1024 * 1024;
const PROCESSES: u64 = 256;
const OPEN_FILES: u64 = 256;

/// Makes the namespaces, starts this program again inside with those arguments, and ends as it does.
pub(crate) fn outside(arguments: Vec<OsString>) -> ExitCode {
    if let Err(error) = leave() {
        eprintln!("no sandbox: {error}");
        return ExitCode::from(NO_SANDBOX);
    }
    let ended = Command::new("/proc/self/exe").args(arguments).env_clear().status();
    match ended.map(|status| status.code()) {
        Ok(Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(BROKEN)),
        // By a signal: it ran into a limit.
        Ok(None) => ExitCode::from(NO_PICTURE),
        Err(_) => ExitCode::from(BROKEN),
    }
}

fn leave() -> io::Result<()> {
    // Who asked is gone: nobody takes the picture.
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    prctl::set_no_new_privs()?;
    // When memory is short, this goes before the server.
    fs::write("/proc/self/oom_score_adj", "1000")?;
    let (user, group) = (geteuid(), getegid());
    let apart = [
        CloneFlags::CLONE_NEWUSER,
        CloneFlags::CLONE_NEWNS,
        CloneFlags::CLONE_NEWPID,
        CloneFlags::CLONE_NEWNET,
        CloneFlags::CLONE_NEWIPC,
        CloneFlags::CLONE_NEWUTS,
        CloneFlags::CLONE_NEWCGROUP,
    ];
    unshare(apart.into_iter().collect())?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// Furnishes the room and locks it: afterwards this process and all that it starts are nobody, in there, within limits.
/// An error means that nothing may be read.
pub(crate) fn inside() -> io::Result<()> {
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    furnish()?;
    // What comes next has no power over the room, as another user owns it; what is started then has none at all.
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/uid_map", format!("{NOBODY} 0 1"))?;
    fs::write("/proc/self/gid_map", format!("{NOBODY} 0 1"))?;
    // Nobody in here makes namespaces, with which one gets at more of the kernel.
    fs::write("/proc/sys/user/max_user_namespaces", "0")?;
    for (resource, limit) in [
        (Resource::RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (Resource::RLIMIT_CPU, CPU_SECONDS),
        (Resource::RLIMIT_FSIZE, FILE_BYTES),
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NPROC, PROCESSES),
        (Resource::RLIMIT_NOFILE, OPEN_FILES),
    ] {
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}

fn furnish() -> io::Result<()> {
    const NONE: Option<&str> = None;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(Some("room"), ROOM, Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some(ROOM_OPTIONS))?;
    let room = Path::new(ROOM);
    for path in SHOWN.into_iter().chain(DEVICES).map(Path::new) {
        show(path, &room.join(path.strip_prefix("/").unwrap_or(path)))?;
    }
    read_only(room)?;
    // LibreOffice does not begin without the second.
    for own in ["work", "tmp", "proc"] {
        fs::create_dir(room.join(own))?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), &room.join("proc"), Some("proc"), flags, NONE)?;
    // The room becomes the root, and the root before it goes (pivot_root(2)).
    chdir(room)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    Ok(())
}

/// Has something of the system stand in the room as well.
fn show(path: &Path, place: &Path) -> io::Result<()> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    if let Some(parent) = place.parent() {
        fs::create_dir_all(parent)?;
    }
    if found.is_symlink() {
        // As `/lib` on systems where that is in `/usr`. One that leads out of the room leads nowhere.
        return symlink(fs::read_link(path)?, place);
    }
    if found.is_dir() {
        fs::create_dir(place)?;
    } else {
        fs::write(place, "")?;
    }
    Ok(mount(Some(path), place, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)?)
}

/// Makes all that is shown in the room read-only, with whatever is mounted below.
fn read_only(room: &Path) -> io::Result<()> {
    // Fields as in proc_pid_mountinfo(5): the fifth is the place, the sixth are the options.
    for line in fs::read_to_string("/proc/self/mountinfo")?.lines() {
        let mut fields = line.split(' ').skip(4);
        let (Some(place), Some(options)) = (fields.next(), fields.next()) else { continue };
        let place = Path::new(place);
        if !place.starts_with(room) || place == room || place.starts_with(room.join("dev")) {
            continue;
        }
        // What the mount has must be said again: who is not its owner may not take it away.
        let more = options.split(',').map(|option| match option {
            "noexec" => MsFlags::MS_NOEXEC,
            "noatime" => MsFlags::MS_NOATIME,
            "nodiratime" => MsFlags::MS_NODIRATIME,
            "relatime" => MsFlags::MS_RELATIME,
            _ => MsFlags::empty(),
        });
        let flags = [MsFlags::MS_BIND, MsFlags::MS_REMOUNT, MsFlags::MS_RDONLY, MsFlags::MS_NOSUID, MsFlags::MS_NODEV];
        let flags: MsFlags = flags.into_iter().chain(more).collect();
        mount(None::<&str>, place, None::<&str>, flags, None::<&str>)?;
    }
    Ok(())
}
