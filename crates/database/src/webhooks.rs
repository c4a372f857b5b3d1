//! Webhooks: who wants to be told, at which URL, of what happens to which item and below it.
//!
//! What is to be told is found by following the events, and told by [`crate::deliveries`].

use crate::tx::Row;
use crate::{Error, Tx, items::Kind};
use entente_model::{AppId, EnterpriseId, ItemId, Timestamp, UserId, WebhookId};

/// What a webhook may be told of. The numbers are stored: never give one another meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// A file came, or got a new version.
    FileUploaded,
    /// Somebody looked at a file.
    FilePreviewed,
    /// Somebody fetched a file.
    FileDownloaded,
    /// A file went into the trash.
    FileTrashed,
    /// A file was removed for good.
    FileDeleted,
    /// A file came back from the trash.
    FileRestored,
    /// A file was copied.
    FileCopied,
    /// A file got another parent.
    FileMoved,
    /// A file was locked.
    FileLocked,
    /// A file is no longer locked.
    FileUnlocked,
    /// A file got another name.
    FileRenamed,
    /// Something was said to an item.
    CommentCreated,
    /// It was said otherwise.
    CommentUpdated,
    /// It was taken back.
    CommentDeleted,
    /// Somebody was asked to do something.
    TaskAssignmentCreated,
    /// They did, or said something to it.
    TaskAssignmentUpdated,
    /// A template's values were given to an item.
    MetadataCreated,
    /// They changed.
    MetadataUpdated,
    /// They were taken away.
    MetadataDeleted,
    /// A folder was made.
    FolderCreated,
    /// A folder got another name.
    FolderRenamed,
    /// Somebody fetched a folder as an archive.
    FolderDownloaded,
    /// A folder came back from the trash.
    FolderRestored,
    /// A folder was removed for good.
    FolderDeleted,
    /// A folder was copied.
    FolderCopied,
    /// A folder got another parent.
    FolderMoved,
    /// A folder went into the trash.
    FolderTrashed,
    /// The webhook is gone with its item.
    WebhookDeleted,
    /// Somebody was given a role, or invited.
    CollaborationCreated,
    /// They took it.
    CollaborationAccepted,
    /// They did not want it.
    CollaborationRejected,
    /// It was taken away.
    CollaborationRemoved,
    /// It changed.
    CollaborationUpdated,
    /// A shared link was taken away.
    SharedLinkDeleted,
    /// A shared link was made.
    SharedLinkCreated,
    /// A shared link changed.
    SharedLinkUpdated,
    /// A request for signatures was fulfilled. Nothing here does that yet, nor any of those that follow.
    SignCompleted,
    /// Somebody would not sign.
    SignDeclined,
    /// Nobody signed in time.
    SignExpired,
    /// The mail to somebody who is to sign came back.
    SignerMailBounced,
    /// One of those who are to sign did.
    SignerSigned,
    /// The document with the signatures was made.
    SignDocumentCreated,
    /// It could not be made.
    SignFailed,
}

impl Trigger {
    /// All of them: the place of each, from 0, is its number.
    pub const ALL: [Self; 43] = [
        Self::FileUploaded,
        Self::FilePreviewed,
        Self::FileDownloaded,
        Self::FileTrashed,
        Self::FileDeleted,
        Self::FileRestored,
        Self::FileCopied,
        Self::FileMoved,
        Self::FileLocked,
        Self::FileUnlocked,
        Self::FileRenamed,
        Self::CommentCreated,
        Self::CommentUpdated,
        Self::CommentDeleted,
        Self::TaskAssignmentCreated,
        Self::TaskAssignmentUpdated,
        Self::MetadataCreated,
        Self::MetadataUpdated,
        Self::MetadataDeleted,
        Self::FolderCreated,
        Self::FolderRenamed,
        Self::FolderDownloaded,
        Self::FolderRestored,
        Self::FolderDeleted,
        Self::FolderCopied,
        Self::FolderMoved,
        Self::FolderTrashed,
        Self::WebhookDeleted,
        Self::CollaborationCreated,
        Self::CollaborationAccepted,
        Self::CollaborationRejected,
        Self::CollaborationRemoved,
        Self::CollaborationUpdated,
        Self::SharedLinkDeleted,
        Self::SharedLinkCreated,
        Self::SharedLinkUpdated,
        Self::SignCompleted,
        Self::SignDeclined,
        Self::SignExpired,
        Self::SignerMailBounced,
        Self::SignerSigned,
        Self::SignDocumentCreated,
        Self::SignFailed,
    ];
}

/// Some triggers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Triggers(i64);

impl Triggers {
    /// With another one.
    #[must_use]
    pub const fn with(self, trigger: Trigger) -> Self {
        Self(self.0 | 1 << trigger as i64)
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, trigger: Trigger) -> bool {
        self.0 & (1 << trigger as i64) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// They, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Trigger> {
        Trigger::ALL.into_iter().filter(move |trigger| self.has(*trigger))
    }
}

impl FromIterator<Trigger> for Triggers {
    fn from_iter<T: IntoIterator<Item = Trigger>>(triggers: T) -> Self {
        triggers.into_iter().fold(Self::default(), Self::with)
    }
}

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// A fresh id.
    pub id: WebhookId,
    /// That of whoever made it.
    pub enterprise: EnterpriseId,
    /// The application with which they did.
    pub app: AppId,
    /// Who made it.
    pub user: UserId,
    /// The item.
    pub item: ItemId,
    /// What that is.
    pub item_kind: Kind,
    /// The URL at which it is told.
    pub address: String,
    /// Of what.
    pub triggers: Triggers,
    /// After which position of the events.
    pub since: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, enterprise_id, app_id, user_id, item_id, item_kind, address, triggers, since, created_at
             FROM webhooks WHERE ",
            $rest
        )
    };
}

/// Adds a webhook.
pub fn insert(tx: &mut Tx<'_>, new: &Webhook) -> Result<(), Error> {
    tx.put(
        "INSERT INTO webhooks (id, enterprise_id, app_id, user_id, item_id, item_kind, address, triggers, since, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        &[
            new.id.into(),
            new.enterprise.into(),
            new.app.into(),
            new.user.into(),
            new.item.into(),
            new.item_kind.number().into(),
            new.address.as_str().into(),
            new.triggers.0.into(),
            new.since.into(),
            new.created_at.into(),
        ],
    )
}

/// Sets what may change of a webhook: its item, its URL and what it is told of, and from when on.
pub fn update(tx: &mut Tx<'_>, changed: &Webhook) -> Result<(), Error> {
    tx.put(
        "UPDATE webhooks SET item_id = ?2, item_kind = ?3, address = ?4, triggers = ?5, since = ?6 WHERE id = ?1",
        &[
            changed.id.into(),
            changed.item.into(),
            changed.item_kind.number().into(),
            changed.address.as_str().into(),
            changed.triggers.0.into(),
            changed.since.into(),
        ],
    )
}

/// Removes a webhook. What is still to be told by it is not told.
pub fn remove(tx: &mut Tx<'_>, webhook: WebhookId) -> Result<(), Error> {
    tx.put("DELETE FROM webhooks WHERE id = ?1", &[webhook.into()])
}

/// A webhook.
pub fn by_id(tx: &mut Tx<'_>, webhook: WebhookId) -> Result<Option<Webhook>, Error> {
    tx.query_one(select!("id = ?1"), &[webhook.into()], read)
}

/// Up to `limit` webhooks of an item itself, the oldest first.
pub fn of_item(tx: &mut Tx<'_>, item: ItemId, limit: u32) -> Result<Vec<Webhook>, Error> {
    tx.query(select!("item_id = ?1 ORDER BY id LIMIT ?2"), &[item.into(), limit.into()], read)
}

/// Up to `limit` webhooks that a user has made with an application, the oldest first, after one.
pub fn of_owner(
    tx: &mut Tx<'_>,
    (user, app): (UserId, AppId),
    after: Option<WebhookId>,
    limit: u32,
) -> Result<Vec<Webhook>, Error> {
    let after = after.map_or(0, WebhookId::number);
    tx.query(
        select!("user_id = ?1 AND app_id = ?2 AND id > ?3 ORDER BY id LIMIT ?4"),
        &[user.into(), app.into(), after.into(), limit.into()],
        read,
    )
}

/// How many webhooks a user has made with an application.
pub fn count_of_owner(tx: &mut Tx<'_>, user: UserId, app: AppId) -> Result<u64, Error> {
    let sql = "SELECT count(*) FROM webhooks WHERE user_id = ?1 AND app_id = ?2";
    Ok(tx.query_one(sql, &[user.into(), app.into()], |row| row.size(0))?.unwrap_or(0))
}

/// Whether there is any webhook at all.
pub fn any(tx: &mut Tx<'_>) -> Result<bool, Error> {
    Ok(tx.query_one("SELECT 1 FROM webhooks ORDER BY id LIMIT 1", &[], |_| Ok(()))?.is_some())
}

/// Removes the webhooks that a user has made with an application. They have a thousand at most.
pub fn remove_of_owner(tx: &mut Tx<'_>, user: UserId, app: AppId) -> Result<(), Error> {
    tx.put("DELETE FROM webhooks WHERE user_id = ?1 AND app_id = ?2", &[user.into(), app.into()])
}

/// Removes up to `limit` webhooks of an application; how many.
pub fn remove_some_of_app(tx: &mut Tx<'_>, app: AppId, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM webhooks WHERE id IN (SELECT id FROM webhooks WHERE app_id = ?1 ORDER BY id LIMIT ?2)",
        &[app.into(), limit.into()],
    )
}

/// Removes up to `limit` webhooks whose items are not there any more. Reads all webhooks: for now and then.
pub fn remove_lost(tx: &mut Tx<'_>, limit: u32) -> Result<usize, Error> {
    tx.execute(
        "DELETE FROM webhooks WHERE id IN (
           SELECT w.id FROM webhooks w LEFT JOIN items i ON i.id = w.item_id WHERE i.id IS NULL ORDER BY w.id LIMIT ?1)",
        &[limit.into()],
    )
}

/// Which of the two keys of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPlace {
    /// The primary one.
    Primary,
    /// The secondary one.
    Secondary,
}

impl KeyPlace {
    /// Its number, as it is stored.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Primary => 1,
            Self::Secondary => 2,
        }
    }
}

/// Sets a key of an application, whatever it was.
pub fn set_key(tx: &mut Tx<'_>, (app, place): (AppId, KeyPlace), sealed: &[u8], at: Timestamp) -> Result<(), Error> {
    tx.put(
        "INSERT INTO signature_keys (app_id, place, sealed, made_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (app_id, place) DO UPDATE SET sealed = excluded.sealed, made_at = excluded.made_at",
        &[app.into(), place.number().into(), sealed.into(), at.into()],
    )
}

/// A key of an application, sealed.
pub fn key(tx: &mut Tx<'_>, app: AppId, place: KeyPlace) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT sealed FROM signature_keys WHERE app_id = ?1 AND place = ?2";
    tx.query_one(sql, &[app.into(), place.number().into()], |row| row.blob(0))
}

/// Removes the keys of an application.
pub fn remove_keys(tx: &mut Tx<'_>, app: AppId) -> Result<(), Error> {
    tx.put("DELETE FROM signature_keys WHERE app_id = ?1", &[app.into()])
}

fn read(row: &Row<'_>) -> Result<Webhook, Error> {
    Ok(Webhook {
        id: WebhookId::new(row.int(0)?),
        enterprise: EnterpriseId::new(row.int(1)?),
        app: AppId::new(row.int(2)?),
        user: UserId::new(row.int(3)?),
        item: ItemId::new(row.int(4)?),
        item_kind: Kind::from_number(row.int(5)?)?,
        address: row.text(6)?,
        triggers: Triggers(row.int(7)?),
        since: row.int(8)?,
        created_at: Timestamp::from_millis(row.int(9)?),
    })
}

#[cfg(test)]
mod tests {
    use super::{Trigger, Triggers};

    #[test]
    fn numbers_of_triggers_are_their_places() {
        for (place, trigger) in Trigger::ALL.into_iter().enumerate() {
            assert_eq!(trigger as usize, place);
            assert_eq!(Triggers::default().with(trigger).iter().collect::<Vec<_>>(), [trigger]);
        }
        // Stored, and never changed.
        assert_eq!(Triggers::default().with(Trigger::FileUploaded).with(Trigger::FolderTrashed).0, 1 | 1 << 26);
    }
}
