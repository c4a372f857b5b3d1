"""Kills the real server again and again while real clients work, and proves that nothing acknowledged is lost.

    kill.py --program target/debug/entente --folder target/durability [--rounds 200] [--seed WORDS] [--disk MOUNTED]

One data directory is kept through all rounds. Each round starts the server, lets several clients of Box, S3 and WebDAV
work at random, and ends with SIGKILL at a random moment. What was acknowledged is kept in a model; what was under way is
in doubt and must turn out to be in the old state or the new one, whole. Now and then everything is compared, the server
is stopped with SIGTERM, and what is on disk is verified, collected and counted.

A killed process leaves what it wrote in the system's page cache. With --disk the power goes: the file system loses
whatever was not made durable, too.

Exit status: 0 all checks passed, 1 some failed, 2 the test itself could not be run.
"""

import argparse
import json
import random
import shutil
import sys
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from across import Doors
from check import Checker, check_doors, check_stopped
from client import Answered, Client, NoAnswer, sha1_of
from dav_client import Dav
from dav_worker import DavWorker
from door_worker import DoorWorker
from model import FOLDER, Item, Model, Wrong
from power import PowerCuts
from program import Broken, Program, kill
from s3_client import S3
from s3_worker import SHARED, S3Worker
from steps import Steps
from tally import Tally
from worker import Worker

FIRST_STARTS = 10
ROUNDS_BETWEEN_CHECKS = 20
WORK_SECONDS = (0.1, 0.8)
START_SECONDS = (0.0, 0.25)
LOOKS_PER_WORKER = 6
# Besides the listings, which are compared as a whole.
LOOKS_PER_DOOR_WORKER = 3
# Whose files come through S3 and WebDAV: the trash of the Box clients is theirs alone.
LOGIN = "doors@entente.local"
# Of the one S3 client that all threads share: a worker sends three parts at a time.
S3_CONNECTIONS = 32


class Stop(Exception):
    """Something is wrong: the state is left as it is, to be looked at."""


class KillTest:
    """The driver: one data directory, several workers, many rounds."""

    def __init__(self, program: Program, seed: str, workers: int, of_other_doors: int, tally: Tally):
        self.program, self.seed, self.tally = program, seed, tally
        self.random = random.Random(f"{seed}/driver")
        self.count = workers
        # As many that speak S3, and as many that speak WebDAV.
        self.count_of_other_doors = of_other_doors
        self.workers: list[Worker] = []
        self.door_workers: list[DoorWorker] = []
        self.dying = threading.Event()
        self.token = self.door_token = ""
        self.key = ("", "")
        self.base = self.shared = ""
        self.kills: Counter[str] = Counter()
        self.looked_again = 0
        self.garbage: Counter[str] = Counter()
        self.ready_seconds: list[float] = []
        self.last: dict = {}
        self.contents_compared = 0

    def client(self) -> Client:
        return Client(self.program.url, self.token)

    @property
    def everybody(self) -> list[Steps]:
        return [*self.workers, *self.door_workers]

    def s3(self) -> S3:
        return S3(self.program.s3_url, self.key, S3_CONNECTIONS)

    def start(self) -> None:
        self.ready_seconds.append(self.program.start())

    def set_up(self) -> None:
        self.start()
        self.token = self.program.token()
        client = self.client()
        self.base = client.make_folder("0", "kill test").id
        self.shared = client.make_folder(self.base, "shared").id
        for number in range(self.count):
            name = f"worker {number}"
            top = Item(client.make_folder(self.base, name).id, FOLDER, name, self.base)
            self.workers.append(Worker(number, self.seed, Model(top), self.shared, self.workers, self.dying))
        self.set_up_doors()
        self.program.stop()

    def set_up_doors(self) -> None:
        self.program.new_user(LOGIN)
        self.door_token, self.key = self.program.token(LOGIN), self.program.access_key(LOGIN)
        s3, dav = self.s3(), Dav(self.program.url, self.door_token)
        s3.make_bucket(SHARED, is_versioned=False)
        fighters: list[S3Worker] = []
        for number in range(self.count, self.count + self.count_of_other_doors):
            fighters.append(S3Worker(number, self.seed, fighters, self.dying))
            fighters[-1].set_up(s3)
        self.door_workers += fighters
        for number in range(self.count + len(fighters), self.count + 2 * len(fighters)):
            worker = DavWorker(number, self.seed, self.dying)
            worker.set_up(dav)
            self.door_workers.append(worker)

    # --- rounds ---

    def round(self) -> None:
        """Ends with the server killed while clients work."""
        if self.random.random() < 0.12:
            self.kill_while_starting()
        if self.random.random() < 0.12:
            self.kill_upkeep_alone()
        self.start()
        self.settle()
        beside = None
        if self.random.random() < 0.2:
            beside = self.program.spawn(*self.upkeep())
        until = threading.Event()
        with ThreadPoolExecutor(len(self.everybody)) as pool:
            work = [pool.submit(worker.work, until) for worker in self.everybody]
            began = time.monotonic()
            seconds = self.random.uniform(*WORK_SECONDS)
            while time.monotonic() - began < seconds and not any(task.done() for task in work):
                time.sleep(0.005)
            self.tally.check("the server runs until it is killed", self.program.is_running(), "see its log")
            self.dying.set()
            if beside is not None and self.random.random() < 0.5 and self.program.power is None:
                kill(beside)
            self.program.kill(*([beside] if beside else []))
            self.kills["server, at work"] += 1
            self.kills["upkeep beside a server"] += beside is not None
            until.set()
        self.dying.clear()
        for worker, task in zip(self.everybody, work):
            self.check_task(f"work of worker {worker.number}", task)

    def kill_while_starting(self) -> None:
        self.program.begin()
        time.sleep(self.random.uniform(*START_SECONDS))
        self.program.kill()
        self.kills["server, starting"] += 1

    def kill_upkeep_alone(self) -> None:
        """Upkeep of a store on which no server runs may take away garbage at once."""
        words = self.upkeep()
        process = self.program.spawn(*words)
        time.sleep(self.random.uniform(0.01, 0.25))
        self.program.kill(process)
        self.kills[f"{words[0]} alone"] += 1

    def upkeep(self) -> tuple[str, ...]:
        if self.random.random() < 0.5:
            return ("collect", "--grace", "0s")
        return ("repack", "--age", "0s", "--live-share", "0.9")

    def settle(self) -> None:
        """Finds out what became of what was in doubt, and looks again at some of what was acknowledged last."""

        s3 = self.s3()

        def settle(worker: Worker | DoorWorker) -> int:
            if isinstance(worker, DoorWorker):
                url = self.program.url
                worker.settle(Doors(Client(url, self.door_token), s3, Dav(url, self.door_token)))
                return worker.look_again(LOOKS_PER_DOOR_WORKER, self.program.killed_at)
            worker.settle(self.client())
            return worker.look_again(LOOKS_PER_WORKER, self.program.killed_at)

        with ThreadPoolExecutor(len(self.everybody)) as pool:
            tasks = [pool.submit(settle, worker) for worker in self.everybody]
        for worker, task in zip(self.everybody, tasks):
            self.check_task(f"settling of worker {worker.number}", task)
            self.looked_again += 0 if task.exception() else task.result()

    def check_task(self, name: str, task) -> None:
        error = task.exception()
        if error is None:
            self.tally.check(name.split(" of ")[0], True)
            return
        if isinstance(error, (Wrong, Answered, NoAnswer)):
            where = traceback.extract_tb(error.__traceback__)
            detail = f"{type(error).__name__}: {error} (in {where[-3].name if len(where) > 2 else where[-1].name})"
        else:
            detail = "".join(traceback.format_exception(error))
        self.tally.check(name, False, detail)

    # --- everything ---

    def check(self, is_last: bool = False) -> None:
        """Compares everything, stops the server, and looks at what is on disk."""
        self.start()
        self.settle()
        self.stop_if_wrong()
        if is_last:
            self.restore_all()
        checker = Checker(self.program.url, self.token, self.workers, self.shared, self.tally)
        self.contents_compared += checker.everything(self.random, is_last)
        self.contents_compared += check_doors(self.door_workers, self.tally, self.random, is_last)
        self.token, self.door_token = self.program.token(), self.program.token(LOGIN)
        self.program.stop()
        self.last = check_stopped(self.program, self.tally)
        collected = self.last.get("collect", {})
        self.garbage.update({name: count for name, count in collected.items() if isinstance(count, int)})
        panics = self.program.panics()
        self.tally.check("nothing panicked", not panics, panics[:3])
        self.stop_if_wrong()

    def restore_all(self) -> None:
        """So that everything that is left can be downloaded."""
        for worker in self.workers:
            for _ in range(3 * len(worker.model.trashed())):
                worker.restore()

    def stop_if_wrong(self) -> None:
        if self.tally.failed:
            raise Stop

    def run(self, rounds: int) -> None:
        began = time.monotonic()
        self.set_up()
        for number in range(1, rounds + 1):
            self.round()
            self.stop_if_wrong()
            if number % ROUNDS_BETWEEN_CHECKS == 0 or number == rounds:
                self.check(is_last=number == rounds)
                acknowledged = sum(self.totals("done").values())
                seconds = time.monotonic() - began
                print(f"  round {number}: {acknowledged} operations acknowledged, "
                      f"{sum(self.totals('doubted').values())} in doubt, {seconds:.0f} s", flush=True)

    def totals(self, name: str) -> Counter:
        return sum((getattr(worker, name) for worker in self.everybody), Counter())

    def report(self) -> dict:
        waits = sorted(self.ready_seconds)
        items = [item for worker in self.workers for item in worker.model.items.values()]
        return {
            "seed": self.seed,
            "workers": {"Box": self.count, "S3": self.count_of_other_doors, "WebDAV": self.count_of_other_doors},
            "kills": dict(self.kills),
            "acknowledged": dict(sorted(self.totals("done").items())),
            "in_doubt": dict(sorted(self.totals("doubted").items())),
            "turned_out": dict(sorted(self.totals("settled").items())),
            "bytes_uploaded": sum(worker.bytes_up for worker in self.everybody),
            "bytes_read_back_at_work": sum(worker.bytes_down for worker in self.everybody),
            "items_left": len(items),
            "items_purged": sum(len(worker.model.purged) for worker in self.workers),
            "looked_at_again_after_a_kill": self.looked_again,
            "contents_compared": self.contents_compared,
            "start_seconds": {"median": waits[len(waits) // 2], "most": waits[-1]} if waits else None,
            "collected": {name: self.garbage[name] for name in ("segments", "segment_bytes", "orphans", "orphan_bytes")},
            "last_verify": self.last.get("after"),
            "objects": self.last.get("objects"),
        }


def first_starts(program: Path, folder: Path, log: Path, power: PowerCuts | None, seed: str, tally: Tally) -> int:
    """A server that is killed while it makes its data directory leaves one that the next start can use."""
    chooser = random.Random(f"{seed}/first starts")
    killed = 0
    print(f"  first starts: {FIRST_STARTS}", flush=True)
    for number in range(FIRST_STARTS):
        one = Program(program, folder / f"first-{number}", log, power)
        try:
            for _ in range(chooser.randint(1, 3)):
                one.begin()
                time.sleep(chooser.uniform(0, 0.2))
                one.kill()
                killed += 1
            one.start()
            client = Client(one.url, one.token())
            content = chooser.randbytes(5000)
            file = client.upload("0", "first", content)
            tally.check("a first start", sha1_of(client.download(file.id)) == file.sha_1 == sha1_of(content), number)
            one.stop()
            check_stopped(one, tally)
        except (Broken, Answered, NoAnswer) as error:
            tally.check("a first start", False, f"start {number}: {error}")
        finally:
            one.end()
        if not tally.failed:
            shutil.rmtree(one.data)
    return killed


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--program", type=Path, required=True, help="the entente program")
    words.add_argument("--rounds", type=int, default=200, help="rounds that end with SIGKILL at work (default 200)")
    words.add_argument("--seed", default="", help="of the choices and moments; drawn and printed if not given")
    words.add_argument("--workers", type=int, default=8, help="client threads that speak Box (default 8)")
    words.add_argument("--of-other-doors", type=int, default=2,
                       help="client threads that speak S3, and as many again that speak WebDAV (default 2)")
    words.add_argument("--folder", type=Path, required=True, help="where data, log and report go; its data is removed")
    words.add_argument("--disk", type=Path, help="a mounted ext4 of its own for the data: then each kill is a power cut")
    words.add_argument("--keep", action="store_true", help="keep the data directory even if all is well")
    said = words.parse_args()
    seed = said.seed or str(random.SystemRandom().randrange(10**9))
    said.folder.mkdir(parents=True, exist_ok=True)
    word = "kill" if said.disk is None else "power-cut"
    power = None if said.disk is None else PowerCuts(said.disk)
    place, log = said.disk or said.folder, said.folder / f"{word}-server.log"
    data = place / "data"
    for old in [data, *place.glob("first-*")]:
        shutil.rmtree(old, ignore_errors=True)
    log.unlink(missing_ok=True)

    print(f"{word} test: {said.rounds} rounds, {said.workers} workers for Box, "
          f"{said.of_other_doors} each for S3 and WebDAV, seed {seed}", flush=True)
    began, tally = time.monotonic(), Tally()
    program = Program(said.program, data, log, power)
    test = KillTest(program, seed, said.workers, said.of_other_doors, tally)
    try:
        test.kills["server, at its first start"] = first_starts(said.program, place, log, power, seed, tally)
        test.stop_if_wrong()
        test.run(said.rounds)
    except Stop:
        pass
    except (Broken, Answered, NoAnswer, Wrong) as error:
        tally.check("the test went to its end", False, f"{type(error).__name__}: {error}")
    finally:
        program.end()

    report = {"passed": tally.passed, "failed": tally.failed, "failures": tally.failures,
              "seconds": round(time.monotonic() - began, 1), "rounds_wanted": said.rounds, **test.report(),
              "checks": dict(sorted(tally.checks.items()))}
    written = said.folder / f"{word}-report.json"
    written.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    print_report(report)
    if tally.failed:
        if said.disk is not None:
            # The disk goes with its mount.
            kept = said.folder / "power-cut-data"
            shutil.rmtree(kept, ignore_errors=True)
            data = shutil.copytree(data, kept) if data.exists() else data
        print(f"kept for a look: {data}, {log}; again with --seed {seed} (moments differ a little between runs)")
    elif not said.keep:
        shutil.rmtree(data, ignore_errors=True)
    print(f"written: {written}")
    print(tally.summary(), flush=True)
    return 1 if tally.failed else 0


def print_report(report: dict) -> None:
    def line(name: str, value: object) -> None:
        print(f"  {name:<28}{value}")

    def counts(values: dict) -> str:
        return ", ".join(f"{name} {count}" for name, count in values.items() if count) or "none"

    line("took", f"{report['seconds']} s")
    line("kills", counts(report["kills"]))
    line("acknowledged", f"{sum(report['acknowledged'].values())}: {counts(report['acknowledged'])}")
    line("in doubt", f"{sum(report['in_doubt'].values())}: {counts(report['in_doubt'])}")
    line("turned out", counts(report["turned_out"]))
    line("uploaded", f"{report['bytes_uploaded'] / 2**20:.0f} MiB")
    line("looked at after a kill", report["looked_at_again_after_a_kill"])
    line("contents compared", report["contents_compared"])
    line("items left, purged", f"{report['items_left']}, {report['items_purged']}")
    line("garbage collected", counts(report["collected"]))
    line("from start to ready", report["start_seconds"])


if __name__ == "__main__":
    sys.exit(main())
