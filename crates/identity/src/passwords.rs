//! Passwords that people sign in with: Argon2id, slow on purpose, and slower still for whoever guesses.
//!
//! A guess is counted before it is looked at, so that many at once win nothing. A login that nobody has costs as much
//! time as one that somebody has, and gets the same words.

use crate::secret::sha256;
use crate::users::told;
use crate::{Error, Identity};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64_NOPAD;
use entente_database::events::{self, EventKind, NewOtherEvent};
use entente_database::passwords::{self, Failures};
use entente_database::users::{self, User, UserKind, UserStatus};
use entente_database::{Tx, password_links, second_factors, web_sessions};
use entente_model::{EnterpriseId, EventId, Sha256, Timestamp, UserId, WebSessionId, fold};
use entente_world::World;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Characters of a password, at least.
pub const PASSWORD_LETTERS_MIN: u32 = 8;
/// Characters of a password.
const LETTERS: std::ops::RangeInclusive<usize> = PASSWORD_LETTERS_MIN as usize..=256;
/// Longer texts are not looked at.
const BYTES_MAX: usize = 1_024;
/// Passwords that everybody tries first.
const COMMON: &str = include_str!("common_passwords.txt");
/// KiB of memory, passes over it, and lanes of one hash (OWASP's first choice for Argon2id).
const COST: Cost = Cost { memory_kib: 19 * 1_024, passes: 2, lanes: 1 };
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;
/// Hashes at once, so that sign-ins do not take the machine from everybody else.
static SLOTS: Semaphore = Semaphore::const_new(2);
/// Sign-ins that may wait for a slot. Each takes some tens of milliseconds.
static QUEUE: Semaphore = Semaphore::const_new(64);
/// Failures with one login that cost nothing: people mistype.
const LOGIN_FREE: u32 = 5;
/// What a failure with one login costs at most: long enough against guessing, and short enough that nobody can shut somebody
/// else out for long.
const LOGIN_PAUSE_MAX: Duration = Duration::from_secs(60);
/// Failures from one network that cost nothing: a whole office may be behind one address.
const NETWORK_FREE: u32 = 50;
const NETWORK_PAUSE_MAX: Duration = Duration::from_secs(15 * 60);
/// After so long without a failure, all is forgiven.
const FORGIVEN: Duration = Duration::from_secs(24 * 60 * 60);
/// Web sessions that a change of the password ends.
const ENDED_MAX: u32 = 1_000;

/// A password, as somebody typed it. Neither printed nor copied; wiped when dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// What was typed. Whether it is good enough is seen when it is set.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

/// Why a text cannot become somebody's password. Not to be retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// It has too few or too many characters.
    #[error("a password has {} to {} characters", LETTERS.start(), LETTERS.end())]
    Length,
    /// It is the login, or the part of it before the at sign.
    #[error("a password must not be the login")]
    IsLogin,
    /// It is one that everybody tries first.
    #[error("this password is one of the most common ones; choose another")]
    Common,
    /// The user is not somebody who signs in.
    #[error("apps' own users do not sign in with a password")]
    Kind,
}

/// Somebody who has shown their password, and perhaps a code besides.
#[derive(Debug)]
pub struct Proven {
    pub(crate) user: UserId,
    pub(crate) has_shown_code: bool,
}

impl Proven {
    /// Who.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Login and password do not belong together, or the user may not sign in; nobody learns which.
    #[error("login and password do not belong together")]
    Wrong,
    /// There were too many failures. May be tried again after so many seconds.
    #[error("too many failures; try again in {0} s")]
    Wait(u64),
    /// Too many sign in at this moment. May be retried.
    #[error("too many sign in at this moment; try again")]
    Busy,
    /// The database failed. May be retried.
    #[error("nobody can be signed in now")]
    Failed(#[source] Error),
}

impl From<entente_database::Error> for SignInError {
    fn from(error: entente_database::Error) -> Self {
        Self::Failed(Error::Database(error))
    }
}

impl Identity {
    /// Whether login and password belong together. Durable, as to the counting of failures, when this returns.
    pub async fn prove_password(
        &self,
        login: &str,
        password: &Password,
        address: IpAddr,
    ) -> Result<Proven, SignInError> {
        let login = login.trim();
        let _queued = QUEUE.try_acquire().map_err(|_| SignInError::Busy)?;
        let keys = [(login_key(login), LOGIN_FREE, LOGIN_PAUSE_MAX), network_key(address)];
        let now = self.world.now();
        let waits = self.database.transact("count a sign-in", move |tx| count(tx, &keys, now)).await?;
        if let Some(wait) = waits {
            return Err(SignInError::Wait(wait.as_secs().max(1)));
        }
        let found = self.database.read(|tx| passwords::by_login(tx, login))?;
        let (user, hash) = found.map_or((None, None), |found| (Some(found.user), Some(found.hash)));
        let is_right = self.is_right(password, hash).await.map_err(SignInError::Failed)?;
        let Some(user) = user.filter(|_| is_right) else {
            self.tell_failure(user).await?;
            return Err(SignInError::Wrong);
        };
        self.database.transact("forgive", move |tx| forgive(tx, &keys.map(|(key, ..)| key))).await?;
        Ok(Proven { user, has_shown_code: false })
    }

    /// Records that somebody did not know a user's password. Of a login that nobody has, too, as nobody's and shown to
    /// nobody: so it takes as long.
    async fn tell_failure(&self, user: Option<UserId>) -> Result<(), entente_database::Error> {
        let (id, at) = (EventId::new(self.world.next_id()), self.world.now());
        let (user, nobody) = (user.unwrap_or(UserId::new(0)), UserId::new(0));
        let record = move |tx: &mut Tx<'_>| match users::by_id(tx, user)? {
            Some(user) => events::record_other(tx, &told(id, EventKind::SignInFailed, &user, user.id, at)),
            None => {
                let (enterprise, kind) = (EnterpriseId::new(0), EventKind::SignInFailed);
                let event = NewOtherEvent { id, enterprise, user: nobody, kind, subject: 0, name: "", other: None, at };
                events::record_other(tx, &event)
            }
        };
        self.database.transact("record a failed sign-in", record).await
    }

    /// Sets the password of an active person, whatever it was, and ends their web sessions but `kept`. Durable when this
    /// returns. `UnknownUser` when there is no such user; `Password` when the password is not fit for them.
    pub async fn set_password(
        &self,
        user: UserId,
        password: &Password,
        kept: Option<WebSessionId>,
    ) -> Result<(), Error> {
        let found = self.database.read(|tx| users::by_id(tx, user))?;
        let found = found.filter(|found| found.status != UserStatus::Inactive);
        let found = found.ok_or_else(|| Error::UnknownUser(user.to_string()))?;
        if !matches!(found.kind, UserKind::Person | UserKind::External) {
            return Err(PasswordError::Kind.into());
        }
        check(&password.0, &found.login)?;
        let hash = self.hash(password).await?;
        let (at, kept) = (self.world.now(), kept.unwrap_or(WebSessionId::new(0)));
        self.database.transact("set password", move |tx| put(tx, &found, &hash, kept, at)).await?;
        Ok(())
    }

    /// The same for somebody who shows the old password first, and whose session is kept. Failures count as those of a
    /// sign-in.
    pub async fn change_password(
        &self,
        session: (UserId, WebSessionId),
        old: &Password,
        new: &Password,
        address: IpAddr,
    ) -> Result<(), ChangePasswordError> {
        let (user, kept) = session;
        let found = self.database.read(|tx| users::by_id(tx, user))?;
        let found = found.ok_or(SignInError::Wrong)?;
        // Before the old one is looked at: nobody is to lose a guess over a new one that is too short.
        check(&new.0, &found.login)?;
        self.prove_password(&found.login, old, address).await?;
        Ok(self.set_password(user, new, Some(kept)).await?)
    }

    async fn hash(&self, password: &Password) -> Result<String, Error> {
        let salt = self.world.random().bytes::<SALT_BYTES>();
        let text = password.0.clone();
        let hash = slowly(&self.world, move || digest(&COST, &text, &salt)).await?;
        Ok(COST.shown(&salt, &hash))
    }

    /// Whether a password has that hash. Without a hash it takes as long, and the answer is no.
    async fn is_right(&self, password: &Password, hash: Option<String>) -> Result<bool, Error> {
        if password.0.len() > BYTES_MAX {
            return Ok(false);
        }
        let (known, stored) = match hash {
            Some(hash) => (true, Stored::parse(&hash).ok_or(Error::Setting("password"))?),
            None => (false, Stored { cost: COST, salt: vec![0; SALT_BYTES], hash: vec![0; HASH_BYTES] }),
        };
        let text = password.0.clone();
        let (cost, salt) = (stored.cost, stored.salt);
        let hash = slowly(&self.world, move || digest(&cost, &text, &salt)).await?;
        Ok(verify_slices_are_equal(&hash, &stored.hash).is_ok() && known)
    }
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The old one was not shown.
    #[error(transparent)]
    Old(#[from] SignInError),
    /// The new one is not fit.
    #[error(transparent)]
    New(#[from] PasswordError),
    /// It could not be set.
    #[error(transparent)]
    Failed(Error),
}

impl From<Error> for ChangePasswordError {
    fn from(error: Error) -> Self {
        match error {
            Error::Password(error) => Self::New(error),
            other => Self::Failed(other),
        }
    }
}

impl From<entente_database::Error> for ChangePasswordError {
    fn from(error: entente_database::Error) -> Self {
        Self::Failed(Error::Database(error))
    }
}

fn check(password: &str, login: &str) -> Result<(), PasswordError> {
    if password.len() > BYTES_MAX || !LETTERS.contains(&password.chars().count()) {
        return Err(PasswordError::Length);
    }
    let (password, login) = (fold(password), fold(login));
    if password == login || login.split('@').next() == Some(password.as_str()) {
        return Err(PasswordError::IsLogin);
    }
    if COMMON.lines().any(|common| common == password) {
        return Err(PasswordError::Common);
    }
    Ok(())
}

/// What failures are counted of, how many cost nothing, and what one costs at most.
pub(crate) type Key = (Sha256, u32, Duration);

/// Counts a failure of each key, as if this were one already; or says how long to wait, and counts nothing.
pub(crate) fn count(
    tx: &mut Tx<'_>,
    keys: &[Key],
    now: Timestamp,
) -> Result<Option<Duration>, entente_database::Error> {
    let mut found = Vec::with_capacity(keys.len());
    for (key, free, most) in keys {
        let failures = passwords::failures(tx, key)?.filter(|failures| now < failures.last_at.after(FORGIVEN));
        let count = failures.map_or(0, |failures| failures.count);
        let until = failures.map_or(now, |failures| failures.last_at.after(pause(count, *free, *most)));
        if until > now {
            let millis = u64::try_from(until.millis() - now.millis()).unwrap_or(0);
            return Ok(Some(Duration::from_millis(millis)));
        }
        found.push((key, count.saturating_add(1)));
    }
    for (key, count) in found {
        passwords::set_failures(tx, key, Failures { count, last_at: now })?;
    }
    Ok(None)
}

/// It was none: the login is forgiven all, and the network this one. Whoever has a login of their own does not get free
/// guesses at others.
pub(crate) fn forgive(tx: &mut Tx<'_>, [login, network]: &[Sha256; 2]) -> Result<(), entente_database::Error> {
    passwords::forgive(tx, login)?;
    match passwords::failures(tx, network)? {
        Some(failures) if failures.count > 1 => {
            passwords::set_failures(tx, network, Failures { count: failures.count - 1, ..failures })
        }
        _ => passwords::forgive(tx, network),
    }
}

pub(crate) fn network_key(address: IpAddr) -> Key {
    (sha256(&format!("network\n{}", network(address))), NETWORK_FREE, NETWORK_PAUSE_MAX)
}

fn login_key(login: &str) -> Sha256 {
    sha256(&format!("login\n{}", fold(login.trim())))
}

/// How long nothing is looked at after that many failures.
fn pause(count: u32, free: u32, most: Duration) -> Duration {
    match count.checked_sub(free) {
        None | Some(0) => Duration::ZERO,
        Some(doublings) => Duration::from_secs(1 << (doublings - 1).min(20)).min(most),
    }
}

/// The address, as far as somebody cannot choose it: who has one of IPv6 has the 64 bits behind the network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address @ IpAddr::V4(_) => address,
    }
}

/// Runs a hash off the async threads, few at once.
async fn slowly(world: &World, work: impl FnOnce() -> Option<Vec<u8>> + Send + 'static) -> Result<Vec<u8>, Error> {
    let permit = SLOTS.acquire().await.map_err(|_| Error::Interrupted)?;
    let done = world.blocking(work).await;
    drop(permit);
    done.ok().flatten().ok_or(Error::Interrupted)
}

/// What a hash costs whoever makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// The usual text form of such hashes, so that a later release may raise the cost and still knows older ones.
    fn shown(&self, salt: &[u8], hash: &[u8]) -> String {
        let Self { memory_kib, passes, lanes } = self;
        let (salt, hash) = (BASE64_NOPAD.encode(salt), BASE64_NOPAD.encode(hash));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }
}

/// A hash as it is stored.
struct Stored {
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut numbers =
            costs.split(',').zip(["m=", "t=", "p="]).map(|(part, name)| part.strip_prefix(name)?.parse().ok());
        let cost = Cost { memory_kib: numbers.next()??, passes: numbers.next()??, lanes: numbers.next()?? };
        let decode = |text: &str| BASE64_NOPAD.decode(text.as_bytes()).ok();
        Some(Self { cost, salt: decode(salt)?, hash: decode(hash)? })
    }
}

/// `None` only for costs that cannot be paid.
fn digest(cost: &Cost, password: &str, salt: &[u8]) -> Option<Vec<u8>> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None).ok()?;
    let mut hash = vec![0; HASH_BYTES];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon.hash_password_into(password.as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

pub(crate) mod first;
pub(crate) mod links;
/// Stores a password, and ends what somebody else may have begun with another one.
fn put(
    tx: &mut Tx<'_>,
    user: &User,
    hash: &str,
    kept: WebSessionId,
    at: Timestamp,
) -> Result<(), entente_database::Error> {
    passwords::set(tx, user.id, hash, at)?;
    passwords::forgive(tx, &login_key(&user.login))?;
    password_links::remove(tx, user.id)?;
    web_sessions::end_others(tx, user.id, kept, ENDED_MAX)?;
    second_factors::end_begun_of(tx, user.id, ENDED_MAX)?;
    Ok(())
}

#[cfg(test)]
mod tests;
