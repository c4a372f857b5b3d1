//! Objects in a bucket of Amazon S3, or of any of the many services and products that speak its protocol.

use crate::{
    Backend, Error, ErrorKind,
    cloud::{
        CloudBackend, Connection, Creates, Pages, SeekBy, Service, parse_endpoint,
        wire::{Meaning, Refusal},
        wrong,
    },
    prefix,
    secret::SecretSource,
};
use std::sync::Arc;

/// What is said of a region where a custom endpoint has none.
const REGION_ANY: &str = "us-east-1";

/// How a bucket is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// `https://ENDPOINT/BUCKET`: what most products other than Amazon's want.
    Path,
    /// `https://BUCKET.ENDPOINT`: what Amazon wants.
    Host,
}

/// Who we are to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Whatever the machine offers: the variables `AWS_ACCESS_KEY_ID` and so on, the shared credentials file, a web
    /// identity, the container's or the machine's role.
    Chain,
    /// An access key.
    Keys {
        /// Where the access key id is.
        access_key_id: SecretSource,
        /// Where the secret access key is.
        secret_access_key: SecretSource,
        /// Where the session token is, if the key is a temporary one.
        session_token: Option<SecretSource>,
    },
    /// Nobody: requests are not signed.
    Anonymous,
}

/// A bucket, and what it takes to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The bucket's name. It must be there already.
    pub bucket: String,
    /// Its region. Needed without `endpoint`, where it makes the endpoint.
    pub region: Option<String>,
    /// The service's URL. `None` is Amazon's for the region.
    pub endpoint: Option<String>,
    /// How the bucket is addressed.
    pub addressing: Addressing,
    /// What comes before each name, without the `/` that follows it. `None` is the whole bucket.
    pub prefix: Option<String>,
    /// Who we are.
    pub credential: Credential,
    /// How the service is reached.
    pub connection: Connection,
}

const PAGES: Pages = Pages {
    are_asked_by: |uri| uri.query().is_some_and(|query| query.contains("list-type=2")),
    hold: "<ListBucketResult",
};

static SERVICE: Service = Service {
    meaning,
    read_code,
    seek: SeekBy::StartAfter,
    creates: Creates::ByCondition,
    pages: PAGES,
    stat_tells_bucket: false,
};

/// Opens a bucket. Asks nothing of the service yet, but reads the files that are named.
///
/// `Failed` when a setting is wrong, `Denied` when a secret is not where it should be; the text says which.
pub fn open(settings: &Settings) -> Result<Arc<dyn Backend>, Error> {
    let endpoint = match (&settings.endpoint, &settings.region) {
        (Some(endpoint), _) => endpoint.clone(),
        (None, Some(region)) => format!("https://s3.{region}.amazonaws.com"),
        (None, None) => return Err(wrong("region is missing, or endpoint if the service is not Amazon's")),
    };
    let url = parse_endpoint(&endpoint)?;
    prefix::check_container(&settings.bucket, "bucket")?;
    let mut builder = opendal::services::S3::default()
        .bucket(&settings.bucket)
        .region(settings.region.as_deref().unwrap_or(REGION_ANY))
        .endpoint(&endpoint)
        .root(&prefix::root(settings.prefix.as_deref())?);
    if settings.addressing == Addressing::Host {
        builder = builder.enable_virtual_host_style();
    }
    builder = match &settings.credential {
        Credential::Chain => builder,
        Credential::Anonymous => builder.skip_signature(),
        Credential::Keys { access_key_id, secret_access_key, session_token } => {
            let builder = builder
                .disable_config_load()
                .disable_ec2_metadata()
                .access_key_id(access_key_id.read()?.expose())
                .secret_access_key(secret_access_key.read()?.expose());
            match session_token {
                Some(token) => builder.session_token(token.read()?.expose()),
                None => builder,
            }
        }
    };
    Ok(Arc::new(CloudBackend::new(builder, &url, &settings.connection, &SERVICE)?))
}

fn read_code(_: &http::HeaderMap, body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code.to_owned())
}

/// What the codes of S3 say beyond the status.
fn meaning(refusal: &Refusal) -> Option<Meaning> {
    let is = |codes: &[&str]| refusal.has_code(codes);
    if is(&["NoSuchBucket", "InvalidBucketName"]) {
        return Some(Meaning::new(ErrorKind::NoBucket));
    }
    if is(&["RequestTimeTooSkewed", "RequestExpired"]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("its clock and ours differ; set this machine's clock"));
    }
    if is(&["ExpiredToken", "InvalidToken", "TokenRefreshRequired"]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("the session token has expired or is not valid"));
    }
    if is(&["InvalidAccessKeyId", "SignatureDoesNotMatch"]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("the access key or its secret is wrong"));
    }
    if is(&["AccessDenied", "AllAccessDisabled"]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("the key may not do this in this bucket"));
    }
    if is(&["AuthorizationHeaderMalformed", "IllegalLocationConstraintException"]) {
        return Some(Meaning::new(ErrorKind::Failed).advise("the region is not that of the bucket"));
    }
    if is(&["QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "XMinioAdminBucketQuotaExceeded"]) {
        return Some(Meaning::new(ErrorKind::Full));
    }
    if is(&["ConditionalRequestConflict", "OperationAborted"]) {
        return Some(Meaning::new(ErrorKind::Unavailable).advise(crate::cloud::UNDECIDED));
    }
    if is(&["SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "RequestLimitExceeded"]) {
        return Some(Meaning::new(ErrorKind::Unavailable));
    }
    None
}
