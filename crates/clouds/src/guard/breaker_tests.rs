use super::*;
use crate::{Backend, Error, ErrorKind, ObjectName, conformance, memory::MemoryBackend};
use bytes::Bytes;
use entente_model::Timestamp;
use entente_world::World;
use futures_util::FutureExt;
use std::{sync::Arc, time::Duration};

const NAME: ObjectName = ObjectName::new([1; 16]);
const SETTINGS: BreakerSettings = BreakerSettings {
    failures_max: 3,
    probe_after: Duration::from_secs(2),
    probe_after_max: Duration::from_secs(5),
    slow_from: Duration::from_millis(500),
};

struct Drill {
    world: World,
    memory: MemoryBackend,
    switch: TroubleSwitch,
    backend: Breaker,
    health: Health,
}

/// A breaker around a backend with one object.
fn drill() -> Drill {
    let world = World::simulated(1, Timestamp::from_millis(0));
    let memory = MemoryBackend::new(world.clone());
    memory.replace(NAME, Bytes::from_static(b"hello"));
    let (troubled, switch) = Troubled::new(Arc::new(memory.clone()), world.clone());
    let health = Health::new(world.clone(), "drill", SETTINGS);
    let timeout = TimeoutSettings { operation: Duration::from_secs(1), bytes_per_second_min: 0 };
    let timeout = Timeout::new(Arc::new(troubled), world.clone(), timeout);
    let backend = Breaker::new(Arc::new(timeout), world.clone(), health.clone());
    Drill { world, memory, switch, backend, health }
}

impl Drill {
    async fn read(&self) -> Result<(), ErrorKind> {
        self.backend.read(NAME, 0..5).await.map(drop).map_err(|error| error.kind)
    }

    async fn create(&self, name: ObjectName) -> Result<(), Error> {
        let mut creation = self.backend.create(name).await?;
        creation.write(Bytes::from_static(b"hello")).await?;
        creation.commit().await
    }
}

#[tokio::test(start_paused = true)]
async fn the_usual_stacks_conform() {
    for settings in [StackSettings::cloud(), StackSettings::disk()] {
        let world = World::simulated(1, Timestamp::from_millis(0));
        let memory = Arc::new(MemoryBackend::new(world.clone()));
        let (backend, health) = stack(memory, &world, "stacked", settings);
        conformance::run(&*backend, &world).await.unwrap();
        assert_eq!(health.state(), HealthState::Healthy);
    }
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_refuses_is_no_longer_asked_and_comes_back() {
    let drill = drill();
    drill.switch.set(Trouble::Refuse);
    for _ in 0..3 {
        assert_eq!(drill.health.state(), HealthState::Healthy);
        assert_eq!(drill.read().await, Err(ErrorKind::Unavailable));
    }
    let report = drill.health.report();
    assert_eq!((report.state, report.failures_in_row, report.refused), (HealthState::Down, 3, 0));
    assert!(report.last_failure.unwrap().contains("switched off"));
    // It is well again, but nobody asks yet.
    drill.switch.set(Trouble::None);
    let refused = drill.backend.stat(NAME).await.unwrap_err();
    assert!(refused.retryable && refused.to_string().contains("was not asked"), "{refused}");
    assert_eq!(drill.health.report().refused, 1);
    drill.world.sleep(SETTINGS.probe_after).await;
    probe(&drill.backend, &drill.world).await.unwrap();
    assert_eq!(drill.health.state(), HealthState::Healthy);
    assert_eq!(drill.read().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn one_call_at_a_time_tries_and_the_waits_grow() {
    let drill = drill();
    drill.switch.set(Trouble::Hang);
    for _ in 0..3 {
        assert_eq!(drill.read().await, Err(ErrorKind::Unavailable));
    }
    for wait in [2, 4, 5, 5] {
        drill.world.sleep(Duration::from_millis(wait * 1000 - 1)).await;
        assert!(drill.read().now_or_never().is_some(), "asked too soon");
        drill.world.sleep(Duration::from_millis(1)).await;
        let mut trying = Box::pin(drill.read());
        assert!((&mut trying).now_or_never().is_none());
        // Others do not wait for it.
        assert_eq!(drill.read().now_or_never(), Some(Err(ErrorKind::Unavailable)));
        assert_eq!(trying.await, Err(ErrorKind::Unavailable));
    }
}

#[tokio::test(start_paused = true)]
async fn a_try_that_is_dropped_does_not_leave_it_untried_for_ever() {
    let drill = drill();
    drill.switch.set(Trouble::Hang);
    for _ in 0..3 {
        let _ = drill.read().await;
    }
    drill.world.sleep(SETTINGS.probe_after).await;
    assert!(drill.read().now_or_never().is_none());
    drill.switch.set(Trouble::None);
    drill.world.sleep(SETTINGS.probe_after * 2).await;
    assert_eq!(drill.read().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_failures_do_not_count_as_such() {
    let drill = drill();
    for _ in 0..10 {
        assert_eq!(drill.backend.stat(ObjectName::new([9; 16])).await.unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(drill.backend.read(NAME, 0..9).await.unwrap_err().kind, ErrorKind::OutOfRange);
        assert_eq!(drill.create(NAME).await.unwrap_err().kind, ErrorKind::AlreadyExists);
    }
    assert_eq!(drill.health.report().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn failures_with_answers_between_do_not_bring_it_down() {
    let drill = drill();
    for _ in 0..10 {
        drill.switch.set(Trouble::Refuse);
        let _ = drill.read().await;
        let _ = drill.read().await;
        drill.switch.set(Trouble::None);
        drill.read().await.unwrap();
    }
    assert_eq!(drill.health.state(), HealthState::Healthy);
}

#[tokio::test(start_paused = true)]
async fn creations_that_fail_bring_it_down_and_can_bring_it_back() {
    let drill = drill();
    for number in 10..13 {
        let creation = drill.backend.create(ObjectName::new([number; 16])).await.unwrap();
        drill.switch.set(Trouble::Refuse);
        assert_eq!(creation.commit().await.unwrap_err().kind, ErrorKind::Unavailable);
        drill.switch.set(Trouble::None);
    }
    assert_eq!(drill.health.state(), HealthState::Down);
    assert_eq!(drill.create(ObjectName::new([20; 16])).await.unwrap_err().operation, "create");
    drill.world.sleep(SETTINGS.probe_after).await;
    drill.create(ObjectName::new([21; 16])).await.unwrap();
    assert_eq!(drill.health.state(), HealthState::Healthy);
}

#[tokio::test(start_paused = true)]
async fn a_slow_backend_is_slow_and_gets_over_it() {
    let drill = drill();
    drill.read().await.unwrap();
    drill.switch.set(Trouble::Slow(Duration::from_millis(900)));
    for _ in 0..10 {
        drill.read().await.unwrap();
    }
    assert_eq!(drill.health.state(), HealthState::Slow);
    assert!(drill.health.latency_ms() > 500);
    drill.switch.set(Trouble::None);
    for _ in 0..10 {
        probe(&drill.backend, &drill.world).await.unwrap();
    }
    assert_eq!(drill.health.state(), HealthState::Healthy);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_dropped_for_a_faster_backend_show_that_it_is_slow() {
    let drill = drill();
    drill.switch.set(Trouble::Hang);
    for _ in 0..40 {
        tokio::select! {
            _ = drill.read() => {}
            () = drill.world.sleep(Duration::from_millis(700)) => {}
        }
    }
    assert_eq!(drill.health.state(), HealthState::Slow);
}

#[tokio::test(start_paused = true)]
async fn a_large_transfer_is_not_slow() {
    let drill = drill();
    drill.memory.replace(NAME, Bytes::from(vec![0; 8 * 1024 * 1024]));
    drill.switch.set(Trouble::Slow(Duration::from_millis(900)));
    drill.backend.read(NAME, 0..8 * 1024 * 1024).await.unwrap();
    assert_eq!((drill.health.state(), drill.health.latency_ms()), (HealthState::Healthy, 112));
}

#[tokio::test(start_paused = true)]
async fn corrupt_reads_have_one_other_bit_and_stale_listings_show_what_was() {
    let world = World::simulated(1, Timestamp::from_millis(0));
    let memory = MemoryBackend::new(world.clone());
    let names: Vec<ObjectName> = (1..=5).map(|number| ObjectName::new([number; 16])).collect();
    for name in &names[..3] {
        memory.replace(*name, Bytes::from_static(&[0; 8]));
    }
    let (troubled, switch) = Troubled::new(Arc::new(memory), world);
    switch.set(Trouble::Corrupt);
    let read = troubled.read(names[0], 0..8).await.unwrap();
    assert_eq!(read.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
    switch.set(Trouble::Stale);
    troubled.delete(names[1]).await.unwrap();
    for name in &names[3..] {
        troubled.create(*name).await.unwrap().commit().await.unwrap();
    }
    assert_eq!(troubled.stat(names[1]).await.unwrap_err().kind, ErrorKind::NotFound);
    let listed = async |after, limit| -> Vec<ObjectName> {
        troubled.list(after, limit).await.unwrap().iter().map(|row| row.name).collect()
    };
    assert_eq!(listed(None, 10).await, names[..3]);
    assert_eq!(listed(Some(names[0]), 1).await, names[1..2]);
    switch.set(Trouble::None);
    assert_eq!(listed(None, 10).await, [names[0], names[2], names[3], names[4]]);
}
