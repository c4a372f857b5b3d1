//! What a backend's kind must know: one function a cloud.

use super::reader::Section;
use entente_clouds::registry::Configuration;
use entente_clouds::{Connection, SecretSource, azure, gcs, s3};
use std::path::Path;
use std::time::Duration;

/// Which cloud.
#[derive(Clone, Copy)]
enum Kind {
    Fs,
    S3,
    Azure,
    Gcs,
}

const KINDS: [(&str, Kind); 4] = [("fs", Kind::Fs), ("s3", Kind::S3), ("azure", Kind::Azure), ("gcs", Kind::Gcs)];

/// Takes the kind and all that goes with it. Answers whose such a backend usually is, too.
pub(super) fn place(section: &mut Section<'_, '_>, data: &Path) -> (Option<Configuration>, &'static str) {
    let kind = section.choice("kind", &KINDS);
    match section.need("kind", kind).map(|kind| kind.value) {
        Some(Kind::Fs) => (fs(section, data), "own"),
        Some(Kind::S3) => (s3(section), "aws"),
        Some(Kind::Azure) => (azure(section), "azure"),
        Some(Kind::Gcs) => (gcs(section), "gcs"),
        None => {
            section.be_unsure();
            (None, "unknown")
        }
    }
}

/// The word for a kind.
pub(crate) fn kind(place: &Configuration) -> &'static str {
    match place {
        Configuration::Fs { .. } => "fs",
        Configuration::Memory => "memory",
        Configuration::S3(_) => "s3",
        Configuration::Azure(_) => "azure",
        Configuration::Gcs(_) => "gcs",
    }
}

/// The files that a backend is opened with: secrets, and authorities.
pub(crate) fn files(place: &Configuration) -> Vec<&Path> {
    let (connection, secrets) = match place {
        Configuration::Fs { .. } | Configuration::Memory => return Vec::new(),
        Configuration::S3(s3) => {
            let secrets = match &s3.credential {
                s3::Credential::Keys { access_key_id, secret_access_key, session_token } => {
                    [Some(access_key_id), Some(secret_access_key), session_token.as_ref()]
                }
                s3::Credential::Chain | s3::Credential::Anonymous => [None; 3],
            };
            (&s3.connection, secrets)
        }
        Configuration::Azure(azure) => {
            let secret = match &azure.credential {
                azure::Credential::AccountKey(source) | azure::Credential::SasToken(source) => Some(source),
                azure::Credential::Chain | azure::Credential::Anonymous => None,
            };
            (&azure.connection, [secret, None, None])
        }
        Configuration::Gcs(gcs) => {
            let secret = match &gcs.credential {
                gcs::Credential::KeyFile(source) => Some(source),
                gcs::Credential::Chain | gcs::Credential::Anonymous => None,
            };
            (&gcs.connection, [secret, None, None])
        }
    };
    let secrets = secrets.into_iter().flatten().filter_map(|source| match source {
        SecretSource::File(path) => Some(path.as_path()),
        SecretSource::Environment(_) => None,
    });
    secrets.chain(connection.ca_file.as_deref()).collect()
}

fn fs(section: &mut Section<'_, '_>, data: &Path) -> Option<Configuration> {
    let path = section.path("path");
    let path = section.need("path", path)?;
    Some(Configuration::Fs { root: super::lexical(&data.join(path.value)) })
}

fn s3(section: &mut Section<'_, '_>) -> Option<Configuration> {
    let bucket = container(section, "bucket");
    let region = section.text("region").map(|at| at.value);
    let endpoint = endpoint(section);
    if !section.has("region") && !section.has("endpoint") {
        section.note(section.line, "region", "is missing, or endpoint if the service is not Amazon's");
    }
    let path_style = section.flag("path_style").map(|at| at.value);
    let by_path = path_style.unwrap_or(endpoint.is_some());
    let id = section.secret("access_key_id", "access_key_id_file", "access_key_id_env");
    let secret = section.secret("secret_access_key", "secret_access_key_file", "secret_access_key_env");
    let token = section.secret("session_token", "session_token_file", "session_token_env");
    let anonymous = section.flag("anonymous").is_some_and(|at| at.value);
    let credential = match (id, secret, anonymous) {
        (None, None, true) => s3::Credential::Anonymous,
        (None, None, false) => s3::Credential::Chain,
        (Some(access_key_id), Some(secret_access_key), false) => {
            s3::Credential::Keys { access_key_id, secret_access_key, session_token: token }
        }
        (_, _, true) => return wrong(section, "anonymous", "stands beside an access key; give one of them"),
        _ => {
            let what = "an access key has two parts: give access_key_id_* and secret_access_key_* together";
            return wrong(section, "access_key_id_file", what);
        }
    };
    let (prefix, connection) = (prefix(section), connection(section));
    let addressing = if by_path { s3::Addressing::Path } else { s3::Addressing::Host };
    let bucket = bucket?;
    Some(Configuration::S3(s3::Settings { bucket, region, endpoint, addressing, prefix, credential, connection }))
}

fn azure(section: &mut Section<'_, '_>) -> Option<Configuration> {
    let (container, account) = (container(section, "container"), container(section, "account"));
    let endpoint = endpoint(section);
    let key = section.secret("account_key", "account_key_file", "account_key_env");
    let sas = section.secret("sas_token", "sas_token_file", "sas_token_env");
    let anonymous = section.flag("anonymous").is_some_and(|at| at.value);
    let credential = match (key, sas, anonymous) {
        (None, None, false) => azure::Credential::Chain,
        (Some(key), None, false) => azure::Credential::AccountKey(key),
        (None, Some(token), false) => azure::Credential::SasToken(token),
        (None, None, true) => azure::Credential::Anonymous,
        _ => {
            let what = "there are several credentials; give account_key_*, sas_token_* or anonymous";
            return wrong(section, "account_key_file", what);
        }
    };
    let (prefix, connection) = (prefix(section), connection(section));
    let (container, account) = (container?, account?);
    Some(Configuration::Azure(azure::Settings { container, account, endpoint, prefix, credential, connection }))
}

fn gcs(section: &mut Section<'_, '_>) -> Option<Configuration> {
    let bucket = container(section, "bucket");
    let endpoint = endpoint(section);
    let key = section.secret("credential", "credential_file", "credential_env");
    let anonymous = section.flag("anonymous").is_some_and(|at| at.value);
    let credential = match (key, anonymous) {
        (None, false) => gcs::Credential::Chain,
        (Some(key), false) => gcs::Credential::KeyFile(key),
        (None, true) => gcs::Credential::Anonymous,
        (Some(_), true) => return wrong(section, "anonymous", "stands beside a credential; give one of them"),
    };
    let (prefix, connection) = (prefix(section), connection(section));
    let bucket = bucket?;
    Some(Configuration::Gcs(gcs::Settings { bucket, endpoint, prefix, credential, connection }))
}

fn wrong<T>(section: &Section<'_, '_>, field: &str, what: &str) -> Option<T> {
    section.note(section.line, field, what);
    None
}

/// The name of a bucket, container or account.
fn container(section: &mut Section<'_, '_>, field: &'static str) -> Option<String> {
    let name = section.text(field);
    let name = section.need(field, name)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if !(3..=222).contains(&name.value.len()) || !name.value.bytes().all(plain) || name.value.starts_with('.') {
        section.note(name.line, field, "must be made of 3 to 222 letters, digits and . _ -");
        return None;
    }
    Some(name.value)
}

fn prefix(section: &mut Section<'_, '_>) -> Option<String> {
    let prefix = section.text("prefix")?;
    let part = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        !matches!(part, "" | "." | "..") && part.bytes().all(plain)
    };
    let trimmed = prefix.value.trim_end_matches('/');
    if trimmed.len() > 200 || !trimmed.split('/').all(part) {
        let what = "must be made of letters, digits and . _ - between single slashes, at most 200 in all";
        section.note(prefix.line, "prefix", what);
        return None;
    }
    Some(trimmed.to_owned())
}

/// The URL of a service. What is wrong with it is said without repeating it: there may be a password in it.
fn endpoint(section: &mut Section<'_, '_>) -> Option<String> {
    url(section, "endpoint", "such as https://s3.example:9000")
}

fn url(section: &mut Section<'_, '_>, field: &'static str, such: &str) -> Option<String> {
    let url = section.text(field)?;
    let parsed: Option<http::Uri> = url.value.parse().ok();
    let what = match parsed.as_ref().and_then(http::Uri::authority) {
        None => format!("must be a URL, {such}"),
        Some(authority) if authority.as_str().contains('@') => {
            "may not hold a password: it does not belong in this file".to_owned()
        }
        Some(_) => {
            let parsed = parsed.unwrap_or_default();
            if !matches!(parsed.scheme_str(), Some("http" | "https")) {
                format!("must begin with http:// or https://, {such}")
            } else if parsed.query().is_some() {
                "may not have a `?`: a signature does not belong in this file".to_owned()
            } else {
                return Some(url.value);
            }
        }
    };
    section.note(url.line, field, what);
    None
}

fn connection(section: &mut Section<'_, '_>) -> Connection {
    let usual = Connection::default();
    let connect_timeout = section.parsed::<crate::span::Span>("connect_timeout");
    let proxy = url(section, "proxy", "such as http://proxy.example:3128");
    let ca_file = section.path("ca_file").map(|at| at.value);
    let at_least = |span: &Duration| *span >= Duration::from_millis(10);
    let connect_timeout = connect_timeout.map(|at| at.value.0).filter(at_least).unwrap_or(usual.connect_timeout);
    Connection { proxy, ca_file, connect_timeout }
}
