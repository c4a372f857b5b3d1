//! The OAuth 2 token endpoint as Box's clients use it (RFC 6749, 7009, 7523), without HTTP: fields in, answer out.
//!
//! Served are client credentials and signed assertions, each for the application's own service account or for a user
//! of its enterprise. Every other grant is refused by its OAuth name.

mod assertion;

use crate::secret::sha256;
use crate::{Identity, IssueToken, Secret};
use assertion::{Assertion, Claims};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use entente_database::apps::{self, App};
use entente_database::tokens;
use entente_model::{EnterpriseId, Scopes, UserId};
use std::time::Duration;

/// How long a token from this endpoint lives.
const LIFETIME: Duration = Duration::from_secs(3_600);
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
}

impl TokenForm {
    /// Picks the fields out of decoded pairs. The first of a name counts.
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
                _ => continue,
            };
            field.get_or_insert_with(|| value.into());
        }
        form
    }
}

/// A token, as the endpoint answers it.
pub struct TokenAnswer {
    /// The secret.
    pub access_token: Secret,
    /// How long it lives, in seconds.
    pub expires_in_seconds: u64,
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
    fn new(kind: OAuthErrorKind, description: impl Into<String>) -> Self {
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
    /// besides Box's.
    pub async fn grant(&self, form: &TokenForm, own_urls: &[&str]) -> Result<TokenAnswer, OAuthError> {
        match form.grant_type.as_deref() {
            Some("client_credentials") => {
                let app = self.client(form)?;
                let kind = required(form.subject_type.as_deref(), "box_subject_type")?;
                let id = required(form.subject_id.as_deref(), "box_subject_id")?;
                let user = self.subject(&app, &Subject { kind, id })?;
                let user = user.ok_or_else(|| OAuthError::grant("Grant credentials are invalid"))?;
                self.answer(&app, user).await
            }
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => {
                let app = self.client(form)?;
                let text = required(form.assertion.as_deref(), "assertion")?;
                let claims = self.assertion(&app, text, own_urls)?;
                let user = self.subject(&app, &claims.subject())?;
                let user = user.ok_or_else(|| {
                    OAuthError::grant("Please check the 'sub' claim. The 'sub' specified is invalid.")
                })?;
                self.use_once(&app, &claims).await?;
                self.answer(&app, user).await
            }
            Some("refresh_token") => Err(OAuthError::grant("Invalid refresh token")),
            Some("authorization_code") => Err(OAuthError::grant("The authorization code is invalid")),
            Some(_) => Err(OAuthError::new(
                OAuthErrorKind::UnsupportedGrantType,
                "This server grants client_credentials and urn:ietf:params:oauth:grant-type:jwt-bearer",
            )),
            None => Err(OAuthError::new(
                OAuthErrorKind::InvalidRequest,
                "Invalid grant_type parameter or parameter missing",
            )),
        }
    }

    /// Answers a revocation request: the token is worth nothing afterwards, also when it never was worth anything.
    ///
    /// Whoever has a token may revoke it, so a client need not be named; one that is named must be right.
    pub async fn revoke_by_form(&self, form: &TokenForm) -> Result<(), OAuthError> {
        if form.client_id.as_deref().is_some_and(|id| !matches!(id, "" | "None" | "undefined")) {
            self.client(form)?;
        }
        let token = required(form.token.as_deref(), "token")?;
        self.revoke(token).await?;
        Ok(())
    }

    /// The application whose id and secret the form has.
    fn client(&self, form: &TokenForm) -> Result<App, OAuthError> {
        let client_id = form.client_id.as_deref().ok_or_else(OAuthError::client)?;
        let secret = form.client_secret.as_deref().ok_or_else(OAuthError::client)?;
        let app = self.database.read(|tx| apps::by_client_id(tx, client_id))?.ok_or_else(OAuthError::client)?;
        verify_slices_are_equal(&sha256(secret).0, &app.secret_sha256.0).map_err(|_| OAuthError::client())?;
        Ok(app)
    }

    /// The user that a subject stands for: the service account for the application's own enterprise, an active user of
    /// that enterprise otherwise.
    fn subject(&self, app: &App, subject: &Subject<'_>) -> Result<Option<UserId>, OAuthError> {
        match subject.kind {
            "enterprise" => {
                let enterprise = subject.id.parse::<EnterpriseId>();
                Ok((enterprise == Ok(app.enterprise)).then_some(app.service_user))
            }
            "user" => {
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

    async fn answer(&self, app: &App, user: UserId) -> Result<TokenAnswer, OAuthError> {
        let issue = IssueToken { user, app: Some(app.app), scopes: Scopes::ALL, lifetime: LIFETIME };
        let issued = self.issue(issue).await.map_err(|error| match error {
            // The user was made inactive a moment ago.
            crate::Error::UnknownUser(_) => OAuthError::grant("Grant credentials are invalid"),
            other => other.into(),
        })?;
        Ok(TokenAnswer { access_token: issued.secret, expires_in_seconds: LIFETIME.as_secs() })
    }
}

fn required<'f>(field: Option<&'f str>, name: &str) -> Result<&'f str, OAuthError> {
    field.filter(|value| !value.is_empty()).ok_or_else(|| {
        OAuthError::new(OAuthErrorKind::InvalidRequest, format!("Invalid {name} parameter or parameter missing"))
    })
}

#[cfg(test)]
mod tests;
