//! Shared links: URLs that give access to items, at most one to an item.

use crate::tx::{Row, Value};
use crate::{Error, Tx};
use entente_model::{ItemId, SharedLinkId, Timestamp, UserId, fold};
use std::fmt;

/// Items that one statement of [`of_some`] asks about.
const ITEMS_AT_ONCE: usize = 16;

/// For whom a link is. The greater, the more people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkAccess {
    /// For those who have a role on the item anyway.
    Collaborators,
    /// For the users of the owner's enterprise.
    Company,
    /// For whoever has the URL.
    Open,
}

impl LinkAccess {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::Collaborators => 0,
            Self::Company => 1,
            Self::Open => 2,
        }
    }

    pub(crate) fn from_number(number: i64) -> Result<Self, Error> {
        match number {
            0 => Ok(Self::Collaborators),
            1 => Ok(Self::Company),
            2 => Ok(Self::Open),
            _ => Err(Error::damaged("for whom a shared link is")),
        }
    }
}

/// What a link's password is compared with.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkPasswordHash(String);

impl LinkPasswordHash {
    /// The text form of an Argon2id hash.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// That text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A link as stored, but for its password.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedLink {
    /// Its id; another one once it was taken away and made again.
    pub id: SharedLinkId,
    /// To which item.
    pub item: ItemId,
    /// What its URL ends with: whoever has it may use the link.
    pub token: String,
    /// A name instead of that, as it was typed.
    pub vanity: Option<String>,
    /// For whom it was made.
    pub access: LinkAccess,
    /// Whether it has a password.
    pub has_password: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether contents may be taken along, and not only looked at.
    pub can_download: bool,
    /// Whether the file may be given new versions.
    pub can_edit: bool,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// Without what its URL ends with.
impl fmt::Debug for SharedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SharedLink");
        shown.field("id", &self.id).field("item", &self.item).field("access", &self.access).finish_non_exhaustive()
    }
}

impl SharedLink {
    /// Whether it has ended by then.
    #[must_use]
    pub fn has_ended(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= at)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT l.id, l.item_id, l.token, l.vanity, l.access, CASE WHEN l.password IS NULL THEN 0 ELSE 1 END,
               l.expires_at, l.can_download, l.can_edit, l.created_by, l.created_at, l.modified_at
             FROM shared_links l ",
            $rest
        )
    };
}

/// Stores a link in the place of whatever link its item has; its password goes unless it is the same link.
///
/// `Duplicate` when another item's has the same token or name.
pub fn save(tx: &mut Tx<'_>, link: &SharedLink) -> Result<(), Error> {
    let folded = link.vanity.as_deref().map(fold);
    tx.put("DELETE FROM shared_links WHERE item_id = ?1 AND id <> ?2", &[link.item.into(), link.id.into()])?;
    tx.put(
        "INSERT INTO shared_links (id, item_id, token, vanity, vanity_folded, access, password, expires_at, can_download,
           can_edit, created_by, created_at, modified_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (id) DO UPDATE SET vanity = excluded.vanity, vanity_folded = excluded.vanity_folded,
           access = excluded.access, expires_at = excluded.expires_at, can_download = excluded.can_download,
           can_edit = excluded.can_edit, modified_at = excluded.modified_at",
        &[
            link.id.into(),
            link.item.into(),
            link.token.as_str().into(),
            text(link.vanity.as_deref()),
            text(folded.as_deref()),
            link.access.number().into(),
            link.expires_at.into(),
            i64::from(link.can_download).into(),
            i64::from(link.can_edit).into(),
            link.created_by.into(),
            link.created_at.into(),
            link.modified_at.into(),
        ],
    )?;
    tx.put("UPDATE items SET linked = 1 WHERE id = ?1 AND linked = 0", &[link.item.into()])
}

/// Gives a link another password, or none.
pub fn set_password(tx: &mut Tx<'_>, id: SharedLinkId, hash: Option<&LinkPasswordHash>) -> Result<(), Error> {
    let hash = text(hash.map(LinkPasswordHash::as_str));
    tx.put("UPDATE shared_links SET password = ?2 WHERE id = ?1", &[id.into(), hash])
}

/// What a link's password is compared with; `None` when it has none, or there is no such link.
pub fn password_hash(tx: &mut Tx<'_>, id: SharedLinkId) -> Result<Option<LinkPasswordHash>, Error> {
    let sql = "SELECT password FROM shared_links WHERE id = ?1 AND password IS NOT NULL";
    tx.query_one(sql, &[id.into()], |row| row.text(0).map(LinkPasswordHash))
}

/// The link with that id.
pub fn by_id(tx: &mut Tx<'_>, id: SharedLinkId) -> Result<Option<SharedLink>, Error> {
    tx.query_one(select!("WHERE l.id = ?1"), &[id.into()], read)
}

/// The link whose URL ends with that.
pub fn by_token(tx: &mut Tx<'_>, token: &str) -> Result<Option<SharedLink>, Error> {
    tx.query_one(select!("WHERE l.token = ?1"), &[token.into()], read)
}

/// The link with that name, however it is spelled.
pub fn by_vanity(tx: &mut Tx<'_>, name: &str) -> Result<Option<SharedLink>, Error> {
    tx.query_one(select!("WHERE l.vanity_folded = ?1"), &[fold(name).as_str().into()], read)
}

/// The link of an item.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<Option<SharedLink>, Error> {
    tx.query_one(select!("WHERE l.item_id = ?1"), &[item.into()], read)
}

/// The links of some items, in no order.
pub fn of_some(tx: &mut Tx<'_>, items: &[ItemId]) -> Result<Vec<SharedLink>, Error> {
    let mut found = Vec::new();
    for some in items.chunks(ITEMS_AT_ONCE) {
        let Some(first) = some.first() else { continue };
        let padded = some.iter().chain(std::iter::repeat(first)).take(ITEMS_AT_ONCE);
        let parameters: Vec<Value<'_>> = padded.map(|item| Value::from(*item)).collect();
        found.extend(tx.query(
            select!("WHERE l.item_id IN (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"),
            &parameters,
            read,
        )?);
    }
    Ok(found)
}

/// Takes an item's link away.
pub fn remove(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    remove_of_item(tx, item)?;
    tx.put("UPDATE items SET linked = 0 WHERE id = ?1", &[item.into()])
}

/// The same of an item that goes.
pub(crate) fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM shared_links WHERE item_id = ?1", &[item.into()])
}

fn text(value: Option<&str>) -> Value<'_> {
    value.map_or(Value::Null, Value::Text)
}

fn read(row: &Row<'_>) -> Result<SharedLink, Error> {
    Ok(SharedLink {
        id: SharedLinkId::new(row.int(0)?),
        item: ItemId::new(row.int(1)?),
        token: row.text(2)?,
        vanity: row.text_or_null(3)?,
        access: LinkAccess::from_number(row.int(4)?)?,
        has_password: row.int(5)? != 0,
        expires_at: row.int_or_null(6)?.map(Timestamp::from_millis),
        can_download: row.int(7)? != 0,
        can_edit: row.int(8)? != 0,
        created_by: UserId::new(row.int(9)?),
        created_at: Timestamp::from_millis(row.int(10)?),
        modified_at: Timestamp::from_millis(row.int(11)?),
    })
}
