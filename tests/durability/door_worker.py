"""What the client threads of the S3 and WebDAV doors have in common: how they are looked at after a restart."""

import random
import threading
import time
from typing import Iterator

from across import DOORS, Doors, compare_across, compare_content_across
from client import Answered, NoAnswer
from model import Content, Wrong
from steps import Steps
from tally import Tally

# Box has no listing of all that is below a folder: it is asked folder by folder, and so less often.
BOX_SHARE = 0.1
# How often a whole folder is compared through another door. One content is after each restart.
ACROSS_SHARE = 0.5
CONTENTS_SAMPLED = 10


class DoorWorker(Steps):
    """Works through one door. What it did is looked at through that one and through another."""

    door = ""

    def __init__(self, number: int, seed: str, dying: threading.Event):
        super().__init__(number, seed, dying)
        self.doors: Doors | None = None
        # What was acknowledged since the last start, and when: folders at the user's root, with paths below them.
        self.fresh: dict[tuple[str, str], float] = {}

    # --- what a door's worker says ---

    def tops(self) -> list[str]:
        """Its folders at the user's root."""
        raise NotImplementedError

    def known(self, top: str, door: str) -> tuple[dict[str, Content], set[str]]:
        """The files that a door must show below a folder, with what is in them, and the folders."""
        raise NotImplementedError

    def compare_top(self, top: str) -> None:
        """Everything in a folder, as its own door lists it, against the model."""
        raise NotImplementedError

    def compare_one(self, top: str, path: str) -> None:
        """One that was acknowledged: what is in it, and what is known of it besides."""
        raise NotImplementedError

    def checks(self) -> Iterator[tuple[str, object]]:
        """Further checks when everything is compared, by their names."""
        return iter(())

    def contents(self) -> list[tuple]:
        """Everything that can be downloaded, each as `check_content` wants it."""
        raise NotImplementedError

    def check_content(self, *which) -> None:
        raise NotImplementedError

    # --- after each restart ---

    def settle(self, doors: Doors) -> None:
        self.doors = doors
        self.settle_doubt()

    def look_again(self, most: int, killed_at: float) -> int:
        """Compares all listings through its own door, and contents acknowledged last through its own and another."""
        for top in self.tops():
            self.compare_top(top)
        wanted, self.fresh = self.fresh, {}
        # Among them always the last, which had the least time to become durable.
        chosen = self.random.sample(sorted(wanted), min(most, len(wanted)))
        for one in {*chosen, *sorted(wanted, key=wanted.get)[-1:]}:
            try:
                self.compare_one(*one)
            except (Wrong, Answered) as error:
                raise Wrong(f"acknowledged {(killed_at - wanted[one]) * 1000:.1f} ms before the kill: {error}") from None
        return len(chosen) + self.look_across(wanted)

    def look_across(self, wanted: dict[tuple[str, str], float]) -> int:
        others = [door for door in DOORS if door != self.door]
        top, door = self.random.choice(self.tops()), self.random.choice(others)
        if door == "Box" and self.random.random() > BOX_SHARE:
            door = others[-1] if others[-1] != "Box" else others[0]
        files, folders = self.known(top, door)
        if self.random.random() < ACROSS_SHARE:
            compare_across(self.doors, door, top, files, folders)
        fresh = sorted(path for folder, path in wanted if folder == top and path in files)
        if not fresh:
            return 0
        path, door = self.random.choice(fresh), self.random.choice(others)
        compare_content_across(self.doors, door, top, path, files[path])
        return 1

    # --- everything ---

    def check_all(self, tally: Tally, chooser: random.Random, all_contents: bool) -> int:
        """Compares everything through every door. Returns how many contents were downloaded."""
        for top in self.tops():
            right(tally, f"{self.door}: the whole listing", self.compare_top, top)
            for door in DOORS:
                known = self.known(top, door)
                right(tally, f"{self.door}, looked at through {door}", compare_across, self.doors, door, top, *known)
        for name, check in self.checks():
            right(tally, f"{self.door}: {name}", check)
        contents = self.contents()
        if not all_contents:
            contents = chooser.sample(contents, min(len(contents), CONTENTS_SAMPLED))
        for which in contents:
            right(tally, f"{self.door}: content", self.check_content, *which)
        return len(contents)

    def note(self, top: str, path: str) -> None:
        self.fresh[top, path] = time.monotonic()


def right(tally: Tally, name: str, check, *arguments) -> None:
    """Counts a check that raises when something is not right."""
    try:
        check(*arguments)
    except (Wrong, Answered, NoAnswer) as error:
        tally.check(name, False, error)
    else:
        tally.check(name, True)
