"""File requests: made and changed with the SDK, and used as a browser does, by people without an account."""

from datetime import datetime, timedelta, timezone

import pytest
import requests
from box_sdk_gen.managers.file_requests import (
    CreateFileRequestCopyFolder,
    CreateFileRequestCopyStatus,
    UpdateFileRequestByIdStatus,
)

from kit import download, names_in, new_folder, refused, upload
from test_box_collaborations import Person

INACTIVE = UpdateFileRequestByIdStatus.INACTIVE


@pytest.fixture(scope="module")
def bob(server):
    return Person(server, "bob")


def make(raw, folder: str, **more) -> dict:
    """Box makes the first one in its web application; here there is an operation for it."""
    body = {"folder": {"type": "folder", "id": folder}, "title": "Papers", **more}
    answer = raw.ask("POST", "/2.0/file_requests", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def send(server, url: str, *files: tuple[str, bytes], **fields: str) -> requests.Response:
    parts = [("file", file) for file in files]
    return requests.post(server.origin + url, data=fields, files=parts, verify=server.ca, timeout=60)


def test_a_file_request_is_shown_and_changed(client, raw, folder):
    made = make(raw, folder.id, description="All of them.")
    found = client.file_requests.get_file_request_by_id(made["id"])
    assert (found.title, found.description, found.status.value) == ("Papers", "All of them.", "active")
    assert (found.folder.id, found.created_by.id) == (folder.id, client.users.get_user_me().id)
    assert found.url.startswith("/f/") and found.etag == "0"
    end = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=1)
    changed = client.file_requests.update_file_request_by_id(
        made["id"], title="Others", status=INACTIVE, is_email_required=True, expires_at=end, if_match="0"
    )
    assert (changed.title, changed.status.value, changed.is_email_required) == ("Others", "inactive", True)
    assert (changed.expires_at, changed.etag, changed.url) == (end, "1", found.url)
    with refused(412, "precondition_failed"):
        client.file_requests.update_file_request_by_id(made["id"], title="Late", if_match="0")


def test_a_file_request_is_copied_and_removed(client, raw, folder):
    made, other = make(raw, folder.id, is_description_required=True), new_folder(client, folder.id, "other")
    copied = client.file_requests.create_file_request_copy(
        made["id"], CreateFileRequestCopyFolder(id=other.id), title="Copy", status=CreateFileRequestCopyStatus.ACTIVE
    )
    assert (copied.title, copied.folder.id, copied.is_description_required) == ("Copy", other.id, True)
    assert copied.url != made["url"]
    client.file_requests.delete_file_request_by_id(made["id"])
    with refused(404, "not_found"):
        client.file_requests.get_file_request_by_id(made["id"])
    assert client.file_requests.get_file_request_by_id(copied.id).etag == "0"


def test_the_requests_of_a_folder_are_listed(raw, folder):
    made = [make(raw, folder.id, title=f"request {number}")["id"] for number in range(3)]
    first = raw.ask("GET", f"/2.0/folders/{folder.id}/file_requests?limit=2").json()
    assert [entry["id"] for entry in first["entries"]] == made[:2]
    rest = raw.ask("GET", f"/2.0/folders/{folder.id}/file_requests?marker={first['next_marker']}").json()
    assert [entry["id"] for entry in rest["entries"]] == made[2:]


def test_nobody_else_sees_it(raw, bob, folder):
    made = make(raw, folder.id)
    for call in (
        lambda: bob.client.file_requests.get_file_request_by_id(made["id"]),
        lambda: bob.client.file_requests.update_file_request_by_id(made["id"], title="Mine"),
        lambda: bob.client.file_requests.create_file_request_copy(made["id"], CreateFileRequestCopyFolder(id="0")),
        lambda: bob.client.file_requests.delete_file_request_by_id(made["id"]),
    ):
        with refused(404, "not_found"):
            call()


def test_who_has_the_url_sends_files(server, client, raw, folder):
    mine = upload(client, folder.id, "a.txt", b"mine")
    made = make(raw, folder.id, is_email_required=True, is_description_required=True)
    page = requests.get(server.origin + made["url"], verify=server.ca, timeout=60)
    assert page.status_code == 200 and "<h1>Papers</h1>" in page.text
    assert folder.name not in page.text
    assert requests.get(server.origin + "/f/style.css", verify=server.ca, timeout=60).status_code == 200
    sent = send(
        server, made["url"], ("a.txt", b"theirs"), ("b.bin", bytes(3_000_000)),
        email="carla@example.org", description="both",
    )
    assert sent.status_code == 200 and "<li>b.bin</li>" in sent.text, sent.text
    assert sorted(names_in(client, folder.id)) == ["a (1).txt", "a.txt", "b.bin"]
    assert download(client, mine.id) == b"mine"
    entries = client.folders.get_folder_items(folder.id, fields=["uploader_display_name", "description", "size"]).entries
    theirs = next(entry for entry in entries if entry.uploader_display_name == "carla@example.org")
    assert theirs.description == "both"
    unsigned = send(server, made["url"], ("c.txt", b"x"), description="it")
    assert unsigned.status_code == 400 and "mail address" in unsigned.text


def test_without_an_address_it_is_from_a_file_request(server, client, raw, folder):
    made = make(raw, folder.id)
    assert send(server, made["url"], ("a.txt", b"x")).status_code == 200
    (entry,) = client.folders.get_folder_items(folder.id, fields=["uploader_display_name"]).entries
    assert entry.uploader_display_name == "File Request"
    versions = client.files.get_file_by_id(entry.id, fields=["uploader_display_name"])
    assert versions.uploader_display_name == "File Request"


def test_what_is_switched_off_takes_nothing(server, client, raw, folder):
    made = make(raw, folder.id)
    client.file_requests.update_file_request_by_id(made["id"], status=INACTIVE)
    closed = send(server, made["url"], ("a.txt", b"x"))
    assert closed.status_code == 404 and "Papers" not in closed.text
    assert names_in(client, folder.id) == []
