//! The real program, run as an operator and a script run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod data_directory;
mod help;
mod program;
mod scripts;
mod serving;
