//! Stories told to the Box door's router, in-process: what a client sends, and what it gets.

mod coverage;
mod downloads;
mod errors;
mod file_versions;
mod files;
mod folders;
mod harness;
mod oauth;
mod trash;
mod upload_sessions;
mod uploads;
mod users;
