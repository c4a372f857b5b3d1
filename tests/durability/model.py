"""What the server has acknowledged, as a simple model: items with names, parents and versions."""

import random
from dataclasses import dataclass, field

from client import sha1_of

FILE, FOLDER = "file", "folder"


@dataclass(frozen=True)
class Content:
    """Bytes that can be made again: kept as a seed."""

    seed: int
    size: int
    sha1: str

    @staticmethod
    def make(seed: int, size: int) -> tuple["Content", bytes]:
        plain = random.Random(seed).randbytes(size)
        return Content(seed, size, sha1_of(plain)), plain

    def again(self) -> bytes:
        return random.Random(self.seed).randbytes(self.size)


@dataclass
class Version:
    id: str
    content: Content
    # What the file was called when this version was made.
    name: str
    is_removed: bool = False


@dataclass
class Item:
    id: str
    kind: str
    name: str
    parent: str
    is_trashed: bool = False
    # Of a file, the oldest first; the last is the current one.
    versions: list[Version] = field(default_factory=list)
    # Contents that it has or may have had: what a copy that is made meanwhile may show.
    tried: list[Content] = field(default_factory=list)

    @property
    def content(self) -> Content:
        return self.versions[-1].content


class Wrong(Exception):
    """The server shows something else than what it acknowledged."""


def expect(is_right: bool, what: str) -> None:
    if not is_right:
        raise Wrong(what)


class Model:
    """The items of one worker. Everything in it was acknowledged, or seen after the outcome was in doubt."""

    def __init__(self, top: Item):
        self.top = top.id
        self.items: dict[str, Item] = {top.id: top}
        self.purged: list[str] = []

    def add(self, item: Item) -> Item:
        self.items[item.id] = item
        return item

    def is_live(self, item: Item) -> bool:
        """Whether neither it nor a folder above it is in the trash."""
        while True:
            if item.is_trashed:
                return False
            above = self.items.get(item.parent)
            if above is None:
                return True
            item = above

    def live(self, kind: str) -> list[Item]:
        return [item for item in self.items.values() if item.kind == kind and self.is_live(item)]

    def trashed(self) -> list[Item]:
        """What is in the trash itself, not below something that is."""
        return [item for item in self.items.values() if item.is_trashed]

    def children(self, folder: str) -> list[Item]:
        return [item for item in self.items.values() if item.parent == folder and not item.is_trashed]

    def has_name(self, folder: str, name: str, other_than: Item) -> bool:
        """Whether another item of the folder has the name: copies of folders bring names that were there before."""
        return any(child.name == name and child is not other_than for child in self.children(folder))

    def below(self, folder: str) -> list[Item]:
        """Everything below a folder that goes where it goes. What was trashed before it, on its own, does not."""
        found, waiting = [], [folder]
        while waiting:
            for child in self.children(waiting.pop()):
                found.append(child)
                if child.kind == FOLDER:
                    waiting.append(child.id)
        return found

    def is_within(self, item: Item, folder: str) -> bool:
        while item is not None:
            if item.id == folder:
                return True
            item = self.items.get(item.parent)
        return False

    def forget(self, item: Item) -> None:
        """After a purge."""
        for gone in [*(self.below(item.id) if item.kind == FOLDER else []), item]:
            del self.items[gone.id]
            self.purged.append(gone.id)

    def shape(self, folder: str) -> dict:
        """The tree below a folder by names, as a copy of it must be."""
        return {
            child.name: self.shape(child.id) if child.kind == FOLDER else (child.content.sha1, child.content.size)
            for child in self.children(folder)
        }


def compare(item: Item, seen) -> None:
    """Checks an item as the server shows it against the model. Trashed ones have no parent to compare."""
    expect(seen.type == item.kind, f"{item.kind} {item.id} is a {seen.type}")
    expect(seen.id == item.id, f"{item.kind} {item.id} calls itself {seen.id}")
    expect(seen.name == item.name, f"{item.kind} {item.id} is called {seen.name!r} instead of {item.name!r}")
    if not item.is_trashed:
        # In listings the SDK knows folders only in short, and leaves what else was asked for as it came.
        parent = seen.parent["id"] if isinstance(seen.parent, dict) else seen.parent and seen.parent.id
        expect(parent == item.parent, f"{item.kind} {item.id} is in {parent} instead of {item.parent}")
    if item.kind == FILE:
        compare_content(item.id, item.versions[-1], seen.file_version.id, seen.sha_1, seen.size)


def compare_content(file: str, version: Version, shown: str, sha1: str, size: int) -> None:
    content = version.content
    expect(shown == version.id, f"file {file} has version {shown} instead of {version.id}")
    is_same = sha1 == content.sha1 and size == content.size
    expect(is_same, f"file {file} version {shown} is {sha1} ({size} bytes), not {content.sha1} ({content.size} bytes)")


def compare_older(item: Item, seen: list) -> None:
    """Checks the list of older versions, which the server shows with the newest first."""
    known = [version for version in item.versions[:-1] if not version.is_removed]
    shown = [version.id for version in reversed(seen)]
    expect(shown == [version.id for version in known], f"file {item.id} has the older versions {shown}")
    for version, row in zip(known, reversed(seen)):
        compare_content(item.id, version, row.id, row.sha_1, row.size)


def compare_bytes(item: Item, version: Version, got: bytes) -> None:
    content = version.content
    is_same = len(got) == content.size and sha1_of(got) == content.sha1
    expect(is_same, f"file {item.id} version {version.id}: {len(got)} bytes {sha1_of(got)} came back, "
                    f"not {content.size} bytes {content.sha1}")
