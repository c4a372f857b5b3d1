//! Sources: not too long, opened by a story, one integration binary a crate.

use crate::{
    complaint::Complaint,
    house::{LINES_MAX, LONG_MARK, TEST_LINES_MAX},
    repository::{Repository, SourceFile},
};
use std::collections::BTreeMap;

const CODE: &[&str] = &[".rs", ".py", ".sh", ".js", ".mjs", ".ts"];

/// Files that are too long, crates without a story, crates with several integration binaries.
pub fn check(repository: &Repository) -> Vec<Complaint> {
    let mut complaints: Vec<Complaint> = repository.files().iter().filter_map(too_long).collect();
    complaints.extend(repository.files().iter().filter_map(without_story));
    complaints.extend(several_binaries(repository));
    complaints
}

fn too_long(file: &SourceFile) -> Option<Complaint> {
    if !CODE.iter().any(|ending| file.path.ends_with(ending)) {
        return None;
    }
    let lines = file.lines().count();
    let lines_max = if file.is_test() { TEST_LINES_MAX } else { LINES_MAX };
    let marked = file.lines().take(10).any(|(_, line)| line.contains(LONG_MARK));
    (lines > lines_max && !marked).then(|| {
        let what = format!("{lines} lines, which is more than {lines_max}");
        let remedy = format!("find the two subjects in it; a table may say `{LONG_MARK} ..` at its top");
        Complaint::new(&file.path, lines_max + 1, what, remedy)
    })
}

fn without_story(file: &SourceFile) -> Option<Complaint> {
    file.package()?;
    let root = file.path.ends_with("/src/lib.rs") || file.path.ends_with("/src/main.rs");
    let told = file.lines().next().is_some_and(|(_, line)| line.starts_with("//! ") && line.len() > 20);
    (root && !told).then(|| {
        let remedy = "say with `//!` what it is for and what it deliberately does not know";
        Complaint::new(&file.path, 1, "the crate does not open with its story", remedy)
    })
}

fn several_binaries(repository: &Repository) -> Vec<Complaint> {
    let mut binaries: BTreeMap<&str, Vec<&SourceFile>> = BTreeMap::new();
    for file in repository.ending(".rs") {
        let Some(package) = file.package() else { continue };
        let whole = format!("crates/{package}/tests");
        let nested = file.folder().strip_prefix(&whole).is_some_and(|rest| rest.starts_with('/'));
        if file.folder() == whole || (nested && file.stem() == "main") {
            binaries.entry(package).or_default().push(file);
        }
    }
    let surplus = binaries.into_values().flat_map(|files| files.into_iter().skip(1));
    let remedy = "make it a module of the crate's one binary in tests/: each binary is linked again";
    surplus.map(|file| Complaint::new(&file.path, 1, "a second integration binary", remedy)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        check(&Repository::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_is_too_long_from_the_line_after_its_limit() {
        let long = "//! A story that is long enough.\n".repeat(LINES_MAX);
        assert!(told(&[("crates/tree/src/items.rs", &long)]).is_empty());
        let longer = format!("{long}\n");
        assert_eq!(told(&[("crates/tree/src/items.rs", &longer)]).len(), 1);
        assert!(told(&[("crates/tree/src/items/tests.rs", &longer)]).is_empty());
        assert!(told(&[("crates/tree/README.md", &longer)]).is_empty());
        let marked = format!("// {LONG_MARK} it is the table of statuses\n{longer}");
        assert!(told(&[("crates/tree/src/items.rs", &marked)]).is_empty());
    }

    #[test]
    fn a_crate_opens_with_its_story() {
        assert_eq!(told(&[("crates/tree/src/lib.rs", "mod items;\n")]).len(), 1);
        assert_eq!(told(&[("crates/tree/src/lib.rs", "")]).len(), 1);
        assert!(told(&[("crates/tree/src/lib.rs", "//! What an enterprise content platform does.\n")]).is_empty());
        assert!(told(&[("crates/tree/src/items.rs", "mod items;\n")]).is_empty());
    }

    #[test]
    fn a_crate_has_one_integration_binary() {
        let one = ("crates/tree/tests/tree.rs", "");
        assert!(told(&[one, ("crates/tree/tests/items/mod.rs", "")]).is_empty());
        assert_eq!(told(&[one, ("crates/tree/tests/upload.rs", "")]).len(), 1);
        assert_eq!(told(&[("crates/tree/tests/stories/main.rs", ""), one]).len(), 1);
    }
}
