"""Downloads: the redirect, its target, ranges, and old versions."""

import io

import requests

from kit import download, random_bytes, refused, sha1, upload, upload_version


def test_the_download_url_is_absolute_and_secure(client, folder):
    file = upload(client, folder.id, "file.bin", b"content")
    url = client.downloads.get_download_file_url(file.id)
    assert url.startswith("https://")


def test_the_target_needs_no_other_authorisation(client, server, folder):
    content = random_bytes(100_000)
    file = upload(client, folder.id, "file.bin", content)
    url = client.downloads.get_download_file_url(file.id)
    answer = requests.get(url, verify=server.ca, timeout=60)
    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["Content-Length"] == str(len(content))
    assert "file.bin" in answer.headers["Content-Disposition"]


def test_to_a_stream(client, folder):
    content = random_bytes(300_000)
    file = upload(client, folder.id, "file.bin", content)
    target = io.BytesIO()
    client.downloads.download_file_to_output_stream(file.id, target)
    assert sha1(target.getvalue()) == file.sha_1


def test_ranges(client, folder):
    content = random_bytes(200_000)
    file = upload(client, folder.id, "file.bin", content)
    for asked, expected in [
        ("bytes=0-0", content[:1]),
        ("bytes=0-99", content[:100]),
        ("bytes=65530-65545", content[65530:65546]),
        ("bytes=199999-", content[199999:]),
        ("bytes=-100", content[-100:]),
        ("bytes=100-999999999", content[100:]),
        ("bytes=0-", content),
    ]:
        assert download(client, file.id, range=asked) == expected, asked
    with refused(416):
        client.downloads.download_file(file.id, range="bytes=200000-")


def test_range_across_chunks_of_a_larger_file(client, folder):
    content = random_bytes(17 * 1024 * 1024)
    file = upload(client, folder.id, "large.bin", content)
    edge = 8 * 1024 * 1024
    for start, end in [(edge - 10, edge + 10), (edge, edge), (2 * edge - 1, 2 * edge + 5), (0, len(content) - 1)]:
        assert download(client, file.id, range=f"bytes={start}-{end}") == content[start : end + 1]


def test_range_answer(client, server, folder):
    file = upload(client, folder.id, "file.bin", b"0123456789")
    url = client.downloads.get_download_file_url(file.id)
    answer = requests.get(url, headers={"Range": "bytes=2-4"}, verify=server.ca, timeout=60)
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == "bytes 2-4/10"
    assert answer.headers["Content-Length"] == "3"
    assert answer.content == b"234"
    assert requests.head(url, verify=server.ca, timeout=60).headers["Content-Length"] == "10"


def test_an_old_version(client, folder):
    file = upload(client, folder.id, "file.txt", b"first")
    upload_version(client, file.id, "file.txt", b"second")
    assert download(client, file.id) == b"second"
    assert download(client, file.id, version=file.file_version.id) == b"first"
    with refused(404):
        client.downloads.download_file(file.id, version="999999999999")


def test_access_token_in_the_query(server, client, token, folder):
    file = upload(client, folder.id, "file.txt", b"by query")
    answer = server.raw(None).ask("GET", f"/2.0/files/{file.id}/content", params={"access_token": token})
    assert answer.status_code == 302
    assert requests.get(answer.headers["Location"], verify=server.ca, timeout=60).content == b"by query"


def test_an_empty_file(client, folder):
    file = upload(client, folder.id, "empty", b"")
    assert file.sha_1 == sha1(b"")
    assert download(client, file.id) == b""
