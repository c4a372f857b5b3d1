"""Keys that go by themselves: rules as clients of S3 set them, followed for whatever door a key came through."""

import io
import json
import uuid
from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import ClientError
from box_sdk_gen import UploadFileAttributes, UploadFileAttributesParentField

from test_s3 import Site

PAST = datetime(2020, 1, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def site(server):
    return Site(server)


@pytest.fixture
def bucket(site):
    name = f"lifecycle-{uuid.uuid4().hex[:12]}"
    site.client.create_bucket(Bucket=name)
    return name


def rule(name="r", prefix="", **more):
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}, **more}


def set_rules(site, bucket, *rules):
    site.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def keys(site, bucket):
    return [found["Key"] for found in site.client.list_objects_v2(Bucket=bucket).get("Contents", [])]


def history(site, bucket):
    found = site.client.list_object_versions(Bucket=bucket)
    versions = [(one["Key"], one["IsLatest"]) for one in found.get("Versions", [])]
    markers = [(one["Key"], one["IsLatest"]) for one in found.get("DeleteMarkers", [])]
    return sorted(versions), sorted(markers)


def follow(site, bucket):
    """As an operator, who does not wait for tomorrow."""
    (told,) = json.loads(site.server.run("lifecycle", "run", "--bucket", bucket, "--json"))
    assert told["bucket"] == bucket and told["refused"] == 0
    return told


def code_of(call):
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"]


def test_rules_come_back_as_they_were_set(site, bucket):
    def told():
        return site.client.get_bucket_lifecycle_configuration(Bucket=bucket)

    assert code_of(told) == "NoSuchLifecycleConfiguration"
    tags = [{"Key": "kind", "Value": "log"}, {"Key": "äge", "Value": ""}]
    rules = [
        rule("days", "logs/", Expiration={"Days": 30}),
        rule("date", "old/", Expiration={"Date": PAST + timedelta(days=40_000)}),
        rule("markers", Expiration={"ExpiredObjectDeleteMarker": True}),
        rule("older", NoncurrentVersionExpiration={"NoncurrentDays": 7, "NewerNoncurrentVersions": 3}),
        rule("uploads", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}),
        {
            "ID": "all of it",
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "a", "Tags": tags, "ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 9}},
            "Expiration": {"Days": 1},
        },
        {"ID": "tag", "Status": "Enabled", "Filter": {"Tag": tags[0]}, "Expiration": {"Days": 90}},
        {"ID": "as it was", "Status": "Enabled", "Prefix": "p/", "Expiration": {"Days": 90}},
    ]
    set_rules(site, bucket, *rules)
    assert told()["Rules"] == rules
    nameless = rule(Expiration={"Days": 1})
    del nameless["ID"]
    set_rules(site, bucket, nameless)
    assert told()["Rules"][0].pop("ID")
    listed = json.loads(site.server.run("lifecycle", "list", "--json"))
    assert [one["rules"] for one in listed if one["bucket"] == bucket] == [1]
    for _ in range(2):
        site.client.delete_bucket_lifecycle(Bucket=bucket)
    assert code_of(told) == "NoSuchLifecycleConfiguration"
    missing = f"no-{uuid.uuid4().hex}"
    assert code_of(lambda: set_rules(site, missing, rule(Expiration={"Days": 1}))) == "NoSuchBucket"


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (rule(), "InvalidRequest"),
        (rule(Expiration={"Days": 0}), "InvalidArgument"),
        (rule(Expiration={"Days": -1}), "InvalidArgument"),
        (rule(Expiration={"Date": PAST + timedelta(hours=1)}), "InvalidArgument"),
        (rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True}), "MalformedXML"),
        (rule(Expiration={"Days": 1}, Prefix="x"), "MalformedXML"),
        ({"ID": "r", "Status": "Enabled", "Expiration": {"Days": 1}}, "MalformedXML"),
        ({**rule(Expiration={"Days": 1}), "Status": "enabled"}, "MalformedXML"),
        (rule("x" * 256, Expiration={"Days": 1}), "InvalidArgument"),
        (rule(NoncurrentVersionExpiration={"NoncurrentDays": 0}), "InvalidArgument"),
        (rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0}), "InvalidArgument"),
        (rule(Transitions=[{"Days": 1, "StorageClass": "GLACIER"}]), "NotImplemented"),
        (
            rule(NoncurrentVersionTransitions=[{"NoncurrentDays": 1, "StorageClass": "GLACIER"}]),
            "NotImplemented",
        ),
        (
            {
                **rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
                "Filter": {"Tag": {"Key": "a", "Value": "b"}},
            },
            "InvalidRequest",
        ),
    ],
)
def test_what_cannot_be_followed_is_refused(site, bucket, refused, code):
    kept = rule("kept", "kept/", Expiration={"Days": 1})
    set_rules(site, bucket, kept)
    assert code_of(lambda: set_rules(site, bucket, refused)) == code
    assert code_of(lambda: set_rules(site, bucket, kept, kept)) == "InvalidArgument"
    assert code_of(lambda: set_rules(site, bucket)) == "MalformedXML"
    assert site.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [kept]


def test_what_has_expired_goes_whoever_put_it_there(site, server, bucket):
    for key in ("logs/1", "logs/deep/2", "kept/1"):
        site.client.put_object(Bucket=bucket, Key=key, Body=b"content")
    box = server.client(server.token(site.login))
    entries = box.folders.get_folder_items("0").entries
    folder = next(entry.id for entry in entries if entry.name == bucket)
    parent = UploadFileAttributesParentField(id=folder)
    about = UploadFileAttributes(name="logs.txt", parent=parent)
    of_box = box.uploads.upload_file(about, io.BytesIO(b"of Box")).entries[0]
    set_rules(site, bucket, rule("the logs & more", "logs", Expiration={"Date": PAST}))
    follow(site, bucket)
    assert keys(site, bucket) == ["kept/1"]
    assert code_of(lambda: site.client.head_object(Bucket=bucket, Key="logs/1")) == "404"
    # It is in the trash, and comes back from there; what expired long ago goes again.
    box.trashed_files.restore_file_from_trash(of_box.id)
    told = site.client.head_object(Bucket=bucket, Key="logs.txt")["Expiration"]
    assert told == 'expiry-date="Wed, 01 Jan 2020 00:00:00 GMT", rule-id="the+logs+%26+more"'
    follow(site, bucket)
    assert keys(site, bucket) == ["kept/1"]
    site.client.delete_bucket_lifecycle(Bucket=bucket)
    with pytest.raises(AssertionError, match="no bucket of this name has rules"):
        follow(site, bucket)


def test_where_versions_are_kept_a_marker_comes(site, bucket):
    site.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        site.client.put_object(Bucket=bucket, Key="k", Body=body)
    lone = site.client.put_object(Bucket=bucket, Key="lone", Body=b"1")["VersionId"]
    site.client.delete_object(Bucket=bucket, Key="lone")
    site.client.delete_object(Bucket=bucket, Key="lone", VersionId=lone)
    set_rules(
        site,
        bucket,
        rule("date", "k", Expiration={"Date": PAST}),
        rule("markers", "lone", Expiration={"ExpiredObjectDeleteMarker": True}),
    )
    follow(site, bucket)
    assert history(site, bucket) == ([("k", False), ("k", False)], [("k", True)])
    follow(site, bucket)
    assert history(site, bucket) == ([("k", False), ("k", False)], [("k", True)])


def test_it_is_told_when_an_object_and_an_upload_go(site, bucket):
    put = site.client.put_object(Bucket=bucket, Key="logs/1", Body=b"1")
    assert "Expiration" not in put
    set_rules(
        site,
        bucket,
        rule("late", Expiration={"Days": 90}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 3}),
        rule("soon", "logs/", Expiration={"Days": 1}),
    )
    due = [datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=days)
           for days in (2, 3)]
    dates = [moment.strftime("%a, %d %b %Y 00:00:00 GMT") for moment in due]
    told = [f'expiry-date="{date}", rule-id="soon"' for date in dates]
    for answer in (
        site.client.put_object(Bucket=bucket, Key="logs/2", Body=b"1"),
        site.client.get_object(Bucket=bucket, Key="logs/1"),
        site.client.head_object(Bucket=bucket, Key="logs/1"),
        site.client.copy_object(Bucket=bucket, Key="logs/3", CopySource=f"{bucket}/logs/1"),
    ):
        assert answer["Expiration"] in told
    assert 'rule-id="late"' in site.client.put_object(Bucket=bucket, Key="other", Body=b"1")["Expiration"]
    upload = site.client.create_multipart_upload(Bucket=bucket, Key="big")
    assert upload["AbortRuleId"] == "late"
    days = (upload["AbortDate"] - datetime.now(timezone.utc)).total_seconds() / 86_400
    assert 2.9 < days <= 4
    named = {"Bucket": bucket, "Key": "big", "UploadId": upload["UploadId"]}
    assert site.client.list_parts(**named)["AbortDate"] == upload["AbortDate"]
    part = site.client.upload_part(**named, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    assert 'rule-id="late"' in site.client.complete_multipart_upload(**named, MultipartUpload=parts)["Expiration"]
    assert sorted(keys(site, bucket)) == ["big", "logs/1", "logs/2", "logs/3", "other"]
