"""Multipart uploads: what an S3 worker does over several operations, and goes on with after a restart."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from client import Refused
from model import Content, Wrong, expect
from s3_client import md5_of
from s3_model import Bucket, Entry

MIB = 1024 * 1024
# All parts but the last have at least 5 MiB.
PART = 5 * MIB
UPLOAD_SIZES = (PART + 1, 2 * PART, 2 * PART + 77_777, PART + 300_000)
PARTS_AT_A_TIME = 3


@dataclass
class Upload:
    """An upload in parts that has been begun."""

    bucket: Bucket
    key: str
    id: str
    content: Content
    plain: bytes
    # Entity tags of parts by their numbers, as acknowledged.
    acknowledged: dict[int, str] = field(default_factory=dict)

    def part(self, number: int) -> bytes:
        return self.plain[(number - 1) * PART : number * PART]

    @property
    def numbers(self) -> range:
        return range(1, -(-self.content.size // PART) + 1)

    @property
    def etag(self) -> str:
        digests = b"".join(bytes.fromhex(md5_of(self.part(number))) for number in self.numbers)
        return f'"{md5_of(digests)}-{len(self.numbers)}"'


class Uploads:
    """The part of an S3 worker that uploads in parts. It has one upload at a time."""

    def begin_upload(self, bucket: Bucket) -> None:
        content, plain = self.new_content(self.random.choice(UPLOAD_SIZES))
        key = self.new_key() if self.random.random() < 0.6 else self.some_key(bucket) or self.new_key()
        with self.doubtful("S3 begin upload", lambda: self.find_begun(bucket)):
            id = self.s3.begin_upload(bucket.name, key)
        self.upload = Upload(bucket, key, id, content, plain)
        # An upload is no object.
        self.note(bucket.name, key)

    def find_begun(self, bucket: Bucket) -> str:
        """One that nobody was told of may be there; it is given up."""
        found = self.s3.uploads(bucket.name)
        expect(len(found) <= 1, f"bucket {bucket.name} has the uploads {found}")
        for id, key in found.items():
            self.s3.abort(bucket.name, key, id)
        return "new" if found else "old"

    def go_on_with_upload(self) -> None:
        upload = self.upload
        missing = [number for number in upload.numbers if number not in upload.acknowledged]
        if missing:
            self.send_upload_parts(upload, missing)
        elif self.random.random() < 0.35:
            self.abort_upload(upload)
        else:
            self.complete_upload(upload)

    def send_upload_parts(self, upload: Upload, missing: list[int]) -> None:
        def send(number: int) -> None:
            plain = upload.part(number)
            etag = self.s3.send_part(upload.bucket.name, upload.key, upload.id, number, plain)
            expect(etag == f'"{md5_of(plain)}"', f"part {number} of {upload.bucket.name}/{upload.key!r} was taken as {etag}")
            upload.acknowledged[number] = etag
            self.bytes_up += len(plain)
            self.done["S3 part"] += 1

        with self.doubtful("S3 parts", lambda: self.find_upload_parts(upload)):
            with ThreadPoolExecutor(PARTS_AT_A_TIME) as pool:
                for sent in [pool.submit(send, number) for number in missing]:
                    sent.result()

    def find_upload_parts(self, upload: Upload) -> str:
        """Every acknowledged part is there; others may be, whole."""
        seen = self.s3.parts(upload.bucket.name, upload.key, upload.id)
        for number, (etag, size) in seen.items():
            plain = upload.part(number)
            is_same = (etag, size) == (f'"{md5_of(plain)}"', len(plain))
            expect(is_same, f"part {number} of {upload.bucket.name}/{upload.key!r} is {etag} with {size} bytes")
        missing = upload.acknowledged.keys() - seen.keys()
        expect(not missing, f"parts {missing} of {upload.bucket.name}/{upload.key!r} were acknowledged and are gone")
        arrived = len(seen) - len(upload.acknowledged)
        upload.acknowledged = {number: etag for number, (etag, _) in seen.items()}
        return f"{'some' if arrived else 'none'} had arrived"

    def complete_upload(self, upload: Upload) -> None:
        bucket, etag = upload.bucket, upload.etag

        def apply(to: Bucket, answer: dict | None) -> None:
            expect(answer is None or answer["ETag"] == etag, f"{bucket.name}/{upload.key!r} was completed as {answer}")
            to.put(upload.key, Entry(upload.content, etag, "" if answer is None else answer.get("VersionId", "")))

        self.change("complete upload", bucket, upload.key,
                    lambda: self.s3.complete(bucket.name, upload.key, upload.id, upload.acknowledged), apply)
        self.upload = None

    def abort_upload(self, upload: Upload) -> None:
        with self.doubtful("S3 abort upload", lambda: self.find_aborted(upload)):
            self.s3.abort(upload.bucket.name, upload.key, upload.id)
        self.upload = None
        self.expect_ended(upload)

    def find_aborted(self, upload: Upload) -> str:
        if upload.id in self.s3.uploads(upload.bucket.name):
            self.find_upload_parts(upload)
            return "old"
        self.upload = None
        self.expect_ended(upload)
        return "new"

    def expect_ended(self, upload: Upload) -> None:
        try:
            self.s3.parts(upload.bucket.name, upload.key, upload.id)
        except Refused as error:
            expect(error.status == 404, f"listing the parts of an ended upload was answered with {error}")
        else:
            raise Wrong(f"the upload of {upload.bucket.name}/{upload.key!r} was ended and has parts")

    def settle_upload(self) -> None:
        """After a restart: one whose completion turned out to be done is over, another is as it was acknowledged."""
        if self.upload is None:
            return
        current = self.upload.bucket.live().get(self.upload.key)
        if current is not None and current.content == self.upload.content:
            self.expect_ended(self.upload)
            self.upload = None
        else:
            self.find_upload_parts(self.upload)

    def compare_uploads(self, bucket: Bucket) -> None:
        mine = self.upload
        known = {mine.id: mine.key} if mine is not None and mine.bucket is bucket else {}
        seen = self.s3.uploads(bucket.name)
        expect(seen == known, f"bucket {bucket.name} has the uploads {seen}, not {known}")
