//! The OAuth 2 endpoints as Box's clients and others use them (RFC 6749, 7009, 7523, 7636, 8693), without HTTP: fields in,
//! answer out.
//!
//! Served are codes with their refresh tokens, client credentials, signed assertions, and tokens that become weaker ones.
//! Every other grant is refused by its OAuth name.

mod assertion;
mod authorize;
mod exchange;
mod family;
mod redirect;
mod scopes;

use crate::secret::{is_well_formed, sha256};
use crate::{Identity, IssueToken, Secret};
use assertion::{Assertion, Claims};
pub use authorize::{AuthorizeError, AuthorizeForm, AuthorizeRequest, Back};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use entente_database::apps::{self, App, AppKind, AppState, Grants};
use entente_database::{authorizations, tokens};
use entente_model::{EnterpriseId, Scopes, UserId};
pub use exchange::{Exchanged, Resource, ResourceKind};
pub use redirect::RedirectUriError;
pub(crate) use redirect::{OWN as OWN_REDIRECT_URI, check as check_redirect_uri};
use std::time::Duration;

/// How long a token from this endpoint lives.
const LIFETIME: Duration = Duration::from_secs(3_600);
/// How long an authorization lasts after its last use, and a refresh token if it is not used: Box's 60 days.
const LIFETIME_AUTHORIZATION: Duration = Duration::from_secs(60 * 24 * 60 * 60);
/// How many public keys of an application are tried.
const PUBLIC_KEYS_MAX: u32 = 16;

/// The fields of a token or revocation request. Unknown ones are left aside, as RFC 6749 asks.
#[derive(Default)]
pub struct TokenForm {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    subject_type: Option<String>,
    subject_id: Option<String>,
    assertion: Option<String>,
    token: Option<String>,
    code: Option<String>,
    code_verifier: Option<String>,
    redirect_uri: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
    subject_token: Option<String>,
    subject_token_type: Option<String>,
    requested_token_type: Option<String>,
    actor_token: Option<String>,
    resource: Option<String>,
    shared_link: Option<String>,
    device_id: Option<String>,
    device_name: Option<String>,
    repeats: bool,
}

impl TokenForm {
    /// Picks the fields out of decoded pairs. One that is there twice with different values makes the whole form invalid.
    pub fn from_pairs<N: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            let field = match name.as_ref() {
                "grant_type" => &mut form.grant_type,
                "client_id" => &mut form.client_id,
                "client_secret" => &mut form.client_secret,
                "box_subject_type" => &mut form.subject_type,
                "box_subject_id" => &mut form.subject_id,
                "assertion" => &mut form.assertion,
                "token" => &mut form.token,
                "code" => &mut form.code,
                "code_verifier" => &mut form.code_verifier,
                "redirect_uri" => &mut form.redirect_uri,
                "refresh_token" => &mut form.refresh_token,
                "scope" => &mut form.scope,
                "subject_token" => &mut form.subject_token,
                "subject_token_type" => &mut form.subject_token_type,
                "requested_token_type" => &mut form.requested_token_type,
                "actor_token" => &mut form.actor_token,
                "resource" => &mut form.resource,
                "box_shared_link" => &mut form.shared_link,
                "box_device_id" => &mut form.device_id,
                "box_device_name" => &mut form.device_name,
                _ => continue,
            };
            let value = value.into();
            form.repeats |= field.as_ref().is_some_and(|before| *before != value);
            field.get_or_insert(value);
        }
        form
    }
}

/// Tokens, as the endpoint answers them.
pub struct TokenAnswer {
    /// The secret.
    pub access_token: Secret,
    /// How long it lives, in seconds.
    pub expires_in_seconds: u64,
    /// What brings the next one, where there will be a next one.
    pub refresh_token: Option<Secret>,
    /// What it is worth at most.
    pub scopes: Scopes,
    /// What it is limited to, if it was made of another.
    pub exchanged: Option<Exchanged>,
}

/// What kind of error the endpoint answers (RFC 6749, 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthErrorKind {
    /// A field is missing or malformed.
    InvalidRequest,
    /// The client is unknown or its secret is wrong.
    InvalidClient,
    /// The assertion or the subject is not valid.
    InvalidGrant,
    /// The client may not act for that subject.
    UnauthorizedClient,
    /// The grant is not served.
    UnsupportedGrantType,
    /// The kind of answer is not served (RFC 6749, 4.1.2.1).
    UnsupportedResponseType,
    /// A scope is not known, or more than there is to give.
    InvalidScope,
    /// The item is not there, or is not to be known (RFC 8693, 2.2.2).
    InvalidTarget,
    /// The user does not let the app act for them.
    AccessDenied,
    /// The database failed. May be retried.
    ServerError,
}

impl OAuthErrorKind {
    /// Its name on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
        }
    }
}

/// An error as the endpoint answers it: status 400, or 503 for `ServerError`.
#[derive(Debug, thiserror::Error)]
#[error("{}: {description}", kind.code())]
pub struct OAuthError {
    /// Its kind.
    pub kind: OAuthErrorKind,
    /// What is wrong, for the client's developer.
    pub description: String,
    /// The cause of a `ServerError`, for the log.
    #[source]
    pub source: Option<crate::Error>,
}

impl OAuthError {
    /// An error without a cause.
    #[must_use]
    pub fn new(kind: OAuthErrorKind, description: impl Into<String>) -> Self {
        Self { kind, description: description.into(), source: None }
    }

    fn grant(description: impl Into<String>) -> Self {
        Self::new(OAuthErrorKind::InvalidGrant, description)
    }

    fn client() -> Self {
        Self::new(OAuthErrorKind::InvalidClient, "The client credentials are invalid")
    }
}

impl From<crate::Error> for OAuthError {
    fn from(source: crate::Error) -> Self {
        let description = "The server cannot answer now; try again".to_owned();
        Self { kind: OAuthErrorKind::ServerError, description, source: Some(source) }
    }
}

impl From<entente_database::Error> for OAuthError {
    fn from(source: entente_database::Error) -> Self {
        crate::Error::Database(source).into()
    }
}

/// For whom a token is asked.
pub(crate) struct Subject<'s> {
    pub(crate) kind: &'s str,
    pub(crate) id: &'s str,
}

impl Identity {
    /// Answers a token request. `own_urls` are this server's own token endpoints, which an assertion may be meant for
    /// besides Box's. Durable when this returns.
    pub async fn grant(&self, form: &TokenForm, own_urls: &[&str]) -> Result<TokenAnswer, OAuthError> {
        check_repeats(form)?;
        match form.grant_type.as_deref() {
            Some("client_credentials") => {
                let app = self.client_for(form, Grants::CREDENTIALS)?;
                let user = match (form.subject_type.as_deref(), form.subject_id.as_deref()) {
                    // What other clients than Box's mean.
                    (None, None) => Some(app.service_user),
                    (kind, id) => {
                        let (kind, id) = (required(kind, "box_subject_type")?, required(id, "box_subject_id")?);
                        self.subject(&app, &Subject { kind, id })?
                    }
                };
                let user = user.ok_or_else(|| OAuthError::grant("Grant credentials are invalid"))?;
                self.answer(&app, user, form).await
            }
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
                let app = self.client_for(form, Grants::ASSERTION)?;
                let text = required(form.assertion.as_deref(), "assertion")?;
                let claims = self.assertion(&app, text, own_urls)?;
                let user = self.subject(&app, &claims.subject())?;
                let user = user.ok_or_else(|| {
                    OAuthError::grant("Please check the 'sub' claim. The 'sub' specified is invalid.")
                })?;
                self.use_once(&app, &claims).await?;
                self.answer(&app, user, form).await
            }
            Some("authorization_code") => self.by_code(&self.client(form)?, form).await,
            Some("refresh_token") => self.by_refresh_token(&self.client(form)?, form).await,
            Some("urn:ietf:params:oauth:grant-type:token-exchange") => {
                // Box's clients show the token alone.
                let client = names_client(form).then(|| self.client(form)).transpose()?;
                self.exchange(client.as_ref(), form).await
            }
            Some(_) => Err(OAuthError::new(
                OAuthErrorKind::UnsupportedGrantType,
                "This server grants authorization_code, refresh_token, client_credentials, \
                 urn:ietf:params:oauth:grant-type:jwt-bearer and urn:ietf:params:oauth:grant-type:token-exchange",
            )),
            None => Err(OAuthError::new(
                OAuthErrorKind::InvalidRequest,
                "Invalid grant_type parameter or parameter missing",
            )),
        }
    }

    /// Answers a revocation request: the token is worth nothing afterwards, also when it never was worth anything. If a user
    /// let an app have it, that is at an end, with all the tokens that came of it.
    ///
    /// Whoever has a token may revoke it, so a client need not be named; one that is named must be right, and the token's.
    pub async fn revoke_by_form(&self, form: &TokenForm) -> Result<(), OAuthError> {
        check_repeats(form)?;
        let client = names_client(form).then(|| self.client(form)).transpose()?;
        let token = required(form.token.as_deref(), "token")?;
        if !is_well_formed(token) {
            return Ok(());
        }
        let (digest, client) = (sha256(token), client.map(|client| client.app));
        self.database
            .transact("revoke token", move |tx| {
                let access = tokens::held(tx, &digest)?.map(|held| (held.caller.app, held.authorization));
                let found = match (access, authorizations::refresh_token(tx, &digest)?) {
                    (None, Some(voucher)) => {
                        let authorization = authorizations::by_id(tx, voucher.authorization)?;
                        authorization.map(|authorization| (Some(authorization.app), Some(authorization.id)))
                    }
                    (access, _) => access,
                };
                let Some((app, authorization)) = found else { return Ok(()) };
                if client.is_some() && app.is_some() && client != app {
                    let message = "The token was not issued to this app";
                    return Err(OAuthError::new(OAuthErrorKind::UnauthorizedClient, message));
                }
                tokens::remove(tx, &digest)?;
                authorization.map_or(Ok(false), |authorization| authorizations::end(tx, authorization))?;
                Ok(())
            })
            .await
    }

    /// The application whose id the form has, and its secret if it keeps one.
    fn client(&self, form: &TokenForm) -> Result<App, OAuthError> {
        let client_id = form.client_id.as_deref().ok_or_else(OAuthError::client)?;
        let app = self.database.read(|tx| apps::by_client_id(tx, client_id))?.ok_or_else(OAuthError::client)?;
        if app.kind == AppKind::Confidential {
            let secret = form.client_secret.as_deref().ok_or_else(OAuthError::client)?;
            verify_slices_are_equal(&sha256(secret).0, &app.secret_sha256.0).map_err(|_| OAuthError::client())?;
        }
        if app.state == AppState::Enabled { Ok(app) } else { Err(OAuthError::client()) }
    }

    /// The same, for a grant that takes a secret and that the application must be registered for.
    fn client_for(&self, form: &TokenForm, grant: Grants) -> Result<App, OAuthError> {
        let app = self.client(form)?;
        if app.kind == AppKind::Confidential && app.grants.contains(grant) {
            return Ok(app);
        }
        Err(OAuthError::new(OAuthErrorKind::UnauthorizedClient, "The app is not registered for this grant"))
    }

    /// The user that a subject stands for: the service account for the application's own enterprise, an active user of
    /// that enterprise otherwise.
    fn subject(&self, app: &App, subject: &Subject<'_>) -> Result<Option<UserId>, OAuthError> {
        match subject.kind {
            "enterprise" => {
                let enterprise = subject.id.parse::<EnterpriseId>();
                Ok((enterprise == Ok(app.enterprise)).then_some(app.service_user))
            }
            "user" if app.acts_as_users => {
                let Ok(user) = subject.id.parse::<UserId>() else { return Ok(None) };
                let caller = self.database.read(|tx| tokens::caller(tx, user, Some(app.app), Scopes::ALL))?;
                Ok(caller.filter(|caller| caller.enterprise == app.enterprise).map(|caller| caller.user))
            }
            _ => Ok(None),
        }
    }

    fn assertion(&self, app: &App, text: &str, own_urls: &[&str]) -> Result<Claims, OAuthError> {
        let assertion = Assertion::parse(text)?;
        let keys = self.database.read(|tx| apps::public_keys(tx, app.app, PUBLIC_KEYS_MAX))?;
        assertion.verify(&keys, app, own_urls, self.world.now())
    }

    async fn use_once(&self, app: &App, claims: &Claims) -> Result<(), OAuthError> {
        let digest = sha256(&format!("{}\n{}", app.app, claims.jti));
        let until = claims.worthless_from();
        let fresh =
            self.database.transact("use assertion", move |tx| tokens::use_assertion(tx, &digest, until)).await?;
        if !fresh {
            return Err(OAuthError::grant("Please check the 'jti' claim. A unique 'jti' value is required."));
        }
        Ok(())
    }

    async fn answer(&self, app: &App, user: UserId, form: &TokenForm) -> Result<TokenAnswer, OAuthError> {
        let scopes = scopes::granted(form.scope.as_deref(), app.scopes)?;
        let issue = IssueToken { user, app: Some(app.app), scopes, lifetime: LIFETIME };
        let issued = self.issue(issue).await.map_err(|error| match error {
            // The user was made inactive a moment ago.
            crate::Error::UnknownUser(_) => OAuthError::grant("Grant credentials are invalid"),
            other => other.into(),
        })?;
        Ok(TokenAnswer {
            access_token: issued.secret,
            expires_in_seconds: LIFETIME.as_secs(),
            refresh_token: None,
            scopes,
            exchanged: None,
        })
    }
}

fn check_repeats(form: &TokenForm) -> Result<(), OAuthError> {
    if form.repeats {
        return Err(OAuthError::new(OAuthErrorKind::InvalidRequest, "A parameter is there twice"));
    }
    Ok(())
}

/// Whether a client says who it is. Some of Box's clients send the words of their languages for nothing.
fn names_client(form: &TokenForm) -> bool {
    form.client_id.as_deref().is_some_and(|id| !matches!(id, "" | "None" | "undefined"))
}

fn required<'f>(field: Option<&'f str>, name: &str) -> Result<&'f str, OAuthError> {
    field.filter(|value| !value.is_empty()).ok_or_else(|| {
        OAuthError::new(OAuthErrorKind::InvalidRequest, format!("Invalid {name} parameter or parameter missing"))
    })
}

#[cfg(test)]
mod tests;
