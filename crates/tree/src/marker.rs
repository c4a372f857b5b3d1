//! Where a listing goes on: a position among siblings, as text that clients carry and do not read.

use crate::Error;
use data_encoding::BASE64URL_NOPAD;
use entente_database::items::{Kind, Position};
use entente_model::ItemId;
use std::fmt;

/// Begins every marker, so that a later form can be told from this one.
const FORM: u8 = 1;
/// Longer than any marker: a folded name has at most three times the bytes of a name.
const TEXT_BYTES_MAX: usize = 8_192;

/// A place in a folder's listing by name, just after an item. It stays good when that item goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Marker(Position);

impl Marker {
    pub(crate) fn after(position: Position) -> Self {
        Self(position)
    }

    pub(crate) fn position(&self) -> &Position {
        &self.0
    }

    /// The form for clients: letters, digits, `-` and `_`; never empty.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Position { kind, folded, id } = &self.0;
        let kind = u8::try_from(kind.number()).unwrap_or(u8::MAX);
        let bytes = [&[FORM, kind], id.number().to_be_bytes().as_slice(), folded.as_bytes()].concat();
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// Reads what [`Marker::to_text`] gave. `Invalid` for anything else.
    pub fn from_text(text: &str) -> Result<Self, Error> {
        parse(text).map(Self).ok_or(Error::Invalid("the marker is not one that a listing gave"))
    }
}

fn parse(text: &str) -> Option<Position> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let (&[form, kind], rest) = bytes.split_first_chunk()?;
    let (id, folded) = rest.split_first_chunk()?;
    let id = i64::from_be_bytes(*id);
    if form != FORM || id <= 0 {
        return None;
    }
    let folded = std::str::from_utf8(folded).ok()?.to_owned();
    Some(Position { kind: Kind::from_number(i64::from(kind)).ok()?, folded, id: ItemId::new(id) })
}

/// Without the name in it.
impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Marker(after {})", self.0.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_goes_to_text_and_back() {
        for (kind, folded) in [(Kind::Folder, ""), (Kind::File, "\u{e9}t\u{e9} 2026.txt"), (Kind::WebLink, "x")] {
            let marker = Marker::after(Position { kind, folded: folded.to_owned(), id: ItemId::new(77) });
            let text = marker.to_text();
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
            assert_eq!(Marker::from_text(&text).expect("ours"), marker);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let good = Marker::after(Position { kind: Kind::File, folded: "a".to_owned(), id: ItemId::new(7) }).to_text();
        let longer = "A".repeat(10_000);
        let form = BASE64URL_NOPAD.encode(&[&[2, 1], 7_i64.to_be_bytes().as_slice()].concat());
        let kind = BASE64URL_NOPAD.encode(&[&[1, 3], 7_i64.to_be_bytes().as_slice()].concat());
        let id = BASE64URL_NOPAD.encode(&[&[1, 1], (-7_i64).to_be_bytes().as_slice()].concat());
        let utf8 = BASE64URL_NOPAD.encode(&[&[1, 1], 7_i64.to_be_bytes().as_slice(), &[255]].concat());
        for bad in ["", "0", "!", &good[..8], "1000", &format!("{good}="), &longer, &form, &kind, &id, &utf8] {
            assert!(matches!(Marker::from_text(bad), Err(Error::Invalid(_))), "{bad}");
        }
    }
}
