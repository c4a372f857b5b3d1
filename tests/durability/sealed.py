"""Uploads files with known markers in names and contents, and looks for them in every file that the server keeps.

    sealed.py --program target/debug/entente --folder FOLDER

The backend's folder may show neither names nor contents nor plaintext hashes; apart from the metadata database, nothing
in the data directory and the log may. Contents are not even in the database. Exit status: 0 all as it should be, 1 not.
"""

import argparse
import hashlib
import random
import shutil
import sys
from pathlib import Path

from client import Answered, Client, NoAnswer
from program import Broken, Program
from tally import Tally

KIB, MIB = 1024, 1024 * 1024
SIZES = (100, 4 * KIB, 70 * KIB, 300 * KIB, 9 * MIB)
PIECE = 16 * MIB


class Markers:
    """Words that occur nowhere by chance, in the forms in which somebody might keep them."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.names: dict[bytes, str] = {}
        self.contents: dict[bytes, str] = {}

    def new(self, into: dict[bytes, str], what: str) -> str:
        word = f"{what}-marker-{self.random.getrandbits(64):016x}"
        into[word.encode()] = f"the {what} {word}"
        into[word.encode("utf-16-le")] = f"the {what} {word} in UTF-16"
        into[word.encode().hex().encode()] = f"the {what} {word} in hexadecimal"
        return word

    def content(self, size: int) -> bytes:
        """A marker at every 4 KiB, and the digests of the whole."""
        word = self.new(self.contents, "content").encode()
        block = word + b" " + self.random.randbytes(4 * KIB - len(word) - 1)
        plain = (block * (size // len(block) + 1))[: max(size, len(word))]
        for name in ("sha1", "sha256", "md5"):
            digest = hashlib.new(name, plain).digest()
            for form in (digest, digest.hex().encode()):
                self.names[form] = f"the {name} of {word.decode()}"
        return plain


def shown(path: Path, markers: dict[bytes, str]) -> list[str]:
    """Which markers occur in a file, or in its name."""
    found = [said for marker, said in markers.items() if marker in str(path).encode()]
    with open(path, "rb") as file:
        before = b""
        while piece := file.read(PIECE):
            found += [said for marker, said in markers.items() if marker in before + piece]
            before = piece[-200:]
    return found


def shown_if_there(path: Path, markers: dict[bytes, str]) -> list[str]:
    """Like `shown`. A server that runs removes files between the listing of them and the reading."""
    try:
        return shown(path, markers)
    except FileNotFoundError:
        return []


def look(program: Program, markers: Markers, when: str, tally: Tally, runs: bool = False) -> None:
    everything = {**markers.names, **markers.contents}
    objects = 0
    for path in [path for path in program.data.rglob("*") if path.is_file()] + [program.log]:
        inside = path.is_relative_to(program.segments)
        objects += inside
        is_database = path.parent == program.data and path.name.startswith("metadata.sqlite")
        what = "a stored object" if inside else "the database" if is_database else path.name
        read = shown_if_there if runs else shown
        found = read(path, markers.contents if is_database else everything)
        tally.check(f"{what} shows nothing {when}", not found, found[:3])
    tally.check(f"there are stored objects {when}", objects > 0)
    database = b"".join(path.read_bytes() for path in program.data.glob("metadata.sqlite*"))
    # So that a search that finds nothing is known to find what is there.
    tally.check(f"names are found where they are kept {when}", any(name in database for name in markers.names))


def run(program: Program, tally: Tally) -> None:
    markers = Markers(20)
    program.start()
    client = Client(program.url, program.token())
    parent = client.make_folder("0", markers.new(markers.names, "folder")).id
    kept = {}
    for size in SIZES:
        plain = markers.content(size)
        file = client.upload(parent, markers.new(markers.names, "name"), plain)
        newer = markers.content(size)
        client.upload_version(file.id, markers.new(markers.names, "name"), newer)
        kept[file.id] = newer
    client.copy_file(file.id, parent, markers.new(markers.names, "copy"))
    look(program, markers, "while the server runs", tally, runs=True)
    for id, plain in kept.items():
        tally.check("what was sealed opens again", client.download(id) == plain, id)
    program.kill()
    look(program, markers, "after a kill", tally)
    program.start()
    program.stop()
    ran = program.run("repack", "--age", "0s", "--live-share", "1", "--json")
    tally.check("repack ends with 0", ran.status == 0, ran)
    look(program, markers, "after a stop and a repack", tally)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    words.add_argument("--program", type=Path, required=True)
    words.add_argument("--folder", type=Path, required=True, help="where data and log go; its data is removed")
    said = words.parse_args()
    data, log = said.folder / "sealed", said.folder / "sealed-server.log"
    shutil.rmtree(data, ignore_errors=True)
    log.unlink(missing_ok=True)
    print("sealing test", flush=True)
    tally, program = Tally(), Program(said.program, data, log)
    try:
        run(program, tally)
    except (Broken, Answered, NoAnswer) as error:
        tally.check("the test went to its end", False, f"{type(error).__name__}: {error}")
    finally:
        program.end()
    if not tally.failed:
        shutil.rmtree(data, ignore_errors=True)
    print(tally.summary(), flush=True)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
