//! Who may lean on whom: our crates on each other, and on fenced crates of others.

use crate::{
    complaint::Complaint,
    house::{self, FENCES, FOR_TESTS, ROOMS, Tests},
    manifests::{self, Kind, Manifest},
    repository::Repository,
};

const PREFIX: &str = "entente-";

/// Arrows that the table does not have, steps over a fence, rooms that the table or ARCHITECTURE.md lacks.
pub fn check(repository: &Repository) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for manifest in manifests::all(repository) {
        complaints.extend(arrows(&manifest));
        complaints.extend(fences(&manifest));
    }
    complaints.extend(architecture(repository));
    complaints
}

fn arrows(manifest: &Manifest) -> Vec<Complaint> {
    let path = &manifest.file.path;
    let Some(room) = house::room(manifest.package) else {
        let what = format!("`{}` is not in the table of who may lean on whom", manifest.package);
        return vec![Complaint::new(path, 1, what, "add it to ROOMS in xtask/src/house.rs and to ARCHITECTURE.md")];
    };
    let mut complaints = Vec::new();
    for (kind, dependency) in manifest.dependencies() {
        let Some(used) = dependency.strip_prefix(PREFIX) else { continue };
        let allowed = room.may_use.contains(&used) || (kind == Kind::Tests && FOR_TESTS.contains(&used));
        if !allowed {
            let what = format!("`{}` may not lean on `{used}`", room.name);
            let remedy = "move the code, or decide on the arrow and add it to ROOMS in xtask/src/house.rs";
            complaints.push(Complaint::new(path, manifest.file.line_of(dependency), what, remedy));
        }
    }
    complaints
}

fn fences(manifest: &Manifest) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (kind, dependency) in manifest.dependencies() {
        for fence in FENCES.iter().filter(|fence| fence.crates.contains(&dependency)) {
            let free = kind == Kind::Tests && fence.tests == Tests::Free;
            if !free && !fence.rooms.contains(&manifest.package) {
                let what = format!("`{}` may not lean on `{dependency}`: {}", manifest.package, fence.rule);
                let remedy = format!("ask {} for what you need", fence.rooms.join(" or "));
                let line = manifest.file.line_of(dependency);
                complaints.push(Complaint::new(&manifest.file.path, line, what, remedy));
            }
        }
    }
    complaints
}

/// The map shows the table as it is, and the table shows only rooms that are there.
fn architecture(repository: &Repository) -> Vec<Complaint> {
    let path = "ARCHITECTURE.md";
    let Some(map) = repository.file(path) else {
        return vec![Complaint::new(path, 1, "there is no map of the code", "write it")];
    };
    let mut complaints = Vec::new();
    for (room, row) in ROOMS.iter().zip(house::rows()) {
        if !map.lines().any(|(_, line)| line == row) {
            let what = format!("the row of `{}` is not as in the table", room.name);
            let line = map.line_of(&format!("| {} |", room.name));
            complaints.push(Complaint::new(path, line, what, "paste what `cargo xtask table` prints"));
        }
        let folder = if room.name == "xtask" { "xtask".to_owned() } else { format!("crates/{}", room.name) };
        if !repository.has(&folder) {
            let what = format!("there is no `{folder}`, which the table names");
            complaints.push(Complaint::new("xtask/src/house.rs", 1, what, "remove its row"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(package: &str, dependencies: &str) -> Vec<String> {
        let path = format!("crates/{package}/Cargo.toml");
        let repository = Repository::of(&[(&path, dependencies)]);
        let manifests = manifests::all(&repository);
        let complaints = manifests.iter().flat_map(|manifest| {
            let mut found = arrows(manifest);
            found.extend(fences(manifest));
            found
        });
        complaints.map(|complaint| complaint.to_string()).collect()
    }

    #[test]
    fn an_arrow_of_the_table_passes() {
        assert!(told("vault", "[dependencies]\nentente-clouds.workspace = true\n").is_empty());
    }

    #[test]
    fn an_arrow_against_the_table_is_found_for_product_build_target_and_tests() {
        for list in ["dependencies", "build-dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            let found = told("vault", &format!("[{list}]\nentente-tree.workspace = true\n"));
            assert_eq!(found.len(), 1, "{list}");
            assert!(found[0].starts_with("crates/vault/Cargo.toml:2: `vault` may not lean on `tree`"), "{found:?}");
        }
    }

    #[test]
    fn testkit_is_for_tests_alone() {
        assert!(told("tree", "[dev-dependencies]\nentente-testkit.workspace = true\n").is_empty());
        assert_eq!(told("tree", "[dependencies]\nentente-testkit.workspace = true\n").len(), 1);
    }

    #[test]
    fn no_door_leans_on_another() {
        assert_eq!(told("door-admin", "[dependencies]\nentente-door-box.workspace = true\n").len(), 1);
    }

    #[test]
    fn a_fence_holds_for_the_product_and_where_it_says_so_for_tests() {
        assert!(told("database", "[dependencies]\nrusqlite = \"1\"\n").is_empty());
        assert_eq!(told("tree", "[dependencies]\nrusqlite = \"1\"\n").len(), 1);
        assert_eq!(told("tree", "[dev-dependencies]\nrusqlite = \"1\"\n").len(), 1);
        assert!(told("tree", "[dev-dependencies]\nanyhow = \"1\"\n").is_empty());
        assert_eq!(told("tree", "[dependencies]\nanyhow = \"1\"\n").len(), 1);
    }

    #[test]
    fn an_unknown_room_is_asked_to_enter_the_table() {
        assert!(told("cellar", "[package]\n")[0].contains("is not in the table"));
    }

    #[test]
    fn the_map_shows_the_table() {
        let complaints = architecture(&Repository::of(&[("ARCHITECTURE.md", "| model | everything | |\n")]));
        let told = complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(told.contains("ARCHITECTURE.md:1: the row of `model` is not as in the table"), "{told}");
    }
}
