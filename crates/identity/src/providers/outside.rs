//! What a provider is asked over the network: where things are, what its keys are, and what a code is worth.
//!
//! It is asked at the addresses that its own description names, which the operator's issuer answers for. No redirect is
//! followed; answers and waits have a limit.

use super::ProviderError;
use data_encoding::BASE64;
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use zeroize::Zeroizing;

/// For a whole answer. Somebody is waiting before a browser.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Larger answers are none: keys of some dozens fit.
const ANSWER_BYTES_MAX: usize = 256 * 1_024;
const URL_BYTES_MAX: usize = 2_048;

/// What a provider says of itself (OpenID Connect Discovery 1.0, section 3).
#[derive(Debug, Deserialize)]
pub(super) struct Description {
    issuer: String,
    pub(super) authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

/// What a code is exchanged with (RFC 6749, 4.1.3; RFC 7636, 4.5).
pub(super) struct CodeForm<'a> {
    pub(super) client_id: &'a str,
    pub(super) client_secret: Option<&'a str>,
    pub(super) code: &'a str,
    pub(super) verifier: &'a str,
    pub(super) redirect_uri: &'a str,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

pub(super) fn client() -> Result<Client, ProviderError> {
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(TIMEOUT)
        .timeout(TIMEOUT)
        .user_agent(concat!("entente/", env!("CARGO_PKG_VERSION")));
    client.build().map_err(|error| ProviderError::Unavailable(error.to_string()))
}

/// Whether a provider may be asked at a URL: over TLS, or on this very machine.
pub(super) fn checked(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.len() <= URL_BYTES_MAX)?;
    let is_own_machine = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_own_machine);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_safe && is_plain).then_some(url)
}

/// The provider's description. It must be of the very issuer that was asked for (section 4.3).
pub(super) async fn describe(client: &Client, issuer: &str) -> Result<Description, ProviderError> {
    let place = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let description: Description = answered(client.get(allowed(&place)?)).await?;
    if description.issuer != issuer {
        return Err(unavailable("it describes another issuer than the one that is set"));
    }
    allowed(&description.authorization_endpoint)?;
    Ok(description)
}

/// The keys with which the provider signs.
pub(super) async fn keys(client: &Client, description: &Description) -> Result<JwkSet, ProviderError> {
    answered(client.get(allowed(&description.jwks_uri)?)).await
}

/// Exchanges a code: the ID token, whose signature nobody has checked yet. `Refused` when the provider does not take the
/// code.
pub(super) async fn exchange(
    client: &Client,
    description: &Description,
    form: CodeForm<'_>,
) -> Result<Zeroizing<String>, ProviderError> {
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("code", form.code),
        ("redirect_uri", form.redirect_uri),
        ("code_verifier", form.verifier),
    ];
    let mut request = client
        .post(allowed(&description.token_endpoint)?)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "application/json");
    // Without a word on it, the header is what everybody takes (Discovery, section 3).
    let methods = description.token_endpoint_auth_methods_supported.as_deref().unwrap_or(&[]);
    let wants_body = !methods.is_empty() && !methods.iter().any(|method| method == "client_secret_basic");
    match form.client_secret {
        Some(secret) if !wants_body => {
            let escape = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = Zeroizing::new(format!("{}:{}", escape(form.client_id), escape(secret)));
            request = request.header("authorization", format!("Basic {}", BASE64.encode(pair.as_bytes())));
        }
        Some(secret) => pairs.extend([("client_id", form.client_id), ("client_secret", secret)]),
        None => pairs.push(("client_id", form.client_id)),
    }
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let tokens: Tokens = answered(request.body(body)).await?;
    Ok(Zeroizing::new(tokens.id_token))
}

fn allowed(url: &str) -> Result<Url, ProviderError> {
    checked(url).ok_or_else(|| unavailable("it names an address that is not https"))
}

fn unavailable(what: &str) -> ProviderError {
    ProviderError::Unavailable(what.to_owned())
}

async fn answered<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, ProviderError> {
    // The URL may hold what others should not read in a log.
    let failed = |error: reqwest::Error| ProviderError::Unavailable(error.without_url().to_string());
    let mut answer = request.send().await.map_err(failed)?;
    match answer.status() {
        StatusCode::OK => {}
        // The code, the secret or the redirect URI is not what the provider knows.
        status if status.is_client_error() => return Err(ProviderError::Refused("it refuses our request")),
        status => return Err(ProviderError::Unavailable(format!("it answers {status}"))),
    }
    let mut body = Zeroizing::new(Vec::new());
    while let Some(part) = answer.chunk().await.map_err(failed)? {
        if body.len() + part.len() > ANSWER_BYTES_MAX {
            return Err(unavailable("its answer is too long"));
        }
        body.extend_from_slice(&part);
    }
    serde_json::from_slice(&body).map_err(|_| unavailable("its answer is not what the protocol says"))
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn a_provider_is_asked_over_tls_or_on_this_machine() {
        for good in ["https://id.example.org", "https://id.example.org:8443/a", "http://127.0.0.1:80", "http://[::1]/"]
        {
            assert!(checked(good).is_some(), "{good}");
        }
        for bad in ["", "x", "http://id.example.org", "ftp://x.y", "https://a:b@x.y", "https://x.y/#z", "file:///etc"] {
            assert!(checked(bad).is_none(), "{bad}");
        }
    }
}
