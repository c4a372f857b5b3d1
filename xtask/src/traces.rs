//! Traces that do not belong in what others read: paths of somebody's machine, unfinished business.

use crate::{complaint::Complaint, repository::Repository};

/// First folders of paths that exist on one machine only.
const MACHINE_FOLDERS: &[&str] = &["root", "work", "home"];
/// Spelt in two parts, so that this file passes its own check.
const UNFINISHED: &[(&str, &str)] = &[("TO", "DO"), ("FIX", "ME"), ("XX", "X")];

/// Machine paths and unfinished business in any file but the lock file.
pub fn check(repository: &Repository) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in repository.files().iter().filter(|file| !file.path.ends_with(".lock") && !is_locked(&file.path)) {
        for (number, line) in file.lines() {
            for folder in MACHINE_FOLDERS {
                if has_path(line, &format!("/{folder}/")) {
                    let what = format!("a path of one machine, below `/{folder}`");
                    let remedy = "make it relative, or take it from the environment";
                    complaints.push(Complaint::new(&file.path, number, what, remedy));
                }
            }
            for (first, second) in UNFINISHED {
                if has_word(line, &format!("{first}{second}")) {
                    let what = format!("`{first}{second}`");
                    let remedy = "finish it, or write it down where work is planned";
                    complaints.push(Complaint::new(&file.path, number, what, remedy));
                }
            }
        }
    }
    complaints
}

fn is_locked(path: &str) -> bool {
    path.ends_with("package-lock.json")
}

/// Whether the path stands at the beginning of one, not within a longer one or a URL.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line.get(..start).and_then(|head| head.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~}]>*/$".contains(c))
    })
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|head| head.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|tail| tail.chars().next());
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> usize {
        check(&Repository::of(&[("docs/a.md", text)])).len()
    }

    #[test]
    fn machine_paths_are_found_and_longer_paths_pass() {
        assert_eq!(told(&format!("see /{}/x", "root")), 1);
        assert_eq!(told(&format!("\"/{}/me\"", "home")), 1);
        assert_eq!(told(&format!("https://host/{}/x and $DIR/{}/x", "work", "home")), 0);
    }

    #[test]
    fn unfinished_business_is_found_as_a_word() {
        assert_eq!(told(&format!("// {}{}: later", "TO", "DO")), 1);
        assert_eq!(told(&format!("MY{}{}S", "TO", "DO")), 0);
    }
}
