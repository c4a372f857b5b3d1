//! Tokens (RFC 6749, RFC 8693).

use super::item::Item;
use serde::{Serialize, Serializer};

/// The only type of token that is exchanged.
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// `AccessToken`.
#[derive(Serialize)]
pub struct AccessToken<'a> {
    /// The token itself.
    pub access_token: &'a str,
    /// For how long it is good, in seconds.
    pub expires_in: u64,
    /// Always `bearer`.
    pub token_type: Bearer,
    /// What it is limited to, a scope each; nothing for one that was not made of another.
    pub restricted_to: Vec<Restriction<'a>>,
    /// What brings the next one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<&'a str>,
    /// Of one that was made of another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued_token_type: Option<&'static str>,
}

/// `ResourceScope`.
#[derive(Serialize)]
pub struct Restriction<'a> {
    /// What may be done.
    pub scope: &'a str,
    /// With what.
    pub object: &'a Item<'a>,
}

/// The only kind of token.
#[derive(Debug, Clone, Copy)]
pub struct Bearer;

impl Serialize for Bearer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("bearer")
    }
}
