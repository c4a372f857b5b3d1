"""A tree of real files, and one big file, all the way in and out with the Python SDK."""

import posixpath
from concurrent.futures import ThreadPoolExecutor

import pytest
from box_sdk_gen import CopyFolderParent, UpdateFileByIdParent, UpdateFolderByIdParent

from kit import new_folder, upload, upload_version
from trees import big_size_bytes, listing, plant, plant_big, sha1_of

THREADS = 8


class Tree:
    """The remote tree below one folder, and what the story knows must be in it."""

    def __init__(self, client, root):
        self.client = client
        self.folders = {"": root}
        self.expected: dict[str, str] = {}
        self.ids: dict[str, str] = {}

    def folder(self, path: str) -> str:
        if path not in self.folders:
            above, name = posixpath.split(path)
            self.folders[path] = new_folder(self.client, self.folder(above), name).id
        return self.folders[path]

    def listed(self, root: str | None = None) -> dict[str, tuple[str, str]]:
        """Everything below, as the server lists it: path to id and SHA-1."""
        found = {}
        waiting = [("", root or self.folders[""])]
        with ThreadPoolExecutor(THREADS) as pool:
            while waiting:
                pages = pool.map(lambda place: (place[0], self.items(place[1])), waiting)
                waiting = []
                for path, items in pages:
                    for item in items:
                        below = posixpath.join(path, item.name)
                        if item.type == "folder":
                            waiting.append((below, item.id))
                        else:
                            found[below] = (item.id, item.sha_1)
        return found

    def items(self, folder_id: str):
        marker = None
        while True:
            page = self.client.folders.get_folder_items(folder_id, usemarker=True, marker=marker, limit=500)
            yield from page.entries
            marker = page.next_marker
            if marker is None:
                return

    def check(self):
        found = self.listed()
        assert {path: digest for path, (_, digest) in found.items()} == self.expected
        self.ids = {path: file_id for path, (file_id, _) in found.items()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    plant(root)
    return root


def in_parallel(work, things):
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, things))


def test_a_tree_goes_in_and_comes_back(client, folder, source, tmp_path):
    tree = Tree(client, folder.id)
    local = listing(source)
    for path in local:
        tree.folder(posixpath.dirname(path))

    # Up.
    in_parallel(
        lambda path: upload(client, tree.folder(posixpath.dirname(path)), posixpath.basename(path), (source / path).read_bytes()),
        local,
    )
    tree.expected = dict(local)
    tree.check()

    # Every tenth file is overwritten.
    changed = sorted(local)[::10]
    for path in changed:
        with open(source / path, "ab") as file:
            file.write(b"\nchanged by the story\n")
        tree.expected[path] = sha1_of(source / path)
    in_parallel(
        lambda path: upload_version(client, tree.ids[path], posixpath.basename(path), (source / path).read_bytes()),
        changed,
    )
    tree.check()

    # Some files are renamed in place, and one folder moves with all that is in it.
    renamed = sorted(local)[3::10]
    in_parallel(
        lambda path: client.files.update_file_by_id(tree.ids[path], name=posixpath.basename(path) + ".renamed"), renamed
    )
    where = {path: path for path in local}
    for path in renamed:
        where[path] = path + ".renamed"
    top = sorted({path.split("/")[0] for path in local})[0]
    attic = new_folder(client, folder.id, "attic").id
    client.folders.update_folder_by_id(tree.folder(top), parent=UpdateFolderByIdParent(id=attic))
    for path, place in where.items():
        if place.startswith(top + "/"):
            where[path] = "attic/" + place
    tree.expected = {where[path]: sha1_of(source / path) for path in local}
    tree.check()

    # One folder is copied, and a file moved out of the copy.
    copied = client.folders.copy_folder(attic, CopyFolderParent(id=folder.id), name="copy of the attic")
    for path, digest in list(tree.expected.items()):
        if path.startswith("attic/"):
            tree.expected["copy of the " + path] = digest
    tree.check()
    strays = [path for path in tree.expected if path.startswith("copy of the attic/")][::25]
    for number, path in enumerate(strays):
        client.files.update_file_by_id(
            tree.ids[path], parent=UpdateFileByIdParent(id=folder.id), name=f"stray {number}"
        )
        tree.expected[f"stray {number}"] = tree.expected.pop(path)
    tree.check()

    # A folder and some files go to the trash, and come back.
    before = dict(tree.expected)
    single = [path for path in tree.expected if path.startswith("attic/")][::20]
    in_parallel(lambda path: client.files.delete_file_by_id(tree.ids[path]), single)
    client.folders.delete_folder_by_id(copied.id, recursive=True)
    tree.expected = {
        path: digest
        for path, digest in before.items()
        if path not in single and not path.startswith("copy of the attic/")
    }
    ids = dict(tree.ids)
    tree.check()
    in_parallel(lambda path: client.trashed_files.restore_file_from_trash(ids[path]), single)
    client.trashed_folders.restore_folder_from_trash(copied.id)
    tree.expected = before
    tree.check()

    # Down, and every byte is compared.
    def fetch(path):
        place = tmp_path / "down" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place, "wb") as file:
            client.downloads.download_file_to_output_stream(tree.ids[path], file)

    in_parallel(fetch, tree.expected)
    assert listing(tmp_path / "down") == tree.expected


def test_one_big_file_goes_in_and_comes_back(client, folder, tmp_path):
    source, back = tmp_path / "big.bin", tmp_path / "back.bin"
    digest = plant_big(source)
    with open(source, "rb") as file:
        stored = client.chunked_uploads.upload_big_file(file, "big.bin", big_size_bytes(), folder.id)
    assert stored.size == big_size_bytes()
    assert stored.sha_1 == digest
    with open(back, "wb") as file:
        client.downloads.download_file_to_output_stream(stored.id, file)
    assert back.stat().st_size == big_size_bytes()
    assert sha1_of(back) == digest
    start = big_size_bytes() // 2 - 5
    with open(source, "rb") as file:
        file.seek(start)
        assert client.downloads.download_file(stored.id, range=f"bytes={start}-{start + 9}").read() == file.read(10)
