"""Folders: made, read, renamed, moved, copied, deleted, and listed page by page."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from box_sdk_gen import (
    CopyFolderParent,
    FetchOptions,
    GetFolderItemsDirection,
    GetFolderItemsSort,
    ResponseFormat,
    UpdateFolderByIdParent,
)

from kit import download, names_in, new_folder, refused, upload
from typed import well_typed


def test_the_root_is_called_all_files(client):
    root = well_typed(client.folders.get_folder_by_id("0"))
    assert root.id == "0"
    assert root.name == "All Files"
    assert root.raw_data["parent"] is None
    assert root.raw_data["etag"] is None
    assert root.raw_data["path_collection"] == {"total_count": 0, "entries": []}


def test_a_new_folder_in_the_standard_form(client, folder):
    made = well_typed(new_folder(client, folder.id, "inside"))
    assert made.etag == "0"
    assert made.sequence_id == "0"
    assert made.parent.id == folder.id
    assert made.item_status == "active"
    assert made.size == 0
    assert made.description == ""
    assert made.raw_data["shared_link"] is None
    assert made.raw_data["trashed_at"] is None
    assert made.raw_data["purged_at"] is None
    assert [above.id for above in made.path_collection.entries] == ["0", folder.id]
    assert made.path_collection.total_count == 2
    assert made.item_collection.total_count == 0
    assert made.item_collection.entries == []
    for extra in ("tags", "permissions", "sync_state", "has_collaborations"):
        assert extra not in made.raw_data
    assert client.folders.get_folder_by_id(made.id).raw_data == made.raw_data


def test_fields_bring_only_what_was_asked(client, folder):
    sent = client.folders.get_folder_by_id(folder.id, fields=["name", "tags", "permissions"]).raw_data
    assert set(sent) == {"type", "id", "etag", "name", "tags", "permissions"}
    assert sent["tags"] == []
    assert sent["permissions"]["can_upload"] is True


def test_rename_describe_and_tag(client, folder):
    changed = well_typed(
        client.folders.update_folder_by_id(folder.id, name=folder.name + " renamed", description="Quarterly figures")
    )
    assert changed.name == folder.name + " renamed"
    assert changed.description == "Quarterly figures"
    assert int(changed.etag) > int(folder.etag)
    tagged = client.folders.update_folder_by_id(folder.id, tags=["blue", "green"], fields=["tags", "description"])
    assert tagged.tags == ["blue", "green"]
    assert tagged.description == "Quarterly figures"


def test_move(client, folder):
    source = new_folder(client, folder.id, "source")
    target = new_folder(client, folder.id, "target")
    inner = new_folder(client, source.id, "inner")
    leaf = upload(client, inner.id, "leaf.txt", b"leaf")
    moved = client.folders.update_folder_by_id(inner.id, parent=UpdateFolderByIdParent(id=target.id))
    assert moved.parent.id == target.id
    assert names_in(client, source.id) == []
    assert names_in(client, target.id) == ["inner"]
    above = client.files.get_file_by_id(leaf.id).path_collection.entries
    assert [one.id for one in above] == ["0", folder.id, target.id, inner.id]


def test_a_folder_cannot_be_moved_into_itself_or_below(client, folder):
    outer = new_folder(client, folder.id, "outer")
    inner = new_folder(client, outer.id, "inner")
    for into in (outer, inner):
        with refused(400, "cyclical_folder_structure"):
            client.folders.update_folder_by_id(outer.id, parent=UpdateFolderByIdParent(id=into.id))
    assert client.folders.get_folder_by_id(outer.id).parent.id == folder.id
    assert client.folders.get_folder_by_id(inner.id).parent.id == outer.id


def test_copy_brings_everything_below(client, folder):
    source = new_folder(client, folder.id, "source")
    deep = new_folder(client, new_folder(client, source.id, "a").id, "b")
    upload(client, source.id, "top.txt", b"top")
    upload(client, deep.id, "deep.txt", b"deep")
    copied = well_typed(client.folders.copy_folder(source.id, CopyFolderParent(id=folder.id), name="copy"))
    assert copied.id != source.id
    assert copied.name == "copy"
    assert names_in(client, copied.id) == ["a", "top.txt"]
    a = client.folders.get_folder_items(copied.id).entries[0]
    b = client.folders.get_folder_items(a.id).entries[0]
    file = client.folders.get_folder_items(b.id).entries[0]
    assert download(client, file.id) == b"deep"
    client.folders.delete_folder_by_id(source.id, recursive=True)
    assert download(client, file.id) == b"deep"


def test_copy_without_a_name_conflicts_beside_its_source(client, folder):
    source = new_folder(client, folder.id, "source")
    with refused(409, "item_name_in_use"):
        client.folders.copy_folder(source.id, CopyFolderParent(id=folder.id))


def test_delete_empty(client, folder):
    doomed = new_folder(client, folder.id, "doomed")
    assert client.folders.delete_folder_by_id(doomed.id) is None
    with refused(404):
        client.folders.get_folder_by_id(doomed.id)
    assert names_in(client, folder.id) == []


def test_a_folder_with_content_is_deleted_only_recursively(client, folder):
    doomed = new_folder(client, folder.id, "doomed")
    kept = upload(client, doomed.id, "still here.txt", b"x")
    with refused(400, "folder_not_empty"):
        client.folders.delete_folder_by_id(doomed.id)
    with refused(400, "folder_not_empty"):
        client.folders.delete_folder_by_id(doomed.id, recursive=False)
    assert download(client, kept.id) == b"x"
    client.folders.delete_folder_by_id(doomed.id, recursive=True)
    with refused(404):
        client.files.get_file_by_id(kept.id)


def test_the_root_cannot_be_deleted_renamed_or_moved(client, folder):
    for attempt in (
        lambda: client.folders.delete_folder_by_id("0", recursive=True),
        lambda: client.folders.update_folder_by_id("0", name="Mine"),
        lambda: client.folders.update_folder_by_id("0", parent=UpdateFolderByIdParent(id=folder.id)),
    ):
        try:
            attempt()
        except Exception as error:
            assert 400 <= error.response_info.status_code < 500
        else:
            raise AssertionError("the root was changed")
    assert client.folders.get_folder_by_id("0").name == "All Files"


@pytest.fixture(scope="module")
def shelf(client):
    """A folder of 23 items: 8 folders and 15 files."""
    shelf = new_folder(client, "0", "shelf for paging")
    for number in range(8):
        new_folder(client, shelf.id, f"folder {number:02}")
    for number in range(15):
        upload(client, shelf.id, f"file {number:02}.txt", b"x" * number)
    return shelf


EXPECTED = [f"folder {number:02}" for number in range(8)] + [f"file {number:02}.txt" for number in range(15)]


def test_items_without_fields_are_mini(client, shelf):
    page = well_typed(client.folders.get_folder_items(shelf.id))
    assert [item.name for item in page.entries] == EXPECTED
    assert page.total_count == 23
    assert page.offset == 0
    assert page.limit == 100
    sent = page.raw_data["entries"]
    assert set(sent[0]) == {"type", "id", "etag", "sequence_id", "name"}
    assert set(sent[-1]) == {"type", "id", "etag", "sequence_id", "name", "sha1", "file_version"}


def test_items_by_offset(client, shelf):
    seen, offset = [], 0
    while True:
        page = client.folders.get_folder_items(shelf.id, offset=offset, limit=5)
        assert page.total_count == 23
        assert page.offset == offset
        assert page.limit == 5
        assert len(page.entries) <= 5
        if not page.entries:
            break
        seen += [item.name for item in page.entries]
        offset += 5
    assert seen == EXPECTED


def test_items_by_marker(client, shelf):
    seen, marker, pages = [], None, 0
    while True:
        page = client.folders.get_folder_items(shelf.id, usemarker=True, marker=marker, limit=5)
        assert len(page.entries) <= 5
        seen += [item.name for item in page.entries]
        pages += 1
        marker = page.next_marker
        assert marker != ""
        if marker is None:
            break
        assert pages < 20, "the marker never ends"
    assert seen == EXPECTED
    assert pages in (5, 6)


def test_items_by_marker_when_the_last_page_is_full(client, shelf):
    page = client.folders.get_folder_items(shelf.id, usemarker=True, limit=23)
    assert len(page.entries) == 23
    if page.next_marker is not None:
        after = client.folders.get_folder_items(shelf.id, usemarker=True, marker=page.next_marker, limit=23)
        assert after.entries == []
        assert after.next_marker is None


def test_a_marker_survives_changes_before_it(client, folder):
    for number in range(6):
        upload(client, folder.id, f"{number}.txt", b"x")
    first = client.folders.get_folder_items(folder.id, usemarker=True, limit=3)
    client.files.delete_file_by_id(first.entries[0].id)
    upload(client, folder.id, "0-again.txt", b"x")
    rest = client.folders.get_folder_items(folder.id, usemarker=True, limit=10, marker=first.next_marker)
    assert [item.name for item in rest.entries] == ["3.txt", "4.txt", "5.txt"]


def test_items_with_fields(client, shelf):
    page = client.folders.get_folder_items(shelf.id, fields=["name", "size", "parent"], limit=1000)
    for sent in page.raw_data["entries"]:
        assert set(sent) == {"type", "id", "etag", "name", "size", "parent"}
        assert sent["parent"]["id"] == shelf.id
    assert [item.size for item in page.entries if item.type == "file"] == list(range(15))


def test_items_sorted(client, shelf):
    page = client.folders.get_folder_items(
        shelf.id, sort=GetFolderItemsSort.NAME, direction=GetFolderItemsDirection.DESC, limit=1000
    )
    files = [item.name for item in page.entries if item.type == "file"]
    assert files == sorted(files, reverse=True)
    by_size = client.folders.get_folder_items(
        shelf.id, sort=GetFolderItemsSort.SIZE, direction=GetFolderItemsDirection.ASC, fields=["size"], limit=1000
    )
    sizes = [item.size for item in by_size.entries if item.type == "file"]
    assert sizes == sorted(sizes)


def test_limits_out_of_range(client, shelf, raw):
    assert len(client.folders.get_folder_items(shelf.id, limit=5000).entries) == 23
    for query in ("limit=-1", "limit=many", "offset=-1", "offset=first"):
        answer = raw.ask("GET", f"/2.0/folders/{shelf.id}/items?{query}")
        assert answer.status_code == 400, f"{query}: {answer.status_code} {answer.text}"


def test_a_folder_shows_its_first_items(client, shelf):
    got = client.folders.get_folder_by_id(shelf.id, limit=3, offset=2)
    assert [item.name for item in got.item_collection.entries] == EXPECTED[2:5]
    assert got.item_collection.total_count == 23


def test_an_absent_folder(client):
    with refused(404, "not_found"):
        client.folders.get_folder_by_id("999999999999")
    with refused(404, "not_found"):
        client.folders.get_folder_items("999999999999")
    with refused(404, "not_found"):
        new_folder(client, "999999999999", "lost")
    with refused(404, "not_found"):
        client.folders.delete_folder_by_id("999999999999")


def test_a_malformed_id(client):
    for call in (client.folders.get_folder_by_id, client.folders.get_folder_items, client.files.get_file_by_id):
        with refused(405):
            call("not-a-number")


def test_the_id_of_a_file_is_not_that_of_a_folder(client, folder):
    file = upload(client, folder.id, "file.txt", b"x")
    with refused(404):
        client.folders.get_folder_by_id(file.id)
    with refused(404):
        client.files.get_file_by_id(folder.id)


def test_if_match(client, folder):
    with refused(412):
        client.folders.update_folder_by_id(folder.id, description="late", if_match="77")
    changed = client.folders.update_folder_by_id(folder.id, description="in time", if_match=folder.etag)
    with refused(412):
        client.folders.delete_folder_by_id(folder.id, if_match=folder.etag)
    client.folders.delete_folder_by_id(folder.id, if_match=changed.etag)


def test_if_none_match(client, server, folder):
    def ask(etag):
        return client.make_request(
            FetchOptions(
                url=f"{server.url}/2.0/folders/{folder.id}",
                method="GET",
                headers={"if-none-match": etag},
                response_format=ResponseFormat.JSON,
            )
        )

    unchanged = ask(folder.etag)
    assert unchanged.status == 304
    assert unchanged.content.read() == b""
    assert ask("77").status == 200


def test_concurrent_changes_of_one_folder_all_count(client, folder):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: new_folder(client, folder.id, f"sibling {number:02}"), range(40)))
    assert names_in(client, folder.id) == [f"sibling {number:02}" for number in range(40)]
