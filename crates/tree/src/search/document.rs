//! An item as the index of words has it.

use crate::Error;
use crate::comments::plain_message;
use crate::limits::{INDEXED_COMMENTS_MAX, INDEXED_VERSIONS_MAX, METADATA_INSTANCES_MAX};
use entente_database::items::{Kind, Top, ancestors};
use entente_database::metadata::instances;
use entente_database::{Tx, comments, items, versions};
use entente_model::ItemId;
use entente_search::Document;
use serde_json::Value;

/// An item as it is now; `None` for what nobody finds: what is gone, and what stands on top.
pub(super) fn document(tx: &mut Tx<'_>, id: ItemId) -> Result<Option<Document>, Error> {
    let Some(item) = items::by_id(tx, id)?.filter(|item| item.top == Top::Ordinary) else { return Ok(None) };
    let Some(owner) = ancestors(tx, id)?.last().and_then(|top| top.top_user) else { return Ok(None) };
    let mut updaters = vec![item.modified_by.number()];
    let mut size = 0;
    if let Some(current) = item.version {
        let newest = versions::by_id(tx, current)?;
        size = newest.as_ref().map_or(0, |version| version.size);
        let older = versions::older(tx, id, current, 0, INDEXED_VERSIONS_MAX - 1)?;
        updaters.extend(newest.iter().chain(&older).map(|version| version.created_by.number()));
    }
    updaters.sort_unstable();
    updaters.dedup();
    let comments = if item.comments > 0 { comments::of_item(tx, id, 0, INDEXED_COMMENTS_MAX)? } else { Vec::new() };
    let mut values = Vec::new();
    for instance in instances::of_item(tx, id, METADATA_INSTANCES_MAX)? {
        let stored: Value = serde_json::from_str(&instance.content).map_err(|error| Error::Damaged(error.into()))?;
        texts(&stored, &mut values);
    }
    let name = item.name.as_str();
    let extension = name.rsplit_once('.').filter(|_| item.kind == Kind::File).map(|(_, last)| last.to_lowercase());
    Ok(Some(Document {
        id: id.number(),
        kind: item.kind.number(),
        name: name.to_owned(),
        extension,
        comments: comments.iter().map(plain_message).collect(),
        values,
        content: String::new(),
        owner: owner.number(),
        updaters,
        created: item.created_at.millis(),
        modified: item.modified_at.millis(),
        size: i64::try_from(size).unwrap_or(i64::MAX),
        description: item.description,
        tags: item.tags,
    }))
}

/// The texts within a value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(members) => members.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
