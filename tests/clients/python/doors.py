"""One face for every door: files by their paths, whoever's protocol carries them. For stories that compare doors."""

import io
import json
import random
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from box_sdk_gen import (
    BoxAPIError,
    CreateFolderParent,
    UploadFileAttributes,
    UploadFileAttributesParentField,
    UploadFileVersionAttributes,
)

DAV = "{DAV:}"


class Gone(Exception):
    """There is no such file."""


class Conflict(Exception):
    """Somebody else was first, as the door says. Nothing was acknowledged."""


class BoxDoor:
    """The Box SDK, which knows ids: a path is looked up name by name."""

    word = "box"

    def __init__(self, server, token: str, root: str):
        self.client = server.client(token)
        self.root = root
        self.folders: dict[tuple[str, ...], str] = {}

    def children(self, folder: str) -> list:
        found, marker = [], None
        while True:
            page = self.client.folders.get_folder_items(
                folder, limit=1000, usemarker=True, marker=marker, fields=["id", "type", "name", "size", "sha1"]
            )
            found += page.entries
            marker = page.next_marker
            if not marker:
                return found

    def top(self) -> str:
        """The id of the folder that all paths are below, looked up each time: other doors may have made it."""
        return next(item.id for item in self.children("0") if item.name == self.root and item.type == "folder")

    def folder(self, names: list[str], make: bool = False) -> str:
        at = self.top()
        for name in names:
            below = [item for item in self.children(at) if item.type == "folder" and item.name == name]
            if below:
                at = below[0].id
            elif make:
                try:
                    at = self.client.folders.create_folder(name, CreateFolderParent(id=at)).id
                except BoxAPIError as error:
                    if error.response_info.status_code != 409:
                        raise
                    at = error.response_info.body["context_info"]["conflicts"][0]["id"]
            else:
                raise Gone
        return at

    def file(self, path: str):
        *folders, name = path.split("/")
        found = [item for item in self.children(self.folder(folders)) if item.type == "file" and item.name == name]
        if not found:
            raise Gone
        return found[0]

    def put(self, path: str, content: bytes) -> None:
        *folders, name = path.split("/")
        parent = self.folder(folders, make=True)
        try:
            try:
                there = self.file(path)
            except Gone:
                attributes = UploadFileAttributes(name=name, parent=UploadFileAttributesParentField(id=parent))
                self.client.uploads.upload_file(attributes, io.BytesIO(content))
            else:
                self.client.uploads.upload_file_version(
                    there.id, UploadFileVersionAttributes(name=name), io.BytesIO(content)
                )
        except BoxAPIError as error:
            if error.response_info.status_code in (404, 409, 412):
                raise Conflict from error
            raise

    def get(self, path: str) -> bytes:
        try:
            return self.client.downloads.download_file(self.file(path).id).read()
        except BoxAPIError as error:
            if error.response_info.status_code == 404:
                raise Gone from error
            raise

    def delete(self, path: str) -> None:
        try:
            self.client.files.delete_file_by_id(self.file(path).id)
        except BoxAPIError as error:
            if error.response_info.status_code == 404:
                raise Gone from error
            raise

    def size(self, path: str) -> int:
        return self.file(path).size

    def modified(self, path: str) -> datetime:
        return self.client.files.get_file_by_id(self.file(path).id).modified_at

    def listed(self) -> set[str]:
        found, left = set(), [("", self.top())]
        while left:
            prefix, folder = left.pop()
            for item in self.children(folder):
                if item.type == "folder":
                    left.append((f"{prefix}{item.name}/", item.id))
                else:
                    found.add(prefix + item.name)
        return found


class S3Door:
    """boto3. The folder is the bucket."""

    word = "s3"

    def __init__(self, server, login: str, root: str):
        said = json.loads(server.run("access-key", "create", "--login", login, "--json"))
        self.keys = (said["access_key_id"], said["secret_access_key"])
        self.server = server
        self.bucket = root
        self.client = self.connect(*s3_site(server))

    def connect(self, url: str, ca: str, **options):
        return boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=self.keys[0],
            aws_secret_access_key=self.keys[1],
            region_name="us-east-1",
            verify=ca,
            config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, proxies={}, **options),
        )

    def put(self, path: str, content: bytes) -> None:
        try:
            self.client.put_object(Bucket=self.bucket, Key=path, Body=content)
        except ClientError as error:
            if status_of(error) in (404, 409, 412):
                raise Conflict from error
            raise

    def get(self, path: str) -> bytes:
        try:
            return self.client.get_object(Bucket=self.bucket, Key=path)["Body"].read()
        except ClientError as error:
            if status_of(error) == 404:
                raise Gone from error
            raise

    def head(self, path: str) -> dict:
        return self.client.head_object(Bucket=self.bucket, Key=path)

    def delete(self, path: str) -> None:
        # S3 does not tell whether there was anything.
        self.client.delete_object(Bucket=self.bucket, Key=path)

    def size(self, path: str) -> int:
        return self.head(path)["ContentLength"]

    def modified(self, path: str) -> datetime:
        return self.head(path)["LastModified"]

    def listed(self) -> set[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


class DavDoor:
    """Plain HTTP, as WebDAV clients speak it."""

    word = "dav"

    def __init__(self, server, token: str, root: str):
        self.session = requests.Session()
        self.session.verify = server.ca
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.base = f"{server.origin}/dav/{quote(root)}"

    def ask(self, method: str, path: str, **options) -> requests.Response:
        options.setdefault("timeout", 60)
        return self.session.request(method, f"{self.base}/{quote(path)}", **options)

    def put(self, path: str, content: bytes) -> None:
        folders = path.split("/")[:-1]
        answer = self.ask("PUT", path, data=content)
        if answer.status_code == 409 and folders:
            for count in range(1, len(folders) + 1):
                made = self.ask("MKCOL", "/".join(folders[:count]))
                assert made.status_code in (201, 405, 409), made.status_code
            answer = self.ask("PUT", path, data=content)
        if answer.status_code in (404, 409, 412):
            raise Conflict
        assert answer.status_code in (201, 204), (answer.status_code, answer.text)

    def get(self, path: str) -> bytes:
        answer = self.ask("GET", path)
        if answer.status_code == 404:
            raise Gone
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.content

    def delete(self, path: str) -> None:
        answer = self.ask("DELETE", path)
        if answer.status_code == 404:
            raise Gone
        assert answer.status_code == 204, (answer.status_code, answer.text)

    def head(self, path: str) -> requests.Response:
        answer = self.ask("HEAD", path)
        assert answer.status_code == 200, answer.status_code
        return answer

    def size(self, path: str) -> int:
        return int(self.head(path).headers["Content-Length"])

    def modified(self, path: str) -> datetime:
        return parsedate_to_datetime(self.head(path).headers["Last-Modified"])

    def responses(self, path: str = "") -> list[tuple[str, bool]]:
        """What a collection holds: paths below the root as they were sent, and whether they are collections."""
        answer = self.ask("PROPFIND", path, headers={"Depth": "1"})
        assert answer.status_code == 207, (answer.status_code, answer.text)
        found = []
        for response in ElementTree.fromstring(answer.content).iter(f"{DAV}response"):
            href = urlsplit(response.find(f"{DAV}href").text).path
            below = unquote(href).removeprefix(unquote(urlsplit(self.base).path)).lstrip("/")
            found.append((below, response.find(f".//{DAV}collection") is not None))
        return [entry for entry in found if entry[0].rstrip("/") != path.rstrip("/")]

    def listed(self) -> set[str]:
        found, left = set(), [""]
        while left:
            for path, is_collection in self.responses(left.pop()):
                if is_collection:
                    left.append(path)
                else:
                    found.add(path)
        return found


def s3_site(server) -> tuple[str, str]:
    """Where one of the nodes takes S3 requests, and whose authority vouches for it: drawn, since none of them is special."""
    own = Path(server.data)
    folders = [own] if own.name == "data" else sorted(own.parent.glob("node-?"))
    said = json.loads((random.choice(folders) / "ready.json").read_text())
    return said["s3_url"], said["ca_file"]


def status_of(error: ClientError) -> int:
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def now() -> datetime:
    return datetime.now(timezone.utc)
