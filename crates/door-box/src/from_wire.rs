//! Box's requests as the tree's: the translation inwards, as far as several handlers share it.

use crate::asked::Asked;
use crate::error::Problem;
use crate::wire::date::DateText;
use crate::wire::id::FromNumber;
use crate::wire::request::{IdText, Reference};
use crate::wire::storage_policy::AssignedTo;
use crate::wire::{id, name};
use entente_model::{Caller, ItemId, ItemName, Timestamp};
use entente_tree::Assignee;
use std::str::FromStr;

/// A name, checked by Box's rules, if one is given.
pub(crate) fn name_given(text: Option<&str>) -> Result<Option<ItemName>, Problem> {
    Ok(text.map(name::parse).transpose()?)
}

/// A name that must be given.
pub(crate) fn name_required(text: Option<&str>) -> Result<ItemName, Problem> {
    name_given(text)?.ok_or_else(|| Problem::missing("name"))
}

/// The folder that a body names, if it names one. `{}` names none.
pub(crate) async fn parent_given(
    asked: &Asked,
    caller: &Caller,
    parent: Option<&Reference>,
) -> Result<Option<ItemId>, Problem> {
    match parent.and_then(|parent| parent.id.as_ref()) {
        Some(id) => folder(asked, caller, id, "parent").await.map(Some),
        None => Ok(None),
    }
}

/// The folder that a body must name.
pub(crate) async fn parent_required(
    asked: &Asked,
    caller: &Caller,
    parent: Option<&Reference>,
) -> Result<ItemId, Problem> {
    parent_given(asked, caller, parent).await?.ok_or_else(|| Problem::missing("parent"))
}

/// The folder with an id that came as the member `member` of a body.
pub(crate) async fn folder(
    asked: &Asked,
    caller: &Caller,
    id: &IdText,
    member: &'static str,
) -> Result<ItemId, Problem> {
    let reference = id.0.parse();
    let reference = reference.map_err(|malformed: id::MalformedId| Problem::invalid(member, malformed.to_string()))?;
    asked.resolve(caller, reference).await
}

/// The id that a body has as the member `member`.
pub(crate) fn referred<I: FromStr + FromNumber>(member: &'static str, id: Option<&IdText>) -> Result<I, Problem> {
    let text = id.ok_or_else(|| Problem::missing(member))?;
    numbered(member, &text.0)
}

/// An id that came as a text, under that name.
pub(crate) fn numbered<I: FromStr + FromNumber>(name: &'static str, text: &str) -> Result<I, Problem> {
    id::parse(text).map_err(|malformed| Problem::invalid(name, malformed.to_string()))
}

pub(crate) fn moment(date: Option<DateText>) -> Option<Timestamp> {
    date.map(|date| date.0)
}

/// Whom a storage policy is assigned to.
pub(crate) fn assignee(assigned_to: AssignedTo) -> Assignee {
    match assigned_to {
        AssignedTo::Enterprise(enterprise) => Assignee::Enterprise(enterprise),
        AssignedTo::User(user) => Assignee::User(user),
    }
}
