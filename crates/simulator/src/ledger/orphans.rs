//! Objects that the ledger does not know, as `database::orphans` notes them on SQL; and contents that are on the move.

use super::State;
use entente_clouds::ObjectName;
use entente_model::{BackendId, ContentId, SegmentId, Timestamp};
use entente_vault::Stretch;

impl State {
    pub(super) fn note_orphans(
        &mut self,
        backend: BackendId,
        stretch: Stretch,
        names: &[ObjectName],
        now: Timestamp,
    ) -> Vec<(ObjectName, Timestamp)> {
        self.orphans.retain(|(of, name), _| *of != backend || !stretch.has(*name) || names.contains(name));
        let note = |name: &ObjectName| {
            let since = self.orphans.entry((backend, *name)).or_insert(now);
            *since = (*since).min(now);
            (*name, *since)
        };
        names.iter().map(note).collect()
    }

    /// What is noted of objects that the ledger does not know.
    pub(crate) fn orphans(&self) -> impl Iterator<Item = (BackendId, ObjectName)> {
        self.orphans.keys().copied()
    }

    pub(super) fn moves_to(&mut self, content: ContentId, segment: SegmentId) {
        let policy = self.segments.get(&segment).map(|record| record.policy);
        if self.contents.get(&content).is_some_and(|(manifest, _)| Some(manifest.policy) != policy) {
            self.moving.insert(content);
        }
    }
}
