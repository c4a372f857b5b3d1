//! Processes that share a database make ids that never meet.

use crate::kit::ServerKit;
use entente_database::Database;
use entente_model::Timestamp;
use entente_world::World;
use std::collections::BTreeSet;

/// Ten low bits of an id tell the process.
fn number(world: &World) -> i64 {
    world.next_id() & 1023
}

#[tokio::test(start_paused = true)]
async fn nodes_that_would_draw_the_same_bits_have_numbers_of_their_own() {
    let kit = ServerKit::new();
    let at = Timestamp::from_millis(1_900_000_000_000);
    let worlds: Vec<World> = (0..5).map(|_| World::simulated(7, at)).collect();
    let open = |world: &World| Database::connect(world.clone(), &kit.options()).unwrap();
    let mut nodes: Vec<Database> = worlds.iter().map(open).collect();
    let numbers: BTreeSet<i64> = worlds.iter().map(number).collect();
    assert_eq!(numbers.len(), 5);
    // A number that was given back is free for the next.
    drop(nodes.remove(2));
    let next = World::simulated(7, at);
    nodes.push(open(&next));
    assert_eq!(number(&next), number(&worlds[2]));
}

#[tokio::test]
async fn a_node_that_vanished_leaves_its_number_after_a_while() {
    let kit = ServerKit::new();
    drop(kit.open());
    kit.execute("INSERT INTO nodes (number, id, leased_until) VALUES (0, 5, 9000000000000), (1, 6, 1000)");
    kit.execute("INSERT INTO writers (id, node_id, batch) VALUES (50, 5, 1), (60, 6, 1)");
    let world = World::real();
    let node = Database::connect(world.clone(), &kit.options()).unwrap();
    assert_eq!(number(&world), 1);
    assert_eq!(kit.execute("SELECT string_agg(id::text, ' ') FROM writers"), "50", "its writers are forgotten");
    drop(node);
    assert_eq!(kit.execute("SELECT string_agg(number::text, ' ') FROM nodes"), "0");
}
