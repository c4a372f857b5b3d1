//! Metadata templates, among them the one of classifications.

use super::metadata_shapes::{body, kind_named, list_body, scope_named, template, template_asked};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::metadata::{EditBody, FieldBody, InstanceUuid, Listed, OptionBody, TemplateBody};
use crate::wire::query::MarkerPage;
use crate::wire::request::MalformedBody;
use crate::wire::strict;
use entente_model::{Caller, TemplateId};
use entente_tree::metadata::{
    CLASSIFICATION_TEMPLATE, FieldKind, FieldTaxonomy, InstanceId, MetadataError, NewField, NewOption, NewTemplate,
    OfField, Scope, TemplateEdit, TemplateName, TemplatePage,
};
use http::StatusCode;
use serde::de::DeserializeOwned;

/// Operations in one change of a template.
const EDITS_MAX: usize = 1_000;

pub(crate) async fn by_instance(asked: Asked, caller: Caller) -> Outcome {
    let MarkerPage { limit, .. } = asked.query().marker_page()?;
    let id = asked.query().value("metadata_instance_id").ok_or_else(|| Problem::missing("metadata_instance_id"))?;
    let id = InstanceUuid::parse(&id).ok_or(MetadataError::InstanceAbsent)?;
    let id = InstanceId { item: id.item, template: id.template };
    let found = asked.tree().template_of_instance(&caller, id).await?;
    Ok(answer::json(StatusCode::OK, &Listed::new(vec![template(&found)], limit, None)))
}

pub(crate) async fn global(asked: Asked, caller: Caller) -> Outcome {
    list(&asked, &caller, Scope::Global).await
}

pub(crate) async fn enterprise(asked: Asked, caller: Caller) -> Outcome {
    let scope = Scope::Enterprise(caller.enterprise);
    list(&asked, &caller, scope).await
}

async fn list(asked: &Asked, caller: &Caller, scope: Scope) -> Outcome {
    let MarkerPage { limit, marker } = asked.query().marker_page()?;
    let unknown = |_| Problem::invalid("marker", "the marker is not one that a list gave");
    let after = marker.map(|marker| marker.parse::<TemplateId>().map_err(unknown)).transpose()?;
    let TemplatePage { entries, next } = asked.tree().list_templates(caller, scope, after, limit).await?;
    let entries = entries.iter().map(template).collect();
    Ok(answer::json(StatusCode::OK, &Listed::new(entries, limit, next.map(|next| next.to_string()))))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    show_named(&asked, &caller, &template_asked(&asked, &caller)?).await
}

pub(crate) async fn show_classifications(asked: Asked, caller: Caller) -> Outcome {
    show_named(&asked, &caller, &classifications(&caller)).await
}

async fn show_named(asked: &Asked, caller: &Caller, name: &TemplateName) -> Outcome {
    Ok(answer::json(StatusCode::OK, &template(&asked.tree().template(caller, name).await?)))
}

pub(crate) async fn show_by_id(asked: Asked, caller: Caller) -> Outcome {
    // What is no id of ours is the id of none.
    let id = asked.parameter("template_id").parse().map_err(|_| MetadataError::TemplateAbsent)?;
    Ok(answer::json(StatusCode::OK, &template(&asked.tree().template_by_id(&caller, id).await?)))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: TemplateBody = body(&mut asked).await?;
    let scope = new.scope.ok_or_else(|| Problem::missing("scope"))?;
    match scope_named(&caller, &scope)? {
        Scope::Enterprise(enterprise) if enterprise == caller.enterprise => {}
        _ => return Err(entente_tree::Error::Forbidden.into()),
    }
    let fields = new.fields.unwrap_or_default().into_iter().map(new_field).collect::<Result<_, _>>()?;
    let new = NewTemplate {
        key: new.template_key,
        display_name: new.display_name.ok_or_else(|| Problem::missing("displayName"))?,
        hidden: new.hidden.unwrap_or(false),
        copied: new.copy_instance_on_item_copy.unwrap_or(false),
        fields,
    };
    let made = asked.tree().create_template(&caller, new).await?;
    Ok(answer::json(StatusCode::CREATED, &template(&made)))
}

pub(crate) async fn update(asked: Asked, caller: Caller) -> Outcome {
    let name = template_asked(&asked, &caller)?;
    update_named(asked, caller, name).await
}

pub(crate) async fn update_classifications(asked: Asked, caller: Caller) -> Outcome {
    let name = classifications(&caller);
    update_named(asked, caller, name).await
}

async fn update_named(mut asked: Asked, caller: Caller, name: TemplateName) -> Outcome {
    let bodies: Vec<EditBody> = list_body(&mut asked, EDITS_MAX).await?;
    let edits = bodies
        .into_iter()
        .enumerate()
        .map(|(index, body)| edit(body).map_err(|what| Problem::from(MetadataError::Operation { index, what })));
    let edits = edits.collect::<Result<_, _>>()?;
    let changed = asked.tree().edit_template(&caller, &name, edits).await?;
    Ok(answer::json(StatusCode::OK, &template(&changed)))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().delete_template(&caller, &template_asked(&asked, &caller)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn delete_classifications(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().delete_template(&caller, &classifications(&caller)).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// The template of the caller's classifications.
pub(super) fn classifications(caller: &Caller) -> TemplateName {
    TemplateName { scope: Scope::Enterprise(caller.enterprise), key: CLASSIFICATION_TEMPLATE.to_owned() }
}

fn new_field(body: FieldBody) -> Result<NewField, Problem> {
    field(body).map_err(|what| Problem::invalid("fields", what))
}

fn field(body: FieldBody) -> Result<NewField, String> {
    let kind = body.kind.as_deref().and_then(kind_named);
    let kind = kind.ok_or("'type' must be one of string, float, integer, date, enum, multiSelect, taxonomy")?;
    let rules = body.options_rules.unwrap_or_default();
    let taxonomy = body.taxonomy_key.map(|key| FieldTaxonomy {
        taxonomy: None,
        key,
        multi_select: rules.multi_select.unwrap_or(false),
        levels: rules.selectable_levels.unwrap_or_default(),
    });
    Ok(NewField {
        key: body.key,
        display_name: body.display_name.ok_or("'displayName' is required")?,
        description: body.description,
        hidden: body.hidden.unwrap_or(false),
        kind,
        options: body.options.unwrap_or_default().into_iter().map(option).collect::<Result<_, _>>()?,
        taxonomy,
    })
}

fn option(body: OptionBody) -> Result<NewOption, String> {
    let key = body.key.ok_or("an option's 'key' is required")?;
    Ok(NewOption { key, static_config: body.static_config })
}

fn edit(body: EditBody) -> Result<TemplateEdit, String> {
    let op = body.op.ok_or("'op' is required")?;
    let field_key = body.field_key.ok_or("'fieldKey' is required");
    let of = |kind| field_key.clone().map(|field| OfField { field, kind });
    let option_keys = body.enum_option_keys.ok_or("'enumOptionKeys' is required");
    let option_key = body.enum_option_key.ok_or("'enumOptionKey' is required");
    let select_keys = body.multi_select_option_keys.ok_or("'multiSelectOptionKeys' is required");
    let select_key = body.multi_select_option_key.ok_or("'multiSelectOptionKey' is required");
    let (one, some) = (FieldKind::Enum, FieldKind::MultiSelect);
    let data = body.data;
    Ok(match op.as_str() {
        "editTemplate" => {
            let new: TemplateBody = shaped(data)?;
            TemplateEdit::Template {
                key: new.template_key,
                display_name: new.display_name,
                hidden: new.hidden,
                copied: new.copy_instance_on_item_copy,
            }
        }
        "addField" => TemplateEdit::AddField(field(shaped(data)?)?),
        "editField" => {
            let FieldBody { kind, key, display_name, description, hidden, .. } = shaped(data)?;
            if kind.is_some() {
                return Err("the type of a field cannot be changed".to_owned());
            }
            TemplateEdit::Field { field: field_key?, key, display_name, description, hidden }
        }
        "removeField" => TemplateEdit::RemoveField { field: field_key? },
        "reorderFields" => TemplateEdit::ReorderFields(body.field_keys.ok_or("'fieldKeys' is required")?),
        "addEnumOption" => TemplateEdit::AddOption(of(one)?, option(shaped(data)?)?),
        "addMultiSelectOption" => TemplateEdit::AddOption(of(some)?, option(shaped(data)?)?),
        "editEnumOption" => TemplateEdit::Option(of(one)?, option_key?, option(shaped(data)?)?),
        "editMultiSelectOption" => TemplateEdit::Option(of(some)?, select_key?, option(shaped(data)?)?),
        "removeEnumOption" => TemplateEdit::RemoveOption(of(one)?, option_key?),
        "removeMultiSelectOption" => TemplateEdit::RemoveOption(of(some)?, select_key?),
        "reorderEnumOptions" => TemplateEdit::ReorderOptions(of(one)?, option_keys?),
        "reorderMultiSelectOptions" => TemplateEdit::ReorderOptions(of(some)?, select_keys?),
        other => return Err(format!("'{other}' is no operation on a template")),
    })
}

fn shaped<T: DeserializeOwned>(data: Option<serde_json::Value>) -> Result<T, String> {
    let data = data.ok_or("'data' is required")?;
    strict::shaped(data).map_err(|MalformedBody(what)| format!("'data' is not correct: {what}"))
}
