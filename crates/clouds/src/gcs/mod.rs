//! Objects in a bucket of Google Cloud Storage, through its JSON API.

use crate::{
    Backend, Error, ErrorKind,
    cloud::{
        CloudBackend, Connection, Creates, Pages, SeekBy, Service, is_private, parse_endpoint,
        wire::{Meaning, Refusal},
        wrong,
    },
    prefix,
    secret::{Secret, SecretSource},
};
use data_encoding::BASE64;
use std::sync::Arc;
use zeroize::Zeroizing;

const ENDPOINT: &str = "https://storage.googleapis.com";

/// Who we are to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Whatever the machine offers: the file that `GOOGLE_APPLICATION_CREDENTIALS` names, the well-known file of the
    /// Google command line, a workload identity, the machine's service account.
    Chain,
    /// The key file of a service account or of a workload identity, in JSON.
    KeyFile(SecretSource),
    /// Nobody: requests are not signed.
    Anonymous,
}

/// A bucket, and what it takes to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bucket's name. It must be there already.
    pub bucket: String,
    /// The service's URL. `None` is Google's.
    pub endpoint: Option<String>,
    /// What comes before each name, without the `/` that follows it. `None` is the whole bucket.
    pub prefix: Option<String>,
    /// Who we are.
    pub credential: Credential,
    /// How the service is reached.
    pub connection: Connection,
}

const PAGES: Pages = Pages { are_asked_by: |uri| uri.path().ends_with("/o"), hold: "storage#objects" };

static SERVICE: Service = Service {
    meaning,
    read_code,
    seek: SeekBy::StartAfter,
    creates: Creates::ByQuery("ifGenerationMatch=0"),
    pages: PAGES,
    stat_tells_bucket: true,
};

/// Opens a bucket. Asks nothing of the service yet, but reads the files that are named.
///
/// `Failed` when a setting is wrong, `Denied` when a secret is not where it should be; the text says which.
pub fn open(settings: &Settings) -> Result<Arc<dyn Backend>, Error> {
    prefix::check_container(&settings.bucket, "bucket")?;
    let endpoint = settings.endpoint.as_deref().unwrap_or(ENDPOINT);
    let url = parse_endpoint(endpoint)?;
    // A token is sent as it is, and whoever reads it on the way can use it.
    if settings.credential != Credential::Anonymous && !is_private(&url) {
        return Err(wrong("endpoint must begin with https:// unless requests are not signed"));
    }
    let builder = opendal::services::Gcs::default()
        .bucket(&settings.bucket)
        .endpoint(endpoint.trim_end_matches('/'))
        .root(&prefix::root(settings.prefix.as_deref())?);
    let builder = match &settings.credential {
        Credential::Chain => builder,
        Credential::Anonymous => builder.skip_signature().disable_vm_metadata().disable_config_load(),
        Credential::KeyFile(source) => {
            let key = source.read()?;
            check_key_file(&key)?;
            let encoded = Zeroizing::new(BASE64.encode(key.expose().as_bytes()));
            builder.disable_vm_metadata().disable_config_load().credential(&encoded)
        }
    };
    Ok(Arc::new(CloudBackend::new(builder, &url, &settings.connection, &SERVICE)?))
}

/// A file that is something else would be passed over later, without a word.
fn check_key_file(key: &Secret) -> Result<(), Error> {
    #[derive(serde::Deserialize)]
    struct KeyFile {
        #[serde(rename = "type")]
        kind: String,
    }
    let known = ["service_account", "external_account", "authorized_user", "impersonated_service_account"];
    match serde_json::from_str::<KeyFile>(key.expose()) {
        Ok(file) if known.contains(&file.kind.as_str()) => Ok(()),
        _ => {
            let what = "the credential is not a key file of Google's in JSON, with a `type` such as service_account";
            Err(Error::new(ErrorKind::Denied, "open").because(what))
        }
    }
}

fn read_code(_: &http::HeaderMap, body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Answer {
        error: Described,
    }
    #[derive(serde::Deserialize)]
    struct Described {
        #[serde(default)]
        message: String,
        #[serde(default)]
        errors: Vec<Detail>,
    }
    #[derive(serde::Deserialize)]
    struct Detail {
        reason: String,
    }
    let text = String::from_utf8_lossy(body);
    let Ok(answer) = serde_json::from_str::<Answer>(&text) else {
        return None;
    };
    // For a missing bucket and a missing object it has one word.
    if answer.error.message.to_ascii_lowercase().contains("bucket does not exist") {
        return Some(NO_BUCKET.to_owned());
    }
    answer.error.errors.into_iter().next().map(|detail| detail.reason)
}

/// Our own word, in the form of a code.
const NO_BUCKET: &str = "bucketNotFound";

/// What the reasons of Google say beyond the status.
fn meaning(refusal: &Refusal) -> Option<Meaning> {
    let is = |codes: &[&str]| refusal.has_code(codes);
    if is(&[NO_BUCKET]) {
        return Some(Meaning::new(ErrorKind::NoBucket));
    }
    if is(&["authError", "required"]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("the credential is wrong or has expired"));
    }
    if is(&["forbidden", "insufficientPermissions", "accessNotConfigured"]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("the service account may not do this in this bucket"));
    }
    if is(&["rateLimitExceeded", "userRateLimitExceeded", "backendError", "internalError"]) {
        return Some(Meaning::new(ErrorKind::Unavailable));
    }
    if is(&["quotaExceeded", "storageQuotaExceeded", "dailyLimitExceeded"]) {
        return Some(Meaning::new(ErrorKind::Full));
    }
    // Retention policies and holds, which a name that was never used does not have.
    if refusal.status == 409 && !is(&["conflict"]) {
        return Some(Meaning::new(ErrorKind::Failed));
    }
    None
}
