//! `--help` of every verb, in one snapshot: what it says is part of the product.

use crate::program::{entente, text};

#[test]
fn help_is_worth_reading() {
    let verbs: [&[&str]; 63] = [
        &[],
        &["serve"],
        &["token"],
        &["token", "issue"],
        &["token", "revoke"],
        &["user"],
        &["user", "create"],
        &["user", "list"],
        &["user", "set-password"],
        &["user", "password-link"],
        &["app"],
        &["app", "create"],
        &["app", "list"],
        &["app", "update"],
        &["app", "rotate-signature-key"],
        &["app-password"],
        &["app-password", "create"],
        &["app-password", "list"],
        &["app-password", "revoke"],
        &["second-factor"],
        &["second-factor", "require"],
        &["second-factor", "waive"],
        &["second-factor", "show"],
        &["second-factor", "reset"],
        &["sign-in-provider"],
        &["sign-in-provider", "set"],
        &["sign-in-provider", "show"],
        &["sign-in-provider", "remove"],
        &["sign-in-provider", "unbind"],
        &["access-key"],
        &["access-key", "create"],
        &["access-key", "list"],
        &["access-key", "revoke"],
        &["lifecycle"],
        &["lifecycle", "list"],
        &["lifecycle", "run"],
        &["status"],
        &["verify"],
        &["collect"],
        &["repack"],
        &["config"],
        &["config", "check"],
        &["config", "show"],
        &["config", "reload"],
        &["backend"],
        &["backend", "list"],
        &["backend", "check"],
        &["zone"],
        &["zone", "list"],
        &["policy"],
        &["policy", "list"],
        &["policy", "assign"],
        &["relocate"],
        &["relocate", "list"],
        &["relocate", "show"],
        &["relocate", "wait"],
        &["relocate", "pause"],
        &["relocate", "resume"],
        &["relocate", "cancel"],
        &["scrub"],
        &["scrub", "start"],
        &["scrub", "report"],
        &["migrate-database"],
    ];
    let mut all = String::new();
    for verb in verbs {
        let output = entente(verb).arg("--help").env("COLUMNS", "100").output().unwrap();
        assert!(output.status.success(), "{verb:?}");
        let help = text(&output.stdout);
        assert!(help.len() > 100, "{verb:?} says only {help:?}");
        all.push_str(&format!("$ entente {} --help\n{help}\n", verb.join(" ")));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn the_version_is_told() {
    let output = entente(&["--version"]).output().unwrap();
    assert_eq!(text(&output.stdout).trim(), format!("entente {}", env!("CARGO_PKG_VERSION")));
}
