//! What a scenario found: one JSON document, and the same figures as a table for people.

use crate::machine;
use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{fmt::Write as _, fs, path::Path};

/// Lists longer than this are left to the JSON.
const LIST_SHOWN_MAX: usize = 5;

/// The figures of one run of one scenario.
#[derive(Debug)]
pub struct Report {
    scenario: &'static str,
    parameters: Value,
    results: Map<String, Value>,
    errors: u64,
}

impl Report {
    /// A report without figures yet. The parameters must hold no secret.
    pub fn new(scenario: &'static str, parameters: Value) -> Self {
        Self { scenario, parameters, results: Map::new(), errors: 0 }
    }

    /// Adds one figure, or a group of figures, under a name.
    ///
    /// # Errors
    /// When the value cannot be said in JSON.
    pub fn put(&mut self, name: &str, value: impl Serialize) -> Result<()> {
        let value = serde_json::to_value(value)?;
        self.errors += errors_in(&value);
        self.results.insert(name.to_owned(), value);
        Ok(())
    }

    /// Adds every field of a structure as a figure of its own.
    ///
    /// # Errors
    /// When the value cannot be said in JSON.
    pub fn put_all(&mut self, value: impl Serialize) -> Result<()> {
        let value = serde_json::to_value(value)?;
        self.errors += errors_in(&value);
        if let Value::Object(fields) = value {
            self.results.extend(fields);
        }
        Ok(())
    }

    /// How many operations failed, over all groups.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    fn document(&self) -> Value {
        json!({
            "tool": concat!("entente-bench ", env!("CARGO_PKG_VERSION")),
            "scenario": self.scenario,
            "parameters": self.parameters,
            "machine": machine::describe(),
            "results": self.results,
        })
    }

    /// Writes the JSON document.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_json(&self, path: &Path) -> Result<()> {
        write_document(path, &self.document())
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut rows = vec![("scenario".to_owned(), self.scenario.to_owned())];
        flatten("", &self.parameters, &mut rows);
        flatten("", &Value::Object(self.results.clone()), &mut rows);
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        rows.iter().fold(String::new(), |mut table, (name, value)| {
            let _ = writeln!(table, "{name:width$}  {value}");
            table
        })
    }
}

/// Writes JSON, laid out for reading, and makes its folder if that is missing.
///
/// # Errors
/// When the file cannot be written.
pub fn write_document(path: &Path, document: &Value) -> Result<()> {
    write_text(path, &format!("{document:#}\n"))
}

/// Writes a text file, and makes its folder if that is missing.
///
/// # Errors
/// When the file cannot be written.
pub fn write_text(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The sum of every `errors.count` in the value.
fn errors_in(value: &Value) -> u64 {
    let Value::Object(fields) = value else { return 0 };
    let own = fields.get("errors").and_then(|errors| errors.get("count")).and_then(Value::as_u64).unwrap_or(0);
    own + fields.values().map(errors_in).sum::<u64>()
}

fn flatten(prefix: &str, value: &Value, rows: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, value, rows);
            }
        }
        Value::Array(items) if items.is_empty() => {}
        Value::Array(items) if items.len() > LIST_SHOWN_MAX || items.iter().any(Value::is_object) => {
            rows.push((prefix.to_owned(), format!("({} entries, see the JSON)", items.len())));
        }
        Value::Array(items) => {
            for item in items {
                rows.push((prefix.to_owned(), plain(prefix, item)));
            }
        }
        Value::Null => {}
        _ => rows.push((prefix.to_owned(), plain(prefix, value))),
    }
}

/// One value for people: three digits after the point, bytes in MiB as well.
fn plain(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(bytes), _) if name.ends_with("_bytes") && bytes >= 1 << 20 => {
                format!("{bytes}  ({:.1} MiB)", bytes as f64 / f64::from(1 << 20))
            }
            (Some(whole), _) => whole.to_string(),
            (None, Some(fraction)) => format!("{fraction:.3}"),
            (None, None) => number.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
    use serde_json::json;

    #[test]
    fn errors_are_summed_over_all_groups() {
        let mut report = Report::new("x", json!({}));
        report.put_all(json!({"errors": {"count": 2, "first": ["a"]}})).unwrap();
        report.put("during", json!({"errors": {"count": 3, "first": []}, "deeper": {"errors": {"count": 1}}})).unwrap();
        assert_eq!(report.errors(), 6);
    }

    #[test]
    fn the_table_has_a_row_for_each_figure() {
        let mut report = Report::new("x", json!({"size_bytes": 4096}));
        report
            .put_all(json!({"rate": 1.23456, "rss_peak_bytes": 3 << 20, "list": [1,2,3,4,5,6], "none": null}))
            .unwrap();
        let table = report.table();
        assert!(table.contains("size_bytes      4096\n"), "{table}");
        assert!(table.contains("rate            1.235\n"), "{table}");
        assert!(table.contains("rss_peak_bytes  3145728  (3.0 MiB)\n"), "{table}");
        assert!(table.contains("(6 entries, see the JSON)") && !table.contains("none"), "{table}");
    }
}
