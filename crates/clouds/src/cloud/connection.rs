use super::transport::Clients;
use crate::{Error, ErrorKind};
use std::{path::PathBuf, time::Duration};

/// How a cloud is reached.
///
/// Redirects are never followed, so nobody but the configured endpoint is asked for objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The URL of a proxy, without a password. `None` goes by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`
    /// of the environment, which may have one.
    pub proxy: Option<String>,
    /// A PEM file of authorities that are trusted beside the system's.
    pub ca_file: Option<PathBuf>,
    /// How long making a connection may take, the handshake included.
    pub connect_timeout: Duration,
}

/// Connections that nobody has used for so long are closed: sooner than most services do it.
const IDLE_CONNECTION: Duration = Duration::from_secs(20);
/// Connections to one host that are kept for the next request.
const IDLE_CONNECTIONS_MAX: usize = 256;
/// How long an answer may stand still. A backstop: [`crate::guard::Timeout`] gives up sooner.
const STANDSTILL_MAX: Duration = Duration::from_secs(120);

impl Default for Connection {
    fn default() -> Self {
        Self { proxy: None, ca_file: None, connect_timeout: Duration::from_secs(5) }
    }
}

impl Connection {
    /// Reads the file of authorities, so it blocks. `Failed`, with a text that says which setting is wrong.
    pub(crate) fn clients(&self) -> Result<Clients, Error> {
        let mut usual = self.builder()?;
        if let Some(proxy) = &self.proxy {
            usual = usual.proxy(parse_proxy(proxy)?);
        }
        let direct = self.builder()?.no_proxy();
        Ok(Clients { usual: build(usual)?, direct: build(direct)? })
    }

    fn builder(&self) -> Result<reqwest::ClientBuilder, Error> {
        let builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.connect_timeout)
            .read_timeout(STANDSTILL_MAX)
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .user_agent(concat!("entente/", env!("CARGO_PKG_VERSION")));
        let Some(path) = &self.ca_file else {
            return Ok(builder);
        };
        let pem = std::fs::read(path)
            .map_err(|error| wrong(format!("ca_file {} cannot be read: {}", path.display(), error.kind())))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if authorities.is_empty() {
            return Err(wrong(format!("ca_file {} has no certificates in PEM form", path.display())));
        }
        Ok(builder.tls_certs_merge(authorities))
    }
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, Error> {
    builder.build().map_err(|_| {
        wrong("TLS cannot be set up; check that the system's certificates (package ca-certificates) are installed")
    })
}

fn parse_proxy(text: &str) -> Result<reqwest::Proxy, Error> {
    let url = reqwest::Url::parse(text).map_err(|_| wrong("proxy is not a URL, such as http://proxy.example:3128"))?;
    if url.password().is_some() || !url.username().is_empty() {
        return Err(wrong("proxy may not hold a password; leave it out and set HTTPS_PROXY in the environment"));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("proxy begins with http:// or https://"));
    }
    reqwest::Proxy::all(url).map_err(|_| wrong("proxy cannot be used"))
}

/// A setting is wrong.
pub(crate) fn wrong(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Failed, "open").because(what.into())
}

/// Checks the URL of a service. A password in it would be shown wherever the endpoint is.
pub(crate) fn parse_endpoint(text: &str) -> Result<http::Uri, Error> {
    let not_a_url = || wrong("endpoint is not a URL, such as https://s3.example:9000");
    let endpoint: http::Uri = text.parse().map_err(|_| not_a_url())?;
    let authority = endpoint.authority().ok_or_else(not_a_url)?;
    if authority.as_str().contains('@') {
        return Err(wrong("endpoint may not hold a password"));
    }
    if !matches!(endpoint.scheme_str(), Some("http" | "https")) || endpoint.query().is_some() {
        return Err(wrong("endpoint begins with http:// or https:// and has no `?`"));
    }
    Ok(endpoint)
}

/// Whether what goes there can be read on the way by nobody else: by TLS, or because it stays on this machine.
pub(crate) fn is_private(endpoint: &http::Uri) -> bool {
    let host = endpoint.host().unwrap_or_default().trim_matches(['[', ']']);
    let local = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    local || endpoint.scheme_str() == Some("https")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<T>(outcome: Result<T, Error>) -> String {
        outcome.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn wrong_settings_are_named_and_passwords_are_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let ca_file = Some(folder.path().join("ca.pem"));
        let missing = Connection { ca_file: ca_file.clone(), ..Connection::default() };
        assert!(text(missing.clients()).contains("ca.pem cannot be read"));
        std::fs::write(folder.path().join("ca.pem"), "hello").unwrap();
        let empty = Connection { ca_file, ..Connection::default() };
        assert!(text(empty.clients()).contains("no certificates"));
        for proxy in ["proxy", "ftp://proxy", "http://me:hush@proxy:1"] {
            let proxied = Connection { proxy: Some(proxy.to_owned()), ..Connection::default() };
            let error = text(proxied.clients());
            assert!(error.contains("proxy") && !error.contains("hush"), "{error}");
        }
        for endpoint in ["", "s3.example", "ftp://s3.example", "https://me:hush@s3.example", "https://s3.example/?a=b"]
        {
            let error = text(parse_endpoint(endpoint));
            assert!(error.contains("endpoint") && !error.contains("hush"), "{endpoint}: {error}");
        }
    }

    #[test]
    fn only_tls_and_this_machine_are_private() {
        for (endpoint, private) in [
            ("https://s3.example", true),
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000", true),
            ("http://localhost:9000", true),
            ("http://s3.example", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_private(&parse_endpoint(endpoint).unwrap()), private, "{endpoint}");
        }
    }
}
