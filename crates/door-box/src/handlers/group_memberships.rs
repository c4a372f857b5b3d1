//! Who is in which group.

use super::groups::offset_page;
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::from_wire::referred;
use crate::to_wire;
use crate::wire::collection::{Collection, Direction, Order, Page};
use crate::wire::fields::Fields;
use crate::wire::group::{self, GroupMini, MEMBERSHIP, MemberRole};
use crate::wire::people_request::MembershipChange as MembershipAsked;
use axum::response::Response;
use entente_model::{Caller, MembershipId};
use entente_tree::{GroupMembersPage, GroupPermissions, Member, MembershipChange, MembershipRole, NewMembership};
use http::StatusCode;
use std::collections::BTreeMap;

const ORDER: [Order; 1] = [Order { by: "id", direction: Direction::Ascending }];

/// Box's words for what one who administers a group may do besides.
const PERMISSIONS: [(&str, GroupPermissions); 4] = [
    ("can_run_reports", GroupPermissions::RUN_REPORTS),
    ("can_instant_login", GroupPermissions::INSTANT_LOGIN),
    ("can_create_accounts", GroupPermissions::CREATE_ACCOUNTS),
    ("can_edit_accounts", GroupPermissions::EDIT_ACCOUNTS),
];

pub(crate) async fn of_group(asked: Asked, caller: Caller) -> Outcome {
    let (limit, offset) = offset_page(&asked.query())?;
    let page = asked.tree().members_of_group(&caller, asked.id("group_id")?, offset, limit).await?;
    Ok(list(&asked, &page, offset, limit))
}

pub(crate) async fn of_user(asked: Asked, caller: Caller) -> Outcome {
    let (limit, offset) = offset_page(&asked.query())?;
    let page = asked.tree().memberships_of_user(&caller, asked.id("user_id")?, offset, limit).await?;
    Ok(list(&asked, &page, offset, limit))
}

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: MembershipAsked = asked.json().await?;
    let user = new.user.as_ref().ok_or_else(|| Problem::missing("user"))?;
    let group = new.group.as_ref().ok_or_else(|| Problem::missing("group"))?;
    let (user, group) = (referred("user.id", user.id.as_ref())?, referred("group.id", group.id.as_ref())?);
    let permissions = permissions(new.configurable_permissions.as_ref())?;
    let role = new.role.map(stored).unwrap_or_default();
    let made = asked.tree().add_member(&caller, NewMembership { group, user, role, permissions }).await?;
    Ok(answer(&asked, StatusCode::CREATED, &made))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let member = asked.tree().membership(&caller, asked.id("group_membership_id")?).await?;
    Ok(answer(&asked, StatusCode::OK, &member))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let membership: MembershipId = asked.id("group_membership_id")?;
    let new: MembershipAsked = asked.json().await?;
    let permissions = permissions(new.configurable_permissions.as_ref())?;
    let change = MembershipChange { role: new.role.map(stored), permissions };
    let member = asked.tree().update_membership(&caller, membership, change).await?;
    Ok(answer(&asked, StatusCode::OK, &member))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().remove_membership(&caller, asked.id("group_membership_id")?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// What is not named is given; `null` takes all.
fn permissions(asked: Option<&Option<BTreeMap<String, bool>>>) -> Result<Option<GroupPermissions>, Problem> {
    let Some(asked) = asked else { return Ok(None) };
    let Some(named) = asked else { return Ok(Some(GroupPermissions::NONE)) };
    let mut given = GroupPermissions::ALL;
    for (name, given_it) in named {
        let known = PERMISSIONS.iter().find(|(known, _)| known == name);
        let (_, permission) = known.ok_or_else(|| {
            let message = "'configurable_permissions' has a name that is not one of a permission";
            Problem::invalid("configurable_permissions", message)
        })?;
        if !given_it {
            given = given.without(*permission);
        }
    }
    Ok(Some(given))
}

fn answer(asked: &Asked, status: StatusCode, member: &Member) -> Response {
    answer::json(status, &shown(asked, member, asked.fields(MEMBERSHIP)))
}

fn list(asked: &Asked, page: &GroupMembersPage, offset: u32, limit: u32) -> Response {
    let fields = asked.fields(MEMBERSHIP);
    let entries: Vec<_> = page.entries.iter().map(|member| shown(asked, member, fields)).collect();
    let page = Page::Offset { total_count: page.total_count, offset: offset.into(), order: &ORDER };
    answer::json(StatusCode::OK, &Collection { entries, limit: limit.into(), page })
}

fn shown<'a>(asked: &'a Asked, member: &'a Member, fields: Fields) -> group::Membership<'a> {
    let row = &member.membership;
    let permissions = row.permissions.map(|has| PERMISSIONS.iter().map(|(name, one)| (*name, has.has(*one))).collect());
    group::Membership {
        fields,
        id: row.id,
        user: to_wire::mini(&member.user),
        group: GroupMini { id: member.group.id, name: &member.group.name },
        role: match row.role {
            MembershipRole::Member => MemberRole::Member,
            MembershipRole::Admin => MemberRole::Admin,
        },
        permissions,
        created_at: row.created_at,
        modified_at: row.modified_at,
        zone: asked.look().zone,
    }
}

const fn stored(role: MemberRole) -> MembershipRole {
    match role {
        MemberRole::Member => MembershipRole::Member,
        MemberRole::Admin => MembershipRole::Admin,
    }
}
