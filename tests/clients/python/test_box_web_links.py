"""Web links, with the SDK: made, moved, listed, shared, trashed and copied as files are, and held against Box's description."""

import pytest
import requests
from box_sdk_gen import (
    AddShareLinkToWebLinkSharedLink,
    AddShareLinkToWebLinkSharedLinkAccessField,
    CopyFolderParent,
    CreateCollaborationAccessibleBy,
    CreateCollaborationAccessibleByTypeField,
    CreateCollaborationItem,
    CreateCollaborationItemTypeField,
    CreateCollaborationRole,
    CreateWebLinkParent,
    RestoreWeblinkFromTrashParent,
    UpdateSharedLinkOnWebLinkSharedLink,
    UpdateSharedLinkOnWebLinkSharedLinkAccessField,
    UpdateWebLinkByIdParent,
)
from box_sdk_gen.internal.null_value import null

import dav
from kit import names_in, new_folder, refused, upload
from test_box_collaborations import DENIED, Person

URL = "https://example.com/a?b=c"
FIELDS = "shared_link"


@pytest.fixture(scope="module")
def bob(server):
    return Person(server, "bob")


def make(client, parent: str, name: str | None = "link", url: str = URL, **more):
    return client.web_links.create_web_link(url, CreateWebLinkParent(id=parent), name=name, **more)


def invite(client, folder: str, person, role: CreateCollaborationRole):
    return client.user_collaborations.create_collaboration(
        CreateCollaborationItem(type=CreateCollaborationItemTypeField.FOLDER, id=folder),
        CreateCollaborationAccessibleBy(type=CreateCollaborationAccessibleByTypeField.USER, id=person.id),
        role,
    )


def test_a_web_link_is_made_and_shown(client, folder):
    made = make(client, folder.id, description="where")
    assert (made.type.value, made.url, made.name, made.description) == ("web_link", URL, "link", "where")
    assert (made.parent.id, made.item_status.value, made.shared_link) == (folder.id, "active", None)
    assert made.owned_by.id == made.created_by.id == client.users.get_user_me().id
    assert client.web_links.get_web_link_by_id(made.id).raw_data == made.raw_data


def test_a_web_link_without_a_name_is_called_after_its_url(client, folder):
    assert make(client, folder.id, name=None).name == "example.com_a?b=c"


def test_a_web_link_changes(client, folder):
    link, other = make(client, folder.id), new_folder(client, folder.id, "other")
    changed = client.web_links.update_web_link_by_id(link.id, url="http://b.example", name="b", description="c")
    assert (changed.url, changed.name, changed.description, changed.etag) == ("http://b.example", "b", "c", "1")
    moved = client.web_links.update_web_link_by_id(link.id, parent=UpdateWebLinkByIdParent(id=other.id))
    assert (moved.parent.id, moved.url) == (other.id, "http://b.example")
    assert names_in(client, other.id) == ["b"]


def test_web_links_are_listed_after_folders_and_files(client, folder):
    make(client, folder.id, "a")
    upload(client, folder.id, "b", b"x")
    new_folder(client, folder.id, "c")
    entries = client.folders.get_folder_items(folder.id).entries
    assert [(entry.type.value, entry.name) for entry in entries] == [("folder", "c"), ("file", "b"), ("web_link", "a")]
    assert entries[2].url == URL
    marked = client.folders.get_folder_items(folder.id, usemarker=True, limit=2)
    rest = client.folders.get_folder_items(folder.id, usemarker=True, limit=2, marker=marked.next_marker)
    assert [entry.name for entry in rest.entries] == ["a"]
    [last] = client.folders.get_folder_items(folder.id, fields=["url"], offset=2).entries
    assert last.url == URL


def test_names_are_had_once(client, folder):
    link = make(client, folder.id, "Taken")
    with refused(409, "item_name_in_use") as caught:
        make(client, folder.id, "taken")
    assert caught.error.body["context_info"]["conflicts"]["id"] == link.id
    with refused(409, "item_name_in_use"):
        upload(client, folder.id, "TAKEN", b"x")
    with refused(409, "item_name_in_use"):
        new_folder(client, folder.id, "taken")


@pytest.mark.parametrize(
    "url",
    ["example.com", "ftp://example.com", "javascript:alert(1)", "file:///etc/passwd", "https://", "https://a b", "https://a/" + "x" * 2048],
)
def test_what_is_no_url_is_refused(client, folder, url):
    with refused(400, "bad_request"):
        make(client, folder.id, url=url)
    link = make(client, folder.id)
    with refused(400, "bad_request"):
        client.web_links.update_web_link_by_id(link.id, url=url)


@pytest.mark.parametrize("name", ["a/b", "a\\b", "..", "a ", "x" * 256])
def test_bad_names_are_refused(client, folder, name):
    with refused(400):
        make(client, folder.id, name)


@pytest.mark.parametrize("body", [{}, {"url": URL}, {"parent": {"id": "0"}}, {"url": 1, "parent": {"id": "0"}}, []])
def test_malformed_bodies_are_refused(raw, body):
    answer = raw.ask("POST", "/2.0/web_links", json=body)
    assert (answer.status_code, answer.json()["type"]) == (400, "error")


def test_what_is_not_there_is_not_found(client, folder, raw):
    with refused(404, "not_found"):
        client.web_links.get_web_link_by_id("77777")
    with refused(404, "not_found"):
        client.web_links.get_web_link_by_id(folder.id)
    with refused(404, "not_found"):
        make(client, "77777")
    assert raw.ask("GET", "/2.0/web_links/none").status_code == 405


def test_a_web_link_is_no_file_and_no_folder(client, folder):
    link = make(client, folder.id)
    for ask in (client.files.get_file_by_id, client.folders.get_folder_by_id, client.downloads.download_file):
        with refused(404, "not_found"):
            ask(link.id)


def test_a_web_link_is_trashed_and_restored(client, folder):
    link = make(client, folder.id)
    client.web_links.delete_web_link_by_id(link.id)
    with refused(404, "trashed"):
        client.web_links.get_web_link_by_id(link.id)
    trashed = client.trashed_web_links.get_trashed_web_link_by_id(link.id)
    assert (trashed.item_status.value, trashed.url) == ("trashed", URL)
    assert trashed.trashed_at is not None and trashed.purged_at is not None
    listed = client.trashed_items.get_trashed_items(limit=1000).entries
    assert [entry.url for entry in listed if entry.id == link.id] == [URL]
    restored = client.trashed_web_links.restore_weblink_from_trash(link.id, name="back")
    assert (restored.name, restored.parent.id, restored.item_status.value) == ("back", folder.id, "active")
    assert restored.trashed_at is None
    assert client.web_links.get_web_link_by_id(link.id).url == URL
    with refused(404, "not_found"):
        client.trashed_web_links.get_trashed_web_link_by_id(link.id)


def test_a_web_link_is_restored_elsewhere_when_its_folder_is_gone(client, folder):
    inner = new_folder(client, folder.id, "inner")
    link = make(client, inner.id)
    client.web_links.delete_web_link_by_id(link.id)
    client.folders.delete_folder_by_id(inner.id)
    with refused(404, "not_found"):
        client.trashed_web_links.restore_weblink_from_trash(link.id)
    parent = RestoreWeblinkFromTrashParent(id=folder.id)
    assert client.trashed_web_links.restore_weblink_from_trash(link.id, parent=parent).parent.id == folder.id


def test_a_restored_name_may_be_taken(client, folder):
    link = make(client, folder.id)
    client.web_links.delete_web_link_by_id(link.id)
    make(client, folder.id)
    with refused(409, "item_name_in_use"):
        client.trashed_web_links.restore_weblink_from_trash(link.id)


def test_a_web_link_is_purged(client, folder):
    link = make(client, folder.id)
    with refused(404, "not_found"):
        client.trashed_web_links.delete_trashed_web_link_by_id(link.id)
    client.web_links.delete_web_link_by_id(link.id)
    client.trashed_web_links.delete_trashed_web_link_by_id(link.id)
    for ask in (client.trashed_web_links.get_trashed_web_link_by_id, client.web_links.get_web_link_by_id):
        with refused(404, "not_found"):
            ask(link.id)


def test_folders_take_web_links_along(client, folder):
    inner = new_folder(client, folder.id, "inner")
    make(client, inner.id)
    copy = client.folders.copy_folder(inner.id, CopyFolderParent(id=folder.id), name="copy")
    [copied] = client.folders.get_folder_items(copy.id).entries
    assert (copied.type.value, copied.name, copied.url) == ("web_link", "link", URL)
    with refused(400, "folder_not_empty"):
        client.folders.delete_folder_by_id(copy.id)
    client.folders.delete_folder_by_id(copy.id, recursive=True)
    with refused(404, "trashed"):
        client.web_links.get_web_link_by_id(copied.id)
    client.trashed_folders.delete_trashed_folder_by_id(copy.id)
    with refused(404, "not_found"):
        client.web_links.get_web_link_by_id(copied.id)


def test_strangers_find_nothing(client, bob, folder):
    link = make(client, folder.id)
    links = bob.client.web_links
    with refused(404, "not_found"):
        links.get_web_link_by_id(link.id)
    with refused(404, "not_found"):
        links.update_web_link_by_id(link.id, name="mine")
    with refused(404, "not_found"):
        links.delete_web_link_by_id(link.id)
    with refused(404, "not_found"):
        make(bob.client, folder.id, "new")
    client.web_links.delete_web_link_by_id(link.id)
    for ask in (
        bob.client.trashed_web_links.get_trashed_web_link_by_id,
        bob.client.trashed_web_links.restore_weblink_from_trash,
        bob.client.trashed_web_links.delete_trashed_web_link_by_id,
    ):
        with refused(404, "not_found"):
            ask(link.id)


def test_viewers_look_and_editors_change(client, bob, folder):
    link = make(client, folder.id)
    role = invite(client, folder.id, bob, CreateCollaborationRole.VIEWER)
    links = bob.client.web_links
    assert links.get_web_link_by_id(link.id).url == URL
    with refused(403, DENIED):
        links.update_web_link_by_id(link.id, url="https://bob.example")
    with refused(403, DENIED):
        links.delete_web_link_by_id(link.id)
    with refused(403, DENIED):
        make(bob.client, folder.id, "new")
    client.user_collaborations.delete_collaboration_by_id(role.id)
    invite(client, folder.id, bob, CreateCollaborationRole.EDITOR)
    assert links.update_web_link_by_id(link.id, url="https://bob.example").modified_by.id == bob.id
    assert make(bob.client, folder.id, "new").owned_by.id == client.users.get_user_me().id


def test_an_uploader_does_not_learn_where_it_leads(client, bob, folder):
    link = make(client, folder.id)
    invite(client, folder.id, bob, CreateCollaborationRole.UPLOADER)
    seen = bob.client.web_links.get_web_link_by_id(link.id)
    assert (seen.name, seen.url) == ("link", None)


def test_a_shared_link_comes_changes_and_goes(client, bob, folder):
    link = make(client, folder.id)
    links = client.shared_links_web_links
    assert links.get_shared_link_for_web_link(link.id, FIELDS).shared_link is None
    made = links.add_share_link_to_web_link(link.id, FIELDS, shared_link=AddShareLinkToWebLinkSharedLink()).shared_link
    assert (made.access.value, made.download_url) == ("company", None)
    wish = UpdateSharedLinkOnWebLinkSharedLink(access=UpdateSharedLinkOnWebLinkSharedLinkAccessField.OPEN)
    changed = links.update_shared_link_on_web_link(link.id, FIELDS, shared_link=wish).shared_link
    assert (changed.access.value, changed.url) == ("open", made.url)
    header = f"shared_link={made.url}"
    found = bob.client.shared_links_web_links.find_web_link_for_shared_link(header)
    assert (found.type.value, found.id, found.url) == ("web_link", link.id, URL)
    assert bob.client.web_links.get_web_link_by_id(link.id, boxapi=header).url == URL
    with refused(404, "not_found"):
        bob.client.web_links.get_web_link_by_id(link.id)
    links.remove_shared_link_from_web_link(link.id, FIELDS, shared_link=null)
    with refused(404, "not_found"):
        bob.client.shared_links_web_links.find_web_link_for_shared_link(header)


def test_a_stranger_makes_no_shared_link(client, bob, folder):
    link = make(client, folder.id)
    wish = AddShareLinkToWebLinkSharedLink(access=AddShareLinkToWebLinkSharedLinkAccessField.OPEN)
    with refused(404, "not_found"):
        bob.client.shared_links_web_links.add_share_link_to_web_link(link.id, FIELDS, shared_link=wish)


def test_nobody_is_invited_to_a_web_link_itself(client, bob, folder, raw):
    link = make(client, folder.id)
    body = {
        "item": {"type": "web_link", "id": link.id},
        "accessible_by": {"type": "user", "id": bob.id},
        "role": "viewer",
    }
    assert raw.ask("POST", "/2.0/collaborations", json=body).status_code == 400


def test_webdav_does_not_see_web_links(server):
    """They are in nobody's way there but by their name, and go with their folder."""
    who = dav.person(server, server.origin, "links")
    client = server.client(server.token(who.login))
    top = new_folder(client, "0", "top")
    link = make(client, top.id)

    def send(method, path, **more):
        return requests.request(method, who.url + path, auth=who.auth, verify=server.ca, timeout=60, **more)

    listed = send("PROPFIND", "/top", headers={"depth": "1"})
    assert listed.status_code == 207
    assert "link" not in listed.text
    assert send("GET", "/top/link").status_code == 404
    assert send("DELETE", "/top/link").status_code == 404
    assert send("PUT", "/top/link", data=b"x").status_code == 405
    assert send("PUT", "/top/file", data=b"x").status_code == 201
    moved = send("MOVE", "/top/file", headers={"destination": f"{who.url}/top/link", "overwrite": "T"})
    assert moved.status_code in (405, 412)
    assert client.web_links.get_web_link_by_id(link.id).url == URL
    copied = send("COPY", "/top", headers={"destination": f"{who.url}/copy"})
    assert copied.status_code == 201
    assert send("DELETE", "/top").status_code == 204
    with refused(404, "trashed"):
        client.web_links.get_web_link_by_id(link.id)
    [copy] = [entry for entry in client.folders.get_folder_items("0").entries if entry.name == "copy"]
    assert sorted(names_in(client, copy.id)) == ["file", "link"]
