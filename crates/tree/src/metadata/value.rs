//! The values of an instance: checked against their template, stored by numbers, and shown by keys again.

use super::cards;
use super::template::{Field, FieldKind, PROPERTIES, SKILL_CARDS, Scope, Template};
use super::{MetadataError, moment_millis};
use crate::Error;
use crate::limits::{METADATA_INSTANCE_BYTES_MAX, METADATA_SELECTED_MAX, METADATA_TEXT_BYTES_MAX, METADATA_VALUES_MAX};
use entente_database::Tx;
use entente_database::metadata::taxonomies;
use entente_database::metadata::values::{Indexed, IndexedValue};
use entente_model::TaxonomyNodeId;
use serde_json::{Map, Value};

/// Values by the keys of their fields.
pub type Values = Map<String, Value>;

/// Values as they are stored.
pub(super) struct Encoded {
    pub(super) content: String,
    pub(super) indexed: Vec<IndexedValue>,
}

/// Checks values against their template. `Schema` says what does not fit. Values of a taxonomy that were there `before` may
/// be gone since.
pub(super) fn encode(tx: &mut Tx<'_>, template: &Template, values: &Values, before: &Values) -> Result<Encoded, Error> {
    let bytes = serde_json::to_string(values).map_err(|error| Error::Internal(error.into()))?.len();
    if bytes > METADATA_INSTANCE_BYTES_MAX {
        return Err(schema(format!("the values have more than {METADATA_INSTANCE_BYTES_MAX} bytes")));
    }
    if template.scope == Scope::Global {
        check_global(template, values)?;
        let content = serde_json::to_string(values).map_err(|error| Error::Internal(error.into()))?;
        return Ok(Encoded { content, indexed: Vec::new() });
    }
    let (mut stored, mut indexed) = (Map::new(), Vec::new());
    for (key, value) in values {
        let Some(field) = template.field(key) else {
            return Err(schema(format!("the template has no field '{key}'")));
        };
        let (kept, found) = encode_one(tx, field, value, before.get(key))?;
        stored.insert(field.number.to_string(), kept);
        indexed.extend((0..).zip(found).map(|(place, value)| IndexedValue { field: field.number, place, value }));
    }
    if indexed.len() > METADATA_VALUES_MAX {
        return Err(schema(format!("there are more than {METADATA_VALUES_MAX} values")));
    }
    let content = serde_json::to_string(&stored).map_err(|error| Error::Internal(error.into()))?;
    Ok(Encoded { content, indexed })
}

/// What is shown of stored values. Those of fields and options that are gone are not.
pub(super) fn decode(template: &Template, content: &str) -> Result<Values, Error> {
    let stored: Values = serde_json::from_str(content).map_err(|error| Error::Damaged(error.into()))?;
    if template.scope == Scope::Global {
        return Ok(stored);
    }
    let mut values = Map::new();
    for field in &template.fields {
        if let Some(value) = stored.get(&field.number.to_string()).and_then(|value| shown(field, value)) {
            values.insert(field.key.clone(), value);
        }
    }
    Ok(values)
}

fn check_global(template: &Template, values: &Values) -> Result<(), Error> {
    if template.id == SKILL_CARDS {
        return cards::check(values).map_err(schema);
    }
    debug_assert_eq!(template.id, PROPERTIES);
    for (key, value) in values {
        if key.is_empty() || key.starts_with('$') || key.len() > METADATA_TEXT_BYTES_MAX {
            return Err(schema("a key is not empty, not too long, and does not begin with '$'".to_owned()));
        }
        check_string(key, value)?;
    }
    Ok(())
}

fn encode_one(
    tx: &mut Tx<'_>,
    field: &Field,
    value: &Value,
    before: Option<&Value>,
) -> Result<(Value, Vec<Indexed>), Error> {
    let key = &field.key;
    match field.kind {
        FieldKind::String => {
            let text = check_string(key, value)?;
            Ok((value.clone(), vec![Indexed::text(text)]))
        }
        FieldKind::Float => {
            let number = value.as_f64().filter(|number| number.is_finite());
            let number = number.ok_or_else(|| schema(format!("'{key}' must be a number")))?;
            Ok((value.clone(), vec![Indexed::float(number)]))
        }
        FieldKind::Integer => {
            let number = value.as_i64().ok_or_else(|| schema(format!("'{key}' must be a whole number")))?;
            Ok((value.clone(), vec![Indexed::Number(number)]))
        }
        FieldKind::Date => {
            let millis = value.as_str().and_then(moment_millis);
            let millis = millis.ok_or_else(|| schema(format!("'{key}' must be a date and time as in RFC 3339")))?;
            Ok((value.clone(), vec![Indexed::Number(millis)]))
        }
        FieldKind::Enum => {
            let option = value.as_str().and_then(|text| field.option(text));
            let option = option.ok_or_else(|| schema(format!("'{key}' must be one of the field's options")))?;
            Ok((option.number.into(), vec![Indexed::Number(option.number.into())]))
        }
        FieldKind::MultiSelect => {
            let wrong = || schema(format!("'{key}' must be a list of the field's options, each once"));
            let selected = value.as_array().ok_or_else(wrong)?;
            let mut numbers: Vec<u32> = Vec::with_capacity(selected.len());
            for one in selected {
                let option = one.as_str().and_then(|text| field.option(text)).ok_or_else(wrong)?;
                if numbers.contains(&option.number) || numbers.len() >= METADATA_SELECTED_MAX {
                    return Err(wrong());
                }
                numbers.push(option.number);
            }
            let indexed = numbers.iter().map(|number| Indexed::Number((*number).into())).collect();
            Ok((numbers.into(), indexed))
        }
        FieldKind::Taxonomy => encode_nodes(tx, field, value, before),
    }
}

fn encode_nodes(
    tx: &mut Tx<'_>,
    field: &Field,
    value: &Value,
    before: Option<&Value>,
) -> Result<(Value, Vec<Indexed>), Error> {
    let were_there = |id: &Value| before.and_then(Value::as_array).is_some_and(|before| before.contains(id));
    let key = &field.key;
    let wrong = || schema(format!("'{key}' must be a list of ids of nodes that the field takes, each once"));
    let taxonomy = field.taxonomy.as_ref().ok_or(Error::internal("a taxonomy field without a taxonomy"))?;
    let one = std::slice::from_ref(value);
    let given = if value.is_string() { one } else { value.as_array().ok_or_else(wrong)? };
    let max = if taxonomy.multi_select { METADATA_SELECTED_MAX } else { 1 };
    if given.is_empty() || given.len() > max {
        return Err(wrong());
    }
    let mut numbers: Vec<i64> = Vec::with_capacity(given.len());
    for id in given {
        let was_there = were_there(id);
        let id: TaxonomyNodeId = id.as_str().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
        let node = taxonomies::node(tx, id)?.filter(|node| {
            Some(node.taxonomy) == taxonomy.taxonomy
                && (taxonomy.levels.is_empty() || taxonomy.levels.contains(&node.level))
        });
        if (node.is_none() && !was_there) || numbers.contains(&id.number()) {
            return Err(wrong());
        }
        numbers.push(id.number());
    }
    let indexed = numbers.iter().map(|number| Indexed::Number(*number)).collect();
    Ok((numbers.into(), indexed))
}

fn check_string<'v>(key: &str, value: &'v Value) -> Result<&'v str, Error> {
    let text = value.as_str().ok_or_else(|| schema(format!("'{key}' must be a text")))?;
    if text.len() > METADATA_TEXT_BYTES_MAX {
        return Err(schema(format!("'{key}' has more than {METADATA_TEXT_BYTES_MAX} bytes")));
    }
    // PostgreSQL keeps no text with this letter, and no other engine is to be more liberal.
    if text.contains('\0') { Err(schema(format!("'{key}' has a letter of code 0"))) } else { Ok(text) }
}

/// A stored value as it is shown; `None` when nothing of it is left.
fn shown(field: &Field, value: &Value) -> Option<Value> {
    let option = |number: &Value| {
        let number = number.as_u64()?;
        let option = field.options.iter().find(|option| u64::from(option.number) == number)?;
        Some(Value::String(option.key.clone()))
    };
    match field.kind {
        FieldKind::String | FieldKind::Float | FieldKind::Integer | FieldKind::Date => Some(value.clone()),
        FieldKind::Enum => option(value),
        FieldKind::MultiSelect => {
            let shown: Vec<Value> = value.as_array()?.iter().filter_map(option).collect();
            (!shown.is_empty()).then(|| shown.into())
        }
        FieldKind::Taxonomy => {
            let id = |number: &Value| number.as_i64().map(|number| Value::String(number.to_string()));
            Some(value.as_array()?.iter().filter_map(id).collect())
        }
    }
}

fn schema(what: String) -> Error {
    MetadataError::Schema(what).into()
}
