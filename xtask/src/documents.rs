//! Documents: links lead somewhere, formats have their markers, decisions their parts.

use crate::{
    complaint::Complaint,
    repository::{Repository, SourceFile},
};

const DECISION_PARTS: &[&str] = &["## Context", "## Choice", "## Alternatives", "## Price"];
const FORMAT_PARTS: &[&str] = &["Version marker:", "Golden file:"];

/// Dead links, format pages without marker or golden file, decision pages without one of their parts.
pub fn check(repository: &Repository) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for file in repository.ending(".md") {
        complaints.extend(dead_links(repository, file));
        let parts = match file.folder() {
            "docs/decisions" => DECISION_PARTS,
            "docs/formats" => FORMAT_PARTS,
            _ => continue,
        };
        if file.stem() == "README" {
            continue;
        }
        for part in parts.iter().filter(|part| !file.lines().any(|(_, line)| line.starts_with(**part))) {
            let what = format!("no line begins with `{part}`");
            complaints.push(Complaint::new(&file.path, 1, what, "add it: every page of its kind has one"));
        }
    }
    complaints
}

fn dead_links(repository: &Repository, file: &SourceFile) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (number, line) in file.lines() {
        for link in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let led = resolved(file.folder(), target);
            if !led.as_deref().is_some_and(|path| repository.has(path)) {
                let what = format!("the link to `{target}` leads nowhere");
                complaints.push(Complaint::new(&file.path, number, what, "correct it, or write the page"));
            }
        }
    }
    complaints
}

/// The path within the checkout that a relative link means; nothing when it leaves the checkout.
fn resolved(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(files: &[(&str, &str)]) -> Vec<String> {
        check(&Repository::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_are_followed_within_the_checkout() {
        let text = "[a](../formats/segment.md#frames) [b](https://example.org) [c](#below) [d](../../../x)\n";
        let format = ("docs/formats/segment.md", "Version marker: a\nGolden file: b\n");
        let found = told(&[("docs/operating/tls.md", text), format]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("docs/operating/tls.md:1: the link to `../../../x` leads nowhere"));
    }

    #[test]
    fn a_format_page_names_its_marker_and_golden_file() {
        assert_eq!(told(&[("docs/formats/segment.md", "# Segment\n")]).len(), 2);
        assert!(told(&[("docs/formats/README.md", "# Formats\n")]).is_empty());
    }

    #[test]
    fn a_decision_has_context_choice_alternatives_and_price() {
        assert_eq!(told(&[("docs/decisions/0001-sql.md", "## Context\n## Choice\n## Price\n")]).len(), 1);
    }
}
