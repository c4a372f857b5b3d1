"""WebDAV over TLS: rclone's own remotes, curl, and requests that no program sends."""

import json
import shutil
import socket
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

import dav
from kit import random_bytes
from trees import listing, plant

PROPFIND = """<propfind xmlns="DAV:"><prop><getetag/><getcontentlength/><resourcetype/></prop></propfind>"""


@pytest.fixture(scope="module")
def who(server):
    return dav.person(server, server.origin, "dav")


@pytest.fixture(scope="module")
def rclone(server, who):
    assert shutil.which("rclone"), "rclone is not installed"
    return dav.Rclone(who, server.ca)


@pytest.fixture
def place(server, who, request):
    """A fresh collection's URL, and a way to send to it."""
    url = f"{who.url}/{request.node.name}"
    made = requests.request("MKCOL", url, auth=who.auth, verify=server.ca, timeout=60)
    assert made.status_code == 201, made.text

    def send(method, path="", **more):
        return requests.request(method, url + path, auth=who.auth, verify=server.ca, timeout=60, **more)

    return send


def test_a_tree_goes_in_and_out_with_times_and_checksums(rclone, tmp_path):
    source = tmp_path / "source"
    plant(source)
    rclone("copy", str(source), "nc:tree")
    rclone("check", str(source), "nc:tree")
    there = {entry["Path"]: entry for entry in json.loads(rclone("lsjson", "-R", "--files-only", "nc:tree"))}
    assert there.keys() == listing(source).keys()
    for path, entry in there.items():
        assert entry["Size"] == (source / path).stat().st_size
    again = rclone("copy", "--dry-run", "--stats-one-line", str(source), "nc:tree")
    assert again == b""
    rclone("moveto", "nc:tree", "nc:moved")
    rclone("copy", "nc:moved", "nc:copied")
    rclone("check", str(source), "nc:copied")
    rclone("copy", "plain:moved", str(tmp_path / "back"))
    assert listing(tmp_path / "back") == listing(source)
    rclone("purge", "nc:moved")
    rclone("purge", "nc:copied")


def test_a_body_of_unknown_length(rclone):
    content = random_bytes(5_000_000)
    rclone("rcat", "plain:piped", stdin=content)
    assert rclone("cat", "plain:piped") == content


def test_curl_puts_and_gets(server, who, tmp_path):
    content = random_bytes(300_000)
    (tmp_path / "file").write_bytes(content)
    config = tmp_path / "curl"
    config.write_text(f'user = "{who.login}:{who.password}"\ncacert = "{server.ca}"\nfail\nsilent\nshow-error\n')
    curl = ["curl", "--config", str(config)]
    subprocess.run([*curl, "-T", str(tmp_path / "file"), f"{who.url}/by-curl"], check=True, timeout=60)
    got = subprocess.run([*curl, f"{who.url}/by-curl"], check=True, timeout=60, capture_output=True)
    assert got.stdout == content
    part = subprocess.run([*curl, "-r", "100-199", f"{who.url}/by-curl"], check=True, timeout=60, capture_output=True)
    assert part.stdout == content[100:200]


def test_ten_at_once(place):
    with ThreadPoolExecutor(10) as many:
        answers = list(many.map(lambda number: place("PUT", "/one", data=b"%d" % number), range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [204] * 9
    assert place("GET", "/one").content in [b"%d" % number for number in range(10)]
    found = place("PROPFIND", headers={"Depth": "1"}, data=PROPFIND)
    assert found.status_code == 207 and found.text.count("<D:response>") == 2


def test_a_password_that_was_taken_back(server):
    login = server.new_login("dav-gone")
    made = json.loads(server.run("app-password", "create", "--login", login, "--json"))
    url = f"{server.origin}/dav/"

    def status(password):
        return requests.get(url, auth=(login, password), verify=server.ca, timeout=60).status_code

    assert status(made["password"]) == 200
    assert made["id"] in server.run("app-password", "list", "--login", login)
    server.run("app-password", "revoke", made["id"])
    assert status(made["password"]) == 401
    assert status("wrong") == 401
    assert requests.get(url, verify=server.ca, timeout=60).headers["WWW-Authenticate"].startswith("Basic")


def exchange(server, head: str, body: bytes, end: str) -> bytes:
    """Sends bytes as they are, and then ends what is sent, or the whole connection; answers what came."""
    at = urlsplit(server.origin)
    context = ssl.create_default_context(cafile=server.ca)
    with socket.create_connection((at.hostname, at.port), timeout=60) as plain:
        with context.wrap_socket(plain, server_hostname=at.hostname) as connection:
            connection.sendall(head.encode() + b"\r\n" + body)
            if end == "close":
                return b""
            received = b""
            while piece := connection.recv(65_536):
                received += piece
            return received


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_what_is_cut_off_never_becomes_visible(server, who, place, framing):
    path = urlsplit(f"{who.url}/cut-{framing[:7]}").path
    token = server.token(who.login)
    head = f"PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{framing}\r\n"
    body = b"5\r\nhello\r\n" if "chunked" in framing else b"hello"
    exchange(server, head, body, "close")
    for _ in range(3):
        answer = requests.get(f"{who.url}/cut-{framing[:7]}", auth=who.auth, verify=server.ca, timeout=60)
        assert answer.status_code == 404


def test_slashes_host_names_and_destinations(server, who, place):
    place("PUT", "/a b", data=b"x")
    base = f"{who.url}/test_slashes_host_names_and_destinations"
    for destination, status in [
        (f"{base}/c", 201),
        (urlsplit(base).path + "/d", 201),
        ("https://elsewhere.example/dav/c", 502),
        (f"{base}/missing/c", 409),
    ]:
        assert place("COPY", "/a%20b", headers={"Destination": destination}).status_code == status
    assert place("DELETE", "/c").status_code == 204
    assert place("MKCOL", "/e/").status_code == 201
    assert place("DELETE", "/e").status_code == 204
