"""The trash: what was deleted is listed, brought back, or purged."""

from box_sdk_gen import RestoreFileFromTrashParent, RestoreFolderFromTrashParent

from kit import download, names_in, new_folder, refused, upload, upload_version
from typed import well_typed


def trashed_ids(client) -> list[str]:
    found, marker = [], None
    while True:
        page = client.trashed_items.get_trashed_items(usemarker=True, marker=marker, limit=1000)
        found += [item.id for item in page.entries]
        marker = page.next_marker
        if marker is None:
            return found


def test_a_file_goes_to_the_trash_and_comes_back(client, folder):
    file = upload(client, folder.id, "file.txt", b"content")
    client.files.delete_file_by_id(file.id)
    assert file.id in trashed_ids(client)
    trashed = well_typed(client.trashed_files.get_trashed_file_by_id(file.id))
    assert trashed.item_status == "trashed"
    assert trashed.trashed_at is not None
    assert trashed.sha_1 == file.sha_1
    restored = well_typed(client.trashed_files.restore_file_from_trash(file.id))
    assert restored.id == file.id
    assert restored.item_status == "active"
    assert restored.raw_data["trashed_at"] is None
    assert restored.parent.id == folder.id
    assert download(client, file.id) == b"content"
    assert file.id not in trashed_ids(client)


def test_versions_come_back_too(client, folder):
    file = upload(client, folder.id, "file.txt", b"first")
    upload_version(client, file.id, "file.txt", b"second")
    client.files.delete_file_by_id(file.id)
    client.trashed_files.restore_file_from_trash(file.id)
    assert download(client, file.id) == b"second"
    assert download(client, file.id, version=file.file_version.id) == b"first"


def test_a_folder_goes_to_the_trash_whole_and_comes_back_whole(client, folder):
    outer = new_folder(client, folder.id, "outer")
    inner = new_folder(client, outer.id, "inner")
    file = upload(client, inner.id, "file.txt", b"content")
    client.folders.delete_folder_by_id(outer.id, recursive=True)
    listed = trashed_ids(client)
    assert outer.id in listed
    assert inner.id not in listed and file.id not in listed
    for absent in (lambda: client.folders.get_folder_by_id(inner.id), lambda: client.files.get_file_by_id(file.id)):
        with refused(404):
            absent()
    trashed = well_typed(client.trashed_folders.get_trashed_folder_by_id(outer.id))
    assert trashed.item_status == "trashed"
    with refused(404):
        client.trashed_folders.get_trashed_folder_by_id(inner.id)
    restored = well_typed(client.trashed_folders.restore_folder_from_trash(outer.id))
    assert restored.item_status == "active"
    assert names_in(client, inner.id) == ["file.txt"]
    assert download(client, file.id) == b"content"


def test_a_file_deleted_before_its_folder_stays_in_the_trash(client, folder):
    outer = new_folder(client, folder.id, "outer")
    early = upload(client, outer.id, "early.txt", b"early")
    late = upload(client, outer.id, "late.txt", b"late")
    client.files.delete_file_by_id(early.id)
    client.folders.delete_folder_by_id(outer.id, recursive=True)
    client.trashed_folders.restore_folder_from_trash(outer.id)
    assert names_in(client, outer.id) == ["late.txt"]
    client.trashed_files.restore_file_from_trash(early.id)
    assert names_in(client, outer.id) == ["early.txt", "late.txt"]
    assert download(client, late.id) == b"late"


def test_restoring_where_the_name_is_taken(client, folder):
    file = upload(client, folder.id, "file.txt", b"old")
    client.files.delete_file_by_id(file.id)
    upload(client, folder.id, "file.txt", b"new")
    with refused(409):
        client.trashed_files.restore_file_from_trash(file.id)
    assert client.trashed_files.restore_file_from_trash(file.id, name="file (old).txt").name == "file (old).txt"
    assert names_in(client, folder.id) == ["file (old).txt", "file.txt"]
    assert download(client, file.id) == b"old"


def test_restoring_a_folder_under_another_name(client, folder):
    doomed = new_folder(client, folder.id, "docs")
    client.folders.delete_folder_by_id(doomed.id)
    new_folder(client, folder.id, "docs")
    with refused(409):
        client.trashed_folders.restore_folder_from_trash(doomed.id)
    assert client.trashed_folders.restore_folder_from_trash(doomed.id, name="docs again").name == "docs again"


def test_restoring_when_the_old_parent_is_gone(client, folder):
    parent = new_folder(client, folder.id, "parent")
    haven = new_folder(client, folder.id, "haven")
    file = upload(client, parent.id, "file.txt", b"x")
    child = new_folder(client, parent.id, "child")
    client.files.delete_file_by_id(file.id)
    client.folders.delete_folder_by_id(child.id)
    client.folders.delete_folder_by_id(parent.id)
    client.trashed_folders.delete_trashed_folder_by_id(parent.id)
    restored = client.trashed_files.restore_file_from_trash(file.id, parent=RestoreFileFromTrashParent(id=haven.id))
    assert restored.parent.id == haven.id
    client.trashed_folders.restore_folder_from_trash(child.id, parent=RestoreFolderFromTrashParent(id=haven.id))
    assert names_in(client, haven.id) == ["child", "file.txt"]


def test_a_parent_for_restoring_counts_only_when_the_old_one_is_gone(client, folder):
    haven = new_folder(client, folder.id, "haven")
    file = upload(client, folder.id, "file.txt", b"x")
    client.files.delete_file_by_id(file.id)
    restored = client.trashed_files.restore_file_from_trash(file.id, parent=RestoreFileFromTrashParent(id=haven.id))
    assert restored.parent.id == folder.id


def test_purge_a_file(client, folder):
    file = upload(client, folder.id, "file.txt", b"x")
    with refused(404):
        client.trashed_files.delete_trashed_file_by_id(file.id)
    assert download(client, file.id) == b"x"
    client.files.delete_file_by_id(file.id)
    client.trashed_files.delete_trashed_file_by_id(file.id)
    for gone in (
        lambda: client.trashed_files.get_trashed_file_by_id(file.id),
        lambda: client.trashed_files.restore_file_from_trash(file.id),
        lambda: client.trashed_files.delete_trashed_file_by_id(file.id),
        lambda: client.files.get_file_by_id(file.id),
    ):
        with refused(404):
            gone()
    assert file.id not in trashed_ids(client)


def test_purge_a_folder(client, folder):
    outer = new_folder(client, folder.id, "outer")
    file = upload(client, new_folder(client, outer.id, "inner").id, "file.txt", b"x")
    client.folders.delete_folder_by_id(outer.id, recursive=True)
    client.trashed_folders.delete_trashed_folder_by_id(outer.id)
    with refused(404):
        client.trashed_folders.restore_folder_from_trash(outer.id)
    with refused(404):
        client.files.get_file_by_id(file.id)


def test_active_items_are_not_in_the_trash(client, folder):
    file = upload(client, folder.id, "file.txt", b"x")
    with refused(404):
        client.trashed_files.get_trashed_file_by_id(file.id)
    with refused(404):
        client.trashed_folders.get_trashed_folder_by_id(folder.id)


def test_pages_of_the_trash(server):
    client = server.client(server.token(server.new_login("wasteful")))
    folder = new_folder(client, "0", "bin day")
    wanted = set()
    for number in range(7):
        file = upload(client, folder.id, f"{number}.txt", b"x")
        client.files.delete_file_by_id(file.id)
        wanted.add(file.id)
    page = well_typed(client.trashed_items.get_trashed_items(limit=3, offset=0))
    assert page.total_count == 7
    assert len(page.entries) == 3
    by_offset = {
        item.id for offset in (0, 3, 6) for item in client.trashed_items.get_trashed_items(limit=3, offset=offset).entries
    }
    assert by_offset == wanted
    found, marker = set(), None
    for _ in range(5):
        page = client.trashed_items.get_trashed_items(usemarker=True, marker=marker, limit=3, fields=["name", "trashed_at"])
        found |= {item.id for item in page.entries}
        marker = page.next_marker
        if marker is None:
            break
    assert marker is None
    assert found == wanted


def test_other_users_do_not_see_the_trash(server, client, folder):
    file = upload(client, folder.id, "secret.txt", b"x")
    client.files.delete_file_by_id(file.id)
    other = server.client(server.token(server.new_login("snoop")))
    assert trashed_ids(other) == []
    with refused(404):
        other.trashed_files.get_trashed_file_by_id(file.id)
    with refused(404):
        other.trashed_files.restore_file_from_trash(file.id)
    with refused(404):
        other.trashed_files.delete_trashed_file_by_id(file.id)
