//! One segment on its way to as many backends as its policy wants it durable on.
//!
//! Disks that nothing may take the place of are given the bytes as they come. Otherwise the bytes are kept until the commit:
//! a cloud is sent an object whole anyway, and what a backend fails to take, or takes too long over, goes to the next one
//! that the policy means, in the same request. Who is durable first counts; a copy that comes too late is dropped, and if it
//! lands all the same it is an orphan. What the policy wants beyond that is made by `upkeep`.

use crate::core::{Core, WRITES_FAILED_OVER};
use crate::kept::Share;
use crate::place::Plan;
use crate::race::{Event, Race};
use crate::reserve::Reservation;
use crate::topology::{Pace, Topology};
use crate::{Error, ObjectName, WrittenSegment};
use bytes::Bytes;
use entente_clouds::{Backend, Creation, ErrorKind};
use entente_model::{BackendId, PolicyId, SegmentId, ZoneId};
use futures_util::future::try_join_all;
use std::sync::Arc;
use std::time::Duration;

/// A copy gets so much more time for each of these many bytes.
const FAILOVER_STEP: (Duration, u64) = (Duration::from_secs(1), 4 * 1024 * 1024);

pub(crate) struct Copies {
    core: Arc<Core>,
    segment: SegmentId,
    size: u64,
    way: Way,
}

enum Way {
    /// To each of these, as the bytes come.
    Straight(Vec<(BackendId, Box<dyn Creation>)>),
    /// To those of the plan that will have it, when all is there.
    Kept(Vec<Bytes>, Kept),
}

struct Kept {
    plan: Plan,
    topology: Arc<Topology>,
    names: Vec<(BackendId, ObjectName)>,
    /// Of the memory for the bytes, unless whoever writes accounts for them.
    share: Option<Share>,
}

impl Plan {
    /// Whether the bytes may go out as they come.
    fn is_straight(&self, topology: &Topology) -> bool {
        let is_disk = |id: &BackendId| topology.member(*id).is_some_and(|member| member.pace == Pace::Disk);
        self.order.len() == self.durable && self.order.iter().all(is_disk)
    }
}

impl Copies {
    /// Begins a segment whose bytes the caller accounts for.
    pub(crate) async fn begin(core: &Arc<Core>, zone: ZoneId, policy: PolicyId) -> Result<Self, Error> {
        Self::begin_with(core, (zone, policy), None).await
    }

    /// Begins the segment of one chunk of at most so many bytes of plaintext; waits for memory if they must be kept.
    pub(crate) async fn begin_chunk(
        core: &Arc<Core>,
        zone: ZoneId,
        policy: PolicyId,
        plain_max: u64,
    ) -> Result<Self, Error> {
        let topology = core.topology();
        let share = match core.plan(&topology, zone, policy)?.is_straight(&topology) {
            true => None,
            false => Some(core.kept.share(plain_max).await?),
        };
        Self::begin_with(core, (zone, policy), share).await
    }

    /// Begins a segment that is to be durable on every backend that its policy means before it counts. The caller accounts
    /// for its bytes.
    pub(crate) async fn begin_everywhere(core: &Arc<Core>, zone: ZoneId, policy: PolicyId) -> Result<Self, Error> {
        let topology = core.topology();
        let mut plan = core.plan(&topology, zone, policy)?;
        plan.durable = plan.order.len();
        Self::begin_as_planned(core, policy, (topology, plan, None)).await
    }

    async fn begin_with(
        core: &Arc<Core>,
        (zone, policy): (ZoneId, PolicyId),
        share: Option<Share>,
    ) -> Result<Self, Error> {
        // From here on it is this topology, whatever comes.
        let topology = core.topology();
        let plan = core.plan(&topology, zone, policy)?;
        Self::begin_as_planned(core, policy, (topology, plan, share)).await
    }

    async fn begin_as_planned(
        core: &Arc<Core>,
        policy: PolicyId,
        (topology, plan, share): (Arc<Topology>, Plan, Option<Share>),
    ) -> Result<Self, Error> {
        let Reservation { segment, names } = core.reservations.take(policy, &plan.order).await?;
        let way = if plan.is_straight(&topology) {
            let mut creations = Vec::with_capacity(plan.durable);
            for backend in plan.order {
                let (cloud, name) = target(&topology, &names, backend)?;
                creations.push((backend, cloud.create(name).await?));
            }
            Way::Straight(creations)
        } else {
            Way::Kept(Vec::new(), Kept { plan, topology, names, share })
        };
        Ok(Self { core: Arc::clone(core), segment, size: 0, way })
    }

    pub(crate) fn segment(&self) -> SegmentId {
        self.segment
    }

    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        match &mut self.way {
            Way::Kept(kept, _) => kept.push(bytes),
            Way::Straight(creations) => match creations.as_mut_slice() {
                [(_, only)] => only.write(bytes).await?,
                all => {
                    try_join_all(all.iter_mut().map(|(_, creation)| creation.write(bytes.clone()))).await?;
                }
            },
        }
        Ok(())
    }

    /// All that belongs to it has been written: memory that was not needed may go to others.
    pub(crate) fn is_complete(&mut self) {
        if let Way::Kept(_, Kept { share: Some(share), .. }) = &mut self.way {
            share.shrink(self.size);
        }
    }

    /// Ends when the writer has taken too long, and others wait for the memory that it holds.
    pub(crate) fn overstayed(&mut self) -> impl Future<Output = ()> + Send + '_ {
        let share = match &mut self.way {
            Way::Kept(_, Kept { share, .. }) => share.as_ref(),
            Way::Straight(_) => None,
        };
        async move {
            match share {
                Some(share) => share.overstayed().await,
                None => std::future::pending().await,
            }
        }
    }

    /// Answers when as many copies as the policy wants are durable. `Cloud` when there cannot be as many: a retryable error
    /// of a backend if there was one.
    pub(crate) async fn commit(self) -> Result<WrittenSegment, Error> {
        let Self { core, segment, size, way } = self;
        let holders = match way {
            Way::Straight(creations) => {
                let commits = creations
                    .into_iter()
                    .map(|(backend, creation)| async move { creation.commit().await.map(|()| backend) });
                try_join_all(commits).await?
            }
            Way::Kept(bytes, kept) => kept.commit(&core, segment, (&bytes, size)).await?,
        };
        Ok(WrittenSegment { segment, size, holders: holders.into_iter().collect() })
    }
}

impl Kept {
    async fn commit(
        &self,
        core: &Core,
        segment: SegmentId,
        (bytes, size): (&[Bytes], u64),
    ) -> Result<Vec<BackendId>, Error> {
        let (step, step_bytes) = FAILOVER_STEP;
        let steps = u32::try_from(size / step_bytes).unwrap_or(u32::MAX);
        let mut race =
            Race::new(core.world.clone(), core.limits.failover_after.saturating_add(step.saturating_mul(steps)));
        let (mut tried, mut holders) = (Vec::new(), Vec::with_capacity(self.plan.durable));
        for backend in self.plan.first() {
            tried.push(backend);
            let (cloud, name) = target(&self.topology, &self.names, backend)?;
            race.begin(backend, put(cloud, name, bytes));
        }
        let mut failed = None;
        while holders.len() < self.plan.durable
            && let Some(event) = race.event(|backend| core.is_down(backend)).await
        {
            match event {
                Event::Done(backend, Ok(())) => holders.push(backend),
                Event::Done(backend, Err(error)) => {
                    tracing::warn!(backend.id = %backend, segment.id = %segment, %error, "a copy could not be written");
                    if error.kind == ErrorKind::Full {
                        core.found_full(backend);
                    }
                    failed = Some(told_first(failed, error));
                    if self.plan.required == Some(backend) {
                        break;
                    }
                }
                Event::Late => {}
            }
            // Nothing takes the place of the one that must have a copy, however long it takes.
            let required = self.plan.required.filter(|required| race.running().any(|backend| backend == *required));
            let hoped: Vec<_> = race.promising().filter(|backend| Some(*backend) != required).chain(required).collect();
            for _ in holders.len() + hoped.len()..self.plan.durable {
                let holding: Vec<_> = holders.iter().copied().chain(race.running()).collect();
                let Some(backend) = self.plan.next(&holding, &tried) else { break };
                tried.push(backend);
                metrics::counter!(WRITES_FAILED_OVER).increment(1);
                tracing::warn!(backend.id = %backend, segment.id = %segment, "a copy goes elsewhere");
                let (cloud, name) = target(&self.topology, &self.names, backend)?;
                race.begin(backend, put(cloud, name, bytes));
            }
            if holders.len() + race.running().count() < self.plan.durable {
                break;
            }
        }
        if holders.len() < self.plan.durable {
            return Err(failed.map_or(Error::Internal("a plan has too few backends"), Error::Cloud));
        }
        Ok(holders)
    }
}

/// Of two errors that are both true, the one that says that it may be better later.
pub(crate) fn told_first(one: Option<entente_clouds::Error>, other: entente_clouds::Error) -> entente_clouds::Error {
    match one {
        Some(one) if one.retryable => one,
        _ => other,
    }
}

async fn put(cloud: Arc<dyn Backend>, name: ObjectName, bytes: &[Bytes]) -> Result<(), entente_clouds::Error> {
    let mut creation = cloud.create(name).await?;
    for bytes in bytes {
        creation.write(bytes.clone()).await?;
    }
    creation.commit().await
}

fn target(
    topology: &Topology,
    names: &[(BackendId, ObjectName)],
    backend: BackendId,
) -> Result<(Arc<dyn Backend>, ObjectName), Error> {
    let member = topology.member(backend).ok_or(Error::Internal("a plan names only backends that are configured"))?;
    let name = names.iter().find(|(id, _)| *id == backend).map(|(_, name)| *name);
    Ok((Arc::clone(&member.cloud), name.ok_or(Error::Internal("a reservation has a name for each backend"))?))
}
