//! What must be true, as simply as it can be said: the contents that were acknowledged, and those nobody knows of.

use bytes::Bytes;
use entente_model::ContentId;
use std::collections::BTreeMap;

/// What is known of one content.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub plain: Bytes,
    /// References that were acknowledged, less those that were given back.
    pub references: u32,
    /// Something about it was asked and not answered: it may be there or not; if it is there, it is whole.
    pub in_doubt: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub contents: BTreeMap<ContentId, Known>,
}

impl Model {
    /// A commit is about to be asked.
    pub(crate) fn asking(&mut self, content: ContentId, plain: Bytes) {
        self.contents.insert(content, Known { plain, references: 0, in_doubt: true });
    }

    /// It was answered: acknowledged or refused.
    pub(crate) fn answered(&mut self, content: ContentId, acknowledged: bool) {
        if acknowledged {
            if let Some(known) = self.contents.get_mut(&content) {
                known.in_doubt = false;
                known.references += 1;
            }
        } else {
            self.contents.remove(&content);
        }
    }

    /// A content that is there for certain.
    pub(crate) fn pick(&self, rng: &mut fastrand::Rng) -> Option<(ContentId, Bytes)> {
        let certain: Vec<_> = self.contents.iter().filter(|(_, known)| !known.in_doubt && known.references > 0).collect();
        let (content, known) = certain.get(rng.usize(0..certain.len().max(1)))?;
        Some((**content, known.plain.clone()))
    }
}
