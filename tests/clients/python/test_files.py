"""Files: uploaded, described, renamed, moved, copied, deleted; and what refuses to be."""

import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from box_sdk_gen import (
    BoxSDKError,
    CopyFileParent,
    FetchOptions,
    PreflightFileUploadCheckParent,
    ResponseFormat,
    UpdateFileByIdParent,
    UploadFileAttributes,
    UploadFileAttributesParentField,
    UploadWithPreflightCheckAttributes,
    UploadWithPreflightCheckAttributesParentField,
)
from box_sdk_gen.internal.utils import date_time_from_string

from kit import download, names_in, new_folder, random_bytes, refused, sha1, upload, upload_version
from typed import well_typed


def test_a_new_file_in_the_standard_form(client, folder, login):
    content = b"hello, world\n"
    file = well_typed(upload(client, folder.id, "hello.txt", content))
    assert file.name == "hello.txt"
    assert file.etag == "0"
    assert file.sequence_id == "0"
    assert file.size == len(content)
    assert file.sha_1 == sha1(content)
    assert file.file_version.sha_1 == sha1(content)
    assert file.parent.id == folder.id
    assert [above.id for above in file.path_collection.entries] == ["0", folder.id]
    assert file.item_status == "active"
    assert file.description == ""
    assert file.created_by.login == file.modified_by.login == file.owned_by.login == login
    got = well_typed(client.files.get_file_by_id(file.id))
    for field in ("shared_link", "trashed_at", "purged_at"):
        assert got.raw_data[field] is None, field
    for extra in ("tags", "permissions", "lock", "extension", "version_number", "comment_count"):
        assert extra not in got.raw_data
    assert set(got.raw_data) == set(file.to_dict()) | {"shared_link", "trashed_at", "purged_at"}


def test_fields_bring_only_what_was_asked(client, folder):
    file = upload(client, folder.id, "report.PDF", b"%PDF")
    wanted = ["name", "extension", "permissions", "tags", "lock", "version_number", "is_package", "comment_count"]
    got = well_typed(client.files.get_file_by_id(file.id, fields=wanted))
    assert set(got.raw_data) == {"type", "id", "etag", *wanted}
    assert got.extension.lower() == "pdf"
    assert got.version_number == "1"
    assert got.raw_data["lock"] is None
    assert got.permissions.can_download is True
    assert got.permissions.can_rename is True


def test_upload_with_fields(client, folder):
    attributes = UploadFileAttributes(name="a.txt", parent=UploadFileAttributesParentField(id=folder.id))
    files = client.uploads.upload_file(attributes, io.BytesIO(b"a"), fields=["name", "size"])
    assert set(files.raw_data["entries"][0]) == {"type", "id", "etag", "name", "size"}


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1])
def test_contents_of_every_size_come_back_equal(client, folder, size):
    content = random_bytes(size)
    file = upload(client, folder.id, "blob.bin", content)
    assert file.size == size
    assert file.sha_1 == sha1(content)
    assert download(client, file.id) == content


def test_the_times_of_the_content_are_kept(client, folder):
    created, modified = "2012-12-12T10:53:43-08:00", "2013-01-02T03:04:05Z"
    attributes = UploadFileAttributes(
        name="old.txt",
        parent=UploadFileAttributesParentField(id=folder.id),
        content_created_at=date_time_from_string(created),
        content_modified_at=date_time_from_string(modified),
    )
    file = client.uploads.upload_file(attributes, io.BytesIO(b"old")).entries[0]
    assert file.content_created_at == date_time_from_string(created)
    assert file.content_modified_at == date_time_from_string(modified)
    assert file.created_at > file.content_created_at


def test_content_md5_is_checked(client, folder):
    content = b"every bit counts"
    upload(client, folder.id, "right.txt", content, content_md_5=sha1(content))
    with refused(400, "bad_digest"):
        upload(client, folder.id, "wrong.txt", content, content_md_5=sha1(b"other"))
    assert names_in(client, folder.id) == ["right.txt"]


def test_preflight_lets_a_good_upload_through(client, folder):
    parent = PreflightFileUploadCheckParent(id=folder.id)
    answer = well_typed(client.uploads.preflight_file_upload_check(name="new.txt", size=10, parent=parent))
    assert answer.upload_url.startswith("https://")
    assert names_in(client, folder.id) == []


def test_preflight_refuses(client, folder):
    parent = PreflightFileUploadCheckParent(id=folder.id)
    taken = upload(client, folder.id, "taken.txt", b"x")
    with refused(409, "item_name_in_use") as caught:
        client.uploads.preflight_file_upload_check(name="taken.txt", size=10, parent=parent)
    assert caught.error.context_info["conflicts"]["id"] == taken.id
    with refused(400):
        client.uploads.preflight_file_upload_check(name="new.txt", size=-1, parent=parent)
    with refused(404):
        client.uploads.preflight_file_upload_check(
            name="new.txt", size=1, parent=PreflightFileUploadCheckParent(id="999999999999")
        )
    with refused(400, "item_name_invalid"):
        client.uploads.preflight_file_upload_check(name="a/b", size=1, parent=parent)


def test_upload_with_preflight(client, folder):
    content = random_bytes(1000)
    attributes = UploadWithPreflightCheckAttributes(
        name="checked.bin", size=1000, parent=UploadWithPreflightCheckAttributesParentField(id=folder.id)
    )
    file = client.uploads.upload_with_preflight_check(attributes, io.BytesIO(content)).entries[0]
    assert download(client, file.id) == content


def test_a_stream_of_unknown_length_is_sent_chunked(client, folder):
    content = random_bytes(200_000)

    class Endless(io.BytesIO):
        def seekable(self):
            return False

    attributes = UploadFileAttributes(name="stream.bin", parent=UploadFileAttributesParentField(id=folder.id))
    file = client.uploads.upload_file(attributes, Endless(content)).entries[0]
    assert file.size == len(content)
    assert download(client, file.id) == content


def test_rename_describe_and_tag(client, folder):
    file = upload(client, folder.id, "draft.txt", b"x")
    renamed = well_typed(client.files.update_file_by_id(file.id, name="final.txt"))
    assert renamed.name == "final.txt"
    assert int(renamed.etag) > int(file.etag)
    described = client.files.update_file_by_id(file.id, description="The last word")
    assert described.description == "The last word"
    tagged = client.files.update_file_by_id(file.id, tags=["one", "two"], fields=["tags", "name"])
    assert tagged.tags == ["one", "two"]
    assert names_in(client, folder.id) == ["final.txt"]
    assert download(client, file.id) == b"x"


def test_a_file_may_change_only_the_case_of_its_name(client, folder):
    file = upload(client, folder.id, "readme.md", b"x")
    assert client.files.update_file_by_id(file.id, name="README.md").name == "README.md"


def test_move(client, folder):
    target = new_folder(client, folder.id, "target")
    file = upload(client, folder.id, "wanderer.txt", b"x")
    moved = client.files.update_file_by_id(file.id, parent=UpdateFileByIdParent(id=target.id), name="settled.txt")
    assert moved.parent.id == target.id
    assert moved.name == "settled.txt"
    assert names_in(client, folder.id) == ["target"]
    assert names_in(client, target.id) == ["settled.txt"]
    with refused(404):
        client.files.update_file_by_id(file.id, parent=UpdateFileByIdParent(id="999999999999"))


def test_copy_is_independent(client, folder):
    file = upload(client, folder.id, "original.txt", b"first")
    copied = well_typed(client.files.copy_file(file.id, CopyFileParent(id=folder.id), name="copy.txt"))
    assert copied.id != file.id
    assert copied.etag == "0"
    assert copied.sha_1 == file.sha_1
    upload_version(client, file.id, "original.txt", b"second")
    assert download(client, copied.id) == b"first"
    client.files.delete_file_by_id(file.id)
    client.trashed_files.delete_trashed_file_by_id(file.id)
    assert download(client, copied.id) == b"first"


def test_copy_of_an_old_version(client, folder):
    file = upload(client, folder.id, "original.txt", b"first")
    upload_version(client, file.id, "original.txt", b"second")
    copied = client.files.copy_file(
        file.id, CopyFileParent(id=folder.id), name="copy.txt", version=file.file_version.id
    )
    assert download(client, copied.id) == b"first"


def test_names_in_use(client, folder):
    taken = upload(client, folder.id, "Taken.txt", b"x")
    other = upload(client, folder.id, "other.txt", b"x")
    for attempt in (
        lambda: upload(client, folder.id, "Taken.txt", b"y"),
        lambda: upload(client, folder.id, "TAKEN.TXT", b"y"),
        lambda: client.files.update_file_by_id(other.id, name="Taken.txt"),
        lambda: client.files.update_file_by_id(other.id, name="taken.txt"),
        lambda: client.files.copy_file(other.id, CopyFileParent(id=folder.id), name="Taken.txt"),
    ):
        with refused(409, "item_name_in_use") as caught:
            attempt()
        conflict = caught.error.context_info["conflicts"]
        assert isinstance(conflict, dict), "files name their conflict in an object"
        assert conflict["type"] == "file"
        assert conflict["id"] == taken.id
        assert conflict["name"] == "Taken.txt"
        assert conflict["sha1"] == taken.sha_1
        assert conflict["file_version"]["id"] == taken.file_version.id
    assert download(client, taken.id) == b"x"


def test_folder_names_in_use(client, folder):
    taken = new_folder(client, folder.id, "Taken")
    file = upload(client, folder.id, "file", b"x")
    for name in ("Taken", "TAKEN"):
        with refused(409, "item_name_in_use") as caught:
            new_folder(client, folder.id, name)
        conflicts = caught.error.context_info["conflicts"]
        assert isinstance(conflicts, list), "folders name their conflicts in an array"
        assert [one["id"] for one in conflicts] == [taken.id]
        assert conflicts[0]["type"] == "folder"
    with refused(409, "item_name_in_use"):
        new_folder(client, folder.id, "FILE")
    with refused(409, "item_name_in_use"):
        upload(client, folder.id, "taken", b"y")
    with refused(409, "item_name_in_use"):
        client.folders.update_folder_by_id(taken.id, name="file")
    assert download(client, file.id) == b"x"


def test_delete(client, folder):
    file = upload(client, folder.id, "doomed.txt", b"x")
    assert client.files.delete_file_by_id(file.id) is None
    with refused(404):
        client.files.get_file_by_id(file.id)
    with refused(404):
        download(client, file.id)
    with refused(404):
        client.files.delete_file_by_id(file.id)


def test_the_name_of_a_deleted_file_is_free(client, folder):
    file = upload(client, folder.id, "same.txt", b"x")
    client.files.delete_file_by_id(file.id)
    again = upload(client, folder.id, "same.txt", b"y")
    assert again.id != file.id


def test_an_absent_file(client):
    absent = "999999999999"
    for attempt in (
        lambda: client.files.get_file_by_id(absent),
        lambda: client.files.update_file_by_id(absent, name="x"),
        lambda: client.files.delete_file_by_id(absent),
        lambda: client.files.copy_file(absent, CopyFileParent(id="0")),
        lambda: client.downloads.download_file(absent),
        lambda: client.file_versions.get_file_versions(absent),
        lambda: upload_version(client, absent, "x", b"x"),
        lambda: upload(client, absent, "x", b"x"),
    ):
        with refused(404, "not_found"):
            attempt()


def test_if_match(client, folder):
    file = upload(client, folder.id, "guarded.txt", b"x")
    with refused(412):
        client.files.update_file_by_id(file.id, name="late.txt", if_match="77")
    with refused(412):
        upload_version(client, file.id, "guarded.txt", b"late", if_match="77")
    newer = upload_version(client, file.id, "guarded.txt", b"y", if_match=file.etag)
    assert int(newer.etag) > int(file.etag)
    with refused(412):
        client.files.delete_file_by_id(file.id, if_match=file.etag)
    assert download(client, file.id) == b"y"
    client.files.delete_file_by_id(file.id, if_match=newer.etag)


def test_if_none_match(client, server, folder):
    file = upload(client, folder.id, "cached.txt", b"x")

    def ask(etag):
        return client.make_request(
            FetchOptions(
                url=f"{server.url}/2.0/files/{file.id}",
                method="GET",
                headers={"if-none-match": etag},
                response_format=ResponseFormat.JSON,
            )
        )

    unchanged = ask(file.etag)
    assert unchanged.status == 304
    assert unchanged.content.read() == b""
    assert ask("77").status == 200


NAMES = [
    "Grüße aus Köln.txt",
    "日本語のファイル名.txt",
    "العربية.txt",
    "emoji 🦀🚀.txt",
    "family 👩‍👩‍👧‍👦.txt",
    "combining e\u0301.txt",
    "zero\u200bwidth.txt",
    "quotes ' \" and % & ? # ; = + @ ! ~ ` $ ^ ( ) [ ] { } < > | : *.txt",
    "percent%20encoded%2Fslash.txt",
    " leading space.txt",
    "no extension",
    ".hidden",
    "two..dots",
    "trailing dot.",
    "tab-free but very ordinary.tar.gz",
    "NUL.txt",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_come_back_as_they_went(client, folder, name):
    file = upload(client, folder.id, name, name.encode())
    assert file.name == name
    assert client.files.get_file_by_id(file.id).name == name
    assert names_in(client, folder.id) == [name]
    assert download(client, file.id) == name.encode()
    inside = new_folder(client, new_folder(client, folder.id, "in").id, name)
    assert client.folders.get_folder_by_id(inside.id).name == name


REFUSED_NAMES = ["", ".", "..", "a/b", "/", "a\\b", "nul\x00inside", "line\nbreak", "bell\x07", "trailing space "]


@pytest.mark.parametrize("name", REFUSED_NAMES, ids=repr)
def test_names_that_are_refused(client, folder, name):
    file = upload(client, folder.id, "fine.txt", b"x")
    for attempt in (
        lambda: upload(client, folder.id, name, b"x"),
        lambda: new_folder(client, folder.id, name),
        lambda: client.files.update_file_by_id(file.id, name=name),
        lambda: client.files.copy_file(file.id, CopyFileParent(id=folder.id), name=name),
        lambda: client.folders.update_folder_by_id(folder.id, name=name),
    ):
        try:
            attempt()
        except BoxSDKError as error:
            info = error.response_info
            assert info.status_code == 400, info.raw_body
            assert info.code in ("item_name_invalid", "bad_request"), info.raw_body
        else:
            raise AssertionError(f"{name!r} was accepted")
    assert names_in(client, folder.id) == ["fine.txt"]


@pytest.mark.parametrize("letter", ["n", "ü", "字", "🦀"])
def test_the_longest_name(client, folder, letter):
    longest = letter * 255
    if len(longest.encode()) <= 255:
        assert upload(client, folder.id, longest, b"x").name == longest
        assert new_folder(client, new_folder(client, folder.id, "in").id, longest).name == longest
    for attempt in (
        lambda: upload(client, folder.id, letter * 256, b"x"),
        lambda: new_folder(client, folder.id, letter * 256),
        lambda: client.folders.update_folder_by_id(folder.id, name=letter * 256),
    ):
        with refused(400, "item_name_too_long"):
            attempt()


def test_many_uploads_at_once(client, folder):
    contents = {f"{number:03}.bin": random_bytes(number * 37) for number in range(120)}
    with ThreadPoolExecutor(8) as pool:
        files = list(pool.map(lambda pair: upload(client, folder.id, *pair), contents.items()))
    assert names_in(client, folder.id) == sorted(contents)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda file: download(client, file.id), files))
    assert got == [contents[file.name] for file in files]
