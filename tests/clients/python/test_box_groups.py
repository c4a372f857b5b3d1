"""Groups, and who is in them."""

import uuid

import pytest
from box_sdk_gen import (
    CreateGroupInvitabilityLevel,
    CreateGroupMembershipGroup,
    CreateGroupMembershipRole,
    CreateGroupMembershipUser,
    CreateGroupMemberViewabilityLevel,
    UpdateGroupByIdMemberViewabilityLevel,
    UpdateGroupMembershipByIdRole,
)

from kit import refused
from typed import well_typed


@pytest.fixture(scope="module")
def administrator(server):
    """The service account of an application, which may administer users."""
    app = server.new_app("python groups")
    return server.client_of_app(app, enterprise_id=app.enterprise_id)


@pytest.fixture
def somebody(server):
    """A user of this story's own, and a client of theirs."""
    client = server.client(server.token(server.new_login("member")))
    return client.users.get_user_me(), client


def fresh(word: str) -> str:
    return f"{word} {uuid.uuid4().hex[:10]}"


def put_into(client, group, user, **options):
    return client.memberships.create_group_membership(
        CreateGroupMembershipUser(id=user.id), CreateGroupMembershipGroup(id=group.id), **options
    )


def test_a_group_has_what_it_was_made_with(administrator):
    name, theirs = fresh("Made"), uuid.uuid4().hex
    made = well_typed(
        administrator.groups.create_group(
            name, provenance="Directory", external_sync_identifier=theirs, description="For a story",
            invitability_level=CreateGroupInvitabilityLevel.ADMINS_AND_MEMBERS,
            member_viewability_level=CreateGroupMemberViewabilityLevel.ALL_MANAGED_USERS,
        )
    )  # fmt: skip
    assert made.name == name
    assert made.group_type == "managed_group"
    assert made.provenance == "Directory"
    assert made.external_sync_identifier == theirs
    assert made.invitability_level == "admins_and_members"
    seen = administrator.groups.get_group_by_id(made.id, fields=["permissions", "description"])
    assert seen.permissions.can_invite_as_collaborator is True
    assert seen.description == "For a story"
    with refused(409, "conflict"):
        administrator.groups.create_group(name.upper())
    changed = administrator.groups.update_group_by_id(made.id, name=fresh("Changed"), description="")
    assert (changed.description, changed.provenance) == ("", "Directory")
    administrator.groups.delete_group_by_id(made.id)
    with refused(404):
        administrator.groups.get_group_by_id(made.id)
    administrator.groups.delete_group_by_id(administrator.groups.create_group(name).id)


@pytest.mark.parametrize("name", ["", "  ", "a\r\nb", "a\u202eb", "x" * 300])
def test_odd_names(administrator, name):
    with refused(400):
        administrator.groups.create_group(name)


def test_groups_are_listed_in_pages(administrator):
    word = uuid.uuid4().hex[:10]
    made = [administrator.groups.create_group(f"{word} {n}").id for n in range(5)]
    found = []
    while True:
        page = well_typed(administrator.groups.get_groups(filter_term=word.upper(), limit=2, offset=len(found)))
        assert page.total_count == 5
        if not page.entries:
            break
        found += [group.id for group in page.entries]
    assert found == made
    with refused(400):
        administrator.groups.get_groups(offset=10_001)


def test_users_come_and_go(administrator, somebody):
    me, client = somebody
    group = administrator.groups.create_group(fresh("Members"))
    made = well_typed(
        put_into(
            administrator, group, me, role=CreateGroupMembershipRole.ADMIN,
            configurable_permissions={"can_run_reports": True},
        )
    )  # fmt: skip
    assert (made.user.id, made.group.id, made.role) == (me.id, group.id, "admin")
    with refused(409, "conflict"):
        put_into(administrator, group, me)
    with refused(404):
        administrator.memberships.create_group_membership(
            CreateGroupMembershipUser(id="12"), CreateGroupMembershipGroup(id=group.id)
        )
    with refused(404):
        administrator.memberships.create_group_membership(
            CreateGroupMembershipUser(id=me.id), CreateGroupMembershipGroup(id="12")
        )
    assert well_typed(client.memberships.get_group_memberships(group.id)).total_count == 1
    assert well_typed(client.memberships.get_user_memberships(me.id)).entries[0].id == made.id
    lowered = administrator.memberships.update_group_membership_by_id(
        made.id, role=UpdateGroupMembershipByIdRole.MEMBER
    )
    assert lowered.role == "member"
    with refused(403):
        client.memberships.get_group_memberships(group.id)
    administrator.groups.update_group_by_id(
        group.id, member_viewability_level=UpdateGroupByIdMemberViewabilityLevel.ADMINS_AND_MEMBERS
    )
    assert client.memberships.get_group_memberships(group.id).total_count == 1
    with refused(403):
        client.memberships.delete_group_membership_by_id(made.id)
    administrator.memberships.delete_group_membership_by_id(made.id)
    with refused(404):
        client.groups.get_group_by_id(group.id)
    with refused(404):
        administrator.memberships.get_group_membership_by_id(made.id)


def test_one_who_administers_a_group_says_who_is_in_it(server, administrator, somebody):
    me, client = somebody
    other = server.client(server.token(server.new_login("other"))).users.get_user_me()
    group = administrator.groups.create_group(fresh("Own"))
    put_into(administrator, group, me, role=CreateGroupMembershipRole.ADMIN)
    added = put_into(client, group, other)
    assert client.groups.update_group_by_id(group.id, description="By its own").description == "By its own"
    client.memberships.delete_group_membership_by_id(added.id)
    with refused(403):
        client.groups.delete_group_by_id(group.id)
    with refused(403):
        client.groups.create_group(fresh("Another"))
    with refused(403):
        client.groups.get_groups()


def test_a_stranger_knows_nothing_of_a_group(administrator, client, somebody):
    me, _ = somebody
    group = administrator.groups.create_group(fresh("Secret"))
    membership = put_into(administrator, group, me)
    for ask in (
        lambda: client.groups.get_group_by_id(group.id),
        lambda: client.groups.update_group_by_id(group.id, name="x"),
        lambda: client.groups.delete_group_by_id(group.id),
        lambda: client.memberships.get_group_memberships(group.id),
        lambda: client.memberships.get_user_memberships(me.id),
        lambda: client.memberships.get_group_membership_by_id(membership.id),
        lambda: client.memberships.delete_group_membership_by_id(membership.id),
        lambda: put_into(client, group, client.users.get_user_me()),
    ):
        with refused(404, "not_found"):
            ask()


def test_memberships_are_listed_in_pages(administrator, somebody):
    me, client = somebody
    made = [put_into(administrator, administrator.groups.create_group(fresh("Page")), me).id for _ in range(3)]
    found = []
    for offset in range(3):
        page = well_typed(client.memberships.get_user_memberships(me.id, limit=1, offset=offset))
        assert page.total_count == 3
        found += [membership.id for membership in page.entries]
    assert sorted(found) == sorted(made)


def test_sessions_of_a_group_are_ended(administrator, somebody):
    me, client = somebody
    group = administrator.groups.create_group(fresh("Out"))
    put_into(administrator, group, me)
    with refused(404):
        administrator.session_termination.terminate_groups_sessions(["12"])
    with refused(400):
        administrator.session_termination.terminate_groups_sessions([])
    with refused(403):
        client.session_termination.terminate_groups_sessions([group.id])
    assert administrator.session_termination.terminate_groups_sessions([group.id]).message


def test_nothing_is_left_of_a_removed_group(administrator, somebody):
    me, client = somebody
    group = administrator.groups.create_group(fresh("Gone"))
    membership = put_into(administrator, group, me)
    administrator.groups.delete_group_by_id(group.id)
    assert client.memberships.get_user_memberships(me.id).total_count == 0
    with refused(404):
        administrator.memberships.get_group_membership_by_id(membership.id)
