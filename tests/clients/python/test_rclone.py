"""rclone, as Debian ships it, against the addresses compiled into it.

It believes to speak with api.box.com and upload.box.com; a CONNECT proxy takes it to the server, which presents a
certificate for those names.
"""

import hashlib
import json
import os
import shutil
import subprocess
import time
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from connect_proxy import ConnectProxy
from kit import new_folder
from trees import big_size_bytes, listing, plant, plant_big, sha1_of

pytestmark = pytest.mark.skipif(shutil.which("rclone") is None, reason="rclone is not installed")


class Rclone:
    """rclone with one remote, `bx:`, that is the user's root."""

    def __init__(self, server, token: str, proxy: str):
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "LANG": "C.UTF-8",
            "HTTPS_PROXY": proxy,
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_BX_TYPE": "box",
            "RCLONE_CONFIG_BX_ACCESS_TOKEN": token,
            "RCLONE_CA_CERT": server.ca,
            "RCLONE_RETRIES": "1",
            "RCLONE_LOW_LEVEL_RETRIES": "2",
            "RCLONE_TRANSFERS": "8",
            "RCLONE_CHECKERS": "8",
            "RCLONE_TIMEOUT": "60s",
        }

    def __call__(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run(["rclone", *arguments], env=self.environment, capture_output=True, timeout=3600)
        if check and done.returncode != 0:
            raise AssertionError(f"rclone {' '.join(arguments)} ended with {done.returncode}: {done.stderr.decode()[-3000:]}")
        return done

    def listed(self, path: str) -> dict[str, str]:
        """Every file below, with the SHA-1 that the server says it has."""
        said = self("lsjson", "-R", "--files-only", "--hash", "--hash-type", "sha1", path).stdout
        return {entry["Path"]: entry["Hashes"]["sha1"] for entry in json.loads(said)}


@pytest.fixture(scope="module")
def rclone_token(server):
    return server.token(server.new_login("rclone"))


@pytest.fixture(scope="module")
def proxy(server):
    address = urlsplit(server.url)
    with ConnectProxy(address.hostname, address.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def rclone(server, rclone_token, proxy):
    return Rclone(server, rclone_token, proxy.url)


@pytest.fixture
def bx(server, rclone_token, request):
    """A fresh folder in rclone's root, as a remote path, with the SDK's client for what rclone has no word for."""
    client = server.client(rclone_token)
    name = request.node.name.replace("[", "-").strip("]")[:80]
    folder = new_folder(client, "0", name)
    return f"bx:{name}", client, folder


def test_it_reaches_the_server_under_boxs_own_names(rclone, proxy):
    rclone("lsjson", "bx:")
    assert "api.box.com:443" in proxy.hosts


def test_about(rclone):
    about = json.loads(rclone("about", "--json", "bx:").stdout)
    assert about["total"] > 0
    assert about["used"] >= 0


def test_small_commands(rclone, bx, tmp_path):
    remote, client, _ = bx
    (tmp_path / "a.txt").write_text("hello from rclone\n")
    rclone("mkdir", f"{remote}/one/two")
    rclone("copyto", str(tmp_path / "a.txt"), f"{remote}/one/two/a.txt")
    assert rclone("cat", f"{remote}/one/two/a.txt").stdout == b"hello from rclone\n"
    assert rclone("cat", "--offset", "6", "--count", "4", f"{remote}/one/two/a.txt").stdout == b"from"
    assert rclone("rmdir", f"{remote}/one", check=False).returncode != 0
    rclone("moveto", f"{remote}/one/two/a.txt", f"{remote}/one/b.txt")
    rclone("copyto", f"{remote}/one/b.txt", f"{remote}/c.txt")
    rclone("rmdir", f"{remote}/one/two")
    rclone("touch", "--timestamp", "2020-02-02T02:02:02", f"{remote}/c.txt")
    assert b"2020-02-02 02:02:02" in rclone("lsl", f"{remote}/c.txt").stdout
    rclone("touch", f"{remote}/empty")
    assert sorted(rclone.listed(remote)) == ["c.txt", "empty", "one/b.txt"]
    rclone("deletefile", f"{remote}/c.txt")
    rclone("purge", f"{remote}/one")
    assert sorted(rclone.listed(remote)) == ["empty"]


def test_a_link_is_made_once(rclone, bx, tmp_path):
    remote, client, folder = bx
    (tmp_path / "a.txt").write_text("hello from rclone\n")
    rclone("copyto", str(tmp_path / "a.txt"), f"{remote}/a.txt")
    [file] = client.folders.get_folder_items(folder.id).entries
    for path, of in [
        (f"{remote}/a.txt", lambda: client.files.get_file_by_id(file.id)),
        (remote, lambda: client.folders.get_folder_by_id(folder.id)),
    ]:
        url = rclone("link", path).stdout.decode().strip()
        # Under Box's own names the same link has another beginning.
        assert url.rsplit("/", 1)[1] == of().shared_link.url.rsplit("/", 1)[1]
        assert rclone("link", path).stdout.decode().strip() == url


def test_rcat_streams_a_file_of_unknown_size(rclone, bx):
    remote, _, _ = bx
    content = os.urandom(300_000)
    done = subprocess.run(
        ["rclone", "rcat", f"{remote}/streamed.bin"],
        env=rclone.environment, input=content, capture_output=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert rclone("cat", f"{remote}/streamed.bin").stdout == content


def test_names_that_rclone_must_disguise(rclone, bx, tmp_path):
    remote, _, _ = bx
    for name in ("back\\slash", "trailing space ", "grüße", "日本語", "tab\there", "a:b|c*d?e"):
        (tmp_path / name).write_text(name)
    rclone("copy", str(tmp_path), remote)
    rclone("check", "--download", str(tmp_path), remote)
    rclone("copy", remote, str(tmp_path / "back"))
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == sorted(
        path.name for path in tmp_path.iterdir() if path.is_file()
    )


def test_a_tree_goes_in_and_comes_back(rclone, bx, tmp_path):
    remote, client, folder = bx
    source, down = tmp_path / "source", tmp_path / "down"
    source.mkdir()
    plant(source)
    local = listing(source)

    # Up, and listed.
    rclone("copy", str(source), f"{remote}/tree")
    assert rclone.listed(f"{remote}/tree") == local

    # Overwritten where it changed.
    for path in sorted(local)[::10]:
        with open(source / path, "ab") as file:
            file.write(b"\nchanged by the story\n")
    local = listing(source)
    rclone("copy", str(source), f"{remote}/tree")
    assert rclone.listed(f"{remote}/tree") == local
    rclone("check", str(source), f"{remote}/tree")

    # Moved, and copied on the server.
    rclone("moveto", f"{remote}/tree", f"{remote}/moved")
    assert rclone.listed(f"{remote}/moved") == local
    rclone("copy", f"{remote}/moved", f"{remote}/copied")
    assert rclone.listed(f"{remote}/copied") == local
    some = sorted(local)[1::20]
    for number, path in enumerate(some[:10]):
        rclone("moveto", f"{remote}/copied/{path}", f"{remote}/strays/{number}")
    assert sorted(rclone.listed(f"{remote}/strays").values()) == sorted(local[path] for path in some[:10])

    # Trashed by rclone; restored with the SDK, for rclone cannot.
    moved = next(item for item in client.folders.get_folder_items(folder.id).entries if item.name == "moved")
    rclone("purge", f"{remote}/moved")
    assert "moved" not in [item.name for item in client.folders.get_folder_items(folder.id).entries]
    client.trashed_folders.restore_folder_from_trash(moved.id)
    assert rclone.listed(f"{remote}/moved") == local

    # Down, and every byte is compared.
    rclone("copy", f"{remote}/moved", str(down))
    assert listing(down) == local


def test_bisync(rclone, bx, tmp_path):
    """Two sides that both change, and are made alike again."""
    remote, client, _ = bx
    here, work = tmp_path / "here", tmp_path / "work"
    here.mkdir()
    plant(here)
    rclone("mkdir", f"{remote}/there")
    both = ("bisync", str(here), f"{remote}/there", "--workdir", str(work))
    rclone(*both, "--resync")
    local = listing(here)
    assert rclone.listed(f"{remote}/there") == local

    paths = sorted(local)
    for path in paths[::9]:
        with open(here / path, "ab") as file:
            file.write(b"changed here")
    for path in paths[1::9]:
        (here / path).unlink()
    (here / "new here").write_text("here")
    (tmp_path / "new").write_text("there")
    rclone("copyto", str(tmp_path / "new"), f"{remote}/there/new there")
    for path in paths[2::27]:
        rclone("copyto", str(tmp_path / "new"), f"{remote}/there/{path}")
    for path in paths[3::27]:
        rclone("deletefile", f"{remote}/there/{path}")
    rclone(*both)
    local = listing(here)
    assert rclone.listed(f"{remote}/there") == local
    assert {"new here", "new there"} <= local.keys()
    assert local[paths[0]] != local[paths[2]] == local["new there"]
    assert not {paths[1], paths[3]} & local.keys()
    rclone("check", "--download", str(here), f"{remote}/there")


def test_mount(rclone, bx, tmp_path):
    """As a folder of the system."""
    remote, _, _ = bx
    place = tmp_path / "mount"
    place.mkdir()
    content = os.urandom(3_000_000)
    mounted = subprocess.Popen(
        ["rclone", "mount", remote, str(place), "--vfs-cache-mode", "writes", "--vfs-write-back", "0s",
         "--dir-cache-time", "1s", "--cache-dir", str(tmp_path / "cache")],
        env=rclone.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )
    try:
        patience = time.monotonic() + 60
        while not os.path.ismount(place):
            assert mounted.poll() is None, mounted.stdout.read().decode()
            assert time.monotonic() < patience, "it was not mounted within a minute"
            time.sleep(0.1)
        (place / "folder/deeper").mkdir(parents=True)
        (place / "folder/file").write_bytes(content)
        (place / "folder/deeper/small").write_text("one\n")
        with open(place / "folder/deeper/small", "a") as file:
            file.write("two\n")
        assert (place / "folder/file").read_bytes() == content
        os.rename(place / "folder/file", place / "folder/deeper/renamed")
        assert sorted(path.name for path in (place / "folder/deeper").iterdir()) == ["renamed", "small"]
        with open(place / "folder/deeper/renamed", "rb") as file:
            file.seek(2_000_000)
            assert file.read(1_000) == content[2_000_000:2_001_000]
        (place / "folder/deeper/small").unlink()
    finally:
        unmounted = subprocess.run(["fusermount3", "-u", str(place)], capture_output=True, timeout=60)
        mounted.wait(60)
    assert unmounted.returncode == 0, unmounted.stderr.decode()
    assert rclone.listed(remote) == {"folder/deeper/renamed": hashlib.sha1(content).hexdigest()}


def test_one_big_file_goes_in_and_comes_back(rclone, bx, tmp_path):
    remote, _, _ = bx
    digest = plant_big(tmp_path / "big.bin")
    rclone("copyto", str(tmp_path / "big.bin"), f"{remote}/big.bin")
    assert rclone.listed(remote) == {"big.bin": digest}
    rclone("copyto", f"{remote}/big.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").stat().st_size == big_size_bytes()
    assert sha1_of(tmp_path / "back.bin") == digest


def test_cleanup_empties_the_trash(server, proxy, tmp_path):
    token = server.token(server.new_login("tidy"))
    rclone, client = Rclone(server, token, proxy.url), server.client(token)
    (tmp_path / "a.txt").write_text("x")
    rclone("copy", str(tmp_path), "bx:mess/deep")
    rclone("purge", "bx:mess")
    assert client.trashed_items.get_trashed_items().total_count == 1
    rclone("cleanup", "bx:")
    assert client.trashed_items.get_trashed_items().total_count == 0


def test_login_with_a_settings_file(server, proxy, tmp_path):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = tmp_path / "public.pem"
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    app = server.new_app("rclone assertions", public_key=public)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    settings = tmp_path / "settings.json"
    settings.write_text(
        json.dumps(
            {
                "boxAppSettings": {
                    "clientID": app.client_id,
                    "clientSecret": app.client_secret,
                    "appAuth": {
                        "publicKeyID": app.public_key_id or "",
                        "privateKey": locked.decode(),
                        "passphrase": "secret",
                    },
                },
                "enterpriseID": app.enterprise_id,
            }
        )
    )
    rclone = Rclone(server, "", proxy.url)
    rclone.environment.pop("RCLONE_CONFIG_BX_ACCESS_TOKEN")
    config = tmp_path / "rclone.conf"
    config.write_text("")
    rclone.environment["RCLONE_CONFIG"] = str(config)
    rclone("config", "create", "bxj", "box", "box_config_file", str(settings), "box_sub_type", "enterprise")
    rclone("mkdir", "bxj:made with an assertion")
    assert b"made with an assertion" in rclone("lsd", "bxj:").stdout
