"""S3 over TLS: boto3, rclone, s3cmd, curl and browsers' forms, each as it comes."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from doors import status_of
from kit import random_bytes
from trees import listing, plant

MIB = 1 << 20


class Site:
    """A user with an access key, and where S3 requests go."""

    def __init__(self, server):
        # That of the node whose authority is trusted here.
        self.server, self.url = server, json.loads((Path(server.data) / "ready.json").read_text())["s3_url"]
        self.login = server.new_login("s3")
        self.key = self.new_key()
        self.client = self.connect(self.key)

    def new_key(self, *options: str) -> dict:
        return json.loads(self.server.run("access-key", "create", "--login", self.login, "--json", *options))

    def connect(self, key: dict):
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            region_name="eu-story-1",
            verify=self.server.ca,
            config=Config(
                signature_version="s3v4", retries={"max_attempts": 1}, s3={"addressing_style": "path"}
            ),
        )


@pytest.fixture(scope="module")
def site(server):
    return Site(server)


@pytest.fixture
def bucket(site):
    name = f"story-{uuid.uuid4().hex[:12]}"
    site.client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def rclone(site):
    assert shutil.which("rclone"), "rclone is not installed"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_"))}
    environment |= {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_E_TYPE": "s3",
        "RCLONE_CONFIG_E_PROVIDER": "Other",
        "RCLONE_CONFIG_E_ENDPOINT": site.url,
        "RCLONE_CONFIG_E_ACCESS_KEY_ID": site.key["access_key_id"],
        "RCLONE_CONFIG_E_SECRET_ACCESS_KEY": site.key["secret_access_key"],
    }

    def run(*words: str, stdin: bytes | None = None) -> bytes:
        command = ["rclone", "--ca-cert", site.server.ca, "--retries", "1", *words]
        done = subprocess.run(command, env=environment, input=stdin, capture_output=True, timeout=300)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


@pytest.fixture
def s3cmd(site, tmp_path):
    host = site.url.split("//")[1]
    config = tmp_path / "s3cfg"
    config.write_text(
        f"[default]\naccess_key = {site.key['access_key_id']}\nsecret_key = {site.key['secret_access_key']}\n"
        f"host_base = {host}\nhost_bucket = {host}\nuse_https = True\nca_certs_file = {site.server.ca}\n"
        "signature_v2 = False\nmultipart_chunk_size_mb = 5\n"
    )
    program = Path(sys.executable).with_name("s3cmd")

    def run(*words: str) -> str:
        command = [sys.executable, str(program), "-c", str(config), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def refused(status: int, call, **arguments) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as told:
        call(**arguments)
    assert status_of(told.value) == status, told.value
    return told.value.response["Error"]["Code"]


def test_objects_go_in_and_out(site, bucket):
    put = site.client.put_object(
        Bucket=bucket, Key="a/b c+ü.txt", Body=b"hello", ContentType="text/plain", Metadata={"colour": "blue"}
    )
    assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    got = site.client.get_object(Bucket=bucket, Key="a/b c+ü.txt")
    assert got["Body"].read() == b"hello"
    assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"colour": "blue"})
    part = site.client.get_object(Bucket=bucket, Key="a/b c+ü.txt", Range="bytes=1-3")
    assert (part["Body"].read(), part["ContentRange"]) == (b"ell", "bytes 1-3/5")
    assert refused(404, site.client.get_object, Bucket=bucket, Key="none") == "NoSuchKey"
    assert refused(412, site.client.put_object, Bucket=bucket, Key="a/b c+ü.txt", Body=b"", IfNoneMatch="*")
    assert refused(409, site.client.delete_bucket, Bucket=bucket) == "BucketNotEmpty"
    gone = site.client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a/b c+ü.txt"}, {"Key": "none"}]})
    assert len(gone["Deleted"]) == 2
    site.client.delete_bucket(Bucket=bucket)
    assert refused(404, site.client.list_objects_v2, Bucket=bucket) == "NoSuchBucket"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums_in_headers_and_trailers(site, bucket, algorithm):
    field = f"Checksum{algorithm}"
    content = random_bytes(3 * MIB)
    put = site.client.put_object(Bucket=bucket, Key="whole", Body=content, ChecksumAlgorithm=algorithm)
    piped = site.client.put_object(
        Bucket=bucket, Key="piped", Body=io.BytesIO(content), ChecksumAlgorithm=algorithm
    )
    assert put[field] == piped[field]
    head = site.client.head_object(Bucket=bucket, Key="piped", ChecksumMode="ENABLED")
    assert (head[field], head["ChecksumType"]) == (put[field], "FULL_OBJECT")
    wrong = {field: site.client.put_object(Bucket=bucket, Key="x", Body=b"x", ChecksumAlgorithm=algorithm)[field]}
    assert refused(400, site.client.put_object, Bucket=bucket, Key="y", Body=b"y", **wrong) == "BadDigest"
    assert refused(404, site.client.head_object, Bucket=bucket, Key="y")


def test_parts_copies_and_attributes(site, bucket):
    content = random_bytes(17 * MIB)
    site.client.upload_fileobj(io.BytesIO(content), bucket, "big")
    back = io.BytesIO()
    site.client.download_fileobj(bucket, "big", back)
    assert back.getvalue() == content
    site.client.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy")
    assert site.client.get_object(Bucket=bucket, Key="copy")["Body"].read() == content
    told = site.client.get_object_attributes(
        Bucket=bucket, Key="big", ObjectAttributes=["ETag", "ObjectParts", "ObjectSize", "Checksum"]
    )
    assert (told["ObjectSize"], told["ObjectParts"]["TotalPartsCount"]) == (len(content), 3)
    assert told["ETag"].strip('"').endswith("-3")
    begun = site.client.create_multipart_upload(Bucket=bucket, Key="never")["UploadId"]
    assert [upload["Key"] for upload in site.client.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["never"]
    site.client.abort_multipart_upload(Bucket=bucket, Key="never", UploadId=begun)


def test_pages_of_a_listing(site, bucket):
    keys = sorted(f"d{number % 7}/k{number:03}" for number in range(60))
    for key in keys:
        site.client.put_object(Bucket=bucket, Key=key, Body=b"x")
    for operation in ("list_objects", "list_objects_v2"):
        pages = site.client.get_paginator(operation).paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
        assert [entry["Key"] for page in pages for entry in page["Contents"]] == keys
    pages = site.client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 2}
    )
    prefixes = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", [])]
    assert prefixes == [f"d{number}/" for number in range(7)]


def test_versions_and_markers(site, bucket):
    site.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ids = [site.client.put_object(Bucket=bucket, Key="v", Body=body)["VersionId"] for body in (b"1", b"2")]
    marker = site.client.delete_object(Bucket=bucket, Key="v")
    assert marker["DeleteMarker"]
    told = site.client.list_object_versions(Bucket=bucket)
    assert [version["VersionId"] for version in told["Versions"]] == ids[::-1]
    assert [entry["VersionId"] for entry in told["DeleteMarkers"]] == [marker["VersionId"]]
    assert site.client.get_object(Bucket=bucket, Key="v", VersionId=ids[0])["Body"].read() == b"1"
    site.client.delete_object(Bucket=bucket, Key="v", VersionId=marker["VersionId"])
    assert site.client.get_object(Bucket=bucket, Key="v")["Body"].read() == b"2"


def test_signed_urls_with_curl(site, bucket, tmp_path):
    content = random_bytes(200_000)
    (tmp_path / "file").write_bytes(content)
    put = site.client.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "signed"}, ExpiresIn=60)
    get = site.client.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "signed"}, ExpiresIn=60)
    curl = ["curl", "--silent", "--show-error", "--cacert", site.server.ca]
    subprocess.run([*curl, "--fail", "-T", str(tmp_path / "file"), put], check=True, timeout=60)
    got = subprocess.run([*curl, "--fail", get], check=True, timeout=60, capture_output=True)
    assert got.stdout == content
    for spoilt in (get.replace("signed", "other"), get.replace("Expires=60", "Expires=61"), get.split("?")[0]):
        refusal = subprocess.run([*curl, "-w", "%{http_code}", spoilt], check=True, timeout=60, capture_output=True)
        assert refusal.stdout.endswith(b"403"), refusal.stdout


def test_a_form_of_a_browser(site, bucket):
    form = site.client.generate_presigned_post(
        bucket, "in/${filename}", Conditions=[["content-length-range", 1, 100]], ExpiresIn=60
    )
    send = lambda content: requests.post(  # noqa: E731
        form["url"], data=form["fields"], files={"file": ("a.txt", content)}, verify=site.server.ca, timeout=60
    )
    assert send(b"posted").status_code == 204
    assert site.client.get_object(Bucket=bucket, Key="in/a.txt")["Body"].read() == b"posted"
    assert send(b"x" * 101).status_code == 400


def test_keys_that_are_less_than_their_user(site, bucket):
    site.client.put_object(Bucket=bucket, Key="a", Body=b"x")
    reader = site.connect(site.new_key("--read-only"))
    assert reader.get_object(Bucket=bucket, Key="a")["Body"].read() == b"x"
    assert refused(403, reader.put_object, Bucket=bucket, Key="b", Body=b"x") == "AccessDenied"
    other = site.new_key("--bucket", "some-other-bucket")
    assert refused(403, site.connect(other).get_object, Bucket=bucket, Key="a") == "AccessDenied"
    assert json.loads(site.server.run("access-key", "revoke", other["access_key_id"], "--json")) == {"revoked": True}
    assert refused(403, site.connect(other).list_buckets) == "InvalidAccessKeyId"


def test_a_tree_by_rclone(rclone, bucket, tmp_path):
    source = tmp_path / "source"
    plant(source)
    rclone("sync", str(source), f"e:{bucket}/tree")
    rclone("check", str(source), f"e:{bucket}/tree")
    assert rclone("sync", "--dry-run", "--stats-one-line", str(source), f"e:{bucket}/tree") == b""
    rclone("copy", f"e:{bucket}/tree", f"e:{bucket}/copy")
    rclone("copy", f"e:{bucket}/copy", str(tmp_path / "back"))
    assert listing(tmp_path / "back") == listing(source)
    content = random_bytes(6 * MIB)
    rclone("rcat", f"e:{bucket}/piped", stdin=content)
    assert rclone("cat", f"e:{bucket}/piped") == content
    rclone("purge", f"e:{bucket}")


def test_s3cmd(s3cmd, bucket, tmp_path):
    content = random_bytes(12 * MIB)
    (tmp_path / "big").write_bytes(content)
    s3cmd("put", str(tmp_path / "big"), f"s3://{bucket}/a/big")
    s3cmd("cp", f"s3://{bucket}/a/big", f"s3://{bucket}/b/big")
    s3cmd("get", f"s3://{bucket}/b/big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == content
    assert f"s3://{bucket}/a/big" in s3cmd("ls", "-r", f"s3://{bucket}")
    s3cmd("del", "-r", "-f", f"s3://{bucket}")
    s3cmd("rb", f"s3://{bucket}")
