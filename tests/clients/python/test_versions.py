"""File versions: made, listed, promoted, deleted and brought back."""

from box_sdk_gen import PromoteFileVersionType, create_null

from kit import download, refused, sha1, upload, upload_version
from typed import well_typed


def test_a_new_version_replaces_the_content(client, folder):
    file = upload(client, folder.id, "file.txt", b"first")
    newer = well_typed(upload_version(client, file.id, "file.txt", b"second"))
    assert newer.id == file.id
    assert newer.sha_1 == sha1(b"second")
    assert newer.file_version.id != file.file_version.id
    assert int(newer.etag) > int(file.etag)
    assert newer.created_at == file.created_at
    assert download(client, file.id) == b"second"


def test_a_version_may_bring_a_new_name(client, folder):
    file = upload(client, folder.id, "old.txt", b"first")
    assert upload_version(client, file.id, "new.txt", b"second").name == "new.txt"


def test_a_version_may_not_take_a_name_in_use(client, folder):
    upload(client, folder.id, "taken.txt", b"x")
    file = upload(client, folder.id, "file.txt", b"first")
    with refused(409, "item_name_in_use"):
        upload_version(client, file.id, "taken.txt", b"second")
    assert download(client, file.id) == b"first"


def test_only_older_versions_are_listed(client, folder):
    file = upload(client, folder.id, "file.txt", b"0")
    assert client.file_versions.get_file_versions(file.id).entries == []
    seen = [file.file_version.id]
    for number in range(1, 4):
        seen.append(upload_version(client, file.id, "file.txt", str(number).encode()).file_version.id)
    versions = well_typed(client.file_versions.get_file_versions(file.id))
    assert versions.total_count == 3
    assert [version.id for version in versions.entries] == list(reversed(seen[:-1]))
    assert versions.entries[0].name == "file.txt"
    assert versions.entries[0].size == 1
    assert versions.entries[0].sha_1 == sha1(b"2")
    page = client.file_versions.get_file_versions(file.id, limit=1, offset=1)
    assert [version.id for version in page.entries] == [seen[1]]
    assert page.total_count == 3


def test_one_version(client, folder):
    file = upload(client, folder.id, "file.txt", b"first")
    upload_version(client, file.id, "file.txt", b"second")
    version = well_typed(client.file_versions.get_file_version_by_id(file.id, file.file_version.id))
    assert version.id == file.file_version.id
    assert version.sha_1 == sha1(b"first")
    assert version.raw_data["trashed_at"] is None
    assert "version_number" not in version.raw_data
    numbered = client.file_versions.get_file_version_by_id(
        file.id, file.file_version.id, fields=["version_number", "name"]
    )
    assert numbered.version_number == "1"
    with refused(404):
        client.file_versions.get_file_version_by_id(file.id, "999999999999")


def test_a_version_of_another_file_is_absent(client, folder):
    one = upload(client, folder.id, "one.txt", b"1")
    two = upload(client, folder.id, "two.txt", b"2")
    with refused(404):
        client.file_versions.get_file_version_by_id(one.id, two.file_version.id)
    with refused(404):
        client.file_versions.promote_file_version(
            one.id, id=two.file_version.id, type=PromoteFileVersionType.FILE_VERSION
        )


def test_promoting_brings_back_content_and_name(client, folder):
    file = upload(client, folder.id, "old name.txt", b"first")
    upload_version(client, file.id, "new name.txt", b"second")
    promoted = well_typed(
        client.file_versions.promote_file_version(
            file.id, id=file.file_version.id, type=PromoteFileVersionType.FILE_VERSION
        )
    )
    assert promoted.id != file.file_version.id
    assert promoted.sha_1 == sha1(b"first")
    now = client.files.get_file_by_id(file.id)
    assert now.file_version.id == promoted.id
    assert now.name == "old name.txt"
    assert download(client, file.id) == b"first"
    assert client.file_versions.get_file_versions(file.id).total_count == 2


def test_deleting_an_old_version(client, folder):
    file = upload(client, folder.id, "file.txt", b"first")
    upload_version(client, file.id, "file.txt", b"second")
    client.file_versions.delete_file_version_by_id(file.id, file.file_version.id)
    assert download(client, file.id) == b"second"
    # Box goes on listing a deleted version, as trashed.
    listed = client.file_versions.get_file_versions(file.id).entries
    assert all(version.trashed_at is not None for version in listed)
    with refused(404):
        client.file_versions.delete_file_version_by_id(file.id, "999999999999")


def test_a_deleted_version_can_be_brought_back(client, folder):
    file = upload(client, folder.id, "file.txt", b"first")
    upload_version(client, file.id, "file.txt", b"second")
    client.file_versions.delete_file_version_by_id(file.id, file.file_version.id)
    back = well_typed(
        client.file_versions.update_file_version_by_id(file.id, file.file_version.id, trashed_at=create_null())
    )
    assert back.id == file.file_version.id
    assert back.raw_data["trashed_at"] is None
    assert download(client, file.id, version=file.file_version.id) == b"first"


def test_old_content_stays_readable_through_many_versions(client, folder):
    contents = [bytes([number]) * 1000 for number in range(12)]
    file = upload(client, folder.id, "file.bin", contents[0])
    ids = [file.file_version.id]
    for content in contents[1:]:
        ids.append(upload_version(client, file.id, "file.bin", content).file_version.id)
    for version, content in zip(ids, contents):
        assert download(client, file.id, version=version) == content
