"""What an enterprise says of everybody: allowed domains, users to whom that does not apply, and terms of service."""

import time
import uuid

import pytest
from box_sdk_gen import (
    CreateCollaborationAccessibleBy,
    CreateCollaborationAccessibleByTypeField,
    CreateCollaborationItem,
    CreateCollaborationItemTypeField,
    CreateCollaborationRole,
    CreateCollaborationWhitelistEntryDirection,
    CreateCollaborationWhitelistExemptTargetUser,
    CreateTermsOfServiceStatus,
    CreateTermsOfServiceStatusForUserTos,
    CreateTermsOfServiceStatusForUserUser,
    CreateTermsOfServiceTosType,
    UpdateTermsOfServiceByIdStatus,
    UserReferenceV2025R0,
)
from box_sdk_gen.internal.null_value import null

from kit import new_folder, refused
from typed import well_typed


@pytest.fixture(scope="module")
def app(server):
    return server.new_app("python company")


@pytest.fixture(scope="module")
def administrator(server, app):
    return server.client_of_app(app, enterprise_id=app.enterprise_id)


def test_allowed_domains(administrator, client):
    entries = administrator.collaboration_allowlist_entries
    both = CreateCollaborationWhitelistEntryDirection.BOTH
    domain = f"{uuid.uuid4().hex}.example"
    made = entries.create_collaboration_whitelist_entry(domain.upper(), both)
    try:
        well_typed(made)
        assert (made.domain, made.direction.value) == (domain, "both")
        # Example.com is where this suite's other stories invite people from.
        other = entries.create_collaboration_whitelist_entry(f"x.{domain}", CreateCollaborationWhitelistEntryDirection.INBOUND)
        with refused(409):
            entries.create_collaboration_whitelist_entry(domain, both)
        with refused(400, "bad_request"):
            entries.create_collaboration_whitelist_entry("not a domain", both)
        with refused(403):
            client.collaboration_allowlist_entries.create_collaboration_whitelist_entry("example.net", both)
        assert well_typed(entries.get_collaboration_whitelist_entry_by_id(made.id)).domain == domain
        found, marker = [], None
        while True:
            page = well_typed(entries.get_collaboration_whitelist_entries(limit=1, marker=marker))
            found += [entry.domain for entry in page.entries]
            marker = page.next_marker
            if marker is None:
                break
        assert {domain, f"x.{domain}"} <= set(found)
        entries.delete_collaboration_whitelist_entry_by_id(other.id)
    finally:
        entries.delete_collaboration_whitelist_entry_by_id(made.id)
    with refused(404):
        entries.get_collaboration_whitelist_entry_by_id(made.id)


def test_exempt_users(administrator, server, client):
    targets = administrator.collaboration_allowlist_exempt_targets
    user = server.client(server.token(server.new_login("exempt"))).users.get_user_me()
    wanted = CreateCollaborationWhitelistExemptTargetUser(id=user.id)
    made = well_typed(targets.create_collaboration_whitelist_exempt_target(wanted))
    assert made.user.id == user.id
    with refused(409):
        targets.create_collaboration_whitelist_exempt_target(wanted)
    with refused(404):
        targets.create_collaboration_whitelist_exempt_target(CreateCollaborationWhitelistExemptTargetUser(id="12"))
    with refused(403):
        client.collaboration_allowlist_exempt_targets.get_collaboration_whitelist_exempt_targets()
    assert targets.get_collaboration_whitelist_exempt_target_by_id(made.id).user.id == user.id
    page = well_typed(targets.get_collaboration_whitelist_exempt_targets(limit=1000))
    assert made.id in [entry.id for entry in page.entries]
    targets.delete_collaboration_whitelist_exempt_target_by_id(made.id)
    with refused(404):
        targets.get_collaboration_whitelist_exempt_target_by_id(made.id)


def test_terms_of_service(administrator, client):
    services = administrator.terms_of_services
    made = services.create_terms_of_service(
        CreateTermsOfServiceStatus.ENABLED, "be good", tos_type=CreateTermsOfServiceTosType.MANAGED
    )
    well_typed(made)
    with refused(409):
        services.create_terms_of_service(CreateTermsOfServiceStatus.ENABLED, "again")
    with refused(400, "bad_request"):
        services.update_terms_of_service_by_id(made.id, UpdateTermsOfServiceByIdStatus.ENABLED, "")
    with refused(403):
        client.terms_of_services.update_terms_of_service_by_id(made.id, UpdateTermsOfServiceByIdStatus.ENABLED, "x")
    assert well_typed(client.terms_of_services.get_terms_of_service_by_id(made.id)).text == "be good"
    listed = well_typed(services.get_terms_of_service())
    assert made.id in [terms.id for terms in listed.entries]

    statuses, me = client.terms_of_service_user_statuses, client.users.get_user_me().id
    tos, user = CreateTermsOfServiceStatusForUserTos(id=made.id), CreateTermsOfServiceStatusForUserUser(id=me)
    said = well_typed(statuses.create_terms_of_service_status_for_user(tos, user, True))
    assert said.is_accepted and said.user.id == me
    with refused(409):
        statuses.create_terms_of_service_status_for_user(tos, user, True)
    changed = statuses.update_terms_of_service_status_for_user_by_id(said.id, False)
    assert not changed.is_accepted
    page = well_typed(statuses.get_terms_of_service_user_statuses(made.id, user_id=me))
    assert [status.id for status in page.entries] == [said.id]
    with refused(404):
        statuses.get_terms_of_service_user_statuses("12")
    disabled = services.update_terms_of_service_by_id(made.id, UpdateTermsOfServiceByIdStatus.DISABLED, "no more")
    assert disabled.status.value == "disabled"


def test_what_holds_for_an_enterprise(administrator, client, app):
    configurations = administrator.enterprise_configurations
    ask = configurations.get_enterprise_configuration_by_id_v2025_r0
    said = well_typed(ask(app.enterprise_id, ["security", "content_and_sharing", "user_settings"]))
    assert said.id == app.enterprise_id
    assert said.security.is_weak_password_prevention_enabled.value is True
    assert said.content_and_sharing.shared_link_default_access.value == "company"
    assert ask(app.enterprise_id, ["security"]).user_settings is None
    for enterprise, categories, status in (("12", ["security"], 404), (app.enterprise_id, ["shield"], 404)):
        with refused(status):
            ask(enterprise, categories)
    with refused(400):
        ask(app.enterprise_id, ["weather"])
    with refused(404):
        client.enterprise_configurations.get_enterprise_configuration_by_id_v2025_r0(app.enterprise_id, ["security"])


def test_people_from_outside_lose_their_roles(server, administrator, client):
    """Somebody who was made one from outside, by an administrator."""
    login = server.new_login("outside")
    other = server.client(server.token(login))
    them = other.users.get_user_me()
    folder = new_folder(client, "0", uuid.uuid4().hex)
    by = CreateCollaborationAccessibleBy(type=CreateCollaborationAccessibleByTypeField.USER, id=them.id)
    item = CreateCollaborationItem(type=CreateCollaborationItemTypeField.FOLDER, id=folder.id)
    client.user_collaborations.create_collaboration(item, by, CreateCollaborationRole.VIEWER)
    submit = administrator.external_users.submit_job_to_delete_external_users_v2025_r0
    with refused(404):
        submit([UserReferenceV2025R0(id=them.id)])
    administrator.users.update_user_by_id(them.id, enterprise=null)
    assert other.folders.get_folder_by_id(folder.id).name == folder.name
    with refused(404):
        client.external_users.submit_job_to_delete_external_users_v2025_r0([UserReferenceV2025R0(id=them.id)])
    said = well_typed(submit([UserReferenceV2025R0(id=them.id), UserReferenceV2025R0(id="12")]))
    assert [one.status for one in said.entries] == [202, 404]
    for _ in range(300):
        if not client.list_collaborations.get_folder_collaborations(folder.id).entries:
            break
        time.sleep(0.1)
    with refused(404):
        other.folders.get_folder_by_id(folder.id)
    client.folders.delete_folder_by_id(folder.id)
