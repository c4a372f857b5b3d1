"""The same files through each door: what was acknowledged through one must be there through the others."""

from dataclasses import dataclass

from client import Client, sha1_of
from dav_client import Dav
from model import FOLDER, Content, expect
from s3_client import S3

DOORS = ("Box", "WebDAV", "S3")


@dataclass
class Doors:
    """One user's clients of all doors. Not for use by several threads at a time."""

    box: Client
    s3: S3
    dav: Dav


@dataclass(frozen=True)
class File:
    size: int
    # Empty where the door does not tell it: S3 never does, and others not until what came in parts was read once.
    sha1: str = ""


def show(doors: Doors, door: str, top: str) -> tuple[dict[str, File], set[str]]:
    """The files below a folder at the user's root, and the folders, by paths from there; folders end with a slash."""
    if door == "WebDAV":
        tree = doors.dav.tree(top)
        files = {path: File(seen.size, seen.sha1) for path, seen in tree.items() if not seen.is_collection}
        return files, {path for path, seen in tree.items() if seen.is_collection}
    if door == "S3":
        return {key: File(shown.size) for key, shown in doors.s3.files(top).items()}, doors.s3.prefixes(top)
    files, folders, waiting = {}, set(), [("", box_named(doors.box, "0", top, FOLDER).id)]
    while waiting:
        path, folder = waiting.pop()
        for row in doors.box.items(folder):
            if row.type == FOLDER:
                folders.add(f"{path}{row.name}/")
                waiting.append((f"{path}{row.name}/", row.id))
            else:
                files[path + row.name] = File(row.size, row.sha_1 or "")
    return files, folders


def download(doors: Doors, door: str, top: str, path: str) -> bytes:
    if door == "WebDAV":
        return doors.dav.download(f"{top}/{path}").content
    if door == "S3":
        return doors.s3.download(top, path)[0]
    *folders, name = [top, *path.split("/")]
    folder = "0"
    for one in folders:
        folder = box_named(doors.box, folder, one, FOLDER).id
    return doors.box.download(box_named(doors.box, folder, name, "file").id)


def box_named(box: Client, folder: str, name: str, kind: str):
    found = [row for row in box.items(folder) if (row.name, row.type) == (name, kind)]
    expect(len(found) == 1, f"through Box, folder {folder} has {len(found)} times the {kind} {name!r}")
    return found[0]


def compare_across(doors: Doors, door: str, top: str, files: dict[str, Content], folders: set[str]) -> None:
    """What is known of a folder, against what a door shows of it."""
    shown, shown_folders = show(doors, door, top)
    differ = sorted(shown.keys() ^ files.keys())[:5]
    expect(not differ, f"through {door}, {top} has not the files that it should have: {differ}")
    differ = sorted(shown_folders ^ folders)[:5]
    expect(not differ, f"through {door}, {top} has not the folders that it should have: {differ}")
    for path, content in files.items():
        seen = shown[path]
        is_same = seen.size == content.size and seen.sha1 in ("", content.sha1)
        expect(is_same, f"through {door}, {top}/{path} is {seen}, not {content}")


def compare_content_across(doors: Doors, door: str, top: str, path: str, content: Content) -> None:
    got = download(doors, door, top, path)
    is_same = len(got) == content.size and sha1_of(got) == content.sha1
    expect(is_same, f"through {door}, {len(got)} bytes of {top}/{path} came back, not {content}")


def folders_of(paths: list[str]) -> set[str]:
    """The folders that paths need."""
    return {path[: at + 1] for path in paths for at, letter in enumerate(path) if letter == "/"}
