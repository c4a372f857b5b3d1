//! With whom an enterprise's users may share: the domains that it allows, and the users to whom that does not apply.
//!
//! An enterprise without a list shares with everybody. With one, roles go to people from outside, and are taken from
//! them, only as the list says. Roles that are there already stay.

use crate::limits::ALLOWLIST_PAGE_MAX;
use crate::users::administers;
use crate::{Caller, Error, Tree, User, UserMini};
use entente_database::allowlist::{self, ALLOWLIST_MAX, AllowedDomain, Direction, Exemption};
use entente_database::{Tx, enterprises, users};
use entente_model::{AllowedDomainId, EnterpriseId, ExemptionId, UserId, fold};

/// Characters of a domain (RFC 1035, section 2.3.4).
const DOMAIN_CHARS_MAX: usize = 253;
/// Characters of one of its labels.
const LABEL_CHARS_MAX: usize = 63;

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowlistPage<T, I> {
    /// In the order in which they were added.
    pub entries: Vec<T>,
    /// What people call the enterprise.
    pub enterprise_name: String,
    /// After which one the next page begins, if there is more.
    pub next: Option<I>,
}

/// A user whom the list does not concern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExemptionView {
    /// The row.
    pub exemption: Exemption,
    /// The user.
    pub user: UserMini,
}

impl Tree {
    /// Allows a domain. `Forbidden` for who does not administer; `Invalid` for what is no domain, and when there are
    /// `entente_database::allowlist::ALLOWLIST_MAX`; `AlreadyExists`.
    pub async fn allow_domain(
        &self,
        caller: &Caller,
        domain: &str,
        direction: Direction,
    ) -> Result<(AllowedDomain, String), Error> {
        check(caller)?;
        let new = AllowedDomain {
            id: AllowedDomainId::new(self.world.next_id()),
            enterprise: caller.enterprise,
            domain: folded_domain(domain)?,
            direction,
            created_at: self.world.now(),
        };
        self.database
            .transact("allow domain", move |tx| {
                if allowlist::count(tx, new.enterprise)? >= u64::from(ALLOWLIST_MAX) {
                    return Err(Error::Invalid("as many domains are allowed as there can be"));
                }
                // Asked first: a server tells of a second row only when the transaction ends.
                if allowlist::has(tx, new.enterprise, &new.domain)? {
                    return Err(Error::AlreadyExists("the domain is allowed already"));
                }
                allowlist::insert(tx, &new)?;
                Ok((new.clone(), name_of(tx, new.enterprise)?))
            })
            .await
    }

    /// A domain of the list. `Forbidden` for who does not administer; `NotFound`.
    pub async fn allowed_domain(&self, caller: &Caller, id: AllowedDomainId) -> Result<(AllowedDomain, String), Error> {
        check(caller)?;
        self.database.read(|tx| Ok((domain_of(tx, caller, id)?, name_of(tx, caller.enterprise)?)))
    }

    /// A page of the domains that are allowed: at most `limit`, and `limits::ALLOWLIST_PAGE_MAX`. `Forbidden` for who does
    /// not administer.
    pub async fn allowed_domains(
        &self,
        caller: &Caller,
        after: Option<AllowedDomainId>,
        limit: u32,
    ) -> Result<AllowlistPage<AllowedDomain, AllowedDomainId>, Error> {
        check(caller)?;
        let limit = limit.clamp(1, ALLOWLIST_PAGE_MAX);
        self.database.read(|tx| {
            let mut entries = allowlist::after(tx, caller.enterprise, after, limit + 1)?;
            let next = cut(&mut entries, limit).map(|last| last.id);
            Ok(AllowlistPage { entries, enterprise_name: name_of(tx, caller.enterprise)?, next })
        })
    }

    /// Takes a domain off the list. Errors as for [`Tree::allowed_domain`].
    pub async fn disallow_domain(&self, caller: &Caller, id: AllowedDomainId) -> Result<(), Error> {
        check(caller)?;
        let caller = caller.clone();
        self.database
            .transact("disallow domain", move |tx| {
                domain_of(tx, &caller, id)?;
                Ok(allowlist::remove(tx, id)?)
            })
            .await
    }

    /// Exempts a user of the enterprise from the list. `Forbidden` for who does not administer; `NotFound` for a user of
    /// another; `AlreadyExists`; `Invalid` when there are as many as there can be.
    pub async fn exempt_user(&self, caller: &Caller, user: UserId) -> Result<(ExemptionView, String), Error> {
        check(caller)?;
        let (caller, id, now) = (caller.clone(), ExemptionId::new(self.world.next_id()), self.world.now());
        self.database
            .transact("exempt user", move |tx| {
                let ours = users::by_id(tx, user)?.is_some_and(|found| found.enterprise == caller.enterprise);
                if !ours {
                    return Err(Error::NotFound);
                }
                if allowlist::count_exemptions(tx, caller.enterprise)? >= u64::from(ALLOWLIST_MAX) {
                    return Err(Error::Invalid("as many users are exempt as can be"));
                }
                let new = Exemption { id, enterprise: caller.enterprise, user, created_at: now };
                if allowlist::is_exempt(tx, user)? {
                    return Err(Error::AlreadyExists("the user is exempt already"));
                }
                allowlist::exempt(tx, &new)?;
                Ok((view(tx, new)?, name_of(tx, caller.enterprise)?))
            })
            .await
    }

    /// An exemption. `Forbidden` for who does not administer; `NotFound`.
    pub async fn exemption(&self, caller: &Caller, id: ExemptionId) -> Result<(ExemptionView, String), Error> {
        check(caller)?;
        self.database.read(|tx| {
            let found = exemption_of(tx, caller, id)?;
            Ok((view(tx, found)?, name_of(tx, caller.enterprise)?))
        })
    }

    /// A page of the exemptions, as [`Tree::allowed_domains`].
    pub async fn exemptions(
        &self,
        caller: &Caller,
        after: Option<ExemptionId>,
        limit: u32,
    ) -> Result<AllowlistPage<ExemptionView, ExemptionId>, Error> {
        check(caller)?;
        let limit = limit.clamp(1, ALLOWLIST_PAGE_MAX);
        self.database.read(|tx| {
            let mut found = allowlist::exemptions_after(tx, caller.enterprise, after, limit + 1)?;
            let next = cut(&mut found, limit).map(|last| last.id);
            let entries = found.into_iter().map(|one| view(tx, one)).collect::<Result<_, _>>()?;
            Ok(AllowlistPage { entries, enterprise_name: name_of(tx, caller.enterprise)?, next })
        })
    }

    /// Ends an exemption. Errors as for [`Tree::exemption`].
    pub async fn end_exemption(&self, caller: &Caller, id: ExemptionId) -> Result<(), Error> {
        check(caller)?;
        let caller = caller.clone();
        self.database
            .transact("end exemption", move |tx| {
                exemption_of(tx, &caller, id)?;
                Ok(allowlist::remove_exemption(tx, id)?)
            })
            .await
    }
}

/// `Forbidden` when somebody with that login may have no role on what the owner owns. One of `ours` who is exempt lets them.
pub(crate) fn check_inbound(tx: &mut Tx<'_>, owner: EnterpriseId, ours: &[UserId], login: &str) -> Result<(), Error> {
    for user in ours {
        if allowlist::is_exempt(tx, *user)? {
            return Ok(());
        }
    }
    check_domain(tx, owner, login, Direction::Inbound)
}

/// `Forbidden` when the user may have no role on what somebody of another enterprise owns.
pub(crate) fn check_outbound(tx: &mut Tx<'_>, user: &User, owner: &User) -> Result<(), Error> {
    if user.enterprise == owner.enterprise || allowlist::is_exempt(tx, user.id)? {
        return Ok(());
    }
    check_domain(tx, user.enterprise, &owner.login, Direction::Outbound)
}

fn check_domain(tx: &mut Tx<'_>, enterprise: EnterpriseId, login: &str, direction: Direction) -> Result<(), Error> {
    let domain = login.rsplit_once('@').map(|(_, domain)| fold(domain)).unwrap_or_default();
    if allowlist::allows(tx, enterprise, &domain, direction)? { Ok(()) } else { Err(Error::Forbidden) }
}

fn folded_domain(text: &str) -> Result<String, Error> {
    let folded = fold(text.trim());
    let is_label = |label: &str| {
        let plain = |c: char| c == '-' || c.is_alphanumeric();
        !label.is_empty() && label.chars().count() <= LABEL_CHARS_MAX && label.chars().all(plain)
    };
    let fits = folded.chars().count() <= DOMAIN_CHARS_MAX && folded.split('.').all(is_label);
    if fits { Ok(folded) } else { Err(Error::Invalid("the domain is not one, such as example.com")) }
}

fn check(caller: &Caller) -> Result<(), Error> {
    if administers(caller) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Leaves at most `limit`; the last of them, if there were more.
fn cut<T>(entries: &mut Vec<T>, limit: u32) -> Option<&T> {
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > kept;
    entries.truncate(kept);
    entries.last().filter(|_| more)
}

fn name_of(tx: &mut Tx<'_>, enterprise: EnterpriseId) -> Result<String, Error> {
    Ok(enterprises::by_id(tx, enterprise)?.map(|found| found.name).unwrap_or_default())
}

fn domain_of(tx: &mut Tx<'_>, caller: &Caller, id: AllowedDomainId) -> Result<AllowedDomain, Error> {
    allowlist::by_id(tx, id)?.filter(|found| found.enterprise == caller.enterprise).ok_or(Error::NotFound)
}

fn exemption_of(tx: &mut Tx<'_>, caller: &Caller, id: ExemptionId) -> Result<Exemption, Error> {
    allowlist::exemption(tx, id)?.filter(|found| found.enterprise == caller.enterprise).ok_or(Error::NotFound)
}

fn view(tx: &mut Tx<'_>, exemption: Exemption) -> Result<ExemptionView, Error> {
    let user = users::mini(tx, exemption.user)?.ok_or(Error::NotFound)?;
    Ok(ExemptionView { exemption, user })
}
