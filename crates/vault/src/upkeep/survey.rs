//! Says what converging would do, and does nothing: for a dry run, and for whoever asks how far things are.

use super::Watch;
use super::needs::{is_merged, is_mostly_dead, needs};
use super::selection::Selection;
use crate::{Error, Replica, SegmentRecord, SegmentState, Topology, Vault};
use entente_model::BackendId;
use std::collections::BTreeMap;

const PAGE: u32 = 1000;

/// So many objects, and so many bytes in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }
}

/// What there is, and what would be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Segments looked at, and their sizes.
    pub segments: Amount,
    /// Sealed bytes in them that something refers to.
    pub live_bytes: u64,
    /// Copies to be made, by the backend that would be read and the one that would be written to. Each costs one read
    /// there, and here one write and one read.
    pub copies: BTreeMap<(BackendId, BackendId), Amount>,
    /// Of these, those of small segments, several of which become one.
    pub merged: BTreeMap<(BackendId, BackendId), Amount>,
    /// Of the segments to be copied, those that are mostly dead: only what is live in them moves, packed anew.
    pub mostly_dead: Amount,
    /// Objects that would leave once the copies are there, by backend.
    pub leaving: BTreeMap<BackendId, Amount>,
    /// Segments that lack a replica and have none that is good.
    pub unreadable: Amount,
    /// Segments whose policy is not configured, or does not fit where they are.
    pub untended: Amount,
    /// Segments that nothing refers to: `collect` removes them.
    pub dead: Amount,
    /// Whether it was stopped before its end.
    pub stopped: bool,
}

impl Vault {
    /// What converging the selected segments would do now. Errors are the ledger's.
    pub async fn survey(&self, selection: Selection, watch: &mut dyn Watch) -> Result<Survey, Error> {
        self.survey_as(&self.topology(), selection, watch).await
    }

    /// The same, if another topology were in force: with a redirect, what a relocation would do.
    pub async fn survey_as(
        &self,
        topology: &Topology,
        selection: Selection,
        watch: &mut dyn Watch,
    ) -> Result<Survey, Error> {
        let (mut survey, mut cursor) = (Survey::default(), None);
        loop {
            if watch.stop() {
                survey.stopped = true;
                return Ok(survey);
            }
            let page = selection.page(&*self.inner.ledger, cursor, PAGE).await?;
            let Some(last) = page.last() else { return Ok(survey) };
            cursor = selection.behind(last);
            for record in &page {
                self.count(topology, record, (selection, &mut survey));
            }
            watch.progress("segments", survey.segments.objects);
        }
    }

    fn count(&self, topology: &Topology, record: &SegmentRecord, (selection, survey): (Selection, &mut Survey)) {
        if record.state == SegmentState::Reserved {
            return;
        }
        survey.segments.add(record.size);
        survey.live_bytes += record.live;
        if record.live == 0 {
            survey.dead.add(record.size);
            return;
        }
        let Ok(needs) = needs(topology, record, self.inner.world.now()) else {
            survey.untended.add(record.size);
            return;
        };
        let sources = topology.sources(&record.replicas, |backend| self.inner.core.is_down(backend));
        let source = sources.first().filter(|source| source.is_good());
        let targets: Vec<_> = needs.copies.iter().chain(&needs.mends).collect();
        match source {
            Some(source) => {
                for target in &targets {
                    let way = (source.backend, **target);
                    survey.copies.entry(way).or_default().add(record.size);
                    if matches!(selection, Selection::On(_)) && is_merged(record, &needs) {
                        survey.merged.entry(way).or_default().add(record.size);
                    }
                }
                if !targets.is_empty() && is_mostly_dead(record) {
                    survey.mostly_dead.add(record.size);
                }
            }
            None if !targets.is_empty() => survey.unreadable.add(record.size),
            None => {}
        }
        // What is not wanted leaves, now or once the copies are there.
        let meant = topology.policies.get(&record.policy).map(|policy| topology.meant_by(policy)).unwrap_or_default();
        let surplus = |replica: &&Replica| replica.is_good() && !meant.contains(&replica.backend);
        for replica in record.replicas.iter().filter(surplus) {
            survey.leaving.entry(replica.backend).or_default().add(record.size);
        }
    }
}
