//! What was looked at, and what was found wrong.

use crate::load::Errors;
use serde::Serialize;

/// Findings of one drill. Each is told as it is made.
#[derive(Debug, Default)]
pub struct Checks {
    passed: u64,
    errors: Errors,
}

/// What a drill came to.
#[derive(Debug, Serialize)]
pub struct Verdict {
    pub checks_passed: u64,
    pub errors: Errors,
}

impl Checks {
    /// Notes a finding.
    pub fn check(&mut self, what: &str, found: Result<(), String>) {
        match found {
            Ok(()) => {
                self.passed += 1;
                println!("  ok     {what}");
            }
            Err(wrong) => {
                println!("  FAILED {what}: {wrong}");
                self.errors.add(&anyhow::anyhow!("{what}: {wrong}"));
            }
        }
    }

    /// Notes whether something is as large as it should be.
    pub fn equal<T: Copy + PartialEq + std::fmt::Display>(&mut self, what: &str, found: T, wanted: T) {
        let wrong = if found == wanted { Ok(()) } else { Err(format!("{found}, not {wanted}")) };
        self.check(what, wrong);
    }

    /// Notes that nothing failed of what clients did.
    pub fn none_failed(&mut self, what: &str, errors: &Errors) {
        let wrong = if errors.count == 0 {
            Ok(())
        } else {
            Err(format!("{} failed; the first: {}", errors.count, errors.first.join(" || ")))
        };
        self.check(what, wrong);
    }

    pub fn passed(&self) -> u64 {
        self.passed
    }

    pub fn failed(&self) -> u64 {
        self.errors.count
    }

    /// All of it, for the report.
    pub fn verdict(self) -> Verdict {
        Verdict { checks_passed: self.passed, errors: self.errors }
    }
}
