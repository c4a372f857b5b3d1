//! A folder filled with small files, and the rate as it grows.

use super::{
    Door,
    upload::{Keep, Upload},
};
use crate::{
    Bench,
    args::FillArguments,
    body::Framing,
    load::{self, Plan, Window},
    report::Report,
};
use anyhow::Result;
use serde_json::json;

/// Fills the folder, and compares the rate just after the first window with that of the last ones.
///
/// # Errors
/// When the server cannot be reached.
pub async fn fill(bench: &Bench, arguments: &FillArguments) -> Result<Report> {
    let door = Door::new(bench, &arguments.target)?;
    let mut report = Report::new(
        "box fill",
        json!({
            "url": arguments.target.url,
            "folder": arguments.folder,
            "files": arguments.files,
            "size_bytes": arguments.size,
            "concurrency": arguments.concurrency,
        }),
    );
    let upload = Upload::new(bench, &door, &arguments.folder, arguments.size, Framing::Length)?;
    let workers = upload.workers(bench, arguments.concurrency, Keep::Nothing);
    let plan = Plan {
        count: Some(arguments.files),
        window: Some(arguments.window.max(1)),
        errors_max: arguments.errors_max,
        ..Plan::default()
    };
    let (outcome, _) = load::run(bench, plan, workers).await?;
    if let Some((early, late)) = ends(&outcome.windows) {
        report.put("early_files_per_second", early)?;
        report.put("late_files_per_second", late)?;
        report.put("late_to_early", late / early)?;
    }
    report.put_all(outcome)?;
    Ok(report)
}

/// The rates near the beginning and at the end. The first window is left out where there are others, since it also
/// warms everything up; with many windows, a twentieth of them (at most five) is averaged at either end, since one
/// window of a shared disk says little.
fn ends(windows: &[Window]) -> Option<(f64, f64)> {
    let after_first = if windows.len() > 1 { windows.get(1..)? } else { windows };
    let span = (windows.len() / 20).clamp(1, 5);
    let early = after_first.get(..span)?;
    let late = windows.get(windows.len() - span..)?;
    Some((rate(early), rate(late)))
}

/// Operations over time, which is not the mean of rates.
fn rate(windows: &[Window]) -> f64 {
    let operations: f64 = windows.iter().map(|window| window.seconds * window.operations_per_second).sum();
    operations / windows.iter().map(|window| window.seconds).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::ends;
    use crate::load::Window;

    fn window(operations_per_second: f64) -> Window {
        Window { operations_total: 0, seconds: 100.0 / operations_per_second, operations_per_second }
    }

    #[test]
    fn the_first_window_is_left_out_where_there_are_others() {
        assert_eq!(ends(&[]), None);
        assert_eq!(ends(&[window(10.0)]), Some((10.0, 10.0)));
        assert_eq!(ends(&[window(5.0), window(10.0), window(8.0)]), Some((10.0, 8.0)));
    }

    #[test]
    fn many_windows_are_averaged_at_either_end() {
        let rates: Vec<_> = (0..100).map(|number| window(if number < 50 { 100.0 } else { 50.0 })).collect();
        let (early, late) = ends(&rates).unwrap();
        assert!((early - 100.0).abs() < 1e-9 && (late - 50.0).abs() < 1e-9);
    }
}
