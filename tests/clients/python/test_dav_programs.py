"""litmus, cadaver and davfs2 as Debian ships them, against a server of their own that speaks without TLS."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

import dav
from kit import random_bytes


@pytest.fixture(scope="module")
def plain(server, tmp_path_factory):
    """A server on a data directory of its own."""
    data = tmp_path_factory.mktemp("dav") / "data"
    log = (data.parent / "log").open("wb")
    arguments = ["serve", "--data", str(data), "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"]
    process = subprocess.Popen([server.program, *arguments], stdout=log, stderr=log)
    ready = data / "ready.json"
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert process.poll() is None and time.monotonic() < deadline, (data.parent / "log").read_text()
        time.sleep(0.1)
    own = replace(server, url=json.loads(ready.read_text())["url"] + "/box", ca="", data=str(data))
    yield own
    process.terminate()
    assert process.wait(60) == 0


@pytest.fixture(scope="module")
def who(plain):
    return dav.person(plain, plain.origin, "dav")


def program(name: str) -> str:
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert found, f"{name} is not installed; scripts/install-test-tools.sh clients does that"
    return found


def test_litmus(who, tmp_path):
    done = subprocess.run(
        [program("litmus"), "-k", f"{who.url}/", who.login, who.password],
        capture_output=True,
        text=True,
        timeout=600,
        cwd=tmp_path,
    )
    summaries = re.findall(r"summary for `(\w+)': of (\d+) tests run: (\d+) passed, (\d+) failed", done.stdout)
    assert [name for name, *_ in summaries] == ["basic", "copymove", "props", "locks", "http"], done.stdout
    assert all(run == passed and failed == "0" for _, run, passed, failed in summaries), done.stdout
    assert done.returncode == 0
    assert "skipped" not in done.stdout.lower(), done.stdout


def test_cadaver(who, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine 127.0.0.1\nlogin {who.login}\npassword {who.password}\n")
    netrc.chmod(0o600)
    (tmp_path / "file").write_bytes(random_bytes(100_000))
    commands = f"""mkcol cadaver
cd cadaver
put {tmp_path}/file file
lock file
put {tmp_path}/file file
unlock file
propset file colour red
propget file
copy file copy
move copy moved
get moved {tmp_path}/back
delete moved
ls
cd ..
rmcol cadaver
quit
"""
    done = subprocess.run(
        [program("cadaver"), f"{who.url}/"],
        input=commands,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert "failed" not in done.stdout and done.stdout.count("succeeded") == 12, done.stdout
    assert "colour = red" in done.stdout
    assert (tmp_path / "back").read_bytes() == (tmp_path / "file").read_bytes()


@pytest.mark.skipif(not Path("/dev/fuse").exists() or os.getuid() != 0, reason="mounting takes /dev/fuse, and root")
def test_davfs2(who, tmp_path):
    secrets, config, mount = tmp_path / "secrets", tmp_path / "davfs2.conf", tmp_path / "mount"
    secrets.write_text(f'"{who.url}/" {who.login} {who.password}\n')
    secrets.chmod(0o600)
    config.write_text(f"ask_auth 0\nuse_locks 1\ndelay_upload 0\nsecrets {secrets}\n")
    mount.mkdir()
    program("mount.davfs")
    subprocess.run(
        ["mount", "-t", "davfs", "-o", f"conf={config}", f"{who.url}/", str(mount)],
        check=True,
        timeout=60,
        capture_output=True,
    )
    try:
        folder = mount / "davfs"
        folder.mkdir()
        content = random_bytes(1_000_000)
        (folder / "file").write_bytes(content)
        assert hashlib.sha1((folder / "file").read_bytes()).digest() == hashlib.sha1(content).digest()
        (folder / "note").write_text("one\n")
        with (folder / "note").open("a") as note:
            note.write("two\n")
        (folder / "note").rename(folder / "renamed")
        (folder / "file").chmod(0o755)
        (folder / "gone").write_text("x")
        (folder / "gone").unlink()
    finally:
        subprocess.run(["umount", str(mount)], check=True, timeout=120, capture_output=True)
    # Seen by another client: davfs2 1.6 cannot list folders on newer kernels, whoever serves them.
    rclone = dav.Rclone(who)
    there = {entry["Path"]: entry["Size"] for entry in json.loads(rclone("lsjson", "plain:davfs"))}
    assert there == {"file": 1_000_000, "renamed": 8}
    assert rclone("cat", "plain:davfs/renamed") == b"one\ntwo\n"
    assert rclone("cat", "plain:davfs/file") == content
