//! Representations: pictures of a file in other sizes and formats, and what of them a client wants (`X-Rep-Hints`).

use serde::Serialize;

/// Longer headers are not read.
const HINTS_BYTES_MAX: usize = 4 * 1024;
/// How many alternatives one header may name.
const HINTS_MAX: usize = 64;

/// A picture that there can be of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// `jpg` or `png`.
    pub kind: &'static str,
    /// Neither side is longer, in pixels.
    pub side: u16,
    /// Whether it is small enough to stand in a list.
    pub thumb: bool,
}

const fn shape(kind: &'static str, side: u16, thumb: bool) -> Shape {
    Shape { kind, side, thumb }
}

/// All of them, in the sizes that Box has.
pub const SHAPES: [Shape; 8] = [
    shape("jpg", 32, true),
    shape("jpg", 94, true),
    shape("jpg", 160, true),
    shape("jpg", 320, true),
    shape("jpg", 1_024, false),
    shape("jpg", 2_048, false),
    shape("png", 1_024, false),
    shape("png", 2_048, false),
];

impl Shape {
    /// As it stands in URLs, such as `jpg_thumb_32x32`.
    #[must_use]
    pub fn name(self) -> String {
        let Self { kind, side, thumb } = self;
        format!("{kind}_{}{side}x{side}", if thumb { "thumb_" } else { "" })
    }

    /// The opposite of [`Shape::name`].
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        SHAPES.into_iter().find(|shape| shape.name() == name)
    }
}

/// A header that is no list of hints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("'x-rep-hints' must be hints in brackets, such as [jpg?dimensions=320x320]")]
pub struct MalformedHints;

/// Those that a header asks for, in its order: of each pair of brackets, what the first of its alternatives (which have
/// commas between) names that there can be. All without a header. What there cannot be is left out, as at Box.
pub fn wanted(header: Option<&str>) -> Result<Vec<Shape>, MalformedHints> {
    let Some(header) = header.map(str::trim).filter(|header| !header.is_empty()) else { return Ok(SHAPES.to_vec()) };
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
            let named = named_by(hint.trim())?;
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
fn named_by(hint: &str) -> Result<Vec<Shape>, MalformedHints> {
    let (kind, query) = hint.split_once('?').unwrap_or((hint, ""));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if kind.is_empty() || !is_plain(kind) {
        return Err(MalformedHints);
    }
    let mut those: Vec<Shape> = SHAPES.into_iter().filter(|shape| shape.kind == kind).collect();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or(MalformedHints)?;
        match name {
            "dimensions" => {
                let side = |text: &str| text.parse::<u32>().map_err(|_| MalformedHints);
                let (width, height) = value.split_once('x').ok_or(MalformedHints)?;
                let (width, height) = (side(width)?, side(height)?);
                those.retain(|shape| u32::from(shape.side) == width && width == height);
            }
            "thumb" => those.retain(|shape| shape.thumb == (value == "true")),
            // An image is one page.
            "paged" if value == "true" => those.clear(),
            _ => {}
        }
    }
    Ok(those)
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
    dimensions: String,
    paged: &'static str,
    thumb: &'static str,
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
                dimensions: format!("{0}x{0}", shape.side),
                paged: "false",
                thumb: text(shape.thumb),
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
        wanted(Some(header)).unwrap().into_iter().map(Shape::name).collect()
    }

    #[test]
    fn hints_choose() {
        assert_eq!(wanted(None).unwrap(), SHAPES);
        assert_eq!(wanted(Some(" ")).unwrap(), SHAPES);
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
            assert!(wanted(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_has_a_name() {
        for shape in SHAPES {
            assert_eq!(Shape::named(&shape.name()), Some(shape));
        }
        assert_eq!(Shape::named("jpg_thumb_33x33"), None);
    }
}
