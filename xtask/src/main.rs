//! The house keeps itself in order: `cargo xtask tidy` compares the checkout with the house rules that
//! neither the compiler nor clippy knows, and says of each breach where it is and what to do about it.
//!
//! It reads files and manifests, and changes nothing. It knows no crate's insides: a rule that needs to
//! understand Rust belongs in a test or a lint.

mod arrows;
mod complaint;
mod documents;
mod house;
mod manifests;
mod names;
mod public;
mod repository;
mod sources;
mod traces;

use anyhow::{Context, Result, bail};
use complaint::Complaint;
use repository::Repository;
use std::{path::Path, process::ExitCode};

const USAGE: &str = "\
usage: cargo xtask <command>

  tidy     compare the checkout with the house rules; exits 1 when something is out of order
  table    print the table of who may lean on whom, as ARCHITECTURE.md shows it
";

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["tidy"] => tidy(),
        ["table"] => {
            print!("{}", house::table());
            Ok(ExitCode::SUCCESS)
        }
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("no such command: {}\n\n{USAGE}", other.join(" ")),
    }
}

fn tidy() -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask stands inside the workspace")?;
    let repository = Repository::read(root)?;
    let mut complaints = complaints(&repository);
    complaints.sort();
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("tidy: {} files, {} complaints", repository.files().len(), complaints.len());
    Ok(if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn complaints(repository: &Repository) -> Vec<Complaint> {
    let checks =
        [arrows::check, manifests::check, sources::check, names::check, public::check, traces::check, documents::check];
    checks.iter().flat_map(|check| check(repository)).collect()
}
