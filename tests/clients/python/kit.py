"""Short words for what nearly every story does with the SDK."""

import hashlib
import io
import os
from contextlib import contextmanager
from types import SimpleNamespace

from box_sdk_gen import (
    BoxAPIError,
    BoxClient,
    CreateFolderParent,
    UploadFileAttributes,
    UploadFileAttributesParentField,
    UploadFileVersionAttributes,
)


def sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def random_bytes(size_bytes: int) -> bytes:
    return os.urandom(size_bytes)


def new_folder(client: BoxClient, parent: str, name: str):
    return client.folders.create_folder(name, CreateFolderParent(id=parent))


def upload(client: BoxClient, parent: str, name: str, content: bytes, **options):
    """Uploads one small file, and returns it as the server described it."""
    attributes = UploadFileAttributes(name=name, parent=UploadFileAttributesParentField(id=parent))
    files = client.uploads.upload_file(attributes, io.BytesIO(content), **options)
    assert files.total_count == 1
    assert len(files.entries) == 1
    return files.entries[0]


def upload_version(client: BoxClient, file_id: str, name: str, content: bytes, **options):
    files = client.uploads.upload_file_version(
        file_id, UploadFileVersionAttributes(name=name), io.BytesIO(content), **options
    )
    assert files.total_count == 1
    return files.entries[0]


def download(client: BoxClient, file_id: str, **options) -> bytes:
    return client.downloads.download_file(file_id, **options).read()


def names_in(client: BoxClient, folder_id: str) -> list[str]:
    return [item.name for item in client.folders.get_folder_items(folder_id, limit=1000).entries]


@contextmanager
def refused(status: int, code: str | None = None):
    """The calls inside must be refused with this status (and code); yields an object whose `error` is then set."""
    caught = SimpleNamespace(error=None)
    try:
        yield caught
    except BoxAPIError as error:
        info = error.response_info
        assert info.status_code == status, f"expected {status} {code or ''}, got {info.status_code} {info.raw_body}"
        if code is not None:
            assert info.code == code, f"expected {status} {code}, got {info.raw_body}"
        assert info.body.get("type") == "error", info.raw_body
        assert info.body.get("status") == status, info.raw_body
        assert info.request_id, info.raw_body
        assert "message" in info.body and "help_url" in info.body, info.raw_body
        caught.error = info
    else:
        raise AssertionError(f"expected an error {status} {code or ''}, but the call succeeded")
