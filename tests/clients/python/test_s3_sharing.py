"""Who else may use a bucket: policies, grants, what shall not be public; friends, strangers and nobody at all."""

import json
import ssl
import urllib.error
import urllib.request
import uuid

import boto3
import pytest
import requests
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from test_s3 import Site

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
NOTHING_BLOCKED = {
    "BlockPublicAcls": False,
    "IgnorePublicAcls": False,
    "BlockPublicPolicy": False,
    "RestrictPublicBuckets": False,
}


@pytest.fixture(scope="module")
def owner(server):
    return Site(server)


@pytest.fixture(scope="module")
def friend(server):
    return Site(server)


@pytest.fixture(scope="module")
def stranger(server):
    return Site(server)


@pytest.fixture(scope="module")
def nobody(owner):
    return boto3.client(
        "s3",
        endpoint_url=owner.url,
        region_name="eu-story-1",
        verify=owner.server.ca,
        config=Config(signature_version=UNSIGNED, retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


@pytest.fixture
def bucket(owner):
    name = f"share-{uuid.uuid4().hex[:12]}"
    owner.client.create_bucket(Bucket=name)
    return name


def id_of(site) -> str:
    return site.client.list_buckets()["Owner"]["ID"]


def code_of(call, **arguments) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return refused.value.response["Error"]["Code"]


def statement(effect, who, actions, resources, **more):
    principal = who if who == "*" else {"AWS": f"arn:aws:iam::1:user/{who}"}
    return {"Effect": effect, "Principal": principal, "Action": actions, "Resource": resources, **more}


def set_policy(owner, bucket, *statements):
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    owner.client.put_bucket_policy(Bucket=bucket, Policy=document)
    return document


def unblock(owner, bucket):
    owner.client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=NOTHING_BLOCKED)


def fetch(owner, path: str) -> tuple[int, bytes]:
    """A plain request without any signature, by the standard library alone."""
    context = ssl.create_default_context(cafile=owner.server.ca)
    try:
        with urllib.request.urlopen(f"{owner.url}/{path}", context=context, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def test_everybody_reads_what_a_policy_lets_them(owner, stranger, nobody, bucket):
    arn = f"arn:aws:s3:::{bucket}"
    owner.client.put_object(Bucket=bucket, Key="open/page.html", Body=b"hello", ContentType="text/html")
    owner.client.put_object(Bucket=bucket, Key="closed", Body=b"secret")
    assert fetch(owner, f"{bucket}/open/page.html")[0] == 403
    # A new bucket lets nothing be public.
    block = owner.client.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert all(block.values()) and len(block) == 4
    read = statement("Allow", "*", "s3:GetObject", f"{arn}/open/*")
    with pytest.raises(ClientError) as refused:
        set_policy(owner, bucket, read)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    unblock(owner, bucket)
    document = set_policy(owner, bucket, read)
    assert owner.client.get_bucket_policy(Bucket=bucket)["Policy"] == document
    assert owner.client.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True
    assert fetch(owner, f"{bucket}/open/page.html") == (200, b"hello")
    assert nobody.get_object(Bucket=bucket, Key="open/page.html")["ContentType"] == "text/html"
    assert stranger.client.get_object(Bucket=bucket, Key="open/page.html")["Body"].read() == b"hello"
    for path in ("closed", "open/missing", ""):
        assert fetch(owner, f"{bucket}/{path}")[0] == 403, path
    # Which buckets there are is nobody's business.
    assert fetch(owner, f"none-{uuid.uuid4().hex[:8]}/open/page.html")[0] == 403
    assert code_of(nobody.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert code_of(nobody.put_object, Bucket=bucket, Key="open/new", Body=b"x") == "AccessDenied"
    assert code_of(stranger.client.list_objects_v2, Bucket=bucket) == "AccessDenied"
    restricted = NOTHING_BLOCKED | {"RestrictPublicBuckets": True}
    owner.client.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=restricted)
    assert fetch(owner, f"{bucket}/open/page.html")[0] == 403
    assert code_of(stranger.client.get_object, Bucket=bucket, Key="open/page.html") == "NoSuchBucket"
    owner.client.get_object(Bucket=bucket, Key="open/page.html")


def test_a_friend_works_in_a_folder(owner, friend, stranger, bucket):
    arn, who = f"arn:aws:s3:::{bucket}", id_of(friend)
    set_policy(
        owner,
        bucket,
        statement("Allow", who, ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{arn}/friend/*"),
        statement("Allow", who, "s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": "friend/*"}}),
    )
    owner.client.put_object(Bucket=bucket, Key="own", Body=b"own")
    assert owner.client.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    put = friend.client.put_object(Bucket=bucket, Key="friend/a", Body=b"a", Metadata={"by": "friend"})
    assert owner.client.get_object(Bucket=bucket, Key="friend/a")["ETag"] == put["ETag"]
    listed = friend.client.list_objects_v2(Bucket=bucket, Prefix="friend/")
    assert [found["Key"] for found in listed["Contents"]] == ["friend/a"]
    assert code_of(friend.client.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert code_of(friend.client.get_object, Bucket=bucket, Key="own") == "AccessDenied"
    assert code_of(friend.client.get_object, Bucket=bucket, Key="not-there") == "AccessDenied"
    assert code_of(friend.client.get_bucket_policy, Bucket=bucket) == "AccessDenied"
    assert code_of(friend.client.delete_bucket_policy, Bucket=bucket) == "AccessDenied"
    assert code_of(friend.client.put_object, Bucket=bucket, Key="friend/t", Body=b"", Tagging="a=b") == "AccessDenied"
    # Who has nothing there is told of nothing.
    assert code_of(stranger.client.get_object, Bucket=bucket, Key="friend/a") == "NoSuchBucket"
    assert code_of(stranger.client.get_bucket_location, Bucket=bucket) == "NoSuchBucket"
    # Big files come in parts, through the same gate.
    upload = friend.client.create_multipart_upload(Bucket=bucket, Key="friend/big")["UploadId"]
    part = {"Bucket": bucket, "Key": "friend/big", "UploadId": upload, "PartNumber": 1}
    tag = friend.client.upload_part(**part, Body=b"part")["ETag"]
    assert code_of(stranger.client.upload_part, **part, Body=b"other") == "NoSuchBucket"
    friend.client.complete_multipart_upload(
        Bucket=bucket, Key="friend/big", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]}
    )
    # Copies go both ways, between owners too.
    mine = f"mine-{uuid.uuid4().hex[:12]}"
    friend.client.create_bucket(Bucket=mine)
    friend.client.copy_object(Bucket=mine, Key="copy", CopySource={"Bucket": bucket, "Key": "friend/big"})
    assert friend.client.get_object(Bucket=mine, Key="copy")["Body"].read() == b"part"
    refused = code_of(friend.client.copy_object, Bucket=mine, Key="b", CopySource={"Bucket": bucket, "Key": "own"})
    assert refused == "AccessDenied"
    many = {"Objects": [{"Key": "friend/a"}, {"Key": "own"}]}
    answer = friend.client.delete_objects(Bucket=bucket, Delete=many)
    assert [gone["Key"] for gone in answer["Deleted"]] == ["friend/a"]
    assert [(kept["Key"], kept["Code"]) for kept in answer["Errors"]] == [("own", "AccessDenied")]
    # A key that only reads, and one for other buckets, are less than their user.
    reader = friend.connect(friend.new_key("--read-only"))
    assert reader.get_object(Bucket=bucket, Key="friend/big")["Body"].read() == b"part"
    assert code_of(reader.put_object, Bucket=bucket, Key="friend/c", Body=b"") == "AccessDenied"
    elsewhere = friend.connect(friend.new_key("--bucket", mine))
    assert code_of(elsewhere.get_object, Bucket=bucket, Key="friend/big") == "AccessDenied"
    # What was put is the owner's, and there in the other doors.
    box = owner.server.client(owner.server.token(owner.login))
    folder = next(entry for entry in box.folders.get_folder_items("0").entries if entry.name == bucket)
    below = next(entry for entry in box.folders.get_folder_items(folder.id).entries if entry.name == "friend")
    assert {entry.name for entry in box.folders.get_folder_items(below.id).entries} == {"big"}
    owner.client.delete_bucket_policy(Bucket=bucket)
    assert code_of(friend.client.get_object, Bucket=bucket, Key="friend/big") == "NoSuchBucket"


def test_a_denial_counts_more_than_anything(owner, friend, bucket):
    arn, who = f"arn:aws:s3:::{bucket}", id_of(friend)
    owner.client.put_object(Bucket=bucket, Key="keep/a", Body=b"kept")
    set_policy(
        owner,
        bucket,
        statement("Allow", who, "s3:*", [arn, f"{arn}/*"]),
        statement("Deny", "*", ["s3:DeleteObject", "s3:PutObject"], f"{arn}/keep/*"),
        statement("Deny", who, "s3:GetObject", f"{arn}/*", Condition={"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}),
    )
    for client in (owner.client, friend.client):
        assert code_of(client.delete_object, Bucket=bucket, Key="keep/a") == "AccessDenied"
        assert code_of(client.put_object, Bucket=bucket, Key="keep/a", Body=b"") == "AccessDenied"
        client.put_object(Bucket=bucket, Key="free", Body=b"")
    assert owner.client.get_object(Bucket=bucket, Key="keep/a")["Body"].read() == b"kept"
    assert code_of(friend.client.get_object, Bucket=bucket, Key="keep/a") == "AccessDenied"
    # Nobody shuts themselves out.
    set_policy(owner, bucket, statement("Deny", "*", "s3:*", [arn, f"{arn}/*"]))
    assert code_of(owner.client.list_objects_v2, Bucket=bucket) == "AccessDenied"
    owner.client.delete_bucket_policy(Bucket=bucket)
    owner.client.delete_object(Bucket=bucket, Key="keep/a")


def test_conditions_are_kept_to(owner, friend, bucket):
    arn, who = f"arn:aws:s3:::{bucket}", id_of(friend)
    owner.client.put_object(Bucket=bucket, Key="a", Body=b"a", Tagging="team=blue")
    owner.client.put_object(Bucket=bucket, Key="b", Body=b"b")

    def reads(condition, key="a"):
        set_policy(owner, bucket, statement("Allow", who, "s3:GetObject", f"{arn}/*", Condition=condition))
        try:
            return friend.client.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
        except ClientError as refused:
            assert refused.response["Error"]["Code"] == "NoSuchBucket"
            return False

    assert reads({"Bool": {"aws:SecureTransport": "true"}})
    assert not reads({"Bool": {"aws:SecureTransport": "false"}})
    assert reads({"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}})
    assert not reads({"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    assert reads({"DateLessThan": {"aws:CurrentTime": "2199-01-01T00:00:00Z"}})
    assert not reads({"DateGreaterThan": {"aws:CurrentTime": "2199-01-01T00:00:00Z"}})
    assert reads({"StringEquals": {"s3:ExistingObjectTag/team": "blue"}})
    assert not reads({"StringEquals": {"s3:ExistingObjectTag/team": "blue"}}, key="b")
    assert reads({"StringLike": {"aws:UserAgent": "*Boto3*"}})
    assert reads({"StringEquals": {"aws:userid": who}, "Null": {"s3:versionid": "true"}})
    for odd in (
        {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
        {"StringSounds": {"aws:UserAgent": "x"}},
        {"IpAddress": {"aws:SourceIp": "everywhere"}},
    ):
        with pytest.raises(ClientError) as refused:
            reads(odd)
        assert refused.value.response["Error"]["Code"] == "MalformedPolicy"


def test_grants_count_once_the_owner_lets_them(owner, friend, nobody, bucket):
    client, who = owner.client, id_of(friend)
    put = {"Bucket": bucket, "Key": "a", "Body": b"a"}
    assert code_of(client.put_object, **put, ACL="public-read") == "AccessControlListNotSupported"
    client.put_object(**put, ACL="bucket-owner-full-control")
    controls = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)
    assert code_of(client.put_object, **put, ACL="public-read") == "AccessDenied"
    unblock(owner, bucket)
    client.put_object(**put, ACL="public-read")
    assert fetch(owner, f"{bucket}/a") == (200, b"a")
    grants = client.get_object_acl(Bucket=bucket, Key="a")["Grants"]
    assert [(grant["Grantee"].get("URI"), grant["Permission"]) for grant in grants] == [
        (None, "FULL_CONTROL"),
        (EVERYBODY, "READ"),
    ]
    client.put_object_acl(Bucket=bucket, Key="a", ACL="private")
    assert fetch(owner, f"{bucket}/a")[0] == 403
    client.put_object_acl(Bucket=bucket, Key="a", GrantRead=f"id={who}")
    assert friend.client.get_object(Bucket=bucket, Key="a")["Body"].read() == b"a"
    policy = client.get_object_acl(Bucket=bucket, Key="a")
    policy["Grants"][0]["Permission"] = "READ_ACP"
    wanted = {"Grants": policy["Grants"], "Owner": policy["Owner"]}
    client.put_object_acl(Bucket=bucket, Key="a", AccessControlPolicy=wanted)
    assert code_of(friend.client.get_object, Bucket=bucket, Key="a") == "AccessDenied"
    assert friend.client.get_object_acl(Bucket=bucket, Key="a")["Grants"][0]["Permission"] == "READ_ACP"
    client.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    nobody.put_object(Bucket=bucket, Key="dropped", Body=b"by nobody")
    assert client.get_object(Bucket=bucket, Key="dropped")["Body"].read() == b"by nobody"
    assert {found["Key"] for found in nobody.list_objects_v2(Bucket=bucket)["Contents"]} == {"a", "dropped"}
    friend.client.put_object(Bucket=bucket, Key="theirs", Body=b"theirs")
    assert friend.client.get_object_acl(Bucket=bucket, Key="theirs")["Owner"]["ID"] == who
    answer = requests.post(
        f"{owner.url}/{bucket}",
        data={"key": "formed", "acl": "public-read"},
        files={"file": ("f.txt", b"by form")},
        verify=owner.server.ca,
        timeout=30,
    )
    assert answer.status_code == 403, "grants of a form are a right of their own"
    answer = requests.post(
        f"{owner.url}/{bucket}",
        data={"key": "formed"},
        files={"file": ("f.txt", b"by form")},
        verify=owner.server.ca,
        timeout=30,
    )
    assert answer.status_code == 204
    client.put_public_access_block(
        Bucket=bucket, PublicAccessBlockConfiguration=NOTHING_BLOCKED | {"IgnorePublicAcls": True}
    )
    assert code_of(nobody.list_objects_v2, Bucket=bucket) == "AccessDenied"
    enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    refused = code_of(client.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls=enforced)
    assert refused == "InvalidBucketAclWithObjectOwnership"


def test_what_a_stranger_signs_is_a_strangers(owner, friend, stranger, bucket):
    arn, who = f"arn:aws:s3:::{bucket}", id_of(friend)
    owner.client.put_object(Bucket=bucket, Key="a", Body=b"a")
    set_policy(owner, bucket, statement("Allow", who, "s3:GetObject", f"{arn}/a"))
    wanted = {"Params": {"Bucket": bucket, "Key": "a"}, "ExpiresIn": 60}
    for site, status in ((friend, 200), (stranger, 404)):
        url = site.client.generate_presigned_url("get_object", **wanted)
        assert requests.get(url, verify=owner.server.ca, timeout=30).status_code == status
    form = stranger.client.generate_presigned_post(bucket, "b")
    answer = requests.post(
        form["url"], data=form["fields"], files={"file": b"x"}, verify=owner.server.ca, timeout=30
    )
    assert answer.status_code == 404
    # What was signed while it was allowed ends with the permission.
    url = friend.client.generate_presigned_url("get_object", **wanted)
    owner.client.delete_bucket_policy(Bucket=bucket)
    assert requests.get(url, verify=owner.server.ca, timeout=30).status_code == 404


def test_rules_see_what_is_acted_on(owner, friend, bucket):
    """Wherever a request names it: versions in documents, tags in bodies and those that a copy carries along."""
    owner.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    older, newer = (owner.client.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"1", b"2"))
    every = f"arn:aws:s3:::{bucket}/*"
    who = id_of(friend)
    kept = {"StringEquals": {"s3:VersionId": newer}}
    set_policy(
        owner,
        bucket,
        statement("Allow", who, ["s3:DeleteObject", "s3:DeleteObjectVersion"], every),
        statement("Deny", who, "s3:DeleteObjectVersion", every, Condition=kept),
    )
    objects = [{"Key": "k", "VersionId": version} for version in (newer, older)]
    answer = friend.client.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [(error["VersionId"], error["Code"]) for error in answer["Errors"]] == [(newer, "AccessDenied")]
    assert [deleted["VersionId"] for deleted in answer["Deleted"]] == [older]
    # Whoever may delete and not read cannot ask, delete by delete, what an object is.
    guess = {"Objects": [{"Key": "k", "ETag": '"0"'}, {"Key": "none", "ETag": '"0"'}]}
    answer = friend.client.delete_objects(Bucket=bucket, Delete=guess)
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied", "AccessDenied"]

    low = {"StringEquals": {"s3:RequestObjectTag/class": "low"}}
    set_policy(
        owner,
        bucket,
        statement("Allow", who, ["s3:GetObject", "s3:PutObject"], every),
        statement("Allow", who, "s3:PutObjectTagging", every, Condition=low),
    )

    def tag(value, key="k"):
        tags = {"TagSet": [{"Key": "class", "Value": value}]}
        return {"Bucket": bucket, "Key": key, "Tagging": tags}

    assert code_of(friend.client.put_object_tagging, **tag("secret")) == "AccessDenied"
    friend.client.put_object_tagging(**tag("low"))
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "k"}}
    # The tags of the source may not be read.
    assert code_of(friend.client.copy_object, **copy) == "AccessDenied"
    friend.client.copy_object(**copy, TaggingDirective="REPLACE", Tagging="class=low")
    assert code_of(friend.client.copy_object, **copy, TaggingDirective="REPLACE", Tagging="class=secret") == "AccessDenied"
