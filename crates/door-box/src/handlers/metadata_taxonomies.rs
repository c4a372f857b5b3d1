//! Metadata taxonomies, their levels and nodes, and which of these a field takes.

use super::metadata_shapes::{body, list_body, scope_named};
use crate::answer;
use crate::asked::{Asked, Outcome};
use crate::error::Problem;
use crate::wire::id::Text;
use crate::wire::metadata::{Listed, Scope};
use crate::wire::query::MarkerPage;
use crate::wire::taxonomy::{
    Ancestor, Level, LevelBody, Levels, Node, NodeBody, Taxonomy, TaxonomyBody, marker, parse_marker,
};
use entente_model::{Caller, TaxonomyId, TaxonomyNodeId};
use entente_tree::limits::TAXONOMY_LEVELS_MAX;
use entente_tree::metadata::{
    Choice, NewNode, Node as TreeNode, NodePage, NodeQuery, Scope as TreeScope, Taxonomy as TreeTaxonomy,
    TaxonomyLevel, TemplateName,
};
use http::StatusCode;

/// Values of one parameter of a list of nodes.
const FILTERS_MAX: usize = 100;

pub(crate) async fn create(mut asked: Asked, caller: Caller) -> Outcome {
    let new: TaxonomyBody = body(&mut asked).await?;
    let name = new.display_name.ok_or_else(|| Problem::missing("displayName"))?;
    let namespace = new.namespace.ok_or_else(|| Problem::missing("namespace"))?;
    match scope_named(&caller, &namespace)? {
        TreeScope::Enterprise(enterprise) if enterprise == caller.enterprise => {}
        _ => return Err(entente_tree::Error::Forbidden.into()),
    }
    let made = asked.tree().create_taxonomy(&caller, new.key, name).await?;
    Ok(answer::json(StatusCode::CREATED, &shown(&made)))
}

pub(crate) async fn list(asked: Asked, caller: Caller) -> Outcome {
    check_namespace(&asked, &caller)?;
    let MarkerPage { limit, marker } = asked.query().marker_page()?;
    let unknown = |_| Problem::invalid("marker", "the marker is not one that a list gave");
    let after = marker.map(|marker| marker.parse::<TaxonomyId>().map_err(unknown)).transpose()?;
    let page = asked.tree().list_taxonomies(&caller, after, limit).await?;
    let entries = page.entries.iter().map(shown).collect();
    Ok(answer::json(StatusCode::OK, &Listed::new(entries, limit, page.next.map(|next| next.to_string()))))
}

pub(crate) async fn show(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().taxonomy(&caller, key(&asked, &caller)?).await?;
    Ok(answer::json(StatusCode::OK, &shown(&found)))
}

pub(crate) async fn update(mut asked: Asked, caller: Caller) -> Outcome {
    let change: TaxonomyBody = body(&mut asked).await?;
    let name = change.display_name.ok_or_else(|| Problem::missing("displayName"))?;
    let changed = asked.tree().rename_taxonomy(&caller, key(&asked, &caller)?, name).await?;
    Ok(answer::json(StatusCode::OK, &shown(&changed)))
}

pub(crate) async fn delete(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().delete_taxonomy(&caller, key(&asked, &caller)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

pub(crate) async fn create_levels(mut asked: Asked, caller: Caller) -> Outcome {
    let new: Vec<LevelBody> = list_body(&mut asked, TAXONOMY_LEVELS_MAX).await?;
    let new = new.into_iter().map(level).collect::<Result<_, _>>()?;
    let changed = asked.tree().add_taxonomy_levels(&caller, key(&asked, &caller)?, new).await?;
    Ok(answer::json(StatusCode::CREATED, &Levels { entries: levels(&changed) }))
}

pub(crate) async fn append_level(mut asked: Asked, caller: Caller) -> Outcome {
    let new = level(body(&mut asked).await?)?;
    let changed = asked.tree().add_taxonomy_levels(&caller, key(&asked, &caller)?, vec![new]).await?;
    Ok(answer::json(StatusCode::CREATED, &Levels { entries: levels(&changed) }))
}

pub(crate) async fn trim_levels(asked: Asked, caller: Caller) -> Outcome {
    let changed = asked.tree().trim_taxonomy(&caller, key(&asked, &caller)?).await?;
    Ok(answer::json(StatusCode::OK, &Levels { entries: levels(&changed) }))
}

pub(crate) async fn update_level(mut asked: Asked, caller: Caller) -> Outcome {
    let change = level(body(&mut asked).await?)?;
    let number = asked.parameter("level_index").parse().map_err(|_| Problem::not_found())?;
    let changed = asked.tree().change_taxonomy_level(&caller, key(&asked, &caller)?, (number, change)).await?;
    let description = changed.description.as_deref();
    Ok(answer::json(StatusCode::OK, &Level { display_name: &changed.display_name, description, level: number }))
}

pub(crate) async fn list_nodes(asked: Asked, caller: Caller) -> Outcome {
    let query = node_query(&asked)?;
    let limit = query.limit;
    let page = asked.tree().list_nodes(&caller, key(&asked, &caller)?, query).await?;
    Ok(nodes(&page, limit))
}

pub(crate) async fn list_options(asked: Asked, caller: Caller) -> Outcome {
    let query = node_query(&asked)?;
    let limit = query.limit;
    let scope = scope_named(&caller, asked.parameter("namespace"))?;
    let name = TemplateName { scope, key: asked.parameter("template_key").to_owned() };
    let all = asked.query().value("only-selectable-options").is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let choice = if all { Choice::All } else { Choice::Selectable };
    let field = asked.parameter("field_key").to_owned();
    let page = asked.tree().list_field_nodes(&caller, (name, field), query, choice).await?;
    Ok(nodes(&page, limit))
}

pub(crate) async fn create_node(mut asked: Asked, caller: Caller) -> Outcome {
    let new: NodeBody = body(&mut asked).await?;
    let parent = new.parent_id.map(|id| id.parse());
    let parent = parent.transpose().map_err(|_| Problem::invalid("parentId", "'parentId' must be the id of a node"))?;
    let new = NewNode {
        display_name: new.display_name.ok_or_else(|| Problem::missing("displayName"))?,
        level: new.level.ok_or_else(|| Problem::missing("level"))?,
        parent,
    };
    let made = asked.tree().create_node(&caller, key(&asked, &caller)?, new).await?;
    Ok(answer::json(StatusCode::CREATED, &node(&made)))
}

pub(crate) async fn show_node(asked: Asked, caller: Caller) -> Outcome {
    let found = asked.tree().node(&caller, key(&asked, &caller)?, node_named(&asked)?).await?;
    Ok(answer::json(StatusCode::OK, &node(&found)))
}

pub(crate) async fn update_node(mut asked: Asked, caller: Caller) -> Outcome {
    let change: NodeBody = body(&mut asked).await?;
    let name = change.display_name.ok_or_else(|| Problem::missing("displayName"))?;
    let named = node_named(&asked)?;
    let changed = asked.tree().rename_node(&caller, key(&asked, &caller)?, (named, name)).await?;
    Ok(answer::json(StatusCode::OK, &node(&changed)))
}

pub(crate) async fn delete_node(asked: Asked, caller: Caller) -> Outcome {
    asked.tree().delete_node(&caller, key(&asked, &caller)?, node_named(&asked)?).await?;
    Ok(answer::empty(StatusCode::NO_CONTENT))
}

/// Another enterprise's taxonomies are not there.
fn check_namespace(asked: &Asked, caller: &Caller) -> Result<(), Problem> {
    match scope_named(caller, asked.parameter("namespace"))? {
        TreeScope::Enterprise(enterprise) if enterprise == caller.enterprise => Ok(()),
        _ => Err(Problem::not_found()),
    }
}

fn key<'a>(asked: &'a Asked, caller: &Caller) -> Result<&'a str, Problem> {
    check_namespace(asked, caller)?;
    Ok(asked.parameter("taxonomy_key"))
}

fn node_named(asked: &Asked) -> Result<TaxonomyNodeId, Problem> {
    // What is no id of ours is the id of none.
    asked.parameter("node_id").parse().map_err(|_| Problem::not_found())
}

fn level(body: LevelBody) -> Result<TaxonomyLevel, Problem> {
    let display_name = body.display_name.ok_or_else(|| Problem::missing("displayName"))?;
    Ok(TaxonomyLevel { display_name, description: body.description })
}

fn node_query(asked: &Asked) -> Result<NodeQuery, Problem> {
    let query = asked.query();
    let MarkerPage { limit, marker } = query.marker_page()?;
    let unknown = || Problem::invalid("marker", "the marker is not one that a list gave");
    Ok(NodeQuery {
        levels: numbers(asked, "level")?,
        parents: numbers(asked, "parent")?,
        ancestors: numbers(asked, "ancestor")?,
        text: query.value("query").map(std::borrow::Cow::into_owned).unwrap_or_default(),
        after: marker.map(|marker| parse_marker(&marker).ok_or_else(unknown)).transpose()?,
        limit,
    })
}

/// Every value of a parameter, given several times or apart by commas.
fn numbers<T: std::str::FromStr>(asked: &Asked, name: &'static str) -> Result<Vec<T>, Problem> {
    let values = asked.query().values(name);
    let values = values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|value| !value.is_empty());
    let found: Vec<T> = values
        .take(FILTERS_MAX + 1)
        .map(|value| value.parse().map_err(|_| Problem::invalid(name, format!("'{name}' is not what it must be"))))
        .collect::<Result<_, _>>()?;
    if found.len() > FILTERS_MAX {
        Err(Problem::invalid(name, format!("'{name}' has too many values")))
    } else {
        Ok(found)
    }
}

fn shown(taxonomy: &TreeTaxonomy) -> Taxonomy<'_> {
    Taxonomy {
        id: Text(taxonomy.id),
        key: &taxonomy.key,
        display_name: &taxonomy.display_name,
        namespace: Text(Scope::Enterprise(taxonomy.enterprise)),
        levels: levels(taxonomy),
    }
}

fn levels(taxonomy: &TreeTaxonomy) -> Vec<Level<'_>> {
    (1..)
        .zip(&taxonomy.levels)
        .map(|(level, found)| Level {
            display_name: &found.display_name,
            description: found.description.as_deref(),
            level,
        })
        .collect()
}

fn nodes(page: &NodePage, limit: u32) -> axum::response::Response {
    let entries = page.entries.iter().map(node).collect();
    answer::json(StatusCode::OK, &Listed::new(entries, limit, page.next.as_ref().map(marker)))
}

fn node(node: &TreeNode) -> Node<'_> {
    Node {
        id: Text(node.id),
        display_name: &node.display_name,
        level: node.level,
        parent_id: node.ancestors.last().map(|parent| Text(parent.id)),
        node_path: node.ancestors.iter().map(|above| Text(above.id)).collect(),
        ancestors: node
            .ancestors
            .iter()
            .map(|above| Ancestor { id: Text(above.id), display_name: &above.display_name, level: above.level })
            .collect(),
    }
}
