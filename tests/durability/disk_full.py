"""Fills the disk under a real server, and looks at what it says, what it keeps, and whether it recovers.

    disk_full.py --program target/debug/entente --folder FOLDER --filesystem tmpfs|ext4 [--size 64] [--seed WORDS]

FOLDER is on a file system of its own that is small; scripts/disk-full-test.sh makes one in a mount namespace.
Exit status: 0 all checks passed, 1 some failed.
"""

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from check import check_stopped
from client import Answered, Client, NoAnswer, sha1_of
from program import Broken, Program
from tally import Tally

KIB, MIB = 1024, 1024 * 1024
THREADS = 4
REFUSALS_ENOUGH = 8
SECONDS_PER_ANSWER_MAX = 20
# What a client is told: not a status that makes it wait for long, and a body that says what is the matter.
FULL = (507, "insufficient_storage")


class DiskFull:
    def __init__(self, program: Program, seed: str, tally: Tally):
        self.program, self.tally = program, tally
        self.random = random.Random(seed)
        self.token = ""
        # What was acknowledged: ids with names and SHA-1s.
        self.kept: dict[str, tuple[str, str]] = {}
        self.answers: Counter[str] = Counter()
        self.slowest_seconds = 0.0
        self.numbers = 0

    def client(self) -> Client:
        return Client(self.program.url, self.token, seconds_max=60)

    def free_bytes(self) -> int:
        room = os.statvfs(self.program.data)
        return room.f_bavail * room.f_frsize

    # --- steps ---

    def upload(self, client: Client, size: int, seed: int) -> bool:
        """`True` when it was acknowledged, `False` when it was refused as it should be."""
        plain = random.Random(seed).randbytes(size)
        self.numbers += 1
        name = f"file {seed}"
        began = time.monotonic()
        try:
            file = client.upload("0", name, plain)
        except Answered as error:
            self.note_refusal("upload", error, began)
            return False
        except NoAnswer as error:
            self.tally.check("a full disk gets an answer", False, error)
            return False
        self.kept[file.id] = (name, sha1_of(plain))
        return self.tally.check("an upload is acknowledged as it was sent", file.sha_1 == sha1_of(plain), file.id)

    def note_refusal(self, what: str, error: Answered, began: float) -> None:
        seconds = time.monotonic() - began
        self.slowest_seconds = max(self.slowest_seconds, seconds)
        self.answers[f"{what}: {error.status} {error.code}"] += 1
        is_clear = (error.status, error.code) == FULL and error.body.get("type") == "error" and error.body.get("message")
        self.tally.check("a full disk is refused clearly", bool(is_clear), error)
        self.tally.check("a refusal comes at once", seconds < SECONDS_PER_ANSWER_MAX, f"{seconds:.1f} s")

    def fill(self, sizes: tuple[int, ...]) -> None:
        """Uploads from several threads until each was refused several times in a row."""

        def work(seed: int) -> int:
            client, chooser, refused, acknowledged = self.client(), random.Random(seed), 0, 0
            while refused < REFUSALS_ENOUGH and acknowledged < 3000:
                if self.upload(client, chooser.choice(sizes), chooser.getrandbits(60)):
                    acknowledged, refused = acknowledged + 1, 0
                else:
                    refused += 1
            return refused

        with ThreadPoolExecutor(THREADS) as pool:
            refused = list(pool.map(work, [self.random.getrandbits(60) for _ in range(THREADS)]))
        self.tally.check("the disk was filled", all(one >= REFUSALS_ENOUGH for one in refused), refused)
        self.tally.check("the server still runs", self.program.is_running(), "see its log")

    def read_all(self, when: str) -> None:
        client = self.client()

        def is_right(one) -> bool:
            (id, (_, sha1)) = one
            try:
                return sha1_of(client.download(id)) == sha1
            except (Answered, NoAnswer) as error:
                self.tally.check(f"reading {when}", False, error)
                return False

        with ThreadPoolExecutor(THREADS) as pool:
            rights = list(pool.map(is_right, list(self.kept.items())))
        wrong = f"{rights.count(False)} of {len(rights)} do not"
        self.tally.check(f"everything acknowledged reads back {when}", all(rights), wrong)
        try:
            shown = {row.id: (row.name, row.sha_1) for row in client.items("0")}
            self.tally.check(f"the listing is what was acknowledged {when}", shown == self.kept,
                             f"{shown.keys() ^ self.kept.keys()}")
        except (Answered, NoAnswer) as error:
            self.tally.check(f"the listing is what was acknowledged {when}", False, error)

    def upload_in_parts(self) -> None:
        """A session that finds no room keeps what it has, and says so."""
        client, size = self.client(), 20 * MIB
        plain, began = random.Random(1).randbytes(size), time.monotonic()
        try:
            session = client.begin_session("0", "in parts", size)
            for offset in range(0, size, session.part_size):
                began = time.monotonic()
                client.send_part(session.id, offset, plain[offset : offset + session.part_size], size)
            self.tally.check("the disk is full for parts", False, "all parts were taken")
        except Answered as error:
            self.note_refusal("part", error, began)
        except NoAnswer as error:
            self.tally.check("a full disk gets an answer", False, error)

    def restart(self, when: str, how: str) -> bool:
        try:
            if how == "SIGTERM":
                self.program.stop()
            else:
                self.program.kill()
            seconds = self.program.start()
        except Broken as error:
            return self.tally.check(f"a restart after {how} {when}", False, error)
        return self.tally.check(f"a restart after {how} {when}", True, seconds)

    def remove_half(self) -> int:
        """Trashes and purges; returns how often that was refused."""
        client, refused = self.client(), 0
        for id in self.random.sample(sorted(self.kept), len(self.kept) // 2):
            began = time.monotonic()
            try:
                client.trash_file(id)
                del self.kept[id]
                client.purge_file(id)
            except Answered as error:
                refused += 1
                self.note_refusal("purge", error, began)
                if refused > 3:
                    break
            except NoAnswer as error:
                self.tally.check("a full disk gets an answer", False, error)
                refused += 1
                break
        return refused

    def take_every_byte(self) -> None:
        """Something else on the disk takes what is left: reading goes on, and all else works or is refused clearly."""
        ballast = self.ballast()
        print(f"  with ballast: {self.free_bytes()} bytes free", flush=True)
        self.upload(self.client(), 50 * KIB, self.random.getrandbits(60))
        self.read_all("with no byte free")
        self.remove_one()
        for how in ("SIGKILL", "SIGTERM"):
            self.program.kill() if how == "SIGKILL" else self.program.stop()
            try:
                self.program.start()
            except Broken as error:
                says_why = "No space left" in str(error) or "is full" in str(error)
                self.tally.check("a start with no byte free works or is refused clearly", says_why, error)
                print(f"  with no byte free, a start after {how} was refused", flush=True)
                ballast.unlink()
                self.program.start()
                ballast = self.ballast()
            else:
                self.tally.check("a start with no byte free works or is refused clearly", True)
                self.read_all(f"with no byte free, after {how}")
        ballast.unlink()

    def remove_one(self) -> None:
        client, id, began = self.client(), min(self.kept), time.monotonic()
        try:
            client.trash_file(id)
            del self.kept[id]
            client.purge_file(id)
        except Answered as error:
            self.note_refusal("purge with no byte free", error, began)

    def ballast(self) -> Path:
        """Takes every byte that is left."""
        path = self.program.data.parent / "ballast"
        with open(path, "wb", buffering=0) as file:
            for size in (MIB, 4 * KIB, 512, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass
        return path

    # --- the story ---

    def run(self) -> None:
        self.program.start()
        self.token = self.program.token()
        self.fill((4 * KIB, 100 * KIB, 300 * KIB, MIB))
        self.fill((1, 1000))
        print(f"  full: {len(self.kept)} files acknowledged, {self.free_bytes() // KIB} KiB free", flush=True)
        self.upload_in_parts()
        self.read_all("while the disk is full")
        verified = self.program.run("verify", "--json")
        self.tally.check("verify beside the server while the disk is full", verified.status == 0, verified)
        if self.restart("while the disk is full", "SIGTERM"):
            self.read_all("after a restart")
        if self.restart("while the disk is full", "SIGKILL"):
            self.read_all("after a kill")

        self.take_every_byte()
        self.tally.check("purging works on a full disk", self.remove_half() == 0, "some were refused")

        self.program.stop()
        report = check_stopped(self.program, self.tally)
        print(f"  collected: {report.get('collect')}, {self.free_bytes() // KIB} KiB free", flush=True)
        self.program.start()
        client = self.client()
        worked = [self.upload(client, size, self.random.getrandbits(60)) for size in (1, 4 * KIB, 300 * KIB, MIB)]
        self.tally.check("uploads work again once there is room", all(worked), worked)
        self.read_all("once there is room")
        self.program.stop()
        check_stopped(self.program, self.tally)
        panics = self.program.panics()
        self.tally.check("nothing panicked", not panics, panics[:3])


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--program", type=Path, required=True)
    words.add_argument("--folder", type=Path, required=True, help="on a small file system of its own")
    words.add_argument("--log", type=Path, required=True, help="where the server's log goes: on another file system")
    words.add_argument("--seed", default="")
    said = words.parse_args()
    seed = said.seed or str(random.SystemRandom().randrange(10**9))
    room = os.statvfs(said.folder)
    print(f"disk-full test: {room.f_blocks * room.f_frsize // MIB} MiB, seed {seed}", flush=True)
    tally = Tally()
    program = Program(said.program, said.folder / "data", said.log)
    test = DiskFull(program, seed, tally)
    try:
        test.run()
    except (Broken, Answered, NoAnswer) as error:
        tally.check("the test went to its end", False, f"{type(error).__name__}: {error}")
    finally:
        program.end()
    print(f"  refusals: {dict(test.answers)}, the slowest after {test.slowest_seconds:.2f} s")
    print(f"  checks: {json.dumps(dict(sorted(tally.checks.items())))}")
    print(tally.summary(), flush=True)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
