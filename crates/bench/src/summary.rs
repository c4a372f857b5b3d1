//! The JSON files of single runs, gathered into one report with targets beside what was reached.

mod rows;

use crate::{
    args::SummaryArguments,
    machine,
    report::{write_document, write_text},
};
use anyhow::{Context, Result, bail};
use rows::{ROWS, Row, Target, Value as Figure};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Runs by the names of their files, without `.json`.
type Runs = BTreeMap<String, Value>;

/// One row, filled in.
#[derive(Debug, Serialize)]
struct Line {
    what: &'static str,
    unit: &'static str,
    target: Option<String>,
    /// Absent when the runs that it needs were not made.
    reached: Option<f64>,
    /// Absent without a target or without a figure.
    met: Option<bool>,
}

/// Reads every JSON file of the folder, prints the table, and writes it and the whole report where asked.
///
/// # Errors
/// When the folder cannot be read or holds no run, or a file is not JSON.
pub fn run(arguments: &SummaryArguments, json: Option<&Path>) -> Result<()> {
    let runs = read_runs(&arguments.results)?;
    if runs.is_empty() {
        bail!("{} holds no JSON file of a run", arguments.results.display());
    }
    let mut lines: Vec<Line> = ROWS.iter().map(|row| line(row, &runs)).collect();
    lines.retain(|line| line.reached.is_some() || !arguments.measured_only);
    let text = markdown(&lines, &runs, arguments.note.as_deref());
    print!("{text}");
    if let Some(path) = &arguments.markdown {
        write_text(path, &text)?;
    }
    if let Some(path) = json {
        let document = json!({
            "note": arguments.note,
            "machine": machine::describe(),
            "targets": lines,
            "runs": runs,
        });
        write_document(path, &document)?;
    }
    Ok(())
}

fn read_runs(folder: &Path) -> Result<Runs> {
    let mut runs = Runs::new();
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let path: PathBuf = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut run: Value =
            serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        // Ids are for other runs to use, and say nothing to a reader.
        if let Some(results) = run.get_mut("results").and_then(Value::as_object_mut) {
            results.remove("files");
        }
        if let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) {
            runs.insert(stem.to_owned(), run);
        }
    }
    Ok(runs)
}

fn figure(figure: &Figure, runs: &Runs) -> Option<f64> {
    match figure {
        Figure::Of { run, pointer, divisor } => {
            let value = runs.get(*run)?.get("results")?.pointer(pointer)?.as_f64()?;
            Some(value / divisor)
        }
        Figure::Ratio { of, to } => {
            let to = figure_at(to, runs)?;
            (to > 0.0).then_some(figure_at(of, runs)? / to)
        }
    }
}

fn figure_at(place: &(&'static str, &'static str), runs: &Runs) -> Option<f64> {
    figure(&Figure::Of { run: place.0, pointer: place.1, divisor: 1.0 }, runs)
}

fn line(row: &Row, runs: &Runs) -> Line {
    let reached = figure(&row.value, runs);
    let met = reached.zip(row.target.as_ref()).map(|(reached, target)| match target {
        Target::Least(least) => reached >= *least,
        Target::Most(most) => reached <= *most,
        Target::LeastOr { own, other, other_least, .. } => {
            reached >= *own || figure(other, runs).is_some_and(|other| other >= *other_least)
        }
    });
    let target = row.target.as_ref().map(|target| match target {
        Target::Least(least) => format!("≥ {}", number(*least)),
        Target::Most(most) => format!("≤ {}", number(*most)),
        Target::LeastOr { own, other_least, other_name, .. } => {
            format!("≥ {}, or ≥ {} {other_name}", number(*own), number(*other_least))
        }
    });
    Line { what: row.what, unit: row.unit, target, reached, met }
}

fn markdown(lines: &[Line], runs: &Runs, note: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(note) = note {
        let _ = writeln!(text, "{note}\n");
    }
    let _ = writeln!(text, "| What | Unit | Target | Reached | Met |\n|---|---|---|---|---|");
    for line in lines {
        let reached = line.reached.map_or_else(|| "not measured".to_owned(), number);
        let met = line.met.map_or("", |met| if met { "yes" } else { "**no**" });
        let target = line.target.as_deref().unwrap_or("");
        let _ = writeln!(text, "| {} | {} | {target} | {reached} | {met} |", line.what, line.unit);
    }
    let failures: Map<String, Value> = runs
        .iter()
        .filter_map(|(name, run)| {
            let errors = run.get("results")?.get("errors")?;
            (errors.get("count")?.as_u64()? > 0).then(|| (name.clone(), errors.clone()))
        })
        .collect();
    if !failures.is_empty() {
        let _ = writeln!(text, "\nOperations that failed:\n");
        for (name, errors) in failures {
            let _ = writeln!(text, "- {name}: {errors}");
        }
    }
    text
}

/// Three digits that mean something, more for large numbers.
fn number(value: f64) -> String {
    if value.fract() == 0.0 || value.abs() >= 100.0 {
        return format!("{value:.0}");
    }
    format!("{value:.*}", if value.abs() >= 10.0 { 1 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::{Runs, line, markdown, number, rows::ROWS};
    use serde_json::json;

    fn runs() -> Runs {
        let upload = json!({"results": {
            "operations_per_second": 4200.4,
            "latency_ms": {"p99": 61.5},
            "errors": {"count": 1, "first": ["500: no"]},
        }});
        let large = json!({"results": {"megabytes_per_second": 700.0}});
        let disk = json!({"results": {"write": {"megabytes_per_second": 1000.0}}});
        let download = json!({"results": {"megabytes_per_second": 800.0}});
        let nginx = json!({"results": {"megabytes_per_second": 1000.0}});
        let runs = [
            ("upload-4k", upload),
            ("upload-64m", large),
            ("disk", disk),
            ("download-64m", download),
            ("nginx-64m", nginx),
        ];
        runs.map(|(name, run)| (name.to_owned(), run)).into()
    }

    #[test]
    fn rows_are_met_missed_or_not_measured() {
        let lines: Vec<_> = ROWS.iter().map(|row| line(row, &runs())).collect();
        let text = markdown(&lines, &runs(), Some("Small."));
        assert!(text.starts_with("Small.\n\n| What |"), "{text}");
        assert!(text.contains("| 4 KiB uploads, 32 at once | files/s | ≥ 4000 | 4200 | yes |"), "{text}");
        assert!(text.contains("| 4 KiB uploads, p99 | ms | ≤ 50 | 61.5 | **no** |"), "{text}");
        assert!(
            text.contains("| 64 MiB uploads, 4 at once, against the disk | ratio | ≥ 0.70 | 0.70 | yes |"),
            "{text}"
        );
        let either = "| 64 MiB downloads, 4 at once | MB/s | ≥ 1200, or ≥ 0.60 of nginx | 800 | yes |";
        assert!(text.contains(either), "{text}");
        assert!(text.contains("| not measured |  |"), "{text}");
        assert!(text.contains("- upload-4k: {\"count\":1"), "{text}");
    }

    #[test]
    fn numbers_have_three_digits_that_mean_something() {
        let told = [4000.0, 123.4, 12.34, 1.234, 0.7].map(number);
        assert_eq!(told, ["4000", "123", "12.3", "1.23", "0.70"]);
    }
}
