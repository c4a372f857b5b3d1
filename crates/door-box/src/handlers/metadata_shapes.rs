//! Templates and instances as Box's shapes, and what all handlers of metadata share.

use crate::asked::Asked;
use crate::error::Problem;
use crate::wire::id::Text;
use crate::wire::metadata::{Field, FieldOption, Instance, InstanceUuid, OptionsRules, Scope, Template};
use crate::wire::strict;
use entente_model::Caller;
use entente_tree::Kind;
use entente_tree::metadata::{
    Field as TreeField, FieldKind, Instance as TreeInstance, MetadataError, Scope as TreeScope,
    Template as TreeTemplate, TemplateName,
};
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Box's words for what values fields take.
const KINDS: [(FieldKind, &str); 7] = [
    (FieldKind::String, "string"),
    (FieldKind::Float, "float"),
    (FieldKind::Integer, "integer"),
    (FieldKind::Date, "date"),
    (FieldKind::Enum, "enum"),
    (FieldKind::MultiSelect, "multiSelect"),
    (FieldKind::Taxonomy, "taxonomy"),
];

pub(super) fn kind_named(name: &str) -> Option<FieldKind> {
    KINDS.iter().find(|(_, word)| *word == name).map(|(kind, _)| *kind)
}

fn kind_name(kind: FieldKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("string", |(_, word)| word)
}

pub(super) fn scope(scope: TreeScope) -> Scope {
    match scope {
        TreeScope::Global => Scope::Global,
        TreeScope::Enterprise(id) => Scope::Enterprise(id),
    }
}

pub(super) fn template(template: &TreeTemplate) -> Template<'_> {
    Template {
        id: Text(template.id),
        kind: "metadata_template",
        scope: scope(template.scope),
        template_key: &template.key,
        display_name: &template.display_name,
        hidden: template.hidden,
        fields: template.fields.iter().map(|one| field(template, one)).collect(),
        copy_instance_on_item_copy: template.copied,
    }
}

fn field<'a>(template: &'a TreeTemplate, field: &'a TreeField) -> Field<'a> {
    let id = format!("{}_{}", template.id, field.number);
    let options = field.options.iter().map(|option| FieldOption {
        id: format!("{id}_{}", option.number),
        key: &option.key,
        static_config: option.static_config.as_ref(),
    });
    let takes_options = matches!(field.kind, FieldKind::Enum | FieldKind::MultiSelect);
    let taxonomy = field.taxonomy.as_ref();
    Field {
        options: takes_options.then(|| options.collect()),
        kind: kind_name(field.kind),
        key: &field.key,
        display_name: &field.display_name,
        description: field.description.as_deref(),
        hidden: field.hidden,
        taxonomy_key: taxonomy.map(|taxonomy| taxonomy.key.as_str()),
        taxonomy_id: taxonomy.and_then(|taxonomy| taxonomy.taxonomy).map(|id| id.to_string()),
        namespace: taxonomy.map(|_| scope(template.scope).to_string()),
        options_rules: taxonomy.map(|taxonomy| OptionsRules {
            multi_select: Some(taxonomy.multi_select),
            selectable_levels: Some(taxonomy.levels.clone()).filter(|levels| !levels.is_empty()),
        }),
        id,
    }
}

pub(super) fn instance(instance: &TreeInstance) -> Instance<'_> {
    Instance {
        parent_kind: if instance.kind == Kind::Folder { "folder" } else { "file" },
        id: InstanceUuid { item: instance.item, template: instance.template.id },
        template: &instance.template.key,
        scope: scope(instance.template.scope),
        version: instance.version,
        type_version: instance.type_version,
        can_edit: instance.can_edit,
        values: &instance.values,
        only: None,
    }
}

/// The scope that a text names. 400 for what is none.
pub(super) fn scope_named(caller: &Caller, text: &str) -> Result<TreeScope, Problem> {
    match Scope::parse(text) {
        Some(Scope::Global) => Ok(TreeScope::Global),
        Some(Scope::Own) => Ok(TreeScope::Enterprise(caller.enterprise)),
        Some(Scope::Enterprise(id)) => Ok(TreeScope::Enterprise(id)),
        None => Err(Problem::invalid("scope", "'scope' must be 'global', 'enterprise' or 'enterprise_' and an id")),
    }
}

/// The template that the path names.
pub(super) fn template_asked(asked: &Asked, caller: &Caller) -> Result<TemplateName, Problem> {
    let scope = scope_named(caller, asked.parameter("scope"))?;
    Ok(TemplateName { scope, key: asked.parameter("template_key").to_owned() })
}

/// A JSON body of a known shape, in which no name is given twice.
pub(super) async fn body<T: DeserializeOwned>(asked: &mut Asked) -> Result<T, Problem> {
    let body = asked.small_body().await?;
    Ok(strict::shaped(strict::parse(&body)?)?)
}

/// A JSON body that is a list, of at most `max` entries.
pub(super) async fn list_body<T: DeserializeOwned>(asked: &mut Asked, max: usize) -> Result<Vec<T>, Problem> {
    let entries: Vec<Value> = body(asked).await?;
    if entries.len() > max {
        return Err(Problem::bad_request(format!("the list has more than {max} entries")));
    }
    entries.into_iter().map(|entry| Ok(strict::shaped(entry)?)).collect()
}

/// A JSON body that is an object; an empty one counts as one without members.
pub(super) async fn object_body(asked: &mut Asked) -> Result<Map<String, Value>, Problem> {
    let body = asked.small_body().await?;
    if body.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    Ok(strict::shaped(strict::parse(&body)?)?)
}

impl From<MetadataError> for Problem {
    fn from(error: MetadataError) -> Self {
        match error {
            MetadataError::TemplateAbsent => {
                Self::new(StatusCode::NOT_FOUND, "instance_tuple_not_found", "Metadata template not found")
            }
            MetadataError::InstanceAbsent => {
                Self::new(StatusCode::NOT_FOUND, "instance_not_found", "Instance of the metadata template not found")
            }
            MetadataError::Exists(what) => Self::new(StatusCode::CONFLICT, "tuple_already_exists", what),
            MetadataError::Schema(what) => Self::bad_request(what).coded("schema_validation_failed"),
            MetadataError::Operation { .. } => Self::bad_request(error.to_string()),
            MetadataError::Definition(what) => Self::bad_request(what),
            MetadataError::Query(what) => Self::bad_request(what).coded("invalid_query"),
            MetadataError::Parameter(what) => Self::bad_request(what).coded("unexpected_json_type"),
        }
    }
}
