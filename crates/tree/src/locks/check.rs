//! Whether somebody else's lock is in the way of a change.

use super::{Lock, LockDepth, Sharing};
use crate::{Caller, Error, Tree};
use entente_database::items::{self, ANCESTORS_MAX, Ancestor};
use entente_database::{Tx, locks};
use entente_model::{ItemId, Timestamp, UserId};

/// What a change touches. A change of which children a folder has touches that folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch<'t> {
    /// These items themselves.
    pub items: &'t [ItemId],
    /// Everything below these folders.
    pub below: &'t [ItemId],
}

impl Tree {
    /// A lock that forbids a change to whoever names no more than these tokens; `None` if there is none.
    ///
    /// An exclusive lock asks for its token, named by the user that holds it; several shared ones of an item ask for one
    /// of theirs. A few lookups, inline: when nothing is locked, where each item is, and one for each owner. What it says holds for the moment: a door asks
    /// again at the end of an upload that took long.
    pub fn lock_in_the_way(&self, caller: &Caller, touch: Touch<'_>, tokens: &[String]) -> Result<Option<Lock>, Error> {
        let now = self.world.now();
        self.database.read(|tx| {
            let mut owners = Owners::default();
            for item in touch.items {
                let way = items::ancestors(tx, *item)?;
                if owners.with_locks(tx, &way, now)?.is_none() {
                    continue;
                }
                if let Some(lock) = unmet(caller, tokens, covering(tx, &way, now)?) {
                    return Ok(Some(lock));
                }
            }
            for folder in touch.below {
                let way = items::ancestors(tx, *folder)?;
                let Some(owner) = owners.with_locks(tx, &way, now)? else { continue };
                let mut found = locks::below(tx, *folder, owner, now, ANCESTORS_MAX)?;
                found.sort_by_key(|lock| lock.item);
                for of_item in found.chunk_by(|one, other| one.item == other.item) {
                    if let Some(lock) = unmet(caller, tokens, of_item.to_vec()) {
                        return Ok(Some(lock));
                    }
                }
            }
            Ok(None)
        })
    }
}

/// Whose roots were asked for locks already, and whether there are any.
#[derive(Default)]
struct Owners(Vec<(UserId, bool)>);

impl Owners {
    /// Whose content is at the end of a way, if anything at all of theirs is locked. One lookup for each owner.
    fn with_locks(&mut self, tx: &mut Tx<'_>, way: &[Ancestor], now: Timestamp) -> Result<Option<UserId>, Error> {
        let Some(owner) = way.last().and_then(|top| top.top_user) else { return Ok(None) };
        let known = self.0.iter().find(|(known, _)| *known == owner).map(|(_, any)| *any);
        let any = match known {
            Some(any) => any,
            None => locks::any(tx, owner, now)?,
        };
        if known.is_none() {
            self.0.push((owner, any));
        }
        Ok(Some(owner).filter(|_| any))
    }
}

/// The locks that cover the first item of a way.
fn covering(tx: &mut Tx<'_>, way: &[Ancestor], now: Timestamp) -> Result<Vec<Lock>, Error> {
    let mut found = Vec::new();
    for (steps, step) in way.iter().enumerate() {
        let of_step = locks::of_item(tx, step.id, now)?;
        found.extend(of_step.into_iter().filter(|lock| steps == 0 || lock.depth == LockDepth::Below));
    }
    Ok(found)
}

/// Of the locks that cover one item, one that is in the way.
fn unmet(caller: &Caller, tokens: &[String], found: Vec<Lock>) -> Option<Lock> {
    let held = |lock: &Lock| lock.user == caller.user && tokens.contains(&lock.token);
    let has_a_share = found.iter().any(|lock| lock.sharing == Sharing::Shared && held(lock));
    found.into_iter().find(|lock| match lock.sharing {
        Sharing::Exclusive => !held(lock),
        Sharing::Shared => !has_a_share,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scopes, UserRole};
    use entente_model::EnterpriseId;
    use std::time::Duration;

    fn caller(user: i64) -> Caller {
        let (user, enterprise) = (UserId::new(user), EnterpriseId::new(1));
        Caller {
            user,
            enterprise,
            role: UserRole::User,
            app: None,
            scopes: Scopes::ALL,
            confined: None,
            through: None,
            link: None,
        }
    }

    fn lock(token: &str, user: i64, sharing: Sharing) -> Lock {
        let at = Timestamp::from_millis(0);
        Lock {
            token: token.to_owned(),
            item: ItemId::new(1),
            owner: UserId::new(1),
            user: UserId::new(user),
            sharing,
            depth: LockDepth::Item,
            about: String::new(),
            timeout: Duration::from_secs(1),
            created_at: at,
            expires_at: at,
        }
    }

    fn named(tokens: &[&str]) -> Vec<String> {
        tokens.iter().map(|&token| token.to_owned()).collect()
    }

    #[test]
    fn an_exclusive_lock_asks_its_holder_for_its_token() {
        let found = || vec![lock("a", 1, Sharing::Exclusive)];
        assert!(unmet(&caller(1), &named(&["a"]), found()).is_none());
        assert!(unmet(&caller(1), &named(&["b"]), found()).is_some());
        assert!(unmet(&caller(2), &named(&["a"]), found()).is_some());
        assert!(unmet(&caller(1), &[], Vec::new()).is_none());
    }

    #[test]
    fn one_share_is_enough() {
        let found = || vec![lock("a", 1, Sharing::Shared), lock("b", 2, Sharing::Shared)];
        assert!(unmet(&caller(1), &named(&["a"]), found()).is_none());
        assert!(unmet(&caller(2), &named(&["b"]), found()).is_none());
        assert!(unmet(&caller(2), &named(&["a"]), found()).is_some());
        assert!(unmet(&caller(1), &[], found()).is_some());
    }
}
