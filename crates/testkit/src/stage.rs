//! A whole store without a network: a throwaway database, a vault over memory, an enterprise with its people.

use crate::Scratch;
use entente_clouds::memory::MemoryBackend;
use entente_custodians::local::LocalCustodian;
use entente_database::deliveries::{self, WEBHOOKS};
use entente_database::enterprises::{self, Enterprise};
use entente_database::groups::{self, Group, GroupAudience};
use entente_database::memberships::{self, Membership, MembershipRole};
use entente_database::users::{self, UserChange, UserStatus};
use entente_database::{Database, Tx};
use entente_identity::{Identity, IssueToken, Login, NewApp, Signer};
use entente_model::{
    AppId, BackendId, Caller, EnterpriseId, GroupId, MembershipId, PolicyId, Scopes, UserId, UserRole, ZoneId,
};
use entente_tree::Tree;
use entente_vault::{Limits, Topology, Vault};
use entente_world::World;
use std::sync::Arc;
use std::time::Duration;

/// Everything below the doors. Dropping it removes its files.
pub struct Stage {
    /// The real world: tests on a stage do not repeat from a seed.
    pub world: World,
    /// A database of its own.
    pub database: Database,
    /// What the vault writes to.
    pub backend: MemoryBackend,
    /// The vault.
    pub vault: Vault,
    /// The tree.
    pub tree: Tree,
    /// Who is who.
    pub identity: Identity,
    /// What signs tickets.
    pub signer: Signer,
    /// Who wraps keys.
    pub custodian: Arc<LocalCustodian>,
    /// The only enterprise.
    pub enterprise: EnterpriseId,
    _scratch: Scratch,
    words: tempfile::TempDir,
}

impl Stage {
    /// An empty store. Call it inside a runtime.
    ///
    /// # Panics
    /// When the machine cannot give a temporary folder with a database in it.
    pub async fn new() -> Self {
        let world = World::real();
        let scratch = Scratch::new();
        let database = scratch.open(&world);
        let backend = MemoryBackend::new(world.clone());
        let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
        let signer = Signer::load(&world, &database, custodian.as_ref()).await.expect("a signer");
        // What a new database calls the default.
        let (zone, place) = (ZoneId::new(1), BackendId::new(1));
        let topology = Topology::single((zone, place, PolicyId::new(1)), Arc::new(backend.clone()), custodian.clone());
        let vault = Vault::new(world.clone(), Arc::new(database.clone()), topology, Limits::default());
        let enterprise = EnterpriseId::new(world.next_id());
        let row = Enterprise { id: enterprise, name: "Acme".to_owned(), zone, created_at: world.now() };
        database
            .transact("create enterprise", move |tx| enterprises::create_enterprise(tx, &row))
            .await
            .expect("an enterprise");
        let tree = Tree::new(world.clone(), database.clone(), vault.clone());
        let identity = Identity::new(world.clone(), database.clone());
        let words = tempfile::tempdir().expect("a temporary folder");
        Self {
            world,
            database,
            backend,
            vault,
            tree,
            identity,
            signer,
            custodian,
            enterprise,
            _scratch: scratch,
            words,
        }
    }

    /// The folder of the index of words. It is empty until [`Stage::index`] was called.
    #[must_use]
    pub fn words(&self) -> &std::path::Path {
        self.words.path()
    }

    /// Has the tree's index know all that was done until now.
    ///
    /// # Panics
    /// When it fails.
    pub async fn index(&self) {
        while self.tree.place_events().await.expect("placed") {}
        while self.tree.index_words(&self.words.path().join("words")).await.expect("indexed").may_go_on() {}
    }

    /// A new person of the enterprise.
    ///
    /// # Panics
    /// When the login is not one or is taken.
    pub async fn person(&self, login: &str, name: &str, role: UserRole) -> UserId {
        let login = Login::new(login).expect("a login");
        self.identity.create_user(self.enterprise, login, name, role).await.expect("a person").id
    }

    /// A new person of another enterprise, where they are alone.
    ///
    /// # Panics
    /// When the login is not one or is taken.
    pub async fn outsider(&self, login: &str, name: &str) -> UserId {
        let (enterprise, zone) = (EnterpriseId::new(self.world.next_id()), ZoneId::new(1));
        let row = Enterprise { id: enterprise, name: name.to_owned(), zone, created_at: self.world.now() };
        self.database
            .transact("create enterprise", move |tx| enterprises::create_enterprise(tx, &row))
            .await
            .expect("an enterprise");
        let login = Login::new(login).expect("a login");
        self.identity.create_user(enterprise, login, name, UserRole::User).await.expect("a person").id
    }

    /// What webhooks are to be told, in the order of what happened; it counts as told from then on.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn take_webhook_bodies(&self) -> Vec<String> {
        let now = self.world.now();
        let mut bodies = Vec::new();
        loop {
            let take = move |tx: &mut Tx<'_>| {
                let taken = deliveries::take(tx, WEBHOOKS, now, now, 100)?.deliveries;
                taken.iter().try_for_each(|delivery| deliveries::told(tx, delivery, now).map(drop))?;
                Ok::<_, entente_database::Error>(taken)
            };
            let taken = self.database.transact("take what webhooks are told", take).await.expect("taken");
            if taken.is_empty() {
                break;
            }
            bodies.extend(taken.into_iter().map(|one| (one.id.number, one.told.body.unwrap_or_default())));
        }
        bodies.sort();
        bodies.into_iter().map(|(_, body)| body).collect()
    }

    /// An application, whose service account is a user.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn app(&self) -> AppId {
        let new = NewApp::new(self.enterprise, "An application".to_owned(), UserRole::User);
        self.identity.create_app(new).await.expect("an app").app
    }

    /// A new group of the enterprise, which everybody may invite.
    ///
    /// # Panics
    /// When the name is taken.
    pub async fn group(&self, name: &str, members: &[UserId]) -> GroupId {
        let (id, at) = (GroupId::new(self.world.next_id()), self.world.now());
        let group = Group {
            id,
            enterprise: self.enterprise,
            name: name.to_owned(),
            description: String::new(),
            provenance: String::new(),
            external_id: String::new(),
            invitability: GroupAudience::Everybody,
            viewability: GroupAudience::Everybody,
            created_at: at,
            modified_at: at,
        };
        let membership = |user: &UserId| Membership {
            id: MembershipId::new(self.world.next_id()),
            group: id,
            user: *user,
            role: MembershipRole::Member,
            permissions: None,
            created_at: at,
            modified_at: at,
        };
        let memberships: Vec<Membership> = members.iter().map(membership).collect();
        let make = move |tx: &mut Tx<'_>| {
            groups::insert(tx, &group)?;
            memberships.iter().try_for_each(|one| memberships::insert(tx, one))
        };
        self.database.transact("create group", make).await.expect("a group");
        id
    }

    /// Keeps a user out from now on.
    ///
    /// # Panics
    /// When the database fails.
    pub async fn deactivate(&self, user: UserId) {
        let at = self.world.now();
        let change = UserChange { status: Some(UserStatus::Inactive), ..UserChange::default() };
        let update = move |tx: &mut Tx<'_>| users::update(tx, user, &change, at);
        self.database.transact("deactivate", update).await.expect("a change");
    }

    /// What a door makes of a token of that person.
    #[must_use]
    pub fn caller(&self, user: UserId, role: UserRole) -> Caller {
        Caller {
            user,
            enterprise: self.enterprise,
            role,
            app: None,
            scopes: Scopes::ALL,
            confined: None,
            through: None,
            link: None,
        }
    }

    /// A bearer token for that person.
    ///
    /// # Panics
    /// When there is no such person.
    pub async fn token(&self, user: UserId, scopes: Scopes, lifetime: Duration) -> String {
        let issue = IssueToken { user, app: None, scopes, lifetime };
        self.identity.issue(issue).await.expect("a token").secret.expose().to_owned()
    }
}
