//! Applications: made by an operator, with a secret, a service account and perhaps a public key.

use crate::secret::letters;
use crate::users::name;
use crate::{Error, Identity, Secret, public_key};
use entente_database::apps::{self, App, PublicKey};
use entente_database::users::{self, NewUser, UserKind};
use entente_model::{AppId, EnterpriseId, PublicKeyId, UserId, UserRole};

/// Letters and digits in the id of a client.
const CLIENT_ID_LENGTH: usize = 32;
/// Letters and digits in the label of a public key.
const LABEL_LENGTH: usize = 8;
/// Letters and digits in the random part of a service account's login.
const ACCOUNT_LENGTH: usize = 10;
/// Where service accounts have their logins. No mail goes there.
const ACCOUNT_DOMAIN: &str = "apps.entente.local";

/// An application to be made.
#[derive(Debug, Clone)]
pub struct NewApp {
    /// The enterprise that registers it.
    pub enterprise: EnterpriseId,
    /// What people call it: 1 to 50 characters.
    pub name: String,
    /// What its service account may do within the enterprise.
    pub role: UserRole,
    /// The key with which it signs assertions, PEM, if it does.
    pub public_key_pem: Option<String>,
}

/// An application that was made.
pub struct CreatedApp {
    /// Its id.
    pub app: AppId,
    /// What it calls itself when it asks for a token.
    pub client_id: String,
    /// Its secret: it is stored nowhere.
    pub client_secret: Secret,
    /// What it sends as `kid`, if it has a public key.
    pub public_key_label: Option<String>,
    /// The user that it is when it acts for itself.
    pub service_user: UserId,
    /// That user's login.
    pub service_login: String,
}

impl Identity {
    /// Makes an application with its service account. `Name` and `PublicKey` when these are not fit.
    pub async fn create_app(&self, new: NewApp) -> Result<CreatedApp, Error> {
        let random = self.world.random();
        let pem = new.public_key_pem.as_deref().map(public_key::check).transpose()?;
        let called = name(&new.name)?;
        let now = self.world.now();
        let app_id = AppId::new(self.world.next_id());
        let account = format!("AutomationUser_{app_id}_{}@{ACCOUNT_DOMAIN}", letters(random, ACCOUNT_LENGTH));
        let mut user = NewUser::new(&self.world, new.enterprise, account, called.clone());
        user.kind = UserKind::Service;
        user.role = new.role;
        let client_secret = Secret::random(random);
        let app = App {
            app: app_id,
            enterprise: new.enterprise,
            name: called,
            client_id: letters(random, CLIENT_ID_LENGTH),
            secret_sha256: client_secret.sha256(),
            service_user: user.id,
            created_at: now,
        };
        let key = pem.map(|pem| PublicKey {
            key: PublicKeyId::new(self.world.next_id()),
            app: app_id,
            label: letters(random, LABEL_LENGTH).to_ascii_lowercase(),
            pem,
            created_at: now,
        });
        let created = CreatedApp {
            app: app_id,
            client_id: app.client_id.clone(),
            client_secret,
            public_key_label: key.as_ref().map(|key| key.label.clone()),
            service_user: user.id,
            service_login: user.login.clone(),
        };
        self.database
            .transact("create app", move |tx| {
                users::create_user(tx, &user)?;
                apps::add(tx, &app)?;
                key.as_ref().map_or(Ok(()), |key| apps::add_public_key(tx, key))
            })
            .await
            .map_err(Error::Database)?;
        Ok(created)
    }

    /// Up to `limit` applications after `after`, in order of ids.
    pub async fn apps(&self, after: Option<AppId>, limit: u32) -> Result<Vec<App>, Error> {
        Ok(self.database.read_long(move |tx| apps::after(tx, after, limit)).await?)
    }
}
