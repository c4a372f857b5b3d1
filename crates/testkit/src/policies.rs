//! More than one storage policy.

use crate::Stage;
use entente_clouds::memory::MemoryBackend;
use entente_database::backends::Standing;
use entente_database::policies::{self, Reach, StoragePolicy};
use entente_model::{BackendId, PolicyId, ZoneId};
use entente_vault::topology::{Member, Policy, Zone};
use std::sync::Arc;

impl Stage {
    /// Another configured policy: one copy on a backend of its own, which is answered, in that zone.
    ///
    /// # Panics
    /// When there is a policy of that name.
    pub async fn add_policy(&self, name: &str, zone: ZoneId) -> (PolicyId, MemoryBackend) {
        let backend = MemoryBackend::new(self.world.clone());
        let (policy, place) = (PolicyId::new(self.world.next_id()), BackendId::new(self.world.next_id()));
        let mut topology = self.vault.topology().as_ref().clone();
        let first = topology.zones.values().next().expect("a zone");
        let custodian = Arc::clone(&first.custodian);
        let member = first.backends.values().next().expect("a backend").clone();
        let member = Member { cloud: Arc::new(backend.clone()), ..member };
        let zones = topology.zones.entry(zone).or_insert(Zone { backends: [].into(), custodian });
        zones.backends.insert(place, member);
        topology.policies.insert(policy, Policy::single(zone, place));
        self.vault.reconfigure(topology);
        self.put_policy(StoragePolicy {
            id: policy,
            name: name.to_owned(),
            zone,
            reach: Reach::Assigned,
            standing: Standing::Configured,
        })
        .await;
        (policy, backend)
    }

    /// Writes a policy into the database as a configuration would.
    ///
    /// # Panics
    /// When another has its name.
    pub async fn put_policy(&self, policy: StoragePolicy) {
        let now = self.world.now();
        let put = move |tx: &mut entente_database::Tx<'_>| policies::put(tx, &policy, now);
        self.database.transact("put storage policy", put).await.expect("a storage policy");
    }
}
