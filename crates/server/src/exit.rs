//! Exit statuses: the one place that gives and documents them.

use crate::output::Format;
use entente_custodians::ErrorKind as CustodianErrorKind;
use entente_database::ErrorKind as DatabaseErrorKind;
use serde_json::json;
use std::fmt;
use std::process::ExitCode;

/// Shown at the end of `entente --help`.
pub(crate) const HELP: &str = "Exit statuses:
  0    done
  1    failed, or `verify` found damage
  2    the command line or the configuration file is wrong
  3    the data directory is not there, or another server uses it
  4    the key file is missing, unreadable or not the one that the data was made with
  5    the data was written by a newer release, or by another program
  130  interrupted; what was done stays done, and the next run goes on";

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    DataDirectory = 3,
    Keys = 4,
    Schema = 5,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why the program could not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    error: anyhow::Error,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Self { exit, error: anyhow::Error::msg(message) }
    }

    /// What is wrong, with its causes.
    pub(crate) fn to_text(&self) -> String {
        format!("{:#}", self.error)
    }

    /// Says so on standard error: a sentence, or an object with `--json`.
    pub(crate) fn report(&self, format: Format) {
        let text = self.to_text();
        match format {
            Format::Json => eprintln!("{}", json!({ "error": text, "status": self.exit as u8 })),
            Format::Text => eprintln!("entente: {text}"),
        }
    }
}

/// The status follows from what lies behind the error.
impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let exit = error.chain().find_map(exit_of).unwrap_or(Exit::Failed);
        Self { exit, error }
    }
}

impl From<entente_identity::Error> for Failure {
    fn from(error: entente_identity::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

impl From<entente_database::Error> for Failure {
    fn from(error: entente_database::Error) -> Self {
        anyhow::Error::from(error).into()
    }
}

fn exit_of(error: &(dyn std::error::Error + 'static)) -> Option<Exit> {
    if let Some(error) = error.downcast_ref::<entente_database::Error>() {
        return (error.kind == DatabaseErrorKind::Schema).then_some(Exit::Schema);
    }
    if let Some(error) = error.downcast_ref::<entente_custodians::Error>() {
        return matches!(error.kind, CustodianErrorKind::Refused | CustodianErrorKind::Misconfigured)
            .then_some(Exit::Keys);
    }
    // Transparent variants hide what they wrap from the chain.
    match error.downcast_ref::<entente_identity::Error>() {
        Some(entente_identity::Error::Custodian(error)) => exit_of(error),
        Some(entente_identity::Error::Database(error)) => exit_of(error),
        _ => match error.downcast_ref::<entente_vault::Error>() {
            Some(entente_vault::Error::Custodian(error)) => exit_of(error),
            Some(entente_vault::Error::Ledger(source)) => exit_of(&**source),
            _ => None,
        },
    }
}
