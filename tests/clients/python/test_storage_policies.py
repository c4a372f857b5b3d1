"""Storage policies: an administrator assigns them, and what a user owns follows."""

import pytest
from box_sdk_gen import (
    CreateStoragePolicyAssignmentAssignedTo,
    CreateStoragePolicyAssignmentAssignedToTypeField,
    CreateStoragePolicyAssignmentStoragePolicy,
    GetStoragePolicyAssignmentsResolvedForType,
    UpdateStoragePolicyAssignmentByIdStoragePolicy,
)

from kit import download, random_bytes, refused, upload
from typed import well_typed

USER = GetStoragePolicyAssignmentsResolvedForType.USER
ENTERPRISE = GetStoragePolicyAssignmentsResolvedForType.ENTERPRISE


@pytest.fixture(scope="module")
def app(server):
    return server.new_app("python storage policies")


@pytest.fixture(scope="module")
def administrator(server, app):
    """The service account of an application, which may administer users."""
    return server.client_of_app(app, enterprise_id=app.enterprise_id)


@pytest.fixture(scope="module")
def policies(administrator):
    found = well_typed(administrator.storage_policies.get_storage_policies(limit=1000))
    assert found.next_marker is None
    assert len(found.entries) >= 2, "the stories need a server with two storage policies"
    return found.entries


@pytest.fixture
def owner(server):
    """A user of this story's own, and a client of theirs."""
    client = server.client(server.token(server.new_login("policies")))
    return client.users.get_user_me(), client


def resolve(administrator, kind, id):
    found = well_typed(administrator.storage_policy_assignments.get_storage_policy_assignments(kind, id))
    assert len(found.entries) == 1
    assert found.next_marker is None
    return found.entries[0]


def assign(administrator, policy, user_id):
    return administrator.storage_policy_assignments.create_storage_policy_assignment(
        CreateStoragePolicyAssignmentStoragePolicy(id=policy),
        CreateStoragePolicyAssignmentAssignedTo(CreateStoragePolicyAssignmentAssignedToTypeField.USER, user_id),
    )


def reassign(administrator, assignment, policy):
    return administrator.storage_policy_assignments.update_storage_policy_assignment_by_id(
        assignment.id, UpdateStoragePolicyAssignmentByIdStoragePolicy(id=policy)
    )


def test_policies_page_by_page(administrator, policies):
    found, marker = [], None
    while True:
        page = well_typed(administrator.storage_policies.get_storage_policies(marker=marker, limit=1))
        found += [policy.id for policy in page.entries]
        marker = page.next_marker
        if not marker:
            break
        assert len(page.entries) == 1
    assert found == [policy.id for policy in policies]
    one = well_typed(administrator.storage_policies.get_storage_policy_by_id(policies[0].id))
    assert (one.id, one.name) == (policies[0].id, policies[0].name)
    sent = administrator.storage_policies.get_storage_policies(fields=["id"]).raw_data["entries"][0]
    assert set(sent) == {"type", "id"}
    with refused(404):
        administrator.storage_policies.get_storage_policy_by_id("999999999999")


def test_a_user_without_an_assignment_has_the_enterprises(administrator, app, owner):
    user, _ = owner
    of_enterprise = resolve(administrator, ENTERPRISE, app.enterprise_id)
    assert (of_enterprise.assigned_to.type, of_enterprise.assigned_to.id) == ("enterprise", app.enterprise_id)
    of_user = resolve(administrator, USER, user.id)
    assert of_user.to_dict() == of_enterprise.to_dict()
    assignments = administrator.storage_policy_assignments
    assert assignments.get_storage_policy_assignment_by_id(of_user.id).to_dict() == of_enterprise.to_dict()


def test_a_policy_is_assigned_changed_and_taken_away(administrator, policies, owner):
    user, client = owner
    content = random_bytes(300_000)
    file = upload(client, "0", "before.bin", content)
    inherited = resolve(administrator, USER, user.id)
    others = [policy.id for policy in policies if policy.id != inherited.storage_policy.id]

    made = well_typed(assign(administrator, others[0], user.id))
    assert (made.assigned_to.type, made.assigned_to.id) == ("user", user.id)
    assert made.storage_policy.id == others[0]
    assert resolve(administrator, USER, user.id).to_dict() == made.to_dict()
    with refused(409):
        assign(administrator, inherited.storage_policy.id, user.id)
    assert download(client, file.id) == content
    later = upload(client, "0", "later.bin", content[:1000])
    assert download(client, later.id) == content[:1000]

    changed = well_typed(reassign(administrator, made, inherited.storage_policy.id))
    assert (changed.id, changed.storage_policy.id) == (made.id, inherited.storage_policy.id)
    reassign(administrator, made, others[0])
    administrator.storage_policy_assignments.delete_storage_policy_assignment_by_id(made.id)
    with refused(404):
        administrator.storage_policy_assignments.get_storage_policy_assignment_by_id(made.id)
    assert resolve(administrator, USER, user.id).to_dict() == inherited.to_dict()
    assert download(client, file.id) == content
    assert download(client, later.id) == content[:1000]


def test_what_is_unknown_is_not_found(administrator, policies, owner):
    user, _ = owner
    with refused(404):
        assign(administrator, "999999999999", user.id)
    with refused(404):
        assign(administrator, policies[0].id, "999999999999")
    with refused(404):
        administrator.storage_policy_assignments.get_storage_policy_assignments(USER, "999999999999")
    with refused(404):
        administrator.storage_policy_assignments.delete_storage_policy_assignment_by_id("999999999999")


def test_an_ordinary_user_neither_sees_nor_assigns(policies, owner):
    user, client = owner
    with refused(403):
        client.storage_policies.get_storage_policies()
    with refused(403):
        client.storage_policy_assignments.get_storage_policy_assignments(USER, user.id)
    with refused(403):
        assign(client, policies[0].id, user.id)
