//! Relocations and scrubs as they are stored.

use crate::kit::Kit;
use entente_database::relocations::{self, Moved, Progress, Relocation, State};
use entente_database::scrubs::{self, Found};
use entente_database::{Database, Error, Tx};
use entente_model::{BackendId, ItemId, PolicyId, RelocationId, Timestamp, UserId};
use entente_vault::{Ledger, ObjectName};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

async fn run<T: Send + 'static>(
    database: &Database,
    function: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> T {
    database.transact("test", function).await.unwrap()
}

fn relocation(id: i64, moved: Moved) -> Relocation {
    Relocation {
        id: RelocationId::new(id),
        moved,
        state: State::Running,
        in_force: matches!(moved, Moved::Backend { .. }),
        rate: None,
        grace: Duration::from_millis(1_500),
        progress: Progress::default(),
        created_at: Timestamp::from_millis(1_000),
        modified_at: Timestamp::from_millis(1_000),
        ended_at: None,
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[tokio::test]
async fn a_relocation_lives_from_its_order_to_its_end() {
    let kit = Kit::new();
    let database = kit.open();
    let (from, to) = (BackendId::new(1), BackendId::new(2));
    let orders = [
        relocation(10, Moved::Backend { from, to, policy: None }),
        relocation(11, Moved::User { user: UserId::new(5), policy: PolicyId::new(6) }),
        relocation(12, Moved::Folder { folder: ItemId::new(7), policy: PolicyId::new(6) }),
        Relocation {
            rate: Some(9_000),
            ..relocation(13, Moved::Backend { from: to, to: from, policy: Some(PolicyId::new(1)) })
        },
    ];
    let rows = orders.clone();
    run(&database, move |tx| rows.iter().try_for_each(|row| relocations::insert(tx, row))).await;
    let mut newest_first = orders.to_vec();
    newest_first.reverse();
    assert_eq!(database.read(|tx| relocations::before(tx, None, 10)).unwrap(), newest_first);
    assert_eq!(database.read(|tx| relocations::open(tx, 10)).unwrap(), orders);
    let [first, .., last] = &orders;
    let (first, last) = (first.id, last.id);
    let redirects = |database: &Database| {
        let found = database.read(relocations::redirects).unwrap();
        found.into_iter().map(|found| (found.id, found.is_done)).collect::<Vec<_>>()
    };
    assert_eq!(redirects(&database), [(first, false), (last, false)]);

    let progress = Progress {
        position: Some(vec![1, 2, 3]),
        passes: 4,
        found: 5,
        pieces_total: 6,
        bytes_total: 7,
        pieces_done: 8,
        bytes_done: 9,
        removed: 10,
        failures: 11,
        last_error: "é".repeat(1_000),
        unreadable: 12,
        barren: 13,
    };
    let stored = progress.clone();
    assert!(run(&database, move |tx| relocations::save_progress(tx, first, State::Running, &stored, at(2_000))).await);
    let found = database.read(|tx| relocations::by_id(tx, first)).unwrap().unwrap();
    assert_eq!(found.progress, Progress { last_error: "é".repeat(500), ..progress.clone() }, "cut at a letter");
    assert_eq!(found.modified_at, at(2_000));

    let change = |from, to| move |tx: &mut Tx<'_>| relocations::change_state(tx, first, from, to, at(3_000));
    assert!(run(&database, change(State::Running, State::Paused)).await);
    assert!(!run(&database, change(State::Running, State::Paused)).await, "it is paused already");
    let late = progress.clone();
    let late = move |tx: &mut Tx<'_>| relocations::save_progress(tx, first, State::Running, &late, at(3_000));
    assert!(!run(&database, late).await, "a slice that ends after a pause stores nothing");
    assert!(run(&database, change(State::Paused, State::Running)).await);
    let found = database.read(|tx| relocations::by_id(tx, first)).unwrap().unwrap();
    assert_eq!((found.progress.position, found.progress.found), (None, 0), "it begins a new pass");
    assert_eq!((found.progress.unreadable, found.progress.barren), (0, 0), "and waits for nothing");
    assert!(run(&database, move |tx| relocations::end(tx, first, State::Running, at(4_000))).await);
    assert!(!run(&database, move |tx| relocations::end(tx, first, State::Running, at(4_000))).await);
    assert_eq!(redirects(&database), [(first, true), (last, false)], "one that is done stays in force");

    let cancel =
        move |tx: &mut Tx<'_>| relocations::change_state(tx, last, State::Running, State::Cancelled, at(5_000));
    assert!(run(&database, cancel).await);
    assert_eq!(redirects(&database), [(first, true)], "one that is cancelled does not");
    assert_eq!(database.read(|tx| relocations::open(tx, 10)).unwrap().len(), 3, "it has to bring back what it moved");
    run(&database, move |tx| relocations::retire(tx, &[first, last])).await;
    assert_eq!(redirects(&database), []);
    assert_eq!(database.read(|tx| relocations::by_id(tx, RelocationId::new(99))).unwrap(), None);
}

#[tokio::test]
async fn an_empty_store_has_nothing_to_move() {
    let kit = Kit::new();
    let database = kit.open();
    let backend = BackendId::new(1);
    let held = database.read(|tx| relocations::held(tx, backend, Some(PolicyId::new(1)))).unwrap();
    assert_eq!(held, relocations::Held::default());
    assert!(!database.read(|tx| relocations::holds_any(tx, backend, None)).unwrap());
    assert!(!database.read(|tx| relocations::is_unsettled(tx, at(1_000_000), MINUTE)).unwrap());
    assert!(!database.read(relocations::is_leaving).unwrap());
    let elsewhere = database.read(|tx| relocations::elsewhere(tx, UserId::new(1), PolicyId::new(1))).unwrap();
    assert_eq!(elsewhere, (0, 0));
}

#[tokio::test]
async fn what_may_still_be_committed_is_of_the_policy_and_of_these_minutes() {
    let kit = Kit::new();
    let database = kit.open();
    let (backend, now) = (BackendId::new(1), at(1_000_000));
    let (mine, others) = (PolicyId::new(1), PolicyId::new(2));
    let reserved = [
        (1, mine, now),
        (2, others, now),
        (3, mine, now.before(3 * MINUTE)),
        // By a clock that was ahead.
        (4, mine, now.after(24 * 60 * MINUTE)),
    ];
    for (number, policy, at) in reserved {
        database.reserve(policy, &[vec![(backend, ObjectName::new([number; 16]))]], at).await.unwrap();
    }
    let expected = |policy| {
        let names: Vec<_> = (1..=5).map(|number| ObjectName::new([number; 16])).collect();
        let within = now.before(MINUTE)..=now.after(MINUTE);
        database.read(move |tx| relocations::expected(tx, (backend, policy), &names, within)).unwrap()
    };
    assert_eq!((expected(Some(mine)), expected(Some(others)), expected(None)), (1, 1, 2));
    assert_eq!(expected(Some(PolicyId::new(3))), 0);
}

#[tokio::test]
async fn the_last_scrubs_of_a_backend_are_kept() {
    let kit = Kit::new();
    let database = kit.open();
    let (backend, other) = (BackendId::new(1), BackendId::new(2));
    for number in 1..=i64::from(scrubs::KEPT) + 5 {
        let mut scrub = run(&database, move |tx| scrubs::begin(tx, number, backend, at(number))).await;
        assert_eq!((scrub.number, scrub.ended_at), (number, None));
        let again = run(&database, move |tx| scrubs::begin(tx, number + 1, backend, at(number))).await;
        assert_eq!(again.number, number, "one at a time");
        scrub.position = Some(vec![7; 16]);
        scrub.found = Found { replicas: 3, unknown_bytes: 4, findings: "[1]".to_owned(), ..Found::default() };
        let stored = scrub.clone();
        assert!(run(&database, move |tx| scrubs::save(tx, &stored)).await);
        assert_eq!(database.read(|tx| scrubs::going_on(tx, backend)).unwrap(), Some(scrub.clone()));
        scrub.ended_at = Some(at(number));
        let ended = scrub.clone();
        assert!(run(&database, move |tx| scrubs::save(tx, &ended)).await);
        assert!(!run(&database, move |tx| scrubs::save(tx, &scrub)).await, "it has ended");
    }
    assert_eq!(database.read(|tx| scrubs::going_on(tx, backend)).unwrap(), None);
    let kept = database.read(|tx| scrubs::of(tx, backend, 1_000)).unwrap();
    assert_eq!(kept.len(), scrubs::KEPT as usize);
    assert!(kept.windows(2).all(|pair| pair[0].number > pair[1].number), "the newest first");
    assert!(database.read(|tx| scrubs::of(tx, other, 10)).unwrap().is_empty());
    assert_eq!(database.read(|tx| scrubs::unrepaired(tx, backend)).unwrap(), scrubs::Unrepaired::default());
}
