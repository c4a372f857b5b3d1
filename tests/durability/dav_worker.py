"""A client thread that speaks WebDAV in a collection of its own, and holds a lock now and then."""

import copy
import threading
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Iterator

from client import Refused, sha1_of
from dav_client import PROPERTIES, Dav, Resource
from door_worker import DoorWorker
from model import Content, Wrong, expect

KIB = 1024
# A worker with more files than this rather removes than adds.
FILES_MANY = 50
COPIED_MOST = 30
DEPTH_MOST = 4


@dataclass
class Node:
    """A file or a collection. Collections have paths that end with a slash."""

    # None: a collection.
    content: Content | None
    # Empty: not known; it changes with whatever changes the file.
    etag: str = ""
    # Seconds since 1970, as the client said; None if it did not.
    modified: int | None = None
    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class Tree:
    """What is in a collection, by paths, and the path and token of the one lock that is held."""

    nodes: dict[str, Node] = field(default_factory=dict)
    locked: str = ""
    # Empty while a path is locked: not known yet.
    token: str = ""

    def files(self) -> list[str]:
        return [path for path, node in self.nodes.items() if node.content is not None]

    def collections(self) -> list[str]:
        return [path for path, node in self.nodes.items() if node.content is None]

    def below(self, path: str) -> list[str]:
        """It, and all that goes where it goes."""
        return [one for one in self.nodes if one == path or path.endswith("/") and one.startswith(path)]

    def is_free(self, path: str) -> bool:
        return not self.locked or self.locked not in self.below(path)

    def remove(self, path: str) -> None:
        for gone in self.below(path):
            del self.nodes[gone]

    def move(self, path: str, to: str) -> None:
        moved = {to + one.removeprefix(path): self.nodes[one] for one in self.below(path)}
        self.remove(path)
        self.remove(to)
        for node in moved.values():
            node.etag = ""
        self.nodes.update(moved)

    def copy(self, path: str, to: str) -> None:
        """Properties go along; whether times do is for the server to say."""
        copied = {to + one.removeprefix(path): copy.deepcopy(self.nodes[one]) for one in self.below(path)}
        self.remove(to)
        for node in copied.values():
            node.etag, node.modified = "", None
        self.nodes.update(copied)


def compare_tree(top: str, tree: Tree, seen: dict[str, Resource]) -> None:
    """Checks what PROPFIND shows against the model, and learns the token of a lock that was not told."""
    differ = sorted(seen.keys() ^ tree.nodes.keys())[:5]
    expect(not differ, f"collection {top} has not the members that it should have: {differ}")
    for path, node in tree.nodes.items():
        shown, what = seen[path], f"{top}/{path} is {seen[path]} instead of {node}"
        expect(shown.is_collection == (node.content is None) and shown.properties == node.properties, what)
        if node.content is not None:
            expect((shown.size, shown.sha1) == (node.content.size, node.content.sha1), what)
            expect(node.etag in ("", shown.etag), what)
            expect(node.modified is None or shown.modified == formatdate(node.modified, usegmt=True), what)
        if path == tree.locked:
            expect(shown.lock != "" and tree.token in ("", shown.lock), f"{what}: the lock {tree.token} is not held")
        else:
            expect(shown.lock == "", f"{what}: locked by {shown.lock}")
    if tree.locked:
        tree.token = seen[tree.locked].lock


class DavWorker(DoorWorker):
    """Has one collection of its own, which is called like a bucket so that S3 shows it too."""

    door = "WebDAV"

    def __init__(self, number: int, seed: str, dying: threading.Event):
        super().__init__(number, seed, dying)
        self.top = f"kill-dav-{number}"
        self.tree = Tree()

    def set_up(self, dav: Dav) -> None:
        dav.make_collection(f"{self.top}/")

    @property
    def dav(self) -> Dav:
        return self.doors.dav

    def at(self, path: str) -> str:
        return f"{self.top}/{path}"

    def step(self) -> None:
        if self.tree.locked and self.random.random() < 0.25:
            self.go_on_with_lock()
            return
        less, more = (0.3, 4) if len(self.tree.files()) > FILES_MANY else (1, 1)
        self.one_of({
            self.put_new: 24 * less,
            self.put_over: 10,
            self.put_large: 0.5 * less,
            self.make_collection: 5 * less,
            self.move: 12,
            self.copy: 7 * less,
            self.delete_file: 7 * more,
            self.delete_collection: 1 * more,
            self.set_property: 7,
            self.read: 8,
            self.cut_off: 2,
            self.lock: 0 if self.tree.locked else 3,
        })

    # --- what is in doubt is the whole tree: as it was, or as it would be ---

    def change(self, kind: str, path: str, ask, apply) -> None:
        """Asks, and changes the model. `apply` changes a tree, given the answer or `None`."""
        after = copy.deepcopy(self.tree)
        apply(after, None)
        with self.doubtful(f"WebDAV {kind}", lambda: self.find_out(after, path)):
            answer = ask()
        apply(self.tree, answer)
        self.note(self.top, path)

    def find_out(self, after: Tree, path: str) -> str:
        seen, outcome = self.dav.tree(self.top), "old"
        try:
            compare_tree(self.top, self.tree, seen)
        except Wrong as old:
            try:
                compare_tree(self.top, after, seen)
            except Wrong as new:
                raise Wrong(f"neither the old state ({old}) nor the new one ({new})") from None
            self.tree, outcome = after, "new"
        self.compare_one(self.top, path)
        return outcome

    def refused(self, kind: str, path: str, status: int, ask) -> None:
        """What must be refused, and must change nothing even if the server dies over it."""
        try:
            with self.doubtful(kind, lambda: self.find_out(self.tree, path)):
                ask()
        except Refused as error:
            expect(error.status == status, f"{kind} of {self.at(path)} was answered with {error}")
            self.done[kind] += 1
            return
        raise Wrong(f"{kind} of {self.at(path)} was acknowledged")

    def new_path(self, outside: str = "") -> str:
        """In any collection that is not `outside` or below it, nor too deep."""
        parents = [path for path in ["", *self.tree.collections()] if path.count("/") < DEPTH_MOST]
        parents = [path for path in parents if not outside or not path.startswith(outside)]
        return self.random.choice(parents) + self.new_name()

    def some(self, paths: list[str]) -> str | None:
        return self.random.choice(sorted(paths)) if paths else None

    def some_free(self, paths: list[str]) -> str | None:
        """Without the one that is locked or has it below."""
        return self.some([path for path in paths if self.tree.is_free(path)])

    # --- writing ---

    def put(self, kind: str, path: str, size: int, token: str = "") -> None:
        content, plain = self.new_content(size)
        modified = self.random.randrange(10**9, 2 * 10**9) if self.random.random() < 0.3 else None
        is_chunked = self.random.random() < 0.4

        def apply(to: Tree, answer) -> None:
            if answer is not None and modified is not None:
                accepted = answer.headers.get("X-OC-Mtime")
                expect(accepted == "accepted", f"X-OC-Mtime of {self.at(path)} was answered with {accepted!r}")
            etag = "" if answer is None else answer.headers["ETag"]
            properties = to.nodes[path].properties if path in to.nodes else {}
            to.nodes[path] = Node(content, etag, modified, properties)

        said = "" if modified is None else str(modified)
        kind = f"{kind}, chunked" if is_chunked else kind
        self.change(kind, path, lambda: self.dav.put(self.at(path), plain, is_chunked, token, said), apply)
        self.bytes_up += size

    def put_new(self) -> None:
        self.put("put", self.new_path(), self.small_size())

    def put_large(self) -> None:
        self.put("put large", self.new_path(), self.random.randint(256 * KIB, 4096 * KIB))

    def put_over(self) -> None:
        path = self.some_free(self.tree.files())
        if path is not None:
            self.put("overwrite", path, self.small_size())

    def make_collection(self) -> None:
        path = self.new_path() + "/"

        def apply(to: Tree, answer) -> None:
            to.nodes[path] = Node(None)

        self.change("make collection", path, lambda: self.dav.make_collection(self.at(path)), apply)

    def target(self, path: str) -> tuple[str, bool]:
        """Where something goes, and whether it replaces what is there."""
        if path.endswith("/"):
            return self.new_path(path) + "/", False
        others = [one for one in self.tree.files() if one != path and self.tree.is_free(one)]
        if others and self.random.random() < 0.2:
            return self.random.choice(others), True
        return self.new_path(), False

    def move(self) -> None:
        path = self.some_free(list(self.tree.nodes))
        if path is not None:
            to, replaces = self.target(path)
            self.change("move", to, lambda: self.dav.move(self.at(path), self.at(to), replaces),
                        lambda tree, answer: tree.move(path, to))

    def copy(self) -> None:
        path = self.some(list(self.tree.nodes))
        if path is not None and len(self.tree.below(path)) <= COPIED_MOST:
            to, replaces = self.target(path)
            self.change("copy", to, lambda: self.dav.copy(self.at(path), self.at(to), replaces),
                        lambda tree, answer: tree.copy(path, to))

    def delete_file(self) -> None:
        self.delete(self.some_free(self.tree.files()))

    def delete_collection(self) -> None:
        self.delete(self.some_free(self.tree.collections()))

    def delete(self, path: str | None) -> None:
        if path is not None:
            self.change("delete", path, lambda: self.dav.delete(self.at(path)), lambda to, answer: to.remove(path))

    def set_property(self) -> None:
        path, name = self.some_free(list(self.tree.nodes)), self.random.choice(PROPERTIES)
        if path is None:
            return
        value = None if self.random.random() < 0.2 else f"{self.random.randrange(10**6)} ä"

        def apply(to: Tree, answer) -> None:
            node = to.nodes[path]
            node.etag = ""
            node.properties.pop(name, None)
            if value is not None:
                node.properties[name] = value

        self.change("set property", path, lambda: self.dav.set_property(self.at(path), name, value), apply)

    def cut_off(self) -> None:
        """A body that ends half way is nothing: neither a new file nor a new version."""
        path = self.some_free(self.tree.files()) if self.random.random() < 0.5 else None
        path, is_chunked = path or self.new_path(), self.random.random() < 0.5
        content, plain = self.new_content(self.random.randint(10_000, 200_000))
        with self.doubtful("WebDAV cut off", lambda: self.find_out(self.tree, path)):
            self.dav.cut_off(self.at(path), plain, self.random.randrange(content.size), is_chunked)
        self.note(self.top, path)

    # --- a lock, held over several operations and restarts ---

    def lock(self) -> None:
        """Of a file, or of a name where there is nothing: that makes an empty file."""
        path = self.some(self.tree.files()) if self.random.random() < 0.6 else None
        path = path or self.new_path()

        def apply(to: Tree, answer: str | None) -> None:
            to.nodes.setdefault(path, Node(self.new_content(0)[0]))
            to.locked, to.token = path, answer or ""

        self.change("lock", path, lambda: self.dav.lock(self.at(path)), apply)

    def go_on_with_lock(self) -> None:
        path, token, how = self.tree.locked, self.tree.token, self.random.random()
        if how < 0.4:
            self.put("put with a lock", path, self.small_size(), token)
        elif how < 0.6:
            self.expect_held()
        else:
            self.unlock(path, token)

    def expect_held(self) -> None:
        """Who does not name the token is refused."""
        path, (_, plain) = self.tree.locked, self.new_content(1000)
        self.refused("WebDAV put without the lock, refused", path, 423, lambda: self.dav.put(self.at(path), plain))

    def unlock(self, path: str, token: str) -> None:
        def apply(to: Tree, answer) -> None:
            to.locked = to.token = ""

        self.change("unlock", path, lambda: self.dav.unlock(self.at(path), token), apply)

    # --- reading ---

    def read(self) -> None:
        path = self.some(self.tree.files())
        if path is None:
            return
        node = self.tree.nodes[path]
        size = node.content.size
        if size > 1 and self.random.random() < 0.4:
            first = self.random.randrange(size)
            last = min(size - 1, first + self.random.randint(0, 200_000))
            got = self.dav.download(self.at(path), f"bytes={first}-{last}").content
            is_same = got == node.content.again()[first : last + 1]
            expect(is_same, f"bytes {first}-{last} of {self.at(path)} are not what was sent")
            self.bytes_down += len(got)
        else:
            self.check_content(path)
        self.done["WebDAV read"] += 1

    # --- what is looked at after a restart ---

    def tops(self) -> list[str]:
        return [self.top]

    def known(self, top: str, door: str) -> tuple[dict[str, Content], set[str]]:
        return {path: self.tree.nodes[path].content for path in self.tree.files()}, set(self.tree.collections())

    def compare_top(self, top: str) -> None:
        compare_tree(self.top, self.tree, self.dav.tree(self.top))

    def compare_one(self, top: str, path: str) -> None:
        if path in self.tree.nodes:
            if self.tree.nodes[path].content is not None:
                self.check_content(path)
            return
        try:
            self.dav.download(self.at(path))
        except Refused as error:
            expect(error.status == 404, f"reading what is not there was answered with {error}")
        else:
            raise Wrong(f"{self.at(path)} can be read and should not be there")

    def look_again(self, most: int, killed_at: float) -> int:
        looked = super().look_again(most, killed_at)
        if self.tree.locked:
            self.expect_held()
        return looked

    def checks(self) -> Iterator[tuple[str, object]]:
        if self.tree.locked:
            yield "the lock is held", self.expect_held

    def contents(self) -> list[tuple]:
        return [(path,) for path in self.tree.files()]

    def check_content(self, path: str) -> None:
        node = self.tree.nodes[path]
        answer = self.dav.download(self.at(path))
        got, content, etag = answer.content, node.content, answer.headers["ETag"]
        self.bytes_down += len(got)
        is_same = len(got) == content.size and sha1_of(got) == content.sha1
        expect(is_same, f"{self.at(path)}: {len(got)} bytes came back, not {content}")
        expect(node.etag in ("", etag), f"{self.at(path)} has the entity tag {etag}, not {node.etag}")
