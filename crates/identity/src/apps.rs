//! Applications: made by an operator, with a secret, a service account and perhaps a public key.

use crate::oauth::{OWN_REDIRECT_URI, check_redirect_uri};
use crate::secret::letters;
use crate::users::name;
use crate::{Error, Identity, Secret, public_key};
use entente_database::Tx;
use entente_database::apps::{self, App, AppKind, AppState, Grants, PublicKey};
use entente_database::events::{self, EventKind, NewOtherEvent};
use entente_database::users::{self, NewUser, UserChange, UserKind, UserStatus};
use entente_database::webhooks;
use entente_model::{AppId, EnterpriseId, EventId, PublicKeyId, Scopes, UserId, UserRole};

/// Letters and digits in the id of a client.
const CLIENT_ID_LENGTH: usize = 32;
/// Letters and digits in the label of a public key.
const LABEL_LENGTH: usize = 8;
/// Letters and digits in the random part of a service account's login.
const ACCOUNT_LENGTH: usize = 10;
/// Where service accounts have their logins. No mail goes there.
const ACCOUNT_DOMAIN: &str = "apps.entente.local";
/// Webhooks that one transaction removes.
const WEBHOOKS_AT_ONCE: u32 = 500;
/// Redirect URIs of one application.
const REDIRECT_URIS_MAX: usize = 20;

/// What our own web app calls itself.
pub const WEB_CLIENT_ID: &str = "entente-web";

/// An application to be made. [`NewApp::new`] fills in what most have.
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
    /// Whether it can keep a secret. One that cannot may ask for codes alone, and act as nobody who does not let it.
    pub kind: AppKind,
    /// Where browsers may be sent back to: up to 20.
    pub redirect_uris: Vec<String>,
    /// What its credentials are worth at most.
    pub scopes: Scopes,
    /// How it may ask for tokens.
    pub grants: Grants,
    /// Whether it may act as any user of the enterprise without being let by them.
    pub acts_as_users: bool,
}

impl NewApp {
    /// One that keeps a secret, with all scopes and grants, which may act as users, and has neither key nor redirect URI.
    #[must_use]
    pub fn new(enterprise: EnterpriseId, name: impl Into<String>, role: UserRole) -> Self {
        Self {
            enterprise,
            name: name.into(),
            role,
            public_key_pem: None,
            kind: AppKind::Confidential,
            redirect_uris: Vec::new(),
            scopes: Scopes::ALL,
            grants: Grants::ALL,
            acts_as_users: true,
        }
    }
}

/// An application that was made.
pub struct CreatedApp {
    /// Its id.
    pub app: AppId,
    /// What it calls itself when it asks for a token.
    pub client_id: String,
    /// Its secret, if it can keep one: it is stored nowhere.
    pub client_secret: Option<Secret>,
    /// What it sends as `kid`, if it has a public key.
    pub public_key_label: Option<String>,
    /// The user that it is when it acts for itself.
    pub service_user: UserId,
    /// That user's login.
    pub service_login: String,
}

/// What is to be changed of an application. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct AppChange {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it may be used.
    pub state: Option<AppState>,
    /// Where browsers may be sent back to: all of them.
    pub redirect_uris: Option<Vec<String>>,
    /// What its credentials are worth at most, those too that it has already.
    pub scopes: Option<Scopes>,
    /// How it may ask for tokens.
    pub grants: Option<Grants>,
    /// Whether it may act as any user of the enterprise.
    pub acts_as_users: Option<bool>,
}

impl Identity {
    /// Makes an application with its service account. `Name`, `PublicKey`, `RedirectUri` and `App` when these are not fit.
    pub async fn create_app(&self, new: NewApp) -> Result<CreatedApp, Error> {
        let client_id = letters(self.world.random(), CLIENT_ID_LENGTH);
        self.add_app(new, client_id).await
    }

    /// Makes our own web app known to an enterprise, unless it is. Nobody is asked whether it may act for them; it acts for
    /// who is signed in to this server, and comes back to this server alone.
    pub async fn ensure_web_app(&self, enterprise: EnterpriseId) -> Result<(), Error> {
        let is_there = |tx: &mut Tx<'_>| apps::by_client_id(tx, WEB_CLIENT_ID);
        if self.database.read(is_there)?.is_some() {
            return Ok(());
        }
        let mut new = NewApp::new(enterprise, "Entente", UserRole::User);
        (new.kind, new.grants) = (AppKind::Public, Grants::CODE);
        new.redirect_uris = vec![OWN_REDIRECT_URI.to_owned()];
        match self.add_app(new, WEB_CLIENT_ID.to_owned()).await {
            // Another node was quicker.
            Err(_) if self.database.read(is_there)?.is_some() => Ok(()),
            made => made.map(drop),
        }
    }

    async fn add_app(&self, new: NewApp, client_id: String) -> Result<CreatedApp, Error> {
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
        let is_public = new.kind == AppKind::Public;
        let app = App {
            app: app_id,
            enterprise: new.enterprise,
            name: called,
            client_id,
            secret_sha256: client_secret.sha256(),
            service_user: user.id,
            kind: new.kind,
            state: AppState::Enabled,
            redirect_uris: new.redirect_uris,
            scopes: new.scopes,
            grants: if is_public { new.grants.within(Grants::CODE.with(Grants::EXCHANGE)) } else { new.grants },
            acts_as_users: new.acts_as_users && !is_public,
            created_at: now,
        };
        check(&app)?;
        if is_public && pem.is_some() {
            return Err(Error::App("a public app has no key to sign with"));
        }
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
            client_secret: (!is_public).then_some(client_secret),
            public_key_label: key.as_ref().map(|key| key.label.clone()),
            service_user: user.id,
            service_login: user.login.clone(),
        };
        let event = EventId::new(self.world.next_id());
        self.database
            .transact("create app", move |tx| {
                users::create_user(tx, &user)?;
                apps::add(tx, &app)?;
                if is_web_app(&app) {
                    // It never acts for itself, so nobody needs to see its account; and nobody has made it.
                    return users::hide(tx, user.id);
                }
                let made = NewOtherEvent {
                    id: event,
                    enterprise: app.enterprise,
                    user: UserId::new(0),
                    kind: EventKind::AppMade,
                    subject: app.app.number(),
                    name: &app.name,
                    other: None,
                    at: now,
                };
                events::record_other(tx, &made)?;
                key.as_ref().map_or(Ok(()), |key| apps::add_public_key(tx, key))
            })
            .await
            .map_err(Error::Database)?;
        Ok(created)
    }

    /// Up to `limit` applications of an enterprise after `after`, in order of ids; not our own web app.
    pub async fn apps(&self, enterprise: EnterpriseId, after: Option<AppId>, limit: u32) -> Result<Vec<App>, Error> {
        let except = Some(WEB_CLIENT_ID);
        Ok(self.database.read_long(move |tx| apps::of_enterprise(tx, enterprise, after, except, limit)).await?)
    }

    /// The application of an enterprise with that id or that client id. `UnknownApp` when there is none.
    pub fn app(&self, enterprise: EnterpriseId, id: &str) -> Result<App, Error> {
        self.database.read(|tx| known(tx, enterprise, id))
    }

    /// Changes an application; answers what it is then. `UnknownApp`, and what [`Identity::create_app`] answers.
    pub async fn change_app(&self, enterprise: EnterpriseId, id: &str, change: AppChange) -> Result<App, Error> {
        let (id, called) = (id.to_owned(), change.name.as_deref().map(name).transpose()?);
        self.database
            .transact("change app", move |tx| {
                let mut app = known(tx, enterprise, &id)?;
                let change = change.clone();
                app.name = called.clone().unwrap_or(app.name);
                app.state = change.state.unwrap_or(app.state);
                app.redirect_uris = change.redirect_uris.unwrap_or(app.redirect_uris);
                app.scopes = change.scopes.unwrap_or(app.scopes);
                app.grants = change.grants.unwrap_or(app.grants);
                app.acts_as_users = change.acts_as_users.unwrap_or(app.acts_as_users);
                check(&app)?;
                apps::update(tx, &app)?;
                Ok(app)
            })
            .await
    }

    /// Gives an application another secret, instead of the one that it has. Tokens that it has already stay. `UnknownApp`;
    /// `App` when it is public.
    pub async fn rotate_app_secret(&self, enterprise: EnterpriseId, id: &str) -> Result<Secret, Error> {
        let secret = Secret::random(self.world.random());
        let (id, digest) = (id.to_owned(), secret.sha256());
        self.database
            .transact("rotate secret", move |tx| {
                let mut app = known(tx, enterprise, &id)?;
                if app.kind == AppKind::Public {
                    return Err(Error::App("a public app has no secret"));
                }
                app.secret_sha256 = digest;
                apps::update(tx, &app)?;
                Ok(())
            })
            .await?;
        Ok(secret)
    }

    /// Removes an application: nothing that was issued to it is worth anything from now on. Its service account stays, with
    /// what it owns, and is inactive. `UnknownApp`.
    pub async fn remove_app(&self, enterprise: EnterpriseId, id: &str) -> Result<(), Error> {
        let (id, now) = (id.to_owned(), self.world.now());
        let app = self
            .database
            .transact("remove app", move |tx| {
                let app = known(tx, enterprise, &id)?;
                apps::remove_public_keys(tx, app.app)?;
                webhooks::remove_keys(tx, app.app)?;
                apps::remove(tx, app.app)?;
                let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
                users::update(tx, app.service_user, &change, now)?;
                Ok::<_, Error>(app.app)
            })
            .await?;
        // Nothing is told by them any more, and there may be many.
        let some = move |tx: &mut Tx<'_>| webhooks::remove_some_of_app(tx, app, WEBHOOKS_AT_ONCE);
        while self.database.transact("remove webhooks", some).await? > 0 {}
        Ok(())
    }
}

/// `UnknownApp` when an application has been removed.
pub(crate) fn is_there(tx: &mut Tx<'_>, app: AppId) -> Result<(), Error> {
    apps::by_id(tx, app)?.map(drop).ok_or_else(|| Error::UnknownApp(app.to_string()))
}

/// Whether it is the web app of this very server.
pub(crate) fn is_web_app(app: &App) -> bool {
    app.client_id == WEB_CLIENT_ID
}

/// By id or by client id.
fn known(tx: &mut Tx<'_>, enterprise: EnterpriseId, id: &str) -> Result<App, Error> {
    let by_id = match id.parse() {
        Ok(app) => apps::by_id(tx, app)?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(app) => Some(app),
        None => apps::by_client_id(tx, id)?,
    };
    found.filter(|app| app.enterprise == enterprise).ok_or_else(|| Error::UnknownApp(id.to_owned()))
}

fn check(app: &App) -> Result<(), Error> {
    if is_web_app(app) && (app.redirect_uris != [OWN_REDIRECT_URI] || app.kind != AppKind::Public) {
        return Err(Error::App("the web app comes back to this server alone"));
    }
    if app.redirect_uris.len() > REDIRECT_URIS_MAX {
        return Err(Error::App("an app has up to 20 redirect URIs"));
    }
    for uri in app.redirect_uris.iter().filter(|uri| !is_web_app(app) || *uri != OWN_REDIRECT_URI) {
        check_redirect_uri(uri)?;
    }
    if app.kind == AppKind::Public && (app.acts_as_users || !Grants::CODE.with(Grants::EXCHANGE).contains(app.grants)) {
        return Err(Error::App("a public app asks for codes alone, and acts as nobody who does not let it"));
    }
    Ok(())
}
