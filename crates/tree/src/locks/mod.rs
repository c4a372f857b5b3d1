//! Locks: what a client holds on an item for a while, so that others that ask for locks too leave it alone.
//!
//! A lock is held by whoever knows its token, on behalf of the user that asked for it. It protects among those doors
//! whose clients name tokens; to the others it is advice that they cannot see, since their clients have no way to show
//! that they hold one. What is in the trash has no lock: the door that trashes or moves an item releases what was held
//! on it, and on what is below it.

mod check;
mod make;

pub use check::Touch;
pub use entente_database::locks::{Lock, LockDepth, Sharing};

use crate::grant::{Grant, See, Upload};
use crate::limits::{BATCH_ROWS_MAX, LOCK_ABOUT_BYTES_MAX, LOCK_TIMEOUT_MAX, LOCKS_COVERING_MAX, LOCKS_MAX};
use crate::{Caller, Error, Kind, Top, Tree, allow};
use entente_database::items::{self, ANCESTORS_MAX};
use entente_database::{Tx, locks};
use entente_model::{ItemId, ItemName, Timestamp, UserId};
use entente_world::Random;
use std::collections::HashMap;
use std::time::Duration;

/// A lock that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLock {
    /// Whether others may hold one beside it.
    pub sharing: Sharing,
    /// How far below the item it reaches. Of a file, no further than the file.
    pub depth: LockDepth,
    /// What the client says of its holder, at most `limits::LOCK_ABOUT_BYTES_MAX` bytes.
    pub about: String,
    /// How long it is to live; `limits::LOCK_TIMEOUT_MAX` if more.
    pub timeout: Duration,
}

/// What became of the wish for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locking {
    /// It is held from now on.
    Granted(Lock),
    /// These are in its way: one that excludes it, or as many as may cover one item.
    Held(Vec<Lock>),
}

const ABOUT_TOO_LONG: Error = Error::Invalid("what is said of the lock's holder is too long");
const TOO_MANY: Error = Error::Invalid("there are too many locks; release some");

impl NewLock {
    fn check(&self) -> Result<(), Error> {
        if self.about.len() > LOCK_ABOUT_BYTES_MAX { Err(ABOUT_TOO_LONG) } else { Ok(()) }
    }
}

impl Tree {
    /// Locks an item that the caller may upload to, which a root is too.
    ///
    /// `NotFound`, `Trashed` and `Forbidden` speak of the item. `Invalid` when what is said of the holder is too long, or
    /// there are `limits::LOCKS_MAX` locks already.
    pub async fn lock(&self, caller: &Caller, item: ItemId, new: NewLock) -> Result<Locking, Error> {
        new.check()?;
        let (caller, now, token) = (caller.clone(), self.world.now(), token(self.world.random()));
        self.database
            .transact("lock item", move |tx| {
                let grant = allow::<Upload>(tx, &caller, item)?;
                locks::remove_expired(tx, grant.owner(), now, BATCH_ROWS_MAX)?;
                let others = in_the_way(tx, &grant, &new, now)?;
                if !others.is_empty() {
                    return Ok(Locking::Held(others));
                }
                Ok(Locking::Granted(hold(tx, (caller.user, &grant), &new, (&token, now))?))
            })
            .await
    }

    /// Lets a lock that covers the item live on, from now: the first of these tokens that names one that the caller
    /// holds. `None` when none does. For another timeout, if one is given; `limits::LOCK_TIMEOUT_MAX` if more.
    pub async fn refresh_lock(
        &self,
        caller: &Caller,
        item: ItemId,
        tokens: &[String],
        timeout: Option<Duration>,
    ) -> Result<Option<Lock>, Error> {
        let (caller, now, tokens) = (caller.clone(), self.world.now(), tokens.to_vec());
        self.database
            .transact("refresh lock", move |tx| {
                let grant = allow::<Upload>(tx, &caller, item)?;
                let held = covering(tx, &grant, now)?;
                let held = held.into_iter().find(|lock| lock.user == caller.user && tokens.contains(&lock.token));
                let Some(mut lock) = held else { return Ok(None) };
                lock.timeout = timeout.unwrap_or(lock.timeout).min(LOCK_TIMEOUT_MAX);
                lock.expires_at = now.after(lock.timeout);
                locks::extend(tx, &lock.token, lock.timeout, lock.expires_at)?;
                Ok(Some(lock))
            })
            .await
    }

    /// Releases the lock with that token. `false` when there is none that covers the item and that the caller holds.
    pub async fn unlock(&self, caller: &Caller, item: ItemId, token: &str) -> Result<bool, Error> {
        let (caller, now, token) = (caller.clone(), self.world.now(), token.to_owned());
        self.database
            .transact("unlock item", move |tx| {
                let grant = allow::<Upload>(tx, &caller, item)?;
                let held = covering(tx, &grant, now)?;
                if !held.iter().any(|lock| lock.user == caller.user && lock.token == token) {
                    return Ok(false);
                }
                locks::remove(tx, &token)?;
                Ok(true)
            })
            .await
    }

    /// Releases every lock of an item and of what is below it, wherever the item is, if it is the caller's or one that the
    /// caller may upload to, or might were it not in the trash. Else nothing. A few lookups when nothing is locked.
    pub async fn release_locks(&self, caller: &Caller, item: ItemId) -> Result<(), Error> {
        let now = self.world.now();
        if self.database.read(|tx| releasable(tx, caller, item, now))?.is_none() {
            return Ok(());
        }
        let caller = caller.clone();
        self.database
            .transact("release locks", move |tx| {
                let Some(owner) = releasable(tx, &caller, item, now)? else { return Ok(()) };
                for lock in locks::below(tx, item, owner, now, ANCESTORS_MAX)? {
                    locks::remove(tx, &lock.token)?;
                }
                for lock in locks::of_item(tx, item, now)? {
                    if lock.owner == owner {
                        locks::remove(tx, &lock.token)?;
                    }
                }
                Ok(())
            })
            .await
    }

    /// Whether anything at all below the caller's root is locked. One lookup, inline.
    pub fn has_locks(&self, caller: &Caller) -> Result<bool, Error> {
        let now = self.world.now();
        self.database.read(|tx| Ok(locks::any(tx, caller.user, now)?))
    }

    /// The locks that cover an item: its own, and those of folders above it that reach so far. A few lookups, inline.
    /// `NotFound` and `Trashed` speak of the item.
    pub fn locks_on(&self, caller: &Caller, item: ItemId) -> Result<Vec<Lock>, Error> {
        let now = self.world.now();
        self.database.read(|tx| {
            let grant = allow::<See>(tx, caller, item)?;
            if locks::any(tx, grant.owner(), now)? { covering(tx, &grant, now) } else { Ok(Vec::new()) }
        })
    }

    /// Every lock on what is below the caller's root.
    pub async fn locks(&self, caller: &Caller) -> Result<Vec<Lock>, Error> {
        let (owner, now) = (caller.user, self.world.now());
        if !self.database.read(|tx| locks::any(tx, owner, now))? {
            return Ok(Vec::new());
        }
        let limit = u32::try_from(LOCKS_MAX).unwrap_or(u32::MAX);
        self.database.read_long(move |tx| Ok(locks::of_owner(tx, owner, now, limit)?)).await
    }

    /// The names that lead to an item from its owner's root, or from where the caller begins to see it, and what it is: so
    /// that a lock can be told by its path. A few lookups, inline.
    pub fn way_to(&self, caller: &Caller, item: ItemId) -> Result<(Vec<ItemName>, Kind), Error> {
        self.database.read(|tx| {
            let grant = allow::<See>(tx, caller, item)?;
            let named = grant.seen_above().iter().filter(|above| above.top == Top::Ordinary);
            let mut names: Vec<ItemName> = named.map(|above| above.name.clone()).collect();
            names.reverse();
            if !grant.above().is_empty() {
                names.push(grant.item().name.clone());
            }
            Ok((names, grant.item().kind))
        })
    }

    /// For how long from now a lock still lives.
    #[must_use]
    pub fn lock_lives_for(&self, lock: &Lock) -> Duration {
        let left = lock.expires_at.millis().saturating_sub(self.world.now().millis());
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }
}

/// Whose locks a caller may release on an item: its owner, if the caller is that, or may upload to the item, or might were
/// it not in the trash. `None` also when nothing of the owner's is locked.
fn releasable(tx: &mut Tx<'_>, caller: &Caller, item: ItemId, now: Timestamp) -> Result<Option<UserId>, Error> {
    let way = items::ancestors(tx, item)?;
    let Some(owner) = way.last().and_then(|top| top.top_user) else { return Ok(None) };
    if !locks::any(tx, owner, now)? {
        return Ok(None);
    }
    if owner == caller.user {
        return Ok(Some(owner));
    }
    match allow::<Upload>(tx, caller, item) {
        Ok(_) | Err(Error::Trashed) => Ok(Some(owner)),
        Err(Error::NotFound | Error::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The locks that cannot stand beside a new one on the item of a grant; none if it may be granted. `Invalid` when there
/// are too many.
fn in_the_way(tx: &mut Tx<'_>, grant: &Grant<Upload>, new: &NewLock, now: Timestamp) -> Result<Vec<Lock>, Error> {
    let (item, owner) = (grant.item(), grant.owner());
    let covering = covering(tx, grant, now)?;
    let mut below = Vec::new();
    if new.depth == LockDepth::Below && item.kind == Kind::Folder {
        below = locks::below(tx, item.id, owner, now, ANCESTORS_MAX)?;
    }
    in_the_way_among(tx, owner, (covering, below), (new, now))
}

/// The same for a lock on a file that is yet to be made in the folder of a grant.
fn in_the_way_in(tx: &mut Tx<'_>, folder: &Grant<Upload>, new: &NewLock, now: Timestamp) -> Result<Vec<Lock>, Error> {
    let mut covering = covering(tx, folder, now)?;
    covering.retain(|lock| lock.depth == LockDepth::Below);
    in_the_way_among(tx, folder.owner(), (covering, Vec::new()), (new, now))
}

/// The same among locks that cover an item, and locks of what is below it.
fn in_the_way_among(
    tx: &mut Tx<'_>,
    owner: UserId,
    (covering, below): (Vec<Lock>, Vec<Lock>),
    (new, now): (&NewLock, Timestamp),
) -> Result<Vec<Lock>, Error> {
    let excluding = excluding(new.sharing, covering.iter().chain(&below));
    if !excluding.is_empty() {
        return Ok(excluding);
    }
    if covering.len() >= LOCKS_COVERING_MAX {
        return Ok(covering);
    }
    if let Some(full) = full_below(tx, &covering, below)? {
        return Ok(full);
    }
    if locks::count(tx, owner, now)? >= LOCKS_MAX { Err(TOO_MANY) } else { Ok(Vec::new()) }
}

/// Stores a lock that nothing is in the way of, from now on.
fn hold(
    tx: &mut Tx<'_>,
    (user, grant): (UserId, &Grant<Upload>),
    new: &NewLock,
    (token, now): (&str, Timestamp),
) -> Result<Lock, Error> {
    let timeout = new.timeout.min(LOCK_TIMEOUT_MAX);
    let lock = Lock {
        token: token.to_owned(),
        item: grant.item().id,
        owner: grant.owner(),
        user,
        sharing: new.sharing,
        depth: new.depth,
        about: new.about.clone(),
        timeout,
        created_at: now,
        expires_at: now.after(timeout),
    };
    locks::insert(tx, &lock)?;
    Ok(lock)
}

/// The locks that cover the item of a grant.
fn covering<A>(tx: &mut Tx<'_>, grant: &Grant<A>, now: Timestamp) -> Result<Vec<Lock>, Error> {
    let mut found = locks::of_item(tx, grant.item().id, now)?;
    for above in grant.above() {
        found.extend(locks::of_item(tx, above.id, now)?.into_iter().filter(|lock| lock.depth == LockDepth::Below));
    }
    Ok(found)
}

/// Those of the locks that cannot stand beside one of that kind.
fn excluding<'l>(sharing: Sharing, found: impl IntoIterator<Item = &'l Lock>) -> Vec<Lock> {
    let excludes = |other: &&Lock| sharing == Sharing::Exclusive || other.sharing == Sharing::Exclusive;
    found.into_iter().filter(excludes).cloned().collect()
}

/// The locks of an item below a folder that is covered by as many as may be: these, and those that cover the folder and
/// reach below it. `None` when one more on the folder is not too much for any.
fn full_below(tx: &mut Tx<'_>, covering: &[Lock], below: Vec<Lock>) -> Result<Option<Vec<Lock>>, Error> {
    let from_above = covering.iter().filter(|lock| lock.depth == LockDepth::Below).count();
    if from_above + below.len() < LOCKS_COVERING_MAX {
        return Ok(None);
    }
    let mut by_item: HashMap<ItemId, Vec<Lock>> = HashMap::new();
    for lock in below {
        by_item.entry(lock.item).or_default().push(lock);
    }
    for (item, own) in &by_item {
        let mut count = from_above + own.len();
        for step in items::ancestors(tx, *item)?.iter().skip(1) {
            let reaching = by_item.get(&step.id).into_iter().flatten();
            count += reaching.filter(|lock| lock.depth == LockDepth::Below).count();
        }
        if count >= LOCKS_COVERING_MAX {
            return Ok(Some(own.clone()));
        }
    }
    Ok(None)
}

/// A random UUID (RFC 9562, version 4).
fn token(random: &Random) -> String {
    use std::fmt::Write;
    let mut bytes = random.bytes::<16>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        // A String takes whatever is written to it.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::token;
    use entente_world::World;

    #[test]
    fn a_token_is_a_random_uuid() {
        let world = World::real();
        let text = token(world.random());
        assert_eq!((text.len(), text.as_bytes()[14], text.matches('-').count()), (36, b'4', 4));
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_ne!(text, token(world.random()));
    }
}
