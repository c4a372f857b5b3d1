//! Where people sign in, and where apps get tokens: pages and endpoints that all doors share.
//!
//! | Path | What |
//! |---|---|
//! | `/oauth2/authorize` | an app asks a user to let it act for them (RFC 6749, 4.1) |
//! | `/oauth2/token`, `/oauth2/revoke` | an app gets tokens, and gives them back (RFC 6749, 7009) |
//! | `/oauth2/sign-in`, `/oauth2/sign-out` | a browser becomes somebody's, and nobody's |
//! | `/oauth2/provider`, `/oauth2/provider-back` | to the enterprise's OpenID provider, and back from it |
//! | `/oauth2/code` | the second factor of who has shown their password |
//! | `/oauth2/second-factor` | a second factor begins, ends, and gets other recovery codes |
//! | `/oauth2/sessions` | where a user has signed in, and which apps they let act for them |
//! | `/oauth2/password` | another password |
//! | `/oauth2/new-password` | a password for who has a link that sets one |
//! | `/.well-known/oauth-authorization-server` | all that for programs (RFC 8414) |
//!
//! Pages have no scripts and may not be framed; what a form does needs a token that only a page of ours knows. Whom a
//! credential belongs to and what a request may have is the business of identity; what is here decides nothing.

mod asked;
mod door;
mod handlers;
mod messages;
mod page;

pub use door::{OAuthDoor, Options};
