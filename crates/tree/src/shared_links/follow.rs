//! A link is followed: by somebody who has signed in, or by anybody.

use super::effective;
use crate::files::open::opened;
use crate::grant::See;
use crate::users::administers;
use crate::{Caller, Error, Kind, LinkAccess, LinkRules, Opened, SharedLink, Top, Tree, allow};
use entente_database::{Tx, enterprises, items, shared_links};
use entente_model::{FollowedLink, ItemId, Timestamp};

/// Longer texts are no link's.
const NAME_BYTES_MAX: usize = 256;

/// What a link's URL says of it. Not to be printed: whoever knows it may follow the link.
#[derive(Clone, PartialEq, Eq)]
pub enum LinkName {
    /// The text that was made up for it.
    Token(String),
    /// The name that somebody gave it.
    Vanity(String),
}

/// A link that the caller may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundLink {
    /// What makes the caller one who came with it, once its password was shown.
    pub followed: FollowedLink,
    /// The item that it is of.
    pub item: ItemId,
    /// What that is.
    pub kind: Kind,
    /// Whether it has a password.
    pub has_password: bool,
    /// Whether the caller sees the item without the link, too.
    pub sees_anyway: bool,
}

impl Tree {
    /// The link of that name. `NotFound` when there is none, when it has ended, and for whom it is not; `Trashed` for who
    /// sees the item without it; `Forbidden` with a credential that is not for reading.
    pub async fn find_link(&self, caller: &Caller, name: &LinkName) -> Result<FoundLink, Error> {
        let at = self.world.now();
        self.database.read(|tx| {
            let link = found(tx, name, at)?;
            let sees_anyway = match allow::<See>(tx, caller, link.item) {
                Ok(_) => true,
                Err(Error::NotFound | Error::Forbidden) => false,
                Err(error) => return Err(error),
            };
            let followed = FollowedLink { link: link.id, at };
            let with = Caller { link: Some(followed), ..caller.clone() };
            let grant = allow::<See>(tx, &with, link.item)?;
            let (item, kind) = (link.item, grant.item().kind);
            Ok(FoundLink { followed, item, kind, has_password: link.has_password, sees_anyway })
        })
    }

    /// What anybody may download who has the URL of an open link of a file, signed in or not.
    ///
    /// `NotFound` when there is no such link or it has ended, is not open or not of a file, or the file is in the trash;
    /// `Forbidden` when it has a password, or is only for looking.
    pub async fn open_by_link(&self, name: &LinkName) -> Result<Opened, Error> {
        let at = self.world.now();
        self.database.read(|tx| {
            let link = found(tx, name, at)?;
            let way = items::ancestors(tx, link.item)?;
            let top = way.last().filter(|top| top.top == Top::Root).ok_or(Error::NotFound)?;
            let owner = top.top_user.ok_or(Error::NotFound)?;
            if effective(tx, owner, &link)? != LinkAccess::Open {
                return Err(Error::NotFound);
            }
            let item = items::by_id(tx, link.item)?.filter(|item| item.kind == Kind::File).ok_or(Error::NotFound)?;
            if link.has_password || !link.can_download {
                return Err(Error::Forbidden);
            }
            opened(tx, item, None)
        })
    }

    /// What holds for the links of the caller's enterprise. `Forbidden` for who does not administer it.
    pub async fn link_rules(&self, caller: &Caller) -> Result<LinkRules, Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        let enterprise = caller.enterprise;
        self.database.read(|tx| enterprises::link_rules(tx, enterprise))?.ok_or(Error::NotFound)
    }

    /// Sets that. Links that are for more people than they may be are for no more than that from then on, and again for
    /// whom they were made if that is allowed again. `Forbidden` for who does not administer the enterprise; `Invalid` when
    /// what is usual is more than is allowed.
    pub async fn set_link_rules(&self, caller: &Caller, rules: LinkRules) -> Result<(), Error> {
        if !administers(caller) {
            return Err(Error::Forbidden);
        }
        if rules.usual > rules.most {
            return Err(Error::Invalid("what is usual for links is more than what is allowed"));
        }
        let enterprise = caller.enterprise;
        self.database
            .transact("set rules of links", move |tx| Ok(enterprises::set_link_rules(tx, enterprise, rules)?))
            .await
    }
}

/// The link of that name, unless it has ended.
fn found(tx: &mut Tx<'_>, name: &LinkName, at: Timestamp) -> Result<SharedLink, Error> {
    let link = match name {
        LinkName::Token(text) | LinkName::Vanity(text) if text.len() > NAME_BYTES_MAX => None,
        LinkName::Token(token) => shared_links::by_token(tx, token)?,
        LinkName::Vanity(name) => shared_links::by_vanity(tx, name)?,
    };
    link.filter(|link| !link.has_ended(at)).ok_or(Error::NotFound)
}
