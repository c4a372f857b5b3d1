//! Access keys: an id that stands in each request, and a secret with which it is signed. Who checks a signature needs
//! the secret itself, so it is kept, sealed under a key of the database that the custodian wraps. The layout of what is
//! sealed is docs/formats/access-key.md.

use crate::tickets::{KeptKey, kept_key};
use crate::users::name;
use crate::{Error, Identity, Secret, Unauthenticated};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use entente_custodians::{Custodian, KeyContext};
use entente_database::access_keys::{self, AccessKeyState};
use entente_database::{Database, ErrorKind};
use entente_model::{Caller, EnterpriseId, EpochId, Scopes, UserId, ZoneId};
use entente_world::World;
use std::sync::Arc;

/// The setting that holds the wrapped key.
const SETTING: &str = "access key sealing key";
/// No enterprise has the id 0; 1 tells this key from the one of download tickets.
const CONTEXT: KeyContext =
    KeyContext { enterprise: EnterpriseId::new(0), zone: ZoneId::new(0), epoch: EpochId::new(1) };
/// First byte of what is sealed.
const VERSION: u8 = 1;
/// How ids begin.
const PREFIX: &str = "ENT";
/// Letters and digits after that.
const ID_LENGTH: usize = 17;
const SECRET_LENGTH: usize = 40;
/// What ids are made of: 32 letters and digits that nobody takes for one another.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Buckets that one key may name, and the length of a name.
const BUCKETS_MAX: usize = 100;
const BUCKET_NAME_MAX: usize = 63;
/// Keys in a list.
const LIST_MAX: u32 = 10_000;

/// What an access key stands for.
pub struct AccessKey {
    /// With which its requests are signed.
    pub secret: Secret,
    /// Who asks, with as many scopes as the key has.
    pub caller: Caller,
    /// How far it reaches.
    pub reach: Reach,
}

/// Which buckets a key reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All that its user reaches.
    All,
    /// Those of these names; at least one.
    Some(Vec<String>),
}

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewAccessKey {
    /// Whose it will be.
    pub user: UserId,
    /// What its owner calls it: 1 to 50 characters.
    pub label: String,
    /// What it may be used for: `Scopes::ALL`, or only for reading.
    pub read_only: bool,
    /// How far it reaches.
    pub reach: Reach,
}

/// A key that was made.
pub struct CreatedAccessKey {
    /// What its requests name.
    pub id: String,
    /// The secret: shown this once.
    pub secret: Secret,
}

/// Makes access keys and knows them. Cheap to clone.
#[derive(Clone)]
pub struct AccessKeys {
    world: World,
    database: Database,
    key: Arc<LessSafeKey>,
}

impl Reach {
    /// Whether a bucket of that name is within.
    #[must_use]
    pub fn includes(&self, bucket: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(buckets) => buckets.iter().any(|name| name == bucket),
        }
    }

    fn of(buckets: Vec<String>) -> Self {
        if buckets.is_empty() { Self::All } else { Self::Some(buckets) }
    }
}

impl AccessKeys {
    /// Fetches the key that seals secrets, making and storing one at first. Every node of a database has the same.
    ///
    /// `Custodian` when the stored key does not unwrap: then the custodian's key is not the one that this database
    /// was made with.
    pub async fn load(world: &World, database: &Database, custodian: &dyn Custodian) -> Result<Self, Error> {
        let key = kept_key(world, database, custodian, KeptKey { setting: SETTING, context: CONTEXT }).await?;
        // 32 bytes are a key of this cipher.
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| Error::Setting(SETTING))?;
        Ok(Self { world: world.clone(), database: database.clone(), key: Arc::new(LessSafeKey::new(key)) })
    }

    /// Makes a key. Durable when this returns.
    ///
    /// `UnknownUser` when there is no such active user; `Name` when the label or a bucket's name is not fit, or
    /// a reach names no bucket.
    pub async fn create(&self, new: NewAccessKey) -> Result<CreatedAccessKey, Error> {
        let buckets = match new.reach {
            Reach::All => Vec::new(),
            // No names are kept as all of them.
            Reach::Some(buckets) if buckets.is_empty() => return Err(Error::Name(BUCKET_NAME_MAX)),
            Reach::Some(buckets) => buckets,
        };
        let fit = |name: &String| (3..=BUCKET_NAME_MAX).contains(&name.len()) && name.bytes().all(is_of_bucket_name);
        if buckets.len() > BUCKETS_MAX || !buckets.iter().all(fit) {
            return Err(Error::Name(BUCKET_NAME_MAX));
        }
        let id = self.draw_id();
        let secret = Secret::letters(self.world.random(), SECRET_LENGTH);
        let key = access_keys::AccessKey {
            sealed_secret: self.seal(&id, &secret)?,
            id: id.clone(),
            user: new.user,
            label: name(&new.label)?,
            read_only: new.read_only,
            buckets,
            state: AccessKeyState::InForce,
            created_at: self.world.now(),
        };
        self.database
            .transact("create access key", move |tx| {
                if entente_database::tokens::caller(tx, key.user, None, Scopes::NONE)?.is_none() {
                    return Err(Error::UnknownUser(key.user.to_string()));
                }
                Ok(access_keys::add(tx, &key)?)
            })
            .await?;
        Ok(CreatedAccessKey { id, secret })
    }

    /// What a key stands for. One short read; call it where you stand.
    ///
    /// `Unknown` when there is no such key, it was revoked, or its user is not active.
    pub fn find(&self, id: &str) -> Result<AccessKey, Unauthenticated> {
        if id.len() != PREFIX.len() + ID_LENGTH || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(Unauthenticated::Unknown);
        }
        let held = self.database.read(|tx| access_keys::held(tx, id)).map_err(Unauthenticated::Failed)?;
        let held = held.ok_or(Unauthenticated::Unknown)?;
        let secret = self.open(id, held.sealed_secret).ok_or_else(|| {
            let message = "an access key's secret does not open under this database's key";
            Unauthenticated::Failed(entente_database::Error::new(ErrorKind::Damaged, message))
        })?;
        let scopes = if held.read_only { Scopes::READ.with(Scopes::DOWNLOAD) } else { Scopes::ALL };
        Ok(AccessKey { secret, caller: Caller { scopes, ..held.caller }, reach: Reach::of(held.buckets) })
    }

    fn draw_id(&self) -> String {
        let drawn = self.world.random().bytes::<ID_LENGTH>();
        // 32 divides 256: each letter is as likely as another.
        let letters = drawn.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied().map(char::from));
        PREFIX.chars().chain(letters).collect()
    }

    /// Bound to the id, so that one key's secret cannot be put in another's place.
    fn seal(&self, id: &str, secret: &Secret) -> Result<Vec<u8>, Error> {
        let nonce = self.world.random().bytes::<NONCE_LEN>();
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + SECRET_LENGTH + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(secret.expose().as_bytes());
        let text = sealed.get_mut(1 + NONCE_LEN..).ok_or(Error::Setting(SETTING))?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(id.as_bytes()), text);
        // A secret is far shorter than what the cipher can seal at once.
        let tag = tag.map_err(|_| Error::Setting(SETTING))?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    fn open(&self, id: &str, mut sealed: Vec<u8>) -> Option<Secret> {
        let (version, rest) = sealed.split_first_mut()?;
        let (nonce, rest) = rest.split_at_mut_checked(NONCE_LEN)?;
        if *version != VERSION {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key.open_in_place(nonce, Aad::from(id.as_bytes()), rest).ok()?;
        let secret = std::str::from_utf8(text).ok()?.to_owned();
        text.fill(0);
        Some(Secret::kept(secret))
    }
}

impl Identity {
    /// A user's access keys, the oldest first, or everybody's in order of ids; revoked ones too. 10,000 at most.
    pub async fn access_keys(&self, user: Option<UserId>) -> Result<Vec<access_keys::AccessKey>, Error> {
        let list = move |tx: &mut entente_database::Tx<'_>| match user {
            Some(user) => access_keys::of_user(tx, user, LIST_MAX),
            None => access_keys::after(tx, "", LIST_MAX),
        };
        Ok(self.database.read_long(list).await?)
    }

    /// Makes a key worth nothing from the next request on, for ever. `false` when it is unknown or was revoked before.
    pub async fn revoke_access_key(&self, id: &str) -> Result<bool, Error> {
        let id = id.to_owned();
        Ok(self.database.transact("revoke access key", move |tx| access_keys::revoke(tx, &id)).await?)
    }
}

fn is_of_bucket_name(byte: u8) -> bool {
    byte.is_ascii_lowercase()
        || byte.is_ascii_digit()
        || matches!(byte, b'-' | b'.' | b'_')
        || byte.is_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{AccessKeys, NewAccessKey, Reach};
    use crate::{Error, Identity, Unauthenticated};
    use entente_custodians::local::LocalCustodian;
    use entente_model::{Scopes, UserId, UserRole};
    use entente_testkit::Stage;

    async fn keys(stage: &Stage) -> AccessKeys {
        let custodian = LocalCustodian::in_memory(stage.world.clone());
        AccessKeys::load(&stage.world, &stage.database, &custodian).await.expect("a key")
    }

    fn new(user: UserId) -> NewAccessKey {
        NewAccessKey { user, label: "backup".to_owned(), read_only: false, reach: Reach::All }
    }

    #[tokio::test]
    async fn a_key_is_found_until_it_is_revoked() {
        let stage = Stage::new().await;
        let user = stage.person("ada@acme.example", "Ada", UserRole::User).await;
        let keys = keys(&stage).await;
        let made = keys.create(new(user)).await.expect("made");
        assert!(made.id.len() == 20 && made.id.starts_with("ENT") && made.secret.expose().len() == 40);
        let found = keys.find(&made.id).expect("found");
        assert_eq!(found.secret.expose(), made.secret.expose());
        assert_eq!((found.caller.user, found.caller.scopes, found.reach), (user, Scopes::ALL, Reach::All));
        let identity = Identity::new(stage.world.clone(), stage.database.clone());
        assert_eq!(identity.access_keys(Some(user)).await.expect("a list").len(), 1);
        assert!(identity.revoke_access_key(&made.id).await.expect("revoked"));
        assert!(!identity.revoke_access_key(&made.id).await.expect("nothing to do"));
        assert!(matches!(keys.find(&made.id), Err(Unauthenticated::Unknown)));
        assert!(matches!(keys.find("nonsense"), Err(Unauthenticated::Unknown)));
    }

    #[tokio::test]
    async fn a_key_can_be_less_than_its_user() {
        let stage = Stage::new().await;
        let user = stage.person("ada@acme.example", "Ada", UserRole::User).await;
        let keys = keys(&stage).await;
        let reach = Reach::Some(vec!["photos".to_owned(), "logs.2026".to_owned()]);
        let made =
            keys.create(NewAccessKey { read_only: true, reach: reach.clone(), ..new(user) }).await.expect("made");
        let found = keys.find(&made.id).expect("found");
        assert_eq!(found.caller.scopes, Scopes::READ.with(Scopes::DOWNLOAD));
        assert!(found.reach.includes("photos") && !found.reach.includes("phot"));
        for odd in [Reach::Some(vec!["a\nb".to_owned()]), Reach::Some(Vec::new())] {
            assert!(matches!(keys.create(NewAccessKey { reach: odd, ..new(user) }).await, Err(Error::Name(_))));
        }
        let nobody = keys.create(new(UserId::new(7))).await;
        assert!(matches!(nobody, Err(Error::UnknownUser(_))));
    }

    #[tokio::test]
    async fn another_database_key_opens_nothing() {
        let stage = Stage::new().await;
        let user = stage.person("ada@acme.example", "Ada", UserRole::User).await;
        let custodian = LocalCustodian::in_memory(stage.world.clone());
        let first = AccessKeys::load(&stage.world, &stage.database, &custodian).await.expect("a key");
        let second = AccessKeys::load(&stage.world, &stage.database, &custodian).await.expect("the same key");
        let made = first.create(new(user)).await.expect("made");
        assert_eq!(second.find(&made.id).expect("found").secret.expose(), made.secret.expose());
        let other = LocalCustodian::in_memory(stage.world.clone());
        assert!(AccessKeys::load(&stage.world, &stage.database, &other).await.is_err());
        let secret = first.open("ENTAAAAAAAAAAAAAAAAA", first.seal(&made.id, &made.secret).expect("sealed"));
        assert!(secret.is_none(), "a secret opens under another id");
    }
}
