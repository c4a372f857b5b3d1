"""Starts and stops the servers that tests talk to; `scripts/test-servers.sh` is the way in and tells the verbs.

One set of servers belongs to one checkout. Its state is in `target/test-servers`:

    endpoints.json   where the running set is, with its keys; exists only while one runs
    processes.json   which processes were started, so that only those are ever signalled
    asked            touched by whoever asks for the servers
    users            whoever uses them holds a shared lock on it
    lock             held while servers are started or stopped
    data, logs       thrown away at the next start
"""

import contextlib
import fcntl
import json
import os
import resource
import secrets
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import buckets
import programs
from programs import Missing

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / "target" / "test-servers"
ENDPOINTS = STATE / "endpoints.json"
PROCESSES = STATE / "processes.json"
ASKED = STATE / "asked"
DATA = STATE / "data"
LOGS = STATE / "logs"

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 10
# Servers that nobody has asked for in this time, and nobody uses, stop by themselves.
IDLE_SECONDS_MAX = 2 * 60 * 60
# With more than this on disk they stop after a shorter pause, for the next start to begin empty.
DATA_BYTES_MAX = 10 << 30
FULL_IDLE_SECONDS_MAX = 10 * 60
WATCH_SECONDS = 30
# Each bucket of SeaweedFS keeps files open.
OPEN_FILES = 65536
# Whoever loses a port to another program in the meantime tries again with others.
STARTS_MAX = 3


def say(text: str) -> None:
    print(f"test servers: {text}", file=sys.stderr, flush=True)


# --- locks ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(name: str, how: int = fcntl.LOCK_EX):
    """Holds a lock of that name; with LOCK_NB, raises BlockingIOError when somebody else does."""
    STATE.mkdir(parents=True, exist_ok=True)
    with open(STATE / name, "a", encoding="utf-8") as file:
        fcntl.flock(file, how)
        yield


def ask() -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    ASKED.touch()


# --- processes --------------------------------------------------------------------------------------------------------


def began(pid: int) -> str:
    """When the process began, in the words of `ps`; empty if there is none. Tells a process from a later namesake."""
    asked = subprocess.run(["ps", "-o", "lstart=,stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    said = asked.stdout.strip()
    return "" if not said or said.rsplit(None, 1)[-1].startswith("Z") else said.rsplit(None, 1)[0]


def read_json(path: Path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write_json(path: Path, value) -> None:
    """Readers see all of it or none. It may hold keys, so it is ours alone."""
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2)
        file.write("\n")
    new.replace(path)


def remembered() -> dict:
    """What was started and where it left things, in the words of whichever version of this file wrote it."""
    return {"processes": {}, "folder": None, "leftovers": [], **(read_json(PROCESSES) or {})}


def alive(process: dict) -> bool:
    return began(process["pid"]) == process["began"]


def end(processes: dict) -> None:
    """Ends the processes, kindly first where that leaves less behind."""
    left = {name: process for name, process in processes.items() if alive(process)}
    for process in left.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process["pid"], process["signal"])
    give_up = time.monotonic() + STOP_SECONDS_MAX
    while left and time.monotonic() < give_up:
        for name, process in list(left.items()):
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process["pid"], os.WNOHANG)
            if not alive(process):
                del left[name]
        time.sleep(0.02)
    for process in left.values():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process["pid"], signal.SIGKILL)


def clear(state: dict) -> None:
    """Removes what the servers made outside our folder."""
    if state["folder"]:
        shutil.rmtree(state["folder"], ignore_errors=True)
    for path in state["leftovers"]:
        Path(path).unlink(missing_ok=True)


def discard() -> None:
    """Ends whatever runs and clears what it stored. The lock is held."""
    ENDPOINTS.unlink(missing_ok=True)
    state = remembered()
    end(state["processes"])
    clear(state)
    shutil.rmtree(DATA, ignore_errors=True)
    PROCESSES.unlink(missing_ok=True)


# --- a set of servers -------------------------------------------------------------------------------------------------


class NotReady(Exception):
    """A server did not start."""


class Start:
    """One attempt at starting all of them."""

    def __init__(self):
        shutil.rmtree(LOGS, ignore_errors=True)
        LOGS.mkdir(parents=True)
        DATA.mkdir(parents=True)
        # Sockets need a short path, and PostgreSQL one that its own user can reach.
        self.folder = Path(tempfile.mkdtemp(prefix="entente-test-"))
        self.folder.chmod(0o755)
        self.processes: dict[str, dict] = {}
        self.leftovers: list[str] = []
        self.children: dict[str, subprocess.Popen] = {}
        self.taken: list[socket.socket] = []
        self.remember()

    def remember(self) -> None:
        write_json(
            PROCESSES, {"processes": self.processes, "folder": str(self.folder), "leftovers": self.leftovers}
        )

    def port(self) -> int:
        """A free port below those that the system gives to outgoing connections; no two calls give the same."""
        while True:
            port = 20000 + secrets.randbelow(12000)
            claim = socket.socket()
            try:
                claim.bind(("127.0.0.1", port))
            except OSError:
                claim.close()
                continue
            self.taken.append(claim)
            return port

    def release_ports(self) -> None:
        for claim in self.taken:
            claim.close()
        self.taken.clear()

    def spawn(self, name: str, server: programs.Server) -> None:
        with open(LOGS / f"{name}.log", "ab") as log:
            child = subprocess.Popen(
                server.command,
                cwd=server.cwd,
                env={**os.environ, **server.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **programs.as_user(server.user),
            )
        self.children[name] = child
        self.processes[name] = {"pid": child.pid, "began": began(child.pid), "signal": int(server.stop)}
        self.leftovers += server.leftovers
        self.remember()

    def wait(self, name: str, server: programs.Server, give_up: float) -> None:
        while not server.ready():
            if self.children[name].poll() is not None:
                raise NotReady(f"{name} ended at once; see {LOGS / name}.log")
            if time.monotonic() > give_up:
                raise NotReady(f"{name} was not ready within {READY_SECONDS_MAX} s; see {LOGS / name}.log")
            time.sleep(0.05)


def start_all() -> None:
    """Starts a new set in place of whatever is there. The lock is held."""
    discard()
    attempt = Start()
    servers = {}
    for name, prepare in programs.ALL.items():
        servers[name] = prepare(DATA / name, attempt.folder, attempt.port)
    attempt.release_ports()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_files = OPEN_FILES if limits[1] == resource.RLIM_INFINITY else min(OPEN_FILES, limits[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, limits[1]))
    for name, server in servers.items():
        attempt.spawn(name, server)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    give_up = time.monotonic() + READY_SECONDS_MAX
    for name, server in servers.items():
        attempt.wait(name, server, give_up)
    endpoints = {"set": secrets.token_hex(8), **{name: server.endpoint for name, server in servers.items()}}
    write_json(ENDPOINTS, endpoints)
    with open(LOGS / "watch.log", "ab") as log:
        subprocess.Popen(
            [sys.executable, "-B", __file__, "watch", endpoints["set"]],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def healthy() -> bool:
    """Whether a whole set runs and answers."""
    endpoints, state = read_json(ENDPOINTS), remembered()
    if not endpoints or set(state["processes"]) != set(programs.ALL):
        return False
    if not all(alive(process) for process in state["processes"].values()):
        return False
    return all(programs.accepts(endpoints[name]["port"]) for name in programs.ALL)


def start() -> None:
    """A running set, started if there is none."""
    with locked("lock"):
        ask()
        if healthy():
            return
        began_at = time.monotonic()
        for attempt in range(1, STARTS_MAX + 1):
            try:
                start_all()
                break
            except Missing:
                discard()
                raise
            except NotReady as trouble:
                discard()
                if attempt == STARTS_MAX:
                    raise
                say(f"{trouble}; trying again")
        say(f"ready after {time.monotonic() - began_at:.1f} s")


def stop() -> None:
    with locked("lock"):
        discard()


def release() -> bool:
    """Stops the set unless somebody uses it. Whether it was stopped."""
    try:
        with locked("users", fcntl.LOCK_EX | fcntl.LOCK_NB):
            stop()
            return True
    except BlockingIOError:
        return False


# --- verbs ------------------------------------------------------------------------------------------------------------


def bytes_below(folder: Path) -> int:
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(path, name)).st_blocks * 512
    return total


def watch(mine: str) -> None:
    """Stops the set of that name once nobody has asked for it for long; ends when the set is gone."""
    state = remembered()
    while True:
        time.sleep(WATCH_SECONDS)
        if not STATE.exists():
            # The target folder was removed under the running servers.
            end(state["processes"])
            clear(state)
            return
        endpoints = read_json(ENDPOINTS)
        if not endpoints or endpoints["set"] != mine:
            return
        try:
            idle_seconds = time.time() - ASKED.stat().st_mtime
        except FileNotFoundError:
            idle_seconds = IDLE_SECONDS_MAX + 1.0
        full = idle_seconds > FULL_IDLE_SECONDS_MAX and bytes_below(STATE) > DATA_BYTES_MAX
        if (full or idle_seconds > IDLE_SECONDS_MAX) and release():
            say("stopped; nobody has asked for them for a while")
            return
        try:
            buckets.sweep(endpoints)
        except buckets.Refused as trouble:
            say(str(trouble))


def run(command: list[str]) -> int:
    """Runs a command with the servers up, and stops them after it unless somebody else uses them."""
    with locked("users", fcntl.LOCK_SH):
        start()
        child = subprocess.Popen(command, close_fds=False)
        # Whoever interrupts us interrupts the command too; the servers are stopped after it has ended.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        status = child.wait()
    release()
    return status if status >= 0 else 128 - status


def status() -> int:
    endpoints, state = read_json(ENDPOINTS), remembered()
    for name in programs.ALL:
        process = state["processes"].get(name)
        if endpoints and process and alive(process) and programs.accepts(endpoints[name]["port"]):
            print(f"{name:<8} runs    process {process['pid']}, 127.0.0.1:{endpoints[name]['port']}")
        else:
            print(f"{name:<8} stopped")
    return 0 if healthy() else 3


def print_environment(endpoints: dict) -> None:
    """As shell variables: ENTENTE_TEST_S3_ENDPOINT and so on."""
    for name, endpoint in endpoints.items():
        if isinstance(endpoint, dict):
            for field, value in endpoint.items():
                print(f"export ENTENTE_TEST_{name.upper()}_{field.upper()}={shlex.quote(str(value))}")


def main(words: list[str]) -> int:
    verb, rest = (words[0], words[1:]) if words else ("", [])
    try:
        match verb:
            case "start":
                start()
            case "stop":
                stop()
            case "release":
                release()
            case "status":
                return status()
            case "env":
                start()
                print_environment(read_json(ENDPOINTS) or {})
            case "fresh":
                start()
                endpoints = read_json(ENDPOINTS) or {}
                print_environment(endpoints)
                print_environment(buckets.fresh(endpoints))
            case "run":
                return run(rest[1:] if rest[:1] == ["--"] else rest)
            case "watch":
                watch(rest[0])
            case _:
                say("say start, stop, release, status, env, fresh or run -- COMMAND")
                return 2
    except (Missing, NotReady, buckets.Refused) as trouble:
        say(str(trouble))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
