//! Ids do not repeat, also when the clock has been set back between two starts.

use crate::kit::Kit;
use entente_database::enterprises::{Enterprise, create_enterprise};
use entente_database::{Database, Error, jobs};
use entente_model::{BackendId, EnterpriseId, EpochId, JobId, PolicyId, Timestamp, ZoneId};
use entente_vault::{EpochRecord, KeyContext, Ledger, ObjectName, WrappedKey};
use entente_world::World;

const LATER: Timestamp = Timestamp::from_millis(1_900_000_000_000);
const EARLIER: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The same process, as far as ids go, started at that time.
fn start(kit: &Kit, at: Timestamp) -> (World, Database) {
    let world = World::simulated(7, at);
    let database = kit.open_in(world.clone());
    (world, database)
}

#[tokio::test(start_paused = true)]
async fn an_id_of_any_table_is_not_given_again_after_the_clock_went_back() {
    for table in 0..4 {
        let kit = Kit::new();
        let (world, database) = start(&kit, LATER);
        let id = world.next_id();
        match table {
            0 => drop(
                database
                    .reserve(PolicyId::new(1), &[vec![(BackendId::new(1), ObjectName::new([1; 16]))]], LATER)
                    .await
                    .unwrap(),
            ),
            1 => {
                let context =
                    KeyContext { enterprise: EnterpriseId::new(1), zone: ZoneId::new(1), epoch: EpochId::new(id) };
                let wrapped = WrappedKey { key_encryption_key: "k".to_owned(), bytes: vec![1] };
                database.add_epoch(EpochRecord { context, wrapped, created_at: LATER }).await.unwrap();
            }
            2 => {
                let new = Enterprise {
                    id: EnterpriseId::new(id),
                    name: "e".to_owned(),
                    zone: ZoneId::new(1),
                    created_at: LATER,
                };
                database.transact("create", move |tx| create_enterprise(tx, &new)).await.unwrap();
            }
            _ => {
                let enqueue = move |tx: &mut entente_database::Tx<'_>| -> Result<(), Error> {
                    let new = jobs::NewJob { job: JobId::new(id), kind: "k", key: "", payload: "", run_at: LATER };
                    jobs::enqueue(tx, &new, LATER)
                };
                database.transact("enqueue", enqueue).await.unwrap();
            }
        }
        drop(database);
        let (world, _database) = start(&kit, EARLIER);
        assert!(world.next_id() > id, "table {table}");
    }
}
