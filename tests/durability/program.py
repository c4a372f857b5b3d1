"""The `entente` program: started, asked, stopped and killed. Only processes that were started here are ever signalled."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
VERB_SECONDS_MAX = 600


class Broken(Exception):
    """The program did not do what it must always do: start, stop, end with the right status."""


class Power(Protocol):
    """The power of the disk that the data is on."""

    def cut(self) -> None:
        """At once: nothing is written any more, and what was not durable is lost."""

    def restore(self) -> None:
        """Once nobody uses the disk: it is back with what was durable."""


@dataclass(frozen=True)
class Ran:
    """How a verb ended."""

    status: int
    said: str
    complained: str

    def json(self):
        return json.loads(self.said)


class Program:
    """The program on one data directory, with at most one server at a time."""

    def __init__(self, path: Path, data: Path, log: Path, power: Power | None = None):
        self.path = path.resolve()
        self.data = data.resolve()
        self.log = log
        # When set, whatever is killed dies in a power cut.
        self.power = power
        self.server: subprocess.Popen | None = None
        self.url = self.s3_url = ""
        self.killed_at = 0.0
        log.parent.mkdir(parents=True, exist_ok=True)

    def spawn(self, *words: str) -> subprocess.Popen:
        """Starts a verb and does not wait for it; what it says goes to the log."""
        with open(self.log, "ab") as log:
            log.write(f"--- entente {' '.join(words)}\n".encode())
            log.flush()
            return subprocess.Popen(
                [self.path, *words, "--data", self.data],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def run(self, *words: str, seconds_max: float = VERB_SECONDS_MAX) -> Ran:
        """Runs a verb to its end."""
        done = subprocess.run(
            [self.path, *words, "--data", self.data], capture_output=True, text=True, timeout=seconds_max
        )
        return Ran(done.returncode, done.stdout.strip(), done.stderr.strip())

    def begin(self) -> None:
        """Starts a server and does not wait until it is ready."""
        assert self.server is None, "one server at a time"
        self.server = self.spawn("serve", "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0")

    def ready(self) -> dict | None:
        """What the running server says of itself, once it accepts requests. A killed one's file is not taken for it."""
        try:
            said = json.loads((self.data / "ready.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        return said if self.server is not None and said.get("pid") == self.server.pid else None

    def wait_until_ready(self) -> float:
        """Waits, and returns how many seconds that took."""
        began = time.monotonic()
        while True:
            said = self.ready()
            if said is not None:
                self.url, self.s3_url = said["url"].rstrip("/"), said["s3_url"].rstrip("/")
                return time.monotonic() - began
            status = self.server.poll()
            if status is not None:
                self.server = None
                raise Broken(f"the server ended with {status} before it was ready:\n{self.end_of_log()}")
            if time.monotonic() - began > READY_SECONDS_MAX:
                self.kill()
                raise Broken(f"the server was not ready within {READY_SECONDS_MAX} s:\n{self.end_of_log()}")
            time.sleep(0.005)

    def start(self) -> float:
        self.begin()
        return self.wait_until_ready()

    def is_running(self) -> bool:
        return self.server is not None and self.server.poll() is None

    def kill(self, *others: subprocess.Popen) -> None:
        """SIGKILL to the server, if one runs, and to other processes on its data; waits until they are gone."""
        processes = [process for process in (self.server, *others) if process is not None]
        self.killed_at = time.monotonic()
        for process in processes:
            # Whoever is dead answers nobody: with the power goes the machine, not the disk alone.
            process.kill()
        if self.power is not None:
            self.power.cut()
        for process in processes:
            process.wait()
        self.server = None
        if self.power is not None:
            self.power.restore()

    def stop(self) -> None:
        """SIGTERM; the server must end with 0, and must have taken `ready.json` away."""
        server, self.server = self.server, None
        server.send_signal(signal.SIGTERM)
        try:
            status = server.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            kill(server)
            raise Broken(f"the server did not stop within {STOP_SECONDS_MAX} s of SIGTERM") from None
        if status != 0:
            raise Broken(f"the server ended with {status} after SIGTERM:\n{self.end_of_log()}")
        if (self.data / "ready.json").exists():
            raise Broken("the server left ready.json behind after SIGTERM")

    def end(self) -> None:
        """For leaving early: no server is left behind."""
        if self.server is not None:
            kill(self.server)
            self.server = None

    def token(self, login: str = "admin@entente.local") -> str:
        return self.must("token", "issue", "--login", login)

    def new_user(self, login: str) -> None:
        self.must("user", "create", "--login", login, "--name", login.split("@")[0])

    def access_key(self, login: str) -> tuple[str, str]:
        """The id and the secret of a new one."""
        said = json.loads(self.must("access-key", "create", "--login", login, "--json"))
        return said["access_key_id"], said["secret_access_key"]

    def must(self, *words: str) -> str:
        ran = self.run(*words)
        if ran.status != 0 or not ran.said:
            # What it said may hold a secret.
            raise Broken(f"entente {' '.join(words[:2])} ended with {ran.status}: {ran.complained}")
        return ran.said

    def end_of_log(self, lines: int = 30) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def panics(self) -> list[str]:
        return [line for line in self.log.read_text(errors="replace").splitlines() if "panicked at" in line]

    @property
    def segments(self) -> Path:
        """The folder of the local backend."""
        return self.data / "segments"

    def objects(self) -> dict[str, int]:
        """The stored objects with their sizes, and whatever else is in the backend's folder but the store's marker."""
        found = {}
        for place, _, names in os.walk(self.segments):
            for name in names:
                path = Path(place) / name
                if name != "entente-store":
                    found[str(path.relative_to(self.segments))] = path.stat().st_size
        return found


def kill(process: subprocess.Popen) -> None:
    """SIGKILL to a process that was started here, and waits until it is gone."""
    if process.poll() is None:
        process.kill()
    process.wait()
