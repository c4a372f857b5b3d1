use super::*;
use crate::{Backend, Creation, Error, ErrorKind, ObjectName, conformance, conformance::Check, memory::MemoryBackend};
use bytes::Bytes;
use entente_model::Timestamp;
use entente_world::World;
use futures_util::{FutureExt, future::join_all};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

const NAME: ObjectName = ObjectName::new([1; 16]);
const UNAVAILABLE: Fault = Fault::Error { kind: ErrorKind::Unavailable, retryable: true };
const LOST_ANSWER: Fault = Fault::ErrorAfter { kind: ErrorKind::Unavailable, retryable: true };
const SETTINGS: RetrySettings =
    RetrySettings { tries_max: 4, wait_first: Duration::from_millis(100), wait_max: Duration::from_secs(10) };

fn world() -> World {
    World::simulated(1, Timestamp::from_millis(0))
}

/// What went on: the operations that reached the backend.
type Log = Arc<Mutex<Vec<&'static str>>>;

/// A backend in memory that has these faults, each once, in the operations of this name.
fn faulty(memory: &MemoryBackend, operation: &'static str, faults: &[Fault]) -> (Arc<dyn Backend>, Log) {
    let left = Mutex::new(VecDeque::from(faults.to_vec()));
    let log = Log::default();
    let logged = Arc::clone(&log);
    let plan = move |performed, _| {
        logged.lock().unwrap().push(performed);
        if performed == operation { left.lock().unwrap().pop_front() } else { None }
    };
    (Arc::new(Faulty::new(Arc::new(memory.clone()), plan)), log)
}

async fn create(backend: &dyn Backend, pieces: &[&'static str]) -> Result<(), Error> {
    let mut creation = backend.create(NAME).await?;
    for piece in pieces {
        creation.write(Bytes::from_static(piece.as_bytes())).await?;
    }
    creation.commit().await
}

#[tokio::test(start_paused = true)]
async fn a_backend_in_all_guards_conforms() {
    let world = world();
    let memory = MemoryBackend::new(world.clone());
    let faulty = Arc::new(Faulty::new(Arc::new(memory), |_, _| None));
    let settings = TimeoutSettings { operation: Duration::from_secs(1), bytes_per_second_min: 1_000_000 };
    let timeout = Arc::new(Timeout::new(faulty, world.clone(), settings));
    let limit = Arc::new(Limit::new(timeout, 3));
    let retry = Arc::new(Retry::new(limit, world.clone(), SETTINGS));
    let meter = Meter::new(retry, world.clone(), "memory");
    conformance::run(&meter, &world).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_fails_now_and_then_conforms_when_retried() {
    let world = world();
    let memory = MemoryBackend::new(world.clone());
    let count = Mutex::new(0_u32);
    let plan = move |_: &'static str, _: ObjectName| {
        let mut count = count.lock().unwrap();
        *count += 1;
        match *count % 97 {
            30 => Some(UNAVAILABLE),
            70 => Some(LOST_ANSWER),
            _ => None,
        }
    };
    let retry = Retry::new(
        Arc::new(Faulty::new(Arc::new(memory.clone()), plan)),
        world.clone(),
        RetrySettings { tries_max: 100, ..SETTINGS },
    );
    for check in [Check::ReadsBack, Check::Ranges, Check::Listings, Check::Deletes] {
        check.run(&retry, &world).await.unwrap();
    }
    assert_eq!(memory.names(), []);
}

#[tokio::test(start_paused = true)]
async fn retries_end_and_wait_longer_each_time() {
    let world = world();
    let memory = MemoryBackend::new(world.clone());
    let (inner, log) = faulty(&memory, "stat", &[UNAVAILABLE; 10]);
    let retry = Retry::new(inner, world.clone(), SETTINGS);
    let begun = world.instant();
    let error = retry.stat(NAME).await.unwrap_err();
    assert_eq!((error.kind, log.lock().unwrap().len()), (ErrorKind::Unavailable, 4));
    // 100 + 200 + 400 ms, less up to a half.
    let waited = begun.elapsed();
    assert!(waited > Duration::from_millis(350) && waited <= Duration::from_millis(705), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_retryable_is_not_retried() {
    let memory = MemoryBackend::new(world());
    for kind in [ErrorKind::Failed, ErrorKind::Full, ErrorKind::Denied] {
        let (inner, log) = faulty(&memory, "read", &[Fault::Error { kind, retryable: false }]);
        let retry = Retry::new(inner, world(), SETTINGS);
        assert_eq!(retry.read(NAME, 0..1).await.unwrap_err().kind, kind);
        assert_eq!(log.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_was_lost_has_succeeded() {
    let memory = MemoryBackend::new(world());
    let (inner, log) = faulty(&memory, "commit", &[LOST_ANSWER]);
    create(&Retry::new(inner, world(), SETTINGS), &["he", "llo"]).await.unwrap();
    assert_eq!(memory.raw(NAME).unwrap(), "hello");
    let expected = ["create", "write", "write", "commit", "create", "write", "write", "commit", "stat"];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_taken_before_stays_taken() {
    let memory = MemoryBackend::new(world());
    memory.replace(NAME, Bytes::from_static(b"other"));
    let (inner, _) = faulty(&memory, "commit", &[]);
    let error = create(&Retry::new(inner, world(), SETTINGS), &["hello"]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    // Nor is an object of another size taken for ours after a commit that was not performed.
    let (inner, _) = faulty(&memory, "commit", &[UNAVAILABLE]);
    let error = create(&Retry::new(inner, world(), SETTINGS), &["longer"]).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyExists);
    assert_eq!(memory.raw(NAME).unwrap(), "other");
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_is_made_good_and_never_doubled() {
    for fault in [UNAVAILABLE, LOST_ANSWER] {
        let memory = MemoryBackend::new(world());
        let (inner, _) = faulty(&memory, "write", &[fault, fault]);
        create(&Retry::new(inner, world(), SETTINGS), &["he", "ll", "o"]).await.unwrap();
        assert_eq!(memory.raw(NAME).unwrap(), "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_too_large_to_keep_is_not_repeated() {
    let memory = MemoryBackend::new(world());
    let (inner, log) = faulty(&memory, "commit", &[UNAVAILABLE]);
    let retry = Retry::new(inner, world(), SETTINGS);
    let mut creation = retry.create(NAME).await.unwrap();
    for _ in 0..17 {
        creation.write(Bytes::from(vec![0; 1024 * 1024])).await.unwrap();
    }
    assert_eq!(creation.commit().await.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(log.lock().unwrap().iter().filter(|operation| **operation == "create").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_times_out_and_large_reads_get_more_time() {
    let world = world();
    let memory = MemoryBackend::new(world.clone());
    let settings = TimeoutSettings { operation: Duration::from_secs(2), bytes_per_second_min: 1000 };
    for (range, seconds) in [(0..1, 2), (0..5000, 7)] {
        let (inner, _) = faulty(&memory, "read", &[Fault::Hang]);
        let timeout = Timeout::new(inner, world.clone(), settings);
        let begun = world.instant();
        let error = timeout.read(NAME, range).await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (ErrorKind::Unavailable, true));
        assert_eq!(begun.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_with_a_write_that_timed_out_is_given_up() {
    let memory = MemoryBackend::new(world());
    let (inner, _) = faulty(&memory, "write", &[Fault::Hang]);
    let settings = TimeoutSettings { operation: Duration::from_secs(2), bytes_per_second_min: 0 };
    let timeout = Timeout::new(inner, world(), settings);
    let mut creation = timeout.create(NAME).await.unwrap();
    assert!(creation.write(Bytes::from_static(b"lost")).await.unwrap_err().retryable);
    assert_eq!(creation.write(Bytes::from_static(b"more")).await.unwrap_err().kind, ErrorKind::Failed);
    assert_eq!(creation.commit().await.unwrap_err().kind, ErrorKind::Failed);
    assert_eq!(memory.names(), []);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_limit_run_at_once() {
    let memory = MemoryBackend::new(world());
    let (inner, log) = faulty(&memory, "stat", &[Fault::Hang; 8]);
    let limit = Limit::new(inner, 3);
    let mut waiting = Box::pin(join_all((0..8).map(|_| limit.stat(NAME))));
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(log.lock().unwrap().len(), 3);
    // Who is dropped gives its place back.
    drop(waiting);
    assert!(limit.read(NAME, 0..1).now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_creation_that_is_not_being_written_takes_no_place() {
    let limit = Limit::new(Arc::new(MemoryBackend::new(world())), 1);
    let mut idle: Box<dyn Creation> = limit.create(NAME).await.unwrap();
    idle.write(Bytes::from_static(b"slow")).await.unwrap();
    assert_eq!(limit.stat(NAME).await.unwrap_err().kind, ErrorKind::NotFound);
    idle.commit().await.unwrap();
}

#[tokio::test]
async fn a_corrupt_read_has_one_other_bit() {
    let memory = MemoryBackend::new(World::real());
    memory.replace(NAME, Bytes::from_static(&[0; 4]));
    let (inner, _) = faulty(&memory, "read", &[Fault::Corrupt { bit: 9 }, Fault::Corrupt { bit: 32 + 31 }]);
    assert_eq!(inner.read(NAME, 0..4).await.unwrap(), [0, 2, 0, 0][..]);
    assert_eq!(inner.read(NAME, 0..4).await.unwrap(), [0, 0, 0, 128][..]);
    assert_eq!(inner.read(NAME, 0..4).await.unwrap(), [0; 4][..]);
}

#[tokio::test(start_paused = true)]
async fn a_mark_whose_answer_was_lost_is_ours_if_it_says_so() {
    for (before, expected) in [(None, Ok(())), (Some("theirs"), Err(ErrorKind::AlreadyExists))] {
        let memory = MemoryBackend::new(world());
        if let Some(before) = before {
            memory.mark(Bytes::from_static(before.as_bytes())).await.unwrap();
        }
        let fault = if before.is_some() { UNAVAILABLE } else { LOST_ANSWER };
        let (inner, _) = faulty(&memory, "mark", &[fault]);
        let marked = Retry::new(inner, world(), SETTINGS).mark(Bytes::from_static(b"ours")).await;
        assert_eq!(marked.map_err(|error| error.kind), expected);
        assert_eq!(memory.marker().await.unwrap().unwrap(), before.unwrap_or("ours"));
    }
}
