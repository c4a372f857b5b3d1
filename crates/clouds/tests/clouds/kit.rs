//! Backends on real servers.

use entente_clouds::{Backend, Connection, SecretSource, azure, gcs, s3};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

/// Files with secrets, for as long as it lives.
pub struct Secrets(TempDir);

impl Secrets {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn keep(&self, name: &str, secret: &str) -> SecretSource {
        let path = self.path().join(name);
        std::fs::write(&path, secret).unwrap();
        SecretSource::File(path)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

pub fn s3_settings(secrets: &Secrets) -> s3::Settings {
    let found = entente_emulators::s3();
    s3::Settings {
        bucket: found.bucket,
        region: Some(found.region),
        endpoint: Some(found.endpoint),
        addressing: s3::Addressing::Path,
        prefix: None,
        credential: s3::Credential::Keys {
            access_key_id: secrets.keep("access_key", &found.access_key),
            secret_access_key: secrets.keep("secret_key", &found.secret_key),
            session_token: None,
        },
        connection: Connection::default(),
    }
}

pub fn azure_settings(secrets: &Secrets) -> azure::Settings {
    let found = entente_emulators::azure();
    azure::Settings {
        container: found.container,
        account: found.account,
        endpoint: Some(found.endpoint),
        prefix: None,
        credential: azure::Credential::AccountKey(secrets.keep("account_key", &found.key)),
        connection: Connection::default(),
    }
}

pub fn gcs_settings() -> gcs::Settings {
    let found = entente_emulators::gcs();
    gcs::Settings {
        bucket: found.bucket,
        endpoint: Some(found.endpoint),
        prefix: None,
        credential: gcs::Credential::Anonymous,
        connection: Connection::default(),
    }
}

pub fn s3() -> Arc<dyn Backend> {
    s3::open(&s3_settings(&Secrets::new())).unwrap()
}

pub fn azure() -> Arc<dyn Backend> {
    azure::open(&azure_settings(&Secrets::new())).unwrap()
}

pub fn gcs() -> Arc<dyn Backend> {
    gcs::open(&gcs_settings()).unwrap()
}

/// The three clouds, all at one address, with credentials that are not checked there.
pub fn all_at(url: &str, secrets: &Secrets) -> Vec<(&'static str, Arc<dyn Backend>)> {
    vec![
        ("s3", s3::open(&s3_at(url, secrets)).unwrap()),
        ("azure", azure::open(&azure_at(url, secrets)).unwrap()),
        ("gcs", gcs::open(&gcs_at(url)).unwrap()),
    ]
}

pub fn s3_at(url: &str, secrets: &Secrets) -> s3::Settings {
    s3::Settings {
        bucket: "bucket".to_owned(),
        region: None,
        endpoint: Some(url.to_owned()),
        addressing: s3::Addressing::Path,
        prefix: Some("in/side".to_owned()),
        credential: s3::Credential::Keys {
            access_key_id: secrets.keep("id", ACCESS_KEY),
            secret_access_key: secrets.keep("key", SECRET_KEY),
            session_token: Some(secrets.keep("token", SESSION_TOKEN)),
        },
        connection: Connection::default(),
    }
}

pub fn azure_at(url: &str, secrets: &Secrets) -> azure::Settings {
    azure::Settings {
        container: "bucket".to_owned(),
        account: "account".to_owned(),
        endpoint: Some(url.to_owned()),
        prefix: Some("in/side".to_owned()),
        credential: azure::Credential::SasToken(secrets.keep("sas", SAS_TOKEN)),
        connection: Connection::default(),
    }
}

pub fn gcs_at(url: &str) -> gcs::Settings {
    gcs::Settings {
        bucket: "bucket".to_owned(),
        endpoint: Some(url.to_owned()),
        prefix: Some("in/side".to_owned()),
        credential: gcs::Credential::Anonymous,
        connection: Connection::default(),
    }
}

pub const ACCESS_KEY: &str = "AKIAHUSHHUSHHUSH";
pub const SECRET_KEY: &str = "hush-secret-access-key";
pub const SESSION_TOKEN: &str = "hush-session-token";
pub const SAS_TOKEN: &str = "?sv=2022-11-02&sig=hush%2Bsignature%3D";
