//! What must be true, as simply as it can be said: the contents that were acknowledged, and those nobody knows of.

use bytes::Bytes;
use entente_model::{ContentId, ZoneId};
use entente_vault::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one content.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub plain: Bytes,
    /// References that were acknowledged, less those that were given back.
    pub references: u32,
    /// Something about it was asked and not answered: it may be there or not; if it is there, it is whole.
    pub in_doubt: bool,
    /// It may have more references than are known of.
    pub more_perhaps: bool,
}

/// How a change was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is done, for ever.
    Acknowledged,
    /// It is not done, and never will be.
    Refused,
    /// It is done or not.
    Unknown,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub contents: BTreeMap<ContentId, Known>,
    /// Contents that are, or were, to be moved: where to at last, and every zone that they may be in.
    moves: BTreeMap<ContentId, (Option<Scope>, BTreeSet<ZoneId>)>,
    /// Contents of which every known reference has been given back, but perhaps not every one.
    left_perhaps: BTreeSet<ContentId>,
}

impl Model {
    /// A commit is about to be asked.
    pub(crate) fn asking(&mut self, content: ContentId, plain: Bytes) {
        self.contents.insert(content, Known { plain, references: 0, in_doubt: true, more_perhaps: false });
    }

    /// It was answered.
    pub(crate) fn answered(&mut self, content: ContentId, answer: Answer) {
        match answer {
            Answer::Acknowledged => {
                if let Some(known) = self.contents.get_mut(&content) {
                    known.in_doubt = false;
                    known.references += 1;
                }
            }
            Answer::Refused => {
                self.contents.remove(&content);
            }
            Answer::Unknown => {}
        }
    }

    /// A change of a content's references is about to be asked; `false` when another one is on its way.
    pub(crate) fn touching(&mut self, content: ContentId) -> bool {
        let known = self.contents.get_mut(&content).filter(|known| !known.in_doubt);
        known.map(|known| known.in_doubt = true).is_some()
    }

    /// It was acknowledged: there are so many references more, or less.
    pub(crate) fn touched(&mut self, content: ContentId, by: i32) {
        let Some(known) = self.contents.get_mut(&content) else { return };
        known.in_doubt = false;
        known.references = known.references.saturating_add_signed(by);
        if known.references == 0 {
            if known.more_perhaps {
                self.left_perhaps.insert(content);
            }
            self.contents.remove(&content);
        }
    }

    /// A move is about to be asked.
    pub(crate) fn moving(&mut self, content: ContentId, to: Scope) {
        let (last, zones) = self.moves.entry(content).or_default();
        *last = Some(to);
        zones.insert(to.zone);
    }

    /// Moves that were asked for and may not be done.
    pub(crate) fn unfinished_moves(&self) -> Vec<(ContentId, Scope)> {
        self.moves.iter().filter_map(|(content, (to, _))| to.map(|to| (*content, to))).collect()
    }

    /// All of them are done.
    pub(crate) fn moves_ended(&mut self) {
        self.moves.clear();
    }

    /// Whether a content may have bytes in a zone beside its own.
    pub(crate) fn may_be_in(&self, content: ContentId, zone: ZoneId) -> bool {
        self.moves.get(&content).is_some_and(|(_, zones)| zones.contains(&zone))
    }

    /// It was looked for at a quiet moment, and found whole. What was in doubt has one reference at least.
    pub(crate) fn found(&mut self, content: ContentId) {
        if let Some(known) = self.contents.get_mut(&content).filter(|known| known.in_doubt) {
            known.in_doubt = false;
            known.more_perhaps = true;
            known.references = 1;
        }
    }

    /// Whether it may be there at all.
    pub(crate) fn may_have(&self, content: ContentId) -> bool {
        self.contents.contains_key(&content) || self.left_perhaps.contains(&content)
    }

    pub(crate) fn is_certain(&self, content: ContentId) -> bool {
        self.contents.get(&content).is_some_and(|known| !known.in_doubt)
    }

    /// A content that is there for certain.
    pub(crate) fn pick(&self, rng: &mut fastrand::Rng) -> Option<(ContentId, Bytes)> {
        let certain: Vec<_> =
            self.contents.iter().filter(|(_, known)| !known.in_doubt && known.references > 0).collect();
        let (content, known) = certain.get(rng.usize(0..certain.len().max(1)))?;
        Some((**content, known.plain.clone()))
    }
}
