"""One client thread: works at random in a folder of its own, and knows what was acknowledged and what is in doubt."""

import random
import threading
import time

from client import Answered, Client, Refused
from model import (
    FILE, FOLDER, Content, Item, Model, Version, Wrong, compare, compare_bytes, compare_older, expect,
)
from parts import Parts, Session
from steps import Steps

MIB = 1024 * 1024
LARGE_EDGES = (8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 16 * MIB)
# A worker with more live files than this rather removes than adds.
FILES_MANY = 90
# What the names that workers fight for begin with; no other name does.
CONTEST = "contest"


class Worker(Steps, Parts):
    """Works in a tree of its own, and fights with the others for names in a folder that they share."""

    def __init__(self, number: int, seed: str, model: Model, shared: str, others: list["Worker"], dying: threading.Event):
        super().__init__(number, seed, dying)
        self.model = model
        # The folder in which all workers fight for names.
        self.shared = shared
        self.others = others
        # Items acknowledged since the last start, and when.
        self.fresh: dict[str, float] = {}
        self.session: Session | None = None
        self.client: Client | None = None

    # --- the two ways through a round ---

    def settle(self, client: Client) -> None:
        """After a restart: finds out what became of the operation in doubt; it must be the old state or the new."""
        self.client = client
        self.settle_doubt()

    def look_again(self, most: int, killed_at: float) -> int:
        """Checks items that were acknowledged shortly before the server died."""
        wanted = {id: at for id, at in self.fresh.items() if id in self.model.items}
        self.fresh.clear()
        # Among them always the last, which had the least time to become durable.
        chosen = sorted(self.random.sample(sorted(wanted), min(most, len(wanted))), key=wanted.get)
        for id in {*chosen, *sorted(wanted, key=wanted.get)[-1:]}:
            try:
                self.look_at(self.model.items[id])
            except (Wrong, Answered) as error:
                raise Wrong(f"acknowledged {(killed_at - wanted[id]) * 1000:.1f} ms before the kill: {error}") from None
        return len(chosen)

    def look_at(self, item: Item) -> None:
        if item.is_trashed:
            compare(item, (self.client.trashed_file if item.kind == FILE else self.client.trashed_folder)(item.id))
        elif self.model.is_live(item):
            compare(item, (self.client.file if item.kind == FILE else self.client.folder)(item.id))

    def step(self) -> None:
        if self.session is not None and self.random.random() < 0.5:
            self.go_on_with_session()
            return
        many = sum(1 for item in self.model.items.values() if item.kind == FILE) > FILES_MANY
        less, more = (0.3, 4) if many else (1, 1)
        choices = {
            self.upload: 28 * less,
            self.upload_large: 1.2 * less,
            self.upload_version: 12,
            self.copy_file: 8 * less,
            self.copy_folder: 2.5 * less,
            self.make_folder: 4 * less,
            self.move_file: 9,
            self.move_folder: 3,
            self.trash_file: 7 * more,
            self.trash_folder: 1 * more,
            self.restore: 5,
            self.purge: 6 * more,
            self.read: 10,
            self.list_versions: 3,
            self.remove_version: 3,
            self.promote: 3,
            self.contest: 3,
            self.begin_session: 0.5 if self.session is None else 0,
        }
        self.one_of(choices)

    # --- words ---

    def note(self, item: Item) -> None:
        self.fresh[item.id] = time.monotonic()

    def some(self, kind: str) -> Item | None:
        found = self.model.live(kind)
        return self.random.choice(found) if found else None

    # --- new items ---

    def upload(self) -> None:
        self.upload_of("upload", self.some(FOLDER), self.small_size())

    def upload_large(self) -> None:
        size = self.random.choice(LARGE_EDGES) if self.random.random() < 0.2 else self.random.randint(MIB, 20 * MIB)
        self.upload_of("upload large", self.some(FOLDER), size)

    def upload_of(self, kind: str, folder: Item, size: int) -> None:
        content, plain = self.new_content(size)
        item = Item("", FILE, self.new_name(), folder.id)
        with self.doubtful(kind, lambda: self.find_new_file(item, content)):
            seen = self.client.upload(folder.id, item.name, plain)
        self.bytes_up += size
        self.adopt_file(item, content, seen)

    def adopt_file(self, item: Item, content: Content, seen) -> None:
        item.id = seen.id
        item.versions = [Version(seen.file_version.id, content, item.name)]
        item.tried = [content]
        compare(item, seen)
        self.note(self.model.add(item))

    def find_new_file(self, item: Item, content: Content) -> str:
        """There is no such file, or it is whole."""
        seen = self.named(item.parent, item.name)
        if seen is None:
            return "old"
        self.adopt_file(item, content, seen)
        return "new"

    def named(self, folder: str, name: str):
        found = [seen for seen in self.client.items(folder) if seen.name == name]
        expect(len(found) <= 1, f"folder {folder} has {len(found)} items called {name!r}")
        return found[0] if found else None

    def make_folder(self) -> None:
        parent = self.some(FOLDER)
        item = Item("", FOLDER, self.new_name(), parent.id)
        with self.doubtful("make folder", lambda: self.find_new_folder(item)):
            seen = self.client.make_folder(parent.id, item.name)
        self.adopt_folder(item, seen)

    def adopt_folder(self, item: Item, seen) -> None:
        item.id = seen.id
        compare(item, seen)
        self.note(self.model.add(item))

    def find_new_folder(self, item: Item) -> str:
        seen = self.named(item.parent, item.name)
        if seen is None:
            return "old"
        self.adopt_folder(item, seen)
        return "new"

    def contest(self) -> None:
        """Several workers upload under one name: one wins, the others are told who."""
        rounds = sum(worker.done["contest"] + worker.done["contest lost"] for worker in self.others) // 3
        name = f"{CONTEST} {rounds}"
        content, plain = self.new_content(self.random.randint(40, 5000))
        item = Item("", FILE, name, self.shared)
        try:
            with self.doubtful("contest", lambda: self.find_contested(item, content)):
                seen = self.client.upload(self.shared, name, plain)
        except Refused as error:
            expect(error.status == 409 and error.code == "item_name_in_use", f"a contest was answered with {error}")
            winner = error.body.get("context_info", {}).get("conflicts", {})
            expect(winner.get("id") and winner.get("name") == name, f"a conflict does not name the winner: {error.body}")
            self.done["contest lost"] += 1
            return
        self.adopt_file(item, content, seen)

    def find_contested(self, item: Item, content: Content) -> str:
        seen = self.named(self.shared, item.name)
        if seen is None or seen.sha_1 != content.sha1:
            return "old"
        self.adopt_file(item, content, seen)
        return "new"

    # --- copies ---

    def copy_file(self) -> None:
        """Of a file of ours, or of another worker's, which may change or go meanwhile."""
        source, is_ours = self.some(FILE), True
        if self.random.random() < 0.3:
            source, is_ours = self.random.choice(self.others).a_file(self.random), False
        if source is None:
            return
        parent = self.some(FOLDER)
        item = Item("", FILE, self.new_name(), parent.id)
        try:
            with self.doubtful("copy file", lambda: self.find_copied_file(item, source)):
                seen = self.client.copy_file(source.id, parent.id, item.name)
        except Refused as error:
            expect(not is_ours and error.status == 404, f"the copy of file {source.id} was answered with {error}")
            return
        if is_ours:
            expect(seen.sha_1 == source.content.sha1, f"the copy of file {source.id} has SHA-1 {seen.sha_1}")
        self.adopt_copy(item, source, seen)

    def a_file(self, chooser: random.Random) -> Item | None:
        """Asked by other workers' threads."""
        known = list(self.model.items.values())
        files = [item for item in known if item.kind == FILE and item.versions]
        return chooser.choice(files) if files else None

    def adopt_copy(self, item: Item, source: Item, seen) -> None:
        content = next((one for one in list(source.tried) if (one.sha1, one.size) == (seen.sha_1, seen.size)), None)
        expect(content is not None, f"the copy {seen.id} of file {source.id} has SHA-1 {seen.sha_1}, which that never had")
        self.adopt_file(item, content, seen)

    def find_copied_file(self, item: Item, source: Item) -> str:
        seen = self.named(item.parent, item.name)
        if seen is None:
            return "old"
        self.adopt_copy(item, source, seen)
        return "new"

    def copy_folder(self) -> None:
        folders = [folder for folder in self.model.live(FOLDER) if folder.id != self.model.top]
        folders = [folder for folder in folders if len(self.model.below(folder.id)) <= 40]
        if not folders:
            return
        source = self.random.choice(folders)
        parents = [folder for folder in self.model.live(FOLDER) if not self.model.is_within(folder, source.id)]
        item = Item("", FOLDER, self.new_name(), self.random.choice(parents).id)
        with self.doubtful("copy folder", lambda: self.find_copied_folder(item, source)):
            seen = self.client.copy_folder(source.id, item.parent, item.name)
            item.id = seen.id
            compare(item, seen)
            # It is acknowledged; what is in it is looked up, which may find the server dead.
            self.doubt = ("look at copied folder", lambda: self.adopt_copied_folder(item, source))
            self.adopt_copied_folder(item, source)

    def find_copied_folder(self, item: Item, source: Item) -> str:
        """There is no such folder, or it is whole."""
        seen = self.named(item.parent, item.name)
        if seen is None:
            return "old"
        item.id = seen.id
        return self.adopt_copied_folder(item, source)

    def adopt_copied_folder(self, item: Item, source: Item) -> str:
        learned = [item]
        self.learn(item.id, source.id, learned)
        for one in learned:
            self.note(self.model.add(one))
        return "new"

    def learn(self, copy: str, source: str, learned: list[Item]) -> None:
        """Takes over what is below a copied folder, which must be what is below its source."""
        seen = {row.name: row for row in self.client.items(copy)}
        known = {child.name: child for child in self.model.children(source)}
        expect(seen.keys() == known.keys(), f"the copy {copy} of folder {source} has {sorted(seen)}, not {sorted(known)}")
        for name, child in known.items():
            row = seen[name]
            item = Item(row.id, child.kind, name, copy)
            if child.kind == FILE:
                item.versions = [Version(row.file_version.id, child.content, name)]
                item.tried = [child.content]
            compare(item, row)
            learned.append(item)
            if child.kind == FOLDER:
                self.learn(row.id, child.id, learned)

    # --- changes ---

    def move_file(self) -> None:
        item = self.some(FILE)
        if item is not None:
            self.move(item, self.some(FOLDER).id, self.client.move_file, self.client.file)

    def move_folder(self) -> None:
        folders = [folder for folder in self.model.live(FOLDER) if folder.id != self.model.top]
        if not folders:
            return
        item = self.random.choice(folders)
        parents = [folder for folder in self.model.live(FOLDER) if not self.model.is_within(folder, item.id)]
        self.move(item, self.random.choice(parents).id, self.client.move_folder, self.client.folder)

    def move(self, item: Item, parent: str, ask, look) -> None:
        """Moves and renames in one: both happen or neither."""
        # A name that was fought for stays behind, where it may be won again.
        keeps = self.random.random() < 0.3 and not item.name.startswith(CONTEST)
        keeps = keeps and not self.model.has_name(parent, item.name, item)
        name = item.name if keeps else self.new_name()

        def find_out() -> str:
            seen = (self.client.file if item.kind == FILE else self.client.folder)(item.id)
            where = (seen.name, seen.parent.id)
            is_whole = where in ((item.name, item.parent), (name, parent))
            expect(is_whole, f"half a move: {item} to {name!r} in {parent}: {where}")
            is_new = where == (name, parent)
            item.name, item.parent = where
            compare(item, seen)
            return "new" if is_new else "old"

        with self.doubtful(f"move {item.kind}", find_out):
            seen = ask(item.id, parent, name)
        item.name, item.parent = name, parent
        compare(item, seen)
        self.note(item)

    def upload_version(self) -> None:
        item = self.some(FILE)
        if item is None:
            return
        content, plain = self.new_content(self.small_size())
        item.tried.append(content)
        with self.doubtful("upload version", lambda: self.find_new_version(item, content)):
            seen = self.client.upload_version(item.id, item.name, plain)
        self.bytes_up += content.size
        self.adopt_version(item, content, seen)

    def adopt_version(self, item: Item, content: Content, seen) -> None:
        known = [version.id for version in item.versions]
        expect(seen.file_version.id not in known, f"file {item.id} got no new version: {seen.file_version.id}")
        item.versions.append(Version(seen.file_version.id, content, item.name))
        compare(item, seen)
        self.note(item)

    def find_new_version(self, item: Item, content: Content) -> str:
        seen = self.client.file(item.id)
        if seen.file_version.id == item.versions[-1].id:
            compare(item, seen)
            return "old"
        self.adopt_version(item, content, seen)
        return "new"

    def promote(self) -> None:
        item, old = self.an_older_version()
        if item is None or old.name.startswith(CONTEST):
            return
        # As with Box, the file gets the name that it had then, unless another has it.
        name = item.name if self.model.has_name(item.parent, old.name, item) else old.name

        def find_out() -> str:
            seen = self.client.file(item.id)
            if seen.file_version.id == item.versions[-1].id:
                compare(item, seen)
                return "old"
            item.name = name
            self.adopt_version(item, old.content, seen)
            return "new"

        with self.doubtful("promote version", find_out):
            promoted = self.client.promote(item.id, old.id)
        item.name = name
        item.versions.append(Version(promoted.id, old.content, name))
        expect(promoted.sha_1 == old.content.sha1, f"version {old.id} of file {item.id} was promoted to {promoted.sha_1}")
        self.note(item)

    def remove_version(self) -> None:
        item, old = self.an_older_version()
        if item is None:
            return

        def find_out() -> str:
            shown = [row.id for row in self.client.older_versions(item.id)]
            old.is_removed = old.id not in shown
            compare_older(item, self.client.older_versions(item.id))
            return "new" if old.is_removed else "old"

        with self.doubtful("remove version", find_out):
            self.client.remove_version(item.id, old.id)
        old.is_removed = True
        self.note(item)

    def an_older_version(self) -> tuple[Item | None, Version | None]:
        """A file of ours, and a version of it that is listed below the current one."""
        found = [(item, old) for item in self.model.live(FILE) for old in item.versions[:-1] if not old.is_removed]
        return self.random.choice(found) if found else (None, None)

    # --- trash ---

    def trash_file(self) -> None:
        item = self.some(FILE)
        if item is not None:
            self.put_into_trash(item, self.client.trash_file)

    def trash_folder(self) -> None:
        folders = [folder for folder in self.model.live(FOLDER) if folder.id != self.model.top]
        if folders:
            self.put_into_trash(self.random.choice(folders), self.client.trash_folder)

    def put_into_trash(self, item: Item, ask) -> None:
        with self.doubtful(f"trash {item.kind}", lambda: self.find_whether_trashed(item, "new", "old")):
            ask(item.id)
        item.is_trashed = True
        self.note(item)

    def restore(self) -> None:
        trashed = self.model.trashed()
        if not trashed:
            return
        item = self.random.choice(trashed)
        ask = self.client.restore_file if item.kind == FILE else self.client.restore_folder
        old = self.model.items.get(item.parent)
        # Its old folder is taken if it can be had; the other is for the case that it cannot.
        old_can_be_had = item.parent == self.shared or (old is not None and self.model.is_live(old))
        parent = item.parent if old_can_be_had else self.model.top
        if self.model.has_name(parent, item.name, item):
            return

        def find_out() -> str:
            outcome = self.find_whether_trashed(item, "old", "new", parent)
            item.parent = parent if outcome == "new" else item.parent
            return outcome

        try:
            with self.doubtful(f"restore {item.kind}", find_out):
                seen = ask(item.id, self.model.top)
        except Refused as error:
            # In the shared folder another may have taken its name meanwhile.
            expect(item.parent == self.shared and error.status == 409, f"a restore was answered with {error}")
            return
        expect(seen.id == item.id and seen.name == item.name, f"{item.id} was restored as {seen.id} {seen.name!r}")
        item.is_trashed, item.parent = False, parent
        self.note(item)

    def find_whether_trashed(self, item: Item, if_trashed: str, if_not: str, parent: str | None = None) -> str:
        """It is in the trash, or where it was: in one of the two, and whole."""
        is_file = item.kind == FILE
        in_trash = self.shown(self.client.trashed_file if is_file else self.client.trashed_folder, item.id)
        in_tree = self.shown(self.client.file if is_file else self.client.folder, item.id)
        expect((in_trash is None) != (in_tree is None), f"{item} is in the trash: {in_trash}, in the tree: {in_tree}")
        item.is_trashed = in_trash is not None
        before, item.parent = item.parent, parent or item.parent
        compare(item, in_trash or in_tree)
        item.parent = before
        return if_trashed if item.is_trashed else if_not

    @staticmethod
    def shown(ask, id: str):
        try:
            return ask(id)
        except Refused as error:
            expect(error.status == 404, f"looking for {id} was answered with {error}")
            return None

    def purge(self) -> None:
        trashed = self.model.trashed()
        if not trashed:
            return
        item = self.random.choice(trashed)
        is_file = item.kind == FILE

        def find_out() -> str:
            seen = self.shown(self.client.trashed_file if is_file else self.client.trashed_folder, item.id)
            if seen is not None:
                compare(item, seen)
                return "old"
            self.expect_gone(item)
            self.model.forget(item)
            return "new"

        with self.doubtful(f"purge {item.kind}", find_out):
            (self.client.purge_file if is_file else self.client.purge_folder)(item.id)
        self.model.forget(item)

    def expect_gone(self, item: Item) -> None:
        seen = self.shown(self.client.file if item.kind == FILE else self.client.folder, item.id)
        expect(seen is None, f"{item} was purged and is in the tree")

    # --- reading ---

    def read(self) -> None:
        """Downloads a version, or a range of it, and compares."""
        item = self.some(FILE)
        if item is None:
            return
        version = self.random.choice([version for version in item.versions if not version.is_removed])
        asked = None if version is item.versions[-1] else version.id
        size = version.content.size
        if size > 1 and self.random.random() < 0.4:
            first = self.random.randrange(size)
            last = min(size - 1, first + self.random.randint(0, 200_000))
            got = self.client.download(item.id, asked, first, last)
            is_same = got == version.content.again()[first : last + 1]
            expect(is_same, f"bytes {first}-{last} of file {item.id} version {version.id} are not what was sent")
        else:
            got = self.client.download(item.id, asked)
            compare_bytes(item, version, got)
        self.bytes_down += len(got)
        self.done["read"] += 1

    def list_versions(self) -> None:
        files = [item for item in self.model.live(FILE) if len(item.versions) > 1]
        if files:
            item = self.random.choice(files)
            compare_older(item, self.client.older_versions(item.id))
            self.done["list versions"] += 1
