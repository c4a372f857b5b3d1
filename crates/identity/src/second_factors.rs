//! Second factors: a code of the device that somebody carries, asked for after the password.
//!
//! What codes are made of is sealed under a key of the database that the custodian wraps; the layout is
//! docs/formats/second-factor.md. Guesses are counted before they are looked at, as with passwords. No code is good twice.

use crate::passwords::{Key, count, forgive, network_key};
use crate::secret::{is_well_formed, sha256};
use crate::tickets::{KeptKey, kept_key};
use crate::timed_code::{self, SECRET_BYTES};
use crate::{Error, Identity, Password, Proven, Secret, SignInError};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use entente_custodians::{Custodian, KeyContext};
use entente_database::second_factors::{self, BegunSignIn, SecondFactor};
use entente_database::{Tx, passkeys, users};
use entente_model::{EnterpriseId, EpochId, Sha256, UserId, ZoneId};
use entente_world::World;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The setting that holds the wrapped key.
const SETTING: &str = "second factor sealing key";
/// No enterprise has the id 0; 2 tells this key from those of download tickets and access keys.
const CONTEXT: KeyContext =
    KeyContext { enterprise: EnterpriseId::new(0), zone: ZoneId::new(0), epoch: EpochId::new(2) };
/// First byte of what is sealed.
const VERSION: u8 = 1;
/// How long a code is waited for.
const BEGUN_FOR: Duration = Duration::from_secs(10 * 60);
/// Sign-ins of one user that wait at once. Another one ends some of them.
const BEGUN_MAX: u32 = 20;
/// Wrong codes of one user that cost nothing, and what one costs at most: longer than with passwords, since a code has few
/// digits, and only who knows the password can make somebody wait.
const CODE_FREE: u32 = 5;
const CODE_PAUSE_MAX: Duration = Duration::from_secs(15 * 60);
const RECOVERY_CODES: usize = 10;
/// Letters of a recovery code, of 5 bits each: too many to be guessed from a digest.
const RECOVERY_LETTERS: usize = 16;
/// 32 letters and digits that nobody takes for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Longer texts are not looked at.
const TYPED_BYTES_MAX: usize = 64;

/// Knows second factors. Cheap to clone.
#[derive(Clone)]
pub struct SecondFactors {
    identity: Identity,
    key: Arc<LessSafeKey>,
}

/// How it stands with somebody's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FactorState {
    /// How many recovery codes are left, of somebody who has a second factor.
    pub recovery_codes: Option<u32>,
    /// Whether everybody of the enterprise must have one.
    pub is_required: bool,
}

/// Why somebody does not get, or is not rid of, a second factor.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// The password or the code is not right, or nothing can be tried now.
    #[error(transparent)]
    Refused(#[from] SignInError),
    /// There is one already; end it first.
    #[error("the user has a second factor already; end that first")]
    There,
    /// Everybody of the enterprise must have one.
    #[error("the enterprise requires a second factor")]
    Required,
    /// Nothing can be told now. May be retried.
    #[error("second factors cannot be changed now")]
    Failed(#[from] Error),
}

impl From<entente_database::Error> for FactorError {
    fn from(error: entente_database::Error) -> Self {
        Self::Failed(Error::Database(error))
    }
}

/// A code as it was typed.
enum Typed {
    Timed(String),
    Recovery(Zeroizing<String>),
}

impl Typed {
    fn read(text: &str) -> Option<Self> {
        if text.len() > TYPED_BYTES_MAX {
            return None;
        }
        let plain =
            text.chars().filter(|letter| !matches!(letter, ' ' | '-')).map(|letter| letter.to_ascii_uppercase());
        let plain = Zeroizing::new(plain.collect::<String>());
        if plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Timed(plain.to_string()));
        }
        (plain.len() == RECOVERY_LETTERS && plain.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            .then_some(Self::Recovery(plain))
    }
}

impl SecondFactors {
    /// Fetches the key that seals secrets, making and storing one at first. Every node of a database has the same.
    ///
    /// `Custodian` when the stored key does not unwrap: then the custodian's key is not the one that this database
    /// was made with.
    pub async fn load(identity: Identity, custodian: &dyn Custodian) -> Result<Self, Error> {
        let kept = KeptKey { setting: SETTING, context: CONTEXT };
        let key = kept_key(&identity.world, &identity.database, custodian, kept).await?;
        // 32 bytes are a key of this cipher.
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| Error::Setting(SETTING))?;
        Ok(Self { identity, key: Arc::new(LessSafeKey::new(key)) })
    }

    /// A secret that nobody has yet, as people type it into their device. It counts when it is shown again, with a code.
    #[must_use]
    pub fn draw(&self) -> Secret {
        Secret::kept(timed_code::shown(&self.identity.world.random().bytes::<SECRET_BYTES>()))
    }

    /// Whether a code is right for a sign-in that waits for one: then the sign-in is over, and its browser may begin a
    /// session. `Wrong` also when none waits with that cookie.
    pub async fn prove_code(&self, begun: &str, code: &str, address: IpAddr) -> Result<Proven, SignInError> {
        let user = self.identity.begun_sign_in(begun).map_err(SignInError::Failed)?.ok_or(SignInError::Wrong)?;
        self.check(user, code, address).await?;
        self.finish(begun, user).await
    }

    /// Gives a second factor to somebody whose sign-in waits for one because their enterprise requires it: the secret that
    /// was [drawn](Self::draw) for them, and a code of it. Answers the recovery codes, shown this once.
    pub async fn enrol_begun(
        &self,
        begun: &str,
        secret: &str,
        code: &str,
    ) -> Result<(Proven, Vec<Secret>), FactorError> {
        let user = self.identity.begun_sign_in(begun)?.ok_or(SignInError::Wrong)?;
        let codes = self.add(user, secret, code).await?;
        Ok((self.finish(begun, user).await?, codes))
    }

    /// The same for somebody who has signed in, and shows their password once more.
    pub async fn enrol(
        &self,
        user: UserId,
        password: &Password,
        (secret, code): (&str, &str),
        address: IpAddr,
    ) -> Result<Vec<Secret>, FactorError> {
        let login = self.identity.database.read(|tx| users::mini(tx, user))?.ok_or(SignInError::Wrong)?.login;
        self.identity.prove_password(&login, password, address).await?;
        self.add(user, secret, code).await
    }

    /// Other recovery codes, shown this once, for who shows a code. The older ones are worth nothing.
    pub async fn renew_recovery_codes(
        &self,
        user: UserId,
        code: &str,
        address: IpAddr,
    ) -> Result<Vec<Secret>, FactorError> {
        self.check(user, code, address).await?;
        let (codes, digests) = self.recovery_codes(user);
        let set = move |tx: &mut Tx<'_>| {
            // It may have been ended meanwhile.
            match second_factors::of_user(tx, user)? {
                Some(_) => second_factors::set_recovery_codes(tx, user, &digests).map(|()| true),
                None => Ok(false),
            }
        };
        let is_set = self.identity.database.transact("renew recovery codes", set).await?;
        if is_set { Ok(codes) } else { Err(SignInError::Wrong.into()) }
    }

    /// Ends the second factor of who shows a code. `Required` when the enterprise wants everybody to have one.
    pub async fn end(&self, user: UserId, code: &str, address: IpAddr) -> Result<(), FactorError> {
        if self.identity.second_factor(user)?.is_required {
            return Err(FactorError::Required);
        }
        self.check(user, code, address).await?;
        let end = move |tx: &mut Tx<'_>| second_factors::remove(tx, user);
        self.identity.database.transact("end second factor", end).await?;
        Ok(())
    }

    async fn add(&self, user: UserId, secret: &str, code: &str) -> Result<Vec<Secret>, FactorError> {
        let secret = timed_code::read(secret).ok_or(SignInError::Wrong)?;
        let now = self.identity.world.now();
        let Some(Typed::Timed(code)) = Typed::read(code) else { return Err(SignInError::Wrong.into()) };
        let step = timed_code::step_of(&secret, &code, timed_code::step(now), i64::MIN).ok_or(SignInError::Wrong)?;
        let factor = SecondFactor { sealed: self.seal(user, &secret)?, used_step: step };
        let (codes, digests) = self.recovery_codes(user);
        let add = move |tx: &mut Tx<'_>| {
            let is_added = second_factors::add(tx, user, &factor, now)?;
            if is_added {
                second_factors::set_recovery_codes(tx, user, &digests)?;
            }
            Ok::<_, entente_database::Error>(is_added)
        };
        let is_added = self.identity.database.transact("add second factor", add).await?;
        if is_added { Ok(codes) } else { Err(FactorError::There) }
    }

    /// Whether a code is right, which is then used up. Counts a failure before it looks.
    async fn check(&self, user: UserId, code: &str, address: IpAddr) -> Result<(), SignInError> {
        let database = &self.identity.database;
        let now = self.identity.world.now();
        let keys: [Key; 2] = [(sha256(&format!("code\n{user}")), CODE_FREE, CODE_PAUSE_MAX), network_key(address)];
        let waits = database.transact("count a code", move |tx| count(tx, &keys, now)).await?;
        if let Some(wait) = waits {
            return Err(SignInError::Wait(wait.as_secs().max(1)));
        }
        let factor = database.read(|tx| second_factors::of_user(tx, user))?.ok_or(SignInError::Wrong)?;
        let is_used = match Typed::read(code).ok_or(SignInError::Wrong)? {
            Typed::Timed(code) => {
                let secret = self.open(user, factor.sealed.clone()).ok_or(Error::Setting("second factor"));
                let secret = secret.map_err(SignInError::Failed)?;
                let step = timed_code::step_of(&secret, &code, timed_code::step(now), factor.used_step);
                let step = step.ok_or(SignInError::Wrong)?;
                let note = move |tx: &mut Tx<'_>| second_factors::use_step(tx, user, &factor.sealed, step);
                database.transact("use a code", note).await?
            }
            Typed::Recovery(code) => {
                let digest = recovery_digest(user, &code);
                let use_up = move |tx: &mut Tx<'_>| second_factors::use_recovery_code(tx, user, &digest);
                database.transact("use a recovery code", use_up).await?
            }
        };
        if !is_used {
            return Err(SignInError::Wrong);
        }
        database.transact("forgive", move |tx| forgive(tx, &keys.map(|(key, ..)| key))).await?;
        Ok(())
    }

    async fn finish(&self, begun: &str, user: UserId) -> Result<Proven, SignInError> {
        let digest = sha256(begun);
        let end = move |tx: &mut Tx<'_>| second_factors::end_begun(tx, &digest);
        let is_first = self.identity.database.transact("finish sign-in", end).await?;
        if is_first { Ok(Proven { user, has_shown_code: true }) } else { Err(SignInError::Wrong) }
    }

    fn recovery_codes(&self, user: UserId) -> (Vec<Secret>, Vec<Sha256>) {
        (0..RECOVERY_CODES).map(|_| self.recovery_code(user)).unzip()
    }

    /// A code as it is shown, in four groups, and its digest.
    fn recovery_code(&self, user: UserId) -> (Secret, Sha256) {
        let drawn = Zeroizing::new(self.identity.world.random().bytes::<RECOVERY_LETTERS>());
        let mut code = Zeroizing::new(String::with_capacity(RECOVERY_LETTERS));
        let mut shown = String::with_capacity(RECOVERY_LETTERS + 3);
        for (index, byte) in drawn.iter().enumerate() {
            // 32 divides 256: each letter is as likely as another.
            let letter = ALPHABET.get(usize::from(byte % 32)).copied().map_or('A', char::from);
            if index > 0 && index % 4 == 0 {
                shown.push('-');
            }
            code.push(letter);
            shown.push(letter);
        }
        (Secret::kept(shown), recovery_digest(user, &code))
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Bound to the user, so that one's secret cannot be put in another's place.
    fn seal(&self, user: UserId, secret: &[u8]) -> Result<Vec<u8>, Error> {
        self.seal_for(&user.number().to_be_bytes(), secret)
    }

    /// Bound to what it is for: a version of one byte, the nonce, what is sealed, its tag.
    pub(crate) fn seal_for(&self, bound: &[u8], secret: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = self.identity.world.random().bytes::<NONCE_LEN>();
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + secret.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(secret);
        let text = sealed.get_mut(1 + NONCE_LEN..).ok_or(Error::Setting(SETTING))?;
        let bound = Aad::from(bound);
        let tag = self.key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), bound, text);
        // A secret is far shorter than what the cipher can seal at once.
        let tag = tag.map_err(|_| Error::Setting(SETTING))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    fn open(&self, user: UserId, sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        self.open_for(&user.number().to_be_bytes(), sealed)
    }

    /// What was sealed for that; `None` when nothing was, or not for that.
    pub(crate) fn open_for(&self, bound: &[u8], mut sealed: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
        let (version, rest) = sealed.split_first_mut()?;
        let (nonce, rest) = rest.split_at_mut_checked(NONCE_LEN)?;
        if *version != VERSION {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key.open_in_place(nonce, Aad::from(bound), rest).ok()?;
        let secret = Zeroizing::new(text.to_vec());
        text.fill(0);
        Some(secret)
    }
}

impl Identity {
    /// How it stands with a user's second factor.
    pub fn second_factor(&self, user: UserId) -> Result<FactorState, Error> {
        let read = |tx: &mut Tx<'_>| {
            let recovery_codes = match second_factors::of_user(tx, user)? {
                Some(_) => Some(u32::try_from(second_factors::recovery_codes_left(tx, user)?).unwrap_or(0)),
                None => None,
            };
            let is_required = second_factors::is_required_of(tx, user)?;
            Ok::<_, entente_database::Error>(FactorState { recovery_codes, is_required })
        };
        Ok(self.database.read(read)?)
    }

    /// Lets a browser in which somebody has shown their password wait ten minutes for a code: the cookie by which it is
    /// known. Durable when this returns.
    pub async fn begin_sign_in(&self, proven: &Proven) -> Result<Secret, Error> {
        let cookie = Secret::random(self.world.random());
        let (digest, user) = (cookie.sha256(), proven.user);
        let begun = BegunSignIn { user, expires_at: self.world.now().after(BEGUN_FOR) };
        self.database
            .transact("begin sign-in", move |tx| {
                second_factors::end_begun_beyond(tx, user, BEGUN_MAX)?;
                second_factors::begin(tx, &digest, &begun)
            })
            .await?;
        Ok(cookie)
    }

    /// Who has shown their password in the browser with that cookie, and no code yet. `None` when it took too long, the
    /// user is not active, or nobody has.
    pub fn begun_sign_in(&self, cookie: &str) -> Result<Option<UserId>, Error> {
        if !is_well_formed(cookie) {
            return Ok(None);
        }
        let digest = sha256(cookie);
        let begun = self.database.read(|tx| second_factors::begun(tx, &digest))?;
        Ok(begun.filter(|begun| begun.expires_at > self.world.now()).map(|begun| begun.user))
    }

    /// Takes the second factor of somebody away who lost it, with their recovery codes and passkeys. `false` when there is none. Where
    /// the enterprise requires one, their next sign-in leads to another.
    pub async fn reset_second_factor(&self, user: UserId) -> Result<bool, Error> {
        let reset = move |tx: &mut Tx<'_>| {
            let had_keys = passkeys::remove_of_user(tx, user)?;
            Ok::<_, entente_database::Error>(second_factors::remove(tx, user)? || had_keys)
        };
        Ok(self.database.transact("reset second factor", reset).await?)
    }

    /// Requires a second factor of everybody of an enterprise, from their next sign-in on.
    pub async fn require_second_factor(&self, enterprise: EnterpriseId) -> Result<(), Error> {
        let require = move |tx: &mut Tx<'_>| second_factors::require(tx, enterprise);
        Ok(self.database.transact("require second factor", require).await?)
    }

    /// Leaves it to the people of an enterprise whether they have one.
    pub async fn waive_second_factor(&self, enterprise: EnterpriseId) -> Result<(), Error> {
        let waive = move |tx: &mut Tx<'_>| second_factors::waive(tx, enterprise);
        Ok(self.database.transact("waive second factor", waive).await?)
    }

    /// Whether everybody of an enterprise must have one.
    pub fn is_second_factor_required(&self, enterprise: EnterpriseId) -> Result<bool, Error> {
        Ok(self.database.read(|tx| second_factors::is_required(tx, enterprise))?)
    }
}

/// A code has as many bits as a key: it needs no salt against guessing, and is bound to its user.
fn recovery_digest(user: UserId, code: &str) -> Sha256 {
    sha256(&format!("recovery\n{user}\n{code}"))
}

/// The code that a device shows for a secret at this moment: what tests and programs without a device have.
#[must_use]
pub fn timed_code(world: &World, secret: &str) -> Option<String> {
    timed_code::at_step(&timed_code::read(secret)?, timed_code::step(world.now()))
}

#[cfg(test)]
mod tests;
