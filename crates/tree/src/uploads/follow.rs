//! The digest of a whole upload, taken while its parts arrive.
//!
//! A commit has to compare the SHA-1 of the whole, and only reading it from its first byte on gives it. So that the
//! commit of a hundred gigabytes does not read them all while its client waits, followers read the parts back as they
//! arrive: each part that is acknowledged wakes one, and it hashes, part by part, what continues the part of the session
//! that it has hashed before. The commit takes over how far it has come and hashes the rest.
//!
//! What is remembered is in this process's memory alone, and nothing depends on it: after a restart, on another node, or
//! when a session was pushed out by others, a commit hashes from the start and comes to the same result. With the digest
//! goes a fingerprint of the parts that it was taken of. A commit uses it only if its own parts begin with just those.

use super::read_back;
use crate::limits::{FOLLOWED_SESSIONS_MAX, FOLLOWERS_MAX};
use crate::{Error, Part, Session, Tree};
use aws_lc_rs::digest;
use bytes::Bytes;
use entente_database::{Tx, uploads};
use entente_model::{Sha1, UploadSessionId};
use entente_vault::Located;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// What is hashed in one go: as many pieces as the vault opens at a time.
const PIECES: usize = 4;

/// A digest of a session's first parts.
#[derive(Clone)]
struct Prefix {
    chunks: u32,
    sha1: digest::Context,
    /// Of what tells these parts from any others.
    parts: digest::Context,
}

impl Default for Prefix {
    fn default() -> Self {
        Self {
            chunks: 0,
            sha1: digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            parts: digest::Context::new(&digest::SHA256),
        }
    }
}

impl Prefix {
    /// Goes on by a part, with the digest that it leads to.
    fn add(&mut self, part: &Part, sha1: digest::Context) {
        self.chunks = self.chunks.saturating_add(1);
        self.sha1 = sha1;
        tell(&mut self.parts, part);
    }

    /// Whether it is the digest of exactly the first of these parts.
    fn begins(&self, parts: &[Part]) -> bool {
        let Some(first) = usize::try_from(self.chunks).ok().and_then(|chunks| parts.get(..chunks)) else {
            return false;
        };
        let mut told = digest::Context::new(&digest::SHA256);
        first.iter().for_each(|part| tell(&mut told, part));
        told.finish().as_ref() == self.parts.clone().finish().as_ref()
    }
}

/// The checksum is of the sealed bytes. They stay the same when they move to another segment, so where they are is left
/// out.
fn tell(told: &mut digest::Context, part: &Part) {
    told.update(&u64::try_from(part.id.len()).unwrap_or(u64::MAX).to_be_bytes());
    told.update(part.id.as_bytes());
    told.update(&part.place.chunk.to_be_bytes());
    told.update(&part.size.to_be_bytes());
    told.update(&part.sha1.0);
    told.update(&part.place.checksum.0);
}

/// How far the digests of this process's sessions have come.
#[derive(Default)]
pub(crate) struct Followed(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sessions: BTreeMap<UploadSessionId, Slot>,
    /// Sessions that may go on: each is among `sessions`, at rest, and here once.
    waiting: VecDeque<UploadSessionId>,
    followers: usize,
    /// Goes up with each use.
    uses: u64,
}

struct Slot {
    used: u64,
    state: State,
}

enum State {
    Resting(Prefix),
    Taken {
        /// By which turn.
        turn: u64,
        /// Where whoever takes the slot over hears how far that turn came.
        back: oneshot::Receiver<Prefix>,
        /// A part has arrived meanwhile.
        again: bool,
    },
}

impl Kept {
    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    fn forget(&mut self, session: UploadSessionId) {
        self.sessions.remove(&session);
        self.waiting.retain(|waiting| *waiting != session);
    }

    fn wait(&mut self, session: UploadSessionId) {
        if !self.waiting.contains(&session) {
            self.waiting.push_back(session);
        }
    }

    fn keep_few(&mut self) {
        while self.sessions.len() > FOLLOWED_SESSIONS_MAX {
            let oldest = self.sessions.iter().min_by_key(|(_, slot)| slot.used).map(|(session, _)| *session);
            let Some(oldest) = oldest else { return };
            self.forget(oldest);
        }
    }
}

impl Followed {
    /// Nothing is done under the lock that could panic half way, so a poisoned lock guards a whole state.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a part has arrived. `true` when another follower is to be started.
    fn arrived(&self, session: UploadSessionId) -> bool {
        let mut kept = self.kept();
        let used = kept.next_use();
        let slot = kept.sessions.entry(session).or_insert(Slot { used, state: State::Resting(Prefix::default()) });
        slot.used = used;
        match &mut slot.state {
            // Whoever has it may have looked for this part before it was there.
            State::Taken { again, .. } => *again = true,
            State::Resting(_) => kept.wait(session),
        }
        kept.keep_few();
        let start = kept.followers < FOLLOWERS_MAX && !kept.waiting.is_empty();
        if start {
            kept.followers += 1;
        }
        start
    }

    /// The next session's turn, for a follower. `None`: nothing is left to do, and the follower counts as gone.
    fn next(self: &Arc<Self>) -> Option<Turn> {
        let mut kept = self.kept();
        while let Some(session) = kept.waiting.pop_front() {
            let number = kept.next_use();
            let (heir, back) = oneshot::channel();
            if let Some(slot) = kept.sessions.get_mut(&session)
                && let State::Resting(prefix) = &mut slot.state
            {
                let prefix = std::mem::take(prefix);
                slot.state = State::Taken { turn: number, back, again: false };
                return Some(Turn {
                    followed: Arc::clone(self),
                    session,
                    number,
                    prefix,
                    more: false,
                    heir: Some(heir),
                });
            }
        }
        kept.followers = kept.followers.saturating_sub(1);
        None
    }

    /// A session's turn, for its commit. Waits until whoever has it has finished what it is at: a follower, a part.
    async fn take(self: &Arc<Self>, session: UploadSessionId) -> Turn {
        let (mut turn, before) = self.take_over(session);
        if let Some(State::Taken { back, .. }) = before {
            // An error means that it went away with what it had.
            turn.prefix = back.await.unwrap_or_default();
        } else if let Some(State::Resting(prefix)) = before {
            turn.prefix = prefix;
        }
        turn
    }

    fn take_over(self: &Arc<Self>, session: UploadSessionId) -> (Turn, Option<State>) {
        let mut kept = self.kept();
        let number = kept.next_use();
        let (heir, back) = oneshot::channel();
        kept.waiting.retain(|waiting| *waiting != session);
        let slot = Slot { used: number, state: State::Taken { turn: number, back, again: false } };
        let before = kept.sessions.insert(session, slot).map(|slot| slot.state);
        kept.keep_few();
        let prefix = Prefix::default();
        let turn = Turn { followed: Arc::clone(self), session, number, prefix, more: false, heir: Some(heir) };
        (turn, before)
    }

    /// Forgets a session: it has ended.
    pub(super) fn forget(&self, session: UploadSessionId) {
        self.kept().forget(session);
    }
}

/// The right to go on with a session's digest. Dropping it, at any time, hands back how far it came.
struct Turn {
    followed: Arc<Followed>,
    session: UploadSessionId,
    number: u64,
    prefix: Prefix,
    /// Whether there may be more to do at once.
    more: bool,
    heir: Option<oneshot::Sender<Prefix>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        let prefix = std::mem::take(&mut self.prefix);
        let mut kept = self.followed.kept();
        if let Some(slot) = kept.sessions.get_mut(&self.session)
            && let State::Taken { turn, again, .. } = slot.state
            && turn == self.number
        {
            slot.state = State::Resting(prefix);
            if again || self.more {
                kept.wait(self.session);
            }
        } else if let Some(heir) = self.heir.take() {
            // Nobody may be waiting: then the session was forgotten, and this with it.
            let _ = heir.send(prefix);
        }
    }
}

impl Tree {
    /// Has a session followed, now that another of its parts is durable.
    pub(super) fn follow(&self, session: UploadSessionId) {
        if self.followed.arrived(session) {
            let tree = self.clone();
            self.world.spawn(async move {
                // A part of one session, then of the next: none waits for another's end.
                while let Some(turn) = tree.followed.next() {
                    tree.follow_part(turn).await;
                }
            });
        }
    }

    /// Hashes the session's next part, if it is there.
    async fn follow_part(&self, mut turn: Turn) {
        let (session, chunk, now) = (turn.session, turn.prefix.chunks, self.world.now());
        let next = self.database.read(|tx| {
            let found = uploads::by_id(tx, session)?;
            let Some(found) = found.filter(|found| found.committed.is_none() && found.expires_at >= now) else {
                return Ok(None);
            };
            Ok::<_, Error>(Some((next_part(tx, session, chunk)?, found)))
        });
        match next {
            Ok(Some((Some((part, located)), session))) => {
                // What cannot be read now is read by the commit, which says so, or after the next part.
                turn.more = self.hash_part(&session, &part, located, &mut turn.prefix).await.is_ok();
            }
            Ok(Some((None, _))) | Err(_) => {}
            Ok(None) => self.followed.forget(session),
        }
    }

    /// The SHA-1 of the parts of a session, all of which are given. What was hashed before is not read again.
    ///
    /// Dropping the future loses no whole part that was hashed.
    pub(super) async fn digest(&self, session: &Session, parts: &[Part], located: Vec<Located>) -> Result<Sha1, Error> {
        let mut turn = self.followed.take(session.id).await;
        if !turn.prefix.begins(parts) {
            turn.prefix = Prefix::default();
        }
        if parts.len() != located.len() {
            return Err(Error::internal("a part has no segment"));
        }
        let hashed = usize::try_from(turn.prefix.chunks).unwrap_or(usize::MAX);
        for (part, located) in parts.iter().zip(located).skip(hashed) {
            self.hash_part(session, part, located, &mut turn.prefix).await?;
        }
        sha1(turn.prefix.sha1.clone())
    }

    /// Reads a part back and goes on by it, or changes nothing.
    async fn hash_part(
        &self,
        session: &Session,
        part: &Part,
        located: Located,
        prefix: &mut Prefix,
    ) -> Result<(), Error> {
        if located.place != part.place {
            return Err(Error::internal("a part is in another place"));
        }
        let from = u64::from(part.place.chunk).saturating_mul(session.part_size);
        let to = from.saturating_add(part.size);
        let mut reading = self.vault.read(read_back(session, &[], None), vec![located], from..to);
        let mut sha1 = prefix.sha1.clone();
        loop {
            let mut pieces: Vec<Bytes> = Vec::with_capacity(PIECES);
            while pieces.len() < PIECES
                && let Some(bytes) = reading.next().await?
            {
                pieces.push(bytes);
            }
            if pieces.is_empty() {
                break;
            }
            let hash = move || {
                pieces.iter().for_each(|bytes| sha1.update(bytes));
                sha1
            };
            sha1 = self.world.blocking(hash).await?;
        }
        prefix.add(part, sha1);
        Ok(())
    }
}

fn next_part(tx: &mut Tx<'_>, session: UploadSessionId, chunk: u32) -> Result<Option<(Part, Located)>, Error> {
    let part = uploads::part(tx, session, chunk)?;
    let located = uploads::located(tx, session, chunk, 1)?.into_iter().next();
    Ok(part.zip(located))
}

fn sha1(sha1: digest::Context) -> Result<Sha1, Error> {
    Sha1::from_slice(sha1.finish().as_ref()).ok_or(Error::internal("SHA-1 is twenty bytes"))
}

#[cfg(test)]
mod tests;
