//! The tree against a simple model: whatever is done in whatever order, both agree on what happened and what is there.

use crate::desk::{Desk, RULE, moved, renamed};
use entente_model::ItemId;
use entente_tree::{CopyTo, Error, Kind, Recursive, RestoreTo};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use std::collections::BTreeMap;

/// What is done, to items by their place in the list of all that ever were.
#[derive(Debug, Clone, Copy)]
enum Step {
    Folder { parent: usize, name: u8 },
    File { parent: usize, name: u8 },
    Rename { item: usize, name: u8 },
    Move { item: usize, parent: usize },
    Copy { item: usize, parent: usize },
    Trash { item: usize, recursive: bool },
    Restore { item: usize, parent: Option<usize> },
    Purge { item: usize },
}

/// Why something was refused, as far as the model tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    NotFound,
    Trashed,
    NameInUse,
    NotEmpty,
    IntoItself,
    Forbidden,
    ParentGone,
}

#[derive(Debug, Clone)]
struct Node {
    folder: bool,
    name: String,
    /// `None` for the root, and for what is in the trash.
    parent: Option<usize>,
    trashed_from: Option<usize>,
    purged: bool,
}

struct Model {
    nodes: Vec<Node>,
}

impl Model {
    fn is_trashed(&self, node: usize) -> bool {
        self.nodes[node].trashed_from.is_some() || self.nodes[node].parent.is_some_and(|parent| self.is_trashed(parent))
    }

    /// An item that is there and not in the trash.
    fn active(&self, node: usize) -> Result<&Node, Refusal> {
        let found = &self.nodes[node];
        match found {
            Node { purged: true, .. } => Err(Refusal::NotFound),
            _ if self.is_trashed(node) => Err(Refusal::Trashed),
            found => Ok(found),
        }
    }

    fn active_folder(&self, node: usize) -> Result<(), Refusal> {
        if self.active(node)?.folder { Ok(()) } else { Err(Refusal::NotFound) }
    }

    fn children(&self, parent: usize) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(move |node| {
            let node = &self.nodes[*node];
            !node.purged && node.parent == Some(parent)
        })
    }

    fn check_name(&self, parent: usize, name: &str, except: Option<usize>) -> Result<(), Refusal> {
        let mut others = self.children(parent).filter(|child| Some(*child) != except);
        let taken = others.any(|child| self.nodes[child].name.eq_ignore_ascii_case(name));
        if taken { Err(Refusal::NameInUse) } else { Ok(()) }
    }

    fn is_within(&self, node: usize, folder: usize) -> bool {
        node == folder || self.nodes[node].parent.is_some_and(|parent| self.is_within(parent, folder))
    }

    fn add(&mut self, folder: bool, name: String, parent: usize) -> usize {
        self.nodes.push(Node { folder, name, parent: Some(parent), trashed_from: None, purged: false });
        self.nodes.len() - 1
    }

    fn purge(&mut self, node: usize) {
        for child in self.children(node).collect::<Vec<_>>() {
            self.purge(child);
        }
        self.nodes[node].purged = true;
    }

    fn copy(&mut self, node: usize, parent: usize) {
        let Node { folder, name, .. } = self.nodes[node].clone();
        let children: Vec<_> = self.children(node).collect();
        let copy = self.add(folder, name, parent);
        for child in children {
            self.copy(child, copy);
        }
    }

    fn apply(&mut self, step: &Step) -> Result<(), Refusal> {
        match *step {
            Step::Folder { parent, name } | Step::File { parent, name } => {
                self.active_folder(parent)?;
                self.check_name(parent, &text(name), None)?;
                self.add(matches!(step, Step::Folder { .. }), text(name), parent);
            }
            Step::Rename { item, name } => {
                let Some(parent) = self.active(item)?.parent else { return Err(Refusal::Forbidden) };
                if self.nodes[item].name != text(name) {
                    self.check_name(parent, &text(name), Some(item))?;
                    self.nodes[item].name = text(name);
                }
            }
            Step::Move { item, parent } => {
                let Some(old) = self.active(item)?.parent else { return Err(Refusal::Forbidden) };
                if old != parent {
                    self.active_folder(parent)?;
                    if self.is_within(parent, item) {
                        return Err(Refusal::IntoItself);
                    }
                    self.check_name(parent, &self.nodes[item].name, Some(item))?;
                    self.nodes[item].parent = Some(parent);
                }
            }
            Step::Copy { item, parent } => {
                if self.active(item)?.parent.is_none() {
                    return Err(Refusal::Forbidden);
                }
                self.active_folder(parent)?;
                if self.nodes[item].folder && self.is_within(parent, item) {
                    return Err(Refusal::IntoItself);
                }
                self.check_name(parent, &self.nodes[item].name, None)?;
                self.copy(item, parent);
            }
            Step::Trash { item, recursive } => {
                let Some(parent) = self.active(item)?.parent else { return Err(Refusal::Forbidden) };
                if !recursive && self.children(item).next().is_some() {
                    return Err(Refusal::NotEmpty);
                }
                self.nodes[item].trashed_from = Some(parent);
                self.nodes[item].parent = None;
            }
            Step::Restore { item, parent } => {
                let Node { purged: false, trashed_from: Some(old), .. } = self.nodes[item] else {
                    return Err(Refusal::NotFound);
                };
                let target = match (self.active_folder(old), parent) {
                    (Ok(()), _) => old,
                    (Err(_), None) => return Err(Refusal::ParentGone),
                    (Err(_), Some(parent)) => {
                        self.active_folder(parent)?;
                        parent
                    }
                };
                self.check_name(target, &self.nodes[item].name, None)?;
                self.nodes[item].trashed_from = None;
                self.nodes[item].parent = Some(target);
            }
            Step::Purge { item } => {
                let Node { purged: false, trashed_from: Some(_), .. } = self.nodes[item] else {
                    return Err(Refusal::NotFound);
                };
                self.purge(item);
            }
        }
        Ok(())
    }

    /// Every path outside the trash.
    fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        let mut open = vec![(0, String::new())];
        while let Some((node, path)) = open.pop() {
            for child in self.children(node) {
                let path = format!("{path}/{}", self.nodes[child].name);
                open.push((child, path.clone()));
                paths.push(path);
            }
        }
        paths.sort();
        paths
    }
}

/// Two names that differ only in case, and others.
fn text(name: u8) -> String {
    ["a", "A", "b", "c", "long name"][usize::from(name) % 5].to_owned()
}

fn refusal<T>(answer: Result<T, Error>) -> Result<T, Refusal> {
    answer.map_err(|error| match error {
        Error::NotFound => Refusal::NotFound,
        Error::Trashed => Refusal::Trashed,
        Error::NameInUse { .. } => Refusal::NameInUse,
        Error::FolderNotEmpty => Refusal::NotEmpty,
        Error::FolderIntoItself => Refusal::IntoItself,
        Error::Forbidden => Refusal::Forbidden,
        Error::ParentGone => Refusal::ParentGone,
        error => panic!("{error:?}"),
    })
}

/// Everything outside the trash, by its path.
async fn walk(desk: &Desk) -> BTreeMap<String, (ItemId, Kind)> {
    use entente_tree::{ListQuery, Page};
    let (mut found, mut open) = (BTreeMap::new(), vec![(desk.root, String::new())]);
    while let Some((folder, path)) = open.pop() {
        let query = ListQuery::by_name(Page::After { marker: None, limit: 1_000 });
        let listing = desk.tree.list(&desk.anna, folder, query).await.expect("a listing");
        assert_eq!(listing.total_count, Some(u64::try_from(listing.entries.len()).expect("few")));
        for entry in listing.entries {
            let path = format!("{path}/{}", entry.item.name.as_str());
            if entry.item.kind == Kind::Folder {
                open.push((entry.item.id, path.clone()));
            }
            found.insert(path, (entry.item.id, entry.item.kind));
        }
    }
    found
}

async fn run(steps: Vec<Step>) {
    let desk = Desk::new().await;
    let root = Node { folder: true, name: String::new(), parent: None, trashed_from: None, purged: false };
    let mut model = Model { nodes: vec![root] };
    let mut ids = vec![(desk.root, Kind::Folder)];
    for step in steps {
        let step = within(step, ids.len());
        let known = model.nodes.len();
        let expected = model.apply(&step);
        let (tree, anna) = (&desk.tree, &desk.anna);
        let answer = match step {
            Step::Folder { parent, name } => refusal(desk.try_folder(ids[parent].0, &text(name)).await).map(Some),
            Step::File { parent, name } => refusal(desk.try_file(ids[parent].0, &text(name), b"x").await).map(Some),
            Step::Rename { item, name } => {
                refusal(desk.update(ids[item].0, ids[item].1, renamed(&text(name))).await).map(|_| None)
            }
            Step::Move { item, parent } => {
                refusal(desk.update(ids[item].0, ids[item].1, moved(ids[parent].0)).await).map(|_| None)
            }
            Step::Copy { item, parent } => {
                let to = CopyTo { parent: ids[parent].0, name: None, version: None };
                refusal(tree.copy(anna, ids[item].0, ids[item].1, to, RULE).await).map(Some)
            }
            Step::Trash { item, recursive } => {
                let recursive = if recursive { Recursive::Yes } else { Recursive::No };
                refusal(tree.trash_item(anna, ids[item].0, ids[item].1, recursive, None).await).map(|()| None)
            }
            Step::Restore { item, parent } => {
                let to = RestoreTo { name: None, parent: parent.map(|parent| ids[parent].0) };
                refusal(tree.restore(anna, ids[item].0, ids[item].1, to, RULE).await).map(|_| None)
            }
            Step::Purge { item } => {
                let answer = refusal(tree.purge(anna, ids[item].0, ids[item].1).await).map(|()| None);
                desk.finish_purge(ids[item].0).await;
                answer
            }
        };
        match (answer, expected) {
            (Ok(view), Ok(())) => {
                // Copies bring several: they are found by their paths.
                if let Some(view) = view {
                    ids.push((view.item.id, view.item.kind));
                }
                if model.nodes.len() > ids.len() {
                    let found = walk(&desk).await;
                    for node in known + 1..model.nodes.len() {
                        ids.push(found[&path(&model, node)]);
                    }
                }
            }
            (Err(one), Err(other)) => assert_eq!(one, other, "{step:?}"),
            (one, other) => panic!("{step:?}: {:?} and {other:?}", one.map(drop)),
        }
    }
    assert_eq!(walk(&desk).await.into_keys().collect::<Vec<_>>(), model.paths());
    desk.check_books();
    // Roots and trashes of two people, and what is left of the model's items.
    let left = model.nodes.iter().filter(|node| !node.purged).count() + 3;
    assert_eq!(desk.totals().items, u64::try_from(left).expect("few"));
}

fn path(model: &Model, node: usize) -> String {
    match model.nodes[node].parent {
        Some(parent) => format!("{}/{}", path(model, parent), model.nodes[node].name),
        None => String::new(),
    }
}

/// The step, with its places brought within the list.
fn within(step: Step, count: usize) -> Step {
    match step {
        Step::Folder { parent, name } => Step::Folder { parent: parent % count, name },
        Step::File { parent, name } => Step::File { parent: parent % count, name },
        Step::Rename { item, name } => Step::Rename { item: item % count, name },
        Step::Move { item, parent } => Step::Move { item: item % count, parent: parent % count },
        Step::Copy { item, parent } => Step::Copy { item: item % count, parent: parent % count },
        Step::Trash { item, recursive } => Step::Trash { item: item % count, recursive },
        Step::Restore { item, parent } => Step::Restore { item: item % count, parent: parent.map(|at| at % count) },
        Step::Purge { item } => Step::Purge { item: item % count },
    }
}

fn step() -> impl Strategy<Value = Step> {
    let (at, name) = (0..64_usize, any::<u8>());
    prop_oneof![
        4 => (at.clone(), name).prop_map(|(parent, name)| Step::Folder { parent, name }),
        3 => (at.clone(), name).prop_map(|(parent, name)| Step::File { parent, name }),
        2 => (at.clone(), name).prop_map(|(item, name)| Step::Rename { item, name }),
        3 => (at.clone(), at.clone()).prop_map(|(item, parent)| Step::Move { item, parent }),
        2 => (at.clone(), at.clone()).prop_map(|(item, parent)| Step::Copy { item, parent }),
        3 => (at.clone(), any::<bool>()).prop_map(|(item, recursive)| Step::Trash { item, recursive }),
        3 => (at.clone(), prop_oneof![Just(None), at.clone().prop_map(Some)])
            .prop_map(|(item, parent)| Step::Restore { item, parent }),
        1 => at.prop_map(|item| Step::Purge { item }),
    ]
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 48, ..Default::default() })]
    #[test]
    fn the_tree_does_what_the_model_does(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(run(steps));
    }
}
