//! Wishes to be told of changes: which folder's, of what, and to whom. What is told is in [`crate::deliveries`]. Wishes in
//! words that only a later release has are nobody's here: they are stored, and not read.

use crate::deliveries::{Happening, Wording, known_kinds};
use crate::tx::Row;
use crate::{Error, Tx};
use entente_model::{EnterpriseId, ItemId, SubscriptionId, Timestamp};

/// A wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// A fresh id.
    pub id: SubscriptionId,
    /// Whose content it is.
    pub enterprise: EnterpriseId,
    /// The folder of whose content it is to be told.
    pub item: ItemId,
    /// In whose words.
    pub wording: Wording,
    /// What whoever made it calls it.
    pub name: String,
    /// To whom: the name of a target.
    pub target: String,
    /// Of what.
    pub happenings: Happenings,
    /// How paths begin of which it is told; empty for all.
    pub prefix: String,
    /// How they end; empty for all.
    pub suffix: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Some happenings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Happenings(i64);

impl Happenings {
    /// With another one.
    #[must_use]
    pub const fn with(self, happening: Happening) -> Self {
        Self(self.0 | 1 << happening.number())
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, happening: Happening) -> bool {
        self.0 & 1 << happening.number() != 0
    }

    /// Whether any is one of the others, too.
    #[must_use]
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl FromIterator<Happening> for Happenings {
    fn from_iter<T: IntoIterator<Item = Happening>>(happenings: T) -> Self {
        happenings.into_iter().fold(Self::default(), Self::with)
    }
}

impl Subscription {
    /// Whether it is to be told that this was done at that path below the folder.
    #[must_use]
    pub fn wants(&self, happening: Happening, path: &str) -> bool {
        self.happenings.has(happening) && path.starts_with(&self.prefix) && path.ends_with(&self.suffix)
    }
}

/// Stores a wish.
pub fn insert(tx: &mut Tx<'_>, subscription: &Subscription) -> Result<(), Error> {
    tx.put(
        "INSERT INTO subscriptions (id, enterprise_id, item_id, kind, name, target, happenings, prefix, suffix, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        &[
            subscription.id.into(),
            subscription.enterprise.into(),
            subscription.item.into(),
            subscription.wording.number().into(),
            subscription.name.as_str().into(),
            subscription.target.as_str().into(),
            subscription.happenings.0.into(),
            subscription.prefix.as_str().into(),
            subscription.suffix.as_str().into(),
            subscription.created_at.into(),
        ],
    )
}

/// Up to `limit` wishes to be told of what is below a folder, the oldest first.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<Vec<Subscription>, Error> {
    tx.query(
        concat!(
            "SELECT id, enterprise_id, item_id, kind, name, target, happenings, prefix, suffix, created_at
             FROM subscriptions WHERE item_id = ?1 AND kind IN (",
            known_kinds!(),
            ") ORDER BY id LIMIT ?2"
        ),
        &[item.into(), limit.into()],
        read,
    )
}

/// Up to `limit` wishes of everybody after `after`, the oldest first.
pub fn after(tx: &mut Tx<'_>, after: Option<SubscriptionId>, limit: u32) -> Result<Vec<Subscription>, Error> {
    let after = after.map_or(0, SubscriptionId::number);
    tx.query(
        concat!(
            "SELECT id, enterprise_id, item_id, kind, name, target, happenings, prefix, suffix, created_at
             FROM subscriptions WHERE id > ?1 AND kind IN (",
            known_kinds!(),
            ") ORDER BY id LIMIT ?2"
        ),
        &[after.into(), limit.into()],
        read,
    )
}

/// Removes a wish. What is still to be told by it is told.
pub fn remove(tx: &mut Tx<'_>, subscription: SubscriptionId) -> Result<(), Error> {
    tx.put("DELETE FROM subscriptions WHERE id = ?1", &[subscription.into()])
}

/// Removes all wishes to be told of what is below a folder.
pub fn remove_of_item(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("DELETE FROM subscriptions WHERE item_id = ?1", &[item.into()])
}

/// Marks a folder as one of whose content somebody wants to be told.
pub fn watch(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("UPDATE items SET watched = 1 WHERE id = ?1", &[item.into()])
}

/// Takes that mark away.
pub fn leave(tx: &mut Tx<'_>, item: ItemId) -> Result<(), Error> {
    tx.put("UPDATE items SET watched = 0 WHERE id = ?1", &[item.into()])
}

fn read(row: &Row<'_>) -> Result<Subscription, Error> {
    Ok(Subscription {
        id: SubscriptionId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        item: ItemId::new(row.int(2)?),
        wording: Wording::from_number(row.int(3)?)?,
        name: row.text(4)?,
        target: row.text(5)?,
        happenings: Happenings(row.int(6)?),
        prefix: row.text(7)?,
        suffix: row.text(8)?,
        created_at: Timestamp::from_millis(row.int(9)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_for_deeds_and_paths() {
        let wish = Subscription {
            id: SubscriptionId::new(1),
            enterprise: EnterpriseId::new(2),
            item: ItemId::new(3),
            wording: Wording::S3,
            name: String::new(),
            target: "queue".to_owned(),
            happenings: [Happening::Put, Happening::Removed].into_iter().collect(),
            prefix: "photos/".to_owned(),
            suffix: ".jpg".to_owned(),
            created_at: Timestamp::from_millis(0),
        };
        assert!(wish.wants(Happening::Put, "photos/a.jpg"));
        assert!(wish.wants(Happening::Removed, "photos/.jpg"));
        assert!(!wish.wants(Happening::Copied, "photos/a.jpg"));
        assert!(!wish.wants(Happening::Put, "films/a.jpg"));
        assert!(!wish.wants(Happening::Put, "photos/a.png"));
    }
}
