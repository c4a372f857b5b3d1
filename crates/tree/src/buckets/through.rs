//! Coming to a bucket that may be somebody else's: the bucket's rules decide, and whoever they let goes on in the name of
//! its owner, with the scopes that this one deed needs.

use super::rules::{Asked, Circumstances, Deed, DoneTo, Known, Sharing, Verdict};
use super::{Bucket, bucket, find, is_bucket_name};
use crate::grant::See;
use crate::{Caller, Error, Path, Scopes, Top, Tree, WantedVersion};
use entente_database::acl::Acl;
use entente_database::buckets::Traits;
use entente_database::facts::Facts;
use entente_database::{Tx, buckets, enterprises, items, tokens};
use entente_model::{ItemId, ItemName, Through, UserId};

/// Somebody wants to do something with a bucket.
pub struct Question<'q> {
    /// Who; `None` when nobody knows.
    pub who: Option<&'q Caller>,
    /// The bucket's name.
    pub bucket: &'q str,
    /// With which key, and which version of it, if with one.
    pub key: Option<(&'q [ItemName], Option<WantedVersion>)>,
    /// What: all of these. None: to come in at all, for whoever may do anything, and without being able to.
    pub deeds: &'q [Deed],
    /// How it is asked. Called only if there are rules.
    pub circumstances: &'q (dyn Fn() -> Circumstances + Send + Sync),
}

/// Whether what is not there may be told from what is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sight {
    /// Who came in may list the keys.
    Whole,
    /// They may not, and must not learn of a key that it is not there.
    Blind,
}

/// Who came in.
#[derive(Debug, Clone)]
pub struct Entered {
    /// In whose name everything goes on: whoever asked, or the bucket's owner with few scopes.
    pub caller: Caller,
    /// Where.
    pub bucket: Bucket,
    /// What they may see of it.
    pub sight: Sight,
    /// Whether the bucket has rules, so that another deed has to be asked for.
    pub ruled: bool,
}

/// What there is where somebody comes in.
struct Found {
    bucket: Bucket,
    ruled: u64,
    /// With all that its owner may.
    owner: Caller,
}

impl Tree {
    /// Decides whether somebody may do something with a bucket, their own or another's, and gives the caller to do it with.
    ///
    /// `NotFound` when there is no such bucket, or they may not know of it; the two are one answer, and the only one for who
    /// is not known. `Forbidden` when they may know of it, and not do this. A few lookups, inline; for one's own bucket
    /// without rules no more than [`Tree::bucket`].
    pub async fn through_bucket(&self, question: &Question<'_>) -> Result<Entered, Error> {
        self.database.read(|tx| enter(tx, question))
    }

    /// Who else may use the caller's bucket of that name. `NotFound`. A few lookups, inline.
    pub async fn sharing(&self, caller: &Caller, name: &str) -> Result<Sharing, Error> {
        self.database.read(|tx| {
            let (_, item) = find::<See>(tx, caller, name)?;
            sharing_of(tx, item.id)
        })
    }
}

/// Decides; see [`Tree::through_bucket`].
pub(super) fn enter(tx: &mut Tx<'_>, question: &Question<'_>) -> Result<Entered, Error> {
    let found = match own(tx, question) {
        Err(Error::NotFound) => others(tx, question)?,
        found => found?,
    };
    let asker = question.who.map(|who| who.user);
    let is_own = asker == Some(found.owner.user);
    if found.ruled == 0 {
        // Nobody else is let anything.
        let caller = question.who.filter(|_| is_own).ok_or(Error::NotFound)?.clone();
        return Ok(Entered { caller, bucket: found.bucket, sight: Sight::Whole, ruled: false });
    }
    let sharing = sharing_of(tx, found.bucket.item)?;
    let facts = match question.key {
        Some(key) if sharing.needs_object() => facts(tx, &found, key)?,
        _ => None,
    };
    let sight = decide(&sharing, &found, question, facts.as_ref())?;
    let needed = question.deeds.iter().fold(Scopes::NONE, |scopes, deed| scopes.with(deed.scopes()));
    // What the credential does not have, no rule gives.
    if question.who.is_some_and(|who| !who.scopes.contains(needed)) {
        return Err(Error::Forbidden);
    }
    let mut caller = match question.who {
        Some(who) if is_own => who.clone(),
        _ => Caller { scopes: needed, ..found.owner },
    };
    caller.through = Some(Through { asker, bucket: found.bucket.item, ruled: found.ruled });
    Ok(Entered { caller, bucket: found.bucket, sight, ruled: true })
}

/// Fails as well when the bucket that they came into is not the one that is found by its name.
pub(super) fn check_still_there(tx: &mut Tx<'_>, caller: &Caller, bucket: ItemId) -> Result<(), Error> {
    match caller.through {
        Some(through) if through.bucket != bucket => {
            Err(Error::BusyRetry("another bucket has just got that name".into()))
        }
        _ => check_still_ruled(tx, caller),
    }
}

/// Fails when the rules by which somebody came in have been changed since: they are to be asked again.
pub(crate) fn check_still_ruled(tx: &mut Tx<'_>, caller: &Caller) -> Result<(), Error> {
    let Some(through) = caller.through else { return Ok(()) };
    if buckets::traits(tx, through.bucket)?.ruled == through.ruled {
        return Ok(());
    }
    Err(Error::BusyRetry("the rules of the bucket have just been changed".into()))
}

pub(crate) fn sharing_of(tx: &mut Tx<'_>, item: ItemId) -> Result<Sharing, Error> {
    let text = buckets::setting(tx, item, super::rules::SETTING)?;
    text.map_or_else(|| Ok(Sharing::default()), |text| Sharing::of_text(&text))
}

fn own(tx: &mut Tx<'_>, question: &Question<'_>) -> Result<Found, Error> {
    let who = question.who.ok_or(Error::NotFound)?;
    let (grant, item) = find::<See>(tx, who, question.bucket)?;
    let traits = buckets::traits(tx, item.id)?;
    let Traits { expires, retains, .. } = traits;
    let bucket = Bucket { expires, retains, ..bucket(&item, grant.owner(), traits.versioning) };
    Ok(Found { bucket, ruled: traits.ruled, owner: who.clone() })
}

/// A bucket that others may have been let use: one that S3 has been told of, still at the root of a user who may use theirs.
fn others(tx: &mut Tx<'_>, question: &Question<'_>) -> Result<Found, Error> {
    if !is_bucket_name(question.bucket) {
        return Err(Error::NotFound);
    }
    let enterprise = match question.who {
        Some(who) => who.enterprise,
        None => enterprises::first(tx)?.ok_or(Error::NotFound)?.id,
    };
    let row = buckets::by_name(tx, enterprise, question.bucket)?.ok_or(Error::NotFound)?;
    let traits = buckets::traits(tx, row.item)?;
    if traits.ruled == 0 {
        return Err(Error::NotFound);
    }
    let owner = match items::ancestors(tx, row.item)?.as_slice() {
        [folder, top] if top.top == Top::Root && folder.name.as_str() == question.bucket => top.top_user,
        _ => None,
    };
    let owner = owner.ok_or(Error::NotFound)?;
    let owner = tokens::caller(tx, owner, None, Scopes::ALL)?.ok_or(Error::NotFound)?;
    let (grant, item) = find::<See>(tx, &owner, question.bucket)?;
    let Traits { expires, retains, .. } = traits;
    let bucket = Bucket { expires, retains, ..bucket(&item, grant.owner(), traits.versioning) };
    Ok(Found { bucket, ruled: traits.ruled, owner })
}

fn facts(
    tx: &mut Tx<'_>,
    found: &Found,
    (names, version): (&[ItemName], Option<WantedVersion>),
) -> Result<Option<Facts>, Error> {
    let path = Path { base: found.bucket.item, names };
    crate::paths::facts_at(tx, &Caller { scopes: Scopes::ALL, ..found.owner.clone() }, path, version)
}

/// Whether all that is asked is let, and what may be seen besides.
fn decide(sharing: &Sharing, found: &Found, question: &Question<'_>, facts: Option<&Facts>) -> Result<Sight, Error> {
    let circumstances = (question.circumstances)();
    let asker = question.who.map(|who| who.user);
    let tags = facts.map_or(&[][..], |facts| &facts.tags);
    let known = Known { circumstances: &circumstances, asker, tags };
    let key = question.key.map(|(names, _)| joined(names));
    let asked = |deed: Deed| Asked {
        bucket: found.bucket.item,
        owner: found.owner.user,
        deed,
        key: key.as_deref().filter(|_| deed.done_to() == DoneTo::Key),
        acl: facts.and_then(|facts: &Facts| facts.acl.as_ref()),
    };
    if question.deeds.is_empty()
        && asker != Some(found.owner.user)
        && !sharing.lets_come(&asked(Deed::ListKeys), &known)
    {
        return Err(Error::NotFound);
    }
    for deed in question.deeds {
        match sharing.decide(&asked(*deed), &known) {
            Verdict::Allowed => {}
            Verdict::Denied => return Err(Error::Forbidden),
            Verdict::Hidden => return Err(Error::NotFound),
        }
    }
    let lists = sharing.decide(&asked(Deed::ListKeys), &known) == Verdict::Allowed;
    Ok(if lists { Sight::Whole } else { Sight::Blind })
}

fn joined(names: &[ItemName]) -> String {
    names.iter().map(ItemName::as_str).collect::<Vec<_>>().join("/")
}

/// Whether somebody of the enterprise is a user of it who may ask.
pub(super) fn is_user(tx: &mut Tx<'_>, caller: &Caller, user: UserId) -> Result<bool, Error> {
    Ok(tokens::caller(tx, user, None, Scopes::NONE)?.is_some_and(|found| found.enterprise == caller.enterprise))
}

/// Users whom a list names.
pub(super) fn named_in(acl: &Acl) -> impl Iterator<Item = UserId> + '_ {
    use entente_database::acl::Grantee;
    acl.grants.iter().filter_map(|grant| match grant.to {
        Grantee::User(user) => Some(user),
        Grantee::Users | Grantee::Everyone => None,
    })
}
