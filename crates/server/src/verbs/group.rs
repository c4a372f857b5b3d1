//! `entente group`

use super::people::Office;
use crate::cli::{GroupCreateArgs, GroupListArgs, GroupMemberArgs, GroupNamedArgs, GroupVerb};
use crate::exit::{Exit, Failure};
use crate::output::print;
use entente_door_admin::shown;
use entente_tree::{GroupChange, GroupQuery, GroupView, Member, MembershipRole, NewMembership};
use entente_world::World;
use serde_json::{Value, json};

const PAGE: u32 = 1_000;

pub(crate) async fn run(world: &World, verb: GroupVerb) -> Result<Exit, Failure> {
    match verb {
        GroupVerb::Create(arguments) => create(world, arguments).await,
        GroupVerb::List(arguments) => match &arguments.group {
            Some(group) => members(world, &arguments, group).await,
            None => list(world, &arguments).await,
        },
        GroupVerb::Add(arguments) => add(world, &arguments).await,
        GroupVerb::Remove(arguments) => remove(world, &arguments).await,
        GroupVerb::Delete(arguments) => delete(world, &arguments).await,
    }
}

async fn create(world: &World, arguments: GroupCreateArgs) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let new = GroupChange { name: Some(arguments.name), description: arguments.description, ..GroupChange::default() };
    let made = office.tree.create_group(&office.caller, new).await.map_err(anyhow::Error::from)?.group;
    print(office.format, &shown::group(&made), || format!("made group {} ({})", made.id, made.name));
    Ok(Exit::Done)
}

async fn list(world: &World, arguments: &GroupListArgs) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let mut found: Vec<GroupView> = Vec::new();
    loop {
        let offset = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let prefix = arguments.filter.clone().unwrap_or_default();
        let query = GroupQuery { prefix, offset, limit: PAGE, ..GroupQuery::default() };
        let page = office.tree.list_groups(&office.caller, query).await.map_err(anyhow::Error::from)?.entries;
        let last = page.len() < PAGE as usize;
        found.extend(page);
        if last {
            break;
        }
    }
    let value = found.iter().map(|view| shown::group(&view.group)).collect();
    print(office.format, &Value::Array(value), || {
        let line = |view: &GroupView| format!("{:<20} {}", view.group.id, view.group.name);
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

async fn members(world: &World, arguments: &GroupListArgs, group: &str) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let group = office.group(group)?.id;
    let mut found: Vec<Member> = Vec::new();
    loop {
        let offset = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let page = office.tree.members_of_group(&office.caller, group, offset, PAGE).await;
        let page = page.map_err(anyhow::Error::from)?.entries;
        let last = page.len() < PAGE as usize;
        found.extend(page);
        if last {
            break;
        }
    }
    let value = found.iter().map(shown::member).collect();
    print(office.format, &Value::Array(value), || {
        let line = |member: &Member| {
            let role = shown::member_role(member.membership.role);
            format!("{:<20} {role:<6}  {}  {}", member.user.id, member.user.login, member.user.name)
        };
        found.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(Exit::Done)
}

async fn add(world: &World, arguments: &GroupMemberArgs) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let (group, user) = (office.group(&arguments.group)?.id, office.user(&arguments.login)?.id);
    let role = if arguments.admin { MembershipRole::Admin } else { MembershipRole::Member };
    let new = NewMembership { group, user, role, permissions: None };
    let made = office.tree.add_member(&office.caller, new).await.map_err(anyhow::Error::from)?;
    print(office.format, &shown::member(&made), || {
        format!("put {} into the group {}", made.user.login, made.group.name)
    });
    Ok(Exit::Done)
}

async fn remove(world: &World, arguments: &GroupMemberArgs) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let (group, user) = (office.group(&arguments.group)?, office.user(&arguments.login)?);
    let (tree, caller) = (&office.tree, &office.caller);
    let found = match tree.membership_of(caller, group.id, user.id).await {
        Err(entente_tree::Error::NotFound) => {
            return Err(Failure::new(Exit::Failed, format!("{} is not in the group {}", user.login, group.name)));
        }
        found => found.map_err(anyhow::Error::from)?,
    };
    tree.remove_membership(caller, found.membership.id).await.map_err(anyhow::Error::from)?;
    print(office.format, &json!({ "id": found.membership.id.to_string(), "deleted": true }), || {
        format!("took {} out of the group {}", user.login, group.name)
    });
    Ok(Exit::Done)
}

async fn delete(world: &World, arguments: &GroupNamedArgs) -> Result<Exit, Failure> {
    let office = Office::open(world, &arguments.target).await?;
    let group = office.group(&arguments.group)?;
    office.tree.delete_group(&office.caller, group.id).await.map_err(anyhow::Error::from)?;
    print(office.format, &json!({ "id": group.id.to_string(), "deleted": true }), || {
        format!("removed group {} ({})", group.id, group.name)
    });
    Ok(Exit::Done)
}
