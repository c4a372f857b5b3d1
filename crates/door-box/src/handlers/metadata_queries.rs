//! Queries of metadata.

use super::metadata_shapes::{body, instance, scope_named};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::to_wire::Look;
use crate::wire::fields::Fields;
use crate::wire::metadata::{Instance, OrderBody, QueryBody, QueryResults};
use entente_model::{Caller, ItemId};
use entente_tree::SortOrder;
use entente_tree::limits::{QUERY_PAGE_MAX, QUERY_SHOWN_MAX};
use entente_tree::metadata::{Found, MetadataError, Query, Sort, TemplateName};
use http::StatusCode;
use serde_json::{Map, Value};

/// What of an item's metadata is to be shown: of a template, which fields.
struct Shown {
    name: TemplateName,
    fields: Vec<String>,
}

pub(crate) async fn execute(mut asked: Asked, caller: Caller) -> Outcome {
    let wanted: QueryBody = body(&mut asked).await?;
    let from = wanted.from.ok_or_else(|| Problem::missing("from"))?;
    let ancestor = wanted.ancestor_folder_id.ok_or_else(|| Problem::missing("ancestor_folder_id"))?;
    let ancestor = folder(&ancestor.0)?;
    let limit = match wanted.limit {
        None => QUERY_PAGE_MAX,
        Some(limit) => u32::try_from(limit)
            .ok()
            .filter(|limit| *limit <= QUERY_PAGE_MAX)
            .ok_or_else(|| Problem::invalid("limit", format!("'limit' must be a number from 0 to {QUERY_PAGE_MAX}")))?,
    };
    let (scope, key) =
        from.split_once('.').ok_or_else(|| invalid("'from' must be a scope, a dot, and a template's key"))?;
    let sort = sort(wanted.order_by.unwrap_or_default())?;
    let names = wanted.fields.unwrap_or_default();
    let (fields, shown) = fields(&caller, &names)?;
    let query = Query {
        from: TemplateName { scope: scope_named(&caller, scope)?, key: key.to_owned() },
        text: wanted.query,
        parameters: wanted.query_params.unwrap_or_default(),
        ancestor,
        sort,
        show: shown.iter().map(|shown| shown.name.clone()).collect(),
        marker: wanted.marker.filter(|marker| !marker.is_empty()),
        limit,
    };
    let page = asked.tree().query_metadata(&caller, query).await?;
    let look = asked.look();
    let entries = page.entries.iter().map(|found| entry(&look, found, fields, &shown)).collect::<Result<_, _>>()?;
    Ok(answer::json(StatusCode::OK, &QueryResults { entries, limit, next_marker: page.next }))
}

/// An order, if there is to be one.
fn sort(wanted: Vec<OrderBody>) -> Result<Option<Sort>, Problem> {
    let mut sort: Option<Sort> = None;
    for OrderBody { field_key, direction } in wanted {
        let field = field_key.ok_or_else(|| Problem::missing("order_by.field_key"))?;
        let order = match direction.as_deref().map(str::to_ascii_lowercase).as_deref() {
            None | Some("asc") => SortOrder::Ascending,
            Some("desc") => SortOrder::Descending,
            Some(_) => return Err(invalid("a 'direction' must be 'asc' or 'desc'")),
        };
        match &mut sort {
            None => sort = Some(Sort { fields: vec![field], order }),
            Some(sort) if sort.order == order => sort.fields.push(field),
            Some(_) => return Err(invalid("every 'direction' must be the same")),
        }
    }
    Ok(sort)
}

/// The folder; none for everywhere.
fn folder(text: &str) -> Result<Option<ItemId>, Problem> {
    if text == "0" {
        return Ok(None);
    }
    let malformed = |_| Problem::invalid("ancestor_folder_id", "'ancestor_folder_id' must be the id of a folder");
    crate::wire::id::parse(text).map(Some).map_err(malformed)
}

/// Which members of items, and which metadata.
fn fields(caller: &Caller, names: &[String]) -> Result<(Fields, Vec<Shown>), Problem> {
    let (metadata, members): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| name.starts_with("metadata."));
    let members = members.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",");
    let mut shown: Vec<Shown> = Vec::new();
    for text in metadata {
        let mut parts = text.splitn(4, '.').skip(1);
        let (Some(scope), Some(key)) = (parts.next(), parts.next()) else {
            return Err(invalid("of metadata, 'fields' names a scope, a template, and perhaps a field"));
        };
        let name = TemplateName { scope: scope_named(caller, scope)?, key: key.to_owned() };
        let field = parts.next().map(str::to_owned);
        match shown.iter_mut().find(|shown| shown.name == name) {
            Some(shown) => shown.fields.extend(field),
            None => shown.push(Shown { name, fields: field.into_iter().collect() }),
        }
    }
    if shown.len() > QUERY_SHOWN_MAX {
        return Err(invalid("'fields' names too many templates"));
    }
    Ok((Fields::parse(&members).unwrap_or(Fields::ALWAYS), shown))
}

/// An item as it is shown, with its metadata as a member of scopes, and these of templates.
fn entry(look: &Look<'_>, found: &Found, fields: Fields, shown: &[Shown]) -> Result<Value, Problem> {
    let unwritable = |error: serde_json::Error| Problem::from(entente_tree::Error::Internal(error.into()));
    let mut item = look.item(&found.item, fields, |item| serde_json::to_value(item)).map_err(unwritable)?;
    let mut scopes = Map::new();
    for one in &found.metadata {
        let Some(shown) = shown.iter().find(|shown| shown.name == one.template.name()) else { continue };
        let view = Instance { only: Some(&shown.fields), ..instance(one) };
        let value = serde_json::to_value(&view).map_err(unwritable)?;
        let scope = scopes.entry(view.scope.to_string()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(templates) = scope {
            templates.insert(view.template.to_owned(), value);
        }
    }
    if let (Value::Object(members), false) = (&mut item, shown.is_empty()) {
        members.insert("metadata".to_owned(), Value::Object(scopes));
    }
    Ok(item)
}

fn invalid(what: &str) -> Problem {
    MetadataError::Query(what.to_owned()).into()
}
