"""Uploads in pieces: the SDK's own big-file calls, and each call by itself."""

import base64
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from box_sdk_gen import BoxAPIError

from kit import download, names_in, random_bytes, refused, sha1, upload
from typed import well_typed

MINIMUM = 20_000_000


def digest(content: bytes) -> str:
    return "sha=" + base64.b64encode(hashlib.sha1(content).digest()).decode()


class Pieces:
    """An upload session and the parts sent so far."""

    def __init__(self, client, folder_id, name, content):
        self.chunked = client.chunked_uploads
        self.content = content
        self.session = self.chunked.create_file_upload_session(folder_id, len(content), name)
        self.parts = {}

    def cut(self, number: int) -> tuple[bytes, str]:
        start = number * self.session.part_size
        piece = self.content[start : start + self.session.part_size]
        return piece, f"bytes {start}-{start + len(piece) - 1}/{len(self.content)}"

    def send(self, number: int, as_digest: str | None = None, content: bytes | None = None):
        piece, place = self.cut(number)
        piece = piece if content is None else content
        uploaded = self.chunked.upload_file_part(
            self.session.id, io.BytesIO(piece), as_digest or digest(piece), place
        )
        self.parts[number] = uploaded.part
        return uploaded

    def send_all(self):
        for number in range(self.session.total_parts):
            self.send(number)

    def commit(self, parts=None, as_digest: str | None = None, **options):
        parts = [self.parts[number] for number in sorted(self.parts)] if parts is None else parts
        return self.chunked.create_file_upload_session_commit(
            self.session.id, parts, as_digest or digest(self.content), **options
        )


@pytest.fixture(scope="module")
def content():
    return random_bytes(21_000_003)


def test_the_sdk_uploads_a_big_file(client, folder, content):
    file = well_typed(client.chunked_uploads.upload_big_file(io.BytesIO(content), "big.bin", len(content), folder.id))
    assert file.name == "big.bin"
    assert file.size == len(content)
    assert file.sha_1 == sha1(content)
    assert download(client, file.id) == content


def test_the_sdk_uploads_a_big_version(client, folder, content):
    file = upload(client, folder.id, "grows.bin", b"small")
    newer = client.chunked_uploads.upload_big_file_version(file.id, io.BytesIO(content), len(content))
    assert newer.id == file.id
    assert newer.sha_1 == sha1(content)
    assert download(client, file.id) == content
    assert client.file_versions.get_file_versions(file.id).total_count == 1


def test_a_session_step_by_step(client, folder, content):
    pieces = Pieces(client, folder.id, "steps.bin", content)
    session = well_typed(pieces.session)
    assert session.num_parts_processed == 0
    assert session.part_size * session.total_parts >= len(content)
    assert session.part_size * (session.total_parts - 1) < len(content)
    for endpoint in ("upload_part", "commit", "abort", "list_parts", "status", "log_event"):
        assert getattr(session.session_endpoints, endpoint).startswith("https://"), endpoint
    assert names_in(client, folder.id) == []

    last_first = reversed(range(session.total_parts))
    for number in last_first:
        uploaded = well_typed(pieces.send(number))
        piece, _ = pieces.cut(number)
        assert uploaded.part.sha_1 == sha1(piece)
        assert uploaded.part.size == len(piece)
        assert uploaded.part.offset == number * session.part_size
        assert uploaded.part.part_id

    listed = well_typed(client.chunked_uploads.get_file_upload_session_parts(session.id))
    assert listed.total_count == session.total_parts
    assert [part.part_id for part in listed.entries] == [
        pieces.parts[number].part_id for number in range(session.total_parts)
    ]
    page = client.chunked_uploads.get_file_upload_session_parts(session.id, offset=1, limit=1)
    assert [part.offset for part in page.entries] == [session.part_size]
    status = well_typed(client.chunked_uploads.get_file_upload_session_by_id(session.id))
    assert status.num_parts_processed == session.total_parts
    assert names_in(client, folder.id) == []

    file = well_typed(pieces.commit()).entries[0]
    assert download(client, file.id) == content


def test_a_file_exactly_a_whole_number_of_parts(client, folder):
    session = client.chunked_uploads.create_file_upload_session(folder.id, MINIMUM, "probe.bin")
    client.chunked_uploads.delete_file_upload_session_by_id(session.id)
    content = random_bytes(3 * session.part_size)
    file = client.chunked_uploads.upload_big_file(io.BytesIO(content), "even.bin", len(content), folder.id)
    assert download(client, file.id) == content


def test_an_aborted_session_leaves_nothing(client, folder, content):
    pieces = Pieces(client, folder.id, "aborted.bin", content)
    pieces.send(0)
    client.chunked_uploads.delete_file_upload_session_by_id(pieces.session.id)
    with refused(404):
        client.chunked_uploads.get_file_upload_session_by_id(pieces.session.id)
    with refused(404):
        pieces.send(1)
    assert names_in(client, folder.id) == []
    Pieces(client, folder.id, "aborted.bin", content)


def test_a_wrong_part_digest_is_refused(client, folder, content):
    pieces = Pieces(client, folder.id, "damaged.bin", content)
    with pytest.raises(BoxAPIError) as caught:
        pieces.send(0, as_digest=digest(b"other"))
    assert caught.value.response_info.status_code in (400, 409, 412)
    assert client.chunked_uploads.get_file_upload_session_parts(pieces.session.id).entries == []
    pieces.send_all()
    assert download(client, pieces.commit().entries[0].id) == content


def test_a_wrong_whole_digest_is_refused(client, folder, content):
    pieces = Pieces(client, folder.id, "damaged.bin", content)
    pieces.send_all()
    with pytest.raises(BoxAPIError) as caught:
        pieces.commit(as_digest=digest(b"other"))
    assert caught.value.response_info.status_code in (400, 409, 412)
    assert names_in(client, folder.id) == []
    assert download(client, pieces.commit().entries[0].id) == content


def test_a_commit_with_a_part_missing_is_refused(client, folder, content):
    pieces = Pieces(client, folder.id, "holes.bin", content)
    pieces.send(0)
    pieces.send(2)
    with refused(400, "parts_mismatch"):
        pieces.commit()
    assert names_in(client, folder.id) == []
    pieces.send(1)
    assert download(client, pieces.commit().entries[0].id) == content


def test_a_part_sent_again_is_the_same_part(client, folder, content):
    pieces = Pieces(client, folder.id, "again.bin", content)
    first = pieces.send(0).part
    assert pieces.send(0).part.part_id == first.part_id
    piece, _ = pieces.cut(0)
    with pytest.raises(BoxAPIError) as caught:
        pieces.send(0, content=bytes(len(piece)))
    assert caught.value.response_info.status_code == 409
    pieces.send_all()
    assert download(client, pieces.commit().entries[0].id) == content


def test_parts_out_of_place_are_refused(client, folder, content):
    pieces = Pieces(client, folder.id, "places.bin", content)
    piece, _ = pieces.cut(0)
    total = len(content)
    size = pieces.session.part_size
    for place, body in [
        (f"bytes 1-{size}/{total}", piece),
        (f"bytes 0-{size - 2}/{total}", piece[:-1]),
        (f"bytes 0-{size - 1}/{total + 1}", piece),
        (f"bytes {size * 10}-{size * 11 - 1}/{total}", piece),
        ("bytes nonsense", piece),
    ]:
        with pytest.raises(BoxAPIError) as caught:
            client.chunked_uploads.upload_file_part(pieces.session.id, io.BytesIO(body), digest(body), place)
        assert caught.value.response_info.status_code in (400, 412, 416), place
    assert client.chunked_uploads.get_file_upload_session_parts(pieces.session.id).entries == []


def test_a_session_needs_twenty_megabytes(client, folder):
    with refused(400, "file_size_too_small"):
        client.chunked_uploads.create_file_upload_session(folder.id, MINIMUM - 1, "small.bin")


def test_a_session_for_a_name_in_use(client, folder):
    taken = upload(client, folder.id, "taken.bin", b"x")
    with refused(409, "item_name_in_use") as caught:
        client.chunked_uploads.create_file_upload_session(folder.id, MINIMUM, "taken.bin")
    assert caught.error.context_info["conflicts"]["id"] == taken.id


def test_a_name_taken_while_the_session_was_open(client, folder, content):
    pieces = Pieces(client, folder.id, "late.bin", content)
    pieces.send_all()
    taken = upload(client, folder.id, "late.bin", b"was here first")
    with refused(409, "item_name_in_use"):
        pieces.commit()
    assert download(client, taken.id) == b"was here first"


def test_sessions_that_do_not_exist(client, folder):
    with refused(404):
        client.chunked_uploads.create_file_upload_session("999999999999", MINIMUM, "x.bin")
    with refused(404):
        client.chunked_uploads.create_file_upload_session_for_existing_file("999999999999", MINIMUM)
    with refused(404):
        client.chunked_uploads.get_file_upload_session_by_id("0123456789ABCDEF")


def test_another_user_cannot_touch_a_session(server, client, folder, content):
    pieces = Pieces(client, folder.id, "mine.bin", content)
    other = server.client(server.token(server.new_login("intruder")))
    with refused(404):
        other.chunked_uploads.get_file_upload_session_by_id(pieces.session.id)
    with refused(404):
        other.chunked_uploads.delete_file_upload_session_by_id(pieces.session.id)


def test_parts_in_parallel(client, folder):
    content = random_bytes(60_000_001)
    pieces = Pieces(client, folder.id, "parallel.bin", content)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(pieces.send, range(pieces.session.total_parts)))
    assert download(client, pieces.commit().entries[0].id) == content


def test_deleting_a_session_after_its_commit_succeeds(client, folder, content):
    pieces = Pieces(client, folder.id, "done.bin", content)
    pieces.send_all()
    file = pieces.commit().entries[0]
    client.chunked_uploads.delete_file_upload_session_by_id(pieces.session.id)
    assert download(client, file.id) == content
