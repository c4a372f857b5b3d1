//! The absolute URLs that a door hands out.
//!
//! A door tells clients where to go next: the target of a download, the parts of an upload session, a shared link.
//! Such a URL starts with the address that the client can reach: the one that the operator configured, else the one
//! that a trusted proxy says it was asked for, else the one that the request itself was sent to.

use crate::{
    arrival::{Arrival, Scheme},
    host,
};
use http::{HeaderMap, HeaderName, Uri};
use std::{fmt, net::IpAddr, str::FromStr};

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// An absolute `http` or `https` URL without a query and without a `/` at its end, to which a path is appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    scheme: Scheme,
    text: String,
}

/// A text that is no [`BaseUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give an absolute URL such as https://files.example.com, without user, query or fragment")]
pub struct BadUrl;

impl BaseUrl {
    fn new(scheme: Scheme, host: &str) -> Self {
        Self { scheme, text: format!("{scheme}://{host}") }
    }

    /// Its scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The URL's text, never ending in `/`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, without scheme, port and path; an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let after = self.text.split_once("://").map_or("", |(_, after)| after);
        let authority = after.split('/').next().unwrap_or("");
        match authority.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or(""),
            None => authority.split(':').next().unwrap_or(""),
        }
    }
}

impl FromStr for BaseUrl {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let uri: Uri = text.parse().map_err(|_| BadUrl)?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            _ => return Err(BadUrl),
        };
        let authority = uri.authority().ok_or(BadUrl)?.as_str();
        if !host::is_valid(authority) || uri.query().is_some() || text.contains('#') {
            return Err(BadUrl);
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Self { scheme, text: format!("{scheme}://{authority}{path}") })
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Addresses, as `10.0.0.0/8` or `::1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// A text that is no [`Network`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give an address or a network such as 10.0.0.0/8 or ::1")]
pub struct BadNetwork;

impl Network {
    /// Whether the address is one of these.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differing = u32::from(ours) ^ u32::from(theirs);
                differing.checked_shr(32 - u32::from(self.prefix_bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differing = u128::from(ours) ^ u128::from(theirs);
                differing.checked_shr(128 - u32::from(self.prefix_bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = BadNetwork;

    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| BadNetwork)?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = prefix.map_or(Ok(bits_max), str::parse).map_err(|_| BadNetwork)?;
        if prefix_bits > bits_max { Err(BadNetwork) } else { Ok(Self { address, prefix_bits }) }
    }
}

/// Knows where clients reach a door.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// What the operator configured; it outranks everything else.
    pub public_url: Option<BaseUrl>,
    /// Proxies whose `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-For` are believed.
    pub trusted_proxies: Vec<Network>,
}

impl Origin {
    /// The URL under which the client reached the root of this server.
    ///
    /// Whatever a header says, the result is a scheme and a well-formed host and nothing else, so that a header
    /// cannot smuggle anything into an answer. Without any usable host it names the address connected to.
    #[must_use]
    pub fn base_url(&self, arrival: &Arrival, uri: &Uri, headers: &HeaderMap) -> BaseUrl {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let proxied = self.is_trusted(arrival.peer.ip());
        let scheme = match first(headers, &FORWARDED_PROTO).filter(|_| proxied) {
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ => arrival.scheme,
        };
        let forwarded = first(headers, &FORWARDED_HOST).filter(|host| proxied && host::is_valid(host));
        match forwarded.or_else(|| host::requested(uri, headers).ok().flatten()) {
            Some(host) => BaseUrl::new(scheme, host),
            None => BaseUrl::new(scheme, &arrival.local.to_string()),
        }
    }

    /// The client's address: the peer's, or, behind trusted proxies, the last one in `X-Forwarded-For` that is not
    /// itself a trusted proxy.
    #[must_use]
    pub fn client_address(&self, arrival: &Arrival, headers: &HeaderMap) -> IpAddr {
        let mut address = arrival.peer.ip().to_canonical();
        let values = headers.get_all(&FORWARDED_FOR).iter().rev();
        let mut earlier = values.flat_map(|value| value.to_str().unwrap_or("").rsplit(','));
        while self.is_trusted(address) {
            match earlier.next().and_then(|text| text.trim().parse::<IpAddr>().ok()) {
                Some(before) => address = before.to_canonical(),
                None => break,
            }
        }
        address
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }
}

/// The first item of a comma-separated header: what the proxy nearest to the client saw.
fn first<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()?.split(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{arrival::Entry, request_id::RequestId};
    use entente_world::World;

    fn arrival(peer: &str) -> Arrival {
        Arrival {
            request_id: RequestId::random(&World::real()),
            peer: peer.parse().unwrap(),
            local: "192.0.2.1:8080".parse().unwrap(),
            scheme: Scheme::Http,
            entry: Entry::Path,
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn base(origin: &Origin, peer: &str, pairs: &[(&'static str, &str)]) -> String {
        origin.base_url(&arrival(peer), &Uri::from_static("/x"), &headers(pairs)).to_string()
    }

    #[test]
    fn the_configured_url_wins() {
        let origin = Origin { public_url: Some("https://files.example.com/".parse().unwrap()), ..Origin::default() };
        assert_eq!(base(&origin, "10.0.0.1:1", &[("host", "evil.example")]), "https://files.example.com");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let origin = Origin { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Origin::default() };
        let pairs =
            [("host", "inner:8080"), ("x-forwarded-proto", "https, http"), ("x-forwarded-host", "outer.example")];
        assert_eq!(base(&origin, "10.1.2.3:1", &pairs), "https://outer.example");
        assert_eq!(base(&origin, "[::ffff:10.1.2.3]:1", &pairs), "https://outer.example");
        assert_eq!(base(&origin, "11.0.0.1:1", &pairs), "http://inner:8080");
        let bad = [("host", "inner"), ("x-forwarded-proto", "gopher"), ("x-forwarded-host", "a b<c>")];
        assert_eq!(base(&origin, "10.1.2.3:1", &bad), "http://inner");
    }

    #[test]
    fn without_a_host_the_address_serves() {
        let origin = Origin::default();
        assert_eq!(base(&origin, "10.0.0.1:1", &[]), "http://192.0.2.1:8080");
        assert_eq!(base(&origin, "10.0.0.1:1", &[("host", "a/b@c")]), "http://192.0.2.1:8080");
    }

    #[test]
    fn the_client_behind_proxies() {
        let origin = Origin { trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()], ..Origin::default() };
        let chain = headers(&[("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.2")]);
        assert_eq!(origin.client_address(&arrival("10.0.0.1:1"), &chain).to_string(), "203.0.113.9");
        assert_eq!(origin.client_address(&arrival("198.51.100.1:1"), &chain).to_string(), "198.51.100.1");
        assert_eq!(origin.client_address(&arrival("10.0.0.1:1"), &headers(&[])).to_string(), "10.0.0.1");
    }

    #[test]
    fn urls_are_checked() {
        for bad in ["files.example", "ftp://a", "https://u:p@a", "https://a?x=1", "https://a#f", "https://", "/x"] {
            assert!(bad.parse::<BaseUrl>().is_err(), "{bad}");
        }
        let url: BaseUrl = "https://a.example:8443/entente//".parse().unwrap();
        assert_eq!((url.as_str(), url.host()), ("https://a.example:8443/entente", "a.example"));
        assert_eq!("http://[::1]:80".parse::<BaseUrl>().unwrap().host(), "::1");
    }

    #[test]
    fn networks_contain_their_addresses() {
        let contains =
            |network: &str, address: &str| network.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(contains("10.0.0.0/8", "10.255.0.1") && !contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("::1", "::1") && !contains("::1", "::2"));
        assert!(contains("fd00::/8", "fd12::1") && contains("0.0.0.0/0", "1.2.3.4") && contains("::/0", "::5"));
        for bad in ["10.0.0.0/33", "x", "10.0.0.0/", "::/129"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
