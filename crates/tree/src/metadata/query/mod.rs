//! Queries: which items have values such as these.
//!
//! What a query says is never part of a statement: an index over one field narrows down what can match, every instance
//! found so is judged here, and what the caller may not see is left out. A request looks at a bounded number of instances,
//! and says where the next goes on: a page may be short, even empty, and not be the last.

mod judge;
mod parse;
mod ties;

use super::instances::view;
use super::template::{Field, FieldKind, Scope, Template, TemplateName};
use super::templates::find;
use super::{Instance, MetadataError};
use crate::grant::{Grant, See};
use crate::limits::{QUERY_LOOKED_AT_MAX, QUERY_PAGE_MAX, QUERY_SORTS_MAX};
use crate::view::{row, view_row};
use crate::{Caller, Error, ItemView, Tree, allow};
use data_encoding::BASE64URL_NOPAD;
use entente_database::Tx;
use entente_database::metadata::instances::{self, InstanceRow};
use entente_database::metadata::values::{self, Along, Indexed, Span};
use entente_model::ItemId;
use judge::{Condition, ends};
use serde_json::{Map, Value};

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Of what is said by which template.
    pub from: TemplateName,
    /// Which of it; all if it does not say. `parse` describes the language.
    pub text: Option<String>,
    /// What the parameters are that the text names.
    pub parameters: Map<String, Value>,
    /// Of items in which folder, at any depth; everywhere if it does not say.
    pub ancestor: Option<ItemId>,
    /// In the order of which fields; items without the first come last. In order of items if it does not say.
    pub sort: Option<Sort>,
    /// Which metadata to show of each item.
    pub show: Vec<TemplateName>,
    /// From where on, as an earlier page said.
    pub marker: Option<String>,
    /// At most so many, and `limits::QUERY_PAGE_MAX`.
    pub limit: u32,
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sort {
    /// The keys of fields, at most `limits::QUERY_SORTS_MAX`: items that are alike in the first go by the next, as long as not
    /// very many are.
    pub fields: Vec<String>,
    /// Which way.
    pub order: crate::SortOrder,
}

/// An item that a query has found.
#[derive(Debug, Clone)]
pub struct Found {
    /// It.
    pub item: ItemView,
    /// What is said of it, as far as it was to be shown.
    pub metadata: Vec<Instance>,
}

/// A page of what a query has found.
#[derive(Debug, Clone)]
pub struct FoundPage {
    /// Them.
    pub entries: Vec<Found>,
    /// From where on the next page goes; `None` at the end.
    pub next: Option<String>,
}

impl Tree {
    /// Finds items by what is said of them. `Query` and `Parameter` say what is wrong with the query; `InstanceAbsent` when
    /// there is no such template; `NotFound` and `Trashed` speak of the folder.
    pub async fn query_metadata(&self, caller: &Caller, query: Query) -> Result<FoundPage, Error> {
        let caller = caller.clone();
        self.database.read_long(move |tx| run(tx, &caller, &query)).await
    }
}

fn run(tx: &mut Tx<'_>, caller: &Caller, query: &Query) -> Result<FoundPage, Error> {
    let template = find(tx, caller, &query.from).map_err(|error| match error {
        Error::Metadata(MetadataError::TemplateAbsent) => MetadataError::InstanceAbsent.into(),
        other => other,
    })?;
    if template.scope == Scope::Global {
        return Err(MetadataError::Query("the global templates cannot be queried".to_owned()).into());
    }
    if let Some(folder) = query.ancestor {
        allow::<See>(tx, caller, folder)?.of(crate::Kind::Folder)?;
    }
    let text = query.text.as_deref().filter(|text| !text.trim().is_empty());
    let condition = text.map(|text| judge::bind(&parse::parse(text)?, &template, &query.parameters)).transpose()?;
    let mut walk = Walk::begin(&template, condition.as_ref(), query)?;
    if let Some(sort) = query.sort.as_ref().filter(|sort| sort.fields.len() > 1) {
        return ties::run(tx, caller, (query, sort), &template, (condition.as_ref(), walk));
    }
    let limit = query.limit.min(QUERY_PAGE_MAX) as usize;
    let (mut entries, mut left) = (Vec::new(), QUERY_LOOKED_AT_MAX);
    while entries.len() < limit && left > 0 {
        let batch = walk.read(tx, template.id, left.min(BATCH))?;
        if batch.is_empty() {
            if walk.goes_on() {
                continue;
            }
            return Ok(FoundPage { entries, next: None });
        }
        for (at, instance) in batch {
            if entries.len() >= limit {
                return Ok(FoundPage { entries, next: Some(walk.marker()) });
            }
            left = left.saturating_sub(1);
            walk.at(at);
            let Some(instance) = instance else { continue };
            let stored: Map<String, Value> =
                serde_json::from_str(&instance.content).map_err(|error| Error::Damaged(error.into()))?;
            if !walk.wants(&stored, condition.as_ref()) {
                continue;
            }
            if let Some(grant) = seen(tx, caller, instance.item, query.ancestor)? {
                entries.push(show(tx, caller, &grant, query)?);
            }
        }
    }
    // A page that asks for nothing says no more than that there may be something.
    Ok(FoundPage { entries, next: Some(walk.marker()) })
}

/// Up to `most` items whose metadata by a template fit a query, of the first `looked` that there are. `Query` and `Parameter` say
/// what is wrong with the query; `InstanceAbsent` when there is no such template.
pub(crate) fn fitting(
    tx: &mut Tx<'_>,
    caller: &Caller,
    name: &TemplateName,
    (text, parameters): (Option<&str>, &Map<String, Value>),
    (most, looked): (usize, usize),
) -> Result<Vec<ItemId>, Error> {
    let template = find(tx, caller, name)?;
    let condition = text.map(|text| judge::bind(&parse::parse(text)?, &template, parameters)).transpose()?;
    let (mut found, mut after, mut left) = (Vec::new(), None, looked);
    loop {
        let batch = instances::of_template(tx, template.id, after, BATCH)?;
        left = left.saturating_sub(batch.len());
        let is_all = batch.len() < BATCH as usize || left == 0;
        after = batch.last().map(|row| row.item);
        for instance in batch {
            let stored: Map<String, Value> =
                serde_json::from_str(&instance.content).map_err(|error| Error::Damaged(error.into()))?;
            if condition.as_ref().is_none_or(|condition| condition.holds(&stored) == Some(true)) {
                found.push(instance.item);
            }
        }
        if is_all || found.len() >= most {
            found.truncate(most);
            return Ok(found);
        }
    }
}

/// How many instances are read at a time.
const BATCH: u32 = 200;

/// Where a query is among the instances of its template.
struct Walk {
    /// Along which field, if along one, between which values.
    along: Option<(u32, Span, Along)>,
    /// After which value and item of it.
    after: Option<(Indexed, ItemId)>,
    /// Whether instances without the field come afterwards.
    then_rest: bool,
    /// The field whose instances are left out, once those come.
    is_rest_of: Option<u32>,
    /// After which item, where it goes along no field.
    after_item: Option<ItemId>,
    /// How many that are alike have been shown already.
    skip: usize,
}

type Candidate = ((Option<Indexed>, ItemId), Option<InstanceRow>);

impl Walk {
    fn begin(template: &Template, condition: Option<&Condition>, query: &Query) -> Result<Self, MetadataError> {
        let span = condition.and_then(Condition::span);
        let mut walk = Self { along: None, after: None, then_rest: false, is_rest_of: None, after_item: None, skip: 0 };
        if let Some(sort) = &query.sort {
            let fields = sort.fields.iter().map(|key| sortable(template, key)).collect::<Result<Vec<_>, _>>()?;
            let wrong = || MetadataError::Query(format!("a query is ordered by 1 to {QUERY_SORTS_MAX} fields"));
            let field = fields.first().filter(|_| fields.len() <= QUERY_SORTS_MAX).ok_or_else(wrong)?;
            let (from, upto) = ends(field.kind);
            let narrowed = span.filter(|(number, _)| *number == field.number).map(|(_, span)| span);
            // What is only between values of a field has the field.
            walk.then_rest = narrowed.is_none();
            let along = match sort.order {
                crate::SortOrder::Ascending => Along::Upwards,
                crate::SortOrder::Descending => Along::Downwards,
            };
            walk.along = Some((field.number, narrowed.unwrap_or(Span { from, upto }), along));
        } else if let Some((field, span)) = span {
            walk.along = Some((field, span, Along::Upwards));
        }
        match query.marker.as_deref() {
            None => Ok(walk),
            Some(marker) => {
                let wrong = || MetadataError::Query("the marker is not one that a query gave".to_owned());
                walk.go_to(marker).ok_or_else(wrong)
            }
        }
    }

    /// The next candidates, with their instances; none when there are no more of this kind.
    fn read(
        &mut self,
        tx: &mut Tx<'_>,
        template: entente_model::TemplateId,
        limit: u32,
    ) -> Result<Vec<Candidate>, Error> {
        if let Some((field, span, along)) = &self.along {
            let found = values::within(tx, (template, *field), span, (*along, self.after.as_ref()), limit)?;
            let mut candidates = Vec::with_capacity(found.len());
            for (value, item) in found {
                let instance = instances::by_template(tx, item, template)?;
                candidates.push(((Some(value), item), instance));
            }
            return Ok(candidates);
        }
        let found = instances::of_template(tx, template, self.after_item, limit)?;
        Ok(found.into_iter().map(|row| ((None, row.item), Some(row))).collect())
    }

    /// Whether there is something else to look at, now that there is nothing more of this kind.
    fn goes_on(&mut self) -> bool {
        match self.along.take() {
            Some((field, ..)) if self.then_rest => {
                (self.is_rest_of, self.after) = (Some(field), None);
                true
            }
            _ => false,
        }
    }

    /// Whether stored values are what is asked for.
    fn wants(&self, stored: &Map<String, Value>, condition: Option<&Condition>) -> bool {
        let is_seen = self.is_rest_of.is_some_and(|field| stored.contains_key(&field.to_string()));
        !is_seen && condition.is_none_or(|condition| condition.holds(stored) == Some(true))
    }

    fn at(&mut self, (value, item): (Option<Indexed>, ItemId)) {
        match value {
            Some(value) => self.after = Some((value, item)),
            None => self.after_item = Some(item),
        }
    }

    fn marker(&self) -> String {
        BASE64URL_NOPAD.encode(self.text().as_bytes())
    }

    fn text(&self) -> String {
        match (&self.after, self.after_item) {
            (Some((Indexed::Number(number), item)), _) => format!("n {item} {number}"),
            (Some((Indexed::Text(text), item)), _) => format!("t {item} {text}"),
            (None, Some(item)) => format!("i {item} "),
            (None, None) if self.is_rest_of.is_some() => "r 0 ".to_owned(),
            (None, None) => "b 0 ".to_owned(),
        }
    }

    /// The walk from a place on that [`Walk::marker`] gave.
    fn go_to(mut self, marker: &str) -> Option<Self> {
        if marker.len() > MARKER_BYTES_MAX {
            return None;
        }
        let text = String::from_utf8(BASE64URL_NOPAD.decode(marker.as_bytes()).ok()?).ok()?;
        let text = match text.strip_prefix('g') {
            Some(grouped) => {
                let (skip, text) = grouped.split_once(' ')?;
                self.skip = skip.parse().ok()?;
                text
            }
            None => &text,
        };
        let mut parts = text.splitn(3, ' ');
        let (form, item, value) = (parts.next()?, parts.next()?, parts.next()?);
        let is_text = matches!(&self.along, Some((_, Span { from: Indexed::Text(_), .. }, _)));
        match form {
            "b" => {}
            "n" if self.along.is_some() && !is_text => {
                self.after = Some((Indexed::Number(value.parse().ok()?), item.parse().ok()?));
            }
            "t" if is_text && !value.contains('\0') => {
                self.after = Some((Indexed::Text(value.to_owned()), item.parse().ok()?));
            }
            "i" | "r" => {
                if self.along.is_some() && !self.goes_on() {
                    return None;
                }
                self.after_item = if form == "i" { Some(item.parse().ok()?) } else { None };
            }
            _ => return None,
        }
        Some(self)
    }
}

/// A field that items can be ordered by.
fn sortable<'t>(template: &'t Template, key: &str) -> Result<&'t Field, MetadataError> {
    let field =
        template.field(key).ok_or_else(|| MetadataError::Query(format!("the template has no field '{key}'")))?;
    if matches!(field.kind, FieldKind::MultiSelect | FieldKind::Taxonomy) {
        return Err(MetadataError::Query(format!("the values of '{key}' have no order")));
    }
    Ok(field)
}

/// Longer than any marker.
const MARKER_BYTES_MAX: usize = 1_024;

/// The caller's grant of an item that is below the folder, if they may see it.
fn seen(tx: &mut Tx<'_>, caller: &Caller, item: ItemId, ancestor: Option<ItemId>) -> Result<Option<Grant<See>>, Error> {
    match allow::<See>(tx, caller, item) {
        Ok(grant) => Ok(Some(grant).filter(|grant| ancestor.is_none_or(|folder| grant.is_within(folder)))),
        Err(Error::NotFound | Error::Trashed | Error::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

fn show(tx: &mut Tx<'_>, caller: &Caller, grant: &Grant<See>, query: &Query) -> Result<Found, Error> {
    let item = row(tx, grant)?;
    let item = view_row(tx, grant, item)?;
    let mut metadata = Vec::new();
    for name in &query.show {
        let template = match find(tx, caller, name) {
            Ok(template) => template,
            Err(Error::Metadata(MetadataError::TemplateAbsent)) => continue,
            Err(error) => return Err(error),
        };
        if let Some(found) = instances::by_template(tx, item.item.id, template.id)? {
            metadata.push(view(caller, grant, template, &found)?);
        }
    }
    Ok(Found { item, metadata })
}
