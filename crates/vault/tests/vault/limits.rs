//! Memory stays within its limits, whatever clients do.

use crate::kit::{CHUNK, Kit, SCOPE, plaintext};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use entente_clouds::memory::MemoryBackend;
use entente_clouds::{Backend, Creation, Error, Listed, ObjectName, Stat};
use entente_custodians::local::LocalCustodian;
use entente_model::Timestamp;
use entente_vault::Limits;
use entente_world::World;
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

/// Commits take a second of a clock that moves only when everybody waits.
#[derive(Clone)]
struct SlowBackend {
    objects: MemoryBackend,
    world: World,
    open: Arc<AtomicUsize>,
    open_most: Arc<AtomicUsize>,
}

struct SlowCreation {
    inner: Option<Box<dyn Creation>>,
    backend: SlowBackend,
}

#[async_trait]
impl Backend for SlowBackend {
    async fn create(&self, name: ObjectName) -> Result<Box<dyn Creation>, Error> {
        let open = self.open.fetch_add(1, Ordering::Relaxed) + 1;
        self.open_most.fetch_max(open, Ordering::Relaxed);
        let inner = Some(self.objects.create(name).await?);
        Ok(Box::new(SlowCreation { inner, backend: self.clone() }))
    }

    async fn read(&self, name: ObjectName, range: Range<u64>) -> Result<BytesMut, Error> {
        self.objects.read(name, range).await
    }

    async fn stat(&self, name: ObjectName) -> Result<Stat, Error> {
        self.objects.stat(name).await
    }

    async fn list(&self, after: Option<ObjectName>, limit: usize) -> Result<Vec<Listed>, Error> {
        self.objects.list(after, limit).await
    }

    async fn delete(&self, name: ObjectName) -> Result<(), Error> {
        self.objects.delete(name).await
    }
}

#[async_trait]
impl Creation for SlowCreation {
    async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.inner.as_mut().unwrap().write(bytes).await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), Error> {
        self.backend.world.sleep(Duration::from_secs(1)).await;
        self.inner.take().unwrap().commit().await
    }
}

impl Drop for SlowCreation {
    fn drop(&mut self) {
        self.backend.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn slow(limits: Limits) -> (Kit, SlowBackend) {
    let world = World::simulated(1, Timestamp::from_millis(1_800_000_000_000));
    let (open, open_most) = (Arc::default(), Arc::default());
    let mut backend = None;
    let custodian = Arc::new(LocalCustodian::in_memory(world.clone()));
    let kit = Kit::with(world.clone(), limits, custodian, |objects| {
        Arc::new(backend.insert(SlowBackend { objects, world, open, open_most }).clone())
    });
    (kit, backend.unwrap())
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) {
    std::future::poll_fn(|context| {
        assert!(future.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_write_has_few_segments_open() {
    let (kit, backend) = slow(Limits::default());
    let piece = Bytes::from(vec![7; CHUNK / 8]);
    let body = futures_util::stream::iter((0..7 * 8).map(|_| Ok(piece.clone())));
    let written = kit.vault.write(SCOPE, u64::MAX, body).await.unwrap();
    assert_eq!((written.segments.len(), kit.objects.names().len()), (7, 7));
    let most = 1 + Limits::default().commits_per_write_max;
    assert!(backend.open_most.load(Ordering::Relaxed) <= most, "{} were open", backend.open_most.load(Ordering::Relaxed));
}

#[tokio::test(start_paused = true)]
async fn clients_that_go_away_do_not_leave_more_behind_than_the_budget() {
    let budget_bytes = 100_000;
    let (kit, backend) = slow(Limits { budget_bytes, shared_writers: 1, ..Limits::default() });
    kit.keep(&plaintext(10)).await;
    let plain = plaintext(60_000);
    for _ in 0..20 {
        let mut write = pin!(kit.write(&plain));
        poll_once(write.as_mut()).await;
        while backend.open.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
    }
    kit.keep(&plaintext(10)).await;
    let stored = kit.objects.total_bytes();
    assert!(stored < 200_000, "{stored} bytes were waiting, of which nobody wanted to know");
}
