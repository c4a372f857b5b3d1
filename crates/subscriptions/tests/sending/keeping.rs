//! What becomes of deliveries that have ended, or never do.

use crate::desk::{Desk, here, target};
use crate::receiver::Receiver;
use entente_database::deliveries::{self, Batch, DeliveryId, TELL_BELOW_JOB};
use entente_database::jobs::{self, NewJob};
use entente_database::{Error, Tx};
use entente_model::{JobId, Timestamp};
use entente_subscriptions::{Reach, Settings, remove_ended};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAYS_4: Duration = Duration::from_secs(4 * 24 * 60 * 60);

impl Desk {
    async fn transact<T: Send + 'static>(
        &self,
        run: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + Sync + 'static,
    ) -> T {
        self.database.transact("as it was", run).await.unwrap()
    }

    /// Takes what is due, for a minute.
    async fn take(&self, now: Timestamp) -> Batch {
        let until = now.after(Duration::from_secs(60));
        self.transact(move |tx| deliveries::take(tx, "here", now, until, 100)).await
    }

    /// Takes what is due, and answers what its ids are.
    async fn take_ids(&self, now: Timestamp) -> Vec<DeliveryId> {
        self.take(now).await.deliveries.iter().map(|delivery| delivery.id).collect()
    }

    /// Takes what is due and says that it was told. Answers the numbers.
    async fn tell(&self, now: Timestamp) -> Vec<i64> {
        let taken = self.take(now).await.deliveries;
        let numbers = taken.iter().map(|delivery| delivery.id.number).collect();
        self.transact(move |tx| {
            for delivery in &taken {
                assert!(deliveries::told(tx, delivery, now)?);
            }
            Ok(())
        })
        .await;
        numbers
    }

    async fn give_up(&self, now: Timestamp) -> Vec<i64> {
        let taken = self.take(now).await.deliveries;
        let numbers = taken.iter().map(|delivery| delivery.id.number).collect();
        self.transact(move |tx| {
            for delivery in &taken {
                assert!(deliveries::give_up(tx, delivery, "no", now)?);
            }
            Ok(())
        })
        .await;
        numbers
    }

    async fn retry(&self) -> u32 {
        let now = self.world.now();
        self.transact(move |tx| deliveries::retry(tx, now, 10)).await
    }

    async fn remove_ended(&self) {
        assert!(remove_ended(&self.world, &self.database, &["here".to_owned()]).await.unwrap());
    }

    fn due(&self, target: &str) -> u64 {
        self.database.read(|tx| deliveries::count_due(tx, target)).unwrap()
    }

    /// How many are kept that have ended.
    fn ended(&self) -> usize {
        let ever = self.world.now().after(DAYS_4);
        self.database.read(|tx| deliveries::ended(tx, ever, ever, 100)).unwrap().len()
    }

    /// A job is to tell of a folder, since then.
    async fn is_to_tell(&self, since: Timestamp) {
        let job = JobId::new(self.world.next_id());
        self.transact(move |tx| {
            let new = NewJob { job, kind: TELL_BELOW_JOB, key: "1/2", payload: "", run_at: since };
            jobs::enqueue(tx, &new, since)
        })
        .await;
    }
}

#[tokio::test]
async fn what_was_told_is_forgotten_and_what_goes_to_nobody_is_given_up() {
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    let long_ago = desk.world.now().before(DAYS_4);
    // All that is too old goes at once, and what is behind it is due.
    for _ in 0..3 {
        desk.happened("nobody", "old", long_ago).await;
    }
    desk.happens("nobody", "old").await;
    desk.happens("nobody", "new").await;
    desk.happens("here", "key").await;
    let running = desk.send(Settings::new(vec![here(&receiver)]));
    receiver.next().await;
    desk.until(async || desk.database.read(|tx| deliveries::next_due(tx, "here")).unwrap().is_none()).await;
    running.stop().await;
    desk.remove_ended().await;
    let dead = desk.dead().await;
    assert_eq!(dead.iter().map(|dead| dead.told.key.as_str()).collect::<Vec<_>>(), ["old"; 3]);
    assert!(dead[0].last_error.contains("no such target"));
    assert_eq!(desk.due("nobody"), 2);
    // Ten minutes later the first is forgotten, and a month later the others.
    let now = desk.world.now();
    let (soon, later) = (now.after(Duration::from_secs(60)), now.after(DAYS_4));
    let forget = async |told, dead| {
        let ended = desk.database.read(|tx| deliveries::ended(tx, told, dead, 10)).unwrap();
        let some = ended.len();
        desk.transact(move |tx| ended.iter().try_for_each(|ended| deliveries::remove(tx, *ended))).await;
        some
    };
    assert_eq!(forget(long_ago, long_ago).await, 0);
    assert_eq!(forget(soon, long_ago).await, 1);
    assert_eq!(forget(later, later).await, 3);
    assert!(desk.dead().await.is_empty());
}

#[tokio::test]
async fn what_a_target_does_not_take_for_days_is_given_up_however_much_waits() {
    let desk = Desk::new();
    let (long_ago, now) = (desk.world.now().before(DAYS_4), desk.world.now());
    for _ in 0..3 {
        desk.happened("here", "key", long_ago).await;
    }
    desk.happens("here", "key").await;
    // It was tried a moment ago, and failed.
    let taken = desk.take(now).await.deliveries;
    let failed = move |tx: &mut Tx<'_>| deliveries::failed(tx, &taken[0], "no", now.after(HOUR));
    assert!(desk.transact(failed).await);
    desk.remove_ended().await;
    assert_eq!(desk.dead().await.len(), 3);
    assert_eq!(desk.dead().await[0].last_error, "it could not be told within three days");
    assert_eq!(desk.tell(desk.world.now()).await.len(), 1);
}

#[tokio::test]
async fn what_is_retried_keeps_the_order_of_what_came_after_it() {
    let desk = Desk::new();
    let now = desk.world.now().after(HOUR);
    for _ in 0..5 {
        desk.happens("here", "key").await;
    }
    let (first, second) = (desk.give_up(now).await, desk.give_up(now).await);
    assert_eq!(desk.retry().await, 2);
    // The first of both, and the third, are under way; nothing that waits comes before what it waits for.
    let mut under_way = desk.take(now).await.deliveries;
    under_way.sort_by_key(|delivery| delivery.id.number);
    let [retried, third] = <[_; 2]>::try_from(under_way).unwrap();
    assert_eq!(retried.id.number, first[0]);
    assert!(desk.transact(move |tx| deliveries::told(tx, &retried, now)).await);
    assert_eq!(desk.tell(now).await, second, "the fourth waits for the third");
    assert!(desk.take_ids(now).await.is_empty());
    let number = third.id.number;
    assert!(desk.transact(move |tx| deliveries::told(tx, &third, now)).await);
    let (fourth, fifth) = (desk.tell(now).await, desk.tell(now).await);
    assert!(number < fourth[0] && fourth < fifth);
    assert!(desk.take_ids(now).await.is_empty());
}

#[tokio::test]
async fn what_was_told_is_kept_while_a_job_is_to_tell_of_what_happened_before() {
    let desk = Desk::new();
    let told_at = desk.world.now().before(HOUR);
    desk.happened("here", "key", told_at).await;
    assert_eq!(desk.tell(told_at).await.len(), 1);
    desk.is_to_tell(told_at.before(HOUR)).await;
    desk.remove_ended().await;
    assert_eq!(desk.ended(), 1);
    desk.transact(|tx| jobs::withdraw(tx, TELL_BELOW_JOB, "1/2")).await;
    // A job that cannot be done keeps nothing for ever.
    desk.is_to_tell(told_at.before(DAYS_4)).await;
    desk.remove_ended().await;
    assert_eq!(desk.ended(), 1, "for a day it does");
    desk.transact(|tx| jobs::withdraw(tx, TELL_BELOW_JOB, "1/2")).await;
    desk.remove_ended().await;
    assert_eq!(desk.ended(), 0);
}

#[tokio::test]
async fn what_a_clock_that_was_ahead_has_put_off_is_due() {
    let desk = Desk::new();
    let now = desk.world.now();
    desk.happened("here", "far", now.after(DAYS_4)).await;
    desk.happened("here", "near", now.after(HOUR)).await;
    desk.remove_ended().await;
    let taken = desk.take(desk.world.now()).await.deliveries;
    assert_eq!(taken.iter().map(|delivery| delivery.told.key.as_str()).collect::<Vec<_>>(), ["far"]);
}

#[tokio::test]
async fn many_changes_of_one_key_are_told_in_order() {
    const CHANGES: usize = 40;
    let (desk, mut receiver) = (Desk::new(), Receiver::open(&[]).await);
    for _ in 0..CHANGES {
        desk.happens("here", "hot").await;
    }
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let running = desk.send(Settings::new(vec![target("here", &url, Reach::Anywhere)]));
    let mut names = Vec::new();
    for _ in 0..CHANGES {
        names.push(receiver.next().await.header("x-entente-delivery").to_owned());
    }
    running.stop().await;
    assert!(names.is_sorted(), "{names:?}");
}
