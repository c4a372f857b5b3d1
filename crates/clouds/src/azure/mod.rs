//! Objects in a container of Azure Blob Storage.

use crate::{
    Backend, Error, ErrorKind,
    cloud::{
        CloudBackend, Connection, Creates, Pages, SeekBy, Service, is_private, parse_endpoint,
        wire::{Meaning, Refusal},
        wrong,
    },
    prefix,
    secret::SecretSource,
};
use std::sync::Arc;

/// Who we are to the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Whatever the machine offers: the variables `AZURE_CLIENT_ID` and so on, a workload identity, the machine's
    /// managed identity, the Azure command line.
    Chain,
    /// The storage account's key.
    AccountKey(SecretSource),
    /// A shared access signature.
    SasToken(SecretSource),
    /// Nobody: requests are not signed.
    Anonymous,
}

/// A container, and what it takes to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The container's name. It must be there already.
    pub container: String,
    /// The storage account.
    pub account: String,
    /// The service's URL, with the account if it is in the path. `None` is `https://ACCOUNT.blob.core.windows.net`.
    pub endpoint: Option<String>,
    /// What comes before each name, without the `/` that follows it. `None` is the whole container.
    pub prefix: Option<String>,
    /// Who we are.
    pub credential: Credential,
    /// How the service is reached.
    pub connection: Connection,
}

const PAGES: Pages =
    Pages { are_asked_by: |uri| uri.query().is_some_and(|query| query.contains("comp=list")), hold: "<NextMarker" };

static SERVICE: Service = Service {
    meaning,
    read_code,
    seek: SeekBy::Prefix,
    creates: Creates::ByCondition,
    pages: PAGES,
    stat_tells_bucket: true,
};

/// Opens a container. Asks nothing of the service yet, but reads the files that are named.
///
/// `Failed` when a setting is wrong, `Denied` when a secret is not where it should be; the text says which.
pub fn open(settings: &Settings) -> Result<Arc<dyn Backend>, Error> {
    prefix::check_container(&settings.account, "account")?;
    prefix::check_container(&settings.container, "container")?;
    let usual = || format!("https://{}.blob.core.windows.net", settings.account);
    let endpoint = settings.endpoint.clone().unwrap_or_else(usual);
    let url = parse_endpoint(&endpoint)?;
    // These are sent as they are, and whoever reads them on the way can use them.
    let sent = matches!(settings.credential, Credential::SasToken(_) | Credential::Chain);
    if sent && !is_private(&url) {
        return Err(wrong("endpoint must begin with https:// with this kind of credential"));
    }
    let mut builder = opendal::services::Azblob::default()
        .container(&settings.container)
        .account_name(&settings.account)
        .endpoint(&endpoint)
        .root(&prefix::root(settings.prefix.as_deref())?);
    builder = match &settings.credential {
        Credential::Chain => builder,
        Credential::Anonymous => builder.skip_signature(),
        Credential::AccountKey(key) => builder.account_key(key.read()?.expose()),
        Credential::SasToken(token) => builder.sas_token(token.read()?.expose().trim_start_matches('?')),
    };
    Ok(Arc::new(CloudBackend::new(builder, &url, &settings.connection, &SERVICE)?))
}

fn read_code(headers: &http::HeaderMap, body: &[u8]) -> Option<String> {
    if let Some(code) = headers.get("x-ms-error-code") {
        return code.to_str().ok().map(str::to_owned);
    }
    let text = String::from_utf8_lossy(body);
    let (_, rest) = text.split_once("<Code>")?;
    rest.split_once("</Code>").map(|(code, _)| code.to_owned())
}

/// What the codes of Azure say beyond the status.
fn meaning(refusal: &Refusal) -> Option<Meaning> {
    let is = |codes: &[&str]| refusal.has_code(codes);
    if is(&["ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled", "InvalidResourceName"]) {
        return Some(Meaning::new(ErrorKind::NoBucket));
    }
    if is(&["AuthenticationFailed", "InvalidAuthenticationInfo", "NoAuthenticationInformation"]) {
        let advice = "the credential is wrong or has expired, or this machine's clock is";
        return Some(Meaning::new(ErrorKind::Denied).advise(advice));
    }
    if is(&["AuthorizationFailure"]) {
        let advice = "the credential is wrong or may not do this in this container, or not from this network";
        return Some(Meaning::new(ErrorKind::Denied).advise(advice));
    }
    if is(&[
        "AuthorizationPermissionMismatch",
        "InsufficientAccountPermissions",
        "AuthorizationProtocolMismatch",
        "AuthorizationSourceIPMismatch",
        "AuthorizationResourceTypeMismatch",
        "AuthorizationServiceMismatch",
        "PublicAccessNotPermitted",
        "KeyBasedAuthenticationNotPermitted",
    ]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("the credential may not do this in this container"));
    }
    if is(&["AccountIsDisabled"]) {
        return Some(Meaning::new(ErrorKind::Denied).advise("the storage account is disabled"));
    }
    if is(&["ServerBusy", "OperationTimedOut", "InternalError"]) {
        return Some(Meaning::new(ErrorKind::Unavailable));
    }
    // Leases and retention policies, which a name that was never used does not have.
    if refusal.status == 409 && !is(&["BlobAlreadyExists", "UnauthorizedBlobOverwrite", "BlobImmutableDueToPolicy"]) {
        return Some(Meaning::new(ErrorKind::Failed));
    }
    None
}
