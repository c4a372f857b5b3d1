"""What is put in through one door is there through every other: content, name, size, time, hash, versions, trash."""

import hashlib
import random
import socket
import ssl
import threading
import time
import uuid
from urllib.parse import quote, urlsplit

import pytest

from doors import BoxDoor, Conflict, DavDoor, Gone, S3Door, now, s3_site
from kit import random_bytes, sha1

WORDS = ("box", "s3", "dav")
SIZES = {"empty": 0, "small": 4096, "packed": 200_000, "chunked": 9 * 1024 * 1024}
NAMES = ("plain.txt", "with space & signs +%=~'()[].txt", "grüße-文件-🙂.bin", "a/b/c/deep.bin", "a/b/c/..almost", "#?;.txt")
# How far two clocks' whole seconds may lie apart.
SECONDS_APART = 2
WRITERS = 6
EDITS = 40


class Site:
    """One user, one folder, and every door to it."""

    def __init__(self, server):
        self.login = server.new_login("doors")
        token = server.token(self.login)
        self.root = f"doors-{uuid.uuid4().hex[:12]}"
        self.s3 = S3Door(server, self.login, self.root)
        self.s3.client.create_bucket(Bucket=self.root)
        self.box = BoxDoor(server, token, self.root)
        self.dav = DavDoor(server, token, self.root)
        self.server, self.token = server, token

    def door(self, word: str):
        return getattr(self, word)

    def all(self):
        return [self.box, self.s3, self.dav]


@pytest.fixture(scope="module")
def site(server):
    return Site(server)


@pytest.fixture
def fresh(server):
    return Site(server)


@pytest.mark.parametrize("writer", WORDS)
@pytest.mark.parametrize("size", SIZES)
def test_what_one_door_takes_every_door_gives(site, writer, size):
    content, path = random_bytes(SIZES[size]), f"{writer}-{size}.bin"
    before = now()
    site.door(writer).put(path, content)
    for reader in site.all():
        assert reader.get(path) == content, reader.word
        assert reader.size(path) == len(content), reader.word
        age = abs((reader.modified(path) - before).total_seconds())
        assert age <= SECONDS_APART + 60 * (SIZES[size] > 1_000_000), reader.word
        assert path in reader.listed(), reader.word
    assert site.box.file(path).sha_1 == sha1(content)
    etag = site.s3.head(path)["ETag"].strip('"')
    if writer == "s3":
        assert etag == hashlib.md5(content).hexdigest()
    else:
        # No client takes this for the MD5 of the content.
        assert "-" in etag


@pytest.mark.parametrize("writer", WORDS)
@pytest.mark.parametrize("name", NAMES)
def test_names_are_the_same_everywhere(site, writer, name):
    path, content = f"names-{writer}/{name}", name.encode()
    if writer == "box" and name.endswith("..almost"):
        path = f"names-{writer}/{name}x"
    site.door(writer).put(path, content)
    for reader in site.all():
        assert reader.get(path) == content, reader.word
        assert path in reader.listed(), reader.word


@pytest.mark.parametrize("second", WORDS)
@pytest.mark.parametrize("first", WORDS)
def test_what_is_overwritten_through_another_door_is_a_version(site, first, second):
    path = f"versions/{first}-{second}.bin"
    older, newer = random_bytes(5000), random_bytes(6000)
    site.door(first).put(path, older)
    site.door(second).put(path, newer)
    for reader in site.all():
        assert reader.get(path) == newer, reader.word
    file = site.box.file(path)
    versions = site.box.client.file_versions.get_file_versions(file.id).entries
    assert [version.sha_1 for version in versions] == [sha1(older)]
    kept = site.box.client.downloads.download_file(file.id, version=versions[0].id).read()
    assert kept == older


@pytest.mark.parametrize("remover", WORDS)
@pytest.mark.parametrize("writer", WORDS)
def test_what_is_deleted_is_gone_everywhere_and_in_the_trash(site, writer, remover):
    path, content = f"trash/{writer}-{remover}.bin", random_bytes(700)
    site.door(writer).put(path, content)
    file = site.box.file(path)
    site.door(remover).delete(path)
    for reader in site.all():
        with pytest.raises(Gone):
            reader.get(path)
    trashed = site.box.client.trashed_files.get_trashed_file_by_id(file.id)
    assert trashed.sha_1 == sha1(content)
    # Its folder may have gone with it, when only the key needed it.
    parent = site.box.folder(["trash"], make=True)
    from box_sdk_gen import RestoreFileFromTrashParent

    site.box.client.trashed_files.restore_file_from_trash(file.id, parent=RestoreFileFromTrashParent(id=parent))
    for reader in site.all():
        assert reader.get(path) == content, reader.word


def test_a_renamed_folder_is_renamed_everywhere(site):
    for number in range(5):
        site.s3.put(f"before/sub/{number}", b"%d" % number)
    moved = site.dav.ask("MOVE", "before", headers={"Destination": f"{site.dav.base}/after"})
    assert moved.status_code == 201, moved.text
    keys = {key for key in site.s3.listed() if key.startswith(("before/", "after/"))}
    assert keys == {f"after/sub/{number}" for number in range(5)}
    site.box.client.folders.update_folder_by_id(site.box.folder(["after"]), name="finally")
    for reader in site.all():
        assert {path for path in reader.listed() if path.startswith("finally/")} == {
            f"finally/sub/{number}" for number in range(5)
        }, reader.word


def test_versions_and_delete_markers_of_a_bucket(fresh):
    s3, path = fresh.s3, "kept/versions.bin"
    s3.client.put_bucket_versioning(Bucket=s3.bucket, VersioningConfiguration={"Status": "Enabled"})
    contents = [random_bytes(100 + number) for number in range(3)]
    for word, content in zip(("s3", "box", "dav"), contents, strict=True):
        fresh.door(word).put(path, content)
    fresh.box.delete(path)
    said = s3.client.list_object_versions(Bucket=s3.bucket)
    assert [marker["Key"] for marker in said["DeleteMarkers"]] == [path]
    versions = said["Versions"]
    assert [version["Key"] for version in versions] == [path] * 3
    for version, content in zip(versions, reversed(contents), strict=True):
        found = s3.client.get_object(Bucket=s3.bucket, Key=path, VersionId=version["VersionId"])["Body"].read()
        assert found == content
    marker = said["DeleteMarkers"][0]["VersionId"]
    s3.client.delete_object(Bucket=s3.bucket, Key=path, VersionId=marker)
    for reader in fresh.all():
        assert reader.get(path) == contents[-1], reader.word


def test_keys_that_no_other_door_could_name_are_kept_exactly(fresh):
    keys = ["a", "a/", "a/b", "a//b", "//", "x/../y", "x/./y", " lead", "trail ", "CASE", "case", "tab\there", "é", "e\u0301"]
    for key in keys:
        fresh.s3.put(key, key.encode())
    assert fresh.s3.listed() == set(keys)
    for key in keys:
        assert fresh.s3.get(key) == key.encode(), key
    # The other doors list the folder all the same, and show what they can name.
    assert "a/b" in fresh.box.listed()
    assert "CASE" in fresh.dav.listed() and "case" in fresh.dav.listed()
    for key in keys:
        fresh.s3.delete(key)
    assert fresh.s3.listed() == set() == fresh.box.listed() == fresh.dav.listed()
    fresh.s3.client.delete_bucket(Bucket=fresh.root)
    assert all(item.name != fresh.root for item in fresh.box.children("0"))


def raw_socket(url: str, ca: str):
    address = urlsplit(url)
    plain = socket.create_connection((address.hostname, address.port), timeout=30)
    if address.scheme != "https":
        return plain
    return ssl.create_default_context(cafile=ca).wrap_socket(plain, server_hostname=address.hostname)


@pytest.mark.parametrize("framing", ("length", "chunked"))
@pytest.mark.parametrize("word", WORDS)
def test_an_upload_that_is_cut_off_never_becomes_visible(fresh, word, framing):
    site = fresh
    path, content = "cut.bin", random_bytes(300_000)
    headers, before, url, ca = [], b"", site.server.origin, site.server.ca
    if word == "box":
        before = (
            b'--cut\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n{"name":"cut.bin","parent":{"id":"%s"}}\r\n'
            b'--cut\r\nContent-Disposition: form-data; name="file"; filename="cut.bin"\r\n\r\n' % site.box.top().encode()
        )
        line = "POST /box/upload/2.0/files/content HTTP/1.1"
        headers = [f"Authorization: Bearer {site.token}", "Content-Type: multipart/form-data; boundary=cut"]
    elif word == "dav":
        line = f"PUT /dav/{quote(site.root)}/{path} HTTP/1.1"
        headers = [f"Authorization: Bearer {site.token}"]
    else:
        url, ca = s3_site(site.server)
        signed = site.s3.connect(url, ca, signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": site.root, "Key": path})
        line = f"PUT {urlsplit(signed).path}?{urlsplit(signed).query} HTTP/1.1"
    address = urlsplit(url)
    if framing == "length":
        headers.append(f"Content-Length: {len(before) + len(content) + 1000}")
        body = before + content
    else:
        headers.append("Transfer-Encoding: chunked")
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (before, content) if piece)
    head = "\r\n".join([line, f"Host: {address.hostname}:{address.port}", *headers, "", ""]).encode()
    with raw_socket(url, ca) as connection:
        connection.sendall(head + body)
        time.sleep(0.3)
    # Whoever was sending is gone; the server has seen that before it answers the next request of anybody.
    for _ in range(20):
        for reader in site.all():
            assert path not in reader.listed(), reader.word
            with pytest.raises(Gone):
                reader.get(path)
        time.sleep(0.05)


def test_concurrent_edits_through_all_doors_lose_nothing(fresh):
    """Whatever was acknowledged is a version of a file that is there, or that is in the trash."""
    paths = ["one.bin", "two.bin", "folder/three.bin", "folder/sub/four.bin"]
    acknowledged: dict[str, set[str]] = {path: set() for path in paths}
    lock, failures = threading.Lock(), []
    for path in paths:
        fresh.s3.put(path, b"first")
        acknowledged[path].add(sha1(b"first"))

    def work(seed: int) -> None:
        chance = random.Random(seed)
        site = [
            BoxDoor(fresh.server, fresh.token, fresh.root),
            fresh.s3,
            DavDoor(fresh.server, fresh.token, fresh.root),
        ]
        for number in range(EDITS):
            door, path = chance.choice(site), chance.choice(paths)
            try:
                if chance.random() < 0.15:
                    door.delete(path)
                elif chance.random() < 0.2:
                    door.get(path)
                else:
                    content = f"{seed} {number} ".encode() * chance.randrange(1, 3000)
                    door.put(path, content)
                    with lock:
                        acknowledged[path].add(sha1(content))
            except (Gone, Conflict):
                pass
            except Exception as error:  # noqa: BLE001
                with lock:
                    failures.append(f"{door.word} {path}: {error!r}")

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[:5]

    assert sum(map(len, acknowledged.values())) > WRITERS * EDITS / 4

    found = {path: versions_of(fresh, path) for path in paths}
    missing = {path: acknowledged[path] - found[path] for path in paths}
    assert not any(missing.values()), missing
    for path in paths:
        current = {word: read_or_none(fresh.door(word), path) for word in WORDS}
        assert len(set(current.values())) == 1, f"doors differ about {path}"


def read_or_none(door, path: str) -> bytes | None:
    try:
        return door.get(path)
    except Gone:
        return None


def versions_of(site, path: str) -> set[str]:
    """The digests of every version of every file of that name, in its folder or in the trash."""
    name, client, found = path.split("/")[-1], site.box.client, set()
    files = []
    try:
        files.append(site.box.file(path).id)
    except Gone:
        pass
    from box_sdk_gen import RestoreFileFromTrashParent

    marker = None
    trashed = []
    while True:
        page = client.trashed_items.get_trashed_items(limit=1000, usemarker=True, marker=marker)
        trashed += [item.id for item in page.entries if item.type == "file" and item.name == name]
        marker = page.next_marker
        if not marker:
            break
    for number, file in enumerate(trashed):
        parent = RestoreFileFromTrashParent(id=site.box.top())
        client.trashed_files.restore_file_from_trash(file, name=f"restored-{number}-{name}", parent=parent)
        files.append(file)
    for file in files:
        found.add(client.files.get_file_by_id(file).sha_1)
        offset = 0
        while True:
            page = client.file_versions.get_file_versions(file, limit=1000, offset=offset).entries
            found |= {version.sha_1 for version in page}
            offset += len(page)
            if not page:
                break
    return found
