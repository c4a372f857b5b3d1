//! Taxonomies: sets of values in levels, such as continents, countries and towns, of which fields of templates take some.

use super::MetadataError;
use super::template::{FieldKind, FieldTaxonomy, TemplateName, check_description, check_text, definition, derived_key};
use super::templates::{enqueue, find as find_template};
use crate::limits::{
    METADATA_PAGE_MAX, TAXONOMIES_MAX, TAXONOMY_LEVELS_MAX, TAXONOMY_NODES_LOOKED_AT_MAX, TAXONOMY_NODES_MAX,
};
use crate::users::administers;
use crate::{Caller, Error, Tree};
use entente_database::Tx;
use entente_database::metadata::taxonomies::{self, TaxonomyNode, TaxonomyRow};
use entente_database::metadata::work::{self, Task};
use entente_model::{EnterpriseId, JobId, TaxonomyId, TaxonomyNodeId, fold};
use serde::{Deserialize, Serialize};

/// A taxonomy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxonomy {
    /// Its id.
    pub id: TaxonomyId,
    /// Whose it is.
    pub enterprise: EnterpriseId,
    /// Its name for programs.
    pub key: String,
    /// Its name for people.
    pub display_name: String,
    /// The first level first.
    pub levels: Vec<TaxonomyLevel>,
    nodes: u64,
}

/// A level of a taxonomy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxonomyLevel {
    /// Its name.
    pub display_name: String,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A value of a taxonomy, and what is above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its id.
    pub id: TaxonomyNodeId,
    /// Its name.
    pub display_name: String,
    /// From 1.
    pub level: u32,
    /// The first level first; empty on the first.
    pub ancestors: Vec<Ancestor>,
}

/// A value above another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ancestor {
    /// Its id.
    pub id: TaxonomyNodeId,
    /// Its name.
    pub display_name: String,
    /// From 1.
    pub level: u32,
}

/// A page of taxonomies.
#[derive(Debug, Clone)]
pub struct TaxonomyPage {
    /// In the order in which they were made.
    pub entries: Vec<Taxonomy>,
    /// After which the next page goes on; `None` at the end.
    pub next: Option<TaxonomyId>,
}

/// Which values to list. What is empty does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeQuery {
    /// On one of these levels.
    pub levels: Vec<u32>,
    /// Directly below one of these.
    pub parents: Vec<TaxonomyNodeId>,
    /// Somewhere below one of these.
    pub ancestors: Vec<TaxonomyNodeId>,
    /// With this text in their name, without regard to case.
    pub text: String,
    /// After the value of this folded name and id.
    pub after: Option<(String, TaxonomyNodeId)>,
    /// At most so many, and `limits::METADATA_PAGE_MAX`.
    pub limit: u32,
}

/// A page of values, in order of their names. It may be short, even empty, and not be the last.
#[derive(Debug, Clone)]
pub struct NodePage {
    /// Them.
    pub entries: Vec<Node>,
    /// After which the next page goes on; `None` at the end.
    pub next: Option<(String, TaxonomyNodeId)>,
}

/// A value that is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNode {
    /// Its name; no other below the same parent may have it, whatever its case.
    pub display_name: String,
    /// From 1.
    pub level: u32,
    /// Of the level above; none on the first.
    pub parent: Option<TaxonomyNodeId>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    /// The form of what follows.
    form: u32,
    levels: Vec<TaxonomyLevel>,
}

const FORM: u32 = 1;

impl Taxonomy {
    fn of_row(row: TaxonomyRow) -> Result<Self, Error> {
        let stored: Stored = serde_json::from_str(&row.levels).map_err(|error| Error::Damaged(error.into()))?;
        if stored.form != FORM {
            return Err(Error::internal("the levels of a taxonomy are in a form of a newer version"));
        }
        let TaxonomyRow { id, enterprise, key, display_name, nodes, .. } = row;
        Ok(Self { id, enterprise, key, display_name, levels: stored.levels, nodes })
    }

    fn row(&self) -> Result<TaxonomyRow, Error> {
        let stored = Stored { form: FORM, levels: self.levels.clone() };
        Ok(TaxonomyRow {
            id: self.id,
            enterprise: self.enterprise,
            key: self.key.clone(),
            display_name: self.display_name.clone(),
            levels: serde_json::to_string(&stored).map_err(|error| Error::Internal(error.into()))?,
            nodes: self.nodes,
        })
    }
}

impl Tree {
    /// Makes a taxonomy. `Forbidden` for who does not administer the enterprise; `Metadata` when it cannot be what it is or
    /// there is one of that key; `Invalid` when there are `limits::TAXONOMIES_MAX`.
    pub async fn create_taxonomy(
        &self,
        caller: &Caller,
        key: Option<String>,
        display_name: String,
    ) -> Result<Taxonomy, Error> {
        let caller = caller.clone();
        let (id, now) = (TaxonomyId::new(self.world.next_id()), self.world.now());
        check_text("displayName", &display_name)?;
        let key = key.or_else(|| derived_key(&display_name));
        let key = key.ok_or_else(|| definition("no key can be made of the name; give a 'key'"))?;
        check_key(&key)?;
        self.database
            .transact("create taxonomy", move |tx| {
                if !administers(&caller) {
                    return Err(Error::Forbidden);
                }
                if taxonomies::by_key(tx, caller.enterprise, &key)?.is_some() {
                    return Err(MetadataError::Exists("a taxonomy with this key exists already").into());
                }
                if taxonomies::count(tx, caller.enterprise)? >= TAXONOMIES_MAX {
                    return Err(Error::Invalid("the enterprise has as many taxonomies as it can have"));
                }
                let (key, display_name) = (key.clone(), display_name.clone());
                let enterprise = caller.enterprise;
                let made = Taxonomy { id, enterprise, key, display_name, levels: Vec::new(), nodes: 0 };
                taxonomies::insert(tx, &made.row()?, now)?;
                Ok(made)
            })
            .await
    }

    /// A page of the enterprise's taxonomies.
    pub async fn list_taxonomies(
        &self,
        caller: &Caller,
        after: Option<TaxonomyId>,
        limit: u32,
    ) -> Result<TaxonomyPage, Error> {
        let (enterprise, limit) = (caller.enterprise, limit.min(METADATA_PAGE_MAX));
        self.database
            .read_long(move |tx| {
                let rows = taxonomies::list(tx, enterprise, after, limit + 1)?;
                let mut entries = rows.into_iter().map(Taxonomy::of_row).collect::<Result<Vec<_>, Error>>()?;
                let more = entries.len() > limit as usize;
                entries.truncate(limit as usize);
                Ok(TaxonomyPage { next: entries.last().filter(|_| more).map(|last| last.id), entries })
            })
            .await
    }

    /// A taxonomy of the enterprise. `NotFound`.
    pub async fn taxonomy(&self, caller: &Caller, key: &str) -> Result<Taxonomy, Error> {
        self.database.read(|tx| find(tx, caller, key))
    }

    /// Gives a taxonomy another name for people. `NotFound`, `Forbidden`.
    pub async fn rename_taxonomy(&self, caller: &Caller, key: &str, name: String) -> Result<Taxonomy, Error> {
        check_text("displayName", &name)?;
        self.change_taxonomy(caller, key, move |_, taxonomy| {
            taxonomy.display_name.clone_from(&name);
            Ok(())
        })
        .await
    }

    /// Removes a taxonomy with its values: nobody sees it when this returns. What was said with its values stays, and
    /// cannot be said again. `NotFound`, `Forbidden`.
    pub async fn delete_taxonomy(&self, caller: &Caller, key: &str) -> Result<(), Error> {
        let (caller, key, now) = (caller.clone(), key.to_owned(), self.world.now());
        let job = JobId::new(self.world.next_id());
        self.database
            .transact("delete taxonomy", move |tx| {
                let taxonomy = find_own(tx, &caller, &key)?;
                taxonomies::condemn(tx, taxonomy.id, now)?;
                work::ask(tx, Task::ForgetTaxonomy(taxonomy.id))?;
                enqueue(tx, job, now)
            })
            .await
    }

    /// Gives a taxonomy more levels, below those that it has. `NotFound`, `Forbidden`; `Metadata` when there would be more
    /// than `limits::TAXONOMY_LEVELS_MAX`.
    pub async fn add_taxonomy_levels(
        &self,
        caller: &Caller,
        key: &str,
        levels: Vec<TaxonomyLevel>,
    ) -> Result<Taxonomy, Error> {
        for level in &levels {
            check_level(level)?;
        }
        self.change_taxonomy(caller, key, move |_, taxonomy| {
            taxonomy.levels.extend(levels.iter().cloned());
            if taxonomy.levels.len() > TAXONOMY_LEVELS_MAX {
                return Err(definition("the taxonomy would have too many levels").into());
            }
            Ok(())
        })
        .await
    }

    /// Changes a level, counted from 1. `NotFound` also when there is no such level; `Forbidden`.
    pub async fn change_taxonomy_level(
        &self,
        caller: &Caller,
        key: &str,
        (number, level): (u32, TaxonomyLevel),
    ) -> Result<TaxonomyLevel, Error> {
        check_level(&level)?;
        let changed = level.clone();
        self.change_taxonomy(caller, key, move |_, taxonomy| {
            let place = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            let found = place.and_then(|place| taxonomy.levels.get_mut(place)).ok_or(Error::NotFound)?;
            let description = level.description.clone().or(found.description.take());
            *found = TaxonomyLevel { display_name: level.display_name.clone(), description };
            Ok(())
        })
        .await?;
        Ok(changed)
    }

    /// Removes the last level. `NotFound`, `Forbidden`; `Metadata` when there is none, or it has values.
    pub async fn trim_taxonomy(&self, caller: &Caller, key: &str) -> Result<Taxonomy, Error> {
        self.change_taxonomy(caller, key, |tx, taxonomy| {
            let last = u32::try_from(taxonomy.levels.len()).unwrap_or(u32::MAX);
            if taxonomy.levels.pop().is_none() {
                return Err(definition("the taxonomy has no level").into());
            }
            if taxonomies::has_level(tx, taxonomy.id, last)? {
                return Err(definition("the last level has nodes; remove them first").into());
            }
            Ok(())
        })
        .await
    }

    /// Values of a taxonomy. `NotFound`.
    pub async fn list_nodes(&self, caller: &Caller, key: &str, query: NodeQuery) -> Result<NodePage, Error> {
        let (caller, key) = (caller.clone(), key.to_owned());
        self.database
            .read_long(move |tx| {
                let taxonomy = find(tx, &caller, &key)?.id;
                page(tx, taxonomy, &query)
            })
            .await
    }

    /// Values that a field takes, or with `all` those of its taxonomy. `TemplateAbsent`; `NotFound` when it has no such
    /// field, or the field takes no values of a taxonomy.
    pub async fn list_field_nodes(
        &self,
        caller: &Caller,
        (name, field): (TemplateName, String),
        mut query: NodeQuery,
        choice: Choice,
    ) -> Result<NodePage, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let template = find_template(tx, &caller, &name)?;
                let field = template.field(&field).filter(|field| field.kind == FieldKind::Taxonomy);
                let of = field.and_then(|field| field.taxonomy.as_ref()).ok_or(Error::NotFound)?;
                let taxonomy = of.taxonomy.ok_or(Error::NotFound)?;
                taxonomies::by_id(tx, taxonomy)?.ok_or(Error::NotFound)?;
                if choice == Choice::Selectable && !of.levels.is_empty() {
                    let wanted = |level: &u32| query.levels.is_empty() || query.levels.contains(level);
                    query.levels = of.levels.iter().copied().filter(wanted).collect();
                    if query.levels.is_empty() {
                        return Ok(NodePage { entries: Vec::new(), next: None });
                    }
                }
                page(tx, taxonomy, &query)
            })
            .await
    }

    /// A value. `NotFound`.
    pub async fn node(&self, caller: &Caller, key: &str, node: TaxonomyNodeId) -> Result<Node, Error> {
        self.database.read(|tx| {
            let taxonomy = find(tx, caller, key)?.id;
            let node = node_of(tx, taxonomy, node)?;
            view(tx, node)
        })
    }

    /// Adds a value. `NotFound` also when the parent is not there; `Forbidden`; `Metadata` when the level is not there, or
    /// the parent not on the one above, or another below it has the name; `Invalid` when there are
    /// `limits::TAXONOMY_NODES_MAX`.
    pub async fn create_node(&self, caller: &Caller, key: &str, new: NewNode) -> Result<Node, Error> {
        check_text("displayName", &new.display_name)?;
        let (caller, key, id) = (caller.clone(), key.to_owned(), TaxonomyNodeId::new(self.world.next_id()));
        self.database
            .transact("create node", move |tx| {
                let mut taxonomy = find_own(tx, &caller, &key)?;
                if taxonomy.nodes >= TAXONOMY_NODES_MAX {
                    return Err(Error::Invalid("the taxonomy has as many nodes as it can have"));
                }
                let is_there =
                    usize::try_from(new.level).is_ok_and(|level| (1..=taxonomy.levels.len()).contains(&level));
                if !is_there {
                    return Err(definition("the taxonomy has no such level").into());
                }
                let parent = new.parent.map(|parent| node_of(tx, taxonomy.id, parent)).transpose()?;
                if parent.as_ref().map_or(0, |parent| parent.level) + 1 != new.level {
                    return Err(
                        definition("a node's parent is of the level above, and one of the first has none").into()
                    );
                }
                if taxonomies::node_named(tx, taxonomy.id, new.parent, &new.display_name)?.is_some() {
                    return Err(MetadataError::Exists("another node below the same one has this name").into());
                }
                let path = parent.map(|parent| [parent.path, vec![parent.id]].concat()).unwrap_or_default();
                let node = TaxonomyNode {
                    id,
                    taxonomy: taxonomy.id,
                    parent: new.parent,
                    level: new.level,
                    path,
                    display_name: new.display_name.clone(),
                };
                taxonomies::insert_node(tx, &node)?;
                taxonomy.nodes += 1;
                taxonomies::save(tx, &taxonomy.row()?)?;
                view(tx, node)
            })
            .await
    }

    /// Gives a value another name. `NotFound`, `Forbidden`; `Metadata` when another below the same one has it.
    pub async fn rename_node(
        &self,
        caller: &Caller,
        key: &str,
        (node, name): (TaxonomyNodeId, String),
    ) -> Result<Node, Error> {
        check_text("displayName", &name)?;
        let (caller, key) = (caller.clone(), key.to_owned());
        self.database
            .transact("rename node", move |tx| {
                let taxonomy = find_own(tx, &caller, &key)?;
                let mut node = node_of(tx, taxonomy.id, node)?;
                let other = taxonomies::node_named(tx, taxonomy.id, node.parent, &name)?;
                if other.is_some_and(|other| other.id != node.id) {
                    return Err(MetadataError::Exists("another node below the same one has this name").into());
                }
                taxonomies::rename_node(tx, node.id, &name)?;
                node.display_name.clone_from(&name);
                view(tx, node)
            })
            .await
    }

    /// Removes a value. `NotFound`, `Forbidden`; `Metadata` when others are below it.
    pub async fn delete_node(&self, caller: &Caller, key: &str, node: TaxonomyNodeId) -> Result<(), Error> {
        let (caller, key) = (caller.clone(), key.to_owned());
        self.database
            .transact("delete node", move |tx| {
                let mut taxonomy = find_own(tx, &caller, &key)?;
                let node = node_of(tx, taxonomy.id, node)?;
                if taxonomies::has_below(tx, taxonomy.id, node.id)? {
                    return Err(definition("other nodes are below it; remove them first").into());
                }
                taxonomies::remove_node(tx, node.id)?;
                taxonomy.nodes = taxonomy.nodes.saturating_sub(1);
                Ok(taxonomies::save(tx, &taxonomy.row()?)?)
            })
            .await
    }

    async fn change_taxonomy(
        &self,
        caller: &Caller,
        key: &str,
        change: impl Fn(&mut Tx<'_>, &mut Taxonomy) -> Result<(), Error> + Send + 'static,
    ) -> Result<Taxonomy, Error> {
        let (caller, key) = (caller.clone(), key.to_owned());
        self.database
            .transact("change taxonomy", move |tx| {
                let mut taxonomy = find_own(tx, &caller, &key)?;
                change(tx, &mut taxonomy)?;
                taxonomies::save(tx, &taxonomy.row()?)?;
                Ok(taxonomy)
            })
            .await
    }
}

/// Which values of a field's taxonomy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Those that the field takes.
    Selectable,
    /// All.
    All,
}

/// Finds the taxonomy that a field takes values of.
pub(super) fn find_for_field(
    tx: &mut Tx<'_>,
    enterprise: EnterpriseId,
    field: &mut FieldTaxonomy,
) -> Result<(), Error> {
    let is_askable = !field.key.contains('\0');
    let found = if is_askable { taxonomies::by_key(tx, enterprise, &field.key)? } else { None };
    let found = found.ok_or_else(|| definition(&format!("there is no taxonomy '{}'", field.key)))?;
    let taxonomy = Taxonomy::of_row(found)?;
    let is_level =
        |level: &u32| usize::try_from(*level).is_ok_and(|level| (1..=taxonomy.levels.len()).contains(&level));
    if !field.levels.iter().all(is_level) {
        return Err(definition("a selectable level is not one of the taxonomy").into());
    }
    field.taxonomy = Some(taxonomy.id);
    Ok(())
}

fn find(tx: &mut Tx<'_>, caller: &Caller, key: &str) -> Result<Taxonomy, Error> {
    if key.contains('\0') {
        // No taxonomy has such a key, and not every engine can be asked for it.
        return Err(Error::NotFound);
    }
    Taxonomy::of_row(taxonomies::by_key(tx, caller.enterprise, key)?.ok_or(Error::NotFound)?)
}

fn find_own(tx: &mut Tx<'_>, caller: &Caller, key: &str) -> Result<Taxonomy, Error> {
    let taxonomy = find(tx, caller, key)?;
    if administers(caller) { Ok(taxonomy) } else { Err(Error::Forbidden) }
}

fn node_of(tx: &mut Tx<'_>, taxonomy: TaxonomyId, node: TaxonomyNodeId) -> Result<TaxonomyNode, Error> {
    taxonomies::node(tx, node)?.filter(|node| node.taxonomy == taxonomy).ok_or(Error::NotFound)
}

fn view(tx: &mut Tx<'_>, node: TaxonomyNode) -> Result<Node, Error> {
    let mut ancestors = Vec::with_capacity(node.path.len());
    for id in node.path {
        let above = taxonomies::node(tx, id)?.ok_or(Error::internal("a node is below one that is not there"))?;
        ancestors.push(Ancestor { id, display_name: above.display_name, level: above.level });
    }
    Ok(Node { id: node.id, display_name: node.display_name, level: node.level, ancestors })
}

fn page(tx: &mut Tx<'_>, taxonomy: TaxonomyId, query: &NodeQuery) -> Result<NodePage, Error> {
    let (limit, text) = (query.limit.min(METADATA_PAGE_MAX) as usize, fold(&query.text));
    let mut after = query.after.clone();
    let (mut entries, mut left) = (Vec::new(), TAXONOMY_NODES_LOOKED_AT_MAX);
    while left > 0 && entries.len() < limit {
        let batch = left.min(METADATA_PAGE_MAX);
        let place = (after.as_ref().map_or("", |(name, _)| name), after.as_ref().map(|(_, id)| *id));
        let found = taxonomies::nodes(tx, taxonomy, place, batch)?;
        let ended = found.len() < batch as usize;
        for node in found {
            if entries.len() >= limit {
                return Ok(NodePage { entries, next: after });
            }
            after = Some((fold(&node.display_name), node.id));
            if is_wanted(&node, query, &text) {
                entries.push(view(tx, node)?);
            }
        }
        if ended {
            return Ok(NodePage { entries, next: None });
        }
        left -= batch;
    }
    Ok(NodePage { entries, next: after })
}

fn is_wanted(node: &TaxonomyNode, query: &NodeQuery, text: &str) -> bool {
    (query.levels.is_empty() || query.levels.contains(&node.level))
        && (query.parents.is_empty() || node.parent.is_some_and(|parent| query.parents.contains(&parent)))
        && (query.ancestors.is_empty() || node.path.iter().any(|above| query.ancestors.contains(above)))
        && (text.is_empty() || fold(&node.display_name).contains(text))
}

fn check_key(key: &str) -> Result<(), MetadataError> {
    let begins = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let goes_on = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if begins && goes_on && key.len() <= 256 {
        Ok(())
    } else {
        Err(definition("a taxonomy's key is letters, digits, '-' and '_', and begins with a letter or '_'"))
    }
}

fn check_level(level: &TaxonomyLevel) -> Result<(), MetadataError> {
    check_text("displayName", &level.display_name)?;
    check_description(level.description.as_deref())
}
