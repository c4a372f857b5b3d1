"""Object lock over TLS: what boto3 retains or holds cannot be removed for good through any door."""

import uuid
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError
from box_sdk_gen import BoxAPIError

from doors import BoxDoor, DavDoor, S3Door
from kit import random_bytes


class Place:
    """A bucket whose versions may be retained, and the three ways to it."""

    def __init__(self, server):
        self.server = server
        self.login = server.new_login("lock")
        self.token = server.token(self.login)
        self.raw = server.raw(self.token)
        self.name = f"lock-{uuid.uuid4().hex[:12]}"
        self.s3 = S3Door(server, self.login, self.name)
        self.client = self.s3.client
        self.client.create_bucket(Bucket=self.name, ObjectLockEnabledForBucket=True)
        self.box = BoxDoor(server, self.token, self.name)
        self.dav = DavDoor(server, self.token, self.name)

    def put(self, key: str, content: bytes = b"x", **how) -> str:
        return self.client.put_object(Bucket=self.name, Key=key, Body=content, **how)["VersionId"]

    def retain(self, key: str, mode: str, until: datetime, **how) -> None:
        retention = {"Mode": mode, "RetainUntilDate": until}
        self.client.put_object_retention(Bucket=self.name, Key=key, Retention=retention, **how)

    def hold(self, key: str, status: str) -> None:
        self.client.put_object_legal_hold(Bucket=self.name, Key=key, LegalHold={"Status": status})

    def remove(self, key: str, version: str, **how) -> None:
        self.client.delete_object(Bucket=self.name, Key=key, VersionId=version, **how)

    def default(self, mode: str, **period) -> None:
        rule = {"DefaultRetention": {"Mode": mode, **period}}
        configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
        self.client.put_object_lock_configuration(Bucket=self.name, ObjectLockConfiguration=configuration)

    def mode(self, key: str) -> str | None:
        return self.client.head_object(Bucket=self.name, Key=key).get("ObjectLockMode")


@pytest.fixture
def place(server):
    return Place(server)


def days(number: float) -> datetime:
    return (datetime.now(timezone.utc) + timedelta(days=number)).replace(microsecond=0)


def refused(code: str, status: int, call, *words, **arguments) -> None:
    with pytest.raises(ClientError) as told:
        call(*words, **arguments)
    found = told.value.response
    assert (found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), found


def kept(answer) -> None:
    """Box's refusal to remove what is retained."""
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden_by_policy"), answer.text


def test_compliance_gives_way_to_nobody(place):
    version = place.put("a/k", b"one")
    until = days(30)
    place.retain("a/k", "COMPLIANCE", until)
    told = place.client.get_object_retention(Bucket=place.name, Key="a/k")["Retention"]
    assert told == {"Mode": "COMPLIANCE", "RetainUntilDate": until}
    head = place.client.head_object(Bucket=place.name, Key="a/k")
    assert (head["ObjectLockMode"], head["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", until)
    for how in ({}, {"BypassGovernanceRetention": True}):
        refused("AccessDenied", 403, place.remove, "a/k", version, **how)
        refused("AccessDenied", 403, place.retain, "a/k", "COMPLIANCE", days(29), **how)
        refused("AccessDenied", 403, place.retain, "a/k", "GOVERNANCE", days(31), **how)
    place.retain("a/k", "COMPLIANCE", days(31))
    # Overwritten, it is an older version, which Box does not remove either.
    file = place.box.file("a/k").id
    place.put("a/k", b"two")
    kept(place.raw.ask("DELETE", f"/2.0/files/{file}/versions/{version}"))
    refused("AccessDenied", 403, place.remove, "a/k", version)
    # A marker takes nothing away, and what is behind it can be read.
    place.s3.delete("a/k")
    refused("AccessDenied", 403, place.remove, "a/k", version, BypassGovernanceRetention=True)
    body = place.client.get_object(Bucket=place.name, Key="a/k", VersionId=version)["Body"].read()
    assert body == b"one"
    kept(place.raw.ask("DELETE", f"/2.0/files/{file}/trash"))
    refused("BucketNotEmpty", 409, place.client.delete_bucket, Bucket=place.name)


def test_governance_gives_way_to_a_header(place):
    version = place.put("k")
    place.retain("k", "GOVERNANCE", days(30))
    refused("AccessDenied", 403, place.remove, "k", version)
    refused("AccessDenied", 403, place.retain, "k", "GOVERNANCE", days(1))
    place.retain("k", "GOVERNANCE", days(2), BypassGovernanceRetention=True)
    named = {"Objects": [{"Key": "k", "VersionId": version}, {"Key": "other"}]}
    told = place.client.delete_objects(Bucket=place.name, Delete=named)
    assert [error["Code"] for error in told["Errors"]] == ["AccessDenied"]
    assert [deleted["Key"] for deleted in told["Deleted"]] == ["other"]
    told = place.client.delete_objects(Bucket=place.name, Delete=named, BypassGovernanceRetention=True)
    assert "Errors" not in told
    refused("NoSuchVersion", 404, place.client.get_object, Bucket=place.name, Key="k", VersionId=version)


def test_a_hold_ends_when_somebody_says_so(place):
    version = place.put("k", ObjectLockLegalHoldStatus="ON")
    assert place.client.head_object(Bucket=place.name, Key="k")["ObjectLockLegalHoldStatus"] == "ON"
    for how in ({}, {"BypassGovernanceRetention": True}):
        refused("AccessDenied", 403, place.remove, "k", version, **how)
    file = place.box.file("k").id
    # WebDAV puts into the trash, from where nobody removes it.
    place.dav.delete("k")
    kept(place.raw.ask("DELETE", f"/2.0/files/{file}/trash"))
    with pytest.raises(BoxAPIError) as told:
        place.box.client.trashed_files.delete_trashed_file_by_id(file)
    assert told.value.response_info.status_code == 403
    assert place.raw.ask("POST", f"/2.0/files/{file}", json={}).status_code == 201
    assert place.dav.get("k") == b"x"
    place.hold("k", "OFF")
    assert place.client.get_object_legal_hold(Bucket=place.name, Key="k")["LegalHold"]["Status"] == "OFF"
    place.dav.delete("k")
    assert place.raw.ask("DELETE", f"/2.0/files/{file}/trash").status_code == 204


def test_a_folder_is_purged_wholly_or_not_at_all(place):
    for key in ("f/a/1", "f/a/2", "f/b/3"):
        place.put(key, key.encode())
    place.hold("f/b/3", "ON")
    folder = place.box.folder(["f"])
    assert place.raw.ask("DELETE", f"/2.0/folders/{folder}", params={"recursive": "true"}).status_code == 204
    kept(place.raw.ask("DELETE", f"/2.0/folders/{folder}/trash"))
    assert place.raw.ask("POST", f"/2.0/folders/{folder}", json={}).status_code == 201
    for key in ("f/a/1", "f/a/2", "f/b/3"):
        assert place.s3.get(key) == key.encode()
    place.hold("f/b/3", "OFF")
    place.dav.delete("f")
    assert place.raw.ask("DELETE", f"/2.0/folders/{folder}/trash").status_code == 204


def test_a_default_goes_for_every_door(place):
    place.default("COMPLIANCE", Days=1)
    told = place.client.get_object_lock_configuration(Bucket=place.name)["ObjectLockConfiguration"]
    assert told["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 1}
    large = random_bytes(5 << 20) + b"end"
    place.s3.put("s3", b"s3")
    place.box.put("box", b"box")
    place.dav.put("dav", b"dav")
    upload = place.client.create_multipart_upload(Bucket=place.name, Key="parts")["UploadId"]
    part = place.client.upload_part(Bucket=place.name, Key="parts", UploadId=upload, PartNumber=1, Body=large)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    place.client.complete_multipart_upload(Bucket=place.name, Key="parts", UploadId=upload, MultipartUpload=parts)
    place.client.copy_object(Bucket=place.name, Key="copy", CopySource={"Bucket": place.name, "Key": "box"})
    for key in ("s3", "box", "dav", "parts", "copy"):
        assert place.mode(key) == "COMPLIANCE", key
        head = place.client.head_object(Bucket=place.name, Key=key)
        refused("AccessDenied", 403, place.remove, key, head["VersionId"], BypassGovernanceRetention=True)
    place.put("own", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=days(1))
    assert place.mode("own") == "GOVERNANCE"
    file = place.box.file("dav").id
    place.dav.delete("dav")
    kept(place.raw.ask("DELETE", f"/2.0/files/{file}/trash"))


def test_a_move_takes_it_along(place):
    place.put("k", b"kept")
    place.retain("k", "COMPLIANCE", days(1))
    file = place.box.file("k").id
    # Out of the bucket, to the root.
    moved = place.raw.ask("PUT", f"/2.0/files/{file}", json={"parent": {"id": "0"}, "name": f"{place.name}-k"})
    assert moved.status_code == 200, moved.text
    assert place.raw.ask("DELETE", f"/2.0/files/{file}").status_code == 204
    kept(place.raw.ask("DELETE", f"/2.0/files/{file}/trash"))


def test_what_a_bucket_must_be(place, server):
    status = {"Status": "Suspended"}
    refused("InvalidBucketState", 409, place.client.put_bucket_versioning, Bucket=place.name, VersioningConfiguration=status)
    for rule, code in (
        ({"Mode": "GOVERNANCE", "Days": 0}, "InvalidRetentionPeriod"),
        ({"Mode": "GOVERNANCE", "Days": 1, "Years": 1}, "MalformedXML"),
        ({"Mode": "NEVER", "Days": 1}, "MalformedXML"),
    ):
        refused(code, 400, place.default, rule.pop("Mode"), **rule)
    plain = f"{place.name}-plain"
    place.client.create_bucket(Bucket=plain)
    refused("ObjectLockConfigurationNotFoundError", 404, place.client.get_object_lock_configuration, Bucket=plain)
    enabled = {"ObjectLockEnabled": "Enabled"}
    set_lock = place.client.put_object_lock_configuration
    refused("InvalidBucketState", 409, set_lock, Bucket=plain, ObjectLockConfiguration=enabled)
    held = {"Bucket": plain, "Key": "k", "Body": b"x", "ObjectLockLegalHoldStatus": "ON"}
    refused("InvalidRequest", 400, place.client.put_object, **held)
    place.client.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    set_lock(Bucket=plain, ObjectLockConfiguration=enabled)
    place.client.put_object(**held)
    late = {"Mode": "GOVERNANCE", "RetainUntilDate": days(-1)}
    refused("InvalidArgument", 400, place.client.put_object_retention, Bucket=plain, Key="k", Retention=late)
    # Somebody else learns nothing of it.
    other = S3Door(server, server.new_login("lock-other"), plain)
    with pytest.raises(ClientError) as told:
        other.client.get_object_retention(Bucket=plain, Key="k")
    assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] in (403, 404)
