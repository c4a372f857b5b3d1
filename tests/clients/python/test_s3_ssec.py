"""Objects that are sealed with their customers' own keys (SSE-C), and what other doors make of them."""

import base64
import hashlib
import io
import json
import uuid
from pathlib import Path

import pytest
import requests
from boto3.s3.transfer import TransferConfig
from box_sdk_gen import BoxAPIError
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from doors import status_of
from kit import random_bytes
from test_s3 import Site
from test_sealed import files_with

MIB = 1 << 20
NEEDED = "InvalidRequest"


class Key:
    """A key, as each kind of request says it."""

    def __init__(self):
        self.bytes = random_bytes(32)
        self.md5 = base64.b64encode(hashlib.md5(self.bytes).digest()).decode()
        self.target = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": self.bytes}
        encoded = base64.b64encode(self.bytes).decode()
        # For operations whose keys boto3 sends as they are.
        self.written = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": encoded, "SSECustomerKeyMD5": self.md5}
        self.source = {"CopySourceSSECustomerAlgorithm": "AES256", "CopySourceSSECustomerKey": self.bytes}


@pytest.fixture(scope="module")
def site(server):
    return Site(server)


@pytest.fixture
def bucket(site):
    name = f"sealed-{uuid.uuid4().hex[:12]}"
    site.client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def key():
    return Key()


@pytest.fixture
def other():
    return Key()


def refused(status: int, call, **arguments) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as told:
        call(**arguments)
    assert status_of(told.value) == status, told.value
    return told.value.response["Error"]["Code"]


def signed(site, method: str, path: str, headers: dict[str, str], content: bytes = b"") -> requests.Response:
    """A request with just these headers, whatever a client would make of them."""
    request = AWSRequest(method, f"{site.url}/{path}", headers=headers, data=content)
    keys = Credentials(site.key["access_key_id"], site.key["secret_access_key"])
    S3SigV4Auth(keys, "s3", "eu-story-1").add_auth(request)
    sent = request.prepare()
    return requests.request(
        sent.method, sent.url, headers=dict(sent.headers), data=content, verify=site.server.ca, timeout=60
    )


def read(site, bucket, name, key=None, **more) -> bytes:
    said = key.target if key else {}
    return site.client.get_object(Bucket=bucket, Key=name, **said, **more)["Body"].read()


def test_an_object_is_read_with_its_key_alone(site, bucket, key, other):
    content = random_bytes(100_000)
    put = site.client.put_object(Bucket=bucket, Key="a/b", Body=content, Metadata={"colour": "blue"}, **key.target)
    assert (put["SSECustomerAlgorithm"], put["SSECustomerKeyMD5"]) == ("AES256", key.md5)
    assert "ServerSideEncryption" not in put
    etag = put["ETag"].strip('"')
    assert len(etag) == 32 and etag != hashlib.md5(content).hexdigest()

    got = site.client.get_object(Bucket=bucket, Key="a/b", **key.target)
    assert got["Body"].read() == content
    assert (got["SSECustomerAlgorithm"], got["SSECustomerKeyMD5"]) == ("AES256", key.md5)
    assert (got["ETag"], got["Metadata"]) == (put["ETag"], {"colour": "blue"})
    head = site.client.head_object(Bucket=bucket, Key="a/b", **key.target)
    assert (head["ContentLength"], head["ETag"], head["SSECustomerKeyMD5"]) == (len(content), put["ETag"], key.md5)
    for first, last in [(0, 0), (70_000, 70_009), (99_990, 99_999)]:
        assert read(site, bucket, "a/b", key, Range=f"bytes={first}-{last}") == content[first : last + 1]
    attributes = site.client.get_object_attributes(
        Bucket=bucket, Key="a/b", ObjectAttributes=["ETag", "ObjectSize", "Checksum"], **key.written
    )
    assert (attributes["ObjectSize"], attributes["ETag"]) == (len(content), etag)
    assert "Checksum" not in attributes

    named = {"Bucket": bucket, "Key": "a/b"}
    wanted = {"ObjectAttributes": ["ETag"]}
    for call, more in [
        (site.client.get_object, other.target),
        (site.client.head_object, other.target),
        (site.client.get_object_attributes, other.written | wanted),
    ]:
        assert refused(403, call, **named, **more) in ("AccessDenied", "403")
        keyless = {name: value for name, value in more.items() if not name.startswith("SSE")}
        assert refused(400, call, **named, **keyless) in (NEEDED, "400")
    # What needs no bytes needs no key.
    listed = site.client.list_objects_v2(Bucket=bucket)["Contents"]
    assert [(entry["Key"], entry["Size"], entry["ETag"]) for entry in listed] == [("a/b", len(content), put["ETag"])]
    site.client.put_object_tagging(Bucket=bucket, Key="a/b", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    site.client.delete_object(Bucket=bucket, Key="a/b")
    assert refused(404, site.client.get_object, Bucket=bucket, Key="a/b", **key.target) == "NoSuchKey"


def test_a_key_for_what_has_none_is_refused(site, bucket, key):
    put = site.client.put_object(Bucket=bucket, Key="open", Body=b"open")
    assert put["ServerSideEncryption"] == "AES256"
    for call in [site.client.get_object, site.client.head_object]:
        assert refused(400, call, Bucket=bucket, Key="open", **key.target) in (NEEDED, "400")
    assert read(site, bucket, "open") == b"open"


def test_empty_objects_need_their_key_too(site, bucket, key):
    site.client.put_object(Bucket=bucket, Key="empty", Body=b"", **key.target)
    assert read(site, bucket, "empty", key) == b""
    assert refused(400, site.client.get_object, Bucket=bucket, Key="empty") == NEEDED


def test_half_a_key_is_refused(site, bucket, key):
    encoded = base64.b64encode(key.bytes).decode()
    names = [f"x-amz-server-side-encryption-customer-{word}" for word in ("algorithm", "key", "key-MD5")]
    short = base64.b64encode(key.bytes[:16]).decode()
    for values, code in [
        (("AES256", encoded, key.md5), None),
        (("AES256", encoded, base64.b64encode(bytes(16)).decode()), "InvalidArgument"),
        (("AES256", encoded, "x"), "InvalidArgument"),
        (("AES256", short, base64.b64encode(hashlib.md5(key.bytes[:16]).digest()).decode()), "InvalidArgument"),
        (("AES256", "not base64", key.md5), "InvalidArgument"),
        (("aws:kms", encoded, key.md5), "InvalidEncryptionAlgorithmError"),
        (("AES256", encoded, None), "InvalidArgument"),
        (("AES256", None, key.md5), "InvalidArgument"),
        ((None, encoded, key.md5), "InvalidArgument"),
    ]:
        headers = {name: value for name, value in zip(names, values) if value is not None}
        answer = signed(site, "PUT", f"{bucket}/half", headers, b"content")
        assert answer.status_code == (200 if code is None else 400), (values, answer.text)
        if code:
            assert f"<Code>{code}</Code>" in answer.text, answer.text
            assert encoded not in answer.text
    assert read(site, bucket, "half", key) == b"content"
    assert "InvalidArgument" == refused(
        400,
        site.client.put_object,
        Bucket=bucket,
        Key="both",
        Body=b"",
        ServerSideEncryption="AES256",
        **key.target,
    )


def test_checksums_are_compared_and_not_kept(site, bucket, key):
    content = random_bytes(1000)
    put = site.client.put_object(Bucket=bucket, Key="a", Body=content, ChecksumAlgorithm="SHA256", **key.target)
    head = site.client.head_object(Bucket=bucket, Key="a", ChecksumMode="ENABLED", **key.target)
    assert "ChecksumSHA256" not in head
    wrong = base64.b64encode(bytes(32)).decode()
    sent = {"Bucket": bucket, "Key": "b", "Body": content, "ChecksumSHA256": wrong}
    assert refused(400, site.client.put_object, **sent, **key.target) == "BadDigest"
    assert put["ETag"] == head["ETag"]


def test_parts_are_sealed_with_the_key_of_their_upload(site, bucket, key, other):
    one, two = random_bytes(5 * MIB), random_bytes(MIB)
    begun = site.client.create_multipart_upload(Bucket=bucket, Key="parts", **key.target)
    assert begun["SSECustomerKeyMD5"] == key.md5
    at = {"Bucket": bucket, "Key": "parts", "UploadId": begun["UploadId"]}
    assert refused(400, site.client.upload_part, **at, PartNumber=1, Body=one) == NEEDED
    assert refused(400, site.client.upload_part, **at, PartNumber=1, Body=one, **other.target) == NEEDED
    parts = []
    for number, content in [(1, one), (2, two)]:
        part = site.client.upload_part(**at, PartNumber=number, Body=content, **key.target)
        assert part["SSECustomerKeyMD5"] == key.md5
        assert hashlib.md5(content).hexdigest() not in part["ETag"]
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    named = [parts[0] | {"ChecksumCRC32": "AAAAAA=="}, parts[1]]
    complete = site.client.complete_multipart_upload
    assert refused(400, complete, **at, MultipartUpload={"Parts": named}) == NEEDED
    assert refused(400, complete, **at, MultipartUpload={"Parts": parts}, **other.target) == NEEDED
    done = complete(**at, MultipartUpload={"Parts": parts}, **key.target)
    assert done["ETag"].endswith('-2"')
    assert read(site, bucket, "parts", key) == one + two
    assert read(site, bucket, "parts", key, PartNumber=2) == two
    across = f"bytes={5 * MIB - 10}-{5 * MIB + 9}"
    assert read(site, bucket, "parts", key, Range=across) == one[-10:] + two[:10]
    assert refused(400, site.client.get_object, Bucket=bucket, Key="parts") == NEEDED
    assert refused(403, site.client.get_object, Bucket=bucket, Key="parts", **other.target) == "AccessDenied"
    plain = site.client.create_multipart_upload(Bucket=bucket, Key="plain")["UploadId"]
    sent = {"Bucket": bucket, "Key": "plain", "UploadId": plain, "PartNumber": 1, "Body": two}
    assert refused(400, site.client.upload_part, **sent, **key.target) == NEEDED


def test_transfers_of_boto3(site, bucket, key, tmp_path):
    content = random_bytes(13 * MIB + 7)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    site.client.upload_fileobj(io.BytesIO(content), bucket, "large", ExtraArgs=dict(key.target), Config=config)
    target = tmp_path / "large"
    site.client.download_file(bucket, "large", str(target), ExtraArgs=dict(key.target), Config=config)
    assert target.read_bytes() == content


def test_copies_keep_change_or_lose_the_key(site, bucket, key, other):
    content = random_bytes(300_000)
    site.client.put_object(Bucket=bucket, Key="from", Body=content, ContentType="text/plain", **key.target)
    site.client.put_object(Bucket=bucket, Key="open", Body=content, ContentType="text/plain")
    sealed, opened = {"Bucket": bucket, "Key": "from"}, {"Bucket": bucket, "Key": "open"}
    copy = site.client.copy_object
    assert refused(400, copy, Bucket=bucket, Key="to", CopySource=sealed) == NEEDED
    assert refused(403, copy, Bucket=bucket, Key="to", CopySource=sealed, **other.source) == "AccessDenied"
    assert refused(400, copy, Bucket=bucket, Key="to", CopySource=opened, **key.source) == NEEDED
    for source, said, target in [
        (sealed, key.source, key),
        (sealed, key.source, other),
        (sealed, key.source, None),
        (opened, {}, key),
    ]:
        told = copy(Bucket=bucket, Key="to", CopySource=source, **said, **(target.target if target else {}))
        got = site.client.get_object(Bucket=bucket, Key="to", **(target.target if target else {}))
        assert (got["Body"].read(), got["ContentType"]) == (content, "text/plain")
        assert told["CopyObjectResult"]["ETag"] == got["ETag"]
        md5 = f'"{hashlib.md5(content).hexdigest()}"'
        if target:
            assert (told["SSECustomerKeyMD5"], got["SSECustomerKeyMD5"]) == (target.md5, target.md5)
            assert got["ETag"] != md5
            assert refused(400, site.client.get_object, Bucket=bucket, Key="to") == NEEDED
        else:
            assert (got["ServerSideEncryption"], got["ETag"]) == ("AES256", md5)
    # To itself, under another key.
    assert refused(400, copy, **sealed, CopySource=sealed, **key.source, **key.target) == NEEDED
    copy(**sealed, CopySource=sealed, **key.source, **other.target)
    assert read(site, bucket, "from", other) == content
    assert refused(403, site.client.get_object, **sealed, **key.target) == "AccessDenied"


def test_copied_parts(site, bucket, key, other):
    content = random_bytes(6 * MIB)
    site.client.put_object(Bucket=bucket, Key="from", Body=content, **key.target)
    for target in [key, other, None]:
        said = target.target if target else {}
        upload = site.client.create_multipart_upload(Bucket=bucket, Key="to", **said)["UploadId"]
        at = {"Bucket": bucket, "Key": "to", "UploadId": upload}
        source = {"CopySource": {"Bucket": bucket, "Key": "from"}, "PartNumber": 1}
        assert refused(400, site.client.upload_part_copy, **at, **source, **said) == NEEDED
        if target:
            assert refused(400, site.client.upload_part_copy, **at, **source, **key.source) == NEEDED
        part = site.client.upload_part_copy(
            **at, **source, CopySourceRange=f"bytes=100-{5 * MIB + 99}", **key.source, **said
        )
        last = site.client.upload_part(**at, PartNumber=2, Body=b"the end", **said)
        parts = [
            {"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]},
            {"PartNumber": 2, "ETag": last["ETag"]},
        ]
        site.client.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})
        assert read(site, bucket, "to", target) == content[100 : 5 * MIB + 100] + b"the end"


def test_versions_have_keys_of_their_own(site, bucket, key, other):
    site.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = site.client.put_object(Bucket=bucket, Key="a", Body=b"first", **key.target)["VersionId"]
    second = site.client.put_object(Bucket=bucket, Key="a", Body=b"second", **other.target)["VersionId"]
    site.client.put_object(Bucket=bucket, Key="a", Body=b"third")
    assert read(site, bucket, "a") == b"third"
    assert read(site, bucket, "a", key, VersionId=first) == b"first"
    assert read(site, bucket, "a", other, VersionId=second) == b"second"
    named = {"Bucket": bucket, "Key": "a", "VersionId": first}
    assert refused(403, site.client.get_object, **named, **other.target) == "AccessDenied"


def test_a_form_brings_its_key(site, bucket, key):
    said = {
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": base64.b64encode(key.bytes).decode(),
        "x-amz-server-side-encryption-customer-key-MD5": key.md5,
    }
    form = site.client.generate_presigned_post(bucket, "form", Fields=said, Conditions=[{k: v} for k, v in said.items()])
    sent = requests.post(
        form["url"], data=form["fields"], files={"file": b"of a form"}, verify=site.server.ca, timeout=60
    )
    assert sent.status_code == 204, sent.text
    assert read(site, bucket, "form", key) == b"of a form"
    assert refused(400, site.client.get_object, Bucket=bucket, Key="form") == NEEDED


def test_other_doors_handle_it_and_cannot_read_it(site, bucket, key):
    server, content = site.server, random_bytes(70_000)
    site.client.put_object(Bucket=bucket, Key="secret", Body=content, **key.target)
    token = server.token(site.login)
    client = server.client(token)
    top = next(item for item in client.folders.get_folder_items("0", limit=1000).entries if item.name == bucket)
    file = client.folders.get_folder_items(top.id, fields=["id", "name", "size", "sha1"]).entries[0]
    assert (file.name, file.size) == ("secret", len(content))
    assert not file.sha_1
    with pytest.raises(BoxAPIError) as told:
        client.downloads.download_file(file.id).read()
    assert told.value.response_info.status_code == 403

    dav = f"{server.origin}/dav/{bucket}"
    session = requests.Session()
    session.headers["Authorization"], session.verify = f"Bearer {token}", server.ca
    for headers in [{}, {"Range": "bytes=0-9"}, {"Range": "bytes=0-9,20-29"}]:
        assert session.get(f"{dav}/secret", headers=headers, timeout=60).status_code == 403
    assert session.request("PROPFIND", f"{dav}/secret", headers={"Depth": "0"}, timeout=60).status_code == 207
    moved = session.request(
        "MOVE", f"{dav}/secret", headers={"Destination": f"{dav}/moved"}, timeout=60
    )
    assert moved.status_code == 201, moved.text
    copied = session.request("COPY", f"{dav}/moved", headers={"Destination": f"{dav}/copy"}, timeout=60)
    assert copied.status_code == 201, copied.text
    assert read(site, bucket, "copy", key) == content
    client.files.update_file_by_id(file.id, name="renamed")
    assert read(site, bucket, "renamed", key) == content
    client.files.delete_file_by_id(file.id)
    assert refused(404, site.client.get_object, Bucket=bucket, Key="renamed", **key.target) == "NoSuchKey"
    client.trashed_files.restore_file_from_trash(file.id)
    assert read(site, bucket, "renamed", key) == content


def test_neither_key_nor_content_is_on_disk(site, bucket, key):
    text = b"Words that only their customer is to read. "
    site.client.put_object(Bucket=bucket, Key="text", Body=text * 1000, **key.target)
    assert files_with(
        Path(site.server.data),
        {
            "the text": text.strip(),
            "the MD5": hashlib.md5(text * 1000).digest(),
            "the SHA-1": hashlib.sha1(text * 1000).digest(),
            "the SHA-1 in hex": hashlib.sha1(text * 1000).hexdigest().encode(),
            "the MD5 in hex": hashlib.md5(text * 1000).hexdigest().encode(),
            "the key": key.bytes,
            "the key in base64": base64.b64encode(key.bytes),
            "the key's MD5": key.md5.encode(),
        },
    ) == []


def test_the_store_verifies_without_the_keys(site, bucket, key):
    site.client.put_object(Bucket=bucket, Key="a", Body=random_bytes(MIB), **key.target)
    # Every byte is verified when all stories have been told.
    verified = json.loads(site.server.run("verify", "--quick", "--json"))
    assert verified["undamaged"] and verified["customers_contents"] >= 1
