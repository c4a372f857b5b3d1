"""Metadata: templates, what is said by them of files and folders, and what follows, told with the SDK."""

import time
import uuid

import pytest
from box_sdk_gen import (
    AddClassificationRequestBody,
    AddClassificationRequestBodyDataField,
    AddClassificationRequestBodyDataStaticConfigClassificationField,
    AddClassificationRequestBodyDataStaticConfigField,
    ApplyMetadataCascadePolicyConflictResolution,
    BoxAPIError,
    CopyFileParent,
    CreateClassificationTemplateFields,
    CreateClassificationTemplateFieldsOptionsField,
    CreateFileMetadataByIdScope,
    CreateFolderMetadataByIdScope,
    CreateMetadataCascadePolicyScope,
    CreateMetadataTemplateFields,
    CreateMetadataTemplateFieldsOptionsField,
    CreateMetadataTemplateFieldsOptionsRulesField,
    CreateMetadataTemplateFieldsTypeField,
    DeleteFileMetadataByIdScope,
    DeleteMetadataTemplateScope,
    GetFileMetadataByIdScope,
    GetMetadataTemplateScope,
    KeywordSkillCard,
    KeywordSkillCardEntriesField,
    KeywordSkillCardInvocationField,
    KeywordSkillCardSkillField,
    MetadataTaxonomyLevel,
    SearchByMetadataQueryOrderBy,
    SearchByMetadataQueryOrderByDirectionField,
    UpdateClassificationOnFileRequestBody,
    UpdateFileMetadataByIdRequestBody,
    UpdateFileMetadataByIdRequestBodyOpField,
    UpdateFileMetadataByIdScope,
    UpdateMetadataTemplateRequestBody,
    UpdateMetadataTemplateRequestBodyOpField,
    UpdateMetadataTemplateScope,
)

from kit import new_folder, refused, upload
from typed import well_typed

KIND = CreateMetadataTemplateFieldsTypeField
EDIT = UpdateMetadataTemplateRequestBodyOpField
PATCH = UpdateFileMetadataByIdRequestBodyOpField
# Longer than the schedule of what follows from moves.
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def administrator(server):
    """The service account of an application, which may administer users."""
    app = server.new_app("python metadata")
    return server.client_of_app(app, enterprise_id=app.enterprise_id)


@pytest.fixture
def template(administrator):
    """A template of this story's own."""
    option = CreateMetadataTemplateFieldsOptionsField
    return well_typed(
        administrator.metadata_templates.create_metadata_template(
            "enterprise",
            "Contract",
            template_key=f"contract{uuid.uuid4().hex[:8]}",
            fields=[
                CreateMetadataTemplateFields(KIND.STRING, "name", "Name", description="Of whom"),
                CreateMetadataTemplateFields(KIND.FLOAT, "amount", "Amount"),
                CreateMetadataTemplateFields(KIND.DATE, "signed", "Signed"),
                CreateMetadataTemplateFields(KIND.ENUM, "state", "State", options=[option("draft"), option("final")]),
                CreateMetadataTemplateFields(
                    KIND.MULTISELECT, "regions", "Regions", options=[option("north"), option("south")]
                ),
            ],
            copy_instance_on_item_copy=True,
        )
    )


@pytest.fixture
def place(administrator):
    """A folder of this story's own."""
    return new_folder(administrator, "0", f"metadata-{uuid.uuid4().hex[:8]}").id


def said(client, file_id, template):
    return well_typed(
        client.file_metadata.get_file_metadata_by_id(file_id, GetFileMetadataByIdScope.ENTERPRISE, template.template_key)
    )


def say(client, file_id, template, values):
    return well_typed(
        client.file_metadata.create_file_metadata_by_id(
            file_id, CreateFileMetadataByIdScope.ENTERPRISE, template.template_key, values
        )
    )


def eventually(holds):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_template_is_found_and_changed(administrator, template):
    templates = administrator.metadata_templates
    scope = GetMetadataTemplateScope.ENTERPRISE
    assert well_typed(templates.get_metadata_template(scope, template.template_key)).id == template.id
    assert well_typed(templates.get_metadata_template_by_id(template.id)).template_key == template.template_key
    listed = well_typed(templates.get_enterprise_metadata_templates(limit=1000))
    assert template.id in [entry.id for entry in listed.entries]
    shared = well_typed(templates.get_global_metadata_templates())
    assert "properties" in [entry.template_key for entry in shared.entries]
    changed = templates.update_metadata_template(
        UpdateMetadataTemplateScope.ENTERPRISE,
        template.template_key,
        [
            UpdateMetadataTemplateRequestBody(EDIT.EDITTEMPLATE, data={"displayName": "Agreement"}),
            UpdateMetadataTemplateRequestBody(
                EDIT.ADDFIELD, data={"type": "string", "key": "note", "displayName": "Note"}
            ),
            UpdateMetadataTemplateRequestBody(EDIT.ADDENUMOPTION, field_key="state", data={"key": "void"}),
            UpdateMetadataTemplateRequestBody(EDIT.REMOVEFIELD, field_key="signed"),
        ],
    )
    changed = well_typed(changed)
    assert changed.display_name == "Agreement"
    assert [field.key for field in changed.fields] == ["name", "amount", "state", "regions", "note"]
    assert [option.key for option in changed.fields[2].options] == ["draft", "final", "void"]
    templates.delete_metadata_template(DeleteMetadataTemplateScope.ENTERPRISE, template.template_key)
    with refused(404):
        templates.get_metadata_template(scope, template.template_key)


def test_metadata_of_a_file(administrator, template, place):
    file = upload(administrator, place, "a.txt", b"a")
    values = {
        "name": "Box",
        "amount": 12.5,
        "signed": "2026-01-02T03:04:05.000Z",
        "state": "draft",
        "regions": ["north", "south"],
    }
    made = say(administrator, file.id, template, values)
    for key, value in values.items():
        assert made.extra_data[key] == value, key
    assert made.version == 0
    assert made.can_edit is True
    assert said(administrator, file.id, template).id == made.id
    found = well_typed(administrator.metadata_templates.get_metadata_templates_by_instance_id(made.id))
    assert [entry.id for entry in found.entries] == [template.id]
    every = administrator.file_metadata.get_file_metadata(file.id)
    assert [entry.template for entry in every.entries] == [template.template_key]
    with refused(409, "tuple_already_exists"):
        say(administrator, file.id, template, {})
    changed = administrator.file_metadata.update_file_metadata_by_id(
        file.id,
        UpdateFileMetadataByIdScope.ENTERPRISE,
        template.template_key,
        [
            UpdateFileMetadataByIdRequestBody(op=PATCH.TEST, path="/name", value="Box"),
            UpdateFileMetadataByIdRequestBody(op=PATCH.REPLACE, path="/state", value="final"),
            UpdateFileMetadataByIdRequestBody(op=PATCH.REMOVE, path="/amount"),
        ],
    )
    assert changed.version == 1
    assert changed.extra_data["state"] == "final"
    assert "amount" not in changed.extra_data
    with refused(400):
        administrator.file_metadata.update_file_metadata_by_id(
            file.id,
            UpdateFileMetadataByIdScope.ENTERPRISE,
            template.template_key,
            [UpdateFileMetadataByIdRequestBody(op=PATCH.TEST, path="/name", value="Other")],
        )
    copy = administrator.files.copy_file(file.id, CopyFileParent(id=place), name="copy.txt")
    assert said(administrator, copy.id, template).extra_data["name"] == "Box"
    administrator.file_metadata.delete_file_metadata_by_id(
        file.id, DeleteFileMetadataByIdScope.ENTERPRISE, template.template_key
    )
    with refused(404, "instance_not_found"):
        said(administrator, file.id, template)


def test_values_that_do_not_fit(administrator, template, place):
    file = upload(administrator, place, "a.txt", b"a")
    for bad in ({"state": "other"}, {"amount": "much"}, {"unknown": "x"}, {"signed": "soon"}, {"regions": ["west"]}):
        with refused(400, "schema_validation_failed"):
            say(administrator, file.id, template, bad)
    free = administrator.file_metadata.create_file_metadata_by_id(
        file.id, CreateFileMetadataByIdScope.GLOBAL, "properties", {"any key": "any text"}
    )
    assert well_typed(free).extra_data["any key"] == "any text"


def test_somebody_else_learns_nothing(administrator, client, template, place):
    file = upload(administrator, place, "a.txt", b"a")
    say(administrator, file.id, template, {"name": "Secret"})
    with refused(404, "not_found"):
        said(client, file.id, template)
    with refused(404, "not_found"):
        say(client, file.id, template, {"name": "Mine"})
    with refused(403):
        client.metadata_templates.delete_metadata_template(
            DeleteMetadataTemplateScope.ENTERPRISE, template.template_key
        )


def test_a_cascade(administrator, template, place):
    inner = new_folder(administrator, place, "inner").id
    before = upload(administrator, inner, "before.txt", b"a")
    cascades = administrator.metadata_cascade_policies
    scope = CreateMetadataCascadePolicyScope.ENTERPRISE
    with refused(404, "instance_tuple_not_found"):
        cascades.create_metadata_cascade_policy(place, scope, template.template_key)
    administrator.folder_metadata.create_folder_metadata_by_id(
        place, CreateFolderMetadataByIdScope.ENTERPRISE, template.template_key, {"name": "From above"}
    )
    policy = well_typed(cascades.create_metadata_cascade_policy(place, scope, template.template_key))
    with refused(409, "tuple_already_exists"):
        cascades.create_metadata_cascade_policy(place, scope, template.template_key)
    listed = well_typed(cascades.get_metadata_cascade_policies(place))
    assert [entry.id for entry in listed.entries] == [policy.id]
    assert well_typed(cascades.get_metadata_cascade_policy_by_id(policy.id)).parent.id == place
    after = upload(administrator, inner, "after.txt", b"b")
    assert said(administrator, after.id, template).extra_data["name"] == "From above"

    def has(name):
        entries = administrator.file_metadata.get_file_metadata(before.id).entries
        return bool(entries) and said(administrator, before.id, template).extra_data["name"] == name

    eventually(lambda: has("From above"))
    administrator.file_metadata.update_file_metadata_by_id(
        before.id,
        UpdateFileMetadataByIdScope.ENTERPRISE,
        template.template_key,
        [UpdateFileMetadataByIdRequestBody(op=PATCH.REPLACE, path="/name", value="Mine")],
    )
    cascades.apply_metadata_cascade_policy(policy.id, ApplyMetadataCascadePolicyConflictResolution.OVERWRITE)
    eventually(lambda: has("From above"))
    cascades.delete_metadata_cascade_policy_by_id(policy.id)
    with refused(404, "instance_not_found"):
        cascades.get_metadata_cascade_policy_by_id(policy.id)


def test_classifications(administrator, place):
    classifications = administrator.classifications
    label = f"Label {uuid.uuid4().hex[:8]}"
    try:
        classifications.get_classification_template()
    except BoxAPIError:
        classifications.create_classification_template(
            [CreateClassificationTemplateFields([CreateClassificationTemplateFieldsOptionsField("First")])]
        )
    about = AddClassificationRequestBodyDataStaticConfigClassificationField(
        classification_definition="Not for everybody", color_id=3
    )
    data = AddClassificationRequestBodyDataField(
        label, static_config=AddClassificationRequestBodyDataStaticConfigField(classification=about)
    )
    # The SDK does not make an enumeration of the template's key, so this is not typed as it says.
    changed = classifications.add_classification([AddClassificationRequestBody(data)])
    added = next(option for option in changed.fields[0].options if option.key == label)
    assert added.static_config.classification.color_id == 3
    file = upload(administrator, place, "a.txt", b"a")
    on_file = administrator.file_classifications
    with refused(404, "instance_not_found"):
        on_file.get_classification_on_file(file.id)
    with refused(400, "schema_validation_failed"):
        on_file.add_classification_to_file(file.id, box_security_classification_key="None such")
    on_file.add_classification_to_file(file.id, box_security_classification_key=label)
    changed = on_file.update_classification_on_file(file.id, [UpdateClassificationOnFileRequestBody("First")])
    assert changed.box_security_classification_key == "First"
    assert on_file.get_classification_on_file(file.id).box_security_classification_key == "First"
    on_file.delete_classification_from_file(file.id)
    with refused(404, "instance_not_found"):
        on_file.get_classification_on_file(file.id)


def test_skill_cards(administrator, place):
    file = upload(administrator, place, "a.txt", b"a")
    card = KeywordSkillCard(
        KeywordSkillCardSkillField("skill"),
        KeywordSkillCardInvocationField("invocation"),
        [KeywordSkillCardEntriesField(text="word")],
    )
    made = administrator.skills.create_box_skill_cards_on_file(file.id, [card])
    assert made.cards[0].entries[0].text == "word"
    assert administrator.skills.get_box_skill_cards_on_file(file.id).id == made.id
    administrator.skills.delete_box_skill_cards_from_file(file.id)
    with refused(404, "instance_not_found"):
        administrator.skills.get_box_skill_cards_on_file(file.id)


def test_a_query(administrator, client, template, place):
    files = []
    for number in range(4):
        file = upload(administrator, place, f"{number}.txt", b"a")
        state = ["draft", "final"][number % 2]
        say(administrator, file.id, template, {"name": f"Number {number}", "amount": number * 1.5, "state": state})
        files.append(file.id)
    source = f"{template.scope}.{template.template_key}"

    def found(who, query, parameters=None, ancestor=place, **more):
        page = who.search.search_by_metadata_query(source, ancestor, query=query, query_params=parameters, **more)
        return [files.index(entry.id) for entry in page.entries]

    assert found(administrator, "amount >= :least", {"least": 3}) == [2, 3]
    assert found(administrator, "state = :state AND name LIKE '%1'", {"state": "final"}) == [1]
    assert found(administrator, None, ancestor="0") == [0, 1, 2, 3]
    descending = SearchByMetadataQueryOrderBy(
        field_key="amount", direction=SearchByMetadataQueryOrderByDirectionField.DESC
    )
    assert found(administrator, "amount > 0", order_by=[descending]) == [3, 2, 1]
    by_state = SearchByMetadataQueryOrderBy(
        field_key="state", direction=SearchByMetadataQueryOrderByDirectionField.DESC
    )
    assert found(administrator, None, order_by=[by_state, descending]) == [3, 1, 2, 0]
    assert found(client, "amount > 0", ancestor="0") == []
    with refused(404, "not_found"):
        found(client, "amount > 0")
    with refused(400, "invalid_query"):
        found(administrator, "amount >")
    page = administrator.search.search_by_metadata_query(
        source, place, query="amount = 3", fields=["name", f"metadata.{source}.amount"]
    )
    assert page.entries[0].name == "2.txt"
    assert page.entries[0].metadata.extra_data[template.scope][template.template_key]["amount"] == 3


def test_a_taxonomy(administrator, template, place):
    taxonomies = administrator.metadata_taxonomies
    namespace = template.scope
    key = f"geography{uuid.uuid4().hex[:8]}"
    made = well_typed(taxonomies.create_metadata_taxonomy("Geography", namespace, key=key))
    assert made.key == key
    levels = [MetadataTaxonomyLevel(display_name=name, description=name) for name in ("Continent", "Country")]
    assert len(taxonomies.create_metadata_taxonomy_level(namespace, key, levels).entries) == 2
    europe = well_typed(taxonomies.create_metadata_taxonomy_node(namespace, key, "Europe", 1))
    france = well_typed(taxonomies.create_metadata_taxonomy_node(namespace, key, "France", 2, parent_id=europe.id))
    assert [above.display_name for above in france.ancestors] == ["Europe"]
    listed = well_typed(taxonomies.get_metadata_taxonomy_nodes(namespace, key, level=[2], parent=[europe.id]))
    assert [node.id for node in listed.entries] == [france.id]
    rules = CreateMetadataTemplateFieldsOptionsRulesField(multi_select=True, selectable_levels=[2])
    trip = administrator.metadata_templates.create_metadata_template(
        "enterprise",
        "Trip",
        template_key=f"trip{uuid.uuid4().hex[:8]}",
        fields=[
            CreateMetadataTemplateFields(
                KIND.TAXONOMY, "to", "To", taxonomy_key=key, namespace=namespace, options_rules=rules
            )
        ],
    )
    options = taxonomies.get_metadata_template_field_options(namespace, trip.template_key, "to")
    assert [node.id for node in well_typed(options).entries] == [france.id]
    file = upload(administrator, place, "a.txt", b"a")
    assert say(administrator, file.id, trip, {"to": [france.id]}).extra_data["to"] == [france.id]
    with refused(400):
        taxonomies.delete_metadata_taxonomy_node(namespace, key, europe.id)
    taxonomies.delete_metadata_taxonomy(namespace, key)
    with refused(404):
        taxonomies.get_metadata_taxonomy_by_key(namespace, key)
