//! Whether an ID token is worth what it says (OpenID Connect Core 1.0, section 3.1.3.7). Pure.

use data_encoding::BASE64URL_NOPAD;
use entente_model::Timestamp;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header, decode_header};
use serde::Deserialize;
use std::time::Duration;

/// Longer tokens are not looked at.
const TEXT_BYTES_MAX: usize = 16 * 1_024;
/// How far the provider's clock may be from ours.
const SKEW: Duration = Duration::from_secs(60);
/// Keys that are tried for a token that does not name its own.
const KEYS_MAX: usize = 16;
/// Section 2: a subject has at most 255 characters.
const SUBJECT_BYTES_MAX: usize = 255;

/// What must be true of a token.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// Whom the provider says that it has before it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) subject: String,
    /// A mail address of which the provider says that it is theirs.
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<serde_json::Value>,
    name: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Who is meant, if the token was signed by one of these keys, for us, now, and for this very sign-in. The reason otherwise,
/// for the log.
pub(super) fn judge(text: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Person, &'static str> {
    if text.len() > TEXT_BYTES_MAX {
        return Err("the ID token is too long");
    }
    let header = decode_header(text).map_err(|_| "the ID token is not a JSON Web Token")?;
    let (message, signature) = text.rsplit_once('.').ok_or("the ID token is not a JSON Web Token")?;
    let is_signed = candidates(&header, keys)
        .filter_map(|key| DecodingKey::from_jwk(key).ok())
        // An error means the same as a no: the signature is not in a form that this key makes.
        .any(|key| jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, header.alg).unwrap_or(false));
    if !is_signed {
        return Err("the ID token is not signed by a key of the provider");
    }
    let (_, payload) = message.split_once('.').ok_or("the ID token is not a JSON Web Token")?;
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|_| "the ID token has no claims")?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| "a claim of the ID token is missing or odd")?;
    check(&claims, expected)?;
    let is_verified = claims.email_verified.is_some_and(|said| said == true || said == "true");
    Ok(Person { subject: claims.sub, email: claims.email.filter(|_| is_verified), name: claims.name })
}

/// The keys that may have signed. A key that both sides know, and no signature at all, are never taken.
fn candidates<'k>(header: &Header, keys: &'k JwkSet) -> impl Iterator<Item = &'k Jwk> {
    let is_public = matches!(
        header.alg,
        Algorithm::RS256
            | Algorithm::RS384
            | Algorithm::RS512
            | Algorithm::PS256
            | Algorithm::PS384
            | Algorithm::PS512
            | Algorithm::ES256
            | Algorithm::ES384
            | Algorithm::EdDSA
    );
    let kid = header.kid.clone();
    let fits = move |key: &&Jwk| {
        is_public
            && key.common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature)
            && kid.as_ref().is_none_or(|kid| key.common.key_id.as_ref() == Some(kid))
    };
    keys.keys.iter().filter(fits).take(KEYS_MAX)
}

fn check(claims: &Claims, expected: &Expected<'_>) -> Result<(), &'static str> {
    if claims.iss != expected.issuer {
        return Err("the ID token is of another issuer");
    }
    let is_for_us = match &claims.aud {
        Audience::One(one) => one == expected.client_id,
        // Others may be meant too only if it says that it was given to us.
        Audience::Many(many) => {
            many.iter().any(|one| one == expected.client_id) && (many.len() == 1 || claims.azp.is_some())
        }
    };
    if !is_for_us || claims.azp.as_deref().is_some_and(|party| party != expected.client_id) {
        return Err("the ID token is for another client");
    }
    let at = |seconds: f64| seconds.is_finite().then(|| timestamp(seconds)).ok_or("a time in the ID token is none");
    if at(claims.exp)?.after(SKEW) <= expected.now {
        return Err("the ID token has expired");
    }
    if at(claims.iat)? > expected.now.after(SKEW) {
        return Err("the ID token is of a time to come");
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err("the ID token is for another sign-in");
    }
    if claims.sub.is_empty() || claims.sub.len() > SUBJECT_BYTES_MAX {
        return Err("the ID token has no subject");
    }
    Ok(())
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of a float to an integer stays within its bounds")]
fn timestamp(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1_000.0) as i64)
}
