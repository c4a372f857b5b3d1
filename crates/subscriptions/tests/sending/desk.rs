//! What the stories happen at.

use crate::receiver::Receiver;
use entente_database::Database;
use entente_database::deliveries::{self, Delivery, Happening, NewDelivery, Told, Wording};
use entente_model::{EventId, SubscriptionId, Timestamp};
use entente_subscriptions::{Reach, Secret, Sender, Settings, Target};
use entente_testkit::Scratch;
use entente_world::{Shutdown, ShutdownTrigger, World};
use std::time::Duration;

pub const KEY: &[u8] = b"a secret of this receiver";

/// A database, and what happens in it.
pub struct Desk {
    pub world: World,
    pub database: Database,
    _scratch: Scratch,
}

/// A sender that runs.
pub struct Running {
    trigger: ShutdownTrigger,
    pub task: tokio::task::JoinHandle<()>,
}

impl Running {
    pub async fn stop(self) {
        self.trigger.request();
        self.task.await.unwrap();
    }
}

impl Desk {
    pub fn new() -> Self {
        let (world, scratch) = (World::real(), Scratch::new());
        let database = scratch.open(&world);
        Self { world, database, _scratch: scratch }
    }

    /// Something has happened to a key.
    pub async fn happens(&self, target: &'static str, key: &str) {
        self.happened(target, key, self.world.now()).await;
    }

    pub async fn happened(&self, target: &'static str, key: &str, at: Timestamp) {
        let topic = key.bytes().fold(1_i64, |topic, byte| topic.wrapping_mul(31) + i64::from(byte));
        let told = Told { bucket: "bucket".to_owned(), key: key.to_owned(), ..Told::default() };
        let event = EventId::new(self.world.next_id());
        let subscription = SubscriptionId::new(7);
        let queue = move |tx: &mut entente_database::Tx<'_>| {
            let (happening, wording, told) = (Happening::Put, Wording::S3, &told);
            let new = NewDelivery { subscription, topic, wording, target, happening, told, event, at };
            deliveries::enqueue(tx, &new)
        };
        self.database.transact("happens", queue).await.unwrap();
    }

    pub fn send(&self, settings: Settings) -> Running {
        let (trigger, shutdown) = Shutdown::new();
        let sender = Sender::new(self.world.clone(), self.database.clone(), settings).unwrap();
        Running { trigger, task: self.world.spawn(sender.run(shutdown)) }
    }

    pub async fn dead(&self) -> Vec<Delivery> {
        self.database.read_long(|tx| deliveries::dead(tx, 10)).await.unwrap().deliveries
    }

    /// Waits until something is so.
    pub async fn until(&self, is_so: impl AsyncFn() -> bool) {
        let give_up = self.world.instant() + Duration::from_secs(60);
        while !is_so().await {
            assert!(self.world.instant() < give_up, "it does not come to be");
            self.world.sleep(Duration::from_millis(20)).await;
        }
    }
}

pub fn target(name: &str, url: &str, reach: Reach) -> Target {
    Target::new(name.to_owned(), url, Secret::new(KEY.to_vec()).unwrap(), reach).unwrap()
}

pub fn here(receiver: &Receiver) -> Target {
    target("here", &format!("http://127.0.0.1:{}/told?by=us", receiver.port), Reach::Anywhere)
}
