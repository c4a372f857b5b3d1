"""The official Python SDK, set to ask once, with its errors sorted into "refused" and "no answer"."""

import base64
import hashlib
import http.client
import io

import requests
import urllib3
from box_sdk_gen import (
    BaseUrls,
    BoxAPIError,
    BoxClient,
    BoxDeveloperTokenAuth,
    BoxRetryStrategy,
    BoxSDKError,
    CopyFileParent,
    CopyFolderParent,
    CreateFolderParent,
    NetworkSession,
    RestoreFileFromTrashParent,
    RestoreFolderFromTrashParent,
    UpdateFileByIdParent,
    UpdateFolderByIdParent,
    UploadFileAttributes,
    UploadFileAttributesParentField,
    UploadFileVersionAttributes,
)
from box_sdk_gen.networking.timeout_config import TimeoutConfig

PAGE = 1000
FIELDS = ["type", "id", "name", "parent", "sha1", "size", "file_version", "item_status"]


class Answered(Exception):
    """The server answered with an error."""

    def __init__(self, what: str, status: int, body: dict):
        self.status, self.body = status, body
        self.code = body.get("code")
        super().__init__(f"{what}: {status} {body}")



class Refused(Answered):
    """With a 4xx: nothing was changed."""


class Failed(Answered):
    """With a 5xx: whether anything was changed is not said."""


class NoAnswer(Exception):
    """The connection was refused, reset or cut: whether anything was changed is not known."""


def answered(what: str, status: int, body: dict) -> Answered:
    return (Failed if status >= 500 else Refused)(what, status, body)


def sha1_of(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def digest_of(content: bytes) -> str:
    return "sha=" + base64.b64encode(hashlib.sha1(content).digest()).decode()


class Client:
    """One client. Not for use by several threads at a time, except where a method says so."""

    def __init__(self, url: str, token: str, seconds_max: float = 60, attempts: int = 1):
        door = f"{url}/box"
        session = NetworkSession(
            base_urls=BaseUrls(base_url=door, upload_url=f"{door}/upload", oauth_2_url=f"{door}/oauth2"),
            retry_strategy=BoxRetryStrategy(max_attempts=attempts, max_retries_on_exception=0),
            timeout_config=TimeoutConfig(
                connection_timeout_ms=int(seconds_max * 1000), read_timeout_ms=int(seconds_max * 1000)
            ),
        )
        self.box = BoxClient(auth=BoxDeveloperTokenAuth(token=token), network_session=session)

    def ask(self, call, *positional, **named):
        try:
            return call(*positional, **named)
        except BoxAPIError as error:
            info, asked = error.response_info, error.request_info
            body = info.body if isinstance(info.body, dict) else {"raw": info.raw_body}
            raise answered(f"{asked.method} {asked.url}", info.status_code, body) from None
        except (BoxSDKError, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from None
        except http.client.HTTPException as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from None

    # --- folders and files ---

    def make_folder(self, parent: str, name: str):
        return self.ask(self.box.folders.create_folder, name, CreateFolderParent(id=parent), fields=FIELDS)

    def upload(self, parent: str, name: str, content: bytes):
        attributes = UploadFileAttributes(name=name, parent=UploadFileAttributesParentField(id=parent))
        files = self.ask(self.box.uploads.upload_file, attributes, io.BytesIO(content), fields=FIELDS)
        return files.entries[0]

    def upload_version(self, file: str, name: str, content: bytes):
        attributes = UploadFileVersionAttributes(name=name)
        files = self.ask(self.box.uploads.upload_file_version, file, attributes, io.BytesIO(content), fields=FIELDS)
        return files.entries[0]

    def file(self, file: str):
        return self.ask(self.box.files.get_file_by_id, file, fields=FIELDS)

    def folder(self, folder: str):
        return self.ask(self.box.folders.get_folder_by_id, folder, fields=FIELDS)

    def items(self, folder: str) -> list:
        """Everything in a folder."""
        return self.pages(self.box.folders.get_folder_items, folder, fields=FIELDS)

    def trash(self) -> list:
        return self.pages(self.box.trashed_items.get_trashed_items, fields=FIELDS)

    def pages(self, call, *positional, **named) -> list:
        found, marker = [], None
        while True:
            page = self.ask(call, *positional, usemarker=True, limit=PAGE, marker=marker, **named)
            found += page.entries
            marker = page.next_marker
            if not marker:
                return found

    def move_file(self, file: str, parent: str, name: str):
        to = UpdateFileByIdParent(id=parent)
        return self.ask(self.box.files.update_file_by_id, file, name=name, parent=to, fields=FIELDS)

    def move_folder(self, folder: str, parent: str, name: str):
        to = UpdateFolderByIdParent(id=parent)
        return self.ask(self.box.folders.update_folder_by_id, folder, name=name, parent=to, fields=FIELDS)

    def copy_file(self, file: str, parent: str, name: str):
        to = CopyFileParent(id=parent)
        return self.ask(self.box.files.copy_file, file, to, name=name, fields=FIELDS)

    def copy_folder(self, folder: str, parent: str, name: str):
        to = CopyFolderParent(id=parent)
        return self.ask(self.box.folders.copy_folder, folder, to, name=name, fields=FIELDS)

    # --- trash (the SDK wants all fields of what is or was in it) ---

    def trash_file(self, file: str) -> None:
        self.ask(self.box.files.delete_file_by_id, file)

    def trash_folder(self, folder: str) -> None:
        self.ask(self.box.folders.delete_folder_by_id, folder, recursive=True)

    def trashed_file(self, file: str):
        return self.ask(self.box.trashed_files.get_trashed_file_by_id, file)

    def trashed_folder(self, folder: str):
        return self.ask(self.box.trashed_folders.get_trashed_folder_by_id, folder)

    def restore_file(self, file: str, parent: str):
        to = RestoreFileFromTrashParent(id=parent)
        return self.ask(self.box.trashed_files.restore_file_from_trash, file, parent=to)

    def restore_folder(self, folder: str, parent: str):
        to = RestoreFolderFromTrashParent(id=parent)
        return self.ask(self.box.trashed_folders.restore_folder_from_trash, folder, parent=to)

    def purge_file(self, file: str) -> None:
        self.ask(self.box.trashed_files.delete_trashed_file_by_id, file)

    def purge_folder(self, folder: str) -> None:
        self.ask(self.box.trashed_folders.delete_trashed_folder_by_id, folder)

    # --- versions and content ---

    def older_versions(self, file: str) -> list:
        """The versions below the current one, the newest first."""
        answer = self.ask(self.box.file_versions.get_file_versions, file, limit=PAGE)
        return answer.entries

    def remove_version(self, file: str, version: str) -> None:
        self.ask(self.box.file_versions.delete_file_version_by_id, file, version)

    def promote(self, file: str, version: str):
        return self.ask(self.box.file_versions.promote_file_version, file, id=version, type="file_version")

    def download(self, file: str, version: str | None = None, first: int | None = None, last: int | None = None) -> bytes:
        """The content, or its bytes `first..=last`. May be called by several threads at a time."""
        wanted = None if first is None else f"bytes={first}-{last}"
        return self.ask(lambda: self.box.downloads.download_file(file, version=version, range=wanted).read())

    # --- uploads in parts ---

    def begin_session(self, parent: str, name: str, size: int):
        return self.ask(self.box.chunked_uploads.create_file_upload_session, parent, size, name)

    def begin_version_session(self, file: str, size: int):
        return self.ask(self.box.chunked_uploads.create_file_upload_session_for_existing_file, file, size)

    def session(self, session: str):
        return self.ask(self.box.chunked_uploads.get_file_upload_session_by_id, session)

    def send_part(self, session: str, offset: int, part: bytes, size: int):
        """Sends one part of a file of `size` bytes. May be called by several threads at a time."""
        where = f"bytes {offset}-{offset + len(part) - 1}/{size}"
        call = self.box.chunked_uploads.upload_file_part
        return self.ask(call, session, io.BytesIO(part), digest_of(part), where).part

    def parts(self, session: str) -> list:
        return self.ask(self.box.chunked_uploads.get_file_upload_session_parts, session, limit=PAGE).entries

    def commit_session(self, session: str, parts: list, content: bytes):
        call = self.box.chunked_uploads.create_file_upload_session_commit
        return self.ask(call, session, parts, digest_of(content)).entries[0]

    def abort_session(self, session: str) -> None:
        self.ask(self.box.chunked_uploads.delete_file_upload_session_by_id, session)
