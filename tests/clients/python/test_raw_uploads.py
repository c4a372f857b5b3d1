"""Uploads as no SDK sends them: cut short, out of order, in chunks, and all at once under one name."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from kit import download, names_in, new_folder, random_bytes, sha1
from wire import BOUNDARY, MULTIPART, Wire, in_chunks, multipart

CONTENT = b"0123456789" * 5000
UPLOAD = "/upload/2.0/files/content"


def post(server, token, body: bytes, headers: dict[str, str] | None = None):
    with Wire(server) as wire:
        length = {} if headers and "Transfer-Encoding" in headers else {"Content-Length": str(len(body))}
        wire.head("POST", UPLOAD, token, {"Content-Type": MULTIPART, **length, **(headers or {})})
        wire.send(body)
        return wire.answer()


def is_error(answer, status: int, code: str | None = None):
    assert answer is not None, "the server closed the connection without an answer"
    got, headers, body = answer
    assert got == status, f"expected {status} {code or ''}, got {got}: {body[:500]!r}"
    said = json.loads(body)
    assert said["type"] == "error"
    assert said["status"] == status
    assert said["request_id"]
    if code is not None:
        assert said["code"] == code, said


@pytest.mark.parametrize("part", ["file", "contents", "content"])
def test_the_file_part_has_three_names(server, token, client, folder, part):
    status, _, body = post(server, token, multipart(folder.id, "x.bin", CONTENT, part=part))
    assert status == 201, body
    said = json.loads(body)
    assert said["total_count"] == 1
    assert said["entries"][0]["sha1"] == sha1(CONTENT)
    assert download(client, said["entries"][0]["id"]) == CONTENT


@pytest.mark.parametrize("size", [1, 17, 1000, 65536])
def test_chunked_transfer_coding(server, token, client, folder, size):
    content = CONTENT[:3000] if size < 100 else CONTENT
    body = in_chunks(multipart(folder.id, "x.bin", content), size)
    status, _, answer = post(server, token, body, {"Transfer-Encoding": "chunked"})
    assert status == 201, answer
    assert download(client, json.loads(answer)["entries"][0]["id"]) == content


def test_a_file_that_looks_like_a_boundary(server, token, client, folder):
    # What comes near: all but the last character, a line feed alone, dashes too few or too many.
    near = f"\r\n--{BOUNDARY[:-1]}\r\n-{BOUNDARY}\n--{BOUNDARY}\r\n---{BOUNDARY}\r\r\n--\r\n\r\n"
    content = near.encode() * 100
    status, _, answer = post(server, token, multipart(folder.id, "x.bin", content))
    assert status == 201, answer
    assert download(client, json.loads(answer)["entries"][0]["id"]) == content


def test_the_api_host_takes_uploads_too_or_refuses_clearly(raw, folder):
    form = [("attributes", (None, json.dumps({"name": "x", "parent": {"id": folder.id}}))), ("file", ("x", b"x"))]
    assert raw.ask("POST", "/2.0/files/content", files=form).status_code in (201, 404, 405)


def test_attributes_after_the_file(server, token, client, folder):
    is_error(
        post(server, token, multipart(folder.id, "x.bin", CONTENT, attributes_last=True)),
        400,
        "metadata_after_file_contents",
    )
    assert names_in(client, folder.id) == []


TRUNCATIONS = {
    "no body at all": lambda body: b"",
    "inside the attributes": lambda body: body[:60],
    "after the attributes": lambda body: body[: body.index(b"}}") + 4],
    "inside the headers of the file": lambda body: body[: body.index(b"octet-stream")],
    "inside the file": lambda body: body[: len(body) // 2],
    "before the last boundary": lambda body: body[: body.rindex(b"\r\n--")],
    "inside the last boundary": lambda body: body[:-6],
}


@pytest.mark.parametrize("where", TRUNCATIONS)
def test_a_multipart_body_that_ends_early(server, token, client, folder, where):
    body = TRUNCATIONS[where](multipart(folder.id, "x.bin", CONTENT))
    is_error(post(server, token, body), 400)
    assert names_in(client, folder.id) == []


@pytest.mark.parametrize("where", TRUNCATIONS)
def test_a_chunked_multipart_body_that_ends_early(server, token, client, folder, where):
    body = in_chunks(TRUNCATIONS[where](multipart(folder.id, "x.bin", CONTENT)))
    is_error(post(server, token, body, {"Transfer-Encoding": "chunked"}), 400)
    assert names_in(client, folder.id) == []


def test_a_body_shorter_than_declared(server, token, client, folder):
    body = multipart(folder.id, "x.bin", CONTENT)
    with Wire(server) as wire:
        wire.head("POST", UPLOAD, token, {"Content-Type": MULTIPART, "Content-Length": str(len(body) + 1000)})
        wire.send(body[:-200])
        wire.vanish()
    assert names_in(client, folder.id) == []
    assert post(server, token, body)[0] == 201


def test_a_body_longer_than_declared(server, token, client, folder):
    body = multipart(folder.id, "x.bin", CONTENT)
    with Wire(server) as wire:
        wire.head("POST", UPLOAD, token, {"Content-Type": MULTIPART, "Content-Length": str(len(body) - 1000)})
        wire.send(body)
        is_error(wire.answer(), 400)
    assert names_in(client, folder.id) == []


@pytest.mark.parametrize("coding", ["declared", "chunked"])
def test_a_client_that_disappears_leaves_nothing_visible(server, token, client, folder, coding):
    for share in (0.1, 0.5, 0.9, 0.999):
        body = multipart(folder.id, "x.bin", random_bytes(9 * 1024 * 1024))
        if coding == "chunked":
            body = in_chunks(body, 65536)
            headers = {"Transfer-Encoding": "chunked"}
        else:
            headers = {"Content-Length": str(len(body))}
        with Wire(server) as wire:
            wire.head("POST", UPLOAD, token, {"Content-Type": MULTIPART, **headers})
            wire.send(body[: int(len(body) * share)])
            wire.vanish()
        assert names_in(client, folder.id) == []
    status, _, answer = post(server, token, multipart(folder.id, "x.bin", CONTENT))
    assert status == 201, answer


def test_a_broken_chunk_length(server, token, client, folder):
    with Wire(server) as wire:
        wire.head("POST", UPLOAD, token, {"Content-Type": MULTIPART, "Transfer-Encoding": "chunked"})
        wire.send(b"zzz\r\n" + multipart(folder.id, "x.bin", CONTENT))
        answer = wire.answer()
        assert answer is None or answer[0] == 400
    assert names_in(client, folder.id) == []


@pytest.mark.parametrize(
    "body, headers",
    [
        (b"", {}),
        (b"no multipart", {}),
        (b"{}", {"Content-Type": "application/json"}),
        (b"x", {"Content-Type": "multipart/form-data"}),
        (f"--{BOUNDARY}--\r\n".encode(), {}),
        (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attributes"\r\n\r\n{{}}\r\n--{BOUNDARY}--\r\n'.encode(), {}),
    ],
    ids=["empty", "not multipart", "json", "no boundary", "no parts", "no file"],
)
def test_bodies_that_are_no_upload(server, token, body, headers):
    answer = post(server, token, body, headers)
    assert answer is not None
    assert answer[0] in (400, 415), answer
    assert json.loads(answer[2])["type"] == "error"


@pytest.mark.parametrize(
    "attributes",
    [
        "",
        "{",
        "[]",
        "null",
        '"name"',
        "{}",
        '{"name":"x"}',
        '{"parent":{"id":"0"}}',
        '{"name":7,"parent":{"id":"0"}}',
        '{"name":"x","parent":"0"}',
        '{"name":"x","parent":{"id":{}}}',
        '{"name":"x","parent":{"id":"0"},"content_created_at":"yesterday"}',
        "{" + '"a":' * 5000,
        "[" * 100_000,
        "x" * 3_000_000,
    ],
    ids=lambda text: text[:30] or "empty",
)
def test_attributes_that_are_wrong(server, raw, attributes):
    form = [("attributes", (None, attributes)), ("file", ("x", b"content"))]
    answer = raw.ask("POST", UPLOAD, files=form)
    assert answer.status_code in (400, 413), answer.text
    assert answer.json()["type"] == "error"


def test_a_parent_that_is_no_id(raw):
    assert raw.upload("../../etc", "x", b"x").status_code in (400, 404, 405)
    assert raw.upload("", "x", b"x").status_code in (400, 404, 405)


@pytest.mark.parametrize("name", ["a/b", "/", "..", "nul\0", "", "trailing ", "x" * 256, "ü" * 128 + "x"])
def test_names(raw, client, folder, name):
    answer = raw.upload(folder.id, name, b"x")
    if len(name) <= 255 and len(name.encode()) > 255:
        # Within Box's 255 characters, beyond 255 bytes: kept whole or refused, never shortened.
        assert answer.status_code in (201, 400), answer.text
        assert answer.status_code == 400 or answer.json()["entries"][0]["name"] == name
        return
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("item_name_invalid", "item_name_too_long", "bad_request")
    assert names_in(client, folder.id) == []


def test_a_name_that_is_not_unicode(server, token, client, folder):
    body = multipart(folder.id, "PLACE", b"x").replace(b"PLACE", b"\xff\xfe\xfd")
    is_error(post(server, token, body), 400)
    assert names_in(client, folder.id) == []


def test_half_a_surrogate_pair_in_a_name(server, token, client, folder):
    body = multipart(folder.id, "PLACE", b"x").replace(b"PLACE", b"\\ud83d")
    is_error(post(server, token, body), 400)
    assert names_in(client, folder.id) == []


def test_the_digest_header(raw, client, folder):
    good = raw.upload(folder.id, "good.bin", CONTENT, headers={"Content-MD5": sha1(CONTENT)})
    assert good.status_code == 201, good.text
    upper = raw.upload(folder.id, "upper.bin", CONTENT, headers={"content-md5": sha1(CONTENT).upper()})
    assert upper.status_code == 201, upper.text
    for wrong in (sha1(b""), "abc", "z" * 40):
        answer = raw.upload(folder.id, "wrong.bin", CONTENT, headers={"content-md5": wrong})
        assert answer.status_code == 400, answer.text
    assert sorted(names_in(client, folder.id)) == ["good.bin", "upper.bin"]


@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("round", range(3))
def test_of_sixteen_creators_of_one_name_exactly_one_wins(server, token, client, folder, what, round):
    name = f"contended {round}"

    def create(number: int):
        raw = server.raw(token)
        spelling = name.upper() if number % 2 else name
        if what == "file":
            return raw.upload(folder.id, spelling, f"content of {number}".encode())
        return raw.ask("POST", "/2.0/folders", json={"name": spelling, "parent": {"id": folder.id}})

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, range(16)))
    won = [answer for answer in answers if answer.status_code == 201]
    lost = [answer for answer in answers if answer.status_code == 409]
    assert len(won) == 1, [answer.status_code for answer in answers]
    assert len(lost) == 15, [(answer.status_code, answer.text) for answer in answers]
    winner = won[0].json()["entries"][0] if what == "file" else won[0].json()
    for answer in lost:
        said = answer.json()
        assert said["code"] == "item_name_in_use"
        conflicts = said["context_info"]["conflicts"]
        assert (conflicts if what == "file" else conflicts[0])["id"] == winner["id"]
    assert len(names_in(client, folder.id)) == 1
    if what == "file":
        number = next(place for place, answer in enumerate(answers) if answer.status_code == 201)
        assert download(client, winner["id"]) == f"content of {number}".encode()


def test_of_sixteen_uploads_of_a_version_all_are_kept(server, token, client, folder):
    file = server.raw(token).upload(folder.id, "file.bin", b"first").json()["entries"][0]

    def replace(number: int):
        form = [("attributes", (None, '{"name":"file.bin"}')), ("file", ("x", f"version {number}".encode()))]
        return server.raw(token).ask("POST", f"/upload/2.0/files/{file['id']}/content", files=form)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(replace, range(16)))
    assert [answer.status_code for answer in answers] == [200] * 16
    ids = {answer.json()["entries"][0]["file_version"]["id"] for answer in answers}
    assert len(ids) == 16
    assert client.file_versions.get_file_versions(file["id"]).total_count == 16
    for number, answer in enumerate(answers):
        version = answer.json()["entries"][0]["file_version"]["id"]
        assert download(client, file["id"], version=version) == f"version {number}".encode()


def test_an_if_match_race_has_one_winner(server, token, folder):
    file = server.raw(token).upload(folder.id, "file.bin", b"first").json()["entries"][0]

    def rename(number: int):
        return server.raw(token).ask(
            "PUT", f"/2.0/files/{file['id']}", json={"name": f"name {number}"}, headers={"If-Match": file["etag"]}
        )

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(lambda number: rename(number).status_code, range(16)))
    assert statuses == [200] + [412] * 15


def test_expect_100_continue(server, token, client, folder):
    body = multipart(folder.id, "x.bin", CONTENT)
    with Wire(server) as wire:
        wire.head(
            "POST", UPLOAD, token,
            {"Content-Type": MULTIPART, "Content-Length": str(len(body)), "Expect": "100-continue"},
        )
        status, _, _ = wire.answer()
        assert status == 100
        wire.send(body)
        status, _, answer = wire.answer()
    assert status == 201, answer


def test_the_target_of_a_download(server, token, raw, client, folder):
    file = raw.upload(folder.id, "file.bin", CONTENT).json()["entries"][0]
    answer = raw.ask("GET", f"/2.0/files/{file['id']}/content")
    assert answer.status_code == 302
    assert answer.content == b""
    target = answer.headers["Location"]
    assert target.startswith("https://")
    assert token not in target

    def ask(url, **headers):
        return requests.get(url, headers=headers, verify=server.ca, timeout=60, allow_redirects=False)

    assert ask(target).content == CONTENT
    assert ask(target, Authorization="Bearer nonsense").content == CONTENT
    assert ask(target, Range="bytes=10-19").content == CONTENT[10:20]

    # No character after the host may be another one, and nothing may be left out.
    start = len("/".join(target.split("/")[:3])) + 1
    step = max(1, (len(target) - start) // 40)
    for place in range(start, len(target), step):
        if not target[place].isalnum():
            continue
        other = "A" if target[place] != "A" else "B"
        tampered = ask(target[:place] + other + target[place + 1 :])
        assert 400 <= tampered.status_code < 500, f"changed at {place} of {target}: {tampered.status_code}"
        assert CONTENT[:100] not in tampered.content
    for cut in (1, 5, 20):
        assert 400 <= ask(target[:-cut]).status_code < 500

    second = raw.upload(folder.id, "second.bin", b"second").json()["entries"][0]
    assert ask(target.replace(file["id"], second["id"])).content != b"second" or file["id"] not in target


def test_the_target_of_a_purged_file_is_gone(server, raw, client, folder):
    file = raw.upload(folder.id, "file.bin", CONTENT).json()["entries"][0]
    target = raw.ask("GET", f"/2.0/files/{file['id']}/content").headers["Location"]
    client.files.delete_file_by_id(file["id"])
    client.trashed_files.delete_trashed_file_by_id(file["id"])
    assert requests.get(target, verify=server.ca, timeout=60).status_code in (404, 410)


def test_a_deep_tree_of_folders(client, folder):
    parent = folder.id
    for depth in range(60):
        parent = new_folder(client, parent, f"level {depth}").id
    deepest = client.folders.get_folder_by_id(parent)
    assert deepest.path_collection.total_count == 61
