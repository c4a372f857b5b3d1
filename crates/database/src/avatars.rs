//! Pictures of users.

use crate::{Error, Tx};
use entente_model::{Timestamp, UserId};

/// In what a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AvatarKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
}

/// A picture as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Avatar {
    /// In what it is drawn.
    pub kind: AvatarKind,
    /// The file.
    pub image: Vec<u8>,
    /// Since when.
    pub modified_at: Timestamp,
}

/// Whether a picture was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AvatarBefore {
    /// No.
    None,
    /// Yes: it is no more.
    Replaced,
}

/// Stores the picture of a user, instead of the one there is.
pub fn put(tx: &mut Tx<'_>, user: UserId, avatar: &Avatar) -> Result<AvatarBefore, Error> {
    let before = if remove(tx, user)? { AvatarBefore::Replaced } else { AvatarBefore::None };
    let kind: i64 = match avatar.kind {
        AvatarKind::Png => 0,
        AvatarKind::Jpeg => 1,
    };
    tx.put(
        "INSERT INTO avatars (user_id, kind, image, modified_at) VALUES (?1, ?2, ?3, ?4)",
        &[user.into(), kind.into(), avatar.image.as_slice().into(), avatar.modified_at.into()],
    )?;
    Ok(before)
}

/// The picture of a user.
pub fn of(tx: &mut Tx<'_>, user: UserId) -> Result<Option<Avatar>, Error> {
    tx.query_one("SELECT kind, image, modified_at FROM avatars WHERE user_id = ?1", &[user.into()], |row| {
        Ok(Avatar {
            kind: match row.int(0)? {
                0 => AvatarKind::Png,
                1 => AvatarKind::Jpeg,
                _ => return Err(Error::damaged("in what a picture is drawn")),
            },
            image: row.blob(1)?,
            modified_at: Timestamp::from_millis(row.int(2)?),
        })
    })
}

/// Removes the picture of a user. `false` when there is none.
pub fn remove(tx: &mut Tx<'_>, user: UserId) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM avatars WHERE user_id = ?1", &[user.into()])? > 0)
}
