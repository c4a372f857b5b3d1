//! Passkeys: somebody signs in with a key of their device, which asks for a finger, a face or a number first (WebAuthn,
//! <https://www.w3.org/TR/webauthn-3/>). That is two factors at once, so no code is asked for besides.
//!
//! What a challenge was made of goes with the form, sealed, and comes back with the answer, so that a page costs no row. Only
//! an answer does: a challenge is used up in the transaction that believes it.

use crate::secret::sha256;
use crate::{Error, Identity, Password, Proven, SecondFactors, SignInError};
use data_encoding::BASE64URL_NOPAD;
use entente_database::passkeys::{self, Passkey};
use entente_database::{Tx, users};
use entente_model::{PasskeyId, Sha256, Timestamp, UserId};
use passki::{
    AuthenticationCredential, AuthenticationOptions, AuthenticationState, Passki, RegistrationCredential,
    RegistrationOptions, RegistrationState, ResidentKeyRequirement, StoredPasskey, UserVerificationRequirement,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// Passkeys of one user.
pub const PASSKEYS_MAX: u32 = 20;
/// Characters of what a user calls one.
const NAME_CHARS_MAX: usize = 60;
/// How long an answer is waited for.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5 * 60);
/// Longer answers, and what goes with a form, are not looked at.
const ANSWER_BYTES_MAX: usize = 32 * 1024;
/// What devices list a key under besides its site.
const NAME: &str = "Entente";
/// What is said to be wrong when none can be made.
const CHALLENGE: &str = "challenge for a passkey";
/// What a sealed challenge is bound to: nobody's, of a sign-in; else the user who adds a key.
const SIGN_IN: &[u8] = b"passkey sign-in";
const ADD: &[u8] = b"passkey of user ";

/// Where browsers find us: keys are of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    host: String,
    origin: String,
}

impl Site {
    /// The site at an absolute URL without a path. `None` when browsers have no passkeys there: without TLS (but on the same
    /// machine), and without a name.
    #[must_use]
    pub fn at(base: &str) -> Option<Self> {
        let (scheme, authority) = base.split_once("://")?;
        let (host, port) = authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
        let is_name = !host.is_empty() && host.parse::<Ipv4Addr>().is_err() && !host.contains(['[', '/', '@']);
        let is_safe = scheme == "https" || scheme == "http" && host == "localhost";
        if !is_name || !is_safe {
            return None;
        }
        // Browsers leave the usual port out.
        let port = port.filter(|port| !matches!((scheme, *port), ("https", "443") | ("http", "80")));
        let port = port.map(|port| [":", port].concat()).unwrap_or_default();
        let host = host.to_ascii_lowercase();
        Some(Self { origin: [scheme, "://", &host, &port].concat(), host })
    }

    fn party(&self) -> Passki {
        Passki::new(&self.host, &[&self.origin], NAME)
    }
}

/// What a browser is asked, and what comes back with its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceremony {
    /// JSON for the browser (`PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON`).
    pub options: String,
    /// Letters, digits, `-` and `_`, for the form.
    pub token: String,
}

/// Why a passkey is not added.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// The password is not right, or nothing can be tried now.
    #[error(transparent)]
    Refused(#[from] SignInError),
    /// The browser's answer is not one, or came too late, or the device asked for nothing.
    #[error("the browser's answer is not good")]
    Answer,
    /// The device's key is there already.
    #[error("the passkey is there already")]
    There,
    /// The user has as many as one may have.
    #[error("a user has at most {PASSKEYS_MAX} passkeys")]
    Many,
    /// Nothing can be told now. May be retried.
    #[error("passkeys cannot be changed now")]
    Failed(#[from] Error),
}

impl From<entente_database::Error> for PasskeyError {
    fn from(error: entente_database::Error) -> Self {
        Self::Failed(Error::Database(error))
    }
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Asked<S> {
    state: S,
    until: i64,
}

impl SecondFactors {
    /// Asks a browser for a new key for somebody who has signed in.
    pub fn offer_passkey(&self, site: &Site, user: UserId) -> Result<Ceremony, Error> {
        let read =
            |tx: &mut Tx<'_>| Ok::<_, Error>((users::mini(tx, user)?, passkeys::of_user(tx, user, PASSKEYS_MAX)?));
        let (known, there) = self.identity().database.read(read)?;
        let known = known.ok_or_else(|| Error::UnknownUser(user.to_string()))?;
        let there: Vec<StoredPasskey> = there.iter().map(stored).collect();
        let mut options = RegistrationOptions::default();
        options.timeout = millis(ANSWERED_WITHIN);
        options.resident_key = ResidentKeyRequirement::Required;
        options.user_verification = UserVerificationRequirement::Required;
        options.exclude_credentials = Some(&there);
        let begun = site.party().start_passkey_registration(&handle(user), &known.login, &known.name, options);
        let (options, state) = begun.map_err(|_| Error::Setting(CHALLENGE))?;
        self.ceremony(&bound_to(user), &options, state)
    }

    /// Adds the key that a browser answered with, for who shows their password once more. `name` is what its user calls it;
    /// what of it is too long is left out.
    pub async fn add_passkey(
        &self,
        (site, user): (&Site, UserId),
        (password, address): (&Password, IpAddr),
        (token, answer): (&str, &str),
        name: &str,
    ) -> Result<(), PasskeyError> {
        let identity = self.identity();
        let login = identity.database.read(|tx| users::mini(tx, user))?.ok_or(SignInError::Wrong)?.login;
        identity.prove_password(&login, password, address).await?;
        let now = identity.world.now();
        let asked: Asked<RegistrationState> = self.asked(&bound_to(user), token, now).ok_or(PasskeyError::Answer)?;
        let answer: RegistrationCredential = read(answer).ok_or(PasskeyError::Answer)?;
        let made = site.party().finish_passkey_registration(&answer, &asked.state);
        let made = made.map_err(|_| PasskeyError::Answer)?;
        let digest = digest(&made.credential_id);
        let name: String = name.trim().chars().filter(|letter| !letter.is_control()).take(NAME_CHARS_MAX).collect();
        let passkey = Passkey {
            id: PasskeyId::new(identity.world.next_id()),
            user,
            credential: made.credential_id,
            public_key: made.public_key,
            algorithm: made.algorithm.into(),
            counter: made.counter,
            name,
            created_at: now,
            used_at: None,
        };
        let challenge = digest_of_challenge(&asked.state.challenge);
        let until = Timestamp::from_millis(asked.until);
        identity
            .database
            .transact("add passkey", move |tx| {
                if !passkeys::use_challenge(tx, &challenge, (until, now))? {
                    return Err(PasskeyError::Answer);
                }
                if passkeys::of_user(tx, user, PASSKEYS_MAX)?.len() >= PASSKEYS_MAX as usize {
                    return Err(PasskeyError::Many);
                }
                if passkeys::add(tx, &passkey, &digest)? { Ok(()) } else { Err(PasskeyError::There) }
            })
            .await
    }

    /// Asks a browser for any key that it has for us.
    pub fn ask_for_passkey(&self, site: &Site) -> Result<Ceremony, Error> {
        let mut options = AuthenticationOptions::default();
        options.timeout = millis(ANSWERED_WITHIN);
        options.user_verification = UserVerificationRequirement::Required;
        let begun = site.party().start_passkey_authentication(&[], options);
        let (options, state) = begun.map_err(|_| Error::Setting(CHALLENGE))?;
        self.ceremony(SIGN_IN, &options, state)
    }

    /// Whose key a browser has answered with: they may begin a session, and need show no code. `Wrong` for anything that is
    /// not an answer of a key that we know, to a challenge of ours, in time, for the first time.
    pub async fn prove_passkey(&self, site: &Site, token: &str, answer: &str) -> Result<Proven, SignInError> {
        let identity = self.identity();
        let now = identity.world.now();
        let asked: Asked<AuthenticationState> = self.asked(SIGN_IN, token, now).ok_or(SignInError::Wrong)?;
        let answer: AuthenticationCredential = read(answer).ok_or(SignInError::Wrong)?;
        let credential = BASE64URL_NOPAD.decode(answer.raw_id.as_bytes()).map_err(|_| SignInError::Wrong)?;
        let digest = digest(&credential);
        let found = identity.database.read(|tx| passkeys::by_digest(tx, &digest))?.ok_or(SignInError::Wrong)?;
        let result = site.party().finish_passkey_authentication(&answer, &asked.state, &stored(&found));
        let result = result.map_err(|_| SignInError::Wrong)?;
        // Of a key that can be found by itself, the device must say whose it is (WebAuthn, 7.2, step 6).
        if result.user_handle.as_deref() != Some(handle(found.user).as_slice()) {
            return Err(SignInError::Wrong);
        }
        let challenge = digest_of_challenge(&asked.state.challenge);
        let (until, counter) = (Timestamp::from_millis(asked.until), result.counter);
        let believe = move |tx: &mut Tx<'_>| {
            Ok::<_, entente_database::Error>(
                passkeys::use_challenge(tx, &challenge, (until, now))? && passkeys::used(tx, found.id, counter, now)?,
            )
        };
        let is_good = identity.database.transact("sign in with a passkey", believe).await?;
        if is_good { Ok(Proven { user: found.user, has_shown_code: true }) } else { Err(SignInError::Wrong) }
    }

    /// Removes a passkey of a user. `false` when it is not theirs. Who has signed in with it stays so.
    pub async fn remove_passkey(&self, user: UserId, id: PasskeyId) -> Result<bool, Error> {
        let remove = move |tx: &mut Tx<'_>| passkeys::remove(tx, user, id);
        Ok(self.identity().database.transact("remove passkey", remove).await?)
    }

    fn ceremony<O: Serialize, S: Serialize>(&self, bound: &[u8], options: &O, state: S) -> Result<Ceremony, Error> {
        let until = self.identity().world.now().after(ANSWERED_WITHIN).millis();
        // These are texts and numbers: they can always be written.
        let write = |_: serde_json::Error| Error::Setting(CHALLENGE);
        let asked = serde_json::to_vec(&Asked { state, until }).map_err(write)?;
        let token = BASE64URL_NOPAD.encode(&self.seal_for(bound, &asked)?);
        Ok(Ceremony { options: serde_json::to_string(options).map_err(write)?, token })
    }

    /// What was asked, if that was us, and not too long ago.
    fn asked<S: DeserializeOwned>(&self, bound: &[u8], token: &str, now: Timestamp) -> Option<Asked<S>> {
        let sealed = Some(token).filter(|token| token.len() <= ANSWER_BYTES_MAX)?;
        let opened = self.open_for(bound, BASE64URL_NOPAD.decode(sealed.as_bytes()).ok()?)?;
        let asked: Asked<S> = serde_json::from_slice(&opened).ok()?;
        Some(asked).filter(|asked| now.millis() < asked.until)
    }
}

impl Identity {
    /// The passkeys of a user, in the order in which they were added.
    pub fn passkeys(&self, user: UserId) -> Result<Vec<Passkey>, Error> {
        Ok(self.database.read(|tx| passkeys::of_user(tx, user, PASSKEYS_MAX))?)
    }
}

fn read<T: DeserializeOwned>(answer: &str) -> Option<T> {
    let answer = Some(answer).filter(|answer| answer.len() <= ANSWER_BYTES_MAX)?;
    serde_json::from_str(answer).ok()
}

/// As the library has it.
fn stored(passkey: &Passkey) -> StoredPasskey {
    let mut stored = StoredPasskey::default();
    stored.credential_id.clone_from(&passkey.credential);
    stored.public_key.clone_from(&passkey.public_key);
    stored.algorithm = i32::try_from(passkey.algorithm).unwrap_or(0);
    stored.counter = passkey.counter;
    stored
}

/// What devices know a user by: it tells them nothing of the user, and does not change.
fn handle(user: UserId) -> [u8; 32] {
    sha256(&format!("passkey user\n{user}")).0
}

fn bound_to(user: UserId) -> Vec<u8> {
    [ADD, user.to_string().as_bytes()].concat()
}

fn digest(credential: &[u8]) -> Sha256 {
    sha256(&format!("passkey\n{}", BASE64URL_NOPAD.encode(credential)))
}

fn digest_of_challenge(challenge: &[u8]) -> Sha256 {
    sha256(&format!("challenge\n{}", BASE64URL_NOPAD.encode(challenge)))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
