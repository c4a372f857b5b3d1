//! All versions below an item, a page at a time, and whose they become.

use crate::Error;
use entente_database::handovers::{self, Holding};
use entente_database::items::{self, Kind, Position};
use entente_database::{Tx, users};
use entente_model::{ItemId, UserId};
use std::collections::{BTreeSet, VecDeque};

/// Children read at a time.
const CHILDREN: u32 = 100;

/// Where a walk is: a folder at every level, and perhaps in the middle of a file. Its memory is bounded by the depth.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    steps: Vec<Step>,
    /// The file that is looked at, and the number of the version after which it goes on.
    file: Option<(ItemId, u64)>,
}

#[derive(Debug, Clone)]
struct Step {
    folder: ItemId,
    after: Option<Position>,
    waiting: VecDeque<(ItemId, Kind)>,
    ended: bool,
}

impl Step {
    fn new(folder: ItemId) -> Self {
        Self { folder, after: None, waiting: VecDeque::new(), ended: false }
    }
}

impl Walk {
    /// From an item on.
    pub(super) fn new(item: ItemId, kind: Kind) -> Self {
        let mut walk = Self { steps: Vec::new(), file: None };
        walk.enter(item, kind);
        walk
    }

    /// Whether there is no more.
    pub(super) fn ended(&self) -> bool {
        self.steps.is_empty() && self.file.is_none()
    }

    fn enter(&mut self, item: ItemId, kind: Kind) {
        match kind {
            Kind::Folder => self.steps.push(Step::new(item)),
            Kind::File => self.file = Some((item, 0)),
            Kind::WebLink => {}
        }
    }

    /// The versions that come next; looks at about so many rows.
    pub(super) fn next(&mut self, tx: &mut Tx<'_>, rows: u32) -> Result<Vec<Holding>, Error> {
        let (mut found, mut left) = (Vec::new(), rows);
        while left > 0 {
            if let Some((file, after)) = self.file {
                let page = handovers::holdings(tx, file, after, left)?;
                let read = u32::try_from(page.len()).unwrap_or(u32::MAX);
                self.file = page.last().filter(|_| read >= left).map(|last| (file, last.number));
                left = left.saturating_sub(read);
                found.extend(page);
                continue;
            }
            let Some(step) = self.steps.last_mut() else { break };
            left -= 1;
            if let Some((child, kind)) = step.waiting.pop_front() {
                self.enter(child, kind);
            } else if step.ended {
                self.steps.pop();
            } else {
                let page = items::page_after(tx, step.folder, step.after.as_ref(), CHILDREN)?;
                step.ended = u32::try_from(page.len()).is_ok_and(|read| read < CHILDREN);
                step.after = page.last().map(|(child, _)| Position::of(child)).or(step.after.take());
                step.waiting = page.into_iter().map(|(child, _)| (child.id, child.kind)).collect();
            }
        }
        Ok(found)
    }
}

/// What of a page cannot just be given to another owner: its bytes are also something else's.
pub(super) fn is_to_be_copied(holding: &Holding) -> bool {
    // What only a customer can open nobody else can copy; who owns it decides no more than where it is stored.
    holding.entangled && !holding.customers
}

/// Makes what is not `to`'s yet of a page theirs, with the space that it takes. Answers what has to be copied for that.
pub(super) fn hand(tx: &mut Tx<'_>, page: &[Holding], (from, to): (UserId, UserId)) -> Result<Vec<Holding>, Error> {
    let (mut given, mut size, mut rest) = (BTreeSet::new(), 0, Vec::new());
    for holding in page.iter().filter(|holding| holding.owner != to) {
        if is_to_be_copied(holding) {
            rest.push(*holding);
        } else if given.insert(holding.content) {
            // All versions of the file with this content: on the next page it is the new owner's already.
            handovers::set_owner(tx, holding.content, to)?;
            size += holding.size.saturating_mul(holding.within);
        }
    }
    if size > 0 {
        handovers::move_space(tx, from, to, size)?;
    }
    Ok(rest)
}

/// The bytes of a page's versions, each for itself.
pub(super) fn size_of(page: &[Holding]) -> u64 {
    page.iter().fold(0, |sum: u64, holding| sum.saturating_add(holding.size))
}

/// `QuotaExceeded` unless so much more fits into the user's space.
pub(super) fn check_space(tx: &mut Tx<'_>, user: UserId, size: u64) -> Result<(), Error> {
    if users::has_space(tx, user, size)? { Ok(()) } else { Err(Error::QuotaExceeded) }
}
