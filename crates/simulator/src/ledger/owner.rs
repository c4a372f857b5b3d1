//! What the owner of contents does inside transactions of its own, and what is asked without one.

use super::{SimulatedLedger, State, bare};
use entente_model::{ContentId, Manifest, Place};
use entente_vault::{Error, Written, WrittenSegment};

impl SimulatedLedger {
    /// Commits a content: all of it or, when one of its segments is condemned, nothing.
    pub(crate) async fn commit(&self, written: &Written) -> Result<(), Error> {
        self.transact("commit content", |state| {
            state.has_no(written.manifest.content)?;
            for segment in &written.segments {
                state.can_hold(segment.segment)?;
            }
            for place in &written.manifest.places {
                state.hold(place, &written.segments)?;
                state.chunks.insert((written.manifest.content, place.chunk), *place);
            }
            state.contents.insert(written.manifest.content, (bare(&written.manifest), 1));
            Ok(())
        })
        .await
    }

    /// Adds a reference, for a copy.
    pub(crate) async fn share(&self, content: ContentId) -> Result<bool, Error> {
        let share =
            |state: &mut State| Ok(state.contents.get_mut(&content).map(|(_, references)| *references += 1).is_some());
        self.transact("share content", share).await
    }

    /// Drops a reference, and the content with the last one.
    pub(crate) async fn release(&self, content: ContentId) -> Result<(), Error> {
        self.transact("release content", |state| {
            let Some((_, references)) = state.contents.get_mut(&content) else { return Ok(()) };
            *references -= 1;
            if *references == 0 {
                state.contents.remove(&content);
                state.moving.remove(&content);
                state.drop_places(content, |state| &mut state.chunks);
            }
            Ok(())
        })
        .await
    }

    /// Keeps a part of a content that is still arriving.
    pub(crate) async fn keep_part(
        &self,
        content: ContentId,
        place: Place,
        segment: WrittenSegment,
    ) -> Result<(), Error> {
        self.transact("keep part", |state| {
            state.can_hold(segment.segment)?;
            state.hold(&place, &[segment])?;
            if let Some(old) = state.parts.insert((content, place.chunk), place) {
                state.let_go(&old);
            }
            Ok(())
        })
        .await
    }

    /// Commits a content from its parts.
    pub(crate) async fn commit_parts(&self, manifest: &Manifest) -> Result<(), Error> {
        self.transact("commit parts", |state| {
            state.has_no(manifest.content)?;
            let parts: Vec<_> = state.places_of(manifest.content, &state.parts);
            for place in parts {
                state.parts.remove(&(manifest.content, place.chunk));
                state.chunks.insert((manifest.content, place.chunk), place);
            }
            state.contents.insert(manifest.content, (bare(manifest), 1));
            Ok(())
        })
        .await
    }

    /// Contents that are on the move. Looked up without a step: it is no part of the vault.
    pub(crate) fn moving(&self) -> Vec<Manifest> {
        let state = self.state();
        state.manifests().filter(|manifest| state.is_moving(manifest.content)).cloned().collect()
    }

    /// Gives up a content that was still arriving.
    pub(crate) async fn abort(&self, content: ContentId) -> Result<(), Error> {
        self.transact("abort content", |state| {
            state.drop_places(content, |state| &mut state.parts);
            Ok(())
        })
        .await
    }
}
