//! What the verbs for users and groups have in common.

use crate::cli::Target;
use crate::exit::{Exit, Failure};
use crate::output::Format;
use crate::store::Store;
use entente_database::groups::{self, Group};
use entente_model::{Caller, Scopes, UserRole};
use entente_tree::{Tree, User};
use entente_vault::Limits;
use entente_world::World;

/// A store, and somebody who administers it.
pub(super) struct Office {
    pub(super) store: Store,
    pub(super) format: Format,
    pub(super) tree: Tree,
    pub(super) caller: Caller,
}

impl Office {
    pub(super) async fn open(world: &World, target: &Target) -> Result<Self, Failure> {
        let (store, format) = super::open(world, target)?;
        let opened = store.vault(Limits::default()).await?;
        let tree = Tree::new(world.clone(), store.database.clone(), opened.vault);
        let caller = Caller {
            user: store.administrator().await?.id,
            enterprise: store.enterprise.id,
            role: UserRole::Admin,
            app: None,
            scopes: Scopes::ALL,
            confined: None,
            through: None,
            link: None,
        };
        Ok(Self { store, format, tree, caller })
    }

    /// The user with that login, active or not.
    pub(super) fn user(&self, login: &str) -> Result<User, Failure> {
        let found = self.store.database.read(|tx| entente_database::users::by_login(tx, login))?;
        let missing = || format!("no user has the login {login:?}; `entente user list` shows all");
        found.ok_or_else(|| Failure::new(Exit::Failed, missing()))
    }

    /// The group of that name.
    pub(super) fn group(&self, name: &str) -> Result<Group, Failure> {
        let missing = || format!("there is no group {name:?}; `entente group list` shows all");
        self.group_if_there(name)?.ok_or_else(|| Failure::new(Exit::Failed, missing()))
    }

    pub(super) fn group_if_there(&self, name: &str) -> Result<Option<Group>, Failure> {
        let enterprise = self.caller.enterprise;
        Ok(self.store.database.read(|tx| groups::by_name(tx, enterprise, name))?)
    }
}
