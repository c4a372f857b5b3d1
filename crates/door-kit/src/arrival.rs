//! How a request came in.

use crate::request_id::RequestId;
use axum::extract::FromRequestParts;
use http::{StatusCode, request::Parts};
use std::{fmt, net::SocketAddr};

/// What is known of a request besides what it says itself. [`serve`](crate::serve()) attaches it to every one as an
/// extension, and an axum handler takes it as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The request's name in answers and in the log.
    pub request_id: RequestId,
    /// Who opened the connection: a client, or a proxy in front of us.
    pub peer: SocketAddr,
    /// The address of ours that was connected to.
    pub local: SocketAddr,
    /// Whether the connection to us is encrypted.
    pub scheme: Scheme,
    /// By which kind of name the request reached its door.
    pub entry: Entry,
}

/// The two schemes that we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Unencrypted.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// By which kind of name a request reached its door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// By the path as it was sent, such as `/box/2.0/…`: URLs handed out carry our prefix.
    Path,
    /// By a vendor's host name that resolves to us (see [`host`](crate::host)): URLs handed out follow the vendor's
    /// scheme of hosts.
    HostName,
}

impl<S: Sync> FromRequestParts<S> for Arrival {
    type Rejection = StatusCode;

    /// Fails with 500 only where the request did not come through [`serve`](crate::serve()).
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().copied().ok_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}
