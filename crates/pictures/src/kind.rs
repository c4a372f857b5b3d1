//! Which contents there are pictures of, and which pictures.

use bytes::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use std::io::Cursor;
use std::sync::LazyLock;

/// What a content is, as far as pictures are made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PNG, JPEG, GIF, WebP or BMP.
    Image,
}

impl Kind {
    /// By the first bytes of a content, whatever its name says. `None` when no picture is made of such contents.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        image_format(head).map(|_| Self::Image)
    }
}

/// Which of the formats that we read this is.
pub(crate) fn image_format(head: &[u8]) -> Option<ImageFormat> {
    match head {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(ImageFormat::Png),
        [0xff, 0xd8, 0xff, ..] => Some(ImageFormat::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageFormat::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageFormat::WebP),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some(ImageFormat::Bmp),
        _ => None,
    }
}

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG, on white where the content lets something through.
    Jpeg,
}

impl Format {
    /// As [`Format::parse`] reads it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
        }
    }

    /// The opposite of [`Format::name`].
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Png, Self::Jpeg].into_iter().find(|format| format.name() == name)
    }
}

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wish {
    /// Written as.
    pub format: Format,
    /// Neither side is longer, in pixels. What is smaller is not enlarged.
    pub side_max: u16,
}

/// The longest side that somebody may wish for, in pixels.
pub(crate) const SIDE_MAX: u16 = 2_048;

/// A sheet of paper, as a PNG of 64 by 64 pixels: for what there is no picture of. `None` should not happen.
#[must_use]
pub fn placeholder() -> Option<Bytes> {
    static SHEET: LazyLock<Option<Bytes>> = LazyLock::new(|| {
        let sheet = GrayImage::from_fn(64, 64, |x, y| {
            let (inside, frame) =
                ((14..50).contains(&x) && (8..56).contains(&y), x == 14 || x == 49 || y == 8 || y == 55);
            let line = (20..44).contains(&x) && y % 8 == 4 && (16..50).contains(&y);
            Luma([if inside && (frame || line) { 0xa0 } else { 0xff }])
        });
        let mut png = Cursor::new(Vec::new());
        DynamicImage::from(sheet).write_to(&mut png, ImageFormat::Png).ok()?;
        Some(png.into_inner().into())
    });
    SHEET.clone()
}

#[cfg(test)]
mod tests {
    use super::{Format, Kind, placeholder};

    #[test]
    fn contents_are_known_by_their_first_bytes() {
        assert_eq!(Kind::of(&placeholder().unwrap()), Some(Kind::Image));
        assert_eq!(Kind::of(b"GIF89a.........."), Some(Kind::Image));
        assert_eq!(Kind::of(b"RIFF....WEBPVP8 "), Some(Kind::Image));
        for other in [&b""[..], b"BM", b"RIFF....WAVE", b"%PDF-1.7", b"<svg/>", b"\x89PNG"] {
            assert_eq!(Kind::of(other), None, "{other:?}");
        }
    }

    #[test]
    fn formats_have_names() {
        assert_eq!(Format::parse("png"), Some(Format::Png));
        assert_eq!(Format::parse("jpg"), Some(Format::Jpeg));
        assert_eq!(Format::parse("gif"), None);
    }
}
