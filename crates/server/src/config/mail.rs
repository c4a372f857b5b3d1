//! `[mail]`: by which way letters leave.

use super::reader::Section;
use entente_clouds::SecretSource;
use entente_mail::{Letter, Security};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// In whose name letters are sent when nobody says.
const FROM: &str = "Entente <entente@localhost>";
/// The folder in the data directory where letters go when there is no relay.
const FOLDER: &str = "mail";

/// By which way letters leave.
#[derive(Debug, Clone)]
pub(crate) struct MailConfig {
    /// The sender.
    pub(crate) from: String,
    /// The folder where they go unless there is a relay.
    pub(crate) folder: PathBuf,
    /// The relay.
    pub(crate) relay: Option<RelayConfig>,
}

#[derive(Debug, Clone)]
pub(crate) struct RelayConfig {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    /// Who we are there, and where our password is.
    pub(crate) credentials: Option<(String, SecretSource)>,
}

impl MailConfig {
    pub(super) fn take(mut section: Section<'_, '_>, data: &Path) -> Self {
        let from = section.text("from");
        if let Some(from) = &from
            && let Err(error) = Letter::check_sender(&from.value)
        {
            section.note(from.line, "from", error.to_string());
        }
        let folder = section.path("folder").map_or_else(|| data.join(FOLDER), |at| data.join(at.value));
        let relay = take_relay(&mut section);
        if relay.is_some() && from.is_none() {
            section.note(
                section.line,
                "from",
                "is missing: what the relay is to tell receivers, such as files@example.com",
            );
        }
        section.finish();
        Self { from: from.map_or_else(|| FROM.to_owned(), |at| at.value), folder, relay }
    }

    pub(super) fn to_json(&self, secret: impl Fn(&SecretSource) -> Value) -> Value {
        let relay = self.relay.as_ref().map(|relay| {
            json!({
                "host": relay.host,
                "port": relay.port,
                "security": word(relay.security),
                "user": relay.credentials.as_ref().map(|(user, _)| user),
                "password": relay.credentials.as_ref().map(|(_, source)| secret(source)),
            })
        });
        json!({ "from": self.from, "folder": self.folder, "relay": relay })
    }
}

fn take_relay(section: &mut Section<'_, '_>) -> Option<RelayConfig> {
    let host = section.text("host");
    let port = section.number("port", 1..=65_535);
    let security = section.text("security").map(|at| match at.value.as_str() {
        "tls" => Security::Tls,
        "starttls" => Security::StartTls,
        "none" => Security::None,
        _ => {
            section.note(at.line, "security", "must be \"tls\", \"starttls\" or \"none\"");
            Security::Tls
        }
    });
    let user = section.text("user");
    let password = section.secret("password", "password_file", "password_env");
    let Some(host) = host else {
        let lines = [port.as_ref().map(|at| at.line), user.as_ref().map(|at| at.line)];
        if let Some(line) = lines.into_iter().flatten().next() {
            section.note(line, "host", "is missing: the relay's name");
        }
        return None;
    };
    if user.is_some() != password.is_some() {
        section.note(host.line, "user", "is needed together with password_file (or password_env)");
    }
    let security = security.unwrap_or(Security::StartTls);
    if security == Security::None && password.is_some() {
        section.note(host.line, "security", "must not be \"none\" with a password: anybody on the way would read it");
    }
    let usual = if security == Security::Tls { 465 } else { 587 };
    let port = port.map_or(usual, |at| u16::try_from(at.value).unwrap_or(usual));
    let credentials = user.map(|at| at.value).zip(password);
    Some(RelayConfig { host: host.value, port, security, credentials })
}

const fn word(security: Security) -> &'static str {
    match security {
        Security::Tls => "tls",
        Security::StartTls => "starttls",
        Security::None => "none",
    }
}
