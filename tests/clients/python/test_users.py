"""The users resource, as far as a client needs it to find out who it is."""

import uuid

import pytest

from kit import new_folder, refused, upload
from typed import well_typed


def test_me_in_the_standard_form(client, login):
    me = well_typed(client.users.get_user_me())
    sent = me.raw_data
    assert sent["login"] == login
    for field in ("id", "name", "created_at", "modified_at", "language", "timezone", "status", "avatar_url"):
        assert isinstance(sent[field], str), field
    for field in ("space_amount", "space_used", "max_upload_size"):
        assert isinstance(sent[field], int), field
    assert me.max_upload_size > 0
    assert "role" not in sent
    assert "enterprise" not in sent


def test_me_with_fields_has_only_those(client):
    sent = client.users.get_user_me(fields=["role", "enterprise"]).raw_data
    assert set(sent) == {"type", "id", "role", "enterprise"}
    assert sent["role"] in ("admin", "coadmin", "user")
    assert sent["enterprise"]["type"] == "enterprise"


def test_a_user_by_id(client):
    me = client.users.get_user_me()
    assert well_typed(client.users.get_user_by_id(me.id)).login == me.login


def test_an_absent_user(client):
    with refused(404):
        client.users.get_user_by_id("999999999999")


@pytest.fixture(scope="module")
def administrator(server):
    """The service account of an application, which may administer users."""
    app = server.new_app("python administration")
    return server.client_of_app(app, enterprise_id=app.enterprise_id)


def test_users_of_the_enterprise_can_be_listed(administrator, login):
    users = well_typed(administrator.users.get_users(filter_term=login))
    assert [user.login for user in users.entries] == [login]
    assert users.total_count == 1


def test_users_are_made_and_renamed(administrator):
    login = f"made-{uuid.uuid4().hex[:8]}@example.com"
    made = well_typed(administrator.users.create_user("Made", login=login))
    assert made.login == login
    assert made.status == "active"
    assert administrator.users.update_user_by_id(made.id, name="Renamed").name == "Renamed"
    with refused(409):
        administrator.users.create_user("Made again", login=login)


def test_an_ordinary_user_administers_nobody(client):
    with refused(403):
        client.users.create_user("Not allowed", login="not-allowed@example.com")


def test_an_administrator_acts_as_a_user(administrator, client):
    me = client.users.get_user_me()
    acting = administrator.with_as_user_header(me.id)
    assert acting.users.get_user_me().id == me.id
    folder = new_folder(acting, "0", f"made on behalf {uuid.uuid4().hex[:8]}")
    assert client.folders.get_folder_by_id(folder.id).owned_by.id == me.id


def test_nobody_else_acts_as_a_user(server, client):
    me = client.users.get_user_me()
    other = server.client(server.token(server.new_login("impostor")))
    with refused(403):
        other.with_as_user_header(me.id).users.get_user_me()


def test_space_used_follows_what_is_stored(server):
    other = server.client(server.token(server.new_login("hoarder")))
    before = other.users.get_user_me().space_used
    upload(other, "0", "ten-thousand.bin", b"x" * 10_000)
    assert other.users.get_user_me().space_used == before + 10_000
