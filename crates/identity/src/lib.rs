//! Credentials to [`Caller`](entente_model::Caller).
//!
//! A door hands over what the client sent; [`Identity`] says who that is. It issues tokens (known here by the SHA-256
//! of their secret only), answers the OAuth token endpoint without knowing HTTP, registers applications, and signs
//! [tickets](Signer): URLs that carry their own authorisation to one download.
//!
//! This crate does not know what a caller may do: the tree decides that.

mod access_keys;
mod app_passwords;
mod apps;
mod error;
mod identity;
mod oauth;
mod public_key;
mod secret;
mod tickets;
mod users;

pub use access_keys::{AccessKey, AccessKeys, CreatedAccessKey, NewAccessKey, Reach};
pub use app_passwords::{CreatedAppPassword, NewAppPassword};
pub use apps::{CreatedApp, NewApp};
pub use entente_database::access_keys::{AccessKey as StoredAccessKey, AccessKeyState};
pub use entente_database::{app_passwords::AppPassword, apps::App, users::User};
pub use error::{Error, Unauthenticated};
pub use identity::{Identity, IssueToken, Issued};
pub use oauth::{OAuthError, OAuthErrorKind, TokenAnswer, TokenForm};
pub use public_key::PublicKeyError;
pub use secret::Secret;
pub use tickets::{Signer, Ticket, TicketError};
pub use users::{Login, LoginError};
