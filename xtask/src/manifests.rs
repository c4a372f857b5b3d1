//! Every package's manifest takes lints and facts from the workspace, and lists only what the package uses.

use crate::{
    complaint::Complaint,
    repository::{Repository, SourceFile},
};
use toml::{Table, Value};

/// A manifest of one of our packages, read.
pub struct Manifest<'a> {
    /// The file.
    pub file: &'a SourceFile,
    /// Its folder below `crates`, or `xtask`.
    pub package: &'a str,
    /// What it says.
    pub table: Table,
}

/// Which list of a manifest names a dependency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For the product, or for building it.
    Product,
    /// For tests.
    Tests,
}

impl Manifest<'_> {
    /// Every dependency with its list, those for one target included.
    pub fn dependencies(&self) -> Vec<(Kind, &str)> {
        let mut found = dependencies_of(&self.table);
        let targets = self.table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        found.extend(targets.filter_map(Value::as_table).flat_map(dependencies_of));
        found
    }
}

fn dependencies_of(table: &Table) -> Vec<(Kind, &str)> {
    let lists =
        [("dependencies", Kind::Product), ("build-dependencies", Kind::Product), ("dev-dependencies", Kind::Tests)];
    let mut found = Vec::new();
    for (list, kind) in lists {
        let names = table.get(list).and_then(Value::as_table).into_iter().flat_map(Table::keys);
        found.extend(names.map(|name| (kind, name.as_str())));
    }
    found
}

/// The manifests of all our packages that can be read; [`check`] complains of the others.
pub fn all(repository: &Repository) -> Vec<Manifest<'_>> {
    candidates(repository)
        .filter_map(|(file, package)| file.text.parse().ok().map(|table| Manifest { file, package, table }))
        .collect()
}

fn candidates(repository: &Repository) -> impl Iterator<Item = (&SourceFile, &str)> {
    repository.ending("/Cargo.toml").filter_map(|file| file.package().map(|package| (file, package)))
}

/// Unreadable manifests, lints of a crate's own making, dependencies that nothing uses.
pub fn check(repository: &Repository) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (file, _) in candidates(repository) {
        if let Err(error) = file.text.parse::<Table>() {
            complaints.push(Complaint::new(&file.path, 1, format!("cannot be read: {error}"), "correct it"));
        }
    }
    for manifest in all(repository) {
        let path = &manifest.file.path;
        let inherits = |section: &str, key: &str| {
            let value = manifest.table.get(section).and_then(Value::as_table).and_then(|table| table.get(key));
            value.is_some_and(|value| {
                value.as_bool() == Some(true) || value.get("workspace").and_then(Value::as_bool) == Some(true)
            })
        };
        if !inherits("lints", "workspace") {
            complaints.push(Complaint::new(path, 1, "has lints of its own", "write `[lints] workspace = true`"));
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits("package", key) {
                let what = format!("has a `{key}` of its own");
                complaints.push(Complaint::new(path, 1, what, format!("write `{key}.workspace = true`")));
            }
        }
        complaints.extend(unused(repository, &manifest));
    }
    complaints
}

/// Packages whose crates are called otherwise than they are.
const CALLED_OTHERWISE: &[(&str, &str)] = &[("md-5", "md5")];

fn unused(repository: &Repository, manifest: &Manifest) -> Vec<Complaint> {
    let folder = format!("{}/", manifest.file.folder());
    let sources: Vec<&SourceFile> = repository.ending(".rs").filter(|file| file.path.starts_with(&folder)).collect();
    let mut complaints = Vec::new();
    for (_, name) in manifest.dependencies() {
        let otherwise = CALLED_OTHERWISE.iter().find(|(package, _)| *package == name);
        let crate_name = otherwise.map_or_else(|| name.replace('-', "_"), |(_, called)| (*called).to_owned());
        if !sources.iter().any(|file| mentions(&file.text, &crate_name)) {
            let line = manifest.file.line_of(name);
            let what = format!("nothing in the package mentions `{crate_name}`");
            complaints.push(Complaint::new(&manifest.file.path, line, what, "remove the dependency"));
        }
    }
    complaints
}

/// Whether the text has the word, not as a part of a longer one.
fn mentions(text: &str, word: &str) -> bool {
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text.get(..start).and_then(|head| head.chars().next_back());
        let after = text.get(start + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[package]\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\n\
                        license.workspace = true\npublish.workspace = true\n[lints]\nworkspace = true\n";

    #[test]
    fn a_dependency_that_nothing_mentions_is_found_where_it_stands() {
        let manifest = format!("{HEAD}[dependencies]\nbytes.workspace = true\ntokio-rustls.workspace = true\n");
        let repository = Repository::of(&[
            ("crates/vault/Cargo.toml", &manifest),
            ("crates/vault/src/lib.rs", "use tokio_rustls::X; // megabytes::"),
        ]);
        let told: Vec<_> = check(&repository).iter().map(ToString::to_string).collect();
        let expected = "crates/vault/Cargo.toml:10: nothing in the package mentions `bytes`; remove the dependency";
        assert_eq!(told, [expected]);
    }

    #[test]
    fn a_package_takes_its_facts_and_lints_from_the_workspace() {
        let repository = Repository::of(&[("crates/vault/Cargo.toml", "[package]\nedition = \"2021\"\n")]);
        assert_eq!(check(&repository).len(), 6);
    }

    #[test]
    fn a_manifest_that_cannot_be_read_is_named() {
        let repository = Repository::of(&[("crates/vault/Cargo.toml", "[package")]);
        assert_eq!(check(&repository).len(), 1);
    }
}
