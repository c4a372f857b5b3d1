//! `entente policy`

use super::backend::{entries, rows};
use super::open;
use crate::asking::Running;
use crate::cli::{PolicyAssignArgs, PolicyVerb, Target};
use crate::exit::{Exit, Failure};
use crate::output::print;
use crate::storage::table;
use crate::store::Store;
use entente_database::policies;
use entente_model::{Caller, Scopes, UserRole};
use entente_tree::{Assignee, Tree};
use entente_vault::Limits;
use entente_world::World;
use serde_json::json;

pub(crate) async fn run(world: &World, verb: PolicyVerb) -> Result<Exit, Failure> {
    match verb {
        PolicyVerb::List(target) => list(world, &target).await,
        PolicyVerb::Assign(arguments) => assign(world, arguments).await,
    }
}

async fn list(world: &World, target: &Target) -> Result<Exit, Failure> {
    let (store, format) = open(world, target)?;
    let policies = match Running::on(&store.data) {
        Some(server) => entries(server.get(&store, "/admin/v1/policies").await?),
        None => store.storage().await?.policies().await?,
    };
    print(format, &policies, || {
        let columns = ["name", "zone", "primary", "replicas", "durable", "default", "assignments", "segments", "bytes"];
        let head = ["NAME", "ZONE", "PRIMARY", "REPLICAS", "DURABLE", "DEFAULT", "ASSIGNED", "SEGMENTS", "BYTES"];
        table(&head, &rows(&policies, &columns))
    });
    Ok(Exit::Done)
}

async fn assign(world: &World, arguments: PolicyAssignArgs) -> Result<Exit, Failure> {
    let (store, format) = open(world, &arguments.target)?;
    let (assignee, called) = assignee(&store, &arguments)?;
    let policy = store.database.read(|tx| policies::by_name(tx, &arguments.policy))?;
    let policy = policy.filter(|policy| policy.standing == entente_database::backends::Standing::Configured);
    let unknown = || {
        let message =
            format!("there is no policy {:?}; `entente policy list` shows those that there are", arguments.policy);
        Failure::new(Exit::Usage, message)
    };
    let policy = policy.ok_or_else(unknown)?;
    let opened = store.vault(Limits::default()).await?;
    let tree = Tree::new(world.clone(), store.database.clone(), opened.vault);
    let user = store.administrator().await?.id;
    let enterprise = store.enterprise.id;
    let caller = Caller {
        user,
        enterprise,
        role: UserRole::Admin,
        app: None,
        scopes: Scopes::ALL,
        confined: None,
        through: None,
        link: None,
    };
    // One that there is already is changed.
    let assigned = match tree.assign_policy(&caller, assignee, policy.id).await {
        Err(entente_tree::Error::PolicyAssigned) => tree.reassign_policy(&caller, assignee, policy.id).await,
        assigned => assigned,
    };
    assigned.map_err(anyhow::Error::from)?;
    let value = json!({ "policy": policy.name, "policy_id": policy.id.to_string(), "assigned_to": called });
    print(format, &value, || {
        format!("assigned {} to {called}; a running server moves what is stored already", policy.name)
    });
    Ok(Exit::Done)
}

fn assignee(store: &Store, arguments: &PolicyAssignArgs) -> Result<(Assignee, String), Failure> {
    if let Some(login) = &arguments.login {
        let user = store.identity().user_by_login(login)?;
        return Ok((Assignee::User(user.id), user.login));
    }
    let enterprise = &store.enterprise;
    let named = arguments.enterprise.as_deref().unwrap_or_default();
    if named != enterprise.name && named != enterprise.id.to_string() {
        let message = format!("there is no enterprise {named:?}; this store's is {:?}", enterprise.name);
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok((Assignee::Enterprise(enterprise.id), enterprise.name.clone()))
}
