//! Stories told to the router of sign-in, in-process: what a browser or an app sends, and what it gets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests know their answers"
)]

mod attacks;
mod browser;
mod harness;
mod new_password;
mod passkeys;
mod provider;
mod second_factor;
mod tokens;
mod web_app;
