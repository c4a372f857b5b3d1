"""Checks everything that was acknowledged against a running server, and what a stopped one has left on disk."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from audit import audit, segments_known
from client import Client, Refused
from door_worker import DoorWorker, right
from model import FILE, FOLDER, Item, compare, compare_bytes, compare_older
from program import Program
from tally import Tally
from worker import Worker

THREADS = 6
CONTENTS_SAMPLED = 60
PURGED_SAMPLED = 30


class Checker:
    """Compares a running server with the models of all workers."""

    def __init__(self, url: str, token: str, workers: list[Worker], shared: str, tally: Tally):
        self.url, self.token = url, token
        self.workers, self.shared, self.tally = workers, shared, tally
        self.mine = threading.local()
        self.known: dict[str, Item] = {}
        self.alive: set[str] = set()
        for worker in workers:
            self.known.update(worker.model.items)
            self.alive.update(item.id for item in worker.model.items.values() if worker.model.is_live(item))

    def client(self) -> Client:
        if not hasattr(self.mine, "client"):
            self.mine.client = Client(self.url, self.token)
        return self.mine.client

    def everything(self, chooser: random.Random, all_contents: bool) -> int:
        """The whole tree, the trash, older versions, and contents: all of them or some. Returns how many contents."""
        with ThreadPoolExecutor(THREADS) as pool:
            tops = [worker.model.top for worker in self.workers]
            seen = set(tops)
            for found in pool.map(self.walk, [*tops, self.shared]):
                seen |= found
            missing = self.alive - seen
            self.tally.check("nothing is missing in the tree", not missing, [self.known[id] for id in list(missing)[:5]])
            self.check_trash()
            files = [item for item in self.known.values() if item.kind == FILE and item.id in self.alive]
            many = [item for item in files if len(item.versions) > 1]
            list(pool.map(lambda item: right(self.tally, "older versions", self.check_older, item), many))
            gone = [id for worker in self.workers for id in worker.model.purged]
            gone = chooser.sample(gone, min(len(gone), PURGED_SAMPLED))
            list(pool.map(lambda id: self.tally.check("what was purged is gone", self.is_gone(id), id), gone))
            contents = [(item, version) for item in files for version in item.versions if not version.is_removed]
            if not all_contents:
                contents = chooser.sample(contents, min(len(contents), CONTENTS_SAMPLED))
            list(pool.map(lambda one: right(self.tally, "content", self.check_content, *one), contents))
        return len(contents)

    def walk(self, top: str) -> set[str]:
        """Compares every item below a folder; returns their ids."""
        seen, waiting = set(), [top]
        while waiting:
            for row in self.client().items(waiting.pop()):
                seen.add(row.id)
                item = self.known.get(row.id)
                if not self.tally.check("nothing unknown is in the tree", item is not None, (row.type, row.id, row.name)):
                    continue
                if self.tally.check("nothing trashed is in the tree", row.id in self.alive, item):
                    right(self.tally, "item", compare, item, row)
                if row.type == FOLDER:
                    waiting.append(row.id)
        return seen

    def check_trash(self) -> None:
        trashed = {item.id: item for worker in self.workers for item in worker.model.trashed()}
        shown = {row.id: row for row in self.client().trash()}
        self.tally.check("nothing is missing in the trash", not trashed.keys() - shown.keys(), trashed.keys() - shown.keys())
        self.tally.check("nothing unknown is in the trash", not shown.keys() - trashed.keys(), shown.keys() - trashed.keys())
        for id in trashed.keys() & shown.keys():
            right(self.tally, "item in the trash", compare, trashed[id], shown[id])

    def check_older(self, item: Item) -> None:
        compare_older(item, self.client().older_versions(item.id))

    def check_content(self, item: Item, version) -> None:
        asked = None if version is item.versions[-1] else version.id
        compare_bytes(item, version, self.client().download(item.id, asked))

    def is_gone(self, id: str) -> bool:
        client = self.client()
        for look in (client.file, client.folder, client.trashed_file, client.trashed_folder):
            try:
                look(id)
            except Refused as error:
                if error.status == 404:
                    continue
            return False
        return True


def check_doors(workers: list[DoorWorker], tally: Tally, chooser: random.Random, all_contents: bool) -> int:
    """What was done through S3 and WebDAV, through every door. Returns how many contents were downloaded."""
    with ThreadPoolExecutor(THREADS) as pool:
        # Each with choices of its own: threads would share them in no order.
        seeds = [random.Random(chooser.getrandbits(64)) for _ in workers]
        return sum(pool.map(lambda worker, seed: worker.check_all(tally, seed, all_contents), workers, seeds))


def check_stopped(program: Program, tally: Tally, audits: bool = True) -> dict:
    """Verifies, collects, verifies again, and counts what is left on disk. Returns what the verbs reported."""
    if audits:
        audit(program.data, tally)
    before = program.run("verify", "--json")
    tally.check("verify ends with 0", before.status == 0, f"{before.status} {before.said} {before.complained}")
    objects_before = program.objects()
    collected = program.run("collect", "--grace", "0s", "--json")
    tally.check("collect ends with 0", collected.status == 0, f"{collected.status} {collected.said} {collected.complained}")
    after = program.run("verify", "--json")
    tally.check("verify after collect ends with 0", after.status == 0, f"{after.status} {after.said} {after.complained}")
    status = program.run("status", "--json")
    tally.check("status ends with 0", status.status == 0, f"{status.status} {status.complained}")
    if any(ran.status != 0 for ran in (before, collected, after, status)):
        return {}
    report = {"verify": before.json(), "collect": collected.json(), "after": after.json(), "status": status.json()}
    tally.check("verify finds no damage", before.json()["damaged"] == 0, before.said)
    left = after.json()
    for count in ("damaged", "orphans", "reserved_segments"):
        tally.check(f"after collect there are no {count}", left[count] == 0, after.said)
    objects = program.objects()
    known = segments_known(program.data)
    stored = {name.split("/")[-1]: size for name, size in objects.items()}
    tally.check("the objects on disk are the live segments", stored == known,
                f"{len(stored)} objects, {len(known)} segments, of which differ {set(stored.items()) ^ set(known.items())}")
    tally.check("verify counts the objects on disk", left["objects"] == len(objects), f"{left} {len(objects)}")
    tally.check("verify counts the live segments", left["segments"] == len(known), f"{left} {len(known)}")
    report["objects"] = {"before": len(objects_before), "after": len(objects)}
    report["bytes"] = {"before": sum(objects_before.values()), "after": sum(objects.values())}
    return report
