//! The storage policies of the configuration, as far as administrators may see them.

use crate::limits::POLICIES_PAGE_MAX;
use crate::users::administers;
use crate::{Caller, Error, StoragePolicy, Tree};
use entente_database::backends::Standing;
use entente_database::policies;
use entente_model::PolicyId;

/// A page of storage policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPage {
    /// In order of ids.
    pub entries: Vec<StoragePolicy>,
    /// After which one the next page begins, if there is more.
    pub next: Option<PolicyId>,
}

impl Tree {
    /// A page of the policies that can be assigned, after `after`: at most `limit`, and `limits::POLICIES_PAGE_MAX`.
    /// `Forbidden` for who does not administer.
    pub async fn storage_policies(
        &self,
        caller: &Caller,
        after: Option<PolicyId>,
        limit: u32,
    ) -> Result<PolicyPage, Error> {
        check_administers(caller)?;
        let limit = limit.min(POLICIES_PAGE_MAX);
        let mut entries = self.database.read(|tx| policies::configured(tx, after, limit.saturating_add(1)))?;
        let shown = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = entries.len() > shown;
        entries.truncate(shown);
        let next = entries.last().map(|last| last.id).filter(|_| more);
        Ok(PolicyPage { entries, next })
    }

    /// A policy that can be assigned. `Forbidden` for who does not administer; `NotFound` for one that is not
    /// configured (any more).
    pub async fn storage_policy(&self, caller: &Caller, policy: PolicyId) -> Result<StoragePolicy, Error> {
        check_administers(caller)?;
        let found = self.database.read(|tx| policies::by_id(tx, policy))?;
        found.filter(|found| found.standing == Standing::Configured).ok_or(Error::NotFound)
    }
}

/// `Forbidden` unless the caller administers.
pub(super) fn check_administers(caller: &Caller) -> Result<(), Error> {
    if administers(caller) { Ok(()) } else { Err(Error::Forbidden) }
}
