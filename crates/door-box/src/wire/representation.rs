//! Representations: pictures of a file in other sizes and formats, a document as a PDF and as text, and what of them a
//! client wants (`X-Rep-Hints`).

use serde::Serialize;

/// Longer headers are not read.
const HINTS_BYTES_MAX: usize = 4 * 1024;
/// How many alternatives one header may name.
const HINTS_MAX: usize = 64;

/// Something that there can be of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// `jpg`, `png`, `pdf` or `extracted_text`.
    pub kind: &'static str,
    /// Of a picture.
    pub picture: Option<PictureShape>,
}

/// Which picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureShape {
    /// Neither side is longer, in pixels.
    pub side: u16,
    /// Whether it is small enough to stand in a list.
    pub thumb: bool,
    /// Whether there is one of each page, or else of the first.
    pub paged: bool,
}

const fn picture(kind: &'static str, side: u16, thumb: bool, paged: bool) -> Shape {
    Shape { kind, picture: Some(PictureShape { side, thumb, paged }) }
}

const fn other(kind: &'static str) -> Shape {
    Shape { kind, picture: None }
}

/// All of them, in the sizes that Box has. Those that documents alone have come last.
const SHAPES: [Shape; 14] = [
    picture("jpg", 32, true, false),
    picture("jpg", 94, true, false),
    picture("jpg", 160, true, false),
    picture("jpg", 320, true, false),
    picture("jpg", 1_024, false, false),
    picture("jpg", 2_048, false, false),
    picture("png", 1_024, false, false),
    picture("png", 2_048, false, false),
    picture("jpg", 1_024, false, true),
    picture("jpg", 2_048, false, true),
    picture("png", 1_024, false, true),
    picture("png", 2_048, false, true),
    other("pdf"),
    other("extracted_text"),
];

impl Shape {
    /// As it stands in URLs, such as `jpg_thumb_32x32`.
    #[must_use]
    pub fn name(self) -> String {
        let Some(PictureShape { side, thumb, paged }) = self.picture else { return self.kind.to_owned() };
        let (thumb, paged) = (if thumb { "thumb_" } else { "" }, if paged { "paged_" } else { "" });
        format!("{}_{paged}{thumb}{side}x{side}", self.kind)
    }

    /// The opposite of [`Shape::name`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        SHAPES.into_iter().find(|shape| shape.name() == name)
    }

    /// Whether only documents have it.
    #[must_use]
    pub fn is_of_documents(self) -> bool {
        self.picture.is_none_or(|picture| picture.paged)
    }

    /// Which page of it a URL's last part names (`3.png`; nothing, where there are no pages), from 1.
    #[must_use]
    pub fn page(self, asset: &str) -> Option<u16> {
        if !self.picture.is_some_and(|picture| picture.paged) {
            return asset.is_empty().then_some(1);
        }
        let number = asset.strip_suffix(self.kind)?.strip_suffix('.')?;
        let plain = number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse().ok().filter(|page| plain && *page > 0)
    }
}

/// A header that is no list of hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("'x-rep-hints' must be hints in brackets, such as [jpg?dimensions=320x320]")]
pub struct MalformedHints;

/// Those that a header asks for, in its order: of each pair of brackets, what the first of its alternatives (which have
/// commas between) names that there can be; as far as `is_there`. All without a header. What there cannot be is left out,
/// as at Box.
pub fn wanted(header: Option<&str>, is_there: impl Fn(Shape) -> bool) -> Result<Vec<Shape>, MalformedHints> {
    let there: Vec<Shape> = SHAPES.into_iter().filter(|shape| is_there(*shape)).collect();
    let Some(header) = header.map(str::trim).filter(|header| !header.is_empty()) else { return Ok(there) };
    if header.len() > HINTS_BYTES_MAX {
        return Err(MalformedHints);
    }
    let mut found: Vec<Shape> = Vec::new();
    let (mut rest, mut looked) = (header, 0);
    while !rest.is_empty() {
        let (group, after) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or(MalformedHints)?;
        rest = after.trim_start();
        let mut those = Vec::new();
        for hint in group.split(',') {
            looked += 1;
            if looked > HINTS_MAX {
                return Err(MalformedHints);
            }
            let named = named_by(hint.trim(), &there)?;
            if those.is_empty() {
                those = named;
            }
        }
        for shape in those {
            if !found.contains(&shape) {
                found.push(shape);
            }
        }
    }
    Ok(found)
}

/// What one hint names: a kind, and perhaps what it must be like.
fn named_by(hint: &str, there: &[Shape]) -> Result<Vec<Shape>, MalformedHints> {
    let (kind, query) = hint.split_once('?').unwrap_or((hint, ""));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if kind.is_empty() || !is_plain(kind) {
        return Err(MalformedHints);
    }
    let mut those: Vec<Shape> = there.iter().copied().filter(|shape| shape.kind == kind).collect();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(MalformedHints)?;
        match name {
            "dimensions" => {
                let side = |text: &str| text.parse::<u32>().map_err(|_| MalformedHints);
                let (width, height) = value.split_once('x').ok_or(MalformedHints)?;
                let (width, height) = (side(width)?, side(height)?);
                those.retain(|shape| {
                    shape.picture.is_some_and(|picture| u32::from(picture.side) == width && width == height)
                });
            }
            "thumb" => those.retain(|shape| is(*shape, |picture| picture.thumb) == (value == "true")),
            "paged" => those.retain(|shape| is(*shape, |picture| picture.paged) == (value == "true")),
            _ => {}
        }
    }
    Ok(those)
}

fn is(shape: Shape, what: fn(PictureShape) -> bool) -> bool {
    shape.picture.is_some_and(what)
}

/// One of `representations`.
#[derive(Debug, Clone, Serialize)]
pub struct Representation {
    representation: &'static str,
    properties: Properties,
    info: Info,
    status: Status,
    content: Content,
}

#[derive(Debug, Clone, Serialize)]
struct Properties {
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paged: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumb: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct Info {
    url: String,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Status {
    state: State,
}

#[derive(Debug, Clone, Serialize)]
struct Content {
    url_template: String,
}

/// How it stands with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is made.
    Success,
    /// It is being made.
    Pending,
    /// It will be, when somebody asks for it.
    None,
}

impl Representation {
    /// One with what is to be known of it below that URL.
    #[must_use]
    pub fn new(shape: Shape, url: String, state: State) -> Self {
        let text = |yes| if yes { "true" } else { "false" };
        Self {
            representation: shape.kind,
            properties: Properties {
                dimensions: shape.picture.map(|picture| format!("{0}x{0}", picture.side)),
                paged: shape.picture.map(|picture| text(picture.paged)),
                thumb: shape.picture.map(|picture| text(picture.thumb)),
            },
            content: Content { url_template: [&url, "/content/{+asset_path}"].concat() },
            info: Info { url },
            status: Status { state },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SHAPES, Shape, wanted};

    fn names(header: &str) -> Vec<String> {
        wanted(Some(header), of_images).unwrap().into_iter().map(Shape::name).collect()
    }

    fn of_images(shape: Shape) -> bool {
        !shape.is_of_documents()
    }

    #[test]
    fn hints_choose() {
        assert_eq!(wanted(None, |_| true).unwrap(), SHAPES);
        assert_eq!(wanted(Some(" "), of_images).unwrap(), SHAPES[..8]);
        assert_eq!(
            names("[jpg?dimensions=320x320&paged=false][png?dimensions=2048x2048]"),
            ["jpg_thumb_320x320", "png_2048x2048"]
        );
        // The first alternative that there can be.
        assert_eq!(names("[pdf][mp4,png?dimensions=1024x1024,jpg?dimensions=1024x1024]"), ["png_1024x1024"]);
        assert_eq!(names("[jpg?thumb=true] [jpg?dimensions=32x32]").len(), 4);
        assert_eq!(names("[png]"), ["png_1024x1024", "png_2048x2048"]);
        for nothing in
            ["[pdf]", "[extracted_text]", "[jpg?dimensions=33x33]", "[jpg?dimensions=320x160]", "[png?paged=true]"]
        {
            assert_eq!(names(nothing), [""; 0], "{nothing}");
        }
        let long = "[jpg]".repeat(1_000);
        let many = format!("[{}]", ["a"; 70].join(","));
        for bad in ["jpg", "[jpg", "[]", "[jpg]]", "[jpg?dimensions]", "[jpg?dimensions=axb]", "[../x]", &long, &many] {
            assert!(wanted(Some(bad), |_| true).is_err(), "{bad}");
        }
    }

    #[test]
    fn documents_have_pages_a_pdf_and_text() {
        let names = |header: &str| -> Vec<String> {
            wanted(Some(header), |_| true).unwrap().into_iter().map(Shape::name).collect()
        };
        assert_eq!(names("[pdf][extracted_text]"), ["pdf", "extracted_text"]);
        assert_eq!(names("[png?dimensions=1024x1024&paged=true]"), ["png_paged_1024x1024"]);
        assert_eq!(names("[png?dimensions=1024x1024&paged=false]"), ["png_1024x1024"]);
        assert_eq!(names("[png?dimensions=2048x2048]"), ["png_2048x2048", "png_paged_2048x2048"]);
        let paged = Shape::named("png_paged_1024x1024").unwrap();
        assert_eq!((paged.page("1.png"), paged.page("300.png")), (Some(1), Some(300)));
        for none in ["", "0.png", "-1.png", "+1.png", "1.jpg", "70000.png", ".png", "1png", "a.png"] {
            assert_eq!(paged.page(none), None, "{none}");
        }
        let pdf = Shape::named("pdf").unwrap();
        assert_eq!((pdf.page(""), pdf.page("1.pdf")), (Some(1), None));
    }

    #[test]
    fn each_has_a_name() {
        for shape in SHAPES {
            assert_eq!(Shape::named(&shape.name()), Some(shape));
        }
        assert_eq!(Shape::named("jpg_thumb_33x33"), None);
    }
}
