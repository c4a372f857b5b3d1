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

#[cfg(test)]
mod tests {
    use super::{Expected, Person, judge};
    use data_encoding::BASE64URL_NOPAD;
    use entente_model::Timestamp;
    use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    use proptest::prelude::{any, proptest};
    use serde_json::{Value, json};

    const OURS: &str = include_str!("../../tests/fixtures/test-only-private.pem");
    const OTHER: &str = include_str!("../../tests/fixtures/test-only-other-private.pem");
    const NOW: i64 = 1_900_000_000;

    fn key(pem: &str) -> EncodingKey {
        EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
    }

    fn keys() -> JwkSet {
        let mut jwk = Jwk::from_encoding_key(&key(OURS), Algorithm::RS256).unwrap();
        jwk.common.key_id = Some("one".to_owned());
        JwkSet { keys: vec![jwk] }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://id.example.org", "sub": "s-1", "aud": "entente", "exp": NOW + 300, "iat": NOW, "nonce": "n",
            "email": "anna@example.com", "email_verified": true, "name": "Anna",
        })
    }

    fn with(change: &Value) -> Value {
        let mut claims = claims();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn header(kid: Option<&str>) -> Header {
        Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::RS256) }
    }

    fn token(claims: &Value) -> String {
        encode(&header(Some("one")), claims, &key(OURS)).unwrap()
    }

    fn judged(text: &str, keys: &JwkSet) -> Result<Person, &'static str> {
        let now = Timestamp::from_millis(NOW * 1_000);
        judge(text, keys, &Expected { issuer: "https://id.example.org", client_id: "entente", nonce: "n", now })
    }

    #[test]
    fn a_good_token_says_who_is_meant() {
        let person = judged(&token(&claims()), &keys()).unwrap();
        let expected = Person {
            subject: "s-1".to_owned(),
            email: Some("anna@example.com".to_owned()),
            name: Some("Anna".to_owned()),
        };
        assert_eq!(person, expected);
        // Without the name of its key every key is tried; among several audiences it has to say that it was given to us.
        judged(&encode(&header(None), &claims(), &key(OURS)).unwrap(), &keys()).unwrap();
        judged(&token(&with(&json!({"aud": ["entente"]}))), &keys()).unwrap();
        judged(&token(&with(&json!({"aud": ["entente", "other"], "azp": "entente"}))), &keys()).unwrap();
        // Clocks differ a little.
        judged(&token(&with(&json!({"exp": NOW - 59}))), &keys()).unwrap();
        judged(&token(&with(&json!({"iat": NOW + 59}))), &keys()).unwrap();
    }

    #[test]
    fn an_address_counts_only_if_it_is_vouched_for() {
        for (verified, counts) in
            [(json!(true), true), (json!("true"), true), (json!(false), false), (Value::Null, false)]
        {
            let person = judged(&token(&with(&json!({"email_verified": verified}))), &keys()).unwrap();
            assert_eq!(person.email.is_some(), counts);
        }
    }

    #[test]
    fn what_is_not_for_us_now_is_refused() {
        for bad in [
            json!({"iss": "https://id.example.com"}),
            json!({"iss": "https://id.example.org/"}),
            json!({"aud": "other"}),
            json!({"aud": []}),
            json!({"aud": ["entente", "other"]}),
            json!({"aud": ["entente", "other"], "azp": "other"}),
            json!({"azp": "other"}),
            json!({"exp": NOW - 60}),
            json!({"exp": "soon"}),
            json!({"iat": NOW + 61}),
            json!({"nonce": "m"}),
            json!({"nonce": Value::Null}),
            json!({"sub": ""}),
            json!({"sub": "s".repeat(256)}),
            json!({"sub": 7}),
        ] {
            assert!(judged(&token(&with(&bad)), &keys()).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_key_of_the_provider_signs() {
        let forged = encode(&header(Some("one")), &claims(), &key(OTHER)).unwrap();
        assert!(judged(&forged, &keys()).is_err());
        assert!(judged(&encode(&header(Some("two")), &claims(), &key(OURS)).unwrap(), &keys()).is_err());
        assert!(judged(&token(&claims()), &JwkSet { keys: Vec::new() }).is_err());
        let mut for_sealing = keys();
        for_sealing.keys[0].common.public_key_use = Some(PublicKeyUse::Encryption);
        assert!(judged(&token(&claims()), &for_sealing).is_err());

        // Neither nothing, nor what both sides know.
        let good = token(&claims());
        let (_, rest) = good.split_once('.').unwrap();
        let (payload, signature) = rest.split_once('.').unwrap();
        let none = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        assert!(judged(&format!("{none}.{payload}."), &keys()).is_err());
        assert!(judged(&format!("{none}.{payload}.{signature}"), &keys()).is_err());
        let shared = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
        let public = include_bytes!("../../tests/fixtures/test-only-public.pem");
        let symmetric = encode(&shared, &claims(), &EncodingKey::from_secret(public)).unwrap();
        assert!(judged(&symmetric, &keys()).is_err());
        // Every byte of the claims is signed.
        let other = BASE64URL_NOPAD.encode(with(&json!({"sub": "s-2"})).to_string().as_bytes());
        let (head, _) = good.split_once('.').unwrap();
        assert!(judged(&format!("{head}.{other}.{signature}"), &keys()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            assert!(judged(&text, &JwkSet { keys: Vec::new() }).is_err());
        }
    }

    #[test]
    fn a_token_has_an_end() {
        assert!(judged(&"a".repeat(17_000), &keys()).is_err());
        let long = token(&with(&json!({"name": "a".repeat(20_000)})));
        assert!(judged(&long, &keys()).is_err());
    }
}
