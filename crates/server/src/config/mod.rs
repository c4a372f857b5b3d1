//! The configuration file, `entente.toml`. What the command line says counts more.
//!
//! A file is read whole: every mistake in it is told at once, each with its line and field. What is answered has been
//! checked; nothing in it is a secret, only where secrets are.

mod check;
mod cloud;
mod database;
mod mail;
mod mistake;
mod reader;
mod show;
mod storage;
mod targets;
#[cfg(test)]
mod tests;
mod upkeep;

use crate::cli::DATA_DEFAULT;
use crate::exit::{Exit, Failure};
use crate::span::Span;
pub(crate) use check::lexical;
pub(crate) use cloud::{files, kind};
pub(crate) use database::DatabaseConfig;
use entente_door_kit::host;
use entente_door_kit::origin::{BaseUrl, Network};
pub(crate) use mail::MailConfig;
pub(crate) use mistake::Mistakes;
use reader::{Document, Section};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub(crate) use storage::{BackendConfig, StorageConfig};
pub(crate) use targets::TargetConfig;
pub(crate) use upkeep::UpkeepConfig;

/// Larger files are not configuration.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Everything that can be configured.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The file that says so; none if nobody named one.
    pub(crate) file: Option<PathBuf>,
    /// The data directory, absolute.
    pub(crate) data: PathBuf,
    /// The address to listen on.
    pub(crate) listen: Option<SocketAddr>,
    /// The URL by which clients reach this server.
    pub(crate) public_url: Option<BaseUrl>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub(crate) trusted_proxies: Vec<Network>,
    pub(crate) tls: TlsConfig,
    pub(crate) s3: S3Config,
    pub(crate) limits: LimitsConfig,
    pub(crate) upkeep: UpkeepConfig,
    pub(crate) database: DatabaseConfig,
    pub(crate) reads: ReadsConfig,
    pub(crate) writes: WritesConfig,
    pub(crate) health: HealthConfig,
    pub(crate) storage: StorageConfig,
    /// Who may be told of changes.
    pub(crate) targets: Vec<TargetConfig>,
    pub(crate) webhooks: WebhooksConfig,
    pub(crate) mail: MailConfig,
    /// Whether the file declares backends, zones and policies; if not, `storage` is the embedded default.
    pub(crate) declares_storage: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct TlsConfig {
    pub(crate) self_signed: bool,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
}

/// How S3 clients come in.
#[derive(Debug, Clone, Default)]
pub(crate) struct S3Config {
    /// The address to listen on.
    pub(crate) listen: Option<SocketAddr>,
    /// The name below which each bucket has a host name of its own.
    pub(crate) host: Option<String>,
}

/// What applications' webhooks may do.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebhooksConfig {
    /// Whether they may have addresses that are not of the open internet, and such without TLS.
    pub(crate) allow_private: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct LimitsConfig {
    pub(crate) connections: Option<u32>,
    pub(crate) file_bytes: Option<u64>,
    pub(crate) upload_budget_bytes: Option<u32>,
    pub(crate) drain: Option<Span>,
}

/// How contents are read that are on several backends.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadsConfig {
    /// After how long another replica is asked too.
    pub(crate) hedge_after: Option<Duration>,
}

/// How contents are written of which several copies must be durable.
#[derive(Debug, Clone, Default)]
pub(crate) struct WritesConfig {
    /// After how long a copy that is not durable yet is written to the next backend too.
    pub(crate) failover_after: Option<Duration>,
}

/// When a backend counts as down or slow. What is not given is as usual for its kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct HealthConfig {
    pub(crate) failures_max: Option<u32>,
    pub(crate) probe_after: Option<Duration>,
    pub(crate) probe_after_max: Option<Duration>,
    pub(crate) slow_from: Option<Duration>,
}

/// Why a file cannot be followed.
pub(crate) enum Wrong {
    /// It cannot be read.
    File(String),
    /// It has mistakes; and what it says besides.
    Mistakes(PathBuf, Mistakes, Box<Config>),
}

impl Config {
    /// What holds without a file.
    pub(crate) fn without_file(data: Option<&Path>) -> Self {
        // Nothing that is not there can be a mistake.
        Self::parse("", data).0
    }

    /// Reads a file; `data` is what the command line says of the data directory, and counts more.
    pub(crate) fn read(file: &Path, data: Option<&Path>) -> Result<Self, Wrong> {
        let wrong = |what: String| Wrong::File(format!("the configuration {}: {what}", file.display()));
        let length = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?.len();
        if length > FILE_BYTES_MAX {
            return Err(wrong("is larger than a mebibyte".to_owned()));
        }
        let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
        let (mut config, mistakes) = Self::parse(&text, data);
        if !mistakes.is_empty() {
            return Err(Wrong::Mistakes(file.to_owned(), mistakes, Box::new(config)));
        }
        config.file = Some(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
        Ok(config)
    }

    /// What the text says as far as it can be understood, and all that is wrong with it.
    fn parse(text: &str, data: Option<&Path>) -> (Self, Mistakes) {
        let document = Document::new(text);
        let config = Self::take(&document, data);
        (config, document.mistakes())
    }

    fn take(document: &Document<'_>, data: Option<&Path>) -> Self {
        let mut top = document.top();
        let said = top.path("data").map(|at| at.value);
        let data = data.map(Path::to_owned).or(said).unwrap_or_else(|| DATA_DEFAULT.into());
        let data = std::path::absolute(&data).unwrap_or(data);
        let listen = top.parsed("listen").map(|at| at.value);
        let public_url = top.parsed("public_url").map(|at| at.value);
        let trusted_proxies = networks(&mut top);
        let tls = tls(top.table("tls"));
        let s3 = s3(top.table("s3"));
        let limits = limits(top.table("limits"));
        let upkeep = UpkeepConfig::take(top.table("upkeep"));
        let database = DatabaseConfig::take(top.table("database"));
        let reads = reads(top.table("reads"));
        let writes = writes(top.table("writes"));
        let health = health(top.table("health"));
        let targets = TargetConfig::take_all(&mut top);
        let webhooks = webhooks(top.table("webhooks"));
        let mail = MailConfig::take(top.table("mail"), &data);
        let draft = storage::read(&mut top, &data);
        let declares_storage = draft.is_some();
        let storage = match draft {
            Some(draft) => check::check(document, draft, &data),
            None => StorageConfig::embedded(&data),
        };
        top.finish();
        Self {
            file: None,
            data,
            listen,
            public_url,
            trusted_proxies,
            tls,
            s3,
            limits,
            upkeep,
            database,
            reads,
            writes,
            health,
            storage,
            targets,
            webhooks,
            mail,
            declares_storage,
        }
    }
}

impl Wrong {
    /// For people: a sentence, or one a line.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::File(what) => what.clone(),
            Self::Mistakes(file, mistakes, _) => mistakes.to_text(file),
        }
    }
}

impl From<Wrong> for Failure {
    fn from(wrong: Wrong) -> Self {
        Self::new(Exit::Usage, wrong.to_text())
    }
}

fn networks(top: &mut Section<'_, '_>) -> Vec<Network> {
    let mut networks = Vec::new();
    for text in top.texts("trusted_proxies").unwrap_or_default() {
        match text.value.parse() {
            Ok(network) => networks.push(network),
            Err(error) => {
                let error: <Network as std::str::FromStr>::Err = error;
                top.note(text.line, "trusted_proxies", error.to_string());
            }
        }
    }
    networks
}

fn tls(mut section: Section<'_, '_>) -> TlsConfig {
    let self_signed = section.flag("self_signed").is_some_and(|at| at.value);
    let certificate = section.path("certificate");
    let key = section.path("key");
    let line = certificate.as_ref().or(key.as_ref()).map_or(section.line, |at| at.line);
    match (self_signed, &certificate, &key) {
        (true, None, None) | (false, None, None) | (false, Some(_), Some(_)) => {}
        (true, ..) => section.note(line, "self_signed", "stands beside certificate and key; give one or the other"),
        (false, ..) => section.note(line, "certificate", "is needed together with key"),
    }
    let tls = TlsConfig { self_signed, certificate: certificate.map(|at| at.value), key: key.map(|at| at.value) };
    section.finish();
    tls
}

fn s3(mut section: Section<'_, '_>) -> S3Config {
    let listen = section.parsed("listen").map(|at| at.value);
    let host = section.text("host").and_then(|at| {
        let is_bare = host::is_valid(&at.value) && !at.value.contains([':', '[']);
        if !is_bare {
            section.note(at.line, "host", "must be a host name without a port, such as s3.example.com");
        }
        is_bare.then_some(at.value)
    });
    section.finish();
    S3Config { listen, host }
}

fn webhooks(mut section: Section<'_, '_>) -> WebhooksConfig {
    let allow_private = section.flag("allow_private").is_some_and(|at| at.value);
    section.finish();
    WebhooksConfig { allow_private }
}

fn limits(mut section: Section<'_, '_>) -> LimitsConfig {
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let limits = LimitsConfig {
        connections: section.number("connections", 1..=1_000_000).map(|at| small(at.value)),
        file_bytes: section.number("file_bytes", 1..=1 << 48).map(|at| at.value),
        upload_budget_bytes: section
            .number("upload_budget_bytes", 32 << 20..=u64::from(u32::MAX))
            .map(|at| small(at.value)),
        drain: section.parsed("drain").map(|at| at.value),
    };
    section.finish();
    limits
}

fn reads(mut section: Section<'_, '_>) -> ReadsConfig {
    let reads = ReadsConfig { hedge_after: span(&mut section, "hedge_after", Duration::from_millis(1)) };
    section.finish();
    reads
}

fn writes(mut section: Section<'_, '_>) -> WritesConfig {
    let writes = WritesConfig { failover_after: span(&mut section, "failover_after", Duration::from_millis(100)) };
    section.finish();
    writes
}

fn health(mut section: Section<'_, '_>) -> HealthConfig {
    let failures_max = section.number("failures_max", 1..=1_000);
    let health = HealthConfig {
        failures_max: failures_max.map(|at| u32::try_from(at.value).unwrap_or(u32::MAX)),
        probe_after: span(&mut section, "probe_after", Duration::from_millis(100)),
        probe_after_max: span(&mut section, "probe_after_max", Duration::from_millis(100)),
        slow_from: span(&mut section, "slow_from", Duration::from_millis(1)),
    };
    section.finish();
    health
}

fn span(section: &mut Section<'_, '_>, field: &'static str, least: Duration) -> Option<Duration> {
    let span = section.parsed::<Span>(field)?;
    if span.value.0 < least {
        section.note(span.line, field, format!("must be at least {}", Span(least)));
        return None;
    }
    Some(span.value.0)
}
