//! Which contents there are pictures of, and which pictures.

use bytes::Bytes;
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use std::io::Cursor;
use std::sync::{Arc, LazyLock};

/// What a content is, as far as pictures are made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// PNG, JPEG, GIF, WebP or BMP.
    Image,
    /// PDF.
    Pdf,
    /// Of a word processor, a spreadsheet or a presentation; the extension says which, as the first bytes do not.
    Office(&'static str),
}

/// An extension, and the filter with which LibreOffice reads what has it: no other is tried.
pub(crate) type Filter = (&'static str, &'static str);

/// Office files that are ZIP archives: Office Open XML, and OpenDocument.
const ZIPPED: [Filter; 18] = [
    ("docx", "MS Word 2007 XML"),
    ("docm", "MS Word 2007 XML VBA"),
    ("dotx", "MS Word 2007 XML Template"),
    ("dotm", "MS Word 2007 XML Template"),
    ("odt", "writer8"),
    ("ott", "writer8_template"),
    ("xlsx", "Calc MS Excel 2007 XML"),
    ("xlsm", "Calc MS Excel 2007 VBA XML"),
    ("xltx", "Calc MS Excel 2007 XML Template"),
    ("ods", "calc8"),
    ("ots", "calc8_template"),
    ("pptx", "Impress MS PowerPoint 2007 XML"),
    ("pptm", "Impress MS PowerPoint 2007 XML VBA"),
    ("ppsx", "Impress MS PowerPoint 2007 XML AutoPlay"),
    ("potx", "Impress MS PowerPoint 2007 XML Template"),
    ("odp", "impress8"),
    ("otp", "impress8_template"),
    ("odg", "draw8"),
];
/// Those that are compound files, of before 2007.
const COMPOUND: [Filter; 7] = [
    ("doc", "MS Word 97"),
    ("dot", "MS Word 97 Vorlage"),
    ("xls", "MS Excel 97"),
    ("xlt", "MS Excel 97 Vorlage/Template"),
    ("ppt", "MS PowerPoint 97"),
    ("pps", "MS PowerPoint 97 AutoPlay"),
    ("pot", "MS PowerPoint 97 Vorlage"),
];
const RICH_TEXT: Filter = ("rtf", "Rich Text Format");

impl Kind {
    /// By the first bytes of a content, whatever its name says; of Office files the name says the rest. `None` when no
    /// picture is made of such contents.
    #[must_use]
    pub fn of(head: &[u8], name: &str) -> Option<Self> {
        let extension = || name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        let one_of = |those: &[Filter]| {
            let extension = extension()?;
            those.iter().find(|(one, _)| *one == extension).map(|(one, _)| Self::Office(one))
        };
        match head {
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            [b'P', b'K', 3, 4, ..] => one_of(&ZIPPED),
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => one_of(&COMPOUND),
            [b'{', b'\\', b'r', b't', b'f', ..] => Some(Self::Office(RICH_TEXT.0)),
            _ => image_format(head).map(|_| Self::Image),
        }
    }

    /// Whether it has pages.
    #[must_use]
    pub const fn is_document(self) -> bool {
        !matches!(self, Self::Image)
    }

    /// One of the extensions of Office files, with its filter.
    pub(crate) fn filter(extension: &str) -> Option<Filter> {
        ZIPPED.into_iter().chain(COMPOUND).chain([RICH_TEXT]).find(|(one, _)| *one == extension)
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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Wish {
    /// Written as.
    pub format: Format,
    /// Neither side is longer, in pixels. What is smaller is not enlarged.
    pub side_max: u16,
    /// Of a document, from 1. An image has one.
    pub page: u16,
    /// Written all over it. Of what is longer than 128 characters, the first of them.
    pub watermark: Option<Arc<str>>,
}

impl Wish {
    /// The first page, without a watermark.
    #[must_use]
    pub const fn new(format: Format, side_max: u16) -> Self {
        Self { format, side_max, page: 1, watermark: None }
    }
}

/// What there can be of a content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum What {
    /// A picture.
    Picture(Wish),
    /// A page of a document as a large PNG, from which its pictures are made; from 1.
    Page(u16),
    /// An Office file as a PDF.
    Pdf,
    /// The text of a document, UTF-8.
    Text,
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
        let of = |head: &[u8]| Kind::of(head, "Report.DOCX");
        assert_eq!(of(&placeholder().unwrap()), Some(Kind::Image));
        assert_eq!(of(b"GIF89a.........."), Some(Kind::Image));
        assert_eq!(of(b"RIFF....WEBPVP8 "), Some(Kind::Image));
        assert_eq!(of(b"%PDF-1.7"), Some(Kind::Pdf));
        for other in [&b""[..], b"BM", b"RIFF....WAVE", b"<svg/>", b"\x89PNG"] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }

    #[test]
    fn of_office_files_the_name_says_which() {
        let (zip, compound) = (b"PK\x03\x04whatever", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
        assert_eq!(Kind::of(zip, "Report.DOCX"), Some(Kind::Office("docx")));
        assert_eq!(Kind::of(zip, "a.b.odp"), Some(Kind::Office("odp")));
        assert_eq!(Kind::of(compound, "old.doc"), Some(Kind::Office("doc")));
        assert_eq!(Kind::of(b"{\\rtf1 x}", "letter"), Some(Kind::Office("rtf")));
        for (head, name) in [(&zip[..], "a.zip"), (zip, "docx"), (zip, "a.doc"), (compound, "a.docx"), (compound, "a")]
        {
            assert_eq!(Kind::of(head, name), None, "{name}");
        }
    }

    #[test]
    fn formats_have_names() {
        assert_eq!(Format::parse("png"), Some(Format::Png));
        assert_eq!(Format::parse("jpg"), Some(Format::Jpeg));
        assert_eq!(Format::parse("gif"), None);
    }
}
