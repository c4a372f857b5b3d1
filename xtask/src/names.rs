//! Names: full words of the glossary, none that says nothing.

use crate::{
    complaint::Complaint,
    house::{EMPTY_NAMES, OTHER_WORDS},
    repository::{Repository, SourceFile},
};

const DECLARATIONS: &[&str] = &["mod", "struct", "enum", "trait", "type", "fn"];
const MODIFIERS: &[&str] = &["pub", "pub(crate)", "pub(super)", "async", "const", "unsafe"];

/// Files, folders, modules, types and functions with a name that says nothing or has another word in the glossary.
pub fn check(repository: &Repository) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in repository.files() {
        let code = [".rs", ".py", ".sh", ".js", ".mjs", ".ts", ".svelte", ".tsx"];
        if !code.iter().any(|ending| file.path.ends_with(ending)) {
            continue;
        }
        for part in file.folder().split('/').chain([file.stem()]).filter(|part| EMPTY_NAMES.contains(part)) {
            complaints.push(Complaint::new(&file.path, 1, format!("`{part}` says nothing"), "name what is inside"));
        }
        if file.path.ends_with(".rs") {
            complaints.extend(file.lines().filter_map(|(number, line)| declared(file, number, line)));
        }
    }
    complaints
}

fn declared(file: &SourceFile, number: usize, line: &str) -> Option<Complaint> {
    let name = declaration(line)?;
    let words = words(name);
    let said = |word: &str| words.iter().any(|other| other == word);
    if let Some(word) = EMPTY_NAMES.iter().find(|word| **word != "common" && said(word)) {
        let what = format!("`{name}`: `{word}` says nothing");
        return Some(Complaint::new(&file.path, number, what, "name what it does"));
    }
    let foreign = |package: &str| package.starts_with("door-") || ["clouds", "database"].contains(&package);
    if file.package().is_some_and(foreign) || file.is_test() {
        return None;
    }
    let (word, better) = OTHER_WORDS.iter().find(|(word, _)| said(word))?;
    let what = format!("`{name}`: we do not say `{word}`");
    Some(Complaint::new(&file.path, number, what, format!("say {better} (GLOSSARY.md)")))
}

/// The name that a line of Rust declares.
fn declaration(line: &str) -> Option<&str> {
    let mut parts = line.split_whitespace().skip_while(|part| MODIFIERS.contains(part));
    let keyword = parts.next()?;
    if !DECLARATIONS.contains(&keyword) {
        return None;
    }
    let name = parts.next()?;
    let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
    name.get(..end).filter(|name| !name.is_empty())
}

/// The words of a name in either case style, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_uppercase() {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, text: &str) -> Vec<String> {
        check(&Repository::of(&[(path, text)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_declaration_gives_its_name() {
        assert_eq!(declaration("    pub(crate) async fn upload<T>(x: T) {"), Some("upload"));
        assert_eq!(declaration("pub struct Place {"), Some("Place"));
        assert_eq!(declaration("pub const LIMIT: u64 = 1;"), None);
        assert_eq!(declaration("// fn of nothing"), None);
    }

    #[test]
    fn names_fall_into_words() {
        assert_eq!(words("KeyManager"), ["key", "manager"]);
        assert_eq!(words("blob_size"), ["blob", "size"]);
    }

    #[test]
    fn names_that_say_nothing_are_found_in_paths_and_declarations() {
        assert_eq!(told("crates/tree/src/util.rs", "").len(), 1);
        assert_eq!(told("crates/tree/src/helpers/name.rs", "").len(), 1);
        assert_eq!(told("crates/tree/src/lib.rs", "mod utils;\nstruct KeyManager;\nfn reutilise() {}\n").len(), 2);
        assert!(told("docs/common.md", "").is_empty());
    }

    #[test]
    fn words_of_the_glossary_are_held_to_outside_the_doors() {
        let found = told("crates/tree/src/lib.rs", "pub struct TenantId;\n");
        assert_eq!(
            found,
            ["crates/tree/src/lib.rs:1: `TenantId`: we do not say `tenant`; say enterprise (GLOSSARY.md)"]
        );
        assert!(told("crates/door-box/src/wire.rs", "pub struct TenantId;\n").is_empty());
    }
}
