"""What every client thread has, whatever door it comes through: steps at random, counts, and what is in doubt."""

import random
import threading
from collections import Counter
from contextlib import contextmanager

from client import Failed, NoAnswer
from model import Content

# Where the server does something else below than above: empty, a frame, what shares a segment, a chunk.
EDGES = (0, 1, 65535, 65536, 65537, 131072, 262143, 262144, 262145)
WORDS = ("report", "Größe", "文件", "naïve plan", "a'b", "x" * 60, "réunion 🙂", "q=1&r%20")


class Steps:
    """Runs operations one after the other; at most one is in doubt when the server dies."""

    def __init__(self, number: int, seed: str, dying: threading.Event):
        self.number = number
        self.random = random.Random(f"{seed}/{number}")
        # Set before the server is killed: from then on a missing answer is no surprise.
        self.dying = dying
        self.names = 0
        self.doubt: tuple[str, object] | None = None
        self.done: Counter[str] = Counter()
        self.doubted: Counter[str] = Counter()
        self.settled: Counter[str] = Counter()
        self.bytes_up = 0
        self.bytes_down = 0

    def step(self) -> None:
        raise NotImplementedError

    def work(self, until: threading.Event) -> None:
        """Works until told to stop or until the server is gone."""
        while not until.is_set():
            try:
                self.step()
            except (NoAnswer, Failed):
                if self.dying.is_set():
                    return
                raise

    def settle_doubt(self) -> None:
        """After a restart: finds out what became of the operation in doubt; it must be the old state or the new."""
        if self.doubt is not None:
            kind, find_out = self.doubt
            self.settled[f"{kind}: {find_out()}"] += 1
            self.doubt = None

    @contextmanager
    def doubtful(self, kind: str, find_out):
        """What is asked inside is in doubt until it is answered. `find_out` says "old" or "new", or raises `Wrong`."""
        self.doubt = (kind, find_out)
        try:
            yield
        except (NoAnswer, Failed):
            self.doubted[kind] += 1
            raise
        except BaseException:
            self.doubt = None
            raise
        self.doubt = None
        self.done[kind] += 1

    def one_of(self, choices: dict) -> None:
        """Does one of several things, drawn by their weights."""
        self.random.choices(list(choices), weights=list(choices.values()))[0]()

    def new_name(self) -> str:
        self.names += 1
        return f"{self.number}-{self.names} {self.random.choice(WORDS)}"

    def new_content(self, size: int) -> tuple[Content, bytes]:
        return Content.make(self.random.getrandbits(64), size)

    def small_size(self) -> int:
        how = self.random.random()
        if how < 0.1:
            return self.random.choice(EDGES)
        return self.random.randint(1, 4096) if how < 0.6 else self.random.randint(1, 200_000)
