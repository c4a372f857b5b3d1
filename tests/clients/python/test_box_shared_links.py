"""Shared links: made, changed, followed and taken away with the SDK, and held against Box's description."""

import datetime

import pytest
from box_sdk_gen import (
    AddShareLinkToFileSharedLink,
    AddShareLinkToFileSharedLinkAccessField,
    AddShareLinkToFileSharedLinkPermissionsField,
    AddShareLinkToFolderSharedLink,
    AddShareLinkToFolderSharedLinkAccessField,
    UpdateSharedLinkOnFileSharedLink,
    UpdateSharedLinkOnFileSharedLinkAccessField,
    UpdateSharedLinkOnFolderSharedLink,
    UpdateSharedLinkOnFolderSharedLinkAccessField,
)
from box_sdk_gen.internal.null_value import null

from kit import download, new_folder, refused, upload
from test_box_collaborations import DENIED, Person

ACCESS = AddShareLinkToFileSharedLinkAccessField
FIELDS = "shared_link"
PASSWORD = "Opal-1-and-more"


@pytest.fixture(scope="module")
def bob(server):
    return Person(server, "bob")


def through(link, password: str | None = None) -> str:
    return f"shared_link={link.url}" + (f"&shared_link_password={password}" if password else "")


def test_a_files_link_comes_changes_and_goes(client, folder):
    file = upload(client, folder.id, "plan.pdf", b"plan")
    links = client.shared_links_files
    assert links.get_shared_link_for_file(file.id, FIELDS).shared_link is None
    made = links.add_share_link_to_file(file.id, FIELDS, shared_link=AddShareLinkToFileSharedLink()).shared_link
    assert (made.access.value, made.effective_permission.value) == ("company", "can_download")
    ends = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
    wish = UpdateSharedLinkOnFileSharedLink(
        access=UpdateSharedLinkOnFileSharedLinkAccessField.OPEN, unshared_at=ends, password=PASSWORD
    )
    changed = links.update_shared_link_on_file(file.id, FIELDS, shared_link=wish).shared_link
    assert changed.url == made.url
    assert (changed.access.value, changed.effective_access.value) == ("open", "open")
    assert changed.is_password_enabled
    assert changed.unshared_at == ends
    assert links.get_shared_link_for_file(file.id, FIELDS).shared_link.raw_data == changed.raw_data
    [entry] = client.folders.get_folder_items(folder.id, fields=["shared_link"]).entries
    assert entry.shared_link.raw_data == changed.raw_data
    links.remove_shared_link_from_file(file.id, FIELDS, shared_link=null)
    assert links.get_shared_link_for_file(file.id, FIELDS).shared_link is None


def test_a_file_is_found_by_its_link(client, bob, folder):
    file = upload(client, folder.id, "file.txt", b"hello")
    wish = AddShareLinkToFileSharedLink(access=ACCESS.OPEN, password=PASSWORD)
    link = client.shared_links_files.add_share_link_to_file(file.id, FIELDS, shared_link=wish).shared_link
    find = bob.client.shared_links_files.find_file_for_shared_link
    for password in (None, "another guess"):
        with refused(403, "incorrect_shared_item_password"):
            find(through(link, password))
    found = find(through(link, PASSWORD))
    assert (found.id, found.name) == (file.id, "file.txt")
    with refused(404, "not_found"):
        bob.client.files.get_file_by_id(file.id)
    header = {"boxapi": through(link, PASSWORD)}
    assert bob.client.files.get_file_by_id(file.id, boxapi=header["boxapi"]).id == file.id
    assert download(bob.client, file.id, boxapi=header["boxapi"]) == b"hello"
    with refused(403, DENIED):
        bob.client.files.update_file_by_id(file.id, name="mine.txt", extra_headers=header)


def test_a_folder_is_found_by_its_link_and_listed(client, bob, folder):
    inner = new_folder(client, folder.id, "inner")
    upload(client, inner.id, "file.txt", b"hello")
    links = client.shared_links_folders
    assert links.get_shared_link_for_folder(inner.id, FIELDS).shared_link is None
    wish = AddShareLinkToFolderSharedLink(access=AddShareLinkToFolderSharedLinkAccessField.OPEN)
    link = links.add_share_link_to_folder(inner.id, FIELDS, shared_link=wish).shared_link
    assert link.download_url is None
    find = bob.client.shared_links_folders.find_folder_for_shared_link
    found = find(through(link))
    assert (found.id, found.path_collection.total_count) == (inner.id, 1)
    assert [entry.name for entry in found.item_collection.entries] == ["file.txt"]
    listed = bob.client.folders.get_folder_items(inner.id, boxapi=through(link))
    assert [entry.name for entry in listed.entries] == ["file.txt"]
    wish = UpdateSharedLinkOnFolderSharedLink(access=UpdateSharedLinkOnFolderSharedLinkAccessField.COLLABORATORS)
    links.update_shared_link_on_folder(inner.id, FIELDS, shared_link=wish)
    with refused(404, "not_found"):
        find(through(link))
    links.remove_shared_link_from_folder(inner.id, FIELDS, shared_link=null)
    with refused(404, "not_found"):
        client.shared_links_folders.find_folder_for_shared_link(through(link))


def test_an_open_link_is_downloaded_without_signing_in(client, server, folder):
    file = upload(client, folder.id, "plan.pdf", b"plan")
    wish = AddShareLinkToFileSharedLink(access=ACCESS.OPEN)
    links = client.shared_links_files
    link = links.add_share_link_to_file(file.id, FIELDS, shared_link=wish).shared_link
    assert link.download_url.endswith(".pdf")
    nobody = server.raw(None)
    answer = nobody.ask("GET", link.download_url, allow_redirects=True)
    assert (answer.status_code, answer.content) == (200, b"plan")
    wish = AddShareLinkToFileSharedLink(
        access=ACCESS.OPEN, permissions=AddShareLinkToFileSharedLinkPermissionsField(can_download=False)
    )
    looked_at = links.add_share_link_to_file(file.id, FIELDS, shared_link=wish).shared_link
    assert looked_at.download_url is None
    assert nobody.ask("GET", link.download_url).status_code == 403
