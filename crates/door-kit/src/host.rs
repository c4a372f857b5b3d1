//! Requests by host name: `https://api.box.com/2.0/…`, pointed at us by an internal DNS, becomes `/box/2.0/…`.

use http::{HeaderMap, Uri, header, uri::PathAndQuery};

/// The longest host name that DNS knows, and a port.
const HOST_BYTES_MAX: usize = 255 + 6;

/// Which vendor host names we answer to, and the paths they stand for. The first route that fits is taken.
#[derive(Debug, Clone, Default)]
pub struct HostTable(Vec<HostRoute>);

/// One line of a [`HostTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRoute {
    /// A host name in lower case, without a port. `*.example.com` stands for every name below `example.com`.
    pub host: String,
    /// What the path must start with, as whole segments; it is taken away. Empty for any path.
    pub strip: String,
    /// What is put before the rest.
    pub put: String,
}

impl HostRoute {
    /// A route from `host` and the path prefix `strip` to the path prefix `put`.
    #[must_use]
    pub fn new(host: &str, strip: &str, put: &str) -> Self {
        Self { host: host.to_ascii_lowercase(), strip: strip.to_owned(), put: put.to_owned() }
    }
}

impl HostTable {
    /// The table with these lines, in this order.
    #[must_use]
    pub fn new(routes: Vec<HostRoute>) -> Self {
        Self(routes)
    }

    /// The request target that `uri` stands for at `host`, or `None` when it stands for itself. Allocates only when
    /// a route fits.
    #[must_use]
    pub fn rewrite(&self, host: &str, uri: &Uri) -> Option<Uri> {
        if self.0.is_empty() {
            return None;
        }
        let name = without_port(host);
        let path = uri.path();
        let (route, rest) = self
            .0
            .iter()
            .filter(|route| fits(&route.host, name))
            .find_map(|route| Some((route, rest(route, path)?)))?;
        let query_bytes = uri.query().map_or(0, |query| query.len() + 1);
        let mut target = String::with_capacity(route.put.len() + rest.len() + query_bytes);
        target.push_str(&route.put);
        target.push_str(rest);
        if let Some(query) = uri.query() {
            target.push('?');
            target.push_str(query);
        }
        Some(Uri::from(PathAndQuery::from_maybe_shared(target).ok()?))
    }
}

/// A request says twice, or not at all legally, which host it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request needs exactly one valid host header")]
pub struct BadHost;

/// The host, with its port if one is given, that a request is for: that of an absolute target, else of the `Host`
/// header. `None` when there is neither, which HTTP/1.0 allows.
pub fn requested<'r>(uri: &'r Uri, headers: &'r HeaderMap) -> Result<Option<&'r str>, BadHost> {
    let mut values = headers.get_all(header::HOST).iter();
    let host = match (values.next(), values.next()) {
        (None, _) => None,
        (Some(host), None) => Some(host.to_str().map_err(|_| BadHost)?),
        (Some(_), Some(_)) => return Err(BadHost),
    };
    // RFC 9112 section 3.2.2: the host of an absolute target outranks the header.
    let host = uri.host().map_or(host, |_| uri.authority().map(http::uri::Authority::as_str));
    match host {
        Some(host) if !is_valid(host) => Err(BadHost),
        host => Ok(host),
    }
}

/// Whether `host` is a host name or address, perhaps with a port, that can stand in a URL or a header as it is.
#[must_use]
pub fn is_valid(host: &str) -> bool {
    if host.is_empty() || host.len() > HOST_BYTES_MAX {
        return false;
    }
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, after)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return false;
            }
            match after.strip_prefix(':') {
                Some(port) => ("", Some(port)),
                None if after.is_empty() => ("", None),
                None => return false,
            }
        }
        None => match host.split_once(':') {
            Some((name, port)) if !name.is_empty() => (name, Some(port)),
            Some(_) => return false,
            None => (host, None),
        },
    };
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        && port.is_none_or(|port| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The host without its port and without the dot that ends a full name.
fn without_port(host: &str) -> &str {
    let name = match host.rfind(':') {
        Some(colon) if !host.ends_with(']') => host.get(..colon).unwrap_or(host),
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name)
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some(below) => name.len() > below.len() && ends_with_ignoring_case(name, below),
        None => name.eq_ignore_ascii_case(pattern),
    }
}

fn ends_with_ignoring_case(name: &str, end: &str) -> bool {
    let bytes = name.as_bytes();
    bytes
        .len()
        .checked_sub(end.len())
        .and_then(|start| bytes.get(start..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
}

/// What is left of the path after the route's prefix, if it has that prefix as whole segments.
fn rest<'p>(route: &HostRoute, path: &'p str) -> Option<&'p str> {
    let rest = path.strip_prefix(route.strip.as_str())?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> HostTable {
        HostTable::new(vec![
            HostRoute::new("api.box.com", "", "/box"),
            HostRoute::new("upload.box.com", "/api", "/box/upload"),
            HostRoute::new("*.s3.example", "", "/s3"),
        ])
    }

    fn rewritten(host: &str, uri: &str) -> Option<String> {
        table().rewrite(host, &uri.parse().unwrap()).map(|uri| uri.to_string())
    }

    #[test]
    fn vendor_hosts_become_prefixes() {
        assert_eq!(rewritten("api.box.com", "/2.0/files/1?fields=a,b").as_deref(), Some("/box/2.0/files/1?fields=a,b"));
        assert_eq!(rewritten("API.box.com:443", "/oauth2/token").as_deref(), Some("/box/oauth2/token"));
        assert_eq!(rewritten("api.box.com.", "/").as_deref(), Some("/box/"));
        assert_eq!(rewritten("api.box.com", "https://api.box.com/2.0/users/me").as_deref(), Some("/box/2.0/users/me"));
        assert_eq!(
            rewritten("upload.box.com", "/api/2.0/files/content").as_deref(),
            Some("/box/upload/2.0/files/content")
        );
        assert_eq!(rewritten("bucket.s3.example", "/key").as_deref(), Some("/s3/key"));
    }

    #[test]
    fn other_requests_stay_as_they_are() {
        assert_eq!(rewritten("localhost:8080", "/box/2.0/files/1"), None);
        assert_eq!(rewritten("upload.box.com", "/apix/2.0"), None);
        assert_eq!(rewritten("s3.example", "/key"), None);
        assert_eq!(rewritten("[::1]:80", "/key"), None);
        assert!(HostTable::default().rewrite("api.box.com", &"/2.0".parse().unwrap()).is_none());
    }

    #[test]
    fn hosts_are_checked() {
        for good in ["localhost", "127.0.0.1:80", "[::1]", "[fe80::1]:8080", "a_b.example-c.org:65535", "x:"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in
            ["", ":80", "a b", "a/b", "a\r\nX: y", "a@b", "[::1", "[zz]", "[::1]x", "a:123456", "a:8x", "ä.example"]
        {
            assert!(!is_valid(bad), "{bad}");
        }
        assert!(!is_valid(&"a".repeat(300)));
    }

    #[test]
    fn one_host_is_wanted() {
        let mut headers = HeaderMap::new();
        let uri = Uri::from_static("/x");
        assert_eq!(requested(&uri, &headers), Ok(None));
        headers.append(header::HOST, "one.example".parse().unwrap());
        assert_eq!(requested(&uri, &headers), Ok(Some("one.example")));
        assert_eq!(requested(&Uri::from_static("http://two.example:1/x"), &headers), Ok(Some("two.example:1")));
        headers.append(header::HOST, "two.example".parse().unwrap());
        assert_eq!(requested(&uri, &headers), Err(BadHost));
    }
}
