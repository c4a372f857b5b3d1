//! A company moves from its own disk to one rival's cloud after the other, while people work: against real servers.

use crate::movers::{Clients, check_all, fill, last_line};
use crate::program::{Place, text};
use entente_emulators::{azure, gcs, s3};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// One zone of four.
fn configuration(place: &Place) -> String {
    let (s3, azure, gcs) = (s3(), azure(), gcs());
    let secret = |name: &str, text: &str| place.file(name, text);
    let (access_key, secret_key) = (secret("access-key", &s3.access_key), secret("secret-key", &s3.secret_key));
    let account_key = secret("account-key", &azure.key);
    let disk = place.data().with_file_name("disk");
    let backend = |name: &str, kind: &str, rest: String| {
        format!("[[backend]]\nname = \"{name}\"\nkind = \"{kind}\"\njurisdiction = \"FR\"\n{rest}\n")
    };
    [
        "[[custodian]]\nname = \"local\"\nkind = \"local\"\npath = \"keys/local.key\"\n".to_owned(),
        backend("disk", "fs", format!("path = {disk:?}")),
        backend(
            "azure",
            "azure",
            format!(
                "account = {:?}\ncontainer = {:?}\nendpoint = {:?}\naccount_key_file = {account_key:?}",
                azure.account, azure.container, azure.endpoint
            ),
        ),
        backend("gcs", "gcs", format!("bucket = {:?}\nendpoint = {:?}\nanonymous = true", gcs.bucket, gcs.endpoint)),
        backend(
            "s3",
            "s3",
            format!(
                "bucket = {:?}\nregion = {:?}\nendpoint = {:?}\naccess_key_id_file = {access_key:?}\n\
                 secret_access_key_file = {secret_key:?}",
                s3.bucket, s3.region, s3.endpoint
            ),
        ),
        "[[zone]]\nname = \"france\"\njurisdiction = \"FR\"\nbackends = [\"disk\", \"azure\", \"gcs\", \"s3\"]\n\
         custodian = \"local\"\n\
         [[policy]]\nname = \"france\"\nzone = \"france\"\nprimary = \"disk\"\ndefault = true\n"
            .to_owned(),
    ]
    .concat()
}

#[test]
fn a_company_moves_from_its_disk_to_azure_to_google_to_s3() {
    let place = Place::new();
    let config = place.file("entente.toml", &configuration(&place));
    let server = Arc::new(place.serve_with(&["--listen", "127.0.0.1:0", "--config", path(&config)]));
    let token = place.token();
    let known = fill(&server, &token, 30);
    let clients = Clients::start(&server, &token, known);
    for (from, to) in [("disk", "azure"), ("azure", "gcs"), ("gcs", "s3")] {
        let output = place.run(&["relocate", "--json", "--from", from, "--to", to, "--grace", "0s"]);
        assert!(output.status.success(), "{from} -> {to}: {}{}", text(&output.stdout), text(&output.stderr));
        let ended = last_line(&output.stdout);
        // Tries that fail, on a busy machine, are made again: what counts is how it ends.
        assert_eq!(ended["state"], json!("done"), "{ended}");
        // A scrub lists what is there.
        let scrubbed = place.run(&["scrub", "start", "--json", "--wait", "--backend", from]);
        let report: serde_json::Value = serde_json::from_slice(&scrubbed.stdout).unwrap();
        let source = report["backends"].as_array().unwrap().iter().find(|one| one["backend"] == from).unwrap();
        let last = &source["scrubs"][0];
        // A try that failed may have left an object that nobody knows: garbage, until its grace is over.
        assert_eq!(
            (&source["replicas_held"], &last["objects_listed"]),
            (&json!(0), &last["unknown_objects"]),
            "{source}"
        );
    }
    let known = clients.end();
    check_all(&server, &token, &known);
    assert_eq!(place.json(&["verify"])["undamaged"], true);
    let held = place.json(&["backend", "list"]);
    let s3 = held.as_array().unwrap().iter().find(|backend| backend["name"] == "s3").unwrap();
    assert!(s3["holdings"]["segments"].as_u64().unwrap() > 0, "{held}");
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
