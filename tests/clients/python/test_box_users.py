"""Users with all that belongs to them: kinds, states, addresses, pictures, invites, sessions, and their removal."""

import io
import struct
import uuid
import zlib

import pytest
from box_sdk_gen import CreateInviteActionableBy, CreateInviteEnterprise, GetUsersUserType, TransferOwnedFolderOwnedBy, null
from box_sdk_gen.managers.users import UpdateUserByIdNotificationEmail, UpdateUserByIdStatus
from box_sdk_gen.schemas.tracking_code import TrackingCode, TrackingCodeTypeField

from kit import new_folder, refused, upload
from typed import well_typed


@pytest.fixture(scope="module")
def app(server):
    return server.new_app("python people")


@pytest.fixture(scope="module")
def administrator(server, app):
    """The service account of an application, which may administer users."""
    return server.client_of_app(app, enterprise_id=app.enterprise_id)


def fresh(word: str) -> str:
    return f"{word}-{uuid.uuid4().hex[:10]}@example.com"


@pytest.fixture
def somebody(server):
    """A user of this story's own, and a client of theirs."""
    client = server.client(server.token(server.new_login("somebody")))
    return client.users.get_user_me(), client


def picture(width: int, height: int) -> bytes:
    """A black PNG."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = b"".join(b"\0" + b"\0" * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_everything_of_a_user_can_be_set(administrator):
    login = fresh("whole")
    code = TrackingCode(type=TrackingCodeTypeField.TRACKING_CODE, name="cost centre", value="7")
    made = administrator.users.create_user(
        "Whole", login=login, job_title="Clerk", phone="1", address="A road 2", space_amount=5_000_000,
        tracking_codes=[code], timezone="Europe/Berlin", language="de", is_external_collab_restricted=True,
        can_see_managed_users=False, fields=["tracking_codes", "is_external_collab_restricted", "space_amount"],
    )  # fmt: skip
    well_typed(made)
    assert made.is_external_collab_restricted is True
    assert made.space_amount == 5_000_000
    assert made.tracking_codes[0].value == "7"
    changed = administrator.users.update_user_by_id(
        made.id, status=UpdateUserByIdStatus.CANNOT_DELETE_EDIT,
        notification_email=UpdateUserByIdNotificationEmail(email="else@where.example"), is_sync_enabled=False,
        fields=["status", "notification_email", "is_sync_enabled", "name", "can_see_managed_users", "enterprise"],
    )  # fmt: skip
    well_typed(changed)
    assert changed.status == "cannot_delete_edit"
    assert changed.notification_email.email == "else@where.example"
    assert (changed.is_sync_enabled, changed.can_see_managed_users) == (False, False)
    assert changed.name == "Whole"
    assert changed.enterprise is not None, "what is not named stays"
    assert administrator.users.update_user_by_id(made.id, notification_email=null).notification_email is None


@pytest.mark.parametrize("name", ["", "a\r\nb", "a\u202eb", "x" * 300])
def test_odd_names(administrator, name):
    with refused(400, "bad_request"):
        administrator.users.create_user(name, login=fresh("odd"))


@pytest.mark.parametrize("login", ["nonsense", "a b@x.org", "a@x\uff0eorg", "a\u200b@x.org", "a@x.org\r\nB: c", "x" * 300 + "@x.org"])
def test_odd_logins(administrator, login):
    with refused(400, "bad_request"):
        administrator.users.create_user("Odd", login=login)


def test_users_who_may_not_change_anything(server, administrator, somebody):
    me, client = somebody
    file = upload(client, "0", "mine.txt", b"mine")
    administrator.users.update_user_by_id(me.id, status=UpdateUserByIdStatus.CANNOT_DELETE_EDIT)
    upload(client, "0", "more.txt", b"more")
    with refused(403):
        client.files.delete_file_by_id(file.id)
    administrator.users.update_user_by_id(me.id, status=UpdateUserByIdStatus.CANNOT_DELETE_EDIT_UPLOAD)
    with refused(403):
        upload(client, "0", "even more.txt", b"more")
    assert client.files.get_file_by_id(file.id).name == "mine.txt"
    administrator.users.update_user_by_id(me.id, status=UpdateUserByIdStatus.INACTIVE)
    with refused(401):
        client.users.get_user_me()
    administrator.users.update_user_by_id(me.id, status=UpdateUserByIdStatus.ACTIVE)
    assert client.users.get_user_me().id == me.id


def test_users_are_listed_in_pages(administrator):
    word = uuid.uuid4().hex[:8]
    made = [administrator.users.create_user(f"Page {n}", login=f"{word}-{n}@example.com").id for n in range(5)]
    by_offset = []
    while True:
        page = well_typed(administrator.users.get_users(filter_term=word, limit=2, offset=len(by_offset)))
        assert page.total_count == 5
        if not page.entries:
            break
        by_offset += [user.id for user in page.entries]
    assert by_offset == made
    by_marker, marker = [], None
    while True:
        page = administrator.users.get_users(filter_term=word, limit=2, usemarker=True, marker=marker)
        by_marker += [user.id for user in page.entries]
        marker = page.next_marker
        if not marker:
            break
    assert by_marker == made
    with refused(400):
        administrator.users.get_users(offset=10_001)
    with refused(400):
        administrator.users.get_users(usemarker=True, marker="nonsense")


def test_users_of_apps(administrator):
    theirs = f"theirs-{uuid.uuid4().hex}"
    made = administrator.users.create_user(
        "Of an app", is_platform_access_only=True, external_app_user_id=theirs,
        fields=["is_platform_access_only", "external_app_user_id"],
    )  # fmt: skip
    assert made.is_platform_access_only is True
    assert made.external_app_user_id == theirs
    found = administrator.users.get_users(external_app_user_id=theirs)
    assert [user.id for user in found.entries] == [made.id]
    assert administrator.users.get_users(external_app_user_id="nobody").entries == []


def test_an_app_acts_for_its_user(server, app, administrator):
    made = administrator.users.create_user("Of an app", is_platform_access_only=True)
    acting = server.client_of_app(app, user_id=made.id)
    assert acting.users.get_user_me().id == made.id
    new_folder(acting, "0", "of an app's user")


def test_somebody_is_rolled_out_and_invited_again(administrator, app, somebody):
    me, client = somebody
    administrator.users.update_user_by_id(me.id, enterprise=null)
    outside = administrator.users.get_users(filter_term=me.login, user_type=GetUsersUserType.EXTERNAL)
    assert [user.id for user in outside.entries] == [me.id]
    assert administrator.users.get_users(filter_term=me.login, user_type=GetUsersUserType.MANAGED).entries == []
    with refused(403, "storage_limit_exceeded"):
        upload(client, "0", "mine.txt", b"mine")
    invite = well_typed(
        administrator.invites.create_invite(
            CreateInviteEnterprise(app.enterprise_id), CreateInviteActionableBy(login=me.login)
        )
    )
    assert (invite.status, invite.actionable_by.id) == ("pending", me.id)
    assert well_typed(administrator.invites.get_invite_by_id(invite.id)).id == invite.id
    with refused(404):
        administrator.invites.create_invite(CreateInviteEnterprise("12"), CreateInviteActionableBy(login=me.login))
    with refused(404):
        administrator.invites.create_invite(
            CreateInviteEnterprise(app.enterprise_id), CreateInviteActionableBy(login=fresh("nobody"))
        )
    with refused(404):
        administrator.invites.get_invite_by_id("12")


def test_aliases(administrator, somebody):
    me, client = somebody
    address = fresh("alias")
    alias = well_typed(administrator.email_aliases.create_user_email_alias(me.id, address))
    assert (alias.email, alias.is_confirmed) == (address, True)
    found = well_typed(client.email_aliases.get_user_email_aliases(me.id))
    assert (found.total_count, found.entries[0].id) == (1, alias.id)
    with refused(409):
        administrator.users.create_user("Another", login=address)
    with refused(409):
        administrator.email_aliases.create_user_email_alias(me.id, me.login)
    with refused(400):
        administrator.email_aliases.create_user_email_alias(me.id, "nonsense")
    with refused(403):
        client.email_aliases.create_user_email_alias(me.id, fresh("own"))
    administrator.email_aliases.delete_user_email_alias_by_id(me.id, alias.id)
    with refused(404):
        administrator.email_aliases.delete_user_email_alias_by_id(me.id, alias.id)


def test_pictures(server, client, somebody):
    me, own = somebody
    small = picture(32, 32)
    with refused(404):
        own.avatars.get_user_avatar(me.id)
    made = own.avatars.create_user_avatar(me.id, io.BytesIO(small), pic_file_name="me.png", pic_content_type="image/png")
    assert well_typed(made).pic_urls.small.endswith(f"/users/{me.id}/avatar")
    assert own.avatars.get_user_avatar(me.id).read() == small
    assert client.avatars.get_user_avatar(me.id).read() == small, "colleagues see it"
    for bad in (picture(1025, 4), b"GIF89a", b"", small + b"\0" * 1024 * 1024):
        with refused(400):
            own.avatars.create_user_avatar(me.id, io.BytesIO(bad), pic_file_name="me.png", pic_content_type="image/png")
    with refused(404):
        client.avatars.create_user_avatar(me.id, io.BytesIO(small), pic_file_name="me.png", pic_content_type="image/png")
    with refused(404):
        client.avatars.delete_user_avatar(me.id)
    own.avatars.delete_user_avatar(me.id)
    with refused(404):
        own.avatars.delete_user_avatar(me.id)


def test_sessions_are_ended(server, administrator, client, somebody):
    me, theirs = somebody
    with refused(404):
        administrator.session_termination.terminate_users_sessions([me.id, "12"], [])
    with refused(403):
        client.session_termination.terminate_users_sessions([me.id], [])
    with refused(400):
        administrator.session_termination.terminate_users_sessions([], [])
    theirs.users.get_user_me()
    assert well_typed(administrator.session_termination.terminate_users_sessions([me.id], [me.login])).message
    with refused(401):
        theirs.users.get_user_me()
    assert server.client(server.token(me.login)).users.get_user_me().id == me.id


def test_a_user_is_removed_with_what_they_own(server, administrator, client, somebody):
    me, theirs = somebody
    folder = new_folder(theirs, "0", "mine")
    upload(theirs, folder.id, "mine.bin", b"x" * 1_000)
    with refused(404):
        client.users.delete_user_by_id(me.id)
    with refused(403):
        theirs.users.delete_user_by_id(me.id)
    with refused(409, "conflict"):
        administrator.users.delete_user_by_id(me.id)
    administrator.users.delete_user_by_id(me.id, force=True, notify=False)
    with refused(401):
        theirs.users.get_user_me()
    with refused(404):
        administrator.users.get_user_by_id(me.id)
    assert administrator.users.get_users(filter_term=me.login).entries == []
    again = administrator.users.create_user("Another", login=me.login)
    assert again.id != me.id
    administrator.users.delete_user_by_id(again.id)
    with refused(404):
        administrator.users.delete_user_by_id(again.id)


def test_everything_goes_to_another_user(server, administrator, somebody):
    user, client = somebody
    folder = new_folder(client, "0", "theirs")
    upload(client, folder.id, "a.txt", b"a")
    upload(client, "0", "b.txt", b"b")
    heir = administrator.users.create_user("Heir", login=fresh("heir"))
    made = administrator.transfer.transfer_owned_folder(user.id, TransferOwnedFolderOwnedBy(id=heir.id))
    well_typed(made)
    assert made.owned_by.id == heir.id
    assert made.name == f"{user.login} - {user.name}'s Files and Folders"
    assert client.folders.get_folder_items("0").total_count == 0
    theirs = server.client(server.token(heir.login))
    assert [item.name for item in theirs.folders.get_folder_items(made.id).entries] == ["theirs", "b.txt"]
    with refused(404):
        theirs.transfer.transfer_owned_folder(heir.id, TransferOwnedFolderOwnedBy(id=user.id))
