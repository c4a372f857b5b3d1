//! Signing in with an OpenID provider of the enterprise instead of a password (OpenID Connect Core 1.0, section 3.1).
//!
//! The code flow with PKCE (S256), `state` and `nonce`. All three are made of one secret that only the browser has, in a
//! cookie: whoever comes back with another cookie, or none, is not who was sent. Who is meant says the subject once it is
//! known, and before that a mail address that the provider vouches for.

mod id_token;
mod outside;
mod person;

use crate::sealing::Sealer;
use crate::secret::{is_well_formed, sha256};
use crate::tickets::KeptKey;
use crate::{Error, Identity, Proven, Secret, SignInError};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64URL_NOPAD;
use entente_custodians::{Custodian, KeyContext};
use entente_database::Tx;
use entente_database::providers::{self, Provider as Stored, ProviderSignIn};
use entente_model::{EnterpriseId, EpochId, ZoneId};
use id_token::Expected;
use outside::CodeForm;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// The setting that holds the wrapped key.
const SETTING: &str = "provider sealing key";
/// No enterprise has the id 0; 3 tells this key from those of tickets, access keys and second factors.
const CONTEXT: KeyContext =
    KeyContext { enterprise: EnterpriseId::new(0), zone: ZoneId::new(0), epoch: EpochId::new(3) };
/// How long a browser may be away.
const AWAY_FOR: Duration = Duration::from_secs(10 * 60);
/// Providers that the page of sign-in names.
const SHOWN_MAX: u32 = 10;
/// Conversations with providers at once, so that slow ones hold up nobody else.
const CONVERSATIONS_MAX: usize = 32;
const CODE_BYTES_MAX: usize = 4_096;
const NAME_LETTERS_MAX: usize = 50;
const CLIENT_BYTES_MAX: usize = 500;
/// A provider's own secret may be long, but not as long as a file given by mistake.
const SECRET_BYTES_MAX: usize = 1_024;

/// Knows the providers. Cheap to clone.
#[derive(Clone)]
pub struct Providers {
    identity: Identity,
    sealer: Sealer,
    conversations: Arc<Semaphore>,
}

/// A provider to be set.
pub struct NewProvider {
    /// Whose people sign in there.
    pub enterprise: EnterpriseId,
    /// What people call it: 1 to 50 characters.
    pub name: String,
    /// The URL by which it calls itself, letter for letter; `https`, or `http` on this very machine.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// The secret that we share with it; none for a public client.
    pub client_secret: Option<Secret>,
    /// Whether somebody who is not there is made, or refused.
    pub makes_users: bool,
}

/// A provider as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Whose people sign in there.
    pub enterprise: EnterpriseId,
    /// What people call it.
    pub name: String,
    /// The URL by which it calls itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// Whether there is a secret.
    pub has_secret: bool,
    /// Whether somebody who is not there is made.
    pub makes_users: bool,
}

/// A browser to be sent to a provider.
pub struct Sent {
    /// Where it goes.
    pub url: String,
    /// What it must have when it comes back.
    pub cookie: Secret,
}

/// What a browser comes back with (RFC 6749, 4.1.2; RFC 9207).
#[derive(Debug, Clone, Copy, Default)]
pub struct Back<'a> {
    /// What is exchanged for an ID token.
    pub code: Option<&'a str>,
    /// What the browser was sent with.
    pub state: Option<&'a str>,
    /// Who sends it.
    pub issuer: Option<&'a str>,
}

/// Somebody for whom a provider vouches, and where they go now.
#[derive(Debug)]
pub struct Arrived {
    /// Who.
    pub proven: Proven,
    /// The place that they asked for at first.
    pub place: String,
}

/// Why nobody is signed in by a provider.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The browser is not the one that was sent, it took too long, or it has come back before.
    #[error("the sign-in was not begun in this browser, or is over")]
    Stale,
    /// The enterprise has no provider.
    #[error("there is no such provider")]
    Unknown,
    /// The provider does not vouch for anybody.
    #[error("the provider vouches for nobody: {0}")]
    Refused(&'static str),
    /// The provider vouches for somebody who is not known, or may not come in.
    #[error("nobody of the enterprise is meant: {0}")]
    NotMeant(&'static str),
    /// The provider cannot be asked now. May be retried.
    #[error("the provider cannot be asked: {0}")]
    Unavailable(String),
    /// A provider cannot be as it is asked for.
    #[error("{0}")]
    Setting(&'static str),
    /// Too many are signing in, or nobody can tell now. May be retried.
    #[error(transparent)]
    Failed(#[from] SignInError),
}

impl From<Error> for ProviderError {
    fn from(error: Error) -> Self {
        Self::Failed(SignInError::Failed(error))
    }
}

impl From<entente_database::Error> for ProviderError {
    fn from(error: entente_database::Error) -> Self {
        Self::from(Error::Database(error))
    }
}

impl Providers {
    /// Fetches the key that seals secrets, making and storing one at first. Every node of a database has the same.
    ///
    /// `Custodian` when the stored key does not unwrap: then the custodian's key is not the one that this database
    /// was made with.
    pub async fn load(identity: Identity, custodian: &dyn Custodian) -> Result<Self, Error> {
        let kept = KeptKey { setting: SETTING, context: CONTEXT };
        let sealer = Sealer::load(&identity.world, &identity.database, custodian, kept).await?;
        let conversations = Arc::new(Semaphore::new(CONVERSATIONS_MAX));
        Ok(Self { identity, sealer, conversations })
    }

    /// Sets the provider of an enterprise, whatever it was. `Setting` when it cannot be one. Nobody is asked whether it is
    /// there: see [`check`](Self::check).
    pub async fn set(&self, new: NewProvider) -> Result<(), ProviderError> {
        let wrong = |what: &'static str| Err(ProviderError::Setting(what));
        if outside::checked(&new.issuer).is_none_or(|url| url.query().is_some()) {
            return wrong("an issuer is a URL with https, or with http on this very machine, and without a query");
        }
        let name =
            crate::users::name(&new.name).map_err(|_| ProviderError::Setting("a name has 1 to 50 characters"))?;
        if name.chars().count() > NAME_LETTERS_MAX {
            return wrong("a name has 1 to 50 characters");
        }
        if new.client_id.is_empty() || new.client_id.len() > CLIENT_BYTES_MAX {
            return wrong("a client id has 1 to 500 bytes");
        }
        let sealed = match &new.client_secret {
            Some(secret) if secret.expose().is_empty() || secret.expose().len() > SECRET_BYTES_MAX => {
                return wrong("a client secret has 1 to 1024 bytes");
            }
            Some(secret) => self.seal(new.enterprise, secret.expose().as_bytes())?,
            None => Vec::new(),
        };
        let NewProvider { enterprise, issuer, client_id, makes_users, .. } = new;
        let stored = Stored { enterprise, name, issuer, client_id, sealed, makes_users };
        let now = self.identity.world.now();
        let set = move |tx: &mut Tx<'_>| providers::set(tx, &stored, now);
        Ok(self.identity.database.transact("set provider", set).await?)
    }

    /// Whether the provider of an enterprise can be asked, and calls itself what was set. `Unknown`, `Unavailable`.
    pub async fn check(&self, enterprise: EnterpriseId) -> Result<(), ProviderError> {
        let stored = self.stored(enterprise)?;
        let client = outside::client()?;
        let description = outside::describe(&client, &stored.issuer).await?;
        outside::keys(&client, &description).await.map(|_| ())
    }

    /// Sends a browser to the provider of an enterprise; it is to come back to `redirect_uri` within ten minutes, and goes on
    /// to `place`. Durable when this returns.
    pub async fn begin(
        &self,
        enterprise: EnterpriseId,
        redirect_uri: String,
        place: String,
    ) -> Result<Sent, ProviderError> {
        let stored = self.stored(enterprise)?;
        let _conversation = self.conversations.try_acquire().map_err(|_| SignInError::Busy)?;
        let description = outside::describe(&outside::client()?, &stored.issuer).await?;
        let cookie = Secret::random(self.identity.world.random());
        let mut url = outside::checked(&description.authorization_endpoint)
            .ok_or_else(|| ProviderError::Unavailable("it has no place to sign in".to_owned()))?;
        let challenge = BASE64URL_NOPAD.encode(&sha256(&derived("verifier", cookie.expose())).0);
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &stored.client_id)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &derived("state", cookie.expose()))
            .append_pair("nonce", &derived("nonce", cookie.expose()))
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let (digest, expires_at) = (cookie.sha256(), self.identity.world.now().after(AWAY_FOR));
        let begun = ProviderSignIn { enterprise, redirect_uri, place, expires_at };
        let begin = move |tx: &mut Tx<'_>| providers::begin(tx, &digest, &begun);
        self.identity.database.transact("begin sign-in with a provider", begin).await?;
        Ok(Sent { url: url.into(), cookie })
    }

    /// Who comes back. What the browser had begun is over, whatever comes of it. `Stale`, and all else that can be wrong.
    pub async fn finish(&self, cookie: &str, back: Back<'_>) -> Result<Arrived, ProviderError> {
        let state = back.state.unwrap_or("");
        let is_own = is_well_formed(cookie)
            && verify_slices_are_equal(derived("state", cookie).as_bytes(), state.as_bytes()).is_ok();
        if !is_own {
            return Err(ProviderError::Stale);
        }
        let (digest, now) = (sha256(cookie), self.identity.world.now());
        let take = move |tx: &mut Tx<'_>| {
            let begun = providers::begun(tx, &digest)?;
            providers::end(tx, &digest)?;
            Ok::<_, entente_database::Error>(begun)
        };
        let begun = self.identity.database.transact("finish sign-in with a provider", take).await?;
        let begun = begun.filter(|begun| begun.expires_at > now).ok_or(ProviderError::Stale)?;
        let stored = self.stored(begun.enterprise)?;
        let person = self.ask(&stored, &begun, cookie, back).await?;
        let user = self.meant(&stored, person).await?;
        Ok(Arrived { proven: Proven { user, has_shown_code: false }, place: begun.place })
    }

    async fn ask(
        &self,
        stored: &Stored,
        begun: &ProviderSignIn,
        cookie: &str,
        back: Back<'_>,
    ) -> Result<id_token::Person, ProviderError> {
        let code = back.code.filter(|code| !code.is_empty() && code.len() <= CODE_BYTES_MAX);
        let code = code.ok_or(ProviderError::Refused("it sends no code"))?;
        let _conversation = self.conversations.try_acquire().map_err(|_| SignInError::Busy)?;
        let client = outside::client()?;
        let description = outside::describe(&client, &stored.issuer).await?;
        let is_other = match back.issuer {
            Some(issuer) => issuer != stored.issuer,
            None => description.authorization_response_iss_parameter_supported,
        };
        if is_other {
            return Err(ProviderError::Refused("the answer is of another issuer"));
        }
        let secret = self.open(stored)?;
        let verifier = Zeroizing::new(derived("verifier", cookie));
        let form = CodeForm {
            client_id: &stored.client_id,
            client_secret: secret.as_ref().map(|secret| secret.as_str()),
            code,
            verifier: &verifier,
            redirect_uri: &begun.redirect_uri,
        };
        let token = outside::exchange(&client, &description, form).await?;
        let keys = outside::keys(&client, &description).await?;
        let expected = Expected {
            issuer: &stored.issuer,
            client_id: &stored.client_id,
            nonce: &derived("nonce", cookie),
            now: self.identity.world.now(),
        };
        id_token::judge(&token, &keys, &expected).map_err(ProviderError::Refused)
    }

    fn stored(&self, enterprise: EnterpriseId) -> Result<Stored, ProviderError> {
        let found = self.identity.database.read(|tx| providers::of_enterprise(tx, enterprise))?;
        found.ok_or(ProviderError::Unknown)
    }

    /// Bound to the enterprise, so that one's secret cannot be put in another's place.
    fn seal(&self, enterprise: EnterpriseId, secret: &[u8]) -> Result<Vec<u8>, Error> {
        self.sealer.seal(&enterprise.number().to_be_bytes(), secret)
    }

    fn open(&self, stored: &Stored) -> Result<Option<Zeroizing<String>>, Error> {
        if stored.sealed.is_empty() {
            return Ok(None);
        }
        let opened = self.sealer.open(&stored.enterprise.number().to_be_bytes(), stored.sealed.clone());
        let text = opened.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok()).map(Zeroizing::new);
        text.map(Some).ok_or(Error::Setting("client secret of a provider"))
    }
}

impl Identity {
    /// The providers with which people may sign in, at most ten.
    pub fn providers(&self) -> Result<Vec<Provider>, Error> {
        let found = self.database.read(|tx| providers::all(tx, SHOWN_MAX))?;
        Ok(found.into_iter().map(shown).collect())
    }

    /// The provider of an enterprise.
    pub fn provider(&self, enterprise: EnterpriseId) -> Result<Option<Provider>, Error> {
        Ok(self.database.read(|tx| providers::of_enterprise(tx, enterprise))?.map(shown))
    }

    /// Takes the provider of an enterprise away: its people sign in with passwords. `false` when there is none.
    pub async fn remove_provider(&self, enterprise: EnterpriseId) -> Result<bool, Error> {
        let remove = move |tx: &mut Tx<'_>| providers::remove(tx, enterprise);
        Ok(self.database.transact("remove provider", remove).await?)
    }

    /// Forgets what providers call a user, who is then found by their mail address again. `false` when none has called them
    /// anything.
    pub async fn unbind_provider(&self, user: entente_model::UserId) -> Result<bool, Error> {
        let unbind = move |tx: &mut Tx<'_>| providers::unbind(tx, user);
        Ok(self.database.transact("unbind provider", unbind).await? > 0)
    }
}

fn shown(stored: Stored) -> Provider {
    let Stored { enterprise, name, issuer, client_id, sealed, makes_users } = stored;
    Provider { enterprise, name, issuer, client_id, has_secret: !sealed.is_empty(), makes_users }
}

/// What is sent of a browser's secret. Each is as good as random, and none tells another or the secret.
fn derived(what: &str, cookie: &str) -> String {
    BASE64URL_NOPAD.encode(&sha256(&format!("provider {what}\n{cookie}")).0)
}
