"""What lies on disk: neither names nor contents, in any form that a search would find."""

import base64
import hashlib
import os
from pathlib import Path

from kit import new_folder, random_bytes, upload

PIECE_BYTES = 1024 * 1024


def files_with(root: Path, needles: dict[str, bytes], skip: str | None = None) -> list[str]:
    """Which of the needles are in which file below `root`. Needles must be shorter than a piece."""
    overlap = max(map(len, needles.values()))
    found = []
    for path in sorted(root.rglob("*")):
        if not path.is_file() or (skip is not None and path.name.startswith(skip)):
            continue
        for word, needle in needles.items():
            if needle in os.fsencode(path.name):
                found.append(f"{word} is in the name {path}")
        with open(path, "rb") as file:
            tail = b""
            while piece := file.read(PIECE_BYTES):
                window = tail + piece
                found += [f"{word} is in {path}" for word, needle in needles.items() if needle in window]
                tail = window[-overlap:]
    return found


def test_the_search_finds_what_is_there(tmp_path):
    (tmp_path / "plain").write_bytes(b"x" * (PIECE_BYTES - 3) + b"needle" + b"x")
    assert files_with(tmp_path, {"a needle": b"needle"}) == [f"a needle is in {tmp_path / 'plain'}"]


def test_neither_names_nor_contents_are_on_disk(server, client, folder):
    name, inside = "Unmistakable-Name-Of-A-File.txt", "Unmistakable-Name-Of-A-Folder"
    text = b"Unmistakable words that nobody else would store. "
    noise = random_bytes(64)
    file = upload(client, new_folder(client, folder.id, inside).id, name, text * 2000 + noise * 4)
    upload(client, folder.id, "small.txt", text)
    upload(client, folder.id, "large.bin", (text + noise) * 90_000)
    secrets = {
        "the text": text.strip(),
        "the text in UTF-16": text.decode().strip().encode("utf-16-le"),
        "the text in base64": base64.b64encode(text * 6)[:48],
        "the noise": noise,
    }
    # The database keeps names and digests, but no content; backends keep neither.
    assert files_with(Path(server.data), secrets) == []
    names = {
        "the name of the file": name.encode(),
        "the name of the folder": inside.encode(),
        "the SHA-1": bytes.fromhex(file.sha_1),
        "the SHA-1 in hex": file.sha_1.encode(),
        "the SHA-256": hashlib.sha256(text * 2000 + noise * 4).digest(),
        "the id": file.id.encode(),
        "the login": client.users.get_user_me().login.encode(),
    }
    assert files_with(Path(server.data), names, skip="metadata.sqlite") == []
