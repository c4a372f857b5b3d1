"""Uploads in parts: what a worker does over several operations, and goes on with after a restart."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from model import FILE, FOLDER, Content, Item, expect

MIB = 1024 * 1024
SESSION_SIZES = (20 * MIB, 24 * MIB, 22 * MIB + 12345)
PARTS_AT_A_TIME = 3


@dataclass
class Session:
    """An upload in parts that has been begun."""

    id: str
    content: Content
    plain: bytes
    part_size: int
    # A new file has a name and a parent; a new version has a file.
    item: Item
    is_version: bool
    # Parts by their offset, as acknowledged.
    acknowledged: dict = field(default_factory=dict)


class Parts:
    """The part of a worker that uploads in parts. It has one session at a time."""

    def begin_session(self) -> None:
        content, plain = self.new_content(self.random.choice(SESSION_SIZES))
        item = self.some(FILE) if self.random.random() < 0.3 else None
        is_version = item is not None
        if item is None:
            item = Item("", FILE, self.new_name(), self.some(FOLDER).id)
        # Nobody knows the id of a session whose beginning was not acknowledged: nothing to find out.
        with self.doubtful("begin session", lambda: "unknown"):
            if is_version:
                begun = self.client.begin_version_session(item.id, content.size)
            else:
                begun = self.client.begin_session(item.parent, item.name, content.size)
        self.session = Session(begun.id, content, plain, begun.part_size, item, is_version)

    def go_on_with_session(self) -> None:
        session = self.session
        offsets = range(0, session.content.size, session.part_size)
        missing = [offset for offset in offsets if offset not in session.acknowledged]
        if missing and not self.has_target(session):
            self.abort(session)
        elif missing:
            self.send_parts(session, missing)
        elif self.random.random() < 0.1:
            self.abort(session)
        else:
            self.commit(session)

    def send_parts(self, session: Session, missing: list[int]) -> None:
        def send(offset: int) -> None:
            plain = session.plain[offset : offset + session.part_size]
            part = self.client.send_part(session.id, offset, plain, session.content.size)
            session.acknowledged[offset] = part
            self.bytes_up += len(plain)
            self.done["part"] += 1

        with self.doubtful("parts", lambda: self.find_parts(session)), ThreadPoolExecutor(PARTS_AT_A_TIME) as pool:
            for sent in [pool.submit(send, offset) for offset in missing]:
                sent.result()
        self.done["parts"] -= 1

    def find_parts(self, session: Session) -> str:
        """Every acknowledged part is there; others may be."""
        known = {part.offset: part for part in self.client.parts(session.id)}
        for offset, part in session.acknowledged.items():
            shown = known.get(offset)
            is_same = shown is not None and (shown.part_id, shown.sha_1, shown.size) == (part.part_id, part.sha_1, part.size)
            expect(is_same, f"part {offset} of session {session.id} was acknowledged as {part} and is {shown}")
        arrived = len(known.keys() - session.acknowledged.keys())
        session.acknowledged = known
        return f"{'some' if arrived else 'none'} had arrived"

    def commit(self, session: Session) -> None:
        if not self.can_be_committed(session):
            self.abort(session)
            return
        parts = [part for _, part in sorted(session.acknowledged.items())]
        item, content = session.item, session.content
        item.tried.append(content)

        def find_out() -> str:
            outcome = self.find_new_version(item, content) if session.is_version else self.find_new_file(item, content)
            if outcome == "new":
                self.session = None
            else:
                self.find_parts(session)
            return outcome

        with self.doubtful("commit session", find_out):
            seen = self.client.commit_session(session.id, parts, session.plain)
        self.session = None
        adopt = self.adopt_version if session.is_version else self.adopt_file
        adopt(item, content, seen)

    def has_target(self, session: Session) -> bool:
        """Whether its file or folder is there, be it in the trash."""
        return (session.item.id if session.is_version else session.item.parent) in self.model.items

    def can_be_committed(self, session: Session) -> bool:
        """Whether its file or folder is still in the tree."""
        target = self.model.items.get(session.item.id if session.is_version else session.item.parent)
        return target is not None and self.model.is_live(target)

    def abort(self, session: Session) -> None:
        # In doubt it may be gone or not; either way it is given up.
        with self.doubtful("abort session", lambda: "unknown"):
            self.session = None
            self.client.abort_session(session.id)
