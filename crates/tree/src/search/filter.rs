//! What narrows a search down besides words: ranges, and what metadata says.

use crate::limits::{SEARCH_INSTANCES_MAX, SEARCH_METADATA_MAX};
use crate::metadata::{MetadataError, TemplateName, fitting};
use crate::{Caller, Error};
use entente_database::Tx;
use entente_model::ItemId;
use serde_json::{Map, Value};

/// A range; both ends are in it, and each may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within<T> {
    /// From here.
    pub from: Option<T>,
    /// Up to here.
    pub upto: Option<T>,
}

impl<T> Default for Within<T> {
    fn default() -> Self {
        Self { from: None, upto: None }
    }
}

impl<T: Copy + PartialOrd> Within<T> {
    /// Whether everything is in it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.from.is_none() && self.upto.is_none()
    }

    /// Whether something is in it.
    #[must_use]
    pub fn has(&self, value: T) -> bool {
        self.from.is_none_or(|from| from <= value) && self.upto.is_none_or(|upto| value <= upto)
    }

    pub(super) fn ends(&self, number: impl Fn(T) -> i64) -> (Option<i64>, Option<i64>) {
        (self.from.map(&number), self.upto.map(&number))
    }
}

/// What a template has to say of items. A field has a value, one of several, or one between two: `{"gt": .., "lt": ..}`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetadataFilter {
    /// Which template.
    pub template: TemplateName,
    /// By the keys of fields; all of them must hold.
    pub fields: Map<String, Value>,
}

/// The items that fit: of very many, some.
pub(super) fn items(tx: &mut Tx<'_>, caller: &Caller, filter: &MetadataFilter) -> Result<Vec<i64>, Error> {
    let (mut tests, mut parameters) = (Vec::new(), Map::new());
    for (key, value) in &filter.fields {
        if key.contains('"') {
            return Err(MetadataError::Query(format!("the template has no field '{key}'")).into());
        }
        let mut test = |compare: &str, value: &Value| {
            let name = format!("p{}", parameters.len());
            tests.push(format!("\"{key}\" {compare} :{name}"));
            parameters.insert(name, value.clone());
        };
        match value {
            Value::String(_) | Value::Number(_) => test("=", value),
            Value::Object(range) if range.keys().all(|end| end == "gt" || end == "lt") => {
                for (end, compare) in [("gt", ">="), ("lt", "<=")] {
                    if let Some(value) = range.get(end) {
                        test(compare, value);
                    }
                }
            }
            Value::Array(values) if !values.is_empty() => {
                let mut names = Vec::new();
                for value in values {
                    let name = format!("p{}", parameters.len());
                    names.push(format!(":{name}"));
                    parameters.insert(name, value.clone());
                }
                tests.push(format!("\"{key}\" IN ({})", names.join(", ")));
            }
            _ => {
                let message = format!("'{key}' has to be a value, a list of values, or an object with 'gt' and 'lt'");
                return Err(MetadataError::Query(message).into());
            }
        }
    }
    let text = tests.join(" AND ");
    let text = Some(text.as_str()).filter(|text| !text.is_empty());
    let bounds = (SEARCH_METADATA_MAX, SEARCH_INSTANCES_MAX);
    let found = fitting(tx, caller, &filter.template, (text, &parameters), bounds)?;
    Ok(found.into_iter().map(ItemId::number).collect())
}
