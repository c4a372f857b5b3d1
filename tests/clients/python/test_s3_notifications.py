"""Who is told of changes below a bucket: a server of its own with targets in its configuration, and receivers here."""

import hashlib
import hmac
import json
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote_plus

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from entente import Server
from kit import new_folder, sha1, upload, upload_version

SECRET = "a secret of these stories"
WAIT_SECONDS = 60
MIB = 1 << 20


@dataclass(frozen=True)
class Arrived:
    path: str
    delivery: str
    body: dict

    @property
    def record(self) -> dict:
        return self.body["Records"][0]

    @property
    def event(self) -> str:
        return self.record["eventName"] if "Records" in self.body else self.body["Event"]

    @property
    def bucket(self) -> str:
        return self.record["s3"]["bucket"]["name"] if "Records" in self.body else self.body["Bucket"]

    @property
    def object(self) -> dict:
        return self.record["s3"]["object"]

    @property
    def key(self) -> str:
        return unquote_plus(self.object["key"])


class Receiver:
    """Remembers what arrives, if its signature is right, and answers 200 or what a story wants for a path."""

    def __init__(self, port: int = 0):
        self.arrived: list[Arrived] = []
        self.wrong: list[str] = []
        self.answers: dict[str, tuple[int, dict]] = {}
        self.news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.take(self.path, self.headers, body)
                status, headers = receiver.answers.get(self.path, (200, {}))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, headers, body: bytes):
        fields = dict(field.split("=", 1) for field in headers["X-Entente-Signature"].split(","))
        signed = f"{fields['t']}.".encode() + body
        expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        is_right = hmac.compare_digest(expected, fields["v1"]) and abs(time.time() - int(fields["t"])) < 300
        with self.news:
            if not is_right:
                self.wrong.append(path)
            self.arrived.append(Arrived(path, headers["X-Entente-Delivery"], json.loads(body)))
            self.news.notify_all()

    def until(self, some):
        """What `some` makes of all that has arrived, once that is something."""
        with self.news:
            assert self.news.wait_for(lambda: some(list(self.arrived)), WAIT_SECONDS), [
                (one.path, one.event, one.body) for one in self.arrived[-20:]
            ]
            return some(list(self.arrived))

    def of(self, bucket: str, count: int) -> list[Arrived]:
        """The first deliveries of a bucket, the trial left out."""

        def some(arrived):
            told = [one for one in arrived if one.bucket == bucket and "Records" in one.body]
            return told if len(told) >= count else None

        return self.until(some)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Site:
    """A server with targets, a user of it, and that user's clients."""

    def __init__(self, program: str, folder, receiver: Receiver, late_port: int):
        secret = folder / "secret"
        secret.write_text(SECRET)
        at = f"http://127.0.0.1:{receiver.port}"
        targets = {
            "here": f'url = "{at}/here"\nallow_private = true',
            "there": f'url = "{at}/there"\nallow_private = true',
            "late": f'url = "http://127.0.0.1:{late_port}/late"\nallow_private = true',
            "redirecting": f'url = "{at}/redirecting"\nallow_private = true\nattempts = 1',
            "private": f'url = "{at}/private"\nattempts = 1',
        }
        config = folder / "entente.toml"
        config.write_text(
            "".join(
                f'[[subscription_targets]]\nname = "{name}"\nsecret_file = "{secret}"\n{rest}\n'
                for name, rest in targets.items()
            )
        )
        data = folder / "data"
        addresses = ["--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"]
        self.log = open(folder / "log", "wb")
        command = [program, "serve", "--config", str(config), "--data", str(data), *addresses]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log)
        deadline = time.monotonic() + WAIT_SECONDS
        while not (data / "ready.json").exists():
            assert self.process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.05)
        self.ready = json.loads((data / "ready.json").read_text())
        self.server = Server(url=f"{self.ready['url']}/box", ca="", program=program, data=str(data))
        self.login = self.server.new_login("told")
        key = json.loads(self.server.run("access-key", "create", "--login", self.login, "--json"))
        self.client = boto3.client(
            "s3",
            endpoint_url=self.ready["s3_url"],
            aws_access_key_id=key["access_key_id"],
            aws_secret_access_key=key["secret_access_key"],
            region_name="eu-story-1",
            config=Config(signature_version="s3v4", retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def stop(self):
        self.process.terminate()
        assert self.process.wait(WAIT_SECONDS) == 0
        self.log.close()


@pytest.fixture(scope="module")
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()
    assert receiver.wrong == []


@pytest.fixture(scope="module")
def late_port():
    """A port that nobody listens on yet."""
    probe = Receiver()
    probe.close()
    return probe.port


@pytest.fixture(scope="module")
def site(server, tmp_path_factory, receiver, late_port):
    site = Site(server.program, tmp_path_factory.mktemp("told"), receiver, late_port)
    yield site
    site.stop()


@pytest.fixture
def bucket(site):
    name = f"told-{uuid.uuid4().hex[:12]}"
    site.client.create_bucket(Bucket=name)
    return name


def entry(target: str, *events: str, prefix: str | None = None, suffix: str | None = None) -> dict:
    entry = {"QueueArn": f"arn:entente:sqs:::{target}", "Events": list(events)}
    rules = [{"Name": name, "Value": value} for name, value in [("Prefix", prefix), ("Suffix", suffix)] if value]
    return entry | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def subscribe(site, bucket: str, *entries: dict):
    site.client.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"QueueConfigurations": list(entries)}
    )


EVERYTHING = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:LifecycleExpiration:*"]


def test_a_trial_is_told_when_somebody_subscribes(site, bucket, receiver):
    subscribe(site, bucket, entry("here", *EVERYTHING))
    trial = receiver.until(lambda all: [one for one in all if one.bucket == bucket])[0]
    assert (trial.path, trial.event) == ("/here", "s3:TestEvent")
    assert trial.body["Service"] == "Amazon S3"


def test_all_that_s3_clients_do_is_told(site, bucket, receiver):
    subscribe(site, bucket, entry("here", *EVERYTHING))
    client = site.client
    etag = client.put_object(Bucket=bucket, Key="a b/ü+.txt", Body=b"hello")["ETag"]
    client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a b/ü+.txt"})
    upload = client.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    parts = []
    for number, size_bytes in [(1, 5 * MIB), (2, 3)]:
        part = client.upload_part(
            Bucket=bucket, Key="parts", UploadId=upload, PartNumber=number, Body=b"x" * size_bytes
        )
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    whole = client.complete_multipart_upload(
        Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload={"Parts": parts}
    )["ETag"]
    form = client.generate_presigned_post(bucket, "form")
    assert requests.post(form["url"], data=form["fields"], files={"file": b"posted"}, timeout=60).ok
    tags = {"TagSet": [{"Key": "colour", "Value": "blue"}]}
    client.put_object_tagging(Bucket=bucket, Key="copy", Tagging=tags)
    client.delete_object_tagging(Bucket=bucket, Key="copy")
    client.delete_object(Bucket=bucket, Key="copy")
    told = receiver.of(bucket, 7)
    by_event = {one.event: one for one in told}
    assert sorted(by_event) == [
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectCreated:Copy",
        "ObjectCreated:Post",
        "ObjectCreated:Put",
        "ObjectRemoved:Delete",
        "ObjectTagging:Delete",
        "ObjectTagging:Put",
    ]
    put = by_event["ObjectCreated:Put"]
    assert put.object["key"] == "a+b/%C3%BC%2B.txt"
    assert (put.key, put.object["size"], put.object["eTag"]) == ("a b/ü+.txt", 5, etag.strip('"'))
    assert "versionId" not in put.object
    assert put.record["eventSource"] == "aws:s3"
    assert put.record["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    joined = by_event["ObjectCreated:CompleteMultipartUpload"]
    assert (joined.object["size"], joined.object["eTag"]) == (5 * MIB + 3, whole.strip('"'))
    # What happened to one key is told in order, and says so itself.
    copies = [one for one in told if one.key == "copy"]
    assert [one.event for one in copies] == [
        "ObjectCreated:Copy",
        "ObjectTagging:Put",
        "ObjectTagging:Delete",
        "ObjectRemoved:Delete",
    ]
    sequencers = [one.object["sequencer"] for one in copies]
    assert sequencers == sorted(sequencers) and len(set(sequencers)) == 4


def test_versions_and_delete_markers_are_named(site, bucket, receiver):
    subscribe(site, bucket, entry("here", *EVERYTHING))
    client = site.client
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = client.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    second = client.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    marker = client.delete_object(Bucket=bucket, Key="k")["VersionId"]
    client.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    client.delete_object(Bucket=bucket, Key="k", VersionId=first)
    told = receiver.of(bucket, 5)
    assert [(one.event, one.object["versionId"]) for one in told] == [
        ("ObjectCreated:Put", first),
        ("ObjectCreated:Put", second),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectRemoved:Delete", marker),
        ("ObjectRemoved:Delete", first),
    ]


def test_other_rights_and_what_goes_by_rules_are_told(site, bucket, receiver):
    subscribe(site, bucket, entry("here", "s3:ObjectAcl:Put", "s3:LifecycleExpiration:*"))
    client = site.client
    client.put_object(Bucket=bucket, Key="logs/old", Body=b"x")
    client.delete_public_access_block(Bucket=bucket)
    rules = [{"ObjectOwnership": "ObjectWriter"}]
    client.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": rules})
    client.put_object_acl(Bucket=bucket, Key="logs/old", ACL="public-read")
    past = {"Date": "2020-01-01T00:00:00Z"}
    rule = {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": past}
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    site.server.run("lifecycle", "run", "--bucket", bucket)
    told = receiver.of(bucket, 2)
    assert [(one.event, one.key) for one in told] == [
        ("ObjectAcl:Put", "logs/old"),
        ("LifecycleExpiration:Delete", "logs/old"),
    ]


def test_each_is_told_what_it_asked_for(site, bucket, receiver):
    subscribe(
        site,
        bucket,
        entry("here", "s3:ObjectCreated:*", prefix="photos/", suffix=".jpg"),
        entry("there", "s3:ObjectRemoved:Delete"),
    )
    for key in ["photos/a.png", "films/a.jpg", "photos/b.jpg"]:
        site.client.put_object(Bucket=bucket, Key=key, Body=b"x")
        site.client.delete_object(Bucket=bucket, Key=key)
    told = receiver.of(bucket, 4)
    assert [one.key for one in told if one.path == "/here"] == ["photos/b.jpg"]
    gone = {one.key for one in told if one.path == "/there"}
    assert gone == {"photos/a.png", "films/a.jpg", "photos/b.jpg"}
    # Nobody is told of anything once nobody wants to be.
    site.client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    site.client.put_object(Bucket=bucket, Key="photos/c.jpg", Body=b"x")
    subscribe(site, bucket, entry("here", "s3:ObjectCreated:*"))
    site.client.put_object(Bucket=bucket, Key="last", Body=b"x")

    def with_last(arrived):
        return arrived if any("Records" in one.body and one.key == "last" for one in arrived) else None

    told = receiver.until(with_last)
    assert not [one for one in told if "Records" in one.body and one.bucket == bucket and one.key == "photos/c.jpg"]


def test_a_configuration_comes_back_as_it_was_said(site, bucket):
    said = {
        "QueueConfigurations": [{"Id": "one"} | entry("here", "s3:ObjectCreated:*", prefix="a/")],
        "TopicConfigurations": [
            {"Id": "two", "TopicArn": "arn:entente:sns:::there", "Events": ["s3:ObjectRemoved:Delete"]}
        ],
        "LambdaFunctionConfigurations": [
            {
                "Id": "three",
                "LambdaFunctionArn": "arn:entente:lambda:::here",
                "Events": ["s3:ObjectTagging:Put", "s3:ObjectTagging:Delete"],
            }
        ],
    }
    client = site.client
    assert not set(client.get_bucket_notification_configuration(Bucket=bucket)) & set(said)
    client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=said)
    got = client.get_bucket_notification_configuration(Bucket=bucket)
    assert {name: got[name] for name in said} == said
    client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert not set(client.get_bucket_notification_configuration(Bucket=bucket)) & set(said)


@pytest.mark.parametrize(
    "entries, code",
    [
        ([{"QueueArn": "arn:entente:sqs:::nobody", "Events": ["s3:ObjectCreated:*"]}], "InvalidArgument"),
        ([{"QueueArn": "arn:aws:sqs:eu-1:12:here", "Events": ["s3:ObjectCreated:*"]}], "InvalidArgument"),
        ([entry("here", "s3:ObjectRestore:*")], "InvalidArgument"),
        ([entry("here", "s3:ObjectCreated:*"), entry("there", "s3:ObjectCreated:Put")], "InvalidArgument"),
    ],
)
def test_what_would_not_be_told_is_refused(site, bucket, entries, code):
    with pytest.raises(ClientError) as refused:
        subscribe(site, bucket, *entries)
    assert refused.value.response["Error"]["Code"] == code
    assert "QueueConfigurations" not in site.client.get_bucket_notification_configuration(Bucket=bucket)


def test_changes_through_other_doors_are_told(site, bucket, receiver):
    subscribe(site, bucket, entry("here", *EVERYTHING))
    box = site.server.client(site.server.token(site.login))
    top = next(item.id for item in box.folders.get_folder_items("0").entries if item.name == bucket)
    file = upload(box, top, "box.txt", b"by box")
    upload_version(box, file.id, "box.txt", b"by box again")
    box.files.update_file_by_id(file.id, name="renamed.txt")
    box.files.delete_file_by_id(file.id)
    box.trashed_files.restore_file_from_trash(file.id)
    told = receiver.of(bucket, 6)
    assert [(one.event, one.object.get("size")) for one in told if one.key == "box.txt"] == [
        ("ObjectCreated:Put", 6),
        ("ObjectCreated:Put", 12),
        ("ObjectRemoved:Delete", None),
    ]
    renamed = [one for one in told if one.key == "renamed.txt"]
    assert [one.event for one in renamed][:2] == ["ObjectCreated:Copy", "ObjectRemoved:Delete"]
    assert renamed[0].object["eTag"] == sha1(b"by box again")[:32] + "-1"

    password = site.server.run("app-password", "create", "--login", site.login, "--label", "told")
    dav = requests.Session()
    dav.auth, dav.trust_env = (site.login, password), False
    at = f"{site.ready['url']}/dav/{bucket}"
    assert dav.put(f"{at}/dav.txt", data=b"by dav", timeout=60).status_code == 201
    assert dav.request("MKCOL", f"{at}/folder", timeout=60).status_code == 201
    move = {"Destination": f"{at}/folder/moved.txt"}
    assert dav.request("MOVE", f"{at}/dav.txt", headers=move, timeout=60).status_code == 201
    # A folder is one change for those who make it, and one for each file for those who are told.
    assert dav.put(f"{at}/folder/other.txt", data=b"other", timeout=60).status_code == 201
    move = {"Destination": f"{at}/elsewhere"}
    assert dav.request("MOVE", f"{at}/folder", headers=move, timeout=60).status_code == 201
    assert dav.delete(f"{at}/elsewhere", timeout=60).status_code == 204
    wanted = {
        ("ObjectCreated:Put", "dav.txt"),
        ("ObjectRemoved:Delete", "dav.txt"),
        ("ObjectCreated:Copy", "folder/moved.txt"),
        ("ObjectCreated:Put", "folder/other.txt"),
        ("ObjectRemoved:Delete", "folder/moved.txt"),
        ("ObjectRemoved:Delete", "folder/other.txt"),
        ("ObjectRemoved:Delete", "elsewhere/moved.txt"),
        ("ObjectRemoved:Delete", "elsewhere/other.txt"),
    }

    def all_of(arrived):
        there = {(one.event, one.key) for one in arrived if one.bucket == bucket and "Records" in one.body}
        return wanted <= there

    assert receiver.until(all_of)
    folder = new_folder(box, top, "by-box")
    upload(box, folder.id, "inside.txt", b"inside")
    box.folders.delete_folder_by_id(folder.id, recursive=True)
    wanted = {("ObjectCreated:Put", "by-box/inside.txt"), ("ObjectRemoved:Delete", "by-box/inside.txt")}
    assert receiver.until(all_of)


def test_a_receiver_that_was_down_is_told_everything_in_order(site, bucket, late_port):
    subscribe(site, bucket, entry("late", "s3:ObjectCreated:*"))
    etags: dict[str, list[str]] = {"one": [], "two": []}
    for number in range(10):
        for key, known in etags.items():
            put = site.client.put_object(Bucket=bucket, Key=key, Body=f"{key} {number}".encode())
            known.append(put["ETag"].strip('"'))
    late = Receiver(late_port)
    try:
        told = late.of(bucket, 20)
        seen: dict[str, list[str]] = {"one": [], "two": []}
        for one in told:
            if one.object["eTag"] not in seen[one.key]:
                seen[one.key].append(one.object["eTag"])
        assert seen == etags
    finally:
        late.close()
    assert late.wrong == []


def test_what_cannot_be_told_is_kept_for_the_operator(site, bucket, receiver):
    receiver.answers["/redirecting"] = (307, {"Location": f"http://127.0.0.1:{receiver.port}/followed"})
    subscribe(
        site,
        bucket,
        entry("redirecting", "s3:ObjectCreated:*"),
        entry("private", "s3:ObjectRemoved:*"),
    )
    site.client.put_object(Bucket=bucket, Key="k", Body=b"x")
    site.client.delete_object(Bucket=bucket, Key="k")
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        said = json.loads(site.server.run("subscriptions", "dead", "--json"))
        errors = {one["target"]: one["last_error"] for one in said if one["bucket"] == bucket and one["key"] == "k"}
        if len(errors) == 2:
            break
        assert time.monotonic() < deadline, said
        time.sleep(0.2)
    assert errors["redirecting"] == "answered 307"
    assert "private address" in errors["private"]
    paths = {one.path for one in receiver.arrived}
    assert "/followed" not in paths and "/private" not in paths
    listed = json.loads(site.server.run("subscriptions", "list", "--json"))
    assert listed["dead"] >= 2
    assert {"name": "here", "configured": True, "due": 0} in [
        target | {"due": 0} for target in listed["targets"]
    ]
    del receiver.answers["/redirecting"]
    known = {one.delivery for one in receiver.arrived if one.path == "/redirecting"}
    assert json.loads(site.server.run("subscriptions", "retry", "--json"))["retried"] >= 2

    def again(arrived):
        return [one for one in arrived if one.path == "/redirecting" and one.delivery in known][len(known):]

    assert receiver.until(again)
    metrics = requests.get(f"{site.ready['admin_url']}/metrics", timeout=60).text
    assert 'entente_deliveries_total{target="here",end="told"}' in metrics
