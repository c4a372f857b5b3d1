//! The keys with which an application's receivers know that what they are told comes from here: two, so that one can be
//! changed while the other still is what receivers go by.
//!
//! Signing takes the key itself, so it is kept, sealed for the application and its place.

use crate::sealing::Sealer;
use crate::tickets::KeptKey;
use crate::{Error, Identity, Secret, apps};
use data_encoding::BASE64URL_NOPAD;
use entente_custodians::{Custodian, KeyContext};
use entente_database::Tx;
use entente_database::webhooks::{self, KeyPlace};
use entente_model::{AppId, EnterpriseId, EpochId, ZoneId};
use zeroize::Zeroizing;

/// The setting that holds the wrapped key.
const SETTING: &str = "signature key sealing key";
/// No enterprise has the id 0; 4 tells this key from those of tickets, access keys, second factors and providers.
const CONTEXT: KeyContext =
    KeyContext { enterprise: EnterpriseId::new(0), zone: ZoneId::new(0), epoch: EpochId::new(4) };
/// Bytes drawn at random: 43 letters.
const KEY_BYTES: usize = 32;

/// Knows the keys. Cheap to clone.
#[derive(Clone)]
pub struct SignatureKeys {
    identity: Identity,
    sealer: Sealer,
}

/// The keys of an application, as bytes of text. Neither can be shown, and both are wiped when dropped.
pub struct SignaturePair {
    /// The primary one, if there is one.
    pub primary: Option<Zeroizing<Vec<u8>>>,
    /// The secondary one, if there is one.
    pub secondary: Option<Zeroizing<Vec<u8>>>,
}

impl SignatureKeys {
    /// Fetches the key that seals the others, making and storing one at first.
    ///
    /// `Custodian` when the stored key does not unwrap: then the custodian's key is not the one that this database
    /// was made with.
    pub async fn load(identity: Identity, custodian: &dyn Custodian) -> Result<Self, Error> {
        let kept = KeptKey { setting: SETTING, context: CONTEXT };
        let sealer = Sealer::load(&identity.world, &identity.database, custodian, kept).await?;
        Ok(Self { identity, sealer })
    }

    /// Draws a key for an application, named by its id or client id, whatever it had in that place. It is shown this once.
    /// What is told from now on is signed with it. `UnknownApp`.
    pub async fn rotate(&self, enterprise: EnterpriseId, app: &str, place: KeyPlace) -> Result<Secret, Error> {
        let app = self.identity.app(enterprise, app)?.app;
        let drawn = Zeroizing::new(self.identity.world.random().bytes::<KEY_BYTES>());
        let key = Secret::kept(BASE64URL_NOPAD.encode(drawn.as_slice()));
        let sealed = self.sealer.seal(&bound(app, place), key.expose().as_bytes())?;
        let at = self.identity.world.now();
        self.identity
            .database
            .transact("rotate signature key", move |tx| {
                // It may have been removed meanwhile.
                apps::is_there(tx, app)?;
                Ok::<_, Error>(webhooks::set_key(tx, (app, place), &sealed, at)?)
            })
            .await?;
        Ok(key)
    }

    /// The keys of an application. `Setting` when one cannot be opened.
    pub fn pair(&self, app: AppId) -> Result<SignaturePair, Error> {
        let read = |tx: &mut Tx<'_>| {
            let primary = webhooks::key(tx, app, KeyPlace::Primary)?;
            Ok::<_, entente_database::Error>((primary, webhooks::key(tx, app, KeyPlace::Secondary)?))
        };
        let (primary, secondary) = self.identity.database.read(read)?;
        let open = |sealed: Option<Vec<u8>>, place| {
            let Some(sealed) = sealed else { return Ok(None) };
            self.sealer.open(&bound(app, place), sealed).map(Some).ok_or(Error::Setting("signature key of an app"))
        };
        Ok(SignaturePair {
            primary: open(primary, KeyPlace::Primary)?,
            secondary: open(secondary, KeyPlace::Secondary)?,
        })
    }
}

/// What a sealed key is bound to: the application's number, eight bytes, and that of its place, one.
fn bound(app: AppId, place: KeyPlace) -> Vec<u8> {
    let place = if place == KeyPlace::Primary { 1 } else { 2 };
    [app.number().to_be_bytes().as_slice(), &[place]].concat()
}
