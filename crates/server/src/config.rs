//! The configuration file, `entente.toml`. What the command line says counts more.

use crate::exit::{Exit, Failure};
use crate::span::Span;
use entente_door_kit::origin::{BaseUrl, Network};
use entente_vault::upkeep::safety::{COLLECT_GRACE, COLLECT_GRACE_BESIDE_A_SERVER};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Larger files are not configuration.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Nothing is worth doing more often.
const OFTEN_MAX: Duration = Duration::from_secs(60);

/// Everything that can be configured now. Unknown names are refused, with their line.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The data directory.
    pub(crate) data: Option<PathBuf>,
    /// The address to listen on.
    pub(crate) listen: Option<SocketAddr>,
    /// The URL by which clients reach this server.
    pub(crate) public_url: Option<Parsed<BaseUrl>>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub(crate) trusted_proxies: Vec<Parsed<Network>>,
    /// TLS.
    pub(crate) tls: TlsConfig,
    /// What clients may take.
    pub(crate) limits: LimitsConfig,
    /// What the server does when nobody asks.
    pub(crate) upkeep: UpkeepConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsConfig {
    pub(crate) self_signed: bool,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsConfig {
    pub(crate) connections: Option<u32>,
    pub(crate) file_bytes: Option<u64>,
    pub(crate) upload_budget_bytes: Option<u32>,
    pub(crate) drain: Option<Span>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct UpkeepConfig {
    /// How often garbage is collected.
    pub(crate) collect: Span,
    /// How old garbage must be.
    pub(crate) grace: Span,
    /// How often mostly dead segments are repacked.
    pub(crate) repack: Span,
    /// How often what has expired is removed.
    pub(crate) expire: Span,
}

impl Default for UpkeepConfig {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(60 * 60);
        Self { collect: Span(6 * HOUR), grace: Span(COLLECT_GRACE), repack: Span(6 * HOUR), expire: Span(HOUR / 6) }
    }
}

impl UpkeepConfig {
    fn check(&self) -> Result<(), String> {
        if self.grace.0 < COLLECT_GRACE_BESIDE_A_SERVER {
            return Err("[upkeep] grace must be at least 1h, so that uploads under way are not made to fail".to_owned());
        }
        let spans = [("collect", self.collect), ("repack", self.repack), ("expire", self.expire)];
        match spans.into_iter().find(|(_, span)| span.0 < OFTEN_MAX) {
            Some((name, _)) => Err(format!("[upkeep] {name} must be at least 1m")),
            None => Ok(()),
        }
    }
}

/// A value that is written as text.
#[derive(Debug, Clone)]
pub(crate) struct Parsed<T>(pub(crate) T);

impl<'de, T> Deserialize<'de> for Parsed<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl Config {
    /// Reads a file. Errors name the file, the line and what is wrong there.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |what: String| Failure::new(Exit::Usage, format!("the configuration {}: {what}", path.display()));
        let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > FILE_BYTES_MAX {
            return Err(wrong("is larger than a mebibyte".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(wrong)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        config.upkeep.check()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    #[test]
    fn a_full_file_is_read() {
        let text = r#"
            data = "/srv/entente"
            listen = "0.0.0.0:8443"
            public_url = "https://files.example.org"
            trusted_proxies = ["10.0.0.0/8", "::1"]
            [tls]
            certificate = "/etc/tls/cert.pem"
            key = "/etc/tls/key.pem"
            [limits]
            connections = 100
            file_bytes = 1000
            upload_budget_bytes = 67108864
            drain = "5s"
            [upkeep]
            collect = "1h"
            grace = "2d"
            repack = "3h"
            expire = "1m"
        "#;
        let config = Config::parse(text).expect("valid");
        assert_eq!(config.trusted_proxies.len(), 2);
        assert_eq!(config.limits.connections, Some(100));
        assert_eq!(config.upkeep.grace.0.as_secs(), 172_800);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (text, says) in [
            ("\n\nlisten = 5", "line 3"),
            ("listen = \"1.2.3.4\"", "line 1"),
            ("[limits]\nconnections = -1", "line 2"),
            ("public_url = \"ftp://x\"", "absolute URL"),
            ("trusted_proxies = [\"10.0.0.0/99\"]", "network"),
            ("[upkeep]\ncollect = \"often\"", "90s"),
            ("[upkeep", "line 1"),
            ("[upkeep]\ngrace = \"1m\"", "at least 1h"),
            ("[upkeep]\nrepack = \"0s\"", "repack must be"),
        ] {
            let error = Config::parse(text).expect_err(text);
            assert!(error.contains(says), "{text:?} says {error}");
        }
    }
}
