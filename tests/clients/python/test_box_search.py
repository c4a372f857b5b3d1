"""Search: with the SDK. Other nodes know soon after what was done on one."""

import time

import pytest
from box_sdk_gen import (
    CreateCollaborationRole,
    SearchForContentContentTypes,
    SearchForContentScope,
    SearchForContentSort,
    SearchForContentTrashContent,
    SearchForContentType,
)

from kit import new_folder, refused, upload
from test_box_collaborations import Person
from test_box_web_links import invite


@pytest.fixture
def ann(server):
    return Person(server, "ann")


@pytest.fixture
def bob(server):
    return Person(server, "bob")


def found(person, query=None, **how):
    return sorted(entry.name for entry in person.client.search.search_for_content(query=query, **how).entries)


def eventually(expected, person, query=None, **how):
    """Not only once: each node has an index of its own."""
    good = 0
    for _ in range(200):
        good = good + 1 if found(person, query, **how) == expected else 0
        if good == 3:
            return
        time.sleep(0.1)
    assert found(person, query, **how) == expected


def test_words_find_items(ann, bob):
    folder = new_folder(ann.client, "0", "Quarterly Überblick")
    file = upload(ann.client, folder.id, "Überblick 四半期会議録.txt", b"12345")
    both = ["Quarterly Überblick", "Überblick 四半期会議録.txt"]
    eventually(both, ann, "uberblick")
    for query in ("ÜBERBLICK", "\"uberblick\"", "quarterly OR 会議", "berbli"):
        assert found(ann, query) == both
    assert found(ann, "uberblick NOT quarterly") == [file.name]
    assert found(ann, "uberblick AND 会議録") == [file.name]
    page = ann.client.search.search_for_content(query="uberblick", limit=1, offset=1)
    assert (page.total_count, page.limit, page.offset, len(page.entries)) == (2, 1, 1, 1)
    assert page.type.value == "search_results_items"
    links = ann.client.search.search_for_content(query="会議", include_recent_shared_links=True)
    assert links.type.value == "search_results_with_shared_links"
    assert links.entries[0].item.id == file.id
    # Nobody else finds them, until they are shared, and never learns how many there are.
    assert bob.client.search.search_for_content(query="uberblick").total_count == 0
    role = invite(ann.client, folder.id, bob, CreateCollaborationRole.VIEWER)
    assert found(bob, "uberblick") == both
    ann.client.user_collaborations.delete_collaboration_by_id(role.id)
    assert found(bob, "uberblick") == []


def test_what_narrows_down(ann):
    folder = new_folder(ann.client, "0", "narrow")
    file = upload(ann.client, folder.id, "narrow.txt", b"12345")
    ann.client.files.update_file_by_id(file.id, description="a thin word", tags=["slim"])
    eventually(["narrow.txt"], ann, "thin")
    assert found(ann, "slim") == ["narrow.txt"]
    assert found(ann, "slim", content_types=[SearchForContentContentTypes.NAME]) == []
    assert found(ann, "slim", content_types=[SearchForContentContentTypes.TAGS]) == ["narrow.txt"]
    assert found(ann, "narrow", type=SearchForContentType.FOLDER) == ["narrow"]
    assert found(ann, "narrow", file_extensions=["txt", "pdf"]) == ["narrow.txt"]
    assert found(ann, "narrow", size_range=[5, 6]) == ["narrow.txt"]
    assert found(ann, "narrow", created_at_range=["2020-01-01T00:00:00+02:00", ""]) == ["narrow", "narrow.txt"]
    assert found(ann, "narrow", updated_at_range=["", "2020-01-01T00:00:00Z"]) == []
    assert found(ann, "narrow", ancestor_folder_ids=[folder.id]) == ["narrow.txt"]
    own = ann.client.users.get_user_me().id
    assert found(ann, "narrow", owner_user_ids=[own], recent_updater_user_ids=[own]) == ["narrow", "narrow.txt"]
    assert found(ann, "narrow", sort=SearchForContentSort.MODIFIED_AT) == ["narrow", "narrow.txt"]
    ann.client.files.delete_file_by_id(file.id)
    assert found(ann, "narrow") == ["narrow"]
    trashed = dict(trash_content=SearchForContentTrashContent.TRASHED_ONLY, deleted_user_ids=[own])
    assert found(ann, "narrow", **trashed) == ["narrow.txt"]


def test_what_is_no_search_is_refused(ann, bob):
    folder = new_folder(ann.client, "0", "closed")
    with refused(400):
        ann.client.search.search_for_content()
    with refused(400):
        ann.client.search.search_for_content(query="x", offset=10_001)
    with refused(403):
        ann.client.search.search_for_content(query="x", scope=SearchForContentScope.ENTERPRISE_CONTENT)
    with refused(404):
        bob.client.search.search_for_content(query="x", ancestor_folder_ids=[folder.id])
