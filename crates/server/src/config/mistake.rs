//! What is wrong in a configuration file, and where.

use serde_json::{Value, json};
use std::fmt;
use std::path::Path;

/// So many are shown; whoever has more has given the wrong file.
const SHOWN_MAX: usize = 100;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mistake {
    /// The line, from 1; 0 when no line says it.
    pub(crate) line: usize,
    /// The section; empty at the top.
    pub(crate) section: String,
    /// The field; empty when it is the whole section.
    pub(crate) field: String,
    /// What is wrong, after the field's name.
    pub(crate) what: String,
}

/// All of them, in order of lines once they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, mistake: Mistake) {
        if !self.0.contains(&mistake) {
            self.0.push(mistake);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn sorted(&self) -> Vec<&Mistake> {
        let mut sorted: Vec<_> = self.0.iter().collect();
        sorted.sort();
        sorted
    }

    pub(crate) fn to_json(&self) -> Value {
        let shown = self.sorted().into_iter().take(SHOWN_MAX).map(|mistake| {
            json!({
                "line": mistake.line, "section": mistake.section, "field": mistake.field, "message": mistake.what,
            })
        });
        Value::Array(shown.collect())
    }

    /// For people: one a line, each with file, line and field.
    pub(crate) fn to_text(&self, file: &Path) -> String {
        let file = file.display();
        let mut lines: Vec<_> =
            self.sorted().into_iter().take(SHOWN_MAX).map(|mistake| format!("{file}: {mistake}")).collect();
        let more = self.0.len().saturating_sub(SHOWN_MAX);
        if more > 0 {
            lines.push(format!("{file}: and {more} more"));
        }
        lines.join("\n")
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        let between = if self.section.is_empty() || self.field.is_empty() { "" } else { ", " };
        let place = format!("{}{between}{}", self.section, self.field);
        let colon = if place.is_empty() { "" } else { ": " };
        write!(f, "{place}{colon}{}", self.what)
    }
}
