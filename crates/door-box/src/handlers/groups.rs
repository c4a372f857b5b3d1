//! Groups.

use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::collection::{Collection, Direction, Order, Page};
use crate::wire::fields::Fields;
use crate::wire::group::{self, GROUP, GROUP_FULL, GroupMini, Level};
use crate::wire::people_request::GroupChange as GroupAsked;
use crate::wire::query::{PageWanted, Query};
use axum::response::Response;
use entente_model::{Caller, GroupId};
use entente_tree::{Error as TreeError, GroupAudience, GroupChange, GroupQuery, GroupView};
use http::StatusCode;
use std::borrow::Cow;

const ORDER: [Order; 1] = [Order { by: "name", direction: Direction::Ascending }];

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    let query = asked.query();
    let (limit, offset) = offset_page(&query)?;
    let text = |name| query.value(name).map(Cow::into_owned).unwrap_or_default();
    let (prefix, external_id) = (text("filter_term"), text("external_sync_identifier"));
    let found = asked.tree().list_groups(&caller, GroupQuery { prefix, external_id, offset, limit }).await?;
    let fields = asked.fields(GROUP);
    let entries: Vec<_> = found.entries.iter().map(|view| shown(&asked, view, fields)).collect();
    let page = Page::Offset { total_count: found.total_count, offset: offset.into(), order: &ORDER };
    Ok(answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page }))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: GroupAsked = asked.json().await?;
    if new.name.is_none() {
        return Err(Problem::missing("name"));
    }
    let made = asked.tree().create_group(&caller, change(new)).await.map_err(of_group)?;
    Ok(answer(&asked, StatusCode::CREATED, &made))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let group = asked.tree().group(&caller, asked.id("group_id")?).await?;
    Ok(answer(&asked, StatusCode::OK, &group))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let group: GroupId = asked.id("group_id")?;
    let change = change(asked.json().await?);
    let changed = asked.tree().update_group(&caller, group, change).await.map_err(of_group)?;
    Ok(answer(&asked, StatusCode::OK, &changed))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().delete_group(&caller, asked.id("group_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// The page of a list that has offsets alone.
pub(super) fn offset_page(query: &Query<'_>) -> Result<(u32, u32), Problem> {
    let PageWanted { limit, from } = query.page()?;
    match from {
        crate::wire::query::From::Offset(offset) => Ok((limit, u32::try_from(offset).unwrap_or(u32::MAX))),
        crate::wire::query::From::Marker(_) => {
            Err(Problem::invalid("usemarker", "this list has no markers; use 'offset'"))
        }
    }
}

/// Box tells of a name that is taken in this way.
fn of_group(error: TreeError) -> Problem {
    match error {
        TreeError::AlreadyExists(_) => {
            let message = "A group with this name already exists";
            Problem::invalid("name", message).with_status(StatusCode::CONFLICT, "conflict")
        }
        other => other.into(),
    }
}

fn change(asked: GroupAsked) -> GroupChange {
    GroupChange {
        name: asked.name,
        description: asked.description,
        provenance: asked.provenance,
        external_id: asked.external_sync_identifier,
        invitability: asked.invitability_level.map(audience),
        viewability: asked.member_viewability_level.map(audience),
    }
}

fn answer(asked: &Asked, status: StatusCode, view: &GroupView) -> Response {
    answer::json(status, &shown(asked, view, asked.fields(GROUP_FULL)))
}

fn shown<'a>(asked: &'a Asked, view: &'a GroupView, fields: Fields) -> group::Group<'a> {
    let group = &view.group;
    group::Group {
        fields,
        mini: GroupMini { id: group.id, name: &group.name },
        created_at: group.created_at,
        modified_at: group.modified_at,
        provenance: &group.provenance,
        external_sync_identifier: &group.external_id,
        description: &group.description,
        invitability: level(group.invitability),
        viewability: level(group.viewability),
        can_invite: view.can_invite,
        zone: asked.look().zone,
    }
}

const fn audience(level: Level) -> GroupAudience {
    match level {
        Level::AdminsOnly => GroupAudience::AdminsOnly,
        Level::AdminsAndMembers => GroupAudience::Members,
        Level::AllManagedUsers => GroupAudience::Everybody,
    }
}

const fn level(audience: GroupAudience) -> Level {
    match audience {
        GroupAudience::AdminsOnly => Level::AdminsOnly,
        GroupAudience::Members => Level::AdminsAndMembers,
        GroupAudience::Everybody => Level::AllManagedUsers,
    }
}
