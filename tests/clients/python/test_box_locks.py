"""What stands in the way of changes: locks of folders, locks of files, watermarks."""

import uuid

import pytest
from botocore.exceptions import ClientError
from box_sdk_gen import (
    CreateCollaborationAccessibleBy,
    CreateCollaborationAccessibleByTypeField,
    CreateCollaborationItem,
    CreateCollaborationItemTypeField,
    CreateCollaborationRole,
    CreateFolderLockFolder,
    CreateFolderLockLockedOperations,
    UpdateFileByIdLock,
    UpdateFileByIdLockAccessField,
    UpdateFileWatermarkWatermark,
    UpdateFileWatermarkWatermarkImprintField,
    UpdateFolderByIdParent,
    UpdateFolderWatermarkWatermark,
    UpdateFolderWatermarkWatermarkImprintField,
)
from box_sdk_gen.internal.null_value import null

from doors import BoxDoor, DavDoor, S3Door
from kit import download, new_folder, refused, upload, upload_version
from typed import well_typed

LOCKED = "access_denied_item_locked"


@pytest.fixture
def folder(client):
    made = new_folder(client, "0", uuid.uuid4().hex)
    yield made
    client.folders.delete_folder_by_id(made.id, recursive=True)


def invited(server, client, folder, role):
    other = server.client(server.token(server.new_login("invited")))
    by = CreateCollaborationAccessibleBy(
        type=CreateCollaborationAccessibleByTypeField.USER, id=other.users.get_user_me().id
    )
    item = CreateCollaborationItem(type=CreateCollaborationItemTypeField.FOLDER, id=folder.id)
    client.user_collaborations.create_collaboration(item, by, role)
    return other


def test_a_locked_folder_stays(server, client, folder):
    editor = invited(server, client, folder, CreateCollaborationRole.EDITOR)
    inner = new_folder(client, folder.id, "inner")
    both = CreateFolderLockLockedOperations(move=True, delete=True)
    lock = well_typed(client.folder_locks.create_folder_lock(CreateFolderLockFolder("folder", inner.id), locked_operations=both))
    assert (lock.folder.id, lock.locked_operations.move, lock.lock_type) == (inner.id, True, "freeze")
    assert [one.id for one in well_typed(client.folder_locks.get_folder_locks(inner.id)).entries] == [lock.id]
    with refused(409):
        client.folder_locks.create_folder_lock(CreateFolderLockFolder("folder", inner.id))
    with refused(403):
        editor.folder_locks.get_folder_locks(inner.id)
    with refused(403):
        editor.folder_locks.delete_folder_lock_by_id(lock.id)
    for by in (client, editor):
        with refused(403, LOCKED):
            by.folders.delete_folder_by_id(inner.id, recursive=True)
    with refused(403, LOCKED):
        client.folders.update_folder_by_id(inner.id, parent=UpdateFolderByIdParent(id="0"))
    with refused(403, LOCKED):
        client.folders.delete_folder_by_id(folder.id, recursive=True)
    assert client.folders.update_folder_by_id(inner.id, name="renamed").name == "renamed"
    stranger = server.client(server.token(server.new_login("stranger")))
    with refused(404):
        stranger.folder_locks.get_folder_locks(inner.id)
    with refused(404):
        stranger.folder_locks.delete_folder_lock_by_id(lock.id)
    client.folder_locks.delete_folder_lock_by_id(lock.id)
    with refused(404):
        client.folder_locks.delete_folder_lock_by_id(lock.id)
    client.folders.delete_folder_by_id(inner.id)


def test_a_locked_file_is_its_holders(server, client, folder):
    editor = invited(server, client, folder, CreateCollaborationRole.EDITOR)
    file = upload(client, folder.id, "file.txt", b"one")
    wish = UpdateFileByIdLock(access=UpdateFileByIdLockAccessField.LOCK, is_download_prevented=True)
    locked = well_typed(editor.files.update_file_by_id(file.id, lock=wish, fields=["lock"]))
    assert (locked.lock.created_by.id, locked.lock.is_download_prevented) == (editor.users.get_user_me().id, True)
    for change in (
        lambda: client.files.update_file_by_id(file.id, name="mine.txt"),
        lambda: client.files.delete_file_by_id(file.id),
        lambda: upload_version(client, file.id, "file.txt", b"two"),
        lambda: client.files.update_file_by_id(file.id, lock=wish),
        lambda: download(client, file.id),
    ):
        with refused(403, LOCKED):
            change()
    assert download(editor, file.id) == b"one"
    upload_version(editor, file.id, "file.txt", b"two")
    # Who owns the file has the last word.
    unlocked = client.files.update_file_by_id(file.id, lock=null, fields=["lock"])
    assert unlocked.lock is None
    assert download(client, file.id) == b"two"


def test_watermarks(server, client, folder):
    viewer = invited(server, client, folder, CreateCollaborationRole.VIEWER)
    file = upload(client, folder.id, "file.txt", b"one")
    imprint = UpdateFileWatermarkWatermark(imprint=UpdateFileWatermarkWatermarkImprintField.DEFAULT)
    assert download(viewer, file.id) == b"one"
    with refused(404):
        client.file_watermarks.get_file_watermark(file.id)
    made = well_typed(client.file_watermarks.update_file_watermark(file.id, imprint))
    assert made.watermark.created_at == made.watermark.modified_at
    well_typed(viewer.file_watermarks.get_file_watermark(file.id))
    with refused(403):
        viewer.file_watermarks.delete_file_watermark(file.id)
    with refused(403):
        download(viewer, file.id)
    seen = viewer.files.get_file_by_id(file.id, fields=["permissions", "watermark_info"])
    assert (seen.permissions.can_download, seen.permissions.can_preview) == (False, True)
    assert seen.watermark_info.is_watermarked
    assert download(client, file.id) == b"one"
    client.file_watermarks.delete_file_watermark(file.id)
    assert download(viewer, file.id) == b"one"
    whole = UpdateFolderWatermarkWatermark(imprint=UpdateFolderWatermarkWatermarkImprintField.DEFAULT)
    well_typed(client.folder_watermarks.update_folder_watermark(folder.id, whole))
    well_typed(viewer.folder_watermarks.get_folder_watermark(folder.id))
    with refused(403):
        download(viewer, file.id)
    info = client.files.get_file_by_id(file.id, fields=["watermark_info"]).watermark_info
    assert info.is_watermarked and info.is_watermark_inherited
    client.folder_watermarks.delete_folder_watermark(folder.id)
    with refused(404):
        client.folder_watermarks.get_folder_watermark(folder.id)


@pytest.mark.parametrize("prevents", [False, True])
def test_locks_hold_at_every_door(server, prevents):
    """The owner's own S3 and WebDAV clients meet the lock of somebody with a role."""
    login = server.new_login("owner")
    token, root = server.token(login), f"locks-{uuid.uuid4().hex[:12]}"
    s3, dav, box = S3Door(server, login, root), DavDoor(server, token, root), BoxDoor(server, token, root)
    s3.client.create_bucket(Bucket=root)

    def at(path):
        return f"{dav.base}/{path}"

    for name in ("a/file.txt", "b/other.txt"):
        s3.put(name, b"one")
    folder = box.client.folders.get_folder_by_id(box.folder(["a"]))
    editor = invited(server, box.client, folder, CreateCollaborationRole.EDITOR)
    file = box.file("a/file.txt")
    wish = UpdateFileByIdLock(access=UpdateFileByIdLockAccessField.LOCK, is_download_prevented=prevents)
    editor.files.update_file_by_id(file.id, lock=wish)

    for act in (lambda: s3.put("a/file.txt", b"two"), lambda: s3.delete("a/file.txt")):
        with pytest.raises(ClientError) as told:
            act()
        assert told.value.response["Error"]["Code"] == "AccessDenied"
    url = at("a/file.txt")
    assert dav.session.put(url, data=b"two").status_code == 423
    assert dav.session.delete(url).status_code == 423
    away = {"Destination": at("b/file.txt"), "Overwrite": "T"}
    assert dav.session.request("MOVE", url, headers=away).status_code == 423
    over = {"Destination": url, "Overwrite": "T"}
    assert dav.session.request("COPY", at("b/other.txt"), headers=over).status_code == 423
    assert dav.session.request("MOVE", at("b/other.txt"), headers=over).status_code == 423
    if prevents:
        with pytest.raises(ClientError) as told:
            s3.get("a/file.txt")
        assert told.value.response["Error"]["Code"] == "AccessDenied"
        assert dav.session.get(url).status_code == 423
        assert dav.session.request("COPY", url, headers=away).status_code == 423
    else:
        assert s3.get("a/file.txt") == b"one" and dav.session.get(url).content == b"one"
    box.client.files.update_file_by_id(file.id, lock=null)
    s3.put("a/file.txt", b"three")
    assert box.get("a/file.txt") == b"three"

    # A locked folder stays, whatever asks; what is in it comes and goes.
    lock = box.client.folder_locks.create_folder_lock(CreateFolderLockFolder("folder", folder.id))
    assert dav.session.delete(at("a")).status_code == 423
    moved = {"Destination": at("c"), "Overwrite": "F"}
    assert dav.session.request("MOVE", at("b"), headers=moved).status_code == 201
    inside = {"Destination": at("c/a"), "Overwrite": "F"}
    assert dav.session.request("MOVE", at("a"), headers=inside).status_code == 423
    s3.delete("a/file.txt")
    # Only its last key needed it, and it is still there.
    assert box.client.folders.get_folder_by_id(folder.id).name == "a"
    box.client.folder_locks.delete_folder_lock_by_id(lock.id)
    assert dav.session.delete(at("a")).status_code == 204
