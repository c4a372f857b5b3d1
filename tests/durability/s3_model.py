"""What the S3 door has acknowledged: buckets with keys, and their versions and delete markers."""

from dataclasses import dataclass, field

from model import Content, expect
from s3_client import Shown


@dataclass
class Entry:
    """A version of a key, or a delete marker."""

    # None: a delete marker.
    content: Content | None
    # Empty: not known yet, as when it was never acknowledged.
    etag: str = ""
    id: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Bucket:
    name: str
    is_versioned: bool
    # The oldest first.
    keys: dict[str, list[Entry]] = field(default_factory=dict)

    def live(self) -> dict[str, Entry]:
        """Keys that can be read, with what is read."""
        return {key: entries[-1] for key, entries in self.keys.items() if entries[-1].content is not None}

    def put(self, key: str, entry: Entry) -> Entry:
        if self.is_versioned:
            self.keys.setdefault(key, []).append(entry)
        else:
            entry.id = "null"
            self.keys[key] = [entry]
        return entry

    def delete(self, key: str) -> Entry | None:
        """Returns the delete marker, if there is one now."""
        if self.is_versioned:
            return self.put(key, Entry(None))
        del self.keys[key]
        return None

    def remove(self, key: str, id: str) -> None:
        """A version or a marker, for good."""
        self.keys[key] = [entry for entry in self.keys[key] if entry.id != id]
        if not self.keys[key]:
            del self.keys[key]


def compare_versions(bucket: Bucket, seen: dict[str, tuple[list[Shown], list[Shown]]]) -> None:
    """Checks the listing of all versions against the model, and learns the ids that were not told."""
    differ = sorted(seen.keys() ^ bucket.keys.keys())[:5]
    expect(not differ, f"bucket {bucket.name} has not the keys that it should have: {differ}")
    for key, entries in bucket.keys.items():
        versions = [entry for entry in reversed(entries) if entry.content is not None]
        markers = [entry for entry in reversed(entries) if entry.content is None]
        for known, shown in zip((versions, markers), seen[key]):
            what = f"{bucket.name}/{key!r} has {shown} instead of {known}"
            expect(len(known) == len(shown), what)
            for entry, one in zip(known, shown):
                expect(entry.id in ("", one.id) and entry.etag in ("", one.etag), what)
                expect(entry.content is None or entry.content.size == one.size, what)
                expect(one.is_latest == (entry is entries[-1]), f"{what}: which is the latest?")
        # Only when all is right: it may have been the other one of two states.
        for known, shown in zip((versions, markers), seen[key]):
            for entry, one in zip(known, shown):
                entry.id, entry.etag = one.id, one.etag
