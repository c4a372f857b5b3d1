"""A tree of real files to send through a client, and what must come back.

`ENTENTE_TREE_FILES` says how many files (default 300), `ENTENTE_BIG_MIB` how large the one big file is (default 64).
"""

import hashlib
import os
import shutil
from pathlib import Path

# Documentation first; the others fill up on a machine where little of it is installed.
SOURCES = ("/usr/share/doc", "/usr/share/man", "/usr/share/perl", "/usr/share/zoneinfo", "/usr/share", "/usr/lib/python3")
LARGEST_BYTES = 4 * 1024 * 1024


def files_wanted() -> int:
    return int(os.environ.get("ENTENTE_TREE_FILES", "300"))


def big_size_bytes() -> int:
    return int(os.environ.get("ENTENTE_BIG_MIB", "64")) * 1024 * 1024


def _acceptable(name: str) -> bool:
    return name.isprintable() and "\\" not in name and not name.endswith(" ") and len(name.encode()) <= 255


def _candidates():
    seen = set()
    for source in SOURCES:
        for place, folders, files in os.walk(source):
            folders.sort()
            for name in sorted(files):
                path = Path(place) / name
                if path in seen or path.is_symlink() or not path.is_file():
                    continue
                if path.stat().st_size > LARGEST_BYTES or not all(map(_acceptable, path.parts[1:])):
                    continue
                seen.add(path)
                yield path


def plant(target: Path) -> list[str]:
    """Copies the wanted number of files below `target`; returns their paths relative to it, sorted.

    Names that a case-insensitive store would take for the same are left out.
    """
    wanted = files_wanted()
    folded: set[str] = set()
    planted: list[str] = []
    for path in _candidates():
        relative = path.relative_to("/usr")
        key = str(relative).casefold()
        if key in folded:
            continue
        spelled_otherwise = any(
            str(above).casefold() in folded and not (target / above).is_dir() for above in relative.parents
        )
        if spelled_otherwise:
            continue
        folded.add(key)
        folded.update(str(above).casefold() for above in relative.parents)
        place = target / relative
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
        planted.append(str(relative))
        if len(planted) == wanted:
            return sorted(planted)
    raise AssertionError(f"only {len(planted)} of {wanted} files found below {', '.join(SOURCES)}")


def plant_big(path: Path) -> str:
    """Writes the big file, which no two megabytes of are alike; returns its SHA-1 in hex."""
    digest = hashlib.sha1()
    with open(path, "wb") as file:
        for _ in range(big_size_bytes() // (1024 * 1024)):
            piece = os.urandom(1024 * 1024)
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def sha1_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def listing(root: Path) -> dict[str, str]:
    """Every file below `root` by its relative path, with its SHA-1."""
    return {
        str(path.relative_to(root)): sha1_of(path) for path in sorted(root.rglob("*")) if path.is_file()
    }
