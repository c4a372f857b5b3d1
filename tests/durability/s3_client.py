"""boto3, set to ask once, with its errors sorted as in client.py; and raw requests that break off on purpose."""

import hashlib
import http.client
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from client import NoAnswer, answered


def md5_of(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Shown:
    """A version of a key, or a delete marker, as a listing shows it."""

    id: str
    is_latest: bool
    # Empty for a marker.
    etag: str
    size: int


class S3:
    """A client of the S3 door. For use by any thread."""

    def __init__(self, url: str, key: tuple[str, str], connections: int, seconds_max: float = 60):
        self.boto = boto3.client(
            "s3",
            endpoint_url=url,
            aws_access_key_id=key[0],
            aws_secret_access_key=key[1],
            region_name="eu-kill-1",
            config=Config(
                signature_version="s3v4",
                retries={"total_max_attempts": 1},
                s3={"addressing_style": "path"},
                max_pool_connections=connections,
                connect_timeout=seconds_max,
                read_timeout=seconds_max,
                proxies={},
            ),
        )

    def ask(self, call, **named):
        try:
            return call(**named)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            what = f"{error.operation_name} {named.get('Bucket')} {named.get('Key')!r}"
            body = {"code": error.response["Error"].get("Code"), "message": error.response["Error"].get("Message")}
            raise answered(what, status, body) from None
        except (BotoCoreError, HTTPClientError, urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from None
        except http.client.HTTPException as error:
            raise NoAnswer(f"{type(error).__name__}: {error}") from None

    def make_bucket(self, bucket: str, is_versioned: bool) -> None:
        self.ask(self.boto.create_bucket, Bucket=bucket)
        if is_versioned:
            status = {"Status": "Enabled"}
            self.ask(self.boto.put_bucket_versioning, Bucket=bucket, VersioningConfiguration=status)

    # --- objects ---

    def put(self, bucket: str, key: str, content: bytes, tagging: str = "", is_new: bool = False) -> dict:
        """`is_new` puts it if there is nothing yet (If-None-Match)."""
        named = {"Tagging": tagging} if tagging else {}
        if is_new:
            named["IfNoneMatch"] = "*"
        return self.ask(self.boto.put_object, Bucket=bucket, Key=key, Body=content, **named)

    def download(self, bucket: str, key: str, version: str | None = None, wanted: str | None = None) -> tuple[bytes, str]:
        """The content and its entity tag; of a range in HTTP's words, or all of it."""
        named = {"VersionId": version} if version else {}
        if wanted:
            named["Range"] = wanted

        def read(**named) -> tuple[bytes, str]:
            answer = self.boto.get_object(**named)
            return answer["Body"].read(), answer["ETag"]

        return self.ask(read, Bucket=bucket, Key=key, **named)

    def copy(self, bucket: str, key: str, source: tuple[str, str, str | None]) -> dict:
        """From a bucket, a key, and a version of it."""
        of = {"Bucket": source[0], "Key": source[1], **({"VersionId": source[2]} if source[2] else {})}
        return self.ask(self.boto.copy_object, Bucket=bucket, Key=key, CopySource=of)

    def delete(self, bucket: str, key: str, version: str | None = None) -> dict:
        named = {"VersionId": version} if version else {}
        return self.ask(self.boto.delete_object, Bucket=bucket, Key=key, **named)

    def tags(self, bucket: str, key: str, version: str | None = None) -> dict[str, str]:
        named = {"VersionId": version} if version else {}
        answer = self.ask(self.boto.get_object_tagging, Bucket=bucket, Key=key, **named)
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def put_tags(self, bucket: str, key: str, tags: dict[str, str]) -> None:
        said = {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}
        self.ask(self.boto.put_object_tagging, Bucket=bucket, Key=key, Tagging=said)

    # --- listings ---

    def pages(self, name: str, **named) -> list[dict]:
        return self.ask(lambda **named: list(self.boto.get_paginator(name).paginate(**named)), **named)

    def versions(self, bucket: str) -> dict[str, tuple[list[Shown], list[Shown]]]:
        """Of each key the versions and the delete markers, the newest first."""
        found: dict[str, tuple[list[Shown], list[Shown]]] = {}
        for page in self.pages("list_object_versions", Bucket=bucket):
            for which, name in enumerate(("Versions", "DeleteMarkers")):
                for row in page.get(name, []):
                    one = Shown(row["VersionId"], row["IsLatest"], row.get("ETag", ""), row.get("Size", 0))
                    found.setdefault(row["Key"], ([], []))[which].append(one)
        return found

    def files(self, bucket: str) -> dict[str, Shown]:
        """Every key with what it is now."""
        rows = [row for page in self.pages("list_objects_v2", Bucket=bucket) for row in page.get("Contents", [])]
        return {row["Key"]: Shown("", True, row["ETag"], row["Size"]) for row in rows}

    def prefixes(self, bucket: str) -> set[str]:
        """Every common prefix, found level by level as people browse."""
        found, waiting = set(), [""]
        while waiting:
            for page in self.pages("list_objects_v2", Bucket=bucket, Prefix=waiting.pop(), Delimiter="/"):
                below = [row["Prefix"] for row in page.get("CommonPrefixes", [])]
                waiting += [prefix for prefix in below if prefix not in found]
                found.update(below)
        return found

    # --- uploads in parts ---

    def begin_upload(self, bucket: str, key: str) -> str:
        return self.ask(self.boto.create_multipart_upload, Bucket=bucket, Key=key)["UploadId"]

    def send_part(self, bucket: str, key: str, upload: str, number: int, part: bytes) -> str:
        named = {"UploadId": upload, "PartNumber": number, "Body": part}
        return self.ask(self.boto.upload_part, Bucket=bucket, Key=key, **named)["ETag"]

    def parts(self, bucket: str, key: str, upload: str) -> dict[int, tuple[str, int]]:
        answer = self.ask(self.boto.list_parts, Bucket=bucket, Key=key, UploadId=upload)
        return {row["PartNumber"]: (row["ETag"], row["Size"]) for row in answer.get("Parts", [])}

    def complete(self, bucket: str, key: str, upload: str, etags: dict[int, str]) -> dict:
        parts = {"Parts": [{"PartNumber": number, "ETag": etag} for number, etag in sorted(etags.items())]}
        call = self.boto.complete_multipart_upload
        return self.ask(call, Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts)

    def abort(self, bucket: str, key: str, upload: str) -> None:
        self.ask(self.boto.abort_multipart_upload, Bucket=bucket, Key=key, UploadId=upload)

    def uploads(self, bucket: str) -> dict[str, str]:
        """Uploads in parts that were begun, with their keys."""
        pages = self.pages("list_multipart_uploads", Bucket=bucket)
        return {row["UploadId"]: row["Key"] for page in pages for row in page.get("Uploads", [])}

    # --- raw ---

    def cut_off(self, bucket: str, key: str, content: bytes, sent: int) -> None:
        """A signed PUT that breaks off after so many bytes of its body."""
        url = self.boto.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": key})
        break_off(url, "PUT", {"Content-Length": str(len(content))}, content[:sent])


def break_off(url: str, method: str, headers: dict[str, str], body: bytes) -> None:
    """Sends a request's head and a piece of its body, and hangs up."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=60)
    try:
        connection.putrequest(method, f"{where.path}?{where.query}" if where.query else where.path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
    except OSError as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()
