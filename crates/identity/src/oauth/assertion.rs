//! Signed assertions (RFC 7523): an application proves who it is with its private key.

use super::{OAuthError, Subject};
use data_encoding::BASE64URL_NOPAD;
use entente_database::apps::{App, PublicKey};
use entente_model::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, decode_header};
use std::time::Duration;

/// The token endpoint that Box's clients put into their assertions, whatever server they are pointed at.
const BOX_TOKEN_URL: &str = "https://api.box.com/oauth2/token";
/// How far ahead an assertion may expire: Box's minute, and as much again for a client's clock that is ahead.
const AHEAD_MAX: Duration = Duration::from_secs(60 + SKEW.as_secs());
/// How far a client's clock may be off.
const SKEW: Duration = Duration::from_secs(30);
/// Longer assertions are not looked at.
const TEXT_BYTES_MAX: usize = 16 * 1024;
const JTI_BYTES: std::ops::RangeInclusive<usize> = 16..=128;

/// What an assertion states, as far as it matters here.
#[derive(serde::Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    sub: String,
    #[serde(default)]
    box_sub_type: String,
    pub(super) jti: String,
    /// Seconds since 1970; some clients send fractions.
    exp: serde_json::Number,
}

/// For whom an assertion is meant: one, or any of several.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Audience {
    fn has(&self, url: &str) -> bool {
        match self {
            Self::One(one) => one == url,
            Self::Several(several) => several.iter().any(|one| one == url),
        }
    }
}

impl Claims {
    pub(super) fn subject(&self) -> Subject<'_> {
        Subject { kind: &self.box_sub_type, id: &self.sub }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        let seconds = self.exp.as_i64().or_else(|| {
            let seconds = self.exp.as_f64()?;
            // Within ±2^53, a float converts without loss of its whole part.
            #[expect(clippy::cast_possible_truncation, reason = "it is within the range of an i64")]
            (seconds.abs() < 9.0e15).then_some(seconds as i64)
        })?;
        Some(Timestamp::from_millis(seconds.saturating_mul(1_000)))
    }

    /// From when on nobody accepts the assertion any more, so that it need not be remembered.
    pub(super) fn worthless_from(&self) -> Timestamp {
        self.expires_at().unwrap_or(Timestamp::from_millis(i64::MAX)).after(SKEW)
    }
}

/// An assertion whose signature has not been checked yet.
pub(super) struct Assertion<'t> {
    text: &'t str,
    header: Header,
}

impl<'t> Assertion<'t> {
    pub(super) fn parse(text: &'t str) -> Result<Self, OAuthError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(malformed());
        }
        let header = decode_header(text).map_err(|_| malformed())?;
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512) {
            return Err(OAuthError::grant("Please check the 'alg' header. Use RS256, RS384 or RS512."));
        }
        Ok(Self { text, header })
    }

    /// Checks signature and claims against the application's keys. Without a `kid`, every key is tried.
    pub(super) fn verify(
        &self,
        keys: &[PublicKey],
        app: &App,
        own_urls: &[&str],
        now: Timestamp,
    ) -> Result<Claims, OAuthError> {
        let (message, signature) = self.text.rsplit_once('.').ok_or_else(malformed)?;
        let kid = self.header.kid.as_deref();
        let mut refusal = OAuthError::grant("Please check the 'kid' header. The app has no such public key.");
        for key in keys.iter().filter(|key| kid.is_none_or(|kid| kid == key.label)) {
            let Ok(decoding) = DecodingKey::from_rsa_pem(key.pem.as_bytes()) else { continue };
            // An error means the same as a no: the signature is not in a form that any key makes.
            if jsonwebtoken::crypto::verify(signature, message.as_bytes(), &decoding, self.header.alg).unwrap_or(false)
            {
                let claims = claims(message)?;
                check_parties(&claims, app, own_urls)?;
                return check_claims(claims, now);
            }
            refusal = OAuthError::grant("Please check the signature. It was not made with the app's private key.");
        }
        Err(refusal)
    }
}

fn malformed() -> OAuthError {
    OAuthError::grant("Please check the assertion. It is not a JSON Web Token.")
}

/// The claims of what was signed.
///
/// A claim that is there twice counts the last time (RFC 7519, section 4, allows that or a refusal): rclone sends its
/// `aud` twice, and the token library's own decoder refuses that.
fn claims(message: &str) -> Result<Claims, OAuthError> {
    let incomplete = || {
        OAuthError::grant("Please check the claims. 'iss', 'sub', 'box_sub_type', 'aud', 'jti' and 'exp' are required.")
    };
    let (_, payload) = message.split_once('.').ok_or_else(malformed)?;
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|_| malformed())?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).map_err(|_| incomplete())?;
    serde_json::from_value(claims).map_err(|_| incomplete())
}

fn check_parties(claims: &Claims, app: &App, own_urls: &[&str]) -> Result<(), OAuthError> {
    if claims.iss != app.client_id {
        return Err(OAuthError::grant("Please check the 'iss' claim. The client id specified is invalid."));
    }
    if !own_urls.iter().copied().chain([BOX_TOKEN_URL]).any(|url| claims.aud.has(url)) {
        return Err(OAuthError::grant("Please check the 'aud' claim. The 'aud' specified is invalid."));
    }
    Ok(())
}

fn check_claims(claims: Claims, now: Timestamp) -> Result<Claims, OAuthError> {
    let expires_at = claims.expires_at();
    let expires_at = expires_at.ok_or_else(|| OAuthError::grant("Please check the 'exp' claim."))?;
    if expires_at.after(SKEW) <= now {
        return Err(OAuthError::grant(
            "Please check the 'exp' claim. Current date/time MUST be before the expiration date/time listed in the 'exp' claim.",
        ));
    }
    if expires_at > now.after(AHEAD_MAX) {
        return Err(OAuthError::grant("Please check the 'exp' claim. It must be at most 60 seconds ahead."));
    }
    if !JTI_BYTES.contains(&claims.jti.len()) {
        return Err(OAuthError::grant("Please check the 'jti' claim. It must have 16 to 128 characters."));
    }
    Ok(claims)
}
