use super::*;
use crate::{Handlers, handler};
use entente_model::Timestamp;
use entente_testkit::Scratch;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

struct Site {
    _scratch: Scratch,
    world: World,
    database: Database,
}

impl Site {
    fn new() -> Self {
        let (scratch, world) = (Scratch::new(), World::real());
        let database = scratch.open(&world);
        Self { _scratch: scratch, world, database }
    }

    async fn enqueue(&self, kind: &'static str, key: &'static str, payload: &'static str) {
        let (job, now) = (JobId::new(self.world.next_id()), self.world.now());
        let queue = move |tx: &mut entente_database::Tx<'_>| {
            jobs::enqueue(tx, &NewJob { job, kind, key, payload, run_at: now }, now)
        };
        self.database.transact("enqueue", queue).await.unwrap();
    }

    fn runner(&self, handlers: Handlers) -> Runner {
        Runner::new(self.world.clone(), self.database.clone(), handlers, Settings::default())
    }

    async fn take(&self, now: Timestamp, until: Timestamp) -> Vec<Taken> {
        self.database.transact("take", move |tx| jobs::take(tx, now, until, 10)).await.unwrap()
    }

    fn counts(&self) -> jobs::Counts {
        let now = self.world.now();
        self.database.read(|tx| jobs::counts(tx, now)).unwrap()
    }

    async fn transact<T: Send + 'static>(
        &self,
        function: impl Fn(&mut entente_database::Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.database.transact("test", function).await.unwrap()
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[tokio::test]
async fn a_job_runs_once_and_is_gone() {
    let site = Site::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let handlers = Handlers::new().on(
        "greet",
        handler(move |run: Run| {
            told.lock().unwrap().push((run.key, run.payload, run.attempt));
            async { Ok(Outcome::Done) }
        }),
    );
    let runner = site.runner(handlers);
    site.enqueue("greet", "anna", "hello").await;
    site.enqueue("greet", "anna", "good day").await;
    site.enqueue("greet", "bert", "hello").await;
    let (_trigger, shutdown) = Shutdown::new();
    assert_eq!(runner.run_due(&shutdown).await.unwrap(), 2);
    assert_eq!(runner.run_due(&shutdown).await.unwrap(), 0);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    // The later payload counts.
    assert_eq!(seen, [("anna".to_owned(), "good day".to_owned(), 1), ("bert".to_owned(), "hello".to_owned(), 1)]);
    assert_eq!(site.counts(), jobs::Counts::default());
}

#[tokio::test]
async fn nobody_else_takes_a_job_under_a_live_lease_and_anybody_does_afterwards() {
    let site = Site::new();
    site.enqueue("k", "", "").await;
    let now = site.world.now();
    let first = site.take(now, now.after(Duration::from_secs(60))).await;
    assert_eq!(first.len(), 1);
    assert!(site.take(now.after(Duration::from_secs(59)), now.after(Duration::from_secs(99))).await.is_empty());
    let second = site.take(now.after(Duration::from_secs(60)), now.after(Duration::from_secs(120))).await;
    assert_eq!((second.len(), second[0].attempts), (1, 2));
    // Whoever lost the lease can neither end, renew nor fail the job.
    let (lost, held) = (first[0].clone(), second[0].clone());
    let (a, b, c) = (lost.clone(), lost.clone(), lost);
    assert!(!site.transact(move |tx| jobs::complete(tx, &a)).await);
    assert!(!site.transact(move |tx| jobs::fail(tx, &b, "no", at(0))).await);
    assert!(site.transact(move |tx| jobs::renew(tx, &c, at(i64::MAX))).await.is_none());
    assert!(site.transact(move |tx| jobs::complete(tx, &held)).await);
}

#[tokio::test]
async fn a_renewed_lease_holds() {
    let site = Site::new();
    site.enqueue("k", "", "").await;
    let now = site.world.now();
    let taken = site.take(now, now.after(Duration::from_secs(60))).await.remove(0);
    let until = now.after(Duration::from_secs(600));
    let renewed = site.transact(move |tx| jobs::renew(tx, &taken, until)).await.unwrap();
    assert!(site.take(now.after(Duration::from_secs(599)), at(i64::MAX)).await.is_empty());
    assert!(site.transact(move |tx| jobs::complete(tx, &renewed)).await);
    assert_eq!(site.counts().waiting, 0);
}

#[test]
fn the_jobs_of_a_dead_node_go_on_within_15_seconds() {
    let settings = Settings::default();
    assert!(settings.takeover() <= Duration::from_secs(15), "{settings:?}");
    assert!(settings.lease >= 3 * settings.poll, "one late renewal loses nothing");
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_has_stamped_runs_all_the_same() {
    let site = Site::new();
    let done = || handler(|_| async { Ok(Outcome::Done) });
    let day = Duration::from_secs(24 * 3_600);
    let runner = site.runner(Handlers::new().on("taken", done()).on("waits", done()).on_within(day, "purge", done()));
    let (_trigger, shutdown) = Shutdown::new();
    site.enqueue("taken", "", "").await;
    // Not before it was enqueued, by not so much as a millisecond: then it is not due.
    let (now, later) = (site.world.now(), site.world.now().after(day));
    let taken = site.take(now, later).await.remove(0);
    for (kind, run_at) in [("waits", later), ("purge", later)] {
        let job = JobId::new(site.world.next_id());
        site.transact(move |tx| jobs::enqueue(tx, &NewJob { job, kind, key: "", payload: "", run_at }, now)).await;
    }
    let seen = runner.inner.look_ahead(Vec::new()).await.unwrap();
    assert_eq!(seen.len(), 2, "the third may wait for a day");
    assert_eq!(runner.run_due(&shutdown).await.unwrap(), 0, "not at first sight: its owner may be alive");
    // It is, and renews.
    let renewed = site.transact(move |tx| jobs::renew(tx, &taken, later.after(day))).await.unwrap();
    let seen = runner.inner.look_ahead(seen).await.unwrap();
    assert_eq!((seen.len(), runner.run_due(&shutdown).await.unwrap()), (1, 1));
    assert_eq!(runner.inner.look_ahead(seen).await.unwrap(), []);
    assert_eq!(runner.run_due(&shutdown).await.unwrap(), 1, "it is dead");
    assert!(!site.transact(move |tx| jobs::complete(tx, &renewed)).await);
    assert_eq!(site.counts().waiting, 1, "what may wait waits");
}

#[tokio::test]
async fn a_job_that_is_asked_for_while_it_runs_runs_once_more() {
    let site = Site::new();
    for later in [Duration::ZERO, Duration::from_secs(3_600)] {
        site.enqueue("k", "", "old").await;
        let now = site.world.now();
        let taken = site.take(now, now.after(Duration::from_secs(60))).await.remove(0);
        let (job, run_at) = (JobId::new(site.world.next_id()), now.after(later));
        site.transact(move |tx| jobs::enqueue(tx, &NewJob { job, kind: "k", key: "", payload: "new", run_at }, now))
            .await;
        assert!(site.take(now.after(Duration::from_secs(30)), at(i64::MAX)).await.is_empty(), "it is still taken");
        assert!(site.transact(move |tx| jobs::complete(tx, &taken)).await);
        let again = site.take(now.after(Duration::from_secs(60)), now.after(Duration::from_secs(120))).await.remove(0);
        assert_eq!((again.payload.as_str(), again.attempts), ("new", 1));
        assert!(site.transact(move |tx| jobs::complete(tx, &again)).await);
        assert_eq!(site.counts().waiting, 0);
    }
}

#[tokio::test]
async fn what_fails_waits_longer_each_time_and_keeps_its_error() {
    let site = Site::new();
    let handlers = Handlers::new().on("k", handler(|_| async { Err("the disk is full".into()) }));
    let runner = site.runner(handlers);
    site.enqueue("k", "", "").await;
    let (_trigger, shutdown) = Shutdown::new();
    let mut waits = Vec::new();
    for attempt in 1..=4 {
        assert_eq!(runner.run_due(&shutdown).await.unwrap(), 1);
        let failing = site.database.read(|tx| jobs::failing(tx, 10)).unwrap();
        assert_eq!((failing.len(), failing[0].attempts), (1, attempt));
        assert_eq!(failing[0].last_error, "the disk is full");
        waits.push(failing[0].run_at.millis() - site.world.now().millis());
        assert_eq!(runner.run_due(&shutdown).await.unwrap(), 0, "not before its time");
        // Asking for it makes it due.
        site.enqueue("k", "", "").await;
    }
    assert!(waits.windows(2).all(|pair| pair[0] < pair[1]), "{waits:?}");
}

#[tokio::test]
async fn a_panic_and_a_missing_handler_are_failures() {
    let site = Site::new();
    #[expect(unreachable_code, reason = "the type of the answer")]
    let handlers = Handlers::new().on(
        "k",
        handler(|_| async {
            panic!("on purpose");
            Ok(Outcome::Done)
        }),
    );
    let runner = site.runner(handlers);
    site.enqueue("k", "", "").await;
    site.enqueue("unheard of", "", "").await;
    let (_trigger, shutdown) = Shutdown::new();
    assert_eq!(runner.run_due(&shutdown).await.unwrap(), 2);
    let failing = site.database.read(|tx| jobs::failing(tx, 10)).unwrap();
    let mut errors: Vec<_> = failing.iter().map(|job| job.last_error.clone()).collect();
    errors.sort();
    assert_eq!(errors.len(), 2);
    assert!(errors[0].contains("no handler"), "{errors:?}");
    assert!(errors[1].contains("panic"), "{errors:?}");
}

#[tokio::test]
async fn a_scheduled_job_comes_again_and_is_queued_once() {
    let site = Site::new();
    let runs = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&runs);
    let tick = handler(move |_| {
        let first = count.fetch_add(1, Ordering::Relaxed) == 0;
        async move { Ok(if first { Outcome::Again(Duration::ZERO) } else { Outcome::Done }) }
    });
    let runner = site.runner(Handlers::new().every(Duration::from_secs(3_600), "tick", tick.clone()));
    runner.schedule().await.unwrap();
    runner.schedule().await.unwrap();
    assert_eq!(site.counts().waiting, 1);
    let (_trigger, shutdown) = Shutdown::new();
    assert_eq!(runner.run_due(&shutdown).await.unwrap(), 0, "due in an hour");
    // A shorter span takes effect at once.
    let runner = site.runner(Handlers::new().every(Duration::ZERO, "tick", tick));
    runner.schedule().await.unwrap();
    let handlers =
        Handlers::new().every(Duration::from_secs(3_600), "tick", runner.inner.handlers.kinds["tick"].handler.clone());
    let runner = site.runner(handlers);
    assert_eq!(runner.run_due(&shutdown).await.unwrap(), 2);
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    assert_eq!(site.counts().waiting, 1, "it waits for its next time");
}

#[tokio::test]
async fn a_runner_wakes_runs_many_at_a_time_and_stops() {
    let site = Site::new();
    let together = Arc::new(tokio::sync::Barrier::new(4));
    let meet = Arc::clone(&together);
    let handlers = Handlers::new().on(
        "meet",
        handler(move |_| {
            let meet = Arc::clone(&meet);
            async move {
                // Passes only when four are here at a time.
                meet.wait().await;
                Ok(Outcome::Done)
            }
        }),
    );
    let settings = Settings { poll: Duration::from_secs(3_600), ..Settings::default() };
    let runner = Runner::new(site.world.clone(), site.database.clone(), handlers, settings);
    let (trigger, shutdown) = Shutdown::new();
    let running = runner.clone();
    let task = site.world.spawn(async move { running.run(shutdown).await });
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        site.enqueue("meet", key, "").await;
        runner.wake();
    }
    while site.counts().waiting > 0 {
        tokio::task::yield_now().await;
    }
    trigger.request();
    task.await.unwrap();
}

#[tokio::test]
async fn a_job_that_does_not_end_is_given_back_at_the_stop() {
    let site = Site::new();
    let (started, begun) = tokio::sync::oneshot::channel::<()>();
    let started = Arc::new(Mutex::new(Some(started)));
    let handlers = Handlers::new().on(
        "stuck",
        handler(move |_| {
            let _ = started.lock().unwrap().take().map(|sender| sender.send(()));
            std::future::pending()
        }),
    );
    let settings = Settings { drain: Duration::ZERO, ..Settings::default() };
    let runner = Runner::new(site.world.clone(), site.database.clone(), handlers, settings);
    site.enqueue("stuck", "", "").await;
    let (trigger, shutdown) = Shutdown::new();
    let running = runner.clone();
    let task = site.world.spawn(async move { running.run(shutdown).await });
    begun.await.unwrap();
    trigger.request();
    task.await.unwrap();
    while site.counts().running > 0 {
        tokio::task::yield_now().await;
    }
    let now = site.world.now();
    let again = site.take(now, now.after(Duration::from_secs(60))).await;
    assert_eq!((again.len(), again[0].attempts), (1, 1), "as if it had not been taken");
}
