//! A data directory that is not as it should be is refused, with the reason, and left as it is.

use crate::program::{Place, entente, files, text};
use rustix::process::Signal;
use std::fs;
use std::path::Path;
use std::process::Output;

fn made() -> Place {
    let place = Place::new();
    assert_eq!(place.serve().stop(Signal::TERM).0, Some(0));
    place
}

fn assert_refused(output: &Output, code: i32, says: &[&str]) {
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{message}");
    for word in says {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

#[test]
fn a_missing_key_file_is_named() {
    let place = made();
    fs::remove_file(place.data().join("keys/local.key")).unwrap();
    assert_refused(&place.refused(), 4, &["keys/local.key", "missing"]);
    assert!(!place.data().join("keys/local.key").exists(), "no other key is made");
    assert_refused(&place.run(&["verify"]), 4, &["keys/local.key", "missing"]);
    // What needs no key goes on.
    assert!(place.run(&["status"]).status.success());
}

#[test]
fn a_wrong_key_file_is_told_from_the_right_one() {
    let (place, other) = (made(), made());
    let key = |place: &Place| place.data().join("keys/local.key");
    let id = |place: &Place| {
        let file = fs::read_to_string(key(place)).unwrap();
        file.lines().find_map(|line| line.strip_prefix("id = ")).unwrap().to_owned()
    };
    let right = id(&place);
    fs::copy(key(&other), key(&place)).unwrap();
    assert_refused(&place.refused(), 4, &[&right, &id(&other)]);
    assert_refused(&place.run(&["verify", "--json"]), 4, &[&right, &id(&other)]);
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = made();
    fs::set_permissions(place.data().join("keys/local.key"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_refused(&place.refused(), 4, &["chmod 600"]);
}

#[test]
fn a_newer_schema_is_refused_by_every_verb() {
    let place = made();
    set_schema(&place.data().join("metadata.sqlite"), 999);
    assert_refused(&place.refused(), 5, &["999", "newer entente"]);
    for verb in [&["status"][..], &["verify"], &["user", "list"], &["token", "issue", "--login", "admin@entente.local"]]
    {
        assert_refused(&place.run(verb), 5, &["999"]);
    }
}

/// Writes SQLite's `user_version`: bytes 60 to 63 of the file, as its format page says.
fn set_schema(database: &Path, number: u32) {
    let mut bytes = fs::read(database).unwrap();
    bytes[60..64].copy_from_slice(&number.to_be_bytes());
    fs::write(database, bytes).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let place = made();
    fs::write(place.data().join("metadata.sqlite"), "this is not a database, and quite long at that\n".repeat(99))
        .unwrap();
    assert_refused(&place.refused(), 1, &["metadata.sqlite", "damaged"]);
}

#[test]
fn segments_without_their_database_are_not_taken_for_a_new_store() {
    let place = made();
    fs::remove_file(place.data().join("metadata.sqlite")).unwrap();
    assert_refused(&place.refused(), 3, &["metadata.sqlite", "backup"]);
}

#[test]
fn verbs_want_a_data_directory() {
    let place = Place::new();
    for verb in [&["status"][..], &["verify"], &["collect"], &["repack"], &["user", "list"], &["app", "list"]] {
        assert_refused(&place.run(verb), 3, &["entente serve --data"]);
    }
    assert!(!place.data().exists(), "and make none");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let place = Place::new();
    let file = place.file("file", "");
    let output = entente(&["serve", "--data"]).arg(file.join("data")).output().unwrap();
    assert_refused(&output, 3, &["cannot make"]);
}

#[test]
fn an_interrupted_first_start_is_taken_up_again() {
    let place = Place::new();
    // As left by a process that died after making the key, and before the database.
    let other = made();
    fs::create_dir_all(place.data().join("keys")).unwrap();
    fs::copy(other.data().join("keys/local.key"), place.data().join("keys/local.key")).unwrap();
    let server = place.serve();
    assert_eq!(server.get("/box/2.0/users/me", &place.token()).status, 200);
}

#[test]
fn damage_on_disk_is_found_and_named() {
    let place = Place::new();
    let server = place.serve();
    let uploaded = server.upload(&place.token(), "x", &"content ".repeat(500));
    assert_eq!(uploaded.status, 201, "{}", uploaded.body);
    assert_eq!(server.stop(Signal::TERM).0, Some(0));
    assert_eq!(place.run(&["verify"]).status.code(), Some(0));
    let stored = files(&place.data().join("segments"));
    let segment = stored.iter().find(|path| fs::metadata(path).unwrap().len() > 4_000).expect("one segment");
    let mut bytes = fs::read(segment).unwrap();
    bytes[2_000] ^= 1;
    fs::write(segment, bytes).unwrap();
    let output = place.run(&["verify"]);
    let report = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{report}");
    assert!(report.contains("unreadable: chunk 0") && report.contains("DAMAGED: 1"), "{report}");
    let output = place.run(&["verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["damaged"], &report["findings"][0]["kind"]), (&1.into(), &"unreadable".into()));
    // Sizes and records alone do not show it.
    assert_eq!(place.run(&["verify", "--quick"]).status.code(), Some(0));
}
