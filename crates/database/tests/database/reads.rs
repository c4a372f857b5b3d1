//! Reads see one state, while others write, and do not stand in one another's way.

use crate::kit::{AtGate, Gate, Kit, add_one, number, set, start, value};
use entente_database::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

#[tokio::test]
async fn a_read_sees_one_state_from_its_first_look_on() {
    let kit = Kit::new();
    let database = kit.open();
    let (gate, at_gate) = Gate::new();
    set(&database, "a", b"old").await.unwrap();
    let reader = database.clone();
    let reading = std::thread::spawn(move || {
        reader.read(|tx| {
            let before = entente_database::settings::value(tx, "a")?;
            at_gate.pass();
            Ok::<_, Error>((before, entente_database::settings::value(tx, "a")?))
        })
    });
    gate.reached();
    set(&database, "a", b"new").await.unwrap();
    assert_eq!(value(&database, "a").as_deref(), Some(b"new".as_slice()), "others see what is acknowledged");
    gate.open();
    let (before, after) = reading.join().unwrap().unwrap();
    assert_eq!((before.as_deref(), after.as_deref()), (Some(b"old".as_slice()), Some(b"old".as_slice())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_beside_writes_never_see_half_a_command() {
    let kit = Kit::new();
    let database = kit.open();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let both = database.read(|tx| Ok::<_, Error>((number(tx, "a")?, number(tx, "b")?)));
                    let (a, b) = both.unwrap();
                    assert_eq!(a, b);
                }
            });
        }
        let writes = (0..300).map(|_| database.transact("both", |tx| (add_one(tx, "a")?, add_one(tx, "b")).1));
        let written = futures_util::future::join_all(writes);
        let written = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(written));
        done.store(true, Ordering::Relaxed);
        assert!(written.into_iter().all(|count| count.is_ok()));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_reads_leave_a_connection_to_short_ones() {
    let kit = Kit::new();
    let database = kit.open_with_readers(2);
    set(&database, "a", b"1").await.unwrap();
    let ((gate, at_gate), (other_gate, at_other_gate)) = (Gate::new(), Gate::new());
    let long = |at_gate: AtGate| {
        database.read_long(move |tx| {
            at_gate.pass();
            number(tx, "b")
        })
    };
    let (mut first, mut second) = (pin!(long(at_gate)), pin!(long(at_other_gate)));
    start(first.as_mut()).await;
    gate.reached();
    start(second.as_mut()).await;
    for _ in 0..10_000 {
        assert!(value(&database, "a").is_some(), "a short read goes on");
    }
    gate.open();
    assert_eq!(first.await.unwrap(), 0);
    other_gate.open();
    assert_eq!(second.await.unwrap(), 0);
}

#[tokio::test]
async fn a_read_that_panics_costs_no_connection() {
    let kit = Kit::new();
    let database = kit.open_with_readers(1);
    let reader = database.clone();
    let panicked = std::thread::spawn(move || reader.read(|_| -> Result<(), Error> { panic!("on purpose") })).join();
    assert!(panicked.is_err());
    set(&database, "a", b"1").await.unwrap();
    assert!(value(&database, "a").is_some(), "it does not hold the old state for ever");
}
