//! Transactions that meet run again until each has seen the others, or not at all.

use crate::kit::{Gate, ServerKit, add_one, number, start};
use entente_database::postgres::Options;
use entente_database::{Database, Error, settings};
use entente_world::World;
use futures_util::future::join_all;
use std::pin::pin;

fn open(kit: &ServerKit, writers: usize) -> Database {
    Database::connect(World::real(), &Options { writers, ..kit.options() }).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_of_many_nodes_count_together() {
    let kit = ServerKit::new();
    let nodes = [open(&kit, 4), open(&kit, 4), open(&kit, 4)];
    let adds = (0..600).map(|turn| nodes[turn % 3].transact("add", |tx| add_one(tx, "count")));
    let mut counts: Vec<u64> = join_all(adds).await.into_iter().map(Result::unwrap).collect();
    counts.sort_unstable();
    assert!(counts.into_iter().eq(1..=600), "each saw all that came before it");
    assert_eq!(nodes[0].read(|tx| number(tx, "count")).unwrap(), 600);
}

/// Each takes from one of two, as long as something is left in both together: what only serializable transactions
/// can promise, for each changes another row than those that it decided by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_command_decided_by_still_holds_when_it_commits() {
    let kit = ServerKit::new();
    let nodes = [open(&kit, 2), open(&kit, 2)];
    let fill = |name: &'static str| nodes[0].transact("fill", move |tx| settings::set(tx, name, &20_u64.to_be_bytes()));
    fill("left").await.unwrap();
    fill("right").await.unwrap();
    let takes = (0..100).map(|turn| {
        let from = if turn % 2 == 0 { "left" } else { "right" };
        nodes[turn % 2].transact("take", move |tx| {
            let (left, right) = (number(tx, "left")?, number(tx, "right")?);
            let own = if from == "left" { left } else { right };
            if left + right <= 20 || own == 0 {
                return Ok::<_, Error>(false);
            }
            settings::set(tx, from, &(own - 1).to_be_bytes())?;
            Ok(true)
        })
    });
    let taken = join_all(takes).await.into_iter().filter(|taken| *taken.as_ref().unwrap()).count();
    assert_eq!(taken, 20);
    let left = nodes[0].read(|tx| Ok::<_, Error>(number(tx, "left")? + number(tx, "right")?)).unwrap();
    assert_eq!(left, 20);
}

/// Whoever was told of a commit, by whichever node, is never answered from before it: a transaction that is under way
/// has its snapshot, so what arrives later is not put into it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_sees_what_was_committed_before_it_was_given() {
    let kit = ServerKit::new();
    let (here, elsewhere) = (open(&kit, 1), open(&kit, 1));
    // Rows that are there already: those who change different ones do not meet.
    here.transact("make", |tx| add_one(tx, "others").and(add_one(tx, "count"))).await.unwrap();
    let (gate, at_gate) = Gate::new();
    let mut once = Some(at_gate);
    let first = here.transact("take long", move |tx| {
        let others = add_one(tx, "others")?;
        if let Some(gate) = once.take() {
            gate.pass();
        }
        Ok::<_, Error>(others)
    });
    let mut first = pin!(first);
    start(first.as_mut()).await;
    gate.reached();
    elsewhere.transact("add", |tx| add_one(tx, "count")).await.unwrap();
    let second = here.transact("look", |tx| number(tx, "count"));
    let mut second = pin!(second);
    start(second.as_mut()).await;
    gate.open();
    assert_eq!(first.await.unwrap(), 2);
    assert_eq!(second.await.unwrap(), 2);
}
