//! The metadata database: the only crate that speaks SQL.
//!
//! A write is a named command: a plain function over a [`Tx`], given to [`Database::transact`]. A read is a plain
//! function over a [`Tx`], given to [`Database::read`] or [`Database::read_long`]. Both are composed, by the rooms
//! above, of the functions in the table modules, and know nothing of the engine that runs them.
//!
//! On SQLite, one writer thread drains its queue, gives every command a savepoint and all of them one commit and one
//! fsync; readers use connections of their own. On PostgreSQL a few writers do the same, in serializable transactions that
//! run again when they meet one another; see [`postgres`]. A command that fails takes back only its own. The answer comes
//! after the commit: what is acknowledged is durable.
//!
//! This crate decides nothing: who may do what, and which names may stand side by side, is the tree's business.

mod checkpoint;
mod command;
mod dialect;
mod engine;
mod error;
mod migrations;
pub mod postgres;
mod tx;

pub mod access_keys;
pub mod acl;
pub mod aliases;
pub mod allowlist;
pub mod app_passwords;
pub mod apps;
pub mod archives;
pub mod assignments;
pub mod authorizations;
pub mod avatars;
pub mod backends;
pub mod buckets;
pub mod collaborations;
pub mod comments;
pub mod contents;
pub mod counts;
pub mod credentials;
pub mod deliveries;
pub mod digests;
pub mod enterprises;
pub mod events;
pub mod facts;
pub mod favorites;
pub mod file_requests;
pub mod folder_settings;
pub mod groups;
pub mod guards;
pub mod handovers;
pub mod invites;
pub mod items;
pub mod jobs;
pub mod ledger;
pub mod lifecycle;
pub mod locks;
pub mod memberships;
pub mod metadata;
pub mod multipart;
pub mod nodes;
mod orphans;
pub mod passkeys;
pub mod password_links;
pub mod passwords;
pub mod paths;
pub mod pieces;
pub mod policies;
pub mod properties;
pub mod providers;
pub mod recents;
pub mod relocations;
mod replicas;
pub mod retention;
pub mod scrubs;
pub mod second_factors;
mod segments;
pub mod settings;
pub mod shared_links;
pub mod statistics;
pub mod subscriptions;
pub mod tasks;
pub mod terms;
pub mod tokens;
pub mod totals;
pub mod transfer;
pub mod uploads;
pub mod users;
pub mod versions;
pub mod web_sessions;
pub mod webhooks;
pub mod whereabouts;
pub mod zones;

pub use engine::{Database, Options};
pub use error::{Error, ErrorKind};
pub use tx::Tx;
