//! Codes and refresh tokens become tokens, once each (RFC 6749, 4.1.3 and 6; RFC 7636; RFC 9700, 4.14).
//!
//! All that comes of one authorization hangs on it. Whoever shows a code or a refresh token again that was used already
//! ends it: one of two has stolen it, and nobody knows which.

use super::{LIFETIME, LIFETIME_AUTHORIZATION, OAuthError, OAuthErrorKind, TokenAnswer, TokenForm, required, scopes};
use crate::apps::is_web_app;
use crate::secret::{is_well_formed, sha256};
use crate::{Identity, Secret};
use entente_database::apps::{App, Grants};
use entente_database::authorizations::{self, Authorization, Voucher};
use entente_database::{Tx, tokens};
use entente_model::{Scopes, Sha256, Timestamp, TokenId};

/// Characters of what proves who asked for a code (RFC 7636, 4.1).
const VERIFIER_BYTES: std::ops::RangeInclusive<usize> = 43..=128;

/// Bytes of what a device is called.
const DEVICE_BYTES_MAX: usize = 255;

/// What has become of a code or a refresh token.
enum Outcome {
    /// Tokens of that worth.
    Granted(Scopes),
    /// Nothing, for that reason. What was noted stays noted.
    Refused(OAuthError),
}

/// The digests of what is about to be issued.
#[derive(Clone, Copy)]
struct Fresh {
    token: TokenId,
    access: Sha256,
    refresh: Sha256,
    now: Timestamp,
}

impl Identity {
    /// A code becomes tokens.
    pub(super) async fn by_code(&self, app: &App, form: &TokenForm) -> Result<TokenAnswer, OAuthError> {
        check_grant(app)?;
        let code = required(form.code.as_deref(), "code")?;
        let verifier = form.code_verifier.as_deref().map(challenge_of).transpose()?;
        let digest = digest(code).ok_or_else(bad_code)?;
        let (app, redirect_uri, device) = (app.clone(), form.redirect_uri.clone(), device(form)?);
        let is_own = is_web_app(&app);
        let answer = self.issue_family("exchange code", move |tx, fresh| {
            let Some(code) = authorizations::code(tx, &digest)? else { return Ok(Outcome::Refused(bad_code())) };
            let Some(authorization) = usable(tx, &app, &code.voucher, fresh.now)? else {
                return Ok(Outcome::Refused(bad_code()));
            };
            if redirect_uri.as_ref().is_some_and(|uri| *uri != code.redirect_uri) {
                return Ok(Outcome::Refused(OAuthError::grant("The redirect_uri is not the one of the code")));
            }
            // Without a challenge, a verifier means that somebody has put another code in place of the app's own.
            if verifier != code.challenge {
                return Ok(Outcome::Refused(OAuthError::grant("The code_verifier does not fit the code")));
            }
            authorizations::use_code(tx, &digest, fresh.now)?;
            note_device(tx, &authorization, device.as_ref())?;
            issue(tx, &app, &authorization, authorization.scopes, fresh)
        });
        let mut answer = answer.await?;
        answer.refresh_token = answer.refresh_token.filter(|_| !is_own);
        Ok(answer)
    }

    /// A refresh token becomes tokens, another refresh token among them.
    pub(super) async fn by_refresh_token(&self, app: &App, form: &TokenForm) -> Result<TokenAnswer, OAuthError> {
        check_grant(app)?;
        let token = required(form.refresh_token.as_deref(), "refresh_token")?;
        let asked = form.scope.as_deref().filter(|text| !text.trim().is_empty()).map(scopes::parse).transpose()?;
        let digest = digest(token).ok_or_else(bad_refresh_token)?;
        let (app, device) = (app.clone(), device(form)?);
        self.issue_family("refresh token", move |tx, fresh| {
            let Some(voucher) = authorizations::refresh_token(tx, &digest)? else {
                return Ok(Outcome::Refused(bad_refresh_token()));
            };
            let Some(authorization) = usable(tx, &app, &voucher, fresh.now)? else {
                return Ok(Outcome::Refused(bad_refresh_token()));
            };
            if asked.is_some_and(|asked| !authorization.scopes.contains(asked)) {
                let message = "The scope parameter asks for more than the user has agreed to";
                return Ok(Outcome::Refused(OAuthError::new(OAuthErrorKind::InvalidScope, message)));
            }
            authorizations::use_refresh_token(tx, &digest, fresh.now)?;
            note_device(tx, &authorization, device.as_ref())?;
            issue(tx, &app, &authorization, asked.unwrap_or(authorization.scopes), fresh)
        })
        .await
    }

    async fn issue_family<F>(&self, name: &'static str, mut run: F) -> Result<TokenAnswer, OAuthError>
    where
        F: FnMut(&mut Tx<'_>, Fresh) -> Result<Outcome, OAuthError> + Send + 'static,
    {
        let (access, refresh) = (Secret::random(self.world.random()), Secret::random(self.world.random()));
        let fresh = Fresh {
            token: TokenId::new(self.world.next_id()),
            access: access.sha256(),
            refresh: refresh.sha256(),
            now: self.world.now(),
        };
        match self.database.transact(name, move |tx| run(tx, fresh)).await? {
            Outcome::Refused(refusal) => Err(refusal),
            Outcome::Granted(scopes) => Ok(TokenAnswer {
                access_token: access,
                expires_in_seconds: LIFETIME.as_secs(),
                refresh_token: Some(refresh),
                scopes,
                exchanged: None,
            }),
        }
    }
}

/// On which device the app is, and what that calls itself, if the app says so.
fn device(form: &TokenForm) -> Result<Option<(String, String)>, OAuthError> {
    let Some(id) = form.device_id.as_deref().map(str::trim).filter(|id| !id.is_empty()) else { return Ok(None) };
    let name = form.device_name.as_deref().unwrap_or("").trim();
    let fits = |text: &str| text.len() <= DEVICE_BYTES_MAX && !text.chars().any(char::is_control);
    if fits(id) && fits(name) {
        return Ok(Some((id.to_owned(), name.to_owned())));
    }
    let message = "A device's id and name have at most 255 bytes, and no control characters";
    Err(OAuthError::new(OAuthErrorKind::InvalidRequest, message))
}

fn note_device(
    tx: &mut Tx<'_>,
    authorization: &Authorization,
    device: Option<&(String, String)>,
) -> Result<(), entente_database::Error> {
    device.map_or(Ok(()), |(id, name)| authorizations::pin(tx, authorization.id, id, name))
}

fn check_grant(app: &App) -> Result<(), OAuthError> {
    if app.grants.contains(Grants::CODE) {
        return Ok(());
    }
    Err(OAuthError::new(OAuthErrorKind::UnauthorizedClient, "The app is not registered for authorization codes"))
}

/// The authorization behind a code or a refresh token, if that is the app's and worth something. One that was used already
/// ends it.
fn usable(
    tx: &mut Tx<'_>,
    app: &App,
    voucher: &Voucher,
    now: Timestamp,
) -> Result<Option<Authorization>, entente_database::Error> {
    let Some(authorization) = authorizations::by_id(tx, voucher.authorization)? else { return Ok(None) };
    if voucher.used_at.is_some() {
        authorizations::end(tx, authorization.id)?;
        return Ok(None);
    }
    let is_usable = authorization.app == app.app && voucher.expires_at > now && authorization.expires_at > now;
    Ok(Some(authorization).filter(|_| is_usable))
}

fn issue(
    tx: &mut Tx<'_>,
    app: &App,
    authorization: &Authorization,
    scopes: Scopes,
    fresh: Fresh,
) -> Result<Outcome, OAuthError> {
    let caller = tokens::caller(tx, authorization.user, Some(app.app), scopes)?;
    let Some(caller) = caller.filter(|caller| caller.enterprise == app.enterprise) else {
        return Ok(Outcome::Refused(OAuthError::grant("The user may not come in, or the app may not be used")));
    };
    let expires_at = fresh.now.after(LIFETIME_AUTHORIZATION);
    tokens::add(
        tx,
        &tokens::Token {
            sha256: fresh.access,
            token: fresh.token,
            user: authorization.user,
            app: Some(app.app),
            scopes,
            confined: None,
            authorization: Some(authorization.id),
            source: None,
            issued_at: fresh.now,
            expires_at: fresh.now.after(LIFETIME),
        },
    )?;
    // Our web app asks anew instead, as long as its user is signed in.
    if is_web_app(app) {
        return Ok(Outcome::Granted(caller.scopes));
    }
    let voucher = Voucher { authorization: authorization.id, used_at: None, expires_at };
    authorizations::add_refresh_token(tx, &fresh.refresh, &voucher)?;
    authorizations::prolong(tx, authorization.id, expires_at)?;
    Ok(Outcome::Granted(caller.scopes))
}

fn digest(text: &str) -> Option<Sha256> {
    is_well_formed(text).then(|| sha256(text))
}

/// What the challenge was, if this is its verifier.
fn challenge_of(verifier: &str) -> Result<Sha256, OAuthError> {
    let is_fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !VERIFIER_BYTES.contains(&verifier.len()) || !verifier.bytes().all(is_fit) {
        return Err(OAuthError::grant("The code_verifier is malformed"));
    }
    Ok(sha256(verifier))
}

fn bad_code() -> OAuthError {
    OAuthError::grant("The authorization code has expired, was used already, or is not this app's")
}

fn bad_refresh_token() -> OAuthError {
    OAuthError::grant("Invalid refresh token")
}
