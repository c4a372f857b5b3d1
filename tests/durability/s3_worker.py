"""A client thread that speaks S3: in a bucket that keeps versions, one that does not, and one in which all fight."""

import copy
import threading
from typing import Iterator
from urllib.parse import urlencode

from across import Doors, folders_of
from client import Refused, sha1_of
from door_worker import DoorWorker
from model import Content, Wrong, expect
from s3_client import S3, md5_of
from s3_model import Bucket, Entry, compare_versions
from s3_uploads import Upload, Uploads
from steps import WORDS

KIB = 1024
# A bucket with more entries than this rather loses than gets some.
ENTRIES_MANY = 50
# Folders that only keys need: some go with their last key, and come again.
PREFIXES = ("", "", "a/", "a/b/", "deep/er/still/", "own 1/", "own 2/", "own 3/", "own 4/ä/")
# A file that has the name of a folder.
TWIN = "a"
SHARED = "kill-s3-shared"


class S3Worker(Uploads, DoorWorker):
    """Has two buckets of its own, and its share of one that all S3 workers put into."""

    door = "S3"

    def __init__(self, number: int, seed: str, others: list["S3Worker"], dying: threading.Event):
        super().__init__(number, seed, dying)
        self.others = others
        self.buckets = {
            name: Bucket(name, is_versioned)
            for name, is_versioned in ((f"kill-s3-{number}", False), (f"kill-s3-{number}-versions", True))
        }
        # Keys of the shared bucket that this worker has won.
        self.won: dict[str, Content] = {}
        self.upload: Upload | None = None

    def set_up(self, s3: S3) -> None:
        for bucket in self.buckets.values():
            s3.make_bucket(bucket.name, bucket.is_versioned)

    @property
    def s3(self) -> S3:
        return self.doors.s3

    def step(self) -> None:
        if self.upload is not None and self.random.random() < 0.4:
            self.go_on_with_upload()
            return
        bucket = self.random.choice(list(self.buckets.values()))
        many = sum(len(entries) for entries in bucket.keys.values()) > ENTRIES_MANY
        less, more = (0.3, 4) if many else (1, 1)
        self.one_of({
            lambda: self.put_new(bucket): 24 * less,
            lambda: self.put_over(bucket): 10,
            lambda: self.put_if_none(bucket): 6 * less,
            lambda: self.put_large(bucket): 0.5 * less,
            lambda: self.copy(bucket): 8 * less,
            lambda: self.delete(bucket): 9 * more,
            lambda: self.remove(bucket): 7 * more if bucket.is_versioned else 0,
            lambda: self.retag(bucket): 6,
            lambda: self.read(bucket): 10,
            lambda: self.cut_off(bucket): 2,
            self.contest: 3,
            lambda: self.begin_upload(bucket): 1.2 if self.upload is None else 0,
        })

    # --- what is in doubt is a whole bucket: as it was, or as it would be ---

    def change(self, kind: str, bucket: Bucket, key: str, ask, apply) -> None:
        """Asks, and changes the model. `apply` changes a bucket, given the answer or `None`, and returns the new entry."""
        after = copy.deepcopy(bucket)
        apply(after, None)
        with self.doubtful(f"S3 {kind}", lambda: self.find_out(bucket, after, key)):
            answer = ask()
        apply(bucket, answer)
        self.note(bucket.name, key)

    def find_out(self, bucket: Bucket, after: Bucket, key: str) -> str:
        seen = self.s3.versions(bucket.name)
        try:
            compare_versions(bucket, seen)
        except Wrong as old:
            try:
                compare_versions(after, seen)
            except Wrong as new:
                raise Wrong(f"neither the old state ({old}) nor the new one ({new})") from None
            bucket.keys = after.keys
            self.note(bucket.name, key)
            self.compare_one(bucket.name, key)
            return "new"
        self.compare_one(bucket.name, key)
        return "old"

    def new_key(self) -> str:
        if self.random.random() < 0.04:
            return TWIN
        self.names += 1
        return f"{self.random.choice(PREFIXES)}{self.names} {self.random.choice(WORDS)}"

    def some_key(self, bucket: Bucket) -> str | None:
        found = sorted(bucket.live())
        return self.random.choice(found) if found else None

    def some_tags(self) -> dict[str, str]:
        return {f"tag {at}": str(self.random.randrange(1000)) for at in range(self.random.randint(0, 3))}

    # --- writing ---

    def put(self, kind: str, bucket: Bucket, key: str, size: int, is_new: bool = False) -> None:
        content, plain = self.new_content(size)
        etag = f'"{md5_of(plain)}"'
        tags = self.some_tags() if self.random.random() < 0.3 else {}

        def apply(to: Bucket, answer: dict | None) -> None:
            id = "" if answer is None else answer.get("VersionId", "")
            expect(answer is None or answer["ETag"] == etag, f"{bucket.name}/{key!r} was put as {answer}, not {etag}")
            expect(answer is None or bool(id) == bucket.is_versioned, f"{bucket.name}/{key!r} has the version {id!r}")
            to.put(key, Entry(content, etag, id, dict(tags)))

        self.change(kind, bucket, key, lambda: self.s3.put(bucket.name, key, plain, urlencode(tags), is_new), apply)
        self.bytes_up += size

    def put_new(self, bucket: Bucket) -> None:
        self.put("put", bucket, self.new_key(), self.small_size())

    def put_over(self, bucket: Bucket) -> None:
        """Also over a delete marker."""
        if bucket.keys:
            self.put("overwrite", bucket, self.random.choice(sorted(bucket.keys)), self.small_size())

    def put_large(self, bucket: Bucket) -> None:
        self.put("put large", bucket, self.new_key(), self.random.randint(256 * KIB, 4096 * KIB))

    def put_if_none(self, bucket: Bucket) -> None:
        """If-None-Match: succeeds where there is nothing to read, and is refused where there is."""
        key = self.some_key(bucket) if self.random.random() < 0.4 else self.new_key()
        if key is None or key not in bucket.live():
            self.put("put if none", bucket, key or self.new_key(), self.small_size(), is_new=True)
            return
        content, plain = self.new_content(1000)
        self.refused("S3 put if none, refused", bucket, key, 412, lambda: self.s3.put(bucket.name, key, plain, is_new=True))

    def refused(self, kind: str, bucket: Bucket, key: str, status: int, ask) -> None:
        """What must be refused, and must change nothing even if the server dies over it."""
        try:
            with self.doubtful(kind, lambda: self.find_out(bucket, bucket, key)):
                ask()
        except Refused as error:
            expect(error.status == status, f"{kind} of {bucket.name}/{key!r} was answered with {error}")
            self.done[kind] += 1
            return
        raise Wrong(f"{kind} of {bucket.name}/{key!r} was acknowledged")

    def copy(self, bucket: Bucket) -> None:
        """Of any version of a key in one of its buckets."""
        source = self.random.choice(list(self.buckets.values()))
        found = [(key, entry) for key, entries in source.keys.items() for entry in entries if entry.content is not None]
        if not found:
            return
        of, entry = self.random.choice(found)
        key = self.new_key() if self.random.random() < 0.7 else self.some_key(bucket) or self.new_key()
        if (source.name, of) == (bucket.name, key):
            return
        content, tags = entry.content, dict(entry.tags)

        def apply(to: Bucket, answer: dict | None) -> None:
            etag, id = ("", "") if answer is None else (answer["CopyObjectResult"]["ETag"], answer.get("VersionId", ""))
            to.put(key, Entry(content, etag, id, dict(tags)))

        where = (source.name, of, entry.id if source.is_versioned else None)
        self.change("copy", bucket, key, lambda: self.s3.copy(bucket.name, key, where), apply)

    def retag(self, bucket: Bucket) -> None:
        key = self.some_key(bucket)
        if key is None:
            return
        tags, entry = self.some_tags(), bucket.keys[key][-1]
        old = dict(entry.tags)

        def find_out() -> str:
            seen = self.s3.tags(bucket.name, key)
            expect(seen in (old, tags), f"{bucket.name}/{key!r} has the tags {seen}, neither {old} nor {tags}")
            entry.tags = seen
            return "old" if seen == old else "new"

        with self.doubtful("S3 tags", find_out):
            self.s3.put_tags(bucket.name, key, tags)
        entry.tags = tags
        self.note(bucket.name, key)

    def delete(self, bucket: Bucket) -> None:
        """In a bucket that keeps versions: a delete marker."""
        key = self.some_key(bucket)
        if key is None:
            return

        def apply(to: Bucket, answer: dict | None) -> None:
            marker = to.delete(key)
            if answer is not None and marker is not None:
                expect(answer.get("DeleteMarker") is True, f"no delete marker of {bucket.name}/{key!r}: {answer}")
                marker.id = answer["VersionId"]

        self.change("delete", bucket, key, lambda: self.s3.delete(bucket.name, key), apply)

    def remove(self, bucket: Bucket) -> None:
        """A version or a delete marker, for good: what was below it may be current then."""
        if not bucket.keys:
            return
        key = self.random.choice(sorted(bucket.keys))
        id = self.random.choice(bucket.keys[key]).id
        self.change("remove version", bucket, key, lambda: self.s3.delete(bucket.name, key, id),
                    lambda to, answer: to.remove(key, id))

    def cut_off(self, bucket: Bucket) -> None:
        """A body that ends half way is nothing: neither a new key nor a new version."""
        key = self.new_key() if self.random.random() < 0.5 else self.some_key(bucket) or self.new_key()
        content, plain = self.new_content(self.random.randint(10_000, 200_000))
        with self.doubtful("S3 cut off", lambda: self.find_out(bucket, bucket, key)):
            self.s3.cut_off(bucket.name, key, plain, self.random.randrange(content.size))
        self.note(bucket.name, key)

    def contest(self) -> None:
        """Several workers put one key if there is none: one wins."""
        key = f"contest {sum(worker.done['S3 contest'] + worker.done['S3 contest lost'] for worker in self.others) // 3}"
        if key in self.won:
            return
        content, plain = self.new_content(self.random.randint(40, 5000))

        def find_out() -> str:
            seen = self.s3.files(SHARED).get(key)
            if seen is None or seen.etag != f'"{md5_of(plain)}"':
                return "old"
            self.won[key] = content
            return "new"

        try:
            with self.doubtful("S3 contest", find_out):
                self.s3.put(SHARED, key, plain, is_new=True)
        except Refused as error:
            expect(error.status in (409, 412), f"a contest was answered with {error}")
            self.done["S3 contest lost"] += 1
            return
        self.won[key] = content
        self.note(SHARED, key)

    # --- reading ---

    def read(self, bucket: Bucket) -> None:
        found = [(key, entry) for key, entries in bucket.keys.items() for entry in entries if entry.content is not None]
        if not found:
            return
        key, entry = self.random.choice(found)
        size = entry.content.size
        if size > 1 and self.random.random() < 0.4:
            first = self.random.randrange(size)
            last = min(size - 1, first + self.random.randint(0, 200_000))
            got, etag = self.s3.download(bucket.name, key, self.version_of(bucket, entry), f"bytes={first}-{last}")
            is_same = got == entry.content.again()[first : last + 1] and etag == entry.etag
            expect(is_same, f"bytes {first}-{last} of {bucket.name}/{key!r} version {entry.id} are not what was sent")
            self.bytes_down += len(got)
        else:
            self.check_content(bucket.name, key, entry)
        self.done["S3 read"] += 1

    @staticmethod
    def version_of(bucket: Bucket, entry: Entry) -> str | None:
        return entry.id if bucket.is_versioned else None

    # --- what is looked at after a restart ---

    def settle(self, doors: Doors) -> None:
        super().settle(doors)
        self.settle_upload()

    def tops(self) -> list[str]:
        return list(self.buckets)

    def known(self, top: str, door: str) -> tuple[dict[str, Content], set[str]]:
        """Delete markers keep the folders on their way, which S3 does not show for that."""
        bucket = self.buckets[top]
        live = bucket.live()
        needed = live if door == "S3" else bucket.keys
        return {key: entry.content for key, entry in live.items()}, folders_of(list(needed))

    def compare_top(self, top: str) -> None:
        compare_versions(self.buckets[top], self.s3.versions(top))

    def compare_one(self, top: str, path: str) -> None:
        if top == SHARED:
            got, _ = self.s3.download(SHARED, path)
            expect(sha1_of(got) == self.won[path].sha1, f"{SHARED}/{path} is not what was won with")
            return
        entry = self.buckets[top].live().get(path)
        if entry is not None:
            self.check_content(top, path, entry)
            seen = self.s3.tags(top, path)
            expect(seen == entry.tags, f"{top}/{path!r} has the tags {seen} instead of {entry.tags}")
            return
        try:
            self.s3.download(top, path)
        except Refused as error:
            expect(error.status == 404, f"reading what is not there was answered with {error}")
        else:
            raise Wrong(f"{top}/{path!r} can be read and should not be there")

    def checks(self) -> Iterator[tuple[str, object]]:
        for bucket in self.buckets.values():
            yield "keys without versions", lambda bucket=bucket: self.compare_keys(bucket)
            yield "uploads in parts", lambda bucket=bucket: self.compare_uploads(bucket)
        if self is self.others[0]:
            yield "keys that were fought for", self.compare_won

    def compare_keys(self, bucket: Bucket) -> None:
        seen = {key: (shown.etag, shown.size) for key, shown in self.s3.files(bucket.name).items()}
        known = {key: (entry.etag, entry.content.size) for key, entry in bucket.live().items()}
        expect(seen == known, f"bucket {bucket.name}: {sorted(set(seen.items()) ^ set(known.items()))[:5]}")

    def compare_won(self) -> None:
        won = {key: content.size for worker in self.others for key, content in worker.won.items()}
        seen = {key: shown.size for key, shown in self.s3.files(SHARED).items()}
        expect(seen == won, f"bucket {SHARED}: {sorted(set(seen.items()) ^ set(won.items()))[:5]}")
        expect(len(won) == sum(len(worker.won) for worker in self.others), "a key was won twice")

    def contents(self) -> list[tuple]:
        return [
            (bucket.name, key, entry)
            for bucket in self.buckets.values()
            for key, entries in bucket.keys.items()
            for entry in entries
            if entry.content is not None
        ]

    def check_content(self, top: str, key: str, entry: Entry) -> None:
        """Its bytes, and that its entity tag is the MD5 of them unless it came in parts."""
        got, etag = self.s3.download(top, key, self.version_of(self.buckets[top], entry))
        self.bytes_down += len(got)
        is_same = len(got) == entry.content.size and sha1_of(got) == entry.content.sha1
        expect(is_same, f"{top}/{key!r} version {entry.id}: {len(got)} bytes came back, not {entry.content}")
        expect(etag == entry.etag, f"{top}/{key!r} version {entry.id} has the entity tag {etag}, not {entry.etag}")
        expect("-" in etag or etag == f'"{md5_of(got)}"', f"{top}/{key!r} version {entry.id}: {etag} is not its MD5")
