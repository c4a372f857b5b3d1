//! Terms of service. Those for people from outside are accepted before a role that somebody of the enterprise has given
//! them; those for the enterprise's own users are shown to them, and what they say is kept.

use crate::limits::TERMS_CHARS_MAX;
use crate::users::administers;
use crate::{Caller, Error, Tree, User, UserKind, UserMini};
use entente_database::terms::{self, Terms, TermsKind, TermsStatus};
use entente_database::{Tx, enterprises, users};
use entente_model::{TermsId, TermsStatusId, UserId};

/// Statuses that are shown of terms.
const STATUSES_SHOWN: u32 = 1_000;

/// What terms are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsText {
    /// Whether they have to be accepted.
    pub enabled: bool,
    /// What they say. May be empty while they are not enabled.
    pub text: String,
}

/// What somebody says to terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermsAnswer {
    /// Yes.
    Accepted,
    /// No.
    Declined,
}

/// Terms, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsView {
    /// The row.
    pub terms: Terms,
    /// What people call the enterprise.
    pub enterprise_name: String,
}

/// What a user has said to terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermsStatusView {
    /// The row.
    pub status: TermsStatus,
    /// The user.
    pub user: UserMini,
}

impl Tree {
    /// Makes terms. `Forbidden` for who does not administer; `AlreadyExists` when there are terms of the kind;
    /// `Invalid` for a text that is longer than `limits::TERMS_CHARS_MAX`, or empty while they are enabled.
    pub async fn create_terms(&self, caller: &Caller, kind: TermsKind, said: TermsText) -> Result<TermsView, Error> {
        check_text(caller, &said)?;
        let TermsText { enabled, text } = said;
        let (id, now) = (TermsId::new(self.world.next_id()), self.world.now());
        let enterprise = caller.enterprise;
        let new = Terms { id, enterprise, kind, enabled, text, created_at: now, modified_at: now };
        self.database
            .transact("create terms", move |tx| {
                // Asked first: a server tells of a second row only when the transaction ends.
                if terms::of(tx, enterprise)?.iter().any(|found| found.kind == kind) {
                    return Err(Error::AlreadyExists("there are terms of service of this type already"));
                }
                terms::insert(tx, &new)?;
                view(tx, new.clone())
            })
            .await
    }

    /// Changes terms. Errors as for [`Tree::create_terms`]; `NotFound`. Who has accepted them has accepted what they say
    /// from then on.
    pub async fn change_terms(&self, caller: &Caller, id: TermsId, said: TermsText) -> Result<TermsView, Error> {
        check_text(caller, &said)?;
        let TermsText { enabled, text } = said;
        let (caller, now) = (caller.clone(), self.world.now());
        self.database
            .transact("change terms", move |tx| {
                let found = terms::by_id(tx, id)?.filter(|found| found.enterprise == caller.enterprise);
                let changed = Terms { enabled, text: text.clone(), modified_at: now, ..found.ok_or(Error::NotFound)? };
                terms::update(tx, &changed)?;
                view(tx, changed)
            })
            .await
    }

    /// The terms of the caller's enterprise.
    pub async fn terms(&self, caller: &Caller) -> Result<Vec<TermsView>, Error> {
        self.database.read(|tx| {
            let found = terms::of(tx, caller.enterprise)?;
            found.into_iter().map(|one| view(tx, one)).collect()
        })
    }

    /// Terms of the caller's enterprise, or of one that has given the caller a role. `NotFound` for any other.
    pub async fn terms_by_id(&self, caller: &Caller, id: TermsId) -> Result<TermsView, Error> {
        self.database.read(|tx| {
            let found = seen(tx, caller, id)?;
            view(tx, found)
        })
    }

    /// What users have said to terms: a user, or the caller if none is named; the first 1,000 of all to who administers
    /// and names none. `NotFound` for terms that the caller may not know; `Forbidden` for another's.
    pub async fn terms_statuses(
        &self,
        caller: &Caller,
        id: TermsId,
        user: Option<UserId>,
    ) -> Result<Vec<TermsStatusView>, Error> {
        self.database.read(|tx| {
            let found = seen(tx, caller, id)?;
            let administered = administers(caller) && found.enterprise == caller.enterprise;
            let statuses = match user {
                None if administered => terms::statuses(tx, id, STATUSES_SHOWN)?,
                Some(other) if other != caller.user && !administered => return Err(Error::Forbidden),
                user => terms::status_of(tx, id, user.unwrap_or(caller.user))?.into_iter().collect(),
            };
            statuses.into_iter().map(|one| status_view(tx, one)).collect()
        })
    }

    /// Keeps what a user says to terms: the caller, or another of the enterprise's if the caller administers users.
    /// `NotFound` for terms or a user whom the caller may not know; `Forbidden` for another; `AlreadyExists` when they
    /// have said something.
    pub async fn answer_terms(
        &self,
        caller: &Caller,
        id: TermsId,
        user: UserId,
        answer: TermsAnswer,
    ) -> Result<TermsStatusView, Error> {
        let accepted = answer == TermsAnswer::Accepted;
        let (caller, status, now) = (caller.clone(), TermsStatusId::new(self.world.next_id()), self.world.now());
        self.database
            .transact("answer terms", move |tx| {
                seen(tx, &caller, id)?;
                check_may_answer(tx, &caller, user)?;
                let new = TermsStatus { id: status, terms: id, user, accepted, created_at: now, modified_at: now };
                if terms::status_of(tx, id, user)?.is_some() {
                    return Err(Error::AlreadyExists("the user has answered these terms already"));
                }
                terms::answer(tx, &new)?;
                status_view(tx, new)
            })
            .await
    }

    /// Changes what a user says. Errors as for [`Tree::answer_terms`].
    pub async fn change_terms_answer(
        &self,
        caller: &Caller,
        id: TermsStatusId,
        answer: TermsAnswer,
    ) -> Result<TermsStatusView, Error> {
        let (caller, now, accepted) = (caller.clone(), self.world.now(), answer == TermsAnswer::Accepted);
        self.database
            .transact("change terms answer", move |tx| {
                let found = terms::status(tx, id)?.ok_or(Error::NotFound)?;
                seen(tx, &caller, found.terms)?;
                match check_may_answer(tx, &caller, found.user) {
                    // That there is such an answer is nothing to them.
                    Err(Error::Forbidden) => return Err(Error::NotFound),
                    outcome => outcome?,
                }
                let changed = TermsStatus { accepted, modified_at: now, ..found };
                terms::change_answer(tx, &changed)?;
                status_view(tx, changed)
            })
            .await
    }
}

/// The terms that a user has to accept before a role on what the owner owns, and whether they have. `None` when there
/// are none.
pub(crate) fn required(tx: &mut Tx<'_>, user: UserId, owner: &User) -> Result<Option<(TermsId, bool)>, Error> {
    let Some(user) = users::by_id(tx, user)? else { return Ok(None) };
    if user.enterprise == owner.enterprise && user.kind != UserKind::External {
        return Ok(None);
    }
    let found = terms::of(tx, owner.enterprise)?;
    let Some(found) = found.into_iter().find(|terms| terms.kind == TermsKind::External && terms.enabled) else {
        return Ok(None);
    };
    let status = terms::status_of(tx, found.id, user.id)?;
    Ok(Some((found.id, status.is_some_and(|status| status.accepted))))
}

fn check_text(caller: &Caller, TermsText { enabled, text }: &TermsText) -> Result<(), Error> {
    if !administers(caller) {
        return Err(Error::Forbidden);
    }
    if text.chars().count() > TERMS_CHARS_MAX {
        return Err(Error::Invalid("the text is too long"));
    }
    if *enabled && text.trim().is_empty() {
        return Err(Error::Invalid("terms that are enabled say something"));
    }
    Ok(())
}

fn seen(tx: &mut Tx<'_>, caller: &Caller, id: TermsId) -> Result<Terms, Error> {
    let found = terms::by_id(tx, id)?.ok_or(Error::NotFound)?;
    let theirs = found.enterprise == caller.enterprise
        || (found.kind == TermsKind::External && terms::is_invited_by(tx, caller.user, found.enterprise)?);
    if theirs { Ok(found) } else { Err(Error::NotFound) }
}

fn check_may_answer(tx: &mut Tx<'_>, caller: &Caller, user: UserId) -> Result<(), Error> {
    if user == caller.user {
        return Ok(());
    }
    let ours = users::by_id(tx, user)?.is_some_and(|found| found.enterprise == caller.enterprise);
    match (ours, administers(caller)) {
        (true, true) => Ok(()),
        (true, false) => Err(Error::Forbidden),
        (false, _) => Err(Error::NotFound),
    }
}

fn view(tx: &mut Tx<'_>, terms: Terms) -> Result<TermsView, Error> {
    let enterprise_name = enterprises::by_id(tx, terms.enterprise)?.map(|found| found.name).unwrap_or_default();
    Ok(TermsView { terms, enterprise_name })
}

fn status_view(tx: &mut Tx<'_>, status: TermsStatus) -> Result<TermsStatusView, Error> {
    let user = users::mini(tx, status.user)?.ok_or(Error::NotFound)?;
    Ok(TermsStatusView { status, user })
}
