//! The authorization endpoint without its pages (RFC 6749, 4.1; RFC 7636; RFC 9207): what an app asks a user for, and the
//! code that it gets.

use super::{LIFETIME, LIFETIME_AUTHORIZATION, OAuthError, OAuthErrorKind, redirect, scopes};
use crate::apps::is_web_app;
use crate::{Error, Identity, Secret};
use data_encoding::BASE64URL_NOPAD;
use entente_database::apps::{self, App, AppKind, AppState, Grants};
use entente_database::authorizations::{self, Authorization, Code, Consent, Voucher};
use entente_database::{tokens, webhooks};
use entente_model::{AppId, AuthorizationId, Scopes, Sha256, UserId};
use std::time::Duration;

/// How long a code is worth something: browsers bring it back at once.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// The longest state that is passed back.
const STATE_BYTES_MAX: usize = 4_096;
/// The longest client id that is looked at.
const CLIENT_ID_BYTES_MAX: usize = 256;
/// Apps that a user lets act for them, in a list.
const CONSENTS_MAX: u32 = 500;
/// Authorizations that one transaction ends.
const ENDED_MAX: u32 = 500;

/// The parameters of an authorization request. Unknown ones are left aside.
#[derive(Default)]
pub struct AuthorizeForm {
    response_type: Option<String>,
    client_id: Option<String>,
    redirect_uri: Option<String>,
    state: Option<String>,
    scope: Option<String>,
    code_challenge: Option<String>,
    code_challenge_method: Option<String>,
    repeats: bool,
}

impl AuthorizeForm {
    /// Picks the parameters out of decoded pairs.
    pub fn from_pairs<N: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            let field = match name.as_ref() {
                "response_type" => &mut form.response_type,
                "client_id" => &mut form.client_id,
                "redirect_uri" => &mut form.redirect_uri,
                "state" => &mut form.state,
                "scope" => &mut form.scope,
                "code_challenge" => &mut form.code_challenge,
                "code_challenge_method" => &mut form.code_challenge_method,
                _ => continue,
            };
            form.repeats |= field.is_some();
            field.get_or_insert_with(|| value.into());
        }
        form
    }

    /// The parameters again, as they came.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let fields = [
            ("response_type", &self.response_type),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("state", &self.state),
            ("scope", &self.scope),
            ("code_challenge", &self.code_challenge),
            ("code_challenge_method", &self.code_challenge_method),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }
}

/// What an app asks a user for, checked.
pub struct AuthorizeRequest {
    app: App,
    back: Back,
    scopes: Scopes,
    challenge: Option<Sha256>,
}

/// Where the browser goes with the answer: a registered place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    redirect_uri: String,
    state: Option<String>,
}

impl Back {
    /// The place. It may have parameters already.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// What the app wants to have back as it is.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// Scheme and authority of the place, for a page's security policy: ASCII without spaces, semicolons and quotes.
    #[must_use]
    pub fn origin(&self) -> String {
        redirect::origin(&self.redirect_uri)
    }
}

impl AuthorizeRequest {
    /// What people call the app.
    #[must_use]
    pub fn app_name(&self) -> &str {
        &self.app.name
    }

    /// What it asks for.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// Where the browser goes with the answer.
    #[must_use]
    pub fn back(&self) -> &Back {
        &self.back
    }
}

/// Why an authorization request cannot be followed.
#[derive(Debug)]
pub enum AuthorizeError {
    /// Nobody may be sent anywhere: the user is told.
    Shown(OAuthError),
    /// The app is told.
    SentBack(Box<Back>, OAuthError),
}

impl From<entente_database::Error> for AuthorizeError {
    fn from(error: entente_database::Error) -> Self {
        Self::Shown(error.into())
    }
}

impl Identity {
    /// Checks what an app asks for: first who it is and where the browser would go, and only then the rest.
    pub fn authorize(&self, form: &AuthorizeForm) -> Result<AuthorizeRequest, AuthorizeError> {
        let shown = |message: &str| AuthorizeError::Shown(OAuthError::new(OAuthErrorKind::InvalidRequest, message));
        if form.repeats {
            return Err(shown("A parameter is there twice"));
        }
        let client_id = form.client_id.as_deref().filter(|id| id.len() <= CLIENT_ID_BYTES_MAX);
        let client_id = client_id.ok_or_else(|| shown("The client_id parameter is missing"))?;
        let app = self.database.read(|tx| apps::by_client_id(tx, client_id))?;
        let app = app.filter(|app| app.state == AppState::Enabled);
        let app = app.ok_or_else(|| AuthorizeError::Shown(OAuthError::client()))?;
        let asked = form.redirect_uri.as_deref().filter(|uri| !uri.is_empty());
        let redirect_uri = redirect::choose(&app.redirect_uris, asked);
        let redirect_uri = redirect_uri.ok_or_else(|| shown("The redirect_uri is not registered for this app"))?;
        let state = form.state.clone();
        if state.as_ref().is_some_and(|state| state.len() > STATE_BYTES_MAX) {
            return Err(shown("The state parameter is too long"));
        }
        let back = Back { redirect_uri, state };
        match self.asked(form, &app) {
            Ok((scopes, challenge)) => Ok(AuthorizeRequest { app, back, scopes, challenge }),
            Err(error) => Err(AuthorizeError::SentBack(Box::new(back), error)),
        }
    }

    fn asked(&self, form: &AuthorizeForm, app: &App) -> Result<(Scopes, Option<Sha256>), OAuthError> {
        match form.response_type.as_deref() {
            Some("code") => {}
            Some(_) => {
                let message = "This server answers response_type=code";
                return Err(OAuthError::new(OAuthErrorKind::UnsupportedResponseType, message));
            }
            None => return Err(invalid("The response_type parameter is missing")),
        }
        if !app.grants.contains(Grants::CODE) {
            let message = "The app is not registered for authorization codes";
            return Err(OAuthError::new(OAuthErrorKind::UnauthorizedClient, message));
        }
        let challenge = match (form.code_challenge.as_deref(), form.code_challenge_method.as_deref()) {
            (Some(challenge), Some("S256")) => Some(parse_challenge(challenge)?),
            (Some(_), _) => return Err(invalid("The code_challenge_method must be S256")),
            (None, Some(_)) => return Err(invalid("The code_challenge parameter is missing")),
            (None, None) if app.kind == AppKind::Public => {
                return Err(invalid("This app must send a code_challenge"));
            }
            (None, None) => None,
        };
        Ok((scopes::granted(form.scope.as_deref(), app.scopes)?, challenge))
    }

    /// Whether a user need not be asked: they have agreed to as much before, and nobody else can pass for the app, as
    /// anybody can for one that keeps no secret (RFC 8252, 8.6).
    pub fn is_agreed(&self, user: UserId, request: &AuthorizeRequest) -> Result<bool, Error> {
        if is_web_app(&request.app) {
            return Ok(true);
        }
        if request.app.kind == AppKind::Public {
            return Ok(false);
        }
        let agreed = self.database.read(|tx| authorizations::consent(tx, user, request.app.app))?;
        Ok(agreed.is_some_and(|agreed| agreed.contains(request.scopes)))
    }

    /// A user lets the app act for them: the code that its browser takes there. Durable when this returns.
    ///
    /// `AccessDenied` when the user is not active, or of another enterprise than the app; `InvalidClient` when the app has
    /// been disabled meanwhile.
    pub async fn agree(&self, user: UserId, request: &AuthorizeRequest) -> Result<Secret, OAuthError> {
        let code = Secret::random(self.world.random());
        let (digest, now) = (code.sha256(), self.world.now());
        let (app, enterprise, scopes) = (request.app.app, request.app.enterprise, request.scopes);
        let id = AuthorizationId::new(self.world.next_id());
        let is_own = is_web_app(&request.app);
        let lifetime = if is_own { LIFETIME } else { LIFETIME_AUTHORIZATION };
        let authorization = Authorization { id, user, app, scopes, created_at: now, expires_at: now.after(lifetime) };
        let stored = Code {
            voucher: Voucher { authorization: id, used_at: None, expires_at: now.after(CODE_LIFETIME) },
            redirect_uri: request.back.redirect_uri.clone(),
            challenge: request.challenge,
        };
        self.database
            .transact("authorize app", move |tx| {
                let caller = tokens::caller(tx, user, Some(app), scopes)?;
                if caller.is_none_or(|caller| caller.enterprise != enterprise) {
                    let message = "This user cannot let the app act for them";
                    return Err(OAuthError::new(OAuthErrorKind::AccessDenied, message));
                }
                authorizations::add(tx, &authorization)?;
                authorizations::add_code(tx, &digest, &stored)?;
                // Nobody is asked whether our own web app may act for them, so there is nothing to withdraw.
                if is_own {
                    return Ok(());
                }
                let before = authorizations::consent(tx, user, app)?.unwrap_or(Scopes::NONE);
                Ok(authorizations::remember_consent(tx, user, app, scopes.with(before), now)?)
            })
            .await?;
        Ok(code)
    }

    /// The apps that a user lets act for them.
    pub async fn consents(&self, user: UserId) -> Result<Vec<Consent>, Error> {
        Ok(self.database.read_long(move |tx| authorizations::consents(tx, user, CONSENTS_MAX)).await?)
    }

    /// A user does not let an app act for them any more: what it has of theirs is worth nothing from now on, and its webhooks
    /// are told nothing more of what they see.
    pub async fn withdraw(&self, user: UserId, app: AppId) -> Result<(), Error> {
        loop {
            let ended = self.database.transact("withdraw from app", move |tx| {
                authorizations::forget_consent(tx, user, app)?;
                webhooks::remove_of_owner(tx, user, app)?;
                authorizations::end_of_app(tx, user, app, ENDED_MAX)
            });
            if ended.await? < ENDED_MAX as usize {
                return Ok(());
            }
        }
    }
}

fn invalid(message: &str) -> OAuthError {
    OAuthError::new(OAuthErrorKind::InvalidRequest, message)
}

fn parse_challenge(text: &str) -> Result<Sha256, OAuthError> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok().filter(|_| text.len() == 43);
    bytes
        .and_then(|bytes| Sha256::from_slice(&bytes))
        .ok_or_else(|| invalid("The code_challenge is not a SHA-256 in base64url"))
}
