"""Collections, of which each user has one, and what they last had to do with: with the SDK."""

import pytest
from box_sdk_gen import (
    CreateCollaborationRole,
    UpdateFileByIdCollections,
    UpdateFolderByIdCollections,
)

from kit import download, new_folder, refused, upload
from test_box_collaborations import DENIED, Person
from test_box_web_links import invite, make


@pytest.fixture
def ann(server):
    """Somebody whose lists nobody else fills."""
    return Person(server, "ann")


@pytest.fixture
def bob(server):
    return Person(server, "bob")


def favorites(person):
    [collection] = person.client.collections.get_collections().entries
    return collection


def listed(person, **how):
    return [entry.id for entry in person.client.collections.get_collection_items(favorites(person).id, **how).entries]


def add(person, file_id: str):
    collections = [UpdateFileByIdCollections(id=favorites(person).id)]
    return person.client.files.update_file_by_id(file_id, collections=collections)


def shown_collections(person, path: str):
    answer = person.raw.ask("GET", f"/2.0/{path}?fields=collections")
    return [collection["id"] for collection in answer.json()["collections"]]


def test_everybody_has_favorites(ann, bob):
    page = ann.client.collections.get_collections()
    assert (page.total_count, page.offset) == (1, 0)
    [own] = page.entries
    assert (own.type.value, own.name.value, own.collection_type.value) == ("collection", "Favorites", "favorites")
    one = ann.client.collections.get_collection_by_id(own.id)
    assert (one.id, one.name, one.collection_type) == (own.id, own.name, own.collection_type)
    assert favorites(bob).id != own.id
    with refused(404, "not_found"):
        bob.client.collections.get_collection_by_id(own.id)
    with refused(404, "not_found"):
        bob.client.collections.get_collection_items(own.id)
    assert ann.client.collections.get_collections(offset=1).entries == []


def test_what_is_no_collection_is_not_found(ann):
    with refused(404, "not_found"):
        ann.client.collections.get_collection_by_id("77777")
    assert ann.raw.ask("GET", "/2.0/collections/none").status_code == 405
    assert ann.raw.ask("GET", "/2.0/collections?offset=-1").status_code == 400
    assert ann.raw.ask("GET", f"/2.0/collections/{ann.id}/items?limit=x").status_code == 400


def test_items_join_and_leave(ann):
    inner = new_folder(ann.client, "0", "inner")
    file = upload(ann.client, inner.id, "file.txt", b"x")
    link = make(ann.client, inner.id)
    assert listed(ann) == []
    assert shown_collections(ann, f"files/{file.id}") == []
    add(ann, file.id)
    assert shown_collections(ann, f"files/{file.id}") == [favorites(ann).id]
    to_folder = [UpdateFolderByIdCollections(id=favorites(ann).id)]
    ann.client.folders.update_folder_by_id(inner.id, collections=to_folder)
    answer = ann.raw.ask("PUT", f"/2.0/web_links/{link.id}", json={"collections": [{"id": favorites(ann).id}]})
    assert answer.status_code == 200
    assert sorted(listed(ann)) == sorted([file.id, inner.id, link.id])
    assert len(listed(ann, limit=2)) == 2
    assert len(listed(ann, limit=2, offset=2)) == 1
    assert ann.client.collections.get_collection_items(favorites(ann).id).total_count == 3
    children = ann.raw.ask("GET", f"/2.0/folders/{inner.id}/items?fields=collections").json()["entries"]
    assert [child["collections"][0]["collection_type"] for child in children] == ["favorites"] * 2
    ann.client.files.update_file_by_id(file.id, collections=[])
    assert ann.raw.ask("PUT", f"/2.0/folders/{inner.id}", json={"collections": None}).status_code == 200
    assert listed(ann) == [link.id]
    assert shown_collections(ann, f"files/{file.id}") == []
    assert shown_collections(ann, f"web_links/{link.id}") == [favorites(ann).id]


def test_a_favorite_changes_nothing_of_the_item(ann):
    file = upload(ann.client, "0", "file.txt", b"x")
    add(ann, file.id)
    after = ann.client.files.get_file_by_id(file.id)
    assert (after.etag, after.modified_at) == (file.etag, file.modified_at)


def test_what_may_not_be_seen_is_left_out(ann, bob):
    inner = new_folder(ann.client, "0", "inner")
    file = upload(ann.client, inner.id, "file.txt", b"x")
    with refused(404, "not_found"):
        add(bob, file.id)
    role = invite(ann.client, inner.id, bob, CreateCollaborationRole.VIEWER)
    add(bob, file.id)
    assert (listed(bob), listed(ann)) == ([file.id], [])
    with refused(403, DENIED):
        bob.client.files.update_file_by_id(file.id, name="mine.txt", collections=[])
    ann.client.user_collaborations.delete_collaboration_by_id(role.id)
    assert listed(bob) == []


def test_the_trash_hides_favorites(ann):
    file = upload(ann.client, "0", "file.txt", b"x")
    add(ann, file.id)
    ann.client.files.delete_file_by_id(file.id)
    assert listed(ann) == []
    ann.client.trashed_files.restore_file_from_trash(file.id)
    assert listed(ann) == [file.id]
    ann.client.files.delete_file_by_id(file.id)
    ann.client.trashed_files.delete_trashed_file_by_id(file.id)
    assert ann.client.collections.get_collection_items(favorites(ann).id).total_count == 0


@pytest.mark.parametrize("collections", ["x", 5, [{}], [{"id": "x"}], ["1"]])
def test_malformed_collections_are_refused(ann, collections):
    file = upload(ann.client, "0", "file.txt", b"x")
    answer = ann.raw.ask("PUT", f"/2.0/files/{file.id}", json={"collections": collections})
    assert (answer.status_code, answer.json()["type"]) == (400, "error")


def test_others_favorites_are_not_for_ones_own_items(ann, bob):
    file = upload(ann.client, "0", "file.txt", b"x")
    with refused(404, "not_found"):
        ann.client.files.update_file_by_id(file.id, collections=[UpdateFileByIdCollections(id=favorites(bob).id)])
    assert (listed(ann), listed(bob)) == ([], [])


def acts(person, **how):
    entries = person.client.recent_items.get_recent_items(**how).entries
    return [(entry.item.id, entry.interaction_type.value) for entry in entries]


def eventually(person, expected):
    """Other nodes find what one has noted soon after."""
    import time

    for _ in range(50):
        if acts(person) == expected:
            return
        time.sleep(0.1)
    assert acts(person) == expected


def test_what_was_done_is_recent(ann):
    assert acts(ann) == []
    first = upload(ann.client, "0", "first.txt", b"x")
    eventually(ann, [(first.id, "item_upload")])
    second = upload(ann.client, "0", "second.txt", b"x")
    eventually(ann, [(second.id, "item_upload"), (first.id, "item_upload")])
    assert download(ann.client, first.id) == b"x"
    eventually(ann, [(first.id, "item_open"), (second.id, "item_upload")])
    ann.client.files.update_file_by_id(second.id, description="changed")
    eventually(ann, [(second.id, "item_modify"), (first.id, "item_open")])
    link = make(ann.client, "0")
    eventually(ann, [(link.id, "item_upload"), (second.id, "item_modify"), (first.id, "item_open")])
    [latest, *_] = ann.client.recent_items.get_recent_items().entries
    assert (latest.type, latest.item.name) == ("recent_item", "link")
    assert latest.interacted_at is not None


def test_recent_items_come_page_by_page(ann):
    files = []
    for number in range(3):
        files.append(upload(ann.client, "0", f"{number}.txt", b"x").id)
        eventually(ann, [(file, "item_upload") for file in reversed(files)])
    found, marker = [], None
    for _ in range(4):
        page = ann.client.recent_items.get_recent_items(limit=1, marker=marker)
        found += [entry.item.id for entry in page.entries]
        marker = page.next_marker
        if marker is None:
            break
    assert found == files[::-1]
    with refused(400):
        ann.client.recent_items.get_recent_items(marker="nonsense")
    [one] = ann.client.recent_items.get_recent_items(limit=1, fields=["name"]).entries
    assert "size" not in one.item.raw_data


def test_recent_items_are_ones_own_and_may_be_seen(ann, bob):
    inner = new_folder(ann.client, "0", "inner")
    file = upload(ann.client, inner.id, "file.txt", b"x")
    role = invite(ann.client, inner.id, bob, CreateCollaborationRole.VIEWER)
    assert download(bob.client, file.id) == b"x"
    eventually(bob, [(file.id, "item_open")])
    eventually(ann, [(file.id, "item_upload")])
    ann.client.files.delete_file_by_id(file.id)
    assert (acts(ann), acts(bob)) == ([], [])
    ann.client.trashed_files.restore_file_from_trash(file.id)
    assert acts(bob) == [(file.id, "item_open")]
    ann.client.user_collaborations.delete_collaboration_by_id(role.id)
    assert acts(bob) == []
