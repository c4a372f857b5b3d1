//! What is stored below a folder and not under a given policy: a walk that can be stopped and taken up anywhere.

use crate::limits::{BATCH_ROWS_MAX, DEPTH_MAX};
use crate::{Error, Kind, Stored, Tree};
use entente_database::items::{self, Position};
use entente_database::users::{self, Storage};
use entente_database::{Tx, policies, versions};
use entente_model::{ItemId, PolicyId};
use entente_vault::Scope;

/// Children that one page looks at, whether they have contents to show or not.
const LOOKED_AT_MAX: u32 = 2_000;
/// Children read at a time.
const CHILDREN: u32 = 100;
/// Begins every stored position, so that a later form can be told from this one.
const FORM: u8 = 1;

/// A page of contents below a folder that are not stored under the policy that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    /// Where they are to be.
    pub to: Scope,
    /// At most as many as were asked for; perhaps none although there are more pages.
    pub contents: Vec<Stored>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<BelowPosition>,
}

/// A place in the walk: the folders on the way to it, each with its sequence number when the walk came there.
#[derive(Clone, PartialEq, Eq)]
pub struct BelowPosition {
    way: Vec<(ItemId, u64)>,
    /// The child of the last folder after which the walk goes on.
    after: Option<Position>,
    /// The child in the middle of which it goes on, after that version.
    within: Option<(Position, u64)>,
}

impl Tree {
    /// A page of all contents below a folder (every version of every file) that are not stored under `policy`, after
    /// `after`: at most `limit`, and `limits::BATCH_ROWS_MAX`. `None` when there is no such folder (any more);
    /// `NotFound` when there is no such policy.
    ///
    /// What is moved about below the folder during the walk may be met twice or not at all: walk again until a walk
    /// finds nothing. The memory is bounded by the depth of the folders.
    pub async fn contents_below(
        &self,
        folder: ItemId,
        policy: PolicyId,
        after: Option<BelowPosition>,
        limit: u32,
    ) -> Result<Option<Below>, Error> {
        let limit = limit.clamp(1, BATCH_ROWS_MAX);
        self.database
            .read_long(move |tx| {
                let top = items::ancestors(tx, folder)?;
                if top.first().is_none_or(|top| top.kind != Kind::Folder) {
                    return Ok(None);
                }
                let owner = top.last().and_then(|top| top.top_user);
                let storage = owner.map(|owner| users::storage(tx, owner)).transpose()?.flatten();
                let Some(Storage { enterprise, .. }) = storage else { return Ok(None) };
                let zone = policies::by_id(tx, policy)?.ok_or(Error::NotFound)?.zone;
                let start = BelowPosition { way: vec![(folder, 0)], after: None, within: None };
                let mut at = after.filter(|after| after.way.first() == Some(&(folder, 0))).unwrap_or(start);
                at.check(tx)?;
                let mut walk = Walk { at, policy, found: Vec::new(), limit };
                let ended = walk.run(tx)?;
                Ok(Some(Below {
                    to: Scope { enterprise, zone, policy },
                    contents: walk.found,
                    next: (!ended).then_some(walk.at),
                }))
            })
            .await
    }
}

struct Walk {
    at: BelowPosition,
    policy: PolicyId,
    found: Vec<Stored>,
    limit: u32,
}

impl Walk {
    /// Goes on until the page is full or has looked at enough. `true` at the end of the whole walk.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let mut looked_at = 0;
        loop {
            if let Some((file, number)) = self.at.within.take()
                && !self.file(tx, file, number)?
            {
                return Ok(false);
            }
            let Some((folder, _)) = self.at.way.last().copied() else { return Ok(true) };
            let children = items::page_after(tx, folder, self.at.after.as_ref(), CHILDREN)?;
            if children.is_empty() && self.at.leave(tx)? {
                return Ok(true);
            }
            for (child, _) in children {
                looked_at += 1;
                let position = Position::of(&child);
                match child.kind {
                    Kind::Folder => {
                        self.at.way.push((child.id, child.sequence));
                        self.at.after = None;
                        break;
                    }
                    Kind::File => {
                        if !self.file(tx, position, 0)? {
                            return Ok(false);
                        }
                    }
                    Kind::WebLink => self.at.after = Some(position),
                }
            }
            // A folder that was left counts as well: many empty ones take as long.
            looked_at += 1;
            if looked_at >= LOOKED_AT_MAX {
                return Ok(false);
            }
        }
    }

    /// Takes what is not in place of a file's versions after `number`. `false` when the page is full.
    fn file(&mut self, tx: &mut Tx<'_>, file: Position, number: u64) -> Result<bool, Error> {
        let left = self.limit.saturating_sub(u32::try_from(self.found.len()).unwrap_or(u32::MAX));
        let found = versions::contents_elsewhere(tx, file.id, self.policy, number, left)?;
        let last = found.last().map_or(number, |(number, _)| *number);
        let full = u32::try_from(found.len()).is_ok_and(|found| found >= left);
        self.found.extend(found.into_iter().map(|(_, stored)| stored));
        if full {
            self.at.within = Some((file, last));
        } else {
            self.at.after = Some(file);
        }
        Ok(!full)
    }
}

impl BelowPosition {
    /// Forgets what has been moved away since: the walk begins again in the last folder that is where it was.
    fn check(&mut self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let mut good = 1;
        if let Some((last, _)) = self.way.last() {
            let above = items::ancestors(tx, *last)?;
            // From the top down: each folder's parent must be the one before it.
            for pair in self.way.windows(2) {
                let &[(parent, _), (folder, _)] = pair else { break };
                if !above.iter().any(|found| found.id == folder && found.parent == Some(parent)) {
                    break;
                }
                good += 1;
            }
        }
        if good < self.way.len() {
            self.way.truncate(good);
            (self.after, self.within) = (None, None);
        }
        Ok(())
    }

    /// Goes back to the folder above. `true` when that was the last one.
    fn leave(&mut self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        let Some((folder, sequence)) = self.way.pop() else { return Ok(true) };
        let Some((parent, _)) = self.way.last() else { return Ok(true) };
        let found = items::by_id(tx, folder)?;
        // Where it stood among its siblings is known only if nobody has touched it.
        let same = found.filter(|found| found.parent == Some(*parent) && found.sequence == sequence);
        self.after = same.as_ref().map(Position::of);
        Ok(false)
    }

    /// A form to be stored: some bytes for each level of folders.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORM];
        bytes.extend_from_slice(&u32::try_from(self.way.len()).unwrap_or(0).to_be_bytes());
        for (folder, sequence) in &self.way {
            bytes.extend_from_slice(&folder.number().to_be_bytes());
            bytes.extend_from_slice(&sequence.to_be_bytes());
        }
        let (position, number) = match (&self.within, &self.after) {
            (Some((position, number)), _) => (Some(position), Some(*number)),
            (None, after) => (after.as_ref(), None),
        };
        if let Some(position) = position {
            bytes.push(u8::from(number.is_some()));
            bytes.extend_from_slice(&number.unwrap_or(0).to_be_bytes());
            bytes.push(u8::try_from(position.kind.number()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(&position.id.number().to_be_bytes());
            bytes.extend_from_slice(position.folded.as_bytes());
        }
        bytes
    }

    /// Reads what [`BelowPosition::to_bytes`] gave. `None` for anything else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[form], rest) = bytes.split_first_chunk()?;
        let (levels, mut rest) = rest.split_first_chunk()?;
        let levels = u32::from_be_bytes(*levels);
        if form != FORM || !(1..=DEPTH_MAX + 2).contains(&levels) {
            return None;
        }
        let mut way = Vec::new();
        for _ in 0..levels {
            let (folder, more) = rest.split_first_chunk()?;
            let (sequence, more) = more.split_first_chunk()?;
            way.push((ItemId::new(i64::from_be_bytes(*folder)), u64::from_be_bytes(*sequence)));
            rest = more;
        }
        if rest.is_empty() {
            return Some(Self { way, after: None, within: None });
        }
        let (&[is_within], rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (&[kind], rest) = rest.split_first_chunk()?;
        let (id, folded) = rest.split_first_chunk()?;
        let position = Position {
            kind: Kind::from_number(i64::from(kind)).ok()?,
            folded: std::str::from_utf8(folded).ok()?.to_owned(),
            id: ItemId::new(i64::from_be_bytes(*id)),
        };
        match is_within {
            0 => Some(Self { way, after: Some(position), within: None }),
            1 => Some(Self { way, after: None, within: Some((position, u64::from_be_bytes(*number))) }),
            _ => None,
        }
    }
}

/// Without the name in it.
impl std::fmt::Debug for BelowPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BelowPosition({} levels down)", self.way.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_comes_back() {
        let way = vec![(ItemId::new(1), 0), (ItemId::new(2), 7)];
        let position = Position { kind: Kind::File, folded: "\u{e9}t\u{e9}".to_owned(), id: ItemId::new(9) };
        for (after, within) in [(None, None), (Some(position.clone()), None), (None, Some((position, 3)))] {
            let at = BelowPosition { way: way.clone(), after, within };
            let bytes = at.to_bytes();
            assert_eq!(BelowPosition::from_bytes(&bytes), Some(at));
            assert_eq!(BelowPosition::from_bytes(&bytes[..20]), None);
        }
        assert_eq!(BelowPosition::from_bytes(&[]), None);
        assert_eq!(BelowPosition::from_bytes(&[2, 0, 0, 0, 0]), None);
        assert_eq!(BelowPosition::from_bytes(&[1, 255, 255, 255, 255]), None);
    }
}
