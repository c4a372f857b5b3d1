//! Pictures of users. They are looked at no further than their headers.

use super::{is_above, may_see, seen};
use crate::{Caller, Error, Scopes, Tree, UserKind};
use entente_database::avatars::{self, Avatar, AvatarBefore, AvatarKind};
use entente_database::users;
use entente_model::UserId;

/// The largest file, in bytes.
pub const AVATAR_BYTES_MAX: usize = 1024 * 1024;
/// The widest and the highest picture, in pixels.
pub const AVATAR_PIXELS_MAX: u32 = 1024;

impl Tree {
    /// The picture of a user. Everybody of an enterprise sees those of its users, except who is from outside: they see
    /// their own. `NotFound` also when there is none.
    pub async fn avatar(&self, caller: &Caller, user: UserId) -> Result<Avatar, Error> {
        let caller = caller.clone();
        self.database
            .read_long(move |tx| {
                let found = users::by_id(tx, user)?.ok_or(Error::NotFound)?;
                if !may_see(&caller, &found) {
                    let asking = users::by_id(tx, caller.user)?.ok_or(Error::NotFound)?;
                    if asking.kind == UserKind::External || found.enterprise != caller.enterprise {
                        return Err(Error::NotFound);
                    }
                }
                avatars::of(tx, user)?.ok_or(Error::NotFound)
            })
            .await
    }

    /// Sets the picture of a user: their own, or for who administers users that of those whose role is not above theirs.
    ///
    /// `NotFound` as for [`Tree::user`]; `Forbidden`; `Invalid` for what is no PNG or JPEG, larger than
    /// [`AVATAR_BYTES_MAX`], or wider or higher than [`AVATAR_PIXELS_MAX`].
    pub async fn set_avatar(&self, caller: &Caller, user: UserId, image: Vec<u8>) -> Result<AvatarBefore, Error> {
        let (caller, now) = (caller.clone(), self.world.now());
        let mut image = Some(image);
        // Whether the caller may comes first, so that a stranger learns nothing from what is said of the picture.
        self.database.read(|tx| check_may_change(tx, &caller, user))?;
        let kind = image.as_deref().ok_or(Error::NotFound).and_then(looked_at)?;
        let avatar = Avatar { kind, image: image.take().unwrap_or_default(), modified_at: now };
        self.database
            .transact("set avatar", move |tx| {
                check_may_change(tx, &caller, user)?;
                Ok(avatars::put(tx, user, &avatar)?)
            })
            .await
    }

    /// Removes the picture of a user. `NotFound` also when there is none; otherwise as [`Tree::set_avatar`].
    pub async fn remove_avatar(&self, caller: &Caller, user: UserId) -> Result<(), Error> {
        let caller = caller.clone();
        self.database
            .transact("remove avatar", move |tx| {
                check_may_change(tx, &caller, user)?;
                if avatars::remove(tx, user)? { Ok(()) } else { Err(Error::NotFound) }
            })
            .await
    }
}

fn check_may_change(tx: &mut entente_database::Tx<'_>, caller: &Caller, user: UserId) -> Result<(), Error> {
    let found = seen(tx, caller, user)?;
    let own = user == caller.user && caller.scopes.contains(Scopes::CHANGE);
    if own || is_above(caller, &found) { Ok(()) } else { Err(Error::Forbidden) }
}

/// In what a picture is drawn, if it is small enough.
fn looked_at(image: &[u8]) -> Result<AvatarKind, Error> {
    if image.is_empty() {
        return Err(Error::Invalid("there is no picture"));
    }
    if image.len() > AVATAR_BYTES_MAX {
        return Err(Error::Invalid("a picture has at most 1 MiB"));
    }
    let size = png_size(image).map(|size| (AvatarKind::Png, size));
    let (kind, (width, height)) = size
        .or_else(|| jpeg_size(image).map(|size| (AvatarKind::Jpeg, size)))
        .ok_or(Error::Invalid("a picture is a PNG or a JPEG file"))?;
    if width == 0 || height == 0 || width > AVATAR_PIXELS_MAX || height > AVATAR_PIXELS_MAX {
        return Err(Error::Invalid("a picture has at most 1024 times 1024 pixels"));
    }
    Ok(kind)
}

/// Width and height of a PNG: its first chunk is IHDR (W3C PNG, 5.6 and 11.2.1).
fn png_size(image: &[u8]) -> Option<(u32, u32)> {
    let rest = image.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let (width, rest) = rest.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// Width and height of a JPEG: in its frame header, behind any number of other segments (ITU T.81, B.2.2).
fn jpeg_size(image: &[u8]) -> Option<(u32, u32)> {
    let mut rest = image.strip_prefix(b"\xff\xd8")?;
    loop {
        let (&[0xff, marker], after) = rest.split_first_chunk()? else { return None };
        // Any number of these may come before a marker.
        if marker == 0xff {
            rest = rest.get(1..)?;
            continue;
        }
        let (length, body) = after.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(*length)).checked_sub(2)?;
        match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                let (&[_precision, high, low, wide, slim], _) = body.split_first_chunk()?;
                let side = |bytes| u32::from(u16::from_be_bytes(bytes));
                return Some((side([wide, slim]), side([high, low])));
            }
            // The picture itself, or its end, or what has no length: no frame header can follow.
            0xd0..=0xda | 0x01 => return None,
            _ => rest = body.get(length..)?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AvatarKind, jpeg_size, looked_at, png_size};
    use proptest::prelude::{any, proptest};

    fn png(width: u32, height: u32) -> Vec<u8> {
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &width.to_be_bytes(), &height.to_be_bytes(), b"rest"].concat()
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let frame =
            [b"\xff\xff\xc2\0\x0b\x08".as_slice(), &height.to_be_bytes(), &width.to_be_bytes(), b"\x01\x01\x11\0"];
        [b"\xff\xd8\xff\xe0\0\x06JFIF".as_slice(), &frame.concat()].concat()
    }

    #[test]
    fn the_size_is_in_the_header() {
        assert_eq!(png_size(&png(3, 4)), Some((3, 4)));
        assert_eq!(jpeg_size(&jpeg(300, 400)), Some((300, 400)));
        assert_eq!(looked_at(&png(1024, 1024)).ok(), Some(AvatarKind::Png));
        assert_eq!(looked_at(&jpeg(1, 1)).ok(), Some(AvatarKind::Jpeg));
    }

    #[test]
    fn what_is_too_large_or_no_picture_is_refused() {
        let long = [png(1, 1), vec![0; 1024 * 1024]].concat();
        for bad in [vec![], b"GIF89a".to_vec(), png(1025, 1), png(1, 1025), png(0, 1), jpeg(1, 2000), long] {
            assert!(looked_at(&bad).is_err());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in any::<Vec<u8>>()) {
            let _ = looked_at(&bytes);
            let _ = jpeg_size(&[b"\xff\xd8\xff".as_slice(), &bytes].concat());
        }
    }
}
