//! Where a server is, and whom to trust about it.

use anyhow::{Context, Result, bail};
use http::{HeaderValue, Uri, uri::PathAndQuery};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use std::{path::Path, sync::Arc};

/// How to speak TLS: with the authorities of one file, or not at all.
#[derive(Debug, Clone, Default)]
pub struct Trust(Option<Arc<ClientConfig>>);

/// A scheme, a host and a port, ready to be connected to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub host: String,
    pub port: u16,
    /// What a `Host` header says.
    pub authority: HeaderValue,
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    trust: Trust,
}

impl Trust {
    /// Trusts the authorities in a PEM file; without a file only plain HTTP can be spoken.
    ///
    /// # Errors
    /// When the file cannot be read or holds no certificate.
    pub fn load(ca_file: Option<&Path>) -> Result<Self> {
        let Some(path) = ca_file else { return Ok(Self(None)) };
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(path)
            .with_context(|| format!("cannot read the CA file {}", path.display()))?;
        for certificate in certificates {
            let certificate = certificate.with_context(|| format!("{} is not PEM", path.display()))?;
            roots.add(certificate).with_context(|| format!("{} holds an unusable certificate", path.display()))?;
        }
        if roots.is_empty() {
            bail!("{} holds no certificate", path.display());
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Some(Arc::new(config))))
    }
}

impl Endpoint {
    /// Takes an absolute `http` or `https` URL apart into where it points and what to ask for there.
    ///
    /// # Errors
    /// When the URL is not absolute, or is `https` and no CA file was given.
    pub fn parse(url: &str, trust: &Trust) -> Result<(Self, Uri)> {
        let uri: Uri = url.parse().with_context(|| format!("'{url}' is not a URL"))?;
        let parts = uri.into_parts();
        let authority = parts.authority.with_context(|| format!("'{url}' names no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let scheme = parts.scheme.map(|scheme| scheme.as_str().to_owned());
        let (port, tls) = match scheme.as_deref() {
            Some("http") => (80, None),
            Some("https") => {
                let config = trust.0.clone().with_context(|| format!("'{url}' needs TLS; give --ca-file"))?;
                let name = ServerName::try_from(host.clone()).with_context(|| format!("'{host}' cannot be checked"))?;
                (443, Some((config, name)))
            }
            _ => bail!("'{url}' is neither http nor https"),
        };
        let endpoint = Self {
            port: authority.port_u16().unwrap_or(port),
            authority: HeaderValue::from_str(authority.as_str())?,
            host,
            tls,
            trust: trust.clone(),
        };
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok((endpoint, Uri::from(path)))
    }

    /// As [`Self::parse`], for a URL that others are made from: the path comes without a slash at its end.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_base(url: &str, trust: &Trust) -> Result<(Self, String)> {
        let (endpoint, uri) = Self::parse(url, trust)?;
        Ok((endpoint, uri.path().trim_end_matches('/').to_owned()))
    }

    /// Where a `Location` header points: an absolute URL, or a path on this endpoint.
    ///
    /// # Errors
    /// When it is neither, or needs TLS that was not set up.
    pub fn follow(&self, location: &str) -> Result<(Self, Uri)> {
        if location.starts_with('/') {
            let uri = location.parse().with_context(|| format!("'{location}' is not a path"))?;
            return Ok((self.clone(), uri));
        }
        Self::parse(location, &self.trust)
    }

    /// The same host, port and scheme.
    pub fn same_place(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port && self.tls.is_some() == other.tls.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Trust};
    use std::path::Path;

    #[test]
    fn a_url_is_taken_apart() {
        let (endpoint, path) = Endpoint::parse("http://127.0.0.1:8080/box/x?y=1", &Trust::default()).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port), ("127.0.0.1", 8080));
        assert_eq!((endpoint.authority.to_str().unwrap(), path.to_string().as_str()), ("127.0.0.1:8080", "/box/x?y=1"));
        let (endpoint, base) = Endpoint::parse_base("http://[::1]/box/", &Trust::default()).unwrap();
        assert_eq!((endpoint.host.as_str(), endpoint.port, base.as_str()), ("::1", 80, "/box"));
        assert_eq!(Endpoint::parse_base("http://h", &Trust::default()).unwrap().1, "");
    }

    #[test]
    fn a_location_may_be_absolute_or_a_path() {
        let (endpoint, _) = Endpoint::parse("http://a:1/", &Trust::default()).unwrap();
        let (same, path) = endpoint.follow("/d/2?t=3").unwrap();
        assert!(same.same_place(&endpoint));
        assert_eq!(path.to_string(), "/d/2?t=3");
        assert!(!endpoint.follow("http://b:1/d").unwrap().0.same_place(&endpoint));
    }

    #[test]
    fn what_cannot_be_reached_is_refused() {
        for wrong in ["/box", "ftp://h/", "https://h/", "http//h", ""] {
            assert!(Endpoint::parse(wrong, &Trust::default()).is_err(), "{wrong}");
        }
        assert!(Trust::load(Some(Path::new("/nonexistent"))).is_err());
    }
}
