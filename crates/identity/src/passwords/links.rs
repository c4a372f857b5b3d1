//! Passwords of shared links. Guesses are counted as those of a sign-in are; a right one is remembered for some minutes, since
//! clients send it with every request.

use super::{BYTES_MAX, COMMON, LETTERS, Password, PasswordError, QUEUE, SignInError, count, forgive, network};
use super::{LOGIN_FREE, LOGIN_PAUSE_MAX, NETWORK_FREE, NETWORK_PAUSE_MAX};
use crate::secret::sha256;
use crate::{Error, Identity};
use entente_database::shared_links::{self, LinkPasswordHash};
use entente_model::{SharedLinkId, Timestamp, fold};
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a password that was right need not be looked at again.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);
/// How many are remembered: some hundred KiB.
const REMEMBERED_MAX: usize = 4_096;

/// Passwords that were right lately, by a keyed hash of the link, of what its password is compared with, and of the password:
/// with another password the link has another one, and what was right for the old one is forgotten by itself.
#[derive(Default)]
pub(crate) struct Shown {
    hasher: RandomState,
    until: Mutex<HashMap<u64, Timestamp>>,
}

impl Shown {
    fn key(&self, link: SharedLinkId, hash: &LinkPasswordHash, password: &Password) -> u64 {
        self.hasher.hash_one((link, hash.as_str(), password.0.as_str()))
    }

    fn is_known(&self, key: u64, now: Timestamp) -> bool {
        let until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        until.get(&key).is_some_and(|until| now < *until)
    }

    fn remember(&self, key: u64, now: Timestamp) {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        if until.len() >= REMEMBERED_MAX {
            until.retain(|_, until| now < *until);
        }
        if until.len() >= REMEMBERED_MAX {
            until.clear();
        }
        until.insert(key, now.after(REMEMBERED));
    }
}

impl Identity {
    /// What a password of a shared link is to be compared with. `Password` when it is too short, too long or too common.
    pub async fn hash_link_password(&self, password: &Password) -> Result<LinkPasswordHash, Error> {
        if password.0.len() > BYTES_MAX || !LETTERS.contains(&password.0.chars().count()) {
            return Err(PasswordError::Length.into());
        }
        let folded = fold(&password.0);
        if COMMON.lines().any(|common| common == folded) {
            return Err(PasswordError::Common.into());
        }
        Ok(LinkPasswordHash::new(self.hash(password).await?))
    }

    /// Whether that is the password of a link. `Wrong` also when it has none. Durable, as to the counting of failures, when
    /// this returns.
    pub async fn prove_link_password(
        &self,
        link: SharedLinkId,
        password: &Password,
        address: IpAddr,
    ) -> Result<(), SignInError> {
        let hash = self.database.read(|tx| shared_links::password_hash(tx, link))?.ok_or(SignInError::Wrong)?;
        let now = self.world.now();
        let shown = self.shown.key(link, &hash, password);
        if self.shown.is_known(shown, now) {
            return Ok(());
        }
        let _queued = QUEUE.try_acquire().map_err(|_| SignInError::Busy)?;
        // By link and network: nobody shuts everybody else out of a link by guessing.
        let network = network(address);
        let keys = [
            (sha256(&format!("link\n{link}\n{network}")), LOGIN_FREE, LOGIN_PAUSE_MAX),
            (sha256(&format!("network\n{network}")), NETWORK_FREE, NETWORK_PAUSE_MAX),
        ];
        let waits = self.database.transact("count a link's password", move |tx| count(tx, &keys, now)).await?;
        if let Some(wait) = waits {
            return Err(SignInError::Wait(wait.as_secs().max(1)));
        }
        let is_right = self.is_right(password, Some(hash.as_str().to_owned())).await.map_err(SignInError::Failed)?;
        if !is_right {
            return Err(SignInError::Wrong);
        }
        self.database.transact("forgive", move |tx| forgive(tx, &keys.map(|(key, ..)| key))).await?;
        self.shown.remember(shown, now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entente_database::shared_links::{LinkAccess, SharedLink};
    use entente_model::{ItemId, UserId};
    use entente_testkit::Stage;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    const LINK: SharedLinkId = SharedLinkId::new(77);

    fn typed(text: &str) -> Password {
        Password::new(text.to_owned())
    }

    async fn lock(stage: &Stage, identity: &Identity, password: &str) {
        let hash = identity.hash_link_password(&typed(password)).await.unwrap();
        let (item, at) = (ItemId::new(5), stage.world.now());
        let link = SharedLink {
            id: LINK,
            item,
            token: "token".to_owned(),
            vanity: None,
            access: LinkAccess::Open,
            has_password: false,
            expires_at: None,
            can_download: true,
            can_edit: false,
            created_by: UserId::new(1),
            created_at: at,
            modified_at: at,
        };
        let save = move |tx: &mut entente_database::Tx<'_>| {
            shared_links::save(tx, &link)?;
            shared_links::set_password(tx, LINK, Some(&hash))
        };
        stage.database.transact("make a link", save).await.unwrap();
    }

    #[tokio::test]
    async fn a_right_password_is_remembered_until_it_is_another_one() {
        let stage = Stage::new().await;
        let identity = Identity::new(stage.world.clone(), stage.database.clone());
        let outcome = async |password: &str| {
            let shown = identity.prove_link_password(LINK, &typed(password), HERE).await;
            shown.map_err(|error| error.to_string())
        };
        assert!(outcome("the right one").await.is_err());
        lock(&stage, &identity, "the right one").await;
        assert!(outcome("another one").await.is_err());
        assert_eq!(outcome("the right one").await, Ok(()));
        assert_eq!(identity.shown.until.lock().unwrap().len(), 1);
        assert_eq!(outcome("the right one").await, Ok(()));
        lock(&stage, &identity, "another one").await;
        assert!(outcome("the right one").await.is_err());
        assert_eq!(outcome("another one").await, Ok(()));
    }

    #[tokio::test]
    async fn who_guesses_must_wait_and_nobody_else() {
        let stage = Stage::new().await;
        let identity = Identity::new(stage.world.clone(), stage.database.clone());
        lock(&stage, &identity, "the right one").await;
        let mut guesses = 0;
        while !matches!(identity.prove_link_password(LINK, &typed("a guess"), HERE).await, Err(SignInError::Wait(_))) {
            guesses += 1;
            assert!(guesses < 30);
        }
        assert!(guesses >= 5, "{guesses}");
        let there = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
        assert!(identity.prove_link_password(LINK, &typed("the right one"), there).await.is_ok());
    }

    #[tokio::test]
    async fn a_password_of_a_link_is_not_too_short_nor_too_common() {
        let stage = Stage::new().await;
        let identity = Identity::new(stage.world.clone(), stage.database.clone());
        for weak in ["short", "password", &"x".repeat(300)] {
            assert!(matches!(identity.hash_link_password(&typed(weak)).await, Err(Error::Password(_))), "{weak}");
        }
    }

    #[test]
    fn memory_is_bounded_and_ends() {
        let (shown, now) = (Shown::default(), Timestamp::from_millis(1_000));
        for key in 0..10_000 {
            shown.remember(key, now);
        }
        assert!(shown.until.lock().unwrap().len() <= REMEMBERED_MAX);
        assert!(shown.is_known(9_999, now));
        assert!(!shown.is_known(9_999, now.after(REMEMBERED)));
    }
}
