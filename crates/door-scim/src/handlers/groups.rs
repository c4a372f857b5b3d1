//! Groups, and who is in them.

use crate::door::{Answer, Asked, Desk, Outcome};
use crate::error::Problem;
use crate::filter::{self, Condition};
use crate::handlers::users::check_schema;
use crate::patch::{self, Operation, Target, Verb};
use crate::wire::groups::{SCHEMA, encode, members, user, whole};
use crate::wire::{Page, RESULTS_MAX, chosen, list as encode_list, text};
use entente_model::{GroupId, UserId, fold};
use entente_tree::{Error, Group, GroupChange, GroupQuery};
use http::StatusCode;
use serde_json::Value;

/// Members that are shown of one group.
const SHOWN_MAX: usize = 10_000;
/// Members that are looked at to tell who is not in the group any more.
const COMPARED_MAX: usize = 100_000;

/// Groups without their members: those are shown with one group.
pub(crate) async fn list(desk: Desk, asked: Asked) -> Outcome {
    let page = Page::read(asked.parameter("startIndex"), asked.parameter("count"))?;
    let (groups, total) = match asked.parameter("filter") {
        None => {
            let query = GroupQuery { offset: page.offset(), limit: page.count, ..GroupQuery::default() };
            let found = desk.tree.list_groups(&desk.caller, query).await?;
            (found.entries.into_iter().map(|view| view.group).collect(), found.total_count)
        }
        Some(text) => found(&desk, &filter::parse(text)?, page).await?,
    };
    let shown = groups.iter().map(|group| {
        let mut resource = encode(group, None, &desk.base);
        chosen(&mut resource, asked.parameter("attributes"), asked.parameter("excludedAttributes"));
        resource
    });
    Ok(Answer::ok(encode_list(&shown.collect::<Vec<_>>(), total, page)))
}

async fn found(desk: &Desk, conditions: &[Condition], page: Page) -> Result<(Vec<Group>, u64), Problem> {
    let about = |path: &str| conditions.iter().find(|condition| condition.path == path).and_then(Condition::text);
    let candidates: Vec<Group> = if let Some(id) = about("id") {
        match id.parse::<GroupId>() {
            Ok(id) => match desk.tree.group(&desk.caller, id).await {
                Ok(view) => vec![view.group],
                Err(Error::NotFound) => Vec::new(),
                Err(error) => return Err(error.into()),
            },
            Err(_) => Vec::new(),
        }
    } else if let Some(name) = about("displayname") {
        desk.tree.group_by_name(&desk.caller, name).await?.into_iter().collect()
    } else if let Some(external_id) = about("externalid").filter(|text| !text.is_empty()) {
        let query = GroupQuery { external_id: external_id.to_owned(), limit: RESULTS_MAX, ..GroupQuery::default() };
        let found = desk.tree.list_groups(&desk.caller, query).await?;
        found.entries.into_iter().map(|view| view.group).collect()
    } else {
        let detail = "groups are found by id, displayName or externalId";
        return Err(Problem::Invalid("invalidFilter", detail.to_owned()));
    };
    let mut groups = Vec::new();
    for group in candidates {
        let mut meets = true;
        for Condition { path, value } in conditions {
            meets &= match path.as_str() {
                "id" => value.as_str() == Some(group.id.to_string().as_str()),
                "displayname" => value.as_str().is_some_and(|value| fold(value) == fold(&group.name)),
                "externalid" => value.as_str() == Some(group.external_id.as_str()),
                _ => {
                    let detail = "groups are not found by this attribute".to_owned();
                    return Err(Problem::Invalid("invalidFilter", detail));
                }
            };
        }
        if meets {
            groups.push(group);
        }
    }
    let total = u64::try_from(groups.len()).unwrap_or(u64::MAX);
    let rest = groups.into_iter().skip(page.offset() as usize).take(page.count as usize);
    Ok((rest.collect(), total))
}

pub(crate) async fn show(desk: Desk, asked: Asked) -> Outcome {
    let id = id(&asked.id)?;
    let group = desk.tree.group(&desk.caller, id).await?.group;
    let mut resource = shown(&desk, &group).await?;
    chosen(&mut resource, asked.parameter("attributes"), asked.parameter("excludedAttributes"));
    Ok(Answer::ok(resource))
}

/// A group with its members, unless there are more than are shown.
async fn shown(desk: &Desk, group: &Group) -> Result<Value, Problem> {
    let members = everybody(desk, group.id, SHOWN_MAX).await?;
    Ok(encode(group, members.as_deref(), &desk.base))
}

/// Everybody in a group; `None` when they are more than `most`.
async fn everybody(desk: &Desk, group: GroupId, most: usize) -> Result<Option<Vec<UserId>>, Problem> {
    let (mut users, mut after) = (Vec::new(), None);
    loop {
        let page = desk.tree.member_ids(&desk.caller, group, after).await?;
        users.extend(page.users);
        if users.len() > most {
            return Ok(None);
        }
        after = page.next;
        if after.is_none() {
            return Ok(Some(users));
        }
    }
}

pub(crate) async fn create(desk: Desk, asked: Asked) -> Outcome {
    make(&desk, &asked.json().await?).await
}

pub(crate) async fn make(desk: &Desk, body: &Value) -> Outcome {
    check_schema(body, SCHEMA)?;
    let (change, members) = whole(body)?;
    let group = desk.tree.create_group(&desk.caller, change).await?.group;
    if let Err(error) = desk.tree.add_members(&desk.caller, group.id, &members).await {
        // Nothing half done: whoever asks again would find the name taken.
        desk.tree.delete_group(&desk.caller, group.id).await?;
        return Err(error.into());
    }
    let body = encode(&group, Some(&members), &desk.base);
    let location = Some(format!("{}/Groups/{}", desk.base, group.id));
    Ok(Answer { status: StatusCode::CREATED, location, body: Some(body) })
}

pub(crate) async fn replace(desk: Desk, asked: Asked) -> Outcome {
    let id = id(&asked.id)?;
    put(&desk, id, &asked.json().await?).await
}

pub(crate) async fn put(desk: &Desk, id: GroupId, body: &Value) -> Outcome {
    check_schema(body, SCHEMA)?;
    let (change, members) = whole(body)?;
    // Members first: whoever is named and does not exist is found before anything is renamed.
    set_members(desk, id, &members).await?;
    let group = desk.tree.update_group(&desk.caller, id, change).await?.group;
    Ok(Answer::ok(shown(desk, &group).await?))
}

async fn set_members(desk: &Desk, id: GroupId, members: &[UserId]) -> Result<(), Problem> {
    let before = everybody(desk, id, COMPARED_MAX).await?.ok_or(Problem::TooLarge)?;
    desk.tree.add_members(&desk.caller, id, members).await?;
    let gone: Vec<_> = before.into_iter().filter(|user| members.binary_search(user).is_err()).collect();
    Ok(desk.tree.remove_members(&desk.caller, id, &gone).await?)
}

pub(crate) async fn patch(desk: Desk, asked: Asked) -> Outcome {
    let id = id(&asked.id)?;
    modify(&desk, id, &asked.json().await?).await
}

/// One thing that a PATCH does to a group.
enum Step {
    Change(GroupChange),
    Add(Vec<UserId>),
    Remove(Vec<UserId>),
    Set(Vec<UserId>),
}

pub(crate) async fn modify(desk: &Desk, id: GroupId, body: &Value) -> Outcome {
    // All are understood before the first is done.
    let operations = patch::parse(body)?;
    let steps = operations.iter().map(step).collect::<Result<Vec<_>, _>>()?;
    desk.tree.group(&desk.caller, id).await?;
    for step in steps.into_iter().flatten() {
        match step {
            Step::Change(change) => {
                desk.tree.update_group(&desk.caller, id, change).await?;
            }
            Step::Add(members) => desk.tree.add_members(&desk.caller, id, &members).await?,
            Step::Remove(members) => desk.tree.remove_members(&desk.caller, id, &members).await?,
            Step::Set(members) => set_members(desk, id, &members).await?,
        }
    }
    // Without the members: of a great group, who came and who went is all that its directory wants to know.
    Ok(Answer::none())
}

/// `None` for what is not kept of a group.
fn step(Operation { verb, target, value }: &Operation) -> Result<Option<Step>, Problem> {
    let name = match target {
        Target::Entry(list, member) if list == "members" && *verb == Verb::Remove => {
            return Ok(Some(Step::Remove(vec![user(member)?])));
        }
        Target::Entry(list, _) if list == "members" => {
            let detail = "a member is added with its value, and removed by it".to_owned();
            return Err(Problem::Invalid("invalidPath", detail));
        }
        Target::Entry(..) => return Ok(None),
        Target::Attribute(name) => name.as_str(),
    };
    let change = |change: GroupChange| Ok(Some(Step::Change(change)));
    match (name, verb) {
        ("members", Verb::Add) => Ok(Some(Step::Add(members(value)?))),
        ("members", Verb::Remove) if !value.is_null() => Ok(Some(Step::Remove(members(value)?))),
        ("members", Verb::Replace | Verb::Remove) => Ok(Some(Step::Set(members(value)?))),
        ("displayname", Verb::Remove) => {
            Err(Problem::Invalid("mutability", "a group keeps its displayName".to_owned()))
        }
        ("displayname", _) => change(GroupChange { name: text(value, "displayName")?, ..GroupChange::default() }),
        ("externalid", Verb::Remove) => {
            change(GroupChange { external_id: Some(String::new()), ..GroupChange::default() })
        }
        ("externalid", _) => change(GroupChange { external_id: text(value, "externalId")?, ..GroupChange::default() }),
        _ => Ok(None),
    }
}

pub(crate) async fn delete(desk: Desk, asked: Asked) -> Outcome {
    remove(&desk, id(&asked.id)?).await
}

pub(crate) async fn remove(desk: &Desk, id: GroupId) -> Outcome {
    desk.tree.delete_group(&desk.caller, id).await?;
    Ok(Answer::none())
}

/// What is no id is the id of none.
pub(crate) fn id(text: &str) -> Result<GroupId, Problem> {
    text.parse().map_err(|_| Problem::NotFound)
}
