//! Bytes stay in their zone, whatever fails and whatever is reconfigured meanwhile.

use crate::kit::plaintext;
use crate::memory_ledger::MemoryLedger;
use crate::spot::Spot;
use bytes::Bytes;
use entente_clouds::guard::Fault;
use entente_clouds::{Backend, ErrorKind};
use entente_custodians::local::LocalCustodian;
use entente_model::{BackendId, EnterpriseId, PolicyId, Timestamp, ZoneId};
use entente_vault::topology::{Member, OnPrimaryDown, Pace, Policy, Zone};
use entente_vault::{Limits, Replica, Scope, Topology, Vault, Written};
use entente_world::World;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

const ZONES: i64 = 4;
const BACKENDS: i64 = 3;
const POLICIES: i64 = 2;
/// The length of a sealed chunk's marker and salt.
const HEADER: usize = 20;

fn zone_of(backend: BackendId) -> i64 {
    backend.number() / 10
}

struct Atlas {
    world: World,
    spots: BTreeMap<BackendId, Spot>,
    custodian: Arc<LocalCustodian>,
}

impl Atlas {
    fn new(seed: u64) -> Self {
        let world = World::simulated(seed, Timestamp::from_millis(1_800_000_000_000));
        let ids = (1..=ZONES).flat_map(|zone| (0..BACKENDS).map(move |number| BackendId::new(zone * 10 + number)));
        let spots = ids.map(|id| (id, Spot::new(&world))).collect();
        let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
        Self { world, spots, custodian }
    }

    fn pick(&self, below: i64) -> i64 {
        i64::try_from(self.world.random().below(u64::try_from(below).unwrap())).unwrap()
    }

    fn backend(&self, zone: i64) -> BackendId {
        BackendId::new(zone * 10 + self.pick(BACKENDS))
    }

    /// Zones that stay, and everything else at random: what policies name (also what is not theirs), redirects (also into
    /// other zones), members that are missing.
    fn topology(&self) -> Topology {
        let mut topology = Topology::default();
        for zone in 1..=ZONES {
            let members = self.spots.iter().filter(|(id, _)| zone_of(**id) == zone && self.pick(8) > 0);
            let member = |(id, spot): (&BackendId, &Spot)| {
                let provider = if id.number() % 2 == 0 { "even" } else { "odd" }.to_owned();
                let pace = if self.pick(3) > 0 { Pace::Cloud } else { Pace::Disk };
                let cloud = Arc::new(spot.clone()) as Arc<dyn Backend>;
                (*id, Member { cloud, provider, rank: 0, pace, health: None })
            };
            let backends = members.map(member).collect();
            let custodian = Arc::clone(&self.custodian) as Arc<_>;
            topology.zones.insert(ZoneId::new(zone), Zone { backends, custodian });
            for number in 0..POLICIES {
                let mut policy = Policy::single(ZoneId::new(zone), self.backend(zone));
                for _ in 0..self.pick(4) {
                    let foreign = self.pick(4) == 0;
                    policy.replicas.push(self.backend(if foreign { 1 + self.pick(ZONES) } else { zone }));
                }
                policy.durable = u32::try_from(1 + self.pick(2)).unwrap();
                policy.providers_min = u32::try_from(self.pick(2)).unwrap();
                if self.pick(4) == 0 {
                    policy.on_primary_down = OnPrimaryDown::Refuse;
                }
                topology.policies.insert(PolicyId::new(zone * 10 + number), policy);
            }
        }
        for _ in 0..self.pick(4) {
            let (from, to) = (self.backend(1 + self.pick(ZONES)), self.backend(1 + self.pick(ZONES)));
            topology.redirects.insert(from, to);
        }
        topology
    }

    fn trouble(&self) {
        for spot in self.spots.values() {
            spot.heal();
            let step = ["create", "write", "commit", "read"][usize::try_from(self.pick(4)).unwrap()];
            match self.pick(8) {
                0 => spot.fail(step, Fault::Hang),
                1 => spot.fail(step, Fault::Error { kind: ErrorKind::Unavailable, retryable: true }),
                2 => spot.fail(step, Fault::ErrorAfter { kind: ErrorKind::Failed, retryable: false }),
                3 => spot.delay(step, Duration::from_millis(self.world.random().below(4000))),
                4 => spot.fail("read", Fault::Corrupt { bit: self.world.random().below(100_000) }),
                _ => {}
            }
        }
    }
}

/// One client of one policy: writes marked contents, and reads back what it has written.
async fn client(atlas: &Atlas, vault: &Vault, ledger: &MemoryLedger, scope: Scope) -> Vec<(Written, usize)> {
    let mut all: Vec<(Written, usize)> = Vec::new();
    for round in 0..30_usize {
        atlas.world.sleep(Duration::from_millis(atlas.world.random().below(1000))).await;
        let length = if round % 10 == 9 { 300_000 + round } else { 100 + round };
        let plain = plaintext(length);
        let pieces: Vec<_> = plain.chunks(70_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let write = vault.write(scope, u64::MAX, futures_util::stream::iter(pieces));
        if let Ok(Ok(written)) = tokio::time::timeout(Duration::from_secs(20), write).await {
            ledger.commit(&written);
            all.push((written, length));
        }
        if let Some((written, length)) = all.last() {
            let mut reading = vault.read(written.manifest.clone(), Vec::new(), 0..u64::MAX);
            let whole = async {
                let mut bytes = Vec::new();
                while let Some(piece) = reading.next().await? {
                    bytes.extend_from_slice(&piece);
                }
                Ok::<_, entente_vault::Error>(bytes)
            };
            if let Ok(Ok(bytes)) = tokio::time::timeout(Duration::from_secs(20), whole).await {
                assert!(bytes == plaintext(*length), "never wrong bytes");
            }
        }
    }
    all
}

async fn history(seed: u64) -> (usize, usize) {
    let atlas = Atlas::new(seed);
    let ledger = MemoryLedger::default();
    let vault = Vault::new(atlas.world.clone(), Arc::new(ledger.clone()), atlas.topology(), Limits::default());
    let scopes = (1..=ZONES).flat_map(|zone| {
        (0..POLICIES).map(move |number| Scope {
            enterprise: EnterpriseId::new(1),
            zone: ZoneId::new(zone),
            policy: PolicyId::new(zone * 10 + number),
        })
    });
    let clients = scopes.flat_map(|scope| [scope, scope]).map(|scope| client(&atlas, &vault, &ledger, scope));
    let clients = futures_util::future::join_all(clients);
    let unrest = async {
        loop {
            atlas.world.sleep(Duration::from_millis(100 + atlas.world.random().below(3000))).await;
            atlas.trouble();
            if atlas.pick(2) == 0 {
                vault.reconfigure(atlas.topology());
            }
        }
    };
    let written: Vec<_> = tokio::select! {
        all = clients => all.into_iter().flatten().collect(),
        () = unrest => unreachable!(),
    };

    // Every object was meant for a policy of the zone that its backend is in.
    let mut objects = 0;
    for (id, spot) in &atlas.spots {
        for name in spot.names("create") {
            let policy = ledger.meant_for(*id, name).expect("every object is in the ledger before its first byte");
            assert_eq!(policy.number() / 10, zone_of(*id), "seed {seed}: an object of policy {policy} on {id}");
            objects += 1;
        }
    }
    // And no chunk that was sealed in one zone is anywhere else: each is known by its header.
    let headers: BTreeMap<_, _> = atlas.spots.iter().map(|(id, spot)| (*id, headers(spot))).collect();
    for (content, _) in &written {
        let zone = content.manifest.zone.number();
        for place in &content.manifest.places {
            let replicas = ledger.replicas(place.segment);
            let raw = |replica: &Replica| atlas.spots[&replica.backend].objects.raw(replica.name);
            let bytes = replicas.iter().find_map(raw).expect("an acknowledged chunk is somewhere");
            let from = usize::try_from(place.offset).unwrap();
            let header = &bytes[from..from + HEADER];
            let at: Vec<_> = headers.iter().filter(|(_, all)| all.contains(header)).map(|(id, _)| *id).collect();
            assert!(!at.is_empty() && at.iter().all(|id| zone_of(*id) == zone), "seed {seed}: zone {zone}, at {at:?}");
        }
    }
    (written.len(), objects)
}

/// The marker and salt of every sealed chunk in the objects of a backend.
fn headers(spot: &Spot) -> HashSet<Vec<u8>> {
    let objects = spot.objects.names().into_iter().map(|name| spot.objects.raw(name).unwrap());
    let found = |bytes: Bytes| -> Vec<_> {
        bytes.windows(HEADER).filter(|window| window.starts_with(b"ENT\x01")).map(<[u8]>::to_vec).collect()
    };
    objects.flat_map(found).collect()
}

#[tokio::test(start_paused = true)]
async fn no_byte_leaves_its_zone() {
    let (mut written, mut objects) = (0, 0);
    for seed in 0..3 {
        let (more, objects_more) = history(seed).await;
        written += more;
        objects += objects_more;
    }
    assert!(written > 400 && objects > written / 4, "{written} contents, {objects} objects");
}
