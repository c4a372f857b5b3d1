//! The tool, run as it is run by people, against a stub that answers like Box and S3.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test and its stub may fail loudly, and run outside any world"
)]

mod stub;

use serde_json::Value;
use std::process::{Command, Output};
use stub::{Manners, Stub, TOKEN};
use tempfile::TempDir;

/// One run of the tool: what it printed, and its JSON if it wrote one.
struct Run {
    output: Output,
    json: Option<Value>,
}

impl Run {
    fn status(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn results(&self) -> &Value {
        let Some(json) = &self.json else {
            panic!("no JSON was written: {}", String::from_utf8_lossy(&self.output.stderr))
        };
        &json["results"]
    }

    fn printed(&self) -> String {
        String::from_utf8(self.output.stdout.clone()).unwrap()
    }
}

fn bench(arguments: &[&str]) -> Run {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("out/run.json");
    let mut command = Command::new(env!("CARGO_BIN_EXE_entente-bench"));
    let output = command.args(arguments).arg("--json").arg(&file).output().unwrap();
    let json = std::fs::read(&file).ok().map(|text| serde_json::from_slice(&text).unwrap());
    Run { output, json }
}

/// Runs a Box scenario against the stub.
fn box_bench(stub: &Stub, scenario: &str, arguments: &[&str]) -> Run {
    let url = stub.url("/box");
    let mut all = vec!["box", scenario, "--url", &url, "--token", TOKEN];
    all.extend_from_slice(arguments);
    bench(&all)
}

fn number(value: &Value, pointer: &str) -> f64 {
    value.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {pointer} in {value}"))
}

#[test]
fn uploads_are_counted_and_reach_the_server_whole() {
    let stub = Stub::start(Manners::default());
    let pid = std::process::id().to_string();
    let run = box_bench(
        &stub,
        "upload",
        &["--folder", "7", "--size", "4KiB", "--concurrency", "4", "--count", "200", "--server-pid", &pid],
    );
    assert_eq!(run.status(), Some(0), "{run_error}", run_error = String::from_utf8_lossy(&run.output.stderr));
    let results = run.results();
    assert_eq!(number(results, "/operations") as u64, 200);
    assert_eq!(number(results, "/content_bytes") as u64, 200 * 4096);
    assert_eq!(number(results, "/errors/count") as u64, 0);
    let rate = number(results, "/operations") / number(results, "/seconds");
    assert!((number(results, "/operations_per_second") - rate).abs() < 1e-6);
    let spans: Vec<f64> =
        ["min", "p50", "p90", "p99", "p999", "max"].map(|name| number(results, &format!("/latency_ms/{name}"))).into();
    assert!(spans[0] > 0.0 && spans.is_sorted(), "{spans:?}");
    assert!(number(results, "/server/rss_peak_bytes") > 0.0);
    assert!(number(results, "/server/cpu_us_per_operation") >= 0.0);
    assert!(run.printed().contains("latency_ms.p99"));
    assert!(!run.json.as_ref().unwrap().to_string().contains(TOKEN));

    let state = stub.state();
    assert_eq!(state.files.len(), 200);
    assert!(state.files.values().all(|file| file.content.len() == 4096 && file.parent == "7"));
    let contents: std::collections::HashSet<_> = state.files.values().map(|file| &file.content).collect();
    assert_eq!(contents.len(), 200, "every file has content of its own");
}

#[test]
fn large_uploads_come_whole_with_either_framing() {
    let stub = Stub::start(Manners::default());
    for framing in ["length", "chunked"] {
        let run =
            box_bench(&stub, "upload", &["--size", "3MiB", "--concurrency", "2", "--count", "3", "--framing", framing]);
        assert_eq!(run.status(), Some(0));
    }
    let state = stub.state();
    assert_eq!(state.files.len(), 6);
    assert!(state.files.values().all(|file| file.content.len() == 3 << 20));
}

#[test]
fn refused_uploads_are_errors_with_their_bodies_told() {
    let stub = Stub::start(Manners { refuse_every: Some(10), ..Manners::default() });
    let run = box_bench(&stub, "upload", &["--concurrency", "1", "--count", "50"]);
    assert_eq!(run.status(), Some(3));
    assert_eq!(number(run.results(), "/operations") as u64, 45);
    assert_eq!(number(run.results(), "/errors/count") as u64, 5);
    let first = run.results().pointer("/errors/first/0").unwrap().as_str().unwrap();
    assert!(first.contains("507") && first.contains("the stub is full"), "{first}");
    assert!(run.printed().contains("the stub is full"));
}

#[test]
fn too_many_errors_end_a_run() {
    let stub = Stub::start(Manners { refuse_every: Some(1), ..Manners::default() });
    let run = box_bench(&stub, "upload", &["--concurrency", "1", "--seconds", "3600", "--errors-max", "3"]);
    assert_eq!(run.status(), Some(3));
    assert_eq!(number(run.results(), "/errors/count") as u64, 3);
    assert_eq!(number(run.results(), "/operations") as u64, 0);
    assert!(run.results().pointer("/server").is_none());
}

#[test]
fn downloads_are_found_by_listing_or_by_an_upload_and_verified() {
    let stub = Stub::start(Manners::default());
    let folder = TempDir::new().unwrap();
    let uploads = folder.path().join("uploads.json");
    let run = box_bench(&stub, "upload", &["--folder", "5", "--size", "100", "--count", "30", "--keep-ids"]);
    std::fs::write(&uploads, run.json.as_ref().unwrap().to_string()).unwrap();
    assert_eq!(run.results()["files"].as_array().unwrap().len(), 30);

    let run = box_bench(&stub, "download", &["--folder", "5", "--count", "90", "--verify"]);
    assert_eq!(run.status(), Some(0), "{}", run.printed());
    assert_eq!(number(run.results(), "/operations") as u64, 90);
    assert_eq!(number(run.results(), "/content_bytes") as u64, 9000);
    assert_eq!(stub.state().downloads, 90);

    let from = uploads.to_str().unwrap();
    let run = box_bench(&stub, "download", &["--from", from, "--files", "10", "--count", "20"]);
    assert_eq!(run.status(), Some(0));
    assert_eq!(run.json.as_ref().unwrap()["parameters"]["files"], 10);
}

#[test]
fn content_that_is_short_or_wrong_is_an_error() {
    let short = Stub::start(Manners { short_content: true, ..Manners::default() });
    box_bench(&short, "upload", &["--size", "100", "--count", "1"]);
    let run = box_bench(&short, "download", &["--folder", "0", "--count", "5", "--concurrency", "1"]);
    assert_eq!(run.status(), Some(3));
    assert!(run.printed().contains("99 bytes, not 100"), "{}", run.printed());

    let wrong = Stub::start(Manners { wrong_content: true, ..Manners::default() });
    box_bench(&wrong, "upload", &["--size", "100", "--count", "1"]);
    let unnoticed = box_bench(&wrong, "download", &["--folder", "0", "--count", "5"]);
    assert_eq!(unnoticed.status(), Some(0));
    let run = box_bench(&wrong, "download", &["--folder", "0", "--count", "5", "--verify"]);
    assert_eq!(run.status(), Some(3));
    assert_eq!(number(run.results(), "/errors/count") as u64, 5);
    assert!(run.printed().contains("has SHA-1"), "{}", run.printed());
}

#[test]
fn a_connection_that_the_server_closes_is_opened_again() {
    let stub = Stub::start(Manners { close_each: true, ..Manners::default() });
    let run = box_bench(&stub, "upload", &["--count", "40", "--concurrency", "4"]);
    assert_eq!(run.status(), Some(0), "{}", run.printed());
    assert_eq!(stub.state().files.len(), 40);
}

#[test]
fn a_fill_tells_the_rate_of_each_window_and_a_listing_walks_every_page() {
    let stub = Stub::start(Manners::default());
    let run = box_bench(&stub, "fill", &["--folder", "3", "--files", "250", "--window", "50"]);
    assert_eq!(run.status(), Some(0), "{}", run.printed());
    let windows = run.results()["windows"].as_array().unwrap();
    assert_eq!(windows.len(), 5);
    assert_eq!(windows[4]["operations_total"], 250);
    let ratio = number(run.results(), "/late_files_per_second") / number(run.results(), "/early_files_per_second");
    assert!((number(run.results(), "/late_to_early") - ratio).abs() < 1e-9);

    let run = box_bench(&stub, "list", &["--folder", "3", "--limit", "100", "--repeats", "4"]);
    assert_eq!(run.status(), Some(0));
    let results = run.results();
    assert_eq!((number(results, "/first_page/pages"), number(results, "/first_page/items")), (4.0, 100.0));
    assert_eq!((number(results, "/later_pages/pages"), number(results, "/later_pages/items")), (2.0, 150.0));
}

#[test]
fn a_folder_is_renamed_and_moved_and_left_as_it_was() {
    let stub = Stub::start(Manners::default());
    let url = stub.url("/box");
    let made = bench(&["box", "create-folder", "--url", &url, "--token", TOKEN, "--name", "papers"]);
    let id = made.printed().trim().to_owned();
    let run = box_bench(&stub, "move-folder", &["--folder", &id, "--repeats", "3"]);
    assert_eq!(run.status(), Some(0), "{}", String::from_utf8_lossy(&run.output.stderr));
    assert!(number(run.results(), "/rename/latency_ms/p50") > 0.0);
    let state = stub.state();
    assert_eq!(state.changes.len(), 8);
    let folders: Vec<_> = state.folders.values().cloned().collect();
    assert_eq!(folders, [("papers".to_owned(), "0".to_owned())]);
}

#[test]
fn the_mixed_scenario_has_three_phases() {
    let stub = Stub::start(Manners::default());
    let pid = std::process::id().to_string();
    let run = box_bench(
        &stub,
        "mixed",
        &[
            "--uploads",
            "4",
            "--upload-size",
            "2MiB",
            "--slow-downloads",
            "8",
            "--slow-rate",
            "64KiB",
            "--slow-size",
            "8MiB",
            "--phase-seconds",
            "0.2",
            "--server-pid",
            &pid,
        ],
    );
    assert_eq!(run.status(), Some(0), "{}", run.printed());
    let results = run.results();
    for phase in ["probe_alone", "probe_beside_slow", "probe_beside_slow_and_uploads"] {
        assert!(number(results, &format!("/{phase}/operations")) > 0.0, "{phase}");
    }
    assert_eq!(number(results, "/uploads/content_bytes") as u64, 4 * (2 << 20));
    assert_eq!(number(results, "/slow/downloads") as u64, 8);
    assert!(number(results, "/slow/content_bytes") > 0.0);
    assert!(number(results, "/server/rss_peak_bytes") > 0.0);
    assert!(!results["server_memory"].as_array().unwrap().is_empty());
}

#[test]
fn tls_is_checked_against_the_given_authority() {
    let stub = Stub::start_tls(Manners::default());
    let folder = TempDir::new().unwrap();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, stub.ca_pem.as_ref().unwrap()).unwrap();
    let ca_file = ca_file.to_str().unwrap();
    let run = box_bench(&stub, "upload", &["--size", "200KiB", "--count", "20", "--ca-file", ca_file]);
    assert_eq!(run.status(), Some(0), "{}", String::from_utf8_lossy(&run.output.stderr));
    let run = box_bench(&stub, "download", &["--folder", "0", "--count", "40", "--verify", "--ca-file", ca_file]);
    assert_eq!(run.status(), Some(0));

    let other = Stub::start_tls(Manners::default());
    let run = box_bench(&other, "upload", &["--count", "1", "--ca-file", ca_file]);
    assert_eq!(run.status(), Some(1));
    let run = box_bench(&other, "upload", &["--count", "1"]);
    let told = String::from_utf8_lossy(&run.output.stderr).into_owned();
    assert!(run.status() == Some(1) && told.contains("--ca-file"), "{told}");
}

#[test]
fn objects_are_put_listed_and_got() {
    let stub = Stub::start(Manners::default());
    let url = stub.url("/s3");
    let s3 = |scenario: &str, more: &[&str]| {
        let mut all = vec!["s3", scenario, "--url", &url, "--access-key", "a", "--secret-key", "b"];
        all.extend_from_slice(more);
        bench(&all)
    };
    let run = s3("upload", &["--size", "5000", "--count", "25", "--prefix", "x-"]);
    assert_eq!(run.status(), Some(0), "{}", String::from_utf8_lossy(&run.output.stderr));
    assert_eq!(stub.state().objects.len(), 25);
    let run = s3("download", &["--count", "50"]);
    assert_eq!(run.status(), Some(0), "{}", run.printed());
    assert_eq!(number(run.results(), "/content_bytes") as u64, 250_000);
}

#[test]
fn the_disk_is_measured_and_nothing_is_left_on_it() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().to_str().unwrap();
    let run = bench(&["disk", "--dir", dir, "--size", "2MiB", "--count", "4", "--fsync-seconds", "0.1"]);
    assert_eq!(run.status(), Some(0), "{}", String::from_utf8_lossy(&run.output.stderr));
    assert!(number(run.results(), "/write/megabytes_per_second") > 0.0);
    assert!(number(run.results(), "/fsync_32/fsyncs_per_second") > 0.0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn runs_are_gathered_into_one_table() {
    let stub = Stub::start(Manners::default());
    let folder = TempDir::new().unwrap();
    let results = folder.path().join("results");
    let run = box_bench(&stub, "upload", &["--count", "20", "--keep-ids"]);
    std::fs::create_dir(&results).unwrap();
    std::fs::write(results.join("upload-4k.json"), run.json.unwrap().to_string()).unwrap();
    let markdown = folder.path().join("table.md");
    let run = bench(&[
        "summary",
        "--results",
        results.to_str().unwrap(),
        "--markdown",
        markdown.to_str().unwrap(),
        "--note",
        "Small.",
    ]);
    assert_eq!(run.status(), Some(0));
    let json = run.json.as_ref().unwrap();
    assert_eq!(json["targets"][0]["what"], "4 KiB uploads, 32 at once");
    assert!(json["targets"][0]["reached"].as_f64().unwrap() > 0.0);
    assert!(json["runs"]["upload-4k"]["results"].get("files").is_none());
    assert!(std::fs::read_to_string(markdown).unwrap().starts_with("Small.\n\n| What |"));
}

#[test]
fn what_cannot_be_run_says_why() {
    let stub = Stub::start(Manners::default());
    let url = stub.url("/box");
    let cases: [(&[&str], i32, &str); 5] = [
        (&["box", "upload", "--url", &url], 2, "--token"),
        (&["box", "upload", "--url", &url, "--token", TOKEN, "--size", "4 cows"], 2, "is not a size"),
        (&["box", "download", "--url", &url, "--token", TOKEN, "--folder", "9"], 1, "no file to download"),
        (&["box", "list", "--url", &url, "--token", "wrong"], 1, "401"),
        (&["box", "upload", "--url", "http://127.0.0.1:1", "--token", TOKEN], 1, "cannot reach 127.0.0.1:1"),
    ];
    for (arguments, status, said) in cases {
        let run = bench(arguments);
        let told = String::from_utf8_lossy(&run.output.stderr).into_owned();
        assert_eq!(run.status(), Some(status), "{arguments:?}: {told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}
