"""Collaborations: who else has which role on a folder or file, told with the SDK, and held against Box's description."""

import datetime
import uuid

import pytest
from box_sdk_gen import (
    BoxClient,
    CreateCollaborationAccessibleBy,
    CreateCollaborationAccessibleByTypeField,
    CreateCollaborationItem,
    CreateCollaborationItemTypeField,
    CreateCollaborationRole,
    CreateGroupMembershipGroup,
    CreateGroupMembershipUser,
    GetCollaborationsStatus,
    UpdateCollaborationByIdRole,
    UpdateCollaborationByIdStatus,
    UpdateFileByIdParent,
)

from kit import download, names_in, new_folder, refused, upload
from test_contract import FOUND, Contract
from typed import well_typed

USER = CreateCollaborationAccessibleByTypeField.USER
GROUP = CreateCollaborationAccessibleByTypeField.GROUP
ROLES = list(CreateCollaborationRole)
DENIED = "access_denied_insufficient_permissions"


class Person:
    """Somebody of the enterprise, with a client and with plain HTTP."""

    def __init__(self, server, word: str):
        self.login = server.new_login(word)
        token = server.token(self.login)
        self.client: BoxClient = server.client(token)
        self.raw = server.raw(token)
        self.id = self.client.users.get_user_me().id


@pytest.fixture(scope="module")
def bob(server):
    return Person(server, "bob")


@pytest.fixture(scope="module")
def carol(server):
    return Person(server, "carol")


@pytest.fixture(scope="module")
def contract():
    if FOUND is None:
        pytest.skip("no copy of Box's OpenAPI description (set ENTENTE_BOX_OPENAPI)")
    return Contract(FOUND)


def item(kind: str, item_id: str) -> CreateCollaborationItem:
    return CreateCollaborationItem(type=CreateCollaborationItemTypeField(kind), id=item_id)


def by_id(person: Person) -> CreateCollaborationAccessibleBy:
    return CreateCollaborationAccessibleBy(type=USER, id=person.id)


def by_login(login: str) -> CreateCollaborationAccessibleBy:
    return CreateCollaborationAccessibleBy(type=USER, login=login)


def give(client: BoxClient, folder_id: str, to: CreateCollaborationAccessibleBy, role=CreateCollaborationRole.VIEWER, **more):
    made = client.user_collaborations.create_collaboration(item("folder", folder_id), to, role, **more)
    # The SDK keeps this one word as a text.
    return made if role == CreateCollaborationRole.CO_OWNER else well_typed(made)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.value.replace(" ", "-"))
def test_every_role_can_be_given_and_does_what_it_says(client, server, folder, role):
    other = Person(server, "role")
    file = upload(client, folder.id, "file.txt", b"hello")
    made = give(client, folder.id, by_id(other), role)
    assert (made.raw_data["role"], made.status.value) == (role.value, "accepted")
    assert (made.accessible_by.id, made.accessible_by.login) == (other.id, other.login)
    assert made.item.id == folder.id
    reads = role.value in ("viewer", "viewer uploader", "editor", "co-owner")
    writes = role.value not in ("previewer", "viewer")
    edits = role.value in ("editor", "co-owner")
    seen = other.client.folders.get_folder_by_id(folder.id, fields=["permissions", "owned_by", "path_collection"])
    assert [step.id for step in seen.path_collection.entries] == ["0"]
    assert seen.owned_by.id == client.users.get_user_me().id
    allowed = seen.permissions
    assert (allowed.can_download, allowed.can_upload, allowed.can_rename) == (reads, writes, edits)
    assert (allowed.can_delete, allowed.can_invite_collaborator) == (edits, edits)
    if reads:
        assert download(other.client, file.id) == b"hello"
    else:
        with refused(403, DENIED):
            download(other.client, file.id)
    if writes:
        assert upload(other.client, folder.id, "theirs.txt", b"theirs").owned_by.id == seen.owned_by.id
    else:
        with refused(403, DENIED):
            upload(other.client, folder.id, "theirs.txt", b"theirs")
    if edits:
        assert other.client.files.update_file_by_id(file.id, name="renamed.txt").name == "renamed.txt"
    else:
        with refused(403, DENIED):
            other.client.files.update_file_by_id(file.id, name="renamed.txt")


def test_a_shared_folder_stands_in_the_collaborators_all_files(client, server, folder):
    other = Person(server, "root")
    for name in ("000 own", "zzz own"):
        new_folder(other.client, "0", name)
    inner = new_folder(client, folder.id, "shared alone")
    give(client, inner.id, by_id(other))
    assert names_in(other.client, "0") == ["000 own", "shared alone", "zzz own"]
    by_marker, marker = [], None
    while True:
        page = other.client.folders.get_folder_items("0", usemarker=True, limit=1, marker=marker)
        by_marker += [entry.name for entry in page.entries]
        marker = page.next_marker
        if marker is None:
            break
    assert by_marker == names_in(other.client, "0")
    with refused(404, "not_found"):
        other.client.folders.get_folder_by_id(folder.id)
    seen = other.client.folders.get_folder_by_id(inner.id)
    assert (seen.parent.id, seen.path_collection.total_count) == ("0", 1)


def test_a_collaboration_is_shown_changed_and_removed(client, bob, folder):
    made = give(client, folder.id, by_login(bob.login))
    manager = client.user_collaborations
    assert well_typed(manager.get_collaboration_by_id(made.id)).raw_data == made.raw_data
    assert bob.client.user_collaborations.get_collaboration_by_id(made.id).id == made.id
    changed = well_typed(manager.update_collaboration_by_id(made.id, role=UpdateCollaborationByIdRole.EDITOR))
    assert changed.role.value == "editor"
    end = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
    assert manager.update_collaboration_by_id(made.id, expires_at=end).expires_at == end
    assert set(manager.get_collaboration_by_id(made.id, fields=["role"]).raw_data) == {"type", "id", "role"}
    with refused(403, DENIED):
        bob.client.user_collaborations.update_collaboration_by_id(made.id, role=UpdateCollaborationByIdRole.CO_OWNER)
    with refused(400, "bad_request"):
        manager.update_collaboration_by_id(made.id, role=UpdateCollaborationByIdRole.OWNER, expires_at=end)
    with refused(400, "bad_request"):
        past = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
        manager.update_collaboration_by_id(made.id, expires_at=past)
    manager.delete_collaboration_by_id(made.id)
    with refused(404, "not_found"):
        manager.get_collaboration_by_id(made.id)
    with refused(404, "not_found"):
        bob.client.folders.get_folder_by_id(folder.id)


def test_a_collaborator_may_leave(client, bob, folder):
    made = give(client, folder.id, by_id(bob))
    bob.client.user_collaborations.delete_collaboration_by_id(made.id)
    assert client.list_collaborations.get_folder_collaborations(folder.id).entries == []


def test_what_cannot_be_given(client, bob, folder):
    give(client, folder.id, by_id(bob))
    with refused(400, "user_already_collaborator"):
        give(client, folder.id, by_login(bob.login.upper()))
    with refused(400, "user_already_collaborator"):
        give(client, folder.id, CreateCollaborationAccessibleBy(type=USER, id=client.users.get_user_me().id))
    with refused(400, "bad_request"):
        give(client, folder.id, by_login("nonsense"))
    with refused(400, "bad_request"):
        give(client, folder.id, CreateCollaborationAccessibleBy(type=USER))
    with refused(404, "not_found"):
        give(client, folder.id, CreateCollaborationAccessibleBy(type=USER, id="12"))
    with refused(404, "not_found"):
        give(client, folder.id, CreateCollaborationAccessibleBy(type=GROUP, id="12"))
    with refused(404, "not_found"):
        give(client, "12", by_id(bob))
    with refused(403, DENIED):
        give(client, "0", by_id(bob))


def test_a_file_is_shared_alone(client, bob, folder):
    file = upload(client, folder.id, "alone.txt", b"alone")
    other = upload(client, folder.id, "other.txt", b"other")
    made = client.user_collaborations.create_collaboration(
        item("file", file.id), by_id(bob), CreateCollaborationRole.VIEWER, notify=False
    )
    assert made.item.type.value == "file"
    assert download(bob.client, file.id) == b"alone"
    with refused(404, "not_found"):
        download(bob.client, other.id)
    page = well_typed(client.list_collaborations.get_file_collaborations(file.id))
    assert [entry.id for entry in page.entries] == [made.id]
    assert page.next_marker is None
    with refused(404, "not_found"):
        client.list_collaborations.get_file_collaborations("12")


def test_pages_of_a_folders_collaborations(client, server, folder):
    given = [give(client, folder.id, by_id(Person(server, "page"))).id for _ in range(5)]
    found, marker = [], None
    while True:
        page = well_typed(client.list_collaborations.get_folder_collaborations(folder.id, limit=2, marker=marker))
        assert page.limit == 2
        found += [entry.id for entry in page.entries]
        marker = page.next_marker
        if marker is None:
            break
    assert found == given
    with refused(400, "bad_request"):
        client.list_collaborations.get_folder_collaborations(folder.id, marker="nonsense")


def test_an_address_is_invited_before_anybody_has_it(client, folder):
    login = f"nobody-{uuid.uuid4().hex[:8]}@elsewhere.example"
    made = give(client, folder.id, by_login(login), CreateCollaborationRole.EDITOR)
    assert (made.status.value, made.invite_email) == ("pending", login)
    assert made.raw_data["accessible_by"] is None
    assert made.raw_data["item"] is None
    with refused(403, DENIED):
        client.user_collaborations.update_collaboration_by_id(made.id, status=UpdateCollaborationByIdStatus.ACCEPTED)
    with refused(400, "user_already_collaborator"):
        give(client, folder.id, by_login(login))


def test_whoever_becomes_the_user_is_asked(client, server, folder):
    logins = [f"late-{uuid.uuid4().hex[:8]}@example.com" for _ in range(2)]
    inner = [new_folder(client, folder.id, name) for name in ("one", "two", "three")]
    given = [give(client, shared.id, by_login(logins[0])).id for shared in inner]
    for login in logins:
        server.run("user", "create", "--login", login, "--name", "Late")
    late, other = (server.client(server.token(login)) for login in logins)
    lists, pending = late.list_collaborations, GetCollaborationsStatus.PENDING
    first = well_typed(lists.get_collaborations(pending, limit=2))
    rest = well_typed(lists.get_collaborations(pending, limit=2, offset=2))
    assert [entry.id for entry in first.entries + rest.entries] == given
    assert (first.total_count, rest.total_count) == (3, 3)
    for entry in first.entries:
        assert (entry.item, entry.accessible_by.login, entry.accessible_by.name) == (None, logins[0], "")
    assert names_in(late, "0") == []
    accept, reject = UpdateCollaborationByIdStatus.ACCEPTED, UpdateCollaborationByIdStatus.REJECTED
    accepted = well_typed(late.user_collaborations.update_collaboration_by_id(given[0], status=accept))
    assert (accepted.status.value, accepted.item.name) == ("accepted", "one")
    assert late.user_collaborations.update_collaboration_by_id(given[1], status=reject).status.value == "rejected"
    assert names_in(late, "0") == ["one"]
    with refused(400, "bad_request"):
        late.user_collaborations.update_collaboration_by_id(given[1], status=accept)
    with refused(404, "not_found"):
        other.user_collaborations.update_collaboration_by_id(given[2], status=accept)
    assert [entry.id for entry in lists.get_collaborations(pending).entries] == [given[2]]


def test_nobody_waits_for_an_answer_of_their_own_enterprise(bob):
    page = bob.client.list_collaborations.get_collaborations(GetCollaborationsStatus.PENDING)
    assert (well_typed(page).entries, page.total_count, page.offset) == ([], 0, 0)
    assert bob.raw.ask("GET", "/2.0/collaborations").status_code == 400
    assert bob.raw.ask("GET", "/2.0/collaborations?status=accepted").status_code == 400
    with refused(400):
        bob.client.list_collaborations.get_collaborations(GetCollaborationsStatus.PENDING, offset=10_001)


def test_a_group_has_roles_for_all_its_members(server, bob, carol, contract):
    app = server.new_app("python collaborations")
    admin = server.client_of_app(app, enterprise_id=app.enterprise_id)
    group = admin.groups.create_group(f"clerks {uuid.uuid4().hex[:8]}")
    admin.memberships.create_group_membership(
        CreateGroupMembershipUser(id=bob.id), CreateGroupMembershipGroup(id=group.id)
    )
    to, given = CreateCollaborationAccessibleBy(type=GROUP, id=group.id), []
    for _ in range(3):
        shared = new_folder(admin, "0", f"for the group {uuid.uuid4().hex[:8]}")
        made = give(admin, shared.id, to)
        assert (made.accessible_by.type.value, made.accessible_by.id) == ("group", group.id)
        with refused(400, "user_already_collaborator"):
            give(admin, shared.id, to)
        given.append(made.id)
        assert bob.client.folders.get_folder_by_id(shared.id).id == shared.id
        with refused(404, "not_found"):
            carol.client.folders.get_folder_by_id(shared.id)
    first = well_typed(admin.list_collaborations.get_group_collaborations(group.id, limit=2))
    rest = well_typed(admin.list_collaborations.get_group_collaborations(group.id, limit=2, offset=2))
    assert [entry.id for entry in first.entries + rest.entries] == given
    assert (first.total_count, first.limit, rest.offset) == (3, 2, 2)
    path = f"/2.0/groups/{group.id}/collaborations"
    contract.check("GET", "/groups/{group_id}/collaborations", bob.raw.ask("GET", path), 200)
    contract.check("GET", "/groups/{group_id}/collaborations", bob.raw.ask("GET", f"{path}?offset=10001"), 400)
    for nobody, group_id in ((carol, group.id), (bob, "12")):
        with refused(404, "not_found"):
            nobody.client.list_collaborations.get_group_collaborations(group_id)


def test_settings_of_a_folder(client, bob, folder):
    fields = ["can_non_owners_invite", "can_non_owners_view_collaborators", "has_collaborations",
              "is_collaboration_restricted_to_enterprise", "allowed_invitee_roles"]
    new = client.folders.get_folder_by_id(folder.id, fields=fields)
    assert new.can_non_owners_invite and new.can_non_owners_view_collaborators
    assert not new.is_collaboration_restricted_to_enterprise and not new.has_collaborations
    assert set(new.raw_data["allowed_invitee_roles"]) == {role.value for role in ROLES}
    give(client, folder.id, by_id(bob), CreateCollaborationRole.EDITOR)
    with refused(400, "bad_request"):
        client.folders.update_folder_by_id(folder.id, can_non_owners_view_collaborators=False)
    changed = client.folders.update_folder_by_id(
        folder.id,
        can_non_owners_invite=False,
        can_non_owners_view_collaborators=False,
        is_collaboration_restricted_to_enterprise=True,
        fields=fields,
    )
    assert not changed.can_non_owners_invite and not changed.can_non_owners_view_collaborators
    assert changed.is_collaboration_restricted_to_enterprise and changed.has_collaborations
    seen = bob.client.folders.get_folder_by_id(folder.id, fields=["permissions", "allowed_invitee_roles"])
    assert not seen.permissions.can_invite_collaborator and seen.allowed_invitee_roles == []
    with refused(403, DENIED):
        bob.client.folders.update_folder_by_id(folder.id, can_non_owners_invite=True)
    with refused(403, DENIED):
        give(client, folder.id, by_login("somebody@elsewhere.example"))


def test_a_stranger_is_told_nothing(client, bob, carol, folder):
    file = upload(client, folder.id, "file.txt", b"secret")
    made = give(client, folder.id, by_id(bob))
    stranger, lists = carol.client.user_collaborations, carol.client.list_collaborations
    for question in (
        lambda: stranger.get_collaboration_by_id(made.id),
        lambda: stranger.update_collaboration_by_id(made.id, role=UpdateCollaborationByIdRole.CO_OWNER),
        lambda: stranger.update_collaboration_by_id(made.id, status=UpdateCollaborationByIdStatus.REJECTED),
        lambda: stranger.delete_collaboration_by_id(made.id),
        lambda: lists.get_folder_collaborations(folder.id),
        lambda: lists.get_file_collaborations(file.id),
        lambda: give(carol.client, folder.id, by_id(carol)),
        lambda: carol.client.folders.update_folder_by_id(folder.id, can_non_owners_invite=False),
    ):
        with refused(404, "not_found"):
            question()


def test_the_contract(contract, client, raw, bob, folder):
    """Each operation's answers are what Box describes."""
    body = {"item": {"type": "folder", "id": folder.id}, "role": "viewer",
            "accessible_by": {"type": "user", "id": bob.id}}
    one = "/collaborations/{collaboration_id}"
    made = contract.check("POST", "/collaborations", raw.ask("POST", "/2.0/collaborations", json=body), 201)
    contract.standard(made, "Collaboration")
    contract.check("POST", "/collaborations", raw.ask("POST", "/2.0/collaborations", json=body), 400)
    contract.check("POST", "/collaborations", bob.raw.ask("POST", "/2.0/collaborations", json=body), 403)
    path = f"/2.0/collaborations/{made['id']}"
    contract.check("GET", one, raw.ask("GET", path), 200)
    contract.check("PUT", one, raw.ask("PUT", path, json={"role": "editor"}), 200)
    contract.check("PUT", one, bob.raw.ask("PUT", path, json={"role": "co-owner"}), 403)
    address = {**body, "accessible_by": {"type": "user", "login": f"{uuid.uuid4().hex[:8]}@elsewhere.example"}}
    pending = contract.check("POST", "/collaborations", raw.ask("POST", "/2.0/collaborations", json=address), 201)
    contract.standard(pending, "Collaboration", frozenset({"acknowledged_at"}))
    listed = f"/2.0/folders/{folder.id}/collaborations"
    page = contract.check("GET", "/folders/{folder_id}/collaborations", raw.ask("GET", listed), 200)
    assert [entry["id"] for entry in page["entries"]] == [made["id"], pending["id"]]
    contract.check("GET", "/folders/{folder_id}/collaborations", raw.ask("GET", f"{listed}?marker=x"), 400)
    file = upload(client, folder.id, "file.txt", b"x")
    found = raw.ask("GET", f"/2.0/files/{file.id}/collaborations")
    contract.check("GET", "/files/{file_id}/collaborations", found, 200)
    contract.check("GET", "/files/{file_id}/collaborations", raw.ask("GET", "/2.0/files/12/collaborations"), 404)
    found = raw.ask("GET", "/2.0/collaborations?status=pending")
    contract.check("GET", "/collaborations", found, 200)
    contract.check("GET", "/collaborations", raw.ask("GET", "/2.0/collaborations"), 400)
    contract.check("GET", "/groups/{group_id}/collaborations", raw.ask("GET", "/2.0/groups/12/collaborations"), 404)
    wanted = "permissions,has_collaborations,allowed_invitee_roles,can_non_owners_invite,is_externally_owned"
    found = bob.raw.ask("GET", f"/2.0/folders/{folder.id}?fields={wanted}")
    contract.check("GET", "/folders/{folder_id}", found, 200)
    contract.check("DELETE", one, raw.ask("DELETE", path), 204)
    contract.check("DELETE", one, raw.ask("DELETE", path), 404)


def test_a_collaborator_becomes_the_owner(client, bob):
    top = new_folder(client, "0", f"given {uuid.uuid4().hex[:8]}")
    file = upload(client, top.id, "report.txt", b"given away")
    given = give(client, top.id, by_id(bob))
    with refused(403, DENIED):
        bob.client.user_collaborations.update_collaboration_by_id(given.id, role=UpdateCollaborationByIdRole.OWNER)
    answer = client.user_collaborations.update_collaboration_by_id(given.id, role=UpdateCollaborationByIdRole.OWNER)
    assert answer is None
    seen = bob.client.files.get_file_by_id(file.id, fields=["owned_by", "path_collection"])
    assert seen.owned_by.id == bob.id
    assert download(client, file.id) == b"given away"
    assert top.name in names_in(client, "0")
    bob.client.folders.delete_folder_by_id(top.id, recursive=True)


def test_a_file_moved_to_somebody_elses_folder(client, bob):
    theirs = new_folder(bob.client, "0", f"theirs {uuid.uuid4().hex[:8]}")
    give(bob.client, theirs.id, by_login(client.users.get_user_me().login), CreateCollaborationRole.EDITOR)
    file = upload(client, "0", f"mine {uuid.uuid4().hex[:8]}.txt", b"moved")
    moved = client.files.update_file_by_id(file.id, parent=UpdateFileByIdParent(id=theirs.id))
    assert moved.owned_by.id == bob.id
    assert moved.parent.id == theirs.id
    assert download(bob.client, file.id) == b"moved"
