"""Several items in one zip archive, with the SDK, and read with Python's own library and `unzip`."""

import io
import shutil
import subprocess
import zipfile

import pytest
import requests
from box_sdk_gen import (
    CreateZipDownloadItems,
    CreateZipDownloadItemsTypeField,
    DownloadZipItems,
    DownloadZipItemsTypeField,
)

from kit import new_folder, random_bytes, refused, upload
from test_box_collaborations import Person

FILE, FOLDER = CreateZipDownloadItemsTypeField.FILE, CreateZipDownloadItemsTypeField.FOLDER


@pytest.fixture(scope="module")
def bob(server):
    return Person(server, "bob")


def asked(*items):
    return [CreateZipDownloadItems(type=kind, id=id) for kind, id in items]


def opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


def test_a_folder_and_a_file_in_one_call(client, folder, tmp_path):
    top = new_folder(client, folder.id, "報告 2026")
    inner = new_folder(client, top.id, "inner")
    new_folder(client, top.id, "empty")
    large = random_bytes(9 * 1024 * 1024)
    upload(client, inner.id, "Übersicht.bin", large)
    upload(client, inner.id, "nothing.txt", b"")
    single = upload(client, folder.id, "single.txt", b"hello")
    items = [
        DownloadZipItems(type=DownloadZipItemsTypeField.FOLDER, id=top.id),
        DownloadZipItems(type=DownloadZipItemsTypeField.FILE, id=single.id),
    ]
    content = client.zip_downloads.download_zip(items, download_file_name="all").read()
    archive = opened(content)
    expected = ["報告 2026/", "報告 2026/empty/", "報告 2026/inner/"]
    expected += ["報告 2026/inner/nothing.txt", "報告 2026/inner/Übersicht.bin", "single.txt"]
    assert sorted(archive.namelist()) == sorted(expected)
    assert archive.read("報告 2026/inner/Übersicht.bin") == large
    assert archive.read("single.txt") == b"hello"
    assert archive.getinfo("single.txt").date_time[0] >= 2024
    if shutil.which("unzip"):
        path = tmp_path / "all.zip"
        path.write_bytes(content)
        subprocess.run(["unzip", "-tqq", str(path)], check=True, timeout=60)


def test_step_by_step(client, server, folder):
    files = [upload(client, folder.id, f"{number}.txt", b"x" * number) for number in range(3)]
    zips = client.zip_downloads
    made = zips.create_zip_download(asked(*((FILE, file.id) for file in files)), download_file_name="three")
    assert made.download_url.startswith("https://")
    assert made.name_conflicts == []
    with refused(404, "not_found"):
        zips.get_zip_download_status(made.status_url)
    client.files.delete_file_by_id(files[1].id)
    # The URL is enough.
    answer = requests.get(made.download_url, verify=server.ca, timeout=60)
    assert answer.status_code == 200
    assert "three.zip" in answer.headers["Content-Disposition"]
    assert opened(answer.content).namelist() == ["0.txt", "2.txt"]
    status = zips.get_zip_download_status(made.status_url)
    assert (status.total_file_count, status.downloaded_file_count, status.skipped_file_count) == (3, 2, 1)
    assert status.state.value == "succeeded"
    assert requests.get(made.download_url, verify=server.ca, timeout=60).status_code == 404


def test_what_is_called_alike(client, folder):
    one, other = new_folder(client, folder.id, "one"), new_folder(client, folder.id, "other")
    files = [upload(client, parent.id, "Report.pdf", parent.name.encode()) for parent in (one, other)]
    made = client.zip_downloads.create_zip_download(asked(*((FILE, file.id) for file in files)))
    [group] = made.name_conflicts
    assert [(entry.id, entry.original_name) for entry in group] == [(file.id, "Report.pdf") for file in files]
    archive = opened(client.zip_downloads.get_zip_download_content(made.download_url).read())
    assert archive.namelist() == [entry.download_name for entry in group]
    assert archive.read(group[1].download_name) == b"other"


def test_a_folder_of_many(client, folder):
    for number in range(150):
        upload(client, folder.id, f"{number:03}.txt", str(number).encode())
    made = client.zip_downloads.create_zip_download(asked((FOLDER, folder.id)))
    archive = opened(client.zip_downloads.get_zip_download_content(made.download_url).read())
    assert len(archive.namelist()) == 151
    assert archive.read(f"{folder.name}/149.txt") == b"149"


def test_strangers_and_nonsense(client, bob, folder):
    file = upload(client, folder.id, "file.txt", b"x")
    with refused(404, "not_found"):
        bob.client.zip_downloads.create_zip_download(asked((FILE, file.id)))
    with refused(404, "not_found"):
        client.zip_downloads.create_zip_download(asked((FOLDER, file.id)))
    with refused(400, "bad_request"):
        client.zip_downloads.create_zip_download([])
    made = client.zip_downloads.create_zip_download(asked((FILE, file.id)))
    client.zip_downloads.get_zip_download_content(made.download_url).read()
    with refused(404, "not_found"):
        bob.client.zip_downloads.get_zip_download_status(made.status_url)
