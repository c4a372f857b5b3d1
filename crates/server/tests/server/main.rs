//! The real program, run as an operator and a script run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod clouds;
mod data_directory;
mod help;
mod movers;
mod nodes;
mod pictures;
mod program;
mod relocating;
mod relocating_clouds;
mod scripts;
mod serving;
mod signing_in;
mod zones;
