//! Tokens (RFC 6749).

use serde::{Serialize, Serializer};

/// `AccessToken`.
#[derive(Serialize)]
pub struct AccessToken<'a> {
    /// The token itself.
    pub access_token: &'a str,
    /// For how long it is good, in seconds.
    pub expires_in: u64,
    /// Always `bearer`.
    pub token_type: Bearer,
    /// What it is limited to; nothing.
    pub restricted_to: [(); 0],
}

/// The only kind of token.
#[derive(Debug, Clone, Copy)]
pub struct Bearer;

impl Serialize for Bearer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("bearer")
    }
}
